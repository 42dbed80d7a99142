"""How a setting is read: from the environment, else from `.env` in the project root, else its default.

Every reader raises `ImproperlyConfigured` with a sentence that names the variable and says what to set, so that a
wrong value stops the start instead of surprising somebody later. An empty value counts as none.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from decouple import Config, RepositoryEmpty, RepositoryEnv
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

BASE_DIR = Path(__file__).resolve().parent.parent

RATE_PATTERN = re.compile(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)")
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
NAME = rf"{LABEL}(\.{LABEL})*"
HOST_PATTERN = re.compile(rf"\*|\.?{NAME}|\[[0-9A-Fa-f:.]+\]")
TRUE_WORDS = {"true", "1", "yes", "y", "on", "t"}
FALSE_WORDS = {"false", "0", "no", "n", "off", "f"}


def _open_config() -> Config:
    """The one place of configuration beside the environment; `BOOKING_ENV_FILE` names another file than `.env`."""
    path = Path(os.environ.get("BOOKING_ENV_FILE") or BASE_DIR / ".env")
    if not path.is_file():
        return Config(RepositoryEmpty())
    try:
        # Editors on Windows put a byte order mark first, which would be part of the first name.
        return Config(RepositoryEnv(str(path), "utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path.name} cannot be read: {error}. It must be a text file in UTF-8.") from error


config = _open_config()


def wrong(name: str, value: str, wanted: str) -> ImproperlyConfigured:
    """The error for a value that cannot be right.

    Args:
        name: The variable.
        value: What it holds; never a secret, since it is repeated in the message.
        wanted: What to set instead, as the end of a sentence.
    """
    hint = " Comments may not follow values: put them on a line of their own." if " #" in f" {value}" else ""
    return ImproperlyConfigured(f"{name} is {value!r}, but it must be {wanted}.{hint}")


def text(name: str, default: str = "") -> str:
    """A string, without the white space around it."""
    return str(config(name, default="")).strip() or default


def required(name: str, why: str) -> str:
    """A string that must be there.

    Raises:
        ImproperlyConfigured: When it is missing or empty.
    """
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {why}")
    return value


def boolean(name: str, *, default: bool) -> bool:
    """True or False, in one of the usual words."""
    value = text(name)
    if not value:
        return default
    if value.lower() in TRUE_WORDS:
        return True
    if value.lower() in FALSE_WORDS:
        return False
    raise wrong(name, value, "True or False")


def integer(name: str, *, default: int, minimum: int, maximum: int) -> int:
    """A whole number between two bounds, both included."""
    found = optional_integer(name, minimum=minimum, maximum=maximum)
    return default if found is None else found


def optional_integer(name: str, *, minimum: int, maximum: int) -> int | None:
    """The same, or None where there is none."""
    value = text(name)
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", value) or not minimum <= int(value) <= maximum:
        raise wrong(name, value, f"a whole number from {minimum} to {maximum}")
    return int(value)


def choice(name: str, *, default: str, options: tuple[str, ...]) -> str:
    """One of a few words, whatever its case."""
    value = text(name, default)
    for option in options:
        if value.lower() == option.lower():
            return option
    raise wrong(name, value, "one of " + ", ".join(options))


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated values, without white space and empty ones; at least one where anything is set."""
    value = text(name, default)
    found = [part.strip() for part in value.split(",") if part.strip()]
    if value and not found:
        raise wrong(name, value, "values separated by commas, or empty")
    return found


def single(name: str, found: list[str], default: str) -> str:
    """The one value of a list, or the default where it is empty.

    Raises:
        ImproperlyConfigured: When there are several, for it is not known which is meant.
    """
    if len(found) > 1:
        raise wrong(name, text(name), "one value alone, without commas")
    return found[0] if found else default


def hosts(name: str, default: str) -> list[str]:
    """Host names without scheme, port and path."""
    found = listing(name, default)
    for host in found:
        if not HOST_PATTERN.fullmatch(host):
            raise wrong(name, host, "host names separated by commas, without https:// and port")
    return found


def origins(name: str) -> list[str]:
    """Web origins (RFC 6454): scheme, host and perhaps a port; a slash at the end is forgiven."""
    return [_origin(name, value) for value in listing(name)]


def origin(name: str, default: str = "") -> str:
    """A single web origin."""
    return single(name, origins(name), default)


def _origin(name: str, value: str) -> str:
    wanted = "origins separated by commas, such as https://app.example.org (no path)"
    try:
        parts = urlsplit(value.rstrip("/"))
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise wrong(name, value, wanted) from error
    plain = not (parts.path or parts.query or parts.fragment or parts.username is not None)
    host_ok = parts.hostname is not None and bool(re.fullmatch(rf"{NAME}|[0-9a-f:]+", parts.hostname))
    if parts.scheme not in ("http", "https") or not plain or not host_ok or parts.port == 0:
        raise wrong(name, value, wanted)
    # As browsers write it: without the port that the scheme implies.
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    implied = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, implied) else "")


def rate(name: str, default: str) -> str | None:
    """A limit in the REST framework's notation, such as `20/min`; set but empty: no limit."""
    value = str(config(name, default=default)).strip()
    if not value:
        return None
    if not RATE_PATTERN.fullmatch(value):
        raise wrong(name, value, "a number per s, min, hour or day, such as 20/min, or empty for no limit")
    return value


def redis(name: str) -> str:
    """The address of a Redis server, or nothing; it is not repeated in an error, for it may hold a password."""
    url = text(name)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        whole = bool(parts.path if parts.scheme == "unix" else parts.hostname and parts.port != 0)
    except ValueError:
        whole = False
    if not whole or parts.scheme not in ("redis", "rediss", "unix") or " " in url:
        wanted = f"{name} cannot be understood. Set it to redis://HOST:6379/0, or leave it empty"
        raise ImproperlyConfigured(f"{wanted}{_secret_hint(url)}.")
    return url


def _secret_hint(value: str) -> str:
    """What `wrong` says of comments, for a value that is not repeated."""
    return "; comments may not follow values" if " #" in f" {value}" else ""


def addresses(name: str, default: str = "") -> list[str]:
    """E-mail addresses separated by commas."""
    found = listing(name, default)
    for address in found:
        try:
            validate_email(address)
        except ValidationError as error:
            raise wrong(name, address, "e-mail addresses separated by commas") from error
    return found


def address(name: str, default: str) -> str:
    """A single e-mail address."""
    return single(name, addresses(name), default)


def database(name: str, *, fallback: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - dj-database-url's own
    """A database address, for PostgreSQL or SQLite, as Django wants it.

    Raises:
        ImproperlyConfigured: When it cannot be read; the address itself is not repeated, for it holds a password.
    """
    url = text(name, fallback)
    wanted = f"{name} cannot be understood. Set it to postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:///FILE"
    hint = _secret_hint(url)
    parse: Callable[..., dict[str, Any]] = dj_database_url.parse  # type: ignore[assignment]
    try:
        parsed = parse(url, **options)
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError) as error:
        raise ImproperlyConfigured(f"{wanted}{hint}.") from error
    if hint or parsed["ENGINE"] not in ("django.db.backends.postgresql", "django.db.backends.sqlite3"):
        raise ImproperlyConfigured(f"{wanted}{hint}.")
    if not parsed["NAME"]:
        raise ImproperlyConfigured(f"{wanted}; the name of the database is missing.")
    return parsed
