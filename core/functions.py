"""Database functions that Django lacks."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Func, UUIDField
from django.db.models.sql.compiler import SQLCompiler


class RandomUUID(Func):
    """A random UUID (RFC 9562) made by the database; on SQLite in the form in which Django stores UUIDs."""

    function = "GEN_RANDOM_UUID"
    arity = 0
    output_field = UUIDField()

    def as_sqlite(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        **context: Any,  # noqa: ANN401
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)


class Epoch(Func):
    """A moment as whole seconds since 1970 (POSIX), rounded down: arithmetic with it is the same on both databases."""

    arity = 1
    output_field = BigIntegerField()
    template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"

    def as_sqlite(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        **context: Any,  # noqa: ANN401
    ) -> tuple[str, tuple[str | int, ...]]:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)
