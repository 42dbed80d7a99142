"""The RateLimit headers, and limits on guesses of one's own password."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD

ME = "/api/auth/users/me/"
LOGIN = "/api/auth/token/login/"


@pytest.fixture
def limits(settings):
    def limit(**rates: str) -> None:
        framework = settings.REST_FRAMEWORK
        rates = {**framework["DEFAULT_THROTTLE_RATES"], **rates}
        settings.REST_FRAMEWORK = {**framework, "DEFAULT_THROTTLE_RATES": rates}

    return limit


def test_a_limited_call_says_what_is_left(limits, anonymous: APIClient, room: Resource) -> None:
    limits(anonymous="2/min")
    states = []
    for _ in range(3):
        answer = anonymous.get("/api/resources/")
        assert answer.headers["RateLimit-Policy"] == '"anonymous";q=2;w=60'
        states.append((answer.status_code, answer.headers["RateLimit"].split(";t=")[0]))
    assert states == [(200, '"anonymous";r=1'), (200, '"anonymous";r=0'), (429, '"anonymous";r=0')]
    assert 1 <= int(answer.headers["RateLimit"].split(";t=")[1]) <= 60


def test_of_two_counters_the_tighter_is_told(limits, anonymous: APIClient, alice: User) -> None:
    limits(sign_in="5/min")
    anonymous.post(LOGIN, {"username": "alice", "password": "wrong"})
    answer = anonymous.post(LOGIN, {"username": "bob", "password": "wrong"})
    assert answer.headers["RateLimit"].startswith('"sign_in";r=3;')


def test_a_call_without_a_limit_has_no_header(anonymous: APIClient, room: Resource) -> None:
    assert "RateLimit" not in anonymous.get("/api/resources/").headers


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        pytest.param("post", "/api/auth/users/set_password/", {"new_password": "Brand-new-9"}, id="set_password"),
        pytest.param("delete", ME, {}, id="delete me"),
    ],
)
def test_guesses_of_ones_own_password_are_limited_as_sign_ins_are(
    limits, as_alice: APIClient, anonymous: APIClient, alice: User, method: str, path: str, body: dict
) -> None:
    limits(sign_in="3/min")
    guess = getattr(as_alice, method)
    assert guess(path, {**body, "current_password": "wrong"}).status_code == 400
    assert anonymous.post(LOGIN, {"username": "ALICE", "password": "wrong"}).status_code == 400
    assert guess(path, {**body, "current_password": "wrong"}).status_code == 400
    assert_flat_error(guess(path, {**body, "current_password": PASSWORD}), 429)
    assert User.objects.filter(pk=alice.pk).exists()
    assert as_alice.get(ME).status_code == 200
