"""The answer with a file: CSV while it is read, a workbook once it is written; and the row of the record."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

from django.db.models import QuerySet
from django.http import HttpRequest

from core.api.lists import StreamedList, logged
from core.api.pagination import bounded_count
from core.api.rendering import CsvRenderer, WorkbookRenderer
from core.errors import BookingError
from core.exports.sheets import Sheet
from core.exports.tables import Parts, Table
from core.exports.writing import CHUNK, DoesNotFit, write_csv, write_xlsx

# Fewer rows at once than in JSON: an exported row is longer, and one part is read while another one is written.
AT_ONCE = 2_000
# A workbook is written before its first byte is sent, and the browser waits.
MOST_IN_BROWSER = 100_000

MEDIA_TYPES = {
    CsvRenderer.format: f"{CsvRenderer.media_type}; charset=utf-8",
    WorkbookRenderer.format: WorkbookRenderer.media_type,
}
FORMS = tuple(MEDIA_TYPES)


class TooManyRows(BookingError):
    """The list has too many rows for a workbook that is made while somebody waits."""

    code = "too_many_rows"
    message = (
        f"A workbook has at most {MOST_IN_BROWSER} rows here. Take CSV, which has no limit, narrow the list by "
        "filters, or let the operator run manage.py export_bookings."
    )
    field = "format"
    advice = f"A workbook has at most {MOST_IN_BROWSER} rows. Send `format=csv`, or more filters."


class NoWorkbook(BookingError):
    """A workbook cannot hold the list."""

    code = "no_workbook"
    message = "A workbook cannot hold this list. Take CSV."
    field = "format"
    advice = "A workbook cannot hold the list: a text is longer than 32 767 characters. Send `format=csv`."


class FileMaker(Protocol):
    """What can be written as a file of either form; `form` is one of `FORMS`."""

    @property
    def name(self) -> str: ...

    @property
    def form(self) -> str: ...

    def csv(self) -> Iterator[bytes]:
        """The file as CSV, in parts."""

    def write_workbook(self, file: IO[bytes]) -> None:
        """Writes the file as a workbook; raises `DoesNotFit` when a workbook cannot hold it."""


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A table that is made already.

    Attributes:
        sheet: The table.
        name: The name of the file, without the day and the form.
        form: The form of the file.
    """

    sheet: Sheet
    name: str
    form: str

    def csv(self) -> Iterator[bytes]:
        """The file as CSV."""
        return write_csv(self.sheet)

    def write_workbook(self, file: IO[bytes]) -> None:
        """Writes the file as a workbook."""
        write_xlsx(self.sheet, file)


@dataclass(slots=True)
class Export:
    """One export of a list.

    Attributes:
        table: The table.
        form: The form of the file: one of `FORMS`.
        parts: The rows, as far as they are read at once.
        done: Called with the number of rows after the last row was read, before the end of the file is sent.
        number: How many rows were read.
    """

    table: Table
    form: str
    parts: Parts
    done: Callable[[int], object] | None = None
    number: int = 0

    @property
    def name(self) -> str:
        return self.table.name

    def sheet(self) -> Sheet:
        """The table, whose rows are counted while they are read."""
        return self.table.sheet(self.parts, self.count)

    def count(self, rows: int) -> None:
        self.number += rows

    def finish(self) -> None:
        """Tells that the last row was read."""
        if self.done is not None:
            self.done(self.number)

    def csv(self) -> Iterator[bytes]:
        """The file as CSV. Its last part waits until the export is on record: nobody has a whole file without that."""
        held = b""
        for part in write_csv(self.sheet()):
            if held:
                yield held
            held = part
        self.finish()
        yield held

    def write_workbook(self, file: IO[bytes]) -> None:
        """Writes the file as a workbook.

        Raises:
            DoesNotFit: When a workbook cannot hold the table.
        """
        write_xlsx(self.sheet(), file)
        self.finish()


def require_few_rows(rows: QuerySet[Any], form: str) -> None:
    """Checks that a list is short enough for its form.

    Raises:
        TooManyRows: For a workbook of more than `MOST_IN_BROWSER` rows.
    """
    if form == WorkbookRenderer.format and bounded_count(rows, most=MOST_IN_BROWSER) is None:
        raise TooManyRows


def file_answer(request: HttpRequest, export: FileMaker, *, now: datetime, headers: dict[str, str]) -> StreamedList:
    """The answer with the file; one to HEAD makes none.

    Raises:
        NoWorkbook: When a workbook cannot hold the table.
    """
    name = f"{export.name}-{now:%Y-%m-%d}.{export.form}"
    headers = {**headers, "Content-Disposition": f'attachment; filename="{name}"'}
    if request.method == "HEAD":
        parts: Iterable[bytes] = ()
    elif export.form == CsvRenderer.format:
        parts = logged(export.csv(), request)
    else:
        file = TemporaryFile()  # noqa: SIM115 - open until the answer is sent
        try:
            export.write_workbook(file)
        except DoesNotFit as error:
            file.close()
            raise NoWorkbook(str(error)) from error
        except BaseException:
            file.close()
            raise
        headers["Content-Length"] = str(file.tell())
        parts = FileParts(file)
    return StreamedList(parts, content_type=MEDIA_TYPES[export.form], headers=headers)


class FileParts:
    """A file from its beginning, in parts. It is closed after the last one, or by the answer if nobody reads so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(0)
        with self.file:
            yield from iter(partial(self.file.read, CHUNK), b"")

    def close(self) -> None:
        self.file.close()
