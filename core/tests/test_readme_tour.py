"""The tour in README.md, run in a shell as it is written, against a server as `make run` starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from core.tests import readme
from core.tests.environment import ROOT


def address_of_suites_database() -> str:
    """The suite's database as a `DATABASE_URL`."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    parts = connection.settings_dict
    return f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


@pytest.fixture
def demo(transactional_db: None, settings: object) -> None:
    """A freshly seeded demo."""
    settings.DEMO_PASSWORD = "only-for-this-test-3"
    settings.DEBUG = True
    call_command("seed_demo", stdout=StringIO())


@pytest.fixture
def server(demo: None, tmp_path: Path) -> Iterator[str]:
    """The address of a development server on the suite's database."""
    environment = {
        **os.environ,
        "DEBUG": "True",
        "DATABASE_URL": address_of_suites_database(),
        "PYTHONUNBUFFERED": "1",
    }
    log = tmp_path / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", "127.0.0.1:0"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            started = next((line for line in process.stdout if "http://" in line), "")
            assert started, log.read_text()
            yield started[started.index("http://") :].strip().rstrip("/")
        finally:
            process.terminate()
            process.stdout.close()


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_tour_prints_what_the_readme_says(server: str):
    steps = readme.steps(readme.chapter("A tour with curl"))

    printed = readme.run(steps, address=server)

    assert len(steps) >= 8
    for step, shown, answer in zip(
        steps, readme.masked([step.answer for step in steps]), readme.masked(printed), strict=True
    ):
        assert answer == shown, step.commands
