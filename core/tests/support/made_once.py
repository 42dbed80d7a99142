"""What takes seconds to make and what several modules start from: made once for a run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

from core.tests.support.environment import ROOT


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file of SQLite with all tables, as `manage.py migrate` leaves it; a test copies it."""
    file = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the static files of production, as `collectstatic` leaves it; a test only reads it."""
    folder = tmp_path_factory.mktemp("collected")
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "booking_system_api.storage.ForgivingManifestStorage"},
    }
    with override_settings(STATIC_ROOT=folder, STORAGES=storages, DEBUG=False):
        call_command("collectstatic", "--no-input", "--verbosity", "0")
    return folder
