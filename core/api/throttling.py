"""Rate limits: by client address, by the account that a body names, by user."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView

    class CountedRequest(HttpRequest):
        """A request after its first throttle."""

        rate_limits: list["RateLimit"]


# An address with a port, as some proxies write it; an IPv6 address is then in brackets.
WITH_PORT = re.compile(r"\[(?P<v6>[^]]*)\](:[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The state of a limit after it counted a request.

    Attributes:
        scope: The name of the limit in the settings.
        quota: The number of requests in a window.
        window: The length of the window, in seconds.
        remaining: The number of requests left in the window.
        reset: Seconds until the quota grows again.
        allowed: Whether the limit allowed this request.
    """

    scope: str
    quota: int
    window: int
    remaining: int
    reset: int
    allowed: bool


def limits_of(request: Request | HttpRequest) -> list[RateLimit]:
    """The states of the limits that have counted this request so far."""
    return getattr(getattr(request, "_request", request), "rate_limits", [])


def rate_limit_headers(limits: Sequence[RateLimit]) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers; of a scope's counters, the one with the least left."""
    tightest: dict[str, RateLimit] = {}
    for limit in limits:
        if limit.scope not in tightest or limit.remaining < tightest[limit.scope].remaining:
            tightest[limit.scope] = limit
    policies = ", ".join(f'"{one.scope}";q={one.quota};w={one.window}' for one in tightest.values())
    states = ", ".join(f'"{one.scope}";r={one.remaining};t={one.reset}' for one in tightest.values())
    return {"RateLimit-Policy": policies, "RateLimit": states} if tightest else {}


