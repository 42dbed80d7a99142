"""The parts of a period that a report tells apart: weekdays, hours, weeks, or none.

Moments and lengths are whole microseconds here, those of moments since 1970: a report adds up hundreds of thousands.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import TextChoices

from core.hours.clock import DAY, HOUR, start_of_day, steady_parts
from core.intervals import TICK, Interval

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS_OF_HOUR = HOUR // TICK


class By(TextChoices):
    """What a line of a report is about."""

    RESOURCE = "resource", "resource"
    WEEKDAY = "weekday", "weekday"
    HOUR = "hour", "hour of the day"
    WEEK = "week", "week"


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a period, the last one included."""

    first: date
    last: date

    @property
    def number(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def mondays(self) -> list[date]:
        """The Monday of each week of which the period has a day, in order."""
        monday = self.first - timedelta(days=self.first.weekday())
        return [monday + timedelta(days=number) for number in range(0, (self.last - monday).days + 1, 7)]

    def in_zone(self, zone: ZoneInfo) -> Interval:
        """The period by the clock of a zone, in UTC."""
        return Interval(start_of_day(self.first, zone), start_of_day(self.last + DAY, zone))


@dataclass(frozen=True, slots=True)
class Cells:
    """A period in one zone as a row of cells without gaps.

    Attributes:
        edges: The start of each cell, and the end of the last one.
        keys: The line of the report that each cell belongs to, from 0 on.
    """

    edges: list[int]
    keys: list[int]

    def add(self, start: int, end: int, sums: list[int], *, sign: int = 1) -> None:
        """Adds a span within the period to the sums of the lines; a `sign` of -1 takes it away."""
        cell = bisect_right(self.edges, start) - 1
        while start < end:
            stop = min(self.edges[cell + 1], end)
            sums[self.keys[cell]] += sign * (stop - start)
            start = stop
            cell += 1


def ticks(moment: datetime) -> int:
    """The moment as a whole number."""
    return (moment - EPOCH) // TICK


def number_of_lines(days: Days, by: By) -> int:
    """How many lines a report has; one for each resource, where it is by resource."""
    return {By.RESOURCE: 1, By.WEEKDAY: 7, By.HOUR: 24, By.WEEK: len(days.mondays)}[by]


def cells_of(days: Days, zone: ZoneInfo, by: By) -> Cells:
    """The cells of a period."""
    period = days.in_zone(zone)
    starts = list({By.RESOURCE: whole, By.WEEKDAY: weekdays, By.HOUR: hours, By.WEEK: weeks}[by](days, zone))
    return Cells([*(start for start, _ in starts), ticks(period.end)], [key for _, key in starts])


def whole(days: Days, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """One cell."""
    yield ticks(days.in_zone(zone).start), 0


def weekdays(days: Days, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """A cell for each day, with its weekday from 0 for Monday."""
    for number in range(days.number):
        day = days.first + number * DAY
        yield ticks(start_of_day(day, zone)), day.weekday()


def weeks(days: Days, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """A cell for each week from Monday on, with its number in the period."""
    for number, monday in enumerate(days.mondays):
        yield ticks(start_of_day(max(monday, days.first), zone)), number


def hours(days: Days, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """A cell for each hour of the local clock, which begins anew where the clock changes."""
    for part, offset in steady_parts(days.in_zone(zone), zone):
        start, end, shift = ticks(part.start), ticks(part.end), offset // TICK
        while start < end:
            hour = (start + shift) // TICKS_OF_HOUR
            yield start, hour % 24
            start = (hour + 1) * TICKS_OF_HOUR - shift
