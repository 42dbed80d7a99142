"""The commands of the documents, run in a shell as they are written, against a server as `make run` starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command

from core.tests.support import documents
from core.tests.support.environment import ROOT
from core.tests.support.servers import database_url

PASSWORD = "only-for-this-test-3"


@pytest.fixture
def demo(transactional_db: None, settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A freshly seeded demo."""
    settings.DEMO_PASSWORD = PASSWORD
    # A hash says how many rounds it took; the usual number takes half a second for each user.
    monkeypatch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
    # The server of its own knows no fast hashes of the suite.
    settings.PASSWORD_HASHERS = list(global_settings.PASSWORD_HASHERS)
    settings.DEBUG = True
    call_command("seed_demo", stdout=StringIO())


@pytest.fixture
def server(demo: None, tmp_path: Path) -> Iterator[str]:
    """The address of a development server on the suite's database."""
    environment = {
        **os.environ,
        "DEBUG": "True",
        "DATABASE_URL": database_url(),
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


def chapter(document: documents.Document, title: str) -> list[documents.Step]:
    return documents.steps(document.chapter(title))


# The steps that are run, and how many of them there are at least.
THREADS = [
    pytest.param(chapter(documents.README, "Your first booking"), 5, id="README: your first booking"),
    pytest.param(chapter(documents.TOUR, "A tour with curl"), 8, id="tour.md: a tour with curl"),
    pytest.param(chapter(documents.TOUR, "Finding a free slot"), 7, id="tour.md: finding a free slot"),
    pytest.param(chapter(documents.TOUR, "Many bookings at once"), 4, id="tour.md: many bookings at once"),
    # Whoever makes a calendar feed has signed in as the tour says.
    pytest.param(
        chapter(documents.TOUR, "A tour with curl")[:3] + chapter(documents.CALENDARS, "Make a feed"),
        4,
        id="calendars.md: make a feed",
    ),
    pytest.param(
        chapter(documents.TOUR, "A tour with curl")[:3] + chapter(documents.SERIES, "A week of stand-ups"),
        8,
        id="series.md: a week of stand-ups",
    ),
    pytest.param(chapter(documents.CLIENTS, "Beside `make run`"), 2, id="clients: beside make run"),
    pytest.param(chapter(documents.EXPORTS, "The tour"), 1, id="exports.md: the tour"),
    pytest.param(chapter(documents.POLICIES, "A workshop with hours"), 7, id="policies.md: a workshop with hours"),
]


# As `make run` does, on SQLite; other tests make the same calls on both databases.
@pytest.mark.processes
@pytest.mark.only_on_sqlite
@pytest.mark.django_db(transaction=True, reset_sequences=True)
@pytest.mark.parametrize(("steps", "at_least"), THREADS)
def test_the_commands_print_what_the_document_says(steps: list[documents.Step], at_least: int, server: str):
    printed = documents.run(steps, address=server, DEMO_PASSWORD=PASSWORD)

    assert len(steps) >= at_least
    for step, shown, answer in zip(
        steps, documents.masked([step.answer for step in steps]), documents.masked(printed), strict=True
    ):
        assert answer == shown, step.commands


@pytest.mark.parametrize("document", documents.documents(), ids=str)
def test_each_block_of_bash_is_run_by_a_test(document: documents.Document):
    run = {step.commands for thread in THREADS for step in thread.values[0]}
    assert [block for block in document.blocks("bash") if block not in run] == []
