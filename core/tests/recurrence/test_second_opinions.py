"""Rules by chance: the days agree with a judge of the text of RFC 5545, the dates with recurring-ical-events."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from hypothesis import assume, given
from hypothesis import strategies as st

from core import errors
from core.recurrence import Frequency, Pattern, Rule, expand, in_words
from core.recurrence.days import days_of, last_day
from core.tests.support.properties import ZONES, many
from core.tests.support.repetition import judged_days, parts_of_rules, starts

LAST = date(2029, 11, 26)
HORIZON = datetime(2029, 11, 26, tzinfo=UTC)


@given(parts_of_rules(), starts)
@many
def test_the_days_are_those_of_the_judge(parts: str, start: datetime) -> None:
    rule = Rule.parse(f"{parts};COUNT=1")
    judged = judged_days(rule, start.date(), LAST)

    assert [*days_of(rule, start, LAST)] == judged
    assert last_day(rule, start, LAST) == (judged[-1] if judged else None)
    assert Rule.parse(str(rule)) == rule
    assert in_words(rule, start)


def is_judged_otherwise(rule: Rule, start: datetime) -> bool:
    """True for two kinds of rules that python-dateutil, on which the second opinion stands, does not read as RFC 5545.

    It takes weekdays with a number beside others without one for days that are both, and counts the places of BYSETPOS
    in the rest of the first week.
    """
    is_mixed = len({bool(each.ordinal) for each in rule.byday}) == 2
    return is_mixed or bool(rule.freq == Frequency.WEEKLY and rule.bysetpos and start.weekday() != rule.wkst)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """A series whose start is a date of its rule, many near a change of the clock."""
    parts, start, zone = draw(parts_of_rules()), draw(starts), ZoneInfo(draw(st.sampled_from(ZONES)))
    start = start.replace(hour=draw(st.sampled_from([0, 1, 2, 3, 9, 23])))
    judged = judged_days(Rule.parse(f"{parts};COUNT=1"), start.date(), LAST)
    hits = [day for day in judged if day < date(2028, 3, 1)]
    assume(hits)
    first = datetime.combine(hits[0], start.time())
    until = first + timedelta(days=draw(st.integers(0, 500)))
    end = draw(
        st.sampled_from([f"COUNT={draw(st.integers(1, 60))}", f"UNTIL={until:%Y%m%d}", f"UNTIL={until:%Y%m%dT%H%M%S}"])
    )
    if draw(st.booleans()):
        end = f"UNTIL={until.replace(tzinfo=zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    rule = Rule.parse(f"{parts};{end}")
    assume(not is_judged_otherwise(rule, first))
    others = st.lists(st.sampled_from([datetime.combine(day, start.time()) for day in judged[:60]]), max_size=3)
    # No offset from UTC: recurring-ical-events takes EXDATE at 01:00 in New York for 06:00 by the local clock, too.
    added = [each + timedelta(minutes=37) for each in draw(others)]
    return Pattern(rule, first, first + timedelta(minutes=90), zone, tuple(draw(others)), tuple(added))


def until_in_utc(pattern: Pattern) -> date | None:
    """UNTIL in the only form that RFC 5545 has for events with a time zone."""
    until = pattern.rule.until
    if until is None or (isinstance(until, datetime) and until.tzinfo):
        return until
    local = until if isinstance(until, datetime) else datetime.combine(until, time(23, 59, 59))
    return local.replace(tzinfo=pattern.zone).astimezone(UTC)


def second_opinion(pattern: Pattern) -> list[datetime]:
    """The local starts of the series as an event of a calendar, in order; also those that the clock skips."""
    event = icalendar.Event()
    event.add("uid", "series")
    event.add("dtstamp", HORIZON)
    event.add("dtstart", pattern.start.replace(tzinfo=pattern.zone))
    event.add("dtend", pattern.end.replace(tzinfo=pattern.zone))
    event.add("rrule", icalendar.vRecur.from_ical(str(replace(pattern.rule, until=until_in_utc(pattern)))))
    for name, times in (("exdate", pattern.exdates), ("rdate", pattern.rdates)):
        for each in times:
            event.add(name, each.replace(tzinfo=pattern.zone))
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//tests//")
    calendar.add_component(event)
    read = icalendar.Calendar.from_ical(calendar.to_ical())
    found = recurring_ical_events.of(read).between(datetime(2026, 11, 1, tzinfo=UTC), HORIZON)
    return sorted(each["DTSTART"].dt.replace(tzinfo=None, fold=0) for each in found)


@given(patterns())
@many
def test_the_dates_are_those_of_recurring_ical_events(pattern: Pattern) -> None:
    try:
        expanded = expand(pattern, until=HORIZON)
    except (errors.NoOccurrence, errors.TooManyDates, errors.TooFarAhead):
        assume(False)
        raise
    starts = sorted([*(each.start for each in expanded.dates), *expanded.missing])
    # There COUNT counts the dates that the clock skips.
    more = len([each for each in expanded.missing if each not in pattern.rdates]) if pattern.rule.count else 0

    assert second_opinion(pattern) == starts[: len(starts) - more]
    assert all(each.slot.start == each.start.replace(tzinfo=pattern.zone).astimezone(UTC) for each in expanded.dates)
