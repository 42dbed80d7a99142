"""What gets into the log."""

import logging
import re

# Addresses that are secrets themselves: whoever knows one may read a calendar, or change what mails somebody gets.
SECRET_PATH = re.compile(r"(/calendars/|/notifications/(?:unsubscribe|not-me)/)\S+")


def without_secrets(text: str) -> str:
    """The text with stars in place of what is secret in the address of a page."""
    return SECRET_PATH.sub(r"\1***", text)


class SecretsMasked(logging.Filter):
    """Lets every record through, without secret addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        return True


class TracebacksOnly(logging.Filter):
    """Lets through only records that carry a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)
