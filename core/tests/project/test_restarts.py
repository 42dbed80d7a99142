"""A reload and a stop of the real server, while clients call it."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from booking_system_api.handover import SLOTS, Handover
from core.models import Booking, Notification, Resource
from core.record.models import BookingEvent
from core.tests.support.environment import ROOT
from core.tests.support.factories import at, booking_body
from core.tests.support.load import REFUSED, Client, get, load, outcomes, post
from core.tests.support.sendgrid_server import KEY, SendGridServer
from core.tests.support.servers import Server, database_url, rest_of

pytestmark = pytest.mark.processes

WORKERS = 2
SLOW_HEAD = (
    b"POST /api/auth/token/login/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nContent-Length: 2\r\n\r\n"
)


def wait_for(condition: Callable[[], object], server: Server) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, server.said
        time.sleep(0.05)


def workers_begun(server: Server) -> list[str]:
    """The ids of the workers, in the order of their start."""
    return re.findall(r"Booting worker with pid: (\d+)", server.said)


def workers_ended(server: Server) -> list[str]:
    return re.findall(r"Worker exiting \(pid: (\d+)\)", server.said)


def serve(folder: Path, **variables: str) -> Server:
    return Server(folder, WEB_CONCURRENCY=str(WORKERS), **variables)


@pytest.mark.django_db(transaction=True)
def test_a_reload_fails_no_call_and_loses_no_message(
    tmp_path: Path, sendgrid: SendGridServer, settings: Settings, alice: User, room: Resource
) -> None:
    def body(number: int) -> dict:
        start = at(0) + number * timedelta(minutes=5)
        return booking_body(room, start, start + timedelta(minutes=5))

    settings.TO_EMAIL = []
    token = Token.objects.create(user=alice).key
    mails = {
        "DATABASE_URL": database_url(),
        "EMAIL_USE": "sendgrid",
        "SENDGRID_API_KEY": KEY,
        "SENDGRID_HOST": sendgrid.host,
    }
    with serve(tmp_path, **mails) as server:
        readers = [
            Client(server.port, get(path), keeps=keeps, pause=0.01)
            for path in ("/health/", "/api/resources/")
            for keeps in (True, False)
        ]
        writer = Client(server.port, post("/api/bookings/", token, body), keeps=True, pause=0.1)
        with load(*readers, writer):
            for times in (1, 2):
                server.process.send_signal(signal.SIGHUP)
                wait_for(lambda times=times: len(workers_ended(server)) == times * WORKERS, server)
            time.sleep(0.5)
    sent_by_server = len(sendgrid.accepted)
    call_command("deliver_notifications")  # the messages that the server had not begun when it stopped

    read, written = outcomes(*readers), writer.outcomes
    print(f"\nTwo reloads: {read.total()} reads, {written.total()} bookings")  # noqa: T201
    assert set(read) == {200}
    assert set(written) == {201}
    assert len(set(workers_begun(server))) == 3 * WORKERS
    assert sent_by_server
    assert not BookingEvent.objects.filter(handed_at=None).exists()
    assert Booking.objects.count() == written[201] == len(sendgrid.accepted) == len(sendgrid.requests)
    assert set(Notification.objects.values_list("state", "tries")) == {("sent", 1)}
    assert "Traceback" not in server.said


# Loads slowly once there is a file of that name.
SLOW_SETTINGS = """
import os, time
from booking_system_api.settings import *
if os.path.exists(os.environ["SLOW"]):
    time.sleep({seconds})
