"""What probes and metrics tell of the outbox: how long messages have waited, and how many were given up.

A message waits since its first try was due, whatever the later tries move. Staff who send a message again begin anew.
"""

from datetime import datetime

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Min, QuerySet
from django.db.models.functions import Greatest

from core.notifications.messages import RETRY_FOR
from core.notifications.models import Notification
from core.outbox.models import State

# Retries end `RETRY_FOR` after the first try was due; those of a reminder at the start of its booking, which is sooner.
FIRST_DUE = ExpressionWrapper(F("retry_until") - RETRY_FOR, output_field=DateTimeField())
SINCE = Greatest("created_at", FIRST_DUE)


def waiting() -> QuerySet[Notification]:
    """The messages that are neither sent nor given up."""
    return Notification.objects.filter(state=State.WAITING)


def waits_since(moment: datetime) -> bool:
    """True if a message has waited since before the moment; compares columns alone, so that it costs little."""
    return waiting().filter(created_at__lt=moment, retry_until__lt=moment + RETRY_FOR).exists()


def number_and_oldest() -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest one does: later than now if all are to be sent later."""
    found = waiting().aggregate(number=Count("pk"), oldest=Min(SINCE))
    return found["number"], found["oldest"]


def given_up(*, since: datetime) -> int:
    """How many messages were given up since a moment; reads what was done since then alone."""
    return Notification.objects.filter(state=State.FAILED, done_at__gt=since).count()
