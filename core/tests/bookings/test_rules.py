"""The windows of the searches agree with the list of rules, at their edges and just outside."""

from datetime import datetime, timedelta

import pytest

from core import errors, rules
from core.intervals import Interval
from core.models import Resource
from core.tests.support.factories import at

MOMENT = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
CLOCKS = {
    "a whole minute": at(8),
    "a moment after a whole minute": at(8) + MOMENT,
    "half a minute": at(8) + timedelta(seconds=30),
    "a moment before a whole minute": at(8) + MINUTE - MOMENT,
}
ROOM = Resource(name="Blue room")
OUT_OF_SERVICE = Resource(name="Closed room", is_available=False)

at_each_clock = pytest.mark.parametrize("now", CLOCKS.values(), ids=CLOCKS.keys())


def both_edges(part: Interval) -> list[Interval]:
    return [Interval(part.start, part.start + MOMENT), Interval(part.end - MOMENT, part.end)]


@at_each_clock
def test_a_slot_in_the_offered_window_can_be_booked_up_to_both_edges(now: datetime) -> None:
    offered = rules.offered_window(now=now)
    assert all(rules.allow(slot, ROOM, now=now) for slot in (offered, *both_edges(offered)))


@at_each_clock
def test_a_slot_just_outside_the_offered_window_cannot_be_booked(now: datetime) -> None:
    exact, offered = rules.window(now=now), rules.offered_window(now=now)
    assert exact.start <= offered.start < exact.start + MINUTE, "only the rest of a minute is not offered"
    assert not rules.allow(Interval(exact.start - MOMENT, offered.end), ROOM, now=now)
    assert not rules.allow(Interval(offered.start, offered.end + MOMENT), ROOM, now=now)
    if offered != exact:
        assert not rules.allow(Interval(offered.start - MINUTE, offered.end), ROOM, now=now)


@at_each_clock
def test_an_offered_slot_stays_bookable_until_the_lead_time_of_its_minute(now: datetime) -> None:
    start = rules.offered_window(now=now).start
    slot = Interval(start, start + MINUTE)
    rest = start - rules.window(now=now).start
    assert rules.allow(slot, ROOM, now=now + rest)
    assert not rules.allow(slot, ROOM, now=now + rest + MOMENT)


@at_each_clock
@pytest.mark.parametrize("edge", ["before", "across the start", "inside", "across the end", "after"])
def test_the_bookable_part_of_a_span_can_be_booked_up_to_both_edges(now: datetime, edge: str) -> None:
    offered = rules.offered_window(now=now)
    hour = timedelta(hours=1)
    spans = {
        "before": Interval(offered.start - hour, offered.start),
        "across the start": Interval(offered.start - hour, offered.start + hour),
        "inside": Interval(offered.start + hour, offered.end - hour),
        "across the end": Interval(offered.end - hour, offered.end + hour),
        "after": Interval(offered.end, offered.end + hour),
    }
    part = rules.bookable_part(spans[edge], ROOM, now=now)
    if edge in ("before", "after"):
        assert part is None
        assert not rules.allow(spans[edge], ROOM, now=now)
    else:
        assert part is not None
        assert all(rules.allow(slot, ROOM, now=now) for slot in (part, *both_edges(part)))
        assert (part == spans[edge]) is rules.allow(spans[edge], ROOM, now=now)


@at_each_clock
def test_a_resource_out_of_service_has_no_bookable_part(now: datetime) -> None:
    offered = rules.offered_window(now=now)
    assert rules.bookable_part(offered, OUT_OF_SERVICE, now=now) is None
    assert not rules.allow(offered, OUT_OF_SERVICE, now=now)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(1, "at least 1 minute from now"), (2, "at least 2 minutes from now")],
    ids=["one minute", "two minutes"],
)
def test_a_start_within_the_lead_time_names_the_minutes(settings: object, minutes: int, said: str) -> None:
    settings.BOOKING_LEAD_TIME_MINUTES = minutes
    with pytest.raises(errors.StartTooSoon) as caught:
        rules.require(Interval(at(8), at(9)), ROOM, now=at(8))
    assert said in caught.value.message
