"""The rules of a booking, numbered as in the README: each says yes, or raises why not."""

from datetime import datetime, timedelta

from core import errors
from core.choices import BookingStatus
from core.horizon import latest_end, lead_time
from core.intervals import Interval
from core.models import Booking, Resource
from core.suggestions import suggestions_for

SAME_MOMENT = timedelta(milliseconds=1)
CLASHES_NAMED = 3


def moved_to(stored: datetime, wanted: datetime | None) -> datetime:
    """The new moment, or the stored one where none is wanted or the difference is what browsers drop."""
    return stored if wanted is None or abs(wanted - stored) < SAME_MOMENT else wanted


def wanted_status(before: Booking, after: Booking, *, asked: str | None, moved: bool, staff: bool) -> BookingStatus:
    """The state that a change leads to (rule 6).

    Raises:
        StatusNotAllowed: When an owner may not ask for it.
    """
    current = BookingStatus(before.status)
    wanted = BookingStatus(asked) if asked else current
    if staff:
        return wanted
    approval = after.resource.requires_approval
    back_to_pending = moved and approval and current == BookingStatus.CONFIRMED
    if back_to_pending and wanted in BookingStatus.blocking():
        return BookingStatus.PENDING
    if not current.owner_may_become(wanted, requires_approval=approval):
        raise errors.StatusNotAllowed(why_not_next(current, wanted, after.resource))
    return wanted


def why_not_first(wanted: BookingStatus, resource: Resource) -> str:
    """Why a new booking may not have the state asked for."""
    if wanted == BookingStatus.CONFIRMED:
        return f"{resource.name} requires approval: leave the status out or send pending, and staff will confirm it."
    return f"A new booking cannot be {wanted.value}. Leave the status out."


def why_not_next(current: BookingStatus, wanted: BookingStatus, resource: Resource) -> str:
    """Why an owner may not bring a booking to the state asked for."""
    if wanted == BookingStatus.REJECTED:
        return "Only staff may reject a booking. You can cancel it."
    if current == BookingStatus.REJECTED:
        return "Staff rejected this booking; only they can change that. Make a new booking instead."
    if wanted == BookingStatus.CONFIRMED:
        return f"{resource.name} requires approval: only staff may confirm a booking of it."
    return f"A {current.value} booking of yours cannot become {wanted.value}."


def require_order(slot: Interval) -> None:
    """Rule 2."""
    if slot.start >= slot.end:
        raise errors.EndNotAfterStart


def require_lead_time(start: datetime, *, now: datetime) -> None:
    """Rule 1; exactly the lead time is enough."""
    if start < now:
        raise errors.StartInPast
    if start < now + lead_time():
        raise errors.StartTooSoon(lead_time())


def require_near(end: datetime, *, now: datetime) -> None:
    """A booking ends at most five years from now."""
    if end > latest_end(now):
        raise errors.TooFarAhead


class NotFree(Exception):  # noqa: N818 - a signal to the verbs: what may be booked instead is looked for without a lock
    """The slot of a booking clashes with others."""

    def __init__(self, booking: Booking, clashes: list[Interval]) -> None:
        self.booking = booking
        self.clashes = clashes
        super().__init__()


def require_free(booking: Booking) -> None:
    """Rule 3.

    Raises:
        NotFree: With up to three clashing slots.
    """
    clashes = clashes_with(booking)
    if clashes:
        raise NotFree(booking, clashes)


def clashes_with(booking: Booking) -> list[Interval]:
    """Up to three blocking slots of the same resource that a booking shares a moment with."""
    return Booking.objects.clashes(
        booking.slot, resource_id=booking.resource_id, except_id=booking.pk, most=CLASHES_NAMED
    )


def slot_taken(booking: Booking, clashes: list[Interval], *, now: datetime) -> errors.SlotTaken:
    """What to tell whoever wants a slot that is taken: by what, and what could be booked instead."""
    return errors.SlotTaken(conflicts=clashes, suggestions=suggestions_for(booking, now=now))
