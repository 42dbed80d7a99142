"""How often somebody may call: limits per client address, per account named, per user."""

import hashlib
import math
import unicodedata
from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class RateThrottle(SimpleRateThrottle):
    """A limit whose rate is read when it is needed; no rate, no limit."""

    def get_rate(self) -> str | None:
        """The rate of this scope in the settings."""
        return api_settings.DEFAULT_THROTTLE_RATES.get(self.scope)

    def parse_rate(self, rate: str | None) -> tuple[int | None, int | None]:
        """The number and the seconds of a rate."""
        return super().parse_rate(rate) if rate else (None, None)

    def key_for(self, ident: str) -> str:
        """A key of the cache; hashed, so that any name fits and none is kept."""
        digest = hashlib.sha256(ident.encode("utf-8", "surrogatepass")).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": f"{type(self).__name__}_{digest}"}

    def wait(self) -> float:
        """Seconds until the next call may go through, at least 1."""
        return max(1, math.ceil(super().wait() or self.duration or 1))


class AddressThrottle(RateThrottle):
    """Counts by client address."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the address."""
        return self.key_for(self.get_ident(request) or "")


class AccountThrottle(RateThrottle):
    """Counts by the account that the body names."""

    account_field = "username"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the account, however it is written; None where none is named."""
        data = getattr(request, "data", None) or getattr(request, "POST", {})
        named = data.get(self.account_field) if hasattr(data, "get") else None
        if isinstance(named, bool) or not isinstance(named, str | int | float):
            return None
        # A number is taken for its digits, and the admin's form for the normal form of what was typed.
        return self.key_for(unicodedata.normalize("NFKC", str(named)).strip().casefold())


class SignInByAddress(AddressThrottle):
    """Sign-ins from one address."""

    scope = "sign_in"


class SignInByAccount(AccountThrottle):
    """Sign-ins as one user."""

    scope = "sign_in"


class RegistrationByAddress(AddressThrottle):
    """Registrations from one address."""

    scope = "registration"


class PasswordResetByAddress(AddressThrottle):
    """Password resets from one address."""

    scope = "password_reset"


class PasswordResetByAccount(AccountThrottle):
    """Password resets of one e-mail address."""

    scope = "password_reset"
    account_field = "email"


class AnonymousThrottle(AddressThrottle):
    """All other calls of those who are not signed in."""

    scope = "anonymous"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the address; None for those who are signed in."""
        return None if request.user and request.user.is_authenticated else super().get_cache_key(request, view)


class UserThrottle(RateThrottle):
    """All other calls of one user."""

    scope = "user"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the user; None for those who are not signed in."""
        return self.key_for(str(request.user.pk)) if request.user and request.user.is_authenticated else None


SIGN_IN: list[type[BaseThrottle]] = [SignInByAddress, SignInByAccount]
