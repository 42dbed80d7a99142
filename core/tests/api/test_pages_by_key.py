"""Pages by key: next, prev and first, while rows come and go; cursors are good for one list only."""

import re

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_resource


def links(answer) -> dict[str, str]:
    return {relation: url for url, relation in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))}


def walk(client: APIClient, url: str, relation: str = "next") -> list[list[int]]:
    pages = []
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.json()
        pages.append([row["id"] for row in answer.json()])
        url = links(answer).get(relation, "")
    return pages


@pytest.fixture
def many(alice: User, room: Resource) -> list[int]:
    """Nine bookings, three of them with one start."""
    for hour in range(6):
        make_booking(alice, room, at(hour))
    for _ in range(3):
        make_cancelled_booking(alice, room, at(2))
    return list(Booking.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 8, 9, 10])
@pytest.mark.parametrize("ordering", ["", "start_time", "-start_time", "created_at", "-created_at"])
def test_pages_are_the_list_cut_in_parts(as_alice: APIClient, many: list[int], limit: int, ordering: str) -> None:
    query = f"&ordering={ordering}" if ordering else ""
    whole = [row["id"] for row in as_alice.get(f"/api/bookings/?{query}").json()]
    pages = walk(as_alice, f"/api/bookings/?limit={limit}{query}")
    assert [pk for page in pages for pk in page] == whole
    assert all(len(page) == limit for page in pages[:-1])
    assert len(pages) == -(-9 // limit)


def test_the_way_back_leads_over_the_same_pages(as_alice: APIClient, many: list[int]) -> None:
    forward = walk(as_alice, "/api/bookings/?limit=3")
    last = as_alice.get("/api/bookings/?limit=3")
    while "next" in links(last):
        last = as_alice.get(links(last)["next"])
    assert walk(as_alice, links(last)["prev"], "prev") == forward[-2::-1]


def test_first_leads_to_the_beginning_and_the_first_page_has_no_prev(as_alice: APIClient, many: list[int]) -> None:
    first = as_alice.get("/api/bookings/?limit=4")
    assert set(links(first)) == {"first", "next"}
    second = as_alice.get(links(first)["next"])
    assert set(links(second)) == {"first", "prev", "next"}
    assert as_alice.get(links(second)["first"]).json() == first.json()
    third = as_alice.get(links(second)["next"])
    assert set(links(third)) == {"first", "prev"}


def test_rows_that_come_and_go_neither_double_nor_hide_the_others(
    as_alice: APIClient, alice: User, room: Resource, many: list[int]
) -> None:
    seen, url = [], "/api/bookings/?limit=2"
    while url:
        answer = as_alice.get(url)
        seen += [row["id"] for row in answer.json()]
        Booking.objects.filter(pk=seen[-1]).delete()
        make_cancelled_booking(alice, room, at(0))
        url = links(answer).get("next", "")
    assert [pk for pk in seen if pk in many] == many
    assert len(seen) == len(set(seen))


def test_from_an_end_that_was_deleted_meanwhile_there_is_a_way_back(as_alice: APIClient, many: list[int]) -> None:
    second = as_alice.get(links(as_alice.get("/api/bookings/?limit=4"))["next"])
    Booking.objects.filter(pk__in=many[8:]).delete()
    gone = as_alice.get(links(second)["next"])
    assert (gone.json(), set(links(gone))) == ([], {"first", "prev"})
    last = as_alice.get(links(gone)["prev"])
    assert [row["id"] for row in last.json()] == many[4:8]
    assert set(links(last)) == {"first", "prev"}


def test_from_a_beginning_that_was_deleted_meanwhile_there_is_a_way_on(as_alice: APIClient, many: list[int]) -> None:
    second = as_alice.get(links(as_alice.get("/api/bookings/?limit=4"))["next"])
    Booking.objects.filter(pk__in=many[:4]).delete()
    gone = as_alice.get(links(second)["prev"])
    assert (gone.json(), set(links(gone))) == ([], {"first", "next"})
    first = as_alice.get(links(gone)["next"])
    assert [row["id"] for row in first.json()] == many[4:8]
    assert set(links(first)) == {"first", "next"}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("status=confirmed", id="another filter"),
        pytest.param("ordering=-start_time", id="another ordering"),
        pytest.param("start_after=2020-01-01T00:00:00Z", id="one more filter"),
    ],
)
def test_a_cursor_for_another_list_is_refused(as_alice: APIClient, many: list[int], query: str) -> None:
    cursor = re.search(r"cursor=([^&>]+)", as_alice.get("/api/bookings/?limit=2").headers["Link"])[1]
    assert as_alice.get(f"/api/bookings/?limit=5&cursor={cursor}").status_code == 200
    assert_flat_error(as_alice.get(f"/api/bookings/?limit=2&{query}&cursor={cursor}"), 400, field="cursor")
    assert_flat_error(as_alice.get(f"/api/resources/?limit=2&cursor={cursor}"), 400, field="cursor")


@pytest.mark.parametrize("cursor", ["", "x", "%00", "bnVsbA", "W10", "W1tdXQ", "é", "WyJ4IiwgdHJ1ZSwgW11d", "W" * 5000])
def test_what_is_no_cursor_is_refused(as_alice: APIClient, many: list[int], cursor: str) -> None:
    assert_flat_error(as_alice.get(f"/api/bookings/?limit=2&cursor={cursor}"), 400, field="cursor")


def test_a_cursor_without_a_limit_is_refused(as_alice: APIClient, many: list[int]) -> None:
    assert_flat_error(as_alice.get("/api/bookings/?cursor=x"), 400, field="limit")


def test_resources_have_pages_by_name_whatever_is_in_it(anonymous: APIClient) -> None:
    for name in ("Ä", "a\u200bb", "🚲", "Zoo", "zoo", "Zoo"):
        make_resource(name)
    whole = [row["id"] for row in anonymous.get("/api/resources/").json()]
    assert [pk for page in walk(anonymous, "/api/resources/?limit=1") for pk in page] == whole
    assert len(whole) == 6


def test_a_resource_without_a_name_leads_on(anonymous: APIClient) -> None:
    for name in ("", "", "Blue room"):
        make_resource(name)
    whole = [row["id"] for row in anonymous.get("/api/resources/").json()]
    assert [pk for page in walk(anonymous, "/api/resources/?limit=1") for pk in page] == whole
