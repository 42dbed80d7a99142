"""The plan of a closure: what is in its way, and what each `OnConflict` would do; nothing here writes or locks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from core import errors
from core.choices import Kind, OnConflict
from core.errors import Clash
from core.intervals import Interval
from core.models import Booking, Closure
from core.rules import LATEST_END

MOST_IN_THE_WAY = 1000


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
    rows = Booking.taken.taken_in(slot, resource_ids=resources)
    if except_closure is not None:
        rows = rows.exclude(closure=except_closure)
    found = list(rows.in_full()[: MOST_IN_THE_WAY + 1])
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


def slot_of(closure: Closure) -> Interval:
    """The time of a closure."""
    return Interval(closure.start_time, closure.end_time)
