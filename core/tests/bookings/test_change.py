"""PUT and PATCH /api/bookings/{id}/."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core import errors, lifecycle
from core.models import Booking, Resource
from core.tests.support.acts import act
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_ended_booking, make_resource, text
from core.tests.support.records import recorded

CLIENTS = ["as_alice", "as_admin"]


def url(booking: Booking) -> str:
    return f"/api/bookings/{booking.pk}/"


def stored(booking: Booking) -> dict:
    """The booking's row as it is now."""
    return Booking.objects.filter(pk=booking.pk).values().get()


def as_the_app_sends_it(booking: Booking, **more: object) -> dict:
    """What the single-page app puts: every field, the times without microseconds."""
    sent = {
        "resource": booking.resource_id,
        "start_time": booking.start_time.strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{booking.start_time.microsecond // 1000:03}Z",
        "end_time": booking.end_time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{booking.end_time.microsecond // 1000:03}Z",
        "status": booking.status,
        "notes": booking.notes,
    }
    return {**sent, **more}


@pytest.fixture
def booking(alice: User, room: Resource) -> Booking:
    """Alice's, confirmed, tomorrow 10 to 11."""
    return make_booking(alice, room, notes="Before")


@pytest.mark.parametrize("client", CLIENTS)
def test_put_changes_all_that_it_names(request: pytest.FixtureRequest, booking: Booking, client: str) -> None:
    red = make_resource("Red room")
    body = booking_body(red, at(14), at(16), notes="After", status="confirmed")
    answer = request.getfixturevalue(client).put(url(booking), body)
    after = Booking.objects.get(pk=booking.pk)
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {
        "id": booking.pk,
        "user": booking.user_id,
        "username": "alice",
        "resource": red.pk,
        "resource_name": "Red room",
        "start_time": text(at(14)),
        "end_time": text(at(16)),
        "status": "confirmed",
        "notes": "After",
        "created_at": text(booking.created_at),
        "updated_at": text(after.updated_at),
    }
    assert after.updated_at > booking.updated_at
    assert (after.resource, after.start_time, after.end_time, after.notes) == (red, at(14), at(16), "After")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        pytest.param({"start_time": text(at(9))}, "start_time", at(9), id="the start alone, earlier"),
        pytest.param({"start_time": text(at(10.5))}, "start_time", at(10.5), id="the start alone, later"),
        pytest.param({"end_time": text(at(12))}, "end_time", at(12), id="the end alone, later"),
        pytest.param({"end_time": text(at(10.5))}, "end_time", at(10.5), id="the end alone, earlier"),
        pytest.param({"notes": "After"}, "notes", "After", id="the notes"),
        pytest.param({"notes": ""}, "notes", "", id="no notes any more"),
        pytest.param({"notes": None}, "notes", "", id="null for no notes any more"),
        pytest.param({"status": "cancelled"}, "status", "cancelled", id="the status"),
    ],
)
def test_patch_changes_what_it_names_and_nothing_else(
    request: pytest.FixtureRequest, booking: Booking, client: str, sent: dict, field: str, value: object
) -> None:
    before = stored(booking)
    answer = request.getfixturevalue(client).patch(url(booking), sent)
    assert answer.status_code == 200, answer.json()
    after = stored(booking)
    assert after[field] == value
    # Calendars count the changes of what they show.
    assert {name for name in after if after[name] != before[name]} - {"calendar_sequence"} == {field, "updated_at"}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("sent", [{}, {"status": "confirmed"}, {"notes": "Before"}], ids=str)
def test_a_change_of_nothing_writes_nothing(
    request: pytest.FixtureRequest, booking: Booking, client: str, sent: dict
) -> None:
    before = stored(booking)
    answer = request.getfixturevalue(client).patch(url(booking), sent)
    assert answer.status_code == 200, answer.json()
    assert stored(booking) == before


@pytest.mark.parametrize("notes", ["a\nb", "a\r\nb ", "x\n" * 2_500], ids=["lines", "other ends", "the longest"])
def test_a_form_that_a_browser_sends_back_changes_no_notes(as_alice: APIClient, booking: Booking, notes: str) -> None:
    as_alice.patch(url(booking), {"notes": notes})
    before = stored(booking)
    browser = notes.replace("\r\n", "\n").replace("\n", "\r\n")
    answer = as_alice.patch(url(booking), {"notes": browser}, format="multipart")
    assert answer.status_code == 200, answer.json()
    assert stored(booking) == before
    as_alice.patch(url(booking), {"notes": "c\r\nd"}, format="multipart")
    assert stored(booking)["notes"] == "c\nd"


