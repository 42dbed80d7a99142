"""The numbers of a report, judged minute by minute around nights on which clocks change."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from core.models import Booking
from core.record.acts import Act
from core.record.kinds import Channel, EventKind
from core.record.writing import record
from core.reports.cells import By, Days
from core.reports.measures import LATE
from core.reports.utilisation import Asked, report_of
from core.tests.support.factories import make_booking
from core.tests.support.judge import World
from core.tests.support.open_time import OpenTime
from core.tests.support.oracle import MINUTE, minutes, taken_minutes
from core.tests.support.properties import NIGHTS, several
from core.tests.support.worlds import Cast, made, worlds

DAY = timedelta(days=1)
NAMES = ("open_minutes", "booked_minutes", "pending_minutes", "cancelled_late_minutes", "outside_open_minutes")


@pytest.fixture
def cast(alice: User, bob: User) -> Cast:
    return Cast(alice, bob)


def key_of(by: By, local: datetime) -> Any:
    """The line to which a minute belongs, by its local time."""
    if by == By.WEEKDAY:
        return local.isoweekday()
    if by == By.HOUR:
        return local.hour
    return f"{local:%G-W%V}" if by == By.WEEK else "all"


def judged(
    world: World, first: date, last: date, by: By, cancelled: list[tuple[datetime, datetime]]
) -> dict[Any, dict]:
    """The numbers of each line that has any, from single minutes alone."""
    zone = ZoneInfo(world.zone)
    start = datetime.combine(first, time.min, UTC) - DAY
    end = datetime.combine(last, time.min, UTC) + 3 * DAY
    opened = OpenTime(start, end, world.zone, world.week, world.special)
    here = [row for row in world.rows if not row.elsewhere]
    closed = taken_minutes((row.start, row.end) for row in here if row.owner is None)
    booked = [row for row in here if row.owner is not None]
    pending = taken_minutes((row.start, row.end) for row in booked if row.start.minute % 2)
    confirmed = taken_minutes((row.start, row.end) for row in booked if not row.start.minute % 2)
    late = Counter(minute for span in cancelled for minute in minutes(*span))
    found: dict[Any, dict] = {}
    for minute in minutes(start, end):
        local = minute.astimezone(zone)
        if not first <= local.date() <= last:
            continue
        line = found.setdefault(key_of(by, local), dict.fromkeys(NAMES, 0))
        if minute in opened.open and minute not in closed:
            line["open_minutes"] += 1
            line["booked_minutes"] += minute in confirmed
            line["pending_minutes"] += minute in pending
            line["cancelled_late_minutes"] += late[minute]
        else:
            line["outside_open_minutes"] += minute in confirmed
    return {key: line for key, line in found.items() if any(line.values())}


@several
@given(data=st.data(), night=st.sampled_from(sorted(NIGHTS)), by=st.sampled_from(list(By)))
def test_the_numbers_are_those_of_single_minutes(cast: Cast, data: st.DataObject, night: str, by: By) -> None:
    world = data.draw(worlds(night=NIGHTS[night]))
    middle = NIGHTS[night][1].astimezone(ZoneInfo(world.zone)).date()
    first = middle + data.draw(st.integers(-2, 1)) * DAY
    last = max(first, middle) + data.draw(st.integers(0, 2)) * DAY
    lengths = st.tuples(st.integers(-3000, 3000), st.integers(1, 900), st.booleans())
    with made(world, cast) as resource:
        cancelled = []
        for after, length, is_late in data.draw(st.lists(lengths, max_size=3)):
            start = NIGHTS[night][1] + after * MINUTE
            before = make_booking(cast.me, resource, start, start + length * MINUTE, status="rejected")
            booking = Booking.objects.get(pk=before.pk)
            booking.status = "cancelled"
            booking.save(update_fields=["status"])
            act = Act(cast.me, start - (LATE - MINUTE if is_late else LATE), Channel.API)
            record(act, EventKind.CANCELLED, before=before, after=booking)
            cancelled += [(booking.start_time, booking.end_time)] if is_late else []
        report = report_of(Asked(Days(first, last), by, resource_ids=[resource.pk]))
        found = {
            next((line.about[name] for name in ("weekday", "hour", "week") if name in line.about), "all"): line.measures
            for line in report.lines
        }
        shares = {key: line.pop("share") for key, line in found.items()}
        assert {key: line for key, line in found.items() if any(line.values())} == judged(
            world, first, last, by, cancelled
        )
        assert report.total.measures["open_minutes"] == sum(line["open_minutes"] for line in found.values())
        for key, line in found.items():
            opened = line["open_minutes"]
            assert shares[key] == (round(line["booked_minutes"] / opened, 4) if opened else None)
