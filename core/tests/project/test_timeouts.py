"""How long a web process lets the database wait: the settings, and real servers beside a forgotten lock."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from rest_framework.authtoken.models import Token

from booking_system_api.timeouts import limit_waits
from core.models import Booking, Resource
from core.tests.support.callers import Caller
from core.tests.support.environment import ROOT
from core.tests.support.factories import at
from core.tests.support.outages import somebody_holds
from core.tests.support.servers import database_url, free_port, server
from core.tests.support.settings import load_settings

NAMES = ("DB_LOCK_TIMEOUT_SECONDS", "DB_STATEMENT_TIMEOUT_SECONDS", "DB_IDLE_TIMEOUT_SECONDS")
POSTGRESQL = "postgres://booking:x@127.0.0.1:5432/booking"
LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


# --- The settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, [2, 15, 30]),
        (dict.fromkeys(NAMES, ""), [None, None, None]),
        ({NAMES[0]: "7", NAMES[2]: ""}, [7, 15, None]),
        ({"CONN_MAX_AGE": "0"}, [None, None, None]),
        ({"CONN_MAX_AGE": "0", NAMES[1]: "9"}, [None, 9, None]),
        ({"DATABASE_URL": "sqlite:///unused.sqlite3"}, [None, None, None]),
        ({"DATABASE_URL": "sqlite:///unused.sqlite3", NAMES[0]: "3"}, [3, None, None]),
    ],
    ids=["usual", "empty", "some", "behind a pooler", "behind a pooler and set", "SQLite", "SQLite and set"],
)
def test_the_limits(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: list[int | None]) -> None:
    found = load_settings(monkeypatch, **{"DATABASE_URL": POSTGRESQL, **variables})
    assert [found[name] for name in NAMES] == expected
    # Commands and migrations have none of them.
    assert "options" not in found["DATABASES"]["default"]["OPTIONS"]
    assert found["DATABASES"]["default"]["OPTIONS"].get("timeout") in (None, 20)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "2s", "3601"])
def test_a_wrong_limit_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=f"{name} is '{value}', but it must be a whole number from 1 to 3600"
    ):
        load_settings(monkeypatch, **{name: value})


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[..., dict[str, Any]]:
    """What a web process gives the driver."""

    def options(
        given: dict[str, Any], *limits: int | None, engine: str = "booking_system_api.postgresql", pgoptions: str = ""
    ) -> dict[str, Any]:
        database = django_settings.DATABASES["default"]
        monkeypatch.setitem(database, "ENGINE", engine)
        monkeypatch.setitem(database, "OPTIONS", given)
        monkeypatch.setenv("PGOPTIONS", pgoptions)
        for name, value in zip(NAMES, limits, strict=True):
            setattr(settings, name, value)
        limit_waits()
        return database["OPTIONS"]

    return options


ALL = "-c lock_timeout=2s -c statement_timeout=15s -c idle_in_transaction_session_timeout=30s"


def test_a_web_process_asks_for_them_when_it_connects(options: Callable[..., dict[str, Any]]) -> None:
    assert options({"connect_timeout": 5}, 2, 15, 30) == {"connect_timeout": 5, "options": ALL}
    assert options({}, None, 15, None) == {"options": "-c statement_timeout=15s"}


def test_without_limits_it_asks_for_nothing_as_poolers_want_it(options: Callable[..., dict[str, Any]]) -> None:
    assert options({"connect_timeout": 5}, None, None, None) == {"connect_timeout": 5}


def test_the_options_of_an_operator_come_last_and_win(options: Callable[..., dict[str, Any]]) -> None:
    theirs = "-c search_path=booking -c lock_timeout=9s"
    assert options({"options": theirs}, 2, 15, 30) == {"options": f"{ALL} {theirs}"}
    assert options({}, 2, 15, 30, pgoptions=theirs) == {"options": f"{ALL} {theirs}"}


def test_on_sqlite_there_is_the_wait_for_its_lock_alone(options: Callable[..., dict[str, Any]]) -> None:
    engine = "django.db.backends.sqlite3"
    assert options({"timeout": 20}, None, None, None, engine=engine) == {"timeout": 20}
    assert options({"timeout": 20}, 3, 9, 9, engine=engine) == {"timeout": 3}


# --- Real processes ---------------------------------------------------------------------------------------------------

SHOW = """
import {module}
from django.db import connection
with connection.cursor() as cursor:
    for name in {limits}:
        cursor.execute(f"SHOW {{name}}")
        print(cursor.fetchone()[0])
"""


def shown(*command: str, **variables: str) -> list[str]:
    """The limits of a process, as PostgreSQL has them."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.processes
@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("module", ["booking_system_api.wsgi", "booking_system_api.asgi"])
def test_postgresql_has_the_limits_of_a_web_process(module: str) -> None:
    program = SHOW.format(module=module, limits=LIMITS)
    assert shown("-c", program) == ["2s", "15s", "30s"]
    assert shown("-c", program, CONN_MAX_AGE="0") == ["0", "0", "0"]
    assert shown("-c", program, DB_LOCK_TIMEOUT_SECONDS="", DB_IDLE_TIMEOUT_SECONDS="90") == ["0", "15s", "90s"]


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_command_has_none() -> None:
    program = SHOW.format(module="django", limits=LIMITS)
    assert shown("manage.py", "shell", "-v0", "-c", program) == ["0", "0", "0"]


@contextmanager
def runserver(**environment: str) -> Iterator[tuple[str, int]]:
    """Django's development server on this test's own database."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                client.request("GET", "/health/")
                assert client.getresponse().status == 200
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            finally:
                client.close()
        yield "127.0.0.1", port
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("serve", [server, runserver], ids=["gunicorn", "runserver"])
def test_beside_a_forgotten_lock_a_server_answers_503_in_a_second_and_then_books(
    serve: Callable[..., Any], alice: User, room: Resource, lab: Resource
) -> None:
    token = Token.objects.create(user=alice).key
    with ExitStack() as stack:
        caller = Caller(stack.enter_context(serve(DB_LOCK_TIMEOUT_SECONDS="1")), token)
        assert caller.book(room, start=at(8))[0] == 201  # the server has begun
        with somebody_holds(room):
            status, body, took = caller.book(room)
            assert (status, body["code"]) == (503, "busy")
            assert 1 <= took < 5
            if connection.vendor == "postgresql":
                status, _, took = caller.book(lab, start=at(12))
                assert status == 201
                assert took < 1
        assert caller.book(room)[0] == 201
    assert Booking.objects.filter(resource=room).count() == 2
