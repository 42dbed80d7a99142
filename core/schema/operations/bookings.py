"""Bookings."""

from core.schema import examples, shapes
from core.schema.operation import BOOKINGS, LIST, LIST_HEADERS, NOT_MODIFIED, THOSE_SIGNED_IN, Answer, Body, Operation
from core.schema.problems import PROBLEMS, RULES, SIGNED_IN
from core.serializers import BookingListParameters, BookingSerializer

BOOKED = Answer("The booking.", BookingSerializer, examples.BOOKING, headers=("ETag",))
OF_CHANGES = ("permission_denied", "booking_ended", "not_found", "precondition_failed")
REFUSALS_OF_CHANGES = (*SIGNED_IN, *RULES, "conflict", *OF_CHANGES)

BOOKING = {
    "GET /api/bookings/": Operation(
        "listBookings",
        BOOKINGS,
        "List bookings",
        "One's own, and for staff everybody's, ordered by start. All of them, unless `limit` asks for a page: then "
        "follow `Link` as it is. An unknown parameter is a 400: nothing is silently ignored.",
        THOSE_SIGNED_IN,
        {
            200: Answer("The bookings.", BookingSerializer, examples.BOOKING, headers=LIST_HEADERS, many=True),
            304: NOT_MODIFIED,
        },
        SIGNED_IN,
        filters=BookingListParameters,
        parameters=(*LIST, "If-None-Match"),
    ),
    "POST /api/bookings/": Operation(
        "createBooking",
        BOOKINGS,
        "Book a resource",
        "The slot is `[start_time, end_time)`: a booking may begin at the moment at which another one ends. Without a "
        "`status` it is `confirmed` where the resource requires no approval, `pending` where it does. Staff may name "
        "another `user`; what anybody else sends there is ignored.\n\n"
        "Send an `Idempotency-Key` and repeat the call as often as the network makes you: within 24 hours the same "
        "key and body give the first answer again, with `Idempotent-Replayed: true`.",
        THOSE_SIGNED_IN,
        {
            201: Answer(
                "Booked.",
                BookingSerializer,
                examples.BOOKING,
                headers=("Location", "ETag", "Idempotent-Replayed"),
                links=("getBooking", "changeBooking", "cancelBooking", "getBookingCalendar"),
            )
        },
        (*SIGNED_IN, *RULES, "user_missing", "conflict", "idempotency_key_reused"),
        Body(shapes.NewBookingSerializer, {"an hour": examples.NEW_BOOKING}),
        parameters=("Idempotency-Key",),
    ),
    "POST /api/bookings/check/": Operation(
        "checkBooking",
        BOOKINGS,
        "Try a booking without making it",
        "A dry run of all rules: with an `id` of moving that booking, without one of booking. Nothing is saved, nobody "
        "is told. What would be refused, a stale `If-Match` too, is a 200 with `ok` false and what the refusal would "
        "say.",
        THOSE_SIGNED_IN,
        {
            200: Answer(
                "What booking would answer.",
                shapes.CHECK_ANSWER,
                examples={
                    "possible": {"ok": True},
                    "too soon": {
                        "ok": False,
                        "status": 400,
                        **PROBLEMS["start_too_soon"].body,
                    },
                },
            )
        },
        (*SIGNED_IN, "permission_denied", "not_found"),
        Body(
            shapes.CheckSerializer,
            {"new": examples.NEW_BOOKING, "moved": {"id": 41, **examples.LATER_SLOT}},
            besides=shapes.CHECKED_BESIDES,
        ),
        parameters=("If-Match",),
    ),
    "GET /api/bookings/{id}/": Operation(
        "getBooking",
        BOOKINGS,
        "Show a booking",
        "Somebody else's is a 403.",
        "its owner, and staff",
        {200: BOOKED, 304: NOT_MODIFIED},
        (*SIGNED_IN, "permission_denied", "not_found"),
        parameters=("booking_id", "If-None-Match"),
    ),
    "PUT /api/bookings/{id}/": Operation(
        "replaceBooking",
        BOOKINGS,
        "Change a booking, all of it",
        "Checked as a whole. What does not change is not checked again. An owner who moves a confirmed booking puts it "
        "back to `pending` where the resource requires approval. Send the `ETag` in `If-Match`, and nobody's changes "
        "are lost: where somebody was faster, the answer is a 412 with the current state.",
        "its owner until it has ended, and staff",
        {200: BOOKED},
        REFUSALS_OF_CHANGES,
        Body(BookingSerializer, {"moved": {**examples.NEW_BOOKING, **examples.LATER_SLOT}}),
        parameters=("booking_id", "If-Match"),
    ),
    "PATCH /api/bookings/{id}/": Operation(
        "changeBooking",
        BOOKINGS,
        "Change what is named of a booking",
        "As PUT; what is not sent stays.",
        "its owner until it has ended, and staff",
        {200: BOOKED},
        REFUSALS_OF_CHANGES,
        Body(BookingSerializer, {"moved": examples.LATER_SLOT, "cancelled": {"status": "cancelled"}}, partial=True),
        parameters=("booking_id", "If-Match"),
    ),
    "DELETE /api/bookings/{id}/": Operation(
        "cancelBooking",
        BOOKINGS,
        "Cancel a booking",
        "Its status becomes `cancelled`; the booking stays and can still be read. Cancelling again is a 204, too.",
        "its owner until it has ended, and staff",
        {204: Answer("Cancelled.")},
        (
            *SIGNED_IN,
            "permission_denied",
            "booking_ended",
            "not_found",
            "precondition_failed",
        ),
        parameters=("booking_id", "If-Match"),
    ),
}
