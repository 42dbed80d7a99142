"""Sessions in the database, as Django's own; the engine that `SESSION_ENGINE` names."""

import re

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """A session, found by the key of its cookie."""

    def _validate_session_key(self, key: str | None) -> bool:
        """True for a key as Django makes them. Anybody may send others, and PostgreSQL refuses a NUL with an error."""
        return re.fullmatch("[a-z0-9]{32}", key or "") is not None
