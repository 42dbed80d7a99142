"""The words of a rule for people, such as ``every second Tuesday until 30 June 2027``."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

from core.intervals import on_the_clock
from core.recurrence.days import counts_in_years, last_day_by
from core.recurrence.rule import Frequency, Rule, Weekday

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
PERIODS = {
    Frequency.DAILY: "day",
    Frequency.WEEKLY: "week",
    Frequency.MONTHLY: "month",
    Frequency.YEARLY: "year",
}
WORKING_DAYS, WEEKEND, WHOLE_WEEK = range(5), range(5, 7), range(7)
# More dates of a year are told by their days and months apart.
MOST_DATES_OF_YEAR = 3


def in_words(rule: Rule, start: datetime) -> str:
    """The rule of a series in English, without its time of day; true for each rule that `Rule.parse` accepts.

    Args:
        rule: The rule; a time in UTC as its UNTIL is told as such.
        start: The naive local start of the series.
    """
    repetition = _repetition(_plainer(rule.filled(start)))
    if rule.until is None:
        times = {1: "once", 2: "twice"}.get(rule.count or 0, f"{rule.count} times")
        return f"{repetition}, {times}"
    comma = "," if "," in repetition else ""
    return f"{repetition}{comma} until {_until(rule.until, start)}"


def _until(until: date | datetime, start: datetime) -> str:
    if isinstance(until, datetime) and until.tzinfo:
        return f"{on_the_clock(until)} UTC on {_day(until)}"
    return _day(last_day_by(until, start.time()) if isinstance(until, datetime) else until)


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _plainer(rule: Rule) -> Rule:
    """The rule for the same dates that is easier to tell."""
    if rule.freq == Frequency.DAILY and {1, -1} & set(rule.bysetpos):
        # A day has one date at most.
        rule = replace(rule, bysetpos=())
    if rule.freq == Frequency.DAILY and rule.interval == 1 and rule.bymonthday and not rule.bysetpos:
        rule = replace(rule, freq=Frequency.MONTHLY)
    counts_in_months = rule.freq == Frequency.YEARLY and any(each.ordinal for each in rule.byday)
    if len(rule.bymonth) == len(MONTHS) and not counts_in_months:
        rule = replace(rule, bymonth=())
    return rule


def _repetition(rule: Rule) -> str:
    if rule.bysetpos:
        return _one_of_each_period(rule) or f"{_repetition(replace(rule, bysetpos=()))}, {_of_these(rule)}"
    if rule.interval == 1 and not rule.bymonthday and not any(each.ordinal for each in rule.byday):
        return f"every {_days(rule.byday, 'and')}" + (f" in {_months(rule)}" if rule.bymonth else "")
    if rule.freq == Frequency.DAILY:
        return _every(rule, "day") + _but_only(_on_weekdays(rule), _on_days_of_month(rule), _in_months(rule))
    if rule.freq == Frequency.WEEKLY:
        return _weeks(rule) + _but_only(_in_months(rule))
    if rule.freq == Frequency.YEARLY and rule.bymonth and not rule.byday and min(rule.bymonthday) > 0:
        dates = [f"{day} {MONTHS[month - 1]}" for month in rule.bymonth for day in rule.bymonthday]
        if len(dates) <= MOST_DATES_OF_YEAR:
            return f"{_every(rule, 'year')} on {_listed(dates)}"
    if rule.bymonthday:
        return f"{_days_of_month(rule)} of {_period(rule)}" + _but_only(_on_weekdays(rule), _not_told(rule))
    return f"{_each_weekday(rule)} of {_period(rule)}" + _but_only(_not_told(rule))


def _weeks(rule: Rule) -> str:
    """The days of each second week and so on."""
    if len(rule.byday) == 1:
        return _every(rule, DAYS[rule.byday[0].day])
    days = "from Monday to Friday" if _is_whole(rule.byday, WORKING_DAYS) else f"on {_days(rule.byday, 'and')}"
    return f"{_every(rule, 'week')} {'on each day' if _is_whole(rule.byday, WHOLE_WEEK) else days}" + _week(rule)


def _week(rule: Rule) -> str:
    """Which days are one week, where they are not from Monday to Sunday."""
    return f", with weeks from {DAYS[rule.wkst]} to {DAYS[rule.wkst - 1]}" if rule.wkst else ""


def _one_of_each_period(rule: Rule) -> str:
    """Phrases such as ``the last working day of every month``; empty if BYSETPOS chooses among other dates."""
    of_weekdays = rule.byday and not rule.bymonthday and not any(each.ordinal for each in rule.byday)
    most_months = {Frequency.YEARLY: 1, Frequency.MONTHLY: len(MONTHS)}.get(rule.freq, 0)
    if not of_weekdays or rule.freq == Frequency.DAILY or len(rule.bymonth) > most_months:
        return ""
    nouns = ((WORKING_DAYS, "working day"), (WEEKEND, "weekend day"))
    noun = next((noun for days, noun in nouns if _is_whole(rule.byday, days)), _days(rule.byday, "or"))
    week = _week(rule) if rule.freq == Frequency.WEEKLY else ""
    return f"the {_listed(map(_ordinal, rule.bysetpos))} {noun} of {_period(rule)}{week}" + _but_only(_not_told(rule))


def _of_these(rule: Rule) -> str:
    """The end of a phrase whose beginning names more dates than the rule has."""
    is_told = rule.interval > 1 and len(rule.byday) > 1
    week = _week(rule) if rule.freq == Frequency.WEEKLY and not is_told else ""
    return f"of these only the {_listed(map(_ordinal, rule.bysetpos))} of each {PERIODS[rule.freq]}{week}"


def _period(rule: Rule) -> str:
    """The periods in which days are counted, such as ``every second month`` or ``March in every second year``."""
    if rule.freq == Frequency.WEEKLY:
        return _every(rule, "week")
    if rule.freq == Frequency.MONTHLY:
        return f"every {_months(rule)}" if rule.bymonth and rule.interval == 1 else _every(rule, "month")
    if counts_in_years(rule) and not rule.bymonthday:
        return _every(rule, "year")
    if rule.interval == 1:
        return f"every {_months(rule)}"
    has_names = 0 < len(rule.bymonth) < len(MONTHS)
    return f"{_months(rule) if has_names else 'each month'} in {_every(rule, 'year')}"


def _months(rule: Rule, conjunction: str = "and") -> str:
    if not 0 < len(rule.bymonth) < len(MONTHS):
        return "month"
    return _listed((MONTHS[month - 1] for month in rule.bymonth), conjunction)


def _not_told(rule: Rule) -> str:
    """The months where the phrase of the periods does not tell them."""
    return _in_months(rule) if rule.freq == Frequency.MONTHLY and rule.interval > 1 else ""


def _but_only(*conditions: str) -> str:
    told = [f"only {condition}" for condition in conditions if condition]
    return f", but {_listed(told)}" if told else ""


def _in_months(rule: Rule) -> str:
    return f"in {_months(rule, 'or')}" if rule.bymonth else ""


def _on_days_of_month(rule: Rule) -> str:
    return f"on {_days_of_month(rule, 'or')} of the month" if rule.bymonthday else ""


def _on_weekdays(rule: Rule) -> str:
    """A condition such as ``on a Monday or the last Friday of the month``."""
    if not rule.byday or _is_whole(rule.byday, WHOLE_WEEK):
        return ""
    plain = [each for each in rule.byday if not each.ordinal]
    names = ["a weekday"] if _is_whole(plain, WORKING_DAYS) else [f"a {DAYS[each.day]}" for each in plain]
    period = "year" if counts_in_years(rule) else "month"
    names += [f"the {_ordinal(each.ordinal)} {DAYS[each.day]} of the {period}" for each in rule.byday if each.ordinal]
    return f"on {_listed(names, 'or')}"


def _each_weekday(rule: Rule) -> str:
    """Phrases such as ``every Monday and the first and third Tuesday``."""
    plain = [each for each in rule.byday if not each.ordinal]
    phrases = [f"every {_days(plain, 'and')}"] if plain else []
    for day in dict.fromkeys(each.day for each in rule.byday if each.ordinal):
        ordinals = [_ordinal(each.ordinal) for each in rule.byday if each.ordinal and each.day == day]
        phrases.append(f"the {_listed(ordinals)} {DAYS[day]}")
    return _listed(phrases)


def _days_of_month(rule: Rule, conjunction: str = "and") -> str:
    """Phrases such as ``the 1st and 15th`` and ``the 1st and last day``."""
    names = [_numeral(day) if day > 0 else _ordinal(day) for day in rule.bymonthday]
    return f"the {_listed(names, conjunction)}" + (" day" if min(rule.bymonthday) < 0 else "")


def _days(weekdays: Sequence[Weekday], conjunction: str) -> str:
    """The names of weekdays, or the word for some of them that belong together; all of them if there are none."""
    if not weekdays or _is_whole(weekdays, WHOLE_WEEK):
        return "day"
    if _is_whole(weekdays, WORKING_DAYS):
        return "weekday"
    return _listed((DAYS[each.day] for each in weekdays), conjunction)


def _is_whole(weekdays: Sequence[Weekday], days: range) -> bool:
    return {each.day for each in weekdays} == set(days) and not any(each.ordinal for each in weekdays)


def _every(rule: Rule, noun: str) -> str:
    return f"every {noun}" if rule.interval == 1 else f"every {_ordinal(rule.interval)} {noun}"


def _ordinal(number: int) -> str:
    """``first``, ``11th``, ``last``, ``second to last``."""
    if number == -1:
        return "last"
    if number < 0:
        return f"{_ordinal(-number)} to last"
    return ORDINALS[number - 1] if number <= len(ORDINALS) else _numeral(number)


def _numeral(number: int) -> str:
    """``1st``, ``12th``, ``23rd``."""
    ending = "th" if 10 < number % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _listed(phrases: Iterable[str], conjunction: str = "and") -> str:
    *others, last = phrases
    return f"{', '.join(others)} {conjunction} {last}" if others else last
