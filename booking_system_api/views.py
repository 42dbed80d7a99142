"""The probes and the icon, which belong to no app."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static

from booking_system_api.readiness import readiness, status_of
from core.api.errors import DatabaseUnavailable
from core.api.exception_handler import error_body

HEALTH_PATH = "/health/"
READY_PATH = "/health/ready/"


def health(request: HttpRequest) -> HttpResponse:
    """Answers 200 without a database query; 405 for methods other than GET and HEAD."""
    return refusal_of(request) or JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


def ready(request: HttpRequest) -> HttpResponse:
    """Answers 503 while the database, a migration or the guard of the slots is missing; otherwise 200, with each part.

    Late messages and a Redis that is away are `degraded`: without them people still book.
    """
    if refusal := refusal_of(request):
        return refusal
    report = readiness()
    status = status_of(report)
    body = {"status": status, "version": settings.VERSION, "checks": report}
    code, headers = (503, DatabaseUnavailable.headers) if status == "unavailable" else (200, {})
    return JsonResponse(body, status=code, headers={"Cache-Control": "no-store", **headers})


def refusal_of(request: HttpRequest) -> HttpResponse | None:
    """The answer of a probe to methods other than GET and HEAD."""
    if request.method in ("GET", "HEAD"):
        return None
    body = error_body(405, "method_not_allowed", "Only GET and HEAD are allowed here.")
    return JsonResponse(body, status=405, headers={"Allow": "GET, HEAD"})


def favicon(request: HttpRequest) -> HttpResponse:
    """Redirects browsers to the icon of the admin and the browsable API."""
    return HttpResponseRedirect(static("core/icon.svg"))
