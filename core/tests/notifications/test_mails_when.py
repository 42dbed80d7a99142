"""When messages are sent: once for each event that was committed, and not otherwise."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core import lifecycle
from core.errors import UserMissing
from core.models import Booking, Notification, Resource
from core.notifications import messages
from core.tests.bookings.test_admin import typed_anew
from core.tests.support.acts import act
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    text,
)
from core.tests.support.mailing import deliver

pytestmark = pytest.mark.django_db(transaction=True)

Sent = list[EmailMultiAlternatives]


@pytest.fixture(autouse=True)
def _told_staff(settings: Settings) -> None:
    settings.TO_EMAIL = ["staff@example.org"]


def receivers(mailoutbox: Sent, *, after: int = 0) -> list[str]:
    """Who was written to, without the first so many, once all that was due has been delivered."""
    deliver()
    return [mail.to[0] for mail in mailoutbox[after:]]


def test_each_event_is_one_message_for_each_receiver(
    as_alice: APIClient, as_admin: APIClient, room: Resource, mailoutbox: Sent
) -> None:
    pk = as_alice.post("/api/bookings/", booking_body(room)).json()["id"]
    assert receivers(mailoutbox) == ["alice@example.org", "staff@example.org"]
    as_admin.put(f"/api/bookings/{pk}/", booking_body(room, at(12), notes="x", status="pending"))
    assert receivers(mailoutbox, after=2) == ["alice@example.org", "staff@example.org"]
    assert mailoutbox[2].subject.startswith("Changed and back to pending: Blue room")
    as_alice.delete(f"/api/bookings/{pk}/")
    assert receivers(mailoutbox, after=4) == ["alice@example.org", "staff@example.org"]


def test_nothing_is_sent_before_the_commit(alice: User, room: Resource, mailoutbox: Sent) -> None:
    with transaction.atomic():
        lifecycle.book(user=alice, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(alice))
        assert mailoutbox == []
    assert receivers(mailoutbox) == ["alice@example.org", "staff@example.org"]


def test_nothing_is_sent_when_what_comes_later_in_the_transaction_fails(
    alice: User, room: Resource, mailoutbox: Sent
) -> None:
    def book_and_fail() -> None:
        with transaction.atomic():
            lifecycle.book(user=alice, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(alice))
            raise RuntimeError("What came later failed.")

    with pytest.raises(RuntimeError):
        book_and_fail()
    assert Booking.objects.count() == 0
    assert receivers(mailoutbox) == []


def test_nothing_is_sent_for_the_part_that_a_savepoint_took_back(alice: User, room: Resource, mailoutbox: Sent) -> None:
    booking = make_booking(alice, room, at(8))
    taken = {"start_time": at(8), "end_time": at(9)}
    with transaction.atomic():
        lifecycle.cancel(booking, act=act(alice))
        with transaction.atomic():
            lifecycle.book(user=alice, resource_id=room.pk, act=act(alice), **taken)
            transaction.set_rollback(True)
    deliver()
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["Cancelled", "Cancelled"]


def test_nothing_is_sent_when_the_commit_itself_is_refused(room: Resource, mailoutbox: Sent) -> None:
    gone = User(pk=999_999, username="ghost", email="ghost@example.org")
    with pytest.raises((IntegrityError, UserMissing)):
        lifecycle.book(user=gone, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(gone))
    assert Booking.objects.count() == 0
    assert receivers(mailoutbox) == []


def test_nothing_is_sent_for_a_refusal(
    as_alice: APIClient, as_bob: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    ended = make_ended_booking(alice, room)
    path = f"/api/bookings/{booking.pk}/"
    answers = [
        as_bob.post("/api/bookings/", booking_body(room)),
        as_bob.patch(path, {"notes": "x"}),
        as_bob.delete(path),
        as_alice.patch(path, {"status": "rejected"}),
        as_alice.patch(path, {"end_time": text(at(9))}),
        as_alice.delete(f"/api/bookings/{ended.pk}/"),
    ]
    assert [answer.status_code for answer in answers] == [400, 403, 403, 400, 400, 403]
    assert receivers(mailoutbox) == []


def test_nothing_is_sent_for_a_change_that_changes_nothing(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room, notes="as before")
    cancelled = make_cancelled_booking(alice, room, at(14))
    same = booking_body(room, notes="as before", status="confirmed")
    answers = [
        as_alice.put(f"/api/bookings/{booking.pk}/", same),
        as_alice.patch(f"/api/bookings/{booking.pk}/", {}),
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"status": "confirmed"}),
        as_alice.delete(f"/api/bookings/{cancelled.pk}/"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 204]
    assert receivers(mailoutbox) == []


def test_nothing_is_sent_for_the_removal_of_what_was_over(
    admin: User, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    for booking in (make_ended_booking(alice, room), make_cancelled_booking(alice, room)):
        lifecycle.remove(booking, act=act(admin))
    assert Booking.objects.count() == 0
    assert receivers(mailoutbox) == []


@pytest.mark.parametrize(
    "act",
    [
        pytest.param({"status": "cancelled"}, id="cancelled"),
        pytest.param({"status": "rejected"}, id="rejected"),
        pytest.param({"notes": "Left early."}, id="other notes"),
        pytest.param({"end_time": text(at(10.5, day=-1))}, id="a shorter time"),
        pytest.param({"start_time": text(at(8, day=-2)), "end_time": text(at(9, day=-2))}, id="another day"),
    ],
)
def test_nobody_is_told_what_becomes_of_a_booking_that_was_over(
    as_admin: APIClient, alice: User, room: Resource, mailoutbox: Sent, act: dict
) -> None:
    booking = make_ended_booking(alice, room)
    assert as_admin.patch(f"/api/bookings/{booking.pk}/", act).status_code == 200
    assert receivers(mailoutbox) == []


def test_nobody_is_told_of_a_record_of_what_was(
    admin_pages: Client, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    record = typed_anew(alice, room, at(10, day=-1), past_confirmed="on")
    assert admin_pages.post("/admin/core/booking/add/", record).status_code == 302
    assert Booking.objects.count() == 1
    assert receivers(mailoutbox) == []


@pytest.mark.parametrize("moved", ["out of the past", "into the past"])
def test_a_booking_that_is_to_come_before_or_after_is_told_of(
    as_admin: APIClient, alice: User, room: Resource, mailoutbox: Sent, moved: str
) -> None:
    ended = moved == "out of the past"
    booking = make_ended_booking(alice, room) if ended else make_booking(alice, room)
    day = 1 if ended else -1
    times = {"start_time": text(at(14, day=day)), "end_time": text(at(15, day=day))}
    assert as_admin.patch(f"/api/bookings/{booking.pk}/", times).status_code == 200
    assert receivers(mailoutbox) == ["alice@example.org", "staff@example.org"]


def test_a_message_that_cannot_be_rendered_fails_once_and_can_be_sent_again_by_staff(
    as_alice: APIClient, room: Resource, settings: Settings, mailoutbox: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    templates = settings.TEMPLATES
    settings.TEMPLATES = []
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert Booking.objects.count() == 1
    assert receivers(mailoutbox) == []
    assert caplog.text.count("cannot be rendered.") == 2
    rows = Notification.objects.order_by("id")
    assert set(rows.values_list("state", "tries", "last_error")) == {
        ("failed", 1, "cannot be rendered: TemplateDoesNotExist")
    }
    settings.TEMPLATES = templates
    deliver(now=timezone.now() + timedelta(hours=2))
    assert receivers(mailoutbox) == []
    messages.resend(rows, now=timezone.now())
    assert receivers(mailoutbox) == ["alice@example.org", "staff@example.org"]
