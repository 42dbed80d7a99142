"""The document of the booking page, and the small page at `/` where there is no booking page."""

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from core.api.rendering import asks_for_html

# Scripts, styles and calls of this server alone, and nothing inline. Scripts send all forms.
POLICY = {"style-src-attr": None, "font-src": None, "object-src": [NONE], "form-action": [NONE], "img-src": [SELF]}


@require_safe
def front(request: HttpRequest) -> HttpResponseBase:
    """The booking page, or a small page with the ways on; for programs both are JSON."""
    if asks_for_html(request):
        response = page(request) if settings.BOOKING_PAGE else render(request, "core/page/front.html")
    else:
        response = JsonResponse({"name": "Booking system", **addresses(request)})
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
@csp_replace(POLICY)
def page(request: HttpRequest) -> HttpResponseBase:
    """The document of the booking page, the same for each of its addresses.

    Raises:
        Http404: When there is no booking page.
    """
    if not settings.BOOKING_PAGE:
        raise Http404
    response = render(request, "core/page/page.html")
    # The names of its files change with their content.
    response.headers["Cache-Control"] = "no-cache"
    return response


def addresses(request: HttpRequest) -> dict[str, str]:
    """The ways on from `/`, as absolute addresses."""
    names = {"api": "api-root", "docs": "docs", "admin": "admin:index", "health": "health"}
    return {name: request.build_absolute_uri(reverse(view)) for name, view in names.items()}
