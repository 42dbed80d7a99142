"""The quiet moments of a web process: it answers no request, and has answered none for a short while.

A thread that computes beside a request competes for Python's lock: after each statement the request waits up to five
milliseconds for its turn.
"""

import math
import threading
import time

from django.core.signals import request_finished, request_started

# Longer than the gap between two requests of a client that sends one after the other.
QUIET_SECONDS = 0.05


class Requests:
    """The requests that this process answers now.

    A thread answers one request at a time. So a request whose end was never told ends with the next one of its thread.
    """

    def __init__(self) -> None:
        self._ended = threading.Condition()
        self._answering: set[int] = set()
        self._last_end = -math.inf

    def follow(self) -> None:
        """Receives Django's signals about requests; following twice counts once."""
        request_started.connect(self.begin, dispatch_uid="core.outbox.begin")
        request_finished.connect(self.end, dispatch_uid="core.outbox.end")

    def begin(self, **kwargs: object) -> None:
        """Counts a request of this thread; receives `request_started`."""
        with self._ended:
            self._answering.add(threading.get_ident())

    def end(self, **kwargs: object) -> None:
        """Counts the request of this thread no longer; receives `request_finished`."""
        with self._ended:
            self._answering.discard(threading.get_ident())
            self._last_end = time.monotonic()
            if not self._answering:
                self._ended.notify_all()

    @property
    def seconds_to_quiet(self) -> float:
        """0 in a quiet moment; infinite while a request is answered."""
        if self._answering:
            return math.inf
        return max(self._last_end + QUIET_SECONDS - time.monotonic(), 0)

    def wait_for_quiet(self, at_most: float) -> None:
        """Waits for a quiet moment, for `at_most` seconds."""
        deadline = time.monotonic() + at_most
        with self._ended:
            while (left := deadline - time.monotonic()) > 0 and (pause := self.seconds_to_quiet) > 0:
                self._ended.wait(min(left, pause))
