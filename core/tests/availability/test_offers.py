"""Offers and refusals, judged by the text of the rules: what is offered can be booked, what is left out cannot.

Each example is a made-up world with several rules at once, in a night in which clocks change. All are asked at the
same moment: the verb, the searches, and the judge.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import assume, given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core import conflicts, lifecycle, quotas, rules
from core.availability import slots, timelines
from core.errors import BookingError, SlotTaken
from core.intervals import Interval
from core.models import Booking, Resource
from core.terms import attach_terms
from core.tests.support import oracle
from core.tests.support.acts import act
from core.tests.support.factories import booking_body, text
from core.tests.support.judge import Judge, World, ceiling, floor
from core.tests.support.oracle import Span, minutes
from core.tests.support.properties import MINUTE, ZONES, few, several
from core.tests.support.worlds import Cast, made, make, worlds

DAY = timedelta(days=1)
# So far ahead of the moment of a question the judge searches.
AHEAD = 3 * DAY
LENGTHS = st.one_of(st.sampled_from([15, 30, 60, 90]), st.integers(1, 700), st.integers(1000, 5000))
SHORT = st.one_of(st.sampled_from([15, 30, 60, 90]), st.integers(1, 700))


@pytest.fixture
def cast(alice: User, bob: User) -> Cast:
    return Cast(alice, bob)


def verdict(resource: Resource, person: User, slot: Span, now: datetime) -> str | None:
    """The code with which the verb refuses a booking; None if it accepts the booking."""
    try:
        lifecycle.book(
            user=person,
            resource_id=resource.pk,
            start_time=slot[0],
            end_time=slot[1],
            act=act(person, now),
            dry_run=True,
        )
    except BookingError as error:
        return error.code
    return None


def read(resource: Resource, now: datetime) -> Resource:
    """The resource as the views read it."""
    window = rules.offered_window(now=now)
    found: Resource = Resource.objects.with_house().with_next_free(window=window).get(pk=resource.pk)
    attach_terms([found], since=now)
    return found


def span(slot: Interval) -> Span:
    return slot.start, slot.end


@st.composite
def slots_near(draw: st.DrawFn, world: World, lengths: st.SearchStrategy[int] = LENGTHS) -> Span:
    """A slot near something that matters: a booking, the notice, the horizon, or the night itself."""
    edges = [world.now, *(moment for row in world.rows for moment in (row.start, row.end))]
    notice, days = world.policy.get("notice_minutes", world.lead_minutes), world.policy.get("advance_days", 2)
    edges += [world.now + notice * MINUTE, world.now + days * DAY]
    length = draw(lengths) * MINUTE
    near = draw(st.sampled_from(edges)) + draw(st.integers(-24, 24)) * draw(st.sampled_from([1, 15, 60])) * MINUTE
    start = near - draw(st.booleans()) * length
    step = draw(st.sampled_from([1, 5, 15, 60])) * MINUTE
    round_down = (start - datetime(2026, 1, 1, tzinfo=start.tzinfo)) % step
    odd = timedelta(seconds=draw(st.sampled_from([0] * 9 + [1, 30, 59])))
    return start - round_down + odd, start - round_down + odd + length


@several
@given(data=st.data())
def test_the_verb_gives_the_verdict_of_the_judge(cast: Cast, data: st.DataObject) -> None:
    world = data.draw(worlds())
    judge = Judge(world)
    with made(world, cast) as resource:
        for slot in data.draw(st.lists(slots_near(world), min_size=8, max_size=8)):
            assert verdict(resource, cast.me, slot, world.now) == judge.refusal(*slot), slot


@several
@given(data=st.data())
def test_slots_are_those_that_can_be_booked(cast: Cast, data: st.DataObject) -> None:
    world = data.draw(worlds())
    judge = Judge(world)
    start = floor(world.now) + data.draw(st.integers(-60, 2000)) * MINUTE
    window = Interval(start, start + data.draw(st.integers(60, 1600)) * MINUTE)
    duration = data.draw(SHORT) * MINUTE
    step = data.draw(st.sampled_from([None, None, 15, 30, 60]))
    zone = data.draw(st.sampled_from([None, None, "Asia/Kathmandu"]))

    with made(world, cast) as resource:
        here = read(resource, world.now)
        asked = {"duration": duration, "step": step, "zone": zone and ZoneInfo(zone), "now": world.now}
        may_have = quotas.check_of(cast.me, here, window, now=world.now)
        found = [span(slot) for slot in slots.bookable_slots(here, window, **asked) if may_have(slot)]

        moments = grid_of(judge, window, step, zone)
        wanted = [(moment, moment + duration) for moment in moments if moment + duration <= window.end]
        assert found == [slot for slot in wanted if judge.accepts(*slot)]
        for slot in some(wanted):
            assert (verdict(resource, cast.me, slot, world.now) is None) == (slot in found), slot


def grid_of(judge: Judge, window: Interval, step: int | None, zone: str | None) -> list[datetime]:
    """The grid of the question: of the policy in the zone of the resource, else from midnight."""
    own = judge.policy.get("grid_minutes")
    if zone is not None or own is None:
        ask = {"step": step or own or 30, "zone": zone or judge.world.zone}
        return oracle.grid(ceiling(window.start), window.end, **ask)
    inside = minutes(ceiling(window.start), window.end)
    return [
        moment
        for moment in inside
        if judge.is_open(moment) and judge.walk(moment).open_time.on_grid(moment, step or own, as_end=False)
    ]


def some(slots: list[Span], *, most: int = 8) -> Iterable[Span]:
    """The first and the last of the slots and some between."""
    return slots[:: max(1, len(slots) // most)] + slots[-1:]


@several
@given(world=worlds())
def test_next_free_is_the_first_start_of_any_booking(cast: Cast, world: World) -> None:
    judge_next_free(world, cast)


@several
@given(data=st.data())
def test_free_spans_have_all_bookings_and_begin_with_one(cast: Cast, data: st.DataObject) -> None:
    judge_free(data.draw(worlds()), cast, data)


@few
@given(data=st.data())
def test_both_hold_for_loans_over_closed_time(cast: Cast, data: st.DataObject) -> None:
    world = data.draw(worlds(loans=True))
    judge_next_free(world, cast)
    judge_free(world, cast, data)


def judge_next_free(world: World, cast: Cast) -> None:
    judge = Judge(world)
    with made(world, cast) as resource:
        here = read(resource, world.now)
        found = {here.pk: here.next_free, **timelines.next_free([here], now=world.now)}[here.pk]
        if found is None or found > world.now + AHEAD:
            assert judge.first_possible(world.now, world.now + AHEAD) is None
        else:
            assert found == judge.first_possible(world.now, world.now + AHEAD)
        end = found and judge.shortest_end(found)
        assert (end is None) == (found is None)
        nobody = User.objects.create(username="nobody")
        if found and end and not world.limits:
            assert verdict(resource, nobody, (found, end), world.now) is None


def judge_free(world: World, cast: Cast, data: st.DataObject) -> None:
    judge = Judge(world)
    start = floor(world.now) + data.draw(st.integers(-600, 2000)) * MINUTE
    window = Interval(start, start + data.draw(st.integers(60, 2800)) * MINUTE)
    with made(world, cast) as resource:
        here = read(resource, world.now)
        rows = timelines.read_rows(window, [here])[resource.pk]
        offer = timelines.offers_of([here], {here.pk: rows}, now=world.now).get(here.pk)
        spans = timelines.free_json(here, rows, window, offer, now=world.now)
    free = [(each["start_time"], each["end_time"]) for each in spans]
    assert free == sorted(free)
    for first, last in free:
        assert window.start <= first < last <= window.end
        assert judge.shortest_end(first) is not None, first
    for minute in list(minutes(window.start, window.end))[:: data.draw(st.sampled_from([7, 11, 15]))]:
        end = judge.shortest_end(minute)
        if end is not None and end <= window.end:
            assert is_inside((minute, end), free), (minute, end)
    for slot in data.draw(st.lists(slots_near(world), min_size=20, max_size=20)):
        if window.start <= slot[0] and slot[1] <= window.end and judge.accepts(*slot, whoever=True):
            assert is_inside(slot, free), slot


def book_it(resource: Resource, person: User, slot: Interval, now: datetime) -> Booking:
    return lifecycle.book(
        user=person, resource_id=resource.pk, start_time=slot.start, end_time=slot.end, act=act(person, now)
    )


def is_inside(slot: Span, spans: Iterable[Span]) -> bool:
    return any(start <= slot[0] and slot[1] <= end for start, end in spans)


@few
@given(data=st.data())
def test_first_slots_are_the_soonest_of_each_resource(cast: Cast, data: st.DataObject) -> None:
    world = data.draw(worlds())
    night = (world.zone, floor(world.now))
    others = [data.draw(worlds(night=night, now=world.now)) for _ in range(2)]
    start = floor(world.now) + data.draw(st.integers(-60, 600)) * MINUTE
    window = Interval(start, start + data.draw(st.integers(60, 2800)) * MINUTE)
    duration = data.draw(SHORT) * MINUTE
    expected = {}
    with made(world, cast) as resource:
        Resource.objects.filter(capacity=1).update(is_available=False)
        everywhere = {resource.pk: world}
        for number, other in enumerate(others):
            own = other.only_own()
            everywhere[make(own, cast, name=f"Room {number}").pk] = own.beside(world)
        Resource.objects.filter(capacity=1).update(is_available=False)
        for pk, each in everywhere.items():
            last = window.end - duration + MINUTE
            slot = Judge(each).first_slot(window.start, last, duration, whoever=True)
            if slot is not None and slot[1] <= window.end:
                expected[pk] = slot
        found = slots.first_slots(window, duration=duration, min_capacity=None, now=world.now, limit=10)
    assert {each.pk: span(slot) for each, slot in found} == expected
    assert [slot.start for _, slot in found] == sorted(slot.start for _, slot in found)


@several
@given(data=st.data())
def test_suggestions_are_the_nearest_that_the_person_can_book(cast: Cast, data: st.DataObject) -> None:
    world = data.draw(worlds())
    there = data.draw(worlds(night=(world.zone, floor(world.now)), now=world.now)).only_own()
    taken = [row for row in world.rows if row.owner and not row.elsewhere]
    assume(taken)
    row, length = data.draw(st.sampled_from(taken)), data.draw(SHORT) * MINUTE
    start = (
        row.start
        - length
        + MINUTE
        + data.draw(st.integers(0, 10_000)) * MINUTE % (row.end - row.start + length - MINUTE)
    )
    slot = Interval(start, start + length)
    with made(world, cast) as resource:
        other = make(there, cast, name="There", capacity=6)
        Resource.objects.filter(capacity=1).update(is_available=False)
        judge, judge_there = Judge(world.joined_by(there)), Judge(there.beside(world))
        here = read(resource, world.now)
        booking = Booking(user=cast.me, resource=here, start_time=slot.start, end_time=slot.end)
        found = {each.kind: each for each in conflicts.suggestions_for(booking, now=world.now)}
        for each in found.values():
            assert verdict(Resource(pk=each.resource_id), cast.me, span(each.slot), world.now) is None
        refusal = judge.refusal(*span(slot))
        if refusal == "slot_taken":
            with pytest.raises(SlotTaken) as caught:
                book_it(resource, cast.me, slot, world.now)
            assert {each.kind: each for each in caught.value.suggestions} == found

    assert ("elsewhere" in found) == judge_there.accepts(*span(slot))
    if "elsewhere" in found:
        assert (found["elsewhere"].resource_id, found["elsewhere"].slot) == (other.pk, slot)
    later = judge.first_slot(max(slot.start, world.now), max(slot.start, world.now) + AHEAD, length, whoever=False)
    earlier = judge.last_slot(max(world.now, slot.start - AHEAD), slot.start, length, whoever=False)
    if later or ("later" in found and found["later"].slot.start < max(slot.start, world.now) + AHEAD):
        assert span(found["later"].slot) == later
    if earlier or ("earlier" in found and found["earlier"].slot.start >= slot.start - AHEAD):
        assert span(found["earlier"].slot) == earlier


@few
@given(data=st.data(), zone=st.sampled_from(ZONES))
def test_the_same_holds_over_http(as_alice: APIClient, cast: Cast, data: st.DataObject, zone: str) -> None:
    now = floor(timezone.now())
    world = data.draw(worlds(night=(zone, now + 2 * DAY), now=now))
    # The clock goes on while the test asks: no slot is near the notice or the horizon.
    world.policy.pop("advance_days", None)  # type: ignore[attr-defined]
    judge, start = Judge(world), now + timedelta(hours=31)
    window = Interval(start, start + data.draw(st.integers(600, 2000)) * MINUTE)
    length = data.draw(SHORT) * MINUTE
    with made(world, cast) as resource:
        query = {"start": text(window.start), "end": text(window.end), "duration": length // MINUTE}
        found = as_alice.get(f"/api/resources/{resource.pk}/slots/", query).json()
        moments = grid_of(judge, window, None, None)
        wanted = [(moment, moment + length) for moment in moments if moment + length <= window.end]
        assert found == [
            {"start_time": text(start), "end_time": text(end)} for start, end in wanted if judge.accepts(start, end)
        ]
        for slot in some(wanted, most=5):
            code = judge.refusal(*slot)
            body = booking_body(resource, *slot)
            assert is_listed(as_alice, resource, slot) == judge.accepts(*slot, whoever=True)
            checked = as_alice.post("/api/bookings/check/", body).json()
            assert (checked["ok"], checked.get("code")) == (code is None, code)
            with transaction.atomic():
                assert as_alice.post("/api/bookings/", body).status_code == (201 if code is None else 400)
                transaction.set_rollback(True)


def is_listed(client: APIClient, resource: Resource, slot: Span) -> bool:
    """Whether the list of resources that can be booked in a slot has the resource."""
    query = {"available": "true", "start": text(slot[0]), "end": text(slot[1])}
    return resource.pk in [each["id"] for each in client.get("/api/resources/", query).json()]
