"""The arithmetic of free time, judged by brute force; no database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.availability import slots
from core.hours.grid import grid
from core.intervals import Interval
from core.tests.support import oracle
from core.tests.support.properties import MINUTE, NIGHTS, STEPS, ZONES, many, spans

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def as_interval(span: oracle.Span) -> Interval:
    return Interval(*span)


def pairs(intervals: list[Interval]) -> list[oracle.Span]:
    return [(interval.start, interval.end) for interval in intervals]


@many
@given(taken=spans(MONDAY), length=st.integers(1, 2000))
def test_busy_and_free_tile_the_window(taken: list[oracle.Span], length: int) -> None:
    window = Interval(MONDAY, MONDAY + length * MINUTE)
    busy = [part for part in (as_interval(span).clip(window) for span in taken) if part]
    free = list(window.subtract(busy))

    pieces = sorted(pairs([*busy, *free]))
    assert all(start < end for start, end in pieces)
    assert pieces[0][0] == window.start
    assert pieces[-1][1] == window.end
    assert all(before[1] == after[0] for before, after in zip(pieces, pieces[1:], strict=False))
    assert pairs(busy) == oracle.busy_spans(window.start, window.end, taken)
    assert pairs(free) == oracle.free_spans(window.start, window.end, taken)


@many
@given(
    start=st.integers(-2000, 2000),
    length=st.integers(1, 3000),
    step=st.sampled_from(STEPS),
    night=st.sampled_from(sorted(NIGHTS)),
)
def test_the_grid_is_what_the_local_clock_shows(start: int, length: int, step: int, night: str) -> None:
    zone, change = NIGHTS[night]
    window = Interval(change + start * MINUTE, change + (start + length) * MINUTE)
    found = list(grid(window, step=step, zone=ZoneInfo(zone)))
    assert found == oracle.grid(window.start, window.end, step=step, zone=zone)


@many
@given(
    taken=spans(MONDAY),
    length=st.integers(1, 3000),
    duration=st.one_of(st.sampled_from([1, 30, 60]), st.integers(1, 400)),
    step=st.sampled_from(STEPS),
    zone=st.sampled_from(ZONES),
)
def test_the_slots_are_all_that_are_free(
    taken: list[oracle.Span], length: int, duration: int, step: int, zone: str
) -> None:
    window = Interval(MONDAY, MONDAY + length * MINUTE)
    found = slots.slots(
        window, [as_interval(span) for span in taken], duration=duration * MINUTE, step=step, zone=ZoneInfo(zone)
    )
    assert pairs(list(found)) == oracle.slots(window.start, window.end, taken, duration=duration, step=step, zone=zone)


@pytest.mark.parametrize(
    ("night", "step", "clock"),
    [
        pytest.param("Berlin, an hour forward", 30, "00:00 00:30 01:00 01:30 03:00 03:30 04:00", id="missing hour"),
        pytest.param(
            "Berlin, an hour back",
            30,
            "00:00 00:30 01:00 01:30 02:00 02:30 02:00 02:30 03:00 03:30 04:00",
            id="doubled hour",
        ),
        pytest.param("New York, an hour forward", 60, "00:00 01:00 03:00 04:00", id="missing hour in New York"),
        pytest.param("New York, an hour back", 60, "00:00 01:00 01:00 02:00 03:00 04:00", id="doubled in New York"),
        pytest.param(
            "Lord Howe, half an hour forward", 15, "01:00 01:15 01:30 01:45 02:30 02:45 03:00", id="missing half hour"
        ),
        pytest.param(
            "Lord Howe, half an hour back",
            15,
            "01:00 01:15 01:30 01:45 01:30 01:45 02:00 02:15 02:30 02:45 03:00",
            id="doubled half hour",
        ),
        pytest.param("Beirut, at midnight forward", 60, "22:00 23:00 01:00 02:00 03:00", id="no midnight"),
        pytest.param("Havana, to midnight back", 60, "22:00 23:00 00:00 00:00 01:00 02:00", id="two midnights"),
        pytest.param(
            "Santiago, at midnight back", 60, "21:00 22:00 23:00 23:00 00:00 01:00", id="the last hour of a day doubled"
        ),
        pytest.param("Tokyo, never", 60, "22:00 23:00 00:00 01:00 02:00", id="no change at all"),
        pytest.param("Berlin, an hour forward", 420, "21:00 00:00 07:00", id="a step that divides no day"),
    ],
)
def test_the_night_when_clocks_change(night: str, step: int, clock: str) -> None:
    name, change = NIGHTS[night]
    zone = ZoneInfo(name)
    shown = clock.split()
    around = Interval(change - timedelta(hours=12), change + timedelta(hours=12))
    found = [moment.astimezone(zone).strftime("%H:%M") for moment in grid(around, step=step, zone=zone)]
    assert " ".join(shown) in " ".join(found)


@pytest.mark.parametrize(
    ("step", "times"),
    [
        pytest.param(420, ["00:00", "07:00", "14:00", "21:00"], id="seven hours"),
        pytest.param(1000, ["00:00", "16:40"], id="1000 minutes"),
        pytest.param(1440, ["00:00"], id="a day"),
    ],
)
def test_a_step_that_does_not_divide_the_day_begins_anew_at_each_midnight(step: int, times: list[str]) -> None:
    three_days = Interval(MONDAY, MONDAY + timedelta(days=3))
    found = [moment.strftime("%H:%M") for moment in grid(three_days, step=step, zone=ZoneInfo("UTC"))]
    assert found == times * 3


def test_seven_minutes_begin_anew_at_midnight() -> None:
    midnight = Interval(MONDAY - timedelta(minutes=10), MONDAY + timedelta(minutes=10))
    found = [moment.strftime("%H:%M") for moment in grid(midnight, step=7, zone=ZoneInfo("UTC"))]
    assert found == ["23:55", "00:00", "00:07"]


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        pytest.param([], [(0, 60)], id="nothing taken"),
        pytest.param([(0, 60)], [], id="the whole window"),
        pytest.param([(-10, 70)], [], id="more than the window"),
        pytest.param([(-10, 0)], [(0, 60)], id="ends at the start"),
        pytest.param([(60, 70)], [(0, 60)], id="starts at the end"),
        pytest.param([(-10, 10)], [(10, 60)], id="across the start"),
        pytest.param([(50, 70)], [(0, 50)], id="across the end"),
        pytest.param([(10, 20), (20, 30)], [(0, 10), (30, 60)], id="touching each other"),
        pytest.param([(10, 20), (21, 30)], [(0, 10), (20, 21), (30, 60)], id="a minute between"),
        pytest.param([(0, 10), (50, 60)], [(10, 50)], id="at both edges"),
    ],
)
def test_the_gaps_of_an_hour(taken: list, free: list) -> None:
    window = Interval(MONDAY, MONDAY + 60 * MINUTE)
    busy = [Interval(MONDAY + start * MINUTE, MONDAY + end * MINUTE) for start, end in taken]
    expected = [Interval(MONDAY + start * MINUTE, MONDAY + end * MINUTE) for start, end in free]
    assert list(window.subtract(busy)) == expected
