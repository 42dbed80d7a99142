"""What is told of each request that ended: one line of the log, and the facts for whoever counts requests."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.functional import SimpleLazyObject

from booking_system_api.logs import REQUEST_FACTS, REQUEST_TEXT, without_secrets
from core.api.throttling import AddressThrottle, parsed_address

if TYPE_CHECKING:
    from rest_framework.request import Request

logger = logging.getLogger(__name__)

NOTHING = "-"
JSON = "application/json"
METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))
# The converter in the pattern of an address, such as `<int:pk>`.
CONVERTER = re.compile(r"<\w+:")
# The routes of the probes and of Prometheus: a line only when they fail.
QUIET_ROUTES = frozenset(("/health/", "/health/ready/", "/metrics"))
# Kept as they are in a path: what neither ends a word of the log nor quotes one.
PATH_SIGNS = "/:@+$,-_.!~*()"


@dataclass(frozen=True, slots=True)
class Ended:
    """A request that ended, without anything of a person or a query string.

    Attributes:
        request_id: The id that the client got, too.
        method: The method; `OTHER` for one that no view knows, `-` for a request that could not be read.
        route: The pattern of the address, such as `/api/bookings/<pk>/`; `-` where nothing is.
        status: The status of the answer.
        seconds: From the first look at the request to the head of the answer.
        user: The id of the user; None for nobody, or for one whom nothing had to load.
        client: The address of the client; `-` for what is no address.
        code: The `code` of an error of the API; empty for others.
        path: The path of a failed request below `/api/`; empty for others.
        reason: The kind of the error, for a request that could not be read.
    """

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    user: object = None
    client: str = NOTHING
    code: str = ""
    path: str = ""
    reason: str = ""


_observers: list[Callable[[Ended], None]] = []


def observe(observer: Callable[[Ended], None]) -> None:
    """Tells an observer of each request that ends from now on; a second time changes nothing."""
    if observer not in _observers:
        _observers.append(observer)


def tell(ended: Ended) -> None:
    """Writes the line of a request, and tells the observers."""
    for observer in _observers:
        observer(ended)
    if ended.status < 400 and ended.route in QUIET_ROUTES:
        return
    level = logging.ERROR if ended.status >= 500 else logging.WARNING if ended.status >= 400 else logging.INFO
    if not logger.isEnabledFor(level):
        return
    facts: dict[str, Any] = {name: getattr(ended, name, None) for name in REQUEST_FACTS}
    facts["ms"] = round(ended.seconds * 1000, 1)
    more = {name: value for name in ("path", "reason") if (value := getattr(ended, name))}
    shown = facts if ended.user is not None else {**facts, "user": NOTHING}
    text = REQUEST_TEXT + "".join(f" {name}=%({name})s" for name in more)
    logger.log(level, text, {**shown, **more}, extra={**facts, **more})


def tell_unread(request_id: str, status: int, code: str, seconds: float, client: str, reason: str) -> None:
    """Tells of a request that the server refused before anything read it.

    Args:
        request_id: The id that the client got.
        status: The status of the answer.
        code: The `code` in the answer.
        seconds: Since the connection waited for the request.
        client: The address that connected, which is that of a proxy, if there is one.
        reason: The kind of the error.
    """
    address = parsed_address(client)
    shown = NOTHING if address is None else str(address)
    tell(Ended(request_id, NOTHING, NOTHING, status, seconds, client=shown, code=code, reason=reason))


def ended(request: HttpRequest, response: HttpResponseBase, request_id: str, seconds: float) -> Ended:
    """The facts of a request that Django answered; reads nothing from the database."""
    is_failed = response.status_code >= 400
    return Ended(
        request_id=request_id,
        method=request.method if request.method in METHODS else "OTHER",
        route=route_of(request),
        status=response.status_code,
        seconds=seconds,
        user=loaded_user_id(request),
        client=client_of(request),
        code=code_of(response) if is_failed else "",
        path=written(request.path) if is_failed and request.path_info.startswith("/api/") else "",
    )


def route_of(request: HttpRequest) -> str:
    """The pattern of the address, also where a middleware answered before a view was looked for."""
    match = request.resolver_match
    if match is None:
        if request.path_info.startswith(settings.STATIC_URL):
            return f"{settings.STATIC_URL}<path>"
        try:
            match = resolve(request.path_info, getattr(request, "urlconf", None))
        except Resolver404:
            return NOTHING
    return NOTHING if match.url_name == "nothing-here" else simple(match.route, match.url_name)


# There are only as many routes as patterns of addresses.
@lru_cache(maxsize=1000)
def simple(route: str, name: str | None) -> str:
    """A route without regular expressions and converters; its name, where it is an expression as a whole."""
    found = CONVERTER.sub("<", simplify_regex(route)).replace("\\", "")
    return f"/<{name}>" if "|" in found else found


def loaded_user_id(request: HttpRequest) -> object:
    """The id of the request's user if the user is already loaded, else None; never queries the database."""
    user = getattr(request, "_cached_user", None)
    assigned = request.__dict__.get("user")
    if assigned is not None and not isinstance(assigned, SimpleLazyObject):
        user = assigned
    return getattr(user, "pk", None)


def client_of(request: HttpRequest) -> str:
    """The address of the client, behind as many proxies as the settings trust."""
    address = parsed_address(AddressThrottle().get_ident(cast("Request", request)) or "")
    return NOTHING if address is None else str(address)


def written(path: str) -> str:
    """A path as it stands in the log: one word in ASCII, without secrets."""
    return without_secrets(quote(path, safe=PATH_SIGNS, errors="replace"))


def code_of(response: HttpResponseBase) -> str:
    """The `code` of a flat error; empty for another answer."""
    body = getattr(response, "data", None)
    if body is None and isinstance(response, HttpResponse) and response.headers.get("Content-Type") == JSON:
        try:
            body = json.loads(response.content)
        except ValueError:
            return ""
    code = body.get("code") if isinstance(body, Mapping) else None
    return code if isinstance(code, str) else ""
