"""Rows that somebody holds locked for long: one wait tells that, and the calls after it do not wait for the same row.

A call that waits for a lock keeps a thread of its process. Without this, many calls on one locked row would keep all of
them, one wait after the other, and calls about other rows would stand in line behind.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from psycopg2.errorcodes import LOCK_NOT_AVAILABLE

# What `select_for_update` writes: a statement that locks rows, waits for them, and does nothing else.
LOCKING = re.compile(r' FOR (NO KEY )?UPDATE( OF "\w+"(, "\w+")*)?\Z')
# After a wait in vain nobody waits for so long; then one call at a time does. Longer than the `Retry-After` of a 503:
# clients that come back keep no threads.
REST_SECONDS = 10
# After so many seconds without a wait in vain, all is as before.
FORGET_SECONDS = 2 * REST_SECONDS

Key = tuple[str, str]


class HeldRows:
    """What this process knows of rows that are locked for long; a wrapper of Django's for statements.

    A statement that locks rows, and whose wait ended by `lock_timeout`, asks with NOWAIT the next time and so fails at
    once. When it gets its rows, that ends. A wait that ends well is never counted, however many rivals wait.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # When the next call may wait, on the steady clock, by statement and parameters.
        self.waits_from: dict[Key, float] = {}

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, *more: Any) -> Any:  # noqa: ANN401 - Django's own
        """Executes a statement."""
        may_wait = not self.waits_from or self.may_wait((sql, str(params)))
        try:
            found = execute(sql if may_wait else f"{sql} NOWAIT", params, *more)
        except OperationalError as error:
            if may_wait and getattr(error.__cause__, "pgcode", None) == LOCK_NOT_AVAILABLE and LOCKING.search(sql):
                self.remember((sql, str(params)))
            raise
        if self.waits_from:
            self.waits_from.pop((sql, str(params)), None)
        return found

    def may_wait(self, key: Key) -> bool:
        """True unless the rows of the statement are locked for long; then for one call in `REST_SECONDS`."""
        now = time.monotonic()
        with self.lock:
            waits_from = self.waits_from.get(key)
            if waits_from is None:
                return True
            if now < waits_from:
                return False
            if now < waits_from + FORGET_SECONDS - REST_SECONDS:
                self.waits_from[key] = now + REST_SECONDS
            else:
                del self.waits_from[key]
            return True

    def remember(self, key: Key) -> None:
        """Remembers a wait that was in vain, and forgets those of long ago."""
        now = time.monotonic()
        with self.lock:
            known = self.waits_from.items()
            self.waits_from = {each: at for each, at in known if now < at + FORGET_SECONDS - REST_SECONDS}
            self.waits_from[key] = now + REST_SECONDS

    def clear(self) -> None:
        """Forgets everything."""
        self.waits_from.clear()


held_rows = HeldRows()
