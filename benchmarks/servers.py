"""The two servers, the product and the floor, under the same gunicorn configuration."""

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.client import Connection, request
from tools.bootstrap import ROOT
from tools.postgres import free_port

APPLICATIONS = {"product": "booking_system_api.wsgi:application", "floor": "benchmarks.floor:application"}
COMMANDS = {"product": ["manage.py"], "floor": ["-m", "benchmarks.floor"]}
WORKERS = 2
START_SECONDS = 60
STOP_SECONDS = 10

HEALTH = request("GET", "/health/")


class BenchmarkError(Exception):
    """The measurement failed; the message gives the reason."""


@dataclass(frozen=True)
class Server:
    """A running gunicorn.

    Attributes:
        start_seconds: The seconds from the start to the first answer.
    """

    name: str
    port: int
    start_seconds: float
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def peak_memory(self) -> float | None:
        """The largest resident memory of any worker so far, in MiB; None on a system without /proc."""
        peaks = [_peak_of(child) for child in _children(self.process.pid)]
        return max(peaks) / 1024 if peaks else None

    def shared_memory(self) -> float | None:
        """The memory of the parent and the workers, each shared page counted once (PSS), in MiB; None without /proc."""
        sizes = [_pss_of(process) for process in (self.process.pid, *_children(self.process.pid))]
        return sum(sizes) / 1024 if all(sizes) else None

    def end_of_log(self) -> str:
        self.log.seek(0)
        return "\n".join(self.log.read().decode(errors="replace").splitlines()[-20:])


def environment(database_url: str, *, notifications: str = "worker") -> dict[str, str]:
    """The environment of production with all rate limits off, independent of the caller's environment."""
    limits = ("SIGN_IN", "REGISTRATION", "PASSWORD_RESET", "ANONYMOUS", "USER")
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **{f"THROTTLE_{name}": "" for name in limits},
        # Each booking writes its messages. With `worker` another process sends them, which is not measured here.
        "NOTIFICATIONS": notifications,
        "BOOKING_ENV_FILE": os.devnull,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": database_url,
        "WEB_CONCURRENCY": str(WORKERS),
    }


@contextlib.contextmanager
def serving(name: str, database_url: str, *, notifications: str = "worker") -> Iterator[Server]:
    """Runs one of `APPLICATIONS` during the block.

    Args:
        name: The application.
        database_url: Its database.
        notifications: Who sends the messages: `worker` for nobody, `web` for a thread of each web process.

    Raises:
        BenchmarkError: When the server does not answer.
    """
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        with subprocess.Popen(
            [*command, APPLICATIONS[name]],
            cwd=ROOT,
            env=environment(database_url, notifications=notifications),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # this process receives Ctrl-C and stops the server
        ) as process:
            server = Server(name, port, 0.0, process, log)
            try:
                _wait_for_health(server)
                yield Server(name, port, time.perf_counter() - began, process, log)
            finally:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    for child in (*_children(process.pid), process.pid):
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(child, 9)


def seconds_of_check(name: str, database_url: str) -> float:
    """The seconds of `manage.py check`, or of the floor's `check`."""
    began = time.perf_counter()
    command = [sys.executable, *COMMANDS[name], "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment(database_url), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{done.stderr}")
    return time.perf_counter() - began


def _wait_for_health(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(ConnectionError), Connection(server.port) as connection:
            if connection.ask(HEALTH).status == 200:
                return
        time.sleep(0.005)
    raise BenchmarkError(f"The {server.name} does not answer:\n{server.end_of_log()}")


def _children(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(number) for number in children.read_text().split()] if children.exists() else []


def _peak_of(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _pss_of(process: int) -> int:
    rollup = Path(f"/proc/{process}/smaps_rollup")
    lines = rollup.read_text(encoding="ascii").splitlines() if rollup.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
