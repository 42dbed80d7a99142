"""How often somebody may call: limits per client address, per account named, per user."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

# How proxies write an address: as it is, or with a port, an IPv6 one then in brackets.
WITH_PORT = re.compile(r"\[(?P<v6>[^]]*)\](:[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of a limit: calls, and seconds until there are more; and whether it let this call through."""

    scope: str
    quota: int
    window: int
    remaining: int
    reset: int
    allowed: bool


def limits_of(request: Request | HttpRequest) -> list[RateLimit]:
    """What the limits that counted this call said of it, so far."""
    return getattr(getattr(request, "_request", request), "rate_limits", [])


def rate_limit_headers(limits: Sequence[RateLimit]) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers; of several counters of one limit the tightest."""
    tightest: dict[str, RateLimit] = {}
    for limit in limits:
        if limit.scope not in tightest or limit.remaining < tightest[limit.scope].remaining:
            tightest[limit.scope] = limit
    policies = ", ".join(f'"{one.scope}";q={one.quota};w={one.window}' for one in tightest.values())
    states = ", ".join(f'"{one.scope}";r={one.remaining};t={one.reset}' for one in tightest.values())
    return {"RateLimit-Policy": policies, "RateLimit": states} if tightest else {}


def client_at(address: str) -> str:
    """Who calls from an address, however it is written; the text itself where it is none.

    Whoever has an IPv6 address has all of its /64 (RFC 6177), and would otherwise have as many calls as they like.
    """
    found = WITH_PORT.fullmatch(address)
    try:
        parsed = ip_address((found["v6"] or found["v4"] or "") if found else address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


class RateThrottle(SimpleRateThrottle):
    """A limit whose rate is read when it is needed; no rate, no limit."""

    # What is counted; limits of one scope that count the same share their counters.
    counter = ""

    def get_rate(self) -> str | None:
        """The rate of this scope in the settings."""
        return api_settings.DEFAULT_THROTTLE_RATES.get(self.scope)

    def parse_rate(self, rate: str | None) -> tuple[int | None, int | None]:
        """The number and the seconds of a rate."""
        return super().parse_rate(rate) if rate else (None, None)

    def key_for(self, ident: str) -> str:
        """A key of the cache; hashed, so that any name fits and none is kept."""
        digest = hashlib.sha256(ident.encode("utf-8", "surrogatepass")).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": f"{self.counter}_{digest}"}

    def allow_request(self, request: Request, view: "APIView | None") -> bool:
        """Whether the call may go on; either way it is noted what is left.

        One refusal is enough: the limits after it are not asked. Otherwise anybody could fill the memory with counters
        of names that they make up, and so push out those of others.
        """
        noted = limits_of(request)
        if not all(limit.allowed for limit in noted):
            return True
        allowed = super().allow_request(request, view)
        if self.rate is not None and self.key is not None:
            getattr(request, "_request", request).rate_limits = [*noted, self.state(allowed=allowed)]
        return allowed

    def state(self, *, allowed: bool) -> RateLimit:
        """What is left of the limit."""
        used = len(self.history)
        reset = self.duration - (self.now - self.history[-1]) if self.history else self.duration
        left = self.num_requests - used if allowed else 0
        return RateLimit(self.scope, self.num_requests, self.duration, max(0, left), max(1, math.ceil(reset)), allowed)

    def wait(self) -> float:
        """Seconds until the next call may go through, at least 1."""
        return max(1, math.ceil(super().wait() or self.duration or 1))


class AddressThrottle(RateThrottle):
    """Counts by client address."""

    counter = "address"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the address."""
        return self.key_for(client_at(self.get_ident(request) or ""))


class AccountThrottle(RateThrottle):
    """Counts by the account that the body names."""

    counter = "account"
    account_field = "username"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the account, however it is written; None where none is named."""
        data = getattr(request, "data", None) or getattr(request, "POST", {})
        named = data.get(self.account_field) if hasattr(data, "get") else None
        if isinstance(named, bool) or not isinstance(named, str | int | float):
            return None
        return self.key_of_account(str(named))

    def key_of_account(self, named: str) -> str:
        """The key for an account. A number is its digits, and the admin's form knows the normal form of a name."""
        return self.key_for(unicodedata.normalize("NFKC", named).strip().casefold())


class SignInByAddress(AddressThrottle):
    """Sign-ins from one address."""

    scope = "sign_in"


class SignInByAccount(AccountThrottle):
    """Sign-ins as one user."""

    scope = "sign_in"


class PasswordGuessByUser(SignInByAccount):
    """Guesses of one's own password, say by somebody who found a token: counted with the sign-ins as that user."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the user who asks."""
        return self.key_of_account(request.user.get_username()) if request.user.is_authenticated else None


class PasswordGuessByAddress(SignInByAddress):
    """Guesses of one's own password from one address: counted with the sign-ins from there."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the address; None for those who are not signed in, and so cannot guess."""
        return super().get_cache_key(request, view) if request.user.is_authenticated else None


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

    scope = counter = "user"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key for the user; None for those who are not signed in."""
        return self.key_for(str(request.user.pk)) if request.user and request.user.is_authenticated else None


SIGN_IN: tuple[type[BaseThrottle], ...] = (SignInByAddress, SignInByAccount)
PASSWORD_GUESS: tuple[type[BaseThrottle], ...] = (AnonymousThrottle, PasswordGuessByAddress, PasswordGuessByUser)
