"""What runs the jobs: a thread in each web process, or a process of its own.

`wake()` says that something was committed, `run_due()` does what is due. The WSGI module calls `serve()`; so no thread
ever runs under a command or in a test. The thread starts with the first request, which comes after the server has
forked.
"""

import atexit
import logging
import math
import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.signals import request_started
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from core.outbox.delivery import Run, Tally

logger = logging.getLogger(__name__)

THREAD_LOOKS_EVERY_SECONDS = 60
PROCESS_LOOKS_EVERY_SECONDS = 2
# Longer than one row may take, so that a stopping server finishes the row on its way.
STOP_SECONDS = 10

Job = Callable[[Run], Tally]

_jobs: list[Job] = []


def add_job(job: Job) -> None:
    """Do this at each run, after the jobs added before; adding a job twice counts once."""
    if job not in _jobs:
        _jobs.append(job)


def run_due(*, now: datetime, seconds: float = math.inf, stopping: threading.Event | None = None) -> Tally:
    """Do all that is due, and count it; begin no further row after `seconds`, or once `stopping` is set."""
    run = Run(now, seconds=seconds, stopping=stopping)
    return sum((job(run) for job in _jobs), Tally())


def watch(stopping: threading.Event, *, complain: Callable[[str], object]) -> None:
    """Do what is due until `stopping` is set; while the database is away, complain and look again."""
    while not stopping.is_set():
        try:
            run_due(now=timezone.now(), stopping=stopping)
        except (DatabaseError, InterfaceError) as error:
            complain(f"The database cannot be asked now ({type(error).__name__}).")
            connections.close_all()
        stopping.wait(PROCESS_LOOKS_EVERY_SECONDS)


class Worker(threading.Thread):
    """Does what is due: when woken, and each minute."""

    def __init__(self) -> None:
        super().__init__(name="outbox", daemon=True)
        self.pid = os.getpid()
        self.woken = threading.Event()
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            self.woken.clear()
            self.look()
            self.woken.wait(THREAD_LOOKS_EVERY_SECONDS)

    def look(self) -> None:
        """Run once; whatever fails is tried again at the next look."""
        try:
            run_due(now=timezone.now(), stopping=self.stopping)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever happens to the database
            logger.error("Messages could not be delivered now (%s).", type(error).__name__)
        finally:
            # The thread holds no connection while it waits.
            connections.close_all()

    def stop(self) -> None:
        """Finish the row on its way, and begin no other."""
        self.stopping.set()
        self.woken.set()
        self.join(STOP_SECONDS)


_thread: Worker | None = None
_lock = threading.Lock()


def serve() -> None:
    """This is, or will fork into, a web process: run the thread here if the settings say so."""
    if settings.NOTIFICATIONS == "web":
        request_started.connect(start, dispatch_uid="core.outbox.start")


def start(**kwargs: Any) -> None:  # noqa: ANN401 - the signal's own
    """Start this process's thread, unless it runs."""
    global _thread
    if _thread is not None and _thread.pid == os.getpid():
        return
    with _lock:
        if _thread is None or _thread.pid != os.getpid():
            _thread = Worker()
            atexit.register(_thread.stop)
            _thread.start()


def wake() -> None:
    """Tell this process's thread, if there is one, that something was committed."""
    if _thread is not None:
        _thread.woken.set()
