"""The rules that the edits of a series leave behind."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core import errors
from core.recurrence.expansion import last_day_before
from core.recurrence.rule import Frequency, Rule, Weekday


def moved(rule: Rule, days: int) -> Rule:
    """The rule whose dates all lie so many days later, or earlier if negative; its start moves with it.

    A time in UTC as UNTIL keeps its time of day in UTC; `ended_by_day` makes a day of it before.

    Raises:
        RuleKeepsDays: When the rule is neither daily without weekdays, days and months, nor weekly without months, or
            when UNTIL leaves the calendar.
    """
    if not days:
        return rule
    is_daily = rule.freq == Frequency.DAILY and not (rule.byday or rule.bymonthday or rule.bymonth)
    if not is_daily and (rule.freq != Frequency.WEEKLY or rule.bymonth):
        raise errors.RuleKeepsDays
    try:
        until = None if rule.until is None else rule.until + timedelta(days=days)
    except OverflowError:
        raise errors.RuleKeepsDays from None
    if is_daily:
        return replace(rule, until=until)
    byday = sorted(Weekday(0, (each.day + days) % 7) for each in rule.byday)
    return replace(rule, until=until, byday=tuple(byday), wkst=(rule.wkst + days) % 7)


def rest_of(rule: Rule, done: int) -> Rule:
    """The rule from one of its later dates on: COUNT less the dates before, UNTIL as it is.

    Args:
        rule: The rule of the series.
        done: How many dates COUNT has counted before, as `counted_before` says.

    Raises:
        NoOccurrence: When COUNT has counted all dates.
    """
    if rule.count is None:
        return rule
    if done >= rule.count:
        raise errors.NoOccurrence
    return replace(rule, count=rule.count - done)


def ended_by_day(rule: Rule, start: datetime, zone: ZoneInfo) -> Rule:
    """The same dates with UNTIL as their last local day: it stays true when the series moves to another time of day.

    Args:
        rule: The rule of the series.
        start: The naive local start of the series.
        zone: The time zone of the series.
    """
    return rule if rule.until is None else replace(rule, until=last_day_before(rule.until, start, zone))
