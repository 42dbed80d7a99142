"""The days of a rule: python-dateutil lists them, and a look from the end says up to where it may search.

python-dateutil searches for the next date up to the year 9999, whatever its UNTIL, which takes seconds for a rule such
as "30 February". So the last day is found first, in steps of the rule from the horizon back, and the search ends there.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from core.recurrence.rule import Frequency, Rule, Weekday

DAY = timedelta(days=1)
# The end of a week or year must be in Python's calendar, too.
LAST_DAY = date(9999, 12, 1)
# Earlier ends of a rule count as this one: no day before it then leaves Python's calendar.
LONG_AGO = datetime(1000, 1, 1)  # noqa: DTZ001 - a local time
# As python-dateutil calls them.
FREQUENCIES: dict[Frequency, Literal[0, 1, 2, 3]] = {
    Frequency.DAILY: DAILY,
    Frequency.WEEKLY: WEEKLY,
    Frequency.MONTHLY: MONTHLY,
    Frequency.YEARLY: YEARLY,
}


def days_of(rule: Rule, start: datetime, until: date) -> Iterator[date]:
    """Yields the days of a rule from its start up to `until`, in order; COUNT and UNTIL of the rule are not asked.

    Args:
        rule: The rule.
        start: The naive start of the series.
        until: The last day that may be in the answer. Each further day of a rule without a date costs microseconds.
    """
    last = last_day(rule, start, until)
    if last is None:
        return
    for found in _searched(rule.filled(start), start.date()):
        if start.date() <= found.date():
            yield found.date()
        if found.date() >= last:
            return


def last_day(rule: Rule, start: datetime, until: date) -> date | None:
    """The last day of a rule from its start up to `until`; None if it has no day in this time."""
    rule, first, until = rule.filled(start), start.date(), min(until, LAST_DAY)
    for period in _periods_back(rule, first, until):
        for day in reversed(_days_in(rule, period)):
            if first <= day <= until:
                return day
    return None


def counts_in_years(rule: Rule) -> bool:
    """True if an ordinal of BYDAY counts in the year, not in the month."""
    return rule.freq == Frequency.YEARLY and not rule.bymonth


def last_day_by(until: datetime, clock: time) -> date:
    """The last day on which a time of day is not after `until`; all three are naive and local."""
    until = max(until, LONG_AGO)
    return until.date() if clock <= until.time() else until.date() - DAY


def _periods_back(rule: Rule, start: date, until: date) -> Iterator[tuple[date, date]]:
    """The periods of the rule that can have a date from the start up to `until`, the last one first."""
    if start > until:
        return
    step, origin = rule.interval, _first_of_period(rule, start)
    if rule.freq in (Frequency.DAILY, Frequency.WEEKLY):
        length = 1 if rule.freq == Frequency.DAILY else 7
        for number in range((until - origin).days // (step * length), -1, -1):
            first = origin + number * step * length * DAY
            yield first, first + (length - 1) * DAY
        return
    length = 1 if rule.freq == Frequency.MONTHLY else 12
    months = (until.year - origin.year) * 12 + until.month - origin.month
    for number in range(months // (step * length), -1, -1):
        year, month = divmod(origin.year * 12 + origin.month - 1 + number * step * length, 12)
        last_month = month + length
        yield date(year, month + 1, 1), date(year, last_month, monthrange(year, last_month)[1])


def _first_of_period(rule: Rule, day: date) -> date:
    if rule.freq == Frequency.WEEKLY:
        return day - (day.weekday() - rule.wkst) % 7 * DAY
    if rule.freq == Frequency.MONTHLY:
        return day.replace(day=1)
    return day.replace(month=1, day=1) if rule.freq == Frequency.YEARLY else day


def _days_in(rule: Rule, period: tuple[date, date]) -> list[date]:
    """The days of the rule in one period, in order."""
    first, last = period
    days = [day for number in range((last - first).days + 1) if _fits(rule, day := first + number * DAY)]
    if not rule.bysetpos:
        return days
    chosen = {at - 1 if at > 0 else len(days) + at for at in rule.bysetpos}
    return [day for position, day in enumerate(days) if position in chosen]


def _fits(rule: Rule, day: date) -> bool:
    """True if a day is in the months, the days of the month and the weekdays of a rule."""
    if rule.bymonth and day.month not in rule.bymonth:
        return False
    if rule.bymonthday and day.day not in rule.bymonthday:
        from_end = day.day - monthrange(day.year, day.month)[1] - 1
        if from_end not in rule.bymonthday:
            return False
    return not rule.byday or any(_is(each, day, rule) for each in rule.byday)


def _is(wanted: Weekday, day: date, rule: Rule) -> bool:
    if wanted.day != day.weekday():
        return False
    if not wanted.ordinal:
        return True
    if counts_in_years(rule):
        first, last = day.replace(month=1, day=1), day.replace(month=12, day=31)
    else:
        first, last = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return wanted.ordinal in ((day - first).days // 7 + 1, -((last - day).days // 7 + 1))


def _searched(rule: Rule, start: date) -> rrule:
    """The days as python-dateutil finds them, from the start of the first period on."""
    # The positions of BYSETPOS count in whole periods; python-dateutil counts in the rest of the first week.
    origin = _first_of_period(rule, start)
    return rrule(
        FREQUENCIES[rule.freq],
        dtstart=datetime.combine(origin, time.min),
        interval=rule.interval,
        wkst=rule.wkst,
        bymonth=rule.bymonth or None,
        bymonthday=rule.bymonthday or None,
        byweekday=[weekday(each.day, each.ordinal or None) for each in _of_one_kind(rule).byday] or None,
        bysetpos=rule.bysetpos or None,
    )


def _of_one_kind(rule: Rule) -> Rule:
    """The rule with an ordinal at each weekday if it has one at any: python-dateutil takes a mixture for "both"."""
    if all(each.ordinal for each in rule.byday) or not any(each.ordinal for each in rule.byday):
        return rule
    most = 53 if counts_in_years(rule) else 5
    every = (Weekday(ordinal, each.day) for each in rule.byday if not each.ordinal for ordinal in range(1, most + 1))
    return replace(rule, byday=(*every, *(each for each in rule.byday if each.ordinal)))
