"""The entity diagrams in docs/architecture.md and the models of `core` say the same: references, then columns."""

import re

from django.apps import apps
from django.db import models

from core.tests.support.documents import ARCHITECTURE

TABLE = re.compile(r"^ {4}(\w+) \{\n(.*?)^ {4}\}$", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"^ {8}(\w+) (\w+)(?: ((?:PK|FK|UK)(?:, (?:PK|FK|UK))*))?(?: \"[^\"]+\")?$")
REFERENCE = re.compile(r"^ {4}(\w+) (\S+) (\w+) : \"[^\"]+\"$", re.MULTILINE)

# The words of the diagram for what a field stores.
TYPES = {
    models.AutoField: "integer",
    models.BigIntegerField: "bigint",
    models.BooleanField: "boolean",
    models.CharField: "varchar",
    models.DateField: "date",
    models.DateTimeField: "timestamptz",
    models.IntegerField: "integer",
    models.JSONField: "json",
    models.PositiveIntegerField: "integer",
    models.PositiveSmallIntegerField: "smallint",
    models.TextField: "text",
    models.TimeField: "time",
    models.UUIDField: "uuid",
}

# table -> its columns, each with its type and its marks
Tables = dict[str, dict[str, tuple[str, set[str]]]]


def diagram() -> str:
    """The diagram of the references and, in the appendix, that of the columns."""
    references, columns = [block for block in ARCHITECTURE.blocks("mermaid") if block.startswith("erDiagram")]
    assert columns in ARCHITECTURE.chapter("Appendix: the columns")
    return references + columns


def drawn_tables() -> Tables:
    tables: Tables = {}
    for name, body in TABLE.findall(diagram()):
        assert name not in tables
        columns = [COLUMN.match(line) for line in body.splitlines()]
        assert all(columns), body
        tables[name] = {match[2]: (match[1], set((match[3] or "").split(", ")) - {""}) for match in columns if match}
        assert len(tables[name]) == len(columns)
    return tables


def stored_tables() -> Tables:
    return {
        model._meta.db_table: {field.column: (type_of(field), marks_of(field)) for field in model._meta.concrete_fields}
        for model in apps.get_app_config("core").get_models()
    }


def type_of(field: models.Field) -> str:
    stored = field.target_field if field.remote_field else field
    return next(TYPES[kind] for kind in type(stored).__mro__ if kind in TYPES)


def marks_of(field: models.Field) -> set[str]:
    marks = {"PK"} if field.primary_key else {"UK"} if field.unique else set()
    return marks | ({"FK"} if field.remote_field else set())


def stored_references() -> set[tuple[str, str, str]]:
    """Each reference: the table that is referred to, how many rows stand on both sides, the table that refers."""
    found = set()
    for model in apps.get_app_config("core").get_models():
        for field in model._meta.concrete_fields:
            if field.remote_field:
                many = "o|" if field.one_to_one else "o{"
                one = "|o" if field.null else "||"
                found.add((field.related_model._meta.db_table, f"{one}--{many}", model._meta.db_table))
    return found


def test_it_has_every_table_with_every_column_and_no_other() -> None:
    drawn, stored = drawn_tables(), stored_tables()
    assert drawn.keys() == stored.keys()
    for table, columns in stored.items():
        assert drawn[table] == columns, table


def test_it_has_every_reference_and_no_other() -> None:
    drawn = REFERENCE.findall(diagram())
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == stored_references()


def test_each_line_of_it_was_read() -> None:
    lines = diagram().count("\n")
    tables = drawn_tables()
    read = sum(len(columns) + 2 for columns in tables.values()) + len(REFERENCE.findall(diagram()))
    assert read + len(["erDiagram", "erDiagram"]) == lines
