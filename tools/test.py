"""`make test`: the suite on SQLite and on PostgreSQL, in parallel.

PostgreSQL has two runs, each with a database of its own: the tests that commit wait for processes and clocks, and the
others have the machine meanwhile. A further run has the tests that use no database, once. The output of SQLite's run
appears at once, the output of the others at the end. `TEST_DATABASE_URL` names a server to use instead of temporary
ones. All other arguments go to pytest.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tools.bootstrap import ROOT, SetupError, ensure_environment, environment_of_tests, say
from tools.signals import leave_on_signals

COVERAGE = ("--cov=core", "--cov=booking_system_api", "--cov-report=term-missing:skip-covered")
# From this version on, sys.monitoring measures lines at almost no cost; older versions take twice the time.
SYS_MONITORING_SINCE = (3, 12)
STOP_SECONDS = 20
# How long the suite takes; CONTRIBUTING.md says it, too.
MINUTES = 7
# The exit status of pytest for "no tests were collected".
NO_TESTS = 5


@contextlib.contextmanager
def _started(
    command: list[str], environment: dict[str, str], output: IO[str] | None
) -> Iterator[subprocess.Popen[str]]:
    """Runs a suite in its own process group, so that only this process receives Ctrl-C and passes it on once."""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=output, stderr=output, text=True, start_new_session=True
    ) as suite:
        try:
            yield suite
        finally:
            if suite.poll() is None:
                _stop(suite)


def _stop(suite: subprocess.Popen[str]) -> None:
    """Sends SIGINT to the suite, and SIGKILL after `STOP_SECONDS`."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(suite.pid, signal.SIGINT)
        try:
            suite.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(suite.pid, signal.SIGKILL)


def _environment(*, database: str | None = None) -> dict[str, str]:
    environment = environment_of_tests()
    environment.pop("TEST_DATABASE_URL", None)
    if database:
        environment["TEST_DATABASE_URL"] = database
    if sys.version_info >= SYS_MONITORING_SINCE:
        environment.setdefault("COVERAGE_CORE", "sysmon")
    return {**environment, "PYTHONUNBUFFERED": "1"}


def run_suites(python: Path, arguments: list[str], *, coverage: bool = False) -> dict[str, int]:
    """Runs pytest on both databases and without one, in parallel; each run ends by itself, even when another fails.

    Args:
        python: The interpreter of the environment.
        arguments: For pytest.
        coverage: Whether to measure coverage, on SQLite only: PostgreSQL adds a few lines, and measuring takes time.
            Then SQLite's run has the tests without a database, too.

    Returns:
        The exit status of pytest, for each run.
    """
    suite = [str(python), "-m", "pytest", *arguments]
    with_database, without = [*suite, "--database=used"], [*suite, "--database=unused"]
    # The runs on PostgreSQL go first where two cores are too few for all.
    on_sqlite = [*suite, *COVERAGE] if coverage else ["nice", "-n", "5", *with_database]
    others = {}
    for name, part in (("on PostgreSQL, with commits", "yes"), ("on PostgreSQL", "no")):
        address = own_database(os.environ.get("TEST_DATABASE_URL"), "" if part == "no" else "_commits")
        on_postgres = [] if address else [str(python), "-m", "tools.postgres", "--"]
        others[name] = [*on_postgres, *with_database, f"--commits={part}"], _environment(database=address)
    if not coverage:
        others["without a database"] = without, _environment()
    with contextlib.ExitStack() as stack:
        kept = {name: stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for name in others}
        runs = {name: stack.enter_context(_started(*run, kept[name])) for name, run in others.items()}
        say(_heading("on SQLite"))
        with _started(on_sqlite, _environment(), None) as sqlite:
            statuses = {"on SQLite": sqlite.wait()}
        for name, run in runs.items():
            if run.poll() is None:
                say(f"\nWaiting for the run {name} ...")
            statuses[name] = run.wait()
            say(f"\n{_heading(name)}")
            kept[name].seek(0)
            shutil.copyfileobj(kept[name], sys.stdout)
    return statuses


def own_database(address: str | None, suffix: str) -> str | None:
    """The address of another database on the same server: two runs cannot share one."""
    if not address:
        return None
    name, mark, query = address.partition("?")
    return f"{name}{suffix}{mark}{query}"


def verdicts_of(statuses: dict[str, int]) -> dict[str, str]:
    """The result of each run in words; a run without a test passes if another run had one."""
    nothing_ran = all(status == NO_TESTS for status in statuses.values())
    verdicts = {}
    for name, status in statuses.items():
        if status == 0:
            verdicts[name] = "passed"
        elif status == NO_TESTS and not nothing_ran:
            verdicts[name] = "no such test"
        else:
            verdicts[name] = f"FAILED (pytest ended with {status})"
    return verdicts


def _heading(name: str) -> str:
    return f" The suite {name} ".center(80, "#")


def main(arguments: list[str] | None = None) -> int:
    """Runs the suites from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.test",
        description="Runs the suite on SQLite and on PostgreSQL, in parallel.",
        allow_abbrev=False,
    )
    parser.add_argument("--coverage", action="store_true", help="measure it and print it, once")
    options, for_pytest = parser.parse_known_args(arguments)
    leave_on_signals()
    if not for_pytest:
        say(f"The suite takes about {MINUTES} minutes on a machine with two cores, after the first installation.")
    try:
        python = ensure_environment(for_tests=True)
        results = verdicts_of(run_suites(python, for_pytest, coverage=options.coverage))
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    say("")
    for name, verdict in results.items():
        say(f"{name + ':':30}{verdict}")
    return int(any(verdict.startswith("FAILED") for verdict in results.values()))


if __name__ == "__main__":
    sys.exit(main())
