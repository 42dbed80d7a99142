"""Filters of the log."""

import logging
import re

# Paths that contain a secret: the path alone gives access to a calendar, or to the e-mail preferences of a user.
SECRET_PATH = re.compile(r"(/calendars/|/notifications/(?:unsubscribe|not-me)/)\S+")


def without_secrets(text: str) -> str:
    """The text with `***` for the secret part of each path."""
    return SECRET_PATH.sub(r"\1***", text)


class SecretsMasked(logging.Filter):
    """Masks the secret paths of every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


class TracebacksOnly(logging.Filter):
    """Passes only records with a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)
