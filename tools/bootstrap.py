"""Makes the virtual environment `.venv` when missing, and repairs a broken or outdated one.

Uses only the standard library, because nothing is installed yet.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed.json"

# The versions of production, everywhere: the tests are about what will run.
LOCK = ROOT / "requirements.lock"
RUN_REQUIREMENTS = (LOCK.name,)
TEST_REQUIREMENTS = (LOCK.name, "requirements-dev.txt")
BROWSER_REQUIREMENTS = (LOCK.name, "requirements-dev.txt", "requirements-browser.txt")

# A script for the environment's own interpreter; prints the version, and fails without pip.
PROBE = "import pip, sys; print(*sys.version_info[:2], sep='.')"


class SetupError(Exception):
    """A step of the set-up failed; the message says what to do."""


def say(sentence: str) -> None:
    """Prints one line and flushes it, so that the output of other processes follows the line."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def ensure_environment(*, for_tests: bool = False, for_browser: bool = False) -> Path:
    """Makes `.venv` ready to run the server or the tests; does nothing when `.venv` is up to date.

    Args:
        for_tests: Also install the packages of the tests and the linters.
        for_browser: Also install the packages of the browser tests.

    Returns:
        The path of the environment's interpreter.

    Raises:
        SetupError: The environment cannot be made or filled.
    """
    requirements = BROWSER_REQUIREMENTS if for_browser else TEST_REQUIREMENTS if for_tests else RUN_REQUIREMENTS
    with _exclusive():
        if not _is_installed(requirements):
            try:
                _install(requirements)
            except OSError as error:
                raise SetupError(f"{VENV} cannot be written ({error}); remove it and try again.") from error
    return PYTHON


def environment_of_tests() -> dict[str, str]:
    """The environment of a run of the tests, in which Python keeps what it compiles.

    The tests start hundreds of interpreters. Under `PYTHONDONTWRITEBYTECODE` each of them would compile the whole
    project anew, which takes longer than the rest of its start.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Locks the project folder, so that two processes never install into `.venv` together."""
    try:
        import fcntl  # missing on Windows
    except ImportError:
        yield
        return
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # the file system has no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _expected_stamp(requirements: tuple[str, ...]) -> dict[str, str]:
    """The stamp of an environment with these requirement files, this folder and this interpreter."""
    digests = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in requirements}
    return {"folder": str(VENV), "python": _version(), **digests}


def _version() -> str:
    return "{}.{}".format(*sys.version_info[:2])


def _stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _is_installed(requirements: tuple[str, ...]) -> bool:
    return os.access(PYTHON, os.X_OK) and _expected_stamp(requirements).items() <= _stamp().items()


def _install(requirements: tuple[str, ...]) -> None:
    reason = _reason_to_make()
    if reason:
        _make(reason)
    STAMP.unlink(missing_ok=True)
    say(f"Installing the packages of {requirements[-1]} into .venv; the first time takes a minute or two ...")
    _run_pip("--require-hashes", "-r", LOCK.name)
    if requirements[-1] != LOCK.name:
        _run_pip("-r", requirements[-1])  # keeps the versions of the lock; the list includes the lists before it
    STAMP.write_text(json.dumps(_expected_stamp(requirements), indent=2), encoding="utf-8")


def _run_pip(*arguments: str) -> None:
    command = [PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check", *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise SetupError(f"pip could not install {arguments[-1]}: read its message above, then try again.")


def _reason_to_make() -> str | None:
    """The reason to make a new `.venv`, as the end of a sentence; None when the present one works."""
    if not VENV.exists():
        return "there is none yet"
    try:
        probe = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, text=True, check=False)
    except OSError:
        return "the one there does not start"
    if probe.returncode:
        return "the one there is incomplete"
    if probe.stdout.strip() != _version():
        return f"the one there is of Python {probe.stdout.strip()}"
    if _stamp().get("folder", str(VENV)) != str(VENV):
        return "the one there was made in another folder"
    return None


def _make(reason: str) -> None:
    if VENV.is_symlink():  # venv --clear would empty the target of the link
        raise SetupError(f"{VENV} is a link to {VENV.readlink()}, but {reason}: remove the link and try again.")
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        raise SetupError(
            f"{sys.executable} lacks the modules venv and ensurepip: "
            "install them (on Debian and Ubuntu: apt install python3-venv) and try again."
        )
    say(f"Making the virtual environment .venv with Python {_version()}: {reason} ...")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        last_line = (made.stdout.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"{sys.executable} -m venv could not make {VENV} ({last_line}); remove it and try again.")


def exit_status(work: Callable[[], object]) -> int:
    """Works, and returns the exit status: the result, if that is a number.

    A step of the set-up that failed is told on stderr; Ctrl-C ends without a word.
    """
    try:
        result = work()
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return result if isinstance(result, int) else 0


def main(arguments: list[str] | None = None) -> int:
    """Makes the environment from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bootstrap", description="Makes the virtual environment .venv, or mends it."
    )
    parser.add_argument("--for-tests", action="store_true", help="install what tests and linters need, too")
    options = parser.parse_args(arguments)
    return exit_status(lambda: ensure_environment(for_tests=options.for_tests))


if __name__ == "__main__":
    sys.exit(main())
