"""How gunicorn serves the booking system; every value can be overridden on its command line."""

import multiprocessing
import os

# A platform that forwards requests sets PORT. Without PORT and WEB_BIND only this machine connects.
PORT = os.environ.get("PORT")
bind = os.environ.get("WEB_BIND") or (f"0.0.0.0:{PORT}" if PORT else "127.0.0.1:8000")
# gunicorn would believe the headers SCRIPT_NAME and PATH_INFO of whoever connects from this machine.
forwarder_headers = ""
# Two processes for small machines, one for each core on larger ones; WEB_CONCURRENCY is the platforms' own variable.
workers = int(os.environ.get("WEB_CONCURRENCY", max(2, min(multiprocessing.cpu_count(), 8))))
# Threads, so that a sign-in (0.3 s of password hashing) does not block the others of its process.
worker_class = "gthread"
threads = int(os.environ.get("GUNICORN_THREADS", "4"))
timeout = 60
graceful_timeout = 30
keepalive = 5
# One socket per user in the home folder would tie two servers on one machine together.
control_socket_disable = True
