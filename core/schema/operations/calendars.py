"""Calendars."""

from core.calendars.serializers import CalendarFeedSerializer
from core.schema import examples, shapes
from core.schema.operation import CALENDARS, ICS, LIST, THOSE_SIGNED_IN, Answer, Body, Operation
from core.schema.problems import SIGNED_IN

FEED = {
    "id": 5,
    "resource": None,
    "resource_name": None,
    "names": False,
    "created_at": "2030-01-24T08:15:30.123456Z",
    "last_used_on": None,
}
FEED_ADDRESS = "https://booking.example.org/calendars/0f1e2d3c4b5a69788796a5b4c3d2e1f0.ics"
CALENDAR = {
    "GET /api/calendar-feeds/": Operation(
        "listCalendarFeeds",
        CALENDARS,
        "List one's calendar feeds",
        "Their addresses are not told again.",
        THOSE_SIGNED_IN,
        {200: Answer("The feeds.", CalendarFeedSerializer, FEED, headers=("Link", "X-Total-Count"), many=True)},
        SIGNED_IN,
        parameters=LIST,
    ),
    "POST /api/calendar-feeds/": Operation(
        "createCalendarFeed",
        CALENDARS,
        "Make a calendar feed",
        "Of one's own bookings, or with `resource` of a resource. `url` is the secret address to subscribe to in a "
        "calendar program; it is told in this answer and never again. Of a resource, staff get one that tells who "
        "booked, unless they send `names: false`; others get none that does. Without a body it is one of one's own "
        "bookings.",
        THOSE_SIGNED_IN,
        {
            201: Answer(
                "Made.",
                shapes.NewFeedSerializer,
                {**FEED, "url": FEED_ADDRESS},
                headers=("Location",),
                links=("getCalendarFeed", "deleteCalendarFeed"),
            )
        },
        (*SIGNED_IN, "resource_missing", "too_many_feeds", "names_not_allowed", "conflict"),
        Body(CalendarFeedSerializer, {"own bookings": {}, "a resource": {"resource": 3}}),
    ),
    "GET /api/calendar-feeds/{id}/": Operation(
        "getCalendarFeed",
        CALENDARS,
        "Show a calendar feed",
        "Without its address.",
        "whose feed it is",
        {200: Answer("The feed.", CalendarFeedSerializer, FEED)},
        (*SIGNED_IN, "not_found"),
        parameters=("feed_id",),
    ),
    "DELETE /api/calendar-feeds/{id}/": Operation(
        "deleteCalendarFeed",
        CALENDARS,
        "Void a calendar feed",
        "Its address is a 404 from then on.",
        "whose feed it is",
        {204: Answer("Void.")},
        (*SIGNED_IN, "not_found"),
        parameters=("feed_id",),
    ),
    "GET /api/bookings/{id}/calendar.ics": Operation(
        "getBookingCalendar",
        CALENDARS,
        "A booking as a file for calendar programs",
        "iCalendar (RFC 5545).",
        "its owner, and staff",
        {
            200: Answer(
                "The file.", {"type": "string"}, examples.CALENDAR, headers=("Content-Disposition",), media_types=(ICS,)
            )
        },
        (*SIGNED_IN, "permission_denied", "not_found"),
        parameters=("booking_id",),
    ),
}
