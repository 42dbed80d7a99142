"""From an operation's entry to OpenAPI; the shapes are drf-spectacular's reading of the serializers."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from drf_spectacular.drainage import error
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, force_instance
from rest_framework.fields import CharField, Field
from rest_framework.permissions import SAFE_METHODS

from core.api.query import MAY_BE_EMPTY
from core.schema.operation import EVERYBODY, JSON, Answer, Body, Operation
from core.schema.operations import OPERATIONS
from core.schema.parameters import EXAMPLES, PARAMETERS, parameter
from core.schema.problems import ALWAYS, LIMITED, PROBLEMS, by_status
from core.schema.refusals import refusal

TOKEN, JWT = {"Token": []}, {"JWT": []}
TRIMMED = "x-trimmed"
PLACES = ("path", "query", "header")
BODY_TYPES = (JSON, "application/x-www-form-urlencoded", "multipart/form-data")


def no_request(*args: object, **kwargs: object) -> None:
    """Stand in for the request that drf-spectacular would make up: what is described depends on no caller."""


class Inspector(AutoSchema):
    """Describes an operation by its entry in `core.schema.operations`."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> dict[str, Any] | None:
        """The operation; one without an entry is an error."""
        self.registry, self.path, self.path_regex = registry, path, path_regex
        self.path_prefix, self.method = path_prefix, method.upper()
        said = OPERATIONS.get(f"{self.method} {path}")
        if said is None:
            error(f"{self.method} {path} has no entry in core/schema/operations/.")
            return None
        who = "" if said.who == EVERYBODY else f"\n\nFor {said.who}."
        described = {
            "operationId": said.id,
            "tags": [said.tag],
            "summary": said.summary,
            "description": said.description + who,
            "security": [{}, TOKEN, JWT] if said.anonymous else [TOKEN, JWT],
            "parameters": self.parameters_of(said),
            "responses": self.responses_of(said),
        }
        if said.body:
            described["requestBody"] = self.body_of(said.body)
        return described

    def _map_serializer_field(self, field: Field, direction: str, bypass_extensions: bool = False) -> Any:  # noqa: ANN401
        """The field's schema, with a mark where white space at the ends of what is sent is cut off."""
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if direction == "request" and isinstance(field, CharField) and field.trim_whitespace:
            schema[TRIMMED] = True
        return schema

    def parameters_of(self, said: Operation) -> list[dict[str, Any]]:
        """Those named, and those of the filters."""
        found = []
        mapped = self._map_serializer(said.filters(), "request") if said.filters else {"properties": {}}
        for name, schema in mapped["properties"].items():
            if name in said.parameters:
                continue
            says = schema.pop("description", "How many at least.")
            for part in (schema, schema.get("items", {})):
                part.pop("x-spec-enum-id", None)
                part.pop("default", None) if "enum" in part else None
                if "enum" in part:
                    part.pop("type", None)
            if schema.pop(TRIMMED, False) and "maxLength" in schema:
                says += f" At most {schema.pop('maxLength')} characters."
            more = {"allowEmptyValue": True} if name in MAY_BE_EMPTY else {}
            found.append(parameter(name, "query", says, schema, required=name in mapped.get("required", []), **more))
        for one in found:
            if one.get("required") and one["name"] in EXAMPLES:
                one["example"] = EXAMPLES[one["name"]]
        named = [PARAMETERS[name] for name in said.parameters]
        if not any(one["name"] == "format" for one in named):
            named.append(PARAMETERS["format"])
        return sorted([*found, *named], key=lambda one: PLACES.index(one["in"]))

    def body_of(self, body: Body) -> dict[str, Any]:
        """What is sent, in each of the formats."""
        serializer = body.shape(partial=True) if body.partial else force_instance(body.shape)
        component = self.resolve_serializer(serializer, "request")
        content = {kind: {"schema": component.ref} for kind in BODY_TYPES}
        as_json = {"schema": {"anyOf": [component.ref, body.besides]}} if body.besides else content[JSON]
        content[JSON] = {**as_json, "examples": {name: {"value": value} for name, value in body.examples.items()}}
        return {
            # Nothing at all is an object without fields.
            "required": bool(component.schema.get("required")),
            "content": content,
        }

    def responses_of(self, said: Operation) -> dict[str, Any]:
        """Each status."""
        responses = {str(status): self.success(answer, said) for status, answer in said.answers.items()}
        for status, codes in by_status(self.problems_of(said)).items():
            shown = {code: refusal(code, said) for code in codes}
            responses[str(status)] = problem_response(status, shown, limited=said.limited)
        return responses

    def problems_of(self, said: Operation) -> Iterator[str]:
        """The codes named, and those that follow from what a call sends and how its caller may have signed in."""
        yield from said.problems
        yield from ALWAYS
        if said.body or "If-Match" in said.parameters:
            yield "parse_error"
        if "not_authenticated" in said.problems and self.method not in SAFE_METHODS:
            yield "permission_denied"  # a session without its CSRF token
        if said.limited:
            yield from LIMITED

    def success(self, answer: Answer, said: Operation) -> dict[str, Any]:
        """A success."""
        response: dict[str, Any] = {"description": answer.says}
        response["headers"] = headers_of(*answer.headers, limited=said.limited)
        if answer.links:
            by_id = {"parameters": {"id": "$response.body#/id"}}
            response["links"] = {name: {"operationId": name, **by_id} for name in answer.links}
        if answer.shape is not None:
            is_raw = isinstance(answer.shape, dict)
            schema = answer.shape if is_raw else self.resolve_serializer(answer.shape, "response").ref
            one_or_many = [answer.example] if answer.many else answer.example
            shown = {name: {"value": value} for name, value in answer.examples.items()} or {
                "example": {"value": one_or_many}
            }
            content = {"schema": {"type": "array", "items": schema} if answer.many else schema, "examples": shown}
            response["content"] = dict.fromkeys(answer.media_types, content)
        return response


def headers_of(*names: str, limited: bool) -> dict[str, Any]:
    """The headers of an answer; those of every answer among them."""
    everywhere = ("X-Request-ID", *(("RateLimit", "RateLimit-Policy") if limited else ()))
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, *everywhere)}


def problem_response(status: int, shown: dict[str, dict[str, Any]], *, limited: bool) -> dict[str, Any]:
    """An error with an example for each of its codes."""
    codes = list(shown)
    shape = "Problem"
    if status == HTTPStatus.BAD_REQUEST:
        shape = "InvalidBooking" if "slot_taken" in codes else "Invalid"
    if status == HTTPStatus.PRECONDITION_FAILED:
        shape = "Stale"
    more = {401: ("WWW-Authenticate",), 412: ("ETag",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    return {
        "description": " ".join(f"`{code}`: {PROBLEMS[code].meaning}" for code in codes),
        "headers": headers_of(*more, limited=limited),
        "content": {
            "application/json": {
                "schema": {
                    "allOf": [
                        {"$ref": f"#/components/schemas/{shape}"},
                        {"type": "object", "properties": {"code": {"enum": codes}}},
                    ]
                },
                "examples": {code: {"value": body} for code, body in shown.items()},
            }
        },
    }
