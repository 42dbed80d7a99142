"""The constraint of the record."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

from core.constraints.base import TriggerConstraint


class AppendOnly(TriggerConstraint):
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

    def on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
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
        return self._function(
            model,
            schema_editor,
            body,
            row="BEFORE UPDATE OR DELETE ON %(table)s FOR EACH ROW",
            truncate="BEFORE TRUNCATE ON %(table)s FOR EACH STATEMENT",
        )

    def on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
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
        triggers = {
            suffix: f"BEFORE {refusal} BEGIN SELECT RAISE(ABORT, '{self.name}'); END"
            for suffix, refusal in refusals.items()
        }
        return self._triggers(model, schema_editor, **triggers)

    def _blank(self) -> Iterator[tuple[str, str]]:
        """Each column that may be blanked, and the condition for its blank value."""
        for name, value in self.blanked.items():
            yield name, f"NEW.{name} IS NULL" if value is None else f"NEW.{name} = '{value}'"