def test_forms_are_read(as_alice: APIClient, booking: Booking) -> None:
    sent = {"notes": "After", "end_time": text(at(12)), "resource": str(booking.resource_id)}
    answer = as_alice.patch(url(booking), sent, format="multipart")
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["notes"], answer.json()["end_time"]) == ("After", text(at(12)))


def test_put_without_status_and_notes_leaves_them(as_alice: APIClient, booking: Booking, room: Resource) -> None:
    answer = as_alice.put(url(booking), booking_body(room))
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["status"], answer.json()["notes"]) == ("confirmed", "Before")


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("client", CLIENTS)
def test_no_change_hands_a_booking_over(
    request: pytest.FixtureRequest, booking: Booking, bob: User, room: Resource, client: str, method: str
) -> None:
    answer = getattr(request.getfixturevalue(client), method)(url(booking), booking_body(room, user=bob.pk))
    assert answer.status_code == 200, answer.json()
    assert answer.json()["username"] == "alice"
    assert stored(booking)["user_id"] == booking.user_id


def test_a_strangers_booking_cannot_be_changed(as_bob: APIClient, booking: Booking, room: Resource) -> None:
    before = stored(booking)
    assert_flat_error(as_bob.patch(url(booking), {"notes": "Mine"}), 403, "permission_denied")
    assert_flat_error(as_bob.put(url(booking), booking_body(room, notes="Mine")), 403, "permission_denied")
    assert stored(booking) == before


@pytest.mark.parametrize("missing", ["resource", "start_time", "end_time"])
def test_put_needs_the_whole_booking(as_alice: APIClient, booking: Booking, room: Resource, missing: str) -> None:
    body = booking_body(room, notes="After")
    del body[missing]
    before = stored(booking)
    assert_flat_error(as_alice.put(url(booking), body), 400, field=missing)
    assert stored(booking) == before


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("field", ["resource", "start_time", "end_time", "status"])
def test_null_is_no_value(request: pytest.FixtureRequest, booking: Booking, client: str, field: str) -> None:
    before = stored(booking)
    assert_flat_error(request.getfixturevalue(client).patch(url(booking), {field: None}), 400, field=field)
    assert stored(booking) == before


@pytest.mark.parametrize("year", ["0001", "1899"])
def test_staff_do_not_move_a_start_to_before_the_year_1900(as_admin: APIClient, booking: Booking, year: str) -> None:
    before = stored(booking)
    answer = as_admin.patch(url(booking), {"start_time": f"{year}-12-31T23:59:59Z"})
    assert_flat_error(answer, 400, "too_long_ago", "start_time")
    assert stored(booking) == before


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        pytest.param({"end_time": text(at(10))}, "end_not_after_start", "non_field_errors", id="the end at the start"),
        pytest.param({"end_time": text(at(9))}, "end_not_after_start", "non_field_errors", id="the end before it"),
        pytest.param(
            {"start_time": text(at(11))}, "end_not_after_start", "non_field_errors", id="the start at the end"
        ),
        pytest.param({"start_time": text(at(12))}, "end_not_after_start", "non_field_errors", id="the start after it"),
        pytest.param({"end_time": "9999-12-31T23:59:59Z"}, "too_far_ahead", "end_time", id="an end in year 9999"),
        pytest.param({"end_time": text(at(0, day=1830))}, "too_far_ahead", "end_time", id="an end beyond five years"),
        pytest.param({"resource": 999_999}, "resource_missing", "resource", id="an unknown resource"),
        pytest.param({"start_time": "0000-01-01T00:00:00Z"}, None, "start_time", id="year 0"),
        pytest.param({"start_time": text(at(9))[:-1]}, None, "start_time", id="no offset"),
        pytest.param({"status": "done"}, None, "status", id="an unknown status"),
        pytest.param({"notes": "x" * 5_001}, None, "notes", id="notes too long"),
        pytest.param({"notes": "\0"}, None, "notes", id="notes with NUL"),
    ],
)
def test_what_a_change_cannot_be(
    request: pytest.FixtureRequest, booking: Booking, client: str, sent: dict, code: str | None, field: str
) -> None:
    before = stored(booking)
    assert_flat_error(request.getfixturevalue(client).patch(url(booking), sent), 400, code, field)
    assert stored(booking) == before


