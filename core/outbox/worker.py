"""Runs the jobs of the outbox: in a thread of each web process, or in a process of its own.

`run_due()` runs all jobs once. `wake()` starts the next run of the thread at once. Only the WSGI and ASGI modules call
`run_in_web_process()`, so no thread runs under a command or in a test. The thread starts with the first request, which
comes after the server has forked.
"""

import atexit
import logging
import math
import os
import threading
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.signals import request_started
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from core.outbox.delivery import Run, Tally

logger = logging.getLogger(__name__)

THREAD_POLL_SECONDS = 60
PROCESS_POLL_SECONDS = 2
# Longer than one row may take, so that a stopping server finishes its current row.
STOP_SECONDS = 10

Job = Callable[[Run], Tally]

_jobs: list[Job] = []


def add_job(job: Job) -> None:
    """Adds a job to each run, after the jobs that were added before; adding a job twice counts once."""
    if job not in _jobs:
        _jobs.append(job)


def run_due(*, now: datetime, seconds: float = math.inf, stopping: threading.Event | None = None) -> Tally:
    """Runs all jobs once and adds up their tallies; no row begins after `seconds` or once `stopping` is set."""
    run = Run(now, seconds=seconds, stopping=stopping)
    tally = Tally()
    for job in _jobs:
        try:
            tally += job(run)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            logger.exception("%s failed; the other jobs go on.", job.__name__)
    return tally


def watch(stopping: threading.Event, *, report: Callable[[str], object]) -> None:
    """Runs all jobs every `PROCESS_POLL_SECONDS` until `stopping` is set; reports database errors and continues."""
    while not stopping.is_set():
        try:
            run_due(now=timezone.now(), stopping=stopping)
        except (DatabaseError, InterfaceError) as error:
            report(f"The database is not available now ({type(error).__name__}).")
            connections.close_all()
        stopping.wait(PROCESS_POLL_SECONDS)


class Worker(threading.Thread):
    """The thread of a web process: runs all jobs when woken, and every `THREAD_POLL_SECONDS`."""

    def __init__(self) -> None:
        super().__init__(name="outbox", daemon=True)
        self.pid = os.getpid()
        self.woken = threading.Event()
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.woken.clear()
            self.run_once()
            self.woken.wait(THREAD_POLL_SECONDS)

    def run_once(self) -> None:
        """Runs all jobs once; a failed job runs again the next time."""
        try:
            run_due(now=timezone.now(), stopping=self.stopping)
        except Exception as error:  # noqa: BLE001 - the thread must survive every error of the database
            logger.error("Messages could not be delivered now (%s).", type(error).__name__)
        finally:
            # The thread holds no connection while it waits.
            connections.close_all()

    def stop(self) -> None:
        """Finishes the current row and begins no other."""
        self.stopping.set()
        self.woken.set()
        self.join(STOP_SECONDS)


_thread: Worker | None = None
_lock = threading.Lock()


def run_in_web_process() -> None:
    """Starts the thread with the first request of this process or its forks, if `NOTIFICATIONS` is `web`."""
    if settings.NOTIFICATIONS == "web":
        request_started.connect(start_thread, dispatch_uid="core.outbox.start")


def start_thread(**kwargs: object) -> None:
    """Starts the thread of this process, unless it runs already; receives `request_started`."""
    global _thread
    if _thread is not None and _thread.pid == os.getpid():
        return
    with _lock:
        if _thread is None or _thread.pid != os.getpid():
            _thread = Worker()
            atexit.register(_thread.stop)
            _thread.start()


def wake() -> None:
    """Makes the thread of this process run now, if there is one; to be called after a commit."""
    if _thread is not None:
        _thread.woken.set()
