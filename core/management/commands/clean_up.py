"""`manage.py clean_up`: deletes expired rows; run by cron or the platform's scheduler."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from core.api.idempotency import KEYS_KEPT_FOR
from core.api.models import IdempotencyKey
from core.notifications.models import MESSAGES_KEPT_FOR, Notification
from core.record.models import KEPT_FOR_AT_LEAST, BookingEvent

BATCH_SIZE = 1000
LONGEST_DAYS = 36_500
# The database refuses the deletion of a younger act by its own clock, which may be behind.
CLOCKS = timedelta(minutes=1)


class Command(BaseCommand):
    """Deletes expired sessions, tokens and idempotency keys and old messages; prints the numbers after each batch."""

    help = "Deletes expired sessions, tokens and idempotency keys, and old messages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--record-days",
            type=days,
            metavar="N",
            help="also delete the acts on bookings that are older than N days; without it the record stays whole",
        )

    def handle(self, *args: Any, record_days: int | None, **options: Any) -> None:  # noqa: ANN401
        now = timezone.now()
        expired = expired_rows(now)
        if record_days is not None:
            expired["Acts"] = old_acts(now - timedelta(days=record_days) - CLOCKS)
        for name, rows in expired.items():
            for number in delete_in_batches(rows):
                self.stdout.write(f"{name}: {number} deleted")


def days(text: str) -> int:
    """A number of days for which the record is kept.

    Raises:
        ArgumentTypeError: When the text is no such number.
    """
    shortest = KEPT_FOR_AT_LEAST.days
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and shortest <= int(text) <= LONGEST_DAYS):
        raise ArgumentTypeError(f"{text} is not a whole number of days from {shortest} to {LONGEST_DAYS}")
    return int(text)


def old_acts(moment: datetime) -> QuerySet[BookingEvent]:
    """The acts before the moment that the readers of the record have got."""
    return BookingEvent.objects.filter(at__lt=moment).exclude(handed_at=None).order_by("at")


def expired_rows(now: datetime) -> dict[str, QuerySet[Any]]:
    """The expired rows by the name to print, the oldest first: by their number the way leads past all younger rows."""
    days = settings.TOKEN_MAX_AGE_DAYS
    old_tokens = Token.objects.none() if days is None else Token.objects.filter(created__lte=now - timedelta(days=days))
    return {
        "Sessions": Session.objects.filter(expire_date__lte=now).order_by("expire_date"),
        "Tokens": old_tokens,
        # A token counts for a little longer, and its row knows whether somebody has used or voided it.
        "JSON Web Tokens": OutstandingToken.objects.filter(expires_at__lte=now - jwt_settings.LEEWAY),
        "Idempotency keys": IdempotencyKey.objects.filter(created_at__lte=now - KEYS_KEPT_FOR).order_by("created_at"),
        "Messages": Notification.objects.filter(done_at__lte=now - MESSAGES_KEPT_FOR).order_by("done_at"),
    }


def delete_in_batches(rows: QuerySet[Any]) -> Iterator[int]:
    """Deletes the rows in batches, each in its own transaction; yields the number so far after each, at least once."""
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:BATCH_SIZE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
        yield deleted
    if not deleted:
        yield deleted
