"""The OpenAPI description of the call about many bookings."""

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework.exceptions import NotFound

from core import errors
from core.api.description import describe
from core.api.idempotency import KeyReused
from core.schema.bookings import RULES, NewBookingSerializer
from core.schema.examples import BOOKING, LATER_SLOT, NEW_BOOKING
from core.schema.headers import header
from core.schema.problems import problem_of
from core.views import BulkBookingsView
from core.views.bulk import TooManyEntries
from core.views.bulk_serializers import MOST_ENTRIES, BulkBookingsSerializer, BulkDecisionSerializer

extend_schema_serializer(component_name="BulkDecision", description="One decision on many bookings.")(
    BulkDecisionSerializer
)


@extend_schema_serializer(component_name="BulkBookings", description="Many bookings to be made.")
class NewBookingsSerializer(BulkBookingsSerializer):
    """The bookings with their fields."""

    bookings = NewBookingSerializer(
        many=True,
        min_length=1,
        max_length=MOST_ENTRIES,
        help_text="The bookings, each as the body of POST `/api/bookings/`. A wrong one is refused by itself.",
    )


IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "A word of your own for the whole call, such as a UUID: 1 to 255 visible ASCII characters. Another call needs "
    "another one.",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
)
RESULT = {
    "type": "object",
    "description": "A booking that was changed or made, with all its fields; or a refusal, with all its members.",
    "properties": {
        "id": {"type": ["integer", "null"], "description": "The booking; null for a new one that was refused."},
        "index": {"type": "integer", "description": "With `bookings`: the place in that list, from 0."},
        "http_status": {"type": "integer", "description": "The HTTP status of a single call with the same outcome."},
        "code": {"type": ["string", "null"], "description": "The code of the refusal; null where it went through."},
        "status": {
            "type": ["string", "null"],
            "description": "The status of the booking by now; null where there is none. What a refusal says about the "
            "field `status` is in `detail` alone.",
        },
        "error": {"type": "string", "description": "Of a refusal."},
        "detail": {"type": "string", "description": "Of a refusal: what a person should read."},
    },
    "required": ["id", "http_status", "code", "status"],
    "additionalProperties": True,
}
RESULTS = {
    "type": "object",
    "properties": {"results": {"type": "array", "items": RESULT, "description": "One for each entry, in order."}},
    "required": ["results"],
}
TAKEN = problem_of(errors.SlotTaken)
CONFIRMED = {**BOOKING, "http_status": 200, "code": None}
UNKNOWN = {"error": "Not Found", "code": "not_found", "detail": "Not found."}
DECIDED = {"results": [CONFIRMED, {"id": 42, "http_status": 404, "status": None, **UNKNOWN}]}
MADE = {
    "results": [
        {"index": 0, **BOOKING, "http_status": 201, "code": None},
        {"id": None, "index": 1, "http_status": TAKEN.status, "status": None, **TAKEN.body},
    ]
}

describe(
    BulkBookingsView,
    "Bookings",
    post=extend_schema(
        operation_id="bulkBookings",
        summary="Decide on many bookings, or make many",
        description=f"At most {MOST_ENTRIES}: either `action` and `ids`, or `bookings`. Each entry is tried by itself, "
        "in the order of the body, and meets the rules of a single call: a decision those of PATCH with that `status` "
        "(not those of DELETE, which answers a 204), a booking those of POST. The answer is a 200 with a result for "
        "each entry, whatever became of it.\n\n"
        "With `all_or_nothing` nothing is done unless all goes through: the answer is then that of the first refusal, "
        "with the `id` or the `index` of its entry. It costs one call of the limit. Send an `Idempotency-Key`, and the "
        "whole can be repeated: within 24 hours the same key and body give the first answer again.\n\nFor staff.",
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("Idempotent-Replayed", location=OpenApiParameter.HEADER, response=[200]),
        ],
        request=PolymorphicProxySerializer(
            component_name="Bulk",
            serializers=[BulkDecisionSerializer, NewBookingsSerializer],
            resource_type_field_name=None,
        ),
        responses={
            200: OpenApiResponse(
                RESULTS,
                "What became of each entry.",
                [OpenApiExample("decisions", DECIDED), OpenApiExample("bookings", MADE)],
            )
        },
        examples=[
            OpenApiExample(
                "rejected",
                {"action": "reject", "ids": [41, 42], "reason": "The floor is sanded."},
                request_only=True,
            ),
            OpenApiExample(
                "booked",
                {"bookings": [{**NEW_BOOKING, "user": 7}, {**NEW_BOOKING, **LATER_SLOT}], "all_or_nothing": True},
                request_only=True,
            ),
        ],
        extensions={
            "x-errors": (*RULES, errors.ReasonRequired, errors.UserMissing, NotFound, TooManyEntries, KeyReused)
        },
    ),
)
