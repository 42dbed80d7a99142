"""The connection to PostgreSQL."""

import select
import time

from django.db.backends.postgresql import base

# A connection that was used so recently is not asked.
FRESH_SECONDS = 10


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose health check is a look at its socket instead of `SELECT 1`.

    A server that ends a connection says so, unasked: the socket then has something to read. A server or a network that
    went away in silence says nothing, so a connection that was idle for longer is asked as usual.
    """

    used_at = 0.0

    def is_usable(self) -> bool:
        now = time.monotonic()
        is_fresh, self.used_at = now - self.used_at < FRESH_SECONDS, now
        if is_fresh and self.connection is not None and not self.errors_occurred:
            return is_silent(self.connection.fileno()) or super().is_usable()
        return super().is_usable()


def is_silent(socket: int) -> bool:
    """True if nothing is to be read from an open socket, which is a file descriptor."""
    look = select.poll()
    look.register(socket, select.POLLIN)
    return not look.poll(0)
