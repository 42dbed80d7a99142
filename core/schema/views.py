"""The description of the API, and two pages to read it on.

What is served is the committed `openapi.yaml`; a test says when it is stale. So no server loads what generates it.
"""

import hashlib
import json
from functools import cache
from typing import Any

import yaml
from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api.etags import conditional_response
from core.api.rendering import JSONUnlessStaffBrowser
from core.api.views import ApiView

PATH = settings.BASE_DIR / "openapi.yaml"
YAML, JSON = "application/yaml", "application/json"
OFFERED = [YAML, JSON, "application/vnd.oai.openapi+json"]
MEANT = {"yaml": YAML, "json": JSON}


@cache
def document(media_type: str) -> tuple[bytes, str]:
    """The description in one of its two forms, and its entity tag."""
    body = PATH.read_bytes()
    if media_type == JSON:
        body = json.dumps(yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class OpenView(ApiView, APIView):
    """Open to all; a stale token that is sent along does not matter."""

    permission_classes = (AllowAny,)
    authentication_classes = ()


class YamlOrJson(JSONUnlessStaffBrowser):
    """The forms of the description; its errors are JSON."""

    formats = tuple(MEANT)
    help_text = "YAML or JSON, whatever `Accept` says."


class SchemaView(OpenView):
    """The API in OpenAPI 3.1."""

    about = "The description of the API in OpenAPI 3.1."
    content_negotiation_class = YamlOrJson

    def get(self, request: Request) -> HttpResponse:
        """As YAML, or as JSON where the caller asks for it."""
        asked = request.query_params.get("format")
        found = MEANT[asked] if asked else request._request.get_preferred_type(OFFERED)
        media_type = JSON if found and found != YAML else YAML
        body, tag = document(media_type)
        content_type = f"{YAML}; charset=utf-8" if media_type == YAML else JSON
        response = conditional_response(
            request,
            tag,
            lambda: HttpResponse(body, content_type=content_type),
            Cache_Control="public, max-age=0, must-revalidate",
        )
        patch_vary_headers(response, ("Accept",))
        return response


class PageView(OpenView):
    """A page about the API. It loads nothing from elsewhere."""

    schema = None
    template = ""

    def get(self, request: Request, **options: Any) -> HttpResponse:  # noqa: ANN401
        """The page."""
        return render(request._request, self.template)


# Swagger UI draws its arrows with pictures in its style sheet.
@method_decorator(csp_update({"img-src": "data:"}), name="dispatch")
class SwaggerView(PageView):
    """Read and try."""

    about = "A page to read about the API and to try it."
    template = "core/docs/swagger.html"


# Redoc writes its style into the page, and looks things up in a worker that it makes from a text.
@method_decorator(csp_update({"style-src": UNSAFE_INLINE, "worker-src": "blob:", "img-src": "data:"}), name="dispatch")
class RedocView(PageView):
    """Read."""

    about = "A page to read about the API."
    template = "core/docs/redoc.html"
