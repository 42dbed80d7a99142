"""The OpenAPI description of the API root, of the house, of the description itself and of the probes."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from core.api.description import describe
from core.schema.headers import IF_NONE_MATCH
from core.schema.views import JSON, YAML, SchemaView
from core.views import HouseView, RootView

TAG = "Start here"

ADDRESSES = {name: f"https://booking.example.org{reverse(address)}" for name, address in RootView.addresses.items()}
COLLECTIONS = {
    "type": "object",
    "properties": dict.fromkeys(ADDRESSES, {"type": "string", "format": "uri"}),
    "required": list(ADDRESSES),
}
HOUSE_EXAMPLE = {"time_zone": "Europe/Berlin", "lead_time_minutes": 30, "advance_days": 1826}
HOUSE = {
    "type": "object",
    "properties": {
        "time_zone": {"type": "string", "description": "An IANA name."},
        "lead_time_minutes": {"type": "integer", "description": "A booking starts at least so many minutes from now."},
        "advance_days": {"type": "integer", "description": "A booking ends at most so many days from now."},
    },
    "required": list(HOUSE_EXAMPLE),
}
DOCUMENT = OpenApiResponse(
    {"type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": True},
    "The description.",
    [
        OpenApiExample(
            "example", {"openapi": "3.1.0", "info": {"title": "Booking API", "version": "1.0.0"}, "paths": {}}
        )
    ],
)

describe(
    RootView,
    TAG,
    get=extend_schema(
        operation_id="root",
        summary="Name the collections",
        description="The addresses of the collections, to begin from.",
        responses={200: OpenApiResponse(COLLECTIONS, "The addresses.", [OpenApiExample("example", ADDRESSES)])},
    ),
)

describe(
    HouseView,
    TAG,
    get=extend_schema(
        operation_id="getHouse",
        summary="What holds for the whole house",
        description="The time zone of the house, how soon a booking may start, and how far ahead it may end. Resources "
        "may have a zone and limits of their own: see `include=details,policy`.",
        responses={200: OpenApiResponse(HOUSE, "The house.", [OpenApiExample("example", HOUSE_EXAMPLE)])},
    ),
)
describe(
    SchemaView,
    TAG,
    get=extend_schema(
        operation_id="schema",
        summary="This description, as OpenAPI 3.1",
        description="As YAML, or as JSON where `Accept: application/json` or `?format=json` asks for it.",
        parameters=[IF_NONE_MATCH, OpenApiParameter("ETag", location=OpenApiParameter.HEADER, response=[200])],
        responses={(200, YAML): DOCUMENT, (200, JSON): DOCUMENT},
    ),
)

HEALTH = {
    "operationId": "health",
    "tags": [TAG],
    "summary": "Ask whether the service answers",
    "description": "For probes: over plain HTTP too, whatever the host; asks no database.",
    "security": [{}],
    "responses": {
        "200": {
            "description": "It does.",
            "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
            "content": {
                JSON: {
                    "schema": {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]},
                    "examples": {"example": {"value": {"status": "ok"}}},
                }
            },
        }
    },
}


PARTS = {
    "database": "It answers.",
    "migrations": "All migrations of this release are applied.",
    "guard": "The database refuses two bookings for one slot.",
    "messages": "No e-mail is due for longer than `READY_MESSAGE_AGE_SECONDS`.",
    "redis": "It answers; left out without `REDIS_URL`.",
}
READY_STATUS = {"enum": ["ok", "degraded", "unavailable"], "description": "Of all parts together."}
READY_SCHEMA = {
    "type": "object",
    "required": ["status", "version", "checks"],
    "properties": {
        "status": READY_STATUS,
        "version": {"type": "string", "description": "Of the release that answers."},
        "checks": {
            "type": "object",
            "required": [name for name in PARTS if name != "redis"],
            "properties": {
                name: {"enum": ["ok", "failed", "unknown"], "description": sentence} for name, sentence in PARTS.items()
            },
        },
    },
}


def ready_response(description: str, status: str, *headers: str, **failed: str) -> dict[str, Any]:
    """A response of the readiness probe."""
    checks = {name: failed.get(name, "ok") for name in PARTS}
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in (*headers, "X-Request-ID")},
        "content": {
            JSON: {
                "schema": READY_SCHEMA,
                "examples": {"example": {"value": {"status": status, "version": settings.VERSION, "checks": checks}}},
            }
        },
    }


READY = {
    "operationId": "ready",
    "tags": [TAG],
    "summary": "Ask whether the service can take bookings",
    "description": "For probes: over plain HTTP too, whatever the host. Each process keeps its report for a second.",
    "security": [{}],
    "responses": {
        "200": ready_response("It can. `degraded`: e-mails are late, or Redis is away.", "degraded", messages="failed"),
        "503": ready_response("It cannot: see `checks`.", "unavailable", "Retry-After", guard="failed"),
    },
}


def add_health(result: dict[str, Any], **options: object) -> dict[str, Any]:
    """Adds the probes, plain Django views; a postprocessing hook of drf-spectacular."""
    result["paths"]["/health/"] = {"get": HEALTH}
    result["paths"]["/health/ready/"] = {"get": READY}
    return result
