"""The OpenAPI description of closures."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

from core import errors
from core.api.description import describe
from core.api.errors import Contradiction
from core.api.idempotency import KeyReused
from core.policies.closure_serializers import ONLY_STAFF, ClosureSerializer, ClosureTrialSerializer, PreviewSerializer
from core.policies.closure_views import ClosureViewSet

TIME = {"start_time": "2030-01-31T09:00:00Z", "end_time": "2030-01-31T17:00:00Z"}
NEW = {"resources": [3], **TIME, "reason": "The floor is sanded.", "staff_note": "Keys are with Eve."}
CLOSURE = {"id": 9, **NEW, "created_by": 1, "created_at": "2030-01-24T08:15:30.123456Z"}
BOOKED = {"start_time": "2030-01-31T09:30:00Z", "end_time": "2030-01-31T10:30:00Z"}
CONFLICT = {"kind": "booking", "id": 41, "resource": 3, "resource_name": "Blue room", **BOOKED, "status": "confirmed"}
AROUND = [
    {"resource": 3, "start_time": TIME["start_time"], "end_time": BOOKED["start_time"]},
    {"resource": 3, "start_time": BOOKED["end_time"], "end_time": TIME["end_time"]},
]
PREVIEW = {
    "conflicts": [{**CONFLICT, "username": "alice"}],
    "refuse": {"possible": False, "cancelled": [], "closed": []},
    "cancel": {"possible": True, "cancelled": [41], "closed": [{"resource": 3, **TIME}]},
    "around": {"possible": True, "cancelled": [], "closed": AROUND},
}


def sends(**bodies: Any) -> list[OpenApiExample]:  # noqa: ANN401 - any JSON
    """The examples of a body, by name."""
    return [OpenApiExample(name, value, request_only=True) for name, value in bodies.items()]


extend_schema_serializer(examples=[OpenApiExample("example", CLOSURE, response_only=True)])(ClosureSerializer)


@extend_schema_serializer(component_name="Closure", extensions={"x-sometimes": ONLY_STAFF})
class WholeClosureSerializer(ClosureSerializer):
    """A closure as staff send and read it."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields, whoever asks."""
        return serializers.Serializer.get_fields(self)


@extend_schema_serializer(component_name="ClosureTrial")
class WholeTrialSerializer(ClosureTrialSerializer):
    """A closure to be tried, or how a closure is to be changed."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields, whoever asks."""
        return serializers.Serializer.get_fields(self)


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="A word of your own for this closure, such as a UUID: 1 to 255 visible ASCII characters. Another "
    "closure needs another one.",
)

RULES = (
    errors.EndNotAfterStart,
    errors.ClosureOutOfBounds,
    errors.ResourceMissing,
    errors.TimeNotUtcText,
    errors.TooManyConflicts,
)
WRITTEN = (*RULES, errors.ClosureConflicts, Contradiction)

describe(
    ClosureViewSet,
    "Closures",
    shown_as=WholeClosureSerializer,
    list=extend_schema(
        operation_id="listClosures",
        summary="List closures",
        description="Ordered by start. All of them, unless `limit` asks for a page. Staff read `staff_note`, "
        "`created_by` and `created_at`, too.",
    ),
    create=extend_schema(
        operation_id="closeResources",
        summary="Close resources",
        description="All of them or none. Where bookings are in the way, `on_conflict` decides: `refuse` closes "
        "nothing, `cancel` cancels the bookings, each with the reason of the closure and one mail, `around` closes the "
        "free time around them. A closure never cancels another closure. A closure may have begun; a booking that is "
        "over stays as it is. Send an `Idempotency-Key` and repeat the call as often as the network makes you."
        "\n\nFor staff.",
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("Idempotent-Replayed", location=OpenApiParameter.HEADER, response=[201]),
        ],
        request=WholeClosureSerializer,
        examples=sends(maintenance=NEW, around={**NEW, "on_conflict": "around"}),
        extensions={"x-errors": (*WRITTEN, KeyReused)},
    ),
    preview=extend_schema(
        operation_id="previewClosure",
        summary="Try a closure without making it",
        description="What is in the way, and what each `on_conflict` would do: with an `id` of changing that closure, "
        "without one of closing. Nothing is stored, nobody is told.\n\nFor staff.",
        request=WholeTrialSerializer,
        responses={
            200: OpenApiResponse(PreviewSerializer, "What it would do.", [OpenApiExample("example", PREVIEW)]),
        },
        examples=sends(maintenance=NEW),
        extensions={"x-errors": (*RULES, errors.ClosureMissing)},
    ),
    retrieve=extend_schema(
        operation_id="getClosure", summary="Show a closure", description="Staff read the note of staff, too."
    ),
    partial_update=extend_schema(
        operation_id="changeClosure",
        summary="Change what is named of a closure",
        description="What is not sent stays. Other times or other resources are taken as by a new closure, under the "
        "same `on_conflict`; cancelled bookings do not come back. Send the `ETag` in `If-Match`, and nobody's changes "
        "are lost.\n\nFor staff.",
        request=WholeClosureSerializer,
        examples=sends(longer={"end_time": "2030-01-31T20:00:00Z"}),
        extensions={"x-errors": WRITTEN},
    ),
    destroy=extend_schema(
        operation_id="liftClosure",
        summary="Lift a closure",
        description="Its time is free again; cancelled bookings do not come back.\n\nFor staff.",
    ),
)
