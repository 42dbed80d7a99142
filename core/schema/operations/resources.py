"""Resources."""

from core.schema import examples
from core.schema.operation import EVERYBODY, LIST, LIST_HEADERS, NOT_MODIFIED, RESOURCES, Answer, Body, Operation
from core.schema.problems import BAD_TOKEN, SIGNED_IN
from core.serializers import ResourceListParameters, ResourceSerializer

SHOWN = Answer("The resource.", ResourceSerializer, examples.RESOURCE, headers=("ETag",))
OF_CHANGES = ("permission_denied", "not_found", "precondition_failed")
REFUSALS_OF_CHANGES = (*SIGNED_IN, "capacity_too_small", "conflict", *OF_CHANGES)

RESOURCE = {
    "GET /api/resources/": Operation(
        "listResources",
        RESOURCES,
        "List resources",
        "Each with its `availability_status` over the next two hours (the operator may set another span), or over the "
        "window of `start` and `end`. All of them, unless `limit` asks for a page.",
        EVERYBODY,
        {
            200: Answer("The resources.", ResourceSerializer, examples.RESOURCE, headers=LIST_HEADERS, many=True),
            304: NOT_MODIFIED,
        },
        BAD_TOKEN,
        filters=ResourceListParameters,
        parameters=(*LIST, "If-None-Match"),
        anonymous=True,
    ),
    "POST /api/resources/": Operation(
        "createResource",
        RESOURCES,
        "Add a resource",
        "Only `name` is needed.",
        "staff",
        {
            201: Answer(
                "Added.",
                ResourceSerializer,
                examples.RESOURCE,
                headers=("Location", "ETag"),
                links=("getResource", "changeResource", "getAvailability", "listSlots", "deleteResource"),
            )
        },
        (*SIGNED_IN, "capacity_too_small", "conflict", "permission_denied"),
        Body(ResourceSerializer, {"a room": examples.NEW_RESOURCE}),
    ),
    "GET /api/resources/{id}/": Operation(
        "getResource",
        RESOURCES,
        "Show a resource",
        "With its `availability_status`, as in the list.",
        EVERYBODY,
        {200: SHOWN, 304: NOT_MODIFIED},
        (*BAD_TOKEN, "not_found"),
        parameters=("resource_id", "start", "end", "include", "If-None-Match"),
        anonymous=True,
    ),
    "PUT /api/resources/{id}/": Operation(
        "replaceResource",
        RESOURCES,
        "Change a resource, all of it",
        "`If-Match` guards what is stored; a changed `availability_status` is no obstacle.",
        "staff",
        {200: SHOWN},
        REFUSALS_OF_CHANGES,
        Body(ResourceSerializer, {"a room": examples.NEW_RESOURCE}),
        parameters=("resource_id", "If-Match"),
    ),
    "PATCH /api/resources/{id}/": Operation(
        "changeResource",
        RESOURCES,
        "Change what is named of a resource",
        "As PUT; what is not sent stays.",
        "staff",
        {200: SHOWN},
        REFUSALS_OF_CHANGES,
        Body(ResourceSerializer, {"out of service": {"is_available": False}}, partial=True),
        parameters=("resource_id", "If-Match"),
    ),
    "DELETE /api/resources/{id}/": Operation(
        "deleteResource",
        RESOURCES,
        "Delete a resource",
        "Only one that has never been booked; take the others out of service.",
        "staff",
        {204: Answer("Deleted.")},
        (
            *SIGNED_IN,
            "permission_denied",
            "not_found",
            "resource_has_bookings",
            "conflict",
            "precondition_failed",
        ),
        parameters=("resource_id", "If-Match"),
    ),
}
