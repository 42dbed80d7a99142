"""The rules that depend on the user: what has ended or expired, reasons, and the ways of a status."""

from datetime import datetime

from core import errors
from core.choices import BookingStatus
from core.models import Booking, Resource
from core.rules.changes import takes_time


def history(booking: Booking, *, now: datetime, staff: bool) -> None:
    """Only staff may change or cancel a booking that has ended."""
    if not staff and booking.end_time <= now:
        raise errors.BookingEnded


def has_expired(booking: Booking, *, now: datetime) -> bool:
    """True if the booking is pending and its start passed while it waited.

    A booking that was last written at its start or later did not wait for the start. Staff or a program wrote it then,
    and they know what became of it. So that booking stays pending.
    """
    return booking.status == BookingStatus.PENDING and booking.updated_at < booking.start_time <= now


def expiry(before: Booking, after: Booking, *, now: datetime, staff: bool) -> None:
    """An owner may only cancel a booking that expires: any other change would keep it from expiring."""
    if not staff and after.blocks and has_expired(before, now=now):
        raise errors.BookingExpired


def reason(before: Booking, after: Booking, *, given: str) -> None:
    """A reason belongs to a change of the status, and some resources require one for a rejection."""
    if before.status == after.status:
        if given:
            raise errors.ReasonWithoutStatus
    elif after.status == BookingStatus.REJECTED and after.resource.reason_required and not given:
        raise errors.ReasonRequired


def first_status(asked: str | None, resource: Resource, *, any_status: bool) -> BookingStatus:
    """The status of a new booking.

    Args:
        asked: The status asked for; None for the default of the resource.
        resource: The booked resource.
        any_status: True if the caller may ask for any status.

    Raises:
        StatusNotAllowed: When the caller may not ask for this status.
    """
    given = BookingStatus.first(requires_approval=resource.requires_approval)
    wanted = BookingStatus(asked) if asked else given
    if not any_status and wanted not in {BookingStatus.PENDING, given}:
        raise errors.StatusNotAllowed(why_not_first(wanted, resource))
    return wanted


def next_status(before: Booking, after: Booking, *, asked: str | None, staff: bool) -> BookingStatus:
    """The status after a change.

    Raises:
        StatusNotAllowed: When an owner may not ask for this status.
    """
    current = BookingStatus(before.status)
    wanted = BookingStatus(asked) if asked else current
    if staff:
        return wanted
    approval = after.resource.requires_approval
    # Clients send the status with every change, so the present status asks for nothing.
    if wanted == current == BookingStatus.PENDING and before.resource_id != after.resource_id:
        return BookingStatus.first(requires_approval=approval)
    back_to_pending = takes_time(before, after) and approval and current == BookingStatus.CONFIRMED
    if back_to_pending and wanted in BookingStatus.blocking():
        return BookingStatus.PENDING
    if not current.owner_may_become(wanted, requires_approval=approval):
        raise errors.StatusNotAllowed(why_not_next(current, wanted, after.resource))
    return wanted


def why_not_first(wanted: BookingStatus, resource: Resource) -> str:
    """The reason why a new booking may not have the status asked for."""
    if wanted == BookingStatus.CONFIRMED:
        return f"{resource.name} requires approval: leave the status out or send pending, and staff will confirm it."
    return f"A new booking cannot be {wanted.value}. Leave the status out."


def why_not_next(current: BookingStatus, wanted: BookingStatus, resource: Resource) -> str:
    """The reason why an owner may not give a booking the status asked for."""
    if wanted == BookingStatus.REJECTED:
        return "Only staff may reject a booking. You can cancel it."
    if current == BookingStatus.REJECTED:
        return "Staff rejected this booking; only they can change that. Make a new booking instead."
    if wanted == BookingStatus.CONFIRMED:
        return f"{resource.name} requires approval: only staff may confirm a booking of it."
    return f"A {current.value} booking of yours cannot become {wanted.value}."
