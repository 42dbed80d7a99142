"""Rivals queue: a verb waits for whoever holds the resource or the booking, and then sees what the other one did."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.signals import pre_save

from core import conflicts, errors, lifecycle
from core.conflicts import suggestions_for
from core.intervals import Interval
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_pending_booking, make_resource
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import Rival, hold
from core.tests.support.records import told

pytestmark = pytest.mark.django_db(transaction=True)

NOW = at(8)


@contextmanager
def rival(verb: Callable[[], object]) -> Iterator[Rival]:
    thread = Rival(verb)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(30)
        assert not thread.is_alive()


def book(user: User, resource: Resource, start: float = 10, end: float = 11) -> Booking:
    return lifecycle.book(
        user=user, resource_id=resource.pk, start_time=at(start), end_time=at(end), act=act(user, NOW)
    )


@pytest.mark.only_on_postgresql
def test_booking_waits_for_whoever_holds_the_resource_and_sees_what_they_booked(
    alice: User, bob: User, room: Resource
) -> None:
    with transaction.atomic():
        hold(Resource, room.pk)
        thread = Rival(lambda: book(alice, room))
        thread.start()
        waited = thread.waits()
        make_booking(bob, room)
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.SlotTaken)
    assert [(slot.start, slot.end) for slot in thread.refusal.conflicts] == [(at(10), at(11))]
    assert not isinstance(thread.refusal.__context__, IntegrityError), "the check found it, before the database had to"


def test_what_else_could_be_booked_is_looked_for_without_a_lock(
    alice: User, bob: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_booking(bob, room)
    locked: list[bool] = []

    def look(booking: Booking, *, now: datetime) -> list[errors.Suggestion]:
        locked.append(connection.in_atomic_block)
        return suggestions_for(booking, now=now)

    monkeypatch.setattr(conflicts, "suggestions_for", look)
    with pytest.raises(errors.SlotTaken) as caught:
        book(alice, room)
    assert locked == [False]
    assert caught.value.suggestion == Interval(at(11), at(12))


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(
    "changes",
    [Changes(start_time=at(10), end_time=at(11)), Changes(status="confirmed")],
    ids=["moving", "reviving"],
)
def test_changing_waits_for_whoever_holds_the_resource(
    alice: User, bob: User, room: Resource, changes: Changes
) -> None:
    booking = make_cancelled_booking(alice, room) if changes.status else make_booking(alice, room, at(15))
    with transaction.atomic():
        hold(Resource, room.pk)
        thread = Rival(lambda: lifecycle.change(booking, changes=changes, act=act(alice, NOW)))
        thread.start()
        waited = thread.waits()
        make_booking(bob, room)
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.SlotTaken)
    assert not isinstance(thread.refusal.__context__, IntegrityError)


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(
    "verb",
    [
        lambda booking, user: lifecycle.change(booking, changes=Changes(notes="Mine"), act=act(user, NOW)),
        lambda booking, user: lifecycle.cancel(booking, act=act(user, NOW)),
        lambda booking, user: lifecycle.remove(booking, act=act(user, NOW)),
    ],
    ids=["change", "cancel", "remove"],
)
def test_verbs_wait_for_whoever_holds_the_booking(
    alice: User, room: Resource, verb: Callable[[Booking, User], object]
) -> None:
    booking = make_booking(alice, room)
    with transaction.atomic():
        hold(Booking, booking.pk)
        thread = Rival(lambda: verb(booking, alice))
        thread.start()
        waited = thread.waits()
        Booking.objects.filter(pk=booking.pk).update(status="rejected", notes="Theirs")
    thread.join(30)
    assert waited
    assert thread.refusal is None
    found = list(Booking.objects.values_list("status", "notes"))
    assert found in ([("rejected", "Mine")], [("rejected", "Theirs")], [])


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(
    "verb",
    [
        lambda booking, user: lifecycle.change(booking, changes=Changes(notes="Mine"), act=act(user, NOW)),
        lambda booking, user: lifecycle.cancel(booking, act=act(user, NOW)),
        lambda booking, user: lifecycle.remove(booking, act=act(user, NOW)),
    ],
    ids=["change", "cancel", "remove"],
)
def test_a_booking_that_is_moved_to_another_resource_meanwhile_is_found(
    alice: User, room: Resource, lab: Resource, verb: Callable[[Booking, User], object]
) -> None:
    booking = make_booking(alice, room)
    with transaction.atomic():
        hold(Booking, booking.pk)
        thread = Rival(lambda: verb(booking, alice))
        thread.start()
        waited = thread.waits()
        Booking.objects.filter(pk=booking.pk).update(resource=lab)
    thread.join(30)
    assert waited
    assert thread.refusal is None
    assert not isinstance(thread.answer, Booking) or thread.answer.resource == lab
    found = list(Booking.objects.values_list("resource", "status", "notes"))
    assert found in ([(lab.pk, "confirmed", "Mine")], [(lab.pk, "cancelled", "")], [])


@pytest.mark.only_on_postgresql
def test_a_booking_that_staff_confirm_while_its_expiry_waits_stays(alice: User, admin: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    confirmed = Changes(status="confirmed")
    with transaction.atomic():
        lifecycle.change(booking, changes=confirmed, act=act(admin, booking.start_time), expected=("pending",))
        thread = Rival(lambda: lifecycle.expire(booking, act=act(None, booking.start_time)))
        thread.start()
        waited = thread.waits()
    thread.join(30)
    assert waited
    assert (thread.answer, thread.refusal) == (False, None)
    assert told() == [("booking.confirmed", booking.pk, "admin")]


@pytest.mark.only_on_postgresql
def test_staff_who_wait_for_an_expiry_are_told_of_the_new_status(alice: User, admin: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    confirm = act(admin, booking.start_time)
    with transaction.atomic():
        assert lifecycle.expire(booking, act=act(None, booking.start_time))
        thread = Rival(
            lambda: lifecycle.change(booking, changes=Changes(status="confirmed"), act=confirm, expected=("pending",))
        )
        thread.start()
        waited = thread.waits()
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.StateChanged)
    assert told() == [("booking.expired", booking.pk, "")]


@pytest.mark.only_on_postgresql
def test_deleting_a_resource_waits_for_whoever_books_it(alice: User, room: Resource) -> None:
    with transaction.atomic():
        hold(Resource, room.pk)
        thread = Rival(lambda: lifecycle.delete_resource(room))
        thread.start()
        waited = thread.waits()
        make_booking(alice, room)
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.ResourceHasBookings)
    assert Resource.objects.get() == room


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("upward", [True, False], ids=["to the later one", "to the earlier one"])
def test_two_resources_are_locked_in_the_order_of_their_ids(alice: User, upward: bool) -> None:
    first, second = make_resource("First"), make_resource("Second")
    here, there = (first, second) if upward else (second, first)
    booking = make_booking(alice, here)
    move = Changes(resource_id=there.pk)
    with transaction.atomic():
        hold(Resource, first.pk)
        thread = Rival(lambda: lifecycle.change(booking, changes=move, act=act(alice, NOW)))
        thread.start()
        waited = thread.waits()
        # It waits for the first and does not hold the second: nobody who does likewise can lock it out.
        Resource.objects.select_for_update(no_key=True, nowait=True).get(pk=second.pk)
    thread.join(30)
    assert waited
    assert thread.refusal is None
    assert Booking.objects.get().resource == there


@pytest.mark.only_on_postgresql
def test_other_resources_are_booked_meanwhile(alice: User, room: Resource, lab: Resource) -> None:
    with transaction.atomic():
        hold(Resource, room.pk)
        with rival(lambda: book(alice, lab)) as thread:
            assert not thread.waits()
        assert thread.refusal is None
    assert Booking.objects.get().resource == lab


@pytest.mark.only_on_sqlite
def test_booking_on_sqlite_waits_for_whoever_writes_and_sees_what_they_booked(
    alice: User, bob: User, room: Resource
) -> None:
    with transaction.atomic():
        thread = Rival(lambda: book(alice, room))
        thread.start()
        assert thread.begun.wait(30)
        thread.join(0.3)
        waited = thread.is_alive()
        make_booking(bob, room)
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.SlotTaken)
    assert not isinstance(thread.refusal.__context__, IntegrityError), "the check found it, before the database had to"


@pytest.mark.only_on_sqlite
def test_a_transaction_on_sqlite_holds_the_write_lock_from_its_beginning(room: Resource) -> None:
    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
        Resource.objects.update(capacity=2)

    with transaction.atomic(), rival(write) as thread:
        thread.join(30)
    assert isinstance(thread.refusal, OperationalError)
    assert Resource.objects.get().capacity == 1


# --- A rival whom the check could not see -----------------------------------------------------------------------------


@contextmanager
def between_check_and_write(act: Callable[[], None]) -> Iterator[None]:
    """Acts once, when a verb has checked and is about to write."""
    done: list[bool] = []

    def acting(**kwargs: object) -> None:
        if not done:
            done.append(True)
            act()

    pre_save.connect(acting, sender=Booking, weak=False, dispatch_uid="between")
    try:
        yield
    finally:
        pre_save.disconnect(sender=Booking, dispatch_uid="between")
    assert done


def insert(user: User, room: Resource) -> None:
    """By SQL, since other programs write to these tables too, and take no lock."""
    times = [connection.ops.adapt_datetimefield_value(at(hour)) for hour in (10.5, 11.5)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status) "
            "VALUES (%s, %s, %s, %s, 'confirmed')",
            [user.pk, room.pk, *times],
        )


def elsewhere(act: Callable[[], None]) -> None:
    """In another connection, committed at once."""
    with rival(act) as thread:
        pass
    assert thread.refusal is None


def prepared(verb: str, user: User, room: Resource) -> Callable[[], object]:
    """The verb, with what it needs already stored."""
    if verb == "booking":
        return lambda: book(user, room)
    if verb == "moving":
        booking, changes = make_booking(user, room, at(15)), Changes(start_time=at(10), end_time=at(11))
    else:
        booking, changes = make_cancelled_booking(user, room), Changes(status="pending")
    return lambda: lifecycle.change(booking, changes=changes, act=act(user, NOW))


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("verb", ["booking", "moving", "reviving"])
def test_the_refusal_of_the_database_names_the_clash_and_a_free_slot(
    alice: User, bob: User, room: Resource, verb: str
) -> None:
    act = prepared(verb, alice, room)
    with (
        between_check_and_write(lambda: elsewhere(lambda: insert(bob, room))),
        pytest.raises(errors.SlotTaken) as caught,
    ):
        act()
    assert [(slot.start, slot.end) for slot in caught.value.conflicts] == [(at(10.5), at(11.5))]
    assert (caught.value.suggestion.start, caught.value.suggestion.end) == (at(11.5), at(12.5))
    assert Booking.objects.blocking().filter(user=alice, start_time=at(10)).count() == 0
    assert overlapping_pairs() == []


@pytest.mark.parametrize("verb", ["booking", "moving", "reviving"])
def test_the_refusal_of_the_database_is_the_same_error_where_the_clash_is_gone_again(
    alice: User, bob: User, room: Resource, verb: str
) -> None:
    act = prepared(verb, alice, room)
    rows = list(Booking.objects.order_by("pk").values())
    # In the verb's own transaction, which the refusal takes back with the rival.
    with between_check_and_write(lambda: insert(bob, room)), pytest.raises(errors.SlotTaken) as caught:
        act()
    assert caught.value.code == "slot_taken"
    assert caught.value.conflicts == []
    assert list(Booking.objects.order_by("pk").values()) == rows
