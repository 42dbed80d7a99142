"""Signal handlers for every saved account, by whatever path: the API, the admin, a command, a shell."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models.signals import post_save, pre_save
from django.utils import timezone
from rest_framework.authtoken.models import Token

from core.accounts.identity import stored_name
from core.accounts.passwords import check_password
from core.addresses import canonical, require_visible
from core.models import UserProfile

NAMES = {"username", "first_name", "last_name", "email"}


def connect() -> None:
    """Connects the handlers, and the check of passwords; a second call changes nothing."""
    User.check_password = check_password  # type: ignore[method-assign]
    user = settings.AUTH_USER_MODEL
    pre_save.connect(store_identity, sender=user, dispatch_uid="core.store_identity")
    pre_save.connect(void_token_without_password, sender=user, dispatch_uid="core.void_token")
    post_save.connect(create_profile, sender=user, dispatch_uid="core.create_profile")
    post_save.connect(touch_profile, sender=user, dispatch_uid="core.touch_profile")


def create_profile(
    sender: type[User],
    instance: User,
    created: bool,  # noqa: FBT001
    raw: bool = False,  # noqa: FBT001, FBT002
    **kwargs: Any,  # noqa: ANN401 - Django's own
) -> None:
    """Creates the profile of a new user; a fixture (`raw`) brings its own profile."""
    if created and not raw:
        UserProfile.objects.get_or_create(user=instance)


def touch_profile(
    sender: type[User],
    instance: User,
    created: bool,  # noqa: FBT001
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - Django's own
) -> None:
    """Sets the moment of the profile's last change when the user may have another name; calendars show the name."""
    if not created and (update_fields is None or NAMES & update_fields):
        UserProfile.objects.filter(user_id=instance.pk).update(updated_at=timezone.now())


def store_identity(
    sender: type[User],
    instance: User,
    raw: bool = False,  # noqa: FBT001, FBT002
    **kwargs: Any,  # noqa: ANN401 - Django's own
) -> None:
    """Gives the name of a new user and the e-mail address of any user their stored forms before the user is saved.

    Raises:
        ValidationError: When the address of a new user has an invisible character; a fixture (`raw`) may have one.
    """
    if instance._state.adding and not raw:
        instance.username = stored_name(instance.username)
        require_visible(instance.email or "")
    instance.email = canonical(instance.email or "")


def void_token_without_password(
    sender: type[User],
    instance: User,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,  # noqa: ANN401 - Django's own
) -> None:
    """Deletes the API token before a user is saved with an unusable password; Django calls no validator then."""
    saves_password = update_fields is None or "password" in update_fields
    if instance.pk is None or not saves_password or instance.has_usable_password():
        return
    if sender._default_manager.filter(pk=instance.pk).exclude(password=instance.password).exists():
        Token.objects.filter(user_id=instance.pk).delete()
