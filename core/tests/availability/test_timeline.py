"""GET /api/resources/{id}/availability/."""

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

from core.models import Booking, Resource
from core.tests.support import oracle
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.properties import MINUTE, few, spans


def url(resource: Resource) -> str:
    return f"/api/resources/{resource.pk}/availability/"


def window(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": text(start), "end": text(end)}


def slot(start: datetime, end: datetime) -> dict[str, str]:
    return {"start_time": text(start), "end_time": text(end)}


def entries(client: APIClient, resource: Resource, start: datetime, end: datetime) -> dict:
    answer = client.get(url(resource), window(start, end))
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_busy_and_free_of_a_day(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(10), at(11))
    make_booking(alice, room, at(14), at(16), status="pending")
    found = entries(anonymous, room, at(0), at(24))
    assert found.pop("next_free")
    assert found == {
        "busy": [
            {**slot(at(10), at(11)), "status": "confirmed"},
            {**slot(at(14), at(16)), "status": "pending"},
        ],
        "free": [slot(at(0), at(10)), slot(at(11), at(14)), slot(at(16), at(24))],
    }


def test_the_usual_window_is_a_week_from_now(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(0, day=30))
    before = timezone.now()
    answer = anonymous.get(url(room)).json()
    [free] = answer["free"]
    assert answer["busy"] == []
    assert free["start_time"] == answer["next_free"], "the lead time has to pass first"
    assert before <= datetime.fromisoformat(free["end_time"]) - timedelta(days=7) <= timezone.now()


def test_bookings_that_do_not_block_leave_no_trace(anonymous: APIClient, alice: User, room: Resource) -> None:
    for status in ("cancelled", "rejected"):
        make_booking(alice, room, status=status)
    make_booking(alice, make_resource("Green room"))
    found = entries(anonymous, room, at(0), at(24))
    assert found["busy"] == []
    assert found["free"] == [slot(at(0), at(24))]


@pytest.mark.parametrize(
    ("client", "seen"),
    [("anonymous", []), ("as_bob", ["bob"]), ("as_alice", ["alice"]), ("as_admin", ["alice", "bob"])],
)
def test_ids_are_for_the_owner_and_staff(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str, seen: list
) -> None:
    whose = {make_booking(alice, room, notes="Secret").pk: "alice", make_booking(bob, room, at(12)).pk: "bob"}
    busy = entries(request.getfixturevalue(client), room, at(0), at(24))["busy"]
    assert [whose[entry["id"]] for entry in busy if "id" in entry] == seen
    assert all(set(entry) - {"id"} == {"start_time", "end_time", "status"} for entry in busy)
    assert len(busy) == 2


@pytest.mark.parametrize(
    ("taken", "busy", "free"),
    [
        pytest.param([], [], [(10, 12)], id="nothing"),
        pytest.param([(9, 10)], [], [(10, 12)], id="ends as the window starts"),
        pytest.param([(12, 13)], [], [(10, 12)], id="starts as the window ends"),
        pytest.param([(9, 10.5)], [(10, 10.5)], [(10.5, 12)], id="across its start"),
        pytest.param([(11.5, 13)], [(11.5, 12)], [(10, 11.5)], id="across its end"),
        pytest.param([(9, 13)], [(10, 12)], [], id="around it"),
        pytest.param([(10, 12)], [(10, 12)], [], id="the same"),
        pytest.param([(10.5, 11), (11, 11.5)], [(10.5, 11), (11, 11.5)], [(10, 10.5), (11.5, 12)], id="touching"),
        pytest.param([(9, 10.5), (11.5, 13)], [(10, 10.5), (11.5, 12)], [(10.5, 11.5)], id="across both edges"),
        pytest.param([(-14, 11), (11, 60)], [(10, 11), (11, 12)], [], id="over midnight on both sides"),
    ],
)
def test_the_edges_of_the_window(
    anonymous: APIClient, alice: User, room: Resource, taken: list, busy: list, free: list
) -> None:
    for start, end in taken:
        make_booking(alice, room, at(start), at(end))
    found = entries(anonymous, room, at(10), at(12))
    assert found["busy"] == [{**slot(at(start), at(end)), "status": "confirmed"} for start, end in busy]
    assert found["free"] == [slot(at(start), at(end)) for start, end in free]


def test_an_edge_is_exact_to_the_microsecond(anonymous: APIClient, alice: User, room: Resource) -> None:
    tick = timedelta(microseconds=1)
    make_booking(alice, room, at(10) + tick, at(11) - tick)
    found = entries(anonymous, room, at(10), at(11))
    assert found["free"] == [slot(at(10), at(10) + tick), slot(at(11) - tick, at(11))]


def test_times_with_an_offset_mean_the_same_moment(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    local = {
        "start": at(12).replace(tzinfo=None).isoformat() + "+05:30",
        "end": at(20).replace(tzinfo=None).isoformat() + "+05:30",
    }
    found = anonymous.get(url(room), local).json()
    assert found["free"] == [slot(at(6.5), at(10)), slot(at(11), at(14.5))]


@few
@given(taken=spans(at(12, day=2)), start=st.integers(-900, 900), length=st.integers(1, 2000))
def test_busy_and_free_tile_any_window(
    anonymous: APIClient, alice: User, taken: list[oracle.Span], start: int, length: int
) -> None:
    resource = make_resource()
    for span in taken:
        make_booking(alice, resource, *span)
    first = at(12, day=2) + start * MINUTE
    last = first + length * MINUTE
    alone = f"/api/resources/{resource.pk}/?include=next_free"
    before = anonymous.get(alone).json()["next_free"]
    found = entries(anonymous, resource, first, last)
    after = anonymous.get(alone).json()["next_free"]
    busy = [(entry["start_time"], entry["end_time"]) for entry in found["busy"]]
    free = [(entry["start_time"], entry["end_time"]) for entry in found["free"]]
    assert busy == [(text(a), text(b)) for a, b in oracle.busy_spans(first, last, taken)]
    assert free == [(text(a), text(b)) for a, b in oracle.free_spans(first, last, taken)]
    assert before <= found["next_free"] <= after


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", id="the first day"),
        pytest.param("9999-12-30T00:00:00Z", "9999-12-31T23:59:59.999999Z", id="the last days"),
        pytest.param("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", id="the past"),
        pytest.param("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", id="366 days"),
    ],
)
def test_windows_anywhere_in_time(anonymous: APIClient, room: Resource, start: str, end: str) -> None:
    answer = anonymous.get(url(room), {"start": start, "end": end})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["busy"] == []
    assert answer.json()["free"] == [], "nobody can book there"


