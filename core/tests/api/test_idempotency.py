"""POST /api/bookings/ with an Idempotency-Key."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.api.models import IdempotencyKey
from core.models import Booking, Resource
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking
from core.tests.support.parallel import in_parallel

URL = "/api/bookings/"
KEY = {"HTTP_IDEMPOTENCY_KEY": "order-7"}


def test_the_same_key_and_body_give_the_first_answer_again(as_alice: APIClient, room: Resource, mailoutbox) -> None:
    first = as_alice.post(URL, booking_body(room, notes="Ä"), **KEY)
    again = as_alice.post(URL, dict(reversed(booking_body(room, notes="Ä").items())), **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert [again.headers[name] for name in ("Location", "ETag")] == [
        first.headers[name] for name in ("Location", "ETag")
    ]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Booking.objects.count() == 1


def test_the_first_answer_stays_though_the_booking_was_cancelled_since(as_alice: APIClient, room: Resource) -> None:
    first = as_alice.post(URL, booking_body(room), **KEY)
    as_alice.delete(f"{URL}{first.json()['id']}/")
    assert as_alice.post(URL, booking_body(room), **KEY).json() == first.json()
    assert Booking.objects.count() == 1


def test_another_body_is_refused(as_alice: APIClient, room: Resource) -> None:
    as_alice.post(URL, booking_body(room), **KEY)
    answer = as_alice.post(URL, booking_body(room, at(15)), **KEY)
    assert_flat_error(answer, 422, code="idempotency_key_reused")
    assert Booking.objects.count() == 1


def test_a_refusal_may_be_corrected_under_the_same_key(as_alice: APIClient, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    assert as_alice.post(URL, booking_body(room), **KEY).status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert as_alice.post(URL, booking_body(room, at(15)), **KEY).status_code == 201


def test_keys_are_per_user(as_alice: APIClient, as_bob: APIClient, room: Resource) -> None:
    assert as_alice.post(URL, booking_body(room), **KEY).status_code == 201
    assert as_bob.post(URL, booking_body(room, at(15)), **KEY).status_code == 201


def test_a_key_is_free_again_after_24_hours(as_alice: APIClient, room: Resource) -> None:
    first = as_alice.post(URL, booking_body(room), **KEY).json()
    row = IdempotencyKey.objects.get()
    almost = row.created_at - timedelta(hours=23, minutes=59)
    IdempotencyKey.objects.update(created_at=almost)
    assert as_alice.post(URL, booking_body(room), **KEY).json() == first
    IdempotencyKey.objects.update(created_at=almost - timedelta(minutes=2))
    assert as_alice.post(URL, booking_body(room, at(15)), **KEY).status_code == 201
    assert IdempotencyKey.objects.count() == 1


def test_the_longest_key_is_taken(as_alice: APIClient, room: Resource) -> None:
    key = "~" * 255
    assert as_alice.post(URL, booking_body(room), HTTP_IDEMPOTENCY_KEY=key).status_code == 201
    assert as_alice.post(URL, booking_body(room), HTTP_IDEMPOTENCY_KEY=key).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "a" * 256, "a\tb"])
def test_what_is_no_key_is_refused(as_alice: APIClient, room: Resource, key: str) -> None:
    answer = as_alice.post(URL, booking_body(room), HTTP_IDEMPOTENCY_KEY=key)
    assert_flat_error(answer, 400, field="Idempotency-Key")
    assert not Booking.objects.exists()


def test_an_anonymous_call_leaves_no_key(anonymous: APIClient, room: Resource) -> None:
    assert anonymous.post(URL, booking_body(room), **KEY).status_code == 401
    assert not IdempotencyKey.objects.exists()


def test_callers_without_a_key_pay_no_statement(as_alice: APIClient, room: Resource) -> None:
    with CaptureQueriesContext(connection) as statements:
        as_alice.post(URL, booking_body(room))
    assert not [one for one in statements if "idempotency" in one["sql"]]


@pytest.mark.django_db(transaction=True)
def test_twenty_calls_at_once_make_one_booking_and_get_one_answer(alice: User, room: Resource) -> None:
    clients = [client_of(alice) for _ in range(20)]
    answers = in_parallel([lambda client=client: client.post(URL, booking_body(room), **KEY) for client in clients])
    assert [answer.status_code for answer in answers] == [201] * 20
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 19
    assert Booking.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_different_bodies_at_once_under_one_key_make_one_booking(alice: User, room: Resource) -> None:
    clients = [client_of(alice) for _ in range(8)]
    calls = [
        lambda client=client, hour=hour: client.post(URL, booking_body(room, at(hour)), **KEY)
        for hour, client in enumerate(clients)
    ]
    assert sorted(answer.status_code for answer in in_parallel(calls)) == [201] + [422] * 7
    assert Booking.objects.count() == 1
