"""Who calls: tokens of both kinds, neither older than the settings allow."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework import authentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt import authentication as jwt
from rest_framework_simplejwt import tokens

# The claim of OpenID Connect for the moment of the sign-in, in seconds.
SIGNED_IN_AT = "auth_time"


def is_too_old(signed_in_at: datetime, *, now: datetime) -> bool:
    """Whether a sign-in of that moment does not count any more."""
    days = settings.TOKEN_MAX_AGE_DAYS
    return days is not None and signed_in_at + timedelta(days=days) <= now


def require_young(signed_in_at: datetime) -> None:
    """Refuse a token of a sign-in that is too old.

    Raises:
        AuthenticationFailed: When it is.
    """
    if is_too_old(signed_in_at, now=timezone.now()):
        raise AuthenticationFailed("This sign-in is too old. Sign in again.", code="sign_in_expired")


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <key>`."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        """The user and the token."""
        user, token = super().authenticate_credentials(key)
        require_young(token.created)
        return user, token


class JWTAuthentication(jwt.JWTAuthentication):
    """`Authorization: JWT <token>`."""

    def get_user(self, validated_token: tokens.Token) -> User:
        """The user of the token."""
        signed_in_at = validated_token.get(SIGNED_IN_AT)
        if signed_in_at is not None:
            require_young(datetime.fromtimestamp(signed_in_at, tz=UTC))
        return super().get_user(validated_token)
