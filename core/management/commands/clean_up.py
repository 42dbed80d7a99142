"""`manage.py clean_up`: deletes expired rows; run by cron or the platform's scheduler."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.settings import api_settings as jwt_settings
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from core.api.idempotency import KEYS_KEPT_FOR
from core.api.models import IdempotencyKey
from core.notifications.models import MESSAGES_KEPT_FOR, Notification

BATCH_SIZE = 1000


class Command(BaseCommand):
    """Deletes expired sessions, tokens and idempotency keys and old messages, and prints the number of each."""

    help = "Deletes expired sessions, tokens and idempotency keys, and old messages."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        for name, expired in expired_rows(timezone.now()).items():
            self.stdout.write(f"{name}: {delete_in_batches(expired)} deleted")


def expired_rows(now: datetime) -> dict[str, QuerySet[Any]]:
    """The expired rows by the name to print."""
    days = settings.TOKEN_MAX_AGE_DAYS
    old_tokens = Token.objects.none() if days is None else Token.objects.filter(created__lte=now - timedelta(days=days))
    return {
        "Sessions": Session.objects.filter(expire_date__lte=now),
        "Tokens": old_tokens,
        # A token counts for a little longer, and its row knows whether somebody has used or voided it.
        "JSON Web Tokens": OutstandingToken.objects.filter(expires_at__lte=now - jwt_settings.LEEWAY),
        "Idempotency keys": IdempotencyKey.objects.filter(created_at__lte=now - KEYS_KEPT_FOR),
        "Messages": Notification.objects.filter(done_at__lte=now - MESSAGES_KEPT_FOR),
    }


def delete_in_batches(rows: QuerySet[Any]) -> int:
    """Deletes the rows in batches, each in its own transaction; returns the number of rows."""
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:BATCH_SIZE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted
