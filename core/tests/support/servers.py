"""Real servers for tests, each a process of its own, on loopback."""

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from django.db import connection

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60


def database_url() -> str:
    """The address of this test's own database."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(settings['NAME']))}"
    account = f"{quote(settings['USER'], safe='')}:{quote(settings['PASSWORD'], safe='')}"
    return f"postgresql://{account}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


@contextlib.contextmanager
def server(
    *, workers: int = 1, console: IO[str] | int = subprocess.DEVNULL, log: list[str] | None = None, **environment: str
) -> Iterator[tuple[str, int]]:
    """A gunicorn as in production, on a free port of the loopback and this test's own database.

    Args:
        workers: How many processes answer.
        console: Where its standard output goes: the e-mails of `EMAIL_USE=console`.
        log: Gets the lines of its standard error as they come. In the end no traceback may be left there.
        environment: Variables beside the test's own.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0"],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "WEB_CONCURRENCY": str(workers),
            "GUNICORN_THREADS": "8",
            **environment,
        },
        stdout=console,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = [] if log is None else log
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (address := re.search(r"Listening at: (http://\S+)", "".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < deadline, "".join(said)
            time.sleep(0.05)
        found = urlsplit(address[1])
        yield str(found.hostname), int(found.port or 0)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            reader.join(10)
            assert process.stderr is not None
            process.stderr.close()
    assert "Traceback" not in "".join(said)
