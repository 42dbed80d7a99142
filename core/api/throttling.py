"""Rate limits: by client address, by the account that a body names, by user."""

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from core.addresses import LONGEST_SENT, canonical
from core.api import counters

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
        policy: The name of the limit in the headers.
        quota: The number of requests in a window.
        window: The length of the window, in seconds.
        remaining: The number of requests left in the window.
        reset: Seconds until the quota grows again.
        allowed: Whether the limit allowed this request.
    """

    policy: str
    quota: int
    window: int
    remaining: int
    reset: int
    allowed: bool


def limits_of(request: Request | HttpRequest) -> list[RateLimit]:
    """The states of the limits that have counted this request so far."""
    return getattr(getattr(request, "_request", request), "rate_limits", [])


def rate_limit_headers(limits: Sequence[RateLimit]) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers; of several limits, the one with the least left."""
    if not limits:
        return {}
    tightest = min(limits, key=lambda limit: (limit.remaining, -limit.reset))
    return {
        "RateLimit-Policy": f'"{tightest.policy}";q={tightest.quota};w={tightest.window}',
        "RateLimit": f'"{tightest.policy}";r={tightest.remaining};t={tightest.reset}',
    }


def parse_rate(rate: str) -> tuple[int, int]:
    """The number of requests and the window in seconds of a rate in the REST framework's notation, such as `20/min`."""
    number, period = rate.split("/")
    return int(number), {"s": 1, "m": 60, "h": 3600, "d": 86_400}[period[0]]


def account(name: str) -> str:
    """The account of a user name or e-mail address; one account for all spellings that the admin's form accepts."""
    # Capitals first: the dotless i of Turkish has the capital of the other i, by which the database finds a name.
    return unicodedata.normalize("NFKC", name).strip().upper().casefold()


def client_at(address: str) -> str:
    """The client at an address, in one notation: an IPv4 address or an IPv6 /64; text that is no address is unchanged.

    A client with an IPv6 address owns the whole /64 (RFC 6177), so a limit for each address would be no limit.
    """
    parsed = parsed_address(address)
    if parsed is None:
        return address
    return str(IPv6Network((int(parsed), 64), strict=False) if isinstance(parsed, IPv6Address) else parsed)


