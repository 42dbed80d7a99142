"""The days of the timeline, and the headings of their columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from core.hours.clock import DAY, start_of_day
from core.intervals import Interval

# The columns of a day are so many minutes wide; each hour has a heading.
UNIT = timedelta(minutes=5)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of an hour or of a day.

    Attributes:
        span: Its time.
        width: The number of columns.
        text: The hour as `09:00`, or the day.
        offset: The offset of the clock from UTC on a day with a change of the clock, such as `+02:00`; else empty.
    """

    span: Interval
    width: int
    text: str
    offset: str = ""


@dataclass(frozen=True)
class Days:
    """The shown days, by the clock of one zone.

    Args:
        first: The first day.
        number: How many days: 1, or 7 from a Monday on.
        zone: The zone.
    """

    first: date
    number: int
    zone: ZoneInfo

    @cached_property
    def days(self) -> list[Interval]:
        """The time of each day."""
        days = [self.first + number * DAY for number in range(self.number + 1)]
        starts = [start_of_day(day, self.zone) for day in days]
        return [Interval(start, end) for start, end in zip(starts, starts[1:], strict=False)]

    @property
    def window(self) -> Interval:
        return Interval(self.days[0].start, self.days[-1].end)

    @property
    def is_week(self) -> bool:
        return self.number > 1

    @property
    def headings(self) -> list[Heading]:
        """The hours of the day, or the days of the week."""
        if self.is_week:
            return [Heading(day, 1, f"{day.start.astimezone(self.zone):%a %d %b}") for day in self.days]
        return list(hours_of(self.window, self.zone))


def hours_of(window: Interval, zone: ZoneInfo) -> Iterator[Heading]:
    """The hours of a day: from one full hour of the local clock to the next; 23 or 25 where the clock changes."""
    has_change = window.start.astimezone(zone).utcoffset() != window.end.astimezone(zone).utcoffset()
    start = window.start
    while start < window.end:
        local = start.astimezone(zone)
        end = min(start + HOUR - timedelta(minutes=local.minute, seconds=local.second), window.end)
        offset = f"{local:%z}"
        text = f"{offset[:3]}:{offset[3:5]}" if has_change else ""
        yield Heading(Interval(start, end), (end - start) // UNIT, f"{local:%H:%M}", text)
        start = end
