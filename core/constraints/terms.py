"""The version of the terms of a resource."""

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement

from core.constraints.base import TriggerConstraint

# The integers that JSON carries exactly (RFC 8259, section 6).
LARGEST_VERSION = 2**53
# An advisory lock of PostgreSQL: new resources and rules of all resources wait for each other.
LOCK = "hashtext('core_resource_terms')"


class VersionsTerms(TriggerConstraint):
    """Each write of a row of rules gives its resource another `terms_version`, also by SQL.

    A row whose `resource_id` is null holds for all resources, and gives each of them another version. A version is a
    random number: one whose transaction was rolled back does not come again. So a copy of the rules in memory is right
    as long as the resource has the version of the copy.

    On SQLite, INSERT OR REPLACE gives no version to the resource of a replaced row.
    """

    def on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        change = f"UPDATE core_resource SET terms_version = floor(random() * {LARGEST_VERSION})::bigint"
        # Each statement sees what was committed before it. The rows are locked in the order of all locks.
        change_all = (
            f"PERFORM pg_advisory_xact_lock({LOCK}); "
            f"PERFORM 1 FROM core_resource ORDER BY id FOR NO KEY UPDATE; {change};"
        )
        by_row = " ".join(
            f"IF TG_OP <> '{other}' THEN IF {row}.resource_id IS NULL THEN {change_all} "
            f"ELSE {change} WHERE id = {row}.resource_id; END IF; END IF;"
            for row, other in (("NEW", "DELETE"), ("OLD", "INSERT"))
        )
        return self._function(
            model,
            schema_editor,
            f"IF TG_OP = 'TRUNCATE' THEN {change_all} RETURN NULL; END IF; {by_row} RETURN NULL;",
            row="AFTER INSERT OR UPDATE OR DELETE ON %(table)s FOR EACH ROW",
            truncate="AFTER TRUNCATE ON %(table)s FOR EACH STATEMENT",
        )

    def on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        change = f"UPDATE core_resource SET terms_version = abs(random() %% {LARGEST_VERSION})"
        rows = {"insert": ("NEW",), "update": ("NEW", "OLD"), "delete": ("OLD",)}
        triggers = {
            event: f"AFTER {event.upper()} ON %(table)s FOR EACH ROW BEGIN "
            + " ".join(f"{change} WHERE {row}.resource_id IS NULL OR id = {row}.resource_id;" for row in named)
            + " END"
            for event, named in rows.items()
        }
        return self._triggers(model, schema_editor, **triggers)


class AwaitsTerms(TriggerConstraint):
    """A new resource waits for the transactions that write rules of all resources.

    Such a transaction gives a version to the resources that it sees. A resource that came meanwhile would keep the
    version by which a process knows the rules of before. SQLite has one writer at a time.
    """

    def on_postgresql(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        return self._function(
            model,
            schema_editor,
            f"PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NULL;",
            insert="BEFORE INSERT ON %(table)s FOR EACH STATEMENT",
        )

    def on_sqlite(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        return []
