"""The settings as they would be with other values in the environment."""

import os
import runpy
from typing import Any

import pytest

from core.tests.support.environment import ROOT, SETTING


def load_settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    """Runs the settings module again with these variables, and no others of ours but `SECRET_KEY` and `DATABASE_URL`.

    Args:
        monkeypatch: Puts the environment back at the end of the test.
        variables: What to set; an empty SECRET_KEY or DATABASE_URL takes that one out.
    """
    for name in SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"SECRET_KEY": "k" * 50, "DATABASE_URL": "sqlite:///unused.sqlite3", **variables}.items():
        if value or name not in ("SECRET_KEY", "DATABASE_URL"):
            monkeypatch.setenv(name, value)
    assert os.environ["BOOKING_ENV_FILE"] == os.devnull
    return runpy.run_path(str(ROOT / "booking_system_api" / "settings.py"))
