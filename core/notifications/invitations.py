"""The calendar files attached to messages; they keep the entry in the owner's calendar up to date (RFC 5546)."""

from dataclasses import replace

from core import events
from core.calendars.entries import entry_of, invitation_of
from core.models import Booking
from core.utils import Attachment


def calendar_attachments(event: events.BookingEvent, *, address: str) -> tuple[Attachment, ...]:
    """Returns the calendar file for the owner; nothing if the booking held no slot before or after the event.

    Args:
        event: The event of the booking.
        address: The owner's address, which the file names as the attendee.
    """
    if isinstance(event, events.BookingCreated):
        return (calendar_file(event.booking, address),) if event.booking.blocks else ()
    if not (event.before.blocks or event.after.blocks):
        return ()
    # A removal deletes the row without a further revision, so count the revision up here.
    removed = isinstance(event, events.BookingCancelled) and event.removed
    sequence = event.before.calendar_sequence + 1 if removed else None
    return (calendar_file(event.after, address, sequence=sequence),)


def calendar_file(booking: Booking, address: str, *, sequence: int | None = None) -> Attachment:
    """Returns the calendar file of a booking: `REQUEST` while the booking holds its slot, `CANCEL` otherwise."""
    method = "REQUEST" if booking.blocks else "CANCEL"
    entry = entry_of(booking, sequence=sequence)
    entry = replace(entry, attendee=address, attendee_name=entry.attendee_name or address)
    content = invitation_of(entry, method=method)
    return Attachment(name="booking.ics", content=content, mimetype=f"text/calendar; method={method}")
