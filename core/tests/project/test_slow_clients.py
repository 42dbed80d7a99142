"""Slow clients of a real gunicorn: they take no thread, and no more time than they are given."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from os import pathsep
from pathlib import Path

import pytest

from core.tests.support.environment import ROOT
from core.tests.support.servers import Server, rest_of

pytestmark = pytest.mark.processes

THREADS = 2
CLIENTS = 20
LOGIN = b"POST /api/auth/token/login/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
BODY = json.dumps({"username": "nobody", "password": "x" * 1_000}).encode()
HEAD = LOGIN + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
PROBE = b"GET /health/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

# What a client sends at first; it then sends nothing, or very little.
SLOW = {
    "nothing": b"",
    "half a line": b"GET /hea",
    "half a head": PROBE[:-2] + b"X: ",
    "half a body": HEAD + BODY[:100],
    "a head and no body": HEAD,
    "a head that waits for a 100": HEAD[:-2] + b"Expect: 100-continue\r\n\r\n",
    "half a chunk": LOGIN + b"Transfer-Encoding: chunked\r\n\r\n400\r\nxx",
    "a chunk that looks like the end": LOGIN + b"Transfer-Encoding: chunked\r\n\r\nff\r\n0\r\n\r\n",
    "half of the size of a chunk": LOGIN + b"X: 0\r\nTransfer-Encoding: chunked\r\n\r\n0",
    "half of too large a body": LOGIN + b"Content-Length: 9000000\r\n\r\n" + b"x" * 900_000,
    "all, and then no hanging up": PROBE.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "nonsense, and then no hanging up": b"NONSENSE\r\n\r\n",
}

QUICK = """
from booking_system_api.web_worker import WebWorker


class Quick(WebWorker):
    head_seconds = 1.0
    request_seconds = 3.0


class Overfull(WebWorker):
    rest_seconds = 1.0
    most_held = 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A folder with a database and with workers that have less patience."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "quick.py").write_text(QUICK)
    shutil.copy(migrated, folder / "db.sqlite3")
    return folder


def start(folder: Path, *options: str) -> Server:
    variables = {"WEB_CONCURRENCY": "1", "GUNICORN_THREADS": str(THREADS)}
    return Server(folder, *options, **variables, PYTHONPATH=f"{folder}{pathsep}{ROOT}")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with start(folder) as server:
        yield server
    assert "Traceback" not in server.said


def statuses(received: bytes) -> list[bytes]:
    """The status of each answer."""
    return [line.split(b" ")[1] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


def receive(connection: socket.socket, end: bytes) -> bytes:
    """What comes until these bytes have come."""
    received = b""
    while not received.endswith(end):
        received += connection.recv(1)
    return received


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_others_are_served_at_once(server: Server, sent: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(server.connect()) for _ in range(CLIENTS)]
        for client in slow:
            client.sendall(sent)
        time.sleep(0.2)
        begun = time.monotonic()

        answers = [server.ask("GET", path, X_Forwarded_Proto="https")[0] for path in ("/health/", "/api/resources/")]

        assert answers == [200, 200]
        assert time.monotonic() - begun < 1.5


def test_a_body_that_comes_in_pieces_is_read_and_the_connection_goes_on(server: Server) -> None:
    with server.connect() as client:
        for _ in range(2):
            for part in (HEAD[:50], HEAD[50:], BODY[:10], BODY[10:-1], BODY[-1:]):
                client.sendall(part)
                time.sleep(0.05)
            head = receive(client, b"\r\n\r\n")
            assert statuses(head) == [b"400"]
            receive(client, b"}")


def test_whoever_waits_for_a_100_gets_it_once_and_then_the_answer(server: Server) -> None:
    with server.connect() as client:
        client.sendall(SLOW["a head that waits for a 100"])
        assert receive(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(BODY)
        assert statuses(receive(client, b"\r\n\r\n")) == [b"400"]


def test_requests_in_a_row_are_answered_in_a_row(server: Server) -> None:
    with server.connect() as client:
        client.sendall(PROBE + PROBE + PROBE[:20])
        time.sleep(0.3)
        client.sendall(PROBE[20:-2] + b"Connection: close\r\n\r\n")
        assert statuses(rest_of(client)) == [b"200"] * 3


@pytest.mark.parametrize(("chunks", "status"), [(b"0\r\n\r\n", b"400"), (b"2\r\n{}\r\n0\r\n\r\n", b"411")])
def test_chunks_without_a_byte_are_no_body(server: Server, chunks: bytes, status: bytes) -> None:
    head = b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(server.raw(LOGIN + head + chunks)) == [status]


def test_what_takes_too_long_is_a_408(folder: Path) -> None:
    with start(folder, "--worker-class", "quick.Quick") as server, ExitStack() as stack:
        first = (b"", SLOW["half a head"], SLOW["half a body"])
        clients = {sent: stack.enter_context(server.connect()) for sent in first}
        received, took = {}, {}
        begun = time.monotonic()
        for sent, client in clients.items():
            client.settimeout(0.1)
            client.sendall(sent)
        while len(received) < len(clients):
            assert time.monotonic() - begun < 8
            for sent, client in clients.items():
                if sent not in received:
                    try:
                        received[sent] = rest_of(client)
                        took[sent] = time.monotonic() - begun
                    except TimeoutError:
                        client.sendall(b"x" if sent else b"")

        silent, head, body = (received[sent] for sent in first)
        assert silent == b""
        assert 1 < took[SLOW["half a head"]] < 3 < took[SLOW["half a body"]] < 5
        for answer in (head, body):
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request_timeout"
        assert "reason=TooSlow" in server.said
        assert server.ask("GET", "/health/")[0] == 200


def test_with_too_much_in_memory_threads_wait_for_a_short_time(folder: Path) -> None:
    with start(folder, "--worker-class", "quick.Overfull") as server:
        assert server.raw(HEAD + BODY[:10]).startswith(b"HTTP/1.1 400 ")
        assert server.raw(PROBE[:20]) == b""
        assert server.ask("POST", "/api/auth/token/login/", BODY, X_Forwarded_Proto="https")[0] == 415
        assert "Traceback" not in server.said


def test_a_stop_waits_for_a_request_that_has_begun_and_not_for_silence(folder: Path) -> None:
    with start(folder) as server, server.connect() as slow, server.connect():
        slow.sendall(HEAD + BODY[:10])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(3)
        slow.sendall(BODY[10:])
        assert statuses(rest_of(slow)) == [b"400"]
        assert server.process.wait(5) == 0


def test_the_worker_says_that_it_speaks_no_tls(folder: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0"]
    key = folder / "key.pem"
    key.touch()
    done = subprocess.run(
        [*command, "--certfile", key, "--keyfile", key], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "This worker speaks no TLS." in done.stderr
