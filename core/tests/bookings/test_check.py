"""POST /api/bookings/check/: says what the real call would answer, and leaves nothing behind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support import oracle
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_ended_booking, make_resource, text
from core.tests.support.properties import MINUTE, few, spans
from core.tests.support.records import recorded

URL = "/api/bookings/check/"


@dataclass(frozen=True)
class World:
    """What is there before each case: a taken slot of tomorrow for each of the two users, 10 to 11 and 14 to 15."""

    alice: User
    bob: User
    room: Resource
    lab: Resource
    closed: Resource
    hers: Booking
    his: Booking
    cancelled: Booking
    rejected: Booking
    ended: Booking
    pending: Booking


@pytest.fixture
def world(alice: User, bob: User, room: Resource, lab: Resource) -> World:
    return World(
        alice=alice,
        bob=bob,
        room=room,
        lab=lab,
        closed=make_resource("Closed", is_available=False),
        hers=make_booking(alice, room, at(10)),
        his=make_booking(bob, room, at(14)),
        cancelled=make_booking(alice, room, at(14), status="cancelled"),
        rejected=make_booking(alice, room, at(16), status="rejected"),
        ended=make_ended_booking(alice, room),
        pending=make_booking(alice, lab, at(10), status="pending"),
    )


def stored() -> dict[str, list[tuple]]:
    """Every row of every table of the app."""
    return {
        model.__name__: list(model.objects.order_by("pk").values_list())
        for model in apps.get_app_config("core").get_models()
    }


def soon(minutes: int) -> Any:
    return timezone.now() + timedelta(minutes=minutes)


Body = Callable[[World], Any]

NEW: list[Any] = [
    pytest.param("as_alice", lambda w: booking_body(w.room, at(12)), 201, id="free"),
    pytest.param("as_alice", lambda w: booking_body(w.room, at(11)), 201, id="touching"),
    pytest.param("as_alice", lambda w: booking_body(w.lab, at(12)), 201, id="requires approval"),
    pytest.param("as_alice", lambda w: booking_body(w.room, at(12), notes="x" * 5000), 201, id="long notes"),
    pytest.param("as_admin", lambda w: booking_body(w.room, at(12), user=w.bob.pk), 201, id="staff for somebody"),
    pytest.param("as_admin", lambda w: booking_body(w.room, at(10), status="cancelled"), 201, id="staff, not blocking"),
    pytest.param("as_bob", lambda w: booking_body(w.room), 400, id="taken"),
    pytest.param("as_admin", lambda w: booking_body(w.room), 400, id="taken, staff"),
    pytest.param("as_alice", lambda w: booking_body(w.room), 400, id="taken by oneself"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(9.5), at(14.5)), 400, id="taken twice"),
    pytest.param("as_bob", lambda w: booking_body(w.room, soon(29), soon(59)), 400, id="too soon"),
    pytest.param("as_admin", lambda w: booking_body(w.room, soon(29), soon(59)), 400, id="too soon, staff"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(10, day=-1)), 400, id="in the past"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), at(12)), 400, id="no length"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), at(11)), 400, id="end first"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(0, day=1827)), 400, id="beyond five years"),
    pytest.param("as_bob", lambda w: booking_body(w.closed, at(12)), 400, id="out of service"),
    pytest.param("as_bob", lambda w: booking_body(w.lab, at(12), status="confirmed"), 400, id="status not allowed"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), status="rejected"), 400, id="status of staff"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), status="maybe"), 400, id="no status"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), notes="x" * 5001), 400, id="notes too long"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), notes="a\0b"), 400, id="notes with NUL"),
    pytest.param("as_bob", lambda w: {**booking_body(w.room, at(12)), "resource": 999_999}, 400, id="no such resource"),
    pytest.param("as_admin", lambda w: booking_body(w.room, at(12), user=999_999), 400, id="no such user"),
    pytest.param("as_bob", lambda w: booking_body(w.room, at(12), user=999_999), 201, id="user ignored"),
    pytest.param("as_bob", lambda w: {}, 400, id="nothing"),
    pytest.param("as_bob", lambda w: [], 400, id="a list"),
    pytest.param("as_bob", lambda w: "x", 400, id="a word"),
    pytest.param("as_bob", lambda w: {**booking_body(w.room), "start_time": 3}, 400, id="a number as a time"),
    pytest.param("as_bob", lambda w: {**booking_body(w.room), "end_time": "9999-12-31T00:00:00Z"}, 400, id="year 9999"),
    pytest.param("as_bob", lambda w: {**booking_body(w.room), "start_time": "0001-01-01T00:00:00Z"}, 400, id="year 1"),
]


@pytest.mark.parametrize(("client", "body", "status"), NEW)
def test_it_answers_as_booking_does(
    request: pytest.FixtureRequest, world: World, client: str, body: Body, status: int
) -> None:
    who, sent = request.getfixturevalue(client), body(world)
    before = stored()
    said = who.post(URL, sent)
    assert stored() == before
    done = who.post("/api/bookings/", sent)
    assert done.status_code == status, done.content
    assert_agree(said, done)


MOVES: list[Any] = [
    pytest.param("as_alice", "hers", lambda w: {"end_time": text(at(12))}, 200, id="longer"),
    pytest.param("as_alice", "hers", lambda w: {"notes": "Mine"}, 200, id="notes alone"),
    pytest.param("as_alice", "hers", lambda w: {}, 200, id="nothing"),
    pytest.param("as_alice", "hers", lambda w: booking_body(w.room, at(10.5)), 200, id="onto itself"),
    pytest.param("as_alice", "hers", lambda w: {"resource": w.lab.pk}, 400, id="to a resource where it is taken"),
    pytest.param("as_alice", "hers", lambda w: booking_body(w.lab, at(12)), 200, id="to another resource"),
    pytest.param("as_alice", "hers", lambda w: booking_body(w.room, at(14)), 400, id="onto another"),
    pytest.param("as_alice", "hers", lambda w: {"end_time": text(at(14.5))}, 400, id="into another"),
    pytest.param("as_alice", "hers", lambda w: {"end_time": text(at(9))}, 400, id="end first"),
    pytest.param("as_alice", "hers", lambda w: {"start_time": text(soon(20))}, 400, id="too soon"),
    pytest.param("as_admin", "hers", lambda w: booking_body(w.room, at(8, day=-1)), 200, id="staff into the past"),
    pytest.param("as_alice", "hers", lambda w: {"end_time": text(at(0, day=1827))}, 400, id="beyond five years"),
    pytest.param("as_alice", "hers", lambda w: {"resource": w.closed.pk}, 400, id="out of service"),
    pytest.param("as_alice", "hers", lambda w: {"resource": 999_999}, 400, id="no such resource"),
    pytest.param("as_alice", "hers", lambda w: {"status": "cancelled"}, 200, id="cancel"),
    pytest.param("as_alice", "hers", lambda w: {"status": "rejected"}, 400, id="a status of staff"),
    pytest.param("as_admin", "hers", lambda w: {"status": "rejected"}, 200, id="reject"),
    pytest.param("as_alice", "pending", lambda w: {"status": "confirmed"}, 400, id="approve oneself"),
    pytest.param("as_admin", "pending", lambda w: {"status": "confirmed"}, 200, id="approve"),
    pytest.param("as_alice", "cancelled", lambda w: {"status": "pending"}, 400, id="revive where it is taken"),
    pytest.param("as_alice", "cancelled", lambda w: booking_body(w.room, at(18), status="pending"), 200, id="revive"),
    pytest.param("as_alice", "rejected", lambda w: {"status": "pending"}, 400, id="revive what staff rejected"),
    pytest.param("as_alice", "ended", lambda w: {"notes": "Late"}, 403, id="one that is over"),
    pytest.param("as_admin", "ended", lambda w: {"notes": "Late"}, 200, id="one that is over, staff"),
    pytest.param("as_alice", "hers", lambda w: {"notes": "x" * 5001}, 400, id="notes too long"),
    pytest.param("as_alice", "hers", lambda w: {"start_time": "tomorrow"}, 400, id="no time"),
]


@pytest.mark.parametrize(("client", "which", "body", "status"), MOVES)
def test_it_answers_as_changing_does(
    request: pytest.FixtureRequest, world: World, client: str, which: str, body: Body, status: int
) -> None:
    who, booking, sent = request.getfixturevalue(client), getattr(world, which), body(world)
    before = stored()
    said = who.post(URL, {**sent, "id": booking.pk})
    assert stored() == before
    done = who.patch(f"/api/bookings/{booking.pk}/", sent)
    assert done.status_code == status, done.content
    assert_agree(said, done)


def assert_agree(said: Any, done: Any) -> None:
    """The dry run said what the real call answered."""
    assert said.status_code == 200
    if done.status_code < 300:
        assert said.json() == {"ok": True}
    else:
        assert said.json() == {**done.json(), "ok": False, "status": done.status_code}


def test_a_stale_version_is_what_the_change_would_say(as_alice: APIClient, world: World) -> None:
    body = {"notes": "Newer"}
    headers = {"if-match": '"another"'}
    said = as_alice.post(URL, {**body, "id": world.hers.pk}, headers=headers)
    done = as_alice.patch(f"/api/bookings/{world.hers.pk}/", body, headers=headers)
    assert done.status_code == 412
    assert {name: value for name, value in said.json().items() if name in ("ok", "status", "code")} == {
        "ok": False,
        "status": 412,
        "code": done.json()["code"],
    }


@pytest.mark.django_db(transaction=True)
def test_nobody_is_told(world: World, as_admin: APIClient) -> None:
    before = stored()
    for sent in (
        booking_body(world.room, at(12), user=world.bob.pk),
        {"id": world.hers.pk, "status": "cancelled"},
        {"id": world.his.pk, "end_time": text(at(16))},
    ):
        assert as_admin.post(URL, sent).json() == {"ok": True}
    assert mail.outbox == []
    assert stored() == before


def test_it_leaves_no_row_in_the_record(as_bob: APIClient, world: World) -> None:
    assert as_bob.post(URL, booking_body(world.room, at(12))).json() == {"ok": True}
    assert recorded() == []


@few
@given(
    taken=spans(at(12, day=3), most=4),
    start=st.integers(-300, 600),
    length=st.integers(1, 300),
)
def test_what_it_accepts_can_be_booked(
    as_bob: APIClient, alice: User, taken: list[oracle.Span], start: int, length: int
) -> None:
    resource = make_resource()
    for span in taken:
        make_booking(alice, resource, *span)
    first = at(12, day=3) + start * MINUTE
    body = booking_body(resource, first, first + length * MINUTE)
    said = as_bob.post(URL, body)
    assert said.json()["ok"] == oracle.is_free(first, first + length * MINUTE, oracle.taken_minutes(taken))
    assert_agree(said, as_bob.post("/api/bookings/", body))


# --- Whose booking it is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "status", "code"),
    [
        ("anonymous", 401, "not_authenticated"),
        ("as_bob", 403, "permission_denied"),
        ("as_alice", 200, None),
        ("as_admin", 200, None),
    ],
)
def test_the_rights_are_those_of_the_booking_that_is_moved(
    request: pytest.FixtureRequest, world: World, client: str, status: int, code: str | None
) -> None:
    answer = request.getfixturevalue(client).post(URL, {"id": world.hers.pk, "notes": "Mine"})
    if status == 200:
        assert answer.json() == {"ok": True}
    else:
        assert_flat_error(answer, status, code)


@pytest.mark.parametrize("key", [999_999, 2**63 - 1, "999999"])
def test_a_booking_that_is_not_there(as_admin: APIClient, key: object) -> None:
    assert_flat_error(as_admin.post(URL, {"id": key, "notes": ""}), 404, "not_found")


@pytest.mark.parametrize("key", [0, -1, 2**63, 1.5, True, "x", "", [], {}, [1]])
def test_an_id_that_is_none(as_admin: APIClient, world: World, key: object) -> None:
    assert_flat_error(as_admin.post(URL, {"id": key}), 400, "invalid", "id")


def test_an_id_that_is_null_means_a_new_booking(as_bob: APIClient, world: World) -> None:
    assert as_bob.post(URL, {**booking_body(world.room, at(12)), "id": None}).json() == {"ok": True}


def test_forms_are_read_as_elsewhere(as_alice: APIClient, world: World) -> None:
    moved = {"id": str(world.hers.pk), "end_time": text(at(12))}
    assert as_alice.post(URL, moved, format="multipart").json() == {"ok": True}


def test_an_empty_id_of_a_form_means_a_new_booking(as_bob: APIClient, world: World) -> None:
    sent = {**booking_body(world.room, at(12)), "id": ""}
    assert as_bob.post(URL, sent, format="multipart").json() == {"ok": True}


def test_broken_json_is_no_question(as_alice: APIClient) -> None:
    answer = as_alice.generic("POST", URL, "{", content_type="application/json")
    assert_flat_error(answer, 400, "parse_error")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_other_methods_are_not_allowed(as_alice: APIClient, method: str) -> None:
    assert_flat_error(getattr(as_alice, method)(URL), 405, "method_not_allowed")


def test_it_costs_what_booking_costs(as_bob: APIClient, world: World) -> None:
    counts = []
    for path in (URL, "/api/bookings/"):
        with CaptureQueriesContext(connection) as statements:
            as_bob.post(path, booking_body(world.room, at(12)))
        counts.append(len([one for one in statements if "SAVEPOINT" not in one["sql"]]))
    assert counts[0] <= counts[1]
