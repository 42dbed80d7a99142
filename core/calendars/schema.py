"""The OpenAPI description of calendars."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

from core.api.description import describe
from core.api.errors import Contradiction
from core.calendars import feeds, reading, views
from core.calendars.serializers import CalendarFeedSerializer
from core.errors import ResourceMissing

TAG = "Calendars"
ICS = "text/calendar"
CALENDAR = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"

FEED = {
    "id": 5,
    "resource": None,
    "resource_name": None,
    "names": False,
    "created_at": "2030-01-24T08:15:30.123456Z",
    "last_used_on": None,
}
FEED_ADDRESS = "https://booking.example.org/calendars/0f1e2d3c4b5a69788796a5b4c3d2e1f0.ics"


@extend_schema_serializer(component_name="CalendarFeed", examples=[OpenApiExample("example", FEED, response_only=True)])
class ShownFeedSerializer(CalendarFeedSerializer):
    """A feed; its address is shown only in the answer that makes it."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields; a stored feed always has a value for `names`."""
        found = super().get_fields()
        found["names"].allow_null = False
        return found


@extend_schema_serializer(
    component_name="NewFeed", examples=[OpenApiExample("example", {**FEED, "url": FEED_ADDRESS}, response_only=True)]
)
class NewFeedSerializer(ShownFeedSerializer):
    """A feed, and once its address."""

    url = serializers.URLField(
        read_only=True, help_text="The secret address to subscribe to. Keep it as a password is kept."
    )

    class Meta(CalendarFeedSerializer.Meta):
        fields = (*CalendarFeedSerializer.Meta.fields, "url")


describe(
    views.CalendarFeedViewSet,
    TAG,
    shown_as=ShownFeedSerializer,
    list=extend_schema(
        operation_id="listCalendarFeeds",
        summary="List one's calendar feeds",
        description="Their addresses are not told again.",
    ),
    create=extend_schema(
        operation_id="createCalendarFeed",
        summary="Make a calendar feed",
        description="Of one's own bookings, or with `resource` of a resource. `url` is the secret address to subscribe "
        "to in a calendar program; it is told in this answer and never again. Of a resource, staff get one that tells "
        "who booked, unless they send `names: false`; others get none that does. Without a body it is one of one's own "
        "bookings.",
        responses={201: NewFeedSerializer},
        examples=[
            OpenApiExample("own bookings", {}, request_only=True),
            OpenApiExample("a resource", {"resource": 3}, request_only=True),
        ],
        extensions={"x-errors": (ResourceMissing, feeds.TooManyFeeds, feeds.NamesNotAllowed, Contradiction)},
    ),
    retrieve=extend_schema(
        operation_id="getCalendarFeed",
        summary="Show a calendar feed",
        description="Without its address.\n\nFor whose feed it is.",
    ),
    destroy=extend_schema(
        operation_id="deleteCalendarFeed",
        summary="Void a calendar feed",
        description="Its address is a 404 from then on.\n\nFor whose feed it is.",
    ),
)


def file_description(what: str) -> tuple[OpenApiParameter, dict[tuple[int, str], OpenApiResponse]]:
    """The header and the responses of a calendar file with a name such as `booking-41.ics`."""
    header = OpenApiParameter(
        "Content-Disposition",
        {"type": "string", "pattern": f'^attachment; filename="{what}-[0-9]+[.]ics"$'},
        OpenApiParameter.HEADER,
        required=True,
        description="That it is a file, and its name.",
        examples=[OpenApiExample("example", f'attachment; filename="{what}-41.ics"')],
        response=[200],
    )
    file = OpenApiResponse({"type": "string"}, "The file.", [OpenApiExample("example", CALENDAR)])
    return header, {(200, ICS): file}


BOOKING_HEADER, BOOKING_FILE = file_description("booking")
SERIES_HEADER, SERIES_FILE = file_description("series")
describe(
    views.BookingCalendarView,
    TAG,
    get=extend_schema(
        operation_id="getBookingCalendar",
        summary="A booking as a file for calendar programs",
        description="iCalendar (RFC 5545).\n\nFor its owner, and staff.",
        parameters=[BOOKING_HEADER],
        responses=BOOKING_FILE,
    ),
)
describe(
    views.SeriesCalendarView,
    TAG,
    get=extend_schema(
        operation_id="getSeriesCalendar",
        summary="The coming dates of a series as a file for calendar programs",
        description="iCalendar (RFC 5545): each pending or confirmed date that is not over, as an event of its own "
        "with its own `UID`.\n\nFor its owner, and staff.",
        parameters=[SERIES_HEADER],
        responses=SERIES_FILE,
    ),
)


# --- Outside of `/api/`: the calendar that programs subscribe to ------------------------------------------------------


LIMITED = ("RateLimit", "RateLimit-Policy")


def answer(description: str, media_type: str = "", example: str = "", *headers: str) -> dict[str, Any]:
    """A response to a calendar program."""
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in (*headers, "X-Request-ID")}
    body = {"schema": {"type": "string"}, "examples": {"example": {"value": example}}}
    content = {"content": {media_type: body}} if media_type else {}
    return {"description": description, "headers": named, **content}


def page(description: str, title: str, code: str) -> dict[str, Any]:
    """An error as an HTML page, or as JSON for whoever asks for no HTML; calendar programs read only the status."""
    told = answer(description, "text/html", f"<h1>{title}</h1>")
    error = {"error": title, "code": code, "detail": description}
    told["content"]["application/json"] = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {code: {"value": error}},
    }
    return told


SUBSCRIPTION = {
    "operationId": "subscribeToCalendar",
    "tags": [TAG],
    "summary": "The calendar of a feed",
    "description": "iCalendar (RFC 5545), from 30 days ago to a year ahead: at most "
    f"{reading.MOST_ENTRIES} bookings, in at most {reading.MOST_BYTES // 2**20} MB. Of more bookings it has those that "
    "end nearest to now, and its `DESCRIPTION` and `X-WR-CALDESC` say that others are left out.\n\nThe address itself "
    "is the permission. Its errors are pages, or JSON for whoever asks for no HTML.",
    "security": [{}],
    "parameters": [
        {
            "name": "secret",
            "in": "path",
            "description": "The secret in the `url` of the answer that made the feed.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
            "required": True,
            "example": "rT0yQ3mZ8uVbN5kLx2Jc7WfHs1DgPa9eYi4oR6tUvXw",
        },
        {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of the answer that the caller has, in its double quotes; 304 when it is still "
            "good.",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "200": answer("The calendar.", ICS, CALENDAR, "ETag", *LIMITED),
        "304": answer(
            "Nothing has changed since the answer whose tag was sent in `If-None-Match`.", "", "", "ETag", *LIMITED
        ),
        "400": page("The host is unknown.", "Bad Request", "bad_request"),
        "404": page("The secret is wrong or void.", "Not Found", "not_found"),
        "412": answer("`If-Match` was sent, and names another version.", "", "", "ETag", *LIMITED),
        "429": answer(
            "The feed, or any feeds from this address, were asked for too often.",
            "text/plain",
            "Too many requests for this calendar. Try again in 42 seconds.",
            "Retry-After",
            *LIMITED,
        ),
        "500": page("Our fault.", "Server error", "server_error"),
    },
}


def add_subscription(result: dict[str, Any], **options: object) -> dict[str, Any]:
    """Adds the subscription, a plain Django view; a postprocessing hook of drf-spectacular."""
    result["paths"]["/calendars/{secret}.ics"] = {"get": SUBSCRIPTION}
    return result
