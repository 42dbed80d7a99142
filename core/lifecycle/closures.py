"""The verbs of a closure: close, preview, change and lift.

A closure takes its time by rows of the bookings table, one or more for each resource, so that one constraint keeps
closures and bookings apart. A booking that is over stays as it is: a closure that began earlier passes round it.

The order of locks is that of the other verbs, with closures at the end: bookings by id, resources by id, closures by
id. Nobody writes the rows of a closure without the lock of their resources.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import IntegrityError

from core import errors
from core.choices import BookingStatus, Kind, OnConflict
from core.constraints import as_booking_error
from core.errors import Clash
from core.intervals import Interval
from core.lifecycle.bookings import cancel_all
from core.lifecycle.plans import Plan, Preview, clashes_of, in_the_way, plan_of, require_bounds, slot_of
from core.lifecycle.transactions import writing
from core.models import Booking, Closure, Resource
from core.querysets import locked
from core.record.acts import Act

# A closure begins anew so many times when another booking comes between its first look and its locks.
TRIES = 5

ClosureCheck = Callable[[Closure], None]


class Overtaken(Exception):  # noqa: N818 - a signal to the verbs, which begin anew
    """Something came between the first look and the locks.

    Attributes:
        clashes: The bookings and closures that are in the way by now.
    """

    def __init__(self, clashes: list[Clash] | None = None) -> None:
        super().__init__()
        self.clashes = clashes or []


@dataclass(frozen=True, slots=True)
class ClosureChanges:
    """The wanted changes of a closure; None leaves a field as it is."""

    resource_ids: Collection[int] | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    reason: str | None = None
    staff_note: str | None = None


# --- The verbs --------------------------------------------------------------------------------------------------------


def close(
    *,
    resource_ids: Collection[int],
    start_time: datetime,
    end_time: datetime,
    reason: str,
    staff_note: str = "",
    on_conflict: OnConflict = OnConflict.REFUSE,
    act: Act,
) -> Closure:
    """Closes resources for a time: all of them, or none.

    Args:
        resource_ids: The resources.
        start_time: The start, aware; it may be over.
        end_time: The end, aware, in the future and at most 1826 days ahead; the closure lasts at most 1826 days.
        reason: At most 200 characters, for everybody; the reason of each cancellation, too.
        staff_note: At most 5 000 characters, for staff.
        on_conflict: What to do where bookings are in the way.
        act: The act.

    Raises:
        ClosureConflicts: When bookings or closures are in the way and `on_conflict` does not help.
        BookingError: Of the first other rule that the closure breaks.
    """
    slot, resources = Interval(start_time, end_time), frozenset(resource_ids)
    require_bounds(slot, now=act.now)

    def attempt() -> Closure:
        booked = hold(slot, resources, on_conflict=on_conflict)
        plan = require_plan(slot, resources, booked, on_conflict=on_conflict, now=act.now)
        closure = Closure.objects.create(
            start_time=start_time,
            end_time=end_time,
            reason=reason,
            staff_note=staff_note,
            created_by=act.by,
            created_at=act.now,
        )
        closure.resources.add(*resources)
        carry_out(plan, closure, act)
        return closure

    return begin_anew(attempt, now=act.now)


def preview(
    *,
    resource_ids: Collection[int],
    start_time: datetime,
    end_time: datetime,
    now: datetime,
    closure: Closure | None = None,
) -> Preview:
    """Tells what `close` would do, or with a closure what its change would do; locks and stores nothing.

    Raises:
        BookingError: Of the first rule that the closure breaks, apart from what is in the way.
    """
    slot, resources = Interval(start_time, end_time), frozenset(resource_ids)
    require_bounds(slot, now=now, before=closure)
    if Resource.objects.filter(pk__in=resources).count() < len(resources):
        raise errors.ClosedResourceMissing
    rows = in_the_way(slot, resources, except_closure=closure)
    plans = {word: plan_of(slot, resources, rows, on_conflict=word, now=now) for word in OnConflict}
    return Preview(clashes_of(rows, now=now), plans)


def change_closure(
    closure: Closure,
    *,
    changes: ClosureChanges,
    on_conflict: OnConflict = OnConflict.REFUSE,
    act: Act,
    check: ClosureCheck | None = None,
) -> Closure:
    """Changes a closure; other times or resources are taken under the rules of a new closure.

    Args:
        closure: The closure; it is locked and read again.
        changes: The new values.
        on_conflict: What to do where bookings are in the way.
        act: The act.
        check: Called with the locked closure before any rule; raises an error to refuse the change.

    Raises:
        ClosureMissing: When somebody lifted the closure.
        BookingError: Of the first rule that the change breaks; the closure then stays unchanged.
    """

    def attempt() -> Closure:
        seen = Closure.objects.filter(pk=closure.pk).first() or closure
        slot = Interval(changes.start_time or seen.start_time, changes.end_time or seen.end_time)
        held = resources_of(seen)
        resources = held if changes.resource_ids is None else frozenset(changes.resource_ids)
        moves = (slot, resources) != (slot_of(seen), held)
        booked = hold(slot, resources, also=held, on_conflict=on_conflict) if moves else frozenset()
        row = lock_closure(closure, check)
        if (slot_of(row), resources_of(row)) != (slot_of(seen), held):
            raise Overtaken
        row.reason = row.reason if changes.reason is None else changes.reason
        row.staff_note = row.staff_note if changes.staff_note is None else changes.staff_note
        if moves:
            require_bounds(slot, now=act.now, before=row)
            plan = require_plan(slot, resources, booked, on_conflict=on_conflict, now=act.now, closure=row)
            row.start_time, row.end_time = slot.start, slot.end
            row.resources.set(resources)
            Booking.taken.filter(closure=row).delete()
            carry_out(plan, row, act)
        row.save(update_fields=["start_time", "end_time", "reason", "staff_note"])
        return row

    return begin_anew(attempt, now=act.now)


def lift(closure: Closure, *, now: datetime, check: ClosureCheck | None = None) -> None:
    """Deletes a closure with its rows: its time is free again, and no cancelled booking comes back.

    Raises:
        ClosureMissing: When somebody lifted the closure before.
    """
    with writing(now=now):
        len(locked(Resource.objects.filter(closures=closure)))
        lock_closure(closure, check).delete()


# --- Locks ------------------------------------------------------------------------------------------------------------


def begin_anew(attempt: Callable[[], Closure], *, now: datetime) -> Closure:
    """Calls `attempt` in a transaction until nothing overtakes it, `TRIES` times at most.

    Raises:
        ClosureConflicts: When something came in between each time.
    """
    clashes: list[Clash] = []
    for _ in range(TRIES):
        try:
            with writing(now=now):
                return attempt()
        except Overtaken as overtaken:
            clashes = overtaken.clashes
    raise errors.ClosureConflicts(clashes)


def hold(
    slot: Interval, resources: frozenset[int], *, also: frozenset[int] = frozenset(), on_conflict: OnConflict
) -> frozenset[int]:
    """Locks the bookings that a closure would cancel, and then the resources, with those that it has `also` had.

    Returns:
        The ids of the bookings.

    Raises:
        Overtaken: When somebody deleted a resource that the closure had a moment ago.
        ClosedResourceMissing: When one of the resources does not exist.
    """
    booked: frozenset[int] = frozenset()
    if on_conflict == OnConflict.CANCEL:
        booked = frozenset(row.pk for row in in_the_way(slot, resources) if row.kind == Kind.BOOKING)
        len(locked(Booking.objects.filter(pk__in=booked)))
    missing = resources.difference(row.pk for row in locked(Resource.objects.filter(pk__in=resources | also)))
    if missing & also:
        raise Overtaken
    if missing:
        raise errors.ClosedResourceMissing
    return booked


def require_plan(
    slot: Interval,
    resources: frozenset[int],
    booked: frozenset[int],
    *,
    on_conflict: OnConflict,
    now: datetime,
    closure: Closure | None = None,
) -> Plan:
    """What the closure does, read again after its locks.

    Raises:
        Overtaken: When the closure would cancel a booking that is not locked.
        ClosureConflicts: When the closure is not possible.
    """
    rows = in_the_way(slot, resources, except_closure=closure)
    plan, clashes = plan_of(slot, resources, rows, on_conflict=on_conflict, now=now), clashes_of(rows, now=now)
    if not plan.is_possible:
        raise errors.ClosureConflicts(clashes, nothing_free=on_conflict == OnConflict.AROUND)
    if not booked.issuperset(row.pk for row in plan.cancelled):
        raise Overtaken(clashes)
    return plan


def lock_closure(closure: Closure, check: ClosureCheck | None) -> Closure:
    """Locks a closure, reads it again and checks it.

    Raises:
        ClosureMissing: When somebody lifted the closure.
    """
    row: Closure | None = locked(Closure.objects.filter(pk=closure.pk)).first()
    if row is None:
        raise errors.ClosureMissing
    if check is not None:
        check(row)
    return row


# --- The rows ---------------------------------------------------------------------------------------------------------


def carry_out(plan: Plan, closure: Closure, act: Act) -> None:
    """Cancels what is in the way, and takes the time.

    Raises:
        Overtaken: When somebody took part of the time without the lock of its resource, such as by SQL.
    """
    if plan.cancelled:
        cancel_all(plan.cancelled, act=replace(act, reason=closure.reason))
    rows = [
        Booking(
            kind=Kind.CLOSURE,
            closure=closure,
            resource_id=resource,
            start_time=part.start,
            end_time=part.end,
            status=BookingStatus.CONFIRMED,
        )
        for resource, part in plan.parts
    ]
    try:
        Booking.taken.bulk_create(rows)
    except IntegrityError as violation:
        if isinstance(as_booking_error(violation), errors.SlotTaken):
            raise Overtaken from violation
        raise


def resources_of(closure: Closure) -> frozenset[int]:
    """The ids of the resources of a closure."""
    return frozenset(closure.resources.values_list("pk", flat=True))
