"""The policy of a resource over the API: `/api/resources/{id}/policy/`."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core.models import Resource, ResourcePolicy
from core.querysets import POLICY
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_cancelled_booking, make_ended_booking
from core.tests.support.rules import add_quota, set_policy

NOTHING = dict.fromkeys(POLICY)


def address(resource: Resource) -> str:
    return f"/api/resources/{resource.pk}/policy/"


def test_a_resource_without_a_policy_has_none_of_the_rules(
    anonymous: APIClient, room: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        answer = anonymous.get(address(room))
    assert (answer.status_code, answer.json()) == (200, NOTHING)
    assert "public" in answer.headers["Cache-Control"]


def test_staff_write_the_whole_policy_and_what_is_left_out_is_null(
    as_admin: APIClient, anonymous: APIClient, room: Resource
) -> None:
    assert set_policy(as_admin, room, min_minutes=30, max_minutes=120, no_own_overlap=True) == {
        **NOTHING,
        "min_minutes": 30,
        "max_minutes": 120,
        "no_own_overlap": True,
        "no_longer_fit": 0,
    }
    answer = as_admin.put(address(room), {"buffer_after_minutes": 10, "may_span_closed": False})
    stored = {**NOTHING, "buffer_after_minutes": 10, "may_span_closed": False}
    assert (answer.status_code, answer.json()) == (200, {**stored, "no_longer_fit": 0})
    assert anonymous.get(address(room)).json() == stored


def test_what_was_answered_can_be_sent_back(as_admin: APIClient, room: Resource) -> None:
    shown = set_policy(as_admin, room, grid_minutes=15, advance_days=30)
    assert as_admin.put(address(room), shown).json() == shown


def test_a_form_writes_it_too(as_admin: APIClient, room: Resource) -> None:
    answer = as_admin.put(address(room), {"min_minutes": "15", "max_minutes": ""}, format="multipart")
    assert (answer.status_code, answer.json()["min_minutes"], answer.json()["max_minutes"]) == (200, 15, None)


def test_an_answer_counts_the_coming_bookings_that_no_longer_fit(
    as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    make_booking(alice, room, at(10), at(11))
    make_booking(alice, room, at(12), at(14))
    make_booking(alice, room, at(15.1), at(15.2), status="pending")
    for not_counted in (make_cancelled_booking(alice, room, at(20)), make_ended_booking(alice, room)):
        assert not_counted.slot.duration.seconds == 3600
    make_booking(alice, lab, at(10), at(20))
    assert set_policy(as_admin, room, max_minutes=60)["no_longer_fit"] == 1
    assert set_policy(as_admin, room, max_minutes=60, grid_minutes=60)["no_longer_fit"] == 2
    assert set_policy(as_admin, room, min_minutes=61)["no_longer_fit"] == 2
    assert set_policy(as_admin, room, buffer_after_minutes=600, notice_minutes=9_999)["no_longer_fit"] == 0


@pytest.mark.parametrize("number", [0, 1, 30])
def test_a_write_costs_the_same_however_many_bookings_there_are(
    as_admin: APIClient, alice: User, room: Resource, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    set_policy(as_admin, room, max_minutes=30)
    for index in range(number):
        make_booking(alice, room, at(index))
    # Token, policy, lock, write, lock and flags of `settle`, resource, its terms, bookings; with the savepoints.
    with django_assert_num_queries(13):
        assert set_policy(as_admin, room, max_minutes=50)["no_longer_fit"] == number


def test_a_change_of_the_policy_moves_and_cancels_nothing(as_admin: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    before = type(booking).objects.values().get()
    set_policy(as_admin, room, min_minutes=1440, grid_minutes=1440, buffer_before_minutes=60, advance_days=1)
    assert type(booking).objects.values().get() == before


def test_staff_delete_it_as_often_as_they_like(as_admin: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, max_minutes=5)
    for _ in range(2):
        assert as_admin.delete(address(room)).status_code == 204
        assert as_admin.get(address(room)).json() == NOTHING
    assert not ResourcePolicy.objects.exists()


def test_a_stale_version_is_refused(as_admin: APIClient, room: Resource) -> None:
    first = as_admin.get(address(room)).headers["ETag"]
    second = as_admin.put(address(room), {"max_minutes": 60}, headers={"if-match": first}).headers["ETag"]
    for method in ("put", "delete"):
        answer = getattr(as_admin, method)(address(room), {}, headers={"if-match": first})
        body = assert_flat_error(answer, 412, "precondition_failed")
        assert (body["current"]["max_minutes"], answer.headers["ETag"]) == (60, second)
    assert as_admin.get(address(room), headers={"if-none-match": second}).status_code == 304
    assert as_admin.delete(address(room), headers={"if-match": second}).status_code == 204


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"min_minutes": 0}, "min_minutes"),
    ({"min_minutes": 61, "max_minutes": 60}, "max_minutes"),
    ({"max_minutes": 1826 * 1440 + 1}, "max_minutes"),
    ({"grid_minutes": 1441}, "grid_minutes"),
    ({"grid_minutes": 0}, "grid_minutes"),
    ({"buffer_before_minutes": 1441}, "buffer_before_minutes"),
    ({"buffer_after_minutes": -1}, "buffer_after_minutes"),
    ({"advance_days": 1827}, "advance_days"),
    ({"notice_minutes": "soon"}, "notice_minutes"),
    ({"may_span_closed": "perhaps"}, "may_span_closed"),
    ({"max_minuts": 5}, "max_minuts"),
    ({"resource": 5}, "resource"),
]


@pytest.mark.parametrize(("body", "field"), WRONG, ids=str)
def test_a_wrong_value_is_refused(as_admin: APIClient, room: Resource, body: dict[str, Any], field: str) -> None:
    set_policy(as_admin, room, max_minutes=90)
    assert_flat_error(as_admin.put(address(room), body), 400, "invalid", field)
    assert ResourcePolicy.objects.get().max_minutes == 90


def test_only_staff_write(as_alice: APIClient, anonymous: APIClient, room: Resource) -> None:
    for client, status in ((anonymous, 401), (as_alice, 403)):
        assert_flat_error(client.put(address(room), {"max_minutes": 5}), status)
        assert_flat_error(client.delete(address(room)), status)
    assert not ResourcePolicy.objects.exists()


@pytest.mark.parametrize("number", ["999999", "9" * 30])
def test_a_resource_that_is_not_there_is_a_404(as_admin: APIClient, number: str) -> None:
    for method in ("get", "put", "delete"):
        assert_flat_error(getattr(as_admin, method)(f"/api/resources/{number}/policy/", {}), 404)


# --- The flag and the reach on the row of the resource ----------------------------------------------------------------


def flags(resource: Resource) -> tuple[bool, int]:
    resource.refresh_from_db()
    return resource.has_terms, resource.buffer_reach_minutes


def test_the_flag_of_a_resource_follows_its_rules(as_admin: APIClient, room: Resource) -> None:
    changed = room.updated_at
    assert flags(room) == (False, 0)
    set_policy(as_admin, room, max_minutes=60)
    assert flags(room) == (True, 0)
    set_policy(as_admin, room)
    assert flags(room) == (False, 0)
    quota = add_quota(as_admin, resource=room.pk, kind="active", limit=1)
    assert flags(room) == (True, 0)
    as_admin.delete(f"/api/quotas/{quota['id']}/")
    assert flags(room) == (False, 0)
    assert room.updated_at == changed


def test_the_reach_of_buffers_is_that_of_the_policy_and_of_coming_bookings(
    as_admin: APIClient, as_alice: APIClient, room: Resource
) -> None:
    set_policy(as_admin, room, buffer_before_minutes=30, buffer_after_minutes=180)
    assert flags(room) == (True, 180)
    made = as_alice.post("/api/bookings/", booking_body(room))
    set_policy(as_admin, room, buffer_before_minutes=5)
    assert flags(room) == (True, 180)
    as_admin.delete(address(room))
    assert flags(room) == (True, 180)
    as_alice.delete(f"/api/bookings/{made.json()['id']}/")
    set_policy(as_admin, room, min_minutes=5)
    assert flags(room) == (True, 0)
