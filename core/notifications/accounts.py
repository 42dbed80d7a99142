"""What happens to accounts, as Django's signals tell it: no path around them."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from core.notifications import outbox


def password_saved(
    sender: type,
    instance: AbstractBaseUser,
    created: bool,  # noqa: FBT001 - the signal's own
    raw: bool = False,  # noqa: FBT001, FBT002
    **kwargs: Any,  # noqa: ANN401
) -> None:
    """Tell a user of a new password, whatever path set it; to be called after a user was saved.

    Django keeps the new password in `_password` until then, and only where one was set: not for one that was merely
    hashed anew at a sign-in.
    """
    if not created and not raw and instance._password is not None:
        outbox.password_changed(instance, now=timezone.now())


def account_going(sender: type, instance: AbstractBaseUser, **kwargs: Any) -> None:  # noqa: ANN401
    """Tell staff which slots become free; to be called before a user is deleted, in the same transaction."""
    outbox.slots_freed(instance, now=timezone.now())
