"""What users want to be told: the verbs that change their preferences."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from core.notifications.kinds import Kind
from core.notifications.models import NotificationPreferences
from core.notifications.readers import preferences_of
from core.querysets import locked

ALL = "all"


def change(user: AbstractBaseUser, **wanted: object) -> NotificationPreferences:
    """Store what the user wants; what is not named stays."""
    preferences, _ = NotificationPreferences.objects.get_or_create(user=user)
    for name, value in wanted.items():
        setattr(preferences, name, value)
    preferences.save(update_fields=list(wanted))
    return preferences


def switch_off(user: AbstractBaseUser, kind: str) -> None:
    """No more messages of that kind, or of all that a user can do without; nothing happens where that was so."""
    kinds = Kind.optional() if kind == ALL else (Kind(kind),)
    wanted = {each.value: False for each in kinds if each != Kind.BOOKING_REMINDER}
    if Kind.BOOKING_REMINDER in kinds:
        wanted["reminder_minutes"] = None
    change(user, **wanted)


@transaction.atomic
def refuse_address(user: AbstractBaseUser, address: str) -> bool:
    """Send nothing more to an address whose reader knows nothing of the account; says whether it was still its own."""
    found = locked(get_user_model()._default_manager.filter(pk=user.pk, email=address)).first()
    if found is not None:
        change(found, refused_address=address)
    return found is not None


__all__ = ["ALL", "change", "preferences_of", "refuse_address", "switch_off"]
