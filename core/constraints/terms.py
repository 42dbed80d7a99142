"""The version of the terms of a resource."""

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

from core.constraints.base import TriggerConstraint

# The integers that JSON carries exactly (RFC 8259, section 6).
LARGEST_VERSION = 2**53


class VersionsTerms(TriggerConstraint):
    """Each write of a row of rules gives its resource another `terms_version`, also by SQL.

    The rules of all resources, whose `resource_id` is null, have their version in the table `core_house`. A version is
    a random number: a number that a transaction rolled back never comes again, so a copy of the rules in memory is
    right as long as the resource has the version of the copy.
    """

    def on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        function = schema_editor.quote_name(self.name)
        new = f"floor(random() * {LARGEST_VERSION})::bigint"
        body = " ".join(
            f"IF TG_OP <> '{other}' THEN IF {row}.resource_id IS NULL THEN "
            f"INSERT INTO core_house (id, terms_version) VALUES (1, {new}) "
            "ON CONFLICT (id) DO UPDATE SET terms_version = EXCLUDED.terms_version; "
            f"ELSE UPDATE core_resource SET terms_version = {new} WHERE id = {row}.resource_id; END IF; END IF;"
            for row, other in (("NEW", "DELETE"), ("OLD", "INSERT"))
        )
        templates = (
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {body} RETURN NULL; END $$",
            f"CREATE TRIGGER {function} AFTER INSERT OR UPDATE OR DELETE ON %(table)s "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()",
        )
        return [self._statement(model, schema_editor, template) for template in templates]

    def on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        new = f"abs(random() %% {LARGEST_VERSION})"
        rows = {"insert": ("NEW",), "update": ("NEW", "OLD"), "delete": ("OLD",)}
        return [
            self._statement(
                model,
                schema_editor,
                f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_{event}')} AFTER {event.upper()} ON %(table)s "
                f"FOR EACH ROW BEGIN {' '.join(self._bump(row, new) for row in named)} END",
            )
            for event, named in rows.items()
        ]

    def _bump(self, row: str, new: str) -> str:
        return (
            f"UPDATE core_resource SET terms_version = {new} WHERE id = {row}.resource_id; "
            f"INSERT OR REPLACE INTO core_house (id, terms_version) SELECT 1, {new} WHERE {row}.resource_id IS NULL;"
        )
