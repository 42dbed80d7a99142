"""POST /api/auth/jwt/create/, refresh/ and verify/, and `Authorization: JWT <token>`."""

import base64
import time
from datetime import timedelta

import pytest
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from core.tests.support.bodies import NO_OBJECTS, post_json
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD

CREATE = "/api/auth/jwt/create/"
REFRESH = "/api/auth/jwt/refresh/"
VERIFY = "/api/auth/jwt/verify/"
ME = "/api/auth/users/me/"

SIGNED_BY_NOBODY = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwidXNlcl9pZCI6IjEifQ."
NESTED = base64.urlsafe_b64encode(b"[" * 150_000).rstrip(b"=").decode() + ".e30.AAAA"

GARBAGE = [
    pytest.param("x", id="no token"),
    pytest.param("a.b.c", id="three parts"),
    pytest.param("..", id="three empty parts"),
    pytest.param("é.ü.ß", id="not ASCII"),
    pytest.param("\U0001f600", id="an emoji"),
    pytest.param(SIGNED_BY_NOBODY, id="signed by nobody"),
    pytest.param(NESTED, id="nested deeply"),
    pytest.param("a" * 1_000_000, id="a million letters"),
    pytest.param(12345, id="number"),
]
NO_TEXT = [
    pytest.param("", id="empty"),
    pytest.param(None, id="null"),
    pytest.param([], id="list"),
    pytest.param({}, id="object"),
    pytest.param("a\x00b", id="NUL"),
    pytest.param("\ud800", id="half a surrogate pair"),
]


