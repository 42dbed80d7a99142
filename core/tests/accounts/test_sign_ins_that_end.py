"""Sign-ins end: by renewal, by signing out, by age."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from core.accounts.serializers import JWTSignInSerializer
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD
from core.tests.support.parallel import in_parallel

SIGN_IN = {"username": "alice", "password": PASSWORD}
REFRESH = "/api/auth/jwt/refresh/"
SIGN_OUT = "/api/auth/jwt/logout/"
VERIFY = "/api/auth/jwt/verify/"
ME = "/api/auth/users/me/"


@pytest.fixture
def pair(anonymous: APIClient, alice: User) -> dict[str, str]:
    return anonymous.post("/api/auth/jwt/create/", SIGN_IN).json()


def test_a_refresh_token_is_good_once(anonymous: APIClient, pair: dict) -> None:
    renewed = anonymous.post(REFRESH, {"refresh": pair["refresh"]})
    assert renewed.status_code == 200
    assert anonymous.post(REFRESH, {"refresh": renewed.json()["refresh"]}).status_code == 200
    assert_flat_error(anonymous.post(REFRESH, {"refresh": pair["refresh"]}), 401)


def test_signing_out_voids_the_refresh_token(anonymous: APIClient, pair: dict) -> None:
    answer = anonymous.post(SIGN_OUT, {"refresh": pair["refresh"]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert_flat_error(anonymous.post(REFRESH, {"refresh": pair["refresh"]}), 401)
    assert_flat_error(anonymous.post(VERIFY, {"token": pair["refresh"]}), 401, code="token_not_valid")
    assert_flat_error(anonymous.post(SIGN_OUT, {"refresh": pair["refresh"]}), 401)


@pytest.mark.parametrize(("sent", "status"), [("x", 401), ("", 400), (None, 400), (7, 401), ([], 400)])
def test_what_is_no_refresh_token_cannot_sign_out(anonymous: APIClient, alice: User, sent: object, status: int) -> None:
    assert_flat_error(anonymous.post(SIGN_OUT, {"refresh": sent}), status)


def test_an_access_token_cannot_sign_out(anonymous: APIClient, pair: dict) -> None:
    assert_flat_error(anonymous.post(SIGN_OUT, {"refresh": pair["access"]}), 401)


def test_a_token_ends_with_its_age_and_the_next_sign_in_gives_a_new_one(
    settings, anonymous: APIClient, alice: User
) -> None:
    settings.TOKEN_MAX_AGE_DAYS = 30
    client = client_of(alice)
    old = Token.objects.get(user=alice)
    Token.objects.update(created=timezone.now() - timedelta(days=29, hours=23))
    assert client.get(ME).status_code == 200
    Token.objects.update(created=timezone.now() - timedelta(days=30))
    assert_flat_error(client.get(ME), 401, code="sign_in_expired")
    renewed = anonymous.post("/api/auth/token/login/", SIGN_IN).json()["auth_token"]
    assert renewed != old.key
    anonymous.credentials(HTTP_AUTHORIZATION=f"Token {renewed}")
    assert anonymous.get(ME).status_code == 200


def test_without_an_age_tokens_last(anonymous: APIClient, alice: User) -> None:
    client = client_of(alice)
    Token.objects.update(created=timezone.now() - timedelta(days=3000))
    assert client.get(ME).status_code == 200


def test_json_web_tokens_end_with_the_age_of_the_sign_in_however_often_renewed(
    settings, anonymous: APIClient, alice: User
) -> None:
    settings.TOKEN_MAX_AGE_DAYS = 30
    token = JWTSignInSerializer.get_token(alice)
    renewed = anonymous.post(REFRESH, {"refresh": str(token)}).json()
    assert RefreshToken(renewed["refresh"])["auth_time"] == token["auth_time"]
    token = JWTSignInSerializer.get_token(alice)
    token["auth_time"] -= 30 * 86_400
    for path, body in ((REFRESH, {"refresh": str(token)}), (VERIFY, {"token": str(token.access_token)})):
        assert_flat_error(anonymous.post(path, body), 401, code="sign_in_expired")
    anonymous.credentials(HTTP_AUTHORIZATION=f"JWT {token.access_token}")
    assert_flat_error(anonymous.get(ME), 401, code="sign_in_expired")


@pytest.mark.django_db(transaction=True)
def test_a_refresh_token_sent_many_times_at_once_is_good_once(pair: dict) -> None:
    calls = [lambda: client_of().post(REFRESH, {"refresh": pair["refresh"]})] * 12
    answers = in_parallel(calls)
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 11]
    for answer in answers:
        if answer.status_code == 401:
            assert_flat_error(answer, 401, code="token_not_valid")


def test_a_refresh_token_that_is_used_again_voids_its_whole_family(
    anonymous: APIClient, alice: User, pair: dict
) -> None:
    elsewhere = anonymous.post("/api/auth/jwt/create/", {"username": "alice", "password": PASSWORD}).json()
    second = anonymous.post(REFRESH, {"refresh": pair["refresh"]}).json()
    third = anonymous.post(REFRESH, {"refresh": second["refresh"]}).json()
    assert_flat_error(anonymous.post(REFRESH, {"refresh": pair["refresh"]}), 401, code="token_not_valid")
    assert_flat_error(anonymous.post(REFRESH, {"refresh": third["refresh"]}), 401, code="token_not_valid")
    assert anonymous.post(REFRESH, {"refresh": elsewhere["refresh"]}).status_code == 200


def test_its_kin_whose_time_is_just_over_are_void_too(anonymous: APIClient, alice: User, pair: dict) -> None:
    second = RefreshToken(anonymous.post(REFRESH, {"refresh": pair["refresh"]}).json()["refresh"])
    second.set_exp(lifetime=timedelta(seconds=-10))
    OutstandingToken.objects.filter(jti=second["jti"]).update(
        token=str(second), expires_at=timezone.now() - timedelta(seconds=10)
    )
    assert_flat_error(anonymous.post(REFRESH, {"refresh": pair["refresh"]}), 401, code="token_not_valid")
    assert_flat_error(anonymous.post(REFRESH, {"refresh": str(second)}), 401, code="token_not_valid")


@pytest.mark.django_db(transaction=True)
def test_signing_out_while_a_token_is_renewed_leaves_no_way_on_that_nobody_hears_of(pair: dict) -> None:
    body = {"refresh": pair["refresh"]}
    calls = [lambda: client_of().post(REFRESH, body), lambda: client_of().post(SIGN_OUT, body)] * 4
    statuses = sorted(answer.status_code for answer in in_parallel(calls))
    assert statuses in ([200, *[401] * 7], [204, *[401] * 7])
