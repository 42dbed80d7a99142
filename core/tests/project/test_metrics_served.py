"""/metrics of real processes: those of one gunicorn count together, and a worker serves its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.tests.support.environment import ROOT
from core.tests.support.servers import Server

pytestmark = pytest.mark.processes

TOKEN = "a-long-random-word"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TLS = {"X-Forwarded-Proto": "https"}
ROOT_CALLS = 'booking_requests_total{method="GET",route="/api/",status="200"}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metered")
    Server(folder).manage("migrate", "--verbosity", "0")
    return folder


def told(server: Server) -> dict[str, float]:
    """The value of each series by its name and labels."""
    status, _, body = server.ask("GET", "/metrics", **BEARER)
    assert status == 200
    lines = (line.rpartition(" ") for line in body.decode().splitlines() if not line.startswith("#"))
    return {name: float(number) for name, _, number in lines}


def folders() -> set[Path]:
    return set(Path("/dev/shm").glob("booking-metrics-*"))


def processes(server: Server) -> list[int]:
    """The ids of the processes that booted."""
    return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", server.said)]


def wait_for(server: Server, words: str, times: int) -> None:
    deadline = time.monotonic() + 30
    while server.said.count(words) < times:
        assert time.monotonic() < deadline, server.said
        time.sleep(0.05)


def test_the_processes_count_together_and_nothing_is_lost_when_they_end(folder: Path) -> None:
    before = folders()
    with Server(folder, WEB_CONCURRENCY="3", METRICS_TOKEN=TOKEN) as server:
        (own,) = folders() - before
        assert own.stat().st_mode & 0o777 == 0o700
        for _ in range(30):
            server.ask("GET", "/api/", **TLS)
        assert told(server)[ROOT_CALLS] == 30
        server.raw(b"GET /api/ HTTP/9.9\r\n\r\n")
        assert told(server)['booking_requests_total{method="-",route="-",status="400"}'] == 1

        server.process.send_signal(signal.SIGHUP)
        wait_for(server, "Worker exiting", 3)
        for _ in range(5):
            server.ask("GET", "/api/", **TLS)
        found = told(server)
        assert found[ROOT_CALLS] == 35
        assert found['booking_request_seconds_count{method="GET",route="/api/"}'] == 35
        assert found['booking_request_seconds_bucket{le="+Inf",method="GET",route="/api/"}'] == 35

        os.kill(processes(server)[-1], signal.SIGKILL)
        wait_for(server, "Booting worker", 7)
        assert told(server)[ROOT_CALLS] == 35
        # Not a file for each process that ever was.
        alive = {str(pid) for pid in processes(server)[3:]}
        names = {path.stem.rpartition("_")[2] for path in own.glob("*.db")}
        assert names <= alive | {"ended"}
        assert len(names) <= 4
        assert "Traceback" not in server.said
    assert folders() == before


def test_without_its_folder_a_server_goes_on(folder: Path) -> None:
    before = folders()
    with Server(folder, WEB_CONCURRENCY="1", METRICS_TOKEN=TOKEN) as server:
        (own,) = folders() - before
        shutil.rmtree(own)
        assert server.ask("GET", "/api/", **TLS)[0] == 200
        assert told(server)["booking_database_up"] == 1
        assert "The folder in which this server counts is gone" in server.said

        os.kill(processes(server)[-1], signal.SIGKILL)
        wait_for(server, "Booting worker", 2)
        server.ask("GET", "/api/", **TLS)
        assert told(server)[ROOT_CALLS] == 1
        assert "Traceback" not in server.said
    assert folders() == before


def test_a_preloaded_application_counts_together_too(folder: Path) -> None:
    with Server(folder, "--preload", WEB_CONCURRENCY="3", METRICS_TOKEN=TOKEN) as server:
        for _ in range(30):
            server.ask("GET", "/api/", **TLS)
        assert told(server)[ROOT_CALLS] == 30


def test_a_folder_of_a_server_that_was_killed_is_removed_by_the_next_one(folder: Path) -> None:
    left = Path("/dev/shm/booking-metrics-999999999-left")
    left.mkdir()
    with Server(folder, WEB_CONCURRENCY="1", METRICS_TOKEN=TOKEN):
        assert not left.exists()


def test_without_a_token_nothing_is_counted(folder: Path) -> None:
    before = folders()
    with Server(folder, WEB_CONCURRENCY="1") as server:
        assert server.ask("GET", "/metrics", **BEARER)[0] == 404
        assert folders() == before


def test_a_token_in_the_settings_file_counts_from_the_next_reload(folder: Path) -> None:
    file = folder / "settings"
    file.write_text("")
    with Server(folder, WEB_CONCURRENCY="2", BOOKING_ENV_FILE=str(file)) as server:
        file.write_text(f"METRICS_TOKEN={TOKEN}\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(server, "Worker exiting", 2)
        for _ in range(10):
            server.ask("GET", "/api/", **TLS)
        assert told(server)[ROOT_CALLS] == 10


class Watcher(Server):
    """A worker that sends messages; `ask` asks its metrics."""

    def __init__(self, folder: Path, **variables: str) -> None:
        super().__init__(folder, METRICS_TOKEN=TOKEN, **variables)
        self.environment["WORKER_METRICS_BIND"] = self.bind

    def __enter__(self) -> "Watcher":
        command = [sys.executable, "manage.py", "deliver_notifications", "--watch"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        wait_for(self, "Delivering messages", 1)
        return self


def test_a_worker_serves_its_own(folder: Path) -> None:
    with Watcher(folder) as worker:
        assert told(worker)['booking_messages_total{outcome="sent"}'] == 0
        assert told(worker)["booking_database_up"] == 1
        assert worker.ask("GET", "/metrics")[0] == 401
        assert worker.ask("GET", "/metrics", Authorization="Bearer x")[0] == 401
        assert worker.ask("POST", "/metrics", b"{}", **BEARER)[0] == 405
        status, headers, body = worker.ask("HEAD", "/metrics", **BEARER)
        assert (status, body) == (200, b"")
        for path in ("/", "/api/", "/admin/", "/metrics/", "/health/"):
            assert worker.ask("GET", path, **BEARER, **TLS)[0] == 404
        assert TOKEN not in worker.said
        # A second one on the same address sends messages all the same.
        second = Watcher(folder)
        second.log = folder / "second.log"
        second.environment["WORKER_METRICS_BIND"] = worker.bind
        with second:
            assert "There are no metrics of this worker" in second.said
            assert "Traceback" not in second.said
    assert worker.process.returncode == 0


def test_a_slow_client_of_a_worker_keeps_nobody_waiting(folder: Path) -> None:
    with Watcher(folder) as worker, worker.connect() as slow:
        slow.sendall(b"GET /met")
        assert worker.ask("GET", "/metrics", **BEARER)[0] == 200


def test_a_worker_without_an_address_serves_nothing(folder: Path) -> None:
    worker = Watcher(folder)
    del worker.environment["WORKER_METRICS_BIND"]
    with worker, pytest.raises(ConnectionRefusedError):
        worker.ask("GET", "/metrics", **BEARER)
