"""What constraints in own SQL share."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models.constraints import BaseConstraint


class OwnConstraint(BaseConstraint):
    """A constraint in own SQL, which differs between the databases."""

    def __eq__(self, other: object) -> bool:
        """True for equal definitions. Without it `makemigrations` always reports a change."""
        return isinstance(other, OwnConstraint) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """The name by which migrations know the class, whichever module of the package it is in."""
        _, args, kwargs = super().deconstruct()
        return f"core.constraints.{type(self).__name__}", args, kwargs

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

    def _triggers(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, **triggers: str
    ) -> list[Statement]:
        """A trigger for each event.

        Args:
            model: The model of the table.
            schema_editor: That of the migration.
            triggers: By the end of its name, when each trigger runs and what it does.
        """
        return [
            self._statement(
                model, schema_editor, f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_{suffix}')} {rest}"
            )
            for suffix, rest in triggers.items()
        ]


class TriggerConstraint(OwnConstraint):
    """A constraint that is made of triggers on both databases.

    For most changes of a schema Django rebuilds the SQLite table, and drops the old table's triggers with it. So each
    creation of the table creates the triggers. Their statements hold a reference to the table, because Django renames
    the new table afterwards.
    """

    def constraint_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> None:
        """Nothing for CREATE TABLE; the triggers are created after the table."""
        make = self.on_postgresql if schema_editor.connection.vendor == "postgresql" else self.on_sqlite
        schema_editor.deferred_sql.extend(make(model, schema_editor))

    def create_sql(  # type: ignore[override]
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor
    ) -> Statement | None:
        """The triggers on PostgreSQL; None on SQLite, where Django rebuilds the table instead."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        sql = "; ".join(statement.template for statement in self.on_postgresql(model, schema_editor))
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
        """Check nothing: the triggers speak of writes and not of rows."""

    def on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        """A function with the name of the constraint, and its triggers."""
        raise NotImplementedError

    def on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        """The triggers."""
        raise NotImplementedError

    def _function(
        self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor, body: str, **triggers: str
    ) -> list[Statement]:
        """The function of PostgreSQL and its triggers.

        Args:
            model: The model of the table.
            schema_editor: That of the migration.
            body: The statements of the function.
            triggers: By the end of its name, when each trigger calls the function.
        """
        function = f"{schema_editor.quote_name(self.name)}()"
        head = f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        calls = {suffix: f"{when} EXECUTE FUNCTION {function}" for suffix, when in triggers.items()}
        return [self._statement(model, schema_editor, head), *self._triggers(model, schema_editor, **calls)]