@pytest.mark.parametrize("lead", [0, 30, 600])
def test_what_is_free_can_be_booked(
    anonymous: APIClient, as_alice: APIClient, room: Resource, settings: Any, lead: int
) -> None:
    settings.BOOKING_LEAD_TIME_MINUTES = lead
    [free] = entries(anonymous, room, timezone.now() - MINUTE, timezone.now() + timedelta(days=1))["free"]
    assert as_alice.post("/api/bookings/", {"resource": room.pk, **free}).status_code == 201


def test_what_is_free_ends_in_five_years(anonymous: APIClient, as_alice: APIClient, room: Resource) -> None:
    now = timezone.now()
    [free] = entries(anonymous, room, now + timedelta(days=1800), now + timedelta(days=1900))["free"]
    assert as_alice.post("/api/bookings/", {"resource": room.pk, **free}).status_code == 201
    assert now <= datetime.fromisoformat(free["end_time"]) - timedelta(days=1826) <= timezone.now()


def test_nothing_is_free_that_is_out_of_service(anonymous: APIClient, alice: User) -> None:
    resource = make_resource(is_available=False)
    make_booking(alice, resource)
    found = entries(anonymous, resource, at(0), at(24))
    assert found["free"] == []
    assert found["busy"] == [{**slot(at(10), at(11)), "status": "confirmed"}]


def test_a_window_in_the_past_shows_what_was(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(10, day=-1))
    found = entries(anonymous, room, at(9, day=-1), at(12, day=-1))
    assert found["busy"] == [{**slot(at(10, day=-1), at(11, day=-1)), "status": "confirmed"}]
    assert datetime.fromisoformat(found["next_free"]) > timezone.now()


