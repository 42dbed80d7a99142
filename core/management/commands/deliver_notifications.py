"""`manage.py deliver_notifications`: sends what waits; with `--watch` for ever, for NOTIFICATIONS=worker."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from core.notifications.delivery import deliver_due

LOOK_EVERY_SECONDS = 2


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
            self.stdout.write(f"{deliver_due(now=timezone.now())}.")
            return
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopping.set())
        self.stdout.write("Delivering messages as they come.")
        self.stdout.flush()
        while not stopping.is_set():
            self.look(stopping)
            stopping.wait(LOOK_EVERY_SECONDS)

    def look(self, stopping: threading.Event) -> None:
        """Deliver once; a database that is away is asked again at the next look."""
        try:
            deliver_due(now=timezone.now(), stopping=stopping)
        except (DatabaseError, InterfaceError) as error:
            self.stderr.write(f"The database cannot be asked now ({type(error).__name__}).")
            connections.close_all()
