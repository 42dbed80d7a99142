"""The probes, the metrics and the icon, which belong to no app."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.utils.crypto import constant_time_compare

from booking_system_api.readiness import readiness, status_of
from core.api.errors import DatabaseUnavailable
from core.api.exception_handler import error_body, error_for_status

HEALTH_PATH = "/health/"
READY_PATH = "/health/ready/"
METRICS_PATH = "/metrics"


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


def metrics(request: HttpRequest) -> HttpResponse:
    """Answers Prometheus, which sends the token of the settings; 404 without one, 401 for another one."""
    if not settings.METRICS_TOKEN:
        return nothing_here()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        body = error_body(
            401, "not_authenticated", "Send `Authorization: Bearer` with the METRICS_TOKEN of the settings."
        )
        return JsonResponse(body, status=401, headers={"WWW-Authenticate": "Bearer"})
    if refusal := refusal_of(request):
        return refusal
    # Imported only where there is a token, for its libraries take memory.
    from booking_system_api.metrics import exposition

    content, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(content, content_type=content_type, headers={"Cache-Control": "no-store"})


def nothing_here() -> HttpResponse:
    """The answer of an address at which there is nothing."""
    return JsonResponse(error_for_status(404, "")[1], status=404)


def refusal_of(request: HttpRequest) -> HttpResponse | None:
    """The answer of a probe to methods other than GET and HEAD."""
    if request.method in ("GET", "HEAD"):
        return None
    body = error_body(405, "method_not_allowed", "Only GET and HEAD are allowed here.")
    return JsonResponse(body, status=405, headers={"Allow": "GET, HEAD"})


def favicon(request: HttpRequest) -> HttpResponse:
    """Redirects browsers to the icon of the admin and the browsable API."""
    return HttpResponseRedirect(static("core/icon.svg"))
