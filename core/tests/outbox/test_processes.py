"""Delivery by real processes: web servers and workers that are killed at the worst moments, and many messages at once.

A claim lasts a minute; where a test wants that minute to pass, it sets the rows back by it.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from rest_framework.authtoken.models import Token

from core.models import Notification, Resource
from core.notifications import messages
from core.notifications.channel import AT_ONCE
from core.notifications.kinds import Kind
from core.outbox.delivery import FAILURES_IN_A_ROW
from core.outbox.worker import STOP_SECONDS, THREAD_POLL_SECONDS
from core.record.models import BookingEvent
from core.tests.support import sendgrid_server as provider
from core.tests.support.factories import at, booking_body
from core.tests.support.mailing import deliver
from core.tests.support.processes import Process, call, wait_for
from core.tests.support.sendgrid_server import Handler, SendGridServer

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# In the suite; `make test-all PARTS=messages` sends 10 000.
MANY = int(os.environ.get("MANY_MESSAGES", "200"))


@pytest.fixture
def sendgrid(_without_proxies: None) -> Iterator[SendGridServer]:
    with SendGridServer() as server:
        yield server


@pytest.fixture
def worker(tmp_path: Path, sendgrid: SendGridServer) -> Iterator[Callable[[], Process]]:
    """Starts workers, and stops them in the end."""
    started: list[Process] = []

    def start() -> Process:
        arguments = ("manage.py", "deliver_notifications", "--watch")
        started.append(Process(tmp_path, sendgrid, *arguments, NOTIFICATIONS="worker"))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def web(tmp_path: Path, sendgrid: SendGridServer) -> Iterator[Callable[..., tuple[Process, int]]]:
    """Starts web servers, and stops them in the end."""
    started: list[Process] = []

    def start(**environment: str) -> tuple[Process, int]:
        arguments = ("-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0")
        process = Process(tmp_path, sendgrid, *arguments, **environment)
        started.append(process)
        return process, process.port

    yield start
    for process in started:
        process.stop()
        assert "Traceback" not in process.said, process.said


def write_messages(number: int, name: str = "s") -> None:
    """Messages to so many addresses of staff, in the outbox."""
    now = timezone.now()
    facts = {"username": "dora", "bookings": []}
    rows = [
        messages.new_message(Kind.SLOTS_FREED, now=now, to=f"{name}{each}@example.org", facts=facts)
        for each in range(number)
    ]
    messages.write(rows)


def a_minute_passes() -> None:
    """The claims of whoever was killed have ended."""
    Notification.objects.exclude(claimed_until=None).update(claimed_until=F("claimed_until") - timedelta(seconds=61))


def waiting() -> int:
    """How many messages wait, and acts of which no message was written yet."""
    acts = BookingEvent.objects.filter(handed_at=None).count()
    return Notification.objects.filter(state="waiting").count() + acts


def arrived(sendgrid: SendGridServer) -> Counter[str]:
    return Counter(sendgrid.receivers)


# --- The web processes ------------------------------------------------------------------------------------------------


def test_a_web_process_delivers_after_the_commit_and_once(
    web: Callable, sendgrid: SendGridServer, alice: User, room: Resource
) -> None:
    token = Token.objects.create(user=alice).key
    _, port = web(WEB_CONCURRENCY="2", TO_EMAIL="staff@example.org")
    for hour in (8, 10, 12, 14):
        assert call(port, "POST", "/api/bookings/", booking_body(room, at(hour)), token)[0] == 201
    wait_for(lambda: waiting() == 0)
    assert arrived(sendgrid) == {"alice@example.org": 4, "staff@example.org": 4}
    assert len(sendgrid.requests) == 8


def test_a_web_process_that_is_never_quiet_delivers_within_seconds(web: Callable, sendgrid: SendGridServer) -> None:
    def ask_on() -> None:
        while not done.is_set():
            assert call(port, "GET", "/health/")[0] == 200

    done = threading.Event()
    _, port = web()
    clients = [threading.Thread(target=ask_on) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        write_messages(1)
        started = time.monotonic()
        wait_for(lambda: sendgrid.accepted)
        took = time.monotonic() - started
    finally:
        done.set()
        for client in clients:
            client.join()
    print(f"\nBeside requests without a pause: {took:.1f} s")  # noqa: T201
    assert took < 15


def test_a_provider_that_hangs_adds_nothing_to_a_booking(
    web: Callable, sendgrid: SendGridServer, alice: User, room: Resource
) -> None:
    token = Token.objects.create(user=alice).key
    process, port = web()
    call(port, "GET", "/api/bookings/", token=token)
    took: dict[bool, list[float]] = {False: [], True: []}
    for hangs in (False, True):
        sendgrid.behaviour = provider.hanging if hangs else None
        for number in range(8):
            start = at(8 + number / 2, day=3 if hangs else 2)
            body = booking_body(room, start, start + timedelta(minutes=30))
            status, seconds = call(port, "POST", "/api/bookings/", body, token)
            assert status == 201
            took[hangs].append(seconds)
    wait_for(lambda: len(sendgrid.requests) > len(sendgrid.accepted))
    process.kill()  # a stop would wait for the calls that hang
    usual, meanwhile = (sorted(took[hangs])[4] for hangs in (False, True))
    print(f"\nPOST: {usual * 1000:.0f} ms, and {meanwhile * 1000:.0f} ms while the provider hangs")  # noqa: T201
    assert max(took[True]) < 2
    assert meanwhile < usual * 3 + 0.1


def test_a_web_process_that_is_killed_with_messages_on_their_way_loses_none(
    web: Callable, sendgrid: SendGridServer, alice: User, room: Resource
) -> None:
    token = Token.objects.create(user=alice).key
    sendgrid.behaviour = provider.hanging
    process, port = web(TO_EMAIL="staff@example.org")
    for hour in (8, 10, 12):
        assert call(port, "POST", "/api/bookings/", booking_body(room, at(hour)), token)[0] == 201
    # The calls to staff, and one to alice: her other messages wait, since she is new.
    wait_for(lambda: len(sendgrid.requests) == 4)
    process.kill()
    assert waiting() == 6
    sendgrid.behaviour = None
    a_minute_passes()
    _, port = web(TO_EMAIL="staff@example.org")
    assert call(port, "GET", "/health/")[0] == 200
    wait_for(lambda: waiting() == 0)
    assert arrived(sendgrid) == {"alice@example.org": 3, "staff@example.org": 3}


def test_a_web_process_that_is_stopped_finishes_the_message_on_its_way(
    web: Callable, sendgrid: SendGridServer, alice: User, room: Resource
) -> None:
    def slow(handler: Handler, raw: bytes) -> None:
        time.sleep(1)
        handler.take(raw)

    token = Token.objects.create(user=alice).key
    sendgrid.behaviour = slow
    process, port = web()
    assert call(port, "POST", "/api/bookings/", booking_body(room), token)[0] == 201
    wait_for(lambda: sendgrid.requests)
    process.stop()
    assert Notification.objects.get().state == "sent"
    assert arrived(sendgrid) == {"alice@example.org": 1}


def test_a_web_process_leaves_delivery_to_workers_where_the_settings_say_so(
    web: Callable, worker: Callable, sendgrid: SendGridServer, alice: User, room: Resource
) -> None:
    token = Token.objects.create(user=alice).key
    process, port = web(NOTIFICATIONS="worker")
    assert call(port, "POST", "/api/bookings/", booking_body(room), token)[0] == 201
    time.sleep(0.5)
    assert sendgrid.requests == []
    process.kill()
    worker()
    wait_for(lambda: waiting() == 0)
    assert arrived(sendgrid) == {"alice@example.org": 1}


def test_a_web_process_sends_what_waits_seconds_after_the_provider_is_back(
    web: Callable, sendgrid: SendGridServer
) -> None:
    write_messages(20)
    sendgrid.behaviour = provider.answering(503, b"")
    process, port = web()
    assert call(port, "GET", "/health/")[0] == 200
    wait_for(lambda: len(sendgrid.requests) > FAILURES_IN_A_ROW, process)
    sendgrid.behaviour = None
    started = time.monotonic()
    wait_for(lambda: not Notification.objects.filter(state="waiting", tries=0).exists(), process)
    assert time.monotonic() - started < THREAD_POLL_SECONDS / 2
    assert len(sendgrid.accepted) >= 20 - FAILURES_IN_A_ROW - AT_ONCE


# --- Workers ----------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_between_sending_and_marking_sends_few_twice_and_loses_none(
    worker: Callable, sendgrid: SendGridServer
) -> None:
    write_messages(25)
    first = worker()

    def kill_after_the_seventh(handler: Handler, raw: bytes) -> None:
        if len(sendgrid.requests) == 7:
            sendgrid.accepted.append(json.loads(raw))
            first.kill()
        else:
            handler.take(raw)

    sendgrid.behaviour = kill_after_the_seventh
    wait_for(lambda: first.process.poll() is not None)
    left = waiting()
    claimed = Notification.objects.filter(state="waiting").exclude(claim=None).count()
    assert 1 <= claimed <= AT_ONCE
    sendgrid.behaviour = None
    worker()
    wait_for(
        lambda: waiting() == claimed
    )  # the rows of the calls that were on their way wait for the end of their claims
    assert left > claimed
    assert set(arrived(sendgrid).values()) == {1}
    a_minute_passes()
    wait_for(lambda: waiting() == 0)
    assert len(arrived(sendgrid)) == 25
    assert set(arrived(sendgrid).values()) == {1, 2}
    assert len(sendgrid.accepted) - 25 <= claimed


def test_a_worker_that_is_killed_before_the_provider_took_the_messages_sends_none_twice(
    worker: Callable, sendgrid: SendGridServer
) -> None:
    first = worker()
    write_messages(2)
    wait_for(lambda: waiting() == 0, first)

    def kill(handler: Handler, raw: bytes) -> None:
        first.kill()

    sendgrid.behaviour = kill
    write_messages(12)
    wait_for(lambda: first.process.poll() is not None)
    sendgrid.behaviour = None
    assert waiting() == 12
    a_minute_passes()
    worker()
    wait_for(lambda: waiting() == 0)
    assert len(sendgrid.accepted) == 14
    assert set(Notification.objects.values_list("state", "tries").distinct()) == {("sent", 1)}


def test_a_worker_that_is_stopped_finishes_the_messages_on_their_way_and_begins_no_other(
    worker: Callable, sendgrid: SendGridServer
) -> None:
    write_messages(3 * AT_ONCE)
    sendgrid.behaviour = provider.slow(0.5)
    process = worker()
    wait_for(lambda: sendgrid.requests, process)
    process.stop()
    assert process.process.returncode == 0
    done = len(sendgrid.accepted)
    assert 1 <= done <= 2 * AT_ONCE
    assert len(sendgrid.requests) == done
    assert Notification.objects.filter(state="sent").count() == done
    assert Notification.objects.filter(state="waiting", claim=None, tries=0).count() == 3 * AT_ONCE - done


def test_a_message_behind_twenty_that_hang_arrives_in_seconds(worker: Callable, sendgrid: SendGridServer) -> None:
    write_messages(20)
    sendgrid.behaviour = provider.hanging_for("s")
    worker()
    wait_for(lambda: sendgrid.requests)
    started = time.monotonic()
    write_messages(1, name="good")
    wait_for(lambda: sendgrid.accepted)
    took = time.monotonic() - started
    print(f"\nBehind 20 calls that hang: {took:.1f} s")  # noqa: T201
    assert took < 15


def test_many_messages_all_arrive_and_none_twice(worker: Callable, sendgrid: SendGridServer) -> None:
    workers = 2 if connection.vendor == "postgresql" else 1
    write_messages(MANY)
    started = time.monotonic()
    for _ in range(workers):
        worker()
    left = MANY
    while left:
        before = left
        wait_for(lambda before=before: waiting() < before)
        left = waiting()
    took = time.monotonic() - started
    print(f"\n{MANY} messages, {workers} worker(s), {connection.vendor}: {took:.1f} s, {MANY / took:.0f}/s")  # noqa: T201
    assert len(sendgrid.requests) == MANY
    assert len(arrived(sendgrid)) == MANY
    assert set(Notification.objects.values_list("state", "tries").distinct()) == {("sent", 1)}


def test_a_deliverer_beside_others_takes_only_what_they_have_not(sendgrid: SendGridServer, worker: Callable) -> None:
    """While the calls of a worker are on their way, another delivery goes on with the rest."""
    gate = threading.Event()

    def wait_at_the_gate(handler: Handler, raw: bytes) -> None:
        gate.wait(4)
        handler.take(raw)

    write_messages(15)
    sendgrid.behaviour = wait_at_the_gate
    process = worker()
    wait_for(lambda: len(sendgrid.requests) == AT_ONCE, process)
    printed = deliver()
    assert printed["sent"] == 15 - AT_ONCE
    gate.set()
    wait_for(lambda: waiting() == 0)
    assert len(sendgrid.requests) == AT_ONCE


# --- A stop -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def deliverer(request: pytest.FixtureRequest, worker: Callable, web: Callable) -> Callable[[], Process]:
    """Starts a process that delivers: a worker, or a web server with its thread."""

    def start_web() -> Process:
        process, port = web()
        assert call(port, "GET", "/health/")[0] == 200  # the thread starts with the first request
        return process

    return {"worker": worker, "web": start_web}[request.param]


def seconds_to_stop(process: Process) -> float:
    started = time.monotonic()
    process.process.terminate()
    process.process.wait(60)
    return time.monotonic() - started


@pytest.mark.parametrize("deliverer", ["worker", "web"], indirect=True)
def test_a_stop_waits_for_calls_that_hang_and_marks_their_rows(
    deliverer: Callable[[], Process], sendgrid: SendGridServer
) -> None:
    sendgrid.behaviour = provider.trickling
    write_messages(20)
    process = deliverer()
    wait_for(lambda: len(sendgrid.requests) == AT_ONCE, process)
    assert seconds_to_stop(process) < STOP_SECONDS
    assert process.process.returncode == 0
    assert len(sendgrid.requests) == AT_ONCE
    tried = Notification.objects.exclude(last_error="")
    assert set(tried.values_list("state", "tries", "claim")) == {("waiting", 1, None)}
    assert tried.count() == AT_ONCE
    assert Notification.objects.filter(state="waiting", tries=0, claim=None).count() == 20 - AT_ONCE


def test_a_stop_does_not_wait_longer_for_a_database_that_does_not_answer(
    worker: Callable, sendgrid: SendGridServer
) -> None:
    def take_when_locked(handler: Handler, raw: bytes) -> None:
        locked.wait(20)
        handler.take(raw)

    locked = threading.Event()
    sendgrid.behaviour = take_when_locked
    write_messages(1)
    process = worker()
    wait_for(lambda: sendgrid.requests, process)
    with transaction.atomic():
        # On SQLite the transaction holds the one lock for writers.
        row = Notification.objects.select_for_update().get()
        locked.set()
        wait_for(lambda: sendgrid.accepted, process)
        took = seconds_to_stop(process)
    assert took < STOP_SECONDS + 3, "the time to leave Python included"
    row.refresh_from_db()
    # PostgreSQL still finishes the statement that waited for the lock.
    assert row.state == "sent" or row.claimed_until > timezone.now(), "nobody sends it before the claim has ended"
