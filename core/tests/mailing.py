"""Delivery in tests: no thread sends anything there, a test delivers what is due."""

from datetime import datetime

from django.utils import timezone

from core.notifications.delivery import Tally, deliver_due


def deliver(*, now: datetime | None = None) -> Tally:
    """Send what is due at that moment, or now."""
    return deliver_due(now=now or timezone.now())
