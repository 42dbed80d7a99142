"""Limits how long a web process lets the database wait; commands and migrations have no limits."""

import os

from django.conf import settings


def limit_waits() -> None:
    """Gives the limits of the settings to the connections that this process opens from now on.

    An option of `DATABASE_URL` or of `PGOPTIONS` for the same limit wins.
    """
    database = settings.DATABASES["default"]
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        if settings.DB_LOCK_TIMEOUT_SECONDS is not None:
            options["timeout"] = settings.DB_LOCK_TIMEOUT_SECONDS
        return
    limits = {
        "lock_timeout": settings.DB_LOCK_TIMEOUT_SECONDS,
        "statement_timeout": settings.DB_STATEMENT_TIMEOUT_SECONDS,
        "idle_in_transaction_session_timeout": settings.DB_IDLE_TIMEOUT_SECONDS,
    }
    ours = [f"-c {name}={seconds}s" for name, seconds in limits.items() if seconds is not None]
    if ours:
        # The driver would leave out PGOPTIONS beside these.
        options["options"] = " ".join([*ours, options.get("options") or os.environ.get("PGOPTIONS", "")]).strip()
