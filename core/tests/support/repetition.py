"""The judge of rules, which asks each day by itself, by the words of RFC 5545 (section 3.3.10); and rules by chance.

Nothing here is fast or clever, and nothing comes from the code that is judged, but the words `Rule` and `Frequency`.
"""

from calendar import monthrange
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

from core.recurrence import Frequency, Rule

DAY = timedelta(days=1)
NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def judged_days(rule: Rule, start: date, last: date) -> list[date]:
    """The days of a rule from its start to the last one, without regard to COUNT and UNTIL."""
    first = _period(rule, start)[0]
    # Whole periods, because BYSETPOS counts in them.
    days = [first + number * DAY for number in range((_period(rule, last)[1] - first).days + 1)]
    sets: dict[date, list[date]] = {}
    for day in days:
        if _is_turn(rule, start, day) and _fits(rule, start, day):
            sets.setdefault(_period(rule, day)[0], []).append(day)
    chosen = [day for found in sets.values() for day in _positions(rule, found)]
    return sorted(day for day in chosen if start <= day <= last)


def _positions(rule: Rule, found: list[date]) -> set[date]:
    if not rule.bysetpos:
        return set(found)
    ways = {**dict(enumerate(found, 1)), **{-at: day for at, day in enumerate(found[::-1], 1)}}
    return {ways[at] for at in rule.bysetpos if at in ways}


def _period(rule: Rule, day: date) -> tuple[date, date]:
    if rule.freq == Frequency.DAILY:
        return day, day
    if rule.freq == Frequency.WEEKLY:
        while day.weekday() != rule.wkst:
            day -= DAY
        return day, day + 6 * DAY
    if rule.freq == Frequency.MONTHLY:
        return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return date(day.year, 1, 1), date(day.year, 12, 31)


def _is_turn(rule: Rule, start: date, day: date) -> bool:
    """True if the period of the day is one of each INTERVAL."""
    first, then = _period(rule, start)[0], _period(rule, day)[0]
    passed = {
        Frequency.DAILY: (then - first).days,
        Frequency.WEEKLY: (then - first).days // 7,
        Frequency.MONTHLY: (then.year - first.year) * 12 + then.month - first.month,
        Frequency.YEARLY: then.year - first.year,
    }[rule.freq]
    return passed % rule.interval == 0


def _fits(rule: Rule, start: date, day: date) -> bool:
    """True if the day is in all the parts; a part that is missing is that of the start, where the period is longer."""
    if rule.bymonth and day.month not in rule.bymonth:
        return False
    length = monthrange(day.year, day.month)[1]
    if rule.bymonthday and not {day.day, day.day - length - 1} & set(rule.bymonthday):
        return False
    if rule.byday:
        return any(day.weekday() == each.day and _is_ordinal(rule, day, each.ordinal) for each in rule.byday)
    if rule.bymonthday or rule.freq == Frequency.DAILY:
        return True
    if rule.freq == Frequency.WEEKLY:
        return day.weekday() == start.weekday()
    if rule.freq == Frequency.MONTHLY:
        return day.day == start.day
    return day.day == start.day and bool(rule.bymonth or day.month == start.month)


def _is_ordinal(rule: Rule, day: date, ordinal: int) -> bool:
    if not ordinal:
        return True
    in_years = rule.freq == Frequency.YEARLY and not rule.bymonth

    def is_same(other: date) -> bool:
        return other.year == day.year and (in_years or other.month == day.month)

    step = 7 * DAY if ordinal > 0 else -7 * DAY
    return is_same(day - (abs(ordinal) - 1) * step) and not is_same(day - abs(ordinal) * step)


@st.composite
def parts_of_rules(draw: st.DrawFn) -> str:
    """The text of a rule without an end."""
    freq = draw(st.sampled_from([each.value for each in Frequency]))
    parts = {"FREQ": freq, "INTERVAL": draw(st.sampled_from([1, 1, 1, 2, 3, 5, 12]))}
    if draw(st.booleans()):
        parts["BYMONTH"] = _joined(draw(st.lists(st.integers(1, 12), min_size=1, max_size=4)))
    if draw(st.booleans()):
        parts["BYDAY"] = ",".join(draw(_weekdays(freq, of_months="BYMONTH" in parts)))
    if freq != "WEEKLY" and draw(st.integers(0, 2)) == 0:
        days = st.one_of(st.integers(1, 31), st.integers(-31, -1))
        parts["BYMONTHDAY"] = _joined(draw(st.lists(days, min_size=1, max_size=5)))
    if len(parts) > 2 and draw(st.booleans()):
        places = st.sampled_from([1, 2, 3, 5, -1, -2])
        parts["BYSETPOS"] = _joined(draw(st.lists(places, min_size=1, max_size=2)))
    if draw(st.booleans()):
        parts["WKST"] = draw(st.sampled_from(NAMES))
    return ";".join(f"{name}={value}" for name, value in parts.items())


@st.composite
def _weekdays(draw: st.DrawFn, freq: str, *, of_months: bool) -> list[str]:
    some = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)
    plain = draw(st.one_of(some, st.just(list(NAMES[:5])), st.just(list(NAMES)), st.just(list(NAMES[5:]))))
    if freq in ("DAILY", "WEEKLY"):
        return plain
    most = 53 if freq == "YEARLY" and not of_months else 5
    numbers = st.one_of(st.just(0), st.sampled_from([1, 2, -1, most]), st.integers(-most, most))
    return [f"{draw(numbers) or ''}{name}" for name in plain]


def _joined(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


# Each begins on a whole minute; many are in a doubled or missing hour somewhere.
starts = st.datetimes(datetime(2026, 11, 26), datetime(2028, 3, 1)).map(  # noqa: DTZ001 - local times
    lambda moment: moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
)
