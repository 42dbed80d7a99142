"""The dates of a series: each by the local clock, none but those of its rule; no database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.recurrence import Dates, Pattern, Rule, expand

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
