"""Free and busy time of a resource: arithmetic on intervals, and the queries for its input."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F

from core import rules
from core.hours.grid import grid
from core.intervals import Interval
from core.models import Booking, Resource


def slots(
    window: Interval, busy: Sequence[Interval], *, duration: timedelta, step: int, zone: ZoneInfo
) -> Iterator[Interval]:
    """Yields the slots that start on the grid, lie in the window and overlap no busy interval, in order.

    Args:
        window: The window that contains the slots.
        busy: Intervals in order, without overlaps.
        duration: The length of each slot.
        step: Minutes between two moments of the grid.
        zone: The time zone of the grid.
    """
    gaps = (gap for gap in window.subtract(busy) if gap.duration >= duration)
    gap = next(gaps, None)
    if gap is None:
        return
    for start in grid(Interval(gap.start, window.end), step=step, zone=zone):
        while start > gap.end - duration:
            gap = next(gaps, None)
            if gap is None:
                return
        if start >= gap.start:
            yield Interval(start, start + duration)


def busy_intervals(window: Interval, *, resource_id: int) -> list[Interval]:
    """Returns the slots of the resource's blocking bookings that overlap the window, in order. One statement."""
    rows = Booking.objects.within(window, resource_id=resource_id).values_list("start_time", "end_time")
    return [Interval(*row) for row in rows]


def first_slots(
    window: Interval, *, duration: timedelta, min_capacity: int | None, now: datetime, limit: int
) -> list[tuple[Resource, Interval]]:
    """Returns up to `limit` resources, each with its first free slot in the window; soonest first. One statement."""
    bookable = window.clip(rules.offered_window(now=now))
    if bookable is None:
        return []
    resources = Resource.objects.filter(is_available=True)
    if min_capacity is not None:
        resources = resources.filter(capacity__gte=min_capacity)
    annotated = resources.with_first_gap(after=bookable.start, length=duration, until=bookable.end)
    soonest = annotated.order_by(F("first_gap").asc(nulls_last=True), "capacity", "name", "id")[:limit]
    return [
        (resource, Interval(resource.first_gap, resource.first_gap + duration))
        for resource in soonest
        if resource.first_gap is not None
    ]
