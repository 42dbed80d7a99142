"""The health probe and the icon, which belong to no app."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static

from core.api.exception_handler import error_body

HEALTH_PATH = "/health/"


def health(request: HttpRequest) -> HttpResponse:
    """Answers 200 without a database query; 405 for methods other than GET and HEAD."""
    if request.method not in ("GET", "HEAD"):
        body = error_body(405, "method_not_allowed", "Only GET and HEAD are allowed here.")
        return JsonResponse(body, status=405, headers={"Allow": "GET, HEAD"})
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


def favicon(request: HttpRequest) -> HttpResponse:
    """Redirects browsers to the icon of the admin and the browsable API."""
    return HttpResponseRedirect(static("core/icon.svg"))
