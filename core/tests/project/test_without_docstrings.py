"""PYTHONOPTIMIZE=2 takes out all docstrings and assertions, and no sentence for people."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.tests.support.environment import ROOT

pytestmark = pytest.mark.processes


def run(*arguments: str, optimize: str) -> str:
    """What a program prints, with this value of PYTHONOPTIMIZE."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "booking_system_api.settings", "PYTHONOPTIMIZE": optimize},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(optimize: str) -> dict[str, str]:
    spoken: dict[str, str] = json.loads(run("-m", "core.tests.support.spoken", optimize=optimize))
    return spoken


def test_the_api_the_admin_and_the_commands_say_the_same() -> None:
    without = said("2")

    assert {name for name, sentence in without.items() if not sentence.strip()} == set()
    assert without == said("")
    for name in ("SlotTaken", "get /api/nothing/", "OPTIONS api/bookings/", "Booking reject", "manage.py clean_up"):
        assert name in without


@pytest.mark.parametrize("tool", ["bootstrap", "mutants", "parts", "run", "test"])
def test_the_programs_behind_make_say_the_same_of_themselves(tool: str) -> None:
    assert run("-m", f"tools.{tool}", "--help", optimize="2") == run("-m", f"tools.{tool}", "--help", optimize="")


def test_the_description_of_the_api_is_written_the_same(tmp_path: Path) -> None:
    written = tmp_path / "written.yaml"
    run("manage.py", "spectacular", "--file", str(written), optimize="2")

    assert written.read_text(encoding="utf-8") == (ROOT / "openapi.yaml").read_text(encoding="utf-8")
