"""What passwords must be beyond Django's own rules, and what ends when one changes."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from rest_framework.authtoken.models import Token


class MaximumLengthValidator:
    """No password is longer than 128 characters: hashing must not become work that a stranger can order."""

    maximum = 128

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse a longer one.

        Raises:
            ValidationError: When it is longer.
        """
        if len(password) > self.maximum:
            raise ValidationError(f"This password is too long. It may have at most {self.maximum} characters.")

    def get_help_text(self) -> str:
        """For forms."""
        return f"Your password may have at most {self.maximum} characters."


class VoidTokensOnChange:
    """Voids a user's token when the password changes, whatever path changes it.

    Django calls `password_changed` of each validator after a user was saved with a new password. JSON Web Tokens
    carry a hash of the password and are void by themselves.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Any password is fine."""

    def get_help_text(self) -> str:
        """Nothing to say."""
        return ""

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Delete the token."""
        if user is not None and user.pk:
            Token.objects.filter(user_id=user.pk).delete()
