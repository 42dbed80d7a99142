"""Statements whose SQL is made once.

Django makes the SQL of a queryset anew each time it is read. For a statement of less than a millisecond that takes
longer than the database needs. A function with `prepared` is compiled once, and a call binds its values alone:

    @prepared(resource_id=KEY, window=Interval)
    def booked(*, resource_id: int, window: Interval, most: int) -> QuerySet[Booking]:
        return Booking.objects.filter(resource_id=resource_id).overlapping(window)[:most]

    bookings = booked(resource_id=1, window=today, most=3)

The function gets a placeholder for each value that `prepared` names, so it may pass such a value on to a lookup and may
not look into it. The other arguments, and whether a value is None, decide the SQL: they are the shape of the statement.
Each shape is compiled once, so shapes must be few.

`queryset` returns the plain queryset of a call. A test compares both for each prepared function.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property, update_wrapper
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet, Value
from django.db.models.signals import post_save, pre_save
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from core.functions import KeysField
from core.intervals import Interval

if TYPE_CHECKING:
    # The type of a value: that of a field, or `Interval` for two moments.
    Column = models.Field[Any, Any] | type[Interval]

Values = ParamSpec("Values")
Row = TypeVar("Row")

KEY = models.BigIntegerField()
MOMENT = models.DateTimeField()
DURATION = models.DurationField()
TEXT = models.TextField()
KEYS = KeysField()

# A function keeps the SQL of so many shapes; with one more it forgets them all.
MOST_SHAPES = 500


class Placeholder(Expression):
    """The place of a value in a statement, or of a bound of an interval."""

    def __init__(self, name: str, column: Any, bound: str = "") -> None:  # noqa: ANN401 - any field
        super().__init__(output_field=column)
        self.name, self.column, self.bound = name, column, bound

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - the value comes later
        return "%s", [self]

    def value(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> object:
        """The value for the database."""
        value = values[self.name]
        return self.column.get_db_prep_value(getattr(value, self.bound) if self.bound else value, connection)


def placeholder(name: str, column: "Column") -> Any:  # noqa: ANN401 - it stands for any value
    """What a function gets in place of a value: for an interval, one whose bounds are placeholders."""
    if column is Interval:
        return Interval(*(Placeholder(name, MOMENT, bound) for bound in ("start", "end")))  # type: ignore[arg-type]
    return Placeholder(name, column)


def constant(value: object) -> Expression:
    """A value as an expression, such as an argument of a function; a placeholder is one already."""
    return value if isinstance(value, Expression) else Value(value)


def bound(parameters: Iterable[Any], values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> tuple[Any, ...]:
    """The parameters of a statement, with values in place of the placeholders."""
    return tuple(each.value(values, connection) if isinstance(each, Placeholder) else each for each in parameters)


class Statement:
    """The SQL of a queryset with placeholders."""

    def __init__(self, queryset: QuerySet[Any, Any], connection: BaseDatabaseWrapper) -> None:
        self.model = queryset.model
        self.iterable: Any = queryset._iterable_class
        self.selected, self.locks = queryset.query.selected, queryset.query.select_for_update
        self.ordering = [str(name) for name in queryset.query.order_by or queryset.model._meta.ordering or ()]
        self.compiler = queryset.query.get_compiler(connection=connection)
        self.sql, self.parameters = self.compiler.as_sql()
        # That of the first thread, which may end before this process.
        self.compiler.connection = None

    def rows(self, values: dict[str, Any], connection: BaseDatabaseWrapper) -> list[Any]:
        """Runs the statement; the rows are those of its queryset."""
        if self.locks and not connection.in_atomic_block:
            raise TransactionManagementError("A lock of rows lasts until the end of a transaction. Begin one.")
        parameters = bound(self.parameters, values, connection)
        # A compiler holds the connection of one thread.
        compiler: Any = copy.copy(self.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *args, **kwargs: (self.sql, parameters)
        # What Django's own iterables read of a queryset.
        query = SimpleNamespace(get_compiler=lambda *args, **kwargs: compiler, selected=self.selected)
        source = SimpleNamespace(db=connection.alias, query=query, model=self.model, _known_related_objects={})
        return list(self.iterable(source))


class Prepared(Generic[Values, Row]):
    """A function that returns the rows of a statement, with the statement of each shape."""

    __name__: str

    def __init__(self, make: Callable[Values, QuerySet[Any, Row]], columns: Mapping[str, "Column"]) -> None:
        update_wrapper(self, make)
        self.queryset: Callable[..., Any] = make
        self.placeholders = {name: placeholder(name, column) for name, column in columns.items()}
        self.statements: dict[object, Statement] = {}

    def __call__(self, *args: Values.args, **kwargs: Values.kwargs) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        return self.statement(kwargs, connection).rows(kwargs, connection)

    def statement(self, values: Mapping[str, Any], connection: BaseDatabaseWrapper) -> Statement:
        """The statement of the shape of a call."""
        places = self.placeholders
        given = {name: value if value is None else places.get(name, value) for name, value in values.items()}
        shape = connection.vendor, *given.items()
        statement = self.statements.get(shape)
        if statement is None:
            if len(self.statements) >= MOST_SHAPES:
                self.statements.clear()
            statement = self.statements[shape] = Statement(self.queryset(**given), connection)
        return statement

    def first(self, *args: Values.args, **kwargs: Values.kwargs) -> Row | None:
        """The first row; None without any."""
        return next(iter(self(*args, **kwargs)), None)


class Listing(Generic[Row]):
    """A list, whose beginning a prepared function reads; its queryset reads any part.

    Args:
        function: A prepared function with the argument `most`: how many rows to read at most, None for all.
        values: Its other arguments.
    """

    def __init__(self, function: "Prepared[..., Row]", **values: Any) -> None:  # noqa: ANN401 - those of any function
        self.function, self.values = function, values

    def beginning(self, most: int) -> list[Row]:
        """The first rows."""
        return self.function(**self.values, most=most)

    def ordering(self, most: int) -> list[str]:
        """The names of the columns that order the rows; `most` as for `beginning`."""
        return self.function.statement({**self.values, "most": most}, connections[DEFAULT_DB_ALIAS]).ordering

    @cached_property
    def queryset(self) -> QuerySet[Any, Row]:
        """All rows."""
        rows: QuerySet[Any, Row] = self.function.queryset(**self.values, most=None)
        return rows


# All prepared functions.
FUNCTIONS: list[Prepared[Any, Any]] = []


def prepared(
    **columns: "Column",
) -> Callable[[Callable[Values, QuerySet[Any, Row]]], Prepared[Values, Row]]:
    """Makes a function of named arguments, which returns a queryset, a prepared one.

    Args:
        columns: The type of each argument that is a value: a field, or `Interval` for two moments.
    """

    def prepare(make: Callable[Values, QuerySet[Any, Row]]) -> Prepared[Values, Row]:
        function = Prepared(make, columns)
        FUNCTIONS.append(function)
        return function

    return prepare


# --- Writes -----------------------------------------------------------------------------------------------------------


def insert(row: models.Model) -> None:
    """Inserts a new row and sets its key, as `save` does.

    Raises:
        IntegrityError: When the row violates a constraint.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    fields = tuple(field for field in row._meta.concrete_fields if not field.primary_key)
    with saving(row, connection, created=True), connection.cursor() as cursor:
        values = [stored(row, field, connection, add=True) for field in fields]
        cursor.execute(insert_sql(type(row), connection.vendor), values)
        (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, connection.alias


def update(row: models.Model, names: Sequence[str]) -> None:
    """Writes some columns of a stored row, as `save` with `update_fields` does.

    Raises:
        IntegrityError: When the row violates a constraint.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    with saving(row, connection, created=False, names=frozenset(names)), connection.cursor() as cursor:
        values = [stored(row, row._meta.get_field(name), connection, add=False) for name in names]
        cursor.execute(update_sql(type(row), connection.vendor, tuple(names)), [*values, row.pk])


class PreparedUpdate(Generic[Values]):
    """A function that returns rows and the new values of their columns, with the SQL of their update."""

    def __init__(
        self, make: Callable[Values, tuple[QuerySet[Any, Any], dict[str, Any]]], columns: Mapping[str, "Column"]
    ) -> None:
        update_wrapper(self, make)
        self.make: Callable[..., Any] = make
        self.placeholders = {name: placeholder(name, column) for name, column in columns.items()}
        self.statement = cache(self.compiled)

    def __call__(self, *args: Values.args, **kwargs: Values.kwargs) -> None:
        connection = connections[DEFAULT_DB_ALIAS]
        sql, parameters = self.statement(connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(sql, bound(parameters, kwargs, connection))

    def compiled(self, vendor: str) -> tuple[str, tuple[Any, ...]]:
        queryset, changes = self.make(**self.placeholders)
        query: Any = queryset.query.chain(UpdateQuery)
        query.add_update_values(changes)
        sql, parameters = query.get_compiler(connection=connections[DEFAULT_DB_ALIAS]).as_sql()
        return sql, tuple(parameters)


def prepared_update(
    **columns: "Column",
) -> Callable[[Callable[Values, tuple[QuerySet[Any, Any], dict[str, Any]]]], PreparedUpdate[Values]]:
    """Makes a function of named arguments, which returns a queryset and changes, an update that is compiled once.

    Args:
        columns: The type of each argument.
    """
    return lambda make: PreparedUpdate(make, columns)


def insert_all(rows: Sequence[models.Model]) -> None:
    """Inserts new rows of one table and sets their keys, in one statement however many they are; sends no signal.

    Django would split the statement on SQLite, by a limit that newer versions of SQLite no longer have.

    Args:
        rows: The rows, with at most 30 000 values in all.

    Raises:
        IntegrityError: When a row violates a constraint.
    """
    if not rows:
        return
    connection, model = connections[DEFAULT_DB_ALIAS], type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    table, key, *names = quoted(model._meta.db_table, model._meta.pk.column, *(field.column for field in fields))
    places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * len(rows))
    values = all_stored(rows, fields, connection, add=True)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES {places} RETURNING {key}", values)
        keys = [pk for (pk,) in cursor.fetchall()]
    for row, pk in zip(rows, keys, strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, connection.alias


def update_all(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Writes some columns of stored rows of one table, each with its own values, in one statement; sends no signal.

    Args:
        rows: The rows, with at most 30 000 values in all.
        names: The names of the fields.

    Raises:
        IntegrityError: When a row violates a constraint.
    """
    if not rows:
        return
    connection, model = connections[DEFAULT_DB_ALIAS], type(rows[0])
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in names)]
    table, key, *columns = quoted(model._meta.db_table, *(field.column for field in fields))
    # PostgreSQL takes the type of a column of values from the values; nulls alone are texts. SQLite has no types there.
    casts = ["" if connection.vendor == "sqlite" else f"::{field.rel_db_type(connection)}" for field in fields]
    new = [f"sent.column{number}{cast}" for number, cast in enumerate(casts, start=1)]
    changes = ", ".join(f"{column} = {value}" for column, value in zip(columns, new[1:], strict=True))
    places = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(rows))
    values = all_stored(rows, fields, connection, add=False)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {changes} FROM (VALUES {places}) AS sent WHERE {table}.{key} = {new[0]}", values
        )


