"""How bodies are read and written: JSON, by orjson where it is written; HTML for a browser of staff."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.template import loader
from rest_framework import parsers, renderers, serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.utils.field_mapping import ClassLookupDict
from rest_framework.utils.serializer_helpers import BoundField

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


class JSONRenderer(renderers.JSONRenderer):
    """JSON in UTF-8; moments in UTC end in `Z`."""

    def render(
        self,
        data: Any,  # noqa: ANN401 - whatever a view answers
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body; none for None."""
        if data is None:
            return b""
        indented = bool((renderer_context or {}).get("indent"))
        try:
            return orjson.dumps(data, default=JSONEncoder().default, option=OPTIONS | (orjson.OPT_INDENT_2 * indented))
        except orjson.JSONEncodeError:
            # A message repeats what was sent, which may hold half a character.
            return json.dumps(data, cls=JSONEncoder).encode()


CHOICE = {"template": "core/forms/choice.html"}
MOMENT = {"base_template": "input.html", "input_type": "text", "placeholder": "2030-01-31T09:00:00Z"}


class FormRenderer(renderers.HTMLFormRenderer):
    """Forms that send what the API reads: times with their offset, and choices that can be left out."""

    default_style = ClassLookupDict(
        {
            **renderers.HTMLFormRenderer.default_style.mapping,
            serializers.DateTimeField: MOMENT,
            # A box that is not ticked sends nothing, which would be "leave it as it is".
            serializers.BooleanField: CHOICE,
            serializers.ChoiceField: CHOICE,
        }
    )

    def render_field(self, field: BoundField, parent_style: Mapping[str, Any]) -> str:
        """The field; its value as JSON would show it."""
        if isinstance(field.value, datetime):
            field.value = field.value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        elif isinstance(field.value, bool):
            field.value = str(field.value).lower()
        return super().render_field(field, parent_style)


class BrowsableAPI(renderers.BrowsableAPIRenderer):
    """The REST framework's pages without the style sheet inside them, which the Content-Security-Policy keeps out."""

    form_renderer_class = FormRenderer
    packs = "rest_framework/vertical/"

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - the framework's own
        """What the template shows."""
        return {**super().get_context(*args, **kwargs), "code_style": None}

    def get_filter_form(self, data: Any, view: Any, request: Request) -> str | None:  # noqa: ANN401 - any view
        """The form behind the button "Filters" of a list: the query parameters of the view, filled in as sent."""
        if not isinstance(data, list):
            return None
        parameters = view.query_of_action().bound_to(request)
        parameters.is_valid()
        fields = self.form_renderer_class().render(parameters.data, None, {"style": {"template_pack": self.packs}})
        form = loader.get_template("core/forms/filters.html").render({"fields": fields})
        return loader.get_template(self.filter_template).render({"elements": [form]})


class JSONParser(parsers.JSONParser):
    """JSON; nesting deeper than Python's stack is the sender's mistake."""

    def parse(
        self,
        stream: Any,  # noqa: ANN401
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """The value.

        Raises:
            ParseError: When the body is no JSON, or nested too deeply.
        """
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class JSONUnlessStaffBrowser(DefaultContentNegotiation):
    """JSON for everybody, whatever they accept; the browsable API for a session of staff that asks for HTML."""

    formats = ("json", "api")

    def select_renderer(
        self, request: Request, renderers: list[renderers.BaseRenderer], format_suffix: str | None = None
    ) -> tuple[renderers.BaseRenderer, str]:
        """The renderer and the media type of the answer."""
        plain = renderers[0]
        wanted = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if wanted is not None and wanted not in self.formats:
            raise ValidationError({self.settings.URL_FORMAT_OVERRIDE: [f"Send {', '.join(self.formats)}."]})
        accept = request.headers.get("Accept", "")
        html = wanted == "api" if wanted else "text/html" in accept
        if html and len(renderers) > 1 and is_session_of_staff(request):
            return renderers[1], renderers[1].media_type
        return plain, plain.media_type


def is_page(request: Request | None) -> bool:
    """Whether the answer is a page of the browsable API, whose forms send all of their fields, empty ones too."""
    renderer = getattr(request, "accepted_renderer", None)
    return renderer is not None and renderer.format == BrowsableAPI.format


def is_session_of_staff(request: Request) -> bool:
    """Whether a browser asks that is signed in to the admin; a token is a program's, whatever that accepts."""
    return isinstance(request.successful_authenticator, SessionAuthentication) and request.user.is_staff
