"""What the verbs put on record: each act once, inside its transaction, and nothing when nothing happened."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from core import errors, lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.record.acts import Act
from core.record.facts import event_of, facts_of
from core.record.kinds import Channel
from core.tests.support.acts import act
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
)
from core.tests.support.overlaps import everything
from core.tests.support.records import recorded, told

NOW = at(8)


def book(user: User, room: Resource, by: Act | None = None) -> Booking:
    return lifecycle.book(
        user=user, resource_id=room.pk, start_time=at(10), end_time=at(11), act=by or act(user, NOW), notes="Tea"
    )


def test_a_new_booking_is_one_row(alice: User, room: Resource) -> None:
    by = Act(by=alice, now=NOW, channel=Channel.API, request_id="0a1b2c3d", reason="")
    booking = book(alice, room, by)
    (row,) = recorded()
    assert (row.kind, row.at, row.booking_id, row.resource_id) == ("booking.created", NOW, booking.pk, room.pk)
    assert (row.owner, row.actor, row.part, row.channel) == (alice, alice, "owner", "api")
    assert (row.request_id, row.reason, row.handed_at) == ("0a1b2c3d", "", None)
    event = event_of(facts_of(row))
    assert (event.before, event.after.start_time, event.after.notes) == (None, at(10), "Tea")


def test_the_facts_of_a_row_have_no_words_of_people(alice: User, room: Resource) -> None:
    book(alice, room)
    (row,) = recorded()
    assert not {"Tea", "alice", "alice@example.org"} & set(str(row.facts).replace("'", " ").split())
    assert row.owner_words["user"]["email"] == "alice@example.org"


def test_a_move_is_one_row_with_what_was_and_what_is(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    lifecycle.change(booking, changes=Changes(start_time=at(9), notes="Earlier"), act=act(alice, NOW))
    assert told() == [("booking.changed", booking.pk, "alice")]
    event = event_of(facts_of(recorded()[0]))
    assert event.before is not None
    assert (event.before.start_time, event.before.notes) == (at(10), "")
    assert (event.after.start_time, event.after.notes) == (at(9), "Earlier")


def test_confirming_and_moving_at_once_is_one_row(alice: User, admin: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    lifecycle.change(booking, changes=Changes(start_time=at(9), status="confirmed"), act=act(admin, NOW))
    (row,) = recorded()
    assert (row.kind, row.part) == ("booking.confirmed", "staff")


@pytest.mark.parametrize("by_status", [False, True], ids=["cancel", "change of the status"])
def test_a_cancellation_is_one_row(alice: User, room: Resource, by_status: bool) -> None:
    booking = make_booking(alice, room)
    if by_status:
        lifecycle.change(booking, changes=Changes(status="cancelled"), act=act(alice, NOW))
    else:
        lifecycle.cancel(booking, act=act(alice, NOW))
    assert told() == [("booking.cancelled", booking.pk, "alice")]


@pytest.mark.parametrize(
    "make", [make_booking, make_cancelled_booking, make_ended_booking], ids=["to come", "cancelled", "over"]
)
def test_the_removal_of_a_row_is_on_record(
    alice: User, admin: User, room: Resource, make: Callable[[User, Resource], Booking]
) -> None:
    booking = make(alice, room)
    lifecycle.remove(booking, act=act(admin, NOW))
    assert told() == [("booking.removed", booking.pk, "admin")]
    assert Booking.objects.count() == 0


def test_an_act_of_the_system_has_no_actor(alice: User, room: Resource) -> None:
    lifecycle.cancel(make_booking(alice, room), act=Act(by=None, now=NOW, channel=Channel.JOB))
    (row,) = recorded()
    assert (row.actor, row.part, row.channel, row.actor_words) == (None, "system", "job", {})


@pytest.mark.parametrize(
    "changes",
    [
        Changes(),
        Changes(status="confirmed"),
        Changes(start_time=at(10), end_time=at(11), status="confirmed", notes=""),
    ],
    ids=["nothing named", "the same status", "everything as it is"],
)
def test_a_change_that_changes_nothing_leaves_no_row(alice: User, room: Resource, changes: Changes) -> None:
    booking = make_booking(alice, room)
    lifecycle.change(booking, changes=changes, act=act(alice, NOW))
    assert recorded() == []
    assert Booking.objects.get().updated_at == booking.updated_at


def test_cancelling_what_is_cancelled_leaves_no_row(alice: User, room: Resource) -> None:
    booking = make_cancelled_booking(alice, room)
    lifecycle.cancel(booking, act=act(alice, NOW))
    assert recorded() == []
    assert Booking.objects.get().updated_at == booking.updated_at


def test_a_refusal_leaves_no_row(alice: User, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    with pytest.raises(errors.SlotTaken):
        book(alice, room)
    assert recorded() == []


VERBS: dict[str, Callable[[Booking, User], object]] = {
    "book": lambda booking, user: lifecycle.book(
        user=user, resource_id=booking.resource_id, start_time=at(15), end_time=at(16), act=act(user, NOW)
    ),
    "change": lambda booking, user: lifecycle.change(booking, changes=Changes(start_time=at(9)), act=act(user, NOW)),
    "cancel": lambda booking, user: lifecycle.cancel(booking, act=act(user, NOW)),
    "remove": lambda booking, user: lifecycle.remove(booking, act=act(user, NOW)),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_a_row_is_taken_back_with_its_act(alice: User, room: Resource, verb: Callable[[Booking, User], object]) -> None:
    booking = make_booking(alice, room)
    before = everything()
    with transaction.atomic():
        verb(booking, alice)
        assert len(recorded()) == 1
        transaction.set_rollback(True)
    assert (everything(), recorded()) == (before, [])


def test_two_acts_within_a_millisecond_keep_their_order(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    for hour in (9, 8, 7):
        lifecycle.change(booking, changes=Changes(start_time=at(hour)), act=act(alice, at(1)))
    starts = [event_of(facts_of(row)).after.start_time for row in recorded()]
    assert starts == [at(9), at(8), at(7)]
