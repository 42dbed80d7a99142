"""A feed has a most of entries and of bytes: it shows what is nearest to now, and says that the rest is left out."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar
from rest_framework.test import APIClient

from core.calendars import reading
from core.models import Booking, Resource
from core.tests.calendars.test_feeds import make_feed
from core.tests.support.factories import make_booking, make_resource

# The ends of bookings of one hour, in hours from now.
ENDS = (-72, -49, -5, 0.5, 6, 100)


@pytest.fixture
def bookings(alice: User, room: Resource) -> dict[float, Booking]:
    """Bookings by the hours from now to their ends."""
    now = timezone.now()
    starts = {end: now + timedelta(hours=end - 1) for end in ENDS}
    return {end: make_booking(alice, room, start, notes=str(end)) for end, start in starts.items()}


def calendar_at(client: APIClient, path: str) -> Calendar:
    answer = client.get(path)
    assert answer.status_code == 200
    return Calendar.from_ical(answer.content)


def shown(calendar: Calendar) -> list[float]:
    """The ends that the notes of the entries tell, in the order of the entries."""
    return [float(event["description"]) for event in calendar.walk("VEVENT")]


@pytest.mark.parametrize("whose", ["own", "resource"])
@pytest.mark.parametrize(
    ("most", "kept"),
    [
        pytest.param(1, [0.5], id="the running one first"),
        pytest.param(2, [-5, 0.5], id="the nearer end, past or coming"),
        pytest.param(3, [-5, 0.5, 6], id="then the next"),
        pytest.param(4, [-49, -5, 0.5, 6], id="two on one side"),
        pytest.param(5, [-72, -49, -5, 0.5, 6], id="all but the farthest"),
    ],
)
def test_the_entries_nearest_to_now_are_shown_in_their_order(
    monkeypatch, as_alice, as_admin, bookings, room, whose: str, most: int, kept: list[float]
) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", most)
    path = make_feed(as_alice) if whose == "own" else make_feed(as_admin, resource=room.pk)
    calendar = calendar_at(as_alice, path)
    assert shown(calendar) == kept
    assert calendar["x-wr-caldesc"] == calendar["description"] == reading.LEFT_OUT.replace(",", "\\,")


def test_a_feed_that_fits_exactly_says_nothing(monkeypatch, as_alice, bookings) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", len(ENDS))
    calendar = calendar_at(as_alice, make_feed(as_alice))
    assert shown(calendar) == list(ENDS)
    assert not {"X-WR-CALDESC", "DESCRIPTION"} & set(calendar)


def test_a_feed_that_fits_again_says_nothing_any_more(monkeypatch, as_alice, bookings) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", len(ENDS) - 1)
    path = make_feed(as_alice)
    assert "X-WR-CALDESC" in calendar_at(as_alice, path)
    bookings[100].delete()
    calendar = calendar_at(as_alice, path)
    assert (shown(calendar), "X-WR-CALDESC" in calendar) == (list(ENDS[:-1]), False)


def test_of_many_that_end_together_no_more_are_shown(monkeypatch, as_alice, alice: User) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", 3)
    start = timezone.now() + timedelta(hours=1)
    for number in range(6):
        make_booking(alice, make_resource(f"Room {number}"), start, notes=str(number))
    calendar = calendar_at(as_alice, make_feed(as_alice))
    assert shown(calendar) == [0, 1, 2]
    assert "X-WR-CALDESC" in calendar


def test_statements_are_as_many_when_entries_are_left_out(monkeypatch, as_alice, bookings) -> None:
    monkeypatch.setattr(reading, "MOST_ENTRIES", 2)
    path = make_feed(as_alice)
    for expected in (5, 2):
        with CaptureQueriesContext(connection) as statements:
            as_alice.get(path)
        assert len(statements) == expected


def test_bytes_have_a_ceiling_too(monkeypatch, as_alice, bookings) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1500)
    path = make_feed(as_alice)
    answer = as_alice.get(path)
    calendar = Calendar.from_ical(answer.content)
    assert len(answer.content) < 1500 + 500
    assert shown(calendar) == [-5, 0.5, 6]
    assert "X-WR-CALDESC" in calendar
    assert as_alice.get(path, HTTP_IF_NONE_MATCH=answer.headers["ETag"]).status_code == 304
