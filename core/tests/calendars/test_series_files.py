"""The calendar files of series: in mails, and the coming dates as one file."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar, Event
from rest_framework.test import APIClient

from core import lifecycle
from core.calendars.entries import entry_of, publication_of
from core.choices import Scope
from core.lifecycle import Changes
from core.models import Booking, Resource, Series
from core.tests.support.acts import act
from core.tests.support.calendars import library_calendar, library_event
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_user
from core.tests.support.mailing import deliver
from core.tests.support.repeating import book_series, dates_of

pytestmark = pytest.mark.django_db(transaction=True)

Files = list[tuple[str, str, list[Event]]]


def files(mailoutbox) -> Files:
    """Of each file in the mails to alice since: its name, its METHOD and its events."""
    mailoutbox.clear()
    deliver()
    found = []
    for mail in mailoutbox:
        assert mail.to == ["alice@example.org"]
        for name, content, mimetype in mail.attachments:
            raw = content if isinstance(content, bytes) else content.encode()
            calendar = Calendar.from_ical(raw)
            assert mimetype == f"text/calendar; method={calendar['method']}"
            assert Calendar.from_ical(calendar.to_ical()) == calendar
            assert max(map(len, raw.split(b"\r\n"))) <= 75
            found.append((name, str(calendar["method"]), calendar.walk("VEVENT")))
    return found


def shown(events: list[Event]) -> list[tuple[str, int, datetime, datetime, str]]:
    return [
        (str(event["uid"]), event["sequence"], event["dtstart"].dt, event["dtend"].dt, str(event["status"]))
        for event in events
    ]


def stored(bookings: list[Booking], status: str = "CONFIRMED") -> list[tuple[str, int, datetime, datetime, str]]:
    return [
        (str(each.calendar_uid), each.calendar_sequence, each.start_time, each.end_time, status) for each in bookings
    ]


# --- In mails ---------------------------------------------------------------------------------------------------------


def test_the_first_mail_publishes_every_date_as_an_event_of_its_own(alice: User, room: Resource, mailoutbox) -> None:
    made = book_series(alice, room, notes="Stand-up; tea, cake").series
    ((name, method, events),) = files(mailoutbox)
    assert (name, method) == ("series.ics", "PUBLISH")
    assert shown(events) == stored(dates_of(made))
    assert len({event["uid"] for event in events}) == 10
    assert {event["sequence"] for event in events} == {0}
    assert {event["description"] for event in events} == {"Stand-up; tea, cake"}
    # RFC 5546, section 3.2.1: a published event has an organiser, and no attendee and no rule here.
    for event in events:
        assert event["organizer"] == "mailto:noreply@bookingsystem.local"
        assert not {"attendee", "rrule", "recurrence-id"} & {each.lower() for each in event}


def test_changed_dates_are_published_with_their_new_revisions(alice: User, room: Resource, mailoutbox) -> None:
    made = book_series(alice, room).series
    uids = [str(booking.calendar_uid) for booking in dates_of(made)]
    files(mailoutbox)
    changes = Changes(start_time=at(14, day=3), end_time=at(15, day=3))
    changed = lifecycle.change_dates(dates_of(made)[2], scope=Scope.FOLLOWING, changes=changes, act=act(alice))
    ((name, method, events),) = files(mailoutbox)
    assert (name, method) == ("series.ics", "PUBLISH")
    assert shown(events) == stored(dates_of(changed.series))
    assert [str(event["uid"]) for event in events] == uids[2:]
    assert {event["sequence"] for event in events} == {1}


def test_each_cancelled_date_has_a_file_of_its_own(alice: User, room: Resource, mailoutbox) -> None:
    made = book_series(alice, room).series
    files(mailoutbox)
    lifecycle.cancel_some(made, ids=[booking.pk for booking in dates_of(made)[4:7]], act=act(alice))
    gone = dates_of(made)[4:7]
    found = files(mailoutbox)
    assert [name for name, _, _ in found] == [f"cancelled-{booking.pk}.ics" for booking in gone]
    assert {method for _, method, _ in found} == {"CANCEL"}
    assert [shown(events) for _, _, events in found] == [[each] for each in stored(gone, "CANCELLED")]
    assert {events[0]["sequence"] for _, _, events in found} == {1}
    assert {str(events[0]["attendee"]) for _, _, events in found} == {"mailto:alice@example.org"}


def test_a_series_follows_its_way_through_approval(alice: User, admin: User, lab: Resource, mailoutbox) -> None:
    made = book_series(alice, lab, "FREQ=DAILY;COUNT=2").series
    ((_, _, events),) = files(mailoutbox)
    assert {str(event["status"]) for event in events} == {"TENTATIVE"}
    lifecycle.decide_some(made, "confirmed", act=act(admin))
    ((_, method, events),) = files(mailoutbox)
    assert (method, shown(events)) == ("PUBLISH", stored(dates_of(made)))
    assert {event["sequence"] for event in events} == {1}
    lifecycle.decide_some(made, "rejected", expected=["confirmed"], act=act(admin, reason="Painted"))
    found = files(mailoutbox)
    assert [method for _, method, _ in found] == ["CANCEL"] * 2
    assert [events[0]["sequence"] for _, _, events in found] == [2, 2]


def test_thirty_cancelled_dates_have_their_files(settings, alice: User, room: Resource, mailoutbox) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=30").series
    files(mailoutbox)
    lifecycle.cancel_some(made, act=act(alice))
    assert [method for _, method, _ in files(mailoutbox)] == ["CANCEL"] * 30
    assert "no calendar files" not in mailoutbox[0].body


@pytest.mark.parametrize("server", ["https://testserver", ""], ids=["known server", "unknown server"])
def test_one_more_have_none_and_the_address_of_the_file(
    settings, alice: User, room: Resource, mailoutbox, server: str
) -> None:
    settings.PUBLIC_URL = server
    made = book_series(alice, room, "FREQ=DAILY;COUNT=31").series
    files(mailoutbox)
    lifecycle.cancel_some(made, act=act(alice))
    assert files(mailoutbox) == []
    (mail,) = mailoutbox
    page = mail.alternatives[0].content
    for text in (mail.body, page):
        assert "So many dates were given up that no calendar files come with this message." in text
        assert (f"{server}/api/series/{made.pk}/calendar.ics" in text) == bool(server)


def test_staff_get_no_file(settings, alice: User, room: Resource, mailoutbox) -> None:
    settings.TO_EMAIL = ["desk@example.org"]
    book_series(alice, room)
    deliver()
    assert {mail.to[0]: len(mail.attachments) for mail in mailoutbox} == {"alice@example.org": 1, "desk@example.org": 0}


def test_what_never_held_a_slot_has_no_file(alice: User, admin: User, room: Resource, mailoutbox) -> None:
    book_series(alice, room, "FREQ=DAILY;COUNT=2", by=admin, status="rejected")
    assert files(mailoutbox) == []
    assert "Recorded as rejected, 2 dates: Blue room" in mailoutbox[0].subject


def test_notes_that_make_the_file_too_long_are_left_out_of_it(alice: User, room: Resource, mailoutbox) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=60", notes="🚲" * 5_000).series
    ((_, _, events),) = files(mailoutbox)
    assert shown(events) == stored(dates_of(made))
    assert not any("description" in event for event in events)
    assert "🚲" * 5_000 in mailoutbox[0].body


@pytest.mark.parametrize("name", ['A, b; c\\ "d"', "line\nbreak", "🚲", "x" * 255])
def test_the_file_is_that_of_the_library(alice: User, room: Resource, name: str) -> None:
    Resource.objects.update(name=name)
    User.objects.filter(pk=alice.pk).update(first_name="Ali,ce", last_name='"A"')
    made = book_series(alice, room, notes="Tea;\r\ncake \\N").series
    entries = [entry_of(booking) for booking in dates_of(made)]
    calendar = library_calendar("PUBLISH")
    for entry in entries:
        calendar.add_component(library_event(entry, invited=False))
    assert publication_of(entries) == calendar.to_ical()


# --- The coming dates as a file ---------------------------------------------------------------------------------------


def url(series: Series) -> str:
    return f"/api/series/{series.pk}/calendar.ics"


def test_owner_and_staff_get_the_coming_dates(
    as_alice: APIClient, as_admin: APIClient, as_bob: APIClient, anonymous: APIClient, alice: User, room: Resource
) -> None:
    made = book_series(alice, room, notes="Stand-up").series
    for client in (as_alice, as_admin):
        answer = client.get(url(made))
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="series-{made.pk}.ics"'
        calendar = Calendar.from_ical(answer.content)
        assert calendar["method"] == "PUBLISH"
        assert shown(calendar.walk("VEVENT")) == stored(dates_of(made))
        assert {(event["contact"], "attendee" in event) for event in calendar.walk("VEVENT")} == {("alice", False)}
    assert_flat_error(as_bob.get(url(made)), 403)
    assert_flat_error(anonymous.get(url(made)), 401)
    assert_flat_error(as_alice.get("/api/series/999/calendar.ics"), 404)


def test_dates_that_are_over_or_given_up_are_left_out(as_alice: APIClient, alice: User, room: Resource) -> None:
    made = book_series(alice, room).series
    first, second, *others = dates_of(made)
    Booking.objects.filter(pk=first.pk).update(start_time=at(10, day=-2), end_time=at(11, day=-2))
    lifecycle.cancel(second, act=act(alice))
    events = Calendar.from_ical(as_alice.get(url(made)).content).walk("VEVENT")
    assert shown(events) == stored(others)


def test_a_series_that_is_over_is_an_empty_calendar(as_alice: APIClient, alice: User, room: Resource) -> None:
    made = book_series(alice, room).series
    lifecycle.cancel_some(made, act=act(alice))
    answer = as_alice.get(url(made))
    assert answer.status_code == 200
    assert Calendar.from_ical(answer.content).walk("VEVENT") == []


def test_only_its_own_dates_are_in_it(as_alice: APIClient, alice: User, room: Resource, lab: Resource) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=2").series
    book_series(make_user("clara"), lab)
    book_series(alice, lab, start=at(15))
    events = Calendar.from_ical(as_alice.get(url(made)).content).walk("VEVENT")
    assert shown(events) == stored(dates_of(made))


def test_the_statements_do_not_grow_with_the_dates(
    as_alice: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    numbers = []
    for resource, count in ((room, 2), (lab, 366)):
        made = book_series(alice, resource, f"FREQ=DAILY;COUNT={count}").series
        with CaptureQueriesContext(connection) as captured:
            answer = as_alice.get(url(made))
        assert answer.content.count(b"BEGIN:VEVENT") == count
        numbers.append(len(captured))
    assert numbers[0] == numbers[1] <= 4
