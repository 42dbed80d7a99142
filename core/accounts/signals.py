"""What follows when an account is saved, whatever path saves it: the API, the admin, a command, a shell."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.signals import post_save, pre_save
from rest_framework.authtoken.models import Token

from core.accounts.identity import folded_email
from core.models import UserProfile


def connect() -> None:
    """Listen to Django's signals; connecting twice counts once."""
    user = settings.AUTH_USER_MODEL
    pre_save.connect(fold_email, sender=user, dispatch_uid="core.fold_email")
    pre_save.connect(void_token_without_password, sender=user, dispatch_uid="core.void_token")
    post_save.connect(give_profile, sender=user, dispatch_uid="core.give_profile")


def give_profile(sender: type, instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:  # noqa: ANN401, FBT001, FBT002
    """A new user has a profile at once, whatever path made them; a fixture brings its own."""
    if created and not raw:
        UserProfile.objects.get_or_create(user=instance)


def fold_email(sender: type, instance: Any, **kwargs: Any) -> None:  # noqa: ANN401
    """E-mail addresses are stored in one form, whatever path they come by."""
    instance.email = folded_email(instance.email or "")


def void_token_without_password(
    sender: type,
    instance: User,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> None:
    """Void a user's token when the password is taken away: of that, Django tells no validator.

    To be called before a user is saved.
    """
    written = update_fields is None or "password" in update_fields
    if instance.pk is None or not written or instance.has_usable_password():
        return
    if sender._default_manager.filter(pk=instance.pk).exclude(password=instance.password).exists():
        Token.objects.filter(user_id=instance.pk).delete()