def parsed_address(address: str) -> IPv4Address | IPv6Address | None:
    """The address in a text, which may have a port; None for text that is no address."""
    match = WITH_PORT.fullmatch(address)
    try:
        parsed = ip_address((match["v6"] or match["v4"] or "") if match else address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


class RateThrottle(BaseThrottle):
    """A limit whose rate is read from the settings at each request; without a rate there is no limit.

    Attributes:
        scope: The name of the rate in the settings.
        counter: What the limit counts by. Limits with the same scope and counter share their counts.
        factor: The quota is this many times the number of the rate.
        limit: The state of the limit after it counted the request.
    """

    scope: str
    counter: str
    factor = 1
    limit: RateLimit

    def counted(self, request: Request) -> str | None:
        """The client or account whose requests the limit counts; None when the limit does not count this request."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: "APIView | None") -> bool:
        """Counts the request and records the state of the limit; True when the request may proceed.

        After one limit has refused a request, the following limits do not count the request. Otherwise anyone could
        fill the store with counters of made-up names, and evict the counters of others.
        """
        rates: Mapping[str, Any] = api_settings.DEFAULT_THROTTLE_RATES
        rate = rates.get(self.scope)
        limits = limits_of(request)
        if not rate or not all(limit.allowed for limit in limits):
            return True
        ident = self.counted(request)
        if ident is None:
            return True
        self.limit = self.count(ident, *parse_rate(rate))
        django_request = cast("CountedRequest", getattr(request, "_request", request))
        django_request.rate_limits = [*limits, self.limit]
        return self.limit.allowed

    def count(self, ident: str, number: int, window: int) -> RateLimit:
        """Counts a request; the key is hashed, so that any text fits and the store holds no names."""
        digest = hashlib.sha256(ident.encode("utf-8", "surrogatepass")).hexdigest()
        quota = number * self.factor
        count = counters.store.count(f"{self.scope}:{self.counter}:{digest}", quota, window)
        # The quota of a policy is the same in each response, so a limit with a factor is a policy of its own.
        policy = self.scope if self.factor == 1 else f"{self.scope}_{self.counter}"
        remaining = max(0, quota - count.used) if count.allowed else 0
        reset = max(1, math.ceil(count.reset))
        return RateLimit(policy, quota, window, remaining, reset, count.allowed)

    def wait(self) -> float:
        """Seconds until the limit may allow a request again, at least 1."""
        return self.limit.reset


def seconds_to_wait(request: HttpRequest, throttles: Sequence[type[RateThrottle]]) -> int:
    """Counts a request of a plain view; the seconds to wait if a limit refuses the request, otherwise 0."""
    limits = [throttle() for throttle in throttles]
    # The limits of plain views read nothing that Django's request lacks.
    refused = [limit for limit in limits if not limit.allow_request(cast("Request", request), None)]
    return max((limit.limit.reset for limit in refused), default=0)


class AddressThrottle(RateThrottle):
    """Counts by client address."""

    counter = "address"

    def counted(self, request: Request) -> str | None:
        return client_at(self.get_ident(request) or "")


class AccountThrottle(RateThrottle):
    """Counts by the account that the body names, from all addresses together.

    Attributes:
        account_field: The field of the body with the name of the account.
    """

    counter = "account"
    account_field = "username"

    def counted(self, request: Request) -> str | None:
        """The account; None when the body names no account. A number counts as its digits."""
        data = getattr(request, "data", None) or getattr(request, "POST", {})
        name = data.get(self.account_field) if hasattr(data, "get") else None
        if isinstance(name, bool) or not isinstance(name, str | int | float):
            return None
        return account(str(name))


class OfSignedIn(RateThrottle):
    """Counts signed-in callers only; a mixin before the throttle that says by what they count."""

    def counted(self, request: Request) -> str | None:
        return super().counted(request) if request.user.is_authenticated else None


class OfSentPassword(OfSignedIn):
    """Counts the bodies with the caller's own password, right or wrong; a mixin, too."""

    def counted(self, request: Request) -> str | None:
        sends_password = isinstance(request.data, Mapping) and "current_password" in request.data
        return super().counted(request) if sends_password else None


class SignInByAddress(AddressThrottle):
    """Sign-ins from one address."""

    scope = "sign_in"


class SignInByAccount(AccountThrottle):
    """Sign-ins as one user.

    The quota is larger than the quota of an address. Otherwise one client could use up the quota of an account, and
    lock its owner out everywhere. An address cannot use more than its own quota on one account, so a limit of both
    together would never refuse a request first.
    """

    factor = 5
    scope = "sign_in"


class PasswordGuessByUser(SignInByAccount):
    """Guesses of the caller's own password, for example with a stolen token; counted with the sign-ins as that user."""

    def counted(self, request: Request) -> str | None:
        return account(request.user.get_username()) if request.user.is_authenticated else None


class PasswordGuessByAddress(OfSignedIn, SignInByAddress):
    """Guesses of the caller's own password from one address; counted with the sign-ins from that address."""


class SentPasswordByUser(OfSentPassword, PasswordGuessByUser):
    """Guesses of the caller's own password in a body that may hold one."""


class SentPasswordByAddress(OfSentPassword, PasswordGuessByAddress):
    """The same guesses from one address."""


class RegistrationByAddress(AddressThrottle):
    """Registrations from one address."""

    scope = "registration"


class PasswordResetByAddress(AddressThrottle):
    """Password resets from one address."""

    scope = "password_reset"


class PasswordResetByAccount(AccountThrottle):
    """Password resets of one e-mail address; each mail of a stranger's brings its reader a link that works."""

    scope = "password_reset"
    account_field = "email"

    def counted(self, request: Request) -> str | None:
        """The address in its stored form, so that all spellings of a mailbox count together."""
        address = super().counted(request)
        return canonical(address[:LONGEST_SENT]) if address is not None else None


class ConfirmationByUser(PasswordResetByAccount):
    """Links to confirm the caller's e-mail address; counted with the password resets of that address."""

    def counted(self, request: Request) -> str | None:
        """The address; None for anonymous callers, and for users without an address."""
        return (account(request.user.email) or None) if request.user.is_authenticated else None


class ConfirmationByAddress(OfSignedIn, PasswordResetByAddress):
    """The same calls from one client address."""


class AnonymousThrottle(AddressThrottle):
    """All other requests of anonymous callers."""

    scope = "anonymous"

    def counted(self, request: Request) -> str | None:
        """The address; None for signed-in callers."""
        return None if request.user and request.user.is_authenticated else super().counted(request)


class UserThrottle(RateThrottle):
    """All other requests of one user."""

    scope = counter = "user"

    def counted(self, request: Request) -> str | None:
        """The user; None for anonymous callers."""
        return str(request.user.pk) if request.user and request.user.is_authenticated else None


class NewEmailByUser(OfSentPassword, UserThrottle):
    """New e-mail addresses of one user, each of which gets a mail; without the password no address changes."""

    scope = "password_reset"
    counter = "new_email"

    def counted(self, request: Request) -> str | None:
        """The user; None for a body without an address."""
        user = super().counted(request)
        return user if user is not None and "email" in request.data else None


SIGN_IN: tuple[type[RateThrottle], ...] = (SignInByAddress, SignInByAccount)
PASSWORD_GUESS: tuple[type[BaseThrottle], ...] = (AnonymousThrottle, PasswordGuessByAddress, PasswordGuessByUser)
PASSWORD_IF_SENT: tuple[type[BaseThrottle], ...] = (
    AnonymousThrottle,
    UserThrottle,
    SentPasswordByAddress,
    SentPasswordByUser,
    NewEmailByUser,
)
CONFIRMATION: tuple[type[BaseThrottle], ...] = (AnonymousThrottle, ConfirmationByAddress, ConfirmationByUser)
