"""`manage.py expire_pending`: for cron, where no process sends messages continuously."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.expiry import expire_pending
from core.record.kinds import Channel


class Command(BaseCommand):
    """Cancels the pending bookings whose start has passed, each once even with other processes at work."""

    help = "Cancels the pending bookings whose start has passed, and prints how many."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        number = expire_pending(now=timezone.now(), channel=Channel.COMMAND)
        self.stdout.write(f"{number} bookings expired." if number != 1 else "1 booking expired.")
