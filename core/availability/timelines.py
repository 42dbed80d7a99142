"""What is free and what is taken. Pure arithmetic on intervals, and the few look-ups that feed it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F

from core import rules
from core.availability.grid import grid
from core.intervals import Interval
from core.models import Booking, Resource


def slots(
    window: Interval, taken: Sequence[Interval], *, duration: timedelta, step: int, zone: ZoneInfo
) -> Iterator[Interval]:
    """The slots on the grid that lie in the window and touch nothing that is taken, in order.

    Args:
        window: Where they may lie.
        taken: Intervals that do not overlap, in order.
        duration: How long each slot is.
        step: The minutes of the grid.
        zone: The clock of the grid.
    """
    # The first and the last moment at which a slot in a gap may start.
    wide = ((gap.start, gap.end - duration) for gap in window.subtract(taken) if gap.duration >= duration)
    first, last = next(wide, (None, None))
    if first is None:
        return
    for start in grid(Interval(first, window.end), step=step, zone=zone):
        while start > last:
            first, last = next(wide, (None, None))
            if first is None:
                return
        if start >= first:
            yield Interval(start, start + duration)


def taken_in(window: Interval, *, resource_id: int) -> list[Interval]:
    """What is taken of a resource in the window, in order. One statement."""
    rows = Booking.objects.within(window, resource_id=resource_id).values_list("start_time", "end_time")
    return [Interval(*row) for row in rows]


def free_in(window: Interval, busy: Iterable[Interval]) -> list[Interval]:
    """The gaps between what is busy."""
    return list(window.subtract(busy))


def first_slots(
    window: Interval, *, duration: timedelta, min_capacity: int | None, now: datetime, most: int
) -> list[tuple[Resource, Interval]]:
    """For each resource its first slot of that length in the window, soonest first. One statement."""
    part = window.clip(rules.offered_window(now=now))
    if part is None:
        return []
    resources = Resource.objects.filter(is_available=True)
    if min_capacity is not None:
        resources = resources.filter(capacity__gte=min_capacity)
    ordered = resources.with_first_gap(after=part.start, length=duration, until=part.end)
    found = ordered.order_by(F("first_gap").asc(nulls_last=True), "capacity", "name", "id")[:most]
    return [
        (resource, Interval(resource.first_gap, resource.first_gap + duration))
        for resource in found
        if resource.first_gap is not None
    ]
