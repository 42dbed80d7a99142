"""The set of addresses below /api/ and their methods."""

import re
from collections.abc import Iterator, Sequence

from django.urls import URLPattern, URLResolver, get_resolver

# name: the address as a regular expression, its methods beside HEAD and OPTIONS
ROUTES = {
    "api-root": ("api/", "get"),
    "house": ("api/house/", "get"),
    "resource-list": ("api/resources/", "get post"),
    "resource-detail": ("api/resources/(?P<pk>[0-9]+)/", "delete get patch put"),
    "resource-timelines": ("api/resources/availability/", "get"),
    "resource-availability": ("api/resources/(?P<pk>[0-9]+)/availability/", "get"),
    "resource-slots": ("api/resources/(?P<pk>[0-9]+)/slots/", "get"),
    "resource-policy": ("api/resources/(?P<pk>[0-9]+)/policy/", "delete get put"),
    "resource-opening-hours": ("api/resources/(?P<pk>[0-9]+)/opening-hours/", "get put"),
    "resource-open": ("api/resources/(?P<pk>[0-9]+)/open/", "get"),
    "resource-opening-exception-list": ("api/resources/(?P<resource_id>[0-9]+)/opening-exceptions/", "get post"),
    "resource-opening-exception-detail": (
        "api/resources/(?P<resource_id>[0-9]+)/opening-exceptions/(?P<pk>[0-9]+)/",
        "delete get patch",
    ),
    "opening-exception-list": ("api/opening-exceptions/", "get post"),
    "opening-exception-detail": ("api/opening-exceptions/(?P<pk>[0-9]+)/", "delete get patch"),
    "quota-list": ("api/quotas/", "get post"),
    "quota-detail": ("api/quotas/(?P<pk>[0-9]+)/", "delete get patch"),
    "profile-quotas": ("api/profile/quotas/", "get"),
    "availability": ("api/availability/", "get"),
    "closure-list": ("api/closures/", "get post"),
    "closure-preview": ("api/closures/preview/", "post"),
    "closure-detail": ("api/closures/(?P<pk>[0-9]+)/", "delete get patch"),
    "booking-list": ("api/bookings/", "get post"),
    "booking-check": ("api/bookings/check/", "post"),
    "booking-bulk": ("api/bookings/bulk/", "post"),
    "booking-detail": ("api/bookings/(?P<pk>[0-9]+)/", "delete get patch put"),
    "booking-calendar": ("api/bookings/(?P<pk>[0-9]+)/calendar\\.ics", "get"),
    "series-calendar": ("api/series/(?P<pk>[0-9]+)/calendar\\.ics", "get"),
    "booking-history": ("api/bookings/(?P<pk>[0-9]+)/history/", "get"),
    "calendar-feed-list": ("api/calendar-feeds/", "get post"),
    "calendar-feed-detail": ("api/calendar-feeds/(?P<pk>[0-9]+)/", "delete get"),
    "series-list": ("api/series/", "get post"),
    "series-check": ("api/series/check/", "post"),
    "series-detail": ("api/series/(?P<pk>[0-9]+)/", "delete get patch"),
    "series-dates": ("api/series/(?P<pk>[0-9]+)/dates/", "get"),
    "series-cancel": ("api/series/(?P<pk>[0-9]+)/cancel/", "post"),
    "utilisation": ("api/reports/utilisation/", "get"),
    "schema": ("api/schema/", "get"),
    "docs": ("api/docs/", "get"),
    "redoc": ("api/redoc/", "get"),
    "profile-picture": ("api/profile/picture/", "patch put"),
    "preferences": ("api/profile/preferences/", "get patch"),
    "confirmation": ("api/profile/confirm-email/", "post"),
    "profile-picture-delete": ("api/profile/picture/delete/", "delete"),
    "user-list": ("api/auth/users/", "get post"),
    "user-me": ("api/auth/users/me/", "delete get patch put"),
    "user-detail": ("api/auth/users/(?P<id>[0-9]+)/", "delete get patch put"),
    "user-set-password": ("api/auth/users/set_password/", "post"),
    "user-reset-password": ("api/auth/users/reset_password/", "post"),
    "user-reset-password-confirm": ("api/auth/users/reset_password_confirm/", "post"),
    "login": ("api/auth/token/login/", "post"),
    "logout": ("api/auth/token/logout/", "post"),
    "jwt-create": ("api/auth/jwt/create/", "post"),
    "jwt-refresh": ("api/auth/jwt/refresh/", "post"),
    "jwt-verify": ("api/auth/jwt/verify/", "post"),
    "jwt-logout": ("api/auth/jwt/logout/", "post"),
}

REST_OF_THE_API = "nothing-here"


def leaves(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address with its pattern, as one regular expression."""
    for pattern in patterns:
        address = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            yield from leaves(pattern.url_patterns, address)
        elif address.startswith("api/") and pattern.name != REST_OF_THE_API:
            yield address, pattern


def methods_of(pattern: URLPattern) -> str:
    """The methods of an address beside HEAD and OPTIONS, which come by themselves."""
    view = pattern.callback
    actions = getattr(view, "actions", None)
    found = actions or [name for name in view.cls.http_method_names if hasattr(view.cls, name)]
    return " ".join(sorted(set(found) - {"head", "options"}))


def routes() -> dict[str, re.Pattern[str]]:
    """The addresses by name."""
    return {pattern.name: re.compile(address) for address, pattern in leaves(get_resolver().url_patterns)}
