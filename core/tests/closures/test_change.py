"""Changing and lifting a closure, and what becomes of one when a resource or an account goes."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core import errors, lifecycle
from core.choices import OnConflict
from core.intervals import Interval
from core.lifecycle import ClosureChanges
from core.models import Booking, Closure, Resource
from core.tests.support.acts import act
from core.tests.support.closures import AROUND, CANCEL, closed, make_closure
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_resource
from core.tests.support.overlaps import everything
from core.tests.support.records import told

pytestmark = pytest.mark.django_db


def change(closure: Closure, by: User, *, on_conflict: OnConflict = OnConflict.REFUSE, **values: object) -> Closure:
    changes = ClosureChanges(**values)
    return lifecycle.change_closure(closure, changes=changes, on_conflict=on_conflict, act=act(by))


def test_a_longer_closure_takes_the_new_time(admin: User, room: Resource) -> None:
    closure = make_closure(admin, room)
    changed = change(closure, admin, end_time=at(20))
    assert (changed.pk, changed.end_time) == (closure.pk, at(20))
    assert closed(room) == [Interval(at(9), at(20))]


def test_a_closure_moves_to_other_resources(admin: User, room: Resource, lab: Resource) -> None:
    closure = make_closure(admin, room)
    change(closure, admin, resource_ids=[lab.pk])
    assert (closed(room), closed(lab)) == ([], [Interval(at(9), at(17))])
    assert list(closure.resources.all()) == [lab]


def test_a_change_of_words_touches_no_row(
    admin: User, room: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    closure = make_closure(admin, room)
    rows = list(Booking.taken.values())
    changed = change(closure, admin, reason="Paint", staff_note="Fumes", start_time=at(9))
    assert (changed.reason, changed.staff_note) == ("Paint", "Fumes")
    assert list(Booking.taken.values()) == rows
    assert told() == []


@pytest.mark.parametrize("on_conflict", OnConflict)
def test_a_change_meets_bookings_as_a_new_closure_does(
    admin: User, alice: User, room: Resource, on_conflict: OnConflict
) -> None:
    closure = make_closure(admin, room)
    booking = make_booking(alice, room, at(18), at(19))
    before = everything()
    if on_conflict == OnConflict.REFUSE:
        with pytest.raises(errors.ClosureConflicts):
            change(closure, admin, end_time=at(20))
        assert everything() == before
        closure.refresh_from_db()
        assert closure.end_time == at(17)
        return
    change(closure, admin, end_time=at(20), on_conflict=on_conflict)
    booking.refresh_from_db()
    if on_conflict == CANCEL:
        assert (booking.status, closed(room)) == ("cancelled", [Interval(at(9), at(20))])
    else:
        assert booking.status == "confirmed"
        assert closed(room) == [Interval(at(9), at(18)), Interval(at(19), at(20))]


def test_a_running_closure_may_end_now_and_a_later_end_in_the_past_is_refused(admin: User, room: Resource) -> None:
    closure = make_closure(admin, room, start=at(9, day=-3))
    change(closure, admin, end_time=at(10, day=-2))
    assert closed(room) == [Interval(at(9, day=-3), at(10, day=-2))]
    with pytest.raises(errors.ClosureOutOfBounds):
        change(closure, admin, end_time=at(11, day=-2))


def test_a_lifted_closure_cannot_be_changed(admin: User, room: Resource) -> None:
    closure = make_closure(admin, room)
    lifecycle.lift(Closure.objects.get(), now=at(8))
    for values in ({"reason": "Paint"}, {"end_time": at(20)}):
        with pytest.raises(errors.ClosureMissing):
            change(closure, admin, **values)
    with pytest.raises(errors.ClosureMissing):
        lifecycle.lift(closure, now=at(8))


# --- Lifting ----------------------------------------------------------------------------------------------------------


def test_lifting_frees_the_time_and_restores_nothing(admin: User, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    closure = make_closure(admin, room, on_conflict=CANCEL)
    lifecycle.lift(closure, now=at(8))
    assert Closure.objects.count() == 0
    assert list(Booking.taken.values_list("pk", "status")) == [(booking.pk, "cancelled")]
    make_booking(alice, room)


# --- The end of a resource, or of an account --------------------------------------------------------------------------


def test_a_resource_with_closures_alone_can_be_deleted(
    as_admin: APIClient, admin: User, room: Resource, lab: Resource
) -> None:
    shared, alone = make_closure(admin, room, lab), make_closure(admin, room, start=at(18), end=at(19))
    assert as_admin.delete(f"/api/resources/{room.pk}/").status_code == 204
    assert list(Closure.objects.all()) == [shared]
    assert not Closure.objects.filter(pk=alone.pk).exists()
    assert list(shared.resources.all()) == [lab]
    assert closed(lab) == [Interval(at(9), at(17))]


def test_a_resource_with_bookings_keeps_them_and_its_closures(
    as_admin: APIClient, admin: User, alice: User, room: Resource
) -> None:
    make_cancelled_booking(alice, room)
    make_closure(admin, room)
    before = everything()
    assert as_admin.delete(f"/api/resources/{room.pk}/").json()["code"] == "resource_has_bookings"
    assert everything() == before
    assert Closure.objects.count() == 1


def test_the_admin_deletes_a_resource_with_closures_alone(root_pages: Client, admin: User, room: Resource) -> None:
    make_closure(admin, room)
    address = f"/admin/core/resource/{room.pk}/delete/"
    page = root_pages.get(address)
    assert page.status_code == 200
    assert "cannot be deleted" not in page.content.decode()
    assert "would require deleting the following protected" not in page.content.decode()
    assert root_pages.post(address, {"post": "yes"}).status_code == 302
    assert (Resource.objects.count(), Closure.objects.count(), Booking.taken.count()) == (0, 0, 0)


def test_the_admin_counts_bookings_alone_where_it_keeps_a_resource(
    root_pages: Client, admin: User, alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    make_closure(admin, room, start=at(12))
    page = root_pages.get(f"/admin/core/resource/{room.pk}/delete/").content.decode()
    assert "1 booking of Blue room" in page


def test_the_end_of_an_account_opens_nothing(root: User, as_root: APIClient, room: Resource) -> None:
    clerk = User.objects.create_user("clerk", "clerk@example.org", "correct-horse-9-battery", is_staff=True)
    closure = make_closure(clerk, room)
    answer = as_root.delete(f"/api/auth/users/{clerk.pk}/", {"current_password": "correct-horse-9-battery"})
    assert answer.status_code == 204
    closure.refresh_from_db()
    assert closure.created_by is None
    assert closed(room) == [Interval(at(9), at(17))]


def test_around_of_a_change_passes_round_what_it_passed_round_before(admin: User, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    closure = make_closure(admin, room, on_conflict=AROUND)
    change(closure, admin, end_time=at(18), on_conflict=AROUND)
    assert closed(room) == [Interval(at(9), at(10)), Interval(at(11), at(18))]


def test_a_deletion_of_other_resources_leaves_closures(as_admin: APIClient, admin: User, room: Resource) -> None:
    make_closure(admin, room)
    other = make_resource("Other")
    assert as_admin.delete(f"/api/resources/{other.pk}/").status_code == 204
    assert Closure.objects.count() == 1
