"""The grid on which slots may start: every so many minutes of a local clock, from midnight on. Pure arithmetic."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.intervals import Interval

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def grid(window: Interval, *, step: int, zone: ZoneInfo) -> Iterator[datetime]:
    """The moments of the grid in the window, in order, in UTC.

    On the nights when clocks change the grid follows the local clock: times of the missing hour are missing, those of
    the doubled one come twice (RFC 5545 would name the first of the two only).

    Args:
        window: Where to look, ``[start, end)``.
        step: Minutes between two moments, from 1 to 1440; each local midnight begins anew.
        zone: Whose clock it is.
    """
    plain = [timedelta(minutes=minutes) for minutes in range(0, 1440, step)]
    day = window.start.astimezone(zone).date()
    last = window.end.astimezone(zone).date()
    while day <= last:
        moments = of_day(day, plain, zone=zone)
        yield from moments[bisect_left(moments, window.start) : bisect_left(moments, window.end)]
        day += DAY


def of_day(day: date, since_midnight: Sequence[timedelta], *, zone: ZoneInfo) -> list[datetime]:
    """The moments at which the local clock shows these times of a local day, in UTC and in order."""
    naive = datetime.combine(day, time.min)
    if is_plain(naive, zone):
        midnight = naive.replace(tzinfo=zone).astimezone(UTC)
        return [midnight + passed for passed in since_midnight]
    moments: set[datetime] = set()
    for passed in since_midnight:
        local = naive + passed
        for fold in (0, 1):
            moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if moment.astimezone(zone).replace(tzinfo=None) == local:
                moments.add(moment)
    return sorted(moments)


def is_plain(midnight: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock runs through from this local midnight to the next without a change."""
    offsets = {(midnight + hour * HOUR).replace(tzinfo=zone).utcoffset() for hour in range(25)}
    return len(offsets) == 1
