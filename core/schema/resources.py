"""The OpenAPI description of resources."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_serializer

from core.api.description import describe
from core.api.errors import Contradiction
from core.availability.serializers import ResourceTimelineSerializer
from core.errors import CapacityTooSmall, ResourceHasBookings
from core.exports.answers import NoWorkbook, TooManyRows
from core.exports.tables import RESOURCES
from core.schema.examples import RESOURCE
from core.schema.files import RESOURCE_ROW, csv_of
from core.serializers import ResourceSerializer
from core.views import ResourceViewSet

NEW_RESOURCE = {name: RESOURCE[name] for name in RESOURCE if name not in ("id", "availability_status")}

extend_schema_serializer(examples=[OpenApiExample("example", RESOURCE, response_only=True)])(ResourceSerializer)


ADDED = tuple(name for fields in ResourceSerializer.included.values() for name in fields)


@extend_schema_serializer(component_name="Resource", extensions={"x-sometimes": ADDED})
class ShownResourceSerializer(ResourceSerializer.including(frozenset(ResourceSerializer.included))):
    """A resource and how it stands in the window asked for."""


A_TIMELINE = {
    "resource": 3,
    "resource_name": "Blue room",
    "busy": [
        {"start_time": "2030-01-31T09:00:00Z", "end_time": "2030-01-31T10:00:00Z", "status": "confirmed", "id": 41}
    ],
    "closed": [{"start_time": "2030-01-31T17:00:00Z", "end_time": "2030-02-01T00:00:00Z", "reason": ""}],
    "free": [{"start_time": "2030-01-31T10:00:00Z", "end_time": "2030-01-31T17:00:00Z"}],
    "next_free": "2030-01-31T10:00:00Z",
}
A_ROOM = [OpenApiExample("a room", NEW_RESOURCE, request_only=True)]
WRONG = (CapacityTooSmall, Contradiction)

describe(
    ResourceViewSet,
    "Resources",
    shown_as=ShownResourceSerializer,
    list=extend_schema(
        operation_id="listResources",
        summary="List resources",
        description="Each with its `availability_status` over the next two hours (the operator may set another span), "
        "or over the window of `start` and `end`. All of them, unless `limit` asks for a page.\n\nAs a file, by "
        "`format=csv`, `format=xlsx` or `Accept`, with their settings in place of their availability; as a workbook at "
        "most 100 000. A cell of CSV that a spreadsheet would take for a formula begins with an apostrophe.",
        extensions={"x-errors": (TooManyRows, NoWorkbook), "x-file": csv_of(RESOURCES, RESOURCE_ROW)},
    ),
    availability=extend_schema(
        operation_id="listTimelines",
        summary="Show what is busy, closed and free of many resources",
        description="The time line of each resource, in a window of at most 31 days: a day of all rooms in one call. "
        "It tells nobody who booked; `include=mine` marks the caller's own bookings, and `include=details` adds what "
        "the resource is. The `ETag` changes with what is booked, closed and configured in the window, and "
        "not with the clock: after a 304, `free` and `next_free` of the stored answer may have begun to pass.",
        responses={
            200: OpenApiResponse(
                ResourceTimelineSerializer(many=True), "The time lines.", [OpenApiExample("example", A_TIMELINE)]
            )
        },
    ),
    create=extend_schema(
        operation_id="createResource",
        summary="Add a resource",
        description="Only `name` is needed.\n\nFor staff.",
        examples=A_ROOM,
        extensions={"x-errors": WRONG},
    ),
    retrieve=extend_schema(
        operation_id="getResource",
        summary="Show a resource",
        description="With its `availability_status`, as in the list.",
    ),
    update=extend_schema(
        operation_id="replaceResource",
        summary="Change a resource, all of it",
        description="`If-Match` guards what is stored; a changed `availability_status` is no obstacle.\n\nFor staff.",
        examples=A_ROOM,
        extensions={"x-errors": WRONG},
    ),
    partial_update=extend_schema(
        operation_id="changeResource",
        summary="Change what is named of a resource",
        description="As PUT; what is not sent stays.\n\nFor staff.",
        examples=[OpenApiExample("out of service", {"is_available": False}, request_only=True)],
        extensions={"x-errors": WRONG},
    ),
    destroy=extend_schema(
        operation_id="deleteResource",
        summary="Delete a resource",
        description="Only one that has never been booked; take the others out of service.\n\nFor staff.",
        extensions={"x-errors": (ResourceHasBookings, Contradiction)},
    ),
)
