"""Users whose password hash no hasher here can read, such as those of an import."""

import logging
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.conf import global_settings
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.tests.support.clients import client_of, pages_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD
from core.tests.support.mailing import deliver

ME = "/api/auth/users/me/"
NEW_PASSWORD = "nine-green-kettles-7"
HASHES = {
    "its library is missing": "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNo",
    "another library is missing": "bcrypt_sha256$$2b$12$saltsaltsaltsaltsaltsahashhashhashhashhashhashhashhash",
    "cut": "pbkdf2_sha256$260000$salt",
    "cut after the algorithm": "pbkdf2_sha256",
    "no salt": "pbkdf2_sha256$260000$$hash",
    "no number": "pbkdf2_sha256$many$salt$hash",
    "a number that is too large": f"pbkdf2_sha256${10**30}$salt$hash",
    "a negative number": "pbkdf2_sha256$-1$salt$hash",
    "scrypt with impossible numbers": "scrypt$7$salt$8$5$hash",
    "of another program": "$2y$10$saltsaltsaltsaltsaltsahashhashhashhashhashhashhashhash",
    "a plain text": "secret",
    "nothing": "",
}
Warned = Callable[[User], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _hashers_of_production(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, *global_settings.PASSWORD_HASHERS]


@pytest.fixture(params=HASHES.values(), ids=HASHES.keys())
def unreadable(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> Warned:
    """Asserts that a block logs one warning with the user's id and without the hash."""

    @contextmanager
    def warned(user: User):
        caplog.clear()
        yield
        (record,) = [each for each in caplog.records if each.name == "core.accounts.passwords"]
        assert record.levelno == logging.WARNING
        assert f"user {user.pk} " in record.getMessage()
        assert not user.password or user.password not in caplog.text

    return warned


def store(user: User, encoded: str) -> None:
    User.objects.filter(pk=user.pk).update(password=encoded)
    user.refresh_from_db()


# --- Every door that asks for a password ------------------------------------------------------------------------------


def test_every_sign_in_says_that_the_password_is_wrong(
    anonymous: APIClient, client: Client, admin: User, unreadable: str, warned: Warned
) -> None:
    store(admin, unreadable)
    sent = {"username": "admin", "password": PASSWORD}
    with warned(admin):
        assert_flat_error(anonymous.post("/api/auth/token/login/", sent), 400, field="non_field_errors")
    with warned(admin):
        assert_flat_error(anonymous.post("/api/auth/jwt/create/", sent), 401, code="no_active_account")
    with warned(admin):
        page = client.post("/admin/login/", sent)
    assert (page.status_code, "correct username and password" in page.content.decode()) == (200, True)
    assert User.objects.get().password == unreadable


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("post", "/api/auth/users/set_password/", {"new_password": NEW_PASSWORD}, id="set_password"),
        pytest.param("patch", ME, {"email": "new@example.org"}, id="another address"),
        pytest.param("delete", ME, {}, id="delete the account"),
    ],
)
def test_ones_own_password_is_wrong(
    alice: User, unreadable: str, warned: Warned, method: str, path: str, body: dict[str, str]
) -> None:
    store(alice, unreadable)
    before = User.objects.values().get()
    with warned(alice):
        answer = getattr(client_of(alice), method)(path, body | {"current_password": PASSWORD})
    assert_flat_error(answer, 400, field="current_password")
    assert User.objects.values().get() == before


def test_a_superusers_own_password_is_wrong_where_it_deletes_another(
    alice: User, root: User, unreadable: str, warned: Warned
) -> None:
    store(root, unreadable)
    with warned(root):
        answer = client_of(root).delete(f"/api/auth/users/{alice.pk}/", {"current_password": PASSWORD})
    assert_flat_error(answer, 400, field="current_password")
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_old_password_is_wrong_in_the_admin(admin: User, unreadable: str, warned: Warned) -> None:
    store(admin, unreadable)
    body = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    with warned(admin):
        answer = pages_of(admin).post("/admin/password_change/", body)
    assert list(answer.context["form"].errors) == ["old_password"]


def test_a_password_that_fits_warns_of_nothing(anonymous: APIClient, alice: User, caplog) -> None:
    for password, status in ((PASSWORD, 200), ("wrong", 400)):
        sent = {"username": "alice", "password": password}
        assert anonymous.post("/api/auth/token/login/", sent).status_code == status
    alice.set_unusable_password()
    alice.save()
    assert anonymous.post("/api/auth/token/login/", {"username": "alice", "password": PASSWORD}).status_code == 400
    assert "hash" not in caplog.text


# --- The ways to a new password ---------------------------------------------------------------------------------------


def test_the_page_of_the_user_leads_to_a_new_password(root_pages: Client, alice: User, unreadable: str) -> None:
    store(alice, unreadable)
    page = root_pages.get(f"/admin/auth/user/{alice.pk}/change/")
    assert page.status_code == 200
    assert (unreadable in page.content.decode()) == (unreadable == "")
    assert 'href="../password/"' in page.content.decode()
    form = {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert root_pages.get(f"/admin/auth/user/{alice.pk}/password/").status_code == 200
    assert root_pages.post(f"/admin/auth/user/{alice.pk}/password/", form).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)


def test_the_page_of_the_user_saves_other_values(root_pages: Client, alice: User, unreadable: str) -> None:
    store(alice, unreadable)
    body = {"username": "two words", "email": alice.email, "is_active": "on"}
    assert root_pages.post(f"/admin/auth/user/{alice.pk}/change/", body).status_code == 200
    assert root_pages.post(f"/admin/auth/user/{alice.pk}/change/", body | {"username": "alicia"}).status_code == 302
    assert User.objects.values_list("username", "password").get(pk=alice.pk) == ("alicia", unreadable)


@pytest.mark.django_db(transaction=True)
def test_the_reset_by_mail_works(
    anonymous: APIClient, alice: User, unreadable: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    store(alice, unreadable)
    anonymous.post("/api/auth/users/reset_password/", {"email": alice.email})
    deliver()
    (mail,) = mailoutbox
    uid, token = re.search(r"/password-reset/(.+?)/(.+?)\n", mail.body).groups()
    wanted = {"uid": uid, "token": token, "new_password": NEW_PASSWORD, "re_new_password": NEW_PASSWORD}
    assert anonymous.post("/api/auth/users/reset_password_confirm/", wanted).status_code == 204
    sent = {"username": "alice", "password": NEW_PASSWORD}
    assert anonymous.post("/api/auth/token/login/", sent).status_code == 200


def test_the_command_sets_a_new_one(alice: User, unreadable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store(alice, unreadable)
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW_PASSWORD)
    call_command("changepassword", "alice", verbosity=0)
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
