"""Who tells notifications what happened: our events, and for accounts Django's signals, which no path avoids."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.signals import post_save, pre_delete
from django.utils import timezone

from core import events
from core.notifications import messages


def connect() -> None:
    """Hear of bookings and accounts; connecting twice counts once."""
    events.subscribe(events.BookingCreated, messages.booking_created)
    events.subscribe(events.BookingChanged, messages.booking_changed)
    events.subscribe(events.BookingCancelled, messages.booking_cancelled)
    events.subscribe(events.PasswordResetRequested, messages.password_reset_requested)
    post_save.connect(password_saved, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.password_saved")
    pre_delete.connect(account_going, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.account_going")


def password_saved(
    sender: type,
    instance: User,
    created: bool,  # noqa: FBT001 - the signal's own
    raw: bool = False,  # noqa: FBT001, FBT002
    **kwargs: Any,  # noqa: ANN401
) -> None:
    """Tell a user of a new password, whatever path set it; to be called after a user was saved.

    Django keeps the new password in `_password` until then, and only where one was set: not for one that was merely
    hashed anew at a sign-in.
    """
    if not created and not raw and instance._password is not None:
        messages.password_changed(instance, now=timezone.now())


def account_going(sender: type, instance: User, **kwargs: Any) -> None:  # noqa: ANN401
    """Tell staff which slots become free; to be called before a user is deleted, in the same transaction."""
    messages.slots_freed(instance, now=timezone.now())
