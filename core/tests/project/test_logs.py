"""What gets into the log, and what does not."""

import io
import logging

import pytest
from django.conf import settings

SECRET = "6MjwrrCdVk0123456789"


@pytest.mark.parametrize(
    ("logger", "message", "path"),
    [
        ("django.security.csrf", "Forbidden (%s): %s", f"/calendars/{SECRET}.ics"),
        ("django.request", "Internal Server Error: %s%s", f"/calendars/{SECRET}.ics"),
        ("django.server", '"GET %s HTTP/1.1" %s', f"/notifications/unsubscribe/{SECRET}/"),
        ("anything.else", "%s %s", f"/notifications/not-me/{SECRET}/"),
    ],
)
def test_no_handler_writes_a_secret_address(logger: str, message: str, path: str) -> None:
    record = logging.LogRecord(logger, logging.ERROR, __file__, 1, message, (path, ""), (None, None, None))
    for name in settings.LOGGING["handlers"]:
        handler = handler_named(name)
        written = io.StringIO()
        stream, handler.stream = handler.stream, written
        handler.handle(record)
        handler.stream = stream
        assert "***" in written.getvalue()
        assert SECRET not in written.getvalue()


def handler_named(name: str) -> logging.StreamHandler:
    """A handler of the settings, as they configured it."""
    owners = [logging.getLogger()] + [logging.getLogger(owner) for owner in settings.LOGGING["loggers"]]
    return next(handler for owner in owners for handler in owner.handlers if handler.name == name)
