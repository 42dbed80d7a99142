"""Password rules beyond Django's own, the end of API tokens on a password change, and hashes that cannot be read."""

import logging

from django.contrib.auth import hashers
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from rest_framework.authtoken.models import Token

logger = logging.getLogger(__name__)

# What Django's hashers raise for a hash that was cut, has impossible numbers, or needs a library that is missing.
UNREADABLE = (ValueError, TypeError, AssertionError, ArithmeticError, LookupError)


def check_password(self: AbstractBaseUser, raw_password: str | None) -> bool:
    """Whether it is the user's password; no password fits a hash that cannot be read, such as one of another program.

    `signals.connect` puts it in the place of `User.check_password`, which the sign-ins, djoser's serializers and
    Django's forms call.
    """
    if self.has_usable_password():
        try:
            hashers.identify_hasher(self.password)
            return AbstractBaseUser.check_password(self, raw_password)
        except UNREADABLE:
            logger.warning(
                "The password hash of user %s cannot be read, so no password fits. Let the user reset the password by "
                "e-mail, or set a new one in the admin.",
                self.pk,
            )
    # Takes the time of a check, and fails.
    return hashers.check_password(raw_password, hashers.UNUSABLE_PASSWORD_PREFIX)


class MaximumLengthValidator:
    """Limits passwords to 128 characters: hashing a longer text would let anonymous callers burn CPU time."""

    maximum = 128

    def validate(self, password: str, user: User | None = None) -> None:
        if len(password) > self.maximum:
            raise ValidationError(f"This password is too long. It may have at most {self.maximum} characters.")

    def get_help_text(self) -> str:
        return f"Your password may have at most {self.maximum} characters."


class VoidTokensOnChange:
    """Deletes a user's API token when the password changes, by whatever path.

    Django calls `password_changed` of each validator after it has saved a user with a new password. JSON Web Tokens
    need no deletion: each carries a hash of the password, and becomes invalid with it.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Accepts every password; Django requires the method."""

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: User | None = None) -> None:
        if user is not None and user.pk:
            Token.objects.filter(user_id=user.pk).delete()
