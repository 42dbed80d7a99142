"""The secrets in the URLs of calendar feeds: shown once, stored as hashes."""

import hashlib
import re
import secrets

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """Returns 256 random bits as 43 characters of URL-safe base64."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """Returns the hash to store. The secret is random, so a fast hash protects it as well as a slow one."""
    return hashlib.sha256(secret.encode()).hexdigest()
