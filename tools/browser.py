"""The part `browser` of `make test-all`: installs Playwright, axe-core and Chromium, then runs the tests.

Chromium is installed as root on Debian only. Playwright drives the system's own Chromium, never a browser that
Playwright downloads. `CHROMIUM` names another program. Several browsers work side by side, since pages wait for most of
the time; `ARGS="-n 0"` takes one, as `--pdb` and `-s` need it.
"""

import json
import os
import shutil
import subprocess
import sys

from tools.bootstrap import ROOT, SetupError, ensure_environment, say

AXE_VERSION = "4.14.1"
AXE_FOLDER = ROOT / ".venv" / "axe"
# Debian's Chromium without windows takes half the time of the other for the same pages.
PACKAGES = ("chromium-headless-shell", "chromium")
PROGRAMS = (*PACKAGES, "chromium-browser", "google-chrome", "google-chrome-stable")
# A browser more than there are cores; the memory of a laptop is enough for this many.
MOST_BROWSERS = 6
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
        installs = (["install", "--yes", "--no-install-recommends", package] for package in PACKAGES)
        for arguments in (["update"], *installs):
            command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
            path = find_chromium()
            if path:
                break
    if path is None:
        raise SetupError(f"The browser tests need a browser: {WHAT_TO_DO}.")
    return path


def ensure_axe() -> str:
    """The path of the script of axe-core, which checks pages for accessibility; installs it with npm.

    Raises:
        SetupError: npm is missing, or the installation failed.
    """
    script = AXE_FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    package = script.with_name("package.json")
    if not package.exists() or json.loads(package.read_text())["version"] != AXE_VERSION:
        say(f"Installing axe-core {AXE_VERSION} ...")
        AXE_FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(AXE_FOLDER), "--no-save", "--no-audit", "--no-fund", "--silent"]
        try:
            subprocess.run([*command, f"axe-core@{AXE_VERSION}"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SetupError(
                "axe-core cannot be installed by npm (on Debian and Ubuntu: apt install nodejs npm)."
            ) from error
    return str(script)


def main() -> int:
    """Runs the browser tests with the command line's arguments for pytest; returns the exit status."""
    try:
        python = ensure_environment(for_browser=True)
        environment = {**os.environ, "CHROMIUM": ensure_chromium(), "AXE": ensure_axe()}
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    browsers = min((os.cpu_count() or 1) + 1, MOST_BROWSERS)
    side_by_side = ["-n", str(browsers), "--dist", "loadfile"]
    command = [str(python), "-m", "pytest", "-m", "browser", *side_by_side, *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
