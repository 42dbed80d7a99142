"""Bookings that the rules of a resource refuse: the code, the facts for programs, and what is still accepted."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_rejected_booking,
    make_resource,
    text,
)
from core.tests.support.rules import add_exception, add_quota, day_of, next_weekday, set_hours, set_policy

BOOKINGS = "/api/bookings/"
MINUTE = timedelta(minutes=1)


def book(client: APIClient, resource: Resource, start: datetime, end: datetime, **more: object) -> Any:
    return client.post(BOOKINGS, booking_body(resource, start, end, **more))


def accepted(client: APIClient, resource: Resource, start: datetime, end: datetime, **more: object) -> Booking:
    answer = book(client, resource, start, end, **more)
    assert answer.status_code == 201, answer.json()
    return Booking.objects.get(pk=answer.json()["id"])


def refused(
    client: APIClient, resource: Resource, start: datetime, end: datetime, code: str, **more: object
) -> dict[str, Any]:
    """The body of the refusal of a POST; the dry run says the same, and nothing is stored."""
    before = Booking.objects.count()
    body = assert_flat_error(book(client, resource, start, end, **more), 400, code)
    dry = client.post(f"{BOOKINGS}check/", booking_body(resource, start, end, **more)).json()
    assert dry == {**body, "ok": False, "status": 400}
    assert Booking.objects.count() == before
    return body


def patch(client: APIClient, booking: Booking, **changes: object) -> Any:
    sent = {name: text(value) if isinstance(value, datetime) else value for name, value in changes.items()}
    return client.patch(f"{BOOKINGS}{booking.pk}/", sent)


# --- Length -----------------------------------------------------------------------------------------------------------


def test_a_booking_has_at_least_the_shortest_and_at_most_the_longest_length(
    as_admin: APIClient, as_alice: APIClient, room: Resource
) -> None:
    set_policy(as_admin, room, min_minutes=30, max_minutes=120)
    assert refused(as_alice, room, at(10), at(10.5) - MINUTE, "too_short")["min_minutes"] == 30
    assert refused(as_alice, room, at(10), at(12) + MINUTE, "too_long")["max_minutes"] == 120
    accepted(as_alice, room, at(10), at(10.5))
    accepted(as_alice, room, at(11), at(13))


@pytest.mark.parametrize("code", ["too_short", "too_long"])
def test_a_change_has_the_same_bounds(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, code: str
) -> None:
    booking = make_booking(alice, room, at(10), at(11))
    set_policy(as_admin, room, min_minutes=30, max_minutes=90)
    end = at(10.25) if code == "too_short" else at(12)
    body = assert_flat_error(patch(as_alice, booking, end_time=end), 400, code)
    assert body["min_minutes" if code == "too_short" else "max_minutes"] in (30, 90)
    booking.refresh_from_db()
    assert booking.end_time == at(11)


# --- The grid ---------------------------------------------------------------------------------------------------------


def test_off_the_grid_the_nearest_starts_are_named(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, grid_minutes=45)
    set_hours(as_admin, room, ("09:10", "17:00"))
    body = refused(as_alice, room, at(10), at(11), "off_grid")
    assert {name: body[name] for name in ("grid_minutes", "time_zone", "nearest_starts")} == {
        "grid_minutes": 45,
        "time_zone": "UTC",
        "nearest_starts": [text(at(9) + 55 * MINUTE), text(at(10) + 40 * MINUTE)],
    }
    assert "nearest_ends" not in body
    for start in body["nearest_starts"]:
        start = datetime.fromisoformat(start)
        accepted(as_alice, room, start, start + 45 * MINUTE)


def test_off_the_grid_the_nearest_ends_are_named(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, grid_minutes=30)
    body = refused(as_alice, room, at(10), at(10.75), "off_grid")
    assert body["nearest_ends"] == [text(at(10.5)), text(at(11))]
    accepted(as_alice, room, at(10), at(11))


def test_the_grid_is_of_the_local_clock(as_admin: APIClient, as_alice: APIClient) -> None:
    kolkata = make_resource(time_zone="Asia/Kolkata")  # five and a half hours ahead
    set_policy(as_admin, kolkata, grid_minutes=60)
    assert refused(as_alice, kolkata, at(10), at(11), "off_grid")["time_zone"] == "Asia/Kolkata"
    accepted(as_alice, kolkata, at(10.5), at(11.5))


# --- Opening hours ----------------------------------------------------------------------------------------------------


def test_outside_of_the_hours_those_of_the_day_are_named(
    as_admin: APIClient, as_alice: APIClient, room: Resource
) -> None:
    set_hours(as_admin, room, ("09:00", "12:00"), ("13:00", "17:00"))
    body = refused(as_alice, room, at(11), at(14), "outside_opening_hours")
    assert {name: body[name] for name in ("day", "time_zone", "hours")} == {
        "day": str(day_of(1)),
        "time_zone": "UTC",
        "hours": [{"opens": "09:00", "closes": "12:00"}, {"opens": "13:00", "closes": "17:00"}],
    }
    refused(as_alice, room, at(8), at(9.5), "outside_opening_hours")
    refused(as_alice, room, at(16), at(17) + MINUTE, "outside_opening_hours")
    refused(as_alice, room, at(20), at(21), "outside_opening_hours")
    accepted(as_alice, room, at(9), at(12))


def test_touching_periods_count_as_one_over_midnight_too(
    as_admin: APIClient, as_alice: APIClient, room: Resource
) -> None:
    set_hours(as_admin, room, ("00:00", "06:00"), ("12:00", "14:00"), ("14:00", "16:00"), ("18:00", "00:00"))
    accepted(as_alice, room, at(13), at(15))
    accepted(as_alice, room, at(22), at(26))
    refused(as_alice, room, at(15.5, day=3), at(18.5, day=3), "outside_opening_hours")


def test_late_hours_run_into_a_closed_day(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    friday = next_weekday(5)
    set_hours(as_admin, room, ("22:00", "02:00"), days=[5])
    add_exception(as_admin, room, day_of(friday + 1), name="Stocktaking")
    accepted(as_alice, room, at(1, day=friday + 1), at(2, day=friday + 1))
    refused(as_alice, room, at(1, day=friday + 1), at(2.5, day=friday + 1), "closed")
    body = refused(as_alice, room, at(2, day=friday + 1), at(3, day=friday + 1), "closed")
    assert (body["reason"], body["until"]) == ("Stocktaking", text(at(22, day=friday + 7)))


def test_a_closed_day_is_told_with_its_name_and_until_when(
    as_admin: APIClient, as_alice: APIClient, room: Resource, lab: Resource
) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    add_exception(as_admin, None, day_of(3), day_of(4), name="House party")
    for resource, until in ((room, at(9, day=5)), (lab, at(0, day=5))):
        body = refused(as_alice, resource, at(10, day=3), at(11, day=3), "closed")
        assert (body["reason"], body["until"]) == ("House party", text(until))
    add_exception(as_admin, room, day_of(3), None, ("10:00", "12:00"), name="Tours")
    accepted(as_alice, room, at(10, day=3), at(12, day=3))
    assert refused(as_alice, room, at(12, day=3), at(13, day=3), "outside_opening_hours")["hours"] == [
        {"opens": "10:00", "closes": "12:00"}
    ]


def test_the_shorter_of_two_exceptions_wins(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    add_exception(as_admin, room, day_of(3), day_of(9), name="Holidays")
    add_exception(as_admin, room, day_of(5), None, ("10:00", "12:00"))
    accepted(as_alice, room, at(10, day=5), at(12, day=5))
    assert refused(as_alice, room, at(10, day=6), at(12, day=6), "closed")["reason"] == "Holidays"


def test_a_loan_spans_a_closed_weekend(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    friday = next_weekday(5)
    set_hours(as_admin, room, ("09:00", "17:00"), days=range(1, 6))
    start, end = at(16, day=friday), at(9.5, day=friday + 3)
    refused(as_alice, room, start, end, "outside_opening_hours")
    set_policy(as_admin, room, may_span_closed=True)
    refused(as_alice, room, at(16, day=friday + 1), end, "outside_opening_hours")
    refused(as_alice, room, start, at(9, day=friday + 3), "outside_opening_hours")
    accepted(as_alice, room, start, end)


def test_a_change_of_the_hours_moves_nothing_and_later_changes_are_asked(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room, at(20), at(22))
    set_hours(as_admin, room, ("09:00", "17:00"))
    assert patch(as_alice, booking, notes="Still there").status_code == 200
    assert patch(as_alice, booking, end_time=at(21)).status_code == 200
    assert_flat_error(patch(as_alice, booking, end_time=at(23)), 400, "outside_opening_hours")
    assert patch(as_alice, booking, start_time=at(10), end_time=at(11)).status_code == 200


def test_a_change_of_the_time_zone_moves_nothing(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    booking = accepted(as_alice, room, at(9), at(17))
    Resource.objects.filter(pk=room.pk).update(time_zone="Pacific/Auckland")
    booking.refresh_from_db()
    assert (booking.start_time, booking.end_time, booking.status) == (at(9), at(17), "confirmed")
    refused(as_alice, room, at(9, day=2), at(17, day=2), "outside_opening_hours")


# --- How far ahead ----------------------------------------------------------------------------------------------------


def test_the_notice_of_the_resource_is_named(
    as_admin: APIClient, as_alice: APIClient, room: Resource, lab: Resource, settings: Settings
) -> None:
    settings.BOOKING_LEAD_TIME_MINUTES = 60
    set_policy(as_admin, room, notice_minutes=600)
    start = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=590)
    body = refused(as_alice, room, start, start + timedelta(hours=1), "start_too_soon")
    assert body["notice_minutes"] == 600
    accepted(as_alice, room, start + timedelta(minutes=12), start + timedelta(minutes=30))
    assert "notice_minutes" not in refused(
        as_alice, lab, timezone.now() + timedelta(minutes=30), timezone.now() + timedelta(hours=3), "start_too_soon"
    )
    set_policy(as_admin, room, notice_minutes=0)
    soon = timezone.now() + timedelta(minutes=1)
    accepted(as_alice, room, soon, soon + timedelta(minutes=30))


def test_how_far_ahead_a_booking_may_end_is_named(as_admin: APIClient, as_alice: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, advance_days=10)
    latest = timezone.now() + timedelta(days=10)
    body = refused(as_alice, room, latest - timedelta(hours=1), latest + timedelta(minutes=5), "too_far_ahead")
    assert body["advance_days"] == 10
    accepted(as_alice, room, latest - timedelta(hours=1), latest - timedelta(minutes=1))


# --- Too late for the owner -------------------------------------------------------------------------------------------


def test_an_owner_moves_a_booking_in_time_and_staff_at_any_time(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource
) -> None:
    start = timezone.now() + timedelta(minutes=90)
    booking = make_booking(alice, room, start, start + timedelta(hours=1))
    set_policy(as_admin, room, change_notice_minutes=120)
    later = {"start_time": start + timedelta(hours=5), "end_time": start + timedelta(hours=6)}
    body = assert_flat_error(patch(as_alice, booking, **later), 403, "too_late_to_change")
    assert body["change_notice_minutes"] == 120
    # To give back, to cancel and to write notes, that notice says nothing.
    assert patch(as_alice, booking, notes="Late").status_code == 200
    assert patch(as_alice, booking, end_time=start + timedelta(minutes=30)).status_code == 200
    assert patch(as_admin, booking, **later).status_code == 200
    assert as_alice.delete(f"{BOOKINGS}{booking.pk}/").status_code == 204


@pytest.mark.parametrize("how", ["delete", "status", "shorten"])
def test_an_owner_gives_back_in_time_and_staff_at_any_time(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, how: str
) -> None:
    start = timezone.now() + timedelta(minutes=90)
    booking = make_booking(alice, room, start, start + timedelta(hours=1))
    set_policy(as_admin, room, cancel_notice_minutes=120)

    def act(client: APIClient) -> Any:
        if how == "delete":
            return client.delete(f"{BOOKINGS}{booking.pk}/")
        return patch(
            client, booking, **({"status": "cancelled"} if how == "status" else {"end_time": start + 30 * MINUTE})
        )

    before = Booking.objects.values().get()
    body = assert_flat_error(act(as_alice), 403, "too_late_to_cancel")
    assert body["cancel_notice_minutes"] == 120
    assert Booking.objects.values().get() == before
    assert patch(as_alice, booking, notes="Late").status_code == 200
    assert act(as_admin).status_code in (200, 204)
    set_policy(as_admin, room, cancel_notice_minutes=60)
    assert act(as_alice).status_code in (200, 204)


def test_a_booking_leaves_a_resource_by_the_notice_of_that_resource(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    start = timezone.now() + timedelta(minutes=90)
    booking = make_booking(alice, room, start, start + timedelta(hours=1))
    set_policy(as_admin, room, change_notice_minutes=120)
    assert_flat_error(patch(as_alice, booking, resource=lab.pk), 403, "too_late_to_change")
    set_policy(as_admin, room)
    set_policy(as_admin, lab, change_notice_minutes=120)
    assert patch(as_alice, booking, resource=lab.pk).status_code == 200


# --- Giving back, notes and revival -----------------------------------------------------------------------------------


def test_giving_back_is_refused_by_no_rule_but_the_shortest_length(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room, at(10.1), at(20))
    set_policy(
        as_admin,
        room,
        min_minutes=60,
        max_minutes=90,
        grid_minutes=60,
        notice_minutes=100_000,
        advance_days=1,
        change_notice_minutes=100_000,
        buffer_after_minutes=600,
        no_own_overlap=True,
    )
    set_hours(as_admin, room, ("01:00", "02:00"))
    add_exception(as_admin, None, day_of(1))
    add_quota(as_admin, kind="active", limit=1)
    assert patch(as_alice, booking, end_time=at(13)).status_code == 200
    assert patch(as_alice, booking, start_time=at(11)).status_code == 200
    assert_flat_error(patch(as_alice, booking, end_time=at(11.5)), 400, "too_short")
    assert patch(as_alice, booking, notes="Short").status_code == 200
    assert as_alice.delete(f"{BOOKINGS}{booking.pk}/").status_code == 204


def test_a_booking_that_is_too_short_already_keeps_its_notes_and_may_be_cancelled(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room, at(10), at(10.25))
    set_policy(as_admin, room, min_minutes=60)
    assert patch(as_alice, booking, notes="Short").status_code == 200
    assert as_alice.delete(f"{BOOKINGS}{booking.pk}/").status_code == 204


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"min_minutes": 120}, "too_short"),
        ({"max_minutes": 30}, "too_long"),
        ({"grid_minutes": 1440}, "off_grid"),
        ({"notice_minutes": 100_000}, "start_too_soon"),
        ({"advance_days": 1}, "too_far_ahead"),
    ],
)
@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_nobody_revives_past_a_limit(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, limits: dict, code: str, status: str
) -> None:
    booking = make_cancelled_booking(alice, room, at(10, day=3))
    set_policy(as_admin, room, **limits)
    assert_flat_error(patch(as_alice, booking, status=status), 400, code)
    booking.refresh_from_db()
    assert booking.status == "cancelled"
    set_policy(as_admin, room)
    assert patch(as_alice, booking, status=status).status_code == 200


def test_nobody_revives_past_a_closed_day_a_quota_or_a_neighbour(
    as_admin: APIClient, as_alice: APIClient, alice: User, bob: User, room: Resource
) -> None:
    booking = make_cancelled_booking(alice, room, at(10, day=3))
    exception = add_exception(as_admin, None, day_of(3), name="Fair")
    assert_flat_error(patch(as_alice, booking, status="confirmed"), 400, "closed")
    as_admin.delete(f"/api/opening-exceptions/{exception['id']}/")
    quota = add_quota(as_admin, kind="active", limit=1)
    make_booking(alice, room, at(20, day=4))
    assert_flat_error(patch(as_alice, booking, status="confirmed"), 400, "quota_exceeded")
    as_admin.delete(f"/api/quotas/{quota['id']}/")
    set_policy(as_admin, room, buffer_after_minutes=30)
    make_booking(bob, room, at(11, day=3))
    assert_flat_error(patch(as_alice, booking, status="confirmed"), 400, "too_close")
    set_policy(as_admin, room)
    assert patch(as_alice, booking, status="confirmed").status_code == 200


def test_staff_who_revive_a_rejected_booking_are_asked_the_same(
    as_admin: APIClient, alice: User, room: Resource
) -> None:
    booking = make_rejected_booking(alice, room, at(10, day=3))
    set_policy(as_admin, room, max_minutes=30, notice_minutes=100_000)
    assert_flat_error(patch(as_admin, booking, status="confirmed"), 400, "too_long")
    set_policy(as_admin, room, notice_minutes=100_000)
    assert patch(as_admin, booking, status="confirmed").status_code == 200


# --- Buffers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["earlier", "later"])
def test_between_10_after_and_30_before_30_minutes_suffice_and_29_do_not(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, room: Resource, first: str
) -> None:
    set_policy(as_admin, room, buffer_before_minutes=30, buffer_after_minutes=10)
    accepted(as_bob, room, at(10), at(11))
    neighbour = {"start_time": text(at(10)), "end_time": text(at(11))}
    for gap, is_enough in ((29 * MINUTE, False), (30 * MINUTE, True)):
        slot = (at(11) + gap, at(12) + gap) if first == "earlier" else (at(9) - gap, at(10) - gap)
        if is_enough:
            accepted(as_alice, room, *slot)
        else:
            body = refused(as_alice, room, *slot, "too_close")
            assert (body["gap_minutes"], body["neighbour"]) == (30, neighbour)


def test_a_short_booking_between_does_not_hide_the_buffer_of_the_next_but_one(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, bob: User, room: Resource
) -> None:
    set_policy(as_admin, room, buffer_before_minutes=180)
    far = accepted(as_bob, room, at(15), at(16))
    set_policy(as_admin, room)
    # Written past the rules: it lies within the three hours.
    make_booking(bob, room, at(14), at(14) + 5 * MINUTE)
    body = refused(as_alice, room, at(12.5), at(13.5), "too_close")
    assert (body["gap_minutes"], body["neighbour"]["start_time"]) == (180, text(far.start_time))
    accepted(as_alice, room, at(11), at(12))


def test_a_booking_keeps_its_buffers_when_the_policy_changes(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, room: Resource
) -> None:
    set_policy(as_admin, room, buffer_after_minutes=60)
    booking = accepted(as_bob, room, at(10), at(11))
    as_admin.delete(f"/api/resources/{room.pk}/policy/")
    refused(as_alice, room, at(11.5), at(13), "too_close")
    assert patch(as_bob, booking, notes="Mine").status_code == 200
    booking.refresh_from_db()
    assert booking.buffer_after_minutes == 60
    accepted(as_alice, room, at(12), at(13))
    # A booking that takes other time has the buffers of today.
    assert patch(as_bob, booking, start_time=at(8), end_time=at(9)).status_code == 200
    accepted(as_alice, room, at(9), at(10))


def test_buffers_move_nothing_that_is_there(as_admin: APIClient, alice: User, bob: User, room: Resource) -> None:
    bookings = [make_booking(alice, room, at(10), at(11)), make_booking(bob, room, at(11), at(12))]
    assert set_policy(as_admin, room, buffer_before_minutes=60)["no_longer_fit"] == 0
    for booking in bookings:
        assert patch(client_of(booking.user), booking, notes="Touching").status_code == 200
        assert patch(client_of(booking.user), booking, end_time=booking.end_time - 5 * MINUTE).status_code == 200


# --- One's own bookings -----------------------------------------------------------------------------------------------


def test_a_resource_may_ask_for_no_other_booking_at_that_time(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    other = make_booking(alice, lab, at(10), at(12))
    set_policy(as_admin, room, no_own_overlap=True)
    body = refused(as_alice, room, at(11), at(13), "overlaps_own")
    assert body["booking"] == {
        "id": other.pk,
        "resource_name": "Lab",
        "start_time": text(at(10)),
        "end_time": text(at(12)),
    }
    # What staff book for somebody is that person's.
    refused(as_admin, room, at(11), at(13), "overlaps_own", user=alice.pk)
    booking = accepted(as_alice, room, at(12), at(13))
    assert_flat_error(patch(as_alice, booking, start_time=at(11)), 400, "overlaps_own")
    accepted(as_bob, room, at(10), at(12))
    other.status = "cancelled"
    other.save()
    make_booking(alice, lab, at(14), at(15), status="rejected")
    assert patch(as_alice, booking, start_time=at(14), end_time=at(15)).status_code == 200


def test_the_other_resource_does_not_ask_for_it(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    set_policy(as_admin, room, no_own_overlap=True)
    make_booking(alice, room, at(10), at(12))
    accepted(as_alice, lab, at(11), at(13))


# --- Nothing of it is left --------------------------------------------------------------------------------------------


def test_without_rules_all_is_as_before(
    as_admin: APIClient, as_alice: APIClient, room: Resource, django_assert_max_num_queries: Any
) -> None:
    set_policy(as_admin, room, min_minutes=60, no_own_overlap=True, grid_minutes=60)
    set_hours(as_admin, room, ("01:00", "02:00"))
    for whose in (None, room):
        exception = add_exception(as_admin, whose, day_of(1))
        place = "" if whose is None else f"resources/{room.pk}/"
        as_admin.delete(f"/api/{place}opening-exceptions/{exception['id']}/")
        quota = add_quota(as_admin, resource=whose.pk if whose else None, kind="active", limit=1)
        as_admin.delete(f"/api/quotas/{quota['id']}/")
    set_hours(as_admin, room)
    as_admin.delete(f"/api/resources/{room.pk}/policy/")
    with django_assert_max_num_queries(8):
        accepted_booking = book(as_alice, room, at(3.3), at(3.4))
    assert accepted_booking.status_code == 201
