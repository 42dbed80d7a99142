"""The answers that are files: their shapes and examples."""

from datetime import datetime
from typing import Any

from core.api.rendering import CsvRenderer, FileRenderer, WorkbookRenderer
from core.exports.tables import Row, Table
from core.exports.writing import csv_text
from core.schema.examples import BOOKING, RESOURCE

Schema = dict[str, Any]

SHAPES: dict[str, Schema] = {
    CsvRenderer.format: {"type": "string", "description": "The first line has the names of the columns."},
    WorkbookRenderer.format: {"type": "string", "format": "binary"},
}
BYTES = "(the bytes of the workbook)"

MOMENTS = ("start_time", "end_time", "created_at")
BOOKING_ROW: Row = {
    **BOOKING,
    **{name: datetime.fromisoformat(str(BOOKING[name])) for name in MOMENTS},
    "first_name": "Alice",
    "last_name": "Liddell",
    "email": "alice@example.org",
    "staff_note": "",
    "time_zone": "Europe/Berlin",
}
RESOURCE_ROW: Row = {**RESOURCE, "reason_required": False, "time_zone": "Europe/Berlin"}


def csv_of(table: Table, row: Row) -> str:
    """The file of one row, as an example."""
    return csv_text(table.sheet([[row]], count=lambda number: None))


def file_bodies(files: list[FileRenderer], example: str) -> Schema:
    """The bodies of an answer by media type.

    Args:
        files: The files that the view answers.
        example: An example of the CSV.
    """
    examples = {CsvRenderer.format: example, WorkbookRenderer.format: BYTES}
    return {
        file.media_type: {
            "schema": SHAPES[file.format],
            "examples": {"example": {"value": examples[file.format]}},
        }
        for file in files
    }
