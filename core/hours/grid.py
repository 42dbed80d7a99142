"""The grid of possible starts and ends: every so many minutes of a local clock, counted from a local time."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.hours.clock import DAY, local_time, start_of_day, steady_parts
from core.intervals import Interval


def grid(window: Interval, *, step: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields the moments of the grid that counts from each local midnight, in order and in UTC.

    The grid follows the local clock on the nights when clocks change: the local times of a skipped hour are left out,
    and the local times of a repeated hour come twice (RFC 5545 would name only the first of the two).

    Args:
        window: The window ``[start, end)``.
        step: Minutes between two moments, from 1 to 1440; the count begins again at each local midnight.
        zone: The time zone of the local clock.
    """
    day, last = local_time(window.start, zone).date(), local_time(window.end, zone).date()
    while day <= last:
        part = Interval(start_of_day(day, zone), start_of_day(day + DAY, zone)).clip(window)
        if part:
            yield from grid_from(midnight(day), part, step=step, zone=zone)
        day += DAY


def grid_from(origin: datetime, span: Interval, *, step: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields the moments of a span at which the local clock is whole steps away from a local time, in order.

    Args:
        origin: The naive local time from which the grid counts, forward and backward.
        span: In UTC, as the moments.
        step: Minutes between two moments.
        zone: The time zone of the local clock.
    """
    length = timedelta(minutes=step)
    for part, offset in steady_parts(span, zone):
        shown = part.start.replace(tzinfo=None) + offset
        moment = part.start + (origin - shown) % length
        while moment < part.end:
            yield moment
            moment += length


def midnight(day: date) -> datetime:
    """The naive local time at which a day begins."""
    return datetime.combine(day, time.min)
