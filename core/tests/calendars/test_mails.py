"""Messages carry the booking as a calendar entry: the same UID for life, a rising SEQUENCE."""

import pytest
from django.contrib.auth.models import User
from icalendar import Calendar
from rest_framework.test import APIClient

from core import lifecycle
from core.models import Booking, Resource
from core.notifications.invitations import calendar_attachments
from core.record.facts import Event
from core.record.kinds import EventKind
from core.tests.support.acts import act
from core.tests.support.factories import at, booking_body, make_booking, make_pending_booking, text
from core.tests.support.mailing import deliver


def entries(mailoutbox) -> list[tuple[str, str, int]]:
    """Of each message that was sent since: METHOD, STATUS and SEQUENCE of its entry, and that UID and times fit."""
    deliver()
    found = []
    for mail in mailoutbox:
        for name, content, mimetype in mail.attachments:
            assert name == "booking.ics"
            calendar = Calendar.from_ical(content)
            event = calendar.walk("VEVENT")[0]
            assert mimetype == f"text/calendar; method={calendar['method']}"
            booking = Booking.objects.filter(calendar_uid=str(event["uid"])).first()
            if booking is not None and booking.calendar_sequence == event["sequence"]:
                assert (event["dtstart"].dt, event["dtend"].dt) == (booking.start_time, booking.end_time)
            assert event["organizer"] == "mailto:noreply@bookingsystem.local"
            assert event["attendee"] == f"mailto:{mail.to[0]}"
            found.append((str(calendar["method"]), str(event["status"]), event["sequence"]))
    mailoutbox.clear()
    return found


def test_an_entry_follows_its_booking(as_alice: APIClient, as_admin: APIClient, lab: Resource, mailoutbox) -> None:
    made = as_alice.post("/api/bookings/", booking_body(lab)).json()
    assert entries(mailoutbox) == [("REQUEST", "TENTATIVE", 0)]
    url = f"/api/bookings/{made['id']}/"
    as_admin.patch(url, {"status": "confirmed"})
    assert entries(mailoutbox) == [("REQUEST", "CONFIRMED", 1)]
    as_admin.patch(url, {"end_time": text(at(13))})
    assert entries(mailoutbox) == [("REQUEST", "CONFIRMED", 2)]
    as_alice.delete(url)
    assert entries(mailoutbox) == [("CANCEL", "CANCELLED", 3)]
    as_alice.patch(url, {"status": "pending"})
    assert entries(mailoutbox) == [("REQUEST", "TENTATIVE", 4)]
    as_admin.patch(url, {"status": "rejected"})
    assert entries(mailoutbox) == [("CANCEL", "CANCELLED", 5)]


def test_the_one_invited_is_who_gets_the_mail(as_alice: APIClient, alice: User, room: Resource, mailoutbox) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    User.objects.filter(pk=alice.pk).update(email="new@example.org")
    assert entries(mailoutbox) == [("REQUEST", "CONFIRMED", 0)]


def test_an_address_with_control_characters_is_left_out(alice: User, room: Resource, mailoutbox) -> None:
    booking = make_booking(alice, room)
    created = Event(kind=EventKind.CREATED, before=None, after=booking, by=alice, at=at(0))
    (file,) = calendar_attachments(created, address='"a\x0bb"@example.org')
    assert b"\x0b" not in file.content
    assert "attendee" not in Calendar.from_ical(file.content).walk("VEVENT")[0]


def test_new_notes_are_no_new_revision(as_alice: APIClient, alice: User, room: Resource, mailoutbox) -> None:
    booking = make_booking(alice, room)
    as_alice.patch(f"/api/bookings/{booking.pk}/", {"notes": "Bring cake"})
    assert entries(mailoutbox) == [("REQUEST", "CONFIRMED", 0)]


def test_a_removed_row_is_cancelled_with_a_last_revision(alice: User, admin: User, room, mailoutbox) -> None:
    booking = make_booking(alice, room)
    lifecycle.remove(booking, act=act(admin))
    assert entries(mailoutbox) == [("CANCEL", "CANCELLED", 1)]


def test_an_expired_booking_is_cancelled_with_a_new_revision(alice: User, lab: Resource, mailoutbox) -> None:
    booking = make_pending_booking(alice, lab)
    deliver(now=booking.start_time)
    assert entries(mailoutbox) == [("CANCEL", "CANCELLED", 1)]


def test_what_never_held_a_slot_has_no_entry(as_admin: APIClient, alice: User, room: Resource, mailoutbox) -> None:
    as_admin.post("/api/bookings/", booking_body(room, user=alice.pk, status="rejected"))
    as_admin.patch(f"/api/bookings/{Booking.objects.get().pk}/", {"notes": "why"})
    assert entries(mailoutbox) == []


def test_staff_get_no_entry(settings, as_alice: APIClient, room: Resource, mailoutbox) -> None:
    settings.TO_EMAIL = ["desk@example.org"]
    as_alice.post("/api/bookings/", booking_body(room))
    deliver()
    carried = {mail.to[0]: len(mail.attachments) for mail in mailoutbox}
    assert carried == {"alice@example.org": 1, "desk@example.org": 0}


@pytest.mark.parametrize("name", ['A, b; c\\ "d"', "line\nbreak", "🚲", "x" * 255])
def test_any_name_is_carried_whole(alice: User, room: Resource, mailoutbox, name: str) -> None:
    Resource.objects.update(name=name)
    lifecycle.book(user=alice, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(alice))
    deliver()
    content = mailoutbox[0].attachments[0][1]
    assert Calendar.from_ical(content).walk("VEVENT")[0]["location"] == name.replace("\n", " ")
    assert "multipart/mixed" in mailoutbox[0].message()["Content-Type"]
