"""`manage.py deliver_notifications`: sends what waits; with `--watch` for ever, for NOTIFICATIONS=worker."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.outbox import worker
from core.outbox.delivery import Tally


class Command(BaseCommand):
    """Delivers what is due. Any number of them may run at once, beside web processes, too."""

    help = "Sends the messages that are due, reminders included."

    def add_arguments(self, parser: CommandParser) -> None:
        """One option."""
        parser.add_argument("--watch", action="store_true", help="go on until stopped, looking every two seconds")

    def handle(self, *args: Any, watch: bool, **options: Any) -> None:  # noqa: ANN401
        """Deliver once, or until a signal; the message on its way is finished first."""
        stopping = threading.Event()
        if not watch:
            self.stdout.write(in_words(worker.run_due(now=timezone.now())))
            return
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopping.set())
        self.stdout.write("Delivering messages as they come.")
        self.stdout.flush()
        worker.watch(stopping, report=self.stderr.write)


def in_words(tally: Tally) -> str:
    """What a run did, as a sentence."""
    words = {"sent": "sent", "retried": "to be tried again", "failed": "failed", "dropped": "dropped"}
    counts = [f"{tally[name]} {said}" for name, said in words.items()]
    return ", ".join([*counts, f"{tally['written']} reminders written."])
