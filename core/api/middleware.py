"""The API's rules where no view runs: limits on bodies, the default `Cache-Control`, JSON for Django's own errors."""

import contextlib
import re
from collections.abc import Callable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.permissions import SAFE_METHODS

from core.api.errors import BadRequest, BodyTooLarge, HttpsRequired, LengthRequired
from core.api.exception_handler import body_of, error_body, error_for_status

# The most that is read and discarded of a rejected body before the response.
MAX_DISCARDED_BYTES = 64 * 1024 * 1024
PRIVATE = "private, no-cache"
UNREADABLE_CHARSET = "Send the body in UTF-8; other character sets are not read."
COMPRESSED = "Send the body without a Content-Encoding; compressed bodies are not read."

GetResponse = Callable[[HttpRequest], HttpResponse]


class BodilessMiddleware:
    """Removes the bodies that HTTP forbids, and corrects `Content-Length` (RFC 9110, section 8.6).

    An answer to HEAD gets the `Content-Length` of the answer to GET, unless that is streamed. A 204 and a 304 lose
    theirs: Django sends 0.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = self.get_response(request)
        if response.status_code in (204, 304):
            response.headers.pop("Content-Length", None)
        elif request.method == "HEAD" and isinstance(response, StreamingHttpResponse):
            response.streaming_content = ()
        elif request.method == "HEAD" and isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


def discard_body(request: HttpRequest) -> None:
    """Reads the rest of the body: a client that is still sending misses the response when the server hangs up."""
    left = MAX_DISCARDED_BYTES
    # OSError: the client is gone. AssertionError: Django's test client, when Content-Length exceeds the body.
    with contextlib.suppress(OSError, AssertionError):
        while left > 0 and (part := request.read(65_536)):
            left -= len(part)


def is_empty(request: HttpRequest) -> bool:
    """Whether a body in chunks has no byte; some clients send no body in this way."""
    if not request.META.get("wsgi.input_terminated"):
        return False  # the server does not tell the end of the body
    try:
        return not request.META["wsgi.input"].read(1)
    except Exception:  # noqa: BLE001 - each server has its own error for a broken chunk
        return False


def json_error(status: int, body: dict[str, object], headers: Mapping[str, str] | None = None) -> HttpResponse:
    """A response with an error in JSON."""
    return JsonResponse(body, status=status, headers=headers)


def unsupported(detail: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """The response to a body in a form that is not read."""
    return json_error(415, error_body(415, "unsupported_media_type", detail), headers)


class ApiErrorsMiddleware:
    """Gives errors below `/api/` the API's JSON form where the REST framework does not run.

    Rejects a write by plain http. Rejects a body that is too large, compressed, of unknown length or in an unknown
    character set before anything reads it. Converts Django's own errors, such as a bad host, from HTML to the flat JSON
    object.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        rejection = self.reject_plain_http(request) or self.reject_body(request)
        if rejection is not None:
            discard_body(request)
            return rejection
        response = self.get_response(request)
        if response.status_code >= 400:
            discard_body(request)
        if response.status_code >= 400 and not hasattr(response, "data"):
            flat = json_error(*error_for_status(response.status_code, getattr(request, "request_id", "")))
            for name in ("Allow", "Retry-After"):
                if name in response.headers:
                    flat.headers[name] = response.headers[name]
            return flat
        return response

    def reject_plain_http(self, request: HttpRequest) -> HttpResponse | None:
        """The error for a write that would be redirected to https; None for any other request.

        Clients send a GET to the address of a redirect, whatever they sent before (RFC 9110, section 15.4.2).
        """
        if not settings.SECURE_SSL_REDIRECT or request.is_secure() or request.method in SAFE_METHODS:
            return None
        return json_error(403, body_of(HttpsRequired()))

    def reject_body(self, request: HttpRequest) -> HttpResponse | None:
        """The error for a body that must not be read; None for an acceptable body."""
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and request.headers.get("Transfer-Encoding") and not is_empty(request):
            return json_error(411, body_of(LengthRequired()))
        if length and not re.fullmatch(r"[0-9]{1,18}", length):
            return json_error(400, body_of(BadRequest("Content-Length must be a whole number.")))
        if length and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            limit = f"The body may have at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
            return json_error(413, body_of(BodyTooLarge(limit)))
        charset = request.content_params.get("charset", "utf-8") if request.content_params else "utf-8"
        if charset.strip("'\"").lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            return unsupported(UNREADABLE_CHARSET)
        codings = {coding.strip().lower() for coding in request.headers.get("Content-Encoding", "").split(",")}
        if length.strip("0") and not codings <= {"", "identity"}:
            return unsupported(COMPRESSED, {"Accept-Encoding": "identity"})  # RFC 9110, section 12.5.3
        return None


class ApiCacheMiddleware:
    """Sets the default `Cache-Control` and `Vary` below `/api/` (RFC 9111).

    By default only the caller's own browser may store a response, and must revalidate it each time.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/api/"):
            patch_vary_headers(response, ("Authorization", "Cookie"))
            response.headers.setdefault("Cache-Control", PRIVATE)
        return response
