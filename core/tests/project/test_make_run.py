"""`make run`, tried for real in a fresh copy: the server that it starts, and the mails that it prints."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings

from core.tests.support.environment import ROOT, SETTING
from core.tests.support.servers import free_port
from core.utils import LineBackend
from tools.run import set_defaults

COPIED = ("booking_system_api", "core", "tools", "manage.py", ".env.example", "openapi.yaml")

# The packages of the suite's own environment serve; to install them takes minutes.
RUN = """
import sys
from tools import run
run.ensure_environment = lambda: sys.executable
sys.exit(run.main(sys.argv[1:]))
"""
SECONDS = 60


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone."""
    folder = tmp_path_factory.mktemp("run")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy2(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def run(copy: Path) -> Iterator[tuple[str, Path]]:
    """The address of the server that the command starts, and the file with what it prints."""
    port = free_port()
    ours = SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
    clean = {name: value for name, value in os.environ.items() if name not in (*ours, "BOOKING_ENV_FILE")}
    printed = copy / "printed"
    with (
        printed.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-c", RUN, "--port", str(port)],
            cwd=copy,
            env={**clean, "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for("Quit the server", printed)
            yield f"http://127.0.0.1:{port}", printed
        finally:
            # The server watches its files from a process of its own.
            os.killpg(process.pid, signal.SIGTERM)


def post(address: str, body: dict[str, str]) -> int:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        return answer.status


def wait_for(words: str, file: Path) -> str:
    """The line of the file that holds these words."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for line in file.read_text(encoding="utf-8").splitlines():
            if words in line:
                return line
        time.sleep(0.1)
    pytest.fail(f"{words!r} was not printed within {SECONDS} seconds:\n{file.read_text(encoding='utf-8')}")


@pytest.mark.processes
def test_each_mail_is_one_line_with_its_link_to_the_servers_own_port(run: tuple[str, Path]) -> None:
    address, printed = run
    newcomer = {"username": "nora", "email": "nora@example.org", "password": "six-copper-lanterns"}
    assert post(f"{address}/api/auth/users/", newcomer) == 201
    line = wait_for("Mail to nora@example.org: Confirm your email address", printed)
    assert re.fullmatch(rf"Mail to .*: Confirm your email address {address}/notifications/confirm/\S+", line)
    assert post(f"{address}/api/auth/users/reset_password/", {"email": "nora@example.org"}) == 204
    line = wait_for(f"{address}/password-reset/", printed)
    assert line.startswith("Mail to nora@example.org: ")
    assert "Subject:" not in printed.read_text(encoding="utf-8")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("environment", "file", "value"),
    [
        ({}, "DEBUG=True\n", "line"),
        ({"EMAIL_CONSOLE": "text"}, "DEBUG=True\n", "text"),
        ({}, "EMAIL_CONSOLE=text\n", None),
        ({}, "# EMAIL_CONSOLE=text\n", "line"),
    ],
    ids=["nobody chose", "in the environment", "in the file", "in a comment"],
)
def test_what_somebody_chose_stays(
    environment: dict[str, str], file: str, value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMAIL_CONSOLE", raising=False)
    for name, chosen in environment.items():
        monkeypatch.setenv(name, chosen)
    (tmp_path / ".env").write_text(file)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    set_defaults({"EMAIL_CONSOLE": "line"}, tmp_path / ".env")
    assert os.environ.get("EMAIL_CONSOLE") == value


@pytest.mark.parametrize(
    ("text", "link"),
    [
        pytest.param(
            "Hello,\n\nhttp://127.0.0.1:8001/a\nhttp://127.0.0.1:8001/b\n", " http://127.0.0.1:8001/a", id="first"
        ),
        pytest.param("Hello", "", id="none"),
        pytest.param("> http://127.0.0.1:8001/a\nhttp://other.example/", "", id="of somebody else"),
    ],
)
def test_the_link_is_one_of_ours(text: str, link: str, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.HOME_URL = settings.PUBLIC_URL = "http://127.0.0.1:8001"
    LineBackend().send_messages([EmailMessage("Booked:  Blue room", text, "a@example.org", ["b@example.org"])])
    assert capsys.readouterr().out == f"Mail to b@example.org: Booked: Blue room{link}\n"


def test_without_an_address_of_its_own_no_link_is_shown(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.HOME_URL = settings.PUBLIC_URL = ""
    LineBackend().send_messages([EmailMessage("Hello", "http://x.example/", "a@example.org", ["b@example.org"])])
    assert capsys.readouterr().out == "Mail to b@example.org: Hello\n"
