"""Two servers at once, each a process of its own, on one database."""

import http.client
import json
from collections import Counter
from functools import partial

import pytest
from rest_framework.authtoken.models import Token

from core.models import Booking, Resource
from core.tests.support.factories import at, booking_body, make_user
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import in_parallel
from core.tests.support.servers import server


def book(address: tuple[str, int], token: str, body: dict) -> tuple[int, dict]:
    """What that server answers."""
    client = http.client.HTTPConnection(*address, timeout=60)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    try:
        client.request("POST", "/api/bookings/", json.dumps(body), headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


@pytest.mark.django_db(transaction=True)
def test_two_servers_grant_a_slot_once(room: Resource) -> None:
    tokens = [Token.objects.create(user=make_user(f"rival{index}")).key for index in range(20)]
    rounds = range(1, 4)
    with server() as one, server() as other:
        for day in rounds:
            body = booking_body(room, at(10, day=day))
            calls = [partial(book, (one, other)[index % 2], token, body) for index, token in enumerate(tokens)]
            answers = in_parallel(calls)
            assert [answer for answer in answers if not isinstance(answer, tuple)] == []
            assert Counter(status for status, _ in answers) == {201: 1, 400: 19}
            assert {found["code"] for status, found in answers if status == 400} == {"slot_taken"}
            assert all(found["conflicts"] for status, found in answers if status == 400)
    assert Booking.objects.count() == len(rounds)
    assert overlapping_pairs() == []
