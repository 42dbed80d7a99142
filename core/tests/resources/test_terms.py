"""Lists of resources keep to opening hours and policies; `?include=` shows them; a resource has a time zone."""

from datetime import time, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core import terms
from core.models import OpeningHours, Resource, ResourcePolicy
from core.policies.writing import settle
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_resource, text
from core.tests.support.rules import EVERY_DAY, add_exception, day_of, set_hours, set_policy

URL = "/api/resources/"
PLAIN = {"id", "name", "description", "capacity", "is_available", "requires_approval", "availability_status"}


def window(start: float, end: float) -> dict:
    return {"start": text(at(start)), "end": text(at(end))}


def names(client: APIClient, **asked: object) -> list[str]:
    answer = client.get(URL, asked)
    assert answer.status_code == 200, answer.json()
    return [each["name"] for each in answer.json()]


# --- What is free -----------------------------------------------------------------------------------------------------


def test_only_what_can_be_booked_is_available(as_admin: APIClient, anonymous: APIClient, alice: User) -> None:
    late, early, loan, plain = (make_resource(name) for name in ("Late", "Early", "Loan", "Plain"))
    set_hours(as_admin, late, ("12:00", "20:00"))
    set_hours(as_admin, early, ("06:00", "11:00"))
    set_policy(as_admin, loan, min_minutes=120)
    make_booking(alice, plain, at(8), at(9))
    assert names(anonymous, available="true", **window(10, 11)) == ["Early", "Plain"]
    assert names(anonymous, available="false", **window(10, 11)) == ["Late", "Loan"]
    assert names(anonymous, available="true", **window(13, 15)) == ["Late", "Loan", "Plain"]
    assert names(anonymous, available="true", limit=1, **window(10, 11)) == ["Early"]
    page = anonymous.get(URL, {"available": "true", "count": "true", "limit": 1, **window(10, 11)})
    assert page.headers["X-Total-Count"] == "2"


def test_a_shorter_notice_than_the_house_has_counts(as_admin: APIClient, anonymous: APIClient) -> None:
    soon = make_resource("Soon")
    make_resource("Later")
    set_policy(as_admin, soon, notice_minutes=0)
    begin = timezone.now() + timedelta(minutes=5)
    asked = {"start": text(begin), "end": text(begin + timedelta(minutes=30))}
    assert names(anonymous, available="true", **asked) == ["Soon"]


def test_exceptions_of_all_close_resources_without_hours_too(as_admin: APIClient, anonymous: APIClient) -> None:
    make_resource("Hall")
    add_exception(as_admin, None, day_of(1), name="Party")
    assert names(anonymous, available="true", **window(10, 11)) == []
    (hall,) = anonymous.get(URL, window(10, 11)).json()
    assert hall["availability_status"] == "unavailable"


