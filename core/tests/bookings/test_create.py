"""POST /api/bookings/."""

import json
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.utils import timezone as clock
from rest_framework.test import APIClient

from core import errors, lifecycle
from core.models import Booking, Resource
from core.tests.support.acts import act
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_rejected_booking,
    make_resource,
    text,
)

URL = "/api/bookings/"


def test_a_user_books_a_free_slot(as_alice: APIClient, alice: User, room: Resource) -> None:
    answer = as_alice.post("/api/bookings/", booking_body(room, notes="For two"))
    booking = Booking.objects.get()
    assert answer.status_code == 201, answer.json()
    assert answer.headers["Location"].endswith(f"/api/bookings/{booking.pk}/")
    assert answer.json() == {
        "id": booking.pk,
        "user": alice.pk,
        "username": "alice",
        "resource": room.pk,
        "resource_name": "Blue room",
        "start_time": text(at(10)),
        "end_time": text(at(11)),
        "status": "confirmed",
        "notes": "For two",
        "created_at": text(booking.created_at),
        "updated_at": text(booking.updated_at),
    }


@pytest.mark.parametrize("form", ["json", "multipart", "urlencoded"])
def test_json_form_and_multipart_bodies_are_read(as_alice: APIClient, room: Resource, form: str) -> None:
    body = {**booking_body(room), "resource": str(room.pk), "notes": "Für zwei"}
    if form == "urlencoded":
        answer = as_alice.post(URL, urlencode(body), content_type="application/x-www-form-urlencoded")
    else:
        answer = as_alice.post(URL, body, format=form)
    assert answer.status_code == 201, answer.json()
    booking = Booking.objects.get()
    assert (booking.resource_id, booking.start_time, booking.notes) == (room.pk, at(10), "Für zwei")


