"""Files as a spreadsheet reads them."""

import csv
import io

from openpyxl import load_workbook
from openpyxl.cell import Cell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def body_of(response) -> bytes:
    """The whole body; then the file is closed, as a server does it."""
    try:
        return response.getvalue() if response.streaming else response.content
    finally:
        close(response)


def close(response) -> None:
    """Closes what the answer reads, and not the connection to the database that the test goes on with."""
    for closer in response._resource_closers:
        closer()


def rows_of(response) -> list[dict[str, str]]:
    """The rows of a CSV answer by heading."""
    return rows_in(body_of(response))


def rows_in(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def cells_in(body: bytes) -> list[dict[str, Cell]]:
    """The cells of a workbook by heading."""
    page = load_workbook(io.BytesIO(body)).active
    headings, *rows = page.iter_rows()
    return [dict(zip([cell.value for cell in headings], row, strict=True)) for row in rows]