BAD_WINDOWS = [
    pytest.param("start=2030-01-01T10:00:00Z", "end", "both, or neither", id="only a start"),
    pytest.param("end=2030-01-01T10:00:00Z", "start", "both, or neither", id="only an end"),
    pytest.param("start=2030-01-01T10:00:00Z&end=2030-01-01T10:00:00Z", "end", "after the start", id="no length"),
    pytest.param("start=2030-01-01T10:00:00Z&end=2030-01-01T09:00:00Z", "end", "after the start", id="end first"),
    pytest.param("start=2030-01-01T10:00:00+02:00&end=2030-01-02T10:00:00Z", "start", "%2B", id="a bare plus"),
    pytest.param("start=2030-01-01T10:00:00Z&end=2030-01-02T10:00+02:00", "end", "%2B", id="a bare plus at the end"),
    pytest.param("start=2030-01-01T10:00+0200&end=2030-01-02T10:00:00Z", "start", "%2B", id="a bare plus, no colon"),
    pytest.param("start=2030-01-01T10:00:00.5+02&end=2030-01-02T10:00:00Z", "start", "%2B", id="a bare plus, hours"),
    pytest.param("start=2030-01-01 10:00&end=2030-01-02 10:00", "start", "offset is missing. Add", id="a space for T"),
    pytest.param("start=2030-01-01T10:00:00&end=2030-01-02T10:00:00Z", "start", "offset is missing", id="no offset"),
    pytest.param("start=2030-01-01&end=2030-01-02", "start", "offset is missing", id="dates"),
    pytest.param("start=tomorrow&end=2030-01-02T10:00:00Z", "start", "ISO 8601", id="a word"),
    pytest.param("start=&end=", "start", "is empty", id="empty"),
    pytest.param("start=1893456000&end=1893542400", "start", "ISO 8601", id="numbers"),
    pytest.param("start=2030-02-30T10:00:00Z&end=2030-03-02T10:00:00Z", "start", "", id="30 February"),
    pytest.param("start=0000-01-01T10:00:00Z&end=0001-01-02T10:00:00Z", "start", "", id="year 0"),
    pytest.param("start=10000-01-01T10:00:00Z&end=10000-01-02T10:00:00Z", "start", "", id="year 10000"),
    pytest.param("start=0001-01-01T00:00:00%2B14:00&end=0001-01-02T10:00:00Z", "start", "", id="before year 1 in UTC"),
    pytest.param("start=9999-12-31T00:00:00Z&end=9999-12-31T23:00:00-14:00", "end", "", id="after 9999 in UTC"),
    pytest.param("start=2030-01-01T10:00:00Z%00&end=2030-01-02T10:00:00Z", "start", "", id="a NUL"),
]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        *BAD_WINDOWS,
        pytest.param("start=2030-01-01T00:00:00Z&end=2031-01-02T00:00:01Z", "end", "366 days", id="a second too long"),
        pytest.param("start=0001-01-01T00:00:00Z&end=9999-12-31T00:00:00Z", "end", "366 days", id="all of time"),
        pytest.param("days=3", "days", "There are: start, end, format.", id="an unknown parameter"),
        pytest.param("limit=3", "limit", "There are: start, end, format.", id="a parameter of lists"),
    ],
)
def test_bad_windows(anonymous: APIClient, room: Resource, query: str, field: str, said: str) -> None:
    body = assert_flat_error(anonymous.get(f"{url(room)}?{query}"), 400, "invalid", field)
    assert said in body["detail"]


def fill(user: User, resource: Resource, count: int) -> None:
    Booking.objects.bulk_create(
        [
            Booking(
                user=user,
                resource=resource,
                status="confirmed",
                start_time=start,
                end_time=start + timedelta(minutes=5),
            )
            for start in (at(0) + index * timedelta(minutes=5) for index in range(count))
        ],
        batch_size=1000,
    )


