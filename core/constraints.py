"""The constraints of both databases, the error for each violation, and what a database must be able to do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, IntegrityError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models.constraints import BaseConstraint

from core import errors
from core.choices import BookingStatus

NO_OVERLAP = "core_booking_no_overlap"
END_AFTER_START = "core_booking_end_after_start"
TIMES_COMPARE = "core_booking_times_compare_as_text"
STATUS_KNOWN = "core_booking_status_known"
CLOSURE_HAS_NO_USER = "core_booking_closure_has_no_user"
CAPACITY_AT_LEAST_ONE = "core_resource_capacity_at_least_one"
RECORD_APPEND_ONLY = "core_bookingevent_append_only"
LARGEST_CAPACITY = 2_147_483_647
USERNAME_UNIQUE = "core_user_username_folded"
EMAIL_UNIQUE = "core_user_email_folded"

BLOCKING_SQL = "status IN ({})".format(", ".join(f"'{status.value}'" for status in BookingStatus.blocking()))

# The error for each violation, by a part of the first line of the database's message. Both databases name the
# constraint there. SQLite names the index for an index on an expression, and the column for a unique column.
ERRORS: dict[str, type[errors.BookingError]] = {
    NO_OVERLAP: errors.SlotTaken,
    END_AFTER_START: errors.EndNotAfterStart,
    TIMES_COMPARE: errors.TimeNotUtcText,
    STATUS_KNOWN: errors.StatusNotAllowed,
    CAPACITY_AT_LEAST_ONE: errors.CapacityTooSmall,
    USERNAME_UNIQUE: errors.UsernameTaken,
    "auth_user_username_key": errors.UsernameTaken,
    "auth_user.username": errors.UsernameTaken,
    EMAIL_UNIQUE: errors.EmailTaken,
    '"core_resource" violates foreign key': errors.ResourceHasBookings,
    '"core_booking" violates foreign key constraint "core_booking_resource_id': errors.ResourceMissing,
    '"core_booking" violates foreign key constraint "core_booking_user_id': errors.UserMissing,
    '"core_bookingevent" violates foreign key': errors.UserMissing,
}


def as_booking_error(error: IntegrityError) -> errors.BookingError | None:
    """The domain error for a violation of a constraint; None for an unknown constraint."""
    # The further lines of PostgreSQL repeat values of the row, such as a user name.
    message = str(error).partition("\n")[0]
    return next((kind() for part, kind in ERRORS.items() if part in message), None)


def locale_problem(connection: BaseDatabaseWrapper) -> str:
    """The sentence about a PostgreSQL that cannot fold the case of all letters; empty if nothing is wrong.

    Names and addresses are unique in any case by its `lower()`. On SQLite, which has no locales, Python compares them.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        # Newer versions of PostgreSQL may take the case from another locale than LC_CTYPE, in one of two columns.
        cursor.execute(
            "SELECT datname, pg_encoding_to_char(encoding), coalesce(to_jsonb(pg_database) ->> 'datlocale', "
            "to_jsonb(pg_database) ->> 'daticulocale', datctype) FROM pg_database WHERE datname = current_database()"
        )
        name, encoding, locale = cursor.fetchone()
        if encoding == "UTF8":
            cursor.execute("SELECT lower('ÄЖ') = 'äж'")
            if cursor.fetchone()[0]:
                return ""
    return (
        f"The database {name} has the encoding {encoding} and the locale {locale}, which do not know the case of all "
        "letters: jürgen and JÜRGEN would be two user names. Make a database with the encoding UTF8 and the locale "
        "C.UTF-8 or that of a language, as docs/deploying.md does, and restore a dump of this one into it."
    )


class OwnConstraint(BaseConstraint):
    """A constraint in own SQL, which differs between the databases."""

    def __eq__(self, other: object) -> bool:
        """True for equal definitions. Without it `makemigrations` always reports a change."""
        return isinstance(other, OwnConstraint) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    # By the stubs, `create_sql`, `remove_sql` and `constraint_sql` take None and return str. Django never passes None,
    # and accepts a Statement or None from them.
    def create_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        """An ALTER TABLE on PostgreSQL; None on SQLite, where Django rebuilds the table instead."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        return self._alter_table(model, schema_editor, f"ADD {self.constraint_sql(model, schema_editor)}")

    def remove_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        """An ALTER TABLE on PostgreSQL; None on SQLite, where Django rebuilds the table instead."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        return self._alter_table(model, schema_editor, f"DROP CONSTRAINT {schema_editor.quote_name(self.name)}")

    def _alter_table(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, action: str
    ) -> Statement:
        return self._statement(model, schema_editor, f"ALTER TABLE %(table)s {action}")

    def _statement(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, template: str
    ) -> Statement:
        """The statement with the table, which Django may rename before it runs the statement."""
        return Statement(template, table=Table(model._meta.db_table, schema_editor.quote_name))


