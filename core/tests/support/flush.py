"""The end of a test that commits: it empties the tables.

Django truncates each table, and makes the content types and the permissions anew. That takes longer than most tests.
Here only the tables that have rows lose them, and content types and permissions stay as `migrate` made them.
"""

from functools import cache
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

from core.tests.support.records import TABLE, without_triggers

KEPT = {"django_content_type", "auth_permission"}


def replace_flush() -> None:
    """Takes the place of Django's own way for the whole run."""
    case: Any = TransactionTestCase
    case._fixture_teardown = lambda self: empty_tables()


@cache
def tables() -> dict[str, str]:
    """All tables but those that are kept, with their names in SQL."""
    names = connection.introspection.django_table_names()
    return {name: connection.ops.quote_name(name) for name in sorted({*names} - KEPT)}


def empty_tables() -> None:
    """Deletes all rows; the record refuses that, so its triggers are off meanwhile."""
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {name})" for table, name in tables().items()
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(filled)
        full = [table for (table,) in cursor.fetchall()]
        statements = [f"DELETE FROM {tables()[table]}" for table in full]
        for statement in without_triggers(statements) if TABLE in full else statements:
            cursor.execute(statement)
