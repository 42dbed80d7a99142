"""GET /api/bookings/{id}/."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, text


@pytest.fixture
def booking(alice: User, room: Resource) -> Booking:
    return make_booking(alice, room, notes="Mine")


@pytest.mark.parametrize("client", ["as_alice", "as_admin", "as_root"])
def test_the_owner_and_staff_see_a_booking(request: pytest.FixtureRequest, booking: Booking, client: str) -> None:
    answer = request.getfixturevalue(client).get(f"/api/bookings/{booking.pk}/")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": booking.pk,
        "user": booking.user_id,
        "username": "alice",
        "resource": booking.resource_id,
        "resource_name": "Blue room",
        "start_time": text(at(10)),
        "end_time": text(at(11)),
        "status": "confirmed",
        "notes": "Mine",
        "created_at": text(booking.created_at),
        "updated_at": text(booking.updated_at),
    }


def test_somebody_elses_booking_is_forbidden_and_not_hidden(as_bob: APIClient, booking: Booking) -> None:
    body = assert_flat_error(as_bob.get(f"/api/bookings/{booking.pk}/"), 403, "permission_denied")
    assert "alice" not in str(body)


def test_nothing_is_shown_without_a_token(anonymous: APIClient, booking: Booking) -> None:
    assert_flat_error(anonymous.get(f"/api/bookings/{booking.pk}/"), 401, "not_authenticated")


@pytest.mark.parametrize(
    "key",
    ["999999", "0", "-1", "abc", "1.0", "9223372036854775808", "9" * 400, "9" * 5000, "%00", "1%00", "%F0%28", "null"],
    ids=lambda key: key[:20] + str(len(key)),
)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_unknown_booking_is_not_found(as_alice: APIClient, method: str, key: str) -> None:
    assert_flat_error(getattr(as_alice, method)(f"/api/bookings/{key}/", {}), 404, "not_found")


def test_posting_to_a_booking_is_not_allowed(as_alice: APIClient, booking: Booking) -> None:
    answer = as_alice.post(f"/api/bookings/{booking.pk}/", {})
    assert_flat_error(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
