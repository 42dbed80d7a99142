"""The OpenAPI description of bookings."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied

from core import errors
from core.api.description import describe
from core.api.errors import Contradiction
from core.api.fields import LARGEST_KEY, KeyField
from core.api.idempotency import KeyReused
from core.exports.answers import NoWorkbook, TooManyRows
from core.exports.tables import BOOKINGS
from core.schema.examples import BOOKING, LATER_SLOT, NEW_BOOKING
from core.schema.files import BOOKING_ROW, csv_of
from core.schema.headers import IDEMPOTENCY_KEY, IF_MATCH
from core.schema.problems import problem_of
from core.serializers import BookingSerializer
from core.views import BookingViewSet

extend_schema_serializer(examples=[OpenApiExample("example", BOOKING, response_only=True)])(BookingSerializer)


ADDED = tuple(name for fields in BookingSerializer.included.values() for name in fields)


@extend_schema_serializer(component_name="Booking", extensions={"x-sometimes": ADDED})
class ShownBookingSerializer(BookingSerializer.including(frozenset(BookingSerializer.included))):
    """A booking, with what a caller may ask for besides."""


class NewBookingSerializer(BookingSerializer):
    """A booking to be made, as staff may send it."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields, `user` too."""
        return serializers.Serializer.get_fields(self)


class CheckSerializer(NewBookingSerializer):
    """A booking to be tried, or how one is to be moved."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields optional, and the `id` of the booking to be moved."""
        found = super().get_fields()
        for field in found.values():
            field.required = False
        return {**found, "id": KeyField(required=False)}


CHECKED_BESIDES = {
    "description": "Whatever else is sent is tried, too: the answer is what booking would say of it. Only an `id` that "
    "is none is refused.",
    "properties": {"id": {"type": ["integer", "null"], "minimum": 1, "maximum": LARGEST_KEY}},
}
CHECKED = {
    "application/json": {"anyOf": [{"$ref": "#/components/schemas/CheckRequest"}, CHECKED_BESIDES]},
    "application/x-www-form-urlencoded": CheckSerializer,
    "multipart/form-data": CheckSerializer,
}
CHECK_ANSWER = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean", "description": "Whether it would go through."},
        "status": {
            "type": "integer",
            "description": "Otherwise the status of the refusal, beside its body. What the refusal says about the "
            "field `status` is in `detail` alone.",
        },
        "error": {"type": "string"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["ok"],
    "additionalProperties": True,
}
TOO_SOON = problem_of(errors.StartTooSoon)

RULES = (
    errors.EndNotAfterStart,
    errors.StartInPast,
    errors.EndInPast,
    errors.StartTooSoon,
    errors.TooLongAgo,
    errors.TooFarAhead,
    errors.TooShort,
    errors.TooLong,
    errors.OffGrid,
    errors.OutsideOpeningHours,
    errors.Closed,
    errors.SlotTaken,
    errors.TooClose,
    errors.OverlapsOwn,
    errors.QuotaExceeded,
    errors.ResourceOutOfService,
    errors.ResourceMissing,
    errors.StatusNotAllowed,
    errors.ReasonWithoutStatus,
    errors.TimeNotUtcText,
    Contradiction,
)
OF_CHANGES = (
    *RULES,
    errors.ReasonRequired,
    errors.BookingEnded,
    errors.BookingExpired,
    errors.TooLateToChange,
    errors.TooLateToCancel,
    errors.NotInSeries,
    errors.SeriesChanged,
    errors.DatesRefused,
    errors.RuleKeepsDays,
    errors.SeriesOverlapsItself,
)
SCOPE = (
    " Of a booking that repeats, `scope` names which dates are changed with it: a new time goes by the clock, so that "
    "it is the same on each date, and all of them change or none. The following dates become a series of their own, "
    "except by a new `status` alone."
)
OWNER_UNTIL_ENDED = "\n\nFor its owner until it has ended, and staff."


def sends(**bodies: Any) -> list[OpenApiExample]:  # noqa: ANN401 - any JSON
    """The examples of a body, by name; an underscore in a name becomes a space."""
    return [OpenApiExample(name.replace("_", " "), value, request_only=True) for name, value in bodies.items()]


