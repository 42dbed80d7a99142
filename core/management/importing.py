"""The base of the commands that import a CSV file."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.exports.importing import Outcome
from core.exports.reading import Unreadable

# A progress line follows each so many lines.
TOLD_EACH = 1_000


class ImportingCommand(BaseCommand):
    """Prints a line for each refused line of the file, and how far it is to the error output.

    Attributes:
        noun: The name of the rows.
        read: Imports a file, line by line.
    """

    noun: ClassVar[str]
    read: ClassVar[Callable[..., Iterator[Outcome]]]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a CSV file in UTF-8; its first line has the names of columns")
        parser.add_argument("--dry-run", action="store_true", help="list the lines that are refused, and write nothing")

    def handle(self, *args: Any, file: str, dry_run: bool, **options: Any) -> None:  # noqa: ANN401
        done = refused = 0
        try:
            for outcome in type(self).read(file, dry_run=dry_run):
                if outcome.refusal:
                    refused += 1
                    self.stdout.write(f"line {outcome.number}: {outcome.refusal}")
                else:
                    done += 1
                if (done + refused) % TOLD_EACH == 0:
                    self.stderr.write(f"{done + refused} lines read, {refused} refused", ending="\n")
        except Unreadable as error:
            raise CommandError(f"{error} {self.result(done, refused, dry_run=dry_run)}") from error
        result = self.result(done, refused, dry_run=dry_run)
        if refused:
            raise CommandError(result)
        self.stdout.write(result)

    def result(self, done: int, refused: int, *, dry_run: bool) -> str:
        """What the command did."""
        verb = "would be imported" if dry_run else "imported"
        return f"{done} {self.noun} {verb}, {refused} {'line' if refused == 1 else 'lines'} refused."
