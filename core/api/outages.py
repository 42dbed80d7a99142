"""Outages of the database as answers, and their lines in the log."""

import logging
import threading
import time

from core.api.errors import Busy, DatabaseReadOnly, DatabaseUnavailable
from core.outages import Outage, outage_of

logger = logging.getLogger(__name__)

QUIET_SECONDS = 1
ERRORS: dict[Outage, type[DatabaseUnavailable]] = {
    Outage.AWAY: DatabaseUnavailable,
    Outage.BUSY: Busy,
    Outage.READ_ONLY: DatabaseReadOnly,
}


class OutageLog:
    """Writes one line for each outage and second, however many requests meet it. Each process has its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.quiet_until: dict[Outage, float] = {}  # on the steady clock

    def tell(self, outage: Outage, error: BaseException, request_id: str) -> None:
        """Writes the line, unless the outage had one within `QUIET_SECONDS`."""
        now = time.monotonic()
        with self.lock:
            if now < self.quiet_until.get(outage, now):
                return
            self.quiet_until[outage] = now + QUIET_SECONDS
        reason = " ".join(str(error).split())
        logger.error("The database is %s: %s: %s (request=%s)", outage, type(error).__name__, reason, request_id)


log = OutageLog()


def answer_to(error: BaseException, request_id: str) -> DatabaseUnavailable | None:
    """The answer to an error of the database that is an outage, which gets its line in the log; otherwise None."""
    outage = outage_of(error)
    if outage is None:
        return None
    log.tell(outage, error, request_id)
    return ERRORS[outage]()
