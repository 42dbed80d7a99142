"""The RateLimit headers, and limits on guesses of one's own password."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD
from core.tests.support.limits import at_address, sign_in

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


def test_the_limit_of_an_account_is_told_under_its_own_name_once_it_is_tighter(limits, alice: User) -> None:
    limits(sign_in="2/min")
    for number in range(4):
        answers = [sign_in(at_address(f"192.0.2.{number}")) for _ in range(2)]
        assert [answer.headers["RateLimit-Policy"] for answer in answers] == ['"sign_in";q=2;w=60'] * 2
    last = [sign_in(at_address(f"192.0.2.{number}")) for number in (10, 11, 12)]

    assert [answer.status_code for answer in last] == [400, 400, 429]
    policies = [answer.headers["RateLimit-Policy"] for answer in last]
    assert policies == ['"sign_in";q=2;w=60'] + ['"sign_in_account";q=10;w=60'] * 2
    states = [answer.headers["RateLimit"].split(";t=") for answer in last]
    assert [state for state, _ in states] == ['"sign_in";r=1', '"sign_in_account";r=0', '"sign_in_account";r=0']
    assert states[2][1] == last[2].headers["Retry-After"]


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


def test_guesses_with_a_stolen_token_do_not_lock_the_owner_out(limits, as_alice: APIClient, alice: User) -> None:
    limits(sign_in="3/min")
    guesses = [as_alice.delete(ME, {"current_password": "wrong"}, REMOTE_ADDR="192.0.2.1") for _ in range(20)]

    assert [answer.status_code for answer in guesses] == [400] * 3 + [429] * 17
    assert sign_in(at_address("192.0.2.2"), password=PASSWORD).status_code == 200


def test_guesses_from_many_addresses_count_with_the_sign_ins_as_that_user(
    limits, as_alice: APIClient, alice: User
) -> None:
    limits(sign_in="1/min")
    for number in range(5):
        wrong = {"current_password": "wrong"}
        assert as_alice.delete(ME, wrong, REMOTE_ADDR=f"192.0.2.{number}").status_code == 400

    assert_flat_error(sign_in(at_address("192.0.2.20"), password=PASSWORD), 429)
