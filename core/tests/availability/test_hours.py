"""Opening hours: the cases that people name, then all others judged minute by minute; no database."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.hours import DayHours, Period, SpecialDays, Timetable
from core.intervals import Interval
from core.tests.support.open_time import OpenTime
from core.tests.support.properties import MINUTE, NIGHTS, STEPS, many

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAYS = range(1, 8)

# A week of June: 1 June 2026 is a Monday.
MONDAY, FRIDAY, SATURDAY, SUNDAY = (date(2026, 6, day) for day in (1, 5, 6, 7))
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def hours(*texts: str) -> tuple[Period, ...]:
    """Periods from texts such as ``09:00-17:00``."""
    return tuple(Period(*(time.fromisoformat(part) for part in text.split("-"))) for text in texts)


def at(day: date, clock: str = "00:00", *, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone).replace(fold=fold).astimezone(UTC)


def closed(day: date, *, until: date | None = None, name: str = "Holiday", of_all: bool = False) -> SpecialDays:
    return SpecialDays(day, until or day, name, (), of_all)


def special(day: date, *texts: str, until: date | None = None, name: str = "Fair", of_all: bool = False) -> SpecialDays:
    return SpecialDays(day, until or day, name, hours(*texts), of_all)


def timetable(week: dict[int, Sequence[Period]], *days: SpecialDays, zone: ZoneInfo = BERLIN) -> Timetable:
    return Timetable(zone, week, days)


def whole(day: date, *, days: int = 1, zone: ZoneInfo = BERLIN) -> Interval:
    return Interval(at(day, zone=zone), at(day + days * DAY, zone=zone))


def clock(spans: Sequence[Interval], zone: ZoneInfo = BERLIN) -> list[str]:
    """Spans as the local clock shows them, such as ``Mon 09:00-Mon 17:00``."""
    return [f"{span.start.astimezone(zone):%a %H:%M}-{span.end.astimezone(zone):%a %H:%M}" for span in spans]


WORKDAYS = {day: hours("09:00-12:00", "13:00-18:00") for day in range(1, 6)}
FRIDAY_NIGHT = {5: hours("22:00-02:00")}
WHOLE_WEEK = {day: hours("00:00-00:00") for day in DAYS}


def test_a_day_has_the_periods_of_its_weekday_in_order() -> None:
    table = timetable({1: hours("13:00-18:00", "09:00-12:00")})
    assert table.day(MONDAY) == DayHours(MONDAY, hours("09:00-12:00", "13:00-18:00"), None, False)
    assert table.day(SATURDAY) == DayHours(SATURDAY, (), None, False)
    assert clock(list(table.open_spans(whole(MONDAY)))) == ["Mon 09:00-Mon 12:00", "Mon 13:00-Mon 18:00"]


def test_no_hours_at_all_are_always_open() -> None:
    table, window = timetable({}), Interval(at(MONDAY, "10:20"), at(SUNDAY))
    assert table.always_open
    assert table.day(MONDAY) == DayHours(MONDAY, hours("00:00-00:00"), None, True)
    assert list(table.open_spans(window)) == [window]
    assert list(table.closed_spans(window)) == []
    assert table.first_closed(window) is None
    assert table.next_open(window.start, until=window.end) == window.start
    assert table.is_open_at(window.start)
    assert table.is_open_until(window.start)
    assert table.closed_by(window.start) is None
    assert timetable({1: ()}).always_open


def test_special_days_close_one_day_of_a_resource_without_hours() -> None:
    table = timetable({}, closed(SATURDAY))
    assert not table.always_open
    assert table.day(FRIDAY).always
    assert table.day(SATURDAY) == DayHours(SATURDAY, (), closed(SATURDAY), False)
    assert clock(list(table.open_spans(whole(MONDAY, days=9)))) == ["Mon 00:00-Sat 00:00", "Sun 00:00-Wed 00:00"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([special(MONDAY, "10:00-11:00", of_all=True)], "10:00-11:00", id="of all before the week"),
        pytest.param(
            [special(MONDAY, "10:00-11:00", of_all=True), special(MONDAY, "12:00-13:00", until=SUNDAY)],
            "12:00-13:00",
            id="the resource's own before those of all, however long",
        ),
        pytest.param(
            [special(MONDAY, "10:00-11:00", until=SUNDAY), special(MONDAY, "12:00-13:00", until=SATURDAY)],
            "12:00-13:00",
            id="fewer days win",
        ),
        pytest.param(
            [special(MONDAY, "10:00-11:00"), special(MONDAY, "12:00-13:00")],
            "10:00-11:00",
            id="the first of two",
        ),
        pytest.param([special(MONDAY - DAY, "10:00-11:00")], "09:00-12:00", id="not of the day before"),
        pytest.param([special(MONDAY + DAY, "10:00-11:00")], "09:00-12:00", id="not of the day after"),
    ],
)
def test_the_precedence_of_special_days(days: list[SpecialDays], expected: str) -> None:
    table = timetable({1: hours("09:00-12:00")}, *days)
    assert table.day(MONDAY).periods == hours(expected)
    assert table.day(MONDAY).special in [None, *days]
    assert clock(list(table.open_spans(whole(MONDAY)))) == ["-".join(f"Mon {part}" for part in expected.split("-"))]


def test_late_hours_of_friday_let_saturday_night_in() -> None:
    table = timetable(FRIDAY_NIGHT)
    assert table.is_open_at(at(SATURDAY, "01:00"))
    assert table.is_open_until(at(SATURDAY, "02:00"))
    assert not table.is_open_at(at(SATURDAY, "02:00"))
    assert not table.is_open_at(at(FRIDAY, "01:00"))
    assert table.first_closed(Interval(at(FRIDAY, "23:00"), at(SATURDAY, "02:00"))) is None


def test_a_closed_saturday_leaves_the_late_hours_of_friday_alone() -> None:
    table = timetable({**FRIDAY_NIGHT, 6: hours("00:00-00:00")}, closed(SATURDAY))
    assert table.is_open_at(at(SATURDAY, "01:00"))
    assert table.closed_by(at(SATURDAY, "01:00")) is None
    assert table.closed_by(at(SATURDAY, "02:00")) == closed(SATURDAY)
    assert clock(list(table.open_spans(whole(FRIDAY, days=3)))) == ["Fri 22:00-Sat 02:00"]


def test_a_closed_friday_takes_its_late_hours_with_it() -> None:
    table = timetable({**FRIDAY_NIGHT, 6: hours("10:00-12:00")}, closed(FRIDAY))
    assert clock(list(table.open_spans(whole(FRIDAY, days=2)))) == ["Sat 10:00-Sat 12:00"]
    assert table.closed_by(at(SATURDAY, "01:00")) is None


@pytest.mark.parametrize(
    ("texts", "first_closed"),
    [
        pytest.param(["09:00-12:00", "13:00-18:00"], "12:00", id="a gap"),
        pytest.param(["09:00-12:00", "12:00-18:00"], None, id="touching"),
        pytest.param(["09:00-14:00", "12:00-18:00"], None, id="overlapping"),
        pytest.param(["09:00-18:00", "11:00-12:00"], None, id="one inside the other"),
        pytest.param(["11:00-18:00"], "10:00", id="before the opening"),
        pytest.param(["09:00-13:59"], "13:59", id="a minute too late"),
        pytest.param([], "10:00", id="a closed day"),
    ],
)
def test_the_first_closed_moment_of_a_slot(texts: list[str], first_closed: str | None) -> None:
    slot = Interval(at(MONDAY, "10:00"), at(MONDAY, "14:00"))
    expected = first_closed and at(MONDAY, first_closed)
    assert timetable({1: hours(*texts), 2: hours("09:00-10:00")}).first_closed(slot) == expected


def test_periods_that_touch_at_midnight_are_one() -> None:
    table = timetable({1: hours("18:00-00:00"), 2: hours("00:00-06:00")})
    assert clock(list(table.open_spans(whole(MONDAY, days=2)))) == ["Mon 18:00-Tue 06:00"]
    assert table.first_closed(Interval(at(MONDAY, "23:00"), at(MONDAY + DAY, "01:00"))) is None


def test_a_start_is_before_the_close_and_an_end_after_the_opening() -> None:
    table = timetable(WORKDAYS)
    moments = [at(MONDAY, text) for text in ("08:59", "09:00", "11:59", "12:00", "12:01")]
    assert [table.is_open_at(moment) for moment in moments] == [False, True, True, False, False]
    assert [table.is_open_until(moment) for moment in moments] == [False, False, True, True, False]


def test_a_period_from_an_hour_to_the_same_hour_lasts_until_the_next_day() -> None:
    table = timetable({1: hours("09:00-09:00")})
    assert clock(list(table.open_spans(whole(MONDAY, days=3)))) == ["Mon 09:00-Tue 09:00"]


def test_a_loan_over_a_closed_weekend_starts_and_ends_in_open_time() -> None:
    table = timetable(WORKDAYS, closed(SATURDAY, until=SUNDAY))
    assert table.is_open_at(at(FRIDAY, "16:00"))
    assert table.is_open_until(at(SUNDAY + DAY, "10:00"))
    assert not table.is_open_until(at(SUNDAY + DAY, "09:00"))
    assert not table.is_open_at(at(SATURDAY, "10:00"))


def test_closed_time_names_the_special_days_that_close_it() -> None:
    fair = special(SUNDAY, "10:00-12:00")
    table = timetable(WORKDAYS, closed(FRIDAY, name="Moving"), closed(SATURDAY, name="Cleaning"), fair)
    found = list(table.closed_spans(Interval(at(FRIDAY - DAY, "17:00"), at(SUNDAY, "11:00"))))
    assert clock([span for span, _ in found]) == [
        "Thu 18:00-Fri 00:00",
        "Fri 00:00-Sat 00:00",
        "Sat 00:00-Sun 00:00",
        "Sun 00:00-Sun 10:00",
    ]
    assert [name for _, name in found] == ["", "Moving", "Cleaning", ""]


def test_days_closed_by_one_name_are_one_closed_span() -> None:
    table = timetable({}, closed(FRIDAY), closed(SATURDAY, until=SUNDAY))
    assert list(table.closed_spans(whole(MONDAY, days=14))) == [(whole(FRIDAY, days=3), "Holiday")]


def test_closed_by_names_no_days_with_hours() -> None:
    table = timetable(WORKDAYS, special(MONDAY, "10:00-11:00"), closed(FRIDAY))
    assert table.closed_by(at(MONDAY, "09:00")) is None
    assert table.closed_by(at(SATURDAY, "09:00")) is None
    assert table.closed_by(at(FRIDAY, "09:00")) == closed(FRIDAY)


def test_the_next_open_moment_is_at_or_after_the_one_asked_and_before_until() -> None:
    table = timetable(WORKDAYS)
    opening = at(SUNDAY + DAY, "09:00")
    assert table.next_open(at(FRIDAY, "18:00"), until=opening + DAY) == opening
    assert table.next_open(at(FRIDAY, "18:00"), until=opening) is None
    assert table.next_open(at(FRIDAY, "17:00"), until=opening) == at(FRIDAY, "17:00")
    assert table.next_open(opening, until=opening) is None
    assert timetable({}, closed(MONDAY, until=SUNDAY)).next_open(at(MONDAY), until=at(SUNDAY)) is None


@pytest.mark.parametrize(
    ("day", "starts"), [pytest.param(SPRING, 23, id="spring"), pytest.param(AUTUMN, 25, id="autumn")]
)
@pytest.mark.parametrize(
    "table",
    [
        pytest.param(timetable({}), id="no hours"),
        pytest.param(timetable({}, closed(MONDAY)), id="no hours but a special day"),
        pytest.param(timetable(WHOLE_WEEK), id="the whole day"),
        pytest.param(timetable({7: hours("00:00-00:00")}), id="the whole day alone"),
        pytest.param(timetable({7: hours("00:00-12:00", "12:00-00:00")}), id="two halves"),
    ],
)
def test_a_day_open_all_day_has_23_or_25_hours_when_clocks_change(table: Timetable, day: date, starts: int) -> None:
    assert list(table.open_spans(whole(day))) == [whole(day)]
    found = list(table.starts(whole(day), 60))
    assert found == [at(day) + hour * HOUR for hour in range(starts)]
    assert all(table.on_grid(moment, 60, as_end=False) for moment in found)
    assert all(table.on_grid(moment + HOUR, 60, as_end=True) for moment in found)


@pytest.mark.parametrize(
    ("day", "text", "expected"),
    [
        pytest.param(SPRING, "02:30-06:00", (at(SPRING, "03:00"), at(SPRING, "06:00")), id="opens in a missing hour"),
        pytest.param(SPRING, "01:00-02:30", (at(SPRING, "01:00"), at(SPRING, "03:00")), id="closes in a missing hour"),
        pytest.param(SPRING, "02:10-02:50", None, id="lies in the missing hour"),
        pytest.param(SPRING, "02:00-03:00", None, id="is the missing hour"),
        pytest.param(AUTUMN, "02:30-06:00", (at(AUTUMN, "02:30"), at(AUTUMN, "06:00")), id="opens in the doubled hour"),
        pytest.param(
            AUTUMN, "01:00-02:30", (at(AUTUMN, "01:00"), at(AUTUMN, "02:30", fold=1)), id="closes in the doubled hour"
        ),
        pytest.param(
            AUTUMN, "02:10-02:50", (at(AUTUMN, "02:10"), at(AUTUMN, "02:50", fold=1)), id="lies in the doubled hour"
        ),
        pytest.param(
            AUTUMN - DAY,
            "22:00-02:00",
            (at(AUTUMN - DAY, "22:00"), at(AUTUMN, "02:00", fold=1)),
            id="closes in the doubled hour of the next day",
        ),
    ],
)
def test_hours_in_the_night_when_clocks_change(day: date, text: str, expected: tuple | None) -> None:
    found = list(timetable({day.isoweekday(): hours(text)}).open_spans(whole(day, days=2)))
    assert found == ([Interval(*expected)] if expected else [])


def test_a_day_that_a_zone_leaves_out_has_no_open_time() -> None:
    # Samoa went from 29 to 31 December 2011.
    apia = ZoneInfo("Pacific/Apia")
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    window = Interval(change - DAY, change + DAY)
    around = [closed(date(2011, 12, day), name=str(day)) for day in (29, 31)]
    assert list(timetable({5: hours("09:00-17:00", "00:00-00:00")}, *around, zone=apia).open_spans(window)) == []
    table = timetable({}, *around, zone=apia)
    assert list(table.open_spans(window)) == []
    assert list(table.starts(window, 60)) == []
    assert list(table.closed_spans(window)) == [
        (Interval(window.start, change), "29"),
        (Interval(change, window.end), "31"),
    ]


@pytest.mark.parametrize(
    ("moment", "minutes", "as_start", "as_end"),
    [
        pytest.param(at(MONDAY, "09:15"), 45, True, True, id="the opening itself"),
        pytest.param(at(MONDAY, "10:00"), 45, True, True, id="a step later"),
        pytest.param(at(MONDAY, "10:15"), 45, False, False, id="not a step later"),
        pytest.param(at(MONDAY, "10:00") + timedelta(seconds=1), 45, False, False, id="a second later"),
        pytest.param(at(MONDAY, "10:00") + timedelta(microseconds=1), 45, False, False, id="a microsecond later"),
        pytest.param(at(MONDAY, "14:00"), 45, False, False, id="the opening of the second period"),
        pytest.param(at(MONDAY, "14:30"), 45, True, True, id="in the second period, from the first opening"),
        pytest.param(at(MONDAY, "08:30"), 45, True, True, id="closed, from the first opening of the day"),
        pytest.param(at(SATURDAY, "00:45"), 45, True, True, id="a day without hours, from midnight"),
        pytest.param(at(FRIDAY + DAY, "09:15"), 45, False, False, id="a day without hours, not as on other days"),
    ],
)
def test_the_grid_counts_from_the_first_opening(moment: datetime, minutes: int, as_start: bool, as_end: bool) -> None:
    table = timetable({1: hours("09:15-12:00", "14:00-18:00")})
    assert table.on_grid(moment, minutes, as_end=False) is as_start
    assert table.on_grid(moment, minutes, as_end=True) is as_end


def test_the_grid_of_late_hours_counts_on_past_midnight() -> None:
    table = timetable({5: hours("22:20-02:00"), 6: hours("02:00-04:00")})
    window = Interval(at(FRIDAY, "20:00"), at(SATURDAY, "12:00"))
    found = [f"{moment.astimezone(BERLIN):%H:%M}" for moment in table.starts(window, 60)]
    assert found == ["22:20", "23:20", "00:20", "01:20", "02:00", "03:00"]
    # As a close, 02:00 belongs to Friday's grid; as an opening, to Saturday's.
    assert table.on_grid(at(SATURDAY, "02:00"), 60, as_end=False)
    assert not table.on_grid(at(SATURDAY, "02:00"), 60, as_end=True)


def test_where_the_hours_of_two_days_overlap_each_grid_suffices() -> None:
    table = timetable({5: hours("22:30-02:00"), 6: hours("00:00-04:00")})
    night = Interval(at(SATURDAY), at(SATURDAY, "04:00"))
    found = [f"{moment.astimezone(BERLIN):%H:%M}" for moment in table.starts(night, 60)]
    assert found == ["00:00", "00:30", "01:00", "01:30", "02:00", "03:00"]
    assert table.on_grid(at(SATURDAY, "01:30"), 60, as_end=True)
    assert not table.on_grid(at(SATURDAY, "02:30"), 60, as_end=True)


def test_the_grid_counts_from_the_opening_that_the_missing_hour_left() -> None:
    table = timetable({7: hours("02:30-06:00")})
    night = whole(SPRING)
    assert [f"{moment.astimezone(BERLIN):%H:%M}" for moment in table.starts(night, 60)] == ["03:00", "04:00", "05:00"]
    assert not table.on_grid(at(SPRING, "03:30"), 60, as_end=False)


def test_the_nearest_moments_on_the_grid_are_open_and_around_the_one_asked() -> None:
    table = timetable(WORKDAYS)
    close, opening = at(FRIDAY, "18:00"), at(SUNDAY + DAY, "09:00")
    asked = at(FRIDAY, "10:10")
    assert table.nearest_on_grid(asked, 30, as_end=False) == [at(FRIDAY, "10:00"), at(FRIDAY, "10:30")]
    assert table.nearest_on_grid(asked, 30, as_end=True) == [at(FRIDAY, "10:00"), at(FRIDAY, "10:30")]
    assert table.nearest_on_grid(at(SATURDAY, "10:10"), 30, as_end=False) == [close - 30 * MINUTE, opening]
    assert table.nearest_on_grid(at(SATURDAY, "10:10"), 30, as_end=True) == [close, opening + 30 * MINUTE]
    assert table.nearest_on_grid(at(FRIDAY, "10:00"), 30, as_end=False) == [at(FRIDAY, "09:30"), at(FRIDAY, "10:30")]


def test_the_nearest_moments_are_at_most_a_week_away() -> None:
    table = timetable(WORKDAYS, closed(MONDAY, until=date(2026, 6, 30)))
    assert table.nearest_on_grid(at(date(2026, 6, 3)), 30, as_end=False) == [at(MONDAY - 3 * DAY, "17:30")]
    assert table.nearest_on_grid(at(date(2026, 6, 28)), 30, as_end=False) == [at(date(2026, 7, 1), "09:00")]
    assert table.nearest_on_grid(at(date(2026, 6, 15)), 30, as_end=False) == []


def test_answers_are_in_utc_whatever_the_zone_of_the_question() -> None:
    local = Interval(at(MONDAY, "10:00").astimezone(BERLIN), at(MONDAY, "14:00").astimezone(BERLIN))
    for table in (timetable({}), timetable(WORKDAYS)):
        moments = [moment for span in table.open_spans(local) for moment in (span.start, span.end)]
        moments += [moment for span, _ in table.closed_spans(local) for moment in (span.start, span.end)]
        moments += [table.next_open(local.start, until=local.end), *table.starts(local, 30)]
        assert {moment.tzinfo for moment in moments} == {UTC}
    assert timetable({1: hours("11:00-12:00")}).first_closed(local).tzinfo is UTC


def test_an_empty_window_has_no_time_of_any_kind() -> None:
    moment = at(MONDAY, "10:00")
    for table in (timetable({}), timetable(WORKDAYS), timetable({}, closed(FRIDAY))):
        for window in (Interval(moment, moment), Interval(moment, moment - DAY)):
            assert list(table.open_spans(window)) == []
            assert list(table.closed_spans(window)) == []
            assert list(table.starts(window, 5)) == []


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Amsterdam"])
@pytest.mark.parametrize(
    "moment",
    [datetime(1, 1, 2, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)],
    ids=["the first year", "1900", "the last year"],
)
def test_no_moment_leads_out_of_the_calendar(moment: datetime, zone: str) -> None:
    forever = closed(date.min, until=date.max)
    for table in (
        timetable({}, zone=ZoneInfo(zone)),
        timetable(FRIDAY_NIGHT, zone=ZoneInfo(zone)),
        timetable({}, closed(MONDAY), zone=ZoneInfo(zone)),
        timetable(WORKDAYS, forever, zone=ZoneInfo(zone)),
    ):
        for window in (Interval(moment, moment), Interval(moment, moment + 12 * HOUR)):
            list(islice(table.open_spans(window), 3))
            list(islice(table.starts(window, 60), 3))
            table.first_closed(window)
        for as_end in (False, True):
            table.on_grid(moment, 60, as_end=as_end)
            table.nearest_on_grid(moment, 60, as_end=as_end)
        table.is_open_at(moment)
        table.is_open_until(moment)
        table.closed_by(moment)
        table.next_open(moment, until=moment)


TIMES = st.one_of(
    st.sampled_from([time(0), time(1), time(1, 30), time(2), time(2, 30), time(3), time(9), time(18), time(22)]),
    st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 20, 45])),
)
PERIODS = st.lists(st.one_of(st.builds(Period, TIMES, TIMES), st.just(Period(time.min, time.min))), max_size=3).map(
    tuple
)


@st.composite
def houses(draw: st.DrawFn) -> tuple[str, datetime, dict[int, tuple[Period, ...]], list[SpecialDays]]:
    """A zone, a night, weekly hours and special days around the night."""
    zone, change = NIGHTS[draw(st.sampled_from(sorted(NIGHTS)))]
    week = draw(st.one_of(st.just({}), st.fixed_dictionaries(dict.fromkeys(DAYS, PERIODS))))
    days = []
    for _ in range(draw(st.integers(0, 4))):
        first = (change + draw(st.integers(-3, 3)) * DAY).date()
        last = first + draw(st.integers(0, 3)) * DAY
        periods = draw(st.one_of(st.just(()), PERIODS))
        days.append(SpecialDays(first, last, draw(st.sampled_from("ABC")), periods, draw(st.booleans())))
    return zone, change, week, days


HOUSES = houses()
# Minutes from the change of the clock.
STARTS, LENGTHS = st.integers(-2000, 1500), st.integers(1, 3000)


@many
@given(house=HOUSES, start=STARTS, length=LENGTHS)
def test_open_and_closed_time_are_those_of_the_judge(house: tuple, start: int, length: int) -> None:
    zone, change, week, days = house
    table = Timetable(ZoneInfo(zone), week, days)
    window = Interval(change + start * MINUTE, change + (start + length) * MINUTE)
    judge = OpenTime(window.start, window.end, zone, week, days)

    spans = judge.open_spans()
    assert [(span.start, span.end) for span in table.open_spans(window)] == spans
    assert [(span.start, span.end, name) for span, name in table.closed_spans(window)] == judge.closed_spans()
    assert table.next_open(window.start, until=window.end) == (spans[0][0] if spans else None)
    gaps = judge.closed_spans()
    assert table.first_closed(window) == (gaps[0][0] if gaps else None)


@many
@given(house=HOUSES, start=STARTS, step=st.sampled_from(STEPS))
def test_the_moments_are_those_of_the_judge(house: tuple, start: int, step: int) -> None:
    zone, change, week, days = house
    table = Timetable(ZoneInfo(zone), week, days)
    window = Interval(change + start * MINUTE, change + start * MINUTE + DAY)
    judge = OpenTime(window.start, window.end, zone, week, days)

    assert list(table.starts(window, step)) == judge.grid(step, as_end=False)
    for number in range(0, 1440, 5):
        minute = window.start + number * MINUTE
        assert table.is_open_at(minute) == (minute in judge.open)
        assert table.is_open_until(minute) == (minute in judge.ends)
        for as_end in (False, True):
            assert table.on_grid(minute, step, as_end=as_end) == judge.on_grid(minute, step, as_end=as_end), minute
            assert not table.on_grid(minute + timedelta(seconds=1), step, as_end=as_end)
        if minute not in judge.open:
            governing = judge.governing(judge.local[minute].date())
            assert table.closed_by(minute) == (governing if governing and not governing.periods else None)
        else:
            assert table.closed_by(minute) is None


@many
@given(house=HOUSES, start=STARTS, step=st.sampled_from(STEPS), as_end=st.booleans())
def test_the_nearest_moments_are_those_of_the_judge(house: tuple, start: int, step: int, as_end: bool) -> None:
    zone, change, week, days = house
    table = Timetable(ZoneInfo(zone), week, days)
    moment = change + start * MINUTE
    # A week would take long; two days leave few examples without a neighbour.
    judge = OpenTime(moment - 2 * DAY, moment + 2 * DAY, zone, week, days)

    moments = judge.grid(step, as_end=as_end)
    before, after = [m for m in moments if m < moment][-1:], [m for m in moments if m > moment][:1]
    found = table.nearest_on_grid(moment, step, as_end=as_end)
    assert [m for m in found if judge.start <= m < judge.end] == before + after
