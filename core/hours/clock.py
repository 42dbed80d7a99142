"""The local clock of a time zone: the moments of local times, and the changes of the clock."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.intervals import Interval

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

# Earlier and later moments count as these: neither an offset nor a neighbouring day then leaves Python's calendar.
EARLIEST = datetime(1, 1, 10, tzinfo=UTC)
LATEST = datetime(9999, 12, 20, tzinfo=UTC)


def local_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """The local time at a moment, as a naive datetime."""
    return min(max(moment, EARLIEST), LATEST).astimezone(zone).replace(tzinfo=None)


@lru_cache(maxsize=4096)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC."""
    return moment_of(datetime.combine(day, time.min), zone)


def moment_of(local: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The moment at which the local clock shows a time, in UTC.

    Args:
        local: A naive local time. If the clock skips it, the answer is the first moment after the skipped hour.
        zone: The time zone of the local clock.
        last: Whether a local time that comes twice means the second of the two.
    """
    # In a skipped hour fold=0 has the offset before the change (PEP 495), and in a doubled hour as well.
    before, after = _offset(local.replace(fold=0), zone), _offset(local.replace(fold=1), zone)
    moment = local.replace(tzinfo=UTC, fold=0)
    if before < after:
        return _change(moment - after, moment - before, zone)
    return moment - (after if last else before)


def steady_parts(span: Interval, zone: ZoneInfo) -> Iterator[tuple[Interval, timedelta]]:
    """The parts of a span in UTC between the changes of the clock, in order, each with its offset from UTC."""
    edges = [span.start]
    day, last = span.start.date(), span.end.date()
    while day <= last:
        edges += [change for change in _changes(day, zone) if span.start < change < span.end]
        day += DAY
    edges.append(span.end)
    for start, end in zip(edges, edges[1:], strict=False):
        yield Interval(start, end), _offset_at(start, zone)


@lru_cache(maxsize=4096)
def _changes(day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments of a day in UTC at which the clock changes."""
    midnight = datetime.combine(day, time.min, tzinfo=UTC)
    # A change at midnight belongs to this day.
    hours = [midnight - SECOND, *(midnight + hour * HOUR for hour in range(1, 24)), midnight + DAY - SECOND]
    offsets = [_offset_at(hour, zone) for hour in hours]
    return tuple(
        _change(hours[number], hours[number + 1], zone)
        for number in range(len(hours) - 1)
        if offsets[number] != offsets[number + 1]
    )


def _change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """The only moment after `start`, and not after `end`, at which the clock changes; both in UTC."""
    before = _offset_at(start, zone)
    seconds = range((end - start) // SECOND)
    return start + SECOND * bisect_left(
        seconds, True, key=lambda passed: _offset_at(start + passed * SECOND, zone) != before
    )


def _offset_at(moment: datetime, zone: ZoneInfo) -> timedelta:
    return _offset(moment.astimezone(zone), zone)


def _offset(local: datetime, zone: ZoneInfo) -> timedelta:
    # For each datetime a ZoneInfo has an offset; None is for the bare times of day.
    return zone.utcoffset(local) or timedelta(0)