def client_at(address: str) -> str:
    """The client at an address, in one notation: an IPv4 address or an IPv6 /64; text that is no address is unchanged.

    A client with an IPv6 address owns the whole /64 (RFC 6177), so a limit for each address would be no limit.
    """
    match = WITH_PORT.fullmatch(address)
    try:
        parsed = ip_address((match["v6"] or match["v4"] or "") if match else address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


class RateThrottle(SimpleRateThrottle):
    """A limit whose rate is read from the settings at each request; without a rate there is no limit.

    Attributes:
        scope: The name of the limit in the settings.
        counter: What the limit counts by. Limits with the same scope and counter share their counts.
        num_requests: The quota.
        duration: The window, in seconds.
    """

    scope: str
    counter = ""
    num_requests: int
    duration: int

    def get_rate(self) -> str | None:
        rates: Mapping[str, Any] = api_settings.DEFAULT_THROTTLE_RATES
        return rates.get(self.scope)

    def parse_rate(self, rate: str | None) -> tuple[int | None, int | None]:
        return super().parse_rate(rate) if rate else (None, None)

    def key_for(self, ident: str) -> str:
        """The cache key of a client or account; hashed, so that any text fits and the cache stores no names."""
        digest = hashlib.sha256(ident.encode("utf-8", "surrogatepass")).hexdigest()
        return self.cache_format % {"scope": self.scope, "ident": f"{self.counter}_{digest}"}

    def allow_request(self, request: Request, view: "APIView | None") -> bool:
        """Counts the request and records the state of the limit; True when the request may proceed.

        After one limit has refused a request, the following limits do not count the request. Otherwise anyone could
        fill the cache with counters of made-up names, and evict the counters of others.
        """
        limits = limits_of(request)
        if not all(limit.allowed for limit in limits):
            return True
        # The stub demands a view; the framework only hands the view to `get_cache_key`, and the admin has none.
        allowed = super().allow_request(request, view)  # type: ignore[arg-type]
        if self.rate is not None and self.key is not None:
            django_request = cast("CountedRequest", getattr(request, "_request", request))
            django_request.rate_limits = [*limits, self.state(allowed=allowed)]
        return allowed

    def state(self, *, allowed: bool) -> RateLimit:
        used = len(self.history)
        reset = self.duration - (self.now - self.history[-1]) if self.history else self.duration
        left = self.num_requests - used if allowed else 0
        return RateLimit(self.scope, self.num_requests, self.duration, max(0, left), max(1, math.ceil(reset)), allowed)

    def wait(self) -> float:
        """Seconds until the limit may allow a request again, at least 1."""
        return max(1, math.ceil(super().wait() or self.duration or 1))


class AddressThrottle(RateThrottle):
    """Counts by client address."""

    counter = "address"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        return self.key_for(client_at(self.get_ident(request) or ""))


class AccountThrottle(RateThrottle):
    """Counts by the account that the body names.

    Attributes:
        account_field: The field of the body with the name of the account.
    """

    counter = "account"
    account_field = "username"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key of the account; None when the body names no account. A number counts as its digits."""
        data = getattr(request, "data", None) or getattr(request, "POST", {})
        name = data.get(self.account_field) if hasattr(data, "get") else None
        if isinstance(name, bool) or not isinstance(name, str | int | float):
            return None
        return self.account_key(str(name))

    def account_key(self, name: str) -> str:
        """The key of an account; all spellings that the admin's form accepts for one user name share a key."""
        return self.key_for(unicodedata.normalize("NFKC", name).strip().casefold())


class SignInByAddress(AddressThrottle):
    """Sign-ins from one address."""

    scope = "sign_in"


class SignInByAccount(AccountThrottle):
    """Sign-ins as one user."""

    scope = "sign_in"


class PasswordGuessByUser(SignInByAccount):
    """Guesses of the caller's own password, for example with a stolen token; counted with the sign-ins as that user."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        return self.account_key(request.user.get_username()) if request.user.is_authenticated else None


class PasswordGuessByAddress(SignInByAddress):
    """Guesses of the caller's own password from one address; counted with the sign-ins from that address."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key of the address; None for anonymous callers, who have no password to guess."""
        return super().get_cache_key(request, view) if request.user.is_authenticated else None


class SentPasswordByUser(PasswordGuessByUser):
    """Guesses of the caller's own password in a body that may hold one."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key of the user; None for a body without a password, which guesses nothing."""
        return super().get_cache_key(request, view) if sends_password(request) else None


class SentPasswordByAddress(PasswordGuessByAddress):
    """The same guesses from one address."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key of the address; None for a body without a password, which guesses nothing."""
        return super().get_cache_key(request, view) if sends_password(request) else None


def sends_password(request: Request) -> bool:
    """True if the body holds the caller's own password, right or wrong."""
    return isinstance(request.data, Mapping) and "current_password" in request.data


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


class ConfirmationByUser(PasswordResetByAccount):
    """Links to confirm the caller's e-mail address; counted with the password resets of that address."""

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        return self.account_key(request.user.email) if request.user.is_authenticated else None


class AnonymousThrottle(AddressThrottle):
    """All other requests of anonymous callers."""

    scope = "anonymous"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key of the address; None for signed-in callers."""
        return None if request.user and request.user.is_authenticated else super().get_cache_key(request, view)


class UserThrottle(RateThrottle):
    """All other requests of one user."""

    scope = counter = "user"

    def get_cache_key(self, request: Request, view: "APIView | None") -> str | None:
        """The key of the user; None for anonymous callers."""
        return self.key_for(str(request.user.pk)) if request.user and request.user.is_authenticated else None


SIGN_IN: tuple[type[BaseThrottle], ...] = (SignInByAddress, SignInByAccount)
PASSWORD_GUESS: tuple[type[BaseThrottle], ...] = (AnonymousThrottle, PasswordGuessByAddress, PasswordGuessByUser)
PASSWORD_IF_SENT: tuple[type[BaseThrottle], ...] = (
    AnonymousThrottle,
    UserThrottle,
    SentPasswordByAddress,
    SentPasswordByUser,
)
CONFIRMATION: tuple[type[BaseThrottle], ...] = (AnonymousThrottle, PasswordResetByAddress, ConfirmationByUser)
