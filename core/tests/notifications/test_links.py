"""The links in messages: unsubscribe by one click (RFC 8058), and "this was not me"."""

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Notification, NotificationPreferences, Resource
from core.notifications import links
from core.notifications.kinds import Kind
from core.tests.support.factories import at, booking_body, make_booking
from core.tests.support.mailing import deliver

Sent = list[EmailMultiAlternatives]

SERVER = "https://booking.example.org"
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _known_server(settings: Settings) -> None:
    settings.PUBLIC_URL = SERVER
    settings.ALLOWED_HOSTS = ["booking.example.org"]


@pytest.fixture
def stranger(db: None) -> Client:
    """A browser or a mail provider's machine: no cookie, no token, and forged requests are looked for."""
    return Client(enforce_csrf_checks=True, HTTP_X_FORWARDED_PROTO="https", HTTP_HOST="booking.example.org")


@pytest.fixture
def booked(as_alice: APIClient, room: Resource, mailoutbox: Sent) -> EmailMultiAlternatives:
    """The message about a new booking of alice's."""
    as_alice.post("/api/bookings/", booking_body(room), HTTP_HOST="booking.example.org")
    deliver()
    return mailoutbox.pop()


def link_in(mail: EmailMultiAlternatives) -> str:
    """The path of the one-click link in a message's header."""
    return urlsplit(re.fullmatch(rf"<({SERVER}/notifications/unsubscribe/\S+/)>", header(mail))[1]).path


def header(mail: EmailMultiAlternatives) -> str:
    return mail.message()["List-Unsubscribe"]


def preferences() -> dict:
    names = [kind.value for kind in Kind.optional() if kind != Kind.BOOKING_REMINDER]
    return NotificationPreferences.objects.values(*names, "reminder_minutes").get()


def test_a_message_has_the_two_headers_and_the_link_in_both_bodies(booked: EmailMultiAlternatives) -> None:
    message = booked.message()
    assert message["List-Unsubscribe-Post"] == ONE_CLICK
    link = header(booked).strip("<>")
    assert f"No more messages about new bookings:\n{link}\n" in booked.body
    assert f'href="{link}"' in booked.alternatives[0].content


def test_one_click_switches_off_that_kind_without_signing_in_and_without_a_redirection(
    booked: EmailMultiAlternatives, stranger: Client, as_alice: APIClient, room: Resource, mailoutbox: Sent
) -> None:
    answer = stranger.post(link_in(booked), ONE_CLICK, content_type=FORM)
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.content.decode()
    assert preferences() == {
        **dict.fromkeys(("booking_changed", "booking_confirmed", "booking_rejected", "booking_cancelled"), True),
        "booking_created": False,
        "reminder_minutes": 60,
    }
    as_alice.post("/api/bookings/", booking_body(room, at(14)), HTTP_HOST="booking.example.org")
    deliver()
    assert mailoutbox == []
    assert stranger.post(link_in(booked), ONE_CLICK, content_type=FORM).status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_what_scanners_do_switches_nothing_off(method: str, booked: EmailMultiAlternatives, stranger: Client) -> None:
    answer = getattr(stranger, method)(link_in(booked))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert preferences()["booking_created"] is True


def test_the_page_asks_first_and_its_buttons_do_it(booked: EmailMultiAlternatives, stranger: Client) -> None:
    page = stranger.get(link_in(booked)).content.decode()
    assert "No more messages about new bookings:" in page
    assert '<form method="post">' in page
    assert stranger.post(link_in(booked), {"which": "these"}).status_code == 200
    assert preferences()["booking_created"] is False
    assert preferences()["booking_cancelled"] is True
    stranger.post(link_in(booked), {"which": "all"})
    assert set(preferences().values()) == {False, None}


