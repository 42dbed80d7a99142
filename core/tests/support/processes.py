"""Processes of the product as operators start them, on a test's own database: web servers and workers."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.tests.support.environment import ROOT
from core.tests.support.sendgrid_server import KEY, SendGridServer
from core.tests.support.servers import database_url

WAIT_SECONDS = 60
LISTENS = "Listening at: http://127.0.0.1:"


class Process:
    """A process of the product on this test's database, and all that it starts."""

    def __init__(self, folder: Path, sendgrid: SendGridServer, *arguments: str, **environment: str) -> None:
        self.log = folder / f"{len(list(folder.iterdir()))}.log"
        given = {
            "DATABASE_URL": database_url(),
            "EMAIL_USE": "sendgrid",
            "SENDGRID_API_KEY": KEY,
            "SENDGRID_HOST": sendgrid.host,
            "WEB_CONCURRENCY": "1",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **given, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def port(self) -> int:
        """Where a web server listens, as soon as it does."""
        wait_for(lambda: LISTENS in self.said, self)
        return int(self.said.split(LISTENS)[1].split()[0])

    def kill(self) -> None:
        """With all that it started, and without a chance to say goodbye."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """The way that a platform stops it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.kill()


def wait_for(condition: Callable[[], object], process: Process | None = None) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert process is None or process.process.poll() is None, process.said
        assert time.monotonic() < deadline, process.said if process else "It took too long."
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, its body read as JSON where it has one, and after how many seconds."""

    status: int
    body: Any
    seconds: float


def ask(port: int, method: str, path: str, body: object = None, token: str = "", **headers: str) -> Answer:
    """The answer of a server on loopback, for the owner of this token."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    sent = {"X-Forwarded-Proto": "https", "Content-Type": "application/json", **headers}
    if token:
        sent["Authorization"] = f"Token {token}"
    started = time.monotonic()
    try:
        connection.request(method, path, json.dumps(body) if body else None, sent)
        answer = connection.getresponse()
        content = answer.read()
        return Answer(answer.status, json.loads(content) if content else None, time.monotonic() - started)
    finally:
        connection.close()


def call(port: int, method: str, path: str, body: object = None, token: str = "") -> tuple[int, float]:
    """The status of an answer, and how many seconds it took."""
    answer = ask(port, method, path, body, token)
    return answer.status, answer.seconds
