"""The OpenAPI description of free time."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)

from core.api.description import describe
from core.availability import views
from core.availability.serializers import (
    BusySerializer,
    FirstSlotSerializer,
    OwnBusySerializer,
    ResourceTimelineSerializer,
    SlotSerializer,
    TimelineSerializer,
)
from core.availability.timelines import DETAILS

TAG = "Free time"

SLOT = {"start_time": "2030-01-31T09:00:00Z", "end_time": "2030-01-31T10:00:00Z"}
LATER_SLOT = {"start_time": "2030-01-31T10:30:00Z", "end_time": "2030-01-31T11:30:00Z"}
TIMELINE = {
    "busy": [{**SLOT, "status": "confirmed", "id": 41}],
    "free": [LATER_SLOT],
    "next_free": "2030-01-31T10:00:00Z",
}
FIRST_SLOT = {"resource": 3, "resource_name": "Blue room", "capacity": 8, **SLOT}

extend_schema_serializer(extensions={"x-sometimes": ("id", "kind", "reason")})(BusySerializer)
extend_schema_serializer(extensions={"x-sometimes": ("id", "kind", "reason", "mine")})(OwnBusySerializer)
extend_schema_serializer(extensions={"x-sometimes": DETAILS})(ResourceTimelineSerializer)
extend_schema_serializer(extensions={"x-sometimes": ("closed",)})(TimelineSerializer)


def answers(shape: Any, description: str, value: Any) -> dict[int, OpenApiResponse]:  # noqa: ANN401 - any JSON
    """A successful response with its example."""
    return {200: OpenApiResponse(shape, description, [OpenApiExample("example", value)])}


describe(
    views.FirstSlotsView,
    TAG,
    get=extend_schema(
        operation_id="findFirstSlots",
        summary="Find a slot on whatever resource has one",
        description="For each resource in service its first free slot of that length in the window, soonest first.",
        responses=answers(FirstSlotSerializer(many=True), "The slots.", FIRST_SLOT),
    ),
)
describe(
    views.TimelineView,
    TAG,
    get=extend_schema(
        operation_id="getAvailability",
        summary="Show what is busy and what is free",
        description="The time line of a resource in a window of at most 366 days; without one, the next seven days. It "
        "tells nobody who booked: `id` is there only for the owner of that booking and for staff.",
        responses=answers(TimelineSerializer, "The time line.", TIMELINE),
    ),
)
describe(
    views.SlotsView,
    TAG,
    get=extend_schema(
        operation_id="listSlots",
        summary="List the slots that can be booked",
        description="The starts at which a booking of `duration` minutes is possible, on a grid that begins at "
        "midnight of `timezone`.",
        parameters=[OpenApiParameter("Link", location=OpenApiParameter.HEADER, response=[200])],
        responses=answers(SlotSerializer(many=True), "The slots.", SLOT),
    ),
)
