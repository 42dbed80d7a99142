"""djoser's e-mail classes."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest
from djoser.utils import encode_uid

from core.notifications import mails


class PasswordResetEmail:
    """The way to a new password, in the form that djoser calls."""

    def __init__(self, request: HttpRequest | None = None, context: dict[str, Any] | None = None) -> None:
        self.user = (context or {})["user"]

    def send(self, to: Sequence[str]) -> None:
        """Send it to each address."""
        uid, token = encode_uid(self.user.pk), default_token_generator.make_token(self.user)
        for address in to:
            mails.password_reset(self.user, to=address, uid=uid, token=token)
