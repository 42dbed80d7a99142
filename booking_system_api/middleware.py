"""What wraps every request: its id and its line in the log, the health probe."""

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from booking_system_api.logs import without_secrets
from booking_system_api.views import HEALTH_PATH, health

logger = logging.getLogger(__name__)

REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._-]{8,64}")

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLogMiddleware:
    """Gives the request an id, answers it as `X-Request-ID`, and logs each failed request in one line.

    An id sent along by a proxy or a client is kept when it is 8 to 64 letters, digits, dots, dashes or underscores.
    The line has no query string and no body: nothing secret gets into the log.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer and log."""
        sent = request.headers.get("X-Request-ID", "")
        request.request_id = sent if REQUEST_ID_PATTERN.fullmatch(sent) else uuid.uuid4().hex  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        if response.status_code >= 400:
            logger.log(
                logging.ERROR if response.status_code >= 500 else logging.WARNING,
                "%s %s %s user=%s request=%s",
                request.method,
                without_secrets(request.path.encode("unicode_escape").decode()),
                response.status_code,
                known_user_id(request),
                request.request_id,  # type: ignore[attr-defined]
            )
        return response


def known_user_id(request: HttpRequest) -> object:
    """The id of the user where one was already looked up, else `-`; never asks the database."""
    user = getattr(request, "_cached_user", None)
    direct = request.__dict__.get("user")
    if direct is not None and not isinstance(direct, SimpleLazyObject):
        user = direct
    return getattr(user, "pk", None) or "-"


class HealthMiddleware:
    """Answers the health probe before anything looks at the host, the scheme or the session."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the probe, or pass the request on."""
        return health(request) if request.path_info == HEALTH_PATH else self.get_response(request)
