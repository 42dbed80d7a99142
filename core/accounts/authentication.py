"""Authentication by API token and by JSON Web Token, each rejected when older than `TOKEN_MAX_AGE_DAYS`."""

from datetime import UTC, datetime, timedelta
from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt import authentication as jwt
from rest_framework_simplejwt import tokens

from core.prepared import TEXT, prepared

# The claim of OpenID Connect for the moment of the sign-in, in seconds since 1970.
SIGN_IN_CLAIM = "auth_time"


class SignInExpired(AuthenticationFailed):
    """The token is of a sign-in that is older than the operator allows."""

    default_code = "sign_in_expired"
    default_detail = "This sign-in is too old. Sign in again."
    advice = "The operator limits how long a sign-in counts. Sign in again."


def is_too_old(signed_in_at: datetime, *, now: datetime) -> bool:
    """Whether the sign-in is older than `TOKEN_MAX_AGE_DAYS`."""
    days = settings.TOKEN_MAX_AGE_DAYS
    return days is not None and signed_in_at + timedelta(days=days) <= now


def require_recent(signed_in_at: datetime) -> None:
    """Rejects a token whose sign-in is too old.

    Raises:
        SignInExpired: When the sign-in is too old.
    """
    if is_too_old(signed_in_at, now=timezone.now()):
        raise SignInExpired


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <key>`."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        """The user of the token, and the token.

        Raises:
            AuthenticationFailed: For an unknown token, an inactive user or an old sign-in.
        """
        token = token_with_user.first(key=key)
        if token is None:
            raise AuthenticationFailed(_("Invalid token."))
        if not token.user.is_active:
            raise AuthenticationFailed(_("User inactive or deleted."))
        require_recent(token.created)
        return token.user, token


@prepared(key=TEXT)
def token_with_user(*, key: str) -> QuerySet[Token]:
    """The token and its user."""
    return Token.objects.select_related("user").filter(key=key)


class JWTAuthentication(jwt.JWTAuthentication):
    """`Authorization: JWT <token>`."""

    # simplejwt declares a type variable here that no argument binds, so no override can match.
    def get_user(self, validated_token: tokens.Token) -> User:  # type: ignore[override]
        """The user of the token.

        Raises:
            AuthenticationFailed: For an inactive or missing user, a changed password or an old sign-in.
        """
        signed_in_at = validated_token.get(SIGN_IN_CLAIM)
        if signed_in_at is not None:
            require_recent(datetime.fromtimestamp(signed_in_at, tz=UTC))
        return cast(User, super().get_user(validated_token))