def test_empty_fields_of_a_form_count_as_left_out(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post(URL, booking_body(room, notes="", status=""), format="multipart")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["status"] == "confirmed"


WRITTEN_TIMES = {
    "Z": (lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"), 0),
    "offset": (lambda moment: moment.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(), 0),
    "negative offset": (lambda moment: moment.astimezone(timezone(timedelta(hours=-8))).isoformat(), 0),
    "milliseconds": (lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.125Z"), 125_000),
    "microseconds": (lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.000001Z"), 1),
    "no seconds": (lambda moment: moment.strftime("%Y-%m-%dT%H:%MZ"), 0),
    "space for T": (lambda moment: moment.strftime("%Y-%m-%d %H:%M:%SZ"), 0),
}


@pytest.mark.parametrize("form", WRITTEN_TIMES)
def test_times_are_read_with_any_offset_and_keep_their_fractions(
    as_alice: APIClient, room: Resource, form: str
) -> None:
    write, fraction = WRITTEN_TIMES[form]
    body = {**booking_body(room), "start_time": write(at(10))}
    answer = as_alice.post(URL, body)
    expected = at(10) + timedelta(microseconds=fraction)
    assert answer.status_code == 201, answer.json()
    assert answer.json()["start_time"] == text(expected)
    assert answer.json()["start_time"].endswith("Z")
    assert Booking.objects.get().start_time == expected


@pytest.mark.parametrize(
    ("who", "approval", "asked", "status"),
    [
        pytest.param("alice", False, None, "confirmed", id="owner, no approval needed, nothing asked"),
        pytest.param("alice", False, "pending", "pending", id="owner, no approval needed, pending asked"),
        pytest.param("alice", False, "confirmed", "confirmed", id="owner, no approval needed, confirmed asked"),
        pytest.param("alice", True, None, "pending", id="owner, approval needed, nothing asked"),
        pytest.param("alice", True, "pending", "pending", id="owner, approval needed, pending asked"),
        pytest.param("admin", True, None, "pending", id="staff, approval needed, nothing asked"),
        pytest.param("admin", True, "confirmed", "confirmed", id="staff, approval needed, confirmed asked"),
        pytest.param("admin", False, None, "confirmed", id="staff, no approval needed, nothing asked"),
        pytest.param("admin", False, "cancelled", "cancelled", id="staff, cancelled asked"),
        pytest.param("admin", False, "rejected", "rejected", id="staff, rejected asked"),
    ],
)
def test_the_status_of_a_new_booking(
    request: pytest.FixtureRequest, db: None, who: str, approval: bool, asked: str | None, status: str
) -> None:
    client = request.getfixturevalue(f"as_{who}")
    resource = make_resource(requires_approval=approval)
    answer = client.post(URL, booking_body(resource, **({"status": asked} if asked else {})))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["status"] == Booking.objects.get().status == status


@pytest.mark.parametrize(
    ("approval", "asked"),
    [
        pytest.param(True, "confirmed", id="confirmed where approval is needed"),
        pytest.param(True, "cancelled", id="cancelled"),
        pytest.param(False, "cancelled", id="cancelled where no approval is needed"),
        pytest.param(True, "rejected", id="rejected"),
        pytest.param(False, "rejected", id="rejected where no approval is needed"),
    ],
)
def test_an_owner_may_not_ask_for_that_status(as_alice: APIClient, approval: bool, asked: str) -> None:
    resource = make_resource(requires_approval=approval)
    answer = as_alice.post(URL, booking_body(resource, status=asked))
    assert_flat_error(answer, 400, "status_not_allowed", "status")
    assert not Booking.objects.exists()


def test_staff_book_for_another_user(as_admin: APIClient, alice: User, room: Resource) -> None:
    answer = as_admin.post(URL, booking_body(room, user=alice.pk))
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["user"], answer.json()["username"]) == (alice.pk, "alice")
    assert Booking.objects.get().user == alice


def test_the_user_may_be_digits_as_text(as_admin: APIClient, alice: User, room: Resource) -> None:
    answer = as_admin.post(URL, booking_body(room, user=str(alice.pk)), format="multipart")
    assert answer.status_code == 201, answer.json()
    assert Booking.objects.get().user == alice


@pytest.mark.parametrize("more", [{}, {"user": None}], ids=["nobody named", "null"])
def test_staff_who_name_nobody_book_for_themselves(
    as_admin: APIClient, admin: User, room: Resource, more: dict
) -> None:
    answer = as_admin.post(URL, booking_body(room, **more))
    assert answer.status_code == 201, answer.json()
    assert Booking.objects.get().user == admin


@pytest.mark.parametrize("sent", [1, 987_654, "nobody", None, {"id": 1}], ids=repr)
def test_what_anybody_else_sends_as_user_is_ignored(
    as_alice: APIClient, alice: User, room: Resource, sent: object
) -> None:
    answer = as_alice.post(URL, booking_body(room, user=sent))
    assert answer.status_code == 201, answer.json()
    assert Booking.objects.get().user == alice


def test_read_only_fields_are_ignored(as_alice: APIClient, room: Resource) -> None:
    sent = {"id": 999, "username": "root", "resource_name": "x", "created_at": "x", "updated_at": 5}
    answer = as_alice.post(URL, booking_body(room, **sent))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["username"] == "alice"
    assert answer.json()["id"] != 999


def test_notes_keep_their_spaces_and_may_have_5000_characters(as_alice: APIClient, room: Resource) -> None:
    notes = "  é\n" + "x" * 4_994 + "  "
    assert len(notes) == 5_000
    answer = as_alice.post(URL, booking_body(room, notes=notes))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["notes"] == Booking.objects.get().notes == notes


def test_null_for_the_notes_is_none(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post(URL, booking_body(room, notes=None))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["notes"] == Booking.objects.get().notes == ""


# --- Rule 1: how far ahead --------------------------------------------------------------------------------------------

NOW = datetime(2030, 3, 5, 9, 0, tzinfo=UTC)


def book_at(start: datetime, *, user: User, resource: Resource, end: datetime | None = None, **more: object) -> Booking:
    """Book as the API does, at a moment of the test's own."""
    return lifecycle.book(
        user=user,
        resource_id=resource.pk,
        start_time=start,
        end_time=end or start + timedelta(hours=1),
        act=act(user, NOW),
        **more,
    )


@pytest.mark.parametrize("who", ["alice", "admin"])
@pytest.mark.parametrize(
    ("ahead", "error"),
    [
        pytest.param(timedelta(minutes=30), None, id="exactly 30 minutes"),
        pytest.param(timedelta(minutes=30, microseconds=1), None, id="a microsecond more"),
        pytest.param(timedelta(minutes=30, microseconds=-1), errors.StartTooSoon, id="a microsecond less"),
        pytest.param(timedelta(0), errors.StartTooSoon, id="now"),
        pytest.param(timedelta(microseconds=-1), errors.StartInPast, id="a microsecond ago"),
        pytest.param(timedelta(days=-1), errors.StartInPast, id="yesterday"),
    ],
)
def test_a_new_booking_starts_at_least_30_minutes_from_now(
    request: pytest.FixtureRequest, room: Resource, who: str, ahead: timedelta, error: type[Exception] | None
) -> None:
    user = request.getfixturevalue(who)
    if error is None:
        assert book_at(NOW + ahead, user=user, resource=room).start_time == NOW + ahead
    else:
        with pytest.raises(error):
            book_at(NOW + ahead, user=user, resource=room)
        assert not Booking.objects.exists()


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_start_in_the_past_says_so(request: pytest.FixtureRequest, room: Resource, client: str) -> None:
    answer = request.getfixturevalue(client).post(URL, booking_body(room, at(10, day=-1)))
    body = assert_flat_error(answer, 400, "start_in_past", "start_time")
    assert "past" in body["detail"]
    assert not Booking.objects.exists()


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_start_too_soon_names_the_lead_time(request: pytest.FixtureRequest, room: Resource, client: str) -> None:
    start = clock.now() + timedelta(minutes=29)
    answer = request.getfixturevalue(client).post(URL, booking_body(room, start))
    body = assert_flat_error(answer, 400, "start_too_soon", "start_time")
    assert "30 minutes" in body["detail"]
    assert not Booking.objects.exists()


def test_the_lead_time_is_a_setting(as_alice: APIClient, room: Resource, settings: object) -> None:
    settings.BOOKING_LEAD_TIME_MINUTES = 90
    soon = clock.now() + timedelta(minutes=80)
    body = assert_flat_error(as_alice.post(URL, booking_body(room, soon)), 400, "start_too_soon", "start_time")
    assert "90 minutes" in body["detail"]
    settings.BOOKING_LEAD_TIME_MINUTES = 0
    assert as_alice.post(URL, booking_body(room, clock.now() + timedelta(minutes=5))).status_code == 201


# --- Rule 2 and the five years ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
@pytest.mark.parametrize("hour", [9, 10], ids=["before", "same"])
def test_the_end_must_be_after_the_start(
    request: pytest.FixtureRequest, room: Resource, client: str, hour: int
) -> None:
    answer = request.getfixturevalue(client).post(URL, booking_body(room, at(10), at(hour)))
    assert_flat_error(answer, 400, "end_not_after_start", "non_field_errors")
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    ("over", "fits"),
    [
        pytest.param(timedelta(0), True, id="exactly 1826 days"),
        pytest.param(timedelta(microseconds=1), False, id="a microsecond more"),
    ],
)
def test_a_booking_ends_at_most_1826_days_from_now(alice: User, room: Resource, over: timedelta, fits: bool) -> None:
    end = NOW + timedelta(days=1826) + over
    if fits:
        assert book_at(end - timedelta(hours=1), end=end, user=alice, resource=room).end_time == end
    else:
        with pytest.raises(errors.TooFarAhead):
            book_at(end - timedelta(hours=1), end=end, user=alice, resource=room)
        assert not Booking.objects.exists()


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
@pytest.mark.parametrize("year", [2099, 9999])
def test_dates_beyond_five_years_are_refused(
    request: pytest.FixtureRequest, room: Resource, client: str, year: int
) -> None:
    body = {**booking_body(room), "end_time": f"{year}-12-31T23:59:59Z"}
    answer = request.getfixturevalue(client).post(URL, body)
    assert_flat_error(answer, 400, "too_far_ahead", "end_time")
    body["start_time"] = f"{year}-12-31T22:59:59Z"
    assert_flat_error(request.getfixturevalue(client).post(URL, body), 400, "too_far_ahead", "end_time")
    assert not Booking.objects.exists()


# --- Rule 3: a free slot ----------------------------------------------------------------------------------------------


def test_a_taken_slot_is_refused_with_the_clash_and_a_suggestion(
    as_bob: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    answer = as_bob.post("/api/bookings/", booking_body(room, at(10.5)))
    assert answer.status_code == 400
    body = answer.json()
    assert body["code"] == "slot_taken"
    assert body["conflicts"] == [{"start_time": text(at(10)), "end_time": text(at(11))}]
    assert body["suggestion"] == {"start_time": text(at(11)), "end_time": text(at(12))}
    assert "alice" not in str(body)
    assert Booking.objects.count() == 1


def test_the_message_names_the_slots_in_utc(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    body = assert_flat_error(as_bob.post(URL, booking_body(room)), 400, "slot_taken", "non_field_errors")
    (message,) = body["non_field_errors"]
    assert "UTC" in message
    assert f"{at(10):%Y-%m-%d} 10:00 to 11:00" in message
    assert f"{at(11):%Y-%m-%d} 11:00 to 12:00" in message
    assert message in body["detail"]


OVERLAPS = {
    # name: (start, end, whether it clashes with a booking of 10 to 12)
    "touching before": (9, 10, False),
    "touching after": (12, 13, False),
    "far before": (7, 8, False),
    "the same": (10, 12, True),
    "inside": (10.5, 11.5, True),
    "inside from the start": (10, 11, True),
    "inside to the end": (11, 12, True),
    "around": (9, 13, True),
    "over the start": (9, 10.5, True),
    "over the end": (11.5, 13, True),
    "a second over the start": (9, 10 + 1 / 3600, True),
    "a second over the end": (12 - 1 / 3600, 13, True),
}


@pytest.mark.parametrize("client", ["as_alice", "as_bob", "as_admin"])
@pytest.mark.parametrize("where", OVERLAPS)
def test_no_two_bookings_overlap_and_touching_ones_do_not(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, where: str
) -> None:
    start, end, clashes = OVERLAPS[where]
    make_booking(alice, room, at(10), at(12))
    answer = request.getfixturevalue(client).post(URL, booking_body(room, at(start), at(end)))
    if clashes:
        assert_flat_error(answer, 400, "slot_taken", "non_field_errors")
    else:
        assert answer.status_code == 201, answer.json()
    assert Booking.objects.count() == (1 if clashes else 2)


def test_pending_bookings_block_too(as_bob: APIClient, alice: User, lab: Resource) -> None:
    make_pending_booking(alice, lab)
    assert_flat_error(as_bob.post(URL, booking_body(lab)), 400, "slot_taken", "non_field_errors")
    assert Booking.objects.count() == 1


def test_cancelled_and_rejected_bookings_do_not_block(as_alice: APIClient, alice: User, room: Resource) -> None:
    make_cancelled_booking(alice, room)
    make_rejected_booking(alice, room)
    assert as_alice.post(URL, booking_body(room)).status_code == 201


def test_one_can_book_again_after_cancelling_and_again(as_alice: APIClient, room: Resource) -> None:
    for _ in range(3):
        made = as_alice.post(URL, booking_body(room))
        assert made.status_code == 201, made.json()
        assert as_alice.delete(f"{URL}{made.json()['id']}/").status_code == 204
    assert Booking.objects.filter(status="cancelled").count() == 3


def test_bookings_of_another_resource_do_not_block(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    assert as_bob.post(URL, booking_body(make_resource("Red room"))).status_code == 201


def test_a_record_of_staff_that_does_not_block_needs_no_free_slot(
    as_admin: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    assert as_admin.post(URL, booking_body(room, status="rejected")).status_code == 201


# --- Rule 4: in service -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_resource_out_of_service_cannot_be_booked(request: pytest.FixtureRequest, db: None, client: str) -> None:
    closed = make_resource(is_available=False)
    answer = request.getfixturevalue(client).post(URL, booking_body(closed))
    assert_flat_error(answer, 400, "resource_out_of_service", "resource")
    assert not Booking.objects.exists()


# --- What cannot be read ----------------------------------------------------------------------------------------------

BAD_FIELDS = [
    pytest.param("resource", None, id="resource null"),
    pytest.param("resource", "", id="resource empty"),
    pytest.param("resource", "room", id="resource a word"),
    pytest.param("resource", True, id="resource true"),
    pytest.param("resource", 1.0, id="resource a float"),
    pytest.param("resource", "1.0", id="resource a float as text"),
    pytest.param("resource", [1], id="resource a list"),
    pytest.param("resource", {"id": 1}, id="resource an object"),
    pytest.param("resource", 0, id="resource zero"),
    pytest.param("resource", -1, id="resource negative"),
    pytest.param("resource", 2**63, id="resource beyond 64 bits"),
    pytest.param("resource", 10**400, id="resource of 400 digits"),
    pytest.param("resource", "9" * 100_000, id="resource of 100000 digits as text"),
    pytest.param("resource", "1\0", id="resource with NUL"),
    pytest.param("resource", 999_999, id="resource unknown"),
    *(
        pytest.param(field, value, id=f"{field} {name}")
        for field in ("start_time", "end_time")
        for name, value in {
            "null": None,
            "empty": "",
            "a number": 1_900_000_000,
            "a number as text": "1900000000",
            "a float": 1.9e9,
            "true": True,
            "a list": ["2030-01-01T10:00:00Z"],
            "an object": {"date": "2030-01-01"},
            "words": "tomorrow at ten",
            "a date": "2030-01-01",
            "no offset": "2030-01-01T10:00:00",
            "an unescaped plus": "2030-01-01T10:00:00 02:00",
            "year 0": "0000-01-01T10:00:00Z",
            "month 13": "2030-13-01T10:00:00Z",
            "30 February": "2030-02-30T10:00:00Z",
            "hour 25": "2030-01-01T25:00:00Z",
            "before year 1 in UTC": "0001-01-01T00:00:00+14:00",
            "after year 9999 in UTC": "9999-12-31T23:59:59-14:00",
            "offset of 99 hours": "2030-01-01T10:00:00+99:00",
            "NUL": "2030-01-01T10:00:00Z\0",
            "absurdly long": "2030-01-01T10:00:00" + "0" * 500_000 + "Z",
            "a lone surrogate": "\ud800",
        }.items()
    ),
    pytest.param("status", None, id="status null"),
    pytest.param("status", "approved", id="status unknown"),
    pytest.param("status", "", id="status empty"),
    pytest.param("status", "Confirmed", id="status in another case"),
    pytest.param("status", True, id="status true"),
    pytest.param("status", 1, id="status a number"),
    pytest.param("status", ["confirmed"], id="status a list"),
    pytest.param("status", {"confirmed": 1}, id="status an object"),
    pytest.param("status", "confirmed\0", id="status with NUL"),
    pytest.param("status", "\ud800", id="status a lone surrogate"),
    pytest.param("notes", "x" * 5_001, id="notes of 5001 characters"),
    pytest.param("notes", "x" * 900_000, id="notes of 900000 characters"),
    pytest.param("notes", "a\0b", id="notes with NUL"),
    pytest.param("notes", "a\ud800b", id="notes with a lone surrogate"),
    pytest.param("notes", True, id="notes true"),
    pytest.param("notes", ["a"], id="notes a list"),
    pytest.param("notes", {"a": "b"}, id="notes an object"),
]


@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_what_cannot_be_meant_is_refused_on_its_field(
    as_alice: APIClient, room: Resource, field: str, value: object
) -> None:
    sent = json.dumps({**booking_body(room), field: value})
    body = assert_flat_error(as_alice.post(URL, sent, content_type="application/json"), 400, field=field)
    assert set(body) == {"error", "code", "detail", field}
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "value", ["x", True, 1.5, [1], {"id": 1}, 0, -1, 2**63, 999_999], ids=lambda value: f"user {value!r}"
)
def test_a_user_that_cannot_be_meant_is_refused(as_admin: APIClient, room: Resource, value: object) -> None:
    assert_flat_error(as_admin.post(URL, booking_body(room, user=value)), 400, field="user")
    assert not Booking.objects.exists()


@pytest.mark.parametrize("field", ["resource", "start_time", "end_time"])
def test_these_fields_are_needed(as_alice: APIClient, room: Resource, field: str) -> None:
    body = booking_body(room)
    del body[field]
    assert_flat_error(as_alice.post(URL, body), 400, field=field)
    assert not Booking.objects.exists()


def test_an_empty_body_names_all_that_is_needed(as_alice: APIClient) -> None:
    body = assert_flat_error(as_alice.post(URL, {}), 400)
    assert set(body) == {"error", "code", "detail", "resource", "start_time", "end_time"}


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("resource", "1e400"),
        ("resource", "-1e400"),
        ("resource", "NaN"),
        ("start_time", "1e400"),
        ("notes", "Infinity"),
        ("status", "1e400"),
    ],
)
def test_numbers_beyond_all_bounds_are_refused(as_alice: APIClient, room: Resource, field: str, sent: str) -> None:
    body = json.dumps({**booking_body(room), field: "HERE"}).replace('"HERE"', sent)
    assert_flat_error(as_alice.post(URL, body, content_type="application/json"), 400)
    assert not Booking.objects.exists()
