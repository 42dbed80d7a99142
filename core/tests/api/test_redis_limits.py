"""With REDIS_URL the counters of the limits are shared by all processes. Needs a Redis server."""

import http.client
import json
import pickle
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from booking_system_api.readiness import readiness
from core.api import counters
from core.api.counters import PAUSE_SECONDS, RedisStore
from core.tests.support.parallel import in_parallel
from core.tests.support.redis_server import redis_server
from core.tests.support.servers import server

pytestmark = pytest.mark.redis


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def redis_url(tmp_path: Path, port: int) -> Iterator[str]:
    with redis_server(tmp_path, port):
        yield f"redis://127.0.0.1:{port}/0"


def sign_in(address: tuple[str, int], username: str) -> int:
    client = http.client.HTTPConnection(*address, timeout=30)
    body = json.dumps({"username": username, "password": "wrong"})
    client.request(
        "POST", "/api/auth/token/login/", body, {"Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    )
    status = client.getresponse().status
    client.close()
    return status


@pytest.mark.django_db(transaction=True)
def test_processes_count_together(redis_url: str, alice: User) -> None:
    environment = {"REDIS_URL": redis_url, "THROTTLE_SIGN_IN": "5/min"}
    with server(workers=2, **environment) as one, server(**environment) as other:
        statuses = Counter(sign_in((one, other)[index % 2], "alice") for index in range(16))
    assert statuses == {400: 5, 429: 11}


def status_of_root(address: tuple[str, int]) -> int:
    client = http.client.HTTPConnection(*address, timeout=30)
    client.request("GET", "/api/", headers={"X-Forwarded-Proto": "https"})
    status = client.getresponse().status
    client.close()
    return status


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_at_once_to_many_processes_exactly_the_quota_are_let_through(redis_url: str) -> None:
    environment = {"REDIS_URL": redis_url, "THROTTLE_ANONYMOUS": "20/min"}
    with server(workers=2, **environment) as one, server(workers=2, **environment) as other:
        statuses = in_parallel([lambda: status_of_root(one), lambda: status_of_root(other)] * 30)

    assert Counter(statuses) == {200: 20, 429: 40}


def test_of_many_threads_at_once_exactly_the_quota_are_let_through(redis_url: str) -> None:
    store = RedisStore(redis_url)

    counts = in_parallel([lambda: store.count("a", 20, 60)] * 60)

    assert Counter(count.allowed for count in counts) == {True: 20, False: 40}
    assert sorted(count.used for count in counts if count.allowed) == list(range(1, 21))


def test_a_window_moves_in_redis_as_in_memory(redis_url: str) -> None:
    store = RedisStore(redis_url)
    first = [store.count("a", 2, 1) for _ in range(4)]
    time.sleep(1.05)

    assert [count[:2] for count in first] == [(True, 1), (True, 2), (False, 2), (False, 2)]
    assert all(0 < count.reset <= 1 for count in first)
    assert store.count("a", 2, 1)[:2] == (True, 1)


def test_a_server_at_a_unix_socket_counts_too(redis_url: str, tmp_path: Path) -> None:
    store = RedisStore(f"unix://{tmp_path / 'redis.sock'}")

    assert [store.count("a", 2, 60).allowed for _ in range(3)] == [True, True, False]


def test_counters_do_not_stay_in_redis_for_ever(redis_url: str, port: int) -> None:
    RedisStore(redis_url).count("a", 2, 60)

    with redis.Redis(port=port) as client:
        assert [client.ttl(key) in range(1, 61) for key in client.scan_iter()] == [True]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda client, key: client.set(key, "a word"), id="a text"),
        pytest.param(lambda client, key: client.set(key, pickle.dumps([time.time()])), id="a pickled value"),
        pytest.param(lambda client, key: client.hset(key, "a", "b"), id="another type"),
        pytest.param(lambda client, key: client.rpush(key, *["a word"] * 9), id="words"),
        pytest.param(lambda client, key: client.rpush(key, *["nan"] * 9), id="no numbers"),
    ],
)
@pytest.mark.django_db
def test_a_strange_value_counts_as_nothing(
    redis_url: str, port: int, limit, monkeypatch, caplog, anonymous: APIClient, spoil: Callable[..., object]
) -> None:
    monkeypatch.setattr(counters, "store", RedisStore(redis_url))
    limit(anonymous="2/min")
    anonymous.get("/api/")
    with redis.Redis(port=port) as client:
        (key,) = client.keys()
        client.delete(key)
        spoil(client, key)

    answers = [anonymous.get("/api/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert not [record for record in caplog.records if record.name == counters.__name__]


@pytest.mark.django_db
def test_times_from_the_future_are_no_error(
    redis_url: str, port: int, limit, monkeypatch, anonymous: APIClient
) -> None:
    monkeypatch.setattr(counters, "store", RedisStore(redis_url))
    limit(anonymous="2/min")
    anonymous.get("/api/")
    with redis.Redis(port=port) as client:
        (key,) = client.keys()
        client.lpush(key, "inf", "inf")

    answer = anonymous.get("/api/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")


@pytest.mark.django_db(transaction=True)
def test_without_redis_each_process_counts_for_itself(alice: User) -> None:
    with server(THROTTLE_SIGN_IN="5/min") as one, server(THROTTLE_SIGN_IN="5/min") as other:
        statuses = Counter(sign_in((one, other)[index % 2], "alice") for index in range(16))
    assert statuses == {400: 10, 429: 6}


@pytest.mark.django_db(transaction=True)
def test_a_redis_that_was_away_counts_again(tmp_path: Path, port: int, alice: User) -> None:
    with server(REDIS_URL=f"redis://127.0.0.1:{port}/0", THROTTLE_SIGN_IN="2/hour") as address:
        with redis_server(tmp_path, port):
            before = [sign_in(address, "alice") for _ in range(3)]
        away = [sign_in(address, "alice") for _ in range(3)]
        with redis_server(tmp_path, port):
            time.sleep(PAUSE_SECONDS)
            again = [sign_in(address, "alice") for _ in range(3)]
    assert before == again == [400, 400, 429]
    assert away == [400] * 3


@pytest.mark.django_db
def test_a_server_whose_redis_answers_is_ready(
    redis_url: str, settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = redis_url
    monkeypatch.setattr(readiness, "report", None)
    assert client.get("/health/ready/").json()["checks"]["redis"] == "ok"
