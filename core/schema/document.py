"""The document around the operations: its head, the order of the paths, links and shared responses."""

import json
from copy import deepcopy
from http import HTTPStatus
from pathlib import Path
from typing import Any

from core.api.errors import AddressTooLong, BadRequest, HeadersTooLarge, RequestTimeout
from core.schema.forms import describe_forms
from core.schema.headers import HEADERS
from core.schema.problems import problem_of
from core.schema.shapes import SHAPES

TITLE = "Booking API"
DESCRIPTION = Path(__file__).with_name("description.md")

TAGS = {
    "Start here": "Where things are, and whether the service answers.",
    "Sign-in with a token": "One word that is good until the sign-out: for apps that keep a secret.",
    "Sign-in with JSON Web Tokens": "A short-lived token and one to renew it: for apps that would rather not.",
    "Resources": "What can be booked: rooms, desks, devices, vehicles. Anybody may look, staff keep them.",
    "Opening hours and limits": "When is it open, and how may it be booked? Anybody may look, staff keep them.",
    "Free time": "When is it free? Open to all; tells nobody who booked.",
    "Closures": "When resources are closed, and why. Anybody may look, staff close and open.",
    "Bookings": "A user's claim on a resource for a span of time. No two of them hold the same slot.",
    "Series": "Bookings that repeat by a rule, each date a booking of its own.",
    "Quotas": "How much each person may book, and what is left of it.",
    "Calendars": "Bookings in the calendar program that people have anyway (iCalendar, RFC 5545).",
    "Reports": "How much of the open time is booked, for staff.",
    "Own account": "Registration, one's own data, passwords.",
    "Profile picture": "Its address; the picture itself lives elsewhere.",
    "Messages": "Which e-mails one gets, and in which time zone their times are.",
    "Accounts": "Other people's accounts, for superusers.",
}


def finish(result: dict[str, Any], **options: object) -> dict[str, Any]:
    """Completes the document, in an order for readers; a postprocessing hook of drf-spectacular.

    Args:
        result: The document with the paths and the components.
        options: Further arguments of the hook, unused.
    """
    # Some operations are constants of their modules.
    paths = deepcopy(by_tag(result["paths"]))
    add_links(paths)
    components = result["components"]
    describe_forms(paths, components["schemas"])
    whole = {
        "openapi": result["openapi"],
        "info": {
            "title": TITLE,
            "version": result["info"]["version"],
            "description": DESCRIPTION.read_text(encoding="utf-8"),
        },
        "servers": [{"url": "/", "description": "The server that this description comes from."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": components.get("securitySchemes", {}),
            "headers": HEADERS,
            "responses": {**shared_responses(paths), **refused_everywhere(paths)},
            "schemas": dict(sorted({**components["schemas"], **SHAPES}.items())),
        },
    }
    # A copy by way of JSON holds no object twice; YAML would write such an object as an anchor.
    return json.loads(json.dumps(whole), object_hook=drop_marks)


def drop_marks(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the document without the internal marks of drf-spectacular."""
    part.pop("x-spec-enum-id", None)
    return part


def by_tag(paths: dict[str, Any]) -> dict[str, Any]:
    """The paths, and the methods of each path, in the order of their tags."""
    place = {name: number for number, name in enumerate(TAGS)}
    found = {
        path: dict(sorted(methods.items(), key=lambda item: place[item[1]["tags"][0]]))
        for path, methods in paths.items()
    }
    return dict(sorted(found.items(), key=lambda item: place[next(iter(item[1].values()))["tags"][0]]))


def add_links(paths: dict[str, Any]) -> None:
    """Links each 201 to the operations that take the id of the new object."""
    for path, methods in paths.items():
        made = methods.get("post", {}).get("responses", {}).get("201")
        if made is None or {} in methods["post"]["security"]:
            continue
        below = [
            one for address, found in paths.items() if address.startswith(f"{path}{{id}}/") for one in found.values()
        ]
        by_id = {"parameters": {"id": "$response.body#/id"}}
        made["links"] = {one["operationId"]: {"operationId": one["operationId"], **by_id} for one in below}


def reason_phrase(status: int) -> str:
    """The reason phrase of a status (RFC 9110); two phrases of Python before 3.13 are older."""
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status) or HTTPStatus(status).phrase


def shared_responses(paths: dict[str, Any]) -> dict[str, Any]:
    """Moves each error response of several operations to the components, and refers to it there."""
    places: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for path in paths.values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    places.setdefault(json.dumps([status, response]), []).append((operation["responses"], status))
    shared: dict[str, Any] = {}
    for found in places.values():
        if len(found) == 1:
            continue
        responses, status = found[0]
        title = "".join(word.capitalize() for word in reason_phrase(int(status)).split())
        name, number = title, 1
        while name in shared:
            number += 1
            name = f"{title}{number}"
        shared[name] = responses[status]
        for responses, status in found:
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return shared


def refused_everywhere(paths: dict[str, Any]) -> dict[str, Any]:
    """The response of gunicorn to a request that no view reads, to which every operation refers as its `default`."""
    told = [problem_of(kind) for kind in (RequestTimeout, AddressTooLong, HeadersTooLarge, BadRequest)]
    narrowed = {"type": "object", "properties": {"code": {"enum": [problem.code for problem in told]}}}
    for path in paths.values():
        for operation in path.values():
            operation["responses"]["default"] = {"$ref": "#/components/responses/Refused"}
    return {
        "Refused": {
            "description": "The server refuses the request before the API reads it: it took too long to arrive (408), "
            "its address is too long (414), its headers are too large (431), or it is no good HTTP (400, 417, 501).",
            "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
            "content": {
                "application/json": {
                    "schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, narrowed]},
                    "examples": {problem.code: {"value": problem.body} for problem in told},
                }
            },
        }
    }
