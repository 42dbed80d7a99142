"""The check of a user name and a password, for every sign-in: by token, by JSON Web Token, in the admin."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from core.accounts.identity import user_named


class NameBackend(ModelBackend):
    """Django's own check, but for a name in its stored form and in any case."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,  # noqa: ANN401 - Django's own
    ) -> User | None:
        """The active user with that name and password, or None."""
        if username is None or password is None:
            return None
        user = user_named(username)
        if user is None:
            # Hash the password as for a known name, so that the time of the answer does not tell which names exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
