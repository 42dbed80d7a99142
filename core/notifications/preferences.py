"""What users want to be told: the verbs that change their preferences."""

import contextlib

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction

from core.notifications.kinds import Kind
from core.notifications.models import NotificationPreferences
from core.querysets import locked

ALL = "all"


def preferences_of(user: object) -> NotificationPreferences:
    """A user's preferences, or the defaults, which are not stored."""
    try:
        return user.notification_preferences  # type: ignore[attr-defined]
    except ObjectDoesNotExist:
        return NotificationPreferences(user=user)


def change(user: User, **wanted: object) -> NotificationPreferences:
    """Store what the user wants; what is not named stays."""
    preferences, _ = NotificationPreferences.objects.get_or_create(user=user)
    for name, value in wanted.items():
        setattr(preferences, name, value)
    preferences.save(update_fields=list(wanted))
    return preferences


def switch_off(user: User, kind: str) -> None:
    """No more messages of that kind, or of all that a user can do without; nothing happens where that was so."""
    kinds = Kind.optional() if kind == ALL else (Kind(kind),)
    wanted = {each.value: False for each in kinds if each != Kind.BOOKING_REMINDER}
    if Kind.BOOKING_REMINDER in kinds:
        wanted["reminder_minutes"] = None
    change(user, **wanted)


@transaction.atomic
def refuse_address(user: User, address: str) -> bool:
    """Send nothing more to an address whose reader knows nothing of the account; says whether it was still its own."""
    found = locked(get_user_model()._default_manager.filter(pk=user.pk, email=address)).first()
    if found is not None:
        change(found, refused_address=address)
    return found is not None


def remember_address(user_id: int | None, address: str) -> None:
    """Note that the user was written to at that address.

    The mail has gone out, so no failure may stop its row from being marked: without the note the next mail merely says
    once more how to refuse such mails. The account may have been deleted meanwhile.
    """
    known = {"known_address": address}
    with contextlib.suppress(DatabaseError), transaction.atomic():
        NotificationPreferences.objects.update_or_create(user_id=user_id, defaults=known)
