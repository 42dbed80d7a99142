"""Reads settings from the environment, else from `.env` in the project root, else from their defaults.

Every reader raises `ImproperlyConfigured` for a wrong value, with the variable's name and an acceptable value. So a
wrong value fails at start-up. An empty value counts as absent.
"""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from decouple import Config
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from booking_system_api.settings_file import Line, read, unread
from core.addresses import ascii_domain, require_visible
from core.zones import zone_names

BASE_DIR = Path(__file__).resolve().parent.parent

RATE_PATTERN = re.compile(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)")
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
NAME = rf"{LABEL}(\.{LABEL})*"
HOST_PATTERN = re.compile(rf"\*|\.?{NAME}|\[[0-9A-Fa-f:.]+\]")
TRUE_WORDS = {"true", "1", "yes", "y", "on", "t"}
FALSE_WORDS = {"false", "0", "no", "n", "off", "f"}


def settings_file() -> Path:
    """The settings file: `.env`, or the file that `BOOKING_ENV_FILE` names."""
    return Path(os.environ.get("BOOKING_ENV_FILE") or BASE_DIR / ".env")


def _read_lines() -> list[Line]:
    named = bool(os.environ.get("BOOKING_ENV_FILE"))
    return read(settings_file()) if named or settings_file().exists() else []


file_lines = _read_lines()
config = Config({line.name: line.value for line in file_lines if line.name})
# The names of the settings: each that a reader was asked for.
setting_names: set[str] = set()
# What gunicorn.conf.py and this module take from the environment only.
ENVIRONMENT_ONLY = {"BOOKING_ENV_FILE", "PORT", "WEB_BIND", "WEB_CONCURRENCY", "GUNICORN_THREADS", "GUNICORN_KEEPALIVE"}


def unread_lines() -> list[str]:
    """A sentence for each line of the settings file that sets nothing; call this after all settings are read."""
    not_from_files = {name for name in ENVIRONMENT_ONLY if name not in os.environ}
    return list(unread(file_lines, setting_names, not_from_files, settings_file().name))


def invalid(name: str, value: str, expected: str) -> ImproperlyConfigured:
    """The error for an invalid value.

    Args:
        name: The variable.
        value: The invalid value, which the message repeats; never a secret.
        expected: The acceptable values, as the end of a sentence ("a whole number").
    """
    comment = comment_after(name)
    hint = f" {comment_hint(name)}: {comment!r}." if comment else ""
    return ImproperlyConfigured(f"{name} is {value!r}, but it must be {expected}.{hint}")


def comment_after(name: str) -> str:
    """The comment that somebody wrote after the value of a variable; an empty text if there is none."""
    found = re.search(r"(?:^|\s)(#.*)", text(name))
    return found[1] if found else ""


def comment_hint(name: str) -> str:
    """The cure for a comment after the value of a variable, with the number of its line in the settings file."""
    cure = "Comments may not follow values: put the comment on a line of its own"
    line = line_in_file(name)
    return f"{cure}, above line {line} of {settings_file().name}" if line else cure


def line_in_file(name: str) -> int | None:
    """The number of the line of the settings file that sets a variable; None if the environment sets it."""
    if name in os.environ:
        return None
    return max((line.number for line in file_lines if line.name == name), default=None)


def _value(name: str, default: str) -> str:
    setting_names.add(name)
    return str(config(name, default=default)).strip()


def text(name: str, default: str = "") -> str:
    """A text without surrounding white space."""
    return _value(name, default) or default


def is_set_to_nothing(name: str) -> bool:
    """True for a variable that is there, with an empty value."""
    return not _value(name, "not set")


def required(name: str, why: str) -> str:
    """A text that must be set.

    Raises:
        ImproperlyConfigured: When the variable is missing or empty.
    """
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {why}")
    return value


def boolean(name: str, *, default: bool) -> bool:
    """True or False, from any word in `TRUE_WORDS` or `FALSE_WORDS`."""
    value = text(name)
    if not value:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise invalid(name, value, "True or False")


def one_line(name: str, *, maximum: int) -> str:
    """A text of printable characters, at most so many; an empty text when the variable is not set."""
    value = text(name)
    if len(value) > maximum or not value.isprintable():
        raise invalid(name, value, f"one line of at most {maximum} characters")
    return value


def integer(name: str, *, default: int, minimum: int, maximum: int) -> int:
    """A whole number between two bounds, both included."""
    value = optional_integer(name, minimum=minimum, maximum=maximum)
    return default if value is None else value


