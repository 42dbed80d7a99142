"""Writes the table of errors in docs/api.md anew, from the classes of errors."""

import re

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.schema.problems import TABLE_HEAD, table

DOCUMENT = settings.BASE_DIR / "docs" / "api.md"
WRITTEN = re.compile(rf"^{re.escape(TABLE_HEAD)}(\|.*\n)*", re.MULTILINE)


class Command(BaseCommand):
    """`make schema` runs it."""

    help = "Write the table of errors in docs/api.md anew."

    def handle(self, **options: object) -> None:
        written, tables = WRITTEN.subn(lambda _: table(), DOCUMENT.read_text(encoding="utf-8"))
        if tables != 1:
            raise CommandError(f"{DOCUMENT} has {tables} tables of errors; one is needed.")
        DOCUMENT.write_text(written, encoding="utf-8")