@pytest.fixture
def pair(anonymous, alice):
    """What alice gets when she signs in."""
    answer = anonymous.post(CREATE, {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def with_jwt(client, token):
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    return client


def test_name_and_password_get_a_pair_of_tokens(pair, anonymous):
    assert set(pair) == {"access", "refresh"}
    assert with_jwt(anonymous, pair["access"]).get(ME).json()["username"] == "alice"


def test_a_refresh_token_gets_a_new_access_token(pair, anonymous):
    answer = anonymous.post(REFRESH, {"refresh": pair["refresh"]})

    assert answer.status_code == 200, answer.json()
    assert set(answer.json()) == {"access", "refresh"}
    assert with_jwt(anonymous, answer.json()["access"]).get(ME).status_code == 200


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_good_token_is_verified(pair, anonymous, kind):
    answer = anonymous.post(VERIFY, {"token": pair[kind]})

    assert answer.status_code == 200
    assert answer.json() == {}


def test_a_stale_token_in_the_header_does_not_matter(anonymous, alice):
    with_jwt(anonymous, "of-yesterday")

    assert anonymous.post(CREATE, {"username": "alice", "password": PASSWORD}).status_code == 200


def test_white_space_at_the_ends_of_the_password_counts(anonymous, alice):
    alice.set_password(f" {PASSWORD} ")
    alice.save()

    assert anonymous.post(CREATE, {"username": "alice", "password": f" {PASSWORD} "}).status_code == 200
    assert anonymous.post(CREATE, {"username": "alice", "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param({"username": "alice", "password": "wrong"}, id="wrong password"),
        pytest.param({"username": "nobody", "password": PASSWORD}, id="unknown name"),
    ],
)
def test_wrong_credentials_are_refused(anonymous, alice, credentials):
    answer = anonymous.post(CREATE, credentials)

    assert_flat_error(answer, 401, code="no_active_account")
    assert answer.headers["WWW-Authenticate"]


def test_a_deactivated_user_is_refused(anonymous, alice):
    alice.is_active = False
    alice.save()

    assert_flat_error(anonymous.post(CREATE, {"username": "alice", "password": PASSWORD}), 401)


@pytest.mark.parametrize(("path", "field"), [(REFRESH, "refresh"), (VERIFY, "token")], ids=["refresh", "verify"])
@pytest.mark.parametrize("value", GARBAGE)
def test_garbage_is_refused(anonymous, path, field, value):
    assert_flat_error(post_json(anonymous, path, {field: value}), 401, code="token_not_valid")


@pytest.mark.parametrize("value", GARBAGE[:6])
def test_garbage_opens_nothing(anonymous, value):
    anonymous.credentials(HTTP_AUTHORIZATION=f"JWT {value}".encode())

    assert_flat_error(anonymous.get(ME), 401)


@pytest.mark.parametrize(("path", "field"), [(REFRESH, "refresh"), (VERIFY, "token")], ids=["refresh", "verify"])
@pytest.mark.parametrize("value", NO_TEXT)
def test_what_is_no_good_text_is_refused(anonymous, path, field, value):
    assert_flat_error(post_json(anonymous, path, {field: value}), 400, field=field)


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", NO_TEXT)
def test_credentials_that_are_no_good_text_are_refused(anonymous, alice, field, value):
    answer = post_json(anonymous, CREATE, {"username": "alice", "password": PASSWORD, field: value})

    assert_flat_error(answer, 400, field=field)


@pytest.mark.parametrize("path", [CREATE, REFRESH, VERIFY])
@pytest.mark.parametrize("content", [*NO_OBJECTS, {}], ids=repr)
def test_what_is_no_object_with_the_right_keys_is_refused(anonymous, path, content):
    assert_flat_error(post_json(anonymous, path, content), 400)


@pytest.mark.parametrize("path", [CREATE, REFRESH, VERIFY])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_is_known(anonymous, path, method):
    assert_flat_error(getattr(anonymous, method)(path), 405, code="method_not_allowed")


def test_an_access_token_does_not_refresh(pair, anonymous):
    assert_flat_error(anonymous.post(REFRESH, {"refresh": pair["access"]}), 401, code="token_not_valid")


def test_a_refresh_token_opens_nothing(pair, anonymous):
    assert_flat_error(with_jwt(anonymous, pair["refresh"]).get(ME), 401, code="token_not_valid")


def test_an_expired_token_is_refused(anonymous, alice):
    access, refresh = AccessToken.for_user(alice), RefreshToken.for_user(alice)
    for token in (access, refresh):
        token.set_exp(lifetime=-timedelta(seconds=31))

    assert_flat_error(with_jwt(anonymous, access).get(ME), 401)
    assert_flat_error(anonymous.post(VERIFY, {"token": str(access)}), 401)
    assert_flat_error(anonymous.post(REFRESH, {"refresh": str(refresh)}), 401)


@pytest.mark.parametrize(
    ("claim", "seconds"),
    [
        pytest.param("iat", 0.05, id="made a moment ahead"),
        pytest.param("iat", 25, id="made 25 seconds ahead"),
        pytest.param("exp", -25, id="ended 25 seconds ago"),
    ],
)
def test_clocks_may_differ_by_half_a_minute(anonymous, alice, claim, seconds):
    access, refresh = AccessToken.for_user(alice), RefreshToken.for_user(alice)
    for token in (access, refresh):
        token[claim] = time.time() + seconds

    assert with_jwt(anonymous, access).get(ME).status_code == 200
    for token in (access, refresh):
        assert anonymous.post(VERIFY, {"token": str(token)}).status_code == 200
    assert anonymous.post(REFRESH, {"refresh": str(refresh)}).status_code == 200
    assert anonymous.post(REFRESH, {"refresh": str(refresh)}).status_code == 401


def test_clocks_may_not_differ_by_more(anonymous, alice):
    access, refresh = AccessToken.for_user(alice), RefreshToken.for_user(alice)
    for token in (access, refresh):
        token["iat"] = time.time() + 35

    assert_flat_error(with_jwt(anonymous, access).get(ME), 401)
    assert_flat_error(anonymous.post(VERIFY, {"token": str(access)}), 401)
    assert_flat_error(anonymous.post(REFRESH, {"refresh": str(refresh)}), 401)


def test_a_token_for_nobody_in_particular_is_refused(anonymous, db):
    for token in (RefreshToken(), AccessToken()):
        assert_flat_error(anonymous.post(VERIFY, {"token": str(token)}), 401)
    assert_flat_error(anonymous.post(REFRESH, {"refresh": str(RefreshToken())}), 401)
    assert_flat_error(with_jwt(anonymous, AccessToken()).get(ME), 401)


def test_a_header_of_more_than_two_words_is_refused(pair, anonymous):
    assert_flat_error(with_jwt(anonymous, f"{pair['access']} again").get(ME), 401, code="bad_authorization_header")


def assert_void(pair, client, code):
    """Neither token opens, refreshes or verifies anything, and the code says why."""
    client.credentials()
    assert_flat_error(client.post(REFRESH, {"refresh": pair["refresh"]}), 401, code=code)
    for kind in ("access", "refresh"):
        assert_flat_error(client.post(VERIFY, {"token": pair[kind]}), 401, code=code)
    assert_flat_error(with_jwt(client, pair["access"]).get(ME), 401, code=code)


def test_the_tokens_of_a_deleted_user_are_void(pair, anonymous, alice):
    alice.delete()

    assert_void(pair, anonymous, "user_not_found")


def test_the_tokens_of_a_deactivated_user_are_void(pair, anonymous, alice):
    alice.is_active = False
    alice.save()

    assert_void(pair, anonymous, "user_inactive")


def test_the_tokens_of_a_user_with_a_new_password_are_void(pair, anonymous, alice):
    alice.set_password("another-horse-8-battery")
    alice.save()

    assert_void(pair, anonymous, "password_changed")
