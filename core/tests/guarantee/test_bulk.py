"""Bulk calls at the same moment, each with a database connection of its own."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Model

from core import lifecycle
from core.models import Booking, Quota, Resource
from core.record.kinds import EventKind
from core.record.models import BookingEvent
from core.tests.support.clients import client_of
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_resource,
    make_user,
)
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import Rival, hold, in_parallel

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/bookings/bulk/"
TURNS = 6


@pytest.fixture(autouse=True)
def _no_two_overlap() -> Iterator[None]:
    """Whatever a test is about: afterwards no two overlap, and every booking belongs to somebody and something."""
    yield
    assert overlapping_pairs() == []
    connection.check_constraints()


def call(user: User, body: dict[str, Any], *, key: str = "") -> Any:
    """A bulk call that waits to be made."""
    return partial(client_of(user).post, URL, body, **({"HTTP_IDEMPOTENCY_KEY": key} if key else {}))


def codes(answer: Any) -> list[str | None]:
    """The codes of the results, or the one of the refusal of all; no answer is a 500 or a 503."""
    assert hasattr(answer, "status_code"), answer
    assert answer.status_code < 500, answer.content
    body = answer.json()
    return [each["code"] for each in body["results"]] if "results" in body else [body["code"]]


@pytest.mark.parametrize("keys", [False, True], ids=["without keys", "with keys"])
def test_bulk_calls_and_single_ones_book_no_slot_twice(admin: User, alice: User, keys: bool) -> None:
    resources = [make_resource(f"Desk {index}") for index in range(5)]
    bodies = [booking_body(resource) for resource in resources]
    calls = [
        call(admin, {"bookings": bodies if index % 2 else bodies[::-1]}, key=f"key-{index}" if keys else "")
        for index in range(4)
    ]
    calls += [partial(client_of(alice).post, "/api/bookings/", body) for body in bodies]
    answers = in_parallel(calls)
    told = [code for answer in answers[:4] for code in codes(answer)]
    assert set(told) <= {None, "slot_taken"}
    singles = [answer.status_code for answer in answers[4:]]
    assert set(singles) <= {201, 400}
    assert told.count(None) + singles.count(201) == len(resources) == Booking.objects.count()
    assert BookingEvent.objects.filter(kind=EventKind.CREATED).count() == len(resources)


@pytest.mark.parametrize("quota", [False, True], ids=["without quotas", "with a quota"])
def test_of_two_calls_for_the_same_slots_in_opposite_order_one_gets_all(admin: User, root: User, quota: bool) -> None:
    people = [make_user(f"person{index}") for index in range(6)]
    resources = [make_resource(f"Desk {index}") for index in range(6)]
    if quota:
        Quota.objects.create(kind="active", limit=100)
    for turn in range(TURNS):
        bodies = [
            booking_body(resource, at(8 + turn), user=person.pk)
            for resource, person in zip(resources, people[turn:] + people[:turn], strict=True)
        ]
        answers = in_parallel(
            [
                call(admin, {"bookings": bodies, "all_or_nothing": True}),
                call(root, {"bookings": bodies[::-1], "all_or_nothing": True}),
            ]
        )
        assert sorted(answer.status_code for answer in answers) == [200, 400], [each.content for each in answers]
        refused = next(answer for answer in answers if answer.status_code == 400)
        assert (refused.json()["code"], refused.json()["index"]) == ("slot_taken", 0)
        winner = next(user for user, answer in zip((admin, root), answers, strict=True) if answer is not refused)
        made = Booking.objects.filter(start_time=at(8 + turn))
        assert made.count() == len(resources)
        assert set(BookingEvent.objects.filter(booking_id__in=made).values_list("actor", flat=True)) == {winner.pk}


@pytest.mark.parametrize("how", ["all or nothing", "with keys", "each by itself"])
def test_opposite_decisions_in_opposite_order_do_not_lock_each_other_out(
    admin: User, root: User, alice: User, bob: User, how: str
) -> None:
    resources = [make_resource(f"Desk {index}", requires_approval=True) for index in range(3)]
    for turn in range(TURNS):
        bookings = [
            make_pending_booking((alice, bob)[index % 2], resources[-index % 3], at(9 + index, day=1 + turn))
            for index in range(8)
        ]
        ids = [booking.pk for booking in bookings]
        whole = {"all_or_nothing": how == "all or nothing"}
        keys = [f"key-{turn}-{index}" if how == "with keys" else "" for index in range(2)]
        answers = in_parallel(
            [
                call(admin, {"action": "confirm", "ids": ids, **whole}, key=keys[0]),
                call(root, {"action": "cancel", "ids": ids[::-1], **whole}, key=keys[1]),
            ]
        )
        assert [codes(answer) for answer in answers] == [[None] * 8, [None] * 8]
        found = set(Booking.objects.filter(pk__in=ids).values_list("status", flat=True))
        assert found <= {"confirmed", "cancelled"}
        assert len(found) == 1 or how == "each by itself"


def test_of_two_calls_that_revive_for_the_same_slots_one_gets_all(admin: User, root: User, alice: User) -> None:
    Quota.objects.create(kind="active", limit=100)
    resources = [make_resource(f"Desk {index}") for index in range(5)]
    first, second = ([make_cancelled_booking(alice, resource).pk for resource in resources] for _ in range(2))
    answers = in_parallel(
        [
            call(admin, {"action": "confirm", "ids": first, "all_or_nothing": True}),
            call(root, {"action": "confirm", "ids": second[::-1], "all_or_nothing": True}),
        ]
    )
    assert sorted(codes(answer) for answer in answers if answer.status_code != 200) == [["slot_taken"]]
    held = set(Booking.objects.blocking().values_list("pk", flat=True))
    assert held in (set(first), set(second))


def test_decisions_of_all_meet_moves_of_single_bookings(admin: User, alice: User) -> None:
    here, there = make_resource("Here"), make_resource("There")
    bookings = [make_booking(alice, (here, there)[index % 2], at(9 + index, day=2)) for index in range(6)]
    ids = [booking.pk for booking in bookings]

    def move(booking: Booking) -> list[int]:
        client, ways = client_of(alice), (there, here) if booking.resource_id == here.pk else (here, there)
        path = f"/api/bookings/{booking.pk}/"
        return [client.patch(path, {"resource": ways[turn % 2].pk}).status_code for turn in range(6)]

    def decide(ids: list[int]) -> list[int]:
        client = client_of(admin)
        turns = [{"action": action, "ids": ids, "all_or_nothing": True} for action in ("reject", "confirm") * 3]
        return [client.post(URL, body).status_code for body in turns]

    answers = in_parallel(
        [partial(decide, ids), partial(decide, ids[::-1]), *(partial(move, booking) for booking in bookings)]
    )
    assert all(isinstance(answer, list) for answer in answers), answers
    assert set(answers[0] + answers[1]) == {200}
    assert {status for answer in answers[2:] for status in answer} <= {200, 400}


def test_of_calls_at_once_with_one_key_one_does_it(admin: User, room: Resource) -> None:
    body = {"bookings": [booking_body(room, at(9 + index)) for index in range(3)]}
    answers = in_parallel([call(admin, body, key="order-7") for _ in range(6)])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert Booking.objects.count() == 3


def test_each_entry_is_a_transaction_of_its_own(admin: User, room: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes before an unexpected end is done, without `all_or_nothing`; with it, nothing is."""
    book, made = lifecycle.book, []

    def until_the_third(**values: Any) -> Booking:
        if len(made) == 2:
            raise RuntimeError("the plug was pulled")
        made.append(book(**values))
        return made[-1]

    monkeypatch.setattr(lifecycle, "book", until_the_third)
    body = {"bookings": [booking_body(room, at(9 + index)) for index in range(4)]}
    assert client_of(admin).post(URL, {**body, "all_or_nothing": True}).status_code == 500
    assert (Booking.objects.count(), BookingEvent.objects.count()) == (0, 0)
    made.clear()
    assert client_of(admin).post(URL, body).status_code == 500
    assert (Booking.objects.count(), BookingEvent.objects.count()) == (2, 2)


def hold_all(**ids: list[int]) -> None:
    """Takes all the locks of several verbs, and gives them back."""
    with lifecycle.together(**ids):
        pass


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("held", range(6))
def test_the_locks_are_taken_in_the_fixed_order(alice: User, bob: User, held: int) -> None:
    """Bookings by id, resources by id, users by id: whoever waits for one of them holds those before it alone."""
    resources = [make_resource(f"Desk {index}") for index in range(2)]
    bookings = [make_booking(user, resource) for user, resource in zip((bob, alice), resources[::-1], strict=True)]
    rows = [*bookings, *resources, alice, bob]
    with transaction.atomic():
        hold(type(rows[held]), rows[held].pk)
        thread = Rival(partial(hold_all, bookings=[booking.pk for booking in bookings[::-1]]))
        thread.start()
        waited = thread.waits()
        free = [is_free(row) for row in rows[:held] + rows[held + 1 :]]
    thread.join(30)
    assert (waited, thread.refusal) == (True, None)
    assert free == [False] * held + [True] * (len(rows) - held - 1)


def is_free(row: Model) -> bool:
    """Whether nobody else has locked the row."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    return rows.select_for_update(skip_locked=True, no_key=True).exists()
