"""Series at once, and how many statements they take."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.models import Booking, Series
from core.tests.support.clients import client_of
from core.tests.support.factories import make_resource, make_user
from core.tests.support.parallel import in_parallel
from core.tests.support.series import BOOKINGS, SERIES, TEN, make_dates, on, series_body


@pytest.mark.django_db(transaction=True)
def test_the_same_key_twice_in_parallel_makes_one_series() -> None:
    alice, room = make_user("alice"), make_resource()
    body = series_body(room, TEN)

    def post() -> Any:
        return client_of(alice).post(SERIES, body, headers={"Idempotency-Key": "once"})

    answers = in_parallel([post, post])
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert (Series.objects.count(), Booking.objects.count()) == (1, 10)


def test_366_dates_take_as_many_statements_as_three(as_alice: APIClient) -> None:
    numbers = [statements_of(as_alice, count) for count in (2, 3, 366)]
    assert numbers[1] == numbers[2]  # the first one warms up


def statements_of(client: APIClient, count: int) -> dict[str, int]:
    """How many statements each call about a series of so many dates takes."""
    body = series_body(make_resource(f"Room {count}"), f"FREQ=DAILY;COUNT={count}")
    numbers: dict[str, int] = {}

    def call(method: str, address: str, sent: Any = None) -> Any:
        with CaptureQueriesContext(connection) as captured:
            answer = getattr(client, method)(address, sent)
        assert answer.status_code < 300, answer.json()
        numbers[f"{method} {address.partition('?')[0]} {len(numbers)}"] = len(captured)
        return answer

    assert call("post", f"{SERIES}check/", body).json()["ok"] is True
    made = call("post", SERIES, body).json()
    address, first = f"{SERIES}{made['id']}/", made["made"][0]["id"]
    call("get", f"{address}dates/")
    call("get", f"{BOOKINGS}?series={made['id']}&include=series")
    call("patch", f"{BOOKINGS}{first}/?scope=all", on(11, day=1))
    call("patch", address, {"notes": "x"})
    call("post", f"{address}cancel/", {"ids": [first]})
    call("delete", address)
    return {re.sub(r"/[0-9]+/", "/{id}/", name): number for name, number in numbers.items()}


def test_a_list_of_many_series_takes_as_many_statements_as_one(as_alice: APIClient, alice: User) -> None:
    numbers = []
    for number in range(3):
        make_dates(alice, make_resource(f"Room {number}"))
        with CaptureQueriesContext(connection) as captured:
            assert len(as_alice.get(SERIES).json()) == number + 1
        numbers.append(len(captured))
    assert numbers[1] == numbers[2]