# --- Rule 5: a change is checked as a whole ---------------------------------------------------------------------------

MOVES_INTO_OTHERS = {
    # name: what is sent of alice's booking of 10 to 11, while 11 to 12 and, on the red room, 10 to 11 are taken
    "the end alone": {"end_time": text(at(11.5))},
    "the start alone": {"start_time": text(at(8.5))},
    "both": {"start_time": text(at(11)), "end_time": text(at(12))},
    "around": {"start_time": text(at(10)), "end_time": text(at(13))},
    "the resource alone": {"resource": "red"},
    "the resource and the end": {"resource": "red", "end_time": text(at(10.5))},
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("move", MOVES_INTO_OTHERS)
def test_a_move_into_a_taken_slot_is_refused(
    request: pytest.FixtureRequest, booking: Booking, bob: User, room: Resource, client: str, move: str
) -> None:
    red = make_resource("Red room")
    make_booking(bob, room, at(8), at(9))
    make_booking(bob, room, at(11), at(12))
    make_booking(bob, red, at(10), at(11))
    sent = {name: red.pk if value == "red" else value for name, value in MOVES_INTO_OTHERS[move].items()}
    before = stored(booking)
    body = assert_flat_error(
        request.getfixturevalue(client).patch(url(booking), sent), 400, "slot_taken", "non_field_errors"
    )
    assert body["conflicts"]
    assert "bob" not in str(body)
    assert stored(booking) == before


@pytest.mark.parametrize("client", CLIENTS)
def test_a_booking_is_not_in_its_own_way(request: pytest.FixtureRequest, booking: Booking, client: str) -> None:
    sent = {"start_time": text(at(10.5)), "end_time": text(at(11.5))}
    answer = request.getfixturevalue(client).patch(url(booking), sent)
    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"start_time": text(at(9)), "end_time": text(at(10))}, id="touching before"),
        pytest.param({"start_time": text(at(11)), "end_time": text(at(12))}, id="touching after"),
    ],
)
def test_a_move_next_to_another_booking_is_fine(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str, sent: dict
) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, at(15))
    assert request.getfixturevalue(client).patch(url(mine), sent).status_code == 200


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("status", "asked"),
    [("cancelled", "pending"), ("cancelled", "confirmed")],
)
def test_a_revival_needs_a_free_slot(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str, status: str, asked: str
) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, status=status)
    before = stored(mine)
    answer = request.getfixturevalue(client).patch(url(mine), {"status": asked})
    assert_flat_error(answer, 400, "slot_taken", "non_field_errors")
    assert stored(mine) == before


@pytest.mark.parametrize("asked", ["pending", "confirmed"])
def test_staff_cannot_revive_a_rejected_booking_into_a_taken_slot(
    as_admin: APIClient, alice: User, bob: User, room: Resource, asked: str
) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, status="rejected")
    assert_flat_error(as_admin.patch(url(mine), {"status": asked}), 400, "slot_taken", "non_field_errors")
    assert stored(mine)["status"] == "rejected"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_revival_may_move_to_a_free_slot_at_once(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str
) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, status="cancelled")
    body = {"status": "confirmed", "start_time": text(at(12)), "end_time": text(at(13))}
    answer = request.getfixturevalue(client).patch(url(mine), body)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["status"] == "confirmed"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_cancelled_booking_may_be_moved_into_a_taken_slot(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str
) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, at(14), status="cancelled")
    sent = {"start_time": text(at(10)), "end_time": text(at(11))}
    assert request.getfixturevalue(client).patch(url(mine), sent).status_code == 200


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_notes_of_a_booking_that_gave_its_slot_back_can_be_edited_though_it_is_taken(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str, method: str, status: str
) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, status=status)
    sent = as_the_app_sends_it(mine, notes="After") if method == "put" else {"notes": "After"}
    answer = getattr(request.getfixturevalue(client), method)(url(mine), sent)
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["notes"], answer.json()["status"]) == ("After", status)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled", "rejected"])
def test_notes_can_be_edited_though_the_resource_went_out_of_service(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, method: str, status: str
) -> None:
    mine = make_booking(alice, room, status=status)
    Resource.objects.update(is_available=False)
    sent = as_the_app_sends_it(mine, notes="After") if method == "put" else {"notes": "After"}
    answer = getattr(request.getfixturevalue(client), method)(url(mine), sent)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["notes"] == "After"


