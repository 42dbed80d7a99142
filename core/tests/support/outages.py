"""A database that waits for somebody, or takes no writes."""

import contextlib
from collections.abc import Iterator

from django.db import connection, connections

from core.models import Resource


@contextlib.contextmanager
def somebody_holds(room: Resource) -> Iterator[None]:
    """Somebody has begun a transaction in a shell, and forgotten it: on the resource's row, in SQLite on all."""
    if connection.vendor == "postgresql":
        statements = ["BEGIN", f"SELECT 1 FROM core_resource WHERE id = {room.pk} FOR UPDATE"]
    else:
        statements = ["BEGIN IMMEDIATE"]
    with another_connection(statements):
        yield


@contextlib.contextmanager
def somebody_rebuilds(table: str) -> Iterator[None]:
    """Nobody can read this table; on PostgreSQL alone."""
    with another_connection(["BEGIN", f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"]):
        yield


@contextlib.contextmanager
def another_connection(statements: list[str]) -> Iterator[None]:
    """A connection that sends these statements and stays as it is until the end."""
    other = connections.create_connection("default")
    other.settings_dict = connection.settings_dict
    try:
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield
        with other.cursor() as cursor:
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@contextlib.contextmanager
def limited(**milliseconds: int) -> Iterator[None]:
    """Gives this thread's connection limits by their names in PostgreSQL; SQLite has `lock_timeout` alone."""
    with connection.cursor() as cursor:
        for name, number in milliseconds.items():
            if connection.vendor == "postgresql":
                cursor.execute(f"SET {name} = {number}")
            elif name == "lock_timeout":
                cursor.execute(f"PRAGMA busy_timeout = {number}")
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def read_only() -> Iterator[None]:
    """The database takes no writes of this thread: a setting of PostgreSQL, a file of SQLite opened for reading."""
    name = connection.settings_dict["NAME"]
    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["NAME"] = f"file:{name}?mode=ro"
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
