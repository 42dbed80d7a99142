"""Bookings as entries of a calendar (RFC 5545, 5546, 7986)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from core.choices import BookingStatus
from core.models import Booking

if TYPE_CHECKING:
    from icalendar import Calendar, Event

PRODUCT = "-//Booking system//EN"
REFRESH = timedelta(minutes=15)

STATUS = {
    BookingStatus.PENDING: "TENTATIVE",
    BookingStatus.CONFIRMED: "CONFIRMED",
    BookingStatus.CANCELLED: "CANCELLED",
    BookingStatus.REJECTED: "CANCELLED",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of a booking in a calendar; times in UTC.

    Attributes:
        changed: When anything that the entry shows last changed (RFC 5545, section 3.8.7.3).
    """

    uid: str
    sequence: int
    start: datetime
    end: datetime
    status: str
    summary: str
    location: str
    created: datetime
    changed: datetime
    notes: str = ""
    attendee: str = ""
    attendee_name: str = ""


def entry_of(booking: Booking, *, busy_only: bool = False) -> Entry:
    """Returns the calendar entry of a booking.

    Args:
        booking: The booking, with its user and resource loaded.
        busy_only: True to leave out the owner and the notes.
    """
    status = STATUS[BookingStatus(booking.status)]
    resource_name = plain_text(booking.resource.name)
    personal_fields = {} if busy_only else personal_fields_of(booking)
    return Entry(
        uid=str(booking.calendar_uid),
        sequence=booking.calendar_sequence,
        start=booking.start_time,
        end=full_second(booking.end_time),
        status=status,
        summary=f"Busy: {resource_name}" if busy_only else summary_of(resource_name, status),
        location=resource_name,
        created=booking.created_at,
        changed=last_change(booking, busy_only=busy_only),
        **personal_fields,
    )


def last_change(booking: Booking, *, busy_only: bool) -> datetime:
    """Returns the last change of a booking, of its resource, and of its user if the entry names the user.

    A booking that a message tells of knows only its own.
    """
    others = ("resource_changed",) if busy_only else ("resource_changed", "user_changed")
    moments = [booking.updated_at, *(getattr(booking, name, None) for name in others)]
    return max(moment for moment in moments if moment is not None)


def personal_fields_of(booking: Booking) -> dict[str, str]:
    """Returns the fields of an entry that only the owner and staff may see."""
    user = booking.user
    return {
        "notes": plain_text(booking.notes, lines=True),
        "attendee": user.email,
        "attendee_name": plain_text(user.get_full_name() or user.get_username()),
    }


def full_second(moment: datetime) -> datetime:
    """Rounds up to a full second: RFC 5545 has no fractions, and the end must stay after the start."""
    return moment.replace(microsecond=0) + timedelta(seconds=bool(moment.microsecond))


def summary_of(resource: str, status: str) -> str:
    """Returns the title of an entry."""
    return f"{resource} (requested)" if status == "TENTATIVE" else resource


def plain_text(value: str, *, lines: bool = False) -> str:
    """Replaces control characters by spaces, since RFC 5545 cannot write them.

    Args:
        value: The text.
        lines: True to keep line breaks and tabs.
    """
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char if char.isprintable() or char > "\x9f" or (lines and char in "\n\t") else " " for char in text)


def calendar_of(entries: Iterable[Entry], *, name: str) -> bytes:
    """Returns the file of a calendar feed."""
    from icalendar import Calendar, vDuration, vText

    calendar = with_header(Calendar())
    calendar.add("method", "PUBLISH")
    # icalendar does not know that both are texts, and would not escape plain strings.
    calendar.add("name", vText(plain_text(name)), encode=False)
    calendar.add("x-wr-calname", vText(plain_text(name)), encode=False)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for entry in entries:
        calendar.add_component(event_of(entry, invited=False))
    return calendar.to_ical()


def invitation_of(entry: Entry, *, method: str) -> bytes:
    """Returns the file of one booking.

    Args:
        entry: The entry of the booking.
        method: The method of RFC 5546: `REQUEST`, `CANCEL`, or `PUBLISH` for a file without an attendee.
    """
    from icalendar import Calendar

    calendar = with_header(Calendar())
    calendar.add("method", method)
    calendar.add_component(event_of(entry, invited=method != "PUBLISH"))
    return calendar.to_ical()


def with_header(calendar: "Calendar") -> "Calendar":
    """Adds the properties that every calendar file has, and returns the calendar."""
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def event_of(entry: Entry, *, invited: bool) -> "Event":
    """Returns the entry as a `VEVENT`.

    Args:
        entry: The entry of the booking.
        invited: True to name the owner as the attendee; otherwise, or without a printable address, as a contact.
    """
    from icalendar import Event, vCalAddress, vText

    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed)
    event.add("created", entry.created)
    event.add("last-modified", entry.changed)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("status", entry.status)
    event.add("summary", entry.summary)
    event.add("location", entry.location)
    event.add("transp", "OPAQUE")
    if entry.notes:
        event.add("description", entry.notes)
    organiser = vCalAddress(f"mailto:{settings.FROM_EMAIL}")
    organiser.params["CN"] = vText("Booking system")
    event.add("organizer", organiser, encode=False)
    if entry.attendee and entry.attendee.isprintable() and invited:
        attendee = vCalAddress(f"mailto:{entry.attendee}")
        attendee.params["CN"] = vText(entry.attendee_name.replace('"', "'"))
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        event.add("attendee", attendee, encode=False)
    elif entry.attendee_name:
        event.add("contact", entry.attendee_name)
    return event
