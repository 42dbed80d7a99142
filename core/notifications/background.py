"""Delivery by the web processes themselves: one thread in each.

It is the WSGI module that lets a process be a web process; so no thread ever runs under a command or in a test. The
thread starts with the first request, which comes after the server has forked.
"""

import atexit
import logging
import os
import threading
from typing import Any

from django.conf import settings
from django.core.signals import request_started
from django.db import connections
from django.utils import timezone

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 60
# Longer than a message may take, so that a server that stops finishes the one on its way.
GOODBYE_SECONDS = 10


class Deliverer(threading.Thread):
    """Delivers what is due: when woken, and each minute."""

    def __init__(self) -> None:
        super().__init__(name="notifications", daemon=True)
        self.pid = os.getpid()
        self.woken = threading.Event()
        self.stopping = threading.Event()

    def run(self) -> None:
        """Go on until the process ends."""
        while not self.stopping.is_set():
            self.woken.clear()
            self.look()
            self.woken.wait(LOOK_EVERY_SECONDS)

    def look(self) -> None:
        """Deliver once; what goes wrong is tried again at the next look."""
        from core.notifications.delivery import deliver_due

        try:
            deliver_due(now=timezone.now(), stopping=self.stopping)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever happens to the database
            logger.error("Messages could not be delivered now (%s).", type(error).__name__)
        finally:
            # Between looks it holds no connection.
            connections.close_all()

    def stop(self) -> None:
        """Finish the message on its way, and no more."""
        self.stopping.set()
        self.woken.set()
        self.join(GOODBYE_SECONDS)


_thread: Deliverer | None = None
_lock = threading.Lock()


def serve() -> None:
    """This is, or will fork into, a web process: deliver from here where the settings say so."""
    if settings.NOTIFICATIONS == "web":
        request_started.connect(start, dispatch_uid="core.notifications.start")


def start(**kwargs: Any) -> None:  # noqa: ANN401 - the signal's own
    """Start this process's thread, unless it runs."""
    global _thread
    if _thread is not None and _thread.pid == os.getpid():
        return
    with _lock:
        if _thread is None or _thread.pid != os.getpid():
            _thread = Deliverer()
            atexit.register(_thread.stop)
            _thread.start()


def wake() -> None:
    """Something was committed that wants to be delivered."""
    if _thread is not None:
        _thread.woken.set()
