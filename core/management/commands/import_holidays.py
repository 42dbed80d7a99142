"""`manage.py import_holidays`: closes the public holidays of a year for all resources."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import BookingError
from core.policies.holidays import NoHolidays, import_holidays
from core.policies.serializers import FIRST_YEAR, LAST_YEAR


class Command(BaseCommand):
    """Writes one exception of all resources for each public holiday, and names the days that have one already."""

    help = "Closes all resources on the public holidays of a year; staff can change each of the days afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--country", required=True, metavar="DE", help="the country, by ISO 3166-1")
        parser.add_argument("--subdivision", metavar="BY", help="the part of the country, by ISO 3166-2")
        parser.add_argument("--year", required=True, type=year, metavar="2027")
        parser.add_argument("--dry-run", action="store_true", help="print what would be done, and change nothing")

    def handle(
        self,
        *args: Any,  # noqa: ANN401
        country: str,
        subdivision: str | None,
        year: int,
        dry_run: bool,
        **options: Any,  # noqa: ANN401
    ) -> None:
        try:
            found = import_holidays(country=country.upper(), subdivision=subdivision, year=year, dry_run=dry_run)
        except (NoHolidays, BookingError) as error:
            raise CommandError(str(error)) from error
        for each in found:
            what = f"left, it has: {each.kept}" if each.kept else "would be closed" if dry_run else "closed"
            self.stdout.write(f"{each.day} {each.name}: {what}")
        new = sum(each.kept is None for each in found)
        self.stdout.write(f"{new} {'days' if new != 1 else 'day'} {'would be ' if dry_run else ''}added.")


def year(text: str) -> int:
    """A year.

    Raises:
        ArgumentTypeError: When the text is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) == 4 and FIRST_YEAR <= int(text) <= LAST_YEAR):
        raise ArgumentTypeError(f"{text} is not a year from {FIRST_YEAR} to {LAST_YEAR}")
    return int(text)
