"""How a booking repeats, by the clock of its series: as asked for, as stored, moved, and in two parts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core import errors
from core.intervals import Interval
from core.models import Booking, Series
from core.recurrence import Pattern, Rule, counted_before, ended_by_day, rest_of, slot_at
from core.recurrence.days import days_of
from core.rules import LATEST_END
from core.zones import moment_by_first_offset

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Repeat:
    """How somebody wants a booking to repeat.

    Attributes:
        rule: The rule.
        start: The start of the first date: aware, or naive by the clock of the series.
        end: Its end, likewise.
        time_zone: The zone of the clock; None for that of the resource.
        exdates: Starts to leave out, likewise.
        rdates: Further starts, likewise.
    """

    rule: Rule
    start: datetime
    end: datetime
    time_zone: str | None = None
    exdates: tuple[datetime, ...] = ()
    rdates: tuple[datetime, ...] = ()

    def pattern(self, zone: ZoneInfo) -> Pattern:
        """The pattern by the clock of a zone."""
        return Pattern(
            rule=self.rule,
            start=local_time(self.start, zone),
            end=local_time(self.end, zone),
            zone=zone,
            exdates=tuple(local_time(each, zone) for each in self.exdates),
            rdates=tuple(local_time(each, zone) for each in self.rdates),
        )


@dataclass(frozen=True, slots=True)
class Move:
    """How the dates of a series move by its clock.

    Attributes:
        shift: How much later each date starts.
        length: The new length of each date; None for the length that it has.
    """

    shift: timedelta = timedelta(0)
    length: timedelta | None = None

    @classmethod
    def between(cls, before: Booking, after: Booking, series: Series) -> "Move":
        """The move of a date; one that stays where it is moves nothing.

        The new time of day is that of all dates. They change their days only with a date that changes its own: a date
        that was moved alone, and now moves within its day or back to its place, moves no other one to another day.

        Raises:
            EndNotAfterStart: When the end is not after the start by the clock.
        """
        if before.slot == after.slot:
            return cls()
        zone, shift = series.zone, timedelta(0)
        start, end = (local_time(moment, zone) for moment in (after.start_time, after.end_time))
        if after.start_time != before.start_time:
            usual = usual_start(series, before)
            is_same_day = local_time(before.start_time, zone).date() == start.date()
            days = timedelta(0) if is_same_day else start.date() - usual.date()
            shift = days + (start - datetime.combine(start.date(), usual.time()))
        if end <= start:
            raise errors.EndNotAfterStart
        return cls(shift, end - start)

    def days_of(self, pattern: Pattern) -> int:
        """How many days later the dates of a rule are."""
        return ((pattern.start + self.shift).date() - pattern.start.date()).days

    def length_of(self, series: Series) -> timedelta:
        """The length of the dates of a series after the move."""
        return series.length if self.length is None else self.length


def local_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """The naive time of a clock; a naive time is one already."""
    return moment if moment.tzinfo is None else moment.astimezone(zone).replace(tzinfo=None)


def usual_start(series: Series, date: Booking) -> datetime:
    """The naive start that the series gives one of its dates, whether the clock has it or not."""
    assert date.recurrence_id is not None
    local = local_time(date.recurrence_id, series.zone)
    by_rule = datetime.combine(local.date(), series.start.time())
    # The stored moment of a start that the clock skips is read back as another time.
    return by_rule if moment_by_first_offset(by_rule, series.zone) == date.recurrence_id else local


def usual_slot(series: Series, date: Booking) -> Interval | None:
    """The slot that the series gives one of its dates; None if the clock skips the start."""
    return slot_at(usual_start(series, date), series.length, series.zone)


def pattern_of(series: Series) -> Pattern:
    """The pattern of a stored series."""
    return Pattern(
        rule=Rule.parse(series.rrule),
        start=series.start,
        end=series.start + series.length,
        zone=series.zone,
        exdates=tuple(map(datetime.fromisoformat, series.exdates)),
        rdates=tuple(map(datetime.fromisoformat, series.rdates)),
    )


def write_pattern(series: Series, pattern: Pattern) -> None:
    """Sets the columns of a series to a pattern."""
    series.rrule, series.time_zone = str(pattern.rule), pattern.zone.key
    series.local_start, series.local_end = pattern.start.isoformat(), pattern.end.isoformat()
    series.exdates = [each.isoformat() for each in pattern.exdates]
    series.rdates = [each.isoformat() for each in pattern.rdates]


def parted(pattern: Pattern, start: datetime) -> tuple[Pattern, Pattern]:
    """The two patterns that have the dates before a start, and those from it on.

    Args:
        pattern: The pattern.
        start: The naive start of a date; the pattern has earlier ones.
    """
    rule, clock = ended_by_day(pattern.rule, pattern.start, pattern.zone), pattern.start.time()
    done = counted_before(pattern, start)
    last = start.date() + LATEST_END if rule.until is None else rule.until
    is_left = rule.count is None or done < rule.count
    days = days_of(rule, pattern.start, last) if is_left else iter(())
    following = (datetime.combine(day, clock) for day in days)
    first = next((each for each in following if each >= start), None)
    earlier = replace(
        pattern,
        exdates=tuple(each for each in pattern.exdates if each < start),
        rdates=tuple(each for each in pattern.rdates if each < start),
    )
    if done == 0:  # only further dates come before
        head = replace(earlier, rule=replace(rule, count=1, until=None), exdates=(*earlier.exdates, pattern.start))
    elif rule.count is not None:
        head = replace(earlier, rule=replace(rule, count=min(done, rule.count)))
    else:
        day = start.date() if datetime.combine(start.date(), clock) < start else start.date() - DAY
        head = replace(earlier, rule=replace(rule, until=min(last, day)))
    if first is None:  # only further dates follow
        rule = replace(rule, byday=(), bymonthday=(), bymonth=(), bysetpos=(), count=1, until=None)
    else:
        rule = rest_of(rule, done)
    begins = first or start
    tail = replace(
        pattern,
        rule=rule,
        start=begins,
        end=begins + (pattern.end - pattern.start),
        exdates=tuple(each for each in pattern.exdates if each >= start),
        rdates=tuple(each for each in pattern.rdates if each >= start and each != begins),
    )
    return head, tail
