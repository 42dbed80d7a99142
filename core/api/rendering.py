"""Renderers: JSON by orjson, and the browsable API for staff in a browser."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
from django.http import HttpRequest
from django.template import loader
from rest_framework import renderers, serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ValidationError
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
        data: Any,  # noqa: ANN401 - the data of any response
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body; empty for None."""
        if data is None:
            return b""
        indented = bool((renderer_context or {}).get("indent"))
        try:
            return orjson.dumps(data, default=JSONEncoder().default, option=OPTIONS | (orjson.OPT_INDENT_2 * indented))
        except orjson.JSONEncodeError:
            # orjson rejects lone surrogates, which an error message may repeat from the input.
            return json.dumps(data, cls=JSONEncoder).encode()


CHOICE = {"template": "core/forms/choice.html"}
MOMENT = {"base_template": "input.html", "input_type": "text", "placeholder": "2030-01-31T09:00:00Z"}


class FormRenderer(renderers.HTMLFormRenderer):
    """HTML forms whose values the API accepts: times with an offset, and choices with an empty option."""

    styles: ClassVar[dict[Any, dict[str, Any]]] = {
        **renderers.HTMLFormRenderer.default_style.mapping,
        serializers.DateTimeField: MOMENT,
        # An unticked checkbox sends nothing, which would mean "leave this field unchanged".
        serializers.BooleanField: CHOICE,
        serializers.ChoiceField: CHOICE,
    }
    default_style = ClassLookupDict(styles)

    def render_field(self, field: BoundField, parent_style: Mapping[str, Any]) -> str:
        """The field, with its value as in JSON."""
        if isinstance(field.value, datetime):
            field.value = field.value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        elif isinstance(field.value, bool):
            field.value = str(field.value).lower()
        return super().render_field(field, parent_style)


class BrowsableAPI(renderers.BrowsableAPIRenderer):
    """The REST framework's pages without their inline style sheet, which the Content-Security-Policy forbids."""

    form_renderer_class = FormRenderer
    template_pack = "rest_framework/vertical/"

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - the framework's own
        return {**super().get_context(*args, **kwargs), "code_style": None}

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        """The pages above this one; the views of paths without a page have no name."""
        return [(name, address) for name, address in super().get_breadcrumbs(request) if name]

    def get_filter_form(self, data: Any, view: Any, request: Request) -> str | None:  # noqa: ANN401 - an ApiView, whose module imports this one
        """The form of the button "Filters" of a list, filled in with the request's query parameters."""
        if not isinstance(data, list):
            return None
        parameters = view.query_of_action(request.method).bound_to(request)
        parameters.is_valid()
        fields = self.form_renderer_class().render(
            parameters.data, None, {"style": {"template_pack": self.template_pack}}
        )
        form = loader.get_template("core/forms/filters.html").render({"fields": fields})
        return loader.get_template(self.filter_template).render({"elements": [form]})


class FileRenderer(JSONRenderer):
    """A file in place of JSON: the view writes it by itself. Errors stay JSON."""


class CsvRenderer(FileRenderer):
    """Comma-separated values (RFC 4180)."""

    media_type, format = "text/csv", "csv"


class WorkbookRenderer(FileRenderer):
    """A workbook of Excel and others."""

    media_type, format = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"


class JSONUnlessStaffBrowser(DefaultContentNegotiation):
    """JSON for every client, whatever its `Accept`; the browsable API for a staff session that asks for HTML.

    A view with files has them by `?format=`, and by an `Accept` that prefers one to JSON (RFC 9110, section 12.5.1).
    """

    formats = ("json", "api")
    help_text = "`json`, whatever `Accept` says; `api` is a page, for a session of staff."
    help_text_of_files = "`csv` and `xlsx` are files, which `Accept` can ask for, too. Otherwise "

    def select_renderer(
        self, request: Request, renderers: Iterable[renderers.BaseRenderer], format_suffix: str | None = None
    ) -> tuple[renderers.BaseRenderer, str]:
        """The renderer and the media type of the response.

        Raises:
            ValidationError: For an unknown `?format=`.
        """
        plain, *others = renderers
        files = {each.format: each for each in others if isinstance(each, FileRenderer)}
        pages = [each for each in others if not isinstance(each, FileRenderer)]
        formats = (*self.formats, *files)
        name = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if name is not None and name not in formats:
            raise ValidationError({self.settings.URL_FORMAT_OVERRIDE: [f"Send {', '.join(formats)}."]})
        html = name == "api" if name else asks_for_html(request)
        if html and pages and is_staff_session(request):
            return pages[0], pages[0].media_type
        chosen = files.get(name) if name else preferred_file(request, plain, files.values())
        return (chosen or plain), (chosen or plain).media_type


def asks_for_html(request: HttpRequest | Request) -> bool:
    """True for a browser, which names HTML in `Accept`; a program names something else or nothing."""
    return "text/html" in request.headers.get("Accept", "")


def preferred_file(
    request: Request, plain: renderers.BaseRenderer, files: Iterable[FileRenderer]
) -> FileRenderer | None:
    """The file that `Accept` prefers to JSON, if it does; of two with the same weight, the one named first."""
    by_type = {each.media_type: each for each in files}
    if not by_type:
        return None
    return by_type.get(request._request.get_preferred_type([plain.media_type, *by_type]) or "")


def is_browsable_page(request: Request | None) -> bool:
    """Whether the response is a page of the browsable API, whose forms send all their fields, empty ones included."""
    renderer = getattr(request, "accepted_renderer", None)
    return renderer is not None and renderer.format == BrowsableAPI.format


def is_staff_session(request: Request) -> bool:
    """Whether the request comes from a staff member's browser session; a token belongs to a program."""
    return isinstance(request.successful_authenticator, SessionAuthentication) and request.user.is_staff