def optional_integer(name: str, *, minimum: int, maximum: int) -> int | None:
    """A whole number between two bounds, both included; None when the variable is not set."""
    value = text(name)
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", value) or not minimum <= int(value) <= maximum:
        raise invalid(name, value, f"a whole number from {minimum} to {maximum}")
    return int(value)


def limit(name: str, *, default: int | None, maximum: int) -> int | None:
    """A whole number from 1; None (no limit) for a variable set to nothing."""
    if is_set_to_nothing(name):
        return None
    value = optional_integer(name, minimum=1, maximum=maximum)
    return default if value is None else value


def choice(name: str, *, default: str, options: tuple[str, ...]) -> str:
    """One of a few words, in any case."""
    value = text(name, default)
    for option in options:
        if value.lower() == option.lower():
            return option
    raise invalid(name, value, "one of " + ", ".join(options))


def zone(name: str, default: str) -> str:
    """The IANA name of a time zone."""
    value = text(name, default)
    if value not in zone_names():
        raise invalid(name, value, "the IANA name of a time zone, such as Europe/Berlin or UTC")
    return value


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated values, trimmed, without empty values; a text of commas alone is an error."""
    value = text(name, default)
    values = [part.strip() for part in value.split(",") if part.strip()]
    if value and not values:
        raise invalid(name, value, "values separated by commas, or empty")
    return values


def single(name: str, values: list[str], default: str) -> str:
    """The only value of a list, or the default for an empty list.

    Raises:
        ImproperlyConfigured: For several values.
    """
    if len(values) > 1:
        raise invalid(name, text(name), "one value alone, without commas")
    return values[0] if values else default


def hosts(name: str, default: str) -> list[str]:
    """Host names without scheme, port and path."""
    names = listing(name, default)
    for host in names:
        if not HOST_PATTERN.fullmatch(host):
            raise invalid(name, host, "host names separated by commas, without https:// and port")
    return names


def origins(name: str) -> list[str]:
    """Web origins (RFC 6454): scheme, host and an optional port; a final slash is dropped."""
    return [_origin(name, value) for value in listing(name)]


def origin(name: str, default: str = "") -> str:
    """A single web origin."""
    return single(name, origins(name), default)


def _origin(name: str, value: str) -> str:
    expected = "origins separated by commas, such as https://app.example.org (no path)"
    try:
        parts = urlsplit(value.rstrip("/"))
        parts.port  # noqa: B018 - raises for an invalid port
    except ValueError as error:
        raise invalid(name, value, expected) from error
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username is not None)
    host_ok = parts.hostname is not None and bool(re.fullmatch(rf"{NAME}|[0-9a-f:]+", parts.hostname))
    if parts.scheme not in ("http", "https") or not is_bare or not host_ok or parts.port == 0:
        raise invalid(name, value, expected)
    # Browsers omit the default port of the scheme, so the stored origin does too.
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    default_port = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default_port) else "")


def word(name: str) -> str:
    """A secret of visible ASCII without spaces, as the headers of HTTP carry it; an empty text when it is not set."""
    value = text(name)
    if not re.fullmatch("[!-~]*", value):
        raise ImproperlyConfigured(f"{name} must be one word of ASCII, without spaces.{secret_hint(name)}")
    return value


def host_and_port(name: str) -> tuple[str, int] | None:
    """An address to listen at, such as `127.0.0.1:9101`; None when it is not set."""
    value = text(name)
    if not value:
        return None
    found = re.fullmatch(r"(?P<host>[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})", value)
    if found is None or not 1 <= int(found["port"]) <= 65_535:
        raise invalid(name, value, "an address with a port, such as 127.0.0.1:9101")
    return found["host"], int(found["port"])


def rate(name: str, default: str) -> str | None:
    """A rate in the REST framework's notation, such as `20/min`; None (no limit) for a variable set to nothing."""
    value = _value(name, default)
    if not value:
        return None
    if not RATE_PATTERN.fullmatch(value):
        raise invalid(name, value, "a number per s, min, hour or day, such as 20/min, or empty for no limit")
    return value


def secret_hint(name: str) -> str:
    """The hint of `invalid` about comments, without the comment: it may be part of a secret."""
    return f" {comment_hint(name)}." if comment_after(name) else ""


def addresses(name: str, default: str = "") -> list[str]:
    """E-mail addresses separated by commas, with their domains in ASCII."""
    values = listing(name, default)
    for address in values:
        try:
            require_visible(address)
            validate_email(ascii_domain(address))
        except ValidationError as error:
            raise invalid(name, address, "e-mail addresses separated by commas") from error
    return [ascii_domain(address) for address in values]


def address(name: str, default: str) -> str:
    """A single e-mail address."""
    return single(name, addresses(name), default)
