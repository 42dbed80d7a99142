"""The dates of a series: those of its rule, by wall time, and their moments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from core import errors
from core.intervals import FIRST_MOMENT, LAST_MOMENT, Interval
from core.recurrence.days import LAST_DAY, LONG_AGO, days_of, last_day_by
from core.recurrence.rule import Rule
from core.zones import moment_at, moment_by_first_offset

# The most dates of a series: one each day of a leap year.
MOST_DATES = 366
# A booking starts in this year or later.
FIRST_YEAR = 1900


@dataclass(frozen=True, slots=True)
class Pattern:
    """When a series takes place; all times are naive, by the local clock of the zone.

    Attributes:
        rule: The rule.
        start: The start of the first date.
        end: The end of the first date.
        zone: The time zone.
        exdates: Starts that are left out.
        rdates: Starts that are added.
    """

    rule: Rule
    start: datetime
    end: datetime
    zone: ZoneInfo
    exdates: tuple[datetime, ...] = ()
    rdates: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Date:
    """A date of a series: its start by the local clock, naive, and its slot in UTC."""

    start: datetime
    slot: Interval


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a series in order, and the starts that the local clock skips."""

    dates: tuple[Date, ...]
    missing: tuple[datetime, ...]


def expand(pattern: Pattern, *, until: datetime) -> Dates:
    """The dates of a series.

    A date is left out where the clock skips its start (RFC 5545, section 3.3.10), and COUNT does not count it. COUNT
    counts the dates of `exdates`, and not those of `rdates`. A start in both is left out.

    Args:
        pattern: The series.
        until: The horizon, an aware moment; no date may start later. The cost grows with the days up to it.

    Raises:
        EndNotAfterStart: When the end of the first date is not after its start.
        TooLongAgo: When a date starts before the year 1900.
        NoOccurrence: When there is no date up to the horizon.
        NotInRule: When the start is no date of the rule, whether the clock skips it or not.
        TooManyDates: When there are more than 366 dates.
        TooFarAhead: When the first date, one of `rdates`, COUNT or UNTIL is beyond the horizon.
    """
    last = last_day_before(until, pattern.start, pattern.zone)
    _require_bounds(pattern, last, _clock_at(until, pattern.zone))
    excluded, slots = frozenset(pattern.exdates), dict[datetime, Interval | None]()
    counted, number, hits_start = 0, 0, False
    for start, slot in _slots_of_rule(pattern, last):
        hits_start |= start == pattern.start
        counted += slot is not None
        if start not in excluded:
            slots[start] = slot
            number += slot is not None
        if counted == pattern.rule.count or number > MOST_DATES:
            break
    for start in frozenset(pattern.rdates) - excluded:
        slots[start] = slot_at(start, pattern.end - pattern.start, pattern.zone)
    dates = tuple(Date(start, slot) for start in sorted(slots) if (slot := slots[start]))
    if not dates:
        raise errors.NoOccurrence
    if not hits_start:
        raise errors.NotInRule
    if len(dates) > MOST_DATES:
        raise errors.TooManyDates(MOST_DATES)
    if _goes_on(pattern, counted, last):
        raise errors.SeriesTooFarAhead(last)
    return Dates(dates, missing=tuple(start for start in sorted(slots) if slots[start] is None))


def counted_before(pattern: Pattern, start: datetime) -> int:
    """How many dates of the rule COUNT counts before a naive local start: all that the clock has, excluded or not."""
    days = days_of(pattern.rule, pattern.start, start.date())
    starts = (datetime.combine(day, pattern.start.time()) for day in days)
    return sum(moment_at(each, pattern.zone) is not None for each in starts if each < start)


def slot_at(start: datetime, length: timedelta, zone: ZoneInfo) -> Interval | None:
    """The slot in UTC of a date; None if the clock skips its start.

    Start and end are wall time (RFC 5545, section 3.3.5). In the hour that the clock repeats, the first time is meant.
    An end that the clock skips has the offset from before the gap.

    Args:
        start: A naive local time.
        length: The end less the start, both naive.
        zone: The time zone.

    Raises:
        OverflowError: When a moment is outside of the years 1 to 9999.
    """
    first = moment_at(start, zone)
    if first is None:
        return None
    return Interval(first, moment_by_first_offset(start + length, zone))


def last_day_before(until: date | datetime, start: datetime, zone: ZoneInfo) -> date:
    """The last local day on which a date of a series can start.

    Args:
        until: The last moment: aware, or naive by the local clock, or already that day.
        start: The naive local start of the series; each date has its time of day.
        zone: The time zone of the series.
    """
    if not isinstance(until, datetime):
        return until
    if until.tzinfo is None:
        return last_day_by(until, start.time())
    local = max(_clock_at(until, zone), LONG_AGO)
    # In a doubled hour the clock shows a moment as earlier than some times before it.
    if local.date() < LAST_DAY:
        that_day = moment_at(datetime.combine(local.date(), start.time()), zone)
        if that_day and that_day <= until:
            return local.date()
    return last_day_by(local, start.time())


def _clock_at(moment: datetime, zone: ZoneInfo) -> datetime:
    """The naive local time at a moment, which is taken for one within the ends of the calendar."""
    return min(max(moment, FIRST_MOMENT), LAST_MOMENT).astimezone(zone).replace(tzinfo=None, fold=0)


def _require_bounds(pattern: Pattern, last: date, horizon: datetime) -> None:
    if pattern.end <= pattern.start:
        raise errors.EndNotAfterStart
    if min((pattern.start, *pattern.rdates)).year < FIRST_YEAR:
        raise errors.TooLongAgo
    if pattern.start.date() > last or pattern.end > horizon:
        raise errors.TooFarAhead
    if any(start > horizon for start in pattern.rdates):
        raise errors.DateTooFarAhead(last)


def _slots_of_rule(pattern: Pattern, last: date) -> Iterator[tuple[datetime, Interval | None]]:
    """The starts of the rule in order, up to UNTIL or to the last day, each with its slot; COUNT is not asked."""
    length, clock = pattern.end - pattern.start, pattern.start.time().replace(fold=0)
    for day in days_of(pattern.rule, pattern.start, min(last, _last_day_of(pattern) or last)):
        start = datetime.combine(day, clock)
        yield start, slot_at(start, length, pattern.zone)


def _last_day_of(pattern: Pattern) -> date | None:
    """The last local day on which UNTIL lets a date start; None without UNTIL."""
    until = pattern.rule.until
    return None if until is None else last_day_before(until, pattern.start, pattern.zone)


def _goes_on(pattern: Pattern, counted: int, last: date) -> bool:
    """True if COUNT or UNTIL reaches beyond the last day."""
    ends = _last_day_of(pattern)
    return counted < (pattern.rule.count or 0) if ends is None else ends > last
