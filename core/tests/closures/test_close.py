"""Closing resources: the verb, with bookings and other closures in the way."""

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from core import errors, lifecycle
from core.choices import OnConflict
from core.errors import BookingError
from core.intervals import Interval
from core.models import Booking, Closure, Resource
from core.tests.support.acts import act
from core.tests.support.closures import AROUND, CANCEL, closed, make_closure
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_rejected_booking,
    make_resource,
)
from core.tests.support.overlaps import everything
from core.tests.support.records import recorded, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def rooms(db: None) -> list[Resource]:
    return [make_resource(f"Room {number}") for number in (1, 2, 3)]


def ids(error: errors.ClosureConflicts) -> list[tuple[str, int]]:
    return [(clash.kind, clash.id) for clash in error.conflicts]


def assert_refused(before: list[tuple], closures: int = 0) -> None:
    """Nothing was closed, cancelled or recorded."""
    assert everything() == before
    assert Closure.objects.count() == closures
    assert told() == []


def test_a_closure_takes_the_time_of_all_its_resources(admin: User, rooms: list[Resource]) -> None:
    closure = make_closure(admin, *rooms, staff_note="Call Eve")
    assert [closed(room) for room in rooms] == [[Interval(at(9), at(17))]] * 3
    assert (closure.reason, closure.staff_note, closure.created_by) == ("Maintenance", "Call Eve", admin)
    assert set(closure.resources.all()) == set(rooms)
    assert told() == []


def test_a_booking_cannot_be_made_over_a_closure(admin: User, alice: User, room: Resource) -> None:
    make_closure(admin, room)
    with pytest.raises(BookingError) as refusal:
        lifecycle.book(user=alice, resource_id=room.pk, start_time=at(16), end_time=at(18), act=act(alice))
    assert refusal.value.status == 400
    assert Booking.objects.count() == 0


def test_a_cancelled_booking_is_not_revived_over_a_closure(admin: User, alice: User, room: Resource) -> None:
    booking = make_cancelled_booking(alice, room)
    make_closure(admin, room)
    with pytest.raises(BookingError):
        lifecycle.change(booking, changes=lifecycle.Changes(status="confirmed"), act=act(admin))


def test_a_closure_touches_bookings_before_and_after_it(admin: User, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(8), at(9))
    make_booking(alice, room, at(17), at(18))
    make_cancelled_booking(alice, room)
    make_rejected_booking(alice, room, at(12))
    make_closure(admin, room)
    assert closed(room) == [Interval(at(9), at(17))]


def test_with_one_conflict_on_three_resources_nothing_is_closed(
    admin: User, alice: User, rooms: list[Resource]
) -> None:
    booking = make_pending_booking(alice, rooms[1])
    before = everything()
    with pytest.raises(errors.ClosureConflicts, match="^1 booking is in the way") as refusal:
        make_closure(admin, *rooms)
    assert ids(refusal.value) == [("booking", booking.pk)]
    assert_refused(before)


def test_with_cancel_all_three_are_closed_and_the_booking_is_cancelled_with_the_reason(
    admin: User, alice: User, rooms: list[Resource]
) -> None:
    booking = make_booking(alice, rooms[1])
    make_closure(admin, *rooms, on_conflict=CANCEL)
    assert [closed(room) for room in rooms] == [[Interval(at(9), at(17))]] * 3
    before, version = booking.updated_at, booking.calendar_sequence
    booking.refresh_from_db()
    assert (booking.status, booking.calendar_sequence) == ("cancelled", version + 1)
    assert booking.updated_at > before
    (row,) = recorded()
    assert (row.kind, row.booking_id, row.actor, row.reason) == (
        "booking.cancelled",
        booking.pk,
        admin,
        "Maintenance",
    )
    assert row.facts["before"]["booking"]["status"] == "confirmed"
    assert row.facts["after"]["booking"]["calendar_sequence"] == version + 1


def test_with_around_the_rest_is_closed_and_the_booking_stands(admin: User, alice: User, rooms: list[Resource]) -> None:
    make_booking(alice, rooms[1], at(10), at(11))
    make_booking(alice, rooms[1], at(16), at(18))
    make_closure(admin, *rooms, on_conflict=AROUND)
    assert closed(rooms[0]) == closed(rooms[2]) == [Interval(at(9), at(17))]
    assert closed(rooms[1]) == [Interval(at(9), at(10)), Interval(at(11), at(16))]
    assert told() == []


def test_around_closes_the_others_where_one_resource_is_booked_for_the_whole_time(
    admin: User, alice: User, rooms: list[Resource]
) -> None:
    make_booking(alice, rooms[1], at(8), at(18))
    closure = make_closure(admin, *rooms, on_conflict=AROUND)
    assert closed(rooms[1]) == []
    assert closure.resources.count() == 3