# --- Rule 4 in changes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("status", "sent"),
    [
        pytest.param("confirmed", {"end_time": text(at(12))}, id="moved on it: the end"),
        pytest.param("pending", {"start_time": text(at(9))}, id="moved on it: the start"),
        pytest.param("cancelled", {"status": "pending"}, id="revived as pending"),
        pytest.param("cancelled", {"status": "confirmed"}, id="revived as confirmed"),
    ],
)
def test_nothing_that_blocks_is_moved_or_revived_on_a_resource_out_of_service(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, status: str, sent: dict
) -> None:
    mine = make_booking(alice, room, status=status)
    Resource.objects.update(is_available=False)
    before = stored(mine)
    answer = request.getfixturevalue(client).patch(url(mine), sent)
    assert_flat_error(answer, 400, "resource_out_of_service", "resource")
    assert stored(mine) == before


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "sent",
    [{"end_time": text(at(10.5))}, {"start_time": text(at(10.5))}, {"status": "cancelled"}],
    ids=["the end", "the start", "all of it"],
)
def test_time_can_be_given_back_on_a_resource_out_of_service(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, sent: dict
) -> None:
    mine = make_booking(alice, room)
    Resource.objects.update(is_available=False)
    assert request.getfixturevalue(client).patch(url(mine), sent).status_code == 200


@pytest.mark.parametrize("client", CLIENTS)
def test_a_booking_cannot_be_taken_to_a_resource_out_of_service(
    request: pytest.FixtureRequest, booking: Booking, client: str
) -> None:
    closed = make_resource("Closed", is_available=False)
    answer = request.getfixturevalue(client).patch(url(booking), {"resource": closed.pk})
    assert_flat_error(answer, 400, "resource_out_of_service", "resource")
    assert stored(booking)["resource_id"] == booking.resource_id


@pytest.mark.parametrize("client", CLIENTS)
def test_a_booking_can_be_taken_away_from_a_resource_out_of_service(
    request: pytest.FixtureRequest, booking: Booking, room: Resource, client: str
) -> None:
    red = make_resource("Red room")
    Resource.objects.filter(pk=room.pk).update(is_available=False)
    assert request.getfixturevalue(client).patch(url(booking), {"resource": red.pk}).status_code == 200


@pytest.mark.parametrize("asked", ["confirmed", "rejected", "cancelled", "pending"])
def test_staff_decide_about_what_is_already_on_a_resource_out_of_service(
    as_admin: APIClient, alice: User, lab: Resource, asked: str
) -> None:
    waiting = make_booking(alice, lab, status="pending")
    Resource.objects.update(is_available=False)
    answer = as_admin.patch(url(waiting), {"status": asked})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["status"] == asked


def test_an_owner_cancels_on_a_resource_out_of_service(as_alice: APIClient, booking: Booking) -> None:
    Resource.objects.update(is_available=False)
    assert as_alice.patch(url(booking), {"status": "cancelled"}).status_code == 200


# --- Times that differ by what browsers drop --------------------------------------------------------------------------

STORED = {"start_time": at(10) + timedelta(microseconds=123_456), "end_time": at(11) + timedelta(microseconds=987_654)}


@pytest.mark.parametrize("client", CLIENTS)
def test_milliseconds_of_a_browser_change_nothing(
    request: pytest.FixtureRequest, alice: User, bob: User, room: Resource, client: str
) -> None:
    mine = make_booking(alice, room, STORED["start_time"], STORED["end_time"])
    make_booking(bob, room, at(9), STORED["start_time"])
    Resource.objects.update(is_available=False)
    before = stored(mine)
    answer = request.getfixturevalue(client).put(url(mine), as_the_app_sends_it(mine))
    assert answer.status_code == 200, answer.json()
    assert stored(mine) == before


@pytest.mark.parametrize(
    ("microseconds", "changes"),
    [
        pytest.param(999, False, id="999 microseconds later"),
        pytest.param(-999, False, id="999 microseconds earlier"),
        pytest.param(1_000, True, id="a millisecond later"),
        pytest.param(-1_000, True, id="a millisecond earlier"),
        pytest.param(-123_456, True, id="cut to the second"),
    ],
)
@pytest.mark.parametrize("field", ["start_time", "end_time"])
def test_a_time_within_a_millisecond_has_not_changed(
    as_alice: APIClient, alice: User, room: Resource, field: str, microseconds: int, changes: bool
) -> None:
    mine = make_booking(alice, room, STORED["start_time"], STORED["end_time"])
    wanted = STORED[field] + timedelta(microseconds=microseconds)
    answer = as_alice.patch(url(mine), {field: text(wanted)})
    assert answer.status_code == 200, answer.json()
    assert stored(mine)[field] == (wanted if changes else STORED[field])


