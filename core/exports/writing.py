"""Writes a table as CSV (RFC 4180) or as a workbook (XLSX, ECMA-376), with memory for a few rows."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core.exports.sheets import Cell, Sheet, defused

# Excel takes a file without this mark for one in the encoding of its country, and shows Jürgen as JÃ¼rgen. LibreOffice
# and the readers of programs ("utf-8-sig") pass over it.
MARK = "\ufeff"
# About as many characters of CSV are in memory at once.
CHUNK = 65_536

# The limits of the format: rows below the headings, UTF-16 code units in a cell, and characters in the name of a page.
MOST_ROWS = 1_048_575
LONGEST_CELL = 32_767
LONGEST_NAME = 31
# Spreadsheets compute with 15 digits, and know no day before the year 1900.
LARGEST_EXACT = 10**15
FIRST_YEAR = 1900

OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
MOMENT_FORMAT = "yyyy-mm-dd hh:mm"
WIDTH = 18


class DoesNotFit(Exception):
    """A workbook cannot hold the table; the message says so, and what can."""


def write_csv(sheet: Sheet) -> Iterator[bytes]:
    """The table as CSV in UTF-8, in parts of about `CHUNK` bytes; each row is read when its part is asked for."""
    buffer = io.StringIO(MARK, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(map(csv_cell, sheet.headings))
    for row in sheet.rows:
        writer.writerow(map(csv_cell, row))
        if buffer.tell() >= CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def csv_text(sheet: Sheet) -> str:
    """A short table as CSV, without the mark, for an example."""
    return b"".join(write_csv(sheet)).decode().removeprefix(MARK)


def csv_cell(value: Cell) -> object:
    """The value as `csv.writer` takes it; a local time to the minute, unless it has seconds."""
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return local_text(value) if isinstance(value, datetime) else value


def local_text(local: datetime) -> str:
    """A local time as a text."""
    return local.isoformat(" ", "auto" if local.second or local.microsecond else "minutes")


def write_xlsx(sheet: Sheet, file: IO[bytes]) -> None:
    """Writes the table as a workbook of one page, which has neither formulas nor links.

    Args:
        sheet: The table.
        file: A binary file, open for writing; the rows wait in temporary files until the last one.

    Raises:
        DoesNotFit: For more than `MOST_ROWS` rows, or a text of more than `LONGEST_CELL` UTF-16 code units.
    """
    with TemporaryDirectory() as folder:
        book = Workbook(file, {**OPTIONS, "tmpdir": folder})
        try:
            book.use_zip64()
            page = book.add_worksheet(page_name(sheet.title))
            page.set_column(0, max(len(sheet.headings) - 1, 0), WIDTH)
            page.freeze_panes(1, 0)
            moments, bold = book.add_format({"num_format": MOMENT_FORMAT}), book.add_format({"bold": True})
            for column, heading in enumerate(sheet.headings):
                page.write_string(0, column, heading, bold)
            for number, row in enumerate(sheet.rows, start=1):
                if number > MOST_ROWS:
                    raise DoesNotFit(f"A workbook holds at most {MOST_ROWS} rows. Take CSV, which has no limit.")
                for column, value in enumerate(row):
                    write_cell(page, number, column, value, moments)
            book.close()
        except BaseException:
            # Otherwise its destructor would write the rest, and its temporary file would stay open.
            book.fileclosed = 1
            for page in book.worksheets():
                page.row_data_fh.close()
            raise


def page_name(title: str) -> str:
    """A name that every spreadsheet takes."""
    return re.sub(r"[\[\]:*?/\\']", " ", title)[:LONGEST_NAME].strip() or "Table"


def write_cell(page: Worksheet, row: int, column: int, value: Cell, moments: Format) -> None:
    """Writes one cell; an empty one stays out of the file.

    Raises:
        DoesNotFit: When the text is too long.
    """
    if value is None or value == "":
        return
    if isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, int | float) and abs(value) < LARGEST_EXACT:
        page.write_number(row, column, value)
    elif isinstance(value, datetime) and value.year >= FIRST_YEAR:
        page.write_datetime(row, column, value, moments)
    else:
        text = local_text(value) if isinstance(value, datetime) else str(value)
        if len(text.encode("utf-16-le")) > 2 * LONGEST_CELL or page.write_string(row, column, text) != 0:
            raise DoesNotFit(f"A cell of a workbook holds at most {LONGEST_CELL} characters. Take CSV.")
