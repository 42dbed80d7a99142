"""Made-up series in made-up worlds: near what is booked, at the hours that clocks skip and repeat, by any zone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from core.lifecycle import Repeat
from core.recurrence import Rule
from core.tests.support.judge import Row, World
from core.tests.support.properties import MINUTE, ZONES
from core.tests.support.worlds import GAPS, worlds

DAY = timedelta(days=1)
# So many series are tried in one world.
TRIES = 4
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LENGTHS = st.one_of(st.sampled_from([15, 30, 60, 60, 90, 240, 1440]), st.integers(1, 700))


@st.composite
def worlds_of_series(draw: st.DrawFn) -> tuple[World, list[Repeat]]:
    """A world, often one that is open day and night, and some series that somebody may want in it."""
    world = draw(worlds())
    if draw(st.booleans()):
        strict = {"min_minutes", "max_minutes", "grid_minutes", "notice_minutes", "advance_days"}
        policy = {name: value for name, value in world.policy.items() if name not in strict}
        world = replace(world, week={}, special=[], policy=policy, in_service=True)
    wanted = [draw(repeats(world)) for _ in range(TRIES)]
    for repeat in wanted:
        world = draw(crowded(world, repeat))
    return world, wanted


@st.composite
def repeats(draw: st.DrawFn, world: World) -> Repeat:
    """A series of a few dates that begins near the moment of a world or near one of its bookings."""
    zone_name = draw(st.sampled_from([None, None, *ZONES]))
    zone = ZoneInfo(zone_name or world.zone)
    lead = draw(st.sampled_from([0, world.lead_minutes, world.policy.get("notice_minutes", 0)])) * MINUTE
    edges = [world.now + lead, *(row.start for row in world.rows)]
    near = draw(st.sampled_from(edges)) + draw(st.integers(-8, 60)) * draw(st.sampled_from([1, 15, 60])) * MINUTE
    local = near.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None, fold=0)
    start = local - timedelta(minutes=local.minute % draw(st.sampled_from([1, 15, 30, 60])))
    length = draw(LENGTHS) * MINUTE
    exdates, rdates = (
        tuple(start + days * DAY + shift * MINUTE for days, shift in found)
        for found in (
            draw(st.lists(st.tuples(st.integers(1, 6), st.just(0)), max_size=1)),
            draw(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0, 0, 90, 600])), max_size=1)),
        )
    )
    rule = Rule.parse(draw(rules_from(start)))
    return Repeat(rule, start, start + length, time_zone=zone_name, exdates=exdates, rdates=rdates)


@st.composite
def rules_from(draw: st.DrawFn, start: datetime) -> str:
    """A rule with a date at the start."""
    count = draw(st.integers(2, 9))
    kind = draw(st.sampled_from(["DAILY", "DAILY", "DAILY", "WEEKLY", "UNTIL"]))
    if kind == "WEEKLY":
        others = draw(st.lists(st.sampled_from(WEEKDAYS), max_size=4))
        days = sorted({WEEKDAYS[start.weekday()], *others}, key=WEEKDAYS.index)
        return f"FREQ=WEEKLY;COUNT={count};BYDAY={','.join(days)}"
    if kind == "UNTIL":
        return f"FREQ=DAILY;UNTIL={start + count * DAY:%Y%m%d}"
    return f"FREQ=DAILY;INTERVAL={draw(st.sampled_from([1, 1, 1, 2, 3]))};COUNT={count}"


@st.composite
def crowded(draw: st.DrawFn, world: World, repeat: Repeat) -> World:
    """The world with further bookings and closures near the dates of a series."""
    zone = ZoneInfo(repeat.time_zone or world.zone)
    first = repeat.start.replace(tzinfo=zone).astimezone(UTC)
    found = list(world.rows)
    for _ in range(draw(st.integers(0, 3))):
        start = first + draw(st.integers(-1, 9)) * DAY + draw(st.integers(-40, 40)) * 10 * MINUTE
        end = start + draw(st.sampled_from([10, 30, 60, 60, 240, 2000])) * MINUTE
        elsewhere = draw(st.sampled_from([False, False, True]))
        owner = "me" if elsewhere else draw(st.sampled_from(["another", "another", "me", None]))
        gaps = (draw(GAPS), draw(GAPS)) if owner and not elsewhere else (0, 0)
        row = Row(start, end, owner, *gaps, elsewhere=elsewhere)
        if is_apart(row, found):
            found.append(row)
    return replace(world, rows=found)


def is_apart(row: Row, rows: Sequence[Row]) -> bool:
    """True if a row overlaps none of the same resource."""
    return not any(other.elsewhere == row.elsewhere and other.overlaps(row.start, row.end) for other in rows)
