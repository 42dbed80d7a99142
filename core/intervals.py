"""One vocabulary of time: half-open intervals of aware moments."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

# The databases count in microseconds.
TICK = timedelta(microseconds=1)
# A day within the ends of the calendar, so that each moment exists in every time zone.
FIRST_MOMENT, LAST_MOMENT = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class Span(Protocol):
    """What has a start and an end."""

    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time ``[start, end)``; both bounds aware."""

    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        """Negative if the end is before the start."""
        return self.end - self.start

    def as_json(self) -> dict[str, datetime]:
        return {"start_time": self.start, "end_time": self.end}

    def contains(self, other: "Interval") -> bool:
        """True if the whole of the other lies in this interval."""
        return self.start <= other.start and other.end <= self.end

    def clip(self, window: "Interval") -> "Interval | None":
        """The part inside the window, or None if there is none."""
        start, end = max(self.start, window.start), min(self.end, window.end)
        return Interval(start, end) if start < end else None

    def widened(self, before: timedelta, after: timedelta) -> "Interval":
        """The interval with some time before and after it, as far as the calendar of Python reaches."""
        return Interval(
            self.start - before if self.start - FIRST_MOMENT > before else FIRST_MOMENT,
            self.end + after if LAST_MOMENT - self.end > after else LAST_MOMENT,
        )

    def subtract(self, busy: Iterable[Span]) -> Iterator["Interval"]:
        """The gaps in this interval between busy spans, in order.

        Args:
            busy: Spans ordered by start; they may overlap.
        """
        position = self.start
        for taken in busy:
            if taken.start >= self.end:
                break
            if position < taken.start:
                yield Interval(position, taken.start)
            position = max(position, taken.end)
        if position < self.end:
            yield Interval(position, self.end)


def hull(intervals: Collection[Interval]) -> Interval:
    """The shortest interval that contains all of the intervals, of which there is at least one."""
    return Interval(min(each.start for each in intervals), max(each.end for each in intervals))


def intersections(first: Iterable[Interval], second: Iterable[Interval]) -> Iterator[Interval]:
    """The spans that lie in both of two series of intervals, in order; each series is in order and overlaps nowhere."""
    others = iter(second)
    other = next(others, None)
    for each in first:
        while other is not None and other.start < each.end:
            part = each.clip(other)
            if part:
                yield part
            if other.end > each.end:
                break
            other = next(others, None)
        if other is None:
            return


def merged(spans: Iterable[Interval]) -> Iterator[Interval]:
    """The time of the spans, which are in order; spans that overlap or touch are one."""
    last: Interval | None = None
    for span in spans:
        if last is not None and span.start <= last.end:
            last = Interval(last.start, max(last.end, span.end))
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last


def on_the_clock(moment: datetime, *, seconds: bool = False) -> str:
    """The time of day for people, with fractions if there are any, and seconds if there are any or `seconds` is set."""
    if moment.microsecond:
        return f"{moment:%H:%M:%S.%f}".rstrip("0")
    return f"{moment:%H:%M:%S}" if seconds or moment.second else f"{moment:%H:%M}"


def on_which_clock(moment: datetime, *, seconds: bool = False) -> str:
    """The time of day for people; in the hour that the clocks repeat, with the zone's abbreviation of that moment."""
    is_repeated = moment.replace(fold=1 - moment.fold).utcoffset() != moment.utcoffset()
    return on_the_clock(moment, seconds=seconds) + (f" {moment.tzname()}" if is_repeated else "")


def in_short(slot: Interval, zone: tzinfo) -> str:
    """A slot in a zone as a name of a booking has it: ``2026-11-26 14:00–16:00``; seconds only where there are any."""
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    last = on_which_clock(end) if start.date() == end.date() else f"{end:%Y-%m-%d} {on_which_clock(end)}"
    return f"{start:%Y-%m-%d} {on_which_clock(start)}–{last}"


def name_of(resource: str, slot: Interval, whose: str, zone: tzinfo) -> str:
    """The name of a booking for staff: ``Aurora meeting room, 2026-11-26 14:00–16:00 UTC, bert``."""
    return f"{resource}, {in_short(slot, zone)} {zone}, {whose}"
