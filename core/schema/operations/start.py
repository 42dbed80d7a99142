"""Where to begin."""

from core.schema import examples, shapes
from core.schema.operation import ADDRESSES, EVERYBODY, JSON, NOT_MODIFIED, Answer, Operation
from core.schema.problems import BAD_TOKEN

ROOT = {
    "GET /api/": Operation(
        "root",
        ADDRESSES,
        "Name the collections",
        "The addresses of the collections, to begin from.",
        EVERYBODY,
        {200: Answer("The addresses.", shapes.ROOT, examples.ROOT)},
        BAD_TOKEN,
        anonymous=True,
    ),
    "GET /api/schema/": Operation(
        "schema",
        ADDRESSES,
        "This description, as OpenAPI 3.1",
        "As YAML, or as JSON where `Accept: application/json` or `?format=json` asks for it.",
        EVERYBODY,
        {
            200: Answer(
                "The description.",
                {"type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": True},
                {"openapi": "3.1.0", "info": {"title": "Booking API", "version": "1.0.0"}, "paths": {}},
                headers=("ETag",),
                media_types=("application/yaml", JSON),
            ),
            304: NOT_MODIFIED,
        },
        (),
        parameters=("schema_format", "If-None-Match"),
        anonymous=True,
    ),
}
