"""The calendar files attached to messages; they keep the entries in the owner's calendar up to date (RFC 5546)."""

from collections.abc import Sequence
from dataclasses import replace

from core.calendars.entries import entry_of, invitation_of, publication_of
from core.models import Booking
from core.record.facts import Event
from core.utils import Attachment

# A message about a series has at most this many files.
MOST_FILES = 30
# The most bytes of notes in the file of a series: a call of the provider has five seconds.
MOST_BYTES_OF_NOTES = 512 * 1024


def calendar_attachments(event: Event, *, address: str) -> tuple[Attachment, ...]:
    """Returns the calendar file for the owner; nothing if the booking held no slot before or after the act.

    Args:
        event: The act.
        address: The owner's address, which the file names as the attendee.
    """
    return (calendar_file(event.after, address),) if event.holds_slot else ()


def calendar_file(booking: Booking, address: str, *, name: str = "booking.ics") -> Attachment:
    """Returns the calendar file of a booking: `REQUEST` while the booking holds its slot, `CANCEL` otherwise."""
    method = "REQUEST" if booking.blocks else "CANCEL"
    entry = entry_of(booking)
    entry = replace(entry, attendee=address, attendee_name=entry.attendee_name or address)
    content = invitation_of(entry, method=method)
    return Attachment(name=name, content=content, mimetype=f"text/calendar; method={method}")


def series_attachments(dates: Sequence[Event], *, address: str) -> tuple[Attachment, ...]:
    """Returns the calendar files of the dates of an act on a series, for the owner.

    One file (`PUBLISH`) has all dates that hold their slots, each as an event of its own. Each date that holds its slot
    no longer has a file (`CANCEL`), since a program reads one event of such a file; too many of them have none.
    """
    standing = [date.after for date in dates if date.after.blocks]
    gone = [] if has_too_many_files(dates) else gone_of(dates)
    published = (series_file(standing),) if standing else ()
    return *published, *(calendar_file(booking, address, name=f"cancelled-{booking.pk}.ics") for booking in gone)


def gone_of(dates: Sequence[Event]) -> list[Booking]:
    """The dates that held their slots before the act, and hold them no longer."""
    return [date.after for date in dates if date.holds_slot and not date.after.blocks]


def has_too_many_files(dates: Sequence[Event]) -> bool:
    """True if so many dates lost their slots that their files are left out."""
    is_published = any(date.after.blocks for date in dates)
    return len(gone_of(dates)) + is_published > MOST_FILES


def series_file(bookings: Sequence[Booking]) -> Attachment:
    """Returns one file with many bookings; without any notes if these are too long."""
    entries = [entry_of(booking) for booking in bookings]
    if sum(len(entry.notes.encode()) for entry in entries) > MOST_BYTES_OF_NOTES:
        entries = [replace(entry, notes="") for entry in entries]
    content = publication_of(entries)
    return Attachment(name="series.ics", content=content, mimetype="text/calendar; method=PUBLISH")
