"""How gunicorn serves the booking system; every value can be overridden on its command line."""

import multiprocessing
import os
import re
import sys


# Not by booking_system_api.environment: this process would keep that module, and a reload would not read `.env` again.
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
