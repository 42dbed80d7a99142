"""The calendar files attached to messages; they keep the entry in the owner's calendar up to date (RFC 5546)."""

from dataclasses import replace

from core.calendars.entries import entry_of, invitation_of
from core.models import Booking
from core.record.facts import Event
from core.utils import Attachment


def calendar_attachments(event: Event, *, address: str) -> tuple[Attachment, ...]:
    """Returns the calendar file for the owner; nothing if the booking held no slot before or after the act.

    Args:
        event: The act.
        address: The owner's address, which the file names as the attendee.
    """
    return (calendar_file(event.after, address),) if event.holds_slot else ()


def calendar_file(booking: Booking, address: str) -> Attachment:
    """Returns the calendar file of a booking: `REQUEST` while the booking holds its slot, `CANCEL` otherwise."""
    method = "REQUEST" if booking.blocks else "CANCEL"
    entry = entry_of(booking)
    entry = replace(entry, attendee=address, attendee_name=entry.attendee_name or address)
    content = invitation_of(entry, method=method)
    return Attachment(name="booking.ics", content=content, mimetype=f"text/calendar; method={method}")
