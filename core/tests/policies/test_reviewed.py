"""Edges of the rules: moves between resources, windows at the ends of the calendar, impossible lengths, old loans."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, OpeningException, Resource, ResourcePolicy
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_resource, text
from core.tests.support.parallel import in_parallel
from core.tests.support.rules import EVERY_DAY, add_exception, add_quota, day_of, set_hours, set_policy

BOOKINGS = "/api/bookings/"
FIRST = "start=0001-01-01T00:00:00Z&end=0001-01-02T00:00:00Z"
LAST = "start=9999-12-30T00:00:00Z&end=9999-12-31T23:59:59Z"


def test_a_move_to_another_resource_keeps_its_notice(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    set_policy(as_admin, lab, notice_minutes=14 * 1440)
    booking = make_booking(alice, room)
    address = f"{BOOKINGS}{booking.pk}/"
    assert_flat_error(as_alice.patch(address, {"resource": lab.pk}), 400, "start_too_soon", "start_time")
    assert Booking.objects.get(pk=booking.pk).resource == room
    assert as_admin.patch(address, {"resource": lab.pk}).status_code == 200


@pytest.mark.parametrize("window", [FIRST, LAST], ids=["the first year", "the last year"])
@pytest.mark.parametrize(
    "path",
    [
        "resources/?",
        "resources/?include=open&include=policy&include=next_free&",
        "resources/?available=true&",
        "resources/?available=false&",
        "resources/{id}/?include=open&",
        "resources/{id}/availability/?",
        "resources/{id}/slots/?duration=60&",
        "resources/{id}/open/?",
        "resources/availability/?",
        "availability/?duration=60&",
    ],
)
def test_the_ends_of_the_calendar_are_no_server_error(
    as_alice: APIClient, as_admin: APIClient, room: Resource, path: str, window: str
) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    set_policy(as_admin, room, min_minutes=30, buffer_after_minutes=1440, may_span_closed=True)
    add_exception(as_admin, None, day_of(3))
    add_quota(as_admin, kind="count", period="month", limit=3)
    answer = as_alice.get(f"/api/{path.format(id=room.pk)}{window}")
    assert answer.status_code in (200, 400), answer.content


def test_a_length_that_the_policy_forbids_is_looked_for_nowhere(
    as_admin: APIClient, as_alice: APIClient, bob: User, room: Resource
) -> None:
    set_policy(as_admin, room, grid_minutes=1, max_minutes=120)
    make_booking(bob, room, at(8), at(12))
    window = {"start": text(at(0)), "end": text(at(0, day=30)), "duration": 10080}
    assert as_alice.get("/api/availability/", window).json() == []
    body = booking_body(room, at(9), at(14), override=["duration"])
    refused = assert_flat_error(as_admin.post(BOOKINGS, body), 400, "slot_taken", "non_field_errors")
    assert refused["suggestion"] is None


def test_too_many_closed_spans_are_refused_too(
    as_admin: APIClient, anonymous: APIClient, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.views.resources.MOST_SPANS", 5)
    set_hours(as_admin, room, ("09:00", "12:00"), ("13:00", "17:00"))
    asked = {"start": text(at(0)), "end": text(at(0, day=4))}
    body = assert_flat_error(anonymous.get("/api/resources/availability/", asked), 400, "invalid", "end")
    assert "limit" in body["detail"]


def test_open_time_is_shown_of_at_most_a_year(anonymous: APIClient, room: Resource) -> None:
    asked = {"include": "open", "start": text(at(0)), "end": text(at(0, day=368))}
    for path in ("/api/resources/", f"/api/resources/{room.pk}/"):
        assert_flat_error(anonymous.get(path, asked), 400, "invalid", "end")


def test_the_tag_of_time_lines_changes_with_the_next_free_moment(
    anonymous: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room, timezone.now() - timedelta(hours=1), at(0, day=10))
    asked = {"start": text(at(0, day=2)), "end": text(at(0, day=3))}
    tag = anonymous.get("/api/resources/availability/", asked).headers["ETag"]
    make_booking(alice, room, at(0, day=10), at(0, day=15))
    answer = anonymous.get("/api/resources/availability/", asked, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()[0]["next_free"] == text(at(0, day=15))


def test_a_loan_that_began_on_an_old_exception_can_be_extended(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource
) -> None:
    closed_day = at(0, day=-6)
    days = [day for day in EVERY_DAY if day != closed_day.isoweekday()]
    add_exception(as_admin, room, closed_day.date(), None, ("09:00", "17:00"), name="Open for once")
    policy = set_policy(as_admin, room, may_span_closed=True)
    assert policy["no_longer_fit"] == 0
    booking = make_booking(alice, room, closed_day + timedelta(hours=10), at(12, day=next_open(days)))
    assert set_hours(as_admin, room, ("09:00", "17:00"), days=days)["no_longer_fit"] == 0
    later = {"end_time": text(at(13, day=next_open(days)))}
    answer = as_alice.patch(f"{BOOKINGS}{booking.pk}/", later)
    assert answer.status_code == 200, answer.json()


def next_open(days: list[int]) -> int:
    """How many days ahead the next day lies that is one of these weekdays."""
    return next(ahead for ahead in (1, 2) if at(0, day=ahead).isoweekday() in days)


def test_a_refusal_names_the_moment_after_all_closures_and_closed_hours(
    as_alice: APIClient, as_admin: APIClient, admin: User, room: Resource
) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    make_closure(admin, room, start=at(9), end=at(17))
    make_closure(admin, room, start=at(9, day=2), end=at(12, day=2))
    refused = assert_flat_error(as_alice.post(BOOKINGS, booking_body(room)), 400, "closed", "non_field_errors")
    assert refused["until"] == text(at(12, day=2))


def test_a_booking_longer_than_the_quota_is_promised_nothing(as_alice: APIClient, as_admin: APIClient) -> None:
    hall = make_resource("Hall")
    add_quota(as_admin, kind="minutes", period="day", limit=60)
    body = booking_body(hall, at(10), at(12))
    refused = assert_flat_error(as_alice.post(BOOKINGS, body), 400, "quota_exceeded", "non_field_errors")
    assert refused["frees_at"] is None
    assert "per person" in refused["detail"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("day", range(3, 8))
def test_of_two_equal_exceptions_of_all_resources_at_the_same_moment_one_is_refused(
    as_admin: APIClient, room: Resource, day: int
) -> None:
    body = {"first_day": day_of(day), "last_day": day_of(day), "name": "Holiday", "hours": []}
    answers = in_parallel([lambda: as_admin.post("/api/opening-exceptions/", body) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
    assert OpeningException.objects.count() == 1


IMPOSSIBLE = {
    "a grid wider than the longest booking": {"grid_minutes": 60, "max_minutes": 30},
    "no multiple of the grid": {"grid_minutes": 60, "min_minutes": 70, "max_minutes": 100},
}


@pytest.mark.parametrize("policy", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_policy_by_which_nothing_can_be_booked_is_refused(
    as_admin: APIClient, room: Resource, policy: dict[str, int]
) -> None:
    answer = as_admin.put(f"/api/resources/{room.pk}/policy/", policy)
    assert_flat_error(answer, 400, "invalid", "max_minutes")
    assert not ResourcePolicy.objects.exists()


def test_a_policy_whose_longest_booking_is_one_step_of_the_grid_is_stored(as_admin: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, grid_minutes=60, min_minutes=60, max_minutes=60)
    assert ResourcePolicy.objects.get().grid_minutes == 60
