"""How gunicorn serves the booking system; every value can be overridden on its command line."""

import logging
import multiprocessing
import os
import re
import runpy
import sys
import time
from pathlib import Path

from gunicorn.glogging import Logger

HERE = Path(__file__).resolve().parent


# This process imports nothing of the project: its workers would keep the old module after an upgrade and a reload.
def run(module: str) -> dict:
    """The names of a module of the project, as it is now; a module that needs nothing but the standard library."""
    return runpy.run_path(str(HERE / "booking_system_api" / f"{module}.py"))


def settings_of_file() -> dict[str, str]:
    """The lines of the settings file; the workers say what is wrong with a file that cannot be read."""
    named = os.environ.get("BOOKING_ENV_FILE")
    path = Path(named) if named else HERE / ".env"
    if not path.is_file():
        return {}
    try:
        return {line.name: line.value for line in run("settings_file")["read"](path)}
    except Exception:  # noqa: BLE001 - Django's own, and this process loads no Django
        return {}


FILE = settings_of_file()


def text(name: str) -> str:
    """A setting of the environment, else of the settings file; an empty value counts as absent."""
    return os.environ.get(name, FILE.get(name, "")).strip()


def number(name: str, default: int, minimum: int, maximum: int) -> int:
    """A whole number from the environment; an empty value counts as absent, and a wrong one stops the start."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not re.fullmatch("[0-9]{1,9}", value) or not minimum <= int(value) <= maximum:
        sys.exit(f"{name} is {value!r}, but it must be a whole number from {minimum} to {maximum}.")
    return int(value)


# A platform that forwards requests sets PORT. Without PORT and WEB_BIND only this machine connects.
PORT = number("PORT", 0, 1, 65_535)
bind = os.environ.get("WEB_BIND", "").strip() or (f"0.0.0.0:{PORT}" if PORT else "127.0.0.1:8000")
# gunicorn would believe the headers SCRIPT_NAME and PATH_INFO of whoever connects from this machine.
forwarder_headers = ""
# Two processes for small machines, one for each core on larger ones; WEB_CONCURRENCY is the platforms' own variable.
workers = number("WEB_CONCURRENCY", max(2, min(multiprocessing.cpu_count(), 8)), 1, 1000)
# Threads, so that a sign-in (0.3 s of password hashing) does not block the others of its process. A slow client of this
# worker takes none.
worker_class = "booking_system_api.web_worker.WebWorker"
threads = number("GUNICORN_THREADS", 4, 1, 1000)
timeout = 60
graceful_timeout = 30
# Seconds for which an idle connection is kept: longer than a proxy keeps it (nginx 60, Heroku's router 90). If gunicorn
# were the first to close it, the proxy could be sending a request at that moment, and would answer 502.
keepalive = number("GUNICORN_KEEPALIVE", 100, 0, 3600)
# One socket per user in the home folder would tie two servers on one machine together.
control_socket_disable = True

# --- Log --------------------------------------------------------------------------------------------------------------


def formatter() -> logging.Formatter:
    """The form of `LOG_FORMAT`, which is that of the other lines of the log; the workers refuse a wrong value."""
    if text("LOG_FORMAT").lower() == "json":
        from pythonjsonlogger.orjson import OrjsonFormatter

        return OrjsonFormatter(**run("log_forms")["JSON_LINE"])
    lines = logging.Formatter(run("log_forms")["TEXT_LINE"], style="{")
    lines.converter = time.gmtime
    return lines


def dress(log: Logger) -> None:
    """Gives gunicorn's own lines the form, and tells the version."""
    form = formatter()
    for handler in log.error_log.handlers:
        handler.setFormatter(form)
    log.info("Booking system %s", run("version")["VERSION"])


class Log(Logger):
    """gunicorn's log, whose first line tells the version."""

    def __init__(self, cfg: object) -> None:
        super().__init__(cfg)
        dress(self)


logger_class = Log


def on_reload(server: object) -> None:
    """After a reload the form and the version may be others."""
    dress(server.log)


# --- Metrics ----------------------------------------------------------------------------------------------------------


def make_folder() -> None:
    """Makes the folder in which the workers count, unless it is there."""
    if text("METRICS_TOKEN"):
        run("metrics_folder")["make"]()


# Also before a preloaded application, whose first import decides where it counts.
make_folder()


def pre_fork(server: object, worker: object) -> None:
    """Makes the folder anew after somebody emptied the memory that files are in."""
    make_folder()


def child_exit(server: object, worker: object) -> None:
    """Keeps what a worker has counted; a server without a place for that goes on."""
    try:
        run("metrics_folder")["add_up"](worker.pid)
    except OSError as error:
        server.log.warning("What process %s counted is lost: %s", worker.pid, error)


def on_exit(server: object) -> None:
    """Leaves nothing behind."""
    run("metrics_folder")["remove"]()
