"""A server whose process is killed in the middle of a call, and those who call."""

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

from django.db import OperationalError, connection, transaction

from core.models import Resource
from core.tests.support.servers import server

PATIENCE_SECONDS = 30

# Counts for minutes: SQLite has no lock that one could wait for in the middle of a statement.
ON_SQLITE = """
    CREATE TRIGGER stall BEFORE {event} FOR EACH ROW WHEN {when} BEGIN
        SELECT count(*) FROM (
            WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000000000)
            SELECT n FROM number
        );
    END
"""

# Waits for a lock that this test holds.
ON_POSTGRESQL = """
    CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END
    $$;
    CREATE TRIGGER stall BEFORE {event} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION stall();
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"

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
        """What it answers to a booking; an OSError when it does not come to that."""
        return self.call(token, "POST", "/api/bookings/", body)

    def call(self, token: str, method: str, path: str, body: dict[str, Any]) -> Answer:
        """What it answers; an OSError when it does not come to that."""
        headers = {
            "Authorization": f"Token {token}",
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
            **({"Idempotency-Key": "order-7"} if method == "POST" else {}),
        }
        wire = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            wire.request(method, path, json.dumps(body), headers)
            found = wire.getresponse()
            return Answer(found.status, found.headers["Idempotent-Replayed"] == "true", json.loads(found.read()))
        finally:
            wire.close()


@contextlib.contextmanager
def single_worker() -> Iterator[Server]:
    log: list[str] = []
    # Its calls wait for the tests.
    with server(log=log, DB_LOCK_TIMEOUT_SECONDS="", DB_STATEMENT_TIMEOUT_SECONDS="") as address:
        yield Server(address, log)


class Caller(threading.Thread):
    """Somebody who calls, and how it went."""

    def __init__(self, call: Callable[..., Answer], *values: Any) -> None:  # noqa: ANN401 - those of the call
        super().__init__(daemon=True)
        self.call = lambda: call(*values)
        self.outcome: Answer | OSError | None = None
        self.start()

    def run(self) -> None:
        """Calls."""
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
    with stalled("INSERT ON core_booking") as waiting:
        yield waiting


@contextlib.contextmanager
def stalled(event: str, when: str = "1 = 1") -> Iterator[Callable[[], int]]:
    """Whoever writes such a row meanwhile stays there, in the middle of the transaction.

    Args:
        event: The event of a trigger, such as `INSERT ON core_booking`.
        when: Which rows, by `NEW` and `OLD`.

    Yields:
        Counts who is there now.
    """
    if connection.vendor == "sqlite":
        ask(ON_SQLITE.format(event=event, when=when))
        try:
            yield lambda: int(is_locked())
        finally:
            ask("DROP TRIGGER stall")
        return
    ask(ON_POSTGRESQL.format(event=event, when=when))
    try:
        ask("SELECT pg_advisory_lock(7)")
        try:
            yield lambda: ask(WAITING)
        finally:
            ask("SELECT pg_advisory_unlock(7)")
    finally:
        ask("DROP FUNCTION stall CASCADE")


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
