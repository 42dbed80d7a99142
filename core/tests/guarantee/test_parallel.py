"""Rivals at the same moment, each with a database connection of its own: nobody gets what somebody else has."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from core.choices import BookingStatus
from core.models import Booking, OpeningHours, Quota, Resource, ResourcePolicy, UserProfile
from core.tests.support.clients import client_of
from core.tests.support.factories import (
    PASSWORD,
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_rejected_booking,
    make_resource,
    make_user,
    text,
)
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)

RIVALS = 20
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _no_two_overlap() -> Iterator[None]:
    """Whatever a test is about: afterwards no two overlap, and every booking belongs to somebody and something."""
    yield
    assert overlapping_pairs() == []
    connection.check_constraints()


def users(number: int = RIVALS) -> list[User]:
    return [make_user(f"rival{index}") for index in range(number)]


def statuses(answers: list[Any]) -> Counter[int]:
    """How often each status was answered; an exception or no answer at all fails here."""
    assert [answer for answer in answers if not hasattr(answer, "status_code")] == []
    assert [answer.content for answer in answers if answer.status_code >= 500] == []
    return Counter(answer.status_code for answer in answers)


def assert_one_got_it(answers: list[Any], won: int, *, conflicts: list[dict], suggestion: dict) -> Any:  # noqa: ANN401
    """One success, and all others were told the same: what is in the way, and what is free."""
    assert statuses(answers) == {won: 1, 400: len(answers) - 1}
    for answer in answers:
        if answer.status_code == 400:
            body = answer.json()
            told = (body["code"], body["conflicts"], body["suggestion"])
            assert told == ("slot_taken", conflicts, suggestion)
            assert "already booked" in body["non_field_errors"][0]
    return next(answer for answer in answers if answer.status_code == won)


def slot(start: float, end: float) -> dict[str, str]:
    """Those hours of tomorrow, as the API writes a slot."""
    return {"start_time": text(at(start)), "end_time": text(at(end))}


@pytest.mark.parametrize("requires_approval", [False, True], ids=["confirmed at once", "pending approval"])
def test_of_20_clients_who_want_one_slot_exactly_one_gets_it(requires_approval: bool) -> None:
    resource = make_resource(requires_approval=requires_approval)
    calls = [partial(client_of(user).post, "/api/bookings/", booking_body(resource)) for user in users()]
    answers = in_parallel(calls)
    winner = assert_one_got_it(answers, 201, conflicts=[slot(10, 11)], suggestion=slot(11, 12))
    stored = Booking.objects.get()
    assert stored.pk == winner.json()["id"]
    assert stored.user.username == winner.json()["username"]


def test_a_double_click_books_once(as_alice: APIClient, alice: User, room: Resource) -> None:
    calls = [partial(client_of(alice).post, "/api/bookings/", booking_body(room)) for _ in range(5)]
    assert_one_got_it(in_parallel(calls), 201, conflicts=[slot(10, 11)], suggestion=slot(11, 12))
    assert Booking.objects.count() == 1


def test_of_two_slots_that_half_overlap_one_is_booked(room: Resource, alice: User, bob: User) -> None:
    days = range(1, 11)
    calls = []
    for day in days:
        early = booking_body(room, at(10, day=day), at(11, day=day))
        late = booking_body(room, at(10.5, day=day), at(11.5, day=day))
        calls.append(partial(client_of(alice).post, "/api/bookings/", early))
        calls.append(partial(client_of(bob).post, "/api/bookings/", late))
    answers = in_parallel(calls)
    assert statuses(answers) == {201: len(days), 400: len(days)}
    for early, late in zip(answers[::2], answers[1::2], strict=True):
        assert {early.status_code, late.status_code} == {201, 400}
    assert Booking.objects.count() == len(days)


def test_of_a_chain_of_overlapping_slots_only_those_beside_a_booked_one_are_refused(room: Resource) -> None:
    starts = [at(10 + index / 2, day=2) for index in range(RIVALS)]
    calls = [
        partial(client_of(user).post, "/api/bookings/", booking_body(room, start, start + HOUR))
        for user, start in zip(users(), starts, strict=True)
    ]
    answers = in_parallel(calls)
    assert set(statuses(answers)) == {201, 400}
    booked = {start for start, answer in zip(starts, answers, strict=True) if answer.status_code == 201}
    assert booked == set(Booking.objects.values_list("start_time", flat=True))
    for start in set(starts) - booked:
        assert {start - HOUR / 2, start + HOUR / 2} & booked, "refused, though both neighbours are free"


def whole_booking(booking: Booking) -> dict[str, Any]:
    return booking_body(booking.resource, status=booking.status, notes="Moved")


def times_only(booking: Booking) -> dict[str, Any]:
    return slot(10, 11)


@pytest.mark.parametrize(
    ("method", "body_of"),
    [("put", whole_booking), ("patch", whole_booking), ("patch", times_only)],
    ids=["PUT of all fields", "PATCH of all fields", "PATCH of the times"],
)
def test_of_many_bookings_moved_into_one_slot_one_arrives(
    room: Resource, method: str, body_of: Callable[[Booking], dict[str, Any]]
) -> None:
    bookings = [make_booking(user, room, at(index, day=3)) for index, user in enumerate(users(12))]
    calls = [
        partial(getattr(client_of(booking.user), method), f"/api/bookings/{booking.pk}/", body_of(booking))
        for booking in bookings
    ]
    winner = assert_one_got_it(in_parallel(calls), 200, conflicts=[slot(10, 11)], suggestion=slot(11, 12))
    for index, booking in enumerate(bookings):
        stored = Booking.objects.get(pk=booking.pk)
        moved = stored.pk == winner.json()["id"]
        assert stored.start_time == (at(10) if moved else at(index, day=3))
        assert stored.notes == ("Moved" if moved and body_of is whole_booking else "")


def test_of_bookings_of_many_resources_moved_to_one_resource_one_arrives(room: Resource) -> None:
    bookings = [make_booking(user, make_resource(f"Desk {user.pk}")) for user in users(12)]
    calls = [
        partial(client_of(booking.user).patch, f"/api/bookings/{booking.pk}/", {"resource": room.pk})
        for booking in bookings
    ]
    assert_one_got_it(in_parallel(calls), 200, conflicts=[slot(10, 11)], suggestion=slot(11, 12))
    assert room.bookings.count() == 1


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_of_20_cancelled_bookings_of_one_slot_one_is_revived(room: Resource, status: str) -> None:
    bookings = [make_cancelled_booking(user, room) for user in users()]
    calls = [
        partial(client_of(booking.user).patch, f"/api/bookings/{booking.pk}/", {"status": status})
        for booking in bookings
    ]
    assert_one_got_it(in_parallel(calls), 200, conflicts=[slot(10, 11)], suggestion=slot(11, 12))
    assert Booking.objects.filter(status=status).count() == 1
    assert Booking.objects.filter(status=BookingStatus.CANCELLED).count() == RIVALS - 1


def test_of_rejected_bookings_of_one_slot_staff_revive_one(room: Resource, alice: User, admin: User) -> None:
    bookings = [make_rejected_booking(alice, room) for _ in range(8)]
    calls = [
        partial(client_of(admin).patch, f"/api/bookings/{booking.pk}/", {"status": "confirmed"}) for booking in bookings
    ]
    assert_one_got_it(in_parallel(calls), 200, conflicts=[slot(10, 11)], suggestion=slot(11, 12))
    assert Booking.objects.filter(status="rejected").count() == 7


def test_booking_moving_and_reviving_meet_in_one_slot_and_one_gets_it(room: Resource) -> None:
    booking, moving, reviving = users(12)[:4], [], []
    for index, user in enumerate(User.objects.exclude(pk__in=[one.pk for one in booking])):
        if index % 2:
            moving.append(make_booking(user, room, at(index, day=3)))
        else:
            reviving.append(make_cancelled_booking(user, room))
    calls = [partial(client_of(user).post, "/api/bookings/", booking_body(room)) for user in booking]
    calls += [partial(client_of(one.user).patch, f"/api/bookings/{one.pk}/", times_only(one)) for one in moving]
    calls += [partial(client_of(one.user).patch, f"/api/bookings/{one.pk}/", {"status": "pending"}) for one in reviving]
    found = statuses(in_parallel(calls))
    assert (found[200] + found[201], found[400]) == (1, len(calls) - 1)
    assert Booking.objects.blocking().filter(start_time=at(10)).count() == 1


def test_a_slot_that_is_cancelled_and_wanted_at_once_is_held_by_one_at_most(room: Resource) -> None:
    owner = make_user("owner")
    booking = make_booking(owner, room)
    calls = [partial(client_of(owner).delete, f"/api/bookings/{booking.pk}/")]
    calls += [partial(client_of(user).post, "/api/bookings/", booking_body(room)) for user in users(8)]
    answers = in_parallel(calls)
    assert answers[0].status_code == 204
    assert statuses(answers)[201] <= 1
    assert Booking.objects.get(pk=booking.pk).status == "cancelled"


@pytest.mark.parametrize("apart", [True, False], ids=["free slots", "the same slot"])
def test_opposite_moves_between_two_resources_do_not_lock_each_other_out(apart: bool) -> None:
    here, there = make_resource("Here"), make_resource("There")
    movers = users(8)
    bookings = [
        make_booking(user, (here, there)[index % 2], at(10 if not apart and index < 2 else 12 + index, day=2))
        for index, user in enumerate(movers)
    ]

    def to_and_fro(booking: Booking) -> list[int]:
        client, found = client_of(booking.user), []
        ways = (there, here) if booking.resource_id == here.pk else (here, there)
        for turn in range(10):
            answer = client.patch(f"/api/bookings/{booking.pk}/", {"resource": ways[turn % 2].pk})
            found.append((answer.status_code, answer.json()["code"] if answer.status_code == 400 else None))
        return found

    answers = in_parallel([partial(to_and_fro, booking) for booking in bookings])
    for index, answer in enumerate(answers):
        rivals = not apart and index < 2
        assert set(answer) <= ({(200, None), (400, "slot_taken")} if rivals else {(200, None)})
    assert here.bookings.count() + there.bookings.count() == len(bookings)


def test_a_resource_is_either_deleted_or_booked(as_admin: APIClient, alice: User, admin: User) -> None:
    resources = [make_resource(f"Desk {index}") for index in range(10)]
    calls = []
    for resource in resources:
        calls.append(partial(client_of(admin).delete, f"/api/resources/{resource.pk}/"))
        calls.append(partial(client_of(alice).post, "/api/bookings/", booking_body(resource)))
    answers = in_parallel(calls)
    statuses(answers)
    for resource, deletion, booking in zip(resources, answers[::2], answers[1::2], strict=True):
        outcome = (deletion.status_code, booking.status_code)
        assert outcome in {(204, 400), (409, 201)}
        if outcome == (204, 400):
            assert booking.json()["code"] == "resource_missing"
            assert not Resource.objects.filter(pk=resource.pk).exists()
        else:
            assert deletion.json()["code"] == "resource_has_bookings"
            assert resource.bookings.count() == 1


def test_the_bookings_of_a_user_who_leaves_while_booking_go_with_the_user(room: Resource) -> None:
    leavers = users(8)
    calls = []
    for index, user in enumerate(leavers):
        calls.append(partial(client_of(user).delete, "/api/auth/users/me/", {"current_password": PASSWORD}))
        calls.append(partial(client_of(user).post, "/api/bookings/", booking_body(room, at(8 + index))))
    answers = in_parallel(calls)
    statuses(answers)
    for user, leaving, booking in zip(leavers, answers[::2], answers[1::2], strict=True):
        assert leaving.status_code in {204, 409}, leaving.content
        assert booking.status_code in {201, 400, 401, 409}, booking.content
        stays = leaving.status_code == 409
        assert User.objects.filter(pk=user.pk).exists() is stays
        assert Booking.objects.filter(user_id=user.pk).count() == int(stays)


@pytest.mark.parametrize("kind", ["active", "count", "minutes"])
def test_of_two_bookings_at_one_below_the_quota_one_is_made(alice: User, kind: str) -> None:
    Quota.objects.create(kind=kind, period=None if kind == "active" else "day", limit=120 if kind == "minutes" else 2)
    resources = [make_resource(f"Desk {index}") for index in range(6)]
    make_booking(alice, resources[0], at(8))
    calls = [
        partial(client_of(alice).post, "/api/bookings/", booking_body(resource, at(10 + index)))
        for index, resource in enumerate(resources)
    ]
    answers = in_parallel(calls)
    assert statuses(answers) == {201: 1, 400: len(calls) - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {"quota_exceeded"}
    assert alice.bookings.count() == 2


def test_of_two_own_bookings_of_one_time_one_is_made(alice: User) -> None:
    resources = [make_resource(f"Desk {index}") for index in range(6)]
    for resource in resources:
        ResourcePolicy.objects.create(resource=resource, no_own_overlap=True)
    calls = [partial(client_of(alice).post, "/api/bookings/", booking_body(resource)) for resource in resources]
    answers = in_parallel(calls)
    assert statuses(answers) == {201: 1, 400: len(calls) - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {"overlaps_own"}


def test_the_flag_of_a_resource_is_right_after_rules_that_came_and_went_at_once(room: Resource, admin: User) -> None:
    address = f"/api/resources/{room.pk}"
    for turn in range(8):
        OpeningHours.objects.all().delete()
        Quota.objects.all().delete()
        hours = OpeningHours.objects.create(resource=room, weekday=1, opens=time(9), closes=time(17))
        quota = partial(client_of(admin).post, "/api/quotas/", {"resource": room.pk, "kind": "active", "limit": 1})
        going = partial(client_of(admin).put, f"{address}/opening-hours/", []) if turn % 2 else hours.delete
        made, gone = in_parallel([quota, going])
        assert (made.status_code, getattr(gone, "status_code", 200)) == (201, 200)
        room.refresh_from_db()
        assert room.has_terms


REGISTRATION = {"username": "carol", "email": "carol@example.org", "password": PASSWORD}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("username", ["carol"]),
        ("username", ["carol", "Carol", "CAROL"]),
        ("email", ["carol@example.org"]),
        ("email", ["carol@example.org", "Carol@Example.org"]),
    ],
    ids=["one name", "one name, other case", "one address", "one address, other case"],
)
def test_of_those_who_register_the_same_at_once_one_is_registered(field: str, values: list[str]) -> None:
    other = "email" if field == "username" else "username"
    calls = []
    for index in range(8):
        own = f"rival{index}@example.org" if other == "email" else f"rival{index}"
        body = {**REGISTRATION, field: values[index % len(values)], other: own}
        calls.append(partial(client_of().post, "/api/auth/users/", body))
    answers = in_parallel(calls)
    assert statuses(answers) == {201: 1, 400: 7}
    for answer in answers:
        if answer.status_code == 400:
            assert answer.json()[field][0].startswith("A user with that ")
            assert other not in answer.json()
    assert User.objects.count() == UserProfile.objects.count() == 1
