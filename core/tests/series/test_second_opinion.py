"""A stored series, exported date by date, is what another library makes of its rule, also where the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from django.contrib.auth.models import User

from core import lifecycle
from core.calendars.entries import entry_of, event_of, file_of, head_of_feed
from core.choices import Scope
from core.lifecycle import Changes, Repeat
from core.models import Booking, Resource, Series
from core.recurrence import Frequency, Rule
from core.tests.support.acts import act
from core.tests.support.factories import at
from core.tests.support.oracle import next_change

pytestmark = pytest.mark.django_db

NOW = at(0)
FAR = timedelta(days=1800)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# Each with an hour of the day.
RULES = [
    ("FREQ=WEEKLY;COUNT=12", 9),
    ("FREQ=DAILY;COUNT=40", 21),
    ("FREQ=DAILY;INTERVAL=3;COUNT=20", 4),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=40", 12),
    ("FREQ=MONTHLY;BYDAY=-1FR,1MO;BYSETPOS=1;COUNT=8", 8),
]


def spans_in(calendar: bytes) -> list[tuple[datetime, datetime]]:
    """The times of all events of a calendar, in order, as another library reads them."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(calendar)).between(NOW, NOW + FAR)
    return sorted((each["DTSTART"].dt.astimezone(UTC), each["DTEND"].dt.astimezone(UTC)) for each in found)


def exported(*series: Series) -> bytes:
    """The dates of series as a feed has them."""
    rows = Booking.objects.filter(series__in=series).select_related("user", "resource")
    events = [event_of(entry_of(row), invited=False).encode() for row in rows]
    return file_of(head_of_feed(name="Dates"), events)


def as_rule(series: Series) -> bytes:
    """The series as one event with a rule."""
    event = icalendar.Event()
    event.add("uid", "series")
    event.add("dtstamp", NOW)
    event.add("dtstart", series.start.replace(tzinfo=series.zone))
    event.add("dtend", (series.start + series.length).replace(tzinfo=series.zone))
    event.add("rrule", icalendar.vRecur.from_ical(series.rrule))
    for name, starts in (("exdate", series.exdates), ("rdate", series.rdates)):
        for each in starts:
            event.add(name, datetime.fromisoformat(each).replace(tzinfo=series.zone))
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//tests//")
    calendar.add_component(event)
    return calendar.to_ical()


def first_monday(local: datetime) -> datetime:
    """The first Monday of the month."""
    first = local.replace(day=1)
    return first + (-first.weekday() % 7) * DAY


@pytest.mark.parametrize(("rule", "hour"), RULES)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana"])
def test_the_dates_of_a_stored_series_are_those_of_its_rule(
    alice: User, room: Resource, zone: str, rule: str, hour: int
) -> None:
    change = next_change(zone, at(0, day=60))
    parsed = Rule.parse(rule)
    local = datetime.combine(change.astimezone(ZoneInfo(zone)).date(), time(hour))
    start = first_monday(local - 50 * DAY) if parsed.freq == Frequency.MONTHLY else local - 20 * DAY
    repeat = Repeat(parsed, start, start + HOUR / 2, time_zone=zone)
    made = lifecycle.book_series(user=alice, resource_id=room.pk, repeat=repeat, act=act(alice, NOW)).series
    assert made is not None
    spans = spans_in(exported(made))
    assert len(spans) == parsed.count
    assert spans == spans_in(as_rule(made))
    assert spans[0][0] < change < spans[-1][0]

    third = Booking.objects.filter(series=made).order_by("recurrence_id")[2]
    moved = Changes(start_time=third.start_time + HOUR, end_time=third.end_time + 2 * HOUR)
    changed = lifecycle.change_dates(third, scope=Scope.FOLLOWING, changes=moved, act=act(alice, NOW))
    first, second = Series.objects.order_by("pk")
    assert changed.series_id == second.pk
    for series in (first, second):
        assert spans_in(exported(series)) == spans_in(as_rule(series))
