"""The schema inspector: adds the rules of this API to the reading of a view by drf-spectacular."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.drainage import error, get_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_media_type_object
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, PolymorphicProxySerializer
from rest_framework.exceptions import (
    NotAuthenticated,
    NotFound,
    ParseError,
    PermissionDenied,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.serializers import BaseSerializer

from core.api.errors import (
    BadRequest,
    BodyTooLarge,
    Busy,
    DatabaseReadOnly,
    DatabaseUnavailable,
    HttpsRequired,
    LengthRequired,
    ServerError,
)
from core.api.etags import NO_TAGS
from core.api.exception_handler import validation_body
from core.api.fields import KnownFieldsMixin
from core.api.query import FORMAT, MAY_BE_EMPTY, PAGING, ListParameters, QueryParameters
from core.api.rendering import FileRenderer
from core.api.views import TaggedMixin
from core.errors import (
    ClosedResourceMissing,
    ClosureConflicts,
    DatesRefused,
    ExceptionsClash,
    ResourceMissing,
    SlotTaken,
    StaleVersion,
)
from core.schema.fields import drop_input_rules, example_error, widen_inputs
from core.schema.files import file_bodies
from core.schema.headers import HEADERS, IF_MATCH, IF_NONE_MATCH
from core.schema.problems import Problem, problem_of, problems
from core.views.bulk import TooManyEntries

Schema = dict[str, Any]

# Every endpoint may answer these errors.
ALWAYS = (
    ValidationError,
    BadRequest,
    LengthRequired,
    BodyTooLarge,
    UnsupportedMediaType,
    ServerError,
    DatabaseUnavailable,
    DatabaseReadOnly,
    Busy,
)
HEADERS_OF_STATUS = {
    "201": ("Location",),
    "304": ("ETag",),
    "401": ("WWW-Authenticate",),
    "412": ("ETag",),
    "415": ("Accept-Encoding",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
# The shapes of refusals that have further members, each by an error that has some.
SHAPES_OF_CODES = {
    TooManyEntries.default_code: "InvalidBulk",
    SlotTaken.code: "InvalidBooking",
    DatesRefused.code: "InvalidBooking",
    ExceptionsClash.code: "InvalidException",
    ClosureConflicts.code: "InTheWay",
}
TAGGED_ACTIONS = ("list", "create", "retrieve", "update", "partial_update")
NOT_MODIFIED = "Nothing has changed since the answer whose tag was sent in `If-None-Match`."

# Swagger UI sends the examples of parameters as they are, so only required parameters have one.
EXAMPLES = {
    "start": "2030-01-31T09:00:00Z",
    "end": "2030-02-01T00:00:00Z",
    "duration": 60,
    "from": "2030-01-01",
    "to": "2030-01-31",
}
KEYS = {"booking": 41, "resource": 3, "user": 7, "feed": 5, "closure": 9, "series": 6}
PLACES = ("path", "query", "header")


class Inspector(AutoSchema):
    """Adds permissions, query parameters, conditional requests, headers and errors to an operation."""

    def get_operation(self, *args: Any) -> Schema:  # noqa: ANN401 - the library's own
        operation = super().get_operation(*args)
        declared = operation.pop("x-errors", ())
        operation.setdefault("description", "")
        operation.setdefault("security", [{}])
        if {} not in operation["security"] and "\n\nFor " not in operation["description"]:
            operation["description"] += "\n\nFor whoever is signed in."
        if self.files():
            shown = file_bodies(self.files(), operation.pop("x-file", ""))
            operation["responses"]["200"]["content"] |= shown
        for status, response in operation["responses"].items():
            response["description"] = response["description"] or self.default_description(status)
        operation["parameters"].sort(key=place_of)
        if "If-None-Match" in parameter_names(operation):
            headers = self._get_response_headers_for_code("304")
            operation["responses"]["304"] = {"description": NOT_MODIFIED, "headers": headers}
        codes = set(map(code_of, [*declared, *self.errors_that_follow(operation)]))
        operation["responses"] |= self.error_responses(codes, operation)
        return operation

    def files(self) -> list[FileRenderer]:
        """The files that the view answers in place of JSON."""
        return [each for each in self.view.get_renderers() if isinstance(each, FileRenderer)]

    def map_renderers(self, attribute: str) -> list[str]:
        """Whatever is no file: the serializer of a response is not the shape of a file."""
        kinds = {each.media_type for each in self.files()}
        return [kind for kind in super().map_renderers(attribute) if kind not in kinds]

    # --- Permissions --------------------------------------------------------------------------------------------------

    def get_auth(self) -> list[Schema]:
        found = super().get_auth()
        return [{}, *(one for one in found if one)] if self.allows(AnonymousUser()) else found

    def allows(self, user: Any) -> bool:  # noqa: ANN401 - a user, or nobody
        """True if the permissions of the view let the user in, before any object is fetched."""
        request = self.view.request
        request.user = user
        return all(permission.has_permission(request, self.view) for permission in self.view.get_permissions())

    def checks_objects(self) -> bool:
        """True if the address names an object and a permission of the view checks the object."""
        asked = [type(permission).has_object_permission for permission in self.view.get_permissions()]
        return "{id}" in self.path and any(method is not BasePermission.has_object_permission for method in asked)

    # --- Requests -----------------------------------------------------------------------------------------------------

    def get_override_parameters(self) -> list[Any]:
        query, found = self.query_parameters(), []
        if query is not None and query().fields:
            found.append(query)
        if isinstance(self.view, TaggedMixin) and self.method == "GET":
            found.append(IF_NONE_MATCH)
        elif isinstance(self.view, TaggedMixin) and "{id}" in self.path:
            found.append(IF_MATCH)
        return found

    def query_parameters(self) -> type[QueryParameters] | None:
        """The query parameters of the view; None where nobody reads them."""
        return self.view.query_of_action(self.method)

    def _get_parameters(self) -> list[Schema]:
        found = super()._get_parameters()
        for one in found:
            if one["name"] in MAY_BE_EMPTY:
                one["allowEmptyValue"] = True
            if "enum" in one["schema"]:
                one["schema"].pop("minLength", None)
            if one.get("required") and one["name"] in EXAMPLES:
                one["example"] = EXAMPLES[one["name"]]
        return found

    def _resolve_path_parameters(self, variables: list[str]) -> list[Schema]:
        """The path parameters; `id` is the id of the last object, `resource_id` that of the resource around it."""
        nouns = {"id": last_word(self.path.partition("/{id}")[0]).removesuffix("s"), "resource_id": "resource"}
        ids = [
            {
                "name": name,
                "in": "path",
                "description": f"The id of the {nouns[name]}.",
                "schema": {"type": "integer", "format": "int64", "minimum": 1},
                "required": True,
                "example": KEYS.get(nouns[name], 1),
            }
            for name in variables
            if name in nouns
        ]
        return [*ids, *super()._resolve_path_parameters([name for name in variables if name not in nouns])]

    def _get_format_parameters(self) -> list[Schema]:
        choice, files = self.view.content_negotiation_class, [each.format for each in self.files()]
        said = (choice.help_text_of_files if files else "") + choice.help_text
        return [{"name": FORMAT, "in": "query", "description": said, "schema": {"enum": [*choice.formats, *files]}}]

    def _get_paginator(self) -> None:
        """None: a page is an array, as the whole list is."""

    def get_request_serializer(self) -> Any:  # noqa: ANN401 - the library's own
        """The serializer of the body: the view's own with POST, PUT and PATCH, only a declared one with DELETE."""
        return super().get_request_serializer() if self.method in ("POST", "PUT", "PATCH") else None

    def _get_request_body(self, direction: str = "request") -> Schema | None:
        body = super()._get_request_body(direction)
        shape = self.get_request_serializer()
        if shape and self.method == "DELETE":  # drf-spectacular itself gives DELETE no body
            schema, required = self._get_request_for_media_type(shape, direction)
            examples = {kind: self._get_examples(shape, direction, kind) for kind in self.map_parsers()}
            content = {kind: build_media_type_object(schema, shown) for kind, shown in examples.items()}
            body = {"content": content, "required": required}
        if body:
            # The parsers read an absent body as an object without fields. It is none of several shapes to choose from.
            body.setdefault("required", isinstance(shape, PolymorphicProxySerializer))
        return body

    # --- Responses ----------------------------------------------------------------------------------------------------

    def _get_examples(
        self,
        serializer: Any,  # noqa: ANN401 - the library's own
        direction: str,
        media_type: str,
        status_code: str | None = None,
        extras: list[OpenApiExample] | None = None,
    ) -> Schema:
        """The examples of the operation and of the serializer, under the names that they were declared with."""
        more = [] if extras else get_override(getattr(serializer, "child", serializer), "examples", [])
        found = super()._get_examples(serializer, direction, media_type, status_code, [*(extras or ()), *more])
        return {one.pop("summary", name): one for name, one in found.items()}

    def _get_response_headers_for_code(self, status_code: str, direction: str = "response") -> Schema:
        declared = super()._get_response_headers_for_code(status_code, direction)
        names = [
            *(name for name in declared if name in HEADERS),
            "X-Request-ID",
            *HEADERS_OF_STATUS.get(status_code, ()),
        ]
        if self.view.get_throttles():
            names += ["RateLimit", "RateLimit-Policy"]
        if status_code in ("200", "201") and self.is_tagged():
            names.append("ETag")
        if status_code == "204" and getattr(self.view, "tells_unfit", False):
            names.append("X-No-Longer-Fit")
        query = self.query_parameters()
        if status_code == "200" and query is not None and issubclass(query, ListParameters):
            names += ["Link", "X-Total-Count"]
        return {**declared, **{name: {"$ref": f"#/components/headers/{name}"} for name in names}}

    def get_response_serializers(self) -> Any:  # noqa: ANN401 - the library's own
        """The serializer of the response: `shown_as` of the description, else the view's own; none with DELETE."""
        if self.method == "DELETE":
            return {204: OpenApiResponse(description="Deleted.")}
        return getattr(self.view, "shown_as", None) or super().get_response_serializers()

    def default_description(self, status: str) -> str:
        """The description of a response without a declared one, such as `The booking.` or `The new booking.`."""
        word = last_word(self.path.removesuffix("/{id}/"))
        if status == "201":
            return f"The new {word.removesuffix('s')}."
        return f"The {word.removesuffix('s') if self.path.endswith('/{id}/') else word}."

    def is_tagged(self) -> bool:
        """True if the response has an `ETag`."""
        return isinstance(self.view, TaggedMixin) and self.view.action in TAGGED_ACTIONS

    # --- Errors -------------------------------------------------------------------------------------------------------

    def errors_that_follow(self, operation: Schema) -> Iterator[Any]:
        """The errors of the parameters, the body, the permissions and the throttles, as classes or codes."""
        names = parameter_names(operation)
        yield from ALWAYS
        if "requestBody" in operation or "If-Match" in names:
            yield ParseError
        if {"id", "resource_id"} & names:
            yield NotFound
        if {"id", "If-Match"} <= names:
            yield StaleVersion
        for authenticator in self.view.get_authenticators():
            yield from getattr(OpenApiAuthenticationExtension.get_match(authenticator), "errors", ())
        if {} not in operation["security"]:
            yield NotAuthenticated
            if self.method not in SAFE_METHODS:
                yield PermissionDenied  # for a session without its CSRF token
        if self.method not in SAFE_METHODS:
            yield HttpsRequired
        if self.checks_objects() or not self.allows(get_user_model()()):
            yield PermissionDenied
        if self.view.get_throttles():
            yield Throttled

    def error_responses(self, codes: set[str], operation: Schema) -> Schema:
        """One response for each status of the errors."""
        known = problems()
        for code in sorted(codes - set(known)):
            error(f"{self.method} {self.path} names the error {code!r}, which has no advice to client developers.")
        by_status: dict[int, list[Problem]] = {}
        for problem in known.values():
            if problem.code in codes:
                by_status.setdefault(problem.status, []).append(problem)
        return {str(status): self.error_response(status, group, operation) for status, group in by_status.items()}

    def error_response(self, status: int, group: list[Problem], operation: Schema) -> Schema:
        """The response of one status, with an example for each code."""
        codes = [problem.code for problem in group]
        shape = {400: "Invalid", 412: "Stale"}.get(status, "Problem")
        shape = next((name for code, name in SHAPES_OF_CODES.items() if code in codes), shape)
        narrowed = {"type": "object", "properties": {"code": {"enum": codes}}}
        content = {
            "schema": {"allOf": [{"$ref": f"#/components/schemas/{shape}"}, narrowed]},
            "examples": {problem.code: {"value": self.error_example(problem, operation)} for problem in group},
        }
        return {
            "description": " ".join(f"`{problem.code}`: {problem.advice}" for problem in group),
            "headers": self._get_response_headers_for_code(str(status)),
            "content": {"application/json": content},
        }

    def error_example(self, problem: Problem, operation: Schema) -> Schema:
        """The body of an error; its example names a field or an object of this operation."""
        if problem.code == ValidationError.default_code:
            return validation_body(self.validation_errors())
        if problem.code == ParseError.default_code and "requestBody" not in operation:
            return {**problem.body, "detail": NO_TAGS}
        if problem.code == StaleVersion.code:
            shown = getattr(self.view, "shown_as", None) or self._get_serializer()
            return {**problem.body, "current": get_override(shown, "examples")[0].value}
        if problem.code == ResourceMissing.code and self.path.startswith("/api/closures/"):
            return problem_of(ClosedResourceMissing).body
        return problem.body

    def validation_errors(self) -> Mapping[str, list[str]]:
        """An example of a validation error, by field: of the body, else of the query."""
        sent = self.get_request_serializer()
        shape = list(sent.values())[-1] if isinstance(sent, dict) else sent or self.query_parameters()
        if isinstance(shape, PolymorphicProxySerializer):
            shape = shape.serializers[0]
        found = example_error(shape, partial=self.method == "PATCH") if shape else {}
        return found or {FORMAT: [f"Send {', '.join(self.view.content_negotiation_class.formats)}."]}

    # --- Serializers --------------------------------------------------------------------------------------------------

    def _postprocess_serializer_schema(self, schema: Schema, serializer: BaseSerializer, direction: str) -> Schema:
        sometimes = schema.pop("x-sometimes", ())
        schema = super()._postprocess_serializer_schema(schema, serializer, direction)
        fields = schema.get("properties", {})
        if direction == "response" and fields:
            drop_input_rules(fields)
            # A response always has all fields, also those that a body may leave out.
            schema["required"] = [name for name in fields if name not in sometimes]
        elif direction == "request":
            widen_inputs(fields, serializer)
            if isinstance(serializer, KnownFieldsMixin):
                schema["additionalProperties"] = False
        return schema


def code_of(named: Any) -> str:  # noqa: ANN401 - a class of errors, or a code
    """The code of a class of errors, or the code itself."""
    return getattr(named, "code", getattr(named, "default_code", named))


def last_word(address: str) -> str:
    """The last word of an address: `feeds` of `/api/calendar-feeds/`."""
    return address.strip("/").rpartition("/")[2].rpartition("-")[2]


def place_of(parameter: Schema) -> tuple[int, bool, bool]:
    """The sort key of a parameter: path, query, header; the parameters of every list and `format` come last."""
    return PLACES.index(parameter["in"]), parameter["name"] == FORMAT, parameter["name"] in PAGING


def parameter_names(operation: Schema) -> set[str]:
    """The names of the parameters of an operation."""
    return {one["name"] for one in operation["parameters"]}
