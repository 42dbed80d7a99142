"""/health/ready/: what it names, what is worth a 503, and what it costs; and the system check of the guard."""

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F
from django.db.utils import ConnectionHandler
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from booking_system_api import readiness as module
from booking_system_api.readiness import Readiness, readiness
from booking_system_api.version import VERSION
from core.constraints import NO_OVERLAP, guard_problem
from core.models import Notification, Resource
from core.notifications import channel
from core.outbox.channels import NotSent
from core.record.models import BookingEvent
from core.tests.support.documents import OPERATING
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import booking_body, make_booking
from core.tests.support.lines import Line
from core.tests.support.mailing import deliver, hand_on
from core.tests.support.servers import server

ALL_WELL = {"database": "ok", "migrations": "ok", "guard": "ok", "messages": "ok"}


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "report", None)
    monkeypatch.setattr(module, "KEPT_SECONDS", 0)


@pytest.fixture
def probe(db: None, settings: Settings) -> Client:
    """As a probe of a platform: without https and whatever the host."""
    settings.SECURE_SSL_REDIRECT = True
    return Client(headers={"host": "10.1.2.3"})


def told(probe: Client) -> tuple[int, str, dict[str, str]]:
    """The status of the response, the word of its body, and the parts that are not well."""
    answer = probe.get("/health/ready/")
    body = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("Retry-After" in answer.headers) == (answer.status_code == 503)
    assert set(body) == {"status", "version", "checks"}
    return answer.status_code, body["status"], {name: word for name, word in body["checks"].items() if word != "ok"}


# --- What it names ----------------------------------------------------------------------------------------------------


def test_a_server_that_is_well_is_ready(probe: Client) -> None:
    answer = probe.get("/health/ready/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": VERSION, "checks": ALL_WELL})


