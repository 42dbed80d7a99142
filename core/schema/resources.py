"""The OpenAPI description of resources."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer

from core.api.description import describe
from core.api.errors import Contradiction
from core.errors import CapacityTooSmall, ResourceHasBookings
from core.schema.examples import RESOURCE
from core.serializers import ResourceSerializer
from core.views import ResourceViewSet

NEW_RESOURCE = {name: RESOURCE[name] for name in RESOURCE if name not in ("id", "availability_status")}

extend_schema_serializer(examples=[OpenApiExample("example", RESOURCE, response_only=True)])(ResourceSerializer)


ADDED = tuple(name for fields in ResourceSerializer.included.values() for name in fields)


@extend_schema_serializer(component_name="Resource", extensions={"x-sometimes": ADDED})
class ShownResourceSerializer(ResourceSerializer.including(frozenset(ResourceSerializer.included))):
    """A resource and how it stands in the window asked for."""


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
        "or over the window of `start` and `end`. All of them, unless `limit` asks for a page.",
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
