"""What narrows and orders GET /api/bookings/."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.availability.test_slots import walk
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_ended_booking, make_resource, text
from core.tests.support.spellings import SPELLINGS

URL = "/api/bookings/"


def found(client: APIClient, *parameters: tuple[str, Any]) -> list[int]:
    answer = client.get(f"{URL}?{urlencode(parameters)}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()]


# --- status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param([], ["pending", "confirmed", "cancelled", "rejected"], id="all"),
        pytest.param(["pending"], ["pending"], id="one"),
        pytest.param(["confirmed", "pending"], ["pending", "confirmed"], id="two"),
        pytest.param(["rejected", "rejected"], ["rejected"], id="one twice"),
    ],
)
def test_status_may_be_repeated(
    as_alice: APIClient, alice: User, room: Resource, asked: list[str], expected: list[str]
) -> None:
    for hour, status in enumerate(("pending", "confirmed", "cancelled", "rejected")):
        make_booking(alice, room, at(hour), status=status)
    rows = as_alice.get(f"{URL}?{urlencode([('status', status) for status in asked])}").json()
    assert [row["status"] for row in rows] == expected


# --- resource and time ------------------------------------------------------------------------------------------------


def test_resource(as_alice: APIClient, alice: User, room: Resource, lab: Resource) -> None:
    mine, there = make_booking(alice, room), make_booking(alice, lab)
    assert found(as_alice, ("resource", room.pk)) == [mine.pk]
    assert found(as_alice, ("resource", lab.pk)) == [there.pk]
    assert found(as_alice, ("resource", 999_999)) == []


@pytest.mark.parametrize(
    ("name", "moment", "within"),
    [
        pytest.param("start_after", 10, True, id="starts at that moment"),
        pytest.param("start_after", 10.01, False, id="starts before"),
        pytest.param("start_before", 10, False, id="does not start before that moment"),
        pytest.param("start_before", 10.01, True, id="starts before it"),
        pytest.param("end_after", 11, False, id="is over at that moment"),
        pytest.param("end_after", 10.99, True, id="is not over"),
        pytest.param("end_before", 11, True, id="ends at that moment"),
        pytest.param("end_before", 10.99, False, id="ends later"),
    ],
)
def test_times(as_alice: APIClient, alice: User, room: Resource, name: str, moment: float, within: bool) -> None:
    booking = make_booking(alice, room, at(10), at(11))
    assert found(as_alice, (name, text(at(moment)))) == ([booking.pk] if within else [])


def test_what_shares_a_moment_with_a_window(as_alice: APIClient, alice: User, room: Resource) -> None:
    hours = [(8, 9), (9, 10), (9.5, 9.75), (10, 11)]
    made = {hour: make_booking(alice, make_resource(str(hour)), at(hour[0]), at(hour[1])).pk for hour in hours}
    window = (("start_before", text(at(10))), ("end_after", text(at(9))))
    assert found(as_alice, *window) == [made[9, 10], made[9.5, 9.75]]


def test_upcoming_and_past(as_alice: APIClient, alice: User, room: Resource) -> None:
    over = make_ended_booking(alice, room)
    now = timezone.now()
    running = make_booking(alice, room, now - timedelta(hours=1), now + timedelta(hours=1))
    later = make_booking(alice, room, at(10))
    assert found(as_alice, ("upcoming", "true")) == [running.pk, later.pk]
    assert found(as_alice, ("upcoming", "false")) == [over.pk]


# --- Whose ------------------------------------------------------------------------------------------------------------


def test_staff_ask_for_one_user(as_admin: APIClient, alice: User, bob: User, room: Resource) -> None:
    hers, his = make_booking(alice, room), make_booking(bob, room, at(14))
    assert found(as_admin, ("user", alice.pk)) == [hers.pk]
    assert found(as_admin, ("user", bob.pk)) == [his.pk]
    assert found(as_admin, ("user", 999_999)) == []


def test_others_may_only_ask_for_themselves(as_alice: APIClient, alice: User, bob: User, room: Resource) -> None:
    hers = make_booking(alice, room)
    make_booking(bob, room, at(14))
    assert found(as_alice, ("user", alice.pk)) == [hers.pk]
    for other in (bob.pk, 999_999):
        body = assert_flat_error(as_alice.get(f"{URL}?user={other}"), 400, "invalid", "user")
        assert "staff" in body["detail"]


@pytest.mark.parametrize("query", ["status=confirmed", "search=room", "upcoming=true", "ordering=-start_time"])
def test_no_filter_shows_what_is_somebody_elses(as_alice: APIClient, bob: User, room: Resource, query: str) -> None:
    make_booking(bob, room)
    assert as_alice.get(f"{URL}?{query}").json() == []


# --- search -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("budget", ["Budget for spring"], id="in notes, whatever the case"),
        pytest.param("BLUE", ["Budget for spring", "100% done"], id="in the name of the resource"),
        pytest.param("100%", ["100% done"], id="a percent sign is itself"),
        pytest.param("_", [], id="an underscore is itself"),
        pytest.param("nothing", [], id="nowhere"),
        pytest.param("", ["Budget for spring", "100% done", "Elsewhere"], id="empty"),
    ],
)
def test_search_in_notes_and_resources(
    as_alice: APIClient, alice: User, room: Resource, lab: Resource, words: str, expected: list[str]
) -> None:
    for hour, (resource, notes) in enumerate(((room, "Budget for spring"), (room, "100% done"), (lab, "Elsewhere"))):
        make_booking(alice, resource, at(hour), notes=notes)
    rows = as_alice.get(URL, {"search": words}).json()
    assert [row["notes"] for row in rows] == expected


@pytest.mark.parametrize(("stored", "words"), SPELLINGS)
def test_a_search_minds_neither_case_nor_composition(
    as_alice: APIClient, alice: User, room: Resource, stored: str, words: str
) -> None:
    booking = make_booking(alice, room, notes=f"For {stored}")
    make_booking(alice, room, at(14))
    assert found(as_alice, ("search", words)) == [booking.pk]


def test_only_the_search_of_staff_looks_at_user_names(
    as_alice: APIClient, as_admin: APIClient, alice: User, bob: User, room: Resource
) -> None:
    hers = make_booking(alice, room)
    make_booking(bob, room, at(14))
    assert found(as_admin, ("search", "ALIC")) == [hers.pk]
    assert found(as_alice, ("search", "alic")) == []


# --- ordering and pages -----------------------------------------------------------------------------------------------


def test_ordering(as_alice: APIClient, alice: User, room: Resource) -> None:
    made = [make_booking(alice, room, at(hour)) for hour in (12, 9, 15)]
    late, early, last = (booking.pk for booking in made)
    for age, booking in enumerate(made):
        Booking.objects.filter(pk=booking.pk).update(created_at=timezone.now() - timedelta(days=age))
    assert found(as_alice, ("ordering", "start_time")) == [early, late, last]
    assert found(as_alice, ("ordering", "-start_time")) == [last, late, early]
    assert found(as_alice, ("ordering", "created_at")) == [last, early, late]
    assert found(as_alice, ("ordering", "-created_at")) == [late, early, last]


@pytest.mark.parametrize("ordering", ["start_time", "-start_time", "created_at", "-created_at"])
def test_pages_of_what_is_filtered_and_ordered_hold_every_row_once(
    as_admin: APIClient, alice: User, ordering: str
) -> None:
    for index in range(7):
        make_booking(alice, make_resource(f"Room {index}"), at(10 + index // 3))
    Booking.objects.update(created_at=timezone.now())
    asked = {"ordering": ordering, "status": "confirmed", "search": "room", "upcoming": "true"}
    whole = as_admin.get(URL, asked).json()
    pages = walk(as_admin, f"{URL}?{urlencode({**asked, 'limit': 2})}")
    assert len(whole) == 7
    assert [row for page in pages for row in page] == whole


def test_filters_add_up(as_admin: APIClient, alice: User, bob: User, room: Resource, lab: Resource) -> None:
    wanted = make_booking(alice, room, notes="Budget")
    make_booking(alice, lab, notes="Budget")
    make_booking(alice, room, at(12), status="pending", notes="Budget")
    make_booking(alice, room, at(14))
    make_booking(bob, room, at(16), notes="Budget")
    asked = (("resource", room.pk), ("status", "confirmed"), ("search", "budget"), ("user", alice.pk))
    assert found(as_admin, *asked) == [wanted.pk]


def test_filters_cost_no_further_statement(as_alice: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    counts = []
    for query in ("", "?status=confirmed&search=room&upcoming=true&ordering=-created_at&resource=1"):
        with CaptureQueriesContext(connection) as statements:
            as_alice.get(f"{URL}{query}")
        counts.append(len(statements))
    assert counts[0] == counts[1] == 2


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        pytest.param("status=maybe", "status", "pending, confirmed, cancelled, rejected", id="no status"),
        pytest.param("status=confirmed&status=maybe", "status", "", id="one status of two"),
        pytest.param("status=confirmed%00", "status", "", id="status with NUL"),
        pytest.param("resource=room", "resource", "", id="resource a word"),
        pytest.param("resource=0", "resource", "", id="resource 0"),
        pytest.param("resource=9223372036854775808", "resource", "", id="resource too large"),
        pytest.param("resource=1%00", "resource", "", id="resource with NUL"),
        pytest.param("user=alice", "user", "", id="user a word"),
        pytest.param("user=9223372036854775808", "user", "", id="user too large"),
        pytest.param("upcoming=maybe", "upcoming", "true, false", id="upcoming of another kind"),
        pytest.param("start_after=tomorrow", "start_after", "ISO 8601", id="no moment"),
        pytest.param("start_after=2030-01-01", "start_after", "offset", id="a date"),
        pytest.param("end_before=2030-01-01T10:00:00", "end_before", "offset", id="no offset"),
        pytest.param("end_after=2030-01-01T10:00:00+02:00", "end_after", "%2B", id="a bare plus"),
        pytest.param("start_before=0000-01-01T10:00:00Z", "start_before", "", id="year 0"),
        pytest.param("start_before=0001-01-01T00:00:00%2B14:00", "start_before", "", id="before year 1 in UTC"),
        pytest.param("start_before=2030-01-01T10:00:00Z%00", "start_before", "", id="moment with NUL"),
        pytest.param(f"search={'x' * 201}", "search", "200", id="search too long"),
        pytest.param("search=a%00b", "search", "NUL", id="search with NUL"),
        pytest.param("ordering=notes", "ordering", "start_time, -start_time", id="ordering by something else"),
        pytest.param("ordering=start_time,created_at", "ordering", "One field", id="ordering by two"),
        pytest.param("start=2030-01-01T10:00:00Z", "start", "start_after", id="an unknown parameter"),
        pytest.param("include=next_free", "include", "staff_note", id="a word of resources"),
    ],
)
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_bad_parameters(request: pytest.FixtureRequest, client: str, query: str, field: str, said: str) -> None:
    body = assert_flat_error(request.getfixturevalue(client).get(f"{URL}?{query}"), 400, "invalid", field)
    assert said in body["detail"]


def test_unknown_parameters_are_told_what_there_is(as_alice: APIClient) -> None:
    assert as_alice.get(f"{URL}?size=3").json()["size"] == [
        "There is no such parameter. There are: include, resource, status, start_after, start_before, end_after, "
        "end_before, upcoming, user, series, search, ordering, limit, cursor, count, format."
    ]
