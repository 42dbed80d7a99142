"""What clients call outside of `/api/`: a probe, and the calendars that other programs subscribe to."""

from typing import Any

from core.schema import examples, shapes
from core.schema.inspector import headers_of
from core.schema.operation import ADDRESSES, CALENDARS, ICS, JSON
from core.schema.parameters import PARAMETERS, parameter

SECRET = parameter(
    "secret",
    "path",
    "The secret in the `url` of the answer that made the feed.",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
    required=True,
    example="rT0yQ3mZ8uVbN5kLx2Jc7WfHs1DgPa9eYi4oR6tUvXw",
)


def answer(says: str, *headers: str, **content: object) -> dict[str, Any]:
    """An answer; nothing is limited here."""
    return {"description": says, "headers": headers_of(*headers, limited=False), **content}


def content(media_type: str, schema: dict[str, Any], example: object) -> dict[str, Any]:
    """A body."""
    return {media_type: {"schema": schema, "examples": {"example": {"value": example}}}}


def page(says: str, title: str) -> dict[str, Any]:
    """An error as a page for people: programs of calendars look at the status alone."""
    return answer(says, content=content("text/html", {"type": "string"}, f"<h1>{title}</h1>"))


CALENDAR = {
    "operationId": "subscribeToCalendar",
    "tags": [CALENDARS],
    "summary": "The calendar of a feed",
    "description": "iCalendar (RFC 5545), from 30 days ago to a year ahead. The address itself is the permission. Its "
    "errors are pages.",
    "security": [{}],
    "parameters": [SECRET, PARAMETERS["If-None-Match"]],
    "responses": {
        "200": answer("The calendar.", "ETag", content=content(ICS, {"type": "string"}, examples.CALENDAR)),
        "304": answer("Nothing has changed since the answer whose tag was sent in `If-None-Match`.", "ETag"),
        "400": page("The host is unknown.", "Bad Request (400)"),
        "404": page("The secret is wrong or void.", "Not Found"),
        "412": answer("`If-Match` was sent, and names another version.", "ETag"),
        "500": page("Our fault.", "Server Error (500)"),
    },
}
HEALTH = {
    "operationId": "health",
    "tags": [ADDRESSES],
    "summary": "Ask whether the service answers",
    "description": "For probes: over plain HTTP too, whatever the host; asks no database.",
    "security": [{}],
    "responses": {
        "200": answer(
            "It does.", content=content(JSON, shapes.object_of({"status": {"const": "ok"}}), {"status": "ok"})
        )
    },
}
OUTSIDE = {"/calendars/{secret}.ics": {"get": CALENDAR}, "/health/": {"get": HEALTH}}