# --- Rules 1 and the five years in changes ----------------------------------------------------------------------------

NOW = datetime(2030, 3, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "error"),
    [
        pytest.param(timedelta(minutes=30), None, id="exactly 30 minutes"),
        pytest.param(timedelta(minutes=30, microseconds=-1), errors.StartTooSoon, id="a microsecond less"),
        pytest.param(timedelta(0), errors.StartTooSoon, id="now"),
        pytest.param(timedelta(minutes=-1), errors.StartInPast, id="a minute ago"),
    ],
)
@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled"])
def test_an_owner_moves_the_start_to_at_least_30_minutes_from_now(
    alice: User, room: Resource, status: str, ahead: timedelta, error: type[Exception] | None
) -> None:
    mine = make_booking(alice, room, NOW + timedelta(hours=2), status=status)
    changes = lifecycle.Changes(start_time=NOW + ahead)
    if error is None:
        assert lifecycle.change(mine, changes=changes, act=act(alice, NOW)).start_time == NOW + ahead
    else:
        with pytest.raises(error):
            lifecycle.change(mine, changes=changes, act=act(alice, NOW))
        assert stored(mine)["start_time"] == NOW + timedelta(hours=2)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=10), timedelta(days=-400)], ids=str)
def test_staff_move_the_start_anywhere(admin: User, alice: User, room: Resource, ahead: timedelta) -> None:
    mine = make_booking(alice, room, NOW + timedelta(hours=2))
    changes = lifecycle.Changes(start_time=NOW + ahead)
    assert lifecycle.change(mine, changes=changes, act=act(admin, NOW)).start_time == NOW + ahead


def test_an_owner_lengthens_a_running_booking(as_alice: APIClient, alice: User, room: Resource) -> None:
    start = timezone.now() - timedelta(minutes=20)
    running = make_booking(alice, room, start)
    answer = as_alice.put(
        url(running), as_the_app_sends_it(running, end_time=text(start + timedelta(hours=2)), notes="Longer")
    )
    assert answer.status_code == 200, answer.json()
    assert stored(running)["end_time"] == start + timedelta(hours=2)
    assert stored(running)["start_time"] == start


def test_an_owner_who_cancels_just_before_the_start_cannot_revive(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource
) -> None:
    soon = make_booking(alice, room, timezone.now() + timedelta(minutes=5))
    assert as_alice.delete(url(soon)).status_code == 204
    for status in ("confirmed", "pending"):
        assert_flat_error(as_alice.patch(url(soon), {"status": status}), 400, "start_too_soon", "start_time")
    assert stored(soon)["status"] == "cancelled"
    assert as_admin.patch(url(soon), {"status": "confirmed"}).status_code == 200


def test_an_owner_shortens_a_running_booking_of_a_lab_and_frees_the_rest(
    as_alice: APIClient, as_bob: APIClient, alice: User, lab: Resource
) -> None:
    now = timezone.now().replace(microsecond=0)
    running = make_booking(alice, lab, now - timedelta(hours=1), now + timedelta(hours=2))
    answer = as_alice.patch(url(running), {"end_time": text(now + timedelta(hours=1))})
    assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")
    assert [row.kind for row in recorded()] == ["booking.changed"]
    freed = booking_body(lab, now + timedelta(hours=1), now + timedelta(hours=2))
    assert as_bob.post("/api/bookings/", freed).status_code == 201


def test_an_owner_gives_the_first_part_back_without_lead_time(as_alice: APIClient, alice: User, lab: Resource) -> None:
    now = timezone.now().replace(microsecond=0)
    mine = make_booking(alice, lab, now + timedelta(minutes=1), now + timedelta(hours=2))
    answer = as_alice.patch(url(mine), {"start_time": text(now + timedelta(minutes=5))})
    assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")


