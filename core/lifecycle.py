"""The verbs that change a booking: the only writer of its time, resource and status.

Each verb is atomic. It locks the resource before it looks, so that bookings of one resource queue instead of meeting
in the database's constraint, and publishes its event inside the transaction. The rules are numbered as in the
README: 1 lead time, 2 end after start, 3 free slot, 4 resource in service, 6 ways of the status, 7 history.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from core import errors, events
from core.choices import BookingStatus
from core.constraints import as_booking_error
from core.intervals import Interval
from core.models import Booking, Resource
from core.querysets import locked
from core.rules import (
    NotFree,
    clashes_with,
    moved_to,
    require_free,
    require_lead_time,
    require_near,
    require_order,
    slot_taken,
    wanted_status,
    why_not_first,
)

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
Check = Callable[[Booking], None]


@dataclass(frozen=True, slots=True)
class Changes:
    """What somebody wants of a booking; None leaves a field as it is."""

    resource_id: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    status: str | None = None
    notes: str | None = None


def explained(verb: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
    """Turn a refusal into the error that people read, outside the transaction: nobody waits for a lock meanwhile.

    The database's own refusal becomes the same error as that of a check.
    """

    @wraps(verb)
    def speaking(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
        now: datetime = kwargs["now"]  # type: ignore[assignment]
        try:
            return verb(*args, **kwargs)
        except NotFree as refusal:
            raise slot_taken(refusal.booking, refusal.clashes, now=now) from refusal
        except IntegrityError as refusal:
            error = as_booking_error(refusal)
            if error is None:
                raise
            wanted = getattr(refusal, "booking", None)
            clashes = clashes_with(wanted) if isinstance(error, errors.SlotTaken) and wanted is not None else []
            if clashes:
                error = slot_taken(wanted, clashes, now=now)
            raise error from refusal

    return speaking


@explained
@transaction.atomic
def book(
    *,
    user: AbstractBaseUser,
    resource_id: int,
    start_time: datetime,
    end_time: datetime,
    status: str | None = None,
    notes: str = "",
    by: Any,  # noqa: ANN401 - any user model
    now: datetime,
    as_record: bool = False,
) -> Booking:
    """Book a resource for a user.

    Args:
        user: Whose booking it is.
        resource_id: The resource.
        start_time: The start, aware; at least the lead time ahead.
        end_time: The end, aware, after the start and at most 1826 days ahead.
        status: The state asked for; None for the one that the resource gives.
        notes: Free text of at most 5 000 characters.
        by: Who books.
        now: The present moment.
        as_record: Staff record what happened: rules 1 and 6 do not apply.

    Raises:
        BookingError: The first rule that the booking breaks.
    """
    resource = lock_resources(resource_id)[resource_id]
    slot = Interval(start_time, end_time)
    require_order(slot)
    if not as_record:
        require_lead_time(start_time, now=now)
    require_near(end_time, now=now)
    if not resource.is_available:
        raise errors.ResourceOutOfService
    first = BookingStatus.first(requires_approval=resource.requires_approval)
    wanted = BookingStatus(status) if status else first
    if not (as_record or by.is_staff):
        allowed = {BookingStatus.PENDING, first}
        if wanted not in allowed:
            raise errors.StatusNotAllowed(why_not_first(wanted, resource))
    booking = Booking(
        user=user, resource=resource, start_time=start_time, end_time=end_time, status=wanted, notes=notes
    )
    if booking.blocks:
        require_free(booking)
    save(booking)
    events.publish(events.BookingCreated(booking=booking, by=by, at=now))
    return booking


@explained
@transaction.atomic
def change(
    booking: Booking,
    *,
    changes: Changes,
    by: Any,  # noqa: ANN401 - any user model
    now: datetime,
    check: Check | None = None,
) -> Booking:
    """Change a booking as a whole, whatever fields are named; what does not change is not checked again.

    Args:
        booking: The booking, as it was read; it is read again under lock.
        changes: What is wanted. A time within a millisecond of the stored one has not changed.
        by: Who asks. For staff rules 1, 6 and 7 do not apply.
        now: The present moment.
        check: Called with the locked row before anything else; raises to refuse.

    Returns:
        The booking as it is now, with its user and resource.

    Raises:
        BookingError: The first rule that the change breaks; nothing is changed then.
    """
    before = lock(booking, check)
    staff = by.is_staff
    if not staff and before.end_time <= now:
        raise errors.BookingEnded
    after = copy.copy(before)
    after.start_time = moved_to(before.start_time, changes.start_time)
    after.end_time = moved_to(before.end_time, changes.end_time)
    after.notes = before.notes if changes.notes is None else changes.notes
    resources = lock_resources(before.resource_id, changes.resource_id or before.resource_id)
    after.resource = resources[changes.resource_id or before.resource_id]
    after.resource_id = after.resource.pk
    moved = after.slot != before.slot or after.resource_id != before.resource_id
    after.status = wanted_status(before, after, asked=changes.status, moved=moved, staff=staff)
    if moved:
        require_order(after.slot)
        if not staff and after.start_time != before.start_time:
            require_lead_time(after.start_time, now=now)
        if after.end_time != before.end_time:
            require_near(after.end_time, now=now)
    if after.blocks and (moved or not before.blocks):
        if not after.resource.is_available:
            raise errors.ResourceOutOfService
        require_free(after)
    return save_change(before, after, by=by, now=now)


@explained
@transaction.atomic
def cancel(
    booking: Booking,
    *,
    by: Any,  # noqa: ANN401 - any user model
    now: datetime,
    check: Check | None = None,
) -> Booking:
    """Give a booking's slot back; one that was cancelled or rejected before stays as it is.

    Raises:
        BookingEnded: When it is over and not staff asks.
    """
    before = lock(booking, check)
    if not before.blocks:
        return before
    if not by.is_staff and before.end_time <= now:
        raise errors.BookingEnded
    after = copy.copy(before)
    after.status = BookingStatus.CANCELLED
    return save_change(before, after, by=by, now=now)


@transaction.atomic
def remove(booking: Booking, *, by: Any, now: datetime) -> None:  # noqa: ANN401 - any user model
    """Delete a booking's row; when it was blocking and not over, that is its cancellation."""
    before = lock(booking)
    was_alive = before.blocks and before.end_time > now
    after = copy.copy(before)
    after.status = BookingStatus.CANCELLED
    Booking.objects.filter(pk=before.pk).delete()
    if was_alive:
        events.publish(events.BookingCancelled(before=before, after=after, by=by, at=now, removed=True))


