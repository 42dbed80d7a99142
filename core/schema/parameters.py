"""The parameters of calls and the headers of answers, each described once."""

from typing import Any

from core.schema import examples

MOMENT = {"type": "string", "format": "date-time"}
ENTITY_TAG = '"5f2b8c0d9e1a7b3c4d6e-0f1e2d3c4b5a"'


def parameter(name: str, where: str, says: str, schema: dict[str, Any], **more: object) -> dict[str, Any]:
    """A parameter, as OpenAPI has it."""
    return {"name": name, "in": where, "description": says, "schema": schema, **more}


def key(of: str, example: int) -> dict[str, Any]:
    """The id in a path."""
    schema = {"type": "integer", "format": "int64", "minimum": 1}
    return parameter("id", "path", f"The id of the {of}.", schema, required=True, example=example)


PARAMETERS: dict[str, dict[str, Any]] = {
    "booking_id": key("booking", 41),
    "resource_id": key("resource", 3),
    "user_id": key("user", 7),
    "feed_id": key("feed", 5),
    "limit": parameter(
        "limit",
        "query",
        "How many at most; without it all of them. `Link` then leads on.",
        {"type": "integer", "minimum": 1, "maximum": 1000},
    ),
    "cursor": parameter(
        "cursor",
        "query",
        "A place in the list, from a `Link` header; needs `limit`, and the same filters and ordering.",
        {"type": "string"},
    ),
    "count": parameter(
        "count", "query", "Whether to answer how many there are in all, as `X-Total-Count`.", {"type": "boolean"}
    ),
    "format": parameter(
        "format",
        "query",
        "`json`, whatever `Accept` says; `api` is a page, for a session of staff.",
        {"enum": ["json", "api"]},
    ),
    "schema_format": parameter("format", "query", "YAML or JSON, whatever `Accept` says.", {"enum": ["yaml", "json"]}),
    "start": parameter("start", "query", "The beginning of the window, with an offset; needs `end`.", MOMENT),
    "end": parameter("end", "query", "The end of the window, after its start.", MOMENT),
    "include": parameter("include", "query", "What to add: from when on it could be booked.", {"enum": ["next_free"]}),
    "Idempotency-Key": parameter(
        "Idempotency-Key",
        "header",
        "A word of your own for this booking, such as a UUID: 1 to 255 visible ASCII characters. Another booking needs "
        "another one.",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
    ),
    "If-Match": parameter(
        "If-Match",
        "header",
        "The `ETag` of the version that the change is about, in its double quotes; `*` or none: of any.",
        {"type": "string"},
    ),
    "If-None-Match": parameter(
        "If-None-Match",
        "header",
        "The `ETag` of the answer that the caller has, in its double quotes; 304 when it is still good.",
        {"type": "string"},
    ),
}

HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "The name of this call in our log: the one sent along, when it is 8 to 64 letters, digits, "
        "dots, dashes or underscores, else a new one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
        "example": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    },
    "RateLimit": {
        "description": "What is left of each limit that holds here: `r` calls, and `t` seconds until there are more.",
        "schema": {"type": "string"},
        "example": '"user";r=1199;t=60',
    },
    "RateLimit-Policy": {
        "description": "The limits that hold here: `q` calls in `w` seconds.",
        "schema": {"type": "string"},
        "example": '"user";q=1200;w=60',
    },
    "Retry-After": {
        "description": "How many seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
        "example": 42,
    },
    "Link": {
        "description": "The neighbours of a page (RFC 8288): `next`, `prev`, `first`. Follow them as they are.",
        "schema": {"type": "string"},
        "example": '<https://booking.example.org/api/bookings/?limit=20&cursor=WyJhIl0>; rel="next"',
    },
    "X-Total-Count": {
        "description": "How many there are in all; with `count=true`.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 137,
    },
    "ETag": {
        "description": "The version of what is shown: for `If-None-Match`, and with a single object for `If-Match`.",
        "schema": {"type": "string", "pattern": '^"[^"]+"$'},
        "example": ENTITY_TAG,
    },
    "Location": {
        "description": "Where it can be read from now on.",
        "schema": {"type": "string", "format": "uri-reference"},
        "required": True,
        "example": "https://booking.example.org/api/bookings/41/",
    },
    "Content-Disposition": {
        "description": "That it is a file, and its name.",
        "schema": {"type": "string", "pattern": '^attachment; filename="booking-[0-9]+[.]ics"$'},
        "required": True,
        "example": 'attachment; filename="booking-41.ics"',
    },
    "Idempotent-Replayed": {
        "description": "That this is the first answer to this `Idempotency-Key` again.",
        "schema": {"enum": ["true"]},
        "example": "true",
    },
    "WWW-Authenticate": {
        "description": "How to sign in.",
        "schema": {"type": "string"},
        "required": True,
        "example": "Token",
    },
}

# A page to try things out fills them in by itself, so only what has to be sent has one.
EXAMPLES = {"start": examples.SLOT["start_time"], "end": "2030-02-01T00:00:00Z", "duration": 60}
