"""POST /api/bookings/ with an Idempotency-Key, and the process that answers is killed in the middle."""

import contextlib
import http.client
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from rest_framework.authtoken.models import Token

from core.api.models import IdempotencyKey
from core.models import Booking, Resource
from core.tests.support.factories import booking_body
from core.tests.support.servers import server

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30

# Counts for minutes, in the middle of the insertion of a booking: SQLite has no lock that one could wait for there.
STALL = """
    CREATE TRIGGER stall BEFORE INSERT ON core_booking BEGIN
        SELECT count(*) FROM (
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000000000)
            SELECT n FROM number
        );
    END
"""

# Those who wait for a lock after they have written a key.
WAITING_WITH_A_KEY = """
    SELECT count(*) FROM pg_stat_activity AS session
    WHERE session.datname = current_database() AND session.wait_event_type = 'Lock' AND EXISTS (
        SELECT 1 FROM pg_locks AS held
        WHERE held.pid = session.pid AND held.granted AND held.mode = 'RowExclusiveLock'
        AND held.relation = 'core_idempotencykey'::regclass
    )
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    replayed: bool
    body: dict[str, Any]


class Server:
    """A running server with a single worker, and what it says."""

    def __init__(self, address: tuple[str, int], log: list[str]) -> None:
        self.address = address
        self.log = log

    def kill_worker(self) -> None:
        """`kill -9` for the process that answers; gunicorn then starts another one."""
        booted = re.findall(r"Booting worker with pid: (\d+)", "".join(self.log))
        os.kill(int(booted[-1]), signal.SIGKILL)

    def book(self, token: str, body: dict[str, Any]) -> Answer:
        """What it answers; an OSError when it does not come to that."""
        headers = {
            "Authorization": f"Token {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": "order-7",
            "X-Forwarded-Proto": "https",
        }
        wire = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            wire.request("POST", "/api/bookings/", json.dumps(body), headers)
            found = wire.getresponse()
            return Answer(found.status, found.headers["Idempotent-Replayed"] == "true", json.loads(found.read()))
        finally:
            wire.close()


@contextlib.contextmanager
def single_worker() -> Iterator[Server]:
    log: list[str] = []
    with server(log=log) as address:
        yield Server(address, log)


class Caller(threading.Thread):
    """Somebody who books, and how it went."""

    def __init__(self, server: Server, token: str, body: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.call = lambda: server.book(token, body)
        self.outcome: Answer | OSError | None = None
        self.start()

    def run(self) -> None:
        """Book."""
        try:
            self.outcome = self.call()
        except OSError as error:
            self.outcome = error

    def told(self) -> Answer | OSError | None:
        """How it went, once it is over."""
        self.join(PATIENCE_SECONDS)
        return self.outcome


def soon(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def held_on_the_way(room: Resource) -> Iterator[Callable[[], int]]:
    """Whoever books meanwhile stays in the middle of the transaction, after the key's row is written.

    Yields:
        Counts who is there now.
    """
    if connection.vendor == "postgresql":
        with transaction.atomic():
            Resource.objects.select_for_update().get(pk=room.pk)
            yield waiting_with_a_key
        return
    ask(STALL)
    try:
        yield lambda: int(is_locked())
    finally:
        ask("DROP TRIGGER stall")


def ask(statement: str) -> Any:  # noqa: ANN401 - any value
    """Run a statement; the first value of what it finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def waiting_with_a_key() -> int:
    """How many sessions are there now; PostgreSQL would tell the same all through a transaction."""
    ask("SELECT pg_stat_clear_snapshot()")
    return ask(WAITING_WITH_A_KEY)


def is_locked() -> bool:
    """Whether SQLite's one writer stays so for longer than any booking takes."""
    ask("PRAGMA busy_timeout = 2000")
    try:
        ask("BEGIN IMMEDIATE")
    except OperationalError:
        return True
    else:
        ask("ROLLBACK")
        return False
    finally:
        ask("PRAGMA busy_timeout = 20000")


def test_the_key_of_a_call_that_was_killed_on_the_way_is_free_again(alice: User, room: Resource) -> None:
    token, body = Token.objects.create(user=alice).key, booking_body(room)
    with single_worker() as one:
        with held_on_the_way(room) as waiting:
            caller = Caller(one, token, body)
            soon(lambda: waiting() == 1)
            one.kill_worker()
            assert isinstance(caller.told(), OSError)
        assert not Booking.objects.exists()
        assert not IdempotencyKey.objects.exists()

        first, again = one.book(token, body), one.book(token, body)

    assert (first.status, first.replayed) == (201, False)
    assert again == Answer(201, replayed=True, body=first.body)
    assert Booking.objects.get().pk == first.body["id"]
    assert IdempotencyKey.objects.count() == 1


@pytest.mark.only_on_postgresql
def test_who_waits_with_the_same_key_goes_on_when_the_first_is_killed(alice: User, room: Resource) -> None:
    token, body = Token.objects.create(user=alice).key, booking_body(room)
    with single_worker() as one, single_worker() as other:
        with held_on_the_way(room) as waiting:
            first = Caller(one, token, body)
            soon(lambda: waiting() == 1)
            rival = Caller(other, token, body)
            soon(lambda: waiting() == 2)
            one.kill_worker()
            assert isinstance(first.told(), OSError)
        told = rival.told()

    assert isinstance(told, Answer)
    assert (told.status, told.replayed) == (201, False)
    assert Booking.objects.get().pk == told.body["id"]
    assert IdempotencyKey.objects.count() == 1
