"""`make mutants`: removes one guard or rule after another, and reports those whose removal no test notices.

Each mutant replaces one text in a copy of the project; then its tests must fail. A text that does not occur exactly
once ends the run: update tools/mutations.py. `make mutants ARGS="-k lock"` selects mutants by their names.
"""

import argparse
import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tools.bootstrap import PYTHON, ROOT, say
from tools.mutations import MUTANTS, POSTGRES, Mutant
from tools.postgres import PostgresError, throwaway_postgres
from tools.signals import leave_on_signals

RUN_SECONDS = 600

NOT_COPIED = (".git", ".venv", ".env", "__pycache__", ".*_cache", ".coverage*", "htmlcov", "*.sqlite3", "*.sqlite3-*")


class MutantError(Exception):
    """The run has no valid result; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a mutant; `by` is the first failed test, or another explanation."""

    mutant: Mutant
    caught: bool
    by: str
    seconds: float


class Workshop:
    """Copies of the project, one for each worker, in which pytest runs."""

    def __init__(self, folder: Path, copies: int, database: str) -> None:
        self.database = database
        self.free: queue.Queue[tuple[int, Path]] = queue.Queue()
        self.running: set[subprocess.Popen[str]] = set()
        self.lock = threading.Lock()
        for number in range(copies):
            copy = folder / str(number) / "project"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
            self.free.put((number, copy))

    @contextlib.contextmanager
    def copy(self) -> Iterator[tuple[int, Path]]:
        """Lends a copy for one run; the borrower must restore its files."""
        borrowed = self.free.get()
        try:
            yield borrowed
        finally:
            self.free.put(borrowed)

    def pytest(self, number: int, copy: Path, database: str, tests: Iterable[str]) -> tuple[int | None, str]:
        """Runs these tests up to the first failure; returns the exit status (None after a timeout) and the output."""
        command = [str(PYTHON), "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
        # Python would reuse a compiled file when two mutations have the same length and second.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "500"}
        environment.pop("TEST_DATABASE_URL", None)
        if database == POSTGRES:
            environment["TEST_DATABASE_URL"] = f"{self.database}_{number}"
        with subprocess.Popen(
            [*command, *files(copy, tests)],
            cwd=copy,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as run:
            with self.lock:
                self.running.add(run)
            try:
                output, _ = run.communicate(timeout=RUN_SECONDS)
            except subprocess.TimeoutExpired:
                run.kill()
                return None, run.communicate()[0]
            finally:
                with self.lock:
                    self.running.discard(run)
            return run.returncode, output

    def stop(self) -> None:
        with self.lock:
            for run in self.running:
                run.terminate()

    def test(self, mutant: Mutant) -> Verdict:
        begun = time.monotonic()
        with self.copy() as (number, copy):
            path = copy / mutant.path
            original = path.read_text(encoding="utf-8")
            path.write_text(apply_mutant(mutant, original), encoding="utf-8")
            try:
                status, output = self.pytest(number, copy, mutant.database, mutant.tests)
            finally:
                path.write_text(original, encoding="utf-8")
        caught, by = verdict_of(status, output)
        return Verdict(mutant, caught, by, time.monotonic() - begun)


def files(copy: Path, patterns: Iterable[str]) -> list[str]:
    """The test files in the order of the patterns, without duplicates.

    Raises:
        MutantError: When a pattern matches no file.
    """
    matches: dict[str, None] = {}
    for pattern in patterns:
        names = sorted(path.relative_to(copy).as_posix() for path in copy.glob(pattern))
        if not names:
            raise MutantError(f"No file is called {pattern}: tools/mutations.py must name the tests as they are.")
        matches.update(dict.fromkeys(names))
    return list(matches)


def apply_mutant(mutant: Mutant, text: str) -> str:
    """The text with the mutant's replacement.

    Raises:
        MutantError: When the text to replace does not occur exactly once.
    """
    count = text.count(mutant.old)
    if count != 1:
        raise MutantError(
            f"{mutant.name}: this is {count} times in {mutant.path}, but must be there once:\n\n{mutant.old}\n\n"
            "Let tools/mutations.py follow the code."
        )
    return text.replace(mutant.old, mutant.new)


def verdict_of(status: int | None, output: str) -> tuple[bool, str]:
    """Whether a test caught the mutant, and the name of that test or another explanation.

    A failed test catches a mutant, and so does a failed assertion in a fixture. A mutant that breaks an import or a
    migration proves nothing.
    """
    if status is None:
        return True, f"(no end within {RUN_SECONDS} seconds)"
    if status == 0:
        return False, "MISSED"
    match = re.search(r"^(FAILED|ERROR) (\S+?::.+?)(?: - (.*))?$", output, re.MULTILINE)
    if match and (match[1] == "FAILED" or (match[3] or "").lower().startswith(("assert", "failed"))):
        return True, match[2].removeprefix("core/tests/")
    return False, f"BROKEN: pytest ended with {status}: {(match[0] if match else output)[-300:].strip()}"


def require_passing_tests(workshop: Workshop, mutants: list[Mutant]) -> None:
    """Runs the tests without a mutant; a test that fails anyway would seem to catch every mutant.

    Raises:
        MutantError: When a test fails.
    """
    for database in sorted({mutant.database for mutant in mutants}):
        tests = dict.fromkeys(test for mutant in mutants if mutant.database == database for test in mutant.tests)
        say(f"The tests with nothing taken out, on {database} ...")
        with workshop.copy() as (number, copy):
            status, output = workshop.pytest(number, copy, database, tests)
        if status != 0:
            lines = [line for line in output.splitlines() if line and not set(line[:9]) <= set(".FE=!")]
            raise MutantError("\n".join([*lines, "The tests must pass before anything is taken out."]))


def run(mutants: list[Mutant], jobs: int) -> list[Verdict]:
    """Tests every mutant, several in parallel; prints each verdict as soon as the tests end."""
    needs_postgres = any(mutant.database == POSTGRES for mutant in mutants)
    server = throwaway_postgres() if needs_postgres else contextlib.nullcontext("")
    verdicts: dict[str, Verdict] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, server as database:
        workshop = Workshop(Path(folder), jobs, database)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                require_passing_tests(workshop, mutants)
                for future in as_completed([pool.submit(workshop.test, mutant) for mutant in mutants]):
                    verdict = future.result()
                    verdicts[verdict.mutant.name] = verdict
                    word = "caught" if verdict.caught else verdict.by.split(":")[0]
                    say(f"[{len(verdicts):3}/{len(mutants)}] {word:7}{verdict.seconds:6.1f} s  {verdict.mutant.name}")
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                workshop.stop()
    return [verdicts[mutant.name] for mutant in mutants]


def table(verdicts: list[Verdict]) -> str:
    """A line for each mutant: its name, the database, and the test that caught the mutant."""
    rows = [("Taken out", "Database", "Caught by")]
    rows += [(verdict.mutant.name, verdict.mutant.database, verdict.by) for verdict in verdicts]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows)


def main(arguments: list[str] | None = None) -> int:
    """Runs the mutants from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants", description="Removes one guard or rule after another."
    )
    parser.add_argument("-k", dest="words", default="", help="only those whose name holds this")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many at a time")
    options = parser.parse_args(arguments)
    leave_on_signals()
    chosen = [mutant for mutant in MUTANTS if options.words in mutant.name]
    try:
        if not chosen:
            raise MutantError(f"No mutant's name holds {options.words!r}.")
        if len({mutant.name for mutant in MUTANTS}) < len(MUTANTS):
            raise MutantError("Two mutants have one name.")
        for mutant in MUTANTS:
            apply_mutant(mutant, (ROOT / mutant.path).read_text(encoding="utf-8"))
        verdicts = run(chosen, max(1, options.jobs))
    except (MutantError, PostgresError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    missed = [verdict for verdict in verdicts if not verdict.caught]
    say(f"\n{table(verdicts)}\n")
    say(f"{len(verdicts) - len(missed)} of {len(verdicts)} caught, {len(missed)} missed.")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
