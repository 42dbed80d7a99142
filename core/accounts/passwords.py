"""Password rules beyond Django's own, and the end of API tokens on a password change."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from rest_framework.authtoken.models import Token


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
