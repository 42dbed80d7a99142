"""The opening times of one day, and the time during which they are open."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.hours.clock import DAY, moment_of, start_of_day
from core.intervals import Interval


@dataclass(frozen=True, slots=True)
class Period:
    """Opening times of one day, by the local clock; a close at or before the opening is on the next day."""

    opens: time
    closes: time


WHOLE_DAY = Period(time.min, time.min)


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """An opening exception: days that have their own hours, or are closed.

    Attributes:
        first_day: The first day.
        last_day: The last day; it belongs to them.
        name: Public.
        periods: The hours of each of the days; empty: closed.
        of_all: True for the days of every resource of the house.
    """

    first_day: date
    last_day: date
    name: str
    periods: tuple[Period, ...]
    of_all: bool


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of one day.

    Attributes:
        day: The local day.
        periods: In order; empty: closed.
        special: The special days that govern the day, if there are any.
        always: True if the resource has no weekly hours and nothing special governs the day: open the whole day.
    """

    day: date
    periods: tuple[Period, ...]
    special: SpecialDays | None
    always: bool


def in_order(periods: Iterable[Period]) -> tuple[Period, ...]:
    """The periods by their opening, then by their close."""
    return tuple(sorted(periods, key=lambda period: (period.opens, period.closes)))


# Resources of one house share most of their hours: the spans of a day are worked out once for all of them.
@lru_cache(maxsize=16384)
def spans_of(day: date, periods: tuple[Period, ...], zone: ZoneInfo) -> tuple[Interval, ...]:
    """The time during which a day's periods are open, in UTC, by its start; spans may touch and overlap.

    A period that a change of the clock leaves without any time has no span.
    """
    spans = (_span_of(day, period, zone) for period in periods)
    return tuple(sorted((span for span in spans if span.start < span.end), key=lambda span: (span.start, span.end)))


def _span_of(day: date, period: Period, zone: ZoneInfo) -> Interval:
    if period == WHOLE_DAY:
        # Of two midnights the first ends the day: from then on the clock shows the date of the next day.
        return Interval(start_of_day(day, zone), start_of_day(day + DAY, zone))
    last_day = day if period.opens < period.closes else day + DAY
    return Interval(
        moment_of(datetime.combine(day, period.opens), zone),
        moment_of(datetime.combine(last_day, period.closes), zone, last=True),
    )
