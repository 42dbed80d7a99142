"""Lists with more rows than the admin counts, and what a search in them costs."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import Booking, Resource
from core.querysets import bookings
from core.staff import base
from core.tests.support.factories import at, make_booking, make_resource, make_user

BOOKINGS = "/admin/core/booking/"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The admin counts 60 rows, or 55 of a search."""
    monkeypatch.setattr(base, "MOST_COUNTED", 60)
    monkeypatch.setattr(base, "MOST_FOUND", 55)


def fill(user: User, room: Resource, number: int) -> None:
    Booking.objects.bulk_create(
        Booking(user=user, resource=room, start_time=at(hour), end_time=at(hour + 1)) for hour in range(number)
    )


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("query", "number", "said"),
    [
        ("when=all", 60, "60 bookings"),
        ("when=all", 61, "60+ bookings"),
        ("q=blue", 55, "55 results"),
        ("q=blue", 56, "55+ results"),
    ],
)
def test_rows_are_counted_up_to_a_number(
    admin_pages: Client, alice: User, room: Resource, query: str, number: int, said: str
) -> None:
    fill(alice, room, number)
    answer = admin_pages.get(f"{BOOKINGS}?{query}")
    assert said in answer.content.decode()
    assert len(answer.context["cl"].result_list) == 50
    assert answer.context["cl"].paginator.num_pages == 2
    assert admin_pages.get(f"{BOOKINGS}?{query}&p=2").status_code == 200
    assert admin_pages.get(f"{BOOKINGS}?{query}&p=3").headers["Location"] == f"{BOOKINGS}?e=1"


@pytest.mark.usefixtures("few")
def test_all_of_a_list_that_was_not_counted_can_be_selected(admin_pages: Client, alice: User, room: Resource) -> None:
    fill(alice, room, 61)
    page = admin_pages.get(f"{BOOKINGS}?when=all").content.decode()
    assert "Select all 60+ bookings" in page
    body = {"action": "delete_selected", "index": "0", "select_across": "1", "_selected_action": ["1"], "post": "yes"}
    admin_pages.post(f"{BOOKINGS}?when=all", body)
    assert not Booking.objects.exists()


def test_a_search_costs_two_statements_for_each_word_and_asks_for_no_dates(
    admin_pages: Client, alice: User, room: Resource
) -> None:
    fill(alice, room, 60)
    costs = []
    for words in ("blue", "blue+alice", "blue+alice+example+room+lue"):
        with CaptureQueriesContext(connection) as statements:
            answer = admin_pages.get(f"{BOOKINGS}?q={words}")
        assert len(answer.context["cl"].result_list) == 50
        assert not [each for each in statements if "MIN(" in each["sql"] or "DISTINCT" in each["sql"]]
        costs.append(len(statements))
    assert [cost - costs[0] for cost in costs] == [0, 2, 8]


@pytest.mark.parametrize("most", [0, 1, 200], ids=["more than a few", "some of each", "few"])
@pytest.mark.parametrize(
    ("words", "hours"),
    [
        pytest.param("blue", [1, 2], id="of the resource"),
        pytest.param("room", [1, 2, 3], id="of two resources"),
        pytest.param("alice", [1, 3], id="of the user"),
        pytest.param("example.org", [1, 2, 3, 4], id="of all users"),
        pytest.param('"blue room" gloves', [2], id="quoted, and in the notes"),
        pytest.param("blue desk", [], id="of no booking together"),
    ],
)
def test_a_search_finds_the_same_however_many_resources_and_users_it_names(
    admin_pages: Client, alice: User, monkeypatch: pytest.MonkeyPatch, most: int, words: str, hours: list[int]
) -> None:
    monkeypatch.setattr(bookings, "MOST_NAMED", most)
    bob, blue, red = make_user("bob"), make_resource("Blue room"), make_resource("Red room")
    make_booking(alice, blue, at(1))
    make_booking(bob, blue, at(2), notes="Gloves")
    make_booking(alice, red, at(3))
    make_booking(bob, make_resource("Desk"), at(4))
    rows = admin_pages.get(BOOKINGS, {"q": words}).context["cl"].result_list
    assert sorted(row.start_time for row in rows) == [at(hour) for hour in hours]
