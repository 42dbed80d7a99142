"""The part `browser` of `make test-all`: installs the driver and, where possible, Chromium, and runs the tests.

The driver is Playwright from the requirements; the browser is the system's own Chromium, never a download of the
driver. `CHROMIUM` names another program.
"""

import os
import shutil
import subprocess
import sys

from tools.bootstrap import ROOT, SetupError, ensure_environment, say

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHAT_TO_DO = "install Chromium (on Debian and Ubuntu: apt install chromium) or name it: make test-all CHROMIUM=PATH"


def find_chromium() -> str | None:
    """The path of the browser; None when there is none.

    Raises:
        SetupError: `CHROMIUM` names something that is no program.
    """
    named = os.environ.get("CHROMIUM")
    if not named:
        return next((path for path in map(shutil.which, PROGRAMS) if path), None)
    if shutil.which(named) is None:
        raise SetupError(f"CHROMIUM names {named}, which is no program: {WHAT_TO_DO}.")
    return shutil.which(named)


def ensure_chromium() -> str:
    """The path of the browser, which is installed first where it is missing and this is Debian's administrator.

    Raises:
        SetupError: There is none, and it cannot be installed.
    """
    found = find_chromium()
    if found is None and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        say("Installing Debian's chromium; this takes a minute or two ...")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        found = find_chromium()
    if found is None:
        raise SetupError(f"The browser tests need a browser: {WHAT_TO_DO}.")
    return found


def main() -> int:
    """Runs the browser tests; whatever is on the command line goes to pytest. Returns the exit status."""
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
