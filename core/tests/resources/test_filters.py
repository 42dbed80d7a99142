"""What narrows, orders and extends GET /api/resources/."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.availability.test_slots import walk
from core.tests.availability.test_timeline import BAD_WINDOWS
from core.tests.support import oracle
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.properties import MINUTE, few, spans
from core.tests.support.spellings import SPELLINGS

URL = "/api/resources/"


def window(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": text(start), "end": text(end)}


def names(client: APIClient, **parameters: Any) -> list[str]:
    answer = client.get(URL, parameters)
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()]


# --- available --------------------------------------------------------------------------------------------------------


def test_available_resources_and_the_others(anonymous: APIClient, alice: User) -> None:
    make_resource("Free")
    make_resource("Out of service", is_available=False)
    for status in ("pending", "confirmed", "cancelled", "rejected"):
        make_booking(alice, make_resource(status.title()), status=status)
    asked = window(at(10), at(11))
    assert names(anonymous, **asked, available="true") == ["Cancelled", "Free", "Rejected"]
    assert names(anonymous, **asked, available="false") == ["Confirmed", "Out of service", "Pending"]
    assert len(names(anonymous, **asked)) == 6


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        pytest.param([(9, 10)], True, id="ends as it starts"),
        pytest.param([(12, 13)], True, id="starts as it ends"),
        pytest.param([(9, 10), (12, 13)], True, id="touches on both sides"),
        pytest.param([(9, 10.5)], False, id="across its start"),
        pytest.param([(11.5, 13)], False, id="across its end"),
        pytest.param([(10.5, 11)], False, id="inside"),
        pytest.param([(9, 13)], False, id="around"),
        pytest.param([(10, 12)], False, id="the same"),
        pytest.param([(-30, 60)], False, id="over several midnights"),
    ],
)
def test_available_means_for_the_whole_window(
    anonymous: APIClient, alice: User, room: Resource, taken: list, free: bool
) -> None:
    for start, end in taken:
        make_booking(alice, room, at(start), at(end))
    asked = window(at(10), at(12))
    assert names(anonymous, **asked, available="true") == (["Blue room"] if free else [])
    assert names(anonymous, **asked, available="false") == ([] if free else ["Blue room"])


@pytest.mark.parametrize(
    ("start", "end", "possible"),
    [
        pytest.param(timedelta(minutes=31), timedelta(minutes=60), True, id="behind the lead time"),
        pytest.param(timedelta(minutes=29), timedelta(minutes=60), False, id="within the lead time"),
        pytest.param(timedelta(hours=-2), timedelta(hours=-1), False, id="in the past"),
        pytest.param(timedelta(hours=-1), timedelta(hours=2), False, id="from the past on"),
        pytest.param(timedelta(days=1), timedelta(days=1826, minutes=-1), True, id="nearly five years"),
        pytest.param(timedelta(days=1826), timedelta(days=1826, minutes=1), False, id="beyond five years"),
    ],
)
def test_available_counts_the_lead_time_and_the_five_years(
    anonymous: APIClient, room: Resource, start: timedelta, end: timedelta, possible: bool
) -> None:
    now = timezone.now()
    asked = window(now + start, now + end)
    assert names(anonymous, **asked, available="true") == (["Blue room"] if possible else [])
    assert names(anonymous, **asked, available="false") == ([] if possible else ["Blue room"])


@few
@given(
    taken=spans(at(12, day=3), most=4),
    start=st.integers(-300, 600),
    length=st.integers(1, 300),
)
def test_available_is_what_a_post_says(
    anonymous: APIClient, as_bob: APIClient, alice: User, taken: list[oracle.Span], start: int, length: int
) -> None:
    Resource.objects.update(is_available=False)  # that of the example before
    resource = make_resource()
    for span in taken:
        make_booking(alice, resource, *span)
    first = at(12, day=3) + start * MINUTE
    last = first + length * MINUTE
    found = anonymous.get(URL, {**window(first, last), "available": "true"}).json()
    body = {"resource": resource.pk, "start_time": text(first), "end_time": text(last)}
    expected = oracle.is_free(first, last, oracle.taken_minutes(taken))
    assert [row["id"] for row in found] == ([resource.pk] if expected else [])
    assert (as_bob.post("/api/bookings/", body).status_code == 201) == expected


def test_available_needs_a_window(anonymous: APIClient, room: Resource) -> None:
    for value in ("true", "false"):
        body = assert_flat_error(anonymous.get(f"{URL}?available={value}"), 400, "invalid", "available")
        assert "start and end" in body["detail"]


# --- capacity, search, ordering ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("capacity", "count"), [(1, 3), (4, 3), (5, 2), (6, 2), (7, 1), (2_147_483_647, 0)])
def test_min_capacity(anonymous: APIClient, capacity: int, count: int) -> None:
    for size in (4, 6, 100):
        make_resource(f"For {size}", capacity=size)
    assert len(names(anonymous, min_capacity=capacity)) == count


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("blue", ["Blue room"], id="in a name, whatever its case"),
        pytest.param("PROJECTOR", ["Green room"], id="in a description"),
        pytest.param("room", ["Blue room", "Green room"], id="in several"),
        pytest.param("e r", ["Blue room"], id="across a space"),
        pytest.param("%", ["100% wool"], id="a percent sign is itself"),
        pytest.param("_", [], id="an underscore is itself"),
        pytest.param("'; --", [], id="a quote is itself"),
        pytest.param("nothing", [], id="nowhere"),
        pytest.param("", ["100% wool", "Blue room", "Green room"], id="empty"),
    ],
)
def test_search(anonymous: APIClient, text: str, found: list[str]) -> None:
    make_resource("Blue room")
    make_resource("Green room", description="With a projector")
    make_resource("100% wool")
    assert names(anonymous, search=text) == found


@pytest.mark.parametrize(("stored", "text"), SPELLINGS)
def test_a_search_minds_neither_case_nor_composition(anonymous: APIClient, stored: str, text: str) -> None:
    for name, description in ((f"1 {stored} x", ""), ("2", f"Beside {stored}."), ("3", "")):
        make_resource(name, description=description)
    assert names(anonymous, search=text) == [f"1 {stored} x", "2"]


@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        pytest.param(None, ["A", "B", "C", "C"], id="by name"),
        pytest.param("name", ["A", "B", "C", "C"], id="name"),
        pytest.param("-name", ["C", "C", "B", "A"], id="name descending"),
        pytest.param("capacity", ["C", "A", "B", "C"], id="capacity"),
        pytest.param("-capacity", ["C", "B", "A", "C"], id="capacity descending"),
    ],
)
def test_ordering(anonymous: APIClient, ordering: str | None, found: list[str]) -> None:
    for name, capacity in (("C", 1), ("B", 5), ("A", 2), ("C", 9)):
        make_resource(name, capacity=capacity)
    assert names(anonymous, **({"ordering": ordering} if ordering else {})) == found


@pytest.mark.parametrize("ordering", ["name", "-name", "capacity", "-capacity"])
def test_pages_of_what_is_filtered_and_ordered_hold_every_row_once(
    anonymous: APIClient, alice: User, ordering: str
) -> None:
    for index in range(9):
        resource = make_resource(f"Room {index % 3}", capacity=1 + index % 2)
        make_booking(alice, resource, at(-48), at(9))  # so that `next_free` does not move with the clock
        if index % 4 == 0:
            make_booking(alice, resource)
    asked = {**window(at(10), at(11)), "available": "true", "ordering": ordering, "include": "next_free"}
    whole = anonymous.get(URL, asked).json()
    pages = walk(anonymous, f"{URL}?{urlencode({**asked, 'limit': 2})}")
    assert len(whole) == 6
    assert [row for page in pages for row in page] == whole
    assert anonymous.get(URL, {**asked, "limit": 2, "count": "true"}).headers["X-Total-Count"] == "6"


def test_filters_add_up(anonymous: APIClient, alice: User) -> None:
    make_resource("Red room", capacity=8)
    make_resource("Red desk", capacity=1)
    make_resource("Blue room", capacity=8)
    make_booking(alice, make_resource("Red taken", capacity=8))
    asked = {**window(at(10), at(11)), "available": "true", "min_capacity": 2, "search": "red"}
    assert names(anonymous, **asked) == ["Red room"]


# --- include=next_free ------------------------------------------------------------------------------------------------


def test_next_free_is_added_where_asked_for(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(-48), at(10))
    out = make_resource("Zoo", is_available=False)
    rows = anonymous.get(f"{URL}?include=next_free").json()
    assert [row["next_free"] for row in rows] == [text(at(10)), None]
    for resource, row in zip((room, out), rows, strict=True):
        assert anonymous.get(f"{URL}{resource.pk}/?include=next_free").json() == row
        assert "next_free" not in anonymous.get(f"{URL}{resource.pk}/").json()
    assert all("next_free" not in row for row in anonymous.get(URL).json())


@pytest.mark.parametrize("path", [URL, f"{URL}{{}}/"])
def test_next_free_costs_no_further_statement(anonymous: APIClient, alice: User, room: Resource, path: str) -> None:
    for index in range(5):
        make_booking(alice, make_resource(f"Room {index}"))
    counts = []
    for query in ("", "?include=next_free"):
        with CaptureQueriesContext(connection) as statements:
            assert anonymous.get(path.format(room.pk) + query).status_code == 200
        counts.append(len(statements))
    assert counts == [1, 1]


def test_filters_cost_no_further_statement(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    for available in ("true", "false"):
        asked = {**window(at(10), at(11)), "available": available, "search": "room", "include": "next_free"}
        with CaptureQueriesContext(connection) as statements:
            names(anonymous, **asked)
        assert len(statements) == 1


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "field", "said"), BAD_WINDOWS)
@pytest.mark.parametrize("more", ["", "&available=true"])
def test_bad_windows(anonymous: APIClient, room: Resource, query: str, field: str, said: str, more: str) -> None:
    body = assert_flat_error(anonymous.get(f"{URL}?{query}{more}"), 400, "invalid", field)
    assert said in body["detail"]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        pytest.param("available=maybe", "available", "true, false", id="available of another kind"),
        pytest.param("min_capacity=0", "min_capacity", "", id="capacity 0"),
        pytest.param("min_capacity=-1", "min_capacity", "", id="capacity negative"),
        pytest.param("min_capacity=2147483648", "min_capacity", "", id="capacity too large"),
        pytest.param("min_capacity=six", "min_capacity", "", id="capacity a word"),
        pytest.param(f"search={'x' * 201}", "search", "200", id="search too long"),
        pytest.param("search=a%00", "search", "NUL", id="search with NUL"),
        pytest.param("ordering=id", "ordering", "name, -name, capacity, -capacity", id="ordering by something else"),
        pytest.param("ordering=name,capacity", "ordering", "One field", id="ordering by two"),
        pytest.param("include=secrets", "include", "next_free", id="including something else"),
        pytest.param("capacity=3", "capacity", "min_capacity", id="an unknown parameter"),
        pytest.param("is_available=true", "is_available", "available", id="another unknown one"),
        pytest.param("a%00=1", "a\0", "available", id="an unknown one with NUL"),
    ],
)
def test_bad_parameters(anonymous: APIClient, room: Resource, query: str, field: str, said: str) -> None:
    body = assert_flat_error(anonymous.get(f"{URL}?{query}"), 400, "invalid", field)
    assert said in body["detail"]


def test_unknown_parameters_are_told_what_there_is(anonymous: APIClient) -> None:
    assert anonymous.get(f"{URL}?size=3").json()["size"] == [
        "There is no such parameter. There are: "
        "start, end, available, min_capacity, search, ordering, include, limit, cursor, count, format."
    ]


def test_a_single_resource_has_no_filters(anonymous: APIClient, room: Resource) -> None:
    for query in ("search=zzz", "min_capacity=99"):
        answer = anonymous.get(f"/api/resources/{room.pk}/?{query}")
        assert_flat_error(answer, 400, "invalid", query.split("=")[0])


def sorts_as_people_do() -> bool:
    """True if the database has ICU, whose collation the migration gave to the names."""
    if connection.vendor != "postgresql":
        return False
    columns = "SELECT collation_name FROM information_schema.columns"
    with connection.cursor() as cursor:
        cursor.execute(f"{columns} WHERE (table_name, column_name) = ('core_resource', 'name')")
        return cursor.fetchone()[0] == "core_names"


def test_names_are_in_the_order_of_people_where_the_database_can(anonymous: APIClient, admin_pages: Client) -> None:
    expected = ["Archive", "Ärztezimmer", "Room 2", "Room 10", "Zoo"]
    if not sorts_as_people_do():
        expected = ["Archive", "Room 10", "Room 2", "Zoo", "Ärztezimmer"]
    for name in sorted(expected, reverse=True):
        make_resource(name)
    assert names(anonymous) == expected
    assert [row["name"] for page in walk(anonymous, f"{URL}?limit=2") for row in page] == expected
    assert [resource.name for resource in admin_pages.get("/admin/core/resource/").context["cl"].queryset] == expected
