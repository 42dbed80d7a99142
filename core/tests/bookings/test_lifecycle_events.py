"""What the verbs tell others: each event once, inside the transaction, and nothing when nothing happened."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from core import errors, events, lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_ended_booking
from core.tests.support.overlaps import everything

NOW = at(8)


class Recorder:
    """A subscriber that keeps what it is told, and what the database holds at that moment."""

    def __init__(self) -> None:
        self.told: list[events.Event] = []
        self.rows: list[list[tuple]] = []
        self.inside: list[bool] = []
        self.fails = False

    def __call__(self, event: events.Event) -> None:
        self.told.append(event)
        self.rows.append(everything())
        self.inside.append(connection.in_atomic_block)
        if self.fails:
            raise RuntimeError("I cannot go on")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    kinds = (events.BookingCreated, events.BookingChanged, events.BookingCancelled)
    before = list(events._subscribers)
    for kind in kinds:
        events.subscribe(kind, recorder)
        events.subscribe(kind, recorder)
    yield recorder
    events._subscribers[:] = before


def book(user: User, room: Resource) -> Booking:
    return lifecycle.book(user=user, resource_id=room.pk, start_time=at(10), end_time=at(11), by=user, now=NOW)


def test_a_new_booking_is_told_once(recorder: Recorder, alice: User, room: Resource) -> None:
    booking = book(alice, room)
    assert recorder.told == [events.BookingCreated(booking=booking, by=alice, at=NOW)]
    assert [row[0] for row in recorder.rows[0]] == [booking.pk]


def test_a_change_is_told_once_with_what_was_and_what_is(recorder: Recorder, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    lifecycle.change(booking, changes=Changes(start_time=at(9), notes="Earlier"), by=alice, now=NOW)
    [event] = recorder.told
    assert isinstance(event, events.BookingChanged)
    assert (event.before.start_time, event.before.notes) == (at(10), "")
    assert (event.after.start_time, event.after.notes) == (at(9), "Earlier")
    assert event.by == alice


@pytest.mark.parametrize("by_status", [False, True], ids=["cancel", "change of the status"])
def test_a_cancellation_is_told_once_as_such(recorder: Recorder, alice: User, room: Resource, by_status: bool) -> None:
    booking = make_booking(alice, room)
    if by_status:
        lifecycle.change(booking, changes=Changes(status="cancelled"), by=alice, now=NOW)
    else:
        lifecycle.cancel(booking, by=alice, now=NOW)
    [event] = recorder.told
    assert isinstance(event, events.BookingCancelled)
    assert (event.before.status, event.after.status) == ("confirmed", "cancelled")


def test_the_removal_of_a_booking_to_come_is_told_as_its_cancellation(
    recorder: Recorder, alice: User, admin: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    lifecycle.remove(booking, by=admin, now=NOW)
    [event] = recorder.told
    assert isinstance(event, events.BookingCancelled)
    assert (event.before.pk, event.before.status, event.by) == (booking.pk, "confirmed", admin)
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("make", [make_cancelled_booking, make_ended_booking], ids=["cancelled", "over"])
def test_the_removal_of_a_booking_that_holds_nothing_is_not_told(
    recorder: Recorder, alice: User, admin: User, room: Resource, make: Callable[[User, Resource], Booking]
) -> None:
    lifecycle.remove(make(alice, room), by=admin, now=NOW)
    assert recorder.told == []
    assert Booking.objects.count() == 0


@pytest.mark.parametrize(
    "changes",
    [
        Changes(),
        Changes(status="confirmed"),
        Changes(start_time=at(10), end_time=at(11), status="confirmed", notes=""),
    ],
    ids=["nothing named", "the same status", "everything as it is"],
)
def test_a_change_that_changes_nothing_is_not_told_and_writes_nothing(
    recorder: Recorder, alice: User, room: Resource, changes: Changes
) -> None:
    booking = make_booking(alice, room)
    lifecycle.change(booking, changes=changes, by=alice, now=NOW)
    assert recorder.told == []
    assert Booking.objects.get().updated_at == booking.updated_at


def test_cancelling_what_is_cancelled_is_not_told(recorder: Recorder, alice: User, room: Resource) -> None:
    booking = make_cancelled_booking(alice, room)
    lifecycle.cancel(booking, by=alice, now=NOW)
    assert recorder.told == []
    assert Booking.objects.get().updated_at == booking.updated_at


def test_a_refusal_is_not_told(recorder: Recorder, alice: User, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    with pytest.raises(errors.SlotTaken):
        book(alice, room)
    assert recorder.told == []


VERBS: dict[str, Callable[[Booking, User], object]] = {
    "book": lambda booking, user: lifecycle.book(
        user=user, resource_id=booking.resource_id, start_time=at(15), end_time=at(16), by=user, now=NOW
    ),
    "change": lambda booking, user: lifecycle.change(booking, changes=Changes(start_time=at(9)), by=user, now=NOW),
    "cancel": lambda booking, user: lifecycle.cancel(booking, by=user, now=NOW),
    "remove": lambda booking, user: lifecycle.remove(booking, by=user, now=NOW),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_events_are_told_inside_the_transaction(
    recorder: Recorder, alice: User, room: Resource, verb: Callable[[Booking, User], object]
) -> None:
    verb(make_booking(alice, room), alice)
    assert recorder.inside == [True]
    assert recorder.rows == [everything()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS.keys())
def test_a_subscriber_that_fails_takes_everything_back(
    recorder: Recorder, alice: User, room: Resource, verb: Callable[[Booking, User], object]
) -> None:
    booking = make_booking(alice, room)
    before = everything()
    after_commit: list[str] = []
    events.subscribe(events.BookingCreated, lambda event: transaction.on_commit(lambda: after_commit.append("told")))
    recorder.fails = True
    with pytest.raises(RuntimeError, match="I cannot go on"):
        verb(booking, alice)
    assert everything() == before
    assert after_commit == []
