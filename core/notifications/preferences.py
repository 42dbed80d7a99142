"""The verbs that read and change the preferences of users."""

import contextlib

from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction

from core.addresses import canonical
from core.notifications.kinds import Kind
from core.notifications.models import NotificationPreferences
from core.querysets import locked

ALL = "all"


def preferences_of(user: User) -> NotificationPreferences:
    """Returns a user's preferences, or an unsaved row with the defaults."""
    try:
        return user.notification_preferences
    except ObjectDoesNotExist:
        return NotificationPreferences(user=user)


def change(user: User, **values: object) -> NotificationPreferences:
    """Stores the given preferences; the others stay the same."""
    preferences, _ = NotificationPreferences.objects.get_or_create(user=user)
    preferences.user = user
    for name, value in values.items():
        setattr(preferences, name, value)
    preferences.save(update_fields=list(values))
    return preferences


def switch_off(user: User, kind: str) -> None:
    """Switches off a kind of messages, or every optional kind for `ALL`; repeating the call changes nothing."""
    kinds = Kind.optional() if kind == ALL else (Kind(kind),)
    values: dict[str, bool | None] = {each.value: False for each in kinds if each != Kind.BOOKING_REMINDER}
    if Kind.BOOKING_REMINDER in kinds:
        values["reminder_minutes"] = None
    change(user, **values)


def account_with(user: User, address: str) -> User | None:
    """Locks and returns the account if it has this address; an old link may name the address in another spelling."""
    return locked(User._default_manager.filter(pk=user.pk, email__in={address, canonical(address)})).first()


@transaction.atomic
def refuse_address(user: User, address: str) -> bool:
    """Stops all messages to an address whose reader does not own the account; False if the user has another address."""
    account = account_with(user, address)
    if account is not None:
        change(account, refused_address=account.email)
    return account is not None


@transaction.atomic
def confirm_address(user: User, address: str) -> bool:
    """Confirms an address, also one that was refused before; False if the user has another address."""
    account = account_with(user, address)
    if account is not None:
        change(account, unconfirmed_address="", refused_address="")
    return account is not None


def remember_address(user_id: int, address: str) -> None:
    """Stores that a message was sent to the user at this address.

    Database errors are ignored, such as for an account that was deleted in the meantime. The message has been sent, so
    its row must be marked in any case; if the address is not stored, the next message explains again how to refuse.
    """
    with contextlib.suppress(DatabaseError), transaction.atomic():
        # Nearly every user has a row.
        if not NotificationPreferences.objects.filter(user_id=user_id).update(known_address=address):
            NotificationPreferences.objects.update_or_create(user_id=user_id, defaults={"known_address": address})
