"""GET `/api/bookings/{id}/history/`: what was done to a booking, for its owner and for staff."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core import lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.models import BookingEvent
from core.tests.support.acts import act
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_resource, text
from core.tests.support.plans import plan_of

NEXT = re.compile(r'<([^>]*)>; rel="next"')


def address(booking: int | Booking) -> str:
    return f"/api/bookings/{getattr(booking, 'pk', booking)}/history/"


def history(client: APIClient, booking: int | Booking) -> list[dict]:
    answer = client.get(address(booking))
    assert answer.status_code == 200, answer.content
    return answer.json()


def book(client: APIClient, resource: Resource, **more: object) -> int:
    answer = client.post("/api/bookings/", booking_body(resource, **more))
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def change(client: APIClient, booking: int, **changes: object) -> str:
    """Changes the booking; the id of the request."""
    answer = client.patch(f"/api/bookings/{booking}/", changes)
    assert answer.status_code == 200, answer.content
    return answer.headers["X-Request-ID"]


@pytest.fixture
def noted(alice: User, room: Resource) -> Booking:
    """A booking that alice made, whose staff note alone was changed since, three times."""
    booking = lifecycle.book(user=alice, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(alice))
    for note in ("Pays late", "Pays", ""):
        lifecycle.change(booking, changes=Changes(staff_note=note), act=act(None))
    return booking


# --- What is read -----------------------------------------------------------------------------------------------------


def test_staff_read_who_did_what_when_why_and_how(
    as_alice: APIClient, as_admin: APIClient, alice: User, lab: Resource
) -> None:
    before = timezone.now()
    made = as_alice.post("/api/bookings/", booking_body(lab, notes="For four"))
    booking = made.json()["id"]
    confirming = change(as_admin, booking, status="confirmed", reason="Yours.", start_time=text(at(9)))

    confirmed, created = history(as_admin, booking)

    rows = BookingEvent.objects.order_by("pk")
    assert [created["id"], confirmed["id"]] == [row.pk for row in rows]
    assert before <= rows[0].at <= rows[1].at <= timezone.now()
    assert [created.pop("at"), confirmed.pop("at")] == [text(row.at) for row in rows]
    del created["id"], confirmed["id"]
    assert created == {
        "kind": "booking.created",
        "actor": "alice",
        "part": "owner",
        "channel": "api",
        "request_id": made.headers["X-Request-ID"],
        "reason": "",
        "changes": {
            "resource": [None, lab.pk],
            "resource_name": [None, "Lab"],
            "start_time": [None, text(at(10))],
            "end_time": [None, text(at(11))],
            "status": [None, "pending"],
            "notes": [None, "For four"],
        },
    }
    assert confirmed == {
        "kind": "booking.confirmed",
        "actor": "admin",
        "part": "staff",
        "channel": "api",
        "request_id": confirming,
        "reason": "Yours.",
        "changes": {"start_time": [text(at(10)), text(at(9))], "status": ["pending", "confirmed"]},
    }


def test_a_move_to_another_resource_names_both(as_alice: APIClient, room: Resource) -> None:
    booking = book(as_alice, room)
    other = make_resource("Red room")
    change(as_alice, booking, resource=other.pk)
    moved, _ = history(as_alice, booking)
    assert moved["changes"] == {"resource": [room.pk, other.pk], "resource_name": ["Blue room", "Red room"]}


def test_moments_are_in_utc_whatever_was_sent(as_alice: APIClient, room: Resource) -> None:
    start = f"{at(10) + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}.250+02:00"
    booking = book(as_alice, room, start_time=start)
    (created,) = history(as_alice, booking)
    assert created["changes"]["start_time"] == [None, f"{at(10):%Y-%m-%dT%H:%M:%S}.250000Z"]


def test_a_removed_booking_is_still_read_by_its_owner_and_by_staff(
    as_alice: APIClient, as_bob: APIClient, as_admin: APIClient, admin: User, room: Resource
) -> None:
    booking = book(as_alice, room)
    lifecycle.remove(Booking.objects.get(), act=Act(by=admin, now=timezone.now(), channel=Channel.ADMIN))
    removed, created = history(as_alice, booking)
    assert (removed["kind"], removed["channel"], removed["actor"]) == ("booking.removed", "admin", "staff")
    assert removed["changes"] == {"status": ["confirmed", "cancelled"]}
    assert created["actor"] == "alice"
    assert history(as_admin, booking)[0]["actor"] == "admin"
    assert_flat_error(as_bob.get(address(booking)), 403, "permission_denied")


def test_a_booking_without_a_record_has_an_empty_history(as_alice: APIClient, alice: User, room: Resource) -> None:
    assert history(as_alice, make_booking(alice, room)) == []


# --- What an owner does not read --------------------------------------------------------------------------------------


def test_an_owner_reads_staff_in_place_of_names(
    as_alice: APIClient, as_admin: APIClient, alice: User, admin: User, lab: Resource
) -> None:
    booking = book(as_admin, lab, user=alice.pk)
    change(as_alice, booking, notes="Mine")
    lifecycle.cancel(Booking.objects.get(), act=Act(by=None, now=timezone.now(), channel=Channel.JOB))
    answer = as_alice.get(address(booking))
    assert [(row["actor"], row["part"]) for row in answer.json()] == [
        (None, "system"),
        ("alice", "owner"),
        ("staff", "staff"),
    ]
    assert "admin" not in answer.content.decode()
    assert [row["actor"] for row in history(as_admin, booking)] == [None, "alice", "admin"]


def test_an_owner_sees_no_staff_note_and_no_act_about_it_alone(
    as_alice: APIClient, as_admin: APIClient, alice: User, lab: Resource
) -> None:
    booking = book(as_admin, lab, user=alice.pk, staff_note="Pays late")
    change(as_admin, booking, staff_note="Pays")
    change(as_admin, booking, staff_note="Pays in advance", status="confirmed")

    answer = as_alice.get(f"{address(booking)}?count=true")

    assert answer.headers["X-Total-Count"] == "2"
    confirmed, created = answer.json()
    assert confirmed["changes"] == {"status": ["pending", "confirmed"]}
    assert "staff_note" not in created["changes"]
    assert "Pays" not in answer.content.decode()
    assert [row["changes"].get("staff_note") for row in history(as_admin, booking)] == [
        ["Pays", "Pays in advance"],
        ["Pays late", "Pays"],
        [None, "Pays late"],
    ]


def test_the_removal_of_a_cancelled_booking_is_shown_to_its_owner(
    as_alice: APIClient, admin: User, room: Resource
) -> None:
    booking = book(as_alice, room)
    change(as_alice, booking, status="cancelled")
    lifecycle.remove(Booking.objects.get(), act=act(admin))
    assert [row["kind"].split(".")[1] for row in history(as_alice, booking)] == ["removed", "cancelled", "created"]


def test_a_deleted_actor_leaves_the_history_without_the_name(
    as_alice: APIClient, as_admin: APIClient, admin: User, root: User, as_root: APIClient, lab: Resource
) -> None:
    booking = book(as_alice, lab, notes="For four")
    change(as_admin, booking, status="confirmed", reason="Ask admin at the desk")
    admin.delete()
    confirmed, _ = history(as_root, booking)
    assert (confirmed["actor"], confirmed["part"], confirmed["reason"]) == (None, "staff", "")
    assert confirmed["changes"] == {"status": ["pending", "confirmed"]}
    assert history(as_alice, booking)[0]["actor"] == "staff"


def test_a_deleted_owner_leaves_the_history_without_words(
    as_alice: APIClient, as_admin: APIClient, alice: User, lab: Resource
) -> None:
    booking = book(as_alice, lab, notes="For four")
    alice.delete()
    (created,) = history(as_admin, booking)
    assert created["actor"] is None
    assert "notes" not in created["changes"]
    assert created["changes"]["status"] == [None, "pending"]


# --- Pages and costs --------------------------------------------------------------------------------------------------


def test_a_page_has_fifty_acts_and_link_leads_on(as_alice: APIClient, alice: User, noted: Booking) -> None:
    for number in range(59):
        lifecycle.change(noted, changes=Changes(notes=f"{number}"), act=act(alice))
    first = as_alice.get(f"{address(noted)}?count=true")
    assert (len(first.json()), first.headers["X-Total-Count"]) == (50, "60")
    second = as_alice.get(NEXT.search(first.headers["Link"])[1])
    assert len(second.json()) == 10
    ids = [row["id"] for row in first.json() + second.json()]
    assert ids == sorted(ids, reverse=True)
    assert len(as_alice.get(f"{address(noted)}?limit=60").json()) == 60


@pytest.mark.parametrize("limit", ["0", "1001", "x", ""])
def test_a_page_has_one_to_a_thousand_acts(as_alice: APIClient, noted: Booking, limit: str) -> None:
    assert_flat_error(as_alice.get(f"{address(noted)}?limit={limit}"), 400, "invalid", "limit")


def test_a_cursor_of_another_booking_is_refused(as_alice: APIClient, alice: User, noted: Booking) -> None:
    other = make_booking(alice, make_resource("Red room"))
    lifecycle.change(noted, changes=Changes(notes="x"), act=act(alice))
    link = NEXT.search(as_alice.get(f"{address(noted)}?limit=1").headers["Link"])[1]
    assert_flat_error(as_alice.get(link.replace(address(noted), address(other))), 400, "invalid", "cursor")


@pytest.mark.parametrize("number", [1, 30])
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_history_is_three_statements(
    request: pytest.FixtureRequest,
    alice: User,
    noted: Booking,
    django_assert_num_queries: DjangoAssertNumQueries,
    client: str,
    number: int,
) -> None:
    caller = request.getfixturevalue(client)
    for index in range(number):
        lifecycle.change(noted, changes=Changes(notes=f"{index}"), act=act(alice))
    with django_assert_num_queries(3):
        assert len(history(caller, noted)) >= number


def test_a_history_walks_along_the_index_of_its_booking(as_alice: APIClient, alice: User, room: Resource) -> None:
    bookings = Booking.objects.bulk_create(
        Booking(user=alice, resource=room, start_time=at(hour), end_time=at(hour + 1)) for hour in range(500)
    )
    for booking in bookings:
        lifecycle.change(booking, changes=Changes(notes="x"), act=act(alice))
    with CaptureQueriesContext(connection) as captured:
        assert len(history(as_alice, bookings[250])) == 1
    (asked,) = [query["sql"] for query in captured if '"core_bookingevent"' in query["sql"]]
    assert "core_event_by_booking" in (plan := plan_of(asked)), plan


# --- Who does not read it ---------------------------------------------------------------------------------------------


def test_a_stranger_does_not_read_it(as_bob: APIClient, noted: Booking) -> None:
    assert_flat_error(as_bob.get(address(noted)), 403, "permission_denied")


def test_nobody_reads_it_without_a_sign_in(anonymous: APIClient, noted: Booking) -> None:
    assert_flat_error(anonymous.get(address(noted)), 401, "not_authenticated")


@pytest.mark.django_db
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_booking_that_never_was_has_none(request: pytest.FixtureRequest, client: str) -> None:
    assert_flat_error(request.getfixturevalue(client).get(address(999)), 404, "not_found")


def test_the_answer_of_a_booking_has_no_history(as_alice: APIClient, noted: Booking) -> None:
    names = set(as_alice.get(f"/api/bookings/{noted.pk}/").json())
    assert not names & {"history", "reason", "staff_note", "changes"}
