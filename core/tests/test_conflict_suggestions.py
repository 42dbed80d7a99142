"""What a conflict error suggests instead: later, earlier, elsewhere."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.factories import at, booking_body, make_booking, make_resource, text


def suggested(client: APIClient, body: dict) -> dict[str, dict]:
    answer = client.post("/api/bookings/", body)
    assert answer.status_code == 400, answer.json()
    return {found["kind"]: found for found in answer.json()["suggestions"]}


def test_one_of_each_kind(as_bob: APIClient, alice: User, room: Resource) -> None:
    other = make_resource("Green room")
    make_booking(alice, room)
    found = suggested(as_bob, booking_body(room))
    here = {"resource": room.pk, "resource_name": "Blue room"}
    assert found == {
        "later": {"kind": "later", **here, "start_time": text(at(11)), "end_time": text(at(12))},
        "earlier": {"kind": "earlier", **here, "start_time": text(at(9)), "end_time": text(at(10))},
        "elsewhere": {
            "kind": "elsewhere",
            "resource": other.pk,
            "resource_name": "Green room",
            "start_time": text(at(10)),
            "end_time": text(at(11)),
        },
    }


@pytest.mark.parametrize(
    ("taken", "wanted", "earlier"),
    [
        pytest.param([(10, 11)], (10, 11), 9, id="just before the clash"),
        pytest.param([(10, 11)], (10.5, 11.5), 9, id="before a clash that starts earlier"),
        pytest.param([(10, 11)], (9.5, 10.5), 9, id="before a clash that starts later"),
        pytest.param([(8.5, 9.5), (10, 11)], (10, 11), 7.5, id="the gap before is too short"),
        pytest.param([(8, 9), (10, 11)], (10, 11), 9, id="the gap before fits exactly"),
        pytest.param([(8, 9), (9, 10), (10, 11)], (10, 11), 7, id="packed back to back"),
        pytest.param([(10, 11), (11, 12)], (10, 12), 8, id="two clashes"),
    ],
)
def test_earlier_is_the_nearest_free_slot_before(
    as_bob: APIClient, alice: User, room: Resource, taken: list, wanted: tuple, earlier: float
) -> None:
    for start, end in taken:
        make_booking(alice, room, at(start, day=2), at(end, day=2))
    found = suggested(as_bob, booking_body(room, at(wanted[0], day=2), at(wanted[1], day=2)))
    assert found["earlier"]["start_time"] == text(at(earlier, day=2))
    assert found["earlier"]["end_time"] == text(at(earlier + wanted[1] - wanted[0], day=2))


def test_earlier_is_left_out_where_it_could_not_be_booked_any_more(
    as_bob: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room, at(0, day=-1), at(12, day=3))
    assert "earlier" not in suggested(as_bob, booking_body(room, at(11, day=3), at(13, day=3)))


def test_elsewhere_is_the_closest_in_capacity_that_is_free_and_in_service(as_bob: APIClient, alice: User) -> None:
    wanted = make_resource("Wanted", capacity=4)
    make_resource("Too small", capacity=3)
    make_resource("Out of service", capacity=4, is_available=False)
    taken = make_resource("Taken", capacity=4)
    make_resource("Hall", capacity=100)
    closest = make_resource("Closest", capacity=6)
    make_booking(alice, wanted)
    make_booking(alice, taken, at(10.5), at(12))
    make_booking(alice, closest, at(9), at(10))
    make_booking(alice, closest, at(11), at(12))
    assert suggested(as_bob, booking_body(wanted))["elsewhere"]["resource"] == closest.pk


def test_a_move_does_not_count_the_booking_that_is_moved(
    as_alice: APIClient, alice: User, bob: User, room: Resource
) -> None:
    mine = make_booking(alice, room, at(10), at(11))
    make_booking(bob, room, at(11), at(12))
    answer = as_alice.patch(f"/api/bookings/{mine.pk}/", {"start_time": text(at(10.5)), "end_time": text(at(11.5))})
    kinds = {found["kind"]: found["start_time"] for found in answer.json()["suggestions"]}
    assert kinds == {"later": text(at(12)), "earlier": text(at(10))}


def test_a_move_to_a_taken_resource_is_offered_the_own_one_at_the_new_time(
    as_alice: APIClient, alice: User, bob: User, room: Resource
) -> None:
    other = make_resource("Green room")
    mine = make_booking(alice, room, at(10), at(11))
    make_booking(bob, other, at(9), at(12))
    wanted = {"start_time": text(at(10.5)), "end_time": text(at(11.5))}
    answer = as_alice.patch(f"/api/bookings/{mine.pk}/", {"resource": other.pk, **wanted})
    (elsewhere,) = (found for found in answer.json()["suggestions"] if found["kind"] == "elsewhere")
    assert elsewhere == {"kind": "elsewhere", "resource": room.pk, "resource_name": "Blue room", **wanted}
    assert as_alice.patch(f"/api/bookings/{mine.pk}/", {"resource": room.pk, **wanted}).status_code == 200


def test_a_move_is_not_offered_what_leaves_it_as_it_is(
    as_alice: APIClient, alice: User, bob: User, room: Resource
) -> None:
    other, third = make_resource("Green room"), make_resource("Red room")
    mine = make_booking(alice, room)
    make_booking(bob, other)
    answer = as_alice.patch(f"/api/bookings/{mine.pk}/", {"resource": other.pk})
    assert [found["resource"] for found in answer.json()["suggestions"] if found["kind"] == "elsewhere"] == [third.pk]


def test_suggested_slots_can_be_booked(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_resource("Green room")
    make_booking(alice, room, at(9), at(9) + timedelta(hours=3))
    found = suggested(as_bob, booking_body(room))
    assert set(found) == {"later", "earlier", "elsewhere"}
    for suggestion in found.values():
        body = {name: suggestion[name] for name in ("resource", "start_time", "end_time")}
        assert as_bob.post("/api/bookings/", body).status_code == 201


def test_a_refusal_costs_six_statements(as_bob: APIClient, alice: User, room: Resource) -> None:
    for hour in range(20):
        make_booking(alice, room, at(hour))
    with CaptureQueriesContext(connection) as statements:
        as_bob.post("/api/bookings/", booking_body(room))
    counted = [one["sql"] for one in statements if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))]
    assert len(counted) <= 6, counted
