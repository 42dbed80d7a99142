"""The verbs of a booking: book, change, cancel, expire and remove.

The API and the admin write the time, resource and status of bookings only by these verbs. `seed_demo` writes its own
rows, and the deletion of a user deletes the user's bookings by cascade.

Each verb takes an `Act`, is atomic, and writes one row of the record inside its transaction. `book` and `change` lock
the resource before the check for a free slot: concurrent calls for one resource wait here, and do not meet in the
database's constraint.
"""

import copy
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import errors, rules
from core.choices import BookingStatus
from core.intervals import Interval
from core.lifecycle.transactions import Check, lock, lock_resources, save, take, writing
from core.models import Booking
from core.querysets import BUFFERS
from core.record.acts import Act
from core.record.kinds import EventKind
from core.record.writing import kind_of_change, record, record_all
from core.rules import Waiver


@dataclass(frozen=True, slots=True)
class Changes:
    """The wanted changes of a booking; None leaves a field as it is."""

    resource_id: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    status: str | None = None
    notes: str | None = None
    staff_note: str | None = None


def book(
    *,
    user: User,
    resource_id: int,
    start_time: datetime,
    end_time: datetime,
    status: str | None = None,
    notes: str = "",
    staff_note: str = "",
    act: Act,
    override: Collection[str] = (),
    as_record: bool = False,
    dry_run: bool = False,
) -> Booking:
    """Books a resource for a user.

    Args:
        user: The owner of the booking.
        resource_id: The resource.
        start_time: The start, aware; at least the lead time ahead.
        end_time: The end, aware, after the start and at most 1826 days ahead.
        status: The status asked for; None for the default of the resource.
        notes: Free text of at most 5 000 characters.
        staff_note: Free text of at most 5 000 characters, which only staff read.
        act: The act.
        override: The names of rules that staff waive (`Waivable`).
        as_record: True: allow any status and skip the lead time.
        dry_run: True: write, let the constraints check, roll back, send nothing.

    Raises:
        BookingError: Of the first rule that the booking breaks.
    """
    with writing(now=act.now, dry_run=dry_run):
        resource = lock_resources(resource_id, since=min(start_time, act.now))[resource_id]
        slot, waiver = Interval(start_time, end_time), Waiver(override if act.is_staff else ())
        asked = rules.asked_of_new(slot, now=act.now, as_record=as_record)
        rules.require(slot, resource, now=act.now, asked=asked, waiver=waiver)
        booking = Booking(
            user=user,
            resource=resource,
            start_time=start_time,
            end_time=end_time,
            status=rules.first_status(status, resource, any_status=as_record or act.is_staff),
            notes=notes,
            staff_note=staff_note,
        )
        if act.reason:
            raise errors.ReasonWithoutStatus
        if booking.blocks:
            take(booking, waiver, now=act.now, staff=as_record)
        save(booking)
        record(act, EventKind.CREATED, after=booking, waived=waiver.used)
        return booking


def change(
    booking: Booking,
    *,
    changes: Changes,
    act: Act,
    expected: Collection[str] = (),
    override: Collection[str] = (),
    check: Check | None = None,
    dry_run: bool = False,
) -> Booking:
    """Changes a booking; only the rules about changed fields apply.

    Args:
        booking: The booking; `change` locks its row and reads the row again.
        changes: The new values; a time within a millisecond of the stored one is no change.
        act: The act. Staff may change a booking that has ended, set any status, and need no lead time.
        expected: The statuses that the decision is about; empty for any.
        override: The names of rules that staff waive (`Waivable`).
        check: Called with the locked row before any rule; raises an error to refuse the change.
        dry_run: True: write, let the constraints check, roll back, send nothing.

    Returns:
        The changed booking, with its user and resource.

    Raises:
        BookingError: Of the first rule that the change breaks; the booking then stays unchanged.
    """
    with writing(now=act.now, dry_run=dry_run):
        before, staff = lock(booking, check), act.is_staff
        if expected and before.status not in expected:
            raise errors.StateChanged(before.status)
        rules.history(before, now=act.now, staff=staff)
        after = copy.copy(before)
        after.start_time = rules.effective_time(before.start_time, changes.start_time)
        after.end_time = rules.effective_time(before.end_time, changes.end_time)
        after.notes = before.notes if changes.notes is None else changes.notes
        after.staff_note = before.staff_note if changes.staff_note is None else changes.staff_note
        after.resource_id = changes.resource_id or before.resource_id
        since = min(before.start_time, after.start_time, act.now)
        resources = lock_resources(before.resource_id, after.resource_id, since=since)
        before.resource, after.resource = resources[before.resource_id], resources[after.resource_id]
        after.status = rules.next_status(before, after, asked=changes.status, staff=staff)
        rules.expiry(before, after, now=act.now, staff=staff)
        rules.reason(before, after, given=act.reason)
        rules.notice_of_owner(before, after, now=act.now, staff=staff)
        asked = rules.asked_of_change(before, after, now=act.now, staff=staff)
        waiver = Waiver(override if staff else ())
        rules.require(after.slot, after.resource, now=act.now, asked=asked, waiver=waiver)
        if rules.needs_free_slot(before, after):
            take(after, waiver, now=act.now, staff=staff)
        return save_change(before, after, act, waived=waiver.used)


