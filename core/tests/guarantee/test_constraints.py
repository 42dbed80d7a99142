"""What the database refuses becomes a domain error, and `full_clean` says the same before."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from core import errors
from core.constraints import as_booking_error
from core.models import Booking, Resource, UserProfile
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_resource, make_user


def refusal_of(write: Callable[[], object]) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        write()
    return caught.value


def overlap(user: User, room: Resource) -> None:
    make_booking(user, room)
    make_booking(user, room)


VIOLATIONS: dict[str, tuple[Callable[[User, Resource], object], type[errors.BookingError]]] = {
    "overlap": (overlap, errors.SlotTaken),
    "end before start": (lambda user, room: make_booking(user, room, at(11), at(10)), errors.EndNotAfterStart),
    "unknown status": (lambda user, room: make_booking(user, room, status="maybe"), errors.StatusNotAllowed),
    "capacity 0": (lambda user, room: make_resource(capacity=0), errors.CapacityTooSmall),
    "the same user name": (lambda user, room: make_user("alice", email="a@example.org"), errors.UsernameTaken),
    "a user name in other case": (lambda user, room: make_user("ALICE", email="a@example.org"), errors.UsernameTaken),
    "the same address": (lambda user, room: make_user("carol", email="alice@example.org"), errors.EmailTaken),
    "an address in other case": (
        lambda user, room: User.objects.bulk_create([User(username="carol", email="Alice@Example.org")]),
        errors.EmailTaken,
    ),
}


@pytest.mark.parametrize(("write", "kind"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_a_violation_becomes_the_error_that_a_check_would_give(
    alice: User, room: Resource, write: Callable[[User, Resource], object], kind: type[errors.BookingError]
) -> None:
    error = as_booking_error(refusal_of(lambda: write(alice, room)))
    assert type(error) is kind
    assert error.message


def test_a_violation_of_another_rule_is_none_of_ours(alice: User) -> None:
    assert as_booking_error(refusal_of(lambda: Resource.objects.bulk_create([Resource(name=None)]))) is None


@pytest.mark.parametrize("name", ["core_booking_no_overlap", "core_user_email_folded", "a\ncore_booking_no_overlap"])
def test_a_user_name_like_a_constraint_is_taken_like_any_other(db: None, name: str) -> None:
    make_user(name, email="a@example.org")
    error = as_booking_error(refusal_of(lambda: make_user(name, email="b@example.org")))
    assert type(error) is errors.UsernameTaken


def checked_at_once(write: Callable[[], object]) -> Callable[[], None]:
    """A foreign key is checked at the commit; this asks for it before."""

    def writing() -> None:
        write()
        connection.check_constraints()

    return writing


@pytest.mark.only_on_postgresql
def test_a_missing_resource_or_user_is_named_on_postgresql(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    rows = Booking.objects.filter(pk=booking.pk)
    no_resource = refusal_of(checked_at_once(lambda: rows.update(resource_id=room.pk + 999)))
    assert type(as_booking_error(no_resource)) is errors.ResourceMissing
    no_user = refusal_of(checked_at_once(lambda: rows.update(user_id=alice.pk + 999)))
    assert type(as_booking_error(no_user)) is errors.UserMissing


@pytest.mark.only_on_postgresql
def test_who_deletes_a_resource_or_a_user_just_booked_is_told_no_wrong_reason_on_postgresql(
    alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    UserProfile.objects.all().delete()
    connection.check_constraints()
    rooms, users = Resource.objects.filter(pk=room.pk), User.objects.filter(pk=alice.pk)
    no_deletion = refusal_of(checked_at_once(lambda: rooms._raw_delete("default")))
    assert type(as_booking_error(no_deletion)) is errors.ResourceHasBookings
    no_departure = refusal_of(checked_at_once(lambda: users._raw_delete("default")))
    assert as_booking_error(no_departure) is None, "a conflict, since the next try takes the booking along"


# --- full_clean -------------------------------------------------------------------------------------------------------


def test_full_clean_takes_a_slot_beside_another(alice: User, room: Resource) -> None:
    make_booking(alice, room)
    Booking(user=alice, resource=room, start_time=at(11), end_time=at(12)).full_clean()
    Booking(user=alice, resource=room, start_time=at(9), end_time=at(10)).full_clean()


def test_full_clean_takes_a_booking_that_is_stored_itself(alice: User, room: Resource) -> None:
    make_booking(alice, room).full_clean()


@pytest.mark.parametrize("status", ["cancelled", "rejected"])
def test_full_clean_takes_an_overlap_that_does_not_block(alice: User, room: Resource, status: str) -> None:
    make_booking(alice, room)
    Booking(user=alice, resource=room, start_time=at(10), end_time=at(11), status=status).full_clean()


def test_full_clean_takes_what_overlaps_a_cancelled_one_or_another_resource(
    alice: User, room: Resource, lab: Resource
) -> None:
    make_cancelled_booking(alice, room)
    make_booking(alice, lab)
    Booking(user=alice, resource=room, start_time=at(10), end_time=at(11)).full_clean()


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_full_clean_refuses_an_overlap(alice: User, room: Resource, status: str) -> None:
    make_booking(alice, room)
    with pytest.raises(ValidationError) as caught:
        Booking(user=alice, resource=room, start_time=at(10.5), end_time=at(11.5), status=status).full_clean()
    assert caught.value.message_dict == {"__all__": ["This resource is already booked during the selected time."]}
    assert caught.value.error_dict["__all__"][0].code == "slot_taken"


def test_full_clean_refuses_an_end_before_the_start_and_says_nothing_of_overlaps(alice: User, room: Resource) -> None:
    make_booking(alice, room)
    with pytest.raises(ValidationError) as caught:
        Booking(user=alice, resource=room, start_time=at(10.5), end_time=at(10.5)).full_clean()
    assert caught.value.message_dict == {"__all__": ["The end must be after the start."]}


def test_full_clean_of_a_form_without_the_slot_says_nothing_of_overlaps(alice: User, room: Resource) -> None:
    make_booking(alice, room)
    booking = Booking(user=alice, resource=room, start_time=at(10), end_time=at(11))
    booking.full_clean(exclude=["start_time"])