def test_a_window_in_closed_hours_is_unavailable(as_admin: APIClient, anonymous: APIClient, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    for asked, status in {
        (1, 2): "unavailable",
        (8, 9): "unavailable",
        (8, 10): "available",
        (17, 18): "unavailable",
    }.items():
        listed = anonymous.get(URL, window(*asked)).json()
        assert [each["availability_status"] for each in listed] == [status], asked
        assert anonymous.get(f"{URL}{room.pk}/", window(*asked)).json()["availability_status"] == status


def test_a_closure_makes_it_unavailable(anonymous: APIClient, admin: User, room: Resource) -> None:
    make_closure(admin, room)
    (shown,) = anonymous.get(URL, window(10, 11)).json()
    assert shown["availability_status"] == "unavailable"


def test_a_resource_out_of_service_hides_no_other_with_the_same_hours(
    as_admin: APIClient, anonymous: APIClient
) -> None:
    closed, room = make_resource("Attic", is_available=False), make_resource("Blue room")
    for each in (closed, room):
        set_hours(as_admin, each, ("09:00", "17:00"))
    listed = anonymous.get(URL, {"include": "next_free"}).json()
    assert listed[0]["next_free"] is None
    alone = anonymous.get(f"{URL}{room.pk}/availability/").json()
    assert listed[1]["next_free"] == alone["next_free"]
    assert alone["next_free"] is not None
    lines = anonymous.get(f"{URL}availability/", window(0, 24)).json()
    assert [bool(line["free"]) for line in lines] == [False, True]
    assert [line["next_free"] for line in lines] == [each["next_free"] for each in listed]


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_plain_answers_do_not_grow(as_admin: APIClient, anonymous: APIClient, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    set_policy(as_admin, room, min_minutes=30)
    assert set(anonymous.get(URL).json()[0]) == PLAIN
    assert set(anonymous.get(f"{URL}{room.pk}/").json()) == PLAIN


def test_policy_and_open_time_are_shown_when_asked(as_admin: APIClient, anonymous: APIClient, room: Resource) -> None:
    lab = make_resource("Lab")
    set_hours(as_admin, room, ("09:00", "17:00"))
    policy = set_policy(as_admin, room, min_minutes=30, may_span_closed=True)
    asked = {"include": ["policy", "open", "next_free"], **window(0, 24)}
    listed = anonymous.get(URL, asked).json()
    assert [each["name"] for each in listed] == [room.name, lab.name]
    shown, plain = listed
    assert shown["policy"] == {name: policy[name] for name in shown["policy"]}
    assert shown["policy"]["min_minutes"] == 30
    assert shown["open"] == [{"start_time": text(at(9)), "end_time": text(at(17))}]
    assert plain["open"] == [{"start_time": text(at(0)), "end_time": text(at(24))}]
    assert set(plain["policy"].values()) == {None}
    for one in listed:
        assert anonymous.get(f"{URL}{one['id']}/", asked).json() == one
    assert text(timezone.now()) < shown["next_free"] < text(at(17))


def test_next_free_is_the_first_moment_that_can_be_booked(
    as_admin: APIClient, as_alice: APIClient, admin: User, room: Resource
) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"), days=[at(0, day=3).isoweekday()])
    make_closure(admin, room, start=at(8, day=3), end=at(10, day=3))
    found = as_alice.get(f"{URL}{room.pk}/", {"include": "next_free"}).json()["next_free"]
    assert found == text(at(10, day=3))


# --- The time zone ----------------------------------------------------------------------------------------------------


def test_staff_give_a_resource_a_time_zone(as_admin: APIClient, anonymous: APIClient) -> None:
    made = as_admin.post(URL, {"name": "Berlin room", "time_zone": "Europe/Berlin"})
    assert made.status_code == 201, made.json()
    assert "time_zone" not in made.json()
    address = f"{URL}{made.json()['id']}/"
    assert anonymous.get(address, {"include": "details"}).json()["time_zone"] == "Europe/Berlin"
    assert anonymous.get(URL, {"include": "details"}).json()[0]["time_zone"] == "Europe/Berlin"
    assert as_admin.patch(address, {"time_zone": None}).status_code == 200
    assert anonymous.get(address, {"include": "details"}).json()["time_zone"] is None


@pytest.mark.parametrize("name", ["Europe/Atlantis", "localtime", "../etc/passwd", "x" * 100, 5, ["UTC"], "\0"])
def test_a_zone_that_is_none_is_refused(as_admin: APIClient, room: Resource, name: object) -> None:
    assert_flat_error(as_admin.patch(f"{URL}{room.pk}/", {"time_zone": name}), 400, "invalid", "time_zone")
    assert Resource.objects.get(pk=room.pk).time_zone is None


def test_slots_lie_on_the_clock_of_the_resource(as_admin: APIClient, anonymous: APIClient, room: Resource) -> None:
    as_admin.patch(f"{URL}{room.pk}/", {"time_zone": "Asia/Kathmandu"})
    asked = {**window(0, 3), "duration": 60, "step": 60}
    assert anonymous.get(f"{URL}{room.pk}/slots/", asked).json()[0]["start_time"] == text(at(0.25))
    utc = anonymous.get(f"{URL}{room.pk}/slots/", {**asked, "timezone": "UTC"}).json()
    assert utc[0]["start_time"] == text(at(0))


def test_hours_are_those_of_the_house_without_a_zone_of_its_own(
    as_admin: APIClient, anonymous: APIClient, room: Resource, settings: object
) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
    spans = anonymous.get(f"{URL}{room.pk}/open/", window(0, 24)).json()
    assert spans == [{"start_time": text(at(0)), "end_time": text(at(8))}]


# --- Statements -------------------------------------------------------------------------------------------------------


def give_terms(rooms: list[Resource]) -> None:
    """Hours and a policy with a buffer for all of them at once."""
    nine, five = time(9), time(17)
    OpeningHours.objects.bulk_create(
        OpeningHours(resource=each, weekday=day, opens=nine, closes=five) for each in rooms for day in EVERY_DAY
    )
    ResourcePolicy.objects.bulk_create(
        ResourcePolicy(resource=each, buffer_after_minutes=10, notice_minutes=0) for each in rooms
    )
    settle(*(each.pk for each in rooms))


@pytest.mark.parametrize("number", [1, 40])
@pytest.mark.parametrize(
    ("asked", "plain", "ruled", "known"),
    [
        ({}, 1, 2, 1),
        ({"include": "next_free"}, 1, 4, 3),
        ({"available": "true", **window(10, 11)}, 1, 4, 3),
        ({"include": ["policy", "open"], "limit": 50}, 1, 2, 1),
    ],
)
def test_lists_take_a_fixed_number_of_statements(
    as_admin: APIClient,
    anonymous: APIClient,
    django_assert_num_queries: DjangoAssertNumQueries,
    asked: dict,
    number: int,
    plain: int,
    ruled: int,
    known: int,
) -> None:
    """Terms that the process has read before cost less."""
    rooms = [make_resource(f"Room {each}") for each in range(number)]
    with django_assert_num_queries(plain):
        assert anonymous.get(URL, asked).status_code == 200
    give_terms(rooms)
    add_exception(as_admin, None, day_of(2))
    terms._kept.clear()
    for number_of_statements in (ruled, known):
        with django_assert_num_queries(number_of_statements):
            assert anonymous.get(URL, asked).status_code == 200


def test_the_number_of_those_that_can_be_booked_is_that_of_the_list(
    as_admin: APIClient, anonymous: APIClient, room: Resource, lab: Resource
) -> None:
    set_policy(as_admin, lab, max_minutes=30)
    for path in (URL, f"{URL}availability/"):
        answer = anonymous.get(path, {"available": "true", "count": "true", **window(10, 12)})
        assert len(answer.json()) == 1
        assert answer.headers["X-Total-Count"] == "1"


def test_buffers_that_outlive_their_policy_are_offered_nowhere(
    as_admin: APIClient, as_alice: APIClient, anonymous: APIClient, room: Resource
) -> None:
    set_policy(as_admin, room, buffer_before_minutes=60, buffer_after_minutes=60)
    assert as_alice.post("/api/bookings/", booking_body(room, at(10), at(11))).status_code == 201
    as_admin.delete(f"{URL}{room.pk}/policy/")
    asked = {"start": text(at(8)), "end": text(at(20)), "duration": 90}
    [first] = anonymous.get("/api/availability/", asked).json()
    assert first["start_time"] == text(at(12))
    assert anonymous.get(URL, {"available": "true", **window(11, 12)}).json() == []
    refused = as_alice.post("/api/bookings/", booking_body(room, at(11), at(12)))
    assert refused.json()["code"] == "too_close"
