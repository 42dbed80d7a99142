"""`make run`: serves a demo on 127.0.0.1, also from a fresh clone.

Creates the environment, a `.env` and the database when missing.
"""

import argparse
import contextlib
import errno
import os
import re
import secrets
import socket
import subprocess
import sys
from pathlib import Path

from tools.bootstrap import ROOT, SetupError, ensure_environment, exit_status, say

HOST = "127.0.0.1"
DEBUG_IS_OFF = 3

# Loads the settings as Django does; prints the message of a wrong value without a traceback.
ASK_FOR_DEBUG = f"""
import sys
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
try:
    debug = settings.DEBUG
except ImproperlyConfigured as error:
    sys.exit(str(error))
sys.exit(0 if debug else {DEBUG_IS_OFF})
"""


def write_env_file(path: Path) -> bool:
    """Writes a `.env` for development with new secrets, readable only by its owner.

    Args:
        path: The file to write; an existing file stays unchanged.

    Returns:
        Whether the file was written.
    """
    # Only letters, digits, "-" and "_", which quoting, comments and shells leave unchanged.
    lines = (
        "# Made by `make run` for development. .env.example tells of every setting.",
        f"SECRET_KEY={secrets.token_urlsafe(50)}",
        "DEBUG=True",
        f"DEMO_PASSWORD={secrets.token_urlsafe(12)}",
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return True


def set_defaults(values: dict[str, str], env_file: Path) -> None:
    """Sets what suits a server on this machine, unless the environment or a `.env` says otherwise."""
    chosen = env_file.read_text(encoding="utf-8")
    for name, value in values.items():
        if not re.search(rf"^\s*{name}\s*=\s*\S", chosen, re.MULTILINE):
            os.environ.setdefault(name, value)


def check_port(port: int) -> None:
    """Checks that the server can bind this port.

    Raises:
        SetupError: The port is in use, or reserved for root.
    """
    another = port + 1 if port < 65535 else 8001
    taken = SetupError(f"Port {port} is already in use: choose another one, as in `make run PORT={another}`.")
    # On macOS, bind succeeds even when another process listens on all addresses, so try to connect first.
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        raise taken
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError as error:
            message = f"Port {port} is reserved for the system: choose another one, as in `make run PORT=8000`."
            raise SetupError(message) from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SetupError(f"Port {port} cannot be used: {error.strerror}.") from error
            raise taken from error


def serve(port: int) -> int:
    """Prepares the environment and the database, then replaces this process by the development server.

    Returns:
        The exit status of a failed step; the function does not return when the server starts.

    Raises:
        SetupError: A step of the set-up failed; the message says what to do.
    """
    check_port(port)
    python = str(ensure_environment())
    if write_env_file(ROOT / ".env"):
        say("Wrote .env with a fresh SECRET_KEY and DEMO_PASSWORD.")
    os.chdir(ROOT)
    os.environ["DJANGO_SETTINGS_MODULE"] = "booking_system_api.settings"
    set_defaults({"PUBLIC_URL": f"http://{HOST}:{port}", "EMAIL_CONSOLE": "line"}, ROOT / ".env")

    debug = subprocess.run([python, "-c", ASK_FOR_DEBUG], check=False).returncode
    if debug not in (0, DEBUG_IS_OFF):
        return debug
    status = subprocess.run([python, "manage.py", "migrate", "--verbosity", "0"], check=False).returncode
    if status:
        return status
    if debug == DEBUG_IS_OFF:
        say("DEBUG is off, so no demo is made, and the server answers as in production (HTTPS only).")
    else:
        status = subprocess.run([python, "manage.py", "seed_demo"], check=False).returncode
        if status:
            return status
    say(f"\nTo book     http://{HOST}:{port}/")
    say(f"The API     http://{HOST}:{port}/api/")
    say(f"To try it   http://{HOST}:{port}/api/docs/")
    say(f"The admin   http://{HOST}:{port}/admin/")
    say(f"Its health  http://{HOST}:{port}/health/\n")
    os.execv(python, [python, "manage.py", "runserver", f"{HOST}:{port}"])


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return port


def main(arguments: list[str] | None = None) -> int:
    """Serves the demo from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.run", description="Serves a demo on 127.0.0.1, also from a fresh clone."
    )
    parser.add_argument("--port", type=_port, default=8000, help="on 127.0.0.1; default: 8000")
    options = parser.parse_args(arguments)
    return exit_status(lambda: serve(options.port))


if __name__ == "__main__":
    sys.exit(main())