def test_an_owner_cannot_end_a_booking_in_the_past(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource
) -> None:
    now = timezone.now().replace(microsecond=0)
    running = make_booking(alice, room, now - timedelta(hours=2), now + timedelta(hours=1))
    over = {"end_time": text(now - timedelta(minutes=1))}
    assert_flat_error(as_alice.patch(url(running), over), 400, "end_in_past", "end_time")
    assert stored(running)["end_time"] == now + timedelta(hours=1)
    assert as_admin.patch(url(running), over).status_code == 200


def test_an_owner_cannot_move_the_start_into_the_past(as_alice: APIClient, booking: Booking) -> None:
    answer = as_alice.patch(url(booking), {"start_time": text(at(10, day=-1))})
    assert_flat_error(answer, 400, "start_in_past", "start_time")
    assert stored(booking)["start_time"] == at(10)


@pytest.mark.parametrize("who", ["alice", "admin"])
@pytest.mark.parametrize(
    ("over", "fits"),
    [
        pytest.param(timedelta(0), True, id="exactly 1826 days"),
        pytest.param(timedelta(milliseconds=1), False, id="a millisecond more"),
    ],
)
def test_no_change_ends_more_than_1826_days_from_now(
    request: pytest.FixtureRequest, alice: User, room: Resource, who: str, over: timedelta, fits: bool
) -> None:
    end = NOW + timedelta(days=1826) + over
    mine = make_booking(alice, room, NOW + timedelta(days=1))
    changes = lifecycle.Changes(end_time=end)
    if fits:
        assert lifecycle.change(mine, changes=changes, act=act(request.getfixturevalue(who), NOW)).end_time == end
    else:
        with pytest.raises(errors.TooFarAhead):
            lifecycle.change(mine, changes=changes, act=act(request.getfixturevalue(who), NOW))
        assert stored(mine)["end_time"] == NOW + timedelta(days=1, hours=1)


# --- Rule 6: the ways of the status -----------------------------------------------------------------------------------

# (from, to): whether an owner may, where no approval is required, and where it is
OWNERS_WAYS = {
    ("pending", "pending"): (True, True),
    ("pending", "confirmed"): (True, False),
    ("pending", "cancelled"): (True, True),
    ("pending", "rejected"): (False, False),
    ("confirmed", "pending"): (False, False),
    ("confirmed", "confirmed"): (True, True),
    ("confirmed", "cancelled"): (True, True),
    ("confirmed", "rejected"): (False, False),
    ("cancelled", "pending"): (True, True),
    ("cancelled", "confirmed"): (True, False),
    ("cancelled", "cancelled"): (True, True),
    ("cancelled", "rejected"): (False, False),
    ("rejected", "pending"): (False, False),
    ("rejected", "confirmed"): (False, False),
    ("rejected", "cancelled"): (False, False),
    ("rejected", "rejected"): (True, True),
}
WAYS = [
    pytest.param(before, after, approval, allowed[approval], id=f"{before} to {after}, {approval=}")
    for (before, after), allowed in OWNERS_WAYS.items()
    for approval in (False, True)
]


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(("before", "after", "approval", "allowed"), WAYS)
def test_the_ways_of_the_status_for_an_owner(
    as_alice: APIClient, alice: User, method: str, before: str, after: str, approval: bool, allowed: bool
) -> None:
    mine = make_booking(alice, make_resource(requires_approval=approval), status=before)
    sent = as_the_app_sends_it(mine, status=after) if method == "put" else {"status": after}
    answer = getattr(as_alice, method)(url(mine), sent)
    if allowed:
        assert answer.status_code == 200, answer.json()
        assert answer.json()["status"] == after
    else:
        assert_flat_error(answer, 400, "status_not_allowed", "status")
    assert stored(mine)["status"] == (after if allowed else before)


@pytest.mark.parametrize(("before", "after", "approval", "allowed"), WAYS)
def test_staff_may_set_any_status(
    as_admin: APIClient, alice: User, before: str, after: str, approval: bool, allowed: bool
) -> None:
    booking = make_booking(alice, make_resource(requires_approval=approval), status=before)
    answer = as_admin.patch(url(booking), {"status": after})
    assert answer.status_code == 200, answer.json()
    assert stored(booking)["status"] == answer.json()["status"] == after


LATER = {"start_time": text(at(14)), "end_time": text(at(15))}
LONGER = {"end_time": text(at(12))}
TO_ROOM = {"resource": "room"}
TO_LAB = {"resource": "lab"}

