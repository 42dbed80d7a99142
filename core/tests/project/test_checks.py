"""What `manage.py check --deploy` says of settings that do not suit production."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from core.checks import frontend_url_is_set, is_near, others_can_read
from core.tests.support.environment import ROOT, SETTING

RIGHT = {
    "SECRET_KEY": "kX" * 30 + "0123456789!",
    "DEBUG": "False",
    "ALLOWED_HOSTS": "booking.example.org",
    "DATABASE_URL": "postgres://booking:unused@127.0.0.1:5432/booking",
    "PUBLIC_URL": "https://booking.example.org",
    "FRONTEND_URL": "https://app.example.org",
    "EMAIL_USE": "smtp",
    "EMAIL_URL": "smtp+tls://booking:six-copper@mx.example.org",
    "FROM_EMAIL": "booking@example.org",
}


def said(file: Path, mode: int = 0o640, **changes: str | None) -> list[str]:
    """The codes of the warnings for a settings file with these changes; None leaves a line out."""
    values = {name: value for name, value in {**RIGHT, **changes}.items() if value is not None}
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    file.chmod(mode)
    ours = SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8"))
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT,
        env={**clean, "BOOKING_ENV_FILE": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "six-copper" not in done.stderr
    return sorted(re.findall(r"^\?: \((\S+)\)", done.stderr, re.MULTILINE))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"FRONTEND_URL": None},
        {"FRONTEND_URL": None, "BOOKING_PAGE": "on"},
        {"BOOKING_PAGE": "on"},
        {"EMAIL_URL": "smtp://mx.example.org"},
        {"EMAIL_URL": "smtp://booking:six-copper@10.0.0.5"},
    ],
    ids=[
        "an app of its own",
        "the booking page",
        "the booking page, asked for",
        "both",
        "no password",
        "a password in a private network",
    ],
)
def test_right_settings_have_no_warning(tmp_path: Path, changes: dict) -> None:
    assert said(tmp_path / "settings", **changes) == []


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"EMAIL_USE": None, "EMAIL_URL": None, "FROM_EMAIL": None}, ["core.W003"]),
        ({"PUBLIC_URL": ""}, ["core.W004"]),
        ({"FRONTEND_URL": "", "BOOKING_PAGE": "off"}, ["core.W001"]),
        ({"PUBLIC_URL": None, "FRONTEND_URL": None}, ["core.W001", "core.W004"]),
        ({"ALLOWED_HOSTS": ""}, ["core.W005"]),
        ({"mode": 0o644}, ["core.W006"]),
        ({"FROM_EMAIL": None}, ["core.W007"]),
        ({"FROM_EMAIL": None, "EMAIL_USE": "sendgrid", "SENDGRID_API_KEY": "x"}, ["core.W007"]),
        ({"EMAIL_URL": "smtp://booking:six-copper@mx.example.org"}, ["core.W008"]),
    ],
    ids=[
        "console",
        "no PUBLIC_URL",
        "no FRONTEND_URL",
        "neither",
        "no ALLOWED_HOSTS",
        "open file",
        "no FROM_EMAIL",
        "no FROM_EMAIL at SendGrid",
        "a bare password",
    ],
)
def test_each_wrong_one_has_a_warning(tmp_path: Path, changes: dict, codes: list[str]) -> None:
    assert said(tmp_path / "settings", **changes) == codes


def test_a_developers_machine_is_told_none_of_it(tmp_path: Path) -> None:
    changes = dict.fromkeys(("PUBLIC_URL", "FRONTEND_URL", "EMAIL_USE", "EMAIL_URL", "FROM_EMAIL"))
    codes = said(tmp_path / "settings", 0o644, DEBUG="True", ALLOWED_HOSTS="", **changes)
    assert [code for code in codes if code.startswith("core.")] == []


@pytest.mark.parametrize(
    ("page", "public", "warned"),
    [(True, "https://booking.example.org", False), (True, "", True), (False, "https://booking.example.org", True)],
)
def test_a_booking_page_stands_in_for_the_single_page_app(
    settings: Settings, page: bool, public: str, warned: bool
) -> None:
    settings.FRONTEND_ORIGINS, settings.BOOKING_PAGE, settings.PUBLIC_URL = [], page, public
    assert bool(frontend_url_is_set(None)) == warned


@pytest.mark.parametrize(
    ("mode", "can"), [(0o600, False), (0o640, False), (0o604, True), (0o644, True), (0o602, False)]
)
def test_others_can_read_what_they_have_the_right_to(tmp_path: Path, mode: int, can: bool) -> None:
    file = tmp_path / "settings"
    file.touch()
    file.chmod(mode)
    assert others_can_read(file) == can


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("192.168.0.9", True),
        ("fd00::5", True),
        ("mail", True),
        ("mail.internal", True),
        ("mail.local", True),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("mx.example.org", False),
        ("internal.example.org", False),
    ],
)
def test_a_host_is_near_on_this_machine_and_in_a_private_network(host: str, near: bool) -> None:
    assert is_near(host) == near


def test_no_file_and_no_plain_file_hold_no_secrets(tmp_path: Path) -> None:
    assert not others_can_read(tmp_path / "nothing")
    assert not others_can_read(Path(os.devnull))