"""
SLOW_SECONDS = 4


def test_the_old_workers_answer_while_the_new_ones_load(tmp_path: Path) -> None:
    (tmp_path / "slow_settings.py").write_text(SLOW_SETTINGS.format(seconds=SLOW_SECONDS))
    flag = tmp_path / "slow"
    variables = {
        "DJANGO_SETTINGS_MODULE": "slow_settings",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "SLOW": str(flag),
        "NOTIFICATIONS": "worker",
    }
    with serve(tmp_path, **variables) as server:
        wait_for(lambda: server.said.count("Booting worker") == WORKERS, server)
        clients = [Client(server.port, get("/health/"), keeps=keeps, pause=0.02) for keeps in (True, False)]
        with load(*clients):
            time.sleep(0.5)
            flag.touch()
            server.process.send_signal(signal.SIGHUP)
            begun = time.monotonic()
            wait_for(lambda: len(workers_ended(server)) == WORKERS, server)
            took = time.monotonic() - begun
    assert set(outcomes(*clients)) == {200}
    assert took >= SLOW_SECONDS
    print(f"\nA reload of {took:.1f} s: the longest call took {max(client.longest for client in clients):.2f} s")  # noqa: T201
    assert max(client.longest for client in clients) < SLOW_SECONDS / 2


def test_a_stop_answers_what_it_took_and_resets_nobody(tmp_path: Path) -> None:
    with serve(tmp_path, NOTIFICATIONS="worker") as server, server.connect() as slow, server.connect() as idle:
        kept = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        kept.request("GET", "/health/")
        kept.getresponse().read()
        slow.sendall(SLOW_HEAD + b"{")
        clients = [Client(server.port, get("/health/"), keeps=keeps, pause=0.02) for keeps in (True, False, False)]
        with load(*clients):
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            time.sleep(0.7)

            # Nobody who comes now is left to wait for the end of the others.
            with pytest.raises(ConnectionRefusedError):
                server.connect()
            kept.request("GET", "/health/")
            answer = kept.getresponse()
            assert (answer.status, answer.headers["Connection"]) == (200, "close")
            assert rest_of(idle) == b""
            assert server.process.poll() is None
            slow.sendall(b"}")
            assert rest_of(slow).startswith(b"HTTP/1.1 4")
            assert server.process.wait(10) == 0
            took = time.monotonic() - begun
        kept.close()

    found = outcomes(*clients)
    print(f"\nA stop: {found}, {took:.1f} s")  # noqa: T201
    assert set(found) == {200, REFUSED}
    assert all(client.outcomes[200] and client.outcomes[REFUSED] for client in clients)
    assert took < 10
    assert "Traceback" not in server.said


def test_connections_that_wait_for_a_worker_are_answered_by_a_stop(tmp_path: Path) -> None:
    """The workers stand still when the connections come, and so take none before the stop."""
    with serve(tmp_path, NOTIFICATIONS="worker") as server:
        pids = [int(pid) for pid in workers_begun(server)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        waiting = [server.connect() for _ in range(20)]
        for client in waiting:
            client.sendall(b"GET /health/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        answers = Counter(answer_of(client) for client in waiting)
        assert server.process.wait(10) == 0
    assert answers == {b"HTTP/1.1 200 OK": 20}


def answer_of(client: socket.socket) -> bytes:
    """The first line of the answer; empty where the connection was reset."""
    with client:
        try:
            return rest_of(client).partition(b"\r\n")[0]
        except ConnectionResetError:
            return b""


def test_a_worker_is_expected_until_it_begins() -> None:
    shared = Handover()
    assert not shared.is_expecting
    shared.expect(1)
    shared.expect(2)
    shared.begin(1)
    assert shared.is_expecting
    shared.begin(2)
    assert not shared.is_expecting
    shared.expect(2 + SLOTS)  # the slot of a worker that ended long ago
    assert shared.is_expecting


FORKED = """
import os
from booking_system_api.handover import Handover
shared = Handover()
shared.expect(1)
print(shared.is_expecting, flush=True)
pid = os.fork()
if not pid:
    shared.begin(1)
    os._exit(0)
os.waitpid(pid, 0)
print(shared.is_expecting)
"""


def test_a_worker_that_was_forked_tells_the_others() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["True", "False"]), done.stderr
