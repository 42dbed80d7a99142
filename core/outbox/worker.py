"""Runs the jobs of the outbox: in a thread of each web process, or in a process of its own.

`run_due()` runs all jobs once. `wake()` starts the next run of the web process's thread, which works in quiet moments.
Only the WSGI and ASGI modules call `run_in_web_process()`, so no thread runs under another command or in a test. The
thread of a web process starts with the first request, which comes after the server has forked.
"""

import atexit
import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings
from django.core.signals import request_started
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from django.dispatch import Signal
from django.utils import timezone

from core.outbox.delivery import Begun, Failures, Run, Tally, is_down
from core.outbox.quiet import Requests

logger = logging.getLogger(__name__)

THREAD_POLL_SECONDS = 60
PROCESS_POLL_SECONDS = 2
# The pause before the next probe of a provider that is down; new rows do not shorten the pause.
PROBE_SECONDS = 2
# Longer than most calls last, so that a stopping process marks the rows of its calls. The row of a slower call keeps
# its claim, and is tried again once the claim has ended.
STOP_SECONDS = 10

# Sent once by a process that does nothing but run the jobs, when it starts.
process_started = Signal()

Job = Callable[[Run], Tally]

# The jobs in their order, and the shortest time from one beginning to the next in the same worker, in seconds.
_feeders: dict[Job, float] = {}
_jobs: dict[Job, float] = {}


def add_feeder(feeder: Job, *, every: float = 0) -> None:
    """Adds a job that writes rows for the others: it runs before them, and again while they take long.

    Args:
        feeder: The job; adding it twice counts once.
        every: The shortest time from one beginning to the next in the same worker, in seconds.
    """
    _feeders.setdefault(feeder, every)


def add_job(job: Job, *, every: float = 0) -> None:
    """Adds a job to each run, after the jobs that were added before; see `add_feeder`."""
    _jobs.setdefault(job, every)


def run_due(
    *,
    now: datetime,
    stopping: threading.Event | None = None,
    failures: Failures | None = None,
    begun: Begun | None = None,
    requests: Requests | None = None,
) -> Tally:
    """Runs all jobs once and adds up their tallies.

    Args:
        now: The present moment.
        stopping: No call begins once this is set.
        failures: The number of failed calls in a row, from the run before; the run updates the numbers.
        begun: When each job began last, from the run before; the run updates the moments.
        requests: The requests of this process, whose quiet moments the run waits for; None for no wait.
    """
    run = Run(now, stopping=stopping, failures=failures, begun=begun, feed=feed, requests=requests)
    run.wait_for_quiet()
    return feed(run) + run_jobs(_jobs, run)


def feed(run: Run) -> Tally:
    """Runs the feeders."""
    return run_jobs(_feeders, run)


def run_jobs(jobs: Mapping[Job, float], run: Run) -> Tally:
    """Runs the jobs whose pause is over and adds up their tallies; a failed job is logged."""
    tally = Tally()
    for job, every in jobs.items():
        if not run.may_begin(job, every=every):
            continue
        try:
            tally += job(run)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            logger.exception("%s failed; the other jobs go on.", job.__name__)
    return tally


class Worker(threading.Thread):
    """Runs all jobs when woken, and every `poll_seconds`.

    A daemon thread: `stop()` waits for the thread at most `STOP_SECONDS`, even if the database does not answer.

    Attributes:
        requests: The requests of a web process; None in a process of its own.
    """

    def __init__(self, poll_seconds: float, *, requests: Requests | None = None) -> None:
        super().__init__(name="outbox", daemon=True)
        self.poll_seconds, self.requests = poll_seconds, requests
        self.pid = os.getpid()
        self.woken = threading.Event()
        self.stopping = threading.Event()
        self.failures = Failures()
        self.begun: Begun = {}

    def run(self) -> None:
        while not self.stopping.is_set():
            self.woken.clear()
            self.run_once()
            if any(is_down(number) for number in self.failures.values()):
                self.stopping.wait(PROBE_SECONDS)
            else:
                self.woken.wait(self.poll_seconds)

    def run_once(self) -> None:
        """Runs all jobs once; a failed job runs again the next time."""
        try:
            run_due(
                now=timezone.now(),
                stopping=self.stopping,
                failures=self.failures,
                begun=self.begun,
                requests=self.requests,
            )
        except Exception as error:  # noqa: BLE001 - the thread must survive every error of the database
            logger.error("Messages could not be delivered now (%s).", type(error).__name__)
        finally:
            if self.poll_seconds < THREAD_POLL_SECONDS:
                close_old_connections()
            else:
                # A web process holds no connection while its thread waits for long.
                connections.close_all()

    def stop(self) -> None:
        """Lets the calls on their way end, and begins no other; waits at most `STOP_SECONDS`."""
        self.stopping.set()
        self.woken.set()
        self.join(STOP_SECONDS)


_thread: Worker | None = None
_requests = Requests()
_lock = threading.Lock()


def run_in_web_process() -> None:
    """Starts the thread with the first request of this process or its forks, if `NOTIFICATIONS` is `web`."""
    if settings.NOTIFICATIONS == "web":
        _requests.follow()
        request_started.connect(start_thread, dispatch_uid="core.outbox.start")


def start_thread(**kwargs: object) -> None:
    """Starts the thread of this process, unless it runs already; receives `request_started`."""
    global _thread
    if _thread is not None and _thread.pid == os.getpid():
        return
    with _lock:
        if _thread is None or _thread.pid != os.getpid():
            _thread = Worker(THREAD_POLL_SECONDS, requests=_requests)
            atexit.register(_thread.stop)
            _thread.start()


def wake() -> None:
    """Makes the thread of this process run now, if there is one; to be called after a commit."""
    if _thread is not None:
        _thread.woken.set()
