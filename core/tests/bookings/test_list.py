"""GET /api/bookings/."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text

URL = "/api/bookings/"


def test_a_user_sees_own_bookings_in_full(as_alice: APIClient, alice: User, bob: User, room: Resource) -> None:
    mine = make_booking(alice, room, notes="Mine")
    make_booking(bob, room, at(14))
    answer = as_alice.get(URL)
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "id": mine.pk,
            "user": alice.pk,
            "username": "alice",
            "resource": room.pk,
            "resource_name": "Blue room",
            "start_time": text(at(10)),
            "end_time": text(at(11)),
            "status": "confirmed",
            "notes": "Mine",
            "created_at": text(mine.created_at),
            "updated_at": text(mine.updated_at),
        }
    ]


@pytest.mark.parametrize("client", ["as_admin", "as_root"])
def test_staff_see_all(request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str) -> None:
    make_booking(alice, room)
    make_booking(bob, room, at(14))
    rows = request.getfixturevalue(client).get(URL).json()
    assert [row["username"] for row in rows] == ["alice", "bob"]


def test_bookings_come_in_order_of_their_start_whatever_their_status(
    as_alice: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room, at(14), status="pending")
    make_booking(alice, room, at(9), status="cancelled")
    make_booking(alice, room, at(10, day=-1))
    make_booking(alice, make_resource("Red room"), at(12), status="rejected")
    rows = as_alice.get(URL).json()
    assert [row["start_time"] for row in rows] == [text(at(10, day=-1)), text(at(9)), text(at(12)), text(at(14))]
    assert [row["status"] for row in rows] == ["confirmed", "cancelled", "rejected", "pending"]


def test_the_list_is_whole_unless_a_part_is_asked_for(as_alice: APIClient, alice: User, room: Resource) -> None:
    for day in range(1, 131):
        make_booking(alice, room, at(10, day=day))
    answer = as_alice.get(URL)
    assert len(answer.json()) == 130
    assert "Link" not in answer.headers
    assert "X-Total-Count" not in answer.headers


def test_no_bookings_are_an_empty_array(as_alice: APIClient, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    assert as_alice.get(URL).content == b"[]"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "application/xml", "image/png"])
def test_the_answer_is_json_whatever_is_accepted(as_alice: APIClient, accept: str) -> None:
    answer = as_alice.get(URL, headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


def test_nothing_is_shown_without_a_token(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    answer = anonymous.get(URL)
    assert_flat_error(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header", ["Token nonsense", "Token", "Token a b", "Token \xe4", "JWT nonsense", "Bearer x", "Basic eDp5", "x"]
)
def test_a_bad_token_opens_nothing(anonymous: APIClient, header: str) -> None:
    assert_flat_error(anonymous.get(URL, headers={"authorization": header}), 401)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_not_allowed(as_admin: APIClient, method: str) -> None:
    answer = getattr(as_admin, method)(URL, {})
    assert_flat_error(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST", "HEAD", "OPTIONS"}
