"""`manage.py send_reminders`: for cron, where no process sends messages continuously."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.management.commands.deliver_notifications import summary
from core.outbox import worker


class Command(BaseCommand):
    """Writes due reminders, each once even with other processes at work, and sends all due messages."""

    help = "Sends the reminders that are due, each once, and all else that waits."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        self.stdout.write(summary(worker.run_due(now=timezone.now())))
