"""The suite's own environment: a pytest plugin that acts before Django's settings are loaded.

`pytest.ini` names it, so it comes before every conftest.py and before pytest-django. Nothing of the developer's `.env`
or environment reaches the suite, except `TEST_DATABASE_URL`: the server to make the test database on.
"""

import gc
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

ROOT = Path(__file__).resolve().parents[3]

# A setting's line in .env.example, in force or commented out.
SETTING = re.compile(r"^#?\s*([A-Z][A-Z0-9_]*)=", re.MULTILINE)

# The mark of all tests of a module, or the first of several.
OF_ALL_TESTS = re.compile(r"^pytestmark = \[?pytest\.mark\.(\w+)", re.MULTILINE)

SUITE_SETTINGS = {
    "DEBUG": "False",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "FRONTEND_URL": "https://app.example.org",
    "EMAIL_USE": "console",
    # No limits, except where a test sets them.
    "THROTTLE_SIGN_IN": "",
    "THROTTLE_REGISTRATION": "",
    "THROTTLE_PASSWORD_RESET": "",
    "THROTTLE_ANONYMOUS": "",
    "THROTTLE_USER": "",
    "THROTTLE_CALENDAR": "",
}

# Not for us: pytest.ini says which settings these are.
FOREIGN = ("DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION")


def replace_environment(folder: Path) -> None:
    """Takes every setting out of the environment and puts the suite's own there.

    Args:
        folder: Where SQLite's file goes, when `TEST_DATABASE_URL` names no server.
    """
    for name in (*SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")), *FOREIGN):
        os.environ.pop(name, None)
    os.environ.update(SUITE_SETTINGS)
    os.environ["BOOKING_ENV_FILE"] = os.devnull
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(50)
    os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{quote(str(folder / 'db.sqlite3'))}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Comes before pytest-django loads the settings."""
    folder = Path(tempfile.mkdtemp(prefix="booking-tests-"))
    early_config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    replace_environment(folder)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Makes passwords cheap and plain http answered, once Django is set up: a test need not say that it uses https."""
    from django.conf import settings

    settings.SECURE_SSL_REDIRECT = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    config.pluginmanager.register(NothingIsSkipped(), "nothing-is-skipped")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets `make test` run the tests that use no database once, and only the others on each database."""
    parser.addoption("--database", choices=("used", "unused"), help="only the tests that use it, or only the others")
    parser.addoption("--commits", choices=("yes", "no"), help="only the tests that commit, or only the others")


def pytest_report_header() -> str:
    """Tells which database this run is about."""
    from django.db import connection

    return f"database: {connection.vendor}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out modules that have no test of this run, by their text: to import them all takes seconds."""
    if collection_path.suffix != ".py":
        return None
    has_none = has_no_test(collection_path.read_text(encoding="utf-8"), str(config.getoption("-m")))
    return True if has_none else None


def has_no_test(text: str, expression: str) -> bool:
    """True if `-m` certainly leaves out all tests of a module: it asks for one mark, or refuses that of the module."""
    if expression.isidentifier():
        return f"mark.{expression}" not in text
    return any(f"not {mark}" in expression for mark in OF_ALL_TESTS.findall(text))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that are about the other database alone, or that `--database` or `--commits` excludes."""
    from django.db import connection

    others = {f"only_on_{vendor}" for vendor in ("sqlite", "postgresql") if vendor != connection.vendor}
    part, commit = config.getoption("--database"), config.getoption("--commits")
    kept, left_out = [], []
    for item in items:
        is_of_part = part is None or uses_database(item) == (part == "used")
        is_of_part = is_of_part and (commit is None or commits(item) == (commit == "yes"))
        is_of_other = any(item.get_closest_marker(mark) for mark in others)
        (kept if is_of_part and not is_of_other else left_out).append(item)
    if part == "used" and connection.vendor == "sqlite":
        # Tests that commit wait for processes and clocks, and pytest-django puts them last. Here they come first, so
        # that the run on the other database, beside this one, has the machine meanwhile.
        kept.sort(key=commits, reverse=True)
    items[:] = kept
    if left_out:
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Tells the garbage collector that the project and the collected tests stay, and to look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def uses_database(item: pytest.Item) -> bool:
    """True if the test may query the suite's database, or is about one kind of database.

    A test that asks for its fixtures by name while it runs needs the mark `django_db`.
    """
    fixtures = {"db", "transactional_db"} & {*getattr(item, "fixturenames", ())}
    marks = ("django_db", "only_on_sqlite", "only_on_postgresql")
    return bool(fixtures) or any(item.get_closest_marker(mark) for mark in marks)


def commits(item: pytest.Item) -> bool:
    """True if the test commits what it writes, and leaves an empty database."""
    mark = item.get_closest_marker("django_db")
    return "transactional_db" in getattr(item, "fixturenames", ()) or bool(mark and mark.kwargs.get("transaction"))


class NothingIsSkipped:
    """Fails a run in which a test was skipped: what cannot run here carries a mark and a command of its own."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a test that was skipped, or failed as expected."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a module that was skipped as a whole."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turns success into failure."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 - pytest keeps its type to itself
        """Says why the run failed."""
        if self.skipped:
            terminalreporter.section("skipped tests fail the run", red=True)
            terminalreporter.write_line("Give each a mark of pytest.ini that leaves it out, or make it run:")
            for nodeid in self.skipped:
                terminalreporter.write_line(f"  {nodeid}")
