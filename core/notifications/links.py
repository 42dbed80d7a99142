"""Signed links in messages. A link works without a sign-in, permits exactly one action, and never expires."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

UNSUBSCRIBE = "core.notifications.unsubscribe"
NOT_ME = "core.notifications.not_me"
CONFIRM = "core.notifications.confirm"


def unsubscribe_url(user_id: int | None, kind: str) -> str:
    """Returns the link that switches off a kind of messages; empty if `PUBLIC_URL` is not set."""
    return page_url("unsubscribe", signing.Signer(salt=UNSUBSCRIBE).sign_object([user_id, kind]))


def not_me_url(user_id: int | None, address: str) -> str:
    """Returns the link that stops all messages to an e-mail address; empty if `PUBLIC_URL` is not set.

    It is for the reader of an address that somebody else gave as theirs.
    """
    return page_url("not-me", signing.Signer(salt=NOT_ME).sign_object([user_id, address]))


def confirm_url(user_id: int | None, address: str) -> str:
    """Returns the link by which its reader confirms an e-mail address; empty if `PUBLIC_URL` is not set."""
    return page_url("confirm-email", signing.Signer(salt=CONFIRM).sign_object([user_id, address]))


def booking_home(booking_id: int) -> str:
    """Returns where a reader looks at a booking: its address on the booking page, or as `home_of` says."""
    return home_of("bookings", booking_id)


def series_home(series_id: int) -> str:
    """Returns where a reader looks at a series: its address on the booking page, or as `home_of` says."""
    return home_of("series", series_id)


def home_of(name: str, number: int) -> str:
    """Returns an address of the booking page; `HOME_URL` where messages lead to another app of unknown addresses."""
    is_here = settings.BOOKING_PAGE and settings.HOME_URL and settings.HOME_URL == settings.PUBLIC_URL
    return f"{settings.HOME_URL}/{name}/{number}" if is_here else settings.HOME_URL


def series_url(series_id: int) -> str:
    """Returns the address of a series in the API; empty if `PUBLIC_URL` is not set."""
    return settings.PUBLIC_URL + reverse("series-detail", args=[series_id]) if settings.PUBLIC_URL else ""


def series_calendar_url(series_id: int) -> str:
    """Returns the address of the calendar file of a series; empty if `PUBLIC_URL` is not set."""
    return settings.PUBLIC_URL + reverse("series-calendar", args=[series_id]) if settings.PUBLIC_URL else ""


def page_url(name: str, token: str) -> str:
    """Returns the absolute URL of a page; empty if `PUBLIC_URL` is not set."""
    return settings.PUBLIC_URL + reverse(name, args=[token]) if settings.PUBLIC_URL else ""


def read_token(token: str, *, salt: str) -> tuple[int, str]:
    """Returns the user's id, and the kind of messages or the address, from the token of a link.

    Raises:
        BadSignature: The token was not signed here, or for the other page.
        ValueError: The token holds other values.
    """
    user_id, subject = signing.Signer(salt=salt).unsign_object(token)
    return user_id, subject
