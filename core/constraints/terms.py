"""The version of the terms of a resource."""

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

from core.constraints.base import TriggerConstraint

# The integers that JSON carries exactly (RFC 8259, section 6).
LARGEST_VERSION = 2**53


class VersionsTerms(TriggerConstraint):
    """Each write of a row of rules gives its resource another `terms_version`, also by SQL.

    A row whose `resource_id` is null holds for all resources, and gives each of them another version. A version is a
    random number: a number that a transaction rolled back never comes again, so a copy of the rules in memory is right
    as long as the resource has the version of the copy.
    """

    def on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        function = schema_editor.quote_name(self.name)
        change = f"UPDATE core_resource SET terms_version = floor(random() * {LARGEST_VERSION})::bigint"
        body = " ".join(
            f"IF TG_OP <> '{other}' THEN IF {row}.resource_id IS NULL THEN {change}; "
            f"ELSE {change} WHERE id = {row}.resource_id; END IF; END IF;"
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
        change = f"UPDATE core_resource SET terms_version = abs(random() %% {LARGEST_VERSION})"
        rows = {"insert": ("NEW",), "update": ("NEW", "OLD"), "delete": ("OLD",)}
        return [
            self._statement(
                model,
                schema_editor,
                f"CREATE TRIGGER {schema_editor.quote_name(f'{self.name}_{event}')} AFTER {event.upper()} ON %(table)s "
                "FOR EACH ROW BEGIN "
                + " ".join(f"{change} WHERE {row}.resource_id IS NULL OR id = {row}.resource_id;" for row in named)
                + " END",
            )
            for event, named in rows.items()
        ]
