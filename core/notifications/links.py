"""Signed links in messages: they work without a sign-in, for what they say and nothing else, and never expire."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

UNSUBSCRIBE = "core.notifications.unsubscribe"
NOT_ME = "core.notifications.not_me"


def unsubscribe(user_id: int | None, kind: str) -> str:
    """The way out of messages of a kind; nothing where this server's own address is unknown."""
    return address("unsubscribe", signing.Signer(salt=UNSUBSCRIBE).sign_object([user_id, kind]))


def not_me(user_id: int | None, mailbox: str) -> str:
    """The way out for somebody whose address another one gave."""
    return address("not-me", signing.Signer(salt=NOT_ME).sign_object([user_id, mailbox]))


def address(name: str, token: str) -> str:
    """The whole address of a page."""
    return settings.PUBLIC_URL + reverse(name, args=[token]) if settings.PUBLIC_URL else ""


def read(token: str, *, salt: str) -> list:
    """What a link says.

    Raises:
        BadSignature: When it is not one of ours.
    """
    return signing.Signer(salt=salt).unsign_object(token)
