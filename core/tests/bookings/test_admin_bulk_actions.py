"""The bulk actions of the admin: row by row through the verbs, with a report."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
    make_rejected_booking,
)
from core.tests.support.mailing import deliver
from core.tests.support.records import recorded, told

LIST = "/admin/core/booking/"
ASKING = ("reject", "cancel")


def run(pages: Client, action: str, *bookings: Booking, query: str = "", **more: object) -> list[tuple[str, str]]:
    """What the report says: level and sentence."""
    body = {"action": action, "_selected_action": [booking.pk for booking in bookings], **more}
    if action in ASKING:
        before = list(Booking.objects.order_by("pk").values())
        page = pages.post(LIST + query, body)
        assert all(str(booking) in page.content.decode() for booking in bookings)
        assert list(Booking.objects.order_by("pk").values()) == before
        body["post"] = "yes"
    answer = pages.post(LIST + query, body)
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
        ("reject", make_pending_booking, "rejected"),
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
    [
        ("confirm", make_booking),
        ("confirm", make_cancelled_booking),
        ("confirm", make_rejected_booking),
        ("reject", make_booking),
        ("reject", make_cancelled_booking),
        ("cancel", make_rejected_booking),
    ],
)
def test_what_is_in_another_state_by_then_is_left_and_named(
    admin_pages: Client, alice: User, room: Resource, action: str, make: object
) -> None:
    booking = make(alice, room)
    ((level, sentence),) = run(admin_pages, action, booking)
    assert (level, sentence.startswith(f"Not done: Booking {booking.pk} (")) == ("error", True)
    assert sentence.endswith(f": This booking is {booking.status} by now and was left as it is.")
    assert (status_of(booking), LogEntry.objects.count(), told()) == (booking.status, 0, [])


@pytest.mark.parametrize("query", ["", "?status__exact=pending"], ids=["no filter", "those that wait"])
def test_of_ten_that_wait_the_two_that_were_cancelled_meanwhile_stay_cancelled(
    admin_pages: Client,
    as_alice: APIClient,
    alice: User,
    lab: Resource,
    mailoutbox: list[EmailMultiAlternatives],
    query: str,
) -> None:
    waiting = [make_pending_booking(alice, lab, at(hour)) for hour in range(8, 18)]
    for booking in waiting[3:5]:
        as_alice.delete(f"/api/bookings/{booking.pk}/")
    deliver()
    mailoutbox.clear()
    report = run(admin_pages, "confirm", *waiting, query=query)
    assert report[0] == ("success", "8 bookings confirmed.")
    assert [f"Booking {booking.pk} " in report[1 + i][1] for i, booking in enumerate(waiting[3:5])] == [True, True]
    assert [status_of(booking) for booking in waiting[3:5]] == ["cancelled", "cancelled"]
    deliver()
    assert len(mailoutbox) == 8
    assert not any(f"no. {booking.pk}\n" in mail.body for booking in waiting[3:5] for mail in mailoutbox)


@pytest.mark.parametrize("action", ["confirm", *ASKING])
def test_what_was_removed_meanwhile_is_named(admin_pages: Client, alice: User, lab: Resource, action: str) -> None:
    booking = make_pending_booking(alice, lab)
    Booking.objects.all().delete()
    answer = admin_pages.post(f"{LIST}?status__exact=pending", {"action": action, "_selected_action": [booking.pk]})
    report = [message.message for message in get_messages(answer.wsgi_request)]
    assert report == [f"Not done: Booking {booking.pk}: This booking is not there any more."]


@pytest.mark.parametrize("action", ASKING)
def test_a_question_about_what_was_decided_meanwhile_ends_in_a_report(
    admin_pages: Client, as_alice: APIClient, alice: User, lab: Resource, action: str
) -> None:
    booking = make_pending_booking(alice, lab)
    body = {"action": action, "_selected_action": [booking.pk]}
    assert admin_pages.post(f"{LIST}?status__exact=pending", body).status_code == 200
    as_alice.delete(f"/api/bookings/{booking.pk}/")
    answer = admin_pages.post(f"{LIST}?status__exact=pending", {**body, "post": "yes"})
    (message,) = get_messages(answer.wsgi_request)
    assert "is cancelled by now" in message.message


# --- Reasons ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ASKING)
def test_the_reason_stands_on_record_and_in_the_mail(
    admin_pages: Client, alice: User, lab: Resource, action: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    booking = make_pending_booking(alice, lab)
    run(admin_pages, action, booking, reason="The projector is broken.\r\nSorry!")
    (row,) = recorded()
    assert (row.reason, row.channel) == ("The projector is broken.\nSorry!", "admin")
    deliver()
    assert "\nReason:\n> The projector is broken.\n> Sorry!\n" in mailoutbox[0].body
    assert "The projector is broken." in mailoutbox[0].alternatives[0].content


def test_a_rejection_without_the_reason_that_a_resource_requires_asks_again(
    admin_pages: Client, alice: User, lab: Resource
) -> None:
    Resource.objects.filter(pk=lab.pk).update(reason_required=True)
    booking = make_pending_booking(alice, lab)
    body = {"action": "reject", "_selected_action": [booking.pk], "post": "yes"}
    for reason in ("", "  ", "x" * 501):
        answer = admin_pages.post(LIST, {**body, "reason": reason})
        assert (answer.status_code, status_of(booking)) == (200, "pending")
        assert "errorlist" in answer.content.decode()
    admin_pages.post(LIST, {**body, "reason": "x" * 500})
    assert (status_of(booking), recorded()[0].reason) == ("rejected", "x" * 500)


def test_each_of_many_is_named(admin_pages: Client, alice: User, room: Resource) -> None:
    rivals = [make_cancelled_booking(alice, room) for _ in range(13)]
    report = run(admin_pages, "confirm", *rivals)
    named = [sentence.removeprefix("Not done: Booking ").split()[0] for _, sentence in report]
    assert named == [str(rival.pk) for rival in rivals]


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
    admin_pages: Client, admin: User, alice: User, lab: Resource
) -> None:
    booking = make_pending_booking(alice, lab)
    run(admin_pages, "confirm", booking)
    assert told() == [("booking.confirmed", booking.pk, "admin")]


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
