"""The dates of a series: each by the local clock, none but those of its rule; no database."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest

from core import errors
from core.intervals import Interval
from core.recurrence import Dates, Pattern, Rule, counted_before, days, expand, slot_at

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
NEW_YORK = ZoneInfo("America/New_York")
HOUR = timedelta(hours=1)
# As if now were 26 November 2026.
HORIZON = datetime(2031, 11, 26, tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def locals_of(*texts: str) -> tuple[datetime, ...]:
    return tuple(map(local, texts))


def expanded(
    rule: str,
    start: str,
    *,
    zone: ZoneInfo = BERLIN,
    length: timedelta = HOUR,
    exdates: tuple[str, ...] = (),
    rdates: tuple[str, ...] = (),
    until: datetime = HORIZON,
) -> Dates:
    first = local(start)
    pattern = Pattern(Rule.parse(rule), first, first + length, zone, locals_of(*exdates), locals_of(*rdates))
    return expand(pattern, until=until)


def starts(rule: str, start: str, **others: object) -> list[str]:
    """The local starts, such as ``Mon 2027-01-04 09:00``."""
    return [f"{each.start:%a %Y-%m-%d %H:%M}" for each in expanded(rule, start, **others).dates]


def days_of_month(rule: str, start: str, **others: object) -> list[tuple[int, int]]:
    """The months and days of the dates."""
    return [(each.start.month, each.start.day) for each in expanded(rule, start, **others).dates]


class TestTheLocalClock:
    def test_52_mondays_are_at_nine_each_and_two_gaps_are_an_hour_off(self) -> None:
        found = expanded("FREQ=WEEKLY;COUNT=52", "2027-01-04T09:00").dates

        assert len(found) == 52
        assert {f"{each.slot.start.astimezone(BERLIN):%a %H:%M}" for each in found} == {"Mon 09:00"}
        gaps = [(after.slot.start - before.slot.start) // HOUR for before, after in zip(found, found[1:], strict=False)]
        assert sorted(gaps) == [167, *[168] * 49, 169]

    def test_a_date_in_the_missing_hour_is_left_out_and_reported(self) -> None:
        found = expanded("FREQ=DAILY;UNTIL=20270331", "2027-03-25T02:30")

        assert [each.start.day for each in found.dates] == [25, 26, 27, 29, 30, 31]
        assert found.missing == locals_of("2027-03-28T02:30")

    def test_count_counts_dates_that_exist(self) -> None:
        found = expanded("FREQ=DAILY;COUNT=10", "2027-03-25T02:30")

        assert [each.start.day for each in found.dates] == [25, 26, 27, 29, 30, 31, 1, 2, 3, 4]
        assert found.missing == locals_of("2027-03-28T02:30")

    def test_a_start_in_the_missing_hour_is_a_date_of_the_rule_and_left_out(self) -> None:
        found = expanded("FREQ=DAILY;COUNT=2", "2027-03-28T02:30")

        assert [each.start.day for each in found.dates] == [29, 30]
        assert found.missing == locals_of("2027-03-28T02:30")

    def test_in_the_doubled_hour_the_first_is_meant(self) -> None:
        (found,) = expanded("FREQ=DAILY;COUNT=1", "2027-10-31T02:30").dates

        assert found.slot == Interval(local("2027-10-31T00:30+00:00"), local("2027-10-31T02:30+00:00"))
        assert [bound.tzinfo for bound in (found.slot.start, found.slot.end)] == [UTC, UTC]

    def test_half_an_hour_is_missing_and_doubled_on_lord_howe(self) -> None:
        spring = expanded("FREQ=DAILY;COUNT=3", "2027-10-02T02:15", zone=LORD_HOWE)
        autumn = expanded("FREQ=DAILY;COUNT=3", "2027-04-03T01:45", zone=LORD_HOWE).dates

        assert [each.start.day for each in spring.dates] == [2, 4, 5]
        assert spring.missing == locals_of("2027-10-03T02:15")
        assert [f"{each.slot.start:%d %H:%M}" for each in autumn] == ["02 14:45", "03 14:45", "04 15:15"]

    @pytest.mark.parametrize(
        ("start", "length", "slot"),
        [
            ("2027-03-28T01:00", HOUR, ("2027-03-28T00:00", "2027-03-28T01:00")),
            ("2027-03-28T01:00", 1.5 * HOUR, ("2027-03-28T00:00", "2027-03-28T01:30")),
            ("2027-03-28T01:00", 3 * HOUR, ("2027-03-28T00:00", "2027-03-28T02:00")),
            ("2027-03-28T02:00", HOUR, None),
            ("2027-03-28T02:59", HOUR, None),
            ("2027-03-28T03:00", HOUR, ("2027-03-28T01:00", "2027-03-28T02:00")),
            ("2027-10-31T01:00", HOUR, ("2027-10-30T23:00", "2027-10-31T00:00")),
            ("2027-10-31T01:00", 1.5 * HOUR, ("2027-10-30T23:00", "2027-10-31T00:30")),
            ("2027-10-31T01:00", 2 * HOUR, ("2027-10-30T23:00", "2027-10-31T02:00")),
            ("2027-10-31T02:00", HOUR, ("2027-10-31T00:00", "2027-10-31T02:00")),
        ],
        ids=[
            "up to the gap",
            "an end in the gap",
            "around the gap",
            "in the gap",
            "at the end of the gap",
            "after the gap",
            "up to the doubled hour",
            "an end in the doubled hour",
            "up to the end of the doubled hour",
            "the doubled hour",
        ],
    )
    def test_start_and_end_are_wall_time(self, start: str, length: timedelta, slot: tuple[str, str] | None) -> None:
        expected = slot and Interval(*(local(bound).replace(tzinfo=UTC) for bound in slot))

        assert slot_at(local(start), length, BERLIN) == expected

    def test_the_second_of_two_times_is_taken_for_the_first(self) -> None:
        once, again = (slot_at(local("2027-10-31T02:30").replace(fold=fold), HOUR, BERLIN) for fold in (0, 1))

        assert once == again

    def test_seconds_and_their_fractions_stay(self) -> None:
        assert [each.start for each in expanded("FREQ=DAILY;COUNT=2", "2027-01-04T09:00:01.000002").dates] == [
            *locals_of("2027-01-04T09:00:01.000002", "2027-01-05T09:00:01.000002")
        ]


class TestTheDaysOfARule:
    def test_the_31st_comes_seven_times_a_year(self) -> None:
        assert days_of_month("FREQ=MONTHLY;UNTIL=20271231", "2027-01-31T09:00") == [
            (month, 31) for month in (1, 3, 5, 7, 8, 10, 12)
        ]

    def test_the_fifth_friday_comes_in_the_months_that_have_five(self) -> None:
        found = days_of_month("FREQ=MONTHLY;BYDAY=5FR;UNTIL=20271231", "2027-01-29T09:00")

        assert found == [(1, 29), (4, 30), (7, 30), (10, 29), (12, 31)]

    def test_the_last_friday_comes_every_month(self) -> None:
        found = days_of_month("FREQ=MONTHLY;BYDAY=-1FR;COUNT=12", "2027-01-29T09:00")

        assert [month for month, _ in found] == [*range(1, 13)]
        assert all(local(f"2027-{month:02}-{day}").weekday() == 4 and day > 21 for month, day in found)

    def test_the_last_working_day_of_every_month(self) -> None:
        found = days_of_month("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=5", "2027-01-29T09:00")

        assert found == [(1, 29), (2, 26), (3, 31), (4, 30), (5, 31)]

    def test_a_weekday_with_a_number_stands_beside_one_without(self) -> None:
        found = days_of_month("FREQ=MONTHLY;BYDAY=MO,1TU;COUNT=6", "2027-01-04T09:00")

        assert found == [(1, 4), (1, 5), (1, 11), (1, 18), (1, 25), (2, 1)]

    def test_a_place_in_the_first_week_counts_from_the_start_of_that_week(self) -> None:
        rule = "FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=2;COUNT=2"

        assert starts(rule, "2027-01-08T09:00") == ["Fri 2027-01-08 09:00", "Fri 2027-01-15 09:00"]
        with pytest.raises(errors.NotInRule):
            expanded("FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1;COUNT=2", "2027-01-08T09:00")

    def test_a_week_starts_on_the_day_of_wkst(self) -> None:
        monday = days_of_month("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;COUNT=4", "2027-01-05T09:00")
        sunday = days_of_month("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU;COUNT=4", "2027-01-05T09:00")

        assert monday == [(1, 5), (1, 10), (1, 19), (1, 24)]
        assert sunday == [(1, 5), (1, 17), (1, 19), (1, 31)]


class TestTheEnd:
    @pytest.mark.parametrize(
        ("until", "last"),
        [
            ("20270106", 6),
            ("20270106T090000", 6),
            ("20270106T085959", 5),
            ("20270106T080000Z", 6),
            ("20270106T075959Z", 5),
            ("20270105T235959Z", 5),
        ],
    )
    def test_until_is_decided_by_the_start_of_a_date(self, until: str, last: int) -> None:
        found = expanded(f"FREQ=DAILY;UNTIL={until}", "2027-01-04T09:00", length=12 * HOUR).dates

        assert found[-1].start == local(f"2027-01-0{last}T09:00")

    def test_a_moment_in_the_second_of_two_hours_ends_the_rule_after_the_first(self) -> None:
        # 01:10 UTC is the second 02:10 of this night.
        assert starts("FREQ=DAILY;UNTIL=20271031T011000Z", "2027-10-30T02:30")[-1] == "Sun 2027-10-31 02:30"
        assert starts("FREQ=DAILY;UNTIL=20271031T002959Z", "2027-10-30T02:30")[-1] == "Sat 2027-10-30 02:30"

    def test_until_in_utc_is_a_local_day(self) -> None:
        tokyo = ZoneInfo("Asia/Tokyo")

        assert len(starts("FREQ=DAILY;UNTIL=20270105T200000Z", "2027-01-04T05:00", zone=tokyo)) == 3

    def test_count_counts_excluded_dates(self) -> None:
        found = starts("FREQ=DAILY;COUNT=4", "2027-01-04T09:00", exdates=("2027-01-05T09:00", "2027-01-05T10:00"))

        assert found == ["Mon 2027-01-04 09:00", "Wed 2027-01-06 09:00", "Thu 2027-01-07 09:00"]

    def test_an_excluded_start_is_no_date(self) -> None:
        assert starts("FREQ=DAILY;COUNT=2", "2027-01-04T09:00", exdates=("2027-01-04T09:00",)) == [
            "Tue 2027-01-05 09:00"
        ]

    def test_an_excluded_date_in_the_missing_hour_is_not_reported(self) -> None:
        found = expanded("FREQ=DAILY;COUNT=4", "2027-03-27T02:30", exdates=("2027-03-28T02:30",))

        assert [each.start.day for each in found.dates] == [27, 29, 30, 31]
        assert found.missing == ()

    def test_added_dates_count_once_and_not_in_count(self) -> None:
        added = ("2027-01-05T09:00", "2027-02-01T10:00", "2027-02-01T10:00", "2027-01-01T08:00", "2027-03-28T02:30")

        found = expanded("FREQ=DAILY;COUNT=2", "2027-01-04T09:00", rdates=added)

        assert [each.start for each in found.dates] == [
            *locals_of("2027-01-01T08:00", "2027-01-04T09:00", "2027-01-05T09:00", "2027-02-01T10:00")
        ]
        assert {each.slot.duration for each in found.dates} == {HOUR}
        assert found.missing == locals_of("2027-03-28T02:30")

    def test_a_date_both_added_and_excluded_is_no_date(self) -> None:
        both = ("2027-02-01T10:00",)

        assert len(starts("FREQ=DAILY;COUNT=2", "2027-01-04T09:00", rdates=both, exdates=both)) == 2

    def test_the_dates_that_count_counts_before_another(self) -> None:
        pattern = Pattern(
            Rule.parse("FREQ=DAILY;COUNT=10"),
            *locals_of("2027-03-25T02:30", "2027-03-25T03:30"),
            BERLIN,
            exdates=locals_of("2027-03-26T02:30"),
            rdates=locals_of("2027-03-26T12:00"),
        )

        assert counted_before(pattern, local("2027-03-25T02:30")) == 0
        assert counted_before(pattern, local("2027-03-30T02:30")) == 4


class TestRefusals:
    @pytest.mark.parametrize(
        ("rule", "start"),
        [
            ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", "2027-01-04T09:00"),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20300101", "2027-01-04T09:00"),
            ("FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=5", "2027-01-05T09:00"),
            ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6;COUNT=5", "2027-01-04T09:00"),
            ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=5;COUNT=5", "2027-06-04T09:00"),
            ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31;COUNT=5", "2027-06-04T09:00"),
            ("FREQ=DAILY;UNTIL=20270103", "2027-01-04T09:00"),
            ("FREQ=DAILY;UNTIL=00010101T000000", "2027-01-04T09:00"),
            ("FREQ=DAILY;UNTIL=00010101T000000Z", "2027-01-04T09:00"),
        ],
    )
    def test_a_rule_without_a_date_is_refused_without_a_search(self, rule: str, start: str) -> None:
        with patch.object(days, "rrule") as search, pytest.raises(errors.NoOccurrence):
            expanded(rule, start)

        search.assert_not_called()

    def test_the_search_ends_at_the_last_date_before_the_horizon(self) -> None:
        search = days._searched

        def once(rule: Rule, start: date) -> Iterator[datetime]:
            yield from islice(search(rule, start), 1)
            pytest.fail("The search for the next date goes beyond the horizon.")

        with patch.object(days, "_searched", once), pytest.raises(errors.TooFarAhead):
            expanded("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=2", "2028-02-29T09:00")

    def test_the_look_for_the_last_day_stops_at_the_first_period_with_a_day(self) -> None:
        with patch.object(days, "_days_in", wraps=days._days_in) as looked:
            expanded("FREQ=DAILY;COUNT=5", "2027-01-04T09:00")
            assert looked.call_count == 1

            looked.reset_mock()
            expanded("FREQ=MONTHLY;BYMONTH=1;COUNT=5", "2027-01-04T09:00")
            assert looked.call_count == 11

    def test_a_rule_whose_dates_are_all_excluded_or_skipped_has_none(self) -> None:
        with pytest.raises(errors.NoOccurrence):
            expanded("FREQ=DAILY;COUNT=2", "2027-01-04T09:00", exdates=("2027-01-04T09:00", "2027-01-05T09:00"))
        with pytest.raises(errors.NoOccurrence):
            expanded("FREQ=DAILY;UNTIL=20270328", "2027-03-28T02:30")

    def test_a_start_that_the_rule_does_not_hit_is_refused(self) -> None:
        with pytest.raises(errors.NotInRule) as refused:
            expanded("FREQ=WEEKLY;BYDAY=TU;COUNT=5", "2027-01-04T09:00")

        assert refused.value.field == "start_time"

    def test_an_added_date_does_not_make_the_start_one_of_the_rule(self) -> None:
        with pytest.raises(errors.NotInRule):
            expanded("FREQ=WEEKLY;BYDAY=TU;COUNT=5", "2027-01-04T09:00", rdates=("2027-01-04T09:00",))
        with pytest.raises(errors.NotInRule):
            expanded("FREQ=DAILY;UNTIL=20270101", "2027-01-04T09:00", rdates=("2027-01-04T09:00",))

    def test_more_than_366_dates_are_too_many(self) -> None:
        assert len(expanded("FREQ=DAILY;COUNT=366", "2027-01-04T09:00").dates) == 366
        for rule, added in (
            ("FREQ=DAILY;COUNT=367", ()),
            ("FREQ=DAILY;COUNT=366", ("2027-01-04T10:00",)),
            ("FREQ=DAILY;COUNT=999999999", ()),
            ("FREQ=DAILY;UNTIL=99991231T235959Z", ()),
        ):
            with pytest.raises(errors.TooManyDates) as refused:
                expanded(rule, "2027-01-04T09:00", rdates=added)
            assert refused.value.facts() == {"limit": 366}

    def test_excluded_dates_are_not_too_many(self) -> None:
        assert len(expanded("FREQ=DAILY;COUNT=367", "2027-01-04T09:00", exdates=("2027-02-01T09:00",)).dates) == 366

    @pytest.mark.parametrize("end", ["COUNT=300", "UNTIL=20320101", "UNTIL=99991231T235959Z", "UNTIL=99991231"])
    def test_a_rule_that_reaches_beyond_the_horizon_is_refused(self, end: str) -> None:
        with pytest.raises(errors.TooFarAhead) as refused:
            expanded(f"FREQ=WEEKLY;{end}", "2027-01-04T09:00")

        assert (refused.value.code, refused.value.field, refused.value.facts()) == ("too_far_ahead", "rrule", {})
        assert "2031-11-25" in refused.value.message, "the horizon is 01:00 on the 26th in Berlin"

    def test_the_last_date_may_start_at_the_horizon(self) -> None:
        horizon = local("2027-01-06T08:00+00:00")

        assert len(expanded("FREQ=DAILY;COUNT=3", "2027-01-04T09:00", until=horizon).dates) == 3
        assert len(expanded("FREQ=DAILY;UNTIL=20270106", "2027-01-04T09:00", until=horizon).dates) == 3
        with pytest.raises(errors.TooFarAhead):
            expanded("FREQ=DAILY;COUNT=3", "2027-01-04T09:00", until=horizon - timedelta(microseconds=1))

    @pytest.mark.parametrize(
        ("start", "length", "rdates", "field"),
        [
            ("2031-12-24T09:00", HOUR, (), "end_time"),
            ("9999-12-31T22:00", HOUR, (), "end_time"),
            ("2027-01-04T09:00", timedelta(days=2000), (), "end_time"),
            ("2027-01-04T09:00", timedelta(days=2_900_000), (), "end_time"),
            ("2027-01-04T09:00", HOUR, ("9999-12-31T23:30",), "rdates"),
        ],
    )
    def test_a_date_beyond_the_horizon_is_refused(
        self, start: str, length: timedelta, rdates: tuple[str, ...], field: str
    ) -> None:
        with pytest.raises(errors.TooFarAhead) as refused:
            expanded("FREQ=YEARLY;COUNT=1", start, length=length, rdates=rdates, zone=NEW_YORK)

        assert refused.value.field == field

    def test_a_date_before_1900_is_refused(self) -> None:
        for start, added in (
            ("1899-12-31T23:59", ()),
            ("0001-01-01T00:00", ()),
            ("2027-01-04T09:00", ("0001-01-01T00:00",)),
        ):
            with pytest.raises(errors.TooLongAgo):
                expanded("FREQ=YEARLY;COUNT=1", start, rdates=added)

    @pytest.mark.parametrize("length", [timedelta(0), -HOUR])
    def test_an_end_that_is_not_after_the_start_is_refused(self, length: timedelta) -> None:
        with pytest.raises(errors.EndNotAfterStart):
            expanded("FREQ=DAILY;COUNT=1", "2027-01-04T09:00", length=length)
