"""The ASGI entry point under real servers: no connection to the database outlives its call."""

import http.client
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core.models import Resource
from core.tests.support.environment import ROOT
from core.tests.support.servers import database_url

CALLS = 180
AT_ONCE = 8
SERVERS = {
    "uvicorn": ("uvicorn", "--port", "0"),
    "gunicorn": ("gunicorn", "--worker-class", "asgi", "--workers", "1", "--bind", "127.0.0.1:0"),
}
STARTED = re.compile(r"(?:running on|Listening at:) http://127\.0\.0\.1:(\d+)")


@pytest.fixture
def port(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of such a server with this test's own database."""
    module, *options = SERVERS[request.param]
    process = subprocess.Popen(
        [sys.executable, "-m", module, *options, "booking_system_api.asgi:application"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "NOTIFICATIONS": "worker"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + 60
        while not (found := STARTED.search("".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < deadline, "".join(said)
            time.sleep(0.05)
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(20)
        reader.join(10)
        process.stderr.close()
    assert "Traceback" not in "".join(said)


def status_of(port: int, path: str) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET", path, headers={"X-Forwarded-Proto": "https", "Host": "localhost"})
        answer = client.getresponse()
        answer.read()
        return answer.status
    finally:
        client.close()


def other_sessions() -> int:
    """How many sessions this test's database has, apart from the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.processes
@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("port", SERVERS, indirect=True)
def test_many_calls_leave_no_session_behind(port: int, room: Resource) -> None:
    before = other_sessions()
    paths = ["/api/resources/", f"/api/resources/{room.pk}/", "/admin/login/"] * (CALLS // 3)

    with ThreadPoolExecutor(AT_ONCE) as callers:
        answers = list(callers.map(lambda path: status_of(port, path), paths))

    assert answers == [200] * CALLS
    # A server closes the connection after the last byte of the answer.
    deadline = time.monotonic() + 10
    while other_sessions() > before:
        assert time.monotonic() < deadline, other_sessions()
        time.sleep(0.05)


@pytest.mark.parametrize(("entry", "seconds"), [("asgi", 0), ("wsgi", 60)])
def test_only_below_wsgi_are_connections_kept(entry: str, seconds: int) -> None:
    kept = "django.db.connections['default'].settings_dict['CONN_MAX_AGE']"
    script = f"import booking_system_api.{entry}, django.db; print({kept})"
    environment = {**os.environ, "NOTIFICATIONS": "worker", "DJANGO_SETTINGS_MODULE": "booking_system_api.settings"}

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert int(done.stdout) == seconds
