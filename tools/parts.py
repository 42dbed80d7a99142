"""`make test-all`: the tests that need programs beyond those of `make test`, or take longer, in parts.

`make test-all PARTS="browser node"` runs some of the parts. Each part passes `ARGS` to pytest. A part whose program is
missing fails; the other parts still run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.bootstrap import PYTHON, ROOT, SetupError, ensure_environment, environment_of_tests, say

MANY_MESSAGES = "10000"
MANY_MESSAGES_TEST = "test_many_messages_all_arrive"
# Debian has servers such as nginx where only root looks for programs.
SEARCHED = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"


@dataclass(frozen=True, slots=True)
class Part:
    """Tests with a requirement of their own.

    Attributes:
        about: The subject of the tests, for the heading.
        command: The arguments of the interpreter in `.venv`; arguments for pytest follow.
        programs: The programs that must be installed already.
        install: The command that installs these programs on Debian and Ubuntu.
        environment: Variables for these tests alone.
    """

    about: str
    command: tuple[str, ...]
    programs: tuple[str, ...] = ()
    install: str = ""
    environment: dict[str, str] = field(default_factory=dict)


PARTS = {
    "schema": Part("calls made up from openapi.yaml, on both databases", ("-m", "tools.test", "-m", "fuzz")),
    "processes": Part(
        "servers, workers and commands as operators start, reload and kill them, on both databases",
        ("-m", "tools.test", "-m", "processes"),
    ),
    "browser": Part("the booking page, the admin and the pages of the API in Chromium", ("-m", "tools.browser")),
    "node": Part(
        "the clients of docs/clients, with Node.js", ("-m", "pytest", "-m", "node"), ("npm",), "apt install nodejs npm"
    ),
    "generator": Part("the client that openapi-python-client makes", ("-m", "pytest", "-m", "generator")),
    "redis": Part(
        "limits counted in a Redis", ("-m", "pytest", "-m", "redis"), ("redis-server",), "apt install redis-server"
    ),
    "cluster": Part(
        "two web servers and two workers behind a PgBouncer, with a Redis",
        ("-m", "tools.postgres", "--", str(PYTHON), "-m", "pytest", "-s", "-m", "cluster"),
        ("pgbouncer", "redis-server"),
        "apt install pgbouncer redis-server",
    ),
    "deploy": Part(
        "the image without Docker, the units of systemd, and nginx in front",
        ("-m", "pytest", "-m", "deploy"),
        ("bwrap", "nginx", "systemd-analyze", "openssl"),
        "apt install bubblewrap nginx systemd openssl",
    ),
    "soak": Part(
        "ten minutes of bookings while everything is restarted or killed",
        ("-m", "tools.postgres", "--", str(PYTHON), "-m", "pytest", "-s", "-m", "soak"),
        ("redis-server",),
        "apt install redis-server",
    ),
    "messages": Part(
        f"{MANY_MESSAGES} e-mails by two workers on PostgreSQL: all arrive, none twice",
        ("-m", "tools.postgres", "--", str(PYTHON), "-m", "pytest", "-s", "-m", "processes", "-k", MANY_MESSAGES_TEST),
        environment={"MANY_MESSAGES": MANY_MESSAGES},
    ),
}


def run(name: str, arguments: Sequence[str]) -> str:
    """Runs a part.

    Args:
        name: The name of the part in `PARTS`.
        arguments: For pytest.

    Returns:
        `passed`, or `FAILED` and the reason.
    """
    part = PARTS[name]
    say(f"\n{f' {name}: {part.about} '.center(100, '#')}")
    for program in part.programs:
        if shutil.which(program, path=SEARCHED) is None:
            return f"FAILED: {program} is missing (on Debian and Ubuntu: {part.install})"
    environment = {**environment_of_tests(), **part.environment}
    command = [str(PYTHON), *part.command, *arguments]
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    return "passed" if status == 0 else f"FAILED (the command ended with {status})"


def main(arguments: list[str] | None = None) -> int:
    """Runs the parts from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.parts",
        description="Runs the tests that need programs beyond those of `make test`, or take longer, in parts.",
        allow_abbrev=False,
    )
    parser.add_argument("--parts", default="", help=f"names with spaces between, of: {' '.join(PARTS)}; default: all")
    options, for_pytest = parser.parse_known_args(arguments)
    names = options.parts.split() or list(PARTS)
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; the parts are {' '.join(PARTS)}")
    try:
        ensure_environment(for_tests=True)
        results = {}
        for name in names:
            begun = time.monotonic()
            results[name] = run(name, for_pytest), time.monotonic() - begun
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    say("")
    for name, (verdict, seconds) in results.items():
        say(f"{name + ':':12}{seconds:5.0f} s  {verdict}")
    return int(any(verdict != "passed" for verdict, _ in results.values()))


if __name__ == "__main__":
    sys.exit(main())
