"""The version: written once, and told by readiness, the description, the changelog and the first line of each log."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from booking_system_api.version import VERSION
from core.tests.support.described import document
from core.tests.support.environment import ROOT
from core.tests.support.servers import Server

CHANGES = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
FIRST = f"INFO gunicorn.error: Booking system {VERSION}"


def test_it_is_a_version_of_semantic_versioning() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    assert settings.VERSION == VERSION


def test_it_is_written_in_one_place() -> None:
    code = [*(ROOT / "booking_system_api").rglob("*.py"), *(ROOT / "core").rglob("*.py"), ROOT / "gunicorn.conf.py"]
    ours = [path for path in code if "tests" not in path.parts and f'= "{VERSION}"' in path.read_text(encoding="utf-8")]
    assert [path.name for path in ours] == ["version.py"]


def test_the_description_has_it() -> None:
    assert document()["info"]["version"] == VERSION


def test_the_newest_heading_of_the_changelog_has_it_with_a_date() -> None:
    newest = re.search(r"^## \[(.+?)\] - (.+)$", CHANGES, re.MULTILINE)
    assert newest is not None
    assert newest[1] == VERSION
    assert date.fromisoformat(newest[2]) >= date(2026, 1, 1)


def test_each_release_of_the_changelog_says_what_an_operator_does() -> None:
    releases = re.split(r"^## ", CHANGES, flags=re.MULTILINE)[1:]
    assert releases
    assert [text.splitlines()[0] for text in releases if "\n### Upgrading\n" not in text] == []


def test_readiness_tells_it(db: None) -> None:
    assert Client().get("/health/ready/").json()["version"] == VERSION


@pytest.mark.processes
def test_the_first_line_of_a_server_tells_it_once_whatever_the_number_of_processes(tmp_path: Path) -> None:
    with Server(tmp_path, WEB_CONCURRENCY="3") as server:
        assert server.said.splitlines()[0].endswith(FIRST)
        assert server.said.count(FIRST) == 1
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while server.said.count(FIRST) < 2:
            assert time.monotonic() < deadline, server.said
            time.sleep(0.05)
    assert server.said.count(FIRST) == 2


@pytest.mark.processes
@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("text", rf"\S+ \S+ INFO core\.management\.commands\.deliver_notifications: Booking system {VERSION}\n"),
        ("json", rf'{{"time":"\S+","level":"INFO","logger":"[\w.]+","message":"Booking system {VERSION}"}}\n'),
    ],
)
def test_the_first_line_of_a_worker_tells_it(tmp_path: Path, form: str, line: str) -> None:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty'}", "LOG_FORMAT": form}
    command = [sys.executable, "manage.py", "deliver_notifications", "--watch"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE) as worker:
        try:
            assert worker.stderr is not None
            assert re.fullmatch(line, worker.stderr.readline())
        finally:
            worker.terminate()