def test_around_is_refused_where_nothing_is_free(admin: User, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(8), at(18))
    before = everything()
    with pytest.raises(errors.ClosureConflicts, match="No time is free"):
        make_closure(admin, room, on_conflict=AROUND)
    assert_refused(before)


# name: the booking's hours
CLASHES = {
    "begun before the start": (8, 10),
    "the same": (9, 17),
    "around": (8, 18),
    "inside": (12, 13),
    "over the end": (16, 18),
}


@pytest.mark.parametrize(("start", "end"), CLASHES.values(), ids=CLASHES.keys())
def test_whatever_booking_shares_a_moment_is_in_the_way(
    admin: User, alice: User, room: Resource, start: float, end: float
) -> None:
    booking = make_booking(alice, room, at(start), at(end))
    with pytest.raises(errors.ClosureConflicts):
        make_closure(admin, room)
    make_closure(admin, room, on_conflict=CANCEL)
    booking.refresh_from_db()
    assert booking.status == "cancelled"


# --- Other closures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_conflict", [OnConflict.REFUSE, CANCEL])
def test_another_closure_is_named_and_never_cancelled(
    admin: User, alice: User, room: Resource, on_conflict: OnConflict
) -> None:
    other = make_closure(admin, room, start=at(12), end=at(14))
    booking = make_booking(alice, room)
    before = everything()
    with pytest.raises(errors.ClosureConflicts, match="1 booking and 1 closure are in the way") as refusal:
        make_closure(admin, room, on_conflict=on_conflict)
    assert ids(refusal.value) == [("booking", booking.pk), ("closure", other.pk)]
    assert_refused(before, closures=1)


def test_around_passes_round_another_closure(admin: User, room: Resource) -> None:
    make_closure(admin, room, start=at(12), end=at(14))
    make_closure(admin, room, on_conflict=AROUND)
    assert closed(room) == [Interval(at(9), at(12)), Interval(at(12), at(14)), Interval(at(14), at(17))]


# --- Bounds -----------------------------------------------------------------------------------------------------------

OUT_OF_BOUNDS = {
    "the end at the start": (at(9), at(9), errors.EndNotAfterStart),
    "the end before the start": (at(9), at(8), errors.EndNotAfterStart),
    "all of it is over": (at(9, day=-2), at(10, day=-2), errors.ClosureOutOfBounds),
    "the end too far ahead": (at(9), at(9, day=1830), errors.ClosureOutOfBounds),
    "too long": (at(9, day=-1820), at(9, day=10), errors.ClosureOutOfBounds),
}


@pytest.mark.parametrize(("start", "end", "error"), OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS.keys())
def test_a_closure_out_of_bounds_is_refused(
    admin: User, room: Resource, start: object, end: object, error: type[BookingError]
) -> None:
    with pytest.raises(error):
        make_closure(admin, room, start=start, end=end)
    assert Closure.objects.count() == Booking.taken.count() == 0


def test_a_missing_resource_is_refused(admin: User, room: Resource) -> None:
    with pytest.raises(errors.ResourceMissing) as refusal:
        make_closure(admin, room, Resource(pk=999_999))
    assert refusal.value.field == "resources"
    assert Closure.objects.count() == Booking.taken.count() == 0


def test_a_closure_that_began_earlier_leaves_what_is_over(admin: User, alice: User, room: Resource) -> None:
    over = make_booking(alice, room, at(10, day=-1), at(11, day=-1))
    make_closure(admin, room, start=at(9, day=-1), on_conflict=CANCEL)
    over.refresh_from_db()
    assert over.status == "confirmed"
    assert closed(room) == [Interval(at(9, day=-1), at(10, day=-1)), Interval(at(11, day=-1), at(17))]


def test_more_than_1000_bookings_in_the_way_are_refused(
    admin: User, alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.lifecycle.plans.MOST_IN_THE_WAY", 2)
    for hour in (10, 11, 12):
        make_booking(alice, room, at(hour))
    with pytest.raises(errors.TooManyConflicts):
        make_closure(admin, room, on_conflict=CANCEL)
    assert Closure.objects.count() == 0


# --- Cost -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 20])
def test_the_statements_do_not_grow_with_resources_and_bookings(
    admin: User, alice: User, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    resources = [make_resource(f"Room {index}") for index in range(number)]
    for resource in resources:
        make_booking(alice, resource)
    with django_assert_num_queries(11):
        make_closure(admin, *resources, on_conflict=CANCEL)
    assert len(told()) == number
