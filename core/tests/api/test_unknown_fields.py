"""A field that a body should not have is an error, whatever the address; what answers show may be sent back."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, CalendarFeed, Resource
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, at, booking_body, make_booking, text
from core.tests.support.series import make_series

SIGN_IN = {"username": "alice", "password": PASSWORD}
NEW = {"new_password": "nine-green-kettles-7", "re_new_password": "nine-green-kettles-7"}
SLOT = {"start_time": text(at(10)), "end_time": text(at(11))}

# (method, address, a body)
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("post", "/api/bookings/", {"resource": 1, "start_time": text(at(10)), "end_time": text(at(11))}),
    ("put", "/api/bookings/{booking}/", {"resource": 1, "start_time": text(at(10)), "end_time": text(at(11))}),
    ("patch", "/api/bookings/{booking}/", {"notes": "x"}),
    ("post", "/api/resources/", {"name": "Desk"}),
    ("put", "/api/resources/{room}/", {"name": "Desk"}),
    ("patch", "/api/resources/{room}/", {"name": "Desk"}),
    ("post", "/api/closures/", {"resources": [1], "reason": "x", "start_time": text(at(10)), "end_time": text(at(11))}),
    ("post", "/api/closures/preview/", {"resources": [1], "start_time": text(at(10)), "end_time": text(at(11))}),
    ("post", "/api/series/", {"resource": 1, **SLOT, "rrule": "FREQ=DAILY;COUNT=2"}),
    ("patch", "/api/series/{series}/", {"notes": "x"}),
    ("post", "/api/series/{series}/cancel/", {"start": text(at(10)), "end": text(at(11))}),
    ("put", "/api/resources/{room}/policy/", {"max_minutes": 60}),
    ("post", "/api/quotas/", {"kind": "active", "limit": 2}),
    ("post", "/api/calendar-feeds/", {}),
    ("patch", "/api/profile/preferences/", {"reminder_minutes": 5}),
    ("put", "/api/profile/picture/", {"profile_picture": "https://example.org/a.png"}),
    ("patch", "/api/profile/picture/", {"profile_picture": "https://example.org/a.png"}),
    ("post", "/api/auth/users/", {"username": "carol", "email": "carol@example.org", "password": PASSWORD}),
    ("put", "/api/auth/users/me/", {"first_name": "A"}),
    ("patch", "/api/auth/users/me/", {"first_name": "A"}),
    ("delete", "/api/auth/users/me/", {"current_password": PASSWORD}),
    ("post", "/api/auth/users/set_password/", {"current_password": PASSWORD, **NEW}),
    ("post", "/api/auth/users/reset_password/", {"email": "alice@example.org"}),
    ("post", "/api/auth/users/reset_password_confirm/", {"uid": "x", "token": "x", **NEW}),
    ("post", "/api/auth/token/login/", SIGN_IN),
    ("post", "/api/auth/jwt/create/", SIGN_IN),
    ("post", "/api/auth/jwt/refresh/", {"refresh": "x"}),
    ("post", "/api/auth/jwt/verify/", {"token": "x"}),
    ("post", "/api/auth/jwt/logout/", {"refresh": "x"}),
]


@pytest.mark.parametrize("form", ["json", "multipart"])
@pytest.mark.parametrize(("method", "address", "body"), BODIES, ids=lambda value: str(value)[:40])
def test_a_misspelt_field_is_refused_by_name(
    admin: User, alice: User, room: Resource, method: str, address: str, body: dict, form: str
) -> None:
    booking = make_booking(admin, room)
    client = client_of(admin)
    series = make_series(client, room, start=at(12))["id"] if "{series}" in address else 0
    path = address.format(booking=booking.pk, room=room.pk, series=series)
    body = {**body, "resource": room.pk} if "resource" in body else body
    bookings = Booking.objects.count()
    answer = getattr(client, method)(path, {**body, "resource_idd": 2}, format=form)
    assert_flat_error(answer, 400, "invalid", "resource_idd")
    assert answer.json()["resource_idd"][0].startswith("There is no such field. There are: ")
    booking.refresh_from_db()
    assert (booking.notes, Booking.objects.count(), Resource.objects.count()) == ("", bookings, 1)
    assert (User.objects.count(), CalendarFeed.objects.count()) == (2, 0)
    assert User.objects.filter(pk=admin.pk, first_name="").exists()


def test_the_error_names_the_fields_that_there_are(as_alice: APIClient) -> None:
    answer = as_alice.post("/api/calendar-feeds/", {"resource_id": 2})
    assert answer.json()["resource_id"] == ["There is no such field. There are: resource, names."]


def test_other_errors_are_told_beside_it(as_alice: APIClient) -> None:
    answer = as_alice.post("/api/bookings/", {"resource": "x", "start": "soon"})
    assert {"resource", "start_time", "end_time", "start"} <= set(answer.json())


def test_the_dry_run_says_so(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post("/api/bookings/check/", booking_body(room, note="x"))
    assert (answer.status_code, answer.json()["ok"], answer.json()["status"]) == (200, False, 400)
    assert "note" in answer.json()


@pytest.mark.parametrize("name", ["error", "code", "detail", "status", "\ud800", "x" * 10_000, "", "\0"], ids=repr)
def test_any_name_is_told(as_alice: APIClient, name: str) -> None:
    body = json.dumps({name: 1})
    answer = as_alice.generic("POST", "/api/calendar-feeds/", body, content_type="application/json")
    assert_flat_error(answer, 400, "invalid")
    assert len(answer.content) < 1_000


def test_many_names_make_no_long_answer(as_alice: APIClient) -> None:
    answer = as_alice.post("/api/calendar-feeds/", {f"field{number}": number for number in range(10_000)})
    assert_flat_error(answer, 400, "invalid")
    assert len(answer.content) < 2_000


def test_what_was_read_can_be_sent_back(as_admin: APIClient, admin: User, room: Resource) -> None:
    booking = make_booking(admin, room)
    for address in (
        f"/api/bookings/{booking.pk}/",
        f"/api/resources/{room.pk}/?include=next_free",
        "/api/auth/users/me/",
    ):
        shown = as_admin.get(address).json()
        assert as_admin.put(address.partition("?")[0], shown).status_code == 200, address
    shown = as_admin.get("/api/profile/preferences/").json()
    assert as_admin.patch("/api/profile/preferences/", shown).status_code == 200
    feed = as_admin.post("/api/calendar-feeds/", {}).json()
    assert as_admin.post("/api/calendar-feeds/", feed).status_code == 201
    pair = as_admin.post("/api/auth/jwt/create/", {"username": "admin", "password": PASSWORD}).json()
    assert as_admin.post("/api/auth/jwt/refresh/", pair).status_code == 200
