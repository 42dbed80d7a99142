"""Middleware for every request: the request id, the line of each request, the health probe, a missing database."""

import re
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from booking_system_api import requests
from booking_system_api.views import HEALTH_PATH, METRICS_PATH, READY_PATH, health, metrics, ready
from core.api.outages import answer_to

REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._-]{8,64}")

GetResponse = Callable[[HttpRequest], HttpResponse]

if TYPE_CHECKING:

    class IdentifiedRequest(HttpRequest):
        """A request after `RequestLogMiddleware`."""

        request_id: str


class RequestLogMiddleware:
    """Gives each request an id, sends the id back as `X-Request-ID`, and tells of the request when it has ended.

    An `X-Request-ID` of the request is kept when it is 8 to 64 letters, digits, dots, dashes or underscores.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: "IdentifiedRequest") -> HttpResponse:
        began = time.perf_counter()
        proposed_id = request.headers.get("X-Request-ID", "")
        request.request_id = proposed_id if REQUEST_ID_PATTERN.fullmatch(proposed_id) else uuid.uuid4().hex
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request.request_id
        requests.tell(requests.ended(request, response, request.request_id, time.perf_counter() - began))
        return response


class PolicyMiddleware(CSPMiddleware):
    """The Content-Security-Policy of the settings, built once; the middleware of django-csp builds it each time.

    The library answers for a view that changes the policy, and for the pages of `DEBUG` about errors.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.usual = build_policy()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_changed = any(name.startswith("_csp_") for name in (*vars(request), *vars(response)))
        if is_changed or (settings.DEBUG and response.status_code in (404, 500)):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, self.usual)
        return response


class HealthMiddleware:
    """Answers probes and Prometheus before other middleware checks the host, the scheme or the session."""

    probes: ClassVar = {HEALTH_PATH: health, READY_PATH: ready, METRICS_PATH: metrics}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.probes.get(request.path_info, self.get_response)
        return answer(request)


class DatabaseAwayMiddleware:
    """Answers 503 where a view outside the API finds the database away or busy: pages and calendar feeds.

    A calendar program tries again after a 503; a 500 would look like a broken calendar.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: "IdentifiedRequest", error: Exception) -> HttpResponse | None:
        return unavailable(request, error)


class ForgivingSessionMiddleware(SessionMiddleware):
    """Django's sessions, with the same 503 where the end of a request cannot store its session."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except Error as error:
            if answer := unavailable(request, error):
                return answer
            raise


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The 503 for an error of the database that is an outage; otherwise None."""
    answer = answer_to(error, getattr(request, "request_id", ""))
    if answer is None:
        return None
    return HttpResponse(
        str(answer.detail), status=503, content_type="text/plain; charset=utf-8", headers=answer.headers
    )
