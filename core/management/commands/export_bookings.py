"""`manage.py export_bookings`: writes bookings to a file, or to the standard output."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.api.exception_handler import flatten
from core.api.pagination import all_parts, bounded_count, queryset_of
from core.api.query import Parameters
from core.exports.answers import AT_ONCE, FORMS, Export
from core.exports.tables import BOOKINGS
from core.exports.writing import MOST_ROWS, DoesNotFit
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.writing import record_export
from core.serializers import BookingListParameters
from core.views.bookings import asked_bookings

# The filters of the API's list, of the same names and meanings, and whether each takes several values.
FILTERS = {
    "resource": False,
    "status": True,
    "start_after": False,
    "start_before": False,
    "end_after": False,
    "end_before": False,
    "upcoming": False,
    "user": False,
    "series": False,
    "search": False,
    "ordering": False,
}
TOO_MANY = f"A workbook holds at most {MOST_ROWS} rows, and these are more. Write CSV: --format csv."
# A progress line follows each so many rows.
TOLD_EACH = 5 * AT_ONCE


class Command(BaseCommand):
    """Writes the bookings, and how far it is to the error output; a row of the record tells of the export."""

    help = "Writes bookings as CSV or as a workbook, with the filters of GET /api/bookings/."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", metavar="FILE", help="the file; without it CSV goes to the standard output")
        parser.add_argument("--format", choices=FORMS, help="without it the ending of FILE says so, or it is csv")
        for name, is_list in FILTERS.items():
            meaning = str(BookingListParameters._declared_fields[name].help_text or "")
            parser.add_argument(f"--{name.replace('_', '-')}", nargs="+" if is_list else None, help=meaning)

    def handle(self, *args: Any, output: str | None, format: str | None, **options: Any) -> None:  # noqa: ANN401, A002 - the option
        form = format or ("xlsx" if (output or "").lower().endswith(".xlsx") else "csv")
        sent = {name: options[name] for name in FILTERS if options[name] is not None}
        now = timezone.now()
        rows = asked_bookings(read_filters(sent), serializer=BOOKINGS.serializer, owner=None, now=now)
        if form == "xlsx" and output is None:
            raise CommandError("A workbook needs a file: --output FILE.")
        if form == "xlsx" and bounded_count(queryset_of(rows), most=MOST_ROWS) is None:
            raise CommandError(TOO_MANY)
        words = {name: sent.pop(name) for name in ("search",) if name in sent}
        act = Act(by=None, now=now, channel=Channel.COMMAND)
        done = partial(record_export, act, form, filters=sent, words=words)
        export = Export(BOOKINGS, form, self.told(all_parts(rows, at_once=AT_ONCE)), done)
        try:
            with self.opened(output) as file:
                if form == "xlsx":
                    export.write_workbook(file)
                else:
                    for part in export.csv():
                        file.write(part)
        except DoesNotFit as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The file cannot be written: {error}") from error
        self.stderr.write(f"{export.number} bookings exported.", ending="\n")

    def told(self, parts: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """The parts; tells after some of them how many rows were written."""
        written = 0
        for rows in parts:
            yield rows
            written += len(rows)
            if written % TOLD_EACH == 0 and rows:
                self.stderr.write(f"{written} written", ending="\n")

    @contextmanager
    def opened(self, output: str | None) -> Iterator[IO[bytes]]:
        """The file, or the standard output."""
        if output is not None:
            with Path(output).open("wb") as file:
                yield file
            return
        binary = getattr(self.stdout._out, "buffer", None)
        if binary is None:  # a caller in this process took the output as texts
            yield cast(IO[bytes], SimpleNamespace(write=lambda part: self.stdout.write(part.decode(), ending="")))
        else:
            sys.stdout.flush()
            yield binary
            binary.flush()


def read_filters(sent: dict[str, Any]) -> Parameters:
    """The filters, as the API reads them from a member of staff.

    Raises:
        CommandError: For a wrong value.
    """
    operator = SimpleNamespace(user=SimpleNamespace(is_staff=True, pk=None))
    parameters = BookingListParameters(data=sent, context={"request": operator})
    if not parameters.is_valid():
        raise CommandError("\n".join(f"{name}: {message}" for name, message in flatten(parameters.errors)))
    return parameters.values()
