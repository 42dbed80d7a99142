"""While the Redis of REDIS_URL is away, people go on booking: limits do not count, and the log says so."""

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.api import counters
from core.models import Resource
from core.tests.support.clients import client_of
from core.tests.support.factories import PASSWORD
from core.tests.support.parallel import in_parallel

LOGIN = "/api/auth/token/login/"
RESOURCES = "/api/resources/"


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody listens at, and nobody else takes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def redis_at(settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the counters live in a Redis at that port, the limits being two calls a minute."""

    def redis_at(port: int) -> None:
        rates = dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "2/min")
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
        monkeypatch.setattr(counters, "store", counters.RedisStore(f"redis://127.0.0.1:{port}/0"))

    return redis_at


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == counters.__name__]


def test_people_go_on_and_the_log_says_once_that_limits_do_not_count(
    redis_at, port: int, anonymous: APIClient, as_alice: APIClient, room: Resource, caplog
) -> None:
    redis_at(port)

    assert [anonymous.get(RESOURCES).status_code for _ in range(4)] == [200] * 4
    assert [as_alice.get("/api/bookings/").status_code for _ in range(4)] == [200] * 4
    sign_ins = [anonymous.post(LOGIN, {"username": "alice", "password": PASSWORD}) for _ in range(4)]
    assert [answer.status_code for answer in sign_ins] == [200] * 4
    assert len(warnings(caplog)) == 1
    assert warnings(caplog)[0].startswith("Redis is away; limits do not count for 10 seconds: ")


def test_it_is_asked_again_when_the_pause_is_over(
    redis_at, port: int, anonymous: APIClient, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(counters, "PAUSE_SECONDS", 0)
    redis_at(port)
    anonymous.get(RESOURCES)
    told = len(warnings(caplog))
    anonymous.get(RESOURCES)

    assert len(warnings(caplog)) == 2 * told > 0


def test_a_server_that_does_not_answer_costs_one_call_a_second(redis_at, anonymous: APIClient, caplog) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        redis_at(silent.getsockname()[1])

        began = time.monotonic()
        assert {anonymous.get(RESOURCES).status_code for _ in range(10)} == {200}

    assert 0.9 < time.monotonic() - began < 5
    assert len(warnings(caplog)) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_that_fail_at_once_one_gets_into_the_log(redis_at, port: int, alice: User, caplog) -> None:
    redis_at(port)

    answers = in_parallel([lambda: client_of().get(RESOURCES)] * 8)

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(warnings(caplog)) == 1
