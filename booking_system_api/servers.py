"""Reads the addresses of the servers that this one needs: the database, Redis and the mail server.

As each reader of `environment`, one raises `ImproperlyConfigured` for a wrong value. No message repeats an address,
which may hold a password.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from booking_system_api.drivers import mail_fault, postgres_fault, redis_fault, sqlite_fault
from booking_system_api.environment import NAME, comment_after, secret_hint, text

MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def database(name: str, *, fallback: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - dj-database-url's own
    """The settings of a PostgreSQL or SQLite database, in Django's form.

    Raises:
        ImproperlyConfigured: For an invalid URL; the message does not repeat the URL, which may hold a password.
    """
    url = text(name, fallback)
    message = f"{name} cannot be understood. Set it to postgres://USER:PASSWORD@HOST:5432/NAME or sqlite:///FILE"
    hint = secret_hint(name)
    parse: Callable[..., dict[str, Any]] = dj_database_url.parse  # type: ignore[assignment]
    try:
        parsed = parse(url, **options)
        known = parsed["ENGINE"] in ("django.db.backends.postgresql", "django.db.backends.sqlite3")
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError) as error:
        raise ImproperlyConfigured(f"{message}.{hint}") from error
    if hint or not known or urlsplit(url).fragment:
        raise ImproperlyConfigured(f"{message}.{hint}")
    if not parsed["NAME"]:
        raise ImproperlyConfigured(f"{message}; the name of the database is missing.")
    if parsed["ENGINE"].endswith("sqlite3"):
        _refuse_part(name, sqlite_fault(parsed))
        return parsed
    _refuse_part(name, postgres_fault(parsed))
    return {**parsed, "ENGINE": "booking_system_api.postgresql"}


def redis(name: str) -> str:
    """The URL of a Redis server, or an empty text; errors do not repeat the URL, which may hold a password."""
    url = text(name)
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        is_socket = parts.scheme == "unix"
        place_ok = bool(parts.path and not parts.hostname if is_socket else parts.hostname and parts.port != 0)
        path_ok = is_socket or bool(re.fullmatch("/?|/[0-9]+/?", parts.path))
    except ValueError:
        place_ok = path_ok = False
    known = place_ok and path_ok and parts.scheme in ("redis", "rediss", "unix")
    if not known or " " in url or parts.fragment:
        message = f"{name} cannot be understood. Set it to redis://HOST:6379/0, or leave it empty"
        raise ImproperlyConfigured(f"{message}.{secret_hint(name)}")
    _refuse_part(name, redis_fault(url))
    return url


def mail_server(name: str) -> dict[str, Any]:
    """The URL of a mail server, as the arguments of Django's backend for SMTP; empty when the variable is not set.

    `smtp+tls` asks for encryption after the greeting (STARTTLS), `smtps` encrypts from the first byte on, `smtp` does
    not encrypt. Without a port, it is 587, 465 or 25.

    Raises:
        ImproperlyConfigured: For an invalid URL; the message does not repeat the URL, which may hold a password.
    """
    url = text(name)
    if not url:
        return {}
    parts = _mail_parts(url)
    if parts is None or " " in url or comment_after(name):
        example = "smtp+tls://USER:PASSWORD@HOST:587, smtps://USER:PASSWORD@HOST or smtp://HOST"
        escapes = "In names and passwords write %40, %3A, %2F, %3F, %23 and %25 for @, :, /, ?, # and %."
        raise ImproperlyConfigured(f"{name} cannot be understood. Set it to {example}. {escapes}{secret_hint(name)}")
    # Imported late: most processes have no such address.
    from environ import Env

    # django-environ takes `smtps` for STARTTLS.
    scheme = parts.scheme.replace("smtps", "smtp+ssl")
    read = Env.email_url_config(parts._replace(scheme=scheme).geturl())
    server = {
        "host": read["EMAIL_HOST"],
        "port": read["EMAIL_PORT"] or MAIL_PORTS[scheme],
        "username": read["EMAIL_HOST_USER"] or "",
        "password": read["EMAIL_HOST_PASSWORD"] or "",
        "use_tls": read.get("EMAIL_USE_TLS", False),
        "use_ssl": read.get("EMAIL_USE_SSL", False),
    }
    _refuse_part(name, mail_fault(parts, server))
    return server


def _mail_parts(url: str) -> SplitResult | None:
    """The parts of a mail server's URL; None if it cannot be understood."""
    try:
        parts = urlsplit(url)
        port_ok = parts.port != 0
    except ValueError:
        return None
    host_ok = re.fullmatch(rf"{NAME}|[0-9a-f:.]+", parts.hostname or "")
    return parts if port_ok and host_ok and parts.scheme in ("smtps", *MAIL_PORTS) else None


def _refuse_part(name: str, fault: str) -> None:
    """Raises the error for an address with a faulty part; the sentence must show no value, which may be a secret."""
    if not fault:
        return
    if "@" in urlsplit(text(name)).query:
        fault = "a `?` in a name or a password has to be written as %3F."
    raise ImproperlyConfigured(f"{name} cannot be used: {fault}")