def test_5000_entries_are_the_most(anonymous: APIClient, alice: User, room: Resource) -> None:
    fill(alice, room, 5000)
    month = window(at(0), at(0, day=31))
    answer = anonymous.get(url(room), month)
    assert len(answer.json()["busy"]) == 5000
    assert len(answer.json()["free"]) == 1

    make_booking(alice, room, at(0, day=30))
    body = assert_flat_error(anonymous.get(url(room), month), 400, "invalid", "end")
    assert "smaller" in body["detail"]


@pytest.mark.parametrize(
    "path", ["/api/resources/999999/availability/", "/api/resources/99999999999999999999/availability/"]
)
def test_a_resource_that_is_not_there(anonymous: APIClient, path: str, room: Resource) -> None:
    assert_flat_error(anonymous.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_not_allowed(as_admin: APIClient, room: Resource, method: str) -> None:
    assert_flat_error(getattr(as_admin, method)(url(room), {}), 405, "method_not_allowed")


# --- next_free --------------------------------------------------------------------------------------------------------


def whole_minute_after(moment: datetime) -> datetime:
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + MINUTE


def next_free(client: APIClient, resource: Resource) -> datetime | None:
    found = client.get(url(resource)).json()["next_free"]
    return None if found is None else datetime.fromisoformat(found)


@pytest.mark.parametrize("lead", [0, 30, 600])
def test_next_free_is_the_first_whole_minute_after_the_lead_time(
    anonymous: APIClient, room: Resource, settings: Any, lead: int
) -> None:
    settings.BOOKING_LEAD_TIME_MINUTES = lead
    before = timezone.now()
    found = next_free(anonymous, room)
    assert found is not None
    assert whole_minute_after(before + lead * MINUTE) <= found <= whole_minute_after(timezone.now() + lead * MINUTE)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param([(-48, 10)], 10, id="busy now"),
        pytest.param([(-48, 10), (10, 12), (12, 13.5)], 13.5, id="packed back to back"),
        pytest.param([(-48, 10), (10.25, 12)], 10, id="a short gap is enough"),
        pytest.param([(-48, 10), (10, 12), (20, 21)], 12, id="the first gap of two"),
    ],
)
def test_next_free_is_the_first_gap(
    anonymous: APIClient, alice: User, room: Resource, taken: list, expected: float
) -> None:
    for start, end in taken:
        make_booking(alice, room, at(start), at(end))
    assert next_free(anonymous, room) == at(expected)


def test_next_free_counts_seconds_where_a_booking_ends_with_some(
    anonymous: APIClient, alice: User, room: Resource
) -> None:
    end = at(10) + timedelta(seconds=12, microseconds=345)
    make_booking(alice, room, at(-48), end)
    assert next_free(anonymous, room) == end


def test_next_free_does_not_depend_on_the_window(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(-48), at(10))
    assert entries(anonymous, room, at(0, day=40), at(0, day=41))["next_free"] == text(at(10))


def test_nothing_is_free_out_of_service(anonymous: APIClient) -> None:
    assert next_free(anonymous, make_resource(is_available=False)) is None


def test_nothing_is_free_where_the_next_five_years_are_taken(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(-48), at(0, day=1826 + 2))
    assert next_free(anonymous, room) is None


def test_a_booking_to_the_end_of_time_breaks_nothing(anonymous: APIClient, alice: User, room: Resource) -> None:
    last = datetime.fromisoformat("9999-12-31T23:59:59.999999+00:00")
    make_booking(alice, room, at(-48), at(10))
    make_booking(alice, room, at(12), last)
    assert next_free(anonymous, room) == at(10)
    assert entries(anonymous, room, at(9), at(13))["free"] == [slot(at(10), at(12))]


def test_a_time_line_costs_at_most_three_statements(as_alice: APIClient, alice: User, room: Resource) -> None:
    as_alice.get(url(room))
    counts = []
    for bookings in (0, 300):
        fill(alice, room, bookings)
        with CaptureQueriesContext(connection) as statements:
            entries(as_alice, room, at(0), at(0, day=31))
        counts.append(len(statements))
    assert counts == [3, 3]
