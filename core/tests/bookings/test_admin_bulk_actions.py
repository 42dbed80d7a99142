"""The bulk actions of the admin: row by row through the verbs, with a report."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from core import events
from core.models import Booking, Resource
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
    make_rejected_booking,
    make_resource,
)

LIST = "/admin/core/booking/"
ASKING = ("reject", "cancel")


def run(pages: Client, action: str, *bookings: Booking, **more: object) -> list[tuple[str, str]]:
    """What the report says: level and sentence."""
    body = {"action": action, "_selected_action": [booking.pk for booking in bookings], **more}
    if action in ASKING:
        before = list(Booking.objects.order_by("pk").values())
        page = pages.post(LIST, body)
        assert all(str(booking) in page.content.decode() for booking in bookings)
        assert list(Booking.objects.order_by("pk").values()) == before
        body["post"] = "yes"
    answer = pages.post(LIST, body)
    assert answer.status_code == 302, answer.content
    return [(message.level_tag, message.message) for message in get_messages(answer.wsgi_request)]


def status_of(booking: Booking) -> str:
    return Booking.objects.get(pk=booking.pk).status


def test_two_bookings_are_confirmed(admin_pages: Client, alice: User, lab: Resource) -> None:
    first, second = make_pending_booking(alice, lab), make_pending_booking(alice, lab, at(12))
    assert run(admin_pages, "confirm", first, second) == [("success", "2 bookings confirmed.")]
    assert [status_of(first), status_of(second)] == ["confirmed", "confirmed"]


@pytest.mark.parametrize(
    ("action", "make", "status"),
    [
        ("confirm", make_pending_booking, "confirmed"),
        ("confirm", make_cancelled_booking, "confirmed"),
        ("reject", make_pending_booking, "rejected"),
        ("reject", make_booking, "rejected"),
        ("cancel", make_pending_booking, "cancelled"),
        ("cancel", make_ended_booking, "cancelled"),
    ],
)
def test_each_action_leads_to_its_status(
    admin_pages: Client, alice: User, room: Resource, action: str, make: object, status: str
) -> None:
    booking = make(alice, room)
    assert run(admin_pages, action, booking) == [("success", f"1 booking {status}.")]
    assert status_of(booking) == status


@pytest.mark.parametrize(
    ("action", "make"),
    [("confirm", make_booking), ("reject", make_rejected_booking), ("cancel", make_rejected_booking)],
)
def test_what_needs_nothing_is_left_alone(
    admin_pages: Client, alice: User, room: Resource, action: str, make: object
) -> None:
    booking = make(alice, room)
    assert run(admin_pages, action, booking) == [("info", "1 booking was left as before: nothing to do there.")]
    assert (status_of(booking), LogEntry.objects.count()) == (booking.status, 0)


def test_a_refusal_is_reported_with_its_reason_and_stops_nothing_else(
    admin_pages: Client, alice: User, bob: User, room: Resource, lab: Resource
) -> None:
    make_booking(alice, room)
    rival, fine = make_cancelled_booking(bob, room), make_pending_booking(bob, lab)
    (told, refused) = run(admin_pages, "confirm", rival, fine)
    assert told == ("success", "1 booking confirmed.")
    assert refused[0] == "error"
    assert refused[1].startswith(
        f"Not done: Booking {rival.pk} (Blue room, {at(10):%Y-%m-%d} 10:00–11:00 UTC, bob): This resource is "
        "already booked during the selected time."
    )
    assert [status_of(rival), status_of(fine)] == ["cancelled", "confirmed"]


def test_a_booking_is_not_revived_on_a_resource_out_of_service(admin_pages: Client, alice: User) -> None:
    booking = make_cancelled_booking(alice, make_resource(is_available=False))
    ((level, sentence),) = run(admin_pages, "confirm", booking)
    assert (level, "out of service" in sentence, status_of(booking)) == ("error", True, "cancelled")


def test_many_refusals_are_counted(admin_pages: Client, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    rivals = [make_cancelled_booking(alice, room) for _ in range(13)]
    report = run(admin_pages, "confirm", *rivals)
    assert len(report) == 11
    assert report[-1] == ("error", "3 more were refused.")


def test_all_that_match_the_filter_are_meant_when_said_so(
    admin_pages: Client, alice: User, room: Resource, lab: Resource
) -> None:
    here, elsewhere = make_pending_booking(alice, room), make_pending_booking(alice, lab)
    body = {"action": "confirm", "select_across": "1", "_selected_action": [here.pk]}
    admin_pages.post(f"{LIST}?resource__id__exact={room.pk}", body)
    assert [status_of(here), status_of(elsewhere)] == ["confirmed", "pending"]


def test_all_of_the_page_of_today_are_those_of_today(admin_pages: Client, alice: User, lab: Resource) -> None:
    now = timezone.now()
    today = make_pending_booking(alice, lab, now)
    later = make_pending_booking(alice, lab, now + timedelta(days=3))
    admin_pages.post(LIST, {"action": "confirm", "select_across": "1", "_selected_action": [today.pk]})
    assert [status_of(today), status_of(later)] == ["confirmed", "pending"]


def test_a_bulk_action_is_told_like_any_other_change(
    admin_pages: Client, admin: User, alice: User, lab: Resource, heard: list
) -> None:
    booking = make_pending_booking(alice, lab)
    run(admin_pages, "confirm", booking)
    (told,) = heard
    assert (type(told), told.before.status, told.after.status) == (events.BookingChanged, "pending", "confirmed")
    assert told.by.pk == admin.pk


def test_the_history_says_who_did_what(admin_pages: Client, admin: User, alice: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    run(admin_pages, "reject", booking)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin, str(booking.pk))
    assert entry.get_change_message() == "Status changed from pending to rejected."


def test_bookings_are_removed_in_bulk(admin_pages: Client, alice: User, room: Resource) -> None:
    first, second, third = make_booking(alice, room), make_ended_booking(alice, room), make_booking(alice, room, at(15))
    assert run(admin_pages, "delete_selected", first, second, post="yes") == [("success", "2 bookings deleted.")]
    assert Booking.objects.get() == third
    assert LogEntry.objects.count() == 2


def test_removal_in_bulk_asks_first(admin_pages: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    answer = admin_pages.post(LIST, {"action": "delete_selected", "_selected_action": [booking.pk]})
    assert (answer.status_code, Booking.objects.count()) == (200, 1)
    assert "Are you sure" in answer.content.decode()


@pytest.mark.parametrize("key", ["x", "\0", "-1", "9" * 30, "²"])
@pytest.mark.parametrize("action", ["confirm", "delete_selected"])
def test_a_selection_that_cannot_be_read_changes_nothing(
    admin_pages: Client, alice: User, lab: Resource, action: str, key: str
) -> None:
    booking = make_pending_booking(alice, lab)
    answer = admin_pages.post(LIST, {"action": action, "_selected_action": [booking.pk, key], "post": "yes"})
    assert (answer.status_code, status_of(booking)) == (302, "pending")


@pytest.mark.parametrize("action", ["", "explode", "\0", "__init__"])
def test_an_unknown_action_changes_nothing(admin_pages: Client, alice: User, lab: Resource, action: str) -> None:
    booking = make_pending_booking(alice, lab)
    body = {"action": action, "_selected_action": [booking.pk], "index": "x", "select_across": "x"}
    assert admin_pages.post(LIST, body).status_code == 302
    assert status_of(booking) == "pending"
