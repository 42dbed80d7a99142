"""`manage.py record_existing`: gives imported bookings a history that begins with their creation."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.record.writing import record_existing, unrecorded

BATCH_SIZE = 1000


class Command(BaseCommand):
    """Records the creation of each booking without any record, in batches, and prints how far it is."""

    help = "Records the creation of bookings that have no history, such as those that were imported by SQL."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        total, done, last = unrecorded().count(), 0, 0
        while ids := list(unrecorded().filter(pk__gt=last).values_list("pk", flat=True)[:BATCH_SIZE]):
            done, last = done + record_existing(ids, now=timezone.now()), ids[-1]
            self.stdout.write(f"{done} of {total}")
        self.stdout.write(f"{done} bookings were recorded.")
