"""The message with the way to a new password."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings
from rest_framework.test import APIClient

from core.tests.support.mailing import deliver

pytestmark = pytest.mark.django_db(transaction=True)

Sent = list[EmailMultiAlternatives]
NEW_PASSWORD = "nine-green-kettles-7"
REASON = "You get this message because somebody asked to reset the password of the account with this address.\n"


def ask(client: APIClient, address: str) -> None:
    assert client.post("/api/auth/users/reset_password/", {"email": address}).status_code == 204
    deliver()


def test_it_brings_a_link_that_opens_the_way(anonymous: APIClient, alice: User, mailoutbox: Sent) -> None:
    ask(anonymous, "ALICE@example.org")
    (mail,) = mailoutbox
    link, uid, token = re.search(r"(https://app\.example\.org/password-reset/(.+?)/(.+?))\n", mail.body).groups()
    assert mail.to == ["alice@example.org"]
    assert mail.subject == "Reset your password"
    assert mail.message()["Auto-Submitted"] == "auto-generated"
    assert mail.body == (
        "Hello alice,\n\n"
        "somebody, probably you, asked for a new password for your account.\n\n"
        "Open this link to choose one. It works once, within 72 hours:\n\n"
        f"{link}\n\n"
        "If it was not you, there is nothing to do: the old password stays.\n\n"
        f"{REASON}https://app.example.org\n"
    )
    page = mail.alternatives[0].content
    assert page.count(f'href="{link}"') == 2
    assert set(re.findall(r'(?:href|src)="(.*?)"', page)) == {link, "https://app.example.org"}
    wanted = {"uid": uid, "token": token, "new_password": NEW_PASSWORD, "re_new_password": NEW_PASSWORD}
    assert anonymous.post("/api/auth/users/reset_password_confirm/", wanted).status_code == 204
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_without_a_single_page_app_it_gives_uid_and_token_in_words(
    anonymous: APIClient, alice: User, mailoutbox: Sent, settings: Settings
) -> None:
    settings.HOME_URL = ""
    ask(anonymous, "alice@example.org")
    (mail,) = mailoutbox
    uid, token = re.search(r"uid:   (.+)\ntoken: (.+)\n", mail.body).groups()
    assert mail.body == (
        "Hello alice,\n\n"
        "somebody, probably you, asked for a new password for your account.\n\n"
        "Use these to choose one. They work once, within 72 hours:\n\n"
        f"uid:   {uid}\ntoken: {token}\n\n"
        "If it was not you, there is nothing to do: the old password stays.\n\n"
        f"{REASON}"
    )
    page = mail.alternatives[0].content
    assert f"uid: {uid}<br>token: {token}" in page
    assert "href" not in page


def test_a_hostile_name_is_escaped(anonymous: APIClient, alice: User, mailoutbox: Sent) -> None:
    User.objects.filter(pk=alice.pk).update(username="<script>{{ 7*7 }}\r\nBcc: evil@example.org")
    ask(anonymous, "alice@example.org")
    (mail,) = mailoutbox
    assert "Hello &lt;script&gt;{{ 7*7 }} Bcc: evil@example.org," in mail.alternatives[0].content
    assert "<script" not in mail.alternatives[0].content
    assert mail.body.startswith("Hello <script>{{ 7*7 }} Bcc: evil@example.org,\n")
    assert mail.subject == "Reset your password"


def test_staff_are_not_told(anonymous: APIClient, alice: User, mailoutbox: Sent, settings: Settings) -> None:
    settings.TO_EMAIL = ["staff@example.org"]
    ask(anonymous, "alice@example.org")
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]


def test_nothing_is_sent_to_an_address_that_nobody_has(anonymous: APIClient, alice: User, mailoutbox: Sent) -> None:
    ask(anonymous, "nobody@example.org")
    assert mailoutbox == []


def test_the_token_is_not_logged(
    anonymous: APIClient, alice: User, mailoutbox: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ask(anonymous, "alice@example.org")
    token = re.search(r"/password-reset/.+?/(.+)\n", mailoutbox[0].body)[1]
    assert token not in caplog.text
