"""Database functions that Django has no name for."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, UUIDField
from django.db.models.sql.compiler import SQLCompiler


class RandomUUID(Func):
    """A random UUID (RFC 9562), made by the database; on SQLite in the form in which Django stores one."""

    function = "GEN_RANDOM_UUID"
    arity = 0
    output_field = UUIDField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list]:  # noqa: ANN401
        """Sixteen random bytes in hexadecimal."""
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)
