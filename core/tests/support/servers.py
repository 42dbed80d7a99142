"""Real servers for tests, each a process of its own, on loopback."""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import IO, Self
from urllib.parse import quote, urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60


def database_url() -> str:
    """The address of this test's own database."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(settings['NAME']))}"
    account = f"{quote(settings['USER'], safe='')}:{quote(settings['PASSWORD'], safe='')}"
    return f"postgresql://{account}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


@contextlib.contextmanager
def server(
    *, workers: int = 1, console: IO[str] | int = subprocess.DEVNULL, log: list[str] | None = None, **environment: str
) -> Iterator[tuple[str, int]]:
    """A gunicorn as in production, on a free port of the loopback and this test's own database.

    Args:
        workers: How many processes answer.
        console: Where its standard output goes: the e-mails of `EMAIL_USE=console`.
        log: Gets the lines of its standard error as they come. In the end no traceback may be left there.
        environment: Variables beside the test's own.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "WEB_CONCURRENCY": str(workers),
            "GUNICORN_THREADS": "8",
            **environment,
        },
        stdout=console,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = [] if log is None else log
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (address := re.search(r"Listening at: (http://\S+)", "".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < deadline, "".join(said)
            time.sleep(0.05)
        found = urlsplit(address[1])
        yield str(found.hostname), int(found.port or 0)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            reader.join(10)
            assert process.stderr is not None
            process.stderr.close()
    assert "Traceback" not in "".join(said)


def free_port() -> int:
    """A port of the loopback that no server has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A gunicorn as an operator starts it, with a database of its own, and its log.

    Args:
        folder: Where the database and the log are.
        options: Further arguments of gunicorn.
        variables: Of its environment.
    """

    def __init__(self, folder: Path, *options: str, **variables: str) -> None:
        self.port = free_port()
        self.log = folder / "gunicorn.log"
        self.options = options
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "HOME": str(folder),
            "PORT": str(self.port),
            **variables,
        }

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", self.bind]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *self.options], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.ask("GET", "/health/")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.05)
            assert self.process.poll() is None, self.said
        raise AssertionError(self.said)

    def __exit__(self, *exception: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def bind(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Message, bytes]:
        """The status, the headers and the body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A connection, on which nothing has been sent."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def raw(self, data: bytes) -> bytes:
        """What comes back for these bytes, until the server closes the connection."""
        with self.connect() as connection:
            connection.sendall(data)
            return rest_of(connection)


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received
