"""Free time."""

from core.availability import serializers as availability
from core.schema import examples
from core.schema.operation import EVERYBODY, FREE_TIME, Answer, Operation
from core.schema.problems import BAD_TOKEN

AVAILABILITY = {
    "GET /api/availability/": Operation(
        "findFirstSlots",
        FREE_TIME,
        "Find a slot on whatever resource has one",
        "For each resource in service its first free slot of that length in the window, soonest first.",
        EVERYBODY,
        {200: Answer("The slots.", availability.FirstSlotSerializer, examples.FIRST_SLOT, many=True)},
        BAD_TOKEN,
        filters=availability.FirstSlotParameters,
        anonymous=True,
    ),
    "GET /api/resources/{id}/availability/": Operation(
        "getAvailability",
        FREE_TIME,
        "Show what is busy and what is free",
        "The time line of a resource in a window of at most 366 days; without one, the next seven days. It tells "
        "nobody who booked: `id` is there only for the owner of that booking and for staff.",
        EVERYBODY,
        {200: Answer("The time line.", availability.TimelineSerializer, examples.TIMELINE)},
        (*BAD_TOKEN, "not_found"),
        filters=availability.TimelineParameters,
        parameters=("resource_id",),
        anonymous=True,
    ),
    "GET /api/resources/{id}/slots/": Operation(
        "listSlots",
        FREE_TIME,
        "List the slots that can be booked",
        "The starts at which a booking of `duration` minutes is possible, on a grid that begins at midnight of "
        "`timezone`.",
        EVERYBODY,
        {200: Answer("The slots.", availability.SlotSerializer, examples.SLOT, headers=("Link",), many=True)},
        (*BAD_TOKEN, "not_found"),
        filters=availability.SlotParameters,
        parameters=("resource_id",),
        anonymous=True,
    ),
}
