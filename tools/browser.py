"""The part `browser` of `make test-all`: installs Playwright and, as root on Debian, Chromium, then runs the tests.

Playwright drives the system's own Chromium, never a browser that Playwright downloads. `CHROMIUM` names another
program.
"""

import os
import shutil
import subprocess
import sys

from tools.bootstrap import ROOT, SetupError, ensure_environment, say

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHAT_TO_DO = "install Chromium (on Debian and Ubuntu: apt install chromium) or name it: make test-all CHROMIUM=PATH"


def find_chromium() -> str | None:
    """The path of the browser; None when no browser is installed.

    Raises:
        SetupError: `CHROMIUM` does not name a program.
    """
    program = os.environ.get("CHROMIUM")
    if not program:
        return next((path for path in map(shutil.which, PROGRAMS) if path), None)
    if shutil.which(program) is None:
        raise SetupError(f"CHROMIUM names {program}, which is no program: {WHAT_TO_DO}.")
    return shutil.which(program)


def ensure_chromium() -> str:
    """The path of the browser; installs Debian's chromium when the browser is missing and this process is root.

    Raises:
        SetupError: No browser is installed, and the installation failed or is not possible.
    """
    path = find_chromium()
    if path is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Debian's chromium; this takes a minute or two ...")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        path = find_chromium()
    if path is None:
        raise SetupError(f"The browser tests need a browser: {WHAT_TO_DO}.")
    return path


def main() -> int:
    """Runs the browser tests with the command line's arguments for pytest; returns the exit status."""
    try:
        python = ensure_environment(for_browser=True)
        environment = {**os.environ, "CHROMIUM": ensure_chromium()}
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    command = [str(python), "-m", "pytest", "-m", "browser", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
