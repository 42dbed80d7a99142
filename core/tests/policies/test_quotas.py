"""What quotas refuse: who is limited, what counts, and in which day, week or month."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.policies.test_refusals import accepted, patch, refused
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_cancelled_booking, make_resource, text
from core.tests.support.rules import add_quota, next_weekday

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def facts(body: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(body[name] for name in ("kind", "period", "limit", "used", "frees_at"))


def test_active_bookings_are_limited_until_one_of_them_has_ended(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    add_quota(as_admin, kind="active", limit=2)
    accepted(as_alice, room, at(10), at(11))
    make_booking(alice, lab, at(15), status="pending")
    make_booking(alice, room, at(1, day=-3))
    body = refused(as_alice, room, at(12, day=9), at(13, day=9), "quota_exceeded")
    assert facts(body) == ("active", None, 2, 2, text(at(11)))
    accepted(as_bob, room, at(12, day=9), at(13, day=9))


def test_a_quota_of_a_resource_counts_its_bookings_alone(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    add_quota(as_admin, kind="active", limit=1, resource=lab.pk)
    make_booking(alice, room, at(10))
    booking = accepted(as_alice, lab, at(10), at(11))
    refused(as_alice, lab, at(12), at(13), "quota_exceeded")
    accepted(as_alice, room, at(12), at(13))
    # A change of the booking that counts already uses no more.
    assert patch(as_alice, booking, start_time=at(14), end_time=at(16)).status_code == 200
    elsewhere = make_booking(alice, room, at(20))
    assert_flat_error(patch(as_alice, elsewhere, resource=lab.pk), 400, "quota_exceeded")


def test_to_cancel_frees_a_place_and_to_book_again_takes_it(
    as_admin: APIClient, as_alice: APIClient, room: Resource
) -> None:
    add_quota(as_admin, kind="count", period="day", limit=1)
    for _ in range(3):
        booking = accepted(as_alice, room, at(10), at(11))
        assert as_alice.get("/api/profile/quotas/").json()[0]["limit"] == 1
        refused(as_alice, room, at(12), at(13), "quota_exceeded")
        assert as_alice.delete(f"/api/bookings/{booking.pk}/").status_code == 204
    accepted(as_alice, room, at(12), at(13))
    assert_flat_error(patch(as_alice, booking, status="confirmed"), 400, "quota_exceeded")


@pytest.mark.parametrize(("limit", "is_allowed"), [(1, False), (2, True)])
def test_what_staff_book_for_somebody_counts_for_that_person(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, limit: int, is_allowed: bool
) -> None:
    add_quota(as_admin, kind="active", limit=limit)
    accepted(as_admin, room, at(10), at(11), user=alice.pk)
    answer = as_alice.post("/api/bookings/", booking_body(room, at(12), at(13)))
    assert (answer.status_code == 201) is is_allowed
    refused(as_admin, room, at(14), at(15), "quota_exceeded", user=alice.pk)
    accepted(as_admin, room, at(14), at(15))


def test_a_quota_of_a_group_limits_its_members(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, alice: User, room: Resource
) -> None:
    guests = Group.objects.create(name="Guests")
    alice.groups.add(guests)
    add_quota(as_admin, kind="active", limit=1, group=guests.pk)
    add_quota(as_admin, kind="active", limit=2)
    accepted(as_alice, room, at(8), at(9))
    assert refused(as_alice, room, at(10), at(11), "quota_exceeded")["limit"] == 1
    accepted(as_bob, room, at(10), at(11))
    accepted(as_bob, room, at(12), at(13))
    assert refused(as_bob, room, at(14), at(15), "quota_exceeded")["limit"] == 2
    alice.groups.clear()
    accepted(as_alice, room, at(14), at(15))


def test_the_deletion_of_a_group_ends_its_quotas(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    guests = Group.objects.create(name="Guests")
    alice.groups.add(guests)
    for resource in (lab, room):
        add_quota(as_admin, kind="active", limit=1, group=guests.pk, resource=resource.pk)
    add_quota(as_admin, kind="active", limit=5, resource=lab.pk)
    accepted(as_alice, room, at(8), at(9))
    guests.delete()
    room.refresh_from_db()
    lab.refresh_from_db()
    assert (room.has_terms, lab.has_terms) == (False, True)
    accepted(as_alice, room, at(10), at(11))


# --- Periods ----------------------------------------------------------------------------------------------------------


def berlin(day: datetime, hour: float) -> datetime:
    """An hour of a day on the clock of Berlin."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    return (midnight + timedelta(hours=hour)).astimezone(UTC)


@pytest.fixture
def desk(db: None) -> Resource:
    return make_resource("Desk", time_zone="Europe/Berlin")


