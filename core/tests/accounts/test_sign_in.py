"""POST /api/auth/token/login/ and /api/auth/token/logout/."""

import pytest
from rest_framework.authtoken.models import Token

from core.tests.support.bodies import NO_OBJECTS, post_json
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD

LOGIN = "/api/auth/token/login/"
LOGOUT = "/api/auth/token/logout/"
ME = "/api/auth/users/me/"


def test_name_and_password_get_a_token_that_opens_the_account(anonymous, alice):
    answer = anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD})

    assert answer.status_code == 200, answer.json()
    assert answer.json() == {"auth_token": Token.objects.get(user=alice).key}
    anonymous.credentials(HTTP_AUTHORIZATION=f"Token {answer.json()['auth_token']}")
    assert anonymous.get(ME).json()["username"] == "alice"


def test_every_device_gets_the_same_token(anonymous, alice):
    first, second = (anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}) for _ in range(2))

    assert first.json() == second.json()


@pytest.mark.parametrize("form", ["multipart", "form"])
def test_a_form_signs_in_too(anonymous, alice, form):
    if form == "form":
        answer = anonymous.post(
            LOGIN, f"username=alice&password={PASSWORD}", content_type="application/x-www-form-urlencoded"
        )
    else:
        answer = anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}, format="multipart")

    assert answer.status_code == 200, answer.json()


def test_white_space_at_the_ends_of_the_password_counts(anonymous, alice):
    alice.set_password(f" {PASSWORD} ")
    alice.save()

    assert anonymous.post(LOGIN, {"username": "alice", "password": f" {PASSWORD} "}).status_code == 200
    assert anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}).status_code == 400


@pytest.mark.parametrize("header", ["Token of-yesterday", "JWT of-yesterday", "Token", "Basic YTpi"])
def test_a_stale_token_does_not_keep_anybody_from_signing_in(anonymous, alice, header):
    anonymous.credentials(HTTP_AUTHORIZATION=header)

    answer = anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD})

    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param({"username": "alice", "password": "wrong"}, id="wrong password"),
        pytest.param({"username": "nobody", "password": PASSWORD}, id="unknown name"),
        pytest.param({"username": "alice@example.org", "password": PASSWORD}, id="address for a name"),
    ],
)
def test_wrong_credentials_are_refused_without_telling_which(anonymous, alice, credentials):
    answer = anonymous.post(LOGIN, credentials)

    said = assert_flat_error(answer, 400, field="non_field_errors")
    assert said["non_field_errors"] == ["Unable to log in with provided credentials."]
    assert not Token.objects.exists()


def test_a_deactivated_user_is_refused(anonymous, alice):
    alice.is_active = False
    alice.save()

    assert_flat_error(anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}), 400)
    assert not Token.objects.exists()


def test_a_user_without_password_is_refused(anonymous, alice):
    alice.set_unusable_password()
    alice.save()

    assert_flat_error(anonymous.post(LOGIN, {"username": "alice", "password": alice.password}), 400)


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        pytest.param({"x": 1}, id="object"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param("a\x00b", id="NUL"),
    ],
)
def test_what_is_no_good_text_is_refused(anonymous, alice, field, value):
    answer = post_json(anonymous, LOGIN, {"username": "alice", "password": PASSWORD, field: value})

    assert_flat_error(answer, 400, field=field)


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", ["a" * 1_000_000, 7, 7.5], ids=["a million letters", "number", "fraction"])
def test_odd_credentials_are_only_wrong(anonymous, alice, field, value):
    assert_flat_error(post_json(anonymous, LOGIN, {"username": "alice", "password": PASSWORD, field: value}), 400)


@pytest.mark.parametrize("field", ["username", "password"])
def test_what_is_missing_is_named(anonymous, alice, field):
    credentials = {"username": "alice", "password": PASSWORD}
    del credentials[field]

    assert_flat_error(anonymous.post(LOGIN, credentials), 400, field=field)


@pytest.mark.parametrize("content", NO_OBJECTS, ids=repr)
def test_what_is_no_object_is_refused(anonymous, content):
    assert_flat_error(post_json(anonymous, LOGIN, content), 400)


@pytest.mark.parametrize("path", [LOGIN, LOGOUT])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_is_known(as_alice, path, method):
    answer = getattr(as_alice, method)(path)

    assert_flat_error(answer, 405, code="method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_sign_out_voids_the_token(as_alice, alice):
    answer = as_alice.post(LOGOUT)

    assert answer.status_code == 204
    assert answer.content == b""
    assert not Token.objects.filter(user=alice).exists()
    assert_flat_error(as_alice.get(ME), 401)


def test_sign_out_voids_nobody_elses_token(as_alice, as_bob):
    as_alice.post(LOGOUT)

    assert as_bob.get(ME).status_code == 200


def test_after_signing_out_the_next_token_is_another(anonymous, alice):
    old = anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}).json()
    client_of(alice).post(LOGOUT)

    new = anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}).json()

    assert new != old


def test_nobody_signs_out_without_signing_in(anonymous):
    assert_flat_error(anonymous.post(LOGOUT), 401, code="not_authenticated")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Token unknown", id="unknown"),
        pytest.param("Token", id="nothing"),
        pytest.param("Token two words", id="two words"),
        pytest.param("Token \xff\xfe", id="not ASCII"),
        pytest.param("Token " + "a" * 8000, id="very long"),
        pytest.param("JWT", id="JWT and nothing"),
        pytest.param("JWT a b", id="JWT and two words"),
        pytest.param("JWT a.b.c", id="JWT and garbage"),
        pytest.param("JWT \xff.\xff.\xff", id="JWT, not ASCII"),
        pytest.param("Bearer a.b.c", id="another way"),
    ],
)
def test_a_bad_token_is_a_401(anonymous, header):
    anonymous.credentials(HTTP_AUTHORIZATION=header)

    answer = anonymous.get(ME)

    assert_flat_error(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Token")


@pytest.mark.parametrize("scheme", ["Token", "JWT"])
def test_a_token_with_a_nul_is_no_server_error(anonymous, scheme):
    anonymous.credentials(HTTP_AUTHORIZATION=f"{scheme} a\x00b")

    answer = anonymous.get(ME)

    assert_flat_error(answer, answer.status_code)
    assert answer.status_code in (400, 401)


def test_the_token_of_a_deactivated_user_is_void(as_alice, alice):
    alice.is_active = False
    alice.save()

    assert_flat_error(as_alice.get(ME), 401)
