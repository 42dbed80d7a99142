"""Connects messages to the events of accounts: the app's own, and Django's signals.

Every change of an account sends Django's signals, whichever view or command makes it.
"""

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.signals import post_save, pre_delete, pre_save
from django.utils import timezone

from core import events
from core.addresses import canonical
from core.notifications import limits, messages


def connect() -> None:
    """Subscribes to the events and signals; connecting twice counts once."""
    events.subscribe(events.PasswordResetRequested, messages.password_reset_requested)
    events.subscribe(events.EmailEntered, messages.email_entered)
    pre_save.connect(before_user_saved, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.before_user_saved")
    post_save.connect(on_user_saved, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.on_user_saved")
    pre_delete.connect(on_user_deletion, sender=settings.AUTH_USER_MODEL, dispatch_uid="core.on_user_deletion")


def before_user_saved(
    sender: type[User], instance: User, update_fields: frozenset[str] | None = None, **kwargs: object
) -> None:
    """Remembers the stored e-mail address until the user has been saved; receives `pre_save`."""
    saves_email = update_fields is None or "email" in update_fields
    stored = sender._default_manager.filter(pk=instance.pk) if instance.pk and saves_email else User.objects.none()
    instance._email_before = stored.values_list("email", flat=True).first()  # type: ignore[attr-defined]  # our own


def on_user_saved(sender: type, instance: User, created: bool, raw: bool = False, **kwargs: object) -> None:
    """Tells a user about a new password or another e-mail address, whoever has set it; receives `post_save`.

    Django keeps a new password in `_password` until the user has been saved. `_password` stays None if Django only
    upgrades the hash at a sign-in.
    """
    password = instance._password  # type: ignore[attr-defined]  # the stubs leave out the attribute
    if not created and not raw and password is not None:
        messages.password_changed(instance, now=timezone.now())
    before = instance._email_before  # type: ignore[attr-defined]  # set before the save
    if not raw and before and canonical(before) != instance.email:
        messages.email_changed(instance, before=before, now=timezone.now())


def on_user_deletion(sender: type, instance: User, **kwargs: object) -> None:
    """Tells staff which slots become free; receives `pre_delete`, in the transaction of the deletion."""
    now = timezone.now()
    messages.slots_freed(instance, now=now)
    limits.keep_counting(instance, now=now)