def test_a_day_is_one_of_the_resources_own_clock(as_admin: APIClient, as_alice: APIClient, desk: Resource) -> None:
    add_quota(as_admin, kind="count", period="day", limit=1, resource=desk.pk)
    day = at(12, day=3)
    accepted(as_alice, desk, berlin(day, 23.5), berlin(day, 24.5))
    body = refused(as_alice, desk, berlin(day, 0), berlin(day, 1), "quota_exceeded")
    assert facts(body) == ("count", "day", 1, 1, text(berlin(day, 24)))
    # It counts on the day of its start alone.
    accepted(as_alice, desk, berlin(day, 25), berlin(day, 26))


def test_a_week_is_from_monday_to_sunday(as_admin: APIClient, as_alice: APIClient, desk: Resource) -> None:
    add_quota(as_admin, kind="count", period="week", limit=2, resource=desk.pk)
    monday = at(12, day=next_weekday(1, after=2))
    accepted(as_alice, desk, berlin(monday, 0), berlin(monday, 1))
    accepted(as_alice, desk, berlin(monday, 7 * 24 - 1), berlin(monday, 7 * 24))
    body = refused(as_alice, desk, berlin(monday, 50), berlin(monday, 51), "quota_exceeded")
    assert facts(body) == ("count", "week", 2, 2, text(berlin(monday + timedelta(days=7), 0)))
    accepted(as_alice, desk, berlin(monday, 7 * 24 + 1), berlin(monday, 7 * 24 + 2))
    accepted(as_alice, desk, berlin(monday, -2), berlin(monday, -1))


def test_a_month_is_one_of_the_calendar(as_admin: APIClient, as_alice: APIClient, desk: Resource) -> None:
    add_quota(as_admin, kind="count", period="month", limit=1, resource=desk.pk)
    first = (at(12, day=40)).replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    accepted(as_alice, desk, berlin(first, 0), berlin(first, 1))
    last_hour = berlin(after, 0) - HOUR
    body = refused(as_alice, desk, last_hour, last_hour + HOUR, "quota_exceeded")
    assert facts(body) == ("count", "month", 1, 1, text(berlin(after, 0)))
    accepted(as_alice, desk, berlin(after, 0), berlin(after, 1))
    accepted(as_alice, desk, berlin(first, -1), berlin(first, 0))


def test_minutes_count_on_each_day_they_lie_in(as_admin: APIClient, as_alice: APIClient, desk: Resource) -> None:
    add_quota(as_admin, kind="minutes", period="day", limit=120, resource=desk.pk)
    day = at(12, day=3)
    booking = accepted(as_alice, desk, berlin(day, 23), berlin(day, 25))
    accepted(as_alice, desk, berlin(day, 25), berlin(day, 26))
    body = refused(as_alice, desk, berlin(day, 26), berlin(day, 26.25), "quota_exceeded")
    assert facts(body) == ("minutes", "day", 120, 120, text(berlin(day, 48)))
    refused(as_alice, desk, berlin(day, 21), berlin(day, 22.5), "quota_exceeded")
    accepted(as_alice, desk, berlin(day, 21), berlin(day, 22))
    # A longer booking uses more, a shorter one less.
    assert_flat_error(patch(as_alice, booking, start_time=berlin(day, 22.5)), 400, "quota_exceeded")
    assert patch(as_alice, booking, end_time=berlin(day, 24)).status_code == 200
    accepted(as_alice, desk, berlin(day, 26), berlin(day, 27))


def test_minutes_of_a_night_of_25_hours_are_those_that_pass(
    as_admin: APIClient, as_alice: APIClient, desk: Resource
) -> None:
    add_quota(as_admin, kind="minutes", period="day", limit=24 * 60, resource=desk.pk)
    autumn = next(
        day
        for day in (at(12, day=number) for number in range(1, 400))
        if berlin(day + timedelta(days=1), 0) - berlin(day, 0) == 25 * HOUR
    )
    start = berlin(autumn, 0)
    refused(as_alice, desk, start, start + 25 * HOUR, "quota_exceeded")
    accepted(as_alice, desk, start, start + 24 * HOUR)


def test_cancelled_bookings_and_those_of_others_do_not_count(
    as_admin: APIClient, as_alice: APIClient, alice: User, bob: User, room: Resource
) -> None:
    add_quota(as_admin, kind="minutes", period="day", limit=60)
    make_cancelled_booking(alice, room, at(10))
    make_booking(alice, room, at(12), status="rejected")
    make_booking(bob, room, at(14))
    accepted(as_alice, room, at(10), at(11))


def test_a_new_quota_cancels_nothing_and_lets_giving_back_and_notes_pass(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource
) -> None:
    bookings = [make_booking(alice, room, at(hour)) for hour in (8, 10, 12)]
    add_quota(as_admin, kind="active", limit=1)
    add_quota(as_admin, kind="minutes", period="day", limit=5)
    for booking in bookings:
        assert patch(as_alice, booking, notes="Mine").status_code == 200
        assert patch(as_alice, booking, end_time=booking.end_time - HOUR / 2).status_code == 200
    assert_flat_error(patch(as_alice, bookings[0], end_time=at(9)), 400, "quota_exceeded")
    # To move without more time uses no more.
    assert patch(as_alice, bookings[0], start_time=at(15), end_time=at(15.5)).status_code == 200