MOVES = [
    # name, where it is, its status, what an owner sends, the status it then has (None: refused)
    ("confirmed on the lab, moved", "lab", "confirmed", LATER, "pending"),
    ("confirmed on the lab, longer", "lab", "confirmed", LONGER, "pending"),
    ("confirmed on the lab, shorter", "lab", "confirmed", {"end_time": text(at(10.5))}, "confirmed"),
    (
        "confirmed on the lab, moved, confirmed sent along",
        "lab",
        "confirmed",
        {**LATER, "status": "confirmed"},
        "pending",
    ),
    ("confirmed on the lab, moved, pending sent along", "lab", "confirmed", {**LATER, "status": "pending"}, "pending"),
    ("confirmed on the lab, moved and cancelled", "lab", "confirmed", {**LATER, "status": "cancelled"}, "cancelled"),
    ("confirmed on the lab, moved and rejected", "lab", "confirmed", {**LATER, "status": "rejected"}, None),
    ("confirmed on the lab, notes alone", "lab", "confirmed", {"notes": "x"}, "confirmed"),
    ("confirmed on the lab, pending alone", "lab", "confirmed", {"status": "pending"}, None),
    ("pending on the lab, moved", "lab", "pending", LATER, "pending"),
    ("pending on the lab, moved, confirmed sent along", "lab", "pending", {**LATER, "status": "confirmed"}, None),
    ("cancelled on the lab, moved", "lab", "cancelled", LATER, "cancelled"),
    ("cancelled on the lab, moved and pending", "lab", "cancelled", {**LATER, "status": "pending"}, "pending"),
    ("cancelled on the lab, moved and confirmed", "lab", "cancelled", {**LATER, "status": "confirmed"}, None),
    ("rejected on the lab, moved", "lab", "rejected", LATER, "rejected"),
    ("rejected on the lab, moved and pending", "lab", "rejected", {**LATER, "status": "pending"}, None),
    ("confirmed on the room, moved", "room", "confirmed", LATER, "confirmed"),
    (
        "confirmed on the room, moved, confirmed sent along",
        "room",
        "confirmed",
        {**LATER, "status": "confirmed"},
        "confirmed",
    ),
    ("confirmed on the room, moved, pending sent along", "room", "confirmed", {**LATER, "status": "pending"}, None),
    ("pending on the room, moved and confirmed", "room", "pending", {**LATER, "status": "confirmed"}, "confirmed"),
    ("confirmed on the room, taken to the lab", "room", "confirmed", TO_LAB, "pending"),
    ("confirmed on the room, to the lab, confirmed", "room", "confirmed", {**TO_LAB, "status": "confirmed"}, "pending"),
    ("confirmed on the room, to the lab, pending", "room", "confirmed", {**TO_LAB, "status": "pending"}, "pending"),
    ("pending on the room, to the lab, confirmed", "room", "pending", {**TO_LAB, "status": "confirmed"}, None),
    ("confirmed on the lab, taken to the room", "lab", "confirmed", TO_ROOM, "confirmed"),
    ("confirmed on the lab, to the room, pending", "lab", "confirmed", {**TO_ROOM, "status": "pending"}, None),
    ("pending on the lab, taken to the room", "lab", "pending", TO_ROOM, "confirmed"),
    ("pending on the lab, to the room, pending", "lab", "pending", {**TO_ROOM, "status": "pending"}, "confirmed"),
    ("pending on the room, taken to the lab", "room", "pending", TO_LAB, "pending"),
    ("pending on the lab, to the room, confirmed", "lab", "pending", {**TO_ROOM, "status": "confirmed"}, "confirmed"),
    (
        "cancelled on the lab, to the room, confirmed",
        "lab",
        "cancelled",
        {**TO_ROOM, "status": "confirmed"},
        "confirmed",
    ),
    ("cancelled on the room, to the lab, confirmed", "room", "cancelled", {**TO_LAB, "status": "confirmed"}, None),
]


@pytest.mark.parametrize(("where", "before", "sent", "after"), [pytest.param(*row, id=name) for name, *row in MOVES])
def test_what_a_move_of_the_owner_makes_of_the_status(
    as_alice: APIClient,
    alice: User,
    room: Resource,
    lab: Resource,
    where: str,
    before: str,
    sent: dict,
    after: str | None,
) -> None:
    places = {"room": room, "lab": lab}
    mine = make_booking(alice, places[where], status=before)
    was = stored(mine)
    answer = as_alice.patch(url(mine), {n: places[v].pk if n == "resource" else v for n, v in sent.items()})
    if after is None:
        assert_flat_error(answer, 400, "status_not_allowed", "status")
        assert stored(mine) == was
    else:
        assert answer.status_code == 200, answer.json()
        assert stored(mine)["status"] == answer.json()["status"] == after