class NoOverlap(OwnConstraint):
    """No two blocking bookings of one resource share a moment: ``[start_time, end_time)``.

    On PostgreSQL an exclusion constraint that needs no extension; on SQLite two triggers. For most changes of a schema
    Django rebuilds the SQLite table, and drops the old table's triggers with it. So each creation of the table creates
    the triggers. Their statements hold a reference to the table, because Django renames the new table afterwards.
    """

    def constraint_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str | None:
        """The part of CREATE TABLE; None on SQLite, where triggers are created after the table."""
        if schema_editor.connection.vendor == "postgresql":
            return f"CONSTRAINT {schema_editor.quote_name(self.name)} {self._exclusion()}"
        schema_editor.deferred_sql.extend(self._triggers(model, schema_editor))
        return None

    def validate(
        self,
        model: type[models.Model],
        instance: Any,  # noqa: ANN401 - Django's own signature
        exclude: set[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """The same check for `full_clean`.

        Raises:
            ValidationError: When another blocking booking of the resource overlaps the instance.
        """
        if {"resource", "start_time", "end_time", "status"} & (exclude or set()):
            return
        if instance.status not in BookingStatus.blocking() or instance.start_time >= instance.end_time:
            return
        # The base manager has closures, too.
        others = model._base_manager.using(using).exclude(pk=instance.pk).filter(resource_id=instance.resource_id)
        clash = others.filter(
            status__in=BookingStatus.blocking(), start_time__lt=instance.end_time, end_time__gt=instance.start_time
        )
        if clash.exists():
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def _exclusion(self) -> str:
        # A range of one id: `resource_id WITH =` would need the extension btree_gist.
        return (
            "EXCLUDE USING gist (int8range(resource_id, resource_id, '[]') WITH &&, "
            f"tstzrange(start_time, end_time) WITH &&) WHERE ({BLOCKING_SQL})"
        )

    def _triggers(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        # AFTER the write, so that NEW holds the stored values; ABORT rolls back the whole statement. The other bookings
        # do not overlap each other, so the first booking that ends after the new start decides: one step in an index.
        body = (
            f"FOR EACH ROW WHEN NEW.{BLOCKING_SQL} BEGIN "
            f"SELECT RAISE(ABORT, '{self.name}') WHERE NEW.end_time > ("
            "SELECT other.start_time FROM %(table)s AS other "
            f"WHERE other.resource_id = NEW.resource_id AND other.{BLOCKING_SQL} "
            "AND other.end_time > NEW.start_time AND other.id <> NEW.id ORDER BY other.end_time LIMIT 1); END"
        )
        events = {"insert": "AFTER INSERT", "update": "AFTER UPDATE OF id, resource_id, start_time, end_time, status"}
        return [
            self._statement(
                model,
                schema_editor,
                f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_{suffix}')} {event} ON %(table)s {body}",
            )
            for suffix, event in events.items()
        ]


class TimesCompareAsText(OwnConstraint):
    """Both times lie in the years 1 to 9999, and their stored forms compare like moments.

    PostgreSQL has a type for moments. SQLite stores times as text, so they must have Django's form, the only one that
    compares correctly: ``YYYY-MM-DD HH:MM:SS`` in UTC, with six decimals unless the fraction is zero.
    """

    def constraint_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> str:
        rule = " AND ".join(self._rule(column, schema_editor) for column in ("start_time", "end_time"))
        return f"CONSTRAINT {schema_editor.quote_name(self.name)} CHECK ({rule})"

    def validate(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own signature
        """Check nothing: Django always writes this form."""

    def _rule(self, column: str, schema_editor: BaseDatabaseSchemaEditor) -> str:
        if schema_editor.connection.vendor == "postgresql":
            return f"{column} >= '0001-01-01 00:00:00+00' AND {column} < '10000-01-01 00:00:00+00'"
        digits = "[0-9]" * 6
        # Without a modifier strftime() accepts 31 February. length() of a text stops at a NUL, that of a BLOB does not.
        return (
            f"typeof({column}) = 'text' AND substr({column}, 1, 4) >= '0001' "
            f"AND strftime('%Y-%m-%d %H:%M:%S', substr({column}, 1, 19), '+0 seconds') IS substr({column}, 1, 19) "
            f"AND (length(CAST({column} AS BLOB)) = 19 OR (length(CAST({column} AS BLOB)) = 26 "
            f"AND substr({column}, 20) GLOB '.{digits}' AND substr({column}, 20) <> '.000000'))"
        )


class AppendOnly(OwnConstraint):
    """Rows are inserted, and hardly ever updated or deleted: triggers on both databases.

    An update may fill the columns in `set_once` while they are null, and give the columns in `blanked` the value there.
    A row can be deleted once it is `kept_days` old. PostgreSQL refuses TRUNCATE.

    The triggers of SQLite name each column. A migration that adds or removes a column of the table must remove this
    constraint before and add it afterwards; a test compares the columns.
    """

    def __init__(
        self, *, name: str, set_once: Sequence[str], blanked: Mapping[str, str | None], kept_days: int
    ) -> None:
        super().__init__(name=name)
        self.set_once, self.blanked, self.kept_days = tuple(set_once), dict(blanked), kept_days

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "set_once": self.set_once, "blanked": self.blanked, "kept_days": self.kept_days}

    def constraint_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> None:
        """Nothing for CREATE TABLE; the triggers are created after the table."""
        make = self._on_postgresql if schema_editor.connection.vendor == "postgresql" else self._on_sqlite
        schema_editor.deferred_sql.extend(make(model, schema_editor))

    def create_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        """The triggers on PostgreSQL; None on SQLite, where Django rebuilds the table instead."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        sql = "; ".join(statement.template for statement in self._on_postgresql(model, schema_editor))
        return self._statement(model, schema_editor, sql)

    def remove_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        """Drops the triggers on PostgreSQL; None on SQLite, where Django rebuilds the table instead."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        # The triggers depend on the function.
        sql = f"DROP FUNCTION {schema_editor.quote_name(self.name)}() CASCADE"
        return self._statement(model, schema_editor, sql)

    def validate(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own signature
        """Check nothing: nobody edits such a row in a form."""

    def _on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        function = schema_editor.quote_name(self.name)
        changing = ", ".join(f"'{column}'" for column in (*self.set_once, *self.blanked))
        allowed = [
            f"to_jsonb(NEW) - ARRAY[{changing}] = to_jsonb(OLD) - ARRAY[{changing}]",
            *(f"(OLD.{column} IS NULL OR NEW.{column} IS NOT DISTINCT FROM OLD.{column})" for column in self.set_once),
            *(f"(NEW.{name} IS NOT DISTINCT FROM OLD.{name} OR {is_blank})" for name, is_blank in self._blank()),
        ]
        body = (
            f"IF TG_OP = 'UPDATE' THEN IF {' AND '.join(allowed)} THEN RETURN NEW; END IF; "
            "ELSIF TG_OP = 'DELETE' THEN "
            f"IF OLD.at < now() - interval '{self.kept_days} days' THEN RETURN OLD; END IF; "
            f"END IF; RAISE EXCEPTION '{self.name}' USING ERRCODE = 'integrity_constraint_violation';"
        )
        templates = (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_row')} BEFORE UPDATE OR DELETE ON %(table)s "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()",
            f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_truncate')} BEFORE TRUNCATE ON %(table)s "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
        )
        return [self._statement(model, schema_editor, template) for template in templates]

    def _on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        columns = [field.column for field in model._meta.local_concrete_fields]
        allowed = [
            *(f"NEW.{column} IS OLD.{column}" for column in columns if column not in (*self.set_once, *self.blanked)),
            *(f"(OLD.{column} IS NULL OR NEW.{column} IS OLD.{column})" for column in self.set_once),
            *(f"(NEW.{name} IS OLD.{name} OR {is_blank})" for name, is_blank in self._blank()),
        ]
        refusals = {
            # Without a trigger INSERT OR REPLACE would replace a row.
            "insert": "INSERT ON %(table)s FOR EACH ROW WHEN EXISTS (SELECT 1 FROM %(table)s WHERE id = NEW.id)",
            "update": f"UPDATE ON %(table)s FOR EACH ROW WHEN NOT ({' AND '.join(allowed)})",
            "delete": f"DELETE ON %(table)s FOR EACH ROW WHEN OLD.at >= datetime('now', '-{self.kept_days} days')",
        }
        return [
            self._statement(
                model,
                schema_editor,
                f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_{suffix}')} BEFORE {refusal} "
                f"BEGIN SELECT RAISE(ABORT, '{self.name}'); END",
            )
            for suffix, refusal in refusals.items()
        ]

    def _blank(self) -> Iterator[tuple[str, str]]:
        """Each column that may be blanked, and the condition for its blank value."""
        for name, value in self.blanked.items():
            yield name, f"NEW.{name} IS NULL" if value is None else f"NEW.{name} = '{value}'"
