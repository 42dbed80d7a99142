"""Database functions that Django lacks."""

import hashlib
import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Aggregate,
    BigIntegerField,
    BooleanField,
    CharField,
    Field,
    ForeignKey,
    Func,
    JSONField,
    Lookup,
    QuerySet,
    Subquery,
    TextField,
    UUIDField,
)
from django.db.models.sql.compiler import SQLCompiler

from core.texts import fold_text


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


class Is(Func):
    """True if a column has a constant value, as literal SQL.

    SQLite uses a partial index only if a query repeats the index's condition word for word; bound parameters do not.
    """

    arity = 1
    template = "%(expressions)s = '%(value)s'"
    output_field = BooleanField()


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


class Digest(Aggregate):
    """A text that differs when any value of any row differs, whatever the order of the rows; null without any row.

    The sum of a hash of each row. It differs between the two databases, and between versions of PostgreSQL.
    """

    function = "DIGEST_OF_ROWS"
    output_field = TextField()

    def as_postgresql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        **context: Any,  # noqa: ANN401
    ) -> tuple[str, tuple[str | int, ...]]:
        template = "SUM(HASHTEXTEXTENDED(ROW(%(expressions)s)::text, 0))::text"
        return self.as_sql(compiler, connection, template=template, **context)


class DigestOfRows:
    """The same aggregate for SQLite."""

    def __init__(self) -> None:
        self.sum = 0

    def step(self, *values: str | float | bytes | None) -> None:
        """Adds a row."""
        self.sum += int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=16).digest())

    def finalize(self) -> str | None:
        """Returns the digest of the rows."""
        return f"{self.sum:x}" if self.sum else None


class JsonRows(Subquery):
    """The rows of a queryset of `values()` as one JSON text, a list of objects; null without any row.

    One statement so reads the rows of several tables for each row of the outer query.
    """

    output_field = TextField()

    def __init__(self, queryset: "QuerySet[Any, Any]", **extra: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(queryset, **extra)
        columns = {name: queryset.model._meta.get_field(name) for name in queryset.query.values_select}
        self.columns = {name: isinstance(field, JSONField) for name, field in columns.items()}

    def as_postgresql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        **context: Any,  # noqa: ANN401
    ) -> tuple[str, tuple[str | int, ...]]:
        template = "(SELECT json_agg(row_to_json(found))::text FROM (%(subquery)s) found)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        **context: Any,  # noqa: ANN401
    ) -> tuple[str, tuple[str | int, ...]]:
        pairs = (
            f"'{name}', " + (f'json("{name}")' if is_json else f'"{name}"') for name, is_json in self.columns.items()
        )
        # An aggregate of no row is an empty list.
        listed = f"json_group_array(json_object({', '.join(pairs)}))"
        template = f"(SELECT CASE WHEN count(*) THEN {listed} END FROM (%(subquery)s) found)"
        return self.as_sql(compiler, connection, template=template, **context)


# A column as PostgreSQL compares it with a text. `manage.py index_search` builds its index on the same expression.
# Capitals rather than small letters: the Greek sigma has two small forms. A text in ASCII, in which each letter is one
# byte, is composed already; to leave it as it is takes a third of the time.
FOLDED = (
    "UPPER(CASE WHEN OCTET_LENGTH({column}) = CHAR_LENGTH({column}) THEN {column} ELSE NORMALIZE({column}, NFKC) END)"
)

# A text as a pattern of LIKE, in which each of its characters stands for itself.
ESCAPED = r"REGEXP_REPLACE({text}, '([\\%%_])', '\\\1', 'g')"


@CharField.register_lookup
@TextField.register_lookup
class Mentions(Lookup):
    """`name__mentions="text"`: the column has the text somewhere; case and the composition of letters do not matter.

    `icontains` folds only the letters of ASCII on SQLite. On both databases it finds no letter whose accent is stored
    apart.
    """

    lookup_name = "mentions"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        column, column_params = self.process_lhs(compiler, connection)
        text, text_params = self.process_rhs(compiler, connection)
        # LIKE rather than STRPOS: an index of trigrams knows LIKE alone.
        pattern = ESCAPED.format(text=f"UPPER(NORMALIZE({text}, NFKC))")
        params = (*column_params * FOLDED.count("{column}"), *text_params)
        return f"{FOLDED.format(column=column)} LIKE '%%' || {pattern} || '%%'", params

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        return filled_in(self, compiler, connection, "INSTR(FOLD_TEXT({}), FOLD_TEXT({})) > 0")


class KeysField(Field):  # type: ignore[type-arg]  # it takes no types at run time
    """The type of a list of keys that is one value of a statement."""

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - Django's own
        return json.dumps(list(value)) if connection.vendor == "sqlite" else list(value)


@ForeignKey.register_lookup
class AnyOf(Lookup):
    """`resource_id__any_of=[1, 2]`: as `in`, but the SQL is the same for each length of the list."""

    lookup_name = "any_of"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:  # noqa: ANN401
        return "%s", (KeysField().get_db_prep_value(value, connection),)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        return filled_in(self, compiler, connection, "{} = ANY({})")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        return filled_in(self, compiler, connection, "{} IN (SELECT value FROM json_each({}))")


def filled_in(
    lookup: "Lookup[Any]", compiler: SQLCompiler, connection: BaseDatabaseWrapper, template: str
) -> tuple[str, tuple[str | int, ...]]:
    """The SQL of a comparison from a template with the places of both sides."""
    left, left_parameters = lookup.process_lhs(compiler, connection)
    right, right_parameters = lookup.process_rhs(compiler, connection)
    return template.format(left, right), (*left_parameters, *right_parameters)


def add_to_sqlite(sender: type, connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Gives a new connection to SQLite the functions that it lacks; receives `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("FOLD_TEXT", 1, fold_text, deterministic=True)
        connection.connection.create_aggregate(Digest.function, -1, DigestOfRows)
