"""The configuration of the log, and its filters: no secret, and no line that somebody else wrote."""

import logging
import re
import time
from typing import Any

from booking_system_api.log_forms import JSON_FORM, JSON_LINE, TEXT_LINE

# Paths that contain a secret: the path alone gives access to a calendar, to the e-mail preferences of a user, or to an
# account. A route, such as `/calendars/<secret>.ics`, has none.
SECRET_PATH = re.compile(r"(/calendars/|/notifications/(?:unsubscribe|confirm|not-me)/|/password-reset/)(?!<)[^\s'\"]+")
# What ends a line somewhere, or steers a terminal.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# The lines of gunicorn that repeat the request line or a header, by the first words of each.
RAW_REQUEST = ("Invalid request from ip=", "Error handling request")

# The facts of a request, in their order.
REQUEST_FACTS = ("request_id", "method", "route", "status", "ms", "user", "client")
REQUEST_TEXT = "%(method)s %(route)s %(status)s %(ms)s ms user=%(user)s client=%(client)s request=%(request_id)s"


def without_secrets(text: str) -> str:
    """The text with `***` for the secret part of each path, and with an escape for what UTF-8 does not write."""
    return SECRET_PATH.sub(r"\1***", text).encode("utf-8", "backslashreplace").decode("utf-8")


def visible(text: str) -> str:
    r"""The text with each control character in its escaped form, such as `\n`."""
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def text_formatter() -> logging.Formatter:
    """The formatter of lines in text, whose times are in UTC."""
    formatter = logging.Formatter(TEXT_LINE, style="{")
    formatter.converter = time.gmtime
    return formatter


class SecretsMasked(logging.Filter):
    """Masks the secret paths of every record and of its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_secrets(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            # Both forms write this text where there is no exception to write.
            record.exc_text, record.exc_info = without_secrets(record.exc_text), None
        return True


class OneLine(logging.Filter):
    """Keeps a record in text on one line, and indents its traceback: what somebody sent never looks like a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = visible(record.getMessage()), ()
        if record.exc_text:
            lines = [visible(line) for line in record.exc_text.splitlines()]
            indent = "" if lines[0].startswith("  ") else "  "
            record.exc_text = "\n".join(f"{indent}{line}" for line in lines)
        return True


class TracebacksOnly(logging.Filter):
    """Passes only records with a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info or record.exc_text)


class RawRequestsLeftOut(logging.Filter):
    """For gunicorn's own log: leaves out what it repeats of a request, which may be a secret address or a token.

    A request that gunicorn refuses has a line of `booking_system_api.requests`, with the kind of the error.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith(RAW_REQUEST):
            record.msg, record.args = RAW_REQUEST[1], ()
            return bool(record.exc_info)
        return True


def configuration(form: str, level: str) -> dict[str, Any]:
    """What `LOGGING` is for a form, `text` or `json`, and a level."""
    if form == "text":
        line: dict[str, Any] = {"()": "booking_system_api.logs.text_formatter"}
        request = line
        filters = ["no_secrets", "one_line"]
    else:
        json: dict[str, Any] = {"()": "pythonjsonlogger.orjson.OrjsonFormatter"}
        line, request = {**json, **JSON_LINE}, {**json, **JSON_FORM, "fmt": ["levelname", *REQUEST_FACTS]}
        filters = ["no_secrets"]
    handler: dict[str, Any] = {"class": "logging.StreamHandler", "formatter": "line", "filters": filters}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line, "request": request},
        "filters": {
            "no_secrets": {"()": "booking_system_api.logs.SecretsMasked"},
            "one_line": {"()": "booking_system_api.logs.OneLine"},
            "tracebacks_only": {"()": "booking_system_api.logs.TracebacksOnly"},
        },
        "handlers": {
            "stderr": handler,
            "requests": {**handler, "formatter": "request"},
            "tracebacks": {**handler, "filters": ["tracebacks_only", *filters]},
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # Each request has a line of its own; only the traceback comes from Django.
            "django.request": {"handlers": ["tracebacks"], "level": "ERROR", "propagate": False},
            "booking_system_api.requests": {"handlers": ["requests"], "level": level, "propagate": False},
            # The lines of `runserver` have the query string.
            "django.server": {"level": "CRITICAL"},
            # Anyone may send many requests with a wrong host.
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # At DEBUG, SendGrid's client logs every message and the API key.
            "python_http_client": {"level": "WARNING"},
        },
    }
