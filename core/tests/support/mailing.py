"""Delivery in tests: no thread sends anything there, a test delivers what is due."""

from datetime import datetime

from django.utils import timezone

from core.outbox import worker
from core.outbox.delivery import Tally


def deliver(*, now: datetime | None = None) -> Tally:
    """Send what is due at that moment, or now."""
    return worker.run_due(now=now or timezone.now())
