"""`override`: staff waive rules by naming them, and the record keeps who waived what."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.record.models import BookingEvent
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_cancelled_booking, text
from core.tests.support.rules import add_exception, add_quota, day_of, set_hours, set_policy

BOOKINGS = "/api/bookings/"


def narrow(client: APIClient, room: Resource, rule: str) -> None:
    """Sets up the rule that refuses a booking of tomorrow, 10 to 11."""
    if rule == "opening_hours":
        set_hours(client, room, ("12:00", "14:00"))
    elif rule == "quota":
        add_quota(client, kind="count", period="day", limit=1)
    else:
        limits = {
            "lead_time": {"notice_minutes": 7 * 1440},
            "horizon": {"advance_days": 1},
            "grid": {"grid_minutes": 420},
            "duration": {"min_minutes": 120},
            "buffers": {"buffer_before_minutes": 60},
            "own_overlap": {"no_own_overlap": True},
        }
        set_policy(client, room, **limits[rule])


CODES = {
    "lead_time": "start_too_soon",
    "horizon": "too_far_ahead",
    "opening_hours": "outside_opening_hours",
    "grid": "off_grid",
    "duration": "too_short",
    "buffers": "too_close",
    "quota": "quota_exceeded",
    "own_overlap": "overlaps_own",
}


@pytest.fixture
def neighbours(admin: User, bob: User, room: Resource, lab: Resource) -> None:
    """A booking of the room until 10 o'clock, and one of staff elsewhere at that time."""
    make_booking(bob, room, at(9), at(10))
    make_booking(admin, lab, at(10), at(11))


@pytest.mark.parametrize("rule", CODES)
def test_staff_waive_a_rule_by_naming_it(as_admin: APIClient, room: Resource, neighbours: None, rule: str) -> None:
    narrow(as_admin, room, rule)
    before = Booking.objects.count()
    day = 2 if rule == "horizon" else 1
    body = booking_body(room, at(10, day=day))
    refused = as_admin.post(BOOKINGS, body).json()
    assert refused["code"] == CODES[rule]
    others = [name for name in CODES if name != rule]
    assert as_admin.post(BOOKINGS, {**body, "override": others}).json()["code"] == CODES[rule]
    assert Booking.objects.count() == before
    made = as_admin.post(BOOKINGS, {**body, "override": [rule]})
    assert made.status_code == 201, made.json()
    assert "override" not in made.json()
    assert BookingEvent.objects.get(booking_id=made.json()["id"]).waived_rules == [rule]


def test_the_history_tells_which_rules_were_waived(as_admin: APIClient, room: Resource, neighbours: None) -> None:
    narrow(as_admin, room, "duration")
    made = as_admin.post(BOOKINGS, {**booking_body(room), "override": ["duration", "grid"]}).json()
    (act,) = as_admin.get(f"{BOOKINGS}{made['id']}/history/").json()
    assert act["waived"] == ["duration"]
    page = as_admin.patch(f"{BOOKINGS}{made['id']}/", {"notes": "Cake"})
    assert page.status_code == 200
    latest, _ = as_admin.get(f"{BOOKINGS}{made['id']}/history/").json()
    assert "waived" not in latest


def test_a_change_is_waived_by_name_too(as_admin: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    set_hours(as_admin, room, ("09:00", "12:00"))
    moved = {"start_time": text(at(13)), "end_time": text(at(14))}
    address = f"{BOOKINGS}{booking.pk}/"
    assert_flat_error(as_admin.patch(address, moved), 400, "outside_opening_hours", "non_field_errors")
    answer = as_admin.patch(address, {**moved, "override": ["opening_hours"]})
    assert answer.status_code == 200, answer.json()


def test_a_closed_day_is_waived_with_the_hours(as_admin: APIClient, room: Resource) -> None:
    add_exception(as_admin, None, day_of(1), name="Party")
    assert_flat_error(as_admin.post(BOOKINGS, booking_body(room)), 400, "closed", "non_field_errors")
    assert as_admin.post(BOOKINGS, booking_body(room, override=["opening_hours"])).status_code == 201


@pytest.mark.parametrize(
    "override", [["free_slot"], ["closure"], ["order"], ["in_service"], "grid", [1], [None], [["grid"]]]
)
def test_what_cannot_be_waived_is_refused(as_admin: APIClient, room: Resource, override: object) -> None:
    assert_flat_error(as_admin.post(BOOKINGS, booking_body(room, override=override)), 400, "invalid", "override")
    assert not Booking.objects.exists()


def test_a_closure_a_taken_slot_and_five_years_stay(
    as_admin: APIClient, admin: User, bob: User, room: Resource
) -> None:
    everything = list(CODES)
    make_booking(bob, room, at(10), at(11))
    make_closure(admin, room, start=at(14), end=at(16))
    taken, closed = booking_body(room, override=everything), booking_body(room, at(15), override=everything)
    assert as_admin.post(BOOKINGS, taken).json()["code"] == "slot_taken"
    assert as_admin.post(BOOKINGS, closed).json()["code"] == "closed"
    far = timezone.now() + timedelta(days=1830)
    assert as_admin.post(BOOKINGS, booking_body(room, far, override=everything)).json()["code"] == "too_far_ahead"


def test_an_owner_waives_nothing(as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource) -> None:
    set_hours(as_admin, room, ("12:00", "14:00"))
    body = booking_body(room, override=["opening_hours"])
    assert as_alice.post(BOOKINGS, body).json()["code"] == "outside_opening_hours"
    assert not Booking.objects.exists()
    booking = make_cancelled_booking(alice, room)
    revived = as_alice.patch(f"{BOOKINGS}{booking.pk}/", {"status": "confirmed", "override": ["opening_hours"]})
    assert revived.json()["code"] == "outside_opening_hours"


def test_the_dry_run_knows_what_is_waived(as_admin: APIClient, room: Resource) -> None:
    set_hours(as_admin, room, ("12:00", "14:00"))
    assert as_admin.post(f"{BOOKINGS}check/", booking_body(room)).json()["code"] == "outside_opening_hours"
    body = booking_body(room, override=["opening_hours"])
    assert as_admin.post(f"{BOOKINGS}check/", body).json() == {"ok": True}