def test_a_reminder_has_a_link_that_ends_reminders(
    alice: User, room: Resource, stranger: Client, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    type(booking).objects.update(created_at=at(0, day=-1))
    deliver(now=at(9.5))
    stranger.post(link_in(mailoutbox[0]), ONE_CLICK, content_type=FORM)
    assert preferences()["reminder_minutes"] is None
    assert preferences()["booking_created"] is True


def test_messages_to_staff_and_the_necessary_ones_have_no_such_link(
    anonymous: APIClient, as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    as_alice.post("/api/bookings/", booking_body(room), HTTP_HOST="booking.example.org")
    anonymous.post("/api/auth/users/reset_password/", {"email": "alice@example.org"}, HTTP_HOST="booking.example.org")
    alice.set_password("nine-green-kettles-7")
    alice.save()
    alice.delete()
    Notification.objects.filter(user=None).update(state="waiting")
    deliver()
    assert mailoutbox
    for mail in mailoutbox:
        assert mail.message()["List-Unsubscribe"] is None
        assert "unsubscribe" not in mail.body


def test_without_a_known_server_there_are_no_links(
    settings: Settings, as_alice: APIClient, room: Resource, mailoutbox: Sent
) -> None:
    settings.PUBLIC_URL = ""
    as_alice.post("/api/bookings/", booking_body(room), HTTP_HOST="booking.example.org")
    deliver()
    assert mailoutbox[0].message()["List-Unsubscribe"] is None
    assert "notifications/" not in mailoutbox[0].body + mailoutbox[0].alternatives[0].content


FORGED = {
    "nonsense": "nonsense",
    "no signature": links.signing.b64_encode(b"[1,'all']").decode(),
    "another salt": "",
}


@pytest.mark.parametrize("page", ["unsubscribe", "not-me"])
@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_forged_link_is_a_404_and_does_nothing(
    method: str, token: str, page: str, alice: User, stranger: Client
) -> None:
    other = links.NOT_ME if page == "unsubscribe" else links.UNSUBSCRIBE
    token = token or links.signing.Signer(salt=other).sign_object([alice.pk, "booking_created"])
    answer = getattr(stranger, method)(f"/notifications/{page}/{token}/")
    assert answer.status_code == 404
    assert "This link is not one of ours" in answer.content.decode()
    assert NotificationPreferences.objects.count() == 0


def test_one_changed_sign_is_enough(booked: EmailMultiAlternatives, stranger: Client) -> None:
    path = link_in(booked)
    changed = path[:-3] + ("A" if path[-3] != "A" else "B") + path[-2:]
    assert stranger.post(changed).status_code == 404
    assert preferences()["booking_created"] is True


def test_a_link_of_a_deleted_account_is_fine_and_does_nothing(
    booked: EmailMultiAlternatives, alice: User, stranger: Client
) -> None:
    path = link_in(booked)
    alice.delete()
    assert stranger.get(path).status_code == 200
    assert stranger.post(path).status_code == 200
    assert NotificationPreferences.objects.count() == 0


# --- This was not me --------------------------------------------------------------------------------------------------


def not_me_link(mail: EmailMultiAlternatives) -> str | None:
    found = re.search(rf"{SERVER}(/notifications/not-me/\S+/)", mail.body)
    return found[1] if found else None


def test_the_first_message_to_an_address_alone_has_the_link(
    booked: EmailMultiAlternatives, as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    assert not_me_link(booked)
    assert "This was not me" in booked.alternatives[0].content
    as_alice.post("/api/bookings/", booking_body(room, at(14)), HTTP_HOST="booking.example.org")
    deliver()
    assert not_me_link(mailoutbox[0]) is None
    User.objects.filter(pk=alice.pk).update(email="alice@elsewhere.example")
    as_alice.post("/api/bookings/", booking_body(room, at(16)), HTTP_HOST="booking.example.org")
    deliver()
    assert not_me_link(mailoutbox[1])


def test_of_several_first_messages_one_has_the_link(as_alice: APIClient, room: Resource, mailoutbox: Sent) -> None:
    for hour in (10, 12, 14):
        as_alice.post("/api/bookings/", booking_body(room, at(hour)), HTTP_HOST="booking.example.org")
    deliver()
    assert [not_me_link(mail) is not None for mail in mailoutbox] == [True, False, False]


def test_pressing_the_button_ends_all_messages_about_bookings_to_that_address(
    booked: EmailMultiAlternatives,
    as_alice: APIClient,
    anonymous: APIClient,
    alice: User,
    room: Resource,
    stranger: Client,
    mailoutbox: Sent,
) -> None:
    path = not_me_link(booked)
    page = stranger.get(path)
    assert "alice@example.org" in page.content.decode()
    assert NotificationPreferences.objects.get().refused_address == ""
    assert (
        "No more e-mails about bookings of that account are sent to alice@example.org"
        in stranger.post(path).content.decode()
    )
    as_alice.post("/api/bookings/", booking_body(room, at(14)), HTTP_HOST="booking.example.org")
    anonymous.post("/api/auth/users/reset_password/", {"email": "alice@example.org"}, HTTP_HOST="booking.example.org")
    assert deliver() == {"dropped": 1, "sent": 1}
    assert mailoutbox.pop().subject.startswith("Reset your password"), "mails about a password always come"
    User.objects.filter(pk=alice.pk).update(email="alice@elsewhere.example")
    as_alice.post("/api/bookings/", booking_body(room, at(16)), HTTP_HOST="booking.example.org")
    assert deliver()["sent"] == 1


def test_an_old_link_does_nothing_to_another_address(
    booked: EmailMultiAlternatives, alice: User, stranger: Client
) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@elsewhere.example")
    assert stranger.post(not_me_link(booked)).status_code == 200
    assert NotificationPreferences.objects.get().refused_address == ""


def test_a_hostile_address_is_escaped_on_the_page(alice: User, stranger: Client) -> None:
    token = links.signing.Signer(salt=links.NOT_ME).sign_object([alice.pk, "<script>alert(1)</script>{{ 7*7 }}@e.org"])
    page = stranger.get(f"/notifications/not-me/{token}/").content.decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "{{ 7*7 }}" in page


def test_the_pages_load_nothing_and_run_nothing(booked: EmailMultiAlternatives, stranger: Client) -> None:
    for path in (link_in(booked), not_me_link(booked)):
        answer = stranger.get(path)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        page = answer.content.decode()
        assert not re.search(r"<script|<link|<img|src=|url\(", page)
