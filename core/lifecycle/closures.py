"""The verbs of a closure: close, preview, change and lift.

A closure takes its time by rows of the bookings table, one or more for each resource, so that one constraint keeps
closures and bookings apart. A booking that is over stays as it is: a closure that began earlier passes round it.

The order of locks is that of the other verbs, with closures at the end: bookings by id, resources by id, closures by
id. Nobody writes the rows of a closure without the lock of their resources.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from core import errors
from core.choices import BookingStatus, Kind, OnConflict
from core.errors import Clash
from core.intervals import Interval
from core.lifecycle.bookings import cancel_all
from core.lifecycle.transactions import lock_resources, writing
from core.models import Booking, Closure, Resource
from core.querysets import locked
from core.record.acts import Act
from core.rules import LATEST_END

# A closure begins anew so many times when another booking comes between its first look and its locks.
TRIES = 5
MOST_IN_THE_WAY = 1000

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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a closure does under one `OnConflict`.

    Attributes:
        is_possible: False if the closure is refused.
        cancelled: The bookings that it cancels.
        parts: The time that it takes, by the id of the resource.
    """

    is_possible: bool
    cancelled: list[Booking]
    parts: list[tuple[int, Interval]]


@dataclass(frozen=True, slots=True)
class Preview:
    """The bookings and closures in the way of a closure, and what each `OnConflict` would do."""

    clashes: list[Clash]
    plans: dict[OnConflict, Plan]


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


# --- The rules --------------------------------------------------------------------------------------------------------


def require_bounds(slot: Interval, *, now: datetime, before: Closure | None = None) -> None:
    """Checks the bounds of a closure; a change that only shortens a closure may end it in the past.

    Raises:
        BookingError: Of the first bound that the closure exceeds.
    """
    if slot.start >= slot.end:
        raise errors.EndNotAfterStart
    if slot.end <= now and not (before is not None and slot_of(before).contains(slot)):
        raise errors.ClosureOutOfBounds
    if slot.end > now + LATEST_END:
        raise errors.ClosureOutOfBounds(
            "A closure ends at most five years (1826 days) from now. Choose an earlier end."
        )
    if slot.duration > LATEST_END:
        raise errors.ClosureOutOfBounds("A closure lasts at most five years (1826 days). Choose an earlier end.")


def plan_of(
    slot: Interval, resources: Collection[int], rows: list[Booking], *, on_conflict: OnConflict, now: datetime
) -> Plan:
    """What a closure does with these rows in the way."""
    clashing = [row for row in rows if row.end_time > now]
    cancelled = [row for row in clashing if on_conflict == OnConflict.CANCEL and row.kind == Kind.BOOKING]
    gone, busy = {row.pk for row in cancelled}, {resource: list[Interval]() for resource in resources}
    for row in rows:
        if row.pk not in gone:
            busy[row.resource_id].append(row.slot)
    parts = [(resource, gap) for resource in sorted(resources) for gap in slot.subtract(busy[resource])]
    around = on_conflict == OnConflict.AROUND
    is_possible = bool(parts) if around else len(cancelled) == len(clashing)
    return Plan(is_possible, cancelled, parts) if is_possible else Plan(False, [], [])


def in_the_way(slot: Interval, resources: Collection[int], *, except_closure: Closure | None = None) -> list[Booking]:
    """The rows that hold time in the slot, of bookings and of other closures, in order.

    Raises:
        TooManyConflicts: When there are more than 1000.
    """
    rows = Booking.taken.blocking().filter(resource_id__in=resources).overlapping(slot)
    if except_closure is not None:
        rows = rows.exclude(closure=except_closure)
    # By the end, as the index of blocking bookings has them: the order by the start would read the whole history.
    found = list(rows.in_full().order_by("resource_id", "end_time")[: MOST_IN_THE_WAY + 1])
    if len(found) > MOST_IN_THE_WAY:
        raise errors.TooManyConflicts
    return found


def clashes_of(rows: list[Booking], *, now: datetime) -> list[Clash]:
    """The rows that conflict with a closure, for staff; those that are over do not."""
    return [clash_of(row) for row in rows if row.end_time > now]


def clash_of(row: Booking) -> Clash:
    """A row in the way, for staff."""
    closure_id, owner = row.closure_id, None if row.closure_id else row.user.get_username()
    return Clash(row.kind, closure_id or row.pk, row.resource_id, row.resource.name, row.slot, row.status, owner)


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
        ClosedResourceMissing: When one of the resources does not exist.
    """
    booked: frozenset[int] = frozenset()
    if on_conflict == OnConflict.CANCEL:
        booked = frozenset(row.pk for row in in_the_way(slot, resources) if row.kind == Kind.BOOKING)
        len(locked(Booking.objects.filter(pk__in=booked)))
    try:
        lock_resources(*resources, *also)
    except errors.ResourceMissing as error:
        raise errors.ClosedResourceMissing from error
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
    """Cancels what is in the way, and takes the time."""
    if plan.cancelled:
        cancel_all(plan.cancelled, act=replace(act, reason=closure.reason))
    Booking.taken.bulk_create(
        Booking(
            kind=Kind.CLOSURE,
            closure=closure,
            resource_id=resource,
            start_time=part.start,
            end_time=part.end,
            status=BookingStatus.CONFIRMED,
        )
        for resource, part in plan.parts
    )


def resources_of(closure: Closure) -> frozenset[int]:
    """The ids of the resources of a closure."""
    return frozenset(closure.resources.values_list("pk", flat=True))


def slot_of(closure: Closure) -> Interval:
    """The time of a closure."""
    return Interval(closure.start_time, closure.end_time)
