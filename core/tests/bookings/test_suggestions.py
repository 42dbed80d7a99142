"""A refusal for a taken slot: up to three clashes, and a later slot, an earlier one and the same one elsewhere.

The judge is brute force over single minutes, written from the rule alone.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core import conflicts, errors, lifecycle
from core.choices import Kind
from core.models import Booking, Resource
from core.tests.support import oracle
from core.tests.support.acts import act
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_booking, make_resource, text
from core.tests.support.properties import MINUTE, few, spans

NOW = datetime(2030, 3, 5, 9, 0, tzinfo=UTC)
LEAD_TIME = 30
FIVE_YEARS = timedelta(days=1826)


def moment(minute: float) -> datetime:
    """That minute from now."""
    return NOW + timedelta(minutes=minute)


def make(timeline: list[tuple], *, user: User, resource: Resource) -> None:
    """Bookings from (first minute, last minute) or (first, last, status)."""
    for start, end, *status in timeline:
        make_booking(user, resource, moment(start), moment(end), status=status[0] if status else "confirmed")


def refusal(user: User, resource: Resource, start: float, end: float) -> errors.SlotTaken:
    """The error that booking these minutes gives."""
    with pytest.raises(errors.SlotTaken) as caught:
        lifecycle.book(
            user=user,
            resource_id=resource.pk,
            start_time=moment(start),
            end_time=moment(end),
            act=act(user, NOW),
        )
    return caught.value


def judged(timeline: list[tuple], start: int, end: int) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """The first three clashes and the first free slot, by looking at every minute."""
    blocking = sorted(row[:2] for row in timeline if len(row) == 2 or row[2] in ("pending", "confirmed"))
    taken = {minute for first, last in blocking for minute in range(first, last)}
    clashes = [row for row in blocking if any(start <= minute < end for minute in range(*row))]
    length = end - start
    found = max(start, LEAD_TIME)
    while any(minute in taken for minute in range(found, found + length)):
        found += 1
    return clashes[:3], (found, found + length)


TIMELINES = {
    # name: (what is booked, the minutes wanted)
    "one booking, the same": ([(100, 160)], (100, 160)),
    "one booking, over its start": ([(100, 160)], (60, 120)),
    "one booking, over its end": ([(100, 160)], (150, 210)),
    "one booking, inside": ([(100, 160)], (110, 120)),
    "one booking, around": ([(100, 160)], (60, 300)),
    "a gap exactly as long": ([(100, 160), (220, 280)], (100, 160)),
    "a gap one minute too short": ([(100, 160), (219, 280)], (100, 160)),
    "a gap one minute longer": ([(100, 160), (221, 280)], (100, 160)),
    "back to back": ([(100, 160), (160, 220), (220, 280)], (130, 150)),
    "several gaps, all too short": ([(100, 160), (170, 200), (215, 260), (290, 400)], (100, 160)),
    "several gaps, the third fits": ([(100, 160), (170, 200), (215, 260), (330, 400)], (100, 160)),
    "a gap before the wanted start does not count": ([(40, 50), (120, 180)], (130, 160)),
    "the wanted start in a gap that is too short": ([(100, 160), (190, 250)], (165, 205)),
    "a cancelled booking leaves a gap": ([(100, 160), (160, 220, "cancelled"), (220, 280)], (100, 160)),
    "a rejected booking leaves a gap": ([(100, 160), (160, 220, "rejected"), (220, 280)], (100, 160)),
    "a pending booking does not": ([(100, 160), (160, 220, "pending"), (220, 280)], (100, 160)),
    "cancelled bookings all over": ([(0, 900, "cancelled"), (100, 160), (50, 400, "rejected")], (100, 160)),
    "two clashes": ([(100, 160), (170, 200)], (120, 180)),
    "three clashes": ([(100, 120), (130, 140), (150, 160)], (90, 170)),
    "four clashes": ([(100, 120), (130, 140), (150, 160), (165, 169)], (90, 170)),
    "five clashes, back to back": ([(100 + n * 10, 110 + n * 10) for n in range(5)], (90, 170)),
    "a booking that runs since long": ([(-5_000, 90)], (60, 120)),
    "a minute is wanted": ([(100, 160), (161, 200)], (100, 101)),
    "longer than every gap": ([(100 + n * 100, 160 + n * 100) for n in range(6)], (100, 200)),
    "bookings in the past do not matter": ([(-300, -200), (-100, 0), (100, 160)], (100, 160)),
    "exactly at the lead time": ([(20, 40)], (30, 60)),
}


@pytest.mark.parametrize("name", TIMELINES)
def test_clashes_and_suggestion_are_what_brute_force_finds(alice: User, room: Resource, name: str) -> None:
    timeline, (start, end) = TIMELINES[name]
    make(timeline, user=alice, resource=room)
    make([(start, end + 500)], user=alice, resource=make_resource("Red room"))
    clashes, (first, last) = judged(timeline, start, end)
    error = refusal(alice, room, start, end)
    assert [(slot.start, slot.end) for slot in error.conflicts] == [(moment(a), moment(b)) for a, b in clashes]
    assert error.suggestion is not None
    assert (error.suggestion.start, error.suggestion.end) == (moment(first), moment(last))


@pytest.mark.parametrize(
    ("second", "fits"),
    [
        pytest.param(0, True, id="exactly as long"),
        pytest.param(-1, False, id="a second too short"),
    ],
)
def test_gaps_are_measured_to_the_second(alice: User, room: Resource, second: int, fits: bool) -> None:
    make([(100, 160), (220 + second / 60, 280)], user=alice, resource=room)
    suggestion = refusal(alice, room, 100, 160).suggestion
    assert suggestion is not None
    assert suggestion.start == moment(160 if fits else 280)


def test_fractions_of_a_second_are_kept(alice: User, room: Resource) -> None:
    odd = timedelta(microseconds=123_456)
    make_booking(alice, room, moment(100), moment(160) + odd)
    suggestion = refusal(alice, room, 100, 160).suggestion
    assert suggestion is not None
    assert (suggestion.start, suggestion.end) == (moment(160) + odd, moment(220) + odd)


def test_a_slot_that_is_free_within_the_minute_of_the_lead_time_counts(alice: User, room: Resource) -> None:
    now = NOW + timedelta(seconds=10)
    make_booking(alice, room, moment(20), moment(30.5))
    with pytest.raises(errors.SlotTaken) as caught:
        lifecycle.book(
            user=alice,
            resource_id=room.pk,
            start_time=moment(30.25),
            end_time=moment(60.25),
            act=act(alice, now),
        )
    assert caught.value.suggestion is not None
    assert caught.value.suggestion.start == moment(30.5)


# --- The horizon ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "found"),
    [
        pytest.param(timedelta(0), True, id="the last slot there is"),
        pytest.param(timedelta(seconds=1), False, id="a second too late"),
    ],
)
def test_nothing_is_suggested_beyond_five_years(alice: User, room: Resource, short: timedelta, found: bool) -> None:
    end = NOW + FIVE_YEARS
    make_booking(alice, room, moment(0), end - timedelta(hours=1) + short)
    error = refusal(alice, room, 60, 120)
    if found:
        assert error.suggestion is not None
        assert (error.suggestion.start, error.suggestion.end) == (end - timedelta(hours=1), end)
    else:
        assert error.suggestions == []
        assert "There is no free slot of this length within the next five years." in error.message


@pytest.mark.parametrize("kind", ["earlier", "elsewhere"])
def test_no_later_slot_is_said_where_another_one_is_suggested(alice: User, room: Resource, kind: str) -> None:
    if kind == "earlier":
        make_booking(alice, room, moment(200), NOW + FIVE_YEARS)
        error = refusal(alice, room, 200, 260)
    else:
        make_resource("Green room")
        make_booking(alice, room, moment(0), NOW + FIVE_YEARS)
        error = refusal(alice, room, 60, 120)
    assert [found.kind for found in error.suggestions] == [kind]
    assert "There is no later free slot of this length within the next five years." in error.message


def test_a_resource_that_was_deleted_meanwhile_has_no_suggestions(alice: User, room: Resource) -> None:
    make_resource("Green room")
    booking = Booking(user=alice, resource=room, start_time=moment(60), end_time=moment(120))
    conflict = conflicts.NotFree(booking, [(booking.slot, Kind.BOOKING)])
    Resource.objects.filter(pk=room.pk).delete()
    error = conflicts.refusal_of(conflict, now=NOW)
    assert error.conflicts == [booking.slot]
    assert error.suggestions == []


@pytest.mark.parametrize("free", [True, False], ids=["a gap before the horizon", "none"])
def test_a_gap_between_bookings_counts_only_before_the_horizon(alice: User, room: Resource, free: bool) -> None:
    end = NOW + FIVE_YEARS
    make_booking(alice, room, moment(0), end - timedelta(minutes=90 if free else 30))
    make_booking(alice, room, end + timedelta(minutes=30), end + timedelta(days=1))
    suggestion = refusal(alice, room, 60, 120).suggestion
    assert (suggestion is not None) is free


def test_null_is_shown_where_there_is_no_slot(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(0), timezone.now() + FIVE_YEARS)
    body = assert_flat_error(as_bob.post("/api/bookings/", booking_body(room)), 400, "slot_taken", "non_field_errors")
    assert body["suggestion"] is None
    assert len(body["conflicts"]) == 1


def test_a_slot_longer_than_what_is_left_is_not_suggested(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    body = booking_body(room, at(9), timezone.now() + FIVE_YEARS - timedelta(minutes=5))
    answer = assert_flat_error(as_bob.post("/api/bookings/", body), 400, "slot_taken", "non_field_errors")
    assert answer["suggestion"] is None


# --- Moves ------------------------------------------------------------------------------------------------------------


def move(booking: Booking, by: User, start: float, end: float) -> errors.SlotTaken:
    """The error that moving the booking to these minutes gives."""
    changes = lifecycle.Changes(start_time=moment(start), end_time=moment(end))
    with pytest.raises(errors.SlotTaken) as caught:
        lifecycle.change(booking, changes=changes, act=act(by, NOW))
    return caught.value


def test_the_booking_that_is_moved_is_neither_a_clash_nor_in_the_way(alice: User, bob: User, room: Resource) -> None:
    mine = make_booking(alice, room, moment(160), moment(220))
    make_booking(bob, room, moment(100), moment(160))
    error = move(mine, alice, 130, 190)
    assert [(slot.start, slot.end) for slot in error.conflicts] == [(moment(100), moment(160))]
    assert error.suggestion is not None
    assert (error.suggestion.start, error.suggestion.end) == (moment(160), moment(220))


@pytest.mark.parametrize("start", [-600, 0, 10], ids=["ten hours ago", "now", "too soon"])
def test_staff_who_want_a_start_before_the_lead_time_are_led_behind_it(
    admin: User, alice: User, bob: User, room: Resource, start: int
) -> None:
    mine = make_booking(alice, room, moment(900), moment(930))
    make_booking(bob, room, moment(start), moment(start + 30))
    suggestion = move(mine, admin, start, start + 30).suggestion
    assert suggestion is not None
    first = max(start + 30, LEAD_TIME)
    assert (suggestion.start, suggestion.end) == (moment(first), moment(first + 30))


def test_a_revival_is_told_of_the_next_free_slot(as_alice: APIClient, alice: User, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    mine = make_booking(alice, room, status="cancelled")
    body = assert_flat_error(
        as_alice.patch(f"/api/bookings/{mine.pk}/", {"status": "confirmed"}), 400, "slot_taken", "non_field_errors"
    )
    assert body["suggestion"] == {"start_time": text(at(11)), "end_time": text(at(12))}


# --- What is shown ----------------------------------------------------------------------------------------------------


def test_the_message_names_three_of_five_clashes_and_the_suggestion(
    as_bob: APIClient, alice: User, room: Resource
) -> None:
    for hour in range(8, 13):
        make_booking(alice, room, at(hour), at(hour + 0.5), notes="Private", status="pending")
    answer = as_bob.post("/api/bookings/", booking_body(room, at(8), at(14)))
    body = assert_flat_error(answer, 400, "slot_taken", "non_field_errors")
    day = f"{at(0):%Y-%m-%d}"
    (message,) = body["non_field_errors"]
    assert f"{day} 08:00 to 08:30" in message
    assert f"{day} 09:00 to 09:30" in message
    assert f"{day} 10:00 to 10:30" in message
    assert "11:00" not in message
    assert f"{day} 12:30 to 18:30" in message
    assert message.count("UTC") == 2
    assert [set(slot) for slot in body["conflicts"]] == [{"start_time", "end_time"}] * 3
    assert set(body["suggestion"]) == {"start_time", "end_time"}
    for secret in ("alice", "Private", "pending"):
        assert secret not in str(body)


def test_a_slot_over_midnight_names_both_days(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(23), at(25))
    body = as_bob.post("/api/bookings/", booking_body(room, at(23), at(24))).json()
    assert f"{at(23):%Y-%m-%d} 23:00 to {at(25):%Y-%m-%d} 01:00" in body["detail"]


def test_seconds_are_named_where_there_are_any(as_bob: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(10), at(10.5) + timedelta(seconds=7))
    body = as_bob.post("/api/bookings/", booking_body(room, at(10), at(11))).json()
    assert "10:00:00 to 10:30:07" in body["detail"]


@pytest.mark.parametrize(
    ("fraction", "said"),
    [
        pytest.param(654_321, "11:00:00.654321 to 12:00:00.654321", id="microseconds"),
        pytest.param(250_000, "11:00:00.25 to 12:00:00.25", id="no zeros at the end"),
    ],
)
def test_fractions_are_named_where_there_are_any(
    as_bob: APIClient, alice: User, room: Resource, fraction: int, said: str
) -> None:
    odd = timedelta(microseconds=fraction)
    make_booking(alice, room, at(10), at(11) + odd)
    body = as_bob.post("/api/bookings/", booking_body(room)).json()
    day = f"{at(0):%Y-%m-%d}"
    assert f"{day} 10:00:00 to 11:00:00.{str(fraction).rstrip('0')}." in body["detail"]
    assert f"{day} {said}." in body["detail"]
    assert body["suggestion"]["start_time"] == text(at(11) + odd)


# --- Later, earlier, elsewhere ----------------------------------------------------------------------------------------


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


def test_a_refusal_costs_six_statements(as_bob: APIClient, alice: User, room: Resource) -> None:
    for hour in range(20):
        make_booking(alice, room, at(hour))
    with CaptureQueriesContext(connection) as statements:
        as_bob.post("/api/bookings/", booking_body(room))
    counted = [one["sql"] for one in statements if not one["sql"].startswith(("SAVEPOINT", "RELEASE", "ROLLBACK"))]
    assert len(counted) <= 6, counted


# --- Judged by brute force --------------------------------------------------------------------------------------------

NOON = at(12, day=4)
AROUND = timedelta(days=3)


@few
@given(
    here=spans(NOON, most=6, longest_gap=120),
    there=spans(NOON, most=3),
    which=st.integers(0, 5),
    shift=st.integers(-90, 90),
    duration=st.one_of(st.sampled_from([30, 60]), st.integers(1, 240)),
)
def test_each_suggestion_is_the_first_of_its_kind_and_can_be_booked(
    as_bob: APIClient,
    alice: User,
    here: list[oracle.Span],
    there: list[oracle.Span],
    which: int,
    shift: int,
    duration: int,
) -> None:
    Resource.objects.update(is_available=False)  # those of the examples before
    wanted_room, other_room = make_resource("Here", capacity=4), make_resource("There", capacity=6)
    make_resource("Too small", capacity=3)
    for resource, taken in ((wanted_room, here), (other_room, there)):
        for span in taken:
            make_booking(alice, resource, *span)
    start = (here[which % len(here)][0] if here else NOON) + shift * MINUTE
    end = start + duration * MINUTE
    if oracle.is_free(start, end, oracle.taken_minutes(here)):
        return

    answer = as_bob.post("/api/bookings/", booking_body(wanted_room, start, end))

    expected = {
        "later": (wanted_room, oracle.first_slot(start, start + AROUND, here, duration=duration)),
        "earlier": (wanted_room, oracle.last_slot(start - AROUND, start, here, duration=duration)),
    }
    if oracle.is_free(start, end, oracle.taken_minutes(there)):
        expected["elsewhere"] = (other_room, (start, end))
    found = {one["kind"]: one for one in answer.json()["suggestions"]}
    assert {kind: (one["resource"], one["start_time"], one["end_time"]) for kind, one in found.items()} == {
        kind: (resource.pk, *map(text, span or ())) for kind, (resource, span) in expected.items()
    }
    assert [one["kind"] for one in answer.json()["suggestions"]] == list(expected)
    for one in found.values():
        body = {name: one[name] for name in ("resource", "start_time", "end_time")}
        booked = as_bob.post("/api/bookings/", body)
        assert booked.status_code == 201, booked.json()
        Booking.objects.filter(pk=booked.json()["id"]).delete()
