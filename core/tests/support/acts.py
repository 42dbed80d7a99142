"""Acts for tests that call the verbs themselves."""

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from core.record.acts import Act
from core.record.kinds import Channel


def act(by: User | None, now: datetime | None = None, *, reason: str = "") -> Act:
    """An act over the API, at that moment or now."""
    return Act(by=by, now=now or timezone.now(), channel=Channel.API, reason=reason)
