"""The Makefile has few targets, and `make test-all` runs each test that `make test` leaves out."""

import configparser
import re
import subprocess
import sys

import pytest
from django.contrib.auth.models import User

from core.tests.support.documents import CONTRIBUTING
from core.tests.support.environment import ROOT, commits, has_no_test, uses_database
from tools import parts
from tools.test import MINUTES, own_database, verdicts_of

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def phony_targets() -> list[str]:
    (names,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    return names.split()


def test_every_target_is_phony_explained_and_there_are_at_most_15() -> None:
    explained = re.findall(r"^([a-z-]+):.*## \S", MAKEFILE, re.MULTILINE)
    assert explained == phony_targets() == re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
    assert len(explained) <= 15


def test_each_mark_that_the_suite_leaves_out_has_a_part() -> None:
    ini = configparser.ConfigParser()
    ini.read(ROOT / "pytest.ini")
    (expression,) = re.findall(r'-m "(.+)"', ini["pytest"]["addopts"])
    left_out = set(re.findall(r"not (\w+)", expression))
    commands = [" ".join(part.command) for part in parts.PARTS.values()]
    # tools/browser.py gives the mark to pytest by itself.
    run = {mark for mark in left_out if any(f"-m {mark}" in command for command in commands)} | {"browser"}
    assert run == left_out
    assert "tools.browser" in parts.PARTS["browser"].command


@pytest.mark.parametrize(
    ("text", "expression", "left_out"),
    [
        ("def test_a(): ...", "redis", True),
        ("@pytest.mark.redis\ndef test_a(): ...", "redis", False),
        ("pytestmark = pytest.mark.redis\n", "redis", False),
        ("pytestmark = pytest.mark.redis\n", "not browser and not redis", True),
        ("pytestmark = [pytest.mark.redis, pytest.mark.django_db]\n", "not browser and not redis", True),
        ("@pytest.mark.redis\ndef test_a(): ...\ndef test_b(): ...", "not browser and not redis", False),
        ("pytestmark = pytest.mark.django_db\n", "not browser and not redis", False),
        ("def test_a(): ...", "not browser", False),
        ("def test_a(): ...", "", False),
    ],
)
def test_only_modules_that_can_have_a_test_of_the_run_are_read(text: str, expression: str, left_out: bool) -> None:
    assert has_no_test(text, expression) == left_out


def test_an_unknown_part_is_refused_with_the_names_there_are() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tools.parts", "--parts=browser nonsense"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert f"there is no part 'nonsense'; the parts are {' '.join(parts.PARTS)}" in result.stderr


def test_a_part_whose_program_is_missing_fails_and_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.shutil, "which", lambda program, path: None)
    assert parts.run("redis", []) == "FAILED: redis-server is missing (on Debian and Ubuntu: apt install redis-server)"


# --- The runs of `make test` ------------------------------------------------------------------------------------------


def test_a_test_without_a_database_runs_once(request: pytest.FixtureRequest) -> None:
    assert not uses_database(request.node)


@pytest.mark.django_db
def test_a_test_with_the_mark_runs_on_each_database(request: pytest.FixtureRequest) -> None:
    assert uses_database(request.node)


def test_a_test_whose_fixture_writes_rows_runs_on_each_database(alice: User, request: pytest.FixtureRequest) -> None:
    assert uses_database(request.node)


def test_a_test_that_commits_runs_on_each_database(transactional_db: None, request: pytest.FixtureRequest) -> None:
    assert uses_database(request.node)


def test_those_that_commit_are_told_from_the_others(request: pytest.FixtureRequest) -> None:
    assert not commits(request.node)


@pytest.mark.django_db(transaction=True)
def test_a_mark_tells_that_a_test_commits(request: pytest.FixtureRequest) -> None:
    assert commits(request.node)


def test_a_fixture_tells_that_a_test_commits(transactional_db: None, request: pytest.FixtureRequest) -> None:
    assert commits(request.node)


@pytest.mark.only_on_sqlite
def test_a_test_about_one_database_runs_on_that_one(request: pytest.FixtureRequest) -> None:
    assert uses_database(request.node)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        (None, None),
        ("postgres://u:p%40@h:5432/booking", "postgres://u:p%40@h:5432/booking_commits"),
        ("postgres:///booking?host=/run", "postgres:///booking_commits?host=/run"),
    ],
)
def test_the_two_runs_on_a_server_have_a_database_each(address: str | None, own: str | None) -> None:
    assert own_database(address, "_commits") == own
    assert own_database(address, "") == address


@pytest.mark.parametrize("commit", ["yes", "no"])
def test_a_run_has_the_tests_that_commit_or_the_others(commit: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--collect-only",
        "--database=used",
        f"--commits={commit}",
        __file__,
    ]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ("::test_a_mark_tells_that_a_test_commits" in listed) == (commit == "yes")
    assert ("::test_a_test_with_the_mark_runs_on_each_database" in listed) == (commit == "no")
    assert "::test_a_test_without_a_database_runs_once" not in listed


def test_how_long_the_suite_takes_is_said_alike() -> None:
    (row,) = [line for line in CONTRIBUTING.text.splitlines() if line.startswith("| `make test` |")]
    assert row.endswith(f"| {MINUTES} minutes |")


@pytest.mark.parametrize(
    ("statuses", "verdicts"),
    [
        ({"a": 0, "b": 0}, {"a": "passed", "b": "passed"}),
        ({"a": 0, "b": 5}, {"a": "passed", "b": "no such test"}),
        ({"a": 1, "b": 5}, {"a": "FAILED (pytest ended with 1)", "b": "no such test"}),
        ({"a": 5, "b": 5}, {"a": "FAILED (pytest ended with 5)", "b": "FAILED (pytest ended with 5)"}),
    ],
    ids=["all passed", "a run without a test", "a failure", "no test anywhere"],
)
def test_a_run_without_a_test_passes_beside_one_with_tests(statuses: dict[str, int], verdicts: dict[str, str]) -> None:
    assert verdicts_of(statuses) == verdicts