def test_head_has_no_body(probe: Client) -> None:
    answer = probe.head("/health/ready/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_there_is_no_other_method(probe: Client, method: str) -> None:
    answer = getattr(probe, method)("/health/ready/")
    assert_flat_error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"


def test_a_migration_that_is_missing_is_unavailable(probe: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="core").latest("id").delete()
    assert told(probe) == (503, "unavailable", {"migrations": "failed", "messages": "unknown"})


def test_a_migration_of_a_newer_release_does_no_harm(probe: Client) -> None:
    MigrationRecorder(connection).record_applied("core", "9999_of_the_next_release")
    assert told(probe) == (200, "ok", {})


# One statement each, after which a slot can be taken twice.
HOLES = {
    "sqlite": [f"DROP TRIGGER {NO_OVERLAP}_insert", f"DROP TRIGGER {NO_OVERLAP}_update"],
    "postgresql": [
        f"ALTER TABLE core_booking DROP CONSTRAINT {NO_OVERLAP}",
        f"ALTER TABLE core_booking DROP CONSTRAINT {NO_OVERLAP}, ADD CONSTRAINT {NO_OVERLAP} CHECK (id > 0)",
    ],
}


@pytest.fixture(params=[0, 1])
def _hole(request: pytest.FixtureRequest, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(HOLES[connection.vendor][request.param])


@pytest.mark.usefixtures("_hole")
def test_a_guard_that_is_missing_is_unavailable(probe: Client) -> None:
    assert told(probe) == (503, "unavailable", {"guard": "failed"})


def test_a_message_that_nobody_sends_is_degraded(probe: Client, as_alice: APIClient, room: Resource) -> None:
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    hand_on()
    assert told(probe) == (200, "ok", {})
    late = timedelta(seconds=905)
    Notification.objects.update(**{name: F(name) - late for name in ("created_at", "due_at", "retry_until")})
    assert told(probe) == (200, "degraded", {"messages": "failed"})
    assert deliver()["sent"] == 1
    assert told(probe) == (200, "ok", {})


def test_a_provider_that_is_away_is_degraded_whatever_the_tries(
    probe: Client, as_alice: APIClient, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try moves the next one: no message is due for long."""

    def send(*args: object) -> None:
        raise NotSent("no connection", can_retry=True)

    monkeypatch.setattr(channel, "send_mail", send)
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    began = timezone.now()
    found = []
    for minutes in range(0, 100, 10):
        now = began + timedelta(minutes=minutes)
        deliver(now=now)
        with monkeypatch.context() as patch:
            patch.setattr(module.timezone, "now", lambda now=now: now)
            found.append(told(probe)[2])
    assert Notification.objects.get().tries > 4
    assert found == [{}] * 2 + [{"messages": "failed"}] * 8


def test_an_act_of_which_nobody_makes_a_message_is_degraded(
    probe: Client, as_alice: APIClient, room: Resource, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without any worker: messages are written by the worker, too."""
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert (BookingEvent.objects.filter(handed_at=None).count(), Notification.objects.count()) == (1, 0)
    assert told(probe) == (200, "ok", {})
    later = timezone.now() + timedelta(seconds=905)
    monkeypatch.setattr(module.timezone, "now", lambda: later)
    assert told(probe) == (200, "degraded", {"messages": "failed"})
    settings.READY_MESSAGE_AGE_SECONDS = 2000
    assert told(probe) == (200, "ok", {})


def ask(address: tuple[str, int], path: str, **headers: str) -> tuple[int, bytes]:
    """The status and the body of a server's answer."""
    connection = HTTPConnection(*address, timeout=20)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_a_redis_that_is_away_is_degraded(probe: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://:six-copper@127.0.0.1:1/0"
    assert told(probe) == (200, "degraded", {"redis": "failed"})
    assert b"six-copper" not in probe.get("/health/ready/").content


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("database", "unwell"),
    [
        ("sqlite:///{folder}/empty.sqlite3", {"migrations": "failed", "guard": "failed", "messages": "unknown"}),
        (
            "postgres://booking:six-copper@127.0.0.1:1/booking",
            {"database": "failed", "migrations": "unknown", "guard": "unknown", "messages": "unknown"},
        ),
    ],
    ids=["empty", "away"],
)
def test_a_server_without_its_database_is_alive_and_not_ready(
    tmp_path: Path, database: str, unwell: dict[str, str]
) -> None:
    with server(DATABASE_URL=database.format(folder=tmp_path), NOTIFICATIONS="worker") as address:
        assert ask(address, "/health/") == (200, b'{"status": "ok"}')
        status, body = ask(address, "/health/ready/")
        assert status == 503
        assert json.loads(body) == {"status": "unavailable", "version": VERSION, "checks": {**ALL_WELL, **unwell}}


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_it_takes_few_statements_and_none_within_a_second(
    probe: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(module, "KEPT_SECONDS", 60)
    with django_assert_num_queries(6):
        assert told(probe) == (200, "ok", {})
    Notification.objects.all().delete()
    with django_assert_num_queries(0):
        assert told(probe) == (200, "ok", {})
    monkeypatch.setattr(readiness, "ends", 0)
    with django_assert_num_queries(6):
        assert told(probe) == (200, "ok", {})


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """A database that answers, and then hangs at the migrations: when it does, and until when."""
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> bool:
        begun.set()
        assert may_end.wait(10)
        return True

    monkeypatch.setattr(module, "HANG_SECONDS", 0.3)
    monkeypatch.setattr(module, "has_answer", lambda: True)
    monkeypatch.setattr(module, "is_migrated", hang)
    for name in ("is_guarded", "is_delivered"):
        monkeypatch.setattr(module, name, lambda: True)
    yield begun, may_end
    may_end.set()


UNWELL = {**ALL_WELL, "redis": "failed"}
HANGING = {"database": "ok", "migrations": "failed", "guard": "unknown", "messages": "unknown"}


def test_while_one_thread_looks_the_others_get_the_last_report_until_it_hangs(
    slow: tuple[threading.Event, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = slow
    kept = Readiness()
    kept.report = UNWELL
    looking = threading.Thread(target=kept)
    looking.start()
    assert begun.wait(10)
    assert kept() == UNWELL
    time.sleep(0.3)
    assert [kept(), kept()] == [HANGING, HANGING]
    monkeypatch.setattr(module, "KEPT_SECONDS", 60)
    may_end.set()
    looking.join(10)
    assert kept() == ALL_WELL


def test_while_the_first_look_hangs_the_others_wait_for_a_short_while_alone(
    slow: tuple[threading.Event, threading.Event],
) -> None:
    begun, may_end = slow
    kept = Readiness()
    looking = threading.Thread(target=kept)
    looking.start()
    assert begun.wait(10)
    started = time.monotonic()
    assert [kept() for _ in range(20)] == [HANGING] * 20
    assert time.monotonic() - started < 1
    may_end.set()
    looking.join(10)


def test_those_who_come_during_a_first_look_get_what_it_finds(slow: tuple[threading.Event, threading.Event]) -> None:
    begun, may_end = slow
    kept, found = Readiness(), []
    looking = [threading.Thread(target=lambda: found.append(kept())) for _ in range(5)]
    looking[0].start()
    assert begun.wait(10)
    for each in looking[1:]:
        each.start()
    may_end.set()
    for each in looking:
        each.join(10)
    assert found == [ALL_WELL] * 5


@pytest.mark.processes
@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_looked", [True, False], ids=["later", "at the first look"])
def test_a_database_that_hangs_is_told_while_a_thread_waits_for_it(*, has_looked: bool) -> None:
    """As a process that was stopped, or a network that loses what it is given: nothing is refused, nothing comes."""
    few = {"NOTIFICATIONS": "worker", "GUNICORN_THREADS": "3"}
    with Line(connection.settings_dict) as line, server(DATABASE_URL=line.url, **few) as address:
        with ThreadPoolExecutor(10) as crowd:
            # Each thread of the server has a connection, which is kept.
            reads = crowd.map(lambda _: ask(address, "/api/resources/", X_Forwarded_Proto="https"), range(60))
            assert {status for status, _ in reads} == {200}
        if has_looked:
            assert ask(address, "/health/ready/")[0] == 200
            time.sleep(1)
        with line.silence():
            first = threading.Thread(target=ask, args=(address, "/health/ready/"))
            first.start()
            time.sleep(module.HANG_SECONDS + 0.5)
            begun = time.monotonic()
            status, body = ask(address, "/health/ready/")
            assert time.monotonic() - begun < 2
            assert status == 503
            assert json.loads(body)["checks"] == {**dict.fromkeys(ALL_WELL, "unknown"), "database": "failed"}
            assert ask(address, "/health/")[0] == 200
        first.join(20)
        while ask(address, "/health/ready/")[0] != 200:
            assert time.monotonic() < begun + 20
            time.sleep(0.1)


# --- The system check -------------------------------------------------------------------------------------------------


def check() -> None:
    call_command("check", tags=["database"], databases=["default"])


def test_a_database_with_its_guard_passes_the_check(db: None) -> None:
    check()


@pytest.mark.usefixtures("_hole")
def test_a_database_without_its_guard_fails_the_check() -> None:
    with pytest.raises(SystemCheckError, match=r"core\.E002.*does not refuse two bookings for one slot"):
        check()


def parts_of_the_table() -> set[str]:
    """The constraints, indexes and triggers of the bookings."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE tbl_name = 'core_booking'")
        else:
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'core_booking'::regclass "
                "UNION SELECT tgname FROM pg_trigger WHERE tgrelid = 'core_booking'::regclass AND NOT tgisinternal"
            )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hole", [0, 1])
def test_the_guard_is_put_back_as_the_document_says(hole: int, room: Resource, alice: User) -> None:
    chapter = OPERATING.chapter("The guard is missing")
    (lines,) = re.findall(r"manage\.py shell <<'END'\n(.*?)\nEND\n", chapter, re.DOTALL)
    before = parts_of_the_table()
    with connection.cursor() as cursor:
        cursor.execute(HOLES[connection.vendor][hole])
        if "CHECK" in HOLES[connection.vendor][hole]:
            cursor.execute(f"ALTER TABLE core_booking DROP CONSTRAINT {NO_OVERLAP}")
    make_booking(alice, room)
    exec(lines, {})
    check()
    assert parts_of_the_table() == before
    with pytest.raises(IntegrityError, match=NO_OVERLAP):
        make_booking(alice, room)


def test_an_empty_database_may_be_migrated(db: None, tmp_path: Path) -> None:
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "empty.sqlite3")}
    empty = ConnectionHandler({"default": settings})["default"]
    assert guard_problem(empty) == ""
    empty.close()
