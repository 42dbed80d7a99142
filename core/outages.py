"""Why the database did not do its work: it is away, it waits for somebody, or it takes no writes.

An outage passes by itself or by an operator's hand; the same call may succeed later. Whatever else the database
refuses is no outage. The states of PostgreSQL are in the appendix "PostgreSQL Error Codes" of its manual.
"""

import sqlite3
from enum import StrEnum

from django.db import Error, InterfaceError, OperationalError


class Outage(StrEnum):
    """The kinds of outages."""

    AWAY = "away"
    BUSY = "busy"
    READ_ONLY = "read-only"


OF_POSTGRESQL = {
    "55P03": Outage.BUSY,  # the wait for a lock took too long
    "57014": Outage.BUSY,  # a statement took too long
    "25P03": Outage.BUSY,  # a transaction was idle for too long
    "25P04": Outage.BUSY,  # a transaction took too long
    "40001": Outage.BUSY,  # of two transactions only one can go on
    "40P01": Outage.BUSY,  # a deadlock
    "25006": Outage.READ_ONLY,
}
OF_SQLITE = {
    sqlite3.SQLITE_BUSY: Outage.BUSY,
    sqlite3.SQLITE_LOCKED: Outage.BUSY,
    sqlite3.SQLITE_READONLY: Outage.READ_ONLY,
    sqlite3.SQLITE_ERROR: None,  # wrong SQL, such as the name of a table that no migration has made
}
# The last byte of a code of SQLite says the kind; the others say more about it.
KIND_OF_CODE = 0xFF


def outage_of(error: BaseException) -> Outage | None:
    """The outage that an error of Django's database layer tells of; None for any other error."""
    if not isinstance(error, Error):
        return None
    state = getattr(error.__cause__, "pgcode", None)
    if state in OF_POSTGRESQL:
        return OF_POSTGRESQL[state]
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None and code & KIND_OF_CODE in OF_SQLITE:
        return OF_SQLITE[code & KIND_OF_CODE]
    return Outage.AWAY if isinstance(error, OperationalError | InterfaceError) else None
