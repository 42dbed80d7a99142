"""Bookings as entries of a calendar (RFC 5545, 5546, 7986)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from core.calendars.lines import moment_value, parameter_value, plain_text, text_of, text_value
from core.choices import BookingStatus
from core.models import Booking

PRODUCT = "-//Booking system//EN"
# How often a program should look again, and the same as a duration of RFC 5545.
REFRESH = timedelta(minutes=15)
REFRESH_VALUE = f"PT{REFRESH // timedelta(minutes=1)}M"

STATUS = {
    BookingStatus.PENDING.value: "TENTATIVE",
    BookingStatus.CONFIRMED.value: "CONFIRMED",
    BookingStatus.CANCELLED.value: "CANCELLED",
    BookingStatus.REJECTED.value: "CANCELLED",
}


class Shown(NamedTuple):
    """The values of a booking that its entry shows; those with a default are personal.

    Attributes:
        resource_changed: When the resource last changed; None for a booking that a message tells of.
        user_changed: When the names of the user last changed; None also for a user without a profile.
    """

    uid: UUID
    sequence: int
    start: datetime
    end: datetime
    status: str
    created: datetime
    changed: datetime
    resource: str
    resource_changed: datetime | None
    notes: str = ""
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    user_changed: datetime | None = None


# The columns of `Shown`, in its order.
BUSY_COLUMNS = (
    "calendar_uid",
    "calendar_sequence",
    "start_time",
    "end_time",
    "status",
    "created_at",
    "updated_at",
    "resource__name",
    "resource__updated_at",
)
PERSONAL_COLUMNS = ("notes", "user__username", "user__first_name", "user__last_name", "user__profile__updated_at")


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


def entry_of(booking: Booking) -> Entry:
    """Returns the calendar entry of a booking, with its user and resource loaded."""
    user = booking.user
    shown = Shown(
        uid=booking.calendar_uid,
        sequence=booking.calendar_sequence,
        start=booking.start_time,
        end=booking.end_time,
        status=booking.status,
        created=booking.created_at,
        changed=booking.updated_at,
        resource=booking.resource.name,
        resource_changed=getattr(booking, "resource_changed", None),
        notes=booking.notes,
        username=user.get_username(),
        first_name=user.first_name,
        last_name=user.last_name,
        user_changed=getattr(booking, "user_changed", None),
    )
    return replace(entry_from(shown, busy_only=False), attendee=user.email)


def entry_from(shown: Shown, *, busy_only: bool) -> Entry:
    """Returns the calendar entry that shows some values; with `busy_only` without the owner and the notes."""
    status = STATUS[shown.status]
    resource = plain_text(shown.resource)
    moments = (shown.changed, shown.resource_changed, None if busy_only else shown.user_changed)
    return Entry(
        uid=str(shown.uid),
        sequence=shown.sequence,
        start=shown.start,
        end=full_second(shown.end),
        status=status,
        summary=f"Busy: {resource}" if busy_only else summary_of(resource, status),
        location=resource,
        created=shown.created,
        changed=max(moment for moment in moments if moment is not None),
        notes="" if busy_only else plain_text(shown.notes, lines=True),
        attendee_name="" if busy_only else plain_text(name_of(shown)),
    )


def name_of(shown: Shown) -> str:
    """Returns the full name of the user, or the user name."""
    return f"{shown.first_name} {shown.last_name}".strip() or shown.username


def full_second(moment: datetime) -> datetime:
    """Rounds up to a full second: RFC 5545 has no fractions, and the end must stay after the start."""
    return moment.replace(microsecond=0) + timedelta(seconds=1) if moment.microsecond else moment


def summary_of(resource: str, status: str) -> str:
    """Returns the title of an entry."""
    return f"{resource} (requested)" if status == "TENTATIVE" else resource


def head_of_feed(*, name: str, remark: str = "") -> str:
    """Returns the lines of a calendar feed before its entries.

    Args:
        name: The name of the calendar.
        remark: What programs show as the description of the calendar; empty for none.
    """
    name, remark = text_value(plain_text(name)), text_value(remark)
    remarks = (f"DESCRIPTION:{remark}", f"X-WR-CALDESC:{remark}") if remark else ()
    return text_of(
        (
            *header_lines("PUBLISH"),
            *remarks,
            f"NAME:{name}",
            f"X-WR-CALNAME:{name}",
            f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH_VALUE}",
            f"X-PUBLISHED-TTL:{REFRESH_VALUE}",
        )
    )


def invitation_of(entry: Entry, *, method: str) -> bytes:
    """Returns the file of one booking.

    Args:
        entry: The entry of the booking.
        method: The method of RFC 5546: `REQUEST`, `CANCEL`, or `PUBLISH` for a file without an attendee.
    """
    event = event_of(entry, invited=method != "PUBLISH")
    return file_of(text_of(header_lines(method)), [event.encode()])


def publication_of(entries: Iterable[Entry]) -> bytes:
    """Returns the file of many bookings without an attendee (`PUBLISH`), each an event of its own."""
    return file_of(text_of(header_lines("PUBLISH")), (event_of(entry, invited=False).encode() for entry in entries))


def file_of(head: str, events: Iterable[bytes]) -> bytes:
    """Returns a calendar file: its head, its events in UTF-8, and its end."""
    return b"".join((head.encode(), *events, b"END:VCALENDAR\r\n"))


def header_lines(method: str) -> Iterable[str]:
    """Returns the lines that every calendar file begins with."""
    return ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", f"METHOD:{method}")


def event_of(entry: Entry, *, invited: bool) -> str:
    """Returns the lines of an entry, as a `VEVENT`.

    Args:
        entry: The entry of the booking.
        invited: True to name the owner as the attendee; otherwise, or without a printable address, as a contact.
    """
    changed = moment_value(entry.changed)
    return text_of(
        (
            "BEGIN:VEVENT",
            f"SUMMARY:{text_value(entry.summary)}",
            f"DTSTART:{moment_value(entry.start)}",
            f"DTEND:{moment_value(entry.end)}",
            f"DTSTAMP:{changed}",
            f"UID:{entry.uid}",
            f"SEQUENCE:{entry.sequence}",
            *owner_lines(entry, invited=invited),
            f"CREATED:{moment_value(entry.created)}",
            *([f"DESCRIPTION:{text_value(entry.notes)}"] if entry.notes else []),
            f"LAST-MODIFIED:{changed}",
            f"LOCATION:{text_value(entry.location)}",
            f'ORGANIZER;CN="Booking system":mailto:{settings.FROM_EMAIL}',
            f"STATUS:{entry.status}",
            "TRANSP:OPAQUE",
            "END:VEVENT",
        )
    )


def owner_lines(entry: Entry, *, invited: bool) -> Iterable[str]:
    """Returns the line that names the owner; none for an entry without a name."""
    if entry.attendee and entry.attendee.isprintable() and invited:
        name = parameter_value(entry.attendee_name)
        return (f"ATTENDEE;CN={name};PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:mailto:{entry.attendee}",)
    return (f"CONTACT:{text_value(entry.attendee_name)}",) if entry.attendee_name else ()
