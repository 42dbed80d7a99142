"""The secrets in the addresses of calendars: shown once, stored hashed."""

import hashlib
import re
import secrets

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """256 random bits, in the letters of an address."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored. The secret is random, so a plain hash keeps it as well as a slow one would."""
    return hashlib.sha256(secret.encode()).hexdigest()
