"""A real PgBouncer in transaction mode on loopback, in front of a test's own database."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from django.db import connection

from core.tests.support.servers import free_port

START_SECONDS = 20
# Connections to PostgreSQL: fewer than the servers have threads, so that clients take turns.
POOL = 6


@contextmanager
def pgbouncer(folder: Path) -> Iterator[str]:
    """Runs it during the block; yields the `DATABASE_URL` that leads through it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    assert program, "pgbouncer is missing: apt install pgbouncer"
    settings, port = connection.settings_dict, free_port()
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    target = " ".join(f"{name}='{settings[key]}'" for name, key in names.items() if settings[key])
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"""[databases]
booking = {target}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {POOL}
max_client_conn = 200
""",
        encoding="utf-8",
    )
    command = [program, str(config)]
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(config, "nobody")
        folder.chmod(0o755)
        command[1:1] = ["--user", "nobody"]
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"postgresql://anyone@127.0.0.1:{port}/booking"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with closing(psycopg2.connect(url)):
                    break
            except psycopg2.OperationalError:
                said = (folder / "pgbouncer.log").read_text(encoding="utf-8")
                assert process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
