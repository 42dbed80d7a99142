"""Bookings as calendars know them (RFC 5545, 5546, 7986)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from core.choices import BookingStatus
from core.models import Booking

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
    """What a calendar shows of a booking; times in UTC."""

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


def entry_of(booking: Booking, *, busy_only: bool = False, sequence: int | None = None) -> Entry:
    """The entry of a booking.

    Args:
        booking: With its user and resource.
        busy_only: Tells neither who booked nor why.
        sequence: Another revision than the stored one.
    """
    status = STATUS[BookingStatus(booking.status)]
    plain = plain_text(booking.resource.name)
    kept = {} if busy_only else personal(booking)
    return Entry(
        uid=str(booking.calendar_uid),
        sequence=booking.calendar_sequence if sequence is None else sequence,
        start=booking.start_time,
        end=full_second(booking.end_time),
        status=status,
        summary=f"Busy: {plain}" if busy_only else summary_of(plain, status),
        location=plain,
        created=booking.created_at,
        changed=booking.updated_at,
        **kept,
    )


def personal(booking: Booking) -> dict[str, str]:
    """What only its owner and staff may see."""
    user = booking.user
    return {
        "notes": plain_text(booking.notes, lines=True),
        "attendee": user.email,
        "attendee_name": plain_text(user.get_full_name() or user.get_username()),
    }


def full_second(moment: datetime) -> datetime:
    """The moment, or the next full second: RFC 5545 knows no fractions, and an end must be after its start."""
    return moment.replace(microsecond=0) + timedelta(seconds=bool(moment.microsecond))


def summary_of(resource: str, status: str) -> str:
    """The title of an entry."""
    return f"{resource} (requested)" if status == "TENTATIVE" else resource


def plain_text(value: str, *, lines: bool = False) -> str:
    """The text without control characters, which RFC 5545 has no way to write; line breaks stay where lines may."""
    kept = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char if char.isprintable() or char > "\x9f" or (lines and char in "\n\t") else " " for char in kept)


def calendar_of(entries: Iterable[Entry], *, name: str) -> bytes:
    """A calendar to subscribe to."""
    from icalendar import Calendar, vDuration, vText

    calendar = _empty(Calendar())
    calendar.add("method", "PUBLISH")
    # icalendar takes neither for text, and would write both as they are.
    calendar.add("name", vText(plain_text(name)), encode=0)
    calendar.add("x-wr-calname", vText(plain_text(name)), encode=0)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for entry in entries:
        calendar.add_component(event_of(entry, invited=False))
    return calendar.to_ical()


def invitation_of(entry: Entry, *, method: str) -> bytes:
    """A message about one booking (RFC 5546): `REQUEST` or `CANCEL`, or `PUBLISH` for a file, which invites nobody."""
    from icalendar import Calendar

    calendar = _empty(Calendar())
    calendar.add("method", method)
    calendar.add_component(event_of(entry, invited=method != "PUBLISH"))
    return calendar.to_ical()


def _empty(calendar):  # noqa: ANN001, ANN202 - icalendar's own, which is imported late
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def event_of(entry: Entry, *, invited: bool):  # noqa: ANN201 - icalendar's own, which is imported late
    """The entry as a component; its person as somebody invited, or, where nobody is, as a contact."""
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
    event.add("organizer", organiser, encode=0)
    if entry.attendee and entry.attendee.isprintable() and invited:
        attendee = vCalAddress(f"mailto:{entry.attendee}")
        attendee.params["CN"] = vText(entry.attendee_name.replace('"', "'"))
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        event.add("attendee", attendee, encode=0)
    elif entry.attendee_name:
        event.add("contact", entry.attendee_name)
    return event
