"""Pending bookings whose start passes while they wait: they expire, once, and no other booking does."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import pre_save
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core import errors, expiry, lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.outbox.delivery import Begun
from core.outbox.worker import run_due
from core.record.acts import Act
from core.record.kinds import Channel
from core.tests.support.acts import act
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import TODAY, at, booking_body, make_booking, make_pending_booking
from core.tests.support.mailing import deliver
from core.tests.support.outages import another_connection, somebody_holds
from core.tests.support.parallel import in_parallel
from core.tests.support.plans import plan_of
from core.tests.support.records import recorded, told

MOMENT = timedelta(microseconds=1)
START = at(10)
BY_NOBODY = Act(by=None, now=START, channel=Channel.JOB)


def expire_pending(now: datetime = START) -> int:
    return expiry.expire_pending(now=now, channel=Channel.JOB)


def status_of(booking: Booking) -> str:
    return Booking.objects.get(pk=booking.pk).status


@pytest.fixture
def booking(alice: User, lab: Resource) -> Booking:
    """Pending, tomorrow from 10 to 11."""
    return make_pending_booking(alice, lab)


def test_a_booking_that_nobody_confirmed_is_cancelled_at_its_start(booking: Booking, alice: User) -> None:
    assert expire_pending() == 1
    after = Booking.objects.get()
    assert (after.status, after.calendar_sequence) == ("cancelled", 1)
    assert after.updated_at > booking.updated_at
    (row,) = recorded()
    assert (row.kind, row.booking_id, row.at, row.channel) == ("booking.expired", booking.pk, START, "job")
    assert (row.owner, row.actor, row.part) == (alice, None, "system")
    assert (row.facts["before"]["booking"]["status"], row.facts["after"]["booking"]["status"]) == (
        "pending",
        "cancelled",
    )


def test_its_slot_can_be_booked_again(booking: Booking, bob: User, lab: Resource) -> None:
    expire_pending()
    again = lifecycle.book(
        user=bob,
        resource_id=lab.pk,
        start_time=booking.start_time,
        end_time=booking.end_time,
        act=act(bob, at(8)),
    )
    assert again.slot == booking.slot


def test_its_owner_may_not_revive_it_once_its_start_is_over(booking: Booking, alice: User) -> None:
    expire_pending()
    with pytest.raises(errors.StartInPast):
        lifecycle.change(booking, changes=Changes(status="pending"), act=act(alice, START + MOMENT))
    assert told() == [("booking.expired", booking.pk, "")]


# --- Which ones -------------------------------------------------------------------------------------------------------

DUE = {"status": "pending", "start_time": START, "end_time": at(11), "updated_at": at(9)}
BOUNDARIES = {
    "it starts now": ({}, START, True),
    "it starts a moment later": ({}, START - MOMENT, False),
    "it started a moment ago": ({}, START + MOMENT, True),
    "it has ended": ({}, at(12), True),
    "it has ended long ago": ({}, at(12, day=90), True),
    "written a moment before its start": ({"updated_at": START - MOMENT}, START, True),
    "written at its start": ({"updated_at": START}, START, False),
    "written after its start": ({"updated_at": at(10.5)}, at(10.75), False),
    "written after its end": ({"updated_at": at(12)}, at(13), False),
    "confirmed": ({"status": "confirmed"}, START, False),
    "rejected": ({"status": "rejected"}, START, False),
    "cancelled": ({"status": "cancelled"}, START, False),
}


@pytest.mark.parametrize(("columns", "now", "expires"), BOUNDARIES.values(), ids=BOUNDARIES)
def test_the_boundaries(columns: dict, now: datetime, expires: bool, booking: Booking) -> None:
    Booking.objects.update(**{**DUE, **columns})
    before = Booking.objects.values().get()
    found = list(Booking.objects.expired(now))
    assert lifecycle.expire(booking, act=Act(by=None, now=now, channel=Channel.JOB)) is expires
    assert found == ([booking] if expires else [])
    assert status_of(booking) == ("cancelled" if expires else before["status"])
    assert len(recorded()) == expires
    if not expires:
        assert Booking.objects.values().get() == before


def test_what_staff_move_into_the_past_stays(booking: Booking, admin: User) -> None:
    now = timezone.now()
    past = Changes(start_time=at(10, day=-2), end_time=at(11, day=-2))
    lifecycle.change(booking, changes=past, act=act(admin, now))
    assert expire_pending(now) == expire_pending(now + timedelta(days=90)) == 0
    assert status_of(booking) == "pending"


def test_what_staff_record_as_pending_after_it_was_stays(alice: User, admin: User, lab: Resource) -> None:
    booking = lifecycle.book(
        user=alice,
        resource_id=lab.pk,
        start_time=at(10, day=-2),
        end_time=at(11, day=-2),
        status="pending",
        act=act(admin),
        as_record=True,
    )
    assert expire_pending() == 0
    assert status_of(booking) == "pending"


def test_what_sql_writes_into_the_past_stays(alice: User, lab: Resource) -> None:
    times = [connection.ops.adapt_datetimefield_value(at(hour, day=-2)) for hour in (10, 11)]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_booking (user_id, resource_id, start_time, end_time) VALUES (%s, %s, %s, %s)",
            [alice.pk, lab.pk, *times],
        )
    assert expire_pending() == 0
    assert Booking.objects.get().status == "pending"


def test_one_that_is_moved_in_time_expires_at_its_new_start(booking: Booking, alice: User) -> None:
    lifecycle.change(booking, changes=Changes(start_time=at(14), end_time=at(15)), act=act(alice, at(8)))
    assert expire_pending(at(14) - MOMENT) == 0
    assert expire_pending(at(14)) == 1


# --- Once -------------------------------------------------------------------------------------------------------------


def test_it_expires_once_however_often_somebody_looks(booking: Booking) -> None:
    assert [expire_pending(), expire_pending(), expire_pending(at(12))] == [1, 0, 0]
    assert told() == [("booking.expired", booking.pk, "")]


@pytest.mark.django_db(transaction=True)
def test_each_expires_once_by_many_at_the_same_time(alice: User, lab: Resource, mailoutbox: list) -> None:
    bookings = [make_pending_booking(alice, lab, at(hour)) for hour in range(5, 15)]
    numbers = in_parallel([lambda: expire_pending(at(14))] * 4)
    assert sum(numbers) == len(bookings)
    assert sorted(told()) == sorted(("booking.expired", booking.pk, "") for booking in bookings)
    assert set(Booking.objects.values_list("status", "calendar_sequence")) == {("cancelled", 1)}


@pytest.mark.django_db(transaction=True)
def test_staff_confirm_at_the_second_at_which_it_expires(
    alice: User, admin: User, lab: Resource, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    for hour in range(4, 20):
        booking = make_pending_booking(alice, lab, at(hour))
        now = booking.start_time

        def confirm(booking: Booking = booking, now: datetime = now) -> Booking:
            confirmed = Changes(status="confirmed")
            return lifecycle.change(booking, changes=confirmed, act=act(admin, now), expected=("pending",))

        def expire(now: datetime = now) -> int:
            return expire_pending(now)

        first, second = (confirm, expire) if hour % 2 else (expire, confirm)
        answers = in_parallel([first, second])
        by_staff, number = answers if hour % 2 else reversed(answers)
        kinds = [row.kind for row in recorded() if row.booking_id == booking.pk]
        if number:
            assert isinstance(by_staff, errors.StateChanged)
            assert (status_of(booking), kinds) == ("cancelled", ["booking.expired"])
        else:
            assert by_staff == booking
            assert (status_of(booking), kinds) == ("confirmed", ["booking.confirmed"])
        deliver(now=now)
        (mail,) = mailoutbox
        assert mail.subject.partition(":")[0] == ("Expired" if number else "Confirmed")
        mailoutbox.clear()


@pytest.mark.parametrize("sent", [{"notes": "Wait!"}, {"end_time": None}], ids=["notes", "the end"])
def test_an_owner_cannot_keep_it_from_expiring(as_alice: APIClient, alice: User, lab: Resource, sent: dict) -> None:
    now = timezone.now().replace(microsecond=0)
    waited = make_pending_booking(alice, lab, now - timedelta(seconds=30))
    Booking.objects.update(updated_at=now - timedelta(hours=1), end_time=now + timedelta(hours=2))
    change = {name: value or (now + timedelta(hours=1)).isoformat() for name, value in sent.items()}
    path = f"/api/bookings/{waited.pk}/"
    assert_flat_error(as_alice.patch(path, change), 403, "booking_expired")
    assert as_alice.patch(path, {"status": "cancelled"}).status_code == 200


def test_one_that_staff_decided_since_the_look_stays(booking: Booking) -> None:
    Booking.objects.update(status="confirmed")
    assert lifecycle.expire(booking, act=BY_NOBODY) is False
    assert (status_of(booking), recorded()) == ("confirmed", [])


def test_one_that_is_removed_while_somebody_looks_is_no_failure(
    booking: Booking, caplog: pytest.LogCaptureFixture
) -> None:
    Booking.objects.filter(pk=booking.pk).delete()
    assert expiry.expire_one(booking, BY_NOBODY) is False
    assert caplog.records == []


@contextmanager
def failing(broken: Booking) -> Iterator[None]:
    """A block in which no write of that booking succeeds."""

    def fail(instance: Booking, **kwargs: object) -> None:
        if instance.pk == broken.pk:
            raise RuntimeError

    pre_save.connect(fail, sender=Booking, weak=False, dispatch_uid="failing")
    try:
        yield
    finally:
        pre_save.disconnect(sender=Booking, dispatch_uid="failing")


def test_a_broken_booking_stops_no_other(
    alice: User, lab: Resource, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    bookings = [make_pending_booking(alice, lab, at(hour)) for hour in range(5, 10)]
    with failing(bookings[1]), caplog.at_level(logging.ERROR):
        assert expire_pending() == 4
    assert [status_of(booking) for booking in bookings] == ["cancelled", "pending", *["cancelled"] * 3]
    assert [record.getMessage() for record in caplog.records] == [f"Booking {bookings[1].pk} could not expire."]
    assert expire_pending() == 1


# --- The look ---------------------------------------------------------------------------------------------------------


def statements(look: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        look()
    return [query["sql"] for query in captured]


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_booking_that_somebody_has_locked_stops_no_other(
    alice: User, lab: Resource, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(expiry, "LOCK_SECONDS", 1)
    first, second = make_pending_booking(alice, lab), make_pending_booking(alice, lab, at(8))
    with another_connection(["BEGIN", f"SELECT 1 FROM core_booking WHERE id = {first.pk} FOR UPDATE"]):
        assert expire_pending() == 1
    assert (status_of(first), status_of(second)) == ("pending", "cancelled")
    assert f"Booking {first.pk} could not expire now: another connection holds a lock." in caplog.text
    assert expire_pending() == 1
    assert status_of(first) == "cancelled"


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_forgotten_lock_on_a_resource_keeps_no_booking_of_another_one_from_expiring(
    alice: User, lab: Resource, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "LOCK_SECONDS", 1)
    here, there = make_pending_booking(alice, lab), make_pending_booking(alice, room)
    with somebody_holds(lab):
        expire_pending()
    assert status_of(there) == "cancelled"
    expire_pending()
    assert status_of(here) == "cancelled"


def test_a_look_with_nothing_due_is_one_statement_that_reads_an_index_of_those_that_wait(
    alice: User, lab: Resource
) -> None:
    for day in range(1, 30):
        make_booking(alice, lab, at(12, day=-day))
        make_pending_booking(alice, lab, at(10, day=day + 1))
    # Written after they were, so that they do not expire.
    times = [at(-hour, day=-40) for hour in range(2000)]
    Booking.objects.bulk_create(
        Booking(user=alice, resource=lab, start_time=time, end_time=time + timedelta(hours=1), status="pending")
        for time in times
    )
    (statement,) = statements(expire_pending)
    assert "core_booking_expiring" in (plan := plan_of(statement)), plan


def test_the_index_holds_none_that_was_written_into_the_past(alice: User, lab: Resource) -> None:
    make_booking(alice, lab, at(10, day=-1), status="pending")
    waiting = make_pending_booking(alice, lab)
    assert list(Booking.objects.expiring()) == [waiting]


# --- Who looks --------------------------------------------------------------------------------------------------------


def test_the_worker_expires_it_and_tells_of_it_in_the_same_run(
    booking: Booking, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    deliver(now=START - timedelta(minutes=1))
    assert (status_of(booking), mailoutbox) == ("pending", [])
    deliver(now=START)
    assert status_of(booking) == "cancelled"
    assert [mail.subject for mail in mailoutbox] == [f"Expired: Lab, {START:%Y-%m-%d} 10:00 UTC"]


def test_nobody_is_told_of_one_that_has_ended(
    booking: Booking, settings: Settings, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    deliver(now=at(11))
    assert (status_of(booking), told(), mailoutbox) == ("cancelled", [("booking.expired", booking.pk, "")], [])


def test_a_worker_looks_once_a_minute_at_most(booking: Booking) -> None:
    Booking.objects.update(start_time=TODAY - timedelta(days=3), updated_at=TODAY - timedelta(days=4))
    begun: Begun = {}
    run_due(now=timezone.now(), begun=begun)
    assert status_of(booking) == "cancelled"
    Booking.objects.update(status="pending", updated_at=TODAY - timedelta(days=4))
    run_due(now=timezone.now(), begun=begun)
    assert status_of(booking) == "pending"
    begun[expiry.expire_due] -= expiry.LOOK_SECONDS
    run_due(now=timezone.now(), begun=begun)
    assert status_of(booking) == "cancelled"


def say() -> str:
    out = io.StringIO()
    call_command("expire_pending", stdout=out)
    return out.getvalue()


def test_the_command_says_how_many_expired(alice: User, lab: Resource) -> None:
    for hour in (5, 6, 7):
        make_pending_booking(alice, lab, at(hour))
    yesterday = TODAY - timedelta(days=1)
    for booking, hour in zip(Booking.objects.order_by("pk")[:2], (5, 6), strict=True):
        start = at(hour, day=-1)
        Booking.objects.filter(pk=booking.pk).update(
            start_time=start, end_time=start + timedelta(minutes=30), updated_at=yesterday
        )
    assert say() == "2 bookings expired.\n"
    assert {(row.kind, row.channel, row.part) for row in recorded()} == {("booking.expired", "command", "system")}
    assert say() == "0 bookings expired.\n"
    Booking.objects.filter(status="pending").update(start_time=at(7, day=-1), updated_at=yesterday)
    assert say() == "1 booking expired.\n"


def test_a_booking_over_the_api_expires(as_alice: APIClient, lab: Resource) -> None:
    made = as_alice.post("/api/bookings/", booking_body(lab)).json()
    assert expire_pending() == 1
    answer = as_alice.get(f"/api/bookings/{made['id']}/").json()
    assert answer["status"] == "cancelled"
