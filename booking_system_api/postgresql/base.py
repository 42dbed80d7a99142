"""The connection to PostgreSQL."""

import select
import time
from typing import Any

import psycopg2.extensions
from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from booking_system_api.postgresql.locks import held_rows

# A connection that was used so recently is not asked.
FRESH_SECONDS = 10


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that waits for no row that is known to be locked for long; see `HeldRows`.

    Its health check is a look at its socket instead of `SELECT 1`.

    A server that ends a connection says so, unasked: the socket then has something to read. A server or a network that
    went away in silence says nothing, so a connection that was idle for longer is asked as usual.
    """

    used_at = 0.0

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **more)
        self.execute_wrappers.append(held_rows)

    def is_usable(self) -> bool:
        now = time.monotonic()
        is_fresh, self.used_at = now - self.used_at < FRESH_SECONDS, now
        if is_fresh and not self.errors_occurred and self.connection is not None and is_at_rest(self.connection):
            return True
        return super().is_usable()


def is_at_rest(connection: psycopg2.extensions.connection) -> bool:
    """True if the connection is in no transaction, and the server has sent nothing that was not asked for."""
    if connection.info.transaction_status != TRANSACTION_STATUS_IDLE:
        return False
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN)
    return not look.poll(0)
