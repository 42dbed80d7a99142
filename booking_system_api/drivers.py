"""Asks the drivers of PostgreSQL and Redis, without a connection, whether they understand an address.

An address of a mail server is checked here, too.

A driver notices a wrong option only when it connects. The server would start, and then each of its calls would fail.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

# Options that Django takes out before it asks the driver.
DJANGO_OPTIONS = {"assume_role", "isolation_level", "server_side_binding"}
WHOLE_NUMBER = (r"-?[0-9]{1,9}", "a whole number")
# Values that the driver checks only while it connects, and those whose refusal should name the right ones.
VALUES = {
    "sslmode": (
        "disable|allow|prefer|require|verify-ca|verify-full",
        "one of disable, allow, prefer, require, verify-ca, verify-full",
    ),
    "isolation_level": ("[1-4]", "a whole number from 1 to 4"),
    "port": (r"[0-9]{1,5}(,[0-9]{1,5})*", "a port, or one for each host"),
    "connect_timeout": WHOLE_NUMBER,
    "keepalives": WHOLE_NUMBER,
    "keepalives_count": WHOLE_NUMBER,
    "keepalives_idle": WHOLE_NUMBER,
    "keepalives_interval": WHOLE_NUMBER,
    "tcp_user_timeout": WHOLE_NUMBER,
}

# Django connects to no database with a longer name.
LONGEST_NAME = 63

POOLER = "Leave it out; behind a pooler in transaction mode, set CONN_MAX_AGE=0."
KEPT = "Leave it out; CONN_MAX_AGE says how long a connection is kept."
PROCESSES = "Leave it out; WEB_CONCURRENCY and GUNICORN_THREADS limit the connections."
SEARCH_PATH = "Write options=-c%20search_path%3DNAME instead."
STATEMENT_TIMEOUT = "Write options=-c%20statement_timeout%3DMILLISECONDS instead."
SSLMODE = "Write sslmode=require or sslmode=verify-full instead."
# The options of other libraries in addresses of PostgreSQL: whose they are, and how to get the same here.
FOREIGN_OPTIONS = {
    "charset": ("MySQL", "Leave it out: connections are in UTF-8."),
    "conn_max_age": ("dj-database-url", KEPT),
    "connection_limit": ("Prisma", PROCESSES),
    "max_overflow": ("SQLAlchemy", PROCESSES),
    "pgbouncer": ("Prisma", POOLER),
    "pool": ("Rails", PROCESSES),
    "pool_recycle": ("SQLAlchemy", KEPT),
    "pool_size": ("SQLAlchemy", PROCESSES),
    "pool_timeout": ("Prisma", "Write connect_timeout=SECONDS instead."),
    "prepared_statements": ("Rails", POOLER),
    "prepare_threshold": ("psycopg 3", POOLER),
    "schema": ("Prisma", SEARCH_PATH),
    "search_path": ("pgx", SEARCH_PATH),
    "socket_timeout": ("Prisma", STATEMENT_TIMEOUT),
    "ssl": ("node-postgres", SSLMODE),
    "sslaccept": ("Prisma", SSLMODE),
    "statement_cache_size": ("asyncpg", POOLER),
    "statement_timeout": ("node-postgres", STATEMENT_TIMEOUT),
}


def postgres_fault(settings: Mapping[str, Any]) -> str:
    """Names the first part of the settings that the driver of PostgreSQL would refuse.

    Args:
        settings: The settings of the database in Django's form.

    Returns:
        A sentence, which shows no value of the settings; an empty text if the driver refuses nothing.
    """
    if len(settings["NAME"]) > LONGEST_NAME:
        return f"the name of the database has more than {LONGEST_NAME} characters."
    options = settings.get("OPTIONS", {})
    faults = (_postgres_option_fault(name, value) for name, value in options.items())
    return next(filter(None, faults), "") or _postgres_value_fault(settings, options)


def _postgres_option_fault(name: str, value: object) -> str:
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    if isinstance(value, list):
        return f"it has the option `{name}` more than once."
    try:
        if name not in DJANGO_OPTIONS:
            parse_dsn(f"{name}=x")
    except ProgrammingError:
        library, cure = FOREIGN_OPTIONS.get(name, ("", "Leave it out."))
        owner = f", but one of {library}" if library else ""
        return f"`{name}` is no option of PostgreSQL's driver{owner}. {cure}"
    pattern, expected = VALUES.get(name, (".*", ""))
    return "" if re.fullmatch(pattern, str(value), re.DOTALL) else f"`{name}` must be {expected}."


def _postgres_value_fault(settings: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Asks the driver to connect to a socket that cannot exist: before it tries, it checks the values."""
    import psycopg2

    parts = {"dbname": settings["NAME"], "user": settings["USER"], "password": settings["PASSWORD"], **options}
    given = {name: value for name, value in parts.items() if value and name not in DJANGO_OPTIONS}
    try:
        psycopg2.connect(**{**given, "host": "/dev/null", "hostaddr": "", "port": ""})
    except (psycopg2.Error, ValueError) as error:
        message = str(error).strip()
        if ".s.PGSQL" in message or "over a local socket" in message:
            return ""
        blamed = next((name for name in options if name in message), None)
        return f"PostgreSQL's driver does not take this value of `{blamed}`." if blamed else f"{message}."
    return ""


def sqlite_fault(settings: Mapping[str, Any]) -> str:
    """A sentence about a part of an SQLite address that would be left out; an empty text if there is none."""
    if settings.get("HOST"):
        return "the path of an SQLite file follows three slashes, as in sqlite:///FILE."
    return "an address of SQLite has no options. Leave out the `?` and what follows." if "OPTIONS" in settings else ""


def redis_fault(url: str) -> str:
    """Names the first option in a URL that the driver of Redis would refuse.

    Returns:
        A sentence, which shows no value of the URL; an empty text if the driver refuses nothing.
    """
    from redis import ConnectionPool
    from redis.exceptions import RedisError

    parts = urlsplit(url)
    for name, value in parse_qsl(parts.query):
        try:
            ConnectionPool.from_url(f"{parts.scheme}://localhost?{urlencode({name: value})}").make_connection()
        except TypeError:
            of_tls = ", but one of rediss://" if name.startswith("ssl_") else ""
            return f"`{name}` is no option of {parts.scheme}://{of_tls}. Leave it out."
        except (RedisError, ValueError):
            return f"Redis's driver does not take this value of `{name}`."
    return ""


def mail_fault(parts: SplitResult, server: Mapping[str, Any]) -> str:
    """Names the first part of a mail server's URL that would be left out or refused later.

    Args:
        parts: The URL.
        server: The arguments of Django's backend for SMTP, as read from the URL.

    Returns:
        A sentence, which shows no value of the URL; an empty text if all parts can be used.
    """
    if parts.query or parts.fragment or parts.path not in ("", "/"):
        return "an address of a mail server ends with its host or its port. In names and passwords write %2F, %3F, %23."
    # Django's backend signs in with both or not at all.
    if bool(server["username"]) != bool(server["password"]):
        return "a user name and a password belong together. Set both, or neither."
    credentials = server["username"] + server["password"]
    # Python's client sends them in ASCII.
    if not (credentials.isascii() and credentials.isprintable()):
        return "its user name and its password must consist of ASCII characters."
    return ""