describe(
    BookingViewSet,
    "Bookings",
    shown_as=ShownBookingSerializer,
    list=extend_schema(
        operation_id="listBookings",
        summary="List bookings",
        description="One's own, and for staff everybody's, ordered by start. All of them, unless `limit` asks for a "
        "page: then follow `Link` as it is. An unknown parameter is a 400: nothing is silently ignored.\n\nAs a file, "
        "by `format=csv`, `format=xlsx` or `Accept`, with the times on the clock of the resource and in UTC; the "
        "e-mail address and the note of staff for staff alone. A workbook has at most 100 000. A cell of CSV that a "
        "spreadsheet would take for a formula begins with an apostrophe. Each file is on record, with its filters.",
        extensions={"x-errors": (TooManyRows, NoWorkbook), "x-file": csv_of(BOOKINGS, BOOKING_ROW)},
    ),
    create=extend_schema(
        operation_id="createBooking",
        summary="Book a resource",
        description="The slot is `[start_time, end_time)`: a booking may begin at the moment at which another one "
        "ends. Without a `status` it is `confirmed` where the resource requires no approval, `pending` where it does. "
        "Staff may name another `user`; what anybody else sends there is ignored.\n\n"
        "Send an `Idempotency-Key` and repeat the call as often as the network makes you: within 24 hours the same "
        "key and body give the first answer again, with `Idempotent-Replayed: true`.",
        parameters=[
            IDEMPOTENCY_KEY,
            OpenApiParameter("Idempotent-Replayed", location=OpenApiParameter.HEADER, response=[201]),
        ],
        request=NewBookingSerializer,
        examples=sends(an_hour=NEW_BOOKING),
        extensions={"x-errors": (*RULES, errors.UserMissing, KeyReused)},
    ),
    check=extend_schema(
        operation_id="checkBooking",
        summary="Try a booking without making it",
        description="A dry run of all rules: with an `id` of moving that booking, without one of booking. Nothing is "
        "saved, nobody is told. What would be refused, a stale `If-Match` too, is a 200 with `ok` false and what the "
        "refusal would say.",
        parameters=[IF_MATCH],
        request=CHECKED,
        responses={
            200: OpenApiResponse(
                CHECK_ANSWER,
                "What booking would answer.",
                [
                    OpenApiExample("possible", {"ok": True}),
                    OpenApiExample("too soon", {"ok": False, "status": TOO_SOON.status, **TOO_SOON.body}),
                ],
            )
        },
        examples=sends(new=NEW_BOOKING, moved={"id": BOOKING["id"], **LATER_SLOT}),
        extensions={"x-errors": (PermissionDenied, NotFound)},
    ),
    retrieve=extend_schema(
        operation_id="getBooking",
        summary="Show a booking",
        description="Somebody else's is a 403.\n\nFor its owner, and staff.",
    ),
    update=extend_schema(
        operation_id="replaceBooking",
        summary="Change a booking, all of it",
        description="Checked as a whole. What does not change is not checked again. An owner who moves a confirmed "
        "booking puts it back to `pending` where the resource requires approval; giving time back needs none. A new "
        "`status` may come with a `reason`, which the mail and the history show. Send the `ETag` in `If-Match`, and "
        "nobody's changes are lost: where somebody was faster, the answer is a 412 with the current state."
        + SCOPE
        + OWNER_UNTIL_ENDED,
        examples=sends(moved={**NEW_BOOKING, **LATER_SLOT}),
        extensions={"x-errors": OF_CHANGES},
    ),
    partial_update=extend_schema(
        operation_id="changeBooking",
        summary="Change what is named of a booking",
        description="As PUT; what is not sent stays." + OWNER_UNTIL_ENDED,
        examples=sends(moved=LATER_SLOT, cancelled={"status": "cancelled"}),
        extensions={"x-errors": OF_CHANGES},
    ),
    destroy=extend_schema(
        operation_id="cancelBooking",
        summary="Cancel a booking",
        description="Its status becomes `cancelled`; the booking stays and can still be read. Cancelling again is a "
        "204, too. With `scope`, the following dates of its series are cancelled, too, or all that are not over."
        + OWNER_UNTIL_ENDED,
        responses={204: OpenApiResponse(description="Cancelled.")},
        extensions={
            "x-errors": (
                errors.BookingEnded,
                errors.TooLateToCancel,
                errors.NotInSeries,
                errors.SeriesChanged,
                errors.DatesRefused,
            )
        },
    ),
)
