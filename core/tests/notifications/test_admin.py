"""The admin of messages and preferences."""

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Notification, NotificationPreferences, Resource
from core.notifications.channel import EmailChannel
from core.outbox import delivery
from core.tests.support.clients import pages_of
from core.tests.support.factories import at, booking_body
from core.tests.support.mailing import deliver, hand_on

Sent = list[EmailMultiAlternatives]

LIST = "/admin/core/notification/"
PREFERENCES = "/admin/core/notificationpreferences/"


@pytest.fixture
def rows(as_alice: APIClient, room: Resource, settings: Settings) -> list[Notification]:
    """One message to alice that waits, and one to staff that failed."""
    settings.TO_EMAIL = ["staff@example.org"]
    as_alice.post("/api/bookings/", booking_body(room, notes="<script>alert(1)</script>"))
    hand_on()
    staffs = Notification.objects.get(user=None)
    Notification.objects.filter(pk=staffs.pk).update(
        state="failed", tries=3, last_error="401 <script>alert(2)</script>", done_at=timezone.now()
    )
    return list(Notification.objects.order_by("id"))


def run(pages: Client, action: str, *rows: Notification) -> list[str]:
    """What the page says after a bulk action."""
    answer = pages.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)
    assert answer.status_code == 200
    return [str(message) for message in answer.context["messages"]]


def states() -> list[str]:
    return list(Notification.objects.order_by("id").values_list("state", flat=True))


def test_the_list_tells_state_tries_and_the_last_error_and_counts(
    admin_pages: Client, rows: list[Notification]
) -> None:
    page = admin_pages.get(LIST).content.decode()
    assert "Messages: 1 waiting, 1 failed" in page
    assert "alice &lt;alice@example.org&gt;" in page
    assert "401 &lt;script&gt;alert(2)" in page
    assert "<script>alert" not in page


@pytest.mark.parametrize("query", ["?state=failed", "?q=staff", "?kind=booking_created&state=failed", "?q=401"])
def test_messages_are_found(query: str, admin_pages: Client, rows: list[Notification]) -> None:
    assert list(admin_pages.get(LIST + query).context["cl"].result_list) == [rows[1]]


def test_the_list_costs_the_same_however_long_it_is(admin_pages: Client, rows: list[Notification]) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin_pages.get(LIST)
        return len(captured)

    short = cost()
    Notification.objects.bulk_create(
        [
            Notification(
                **{
                    field.attname: getattr(rows[0], field.attname)
                    for field in Notification._meta.concrete_fields
                    if field.attname != "id"
                }
            )
            for _ in range(30)
        ]
    )
    assert cost() == short


def test_a_message_is_shown_whole_and_cannot_be_rewritten(admin_pages: Client, rows: list[Notification]) -> None:
    page = admin_pages.get(f"{LIST}{rows[0].pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert 'name="to"' not in page
    admin_pages.post(f"{LIST}{rows[0].pk}/change/", {"to": "mallory@example.org", "state": "sent"})
    assert Notification.objects.get(pk=rows[0].pk).to == "alice@example.org"
    assert states() == ["waiting", "failed"]


def test_one_that_failed_is_sent_again(admin_pages: Client, rows: list[Notification], mailoutbox: Sent) -> None:
    assert run(admin_pages, "resend", rows[1]) == ["1 notification to be sent again."]
    assert states() == ["waiting", "waiting"]
    deliver()
    assert [mail.to[0] for mail in mailoutbox] == ["alice@example.org", "staff@example.org"]


def test_one_that_waits_is_dropped_and_one_that_is_done_stays(
    admin_pages: Client, rows: list[Notification], mailoutbox: Sent
) -> None:
    said = run(admin_pages, "drop", *rows)
    assert said == ["1 notification dropped.", "1 left as before: on their way, or done."]
    assert states() == ["dropped", "failed"]
    deliver()
    assert mailoutbox == []


def test_one_that_is_on_its_way_is_left_alone(admin_pages: Client, rows: list[Notification]) -> None:
    delivery.claim(EmailChannel(), now=timezone.now())
    for action in ("resend", "drop"):
        assert run(admin_pages, action, rows[0]) == ["1 left as before: on their way, or done."]
    assert states() == ["waiting", "failed"]


@pytest.mark.parametrize("path", [f"{LIST}add/", f"{LIST}%s/delete/"])
def test_none_is_written_or_deleted_by_hand(path: str, admin_pages: Client, rows: list[Notification]) -> None:
    path = path % rows[0].pk if "%" in path else path
    assert admin_pages.get(path).status_code == 403
    assert admin_pages.post(path, {"post": "yes"}).status_code == 403
    assert Notification.objects.count() == 2


@pytest.mark.parametrize("path", [LIST, PREFERENCES])
def test_they_are_for_staff_alone(path: str, alice: User) -> None:
    assert pages_of(alice).get(path).status_code == 302


def test_staff_lift_the_refusal_of_an_address(
    admin_pages: Client, as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    refused = NotificationPreferences.objects.create(user=alice, refused_address="alice@example.org")
    fields = {"time_zone": "UTC", "reminder_minutes": "60", "refused_address": ""}
    on = dict.fromkeys(
        ("booking_created", "booking_changed", "booking_confirmed", "booking_rejected", "booking_cancelled"), "on"
    )
    answer = admin_pages.post(f"{PREFERENCES}{refused.pk}/change/", {**fields, **on})
    assert answer.status_code == 302, answer.content.decode()
    as_alice.post("/api/bookings/", booking_body(room, at(14)))
    deliver()
    assert len(mailoutbox) == 1


def test_staff_cannot_store_a_zone_that_is_none(admin_pages: Client, alice: User) -> None:
    stored = NotificationPreferences.objects.create(user=alice)
    answer = admin_pages.post(f"{PREFERENCES}{stored.pk}/change/", {"time_zone": "Mars", "reminder_minutes": "60"})
    assert answer.status_code == 200
    stored.refresh_from_db()
    assert stored.time_zone is None


def test_staff_give_a_user_the_zone_of_the_house_again(admin_pages: Client, alice: User) -> None:
    stored = NotificationPreferences.objects.create(user=alice, time_zone="Asia/Tokyo")
    answer = admin_pages.post(f"{PREFERENCES}{stored.pk}/change/", {"time_zone": "", "reminder_minutes": "60"})
    assert answer.status_code == 302
    stored.refresh_from_db()
    assert stored.time_zone is None


def test_the_page_of_a_message_tells_its_contents_in_words_and_has_nothing_to_save(
    admin_pages: Client, rows: list[Notification]
) -> None:
    waiting, failed = rows
    booking = Booking.objects.get()
    for row in rows:
        page = admin_pages.get(f"{LIST}{row.pk}/change/").content.decode()
        assert "By alice" in page
        assert f"After: {booking} (confirmed)" in page
        assert f'<a href="/admin/core/booking/{booking.pk}/change/">{booking}</a>' in page
        assert "None" not in page
        assert "_save" not in page
    page = admin_pages.get(LIST).content.decode()
    assert page.count(f">{booking}</a>") == 2
    assert page.count(f">no. {booking.pk}<") == 2
    Notification.objects.filter(pk=failed.pk).update(facts={"after": {"of": "another version"}})
    page = admin_pages.get(f"{LIST}{failed.pk}/change/").content.decode()
    assert "another version" in page
    assert f'<a href="/admin/core/booking/{booking.pk}/change/">Booking</a>' in page
