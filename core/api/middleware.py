"""What the API promises where no view is reached: bodies and their sizes, the default cache rule, errors of Django."""

import contextlib
import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers

from core.api.exception_handler import error_body, error_for_status

# Bytes of a refused body that are read and forgotten before the answer.
MOST_DISCARDED = 64 * 1024 * 1024
PRIVATE = "private, no-cache"
UNREADABLE_CHARSET = "Send the body in UTF-8; other character sets are not read."

GetResponse = Callable[[HttpRequest], HttpResponse]


class BodilessMiddleware:
    """Leaves out the bodies that HTTP leaves out, and what would be wrong to say of them (RFC 9110, section 8.6).

    HEAD is told the length of what GET would send. Django says a length of 0 for a 204 or a 304, which have none.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, without a body where none belongs."""
        response = self.get_response(request)
        if response.status_code in (204, 304):
            response.headers.pop("Content-Length", None)
        elif request.method == "HEAD" and not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


def discard_body(request: HttpRequest) -> None:
    """Read what a client is still sending: it would not hear an answer from a server that hangs up meanwhile."""
    left = MOST_DISCARDED
    # OSError: the client is gone. AssertionError: Django's test client, about a length that is not the body's.
    with contextlib.suppress(OSError, AssertionError):
        while left > 0 and (part := request.read(65_536)):
            left -= len(part)


class ApiErrorsMiddleware:
    """Holds the API's promises where the REST framework does not reach.

    Bodies that are too large, of unknown length or in an unknown character set are refused before they are read, and
    whatever error Django itself answers below `/api/` (a bad host, an HTML page) becomes the flat JSON object.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse or pass on, then mend the form of an error."""
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        refused = self.refuse(request)
        if refused is not None:
            discard_body(request)
            return refused
        response = self.get_response(request)
        if response.status_code >= 400:
            discard_body(request)
        if response.status_code >= 400 and not hasattr(response, "data"):
            flat = self.answer(*error_for_status(response.status_code, request.request_id))  # type: ignore[attr-defined]
            for name in ("Allow", "Retry-After"):
                if name in response.headers:
                    flat.headers[name] = response.headers[name]
            return flat
        return response

    def refuse(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to a body that will not be read, if that is what it is."""
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and request.headers.get("Transfer-Encoding"):
            return self.answer(411, error_body(411, "length_required", "Send the body with a Content-Length header."))
        if length and not re.fullmatch(r"[0-9]{1,18}", length):
            return self.answer(400, error_body(400, "bad_request", "Content-Length must be a whole number."))
        if length and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            limit = f"The body may have at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes."
            return self.answer(413, error_body(413, "body_too_large", limit))
        charset = request.content_params.get("charset", "utf-8") if request.content_params else "utf-8"
        if charset.strip("'\"").lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
            return self.answer(415, error_body(415, "unsupported_media_type", UNREADABLE_CHARSET))
        return None

    def answer(self, status: int, body: dict[str, object]) -> HttpResponse:
        """The error as a response."""
        return JsonResponse(body, status=status)


class ApiCacheMiddleware:
    """Says who may keep an answer below `/api/` (RFC 9111), if its view did not say it.

    By default the caller's own browser may, and asks again each time.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/api/"):
            patch_vary_headers(response, ("Authorization", "Cookie"))
            response.headers.setdefault("Cache-Control", PRIVATE)
        return response
