"""The rules that edits of a series leave: moved by days, from a later date on, ended by a day; no database."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.recurrence import Pattern, Rule, counted_before, ended_by_day, expand, moved, rest_of
from core.recurrence.days import days_of
from core.tests.support.properties import many
from core.tests.support.repetition import NAMES, parts_of_rules, starts

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
HORIZON = datetime(2031, 11, 26, tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("rule", "days", "after"),
    [
        ("FREQ=DAILY;COUNT=5", 3, "FREQ=DAILY;COUNT=5"),
        ("FREQ=DAILY;INTERVAL=2;UNTIL=20270630", -1, "FREQ=DAILY;INTERVAL=2;UNTIL=20270629"),
        ("FREQ=DAILY;UNTIL=20270630T093000", 1, "FREQ=DAILY;UNTIL=20270701T093000"),
        ("FREQ=DAILY;UNTIL=20270630T093000Z", 1, "FREQ=DAILY;UNTIL=20270701T093000Z"),
        ("FREQ=WEEKLY;COUNT=5", 1, "FREQ=WEEKLY;COUNT=5;WKST=TU"),
        ("FREQ=WEEKLY;COUNT=5;BYDAY=MO,WE", 1, "FREQ=WEEKLY;COUNT=5;BYDAY=TU,TH;WKST=TU"),
        ("FREQ=WEEKLY;COUNT=5;BYDAY=MO,SU", 1, "FREQ=WEEKLY;COUNT=5;BYDAY=MO,TU;WKST=TU"),
        ("FREQ=WEEKLY;COUNT=5;BYDAY=MO;WKST=SU", -1, "FREQ=WEEKLY;COUNT=5;BYDAY=SU;WKST=SA"),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=5;BYDAY=MO", 7, "FREQ=WEEKLY;INTERVAL=2;COUNT=5;BYDAY=MO"),
        ("FREQ=WEEKLY;COUNT=5;BYDAY=MO,FR;BYSETPOS=1", 10, "FREQ=WEEKLY;COUNT=5;BYDAY=MO,TH;BYSETPOS=1;WKST=TH"),
    ],
)
def test_a_rule_moves_with_its_dates(rule: str, days: int, after: str) -> None:
    assert str(moved(Rule.parse(rule), days)) == after


@given(starts, st.integers(-9, 9), st.sampled_from([1, 2, 3]), st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
@many
def test_each_date_of_a_weekly_rule_moves_by_the_same_days(
    start: datetime, days: int, interval: int, weekdays: list[str]
) -> None:
    names = ",".join(weekdays)
    for places in ("", ";BYSETPOS=-1"):
        rule = Rule.parse(f"FREQ=WEEKLY;COUNT=9;INTERVAL={interval};BYDAY={names};WKST=SU{places}")
        last = start.date() + 100 * DAY

        before = [*days_of(rule, start, last)]
        after = [*days_of(moved(rule, days), start + days * DAY, last + days * DAY)]

        assert after == [day + days * DAY for day in before]


@given(parts_of_rules())
@many
def test_no_days_leave_each_rule_as_it_is(parts: str) -> None:
    rule = Rule.parse(f"{parts};COUNT=3")

    assert moved(rule, 0) is rule


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;COUNT=5;BYDAY=MO",
        "FREQ=DAILY;COUNT=5;BYMONTH=3",
        "FREQ=DAILY;COUNT=5;BYMONTHDAY=3",
        "FREQ=WEEKLY;COUNT=5;BYMONTH=3",
        "FREQ=MONTHLY;COUNT=5",
        "FREQ=YEARLY;COUNT=5",
        "FREQ=DAILY;UNTIL=99991231",
        "FREQ=WEEKLY;UNTIL=99991231T235959Z",
    ],
)
def test_the_dates_of_other_rules_keep_their_days(rule: str) -> None:
    with pytest.raises(errors.RuleKeepsDays) as refused:
        moved(Rule.parse(rule), 1)

    assert (refused.value.code, refused.value.status, refused.value.field) == ("rule_keeps_days", 400, "start_time")


def test_no_number_of_days_leaves_the_calendar() -> None:
    with pytest.raises(errors.RuleKeepsDays):
        moved(Rule.parse("FREQ=DAILY;UNTIL=20270630"), 10**12)


def test_from_a_later_date_on_count_is_less_and_until_as_it_is() -> None:
    assert str(rest_of(Rule.parse("FREQ=DAILY;COUNT=10"), 3)) == "FREQ=DAILY;COUNT=7"
    assert str(rest_of(Rule.parse("FREQ=DAILY;COUNT=10"), 0)) == "FREQ=DAILY;COUNT=10"
    assert str(rest_of(Rule.parse("FREQ=DAILY;UNTIL=20270630"), 3)) == "FREQ=DAILY;UNTIL=20270630"


@pytest.mark.parametrize("done", [10, 11])
def test_no_rule_is_left_after_the_last_date(done: int) -> None:
    with pytest.raises(errors.NoOccurrence):
        rest_of(Rule.parse("FREQ=DAILY;COUNT=10"), done)


@pytest.mark.parametrize(
    "text", ["FREQ=DAILY;COUNT=10", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TH;COUNT=10", "FREQ=DAILY;UNTIL=20270403"]
)
def test_a_series_and_the_rest_of_it_are_the_whole(text: str) -> None:
    """Over the night in which 02:30 is missing, from each of its dates on."""
    rule, start = Rule.parse(text), local("2027-03-25T02:30")
    whole = Pattern(rule, start, start + timedelta(hours=1), BERLIN)
    found = expand(whole, until=HORIZON).dates

    for number, later in enumerate(found):
        rest = rest_of(rule, counted_before(whole, later.start))
        from_there = Pattern(rest, later.start, later.start + timedelta(hours=1), BERLIN)
        assert expand(from_there, until=HORIZON).dates == found[number:]


@pytest.mark.parametrize(
    ("until", "day"),
    [
        ("20270630", date(2027, 6, 30)),
        ("20270630T090000", date(2027, 6, 30)),
        ("20270630T085959", date(2027, 6, 29)),
        ("20270630T070000Z", date(2027, 6, 30)),
        ("20270630T065959Z", date(2027, 6, 29)),
        ("20270630T220000Z", date(2027, 6, 30)),
        ("99991231T235959Z", date(9999, 12, 29)),
        ("00010101T000000Z", date(999, 12, 31)),
    ],
)
def test_until_becomes_the_last_day_on_which_a_date_can_start(until: str, day: date) -> None:
    rule = ended_by_day(Rule.parse(f"FREQ=DAILY;UNTIL={until}"), local("2027-01-04T09:00"), BERLIN)

    assert rule.until == day
    assert type(rule.until) is date


def test_a_rule_with_count_has_no_last_day() -> None:
    rule = Rule.parse("FREQ=DAILY;COUNT=3")

    assert ended_by_day(rule, local("2027-01-04T09:00"), BERLIN) == rule


@given(
    parts_of_rules(),
    starts,
    st.integers(0, 700),
    st.sampled_from(["Europe/Berlin", "Pacific/Kiritimati", "America/New_York"]),
)
@many
def test_a_rule_that_is_ended_by_day_has_the_same_dates(parts: str, start: datetime, hours: int, name: str) -> None:
    zone = ZoneInfo(name)
    until = (start.replace(tzinfo=zone).astimezone(UTC) + timedelta(hours=hours)).strftime("%Y%m%dT%H%M%SZ")
    rule = Rule.parse(f"{parts};UNTIL={until}")

    patterns = [
        Pattern(each, start, start + timedelta(hours=1), zone) for each in (rule, ended_by_day(rule, start, zone))
    ]

    assert outcome(patterns[0]) == outcome(patterns[1])


def outcome(pattern: Pattern) -> object:
    try:
        return expand(pattern, until=HORIZON)
    except errors.BookingError as refused:
        return type(refused)
