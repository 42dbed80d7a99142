"""Lists that are longer than one statement reads: the same array, streamed in parts."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core.api import pagination
from core.api.lists import StreamedList
from core.models import Booking, Resource
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_resource

BOOKINGS = "/api/bookings/"
RESOURCES = "/api/resources/"
MOST = 5
# A weekday that is not that of `at(10)`.
ANOTHER_WEEKDAY = at(10).isoweekday() % 7 + 1


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "MOST_AT_ONCE", MOST)


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Callable[[APIClient, str], Any]:
    """Reads a list in one statement, whatever its length."""

    def usual(client: APIClient, url: str) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(pagination, "MOST_AT_ONCE", 1000)
            return client.get(url)

    return usual


def fill(user: User, room: Resource, number: int) -> None:
    """Bookings of which three share each start, all created at one moment."""
    for index in range(number):
        make_cancelled_booking(user, room, at(index // 3))
    Booking.objects.update(created_at=timezone.now())


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_list_of_as_many_rows_as_one_statement_reads_is_as_ever(
    as_alice: APIClient, alice: User, room: Resource
) -> None:
    fill(alice, room, MOST)
    with CaptureQueriesContext(connection) as statements:
        answer = as_alice.get(BOOKINGS)
    assert (len(statements), answer.streaming, len(answer.json())) == (2, False, MOST)
    assert answer.headers["ETag"]
    assert as_alice.get(BOOKINGS, headers={"if-none-match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("number", [MOST + 1, 2 * MOST, 2 * MOST + 1, 4 * MOST - 1])
@pytest.mark.parametrize("ordering", ["", "start_time", "-start_time", "created_at", "-created_at"])
def test_a_longer_list_has_the_same_bytes_in_a_statement_for_each_part(
    as_alice: APIClient, alice: User, room: Resource, usual: Callable, number: int, ordering: str
) -> None:
    fill(alice, room, number)
    url = f"{BOOKINGS}?ordering={ordering}" if ordering else BOOKINGS
    with CaptureQueriesContext(connection) as statements:
        answer = as_alice.get(url)
        body = body_of(answer)
    assert answer.streaming
    assert len(statements) == 1 + -(-number // MOST)
    assert body == usual(as_alice, url).content


def test_a_longer_list_has_the_headers_of_any_list_without_tag_and_length(
    as_alice: APIClient, alice: User, room: Resource, usual: Callable, limit: Callable
) -> None:
    limit(user="1000/min")
    fill(alice, room, MOST + 1)
    usual_names = {*usual(as_alice, f"{BOOKINGS}?count=true").headers}
    answer = as_alice.get(f"{BOOKINGS}?count=true", headers={"if-none-match": "*"})
    assert answer.status_code == 200
    assert usual_names - {*answer.headers} == {"ETag", "Content-Length"}
    assert {*answer.headers} <= usual_names
    assert answer.headers["X-Total-Count"] == str(MOST + 1)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_head_reads_the_first_part_alone_and_has_no_body(as_alice: APIClient, alice: User, room: Resource) -> None:
    fill(alice, room, 4 * MOST)
    with CaptureQueriesContext(connection) as statements:
        answer = as_alice.head(BOOKINGS)
        assert body_of(answer) == b""
    assert (answer.status_code, len(statements)) == (200, 2)
    assert "Content-Length" not in answer.headers


def test_filters_hold_in_every_part_and_nobody_reads_what_is_somebody_elses(
    as_alice: APIClient, alice: User, bob: User, room: Resource, lab: Resource, usual: Callable
) -> None:
    for hour in range(4 * MOST):
        make_booking(alice if hour % 3 else bob, lab if hour % 2 else room, at(hour), notes="Budget")
    url = f"{BOOKINGS}?search=budget&resource={room.pk}&status=confirmed"
    rows = json.loads(body_of(as_alice.get(url)))
    assert rows == usual(as_alice, url).json()
    assert {(row["username"], row["resource"]) for row in rows} == {("alice", room.pk)}
    assert len(rows) > MOST


@pytest.mark.parametrize("query", ["", "?ordering=-capacity", "?search=desk", "?include=next_free&include=details"])
def test_resources_are_streamed_too(anonymous: APIClient, usual: Callable, query: str) -> None:
    for number in range(3 * MOST + 1):
        make_resource(f"Desk {number % 4}", capacity=1 + number % 2)
    answer = anonymous.get(f"{RESOURCES}{query}")
    assert answer.streaming
    assert json.loads(body_of(answer)) == usual(anonymous, f"{RESOURCES}{query}").json()


def test_what_can_be_booked_is_known_before_the_first_part(anonymous: APIClient, usual: Callable) -> None:
    """The one resource with terms comes in the last part."""
    for number in range(2 * MOST):
        make_resource(f"Desk {number}")
    ruled = make_resource("Zoo", has_terms=True)
    ruled.opening_hours.create(weekday=ANOTHER_WEEKDAY, opens="01:00", closes="02:00")
    url = f"{RESOURCES}?start={at(10):%Y-%m-%dT%H:%M:%SZ}&end={at(11):%Y-%m-%dT%H:%M:%SZ}&available=true"
    rows = json.loads(body_of(anonymous.get(url)))
    assert rows == usual(anonymous, url).json()
    assert ruled.pk not in {row["id"] for row in rows}


def test_a_list_that_gets_short_by_what_can_be_booked_is_not_streamed(anonymous: APIClient, usual: Callable) -> None:
    """The first look leaves all resources with terms in."""
    make_resource("Desk")
    for number in range(2 * MOST):
        ruled = make_resource(f"Room {number}", has_terms=True)
        ruled.opening_hours.create(weekday=ANOTHER_WEEKDAY, opens="01:00", closes="02:00")
    url = f"{RESOURCES}?start={at(10):%Y-%m-%dT%H:%M:%SZ}&end={at(11):%Y-%m-%dT%H:%M:%SZ}&available=true"
    answer = anonymous.get(url)
    assert (answer.streaming, answer.json()) == (False, usual(anonymous, url).json())
    assert [row["name"] for row in answer.json()] == ["Desk"]


def test_the_time_lines_of_many_resources_are_whole(anonymous: APIClient, usual: Callable) -> None:
    for number in range(2 * MOST + 1):
        make_resource(f"Desk {number}")
    url = f"{RESOURCES}availability/?start={at(10):%Y-%m-%dT%H:%M:%SZ}&end={at(11):%Y-%m-%dT%H:%M:%SZ}"
    answer = anonymous.get(url)
    assert answer.json() == usual(anonymous, url).json()
    assert len(answer.json()) == 2 * MOST + 1


def test_rows_that_go_while_the_client_reads_hide_no_other(as_alice: APIClient, alice: User, room: Resource) -> None:
    fill(alice, room, 4 * MOST)
    ids = list(Booking.objects.order_by("start_time", "id").values_list("pk", flat=True))
    parts = iter(as_alice.get(BOOKINGS).streaming_content)
    read = next(parts)
    Booking.objects.filter(pk__in=ids[MOST - 1 : MOST + 2]).delete()
    rows = json.loads(read + b"".join(parts))
    assert [row["id"] for row in rows] == ids[:MOST] + ids[MOST + 2 :]


def test_an_error_between_the_parts_is_no_end_of_the_array(
    as_alice: APIClient, alice: User, room: Resource, caplog: pytest.LogCaptureFixture
) -> None:
    fill(alice, room, 3 * MOST)
    answer = as_alice.get(BOOKINGS)
    parts = iter(answer.streaming_content)
    read = next(parts)

    def fail(*args: object) -> None:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(fail), pytest.raises(OperationalError):
        read += b"".join(parts)
    with pytest.raises(json.JSONDecodeError):
        json.loads(read)
    assert f"{BOOKINGS} broke off (request={answer.headers['X-Request-ID']})" in caplog.text


def test_the_page_of_a_browser_shows_the_first_rows_and_leads_on(
    admin: User, alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "LARGEST_PAGE", 3)
    fill(alice, room, 2 * MOST)
    browser = APIClient()
    browser.force_login(admin)
    answer = browser.get(BOOKINGS, headers={"accept": "text/html"})
    page = answer.content.decode()
    assert page.count("&quot;calendar_uid&quot;") + page.count("&quot;username&quot;") == 3
    url = re.search(r'<([^>]+)>; rel="next"', answer.headers["Link"])[1]
    rows = [row["id"] for row in browser.get(BOOKINGS, {"limit": 6}).json()]
    assert [row["id"] for row in browser.get(url).json()] == rows[3:]


def test_asgi_takes_one_part_after_the_other() -> None:
    made = []

    def parts() -> Iterator[bytes]:
        for part in (b"[1", b",2", b"]"):
            made.append(part)
            yield part

    async def read() -> list[tuple[bytes, int]]:
        return [(part, len(made)) async for part in StreamedList(parts())]

    assert asyncio.run(read()) == [(b"[1", 1), (b",2", 2), (b"]", 3)]


# --- The total --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"limit": 3}], ids=["whole", "page"])
@pytest.mark.parametrize(("number", "total"), [(6, "6"), (7, "7"), (8, None), (30, None)])
def test_a_list_is_counted_up_to_a_number(
    as_alice: APIClient,
    alice: User,
    room: Resource,
    monkeypatch: pytest.MonkeyPatch,
    query: dict,
    number: int,
    total: str | None,
) -> None:
    monkeypatch.setattr(pagination, "MOST_COUNTED", 7)
    fill(alice, room, number)
    answer = as_alice.get(BOOKINGS, {**query, "count": "true"})
    assert answer.headers.get("X-Total-Count") == total
    assert ("Link" in answer.headers) == bool(query)


def test_the_count_reads_no_row_after_that_number(as_admin: APIClient, room: Resource) -> None:
    with CaptureQueriesContext(connection) as statements:
        as_admin.get(BOOKINGS, {"limit": 3, "count": "true"})
    (counted,) = [each["sql"] for each in statements if "COUNT(" in each["sql"]]
    assert f"LIMIT {pagination.MOST_COUNTED + 1}" in counted
    assert "ORDER BY" not in counted
