"""The judge of what is free: brute force over single minutes, written from the definitions alone.

Nothing here is fast or clever, and nothing comes from the code that is judged. Spans are pairs of aware moments in UTC,
half-open, on whole minutes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]

MINUTE = timedelta(minutes=1)


def minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every minute of the span, from its start on."""
    moment = start
    while moment < end:
        yield moment
        moment += MINUTE


def taken_minutes(taken: Iterable[Span]) -> set[datetime]:
    """Every minute in which something is booked."""
    return {moment for start, end in taken for moment in minutes(start, end)}


def is_free(start: datetime, end: datetime, taken: set[datetime]) -> bool:
    """Whether no minute of the span is taken."""
    return not any(moment in taken for moment in minutes(start, end))


def free_spans(start: datetime, end: datetime, taken: Iterable[Span]) -> list[Span]:
    """The longest runs of minutes that nobody has, in order."""
    busy = taken_minutes(taken)
    found: list[Span] = []
    for moment in minutes(start, end):
        if moment in busy:
            continue
        if found and found[-1][1] == moment:
            found[-1] = (found[-1][0], moment + MINUTE)
        else:
            found.append((moment, moment + MINUTE))
    return found


def busy_spans(start: datetime, end: datetime, taken: Iterable[Span]) -> list[Span]:
    """The part of each booking in the window, in order; bookings without a minute in it are left out."""
    inside = [[moment for moment in minutes(*span) if start <= moment < end] for span in sorted(taken)]
    return [(moments[0], moments[-1] + MINUTE) for moments in inside if moments]


def grid(start: datetime, end: datetime, *, step: int, zone: str) -> list[datetime]:
    """The minutes of the window at which a clock of the zone shows a multiple of `step` minutes since midnight."""
    clock = ZoneInfo(zone)
    found = []
    for moment in minutes(start, end):
        local = moment.astimezone(clock)
        if (local.hour * 60 + local.minute) % step == 0:
            found.append(moment)
    return found


def slots(start: datetime, end: datetime, taken: Iterable[Span], *, duration: int, step: int, zone: str) -> list[Span]:
    """The spans of `duration` minutes that begin on the grid, lie in the window, and are free."""
    busy = taken_minutes(taken)
    length = duration * MINUTE
    return [
        (moment, moment + length)
        for moment in grid(start, end, step=step, zone=zone)
        if moment + length <= end and is_free(moment, moment + length, busy)
    ]


def first_slot(start: datetime, end: datetime, taken: Iterable[Span], *, duration: int) -> Span | None:
    """The first span of `duration` minutes in the window that is free."""
    busy, length = taken_minutes(taken), duration * MINUTE
    starts = minutes(start, end - length + MINUTE)
    return next(((moment, moment + length) for moment in starts if is_free(moment, moment + length, busy)), None)


def last_slot(start: datetime, before: datetime, taken: Iterable[Span], *, duration: int) -> Span | None:
    """The last free span of `duration` minutes that begins at or after `start` and before `before`."""
    busy, length = taken_minutes(taken), duration * MINUTE
    starts = reversed(list(minutes(start, before)))
    return next(((moment, moment + length) for moment in starts if is_free(moment, moment + length, busy)), None)


def next_change(zone: str, after: datetime) -> datetime:
    """The first moment after the given one, a whole half hour, at which the clocks of the zone show a new offset."""
    clock = ZoneInfo(zone)
    moment = after
    while moment.astimezone(clock).utcoffset() == after.astimezone(clock).utcoffset():
        moment += 30 * MINUTE
    return moment
