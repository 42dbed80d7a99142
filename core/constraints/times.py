"""The constraints on the slots of bookings."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

from core.choices import BookingStatus
from core.constraints.base import OwnConstraint

BLOCKING_SQL = "status IN ({})".format(", ".join(f"'{status.value}'" for status in BookingStatus.blocking()))


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
        schema_editor.deferred_sql.extend(self._on_sqlite(model, schema_editor))
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

    def _on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
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
        triggers = {suffix: f"{event} ON %(table)s {body}" for suffix, event in events.items()}
        return self._triggers(model, schema_editor, **triggers)


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
