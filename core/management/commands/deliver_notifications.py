"""`manage.py deliver_notifications`: sends due messages once, or with `--watch` until a signal."""

import logging
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core.outbox import worker
from core.outbox.delivery import Tally

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    """Sends due messages; any number of processes may run this command, next to web processes."""

    help = "Sends the messages that are due, reminders included."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--watch", action="store_true", help="go on until stopped, looking every two seconds")

    def handle(self, *args: Any, watch: bool, **options: Any) -> None:  # noqa: ANN401
        """Sends once, or until SIGTERM or SIGINT; then the messages on their way have ten seconds."""
        if not watch:
            self.stdout.write(summary(worker.run_due(now=timezone.now())))
            return
        logger.info("Booking system %s", settings.VERSION)
        # The thread inherits the blocked signals, so that only `sigwait` receives them.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        thread = worker.Worker(worker.PROCESS_POLL_SECONDS)
        thread.start()
        worker.process_started.send(self.__class__)
        logger.info("Delivering messages as they come.")
        signal.sigwait(STOP_SIGNALS)
        thread.stop()


def summary(tally: Tally) -> str:
    """The result of a run, as a sentence."""
    phrases = {"sent": "sent", "retried": "to be tried again", "failed": "failed", "dropped": "dropped"}
    counts = [f"{tally[name]} {phrase}" for name, phrase in phrases.items()]
    return ", ".join([*counts, f"{tally['written']} reminders written."])