@pytest.mark.parametrize(
    "sent", [LATER, LONGER, {**LATER, "status": "confirmed"}], ids=["moved", "longer", "confirmed"]
)
def test_staff_who_move_a_confirmed_booking_leave_it_confirmed(
    as_admin: APIClient, alice: User, lab: Resource, sent: dict
) -> None:
    booking = make_booking(alice, lab)
    assert as_admin.patch(url(booking), sent).json()["status"] == "confirmed"


def test_a_staff_member_may_do_with_an_own_booking_what_staff_may(
    as_admin: APIClient, admin: User, lab: Resource
) -> None:
    booking = make_booking(admin, lab, status="pending")
    assert as_admin.patch(url(booking), {"status": "confirmed"}).status_code == 200


# --- Rule 7: history --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled", "rejected"])
@pytest.mark.parametrize("sent", [{}, {"notes": "x"}, {"status": "cancelled"}, {"end_time": text(at(12))}], ids=str)
def test_a_booking_that_has_ended_is_history_for_its_owner(
    as_alice: APIClient, alice: User, room: Resource, status: str, sent: dict
) -> None:
    past = make_booking(alice, room, at(10, day=-1), status=status)
    before = stored(past)
    assert_flat_error(as_alice.patch(url(past), sent), 403, "booking_ended")
    assert stored(past) == before


def test_a_put_of_the_app_cannot_change_history_either(as_alice: APIClient, alice: User, room: Resource) -> None:
    past = make_ended_booking(alice, room)
    assert_flat_error(as_alice.put(url(past), as_the_app_sends_it(past, notes="x")), 403, "booking_ended")
    assert stored(past)["notes"] == ""


def refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except errors.BookingEnded:
        return True
    return False


@pytest.mark.parametrize(
    ("since_end", "over"),
    [
        pytest.param(timedelta(0), True, id="ends now"),
        pytest.param(timedelta(microseconds=-1), False, id="ends in a microsecond"),
        pytest.param(timedelta(hours=1), True, id="ended an hour ago"),
    ],
)
def test_a_booking_has_ended_from_its_end_on(alice: User, room: Resource, since_end: timedelta, over: bool) -> None:
    mine = make_booking(alice, room, NOW - timedelta(hours=1), NOW)
    changes = lifecycle.Changes(notes="x")
    assert refused(lambda: lifecycle.change(mine, changes=changes, act=act(alice, NOW + since_end))) is over
    assert refused(lambda: lifecycle.cancel(mine, act=act(alice, NOW + since_end))) is over


@pytest.mark.parametrize(
    ("sent", "field", "value"),
    [
        ({"notes": "x"}, "notes", "x"),
        ({"status": "rejected"}, "status", "rejected"),
        ({"end_time": text(at(12, day=-1))}, "end_time", at(12, day=-1)),
        ({"start_time": text(at(8, day=-1))}, "start_time", at(8, day=-1)),
    ],
    ids=["notes", "status", "end", "start"],
)
def test_staff_repair_history(
    as_admin: APIClient, alice: User, room: Resource, sent: dict, field: str, value: object
) -> None:
    past = make_ended_booking(alice, room)
    answer = as_admin.patch(url(past), sent)
    assert answer.status_code == 200, answer.json()
    assert stored(past)[field] == value


def test_staff_cannot_make_history_overlap(as_admin: APIClient, alice: User, bob: User, room: Resource) -> None:
    past = make_ended_booking(alice, room)
    make_booking(bob, room, at(11, day=-1))
    answer = as_admin.patch(url(past), {"end_time": text(at(11.5, day=-1))})
    assert_flat_error(answer, 400, "slot_taken", "non_field_errors")
    assert stored(past)["end_time"] == at(11, day=-1)


def test_an_unknown_booking_is_not_found(as_alice: APIClient, booking: Booking) -> None:
    assert_flat_error(as_alice.patch(f"/api/bookings/{booking.pk + 1}/", {"notes": "x"}), 404, "not_found")
