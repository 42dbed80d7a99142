"""The OpenAPI description of histories."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework.exceptions import PermissionDenied

from core.api.description import describe
from core.history import views
from core.history.serializers import ActSerializer, ChangesField

ACT = {
    "id": 118,
    "at": "2030-01-30T16:20:00.500000Z",
    "kind": "booking.confirmed",
    "actor": "admin",
    "part": "staff",
    "channel": "api",
    "request_id": "5f0c3a52e1f14d2f8d0b7a3f3f6f2d11",
    "reason": "The lab is yours.",
    "changes": {"status": ["pending", "confirmed"]},
}
CHANGES = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "items": {"type": ["string", "integer", "null"]},
        "minItems": 2,
        "maxItems": 2,
    },
}

extend_schema_field(CHANGES)(ChangesField)
extend_schema_serializer(
    component_name="Act",
    examples=[OpenApiExample("example", ACT, response_only=True)],
    extensions={"x-sometimes": ("waived",)},
)(ActSerializer)

describe(
    views.BookingHistoryView,
    "Bookings",
    get=extend_schema(
        operation_id="getBookingHistory",
        summary="What was done to a booking",
        description="Each act with who, when, why and what it changed, newest first. A page of 50 unless `limit` says "
        "otherwise: follow `Link` as it is. An act that only changed the note of staff is shown to staff alone. The "
        "history stays when staff remove the booking.\n\nFor its owner, and staff.",
        extensions={"x-errors": (PermissionDenied,)},
    ),
)
