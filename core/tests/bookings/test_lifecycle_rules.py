"""The rules at their boundaries, with a clock of the tests' own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from core import errors, lifecycle
from core.choices import BookingStatus
from core.conflicts import NotFree
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_rejected_booking
from core.tests.support.overlaps import everything

NOW = at(8)
MOMENT = timedelta(microseconds=1)
LEAD = timedelta(minutes=30)
HOUR = timedelta(hours=1)
FIVE_YEARS = timedelta(days=1826)
PENDING, CONFIRMED, CANCELLED, REJECTED = BookingStatus.values


def book(
    user: User,
    resource: Resource,
    start: datetime,
    end: datetime | None = None,
    *,
    by: User | None = None,
    now: datetime = NOW,
    **more: object,
) -> Booking:
    asked = {"user": user, "resource_id": resource.pk, "start_time": start, "end_time": end or start + HOUR}
    return lifecycle.book(**{**asked, **more}, act=act(by or user, now))


def change(booking: Booking, by: User, *, now: datetime = NOW, **wanted: object) -> Booking:
    changed = lifecycle.change(booking, changes=Changes(**wanted), act=act(by, now))
    stored = Booking.objects.get(pk=booking.pk)
    for name in ("start_time", "end_time", "status", "notes", "resource_id"):
        assert getattr(changed, name) == getattr(stored, name), "the answer is what is stored"
    return stored


def refused(error: type[errors.BookingError], verb: Callable[..., object], *args: object, **kwargs: object) -> None:
    before = everything()
    with pytest.raises(errors.BookingError) as caught:
        verb(*args, **kwargs)
    assert type(caught.value) is error
    assert not isinstance(caught.value.__context__, IntegrityError), "the check finds it first"
    assert everything() == before


# --- Rule 1: the lead time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [NOW + LEAD, NOW + LEAD + MOMENT], ids=["exactly", "a moment more"])
def test_a_booking_starts_after_the_lead_time(alice: User, room: Resource, start: datetime) -> None:
    assert book(alice, room, start).start_time == start


@pytest.mark.parametrize(
    ("start", "error"),
    [
        (NOW + LEAD - MOMENT, errors.StartTooSoon),
        (NOW, errors.StartTooSoon),
        (NOW - MOMENT, errors.StartInPast),
        (NOW - 24 * HOUR, errors.StartInPast),
    ],
    ids=["a moment too soon", "now", "a moment ago", "yesterday"],
)
def test_a_booking_that_starts_too_soon_is_refused_to_staff_too(
    alice: User, admin: User, room: Resource, start: datetime, error: type[errors.BookingError]
) -> None:
    refused(error, book, alice, room, start)
    refused(error, book, admin, room, start)


def test_staff_record_what_was_without_a_lead_time(alice: User, admin: User, room: Resource) -> None:
    assert book(alice, room, NOW - 24 * HOUR, by=admin, as_record=True).start_time == NOW - 24 * HOUR


def test_an_owner_moves_the_start_to_the_lead_time_exactly(alice: User, room: Resource) -> None:
    assert change(make_booking(alice, room), alice, start_time=NOW + LEAD).start_time == NOW + LEAD


@pytest.mark.parametrize(
    ("start", "error"),
    [(NOW + LEAD - MOMENT, errors.StartTooSoon), (NOW - MOMENT, errors.StartInPast)],
    ids=["a moment too soon", "a moment ago"],
)
def test_an_owner_cannot_move_the_start_too_near(
    alice: User, room: Resource, start: datetime, error: type[errors.BookingError]
) -> None:
    refused(error, change, make_booking(alice, room), alice, start_time=start)


def test_staff_move_the_start_into_the_past(alice: User, admin: User, room: Resource) -> None:
    assert change(make_booking(alice, room), admin, start_time=NOW - HOUR).start_time == NOW - HOUR


@pytest.mark.parametrize(("end", "fits"), [(NOW + MOMENT, True), (NOW, False), (NOW - MOMENT, False)], ids=str)
def test_an_owner_ends_what_has_begun_after_now(alice: User, room: Resource, end: datetime, fits: bool) -> None:
    begun = make_booking(alice, room, NOW - HOUR, NOW + HOUR)
    if fits:
        assert change(begun, alice, end_time=end).end_time == end
    else:
        refused(errors.EndInPast, change, begun, alice, end_time=end)


def test_an_owner_moves_the_end_of_what_has_begun(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert change(booking, alice, now=at(10.5), end_time=at(12)).end_time == at(12)


# --- Rule 2: end after start, and the five years ----------------------------------------------------------------------


@pytest.mark.parametrize("end", [at(10), at(10) - MOMENT, at(9)], ids=["the same", "a moment before", "an hour before"])
def test_an_end_that_is_not_after_the_start_is_refused(alice: User, admin: User, room: Resource, end: datetime) -> None:
    refused(errors.EndNotAfterStart, book, alice, room, at(10), end)
    booking = make_booking(alice, room)
    refused(errors.EndNotAfterStart, change, booking, alice, end_time=end)
    refused(errors.EndNotAfterStart, change, booking, admin, end_time=end)
    refused(errors.EndNotAfterStart, change, booking, alice, start_time=at(11))
    cancelled = make_cancelled_booking(alice, room)
    refused(errors.EndNotAfterStart, change, cancelled, admin, end_time=end)


def test_the_shortest_booking_lasts_a_moment(alice: User, room: Resource) -> None:
    assert book(alice, room, at(10), at(10) + MOMENT).end_time == at(10) + MOMENT


def test_a_booking_ends_five_years_from_now_exactly(alice: User, room: Resource) -> None:
    end = NOW + FIVE_YEARS
    booking = book(alice, room, end - HOUR, end)
    assert change(booking, alice, start_time=end - 2 * HOUR, end_time=end - HOUR).end_time == end - HOUR
    assert change(booking, alice, end_time=end).end_time == end


def test_a_booking_that_ends_a_moment_later_is_refused(alice: User, admin: User, room: Resource) -> None:
    end = NOW + FIVE_YEARS + MOMENT
    refused(errors.TooFarAhead, book, alice, room, end - HOUR, end)
    refused(errors.TooFarAhead, book, alice, room, end - HOUR, end, by=admin, as_record=True)
    booking = make_booking(alice, room)
    refused(errors.TooFarAhead, change, booking, alice, end_time=end)
    refused(errors.TooFarAhead, change, booking, admin, end_time=end)


def test_a_record_of_staff_starts_in_the_year_1900_at_the_earliest(alice: User, admin: User, room: Resource) -> None:
    earliest = datetime(1900, 1, 1, tzinfo=UTC)
    booking = book(alice, room, earliest, by=admin, as_record=True)
    assert change(booking, admin, notes="Long ago.").start_time == earliest
    refused(errors.TooLongAgo, book, alice, room, earliest - MOMENT, by=admin, as_record=True)
    refused(errors.TooLongAgo, change, booking, admin, start_time=earliest - HOUR)
    refused(errors.TooLongAgo, change, make_booking(alice, room), admin, start_time=datetime(1, 1, 1, tzinfo=UTC))
    Booking.objects.filter(pk=booking.pk).update(start_time=earliest - MOMENT)
    assert change(booking, admin, notes="What is stored may stay.").start_time == earliest - MOMENT


def test_a_violation_of_a_constraint_is_answered_like_the_check(
    alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.rules.slots.RULES", ())
    before = everything()
    with pytest.raises(errors.EndNotAfterStart) as caught:
        book(alice, room, at(11), at(10))
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert everything() == before


# --- Rule 3: the free slot --------------------------------------------------------------------------------------------

OVERLAPS = {
    "the same": (at(10), at(12)),
    "inside": (at(10.5), at(11)),
    "around": (at(9), at(13)),
    "over the start by a moment": (at(9), at(10) + MOMENT),
    "over the end by a moment": (at(12) - MOMENT, at(13)),
}


@pytest.mark.parametrize("slot", OVERLAPS.values(), ids=OVERLAPS.keys())
@pytest.mark.parametrize("status", [PENDING, CONFIRMED])
def test_a_taken_slot_is_refused_by_the_check_that_names_it(
    alice: User, bob: User, admin: User, room: Resource, slot: tuple[datetime, datetime], status: str
) -> None:
    make_booking(bob, room, at(10), at(12), status=status)
    free = make_booking(alice, room, at(10, day=2))
    cancelled = make_booking(alice, room, *slot, status=CANCELLED)
    for verb in (
        lambda: book(alice, room, *slot),
        lambda: book(alice, room, *slot, status=PENDING, by=admin),
        lambda: change(free, alice, start_time=slot[0], end_time=slot[1]),
        lambda: change(free, admin, start_time=slot[0], end_time=slot[1]),
        lambda: change(cancelled, alice, status=PENDING),
        lambda: change(cancelled, admin, status=CONFIRMED),
    ):
        before = everything()
        with pytest.raises(errors.SlotTaken) as caught:
            verb()
        assert [(clash.start, clash.end) for clash in caught.value.conflicts] == [(at(10), at(12))]
        conflict = caught.value.__cause__
        assert isinstance(conflict, NotFree)
        assert conflict.__cause__ is None, "the check finds it, before the database has to"
        assert everything() == before


@pytest.mark.parametrize("slot", [(at(9), at(10)), (at(12), at(13))], ids=["before", "after"])
def test_a_slot_that_touches_another_is_free(
    alice: User, bob: User, room: Resource, slot: tuple[datetime, datetime]
) -> None:
    make_booking(bob, room, at(10), at(12))
    cancelled = make_booking(alice, room, *slot, status=CANCELLED)
    moving = make_booking(alice, room, at(10, day=2))
    change(moving, alice, start_time=slot[0], end_time=slot[1])
    change(moving, alice, status=CANCELLED)
    assert change(cancelled, alice, status=PENDING).status == PENDING
    change(cancelled, alice, status=CANCELLED)
    assert book(alice, room, *slot).blocks


def test_a_booking_does_not_clash_with_itself(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert change(booking, alice, start_time=at(9.5)).start_time == at(9.5)
    assert change(booking, alice, end_time=at(10.5)).end_time == at(10.5)


def test_a_booking_that_does_not_block_is_moved_anywhere(alice: User, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    booking = make_cancelled_booking(alice, room, at(15))
    assert change(booking, alice, start_time=at(10), end_time=at(11)).start_time == at(10)


def test_staff_record_a_booking_that_does_not_block_in_a_taken_slot(
    alice: User, bob: User, admin: User, room: Resource
) -> None:
    make_booking(bob, room)
    assert book(alice, room, at(10), status=REJECTED, by=admin).status == REJECTED


@pytest.mark.parametrize("taken", [1, 3, 4])
def test_at_most_three_clashes_are_named(alice: User, bob: User, room: Resource, taken: int) -> None:
    for hour in range(taken):
        make_booking(bob, room, at(10 + hour))
    with pytest.raises(errors.SlotTaken) as caught:
        book(alice, room, at(10), at(20))
    assert [slot.start for slot in caught.value.conflicts] == [at(10 + hour) for hour in range(min(taken, 3))]


# --- Rule 4: out of service -------------------------------------------------------------------------------------------


def out_of_service(resource: Resource) -> Resource:
    Resource.objects.filter(pk=resource.pk).update(is_available=False)
    return resource


def test_what_is_out_of_service_cannot_be_booked_by_anybody(alice: User, admin: User, room: Resource) -> None:
    out_of_service(room)
    refused(errors.ResourceOutOfService, book, alice, room, at(10))
    refused(errors.ResourceOutOfService, book, admin, room, at(10))
    refused(errors.ResourceOutOfService, book, alice, room, at(10), by=admin, as_record=True)


def test_a_blocking_booking_cannot_be_moved_on_or_to_what_is_out_of_service(
    alice: User, admin: User, room: Resource, lab: Resource
) -> None:
    on_it, elsewhere = make_booking(alice, room), make_booking(alice, lab)
    out_of_service(room)
    for user in (alice, admin):
        refused(errors.ResourceOutOfService, change, on_it, user, start_time=at(9.5))
        refused(errors.ResourceOutOfService, change, on_it, user, end_time=at(12))
        refused(errors.ResourceOutOfService, change, elsewhere, user, resource_id=room.pk, start_time=at(9))


def test_a_booking_cannot_be_revived_on_what_is_out_of_service(alice: User, admin: User, room: Resource) -> None:
    cancelled, rejected = make_cancelled_booking(alice, room), make_rejected_booking(alice, room, at(12))
    out_of_service(room)
    refused(errors.ResourceOutOfService, change, cancelled, alice, status=PENDING)
    refused(errors.ResourceOutOfService, change, cancelled, admin, status=CONFIRMED)
    refused(errors.ResourceOutOfService, change, rejected, admin, status=PENDING)


def test_what_is_there_can_be_confirmed_rejected_cancelled_or_taken_away(
    alice: User, admin: User, room: Resource, lab: Resource
) -> None:
    first, second = make_booking(alice, lab, status=PENDING), make_booking(alice, lab, at(12), status=PENDING)
    out_of_service(lab)
    assert change(first, admin, status=CONFIRMED).status == CONFIRMED
    assert change(second, admin, status=REJECTED).status == REJECTED
    assert change(first, alice, resource_id=room.pk).resource == room
    assert change(first, alice, status=CANCELLED).status == CANCELLED


def test_a_booking_that_does_not_block_is_moved_on_what_is_out_of_service(alice: User, room: Resource) -> None:
    booking = make_cancelled_booking(alice, room)
    out_of_service(room)
    assert change(booking, alice, start_time=at(9)).start_time == at(9)


# --- Rule 5: a change as a whole --------------------------------------------------------------------------------------


def test_the_notes_are_edited_whatever_became_of_the_slot(alice: User, room: Resource) -> None:
    booking, cancelled = make_booking(alice, room), make_cancelled_booking(alice, room)
    out_of_service(room)
    assert change(booking, alice, notes="For two").notes == "For two"
    assert change(cancelled, alice, notes="Was for two").notes == "Was for two"


def test_the_notes_of_what_has_begun_or_is_near_are_edited(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert change(booking, alice, now=at(9.9), notes="Soon").notes == "Soon"
    assert change(booking, alice, now=at(10.5), notes="Now", start_time=at(10), end_time=at(11)).notes == "Now"


def test_each_field_alone_is_checked_with_what_is_stored(alice: User, bob: User, room: Resource, lab: Resource) -> None:
    make_booking(bob, room, at(12))
    make_booking(bob, lab, at(10))
    booking = make_booking(alice, room)
    refused(errors.SlotTaken, change, booking, alice, end_time=at(12) + MOMENT)
    refused(errors.SlotTaken, change, booking, alice, resource_id=lab.pk)
    late = make_booking(alice, room, at(13))
    refused(errors.SlotTaken, change, late, alice, start_time=at(12.5))


def test_a_missing_resource_is_no_place_to_go(alice: User, room: Resource) -> None:
    refused(errors.ResourceMissing, change, make_booking(alice, room), alice, resource_id=room.pk + 999)
    refused(errors.ResourceMissing, book, alice, room, at(15), resource_id=room.pk + 999)


@pytest.mark.parametrize("difference", [MOMENT, timedelta(microseconds=999)], ids=["a moment", "nearly a millisecond"])
@pytest.mark.parametrize("sign", [1, -1], ids=["later", "earlier"])
def test_less_than_a_millisecond_is_no_move(alice: User, lab: Resource, difference: timedelta, sign: int) -> None:
    stored = make_booking(alice, lab)
    out_of_service(lab)
    sent = {"start_time": at(10) + sign * difference, "end_time": at(11) + sign * difference}
    changed = change(stored, alice, **sent, notes="Same")
    assert (changed.start_time, changed.end_time, changed.status) == (at(10), at(11), CONFIRMED)
    assert changed.notes == "Same"


@pytest.mark.parametrize("sign", [1, -1], ids=["later", "earlier"])
def test_a_millisecond_is_a_move(alice: User, lab: Resource, sign: int) -> None:
    wanted = at(10) + sign * timedelta(milliseconds=1)
    changed = change(make_booking(alice, lab), alice, start_time=wanted, end_time=wanted + HOUR)
    assert (changed.start_time, changed.status) == (wanted, PENDING)


# --- Rule 6: the status -----------------------------------------------------------------------------------------------

# What an owner may do: from, to, whether the resource requires approval.
OWNERS_WAYS = {
    (PENDING, CANCELLED, True),
    (PENDING, CANCELLED, False),
    (CONFIRMED, CANCELLED, True),
    (CONFIRMED, CANCELLED, False),
    (CANCELLED, PENDING, True),
    (CANCELLED, PENDING, False),
    (PENDING, CONFIRMED, False),
    (CANCELLED, CONFIRMED, False),
} | {(status, status, approval) for status in BookingStatus.values for approval in (True, False)}


@pytest.mark.parametrize("approval", [True, False], ids=["approval", "no approval"])
@pytest.mark.parametrize("wanted", BookingStatus.values)
@pytest.mark.parametrize("current", BookingStatus.values)
def test_the_ways_of_the_status(
    alice: User, admin: User, room: Resource, lab: Resource, current: str, wanted: str, approval: bool
) -> None:
    resource = lab if approval else room
    booking = make_booking(alice, resource, status=current)
    if (current, wanted, approval) in OWNERS_WAYS:
        assert change(booking, alice, status=wanted).status == wanted
    else:
        refused(errors.StatusNotAllowed, change, booking, alice, status=wanted)
    assert change(booking, admin, status=wanted).status == wanted


@pytest.mark.parametrize(
    ("approval", "asked", "given"),
    [
        (True, None, PENDING),
        (True, PENDING, PENDING),
        (False, None, CONFIRMED),
        (False, PENDING, PENDING),
        (False, CONFIRMED, CONFIRMED),
    ],
)
def test_the_status_of_a_new_booking(
    alice: User, room: Resource, lab: Resource, approval: bool, asked: str | None, given: str
) -> None:
    assert book(alice, lab if approval else room, at(10), status=asked).status == given


@pytest.mark.parametrize(
    ("approval", "asked"),
    [(True, CONFIRMED), (True, CANCELLED), (True, REJECTED), (False, CANCELLED), (False, REJECTED)],
)
def test_the_status_that_only_staff_may_give_a_new_booking(
    alice: User, admin: User, room: Resource, lab: Resource, approval: bool, asked: str
) -> None:
    resource = lab if approval else room
    refused(errors.StatusNotAllowed, book, alice, resource, at(10), status=asked)
    assert book(alice, resource, at(10), status=asked, by=admin).status == asked


MOVES = {
    "the start": {"start_time": at(9)},
    "the end": {"end_time": at(12)},
    "the start, sending confirmed": {"start_time": at(9), "status": CONFIRMED},
    "the start, sending pending": {"start_time": at(9), "status": PENDING},
}


@pytest.mark.parametrize("wanted", MOVES.values(), ids=MOVES.keys())
def test_a_confirmed_booking_that_its_owner_moves_is_pending_again(
    alice: User, lab: Resource, wanted: dict[str, object]
) -> None:
    assert change(make_booking(alice, lab), alice, **wanted).status == PENDING


def test_a_confirmed_booking_taken_to_a_resource_that_requires_approval_is_pending(
    alice: User, room: Resource, lab: Resource
) -> None:
    assert change(make_booking(alice, room), alice, resource_id=lab.pk).status == PENDING


def test_a_confirmed_booking_taken_to_a_resource_without_approval_stays_confirmed(
    alice: User, room: Resource, lab: Resource
) -> None:
    assert change(make_booking(alice, lab), alice, resource_id=room.pk).status == CONFIRMED


def test_a_confirmed_booking_that_its_owner_moves_without_approval_stays_confirmed(alice: User, room: Resource) -> None:
    assert change(make_booking(alice, room), alice, start_time=at(9)).status == CONFIRMED


def test_a_confirmed_booking_is_moved_and_cancelled_at_once(alice: User, lab: Resource) -> None:
    assert change(make_booking(alice, lab), alice, start_time=at(9), status=CANCELLED).status == CANCELLED


def test_a_confirmed_booking_that_staff_move_stays_confirmed(alice: User, admin: User, lab: Resource) -> None:
    assert change(make_booking(alice, lab), admin, start_time=at(9)).status == CONFIRMED


def test_a_confirmed_booking_that_is_not_moved_stays_confirmed(alice: User, lab: Resource) -> None:
    assert change(make_booking(alice, lab), alice, notes="Same time").status == CONFIRMED


def test_a_confirmed_booking_that_is_not_moved_cannot_be_made_pending(alice: User, lab: Resource) -> None:
    refused(errors.StatusNotAllowed, change, make_booking(alice, lab), alice, status=PENDING)


@pytest.mark.parametrize("status", [PENDING, CANCELLED, REJECTED])
def test_another_booking_that_is_moved_keeps_its_status(alice: User, lab: Resource, status: str) -> None:
    assert change(make_booking(alice, lab, status=status), alice, start_time=at(9)).status == status


# --- Rule 7: history --------------------------------------------------------------------------------------------------


def test_an_owner_changes_and_cancels_up_to_the_last_moment(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    assert change(booking, alice, now=at(11) - MOMENT, notes="Still").notes == "Still"
    assert lifecycle.cancel(booking, act=act(alice, at(11) - MOMENT)).status == CANCELLED


@pytest.mark.parametrize("now", [at(11), at(11) + MOMENT, at(11, day=9)], ids=["at its end", "after", "days after"])
def test_an_owner_cannot_touch_what_has_ended(alice: User, room: Resource, now: datetime) -> None:
    booking = make_booking(alice, room)
    refused(errors.BookingEnded, change, booking, alice, now=now, notes="Late")
    refused(errors.BookingEnded, change, booking, alice, now=now, status=CANCELLED)
    refused(errors.BookingEnded, lifecycle.cancel, booking, act=act(alice, now))
    assert Booking.objects.get().notes == ""


def test_staff_change_and_cancel_what_has_ended(alice: User, admin: User, room: Resource) -> None:
    booking, now = make_booking(alice, room), at(11, day=9)
    changed = change(booking, admin, now=now, notes="Was shorter", end_time=at(10.5))
    assert (changed.notes, changed.end_time) == ("Was shorter", at(10.5))
    assert lifecycle.cancel(booking, act=act(admin, now)).status == CANCELLED


@pytest.mark.parametrize("make", [make_cancelled_booking, make_rejected_booking], ids=["cancelled", "rejected"])
def test_cancelling_what_holds_nothing_changes_nothing(
    alice: User, room: Resource, make: Callable[[User, Resource], Booking]
) -> None:
    booking = make(alice, room)
    for now in (NOW, at(11, day=9)):
        assert lifecycle.cancel(booking, act=act(alice, now)).status == booking.status
    assert Booking.objects.get().status == booking.status


def test_what_was_deleted_meanwhile_is_missing(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    Booking.objects.all().delete()
    booking.pk = 1
    refused(errors.BookingMissing, change, booking, alice, notes="Late")
    refused(errors.BookingMissing, lifecycle.cancel, booking, act=act(alice, NOW))
    refused(errors.BookingMissing, lifecycle.remove, booking, act=act(alice, NOW))
