"""Database functions that Django has no name for."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Func, UUIDField
from django.db.models.sql.compiler import SQLCompiler


class RandomUUID(Func):
    """A random UUID (RFC 9562), made by the database; on SQLite in the form in which Django stores one."""

    function = "GEN_RANDOM_UUID"
    arity = 0
    output_field = UUIDField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:  # noqa: ANN401
        """Sixteen random bytes in hexadecimal."""
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)


class Epoch(Func):
    """A moment as whole seconds since 1970 (POSIX), rounded down, for arithmetic that both databases do alike."""

    arity = 1
    output_field = BigIntegerField()
    template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:  # noqa: ANN401
        """By the one function of SQLite that every version has."""
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)
