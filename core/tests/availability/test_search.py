"""GET /api/availability/: the first slot of each resource."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.availability.test_timeline import BAD_WINDOWS
from core.tests.support import oracle
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.properties import MINUTE, few, spans

URL = "/api/availability/"
WINDOW = "start=2030-01-01T00:00:00Z&end=2030-01-02T00:00:00Z"


def ask(client: APIClient, start: datetime, end: datetime, **more: Any) -> list[dict[str, Any]]:
    answer = client.get(URL, {"start": text(start), "end": text(end), "duration": 60, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_room_for_six_for_an_hour(anonymous: APIClient, alice: User) -> None:
    make_resource("Desk", capacity=1)
    busy = make_resource("Lab", capacity=6)
    free = make_resource("Hall", capacity=100, requires_approval=True)
    make_booking(alice, busy, at(12), at(13.5))
    assert ask(anonymous, at(12), at(18), min_capacity=6) == [
        {
            "resource": free.pk,
            "resource_name": "Hall",
            "capacity": 100,
            "start_time": text(at(12)),
            "end_time": text(at(13)),
        },
        {
            "resource": busy.pk,
            "resource_name": "Lab",
            "capacity": 6,
            "start_time": text(at(13.5)),
            "end_time": text(at(14.5)),
        },
    ]


def test_the_soonest_come_first_then_the_smallest_then_by_name(anonymous: APIClient, alice: User) -> None:
    make_booking(alice, make_resource("Later", capacity=1), at(9), at(10))
    make_resource("Large", capacity=9)
    make_resource("B", capacity=2)
    make_resource("A", capacity=2)
    names = [found["resource_name"] for found in ask(anonymous, at(9), at(12))]
    assert names == ["A", "B", "Large", "Later"]


@pytest.mark.parametrize(
    ("taken", "start"),
    [
        pytest.param([], 9, id="nothing taken"),
        pytest.param([(8, 9)], 9, id="a booking that ends as the window starts"),
        pytest.param([(8, 9.5)], 9.5, id="across the start of the window"),
        pytest.param([(10, 11)], 9, id="a gap that fits exactly"),
        pytest.param([(9.75, 10.5)], 10.5, id="a gap too short"),
        pytest.param([(9, 10), (10, 11)], 11, id="a gap at the end that fits exactly"),
        pytest.param([(9, 10), (10, 11), (11.75, 13)], None, id="a gap at the end cut by a booking across it"),
        pytest.param([(9, 10), (10, 11.25)], None, id="a gap at the end cut by the window"),
        pytest.param([(9, 10), (10, 11), (12, 13)], 11, id="a gap up to a booking that starts as the window ends"),
        pytest.param([(-30, 60)], None, id="taken over several midnights"),
        pytest.param([(9.5, 11.5)], None, id="taken in the middle"),
    ],
)
def test_the_first_slot_in_the_window(
    anonymous: APIClient, alice: User, room: Resource, taken: list, start: float | None
) -> None:
    for first, last in taken:
        make_booking(alice, room, at(first), at(last))
    found = ask(anonymous, at(9), at(12))
    assert [slot["start_time"] for slot in found] == ([] if start is None else [text(at(start))])


def test_resources_out_of_service_are_left_out(anonymous: APIClient) -> None:
    make_resource(is_available=False)
    assert ask(anonymous, at(9), at(12)) == []


def test_nothing_is_found_in_the_past_or_beyond_five_years(anonymous: APIClient, room: Resource) -> None:
    assert ask(anonymous, at(9, day=-2), at(12, day=-2)) == []
    assert ask(anonymous, at(9, day=1830), at(12, day=1830)) == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", id="the first day"),
        pytest.param("9999-12-30T00:00:00Z", "9999-12-31T23:59:59.999999Z", id="the last days"),
    ],
)
def test_the_ends_of_time_hold_nothing(anonymous: APIClient, room: Resource, start: str, end: str) -> None:
    answer = anonymous.get(URL, {"start": start, "end": end, "duration": 10_080})
    assert answer.status_code == 200
    assert answer.json() == []


def test_a_booking_to_the_end_of_time_breaks_nothing(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(9), at(10))
    make_booking(alice, room, at(11), datetime.fromisoformat("9999-12-31T23:59:59.999999+00:00"))
    assert [slot["start_time"] for slot in ask(anonymous, at(9), at(12))] == [text(at(10))]
    assert ask(anonymous, at(10.5), at(12)) == []


def test_a_slot_that_starts_now_is_a_whole_minute_behind_the_lead_time(
    anonymous: APIClient, as_bob: APIClient, room: Resource
) -> None:
    before = timezone.now()
    [found] = ask(anonymous, before, before + timedelta(hours=5))
    start = datetime.fromisoformat(found["start_time"])
    assert before + timedelta(minutes=30) <= start <= timezone.now() + timedelta(minutes=31)
    assert (start.second, start.microsecond) == (0, 0)


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (21, 21), (1000, 25), (None, 20)])
def test_the_limit_is_20_unless_another_is_asked_for(anonymous: APIClient, limit: int | None, count: int) -> None:
    for number in range(25):
        make_resource(f"Room {number:02}")
    found = ask(anonymous, at(9), at(12), **({} if limit is None else {"limit": limit}))
    assert [slot["resource_name"] for slot in found] == [f"Room {number:02}" for number in range(count)]


@few
@given(
    lines=st.lists(spans(at(12, day=3), most=5), min_size=1, max_size=3),
    start=st.integers(-300, 300),
    length=st.integers(30, 900),
    duration=st.one_of(st.sampled_from([30, 60]), st.integers(1, 400)),
)
def test_the_first_slot_is_free_and_the_first_and_can_be_booked(
    anonymous: APIClient,
    as_bob: APIClient,
    alice: User,
    lines: list[list[oracle.Span]],
    start: int,
    length: int,
    duration: int,
) -> None:
    Resource.objects.update(is_available=False)  # those of the examples before
    first = at(12, day=3) + start * MINUTE
    last = first + length * MINUTE
    expected = {}
    for taken in lines:
        resource = make_resource()
        for span in taken:
            make_booking(alice, resource, *span)
        slot = oracle.first_slot(first, last, taken, duration=duration)
        if slot is not None:
            expected[resource.pk] = slot
    found = ask(anonymous, first, last, duration=duration)
    assert {slot["resource"]: (slot["start_time"], slot["end_time"]) for slot in found} == {
        pk: (text(start), text(end)) for pk, (start, end) in expected.items()
    }
    assert [slot["start_time"] for slot in found] == sorted(slot["start_time"] for slot in found)
    for slot in found:
        body = {name: slot[name] for name in ("resource", "start_time", "end_time")}
        assert as_bob.post("/api/bookings/", body).status_code == 201


@pytest.mark.parametrize(("query", "field", "said"), BAD_WINDOWS)
def test_bad_windows(anonymous: APIClient, room: Resource, query: str, field: str, said: str) -> None:
    body = assert_flat_error(anonymous.get(f"{URL}?{query}&duration=60"), 400, "invalid", field)
    assert said.replace("both, or neither", "required") in body["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("start=2030-01-01T00:00:00Z&end=2030-02-01T00:00:01Z&duration=60", "end", id="a second too long"),
        pytest.param("duration=60", "start", id="no window"),
        pytest.param(WINDOW, "duration", id="no duration"),
        pytest.param(f"{WINDOW}&duration=0", "duration", id="duration 0"),
        pytest.param(f"{WINDOW}&duration=10081", "duration", id="duration too long"),
        pytest.param(f"{WINDOW}&duration=60&min_capacity=0", "min_capacity", id="capacity 0"),
        pytest.param(f"{WINDOW}&duration=60&min_capacity=2147483648", "min_capacity", id="capacity too large"),
        pytest.param(f"{WINDOW}&duration=60&min_capacity=six", "min_capacity", id="capacity a word"),
        pytest.param(f"{WINDOW}&duration=60&min_capacity=6%00", "min_capacity", id="capacity with NUL"),
        pytest.param(f"{WINDOW}&duration=60&limit=0", "limit", id="limit 0"),
        pytest.param(f"{WINDOW}&duration=60&limit=1001", "limit", id="limit too large"),
        pytest.param(f"{WINDOW}&duration=60&step=30", "step", id="a parameter of slots"),
        pytest.param(f"{WINDOW}&duration=60&cursor=x", "cursor", id="a parameter of lists"),
    ],
)
def test_bad_parameters(anonymous: APIClient, room: Resource, query: str, field: str) -> None:
    assert_flat_error(anonymous.get(f"{URL}?{query}"), 400, "invalid", field)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_not_allowed(as_admin: APIClient, method: str) -> None:
    assert_flat_error(getattr(as_admin, method)(URL, {}), 405, "method_not_allowed")


def test_a_search_costs_two_statements_whatever_it_looks_at(as_alice: APIClient, alice: User) -> None:
    as_alice.get("/api/bookings/")
    counts = []
    for number in (1, 30):
        for index in range(number):
            make_booking(alice, make_resource(f"Room {number} {index}"))
        with CaptureQueriesContext(connection) as statements:
            ask(as_alice, at(0), at(0, day=31), limit=1000)
        counts.append(len(statements))
    assert counts == [2, 2]