@contextmanager
def saving(
    row: models.Model, connection: BaseDatabaseWrapper, *, created: bool, names: frozenset[str] | None = None
) -> Iterator[None]:
    """Sends the signals of `save` before and after the write."""
    about = {"instance": row, "raw": False, "using": connection.alias, "update_fields": names}
    pre_save.send(type(row), **about)
    yield
    post_save.send(type(row), created=created, **about)


def stored(row: models.Model, field: Any, connection: BaseDatabaseWrapper, *, add: bool) -> Any:  # noqa: ANN401
    """The value of a column as the database takes it; sets what the field sets by itself, such as `auto_now`."""
    return field.get_db_prep_save(field.pre_save(row, add), connection)


def all_stored(
    rows: Sequence[models.Model], fields: Sequence[Any], connection: BaseDatabaseWrapper, *, add: bool
) -> list[Any]:
    """The values of columns of rows, row by row. A value that the row before has, too, is converted once."""
    columns = []
    for field in fields:
        column, last, value = list[Any](), object(), None
        for row in rows:
            raw = field.pre_save(row, add)
            if raw is not last:
                last, value = raw, field.get_db_prep_save(raw, connection)
            column.append(value)
        columns.append(column)
    return [value for row in zip(*columns, strict=True) for value in row]


@cache
def insert_sql(model: type[models.Model], vendor: str) -> str:
    """The insert of a row, which returns its key."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    table, key, *names = quoted(model._meta.db_table, model._meta.pk.column, *columns)
    places = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places}) RETURNING {key}"


@cache
def update_sql(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> str:
    """The update of some columns of a row."""
    columns = {name: field.column for field in model._meta.concrete_fields for name in (field.name, field.attname)}
    table, key, *changed = quoted(model._meta.db_table, model._meta.pk.column, *(columns[name] for name in names))
    return f"UPDATE {table} SET {', '.join(f'{name} = %s' for name in changed)} WHERE {key} = %s"


def quoted(*names: str | None) -> list[str]:
    """The names of a table and its columns in the notation of the database."""
    quote = connections[DEFAULT_DB_ALIAS].ops.quote_name
    return [quote(name or "") for name in names]
