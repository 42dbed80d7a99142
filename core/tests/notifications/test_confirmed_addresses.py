"""Addresses that their reader has to confirm, and the news of another address."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Notification, NotificationPreferences, Resource
from core.notifications import links
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, at, booking_body, make_booking, make_user, text
from core.tests.support.mailing import deliver

pytestmark = pytest.mark.django_db(transaction=True)

Sent = list[EmailMultiAlternatives]

ME = "/api/auth/users/me/"
PREFERENCES = "/api/profile/preferences/"
CONFIRM = "/api/profile/confirm-email/"
SERVER = "https://testserver"
SPAM = "Buy at http://spam.example"
NEWCOMER = {
    "username": "Buy.spam.example",
    "first_name": "Spam",
    "last_name": "Spammer",
    "email": "stranger@example.net",
    "password": PASSWORD,
}


@pytest.fixture(autouse=True)
def _known_server(settings: Settings) -> None:
    settings.PUBLIC_URL = SERVER


@pytest.fixture
def newcomer(anonymous: APIClient, mailoutbox: Sent) -> APIClient:
    """Somebody who has just registered and got the first mail."""
    assert anonymous.post("/api/auth/users/", NEWCOMER).status_code == 201
    return client_of(User.objects.get(username=NEWCOMER["username"]))


@pytest.fixture
def stranger(db: None) -> Client:
    """A browser without any cookie or token."""
    return Client(enforce_csrf_checks=True)


def links_in(mail: EmailMultiAlternatives) -> list[str]:
    """The paths of the confirming links in the text of a mail."""
    return [urlsplit(link).path for link in re.findall(rf"{SERVER}/notifications/confirm/\S+", mail.body)]


def everything_in(mail: EmailMultiAlternatives) -> str:
    """All that a mail says, its files included."""
    files = [content if isinstance(content, str) else content.decode() for _, content, _ in mail.attachments]
    return "\n".join([mail.subject, mail.body, mail.alternatives[0].content, *files]).replace("\r\n ", "")


def email_confirmed(client: APIClient) -> bool:
    return client.get(PREFERENCES).json()["email_confirmed"]


# --- The first mail, and the page behind its link ---------------------------------------------------------------------


def test_a_newcomer_gets_a_link_that_confirms_the_address(
    newcomer: APIClient, stranger: Client, mailoutbox: Sent
) -> None:
    deliver()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["stranger@example.net"], "Confirm your email address")
    (link,) = set(links_in(mail))
    assert mail.alternatives[0].content.count(f'href="{SERVER}{link}"') == 2
    assert not email_confirmed(newcomer)

    page = stranger.get(link)
    assert "stranger@example.net" in page.content.decode()
    assert not email_confirmed(newcomer), "a mail scanner that opens the link confirms nothing"
    assert "is confirmed" in stranger.post(link).content.decode()
    assert email_confirmed(newcomer)
    assert stranger.post(link).status_code == 200


def test_without_an_address_of_this_server_nothing_is_asked(
    anonymous: APIClient, mailoutbox: Sent, settings: Settings
) -> None:
    settings.PUBLIC_URL = ""
    assert anonymous.post("/api/auth/users/", NEWCOMER).status_code == 201
    deliver()
    assert mailoutbox == []
    assert email_confirmed(client_of(User.objects.get()))


def test_accounts_from_elsewhere_count_as_confirmed(as_alice: APIClient, as_admin: APIClient) -> None:
    assert email_confirmed(as_alice)
    assert email_confirmed(as_admin)


def test_the_link_of_another_address_confirms_nothing(newcomer: APIClient, stranger: Client) -> None:
    user = User.objects.get()
    page = stranger.post(urlsplit(links.confirm_url(user.pk, "old@example.net")).path)
    assert "no longer has the address" in page.content.decode()
    assert not email_confirmed(newcomer)
    assert (
        stranger.post(urlsplit(links.not_me_url(user.pk, user.email)).path.replace("not-me", "confirm")).status_code
        == 404
    )


def test_a_confirmed_address_is_no_longer_refused(newcomer: APIClient, stranger: Client) -> None:
    user = User.objects.get()
    stranger.post(urlsplit(links.not_me_url(user.pk, user.email)).path)
    stranger.post(urlsplit(links.confirm_url(user.pk, user.email)).path)
    assert NotificationPreferences.objects.get().refused_address == ""


def test_the_link_is_sent_again(newcomer: APIClient, mailoutbox: Sent) -> None:
    deliver()
    assert newcomer.post(CONFIRM).status_code == 204
    deliver()
    first, second = mailoutbox
    assert links_in(first) == links_in(second) != []


def test_nothing_is_sent_to_a_confirmed_address(as_alice: APIClient, mailoutbox: Sent) -> None:
    assert as_alice.post(CONFIRM).status_code == 204
    deliver()
    assert mailoutbox == []


def test_the_link_is_limited_like_a_password_reset(newcomer: APIClient, anonymous: APIClient, limit) -> None:
    limit(password_reset="2/hour")
    answers = [newcomer.post(CONFIRM) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert anonymous.post("/api/auth/users/reset_password/", {"email": "stranger@example.net"}).status_code == 429


def test_the_link_is_not_for_strangers(anonymous: APIClient) -> None:
    assert_flat_error(anonymous.post(CONFIRM), 401)


# --- No words of a user until then ------------------------------------------------------------------------------------


def test_mails_to_an_unconfirmed_address_carry_no_words_that_a_user_wrote(
    newcomer: APIClient, as_admin: APIClient, room: Resource, mailoutbox: Sent
) -> None:
    booking = newcomer.post("/api/bookings/", booking_body(room, notes=SPAM)).json()
    newcomer.patch(f"/api/bookings/{booking['id']}/", {"notes": SPAM * 2})
    as_admin.patch(f"/api/bookings/{booking['id']}/", {"start_time": text(at(9))})
    newcomer.delete(f"/api/bookings/{booking['id']}/")
    newcomer.post("/api/auth/users/reset_password/", {"email": NEWCOMER["email"]})
    newcomer.post("/api/auth/users/set_password/", {"current_password": PASSWORD, "new_password": "nine-green-kettles"})
    deliver()
    assert len(mailoutbox) == 7
    for mail in mailoutbox:
        said = everything_in(mail).replace("stranger@example.net", "")
        assert "spam" not in said.lower()
        assert mail.body.startswith(("Hello,", "somebody"))
        assert len(links_in(mail)) == 1
    assert any("Staff changed your booking" in mail.body for mail in mailoutbox)


def test_once_confirmed_they_carry_them(
    newcomer: APIClient, stranger: Client, room: Resource, mailoutbox: Sent
) -> None:
    deliver()
    stranger.post(links_in(mailoutbox.pop())[0])
    newcomer.post("/api/bookings/", booking_body(room, notes=SPAM))
    deliver()
    (mail,) = mailoutbox
    assert SPAM in mail.body
    assert mail.body.startswith("Hello Buy.spam.example,")
    assert links_in(mail) == []


# --- Another address --------------------------------------------------------------------------------------------------


def change_address(client: APIClient, address: str) -> None:
    answer = client.patch(ME, {"email": address, "current_password": PASSWORD})
    assert answer.status_code == 200, answer.json()


def test_the_old_address_is_told_and_the_new_one_has_to_be_confirmed(as_alice: APIClient, mailoutbox: Sent) -> None:
    change_address(as_alice, "alicia@example.org")
    deliver()
    told, asked = mailoutbox
    assert (told.to, told.subject) == (["alice@example.org"], "Your account has another email address")
    assert told.body.startswith("Hello alice,")
    assert "alicia@example.org" not in everything_in(told)
    assert (asked.to, len(links_in(asked))) == (["alicia@example.org"], 1)
    assert not email_confirmed(as_alice)


def test_the_old_address_is_told_whoever_changed_it(alice: User, mailoutbox: Sent) -> None:
    alice.email = "alicia@example.org"
    alice.save()
    deliver()
    (told,) = mailoutbox
    assert told.to == ["alice@example.org"]


def test_nobody_is_told_of_the_same_address(as_alice: APIClient, alice: User, mailoutbox: Sent) -> None:
    as_alice.patch(ME, {"email": "ALICE@example.org", "first_name": "A"})
    alice.email = "Alice@Example.org"
    alice.save()
    deliver()
    assert mailoutbox == []
    assert email_confirmed(as_alice)


def test_an_unconfirmed_old_address_hears_no_name(newcomer: APIClient, mailoutbox: Sent) -> None:
    deliver()
    mailoutbox.clear()
    change_address(newcomer, "other@example.net")
    deliver()
    told, asked = mailoutbox
    assert told.to == ["stranger@example.net"]
    assert told.body.startswith("Hello,\n")
    assert asked.to == ["other@example.net"]


def test_a_link_for_an_address_that_is_left_is_not_sent(newcomer: APIClient, mailoutbox: Sent) -> None:
    change_address(newcomer, "other@example.net")
    deliver()
    assert [mail.subject for mail in mailoutbox if mail.to == ["stranger@example.net"]] == [
        "Your account has another email address"
    ]


# --- How many mails ---------------------------------------------------------------------------------------------------


def patch_notes(client: APIClient, booking: Booking, times: int) -> None:
    for number in range(times):
        answer = client.patch(f"/api/bookings/{booking.pk}/", {"notes": f"{SPAM} {number}"})
        assert answer.status_code == 200


def test_a_stranger_gets_ten_mails_a_day_whatever_somebody_does(
    newcomer: APIClient, room: Resource, mailoutbox: Sent, limit
) -> None:
    limit(user=None)
    booking = make_booking(User.objects.get(), room)
    patch_notes(newcomer, booking, 30)
    deliver()
    deliver(now=timezone.now() + timedelta(hours=5))
    assert len(mailoutbox) == 10
    deliver(now=at(0, day=3))
    assert len(mailoutbox) == 11
    assert mailoutbox[-1].subject == "21 more messages about your bookings"
    assert "spam" not in everything_in(mailoutbox[-1]).replace("stranger@example.net", "").lower()


def test_ten_mails_an_hour_tell_of_one_booking_and_one_more_of_the_rest(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    busy, quiet = make_booking(alice, room), make_booking(alice, room, at(14))
    patch_notes(as_alice, busy, 12)
    deliver()
    patch_notes(as_alice, busy, 1)
    patch_notes(as_alice, quiet, 1)
    as_alice.delete(f"/api/bookings/{busy.pk}/")
    deliver()
    assert len(mailoutbox) == 11, "another booking is told of as ever"
    dropped = Notification.objects.filter(state="dropped").values_list("last_error", flat=True)
    later = Notification.objects.get(kind="bookings_in_one")
    assert set(dropped) == {f"there were too many messages to this address: told in message {later.pk}"}

    deliver(now=later.due_at)
    *_, last = mailoutbox
    assert len(mailoutbox) == 12
    assert last.subject == "4 more messages about your bookings"
    assert "Blue room, cancelled" in last.body
    ((name, content, mimetype),) = last.attachments
    assert "METHOD:CANCEL" in (content if isinstance(content, str) else content.decode())
    assert Notification.objects.filter(state="waiting").count() == 0


def test_sixty_mails_an_hour_go_to_one_address(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    bookings = [make_booking(alice, room, at(number, day=3)) for number in range(70)]
    Booking.objects.filter(pk=bookings[0].pk).update(notes="x")
    for booking in bookings:
        patch_notes(as_alice, booking, 1)
    deliver()
    as_alice.post("/api/auth/users/reset_password/", {"email": "alice@example.org"})
    deliver()
    to_alice = [mail.subject for mail in mailoutbox if mail.to == ["alice@example.org"]]
    assert len(to_alice) == 61, "a password is not counted"
    assert to_alice[-1] == "Reset your password"
    assert len([mail for mail in mailoutbox if mail.to == ["staff@example.org"]]) == 70

    deliver(now=Notification.objects.get(kind="bookings_in_one").due_at)
    assert mailoutbox[-1].subject == "10 more messages about your bookings"
    assert len(mailoutbox[-1].attachments) == 10


def test_a_removed_booking_is_cancelled_in_calendars_though_told_later(
    as_alice: APIClient, alice: User, room: Resource, admin_pages: Client, mailoutbox: Sent
) -> None:
    booking = make_booking(alice, room)
    patch_notes(as_alice, booking, 11)
    admin_pages.post(f"/admin/core/booking/{booking.pk}/delete/", {"post": "yes"})
    deliver()
    deliver(now=Notification.objects.get(kind="bookings_in_one").due_at)
    ((_, content, _),) = mailoutbox[-1].attachments
    said = content if isinstance(content, str) else content.decode()
    assert "METHOD:CANCEL" in said
    assert f"SEQUENCE:{booking.calendar_sequence + 1}\r\n" in said


def test_links_to_confirm_count_among_the_ten_of_a_day(newcomer: APIClient, mailoutbox: Sent, limit) -> None:
    limit(password_reset=None)
    for _ in range(12):
        newcomer.post(CONFIRM)
    deliver()
    assert len(mailoutbox) == 10
    assert Notification.objects.filter(state="dropped").count() == 3


def test_staff_who_read_every_copy_are_not_limited(
    as_admin: APIClient, admin: User, room: Resource, mailoutbox: Sent, settings: Settings
) -> None:
    settings.TO_EMAIL = [admin.email]
    patch_notes(as_admin, make_booking(admin, room), 12)
    deliver()
    assert len(mailoutbox) == 12


def test_a_message_that_stands_for_others_names_two_hundred_bookings_at_most(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.notifications.limits.MAX_BOOKINGS", 2)
    bookings = [make_booking(alice, room, at(hour)) for hour in (8, 10, 12)]
    for booking in bookings:
        patch_notes(as_alice, booking, 11)
    deliver()
    deliver(now=Notification.objects.get(kind="bookings_in_one").due_at)
    assert mailoutbox[-1].subject == "3 more messages about your bookings"
    assert "1 of the messages are about them" in mailoutbox[-1].body


def test_an_account_that_goes_takes_its_messages_along(newcomer: APIClient, mailoutbox: Sent) -> None:
    newcomer.delete(ME, {"current_password": PASSWORD})
    make_user("other", email=NEWCOMER["email"])
    deliver()
    assert mailoutbox == []


def test_who_registers_again_with_the_same_address_begins_no_new_day(
    newcomer: APIClient, anonymous: APIClient, room: Resource, mailoutbox: Sent
) -> None:
    patch_notes(newcomer, make_booking(User.objects.get(), room), 12)
    deliver()
    assert len(mailoutbox) == 10
    assert newcomer.delete(ME, {"current_password": PASSWORD}).status_code == 204
    kept = Notification.objects.filter(to=NEWCOMER["email"])
    assert {(row.user, str(row.facts)) for row in kept} == {(None, "{}")}
    assert anonymous.post("/api/auth/users/", NEWCOMER).status_code == 201
    patch_notes(client_of(User.objects.get()), make_booking(User.objects.get(), room), 3)
    deliver()
    assert len(mailoutbox) == 10


def test_what_is_told_later_is_how_bookings_stand_then(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    cancelled, removed = make_booking(alice, room), make_booking(alice, room, at(14))
    for booking in (cancelled, removed):
        patch_notes(as_alice, booking, 11)
    deliver()
    as_alice.patch(PREFERENCES, {"booking_cancelled": False})
    as_alice.delete(f"/api/bookings/{cancelled.pk}/")
    Booking.objects.filter(pk=removed.pk).delete()
    deliver(now=Notification.objects.get(kind="bookings_in_one").due_at)
    assert mailoutbox[-1].body.count("Blue room, cancelled") == 2
    files = [content if isinstance(content, str) else content.decode() for _, content, _ in mailoutbox[-1].attachments]
    assert all("METHOD:CANCEL" in file for file in files)


def test_a_refused_address_is_not_asked_any_more(newcomer: APIClient, stranger: Client, mailoutbox: Sent) -> None:
    deliver()
    mailoutbox.clear()
    user = User.objects.get()
    stranger.post(urlsplit(links.not_me_url(user.pk, user.email)).path)
    newcomer.post(CONFIRM)
    deliver()
    assert mailoutbox == []


def test_one_user_enters_ten_addresses_an_hour(as_alice: APIClient, limit) -> None:
    limit(password_reset="2/hour", sign_in=None)
    answers = [
        as_alice.patch(ME, {"email": f"alice+{number}@example.org", "current_password": PASSWORD})
        for number in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert as_alice.patch(ME, {"first_name": "A", "current_password": PASSWORD}).status_code == 200


def test_strangers_use_up_no_resets_by_asking_for_a_link(anonymous: APIClient, limit) -> None:
    limit(password_reset="1/hour")
    for _ in range(3):
        assert anonymous.post(CONFIRM).status_code == 401
    assert anonymous.post("/api/auth/users/reset_password/", {"email": "a@example.org"}).status_code == 204