def cancel(
    booking: Booking,
    *,
    act: Act,
    check: Check | None = None,
) -> Booking:
    """Cancels a booking; a cancelled or rejected booking stays unchanged.

    Raises:
        BookingEnded: When the booking has ended and the caller is not staff.
        TooLateToCancel: When its start is too near for its owner to cancel it.
    """
    with writing(now=act.now):
        before = lock(booking, check)
        if not before.blocks:
            return before
        rules.history(before, now=act.now, staff=act.is_staff)
        after = copy.copy(before)
        after.status = BookingStatus.CANCELLED
        rules.notice_of_owner(before, after, now=act.now, staff=act.is_staff)
        return save_change(before, after, act)


def cancel_all(bookings: Collection[Booking], *, act: Act) -> None:
    """Cancels bookings that hold their slots, in two statements; one row of the record each.

    Args:
        bookings: Locked bookings, read after the lock, with their users and resources.
        act: The act; its reason is the reason of each cancellation.
    """
    changes, changed_at = [(before, copy.copy(before)) for before in bookings], timezone.now()
    for _, after in changes:
        after.status = BookingStatus.CANCELLED
        after.calendar_sequence += 1
        after.updated_at = changed_at
    Booking.objects.filter(pk__in=[before.pk for before in bookings]).update(
        status=BookingStatus.CANCELLED, calendar_sequence=F("calendar_sequence") + 1, updated_at=changed_at
    )
    record_all(act, EventKind.CANCELLED, changes)


def expire(booking: Booking, *, act: Act) -> bool:
    """Cancels a pending booking whose start passed while it waited; any other booking stays unchanged.

    Returns:
        True if this call changed the booking.

    Raises:
        BookingMissing: When somebody deleted the row.
    """
    with writing(now=act.now):
        before = lock(booking)
        if not rules.has_expired(before, now=act.now):
            return False
        after = copy.copy(before)
        after.status = BookingStatus.CANCELLED
        save_change(before, after, act, kind=EventKind.EXPIRED)
        return True


@transaction.atomic
def remove(booking: Booking, *, act: Act) -> None:
    """Deletes the row of a booking; the record tells it as cancelled from now on."""
    before = lock(booking)
    after = copy.copy(before)
    if before.blocks:
        after.status = BookingStatus.CANCELLED
        after.calendar_sequence += 1
    Booking.objects.filter(pk=before.pk).delete()
    record(act, EventKind.REMOVED, before=before, after=after)


def save_change(
    before: Booking, after: Booking, act: Act, *, kind: EventKind | None = None, waived: Collection[str] = ()
) -> Booking:
    """Writes the changed columns and the row of the record; without a change writes neither.

    Args:
        before: The booking before the act.
        after: The booking after the act.
        act: The act.
        kind: The kind of the act; None for the kind that the two bookings tell.
        waived: The rules that staff waived.
    """
    names = [field.name for field in fields(Changes) if getattr(before, field.name) != getattr(after, field.name)]
    if not names:
        return before
    seen = [name for name in names if name != "staff_note"]
    if set(seen) - {"notes"}:
        # Calendar programs must notice this revision (RFC 5545, section 3.8.7.4).
        after.calendar_sequence = before.calendar_sequence + 1
        names.append("calendar_sequence")
    names += [name for name in BUFFERS if getattr(before, name) != getattr(after, name)]
    # The owner, who cannot read the note of staff, sees no new version because of it.
    save(after, [*names, *(["updated_at"] if seen else [])])
    record(act, kind or kind_of_change(before, after), before=before, after=after, waived=waived)
    return after
