"""The grid of possible slot starts: every `step` minutes of a local clock, counted from local midnight."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.intervals import Interval

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def grid(window: Interval, *, step: int, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields the moments of the grid in the window, in order and in UTC.

    The grid follows the local clock on the nights when clocks change: the local times of a skipped hour are left out,
    and the local times of a repeated hour come twice (RFC 5545 would name only the first of the two).

    Args:
        window: The window ``[start, end)``.
        step: Minutes between two moments, from 1 to 1440; the count begins again at each local midnight.
        zone: The time zone of the local clock.
    """
    since_midnight = [timedelta(minutes=minutes) for minutes in range(0, 1440, step)]
    day = window.start.astimezone(zone).date()
    last_day = window.end.astimezone(zone).date()
    while day <= last_day:
        moments = moments_of_day(day, since_midnight, zone=zone)
        yield from moments[bisect_left(moments, window.start) : bisect_left(moments, window.end)]
        day += DAY


def moments_of_day(day: date, since_midnight: Sequence[timedelta], *, zone: ZoneInfo) -> list[datetime]:
    """Returns the moments at which the local clock shows the given times of a local day, in order and in UTC."""
    midnight = datetime.combine(day, time.min)
    if has_constant_offset(midnight, zone):
        start = midnight.replace(tzinfo=zone).astimezone(UTC)
        return [start + time_of_day for time_of_day in since_midnight]
    moments: set[datetime] = set()
    for time_of_day in since_midnight:
        local = midnight + time_of_day
        for fold in (0, 1):
            moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            # A skipped local time does not survive the round trip.
            if moment.astimezone(zone).replace(tzinfo=None) == local:
                moments.add(moment)
    return sorted(moments)


def has_constant_offset(midnight: datetime, zone: ZoneInfo) -> bool:
    """True if the UTC offset of the zone stays the same from this local midnight to the next."""
    offsets = {(midnight + hour * HOUR).replace(tzinfo=zone).utcoffset() for hour in range(25)}
    return len(offsets) == 1
