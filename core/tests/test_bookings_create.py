"""POST /api/bookings/."""

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.factories import at, booking_body, make_booking, text


def test_a_user_books_a_free_slot(as_alice: APIClient, alice: User, room: Resource) -> None:
    answer = as_alice.post("/api/bookings/", booking_body(room, notes="For two"))
    booking = Booking.objects.get()
    assert answer.status_code == 201, answer.json()
    assert answer.headers["Location"].endswith(f"/api/bookings/{booking.pk}/")
    assert answer.json() == {
        "id": booking.pk,
        "user": alice.pk,
        "username": "alice",
        "resource": room.pk,
        "resource_name": "Blue room",
        "start_time": text(at(10)),
        "end_time": text(at(11)),
        "status": "confirmed",
        "notes": "For two",
        "created_at": text(booking.created_at),
        "updated_at": text(booking.updated_at),
    }


def test_a_taken_slot_is_refused_with_the_clash_and_a_suggestion(
    as_bob: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    answer = as_bob.post("/api/bookings/", booking_body(room, at(10.5)))
    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "slot_taken"
    assert body["conflicts"] == [{"start_time": text(at(10)), "end_time": text(at(11))}]
    assert body["suggestion"] == {"start_time": text(at(11)), "end_time": text(at(12))}
    assert "alice" not in str(body)
    assert Booking.objects.count() == 1
