"""`manage.py check_bookings`: lists the coming bookings that break the present rules of their resources."""

from datetime import UTC
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.intervals import in_short
from core.policies.fitting import misfits


class Command(BaseCommand):
    """Prints the bookings, and how far it is to the error output; changes nothing."""

    help = "Lists the coming bookings that are too short, too long, off the grid or outside of opening hours by now."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        read = broken = 0
        for number, found in misfits(now=timezone.now()):
            if read:
                self.stderr.write(f"{read} read", ending="\n")
            for booking, code in found:
                slot = f"{in_short(booking.slot, UTC)} UTC"
                self.stdout.write(
                    "\t".join((str(booking.pk), booking.resource.name, slot, booking.user.get_username(), code))
                )
            read, broken = read + number, broken + len(found)
        self.stdout.write(f"{broken} of {read} coming bookings break the present rules.")
