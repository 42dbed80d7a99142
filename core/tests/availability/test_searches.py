"""Searches by the terms: cases that a search could miss, and what a search costs."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from time import process_time

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import conflicts, lifecycle, rules
from core.availability import slots, timelines
from core.errors import Closed
from core.hours import Period
from core.intervals import Interval
from core.models import Booking, OpeningHours, Resource, ResourcePolicy
from core.terms import attach_terms
from core.tests.support.acts import act
from core.tests.support.judge import Limit, Row, World
from core.tests.support.worlds import Cast, make

# A Friday in winter, when London has the time of UTC.
FRIDAY = datetime(2026, 11, 6, tzinfo=UTC)
LONDON = "Europe/London"
HOUR = timedelta(hours=1)
WORKDAYS = {day: [Period(time(9), time(17))] for day in range(1, 6)}
LOAN = {"may_span_closed": True, "min_minutes": 60}


def at(hour: float, *, day: int = 0) -> datetime:
    """That hour of a day from Friday on; Monday is 3."""
    return FRIDAY + timedelta(days=day, hours=hour)


def world(now: datetime, **more: object) -> World:
    return World(now=now, zone=LONDON, **more)  # type: ignore[arg-type]


@pytest.fixture
def cast(alice: User, bob: User) -> Cast:
    return Cast(alice, bob)


def read(resource: Resource, now: datetime) -> Resource:
    window = rules.offered_window(now=now)
    found: Resource = Resource.objects.with_house().with_next_free(window=window).get(pk=resource.pk)
    attach_terms([found], since=now)
    return found


def next_free(resource: Resource, now: datetime) -> datetime | None:
    return timelines.next_free([read(resource, now)], now=now)[resource.pk]


def free(resource: Resource, window: Interval, now: datetime) -> list[tuple[datetime, datetime]]:
    here = read(resource, now)
    rows = timelines.read_rows(window, [here])[resource.pk]
    offer = timelines.offers_of([here], {here.pk: rows}, now=now).get(here.pk)
    return [(each["start_time"], each["end_time"]) for each in timelines.free_json(here, rows, window, offer, now=now)]


def suggested(resource: Resource, person: User, start: datetime, end: datetime, now: datetime) -> dict[str, datetime]:
    booking = Booking(user=person, resource=read(resource, now), start_time=start, end_time=end)
    return {each.kind: each.slot.start for each in conflicts.suggestions_for(booking, now=now)}


def test_a_loan_whose_shortest_end_is_in_closed_time_is_offered_until_the_next_opening(cast: Cast) -> None:
    now = at(16)
    resource = make(world(now, week=WORKDAYS, policy=LOAN, lead_minutes=30), cast)
    assert next_free(resource, now) == at(16.5)
    window = Interval(at(16), at(12, day=3))
    assert free(resource, window, now) == [(at(16.5), at(12, day=3))]
    lifecycle.book(
        user=cast.me,
        resource_id=resource.pk,
        start_time=at(16.5),
        end_time=at(9, day=3) + timedelta(minutes=1),
        act=act(cast.me, now),
        dry_run=True,
    )


def test_free_time_of_a_loan_ends_with_the_last_possible_end(cast: Cast) -> None:
    now = at(8)
    taken = [Row(at(20), at(21))]
    resource = make(world(now, week=WORKDAYS, policy=LOAN, rows=taken), cast)
    assert free(resource, Interval(at(8), at(12, day=3)), now) == [
        (at(9), at(17)),
        (at(9, day=3), at(12, day=3)),
    ]


def test_a_loan_that_would_be_too_long_starts_later(cast: Cast) -> None:
    now = at(16)
    policy = {**LOAN, "min_minutes": 120, "max_minutes": 64 * 60}
    resource = make(world(now, week=WORKDAYS, policy=policy), cast)
    # Monday 9:01 is 64 hours after Friday 17:01.
    assert next_free(resource, now) == at(9, day=3)
    resource.policy.max_minutes = 64 * 60 + 11
    resource.policy.save()
    assert next_free(resource, now) == at(16 + 50 / 60)


def test_a_later_slot_is_behind_a_full_day_of_the_person(cast: Cast) -> None:
    now = at(8)
    rows = [Row(at(10), at(11), "me"), Row(at(14), at(15))]
    limits = [Limit("count", "day", 1)]
    resource = make(world(now, rows=rows, limits=limits), cast)
    found = suggested(resource, cast.me, at(14), at(15), now)
    assert found == {"later": at(0, day=1)}


def test_a_later_slot_begins_as_soon_as_enough_minutes_are_left(cast: Cast) -> None:
    now = at(8)
    rows = [Row(at(9), at(12), "me"), Row(at(14), at(15))]
    limits = [Limit("minutes", "day", 200)]
    resource = make(world(now, rows=rows, limits=limits), cast)
    found = suggested(resource, cast.me, at(14), at(15), now)
    assert found == {"later": at(23 + 40 / 60)}


def test_a_later_slot_is_behind_the_own_booking_elsewhere(cast: Cast) -> None:
    now = at(8)
    rows = [Row(at(14), at(15)), Row(at(13), at(17), "me", elsewhere=True)]
    resource = make(world(now, rows=rows, policy={"no_own_overlap": True}), cast)
    found = suggested(resource, cast.me, at(14), at(15), now)
    assert found == {"later": at(17), "earlier": at(12)}


def test_a_closure_behind_three_bookings_is_named(cast: Cast) -> None:
    now = at(8)
    rows = [Row(at(10 + hour), at(11 + hour)) for hour in range(3)]
    resource = make(world(now, rows=[*rows, Row(at(13), at(14), None)]), cast)
    with pytest.raises(Closed) as caught:
        lifecycle.book(user=cast.me, resource_id=resource.pk, start_time=at(10), end_time=at(14), act=act(cast.me, now))
    assert (caught.value.reason, caught.value.until) == ("Repair", at(14))


# --- What a search costs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [{}, {"grid_minutes": 15}, {"may_span_closed": True}], ids=str)
def test_a_booking_that_no_day_is_long_enough_for_is_searched_for_quickly(cast: Cast, policy: dict) -> None:
    now = at(8)
    week = {day: [Period(time(9), time(17))] for day in range(1, 8)}
    resource = make(world(now, week=week, policy=policy), cast)
    long = 12 * HOUR
    began = process_time()
    assert suggested(resource, cast.me, at(10, day=9), at(10, day=9) + long, now) == {}
    # A walk over the moments of five years takes seconds.
    assert process_time() - began < 0.5
    resource.policy.min_minutes = long // timedelta(minutes=1)
    resource.policy.max_minutes = resource.policy.min_minutes
    resource.policy.save()
    began = process_time()
    assert next_free(resource, now) is None
    assert process_time() - began < 0.5


def make_like(resource: Resource, number: int) -> None:
    """Further resources with the same policy and hours."""
    like = {"capacity": 5, "time_zone": resource.time_zone, "has_terms": True}
    made = Resource.objects.bulk_create([Resource(name=f"Room {count}", **like) for count in range(number)])
    policy = {"buffer_after_minutes": 10, "min_minutes": 30}
    ResourcePolicy.objects.bulk_create([ResourcePolicy(resource=each, **policy) for each in made])
    week = resource.opening_hours.values("weekday", "opens", "closes")
    OpeningHours.objects.bulk_create([OpeningHours(resource=each, **hours) for each in made for hours in week])


def counted(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as statements:
        ask()
    return len(statements)


@pytest.mark.parametrize("number", [1, 20, 200])
def test_the_number_of_statements_does_not_depend_on_the_number_of_resources(cast: Cast, number: int) -> None:
    now = at(8)
    limits = [Limit("active", None, 1, "my group")]
    rows = [Row(at(10), at(11)), Row(at(6), at(9), "me", elsewhere=True)]
    policy = {"buffer_after_minutes": 10, "min_minutes": 30}
    resource = make(world(now, week=WORKDAYS, policy=policy, rows=rows, limits=limits), cast)
    make_like(resource, number - 1)
    Resource.objects.filter(capacity=1).update(is_available=False)
    window = Interval(at(8), at(8, day=7))

    def ask_many() -> None:
        found = list(Resource.objects.with_house().with_next_free(window=rules.offered_window(now=now)))
        attach_terms(found, since=now)
        timelines.next_free(found, now=now)

    def ask_first() -> None:
        slots.first_slots(window, duration=HOUR, min_capacity=None, now=now, limit=20)

    def ask_instead() -> None:
        # The quota of the person is exhausted: nothing is found, and each resource is looked at.
        assert suggested(resource, cast.me, at(10), at(11), now) == {}

    assert counted(ask_many) == 3
    assert counted(ask_first) == 3
    # In three parts: the first resource, those of similar capacity, all others.
    assert counted(ask_instead) <= 26
