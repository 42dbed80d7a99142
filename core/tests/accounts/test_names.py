"""User names at every door: brought to their stored form (NFKC), and signed in whatever their case."""

import time

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_user

REGISTER = "/api/auth/users/"
LOGIN = "/api/auth/token/login/"
USERS = "/admin/auth/user/"
FULL_WIDTH = "ｔａｎａｋａ"


def signs_in(client: Client, name: str, *, password: str = PASSWORD) -> dict[str, bool]:
    """Whether the name opens each door."""
    sent = {"username": name, "password": password}
    return {
        "token": client.post(LOGIN, sent).status_code == 200,
        "JWT": client.post("/api/auth/jwt/create/", sent).status_code == 200,
        "admin": Client().post("/admin/login/", sent).status_code == 302,
    }


EVERYWHERE = {"token": True, "JWT": True, "admin": True}
NOWHERE = {"token": False, "JWT": False, "admin": False}


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_the_body_that_registered_signs_in(anonymous: APIClient) -> None:
    sent = {"username": FULL_WIDTH, "password": PASSWORD}
    answer = anonymous.post(REGISTER, sent | {"email": "tanaka@example.org"})
    assert (answer.status_code, answer.json()["username"]) == (201, "tanaka")
    User.objects.update(is_staff=True)
    assert signs_in(anonymous, FULL_WIDTH) == EVERYWHERE


@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        pytest.param("tanaka", "Tanaka", id="a capital by the phone"),
        pytest.param("Tanaka", "tanaka", id="no capital"),
        pytest.param("tanaka", "ＴＡＮＡＫＡ", id="full width in capitals"),
        pytest.param("jürgen", "JÜRGEN", id="umlaut"),
        pytest.param("jürgen", "JU\u0308RGEN", id="umlaut that comes apart"),
        pytest.param("Οδός", "ΟΔΌΣ", id="Greek with a sigma at the end"),
        pytest.param("жанна", " Жанна ", id="Cyrillic with spaces around"),
    ],
)
def test_neither_case_nor_composition_matters(anonymous: APIClient, registered: str, typed: str) -> None:
    make_user(registered, email="tanaka@example.org", is_staff=True)
    assert signs_in(anonymous, typed) == EVERYWHERE
    assert signs_in(anonymous, typed, password="wrong") == NOWHERE


def test_of_old_rows_that_differ_by_case_the_exact_spelling_comes_first(anonymous: APIClient, index_away: None) -> None:
    for name in ("tanaka", "TANAKA"):
        User.objects.bulk_create([User(username=name)])
        user = User.objects.get(username=name)
        user.set_password(f"{PASSWORD} of {name}")
        user.save()
    for name in ("tanaka", "TANAKA", "ＴＡＮＡＫＡ"):
        stored = "TANAKA" if name != "tanaka" else name
        answer = anonymous.post(LOGIN, {"username": name, "password": f"{PASSWORD} of {stored}"})
        assert client_with(answer.json()["auth_token"]).get(f"{REGISTER}me/").json()["username"] == stored
    other = "tanaka" if User.objects.order_by("pk")[0].username == "tanaka" else "TANAKA"
    assert anonymous.post(LOGIN, {"username": "Tanaka", "password": f"{PASSWORD} of {other}"}).status_code == 200


def test_a_name_that_another_program_stored_as_it_was_typed_signs_in(anonymous: APIClient) -> None:
    stranger = User(username=FULL_WIDTH)
    stranger.set_password(PASSWORD)
    User.objects.bulk_create([stranger])
    sent = {"username": FULL_WIDTH, "password": PASSWORD}
    assert anonymous.post(LOGIN, sent).status_code == 200
    User.objects.create_user("tanaka", password="another-horse-8-battery")
    assert anonymous.post(LOGIN, sent).status_code == 200


def test_a_known_and_an_unknown_name_cost_the_same(
    anonymous: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *args: hashed.append(args[0]) or "md5$salt$hash")
    costs = []
    for name in ("alice", "ALICE", "nobody", "NOBODY"):
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            anonymous.post(LOGIN, {"username": name, "password": "wrong"})
        costs.append((len(queries), hashed.count("wrong")))
    assert costs == [costs[0]] * 4
    assert costs[0][1] == 1


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("\u0308" * 400_000, id="marks"),
        pytest.param("ﷺ" * 300_000, id="long when it comes apart"),
        pytest.param("é" * 400_000, id="letters"),
    ],
)
def test_an_endless_name_is_only_wrong(anonymous: APIClient, alice: User, name: str) -> None:
    began = time.process_time()
    assert_flat_error(anonymous.post(LOGIN, {"username": name, "password": PASSWORD}), 400)
    assert time.process_time() - began < 0.5


# --- Storing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        pytest.param(FULL_WIDTH, "tanaka", id="full width"),
        pytest.param("ju\u0308rgen", "jürgen", id="umlaut that comes apart"),
        pytest.param("e\u0301" * 150, "é" * 150, id="150 letters that come apart"),
    ],
)
def test_every_door_stores_the_same_form(
    anonymous: APIClient, root_pages: Client, name: str, stored: str, db: None
) -> None:
    def by_the_api() -> None:
        body = {"username": name, "email": "new@example.org", "password": PASSWORD}
        assert anonymous.post(REGISTER, body).status_code == 201

    def by_a_change() -> None:
        user = make_user("somebody")
        assert client_of(user).patch(f"{REGISTER}me/", {"username": name}).status_code == 200

    def by_a_command() -> None:
        call_command("createsuperuser", username=name, email="a@example.org", interactive=False, verbosity=0)

    def by_a_shell() -> None:
        User.objects.create_user(name)

    def by_a_script() -> None:
        User(username=name).save()

    def by_the_admin() -> None:
        if len(name) <= 150:  # What the form takes.
            body = {"username": name, "email": "", "usable_password": "false"}
            assert root_pages.post(f"{USERS}add/", body).status_code == 302
        else:
            User.objects.create_user(stored)

    for door in (by_the_api, by_a_change, by_a_command, by_a_shell, by_a_script, by_the_admin):
        door()
        assert User.objects.filter(username=stored).delete()[0], door.__name__


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("½", id="a sign that no name has"),
        pytest.param("ﬃ" * 51, id="153 letters"),
        pytest.param("alice\u3164", id="an invisible letter"),
    ],
)
def test_the_stored_form_is_checked(anonymous: APIClient, root_pages: Client, alice: User, name: str) -> None:
    before = list(User.objects.order_by("pk").values())
    body = {"username": name, "email": "new@example.org", "password": PASSWORD}
    assert_flat_error(anonymous.post(REGISTER, body), 400, field="username")
    assert_flat_error(client_of(alice).patch(f"{REGISTER}me/", {"username": name}), 400, field="username")
    body = {"username": name, "email": "", "usable_password": "false"}
    assert root_pages.post(f"{USERS}add/", body).status_code == 200
    assert list(User.objects.order_by("pk").values()) == before


def test_a_user_of_another_program_keeps_the_name_at_a_change_of_something_else(anonymous: APIClient) -> None:
    stranger = User(username=FULL_WIDTH)
    User.objects.bulk_create([stranger])
    make_user("tanaka")
    stranger = User.objects.get(username=FULL_WIDTH)
    stranger.set_password(PASSWORD)
    stranger.save()
    assert User.objects.filter(username=FULL_WIDTH).exists()


def client_with(token: str) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Token {token}")


@pytest.fixture
def index_away(db: None) -> None:
    """Rows as they were before names were unique in any case; the test's transaction brings the index back."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX core_user_username_folded")