def lock(booking: Booking, check: Check | None = None) -> Booking:
    """The booking as it is now, checked, and locked until the transaction ends.

    Raises:
        BookingMissing: When its row was deleted meanwhile.
    """
    found = locked(Booking.objects.in_full()).filter(pk=booking.pk).first()
    if found is None:
        raise errors.BookingMissing
    if check is not None:
        check(found)
    return found


def lock_resources(*ids: int) -> dict[int, Resource]:
    """The resources by id, locked in key order.

    Raises:
        ResourceMissing: When one of them is not there.
    """
    found = {resource.pk: resource for resource in locked(Resource.objects.filter(pk__in=set(ids)))}
    if set(ids) - set(found):
        raise errors.ResourceMissing
    return found


def save_change(before: Booking, after: Booking, *, by: Any, now: datetime) -> Booking:  # noqa: ANN401 - any user model
    """Write what differs and publish the event; where nothing differs, do neither."""
    names = [field.name for field in fields(Changes) if getattr(before, field.name) != getattr(after, field.name)]
    if not names:
        return before
    if names != ["notes"]:
        # A revision that calendar programs must notice (RFC 5545, section 3.8.7.4).
        after.calendar_sequence = before.calendar_sequence + 1
        names.append("calendar_sequence")
    save(after, update_fields=[*(name.removesuffix("_id") for name in names), "updated_at"])
    gone = before.blocks and after.status == BookingStatus.CANCELLED
    kind = events.BookingCancelled if gone else events.BookingChanged
    events.publish(kind(before=before, after=after, by=by, at=now))
    return after


def save(booking: Booking, **options: Any) -> None:  # noqa: ANN401 - Model.save's own
    """Write the row; a refusal of the database remembers which booking it was about."""
    try:
        booking.save(**options)
    except IntegrityError as refusal:
        refusal.booking = booking  # type: ignore[attr-defined]
        raise


def find_user(user_id: int) -> AbstractBaseUser:
    """The user to book for.

    Raises:
        UserMissing: When there is none.
    """
    found = get_user_model().objects.filter(pk=user_id).first()
    if found is None:
        raise errors.UserMissing
    return found


@transaction.atomic
def delete_resource(resource: Resource) -> None:
    """Delete a resource that was never booked.

    Raises:
        ResourceHasBookings: When it has bookings, in whatever state.
    """
    locked(Resource.objects.filter(pk=resource.pk)).first()
    try:
        resource.delete()
    except ProtectedError as error:
        raise errors.ResourceHasBookings from error
