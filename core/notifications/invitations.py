"""What messages carry for calendars, so that the entry there follows the booking (RFC 5546)."""

from dataclasses import replace

from core import events
from core.calendars.entries import entry_of, invitation_of
from core.models import Booking
from core.utils import Attachment


def invitation(event: events.BookingEvent, *, address: str) -> tuple[Attachment, ...]:
    """The file for the owner: `REQUEST` while the booking holds its slot, `CANCEL` once it does not.

    Args:
        event: What happened to the booking.
        address: The owner's address, to which the file invites.
    """
    if isinstance(event, events.BookingCreated):
        return (as_file(event.booking, address),) if event.booking.blocks else ()
    if not (event.before.blocks or event.after.blocks):
        return ()
    # The row of a removed booking is gone without a last revision.
    removed = isinstance(event, events.BookingCancelled) and event.removed
    return (as_file(event.after, address, sequence=event.before.calendar_sequence + 1 if removed else None),)


def as_file(booking: Booking, address: str, *, sequence: int | None = None) -> Attachment:
    """The booking as an attachment that calendar programs act on, for whoever has the address."""
    method = "REQUEST" if booking.blocks else "CANCEL"
    entry = replace(entry_of(booking, sequence=sequence), attendee=address)
    content = invitation_of(entry, method=method)
    return Attachment(name="booking.ics", content=content, mimetype=f"text/calendar; method={method}")
