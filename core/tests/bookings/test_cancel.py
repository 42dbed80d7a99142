"""DELETE /api/bookings/{id}/."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Notification, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_ended_booking
from core.tests.support.mailing import deliver


def url(booking: Booking) -> str:
    return f"/api/bookings/{booking.pk}/"


def stored(booking: Booking) -> dict:
    return Booking.objects.filter(pk=booking.pk).values().get()


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_delete_cancels_and_the_row_stays(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, status: str
) -> None:
    booking = make_booking(alice, room, status=status, notes="Kept")
    before = stored(booking)
    answer = request.getfixturevalue(client).delete(url(booking))
    assert answer.status_code == 204
    assert answer.content == b""
    after = stored(booking)
    assert after["status"] == "cancelled"
    assert {name for name in after if after[name] != before[name]} == {"status", "updated_at", "calendar_sequence"}


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
@pytest.mark.parametrize("status", ["cancelled", "rejected"])
@pytest.mark.parametrize("day", [1, -1], ids=["to come", "over"])
def test_one_cancelled_or_rejected_before_stays_as_it_is_and_nothing_is_sent(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, status: str, day: int
) -> None:
    booking = make_booking(alice, room, at(10, day=day), status=status)
    before = stored(booking)
    answer = request.getfixturevalue(client).delete(url(booking))
    assert (answer.status_code, answer.content) == (204, b"")
    assert stored(booking) == before
    assert not Notification.objects.exists()


def test_a_cancellation_is_told(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    as_alice.delete(url(booking))
    deliver()
    assert [message.to for message in mail.outbox] == [["alice@example.org"]]


def test_the_slot_is_free_again(as_alice: APIClient, as_bob: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert as_bob.post("/api/bookings/", booking_body(room)).status_code == 400
    assert as_alice.delete(url(booking)).status_code == 204
    assert as_bob.post("/api/bookings/", booking_body(room)).status_code == 201


def test_deleting_twice_is_fine(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert [as_alice.delete(url(booking)).status_code for _ in range(2)] == [204, 204]


def test_a_running_booking_can_be_cancelled(as_alice: APIClient, alice: User, room: Resource) -> None:
    running = make_booking(alice, room, timezone.now() - timedelta(minutes=10))
    assert as_alice.delete(url(running)).status_code == 204
    assert stored(running)["status"] == "cancelled"


def test_one_on_a_resource_out_of_service_can_be_cancelled(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    Resource.objects.update(is_available=False)
    assert as_alice.delete(url(booking)).status_code == 204


def test_staff_cancel_what_has_ended(as_admin: APIClient, alice: User, room: Resource) -> None:
    past = make_ended_booking(alice, room)
    assert as_admin.delete(url(past)).status_code == 204
    assert stored(past)["status"] == "cancelled"


def test_the_browsable_page_answers_200_and_cancels(admin: User, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    browser = Client(headers={"x-forwarded-proto": "https", "accept": "text/html"})
    browser.force_login(admin)
    answer = browser.delete(url(booking))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert stored(booking)["status"] == "cancelled"


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_an_owner_cannot_cancel_what_has_ended(as_alice: APIClient, alice: User, room: Resource, status: str) -> None:
    past = make_booking(alice, room, at(10, day=-1), status=status)
    before = stored(past)
    assert_flat_error(as_alice.delete(url(past)), 403, "booking_ended")
    assert stored(past) == before


def test_a_stranger_cannot_cancel(as_bob: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert_flat_error(as_bob.delete(url(booking)), 403, "permission_denied")
    assert stored(booking)["status"] == "confirmed"


def test_nobody_cancels_without_a_token(anonymous: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert_flat_error(anonymous.delete(url(booking)), 401, "not_authenticated")
    assert stored(booking)["status"] == "confirmed"


def test_an_unknown_booking_is_not_found(as_alice: APIClient) -> None:
    assert_flat_error(as_alice.delete("/api/bookings/1/"), 404, "not_found")


def test_the_collection_cannot_be_deleted(as_alice: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    assert_flat_error(as_alice.delete("/api/bookings/"), 405, "method_not_allowed")
    assert Booking.objects.count() == 1
