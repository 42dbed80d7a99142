"""The answers to errors outside `/api/`: a small page for browsers, the API's JSON for programs.

Django asks these views with `DEBUG` off, and for a form without its token always. No page needs the database.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.views import csrf, defaults

from core.api.exception_handler import error_for_status
from core.api.rendering import asks_for_html


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django refuses, such as one with the name of another host."""
    return answer(request, defaults.bad_request(request, exception))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for which somebody lacks the right."""
    return answer(request, defaults.permission_denied(request, exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address without a page."""
    return answer(request, defaults.page_not_found(request, exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """An error of ours."""
    return answer(request, defaults.server_error(request))


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token; `CSRF_FAILURE_VIEW` names this view."""
    return answer(request, csrf.csrf_failure(request, reason))


def answer(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """The page for a browser; for whoever does not ask for HTML, JSON with the same status."""
    if not asks_for_html(request):
        status, body = error_for_status(page.status_code, getattr(request, "request_id", ""))
        page = JsonResponse(body, status=status)
    patch_vary_headers(page, ["Accept"])
    return page
