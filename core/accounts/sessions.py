"""Sessions in the database, as Django's own; the engine that `SESSION_ENGINE` names."""

import re

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError

from core.outages import outage_of


class SessionStore(db.SessionStore):
    """A session, found by the key of its cookie."""

    def _validate_session_key(self, key: str | None) -> bool:
        """True for a key as Django makes them. Anybody may send others, and PostgreSQL refuses a NUL with an error."""
        return re.fullmatch("[a-z0-9]{32}", key or "") is not None

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's own
        """Stores the session; Django would call an outage of the database a session that somebody deleted."""
        try:
            super().save(must_create)
        except UpdateError as lost:
            error = lost.__context__
            if error is None or outage_of(error) is None:
                raise
            raise error from None
