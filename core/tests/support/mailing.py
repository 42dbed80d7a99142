"""Delivery in tests: no thread sends anything there, a test delivers what is due."""

from datetime import datetime

import pytest
from django.utils import timezone

from core.outbox import worker
from core.outbox.delivery import Run, Tally
from core.record import relay
from core.record.models import BookingEvent


def deliver(*, now: datetime | None = None) -> Tally:
    """Send what is due at that moment, or now."""
    return worker.run_due(now=now or timezone.now())


def hand_on() -> int:
    """Turn what is on record into messages, and send nothing; return the number of the acts."""
    waiting = BookingEvent.objects.filter(handed_at=None)
    number = waiting.count()
    relay.hand_on(Run(timezone.now()))
    return number - waiting.count()


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What delivery logged."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name in ("core.outbox.delivery", "core.notifications.channel")
    ]
