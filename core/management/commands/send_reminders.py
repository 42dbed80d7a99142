"""`manage.py send_reminders`: writes the reminders that are due; for cron, where nothing delivers all the time."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.management.commands.deliver_notifications import in_words
from core.outbox import worker


class Command(BaseCommand):
    """Sends the reminders that are due, each once, whatever else runs, and all else that waits."""

    help = "Sends the reminders that are due, each once, and all else that waits."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        """Write and deliver."""
        self.stdout.write(in_words(worker.run_due(now=timezone.now())))
