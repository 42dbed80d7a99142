"""POST /api/bookings/ with an Idempotency-Key, and the process that answers is killed in the middle."""

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from core.api.models import IdempotencyKey
from core.models import Booking, Resource
from core.tests.support.factories import booking_body
from core.tests.support.killing import Answer, Caller, held_on_the_way, single_worker, soon

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_the_key_of_a_call_that_was_killed_on_the_way_is_free_again(alice: User, room: Resource) -> None:
    token, body = Token.objects.create(user=alice).key, booking_body(room)
    with single_worker() as one:
        with held_on_the_way(room) as waiting:
            caller = Caller(one.book, token, body)
            soon(lambda: waiting() == 1)
            one.kill_worker()
            assert isinstance(caller.told(), OSError)
        assert not Booking.objects.exists()
        assert not IdempotencyKey.objects.exists()

        first, again = one.book(token, body), one.book(token, body)

    assert (first.status, first.replayed) == (201, False)
    assert again == Answer(201, replayed=True, body=first.body)
    assert Booking.objects.get().pk == first.body["id"]
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.only_on_postgresql
def test_who_waits_with_the_same_key_goes_on_when_the_first_is_killed(alice: User, room: Resource) -> None:
    token, body = Token.objects.create(user=alice).key, booking_body(room)
    with single_worker() as one, single_worker() as other:
        with held_on_the_way(room) as waiting:
            first = Caller(one.book, token, body)
            soon(lambda: waiting() == 1)
            rival = Caller(other.book, token, body)
            soon(lambda: waiting() == 2)
            one.kill_worker()
            assert isinstance(first.told(), OSError)
        told = rival.told()

    assert isinstance(told, Answer)
    assert (told.status, told.replayed) == (201, False)
    assert Booking.objects.get().pk == told.body["id"]
    assert IdempotencyKey.objects.count() == 1
