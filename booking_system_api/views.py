"""What belongs to no app: the probe of the platform, and the icon."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static

from core.api.exception_handler import error_body

HEALTH_PATH = "/health/"


def health(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; asks no database. Any method but GET and HEAD is a 405."""
    if request.method not in ("GET", "HEAD"):
        body = error_body(405, "method_not_allowed", "Only GET and HEAD are allowed here.")
        return JsonResponse(body, status=405, headers={"Allow": "GET, HEAD"})
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


def favicon(request: HttpRequest) -> HttpResponse:
    """The icon of the admin and the browsable API, which browsers ask for at this address."""
    return HttpResponseRedirect(static("core/icon.svg"))
