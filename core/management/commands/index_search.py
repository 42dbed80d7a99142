"""`manage.py index_search`: an index of PostgreSQL for the search in the notes of bookings."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from core.functions import FOLDED
from core.models import Booking

EXTENSION = "pg_trgm"
INDEX = "core_booking_notes_search"
SLOWER = "Searches stay right without the index, but read the notes of each booking."

# The schema of the extension, if it is installed; where the extension is none of the server's there is no row.
FIND_EXTENSION = """
SELECT nspname FROM pg_available_extensions
LEFT JOIN pg_extension ON extname = name LEFT JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE name = %s
"""
FIND_INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class Command(BaseCommand):
    """Makes the index while bookings go on; no migration does it, since the extension is not there on every server."""

    help = "Makes an index for the search in the notes of bookings, where PostgreSQL has pg_trgm."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help="remove the index; the extension stays")

    def handle(self, *args: Any, remove: bool, **options: Any) -> None:  # noqa: ANN401
        """Makes or removes the index, and says what it did.

        Raises:
            CommandError: When the database cannot have the index, with the reason.
        """
        if connection.vendor != "postgresql":
            raise CommandError(f"Only PostgreSQL has such an index. {SLOWER}")
        if remove:
            self.drop()
            self.stdout.write(f"There is no index {INDEX} any more.")
            return
        schema = self.find_extension()
        found = self.ask(FIND_INDEX, INDEX)
        if found == [(True,)]:
            self.stdout.write(f"The index {INDEX} is there already.")
            return
        self.drop()  # one that was left invalid, by a run that was stopped
        notes, operators = connection.ops.quote_name("notes"), f"{connection.ops.quote_name(schema)}.gin_trgm_ops"
        table = connection.ops.quote_name(Booking._meta.db_table)
        self.run(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON {table} USING gin (({FOLDED.format(column=notes)}) {operators})"
        )
        # Until then PostgreSQL does not know how rare a text is.
        self.run(f"ANALYZE {table}")
        self.stdout.write(f"The index {INDEX} was made.")

    def find_extension(self) -> str:
        """The schema of the extension, which is created if the role may do that.

        Raises:
            CommandError: When the server does not have the extension, or the role may not create it.
        """
        found = self.ask(FIND_EXTENSION, EXTENSION)
        if not found:
            raise CommandError(f"This server does not have the extension {EXTENSION}. {SLOWER}")
        if found == [(None,)]:
            try:
                self.run(f"CREATE EXTENSION IF NOT EXISTS {EXTENSION}")
            except Error as error:
                raise CommandError(
                    f"This role may not create the extension: {str(error).strip()}. Let a superuser run "
                    f"CREATE EXTENSION {EXTENSION} in this database, then run this command again. {SLOWER}"
                ) from error
            self.stdout.write(f"The extension {EXTENSION} was created.")
            found = self.ask(FIND_EXTENSION, EXTENSION)
        return str(found[0][0])

    def drop(self) -> None:
        self.run(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")

    def ask(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def run(self, statement: str) -> None:
        """Executes a statement outside of a transaction."""
        with connection.cursor() as cursor:
            cursor.execute(statement)
