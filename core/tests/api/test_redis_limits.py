"""With REDIS_URL the counters of the limits are shared by all processes. Needs a Redis server."""

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.contrib.auth.models import User

from booking_system_api.caches import PAUSE_SECONDS
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


@contextmanager
def redis_server(tmp_path: Path, port: int) -> Iterator[None]:
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: apt install redis-server"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(tmp_path)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            deadline = time.monotonic() + 20
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


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
