"""Every operation of the API: what it does, who may call it, what it takes and what it answers.

The shapes come from the serializers and the filters themselves; what they cannot say is said here, once, so that the
views stay small. `core/schema/inspector.py` turns an entry into OpenAPI.
"""

from dataclasses import dataclass, field
from typing import Any

from django_filters import FilterSet
from rest_framework_simplejwt import serializers as jwt

from core.accounts import serializers as accounts
from core.availability import serializers as availability
from core.calendars.serializers import CalendarFeedSerializer
from core.filters import BookingFilters, ResourceFilters
from core.notifications.serializers import PreferencesSerializer
from core.query import QueryParameters
from core.schema import examples, shapes
from core.schema.problems import ANY_BODY, BAD_TOKEN, PROBLEMS, RULES, SIGNED_IN
from core.serializers import BookingSerializer, ProfilePictureSerializer, ResourceSerializer

Shape = Any  # a serializer class, or a JSON Schema as a dict
JSON = "application/json"

EVERYBODY, THOSE_SIGNED_IN = "everybody", "whoever is signed in"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: what it means, its shape (None: no body), examples, headers, and the calls that take its id."""

    says: str
    shape: Shape = None
    example: Any = None
    examples: dict[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    many: bool = False
    links: tuple[str, ...] = ()
    media_types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, slots=True)
class Body:
    """What a call sends."""

    shape: Shape
    examples: dict[str, Any]
    partial: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Operation:
    """An address and a method.

    Attributes:
        id: The name that clients generated from the schema give it.
        who: Who may call it; `signed_in` follows from `problems`.
        problems: The codes of the errors that it answers, beside those that any call does.
        filters: Where its query parameters are declared.
        parameters: Names of `core.schema.parameters` that it takes besides.
        limited: Whether a limit holds for it.
    """

    id: str
    tag: str
    summary: str
    description: str
    who: str
    answers: dict[int, Answer]
    problems: tuple[str, ...] = ()
    body: Body | None = None
    filters: type[FilterSet] | type[QueryParameters] | None = None
    parameters: tuple[str, ...] = ()
    limited: bool = True
    anonymous: bool = False


ADDRESSES, BOOKINGS, RESOURCES, FREE_TIME = "Start here", "Bookings", "Resources", "Free time"
CALENDARS, MESSAGES = "Calendars", "Messages"
SIGN_IN, JWT_SIGN_IN, ACCOUNT, ACCOUNTS, PICTURE = (
    "Sign-in with a token",
    "Sign-in with JSON Web Tokens",
    "Own account",
    "Accounts",
    "Profile picture",
)

LIST = ("limit", "cursor", "count", "format")
LIST_HEADERS = ("ETag", "Link", "X-Total-Count")
NOT_MODIFIED = Answer("Nothing has changed since the answer whose tag was sent in `If-None-Match`.", headers=("ETag",))
BOOKED = Answer("The booking.", BookingSerializer, examples.BOOKING, headers=("ETag",))
SHOWN = Answer("The resource.", ResourceSerializer, examples.RESOURCE, headers=("ETag",))
VOID = {"refresh": examples.JWT}
PAIR = {"refresh": examples.JWT, "access": examples.JWT}
CREDENTIALS = {"username": "alice", "password": examples.PASSWORD}

ROOT = {
    "GET /api/": Operation(
        "root",
        ADDRESSES,
        "Name the collections",
        "The addresses of the collections, to begin from.",
        EVERYBODY,
        {200: Answer("The addresses.", shapes.ROOT, examples.ROOT)},
        BAD_TOKEN,
        anonymous=True,
    ),
    "GET /api/schema/": Operation(
        "schema",
        ADDRESSES,
        "This description, as OpenAPI 3.1",
        "As YAML, or as JSON where `Accept: application/json` or `?format=json` asks for it.",
        EVERYBODY,
        {
            200: Answer(
                "The description.",
                {"type": "object", "required": ["openapi", "info", "paths"], "additionalProperties": True},
                {"openapi": "3.1.0", "info": {"title": "Booking API", "version": "1.0.0"}, "paths": {}},
                headers=("ETag",),
                media_types=("application/yaml", JSON),
            ),
            304: NOT_MODIFIED,
        },
        ("invalid",),
        parameters=("schema_format", "If-None-Match"),
        anonymous=True,
    ),
}

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
        (*SIGNED_IN, "invalid"),
        filters=BookingFilters,
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
        (*SIGNED_IN, *ANY_BODY, *RULES, "user_missing", "conflict", "idempotency_key_reused"),
        Body(shapes.NewBookingSerializer, {"an hour": examples.NEW_BOOKING}),
        parameters=("Idempotency-Key",),
    ),
    "POST /api/bookings/check/": Operation(
        "checkBooking",
        BOOKINGS,
        "Try a booking without making it",
        "A dry run of all rules: with an `id` of moving that booking, without one of booking. Nothing is saved, nobody "
        "is told. What would be refused is a 200 with `ok` false and what the refusal would say.",
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
        (*SIGNED_IN, *ANY_BODY, "permission_denied", "not_found", "precondition_failed"),
        Body(shapes.CheckSerializer, {"new": examples.NEW_BOOKING, "moved": {"id": 41, **examples.LATER_SLOT}}),
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
        (
            *SIGNED_IN,
            *ANY_BODY,
            *RULES,
            "conflict",
            "permission_denied",
            "booking_ended",
            "not_found",
            "precondition_failed",
        ),
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
        (
            *SIGNED_IN,
            *ANY_BODY,
            *RULES,
            "conflict",
            "permission_denied",
            "booking_ended",
            "not_found",
            "precondition_failed",
        ),
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
            "invalid",
            "parse_error",
            "permission_denied",
            "booking_ended",
            "not_found",
            "precondition_failed",
        ),
        parameters=("booking_id", "If-Match"),
    ),
}

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
        (*BAD_TOKEN, "invalid"),
        filters=ResourceFilters,
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
        (*SIGNED_IN, *ANY_BODY, "capacity_too_small", "conflict", "permission_denied"),
        Body(ResourceSerializer, {"a room": examples.NEW_RESOURCE}),
    ),
    "GET /api/resources/{id}/": Operation(
        "getResource",
        RESOURCES,
        "Show a resource",
        "With its `availability_status`, as in the list.",
        EVERYBODY,
        {200: SHOWN, 304: NOT_MODIFIED},
        (*BAD_TOKEN, "invalid", "not_found"),
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
        (
            *SIGNED_IN,
            *ANY_BODY,
            "capacity_too_small",
            "conflict",
            "permission_denied",
            "not_found",
            "precondition_failed",
        ),
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
        (
            *SIGNED_IN,
            *ANY_BODY,
            "capacity_too_small",
            "conflict",
            "permission_denied",
            "not_found",
            "precondition_failed",
        ),
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
            "parse_error",
            "permission_denied",
            "not_found",
            "resource_has_bookings",
            "conflict",
            "precondition_failed",
        ),
        parameters=("resource_id", "If-Match"),
    ),
}

AVAILABILITY = {
    "GET /api/availability/": Operation(
        "findFirstSlots",
        FREE_TIME,
        "Find a slot on whatever resource has one",
        "For each resource in service its first free slot of that length in the window, soonest first.",
        EVERYBODY,
        {200: Answer("The slots.", availability.FirstSlotSerializer, examples.FIRST_SLOT, many=True)},
        (*BAD_TOKEN, "invalid"),
        filters=availability.FirstSlotParameters,
        parameters=("format",),
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
        (*BAD_TOKEN, "invalid", "not_found"),
        filters=availability.TimelineParameters,
        parameters=("resource_id", "format"),
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
        (*BAD_TOKEN, "invalid", "not_found"),
        filters=availability.SlotParameters,
        parameters=("resource_id", "format"),
        anonymous=True,
    ),
}

ACCOUNT_BODY = {"renamed": {"first_name": "Alicia"}}
SHOWN_ACCOUNT = Answer("The account.", accounts.UserSerializer, examples.ACCOUNT)
TAKEN = ("username_taken", "email_taken", "conflict")

SIGNING_IN = {
    "POST /api/auth/token/login/": Operation(
        "signIn",
        SIGN_IN,
        "Sign in",
        "Send the token as `Authorization: Token <key>` from then on. It is good until the sign-out or the next "
        "change of the password, or for as long as the operator says. Wrong credentials are a 400.",
        EVERYBODY,
        {200: Answer("Signed in.", shapes.TOKEN, {"auth_token": examples.TOKEN})},
        ANY_BODY,
        Body(accounts.SignInSerializer, {"alice": CREDENTIALS}),
        anonymous=True,
    ),
    "POST /api/auth/token/logout/": Operation(
        "signOut",
        SIGN_IN,
        "Sign out",
        "The token is void, on every device.",
        THOSE_SIGNED_IN,
        {204: Answer("Signed out.")},
        SIGNED_IN,
    ),
    "POST /api/auth/jwt/create/": Operation(
        "createJwt",
        JWT_SIGN_IN,
        "Sign in",
        "Send the `access` token as `Authorization: JWT <token>`, for half an hour; then `refresh` it. Wrong "
        "credentials are a 401.",
        EVERYBODY,
        {200: Answer("Signed in.", shapes.PAIR, PAIR)},
        (*ANY_BODY, "no_active_account"),
        Body(accounts.JWTSignInSerializer, {"alice": CREDENTIALS}),
        anonymous=True,
    ),
    "POST /api/auth/jwt/refresh/": Operation(
        "refreshJwt",
        JWT_SIGN_IN,
        "Get new tokens",
        "A new pair; the old refresh token is void. A refresh token is good for seven days.",
        EVERYBODY,
        {200: Answer("The new pair.", shapes.PAIR, PAIR)},
        (*ANY_BODY, "token_not_valid", *BAD_TOKEN, "no_active_account"),
        Body(shapes.RefreshSerializer, {"refresh": VOID}),
        anonymous=True,
    ),
    "POST /api/auth/jwt/verify/": Operation(
        "verifyJwt",
        JWT_SIGN_IN,
        "Ask whether a token is good",
        "An empty object when it is.",
        EVERYBODY,
        {200: Answer("It is.", {"type": "object", "additionalProperties": False}, {})},
        (*ANY_BODY, *BAD_TOKEN),
        Body(accounts.VerifySerializer, {"access": {"token": examples.JWT}}),
        anonymous=True,
    ),
    "POST /api/auth/jwt/logout/": Operation(
        "voidJwt",
        JWT_SIGN_IN,
        "Sign out",
        "The refresh token is void; the access token ends by itself.",
        EVERYBODY,
        {204: Answer("Void.")},
        (*ANY_BODY, "token_not_valid"),
        Body(jwt.TokenBlacklistSerializer, {"refresh": VOID}),
        anonymous=True,
    ),
}

OWN_ACCOUNT = {
    "POST /api/auth/users/": Operation(
        "register",
        ACCOUNT,
        "Register",
        "User names and addresses are unique whatever their case. Passwords must be hard to guess.",
        EVERYBODY,
        {201: Answer("Registered.", accounts.RegistrationSerializer, examples.USER, headers=("Location",))},
        (*ANY_BODY, *TAKEN),
        Body(accounts.RegistrationSerializer, {"alice": examples.REGISTRATION}),
        anonymous=True,
    ),
    "GET /api/auth/users/me/": Operation(
        "getMe",
        ACCOUNT,
        "Show one's own account",
        "Never limited.",
        THOSE_SIGNED_IN,
        {200: SHOWN_ACCOUNT},
        SIGNED_IN,
        limited=False,
    ),
    "PUT /api/auth/users/me/": Operation(
        "replaceMe",
        ACCOUNT,
        "Change one's own account",
        "What is not sent stays, as with PATCH; `is_staff` and `is_active` are read-only.",
        THOSE_SIGNED_IN,
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *ANY_BODY, *TAKEN),
        Body(accounts.UserSerializer, ACCOUNT_BODY),
    ),
    "PATCH /api/auth/users/me/": Operation(
        "changeMe",
        ACCOUNT,
        "Change what is named of one's own account",
        "What is not sent stays.",
        THOSE_SIGNED_IN,
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *ANY_BODY, *TAKEN),
        Body(accounts.UserSerializer, ACCOUNT_BODY, partial=True),
    ),
    "DELETE /api/auth/users/me/": Operation(
        "deleteMe",
        ACCOUNT,
        "Delete one's own account",
        "With all its bookings, for good. Needs the password; guesses are limited as sign-ins are.",
        THOSE_SIGNED_IN,
        {204: Answer("Deleted.")},
        (*SIGNED_IN, *ANY_BODY),
        Body(accounts.DeleteAccountSerializer, {"sure": {"current_password": examples.PASSWORD}}),
    ),
    "POST /api/auth/users/set_password/": Operation(
        "setPassword",
        ACCOUNT,
        "Change one's password",
        "All tokens are void from then on: sign in again. Guesses are limited as sign-ins are.",
        THOSE_SIGNED_IN,
        {204: Answer("Changed.")},
        (*SIGNED_IN, *ANY_BODY),
        Body(
            accounts.SetPasswordSerializer,
            {"another": {"current_password": examples.PASSWORD, "new_password": "another-horse-9-battery"}},
        ),
    ),
    "POST /api/auth/users/reset_password/": Operation(
        "resetPassword",
        ACCOUNT,
        "Ask for a mail that resets the password",
        "Always a 204, whether or not the address is known.",
        EVERYBODY,
        {204: Answer("If the address is known, a mail is on its way.")},
        ANY_BODY,
        Body(shapes.ResetPasswordSerializer, {"alice": {"email": "alice@example.org"}}),
        anonymous=True,
    ),
    "POST /api/auth/users/reset_password_confirm/": Operation(
        "confirmPasswordReset",
        ACCOUNT,
        "Set a new password with what the mail brought",
        "`uid` and `token` are in the link of the mail.",
        EVERYBODY,
        {204: Answer("Changed.")},
        ANY_BODY,
        Body(
            accounts.ResetPasswordConfirmSerializer,
            {
                "alice": {
                    "uid": "Nw",
                    "token": "c5h2x1-0123456789abcdef0123456789abcdef",
                    "new_password": examples.PASSWORD,
                    "re_new_password": examples.PASSWORD,
                }
            },
        ),
        anonymous=True,
    ),
}

ALL_ACCOUNTS = {
    "GET /api/auth/users/": Operation(
        "listUsers",
        ACCOUNTS,
        "List all accounts",
        "Ordered by id; in pages where `limit` asks for it.",
        "superusers",
        {
            200: Answer(
                "The accounts.", accounts.UserSerializer, examples.ACCOUNT, headers=("Link", "X-Total-Count"), many=True
            )
        },
        (*SIGNED_IN, "invalid", "permission_denied"),
        parameters=LIST,
    ),
    "GET /api/auth/users/{id}/": Operation(
        "getUser",
        ACCOUNTS,
        "Show an account",
        "As `me`, by id.",
        "whose account it is, and superusers",
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, "permission_denied", "not_found"),
        parameters=("user_id",),
    ),
    "PUT /api/auth/users/{id}/": Operation(
        "replaceUser",
        ACCOUNTS,
        "Change an account",
        "What is not sent stays, as with PATCH.",
        "whose account it is, and superusers",
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *ANY_BODY, *TAKEN, "permission_denied", "not_found"),
        Body(accounts.UserSerializer, ACCOUNT_BODY),
        parameters=("user_id",),
    ),
    "PATCH /api/auth/users/{id}/": Operation(
        "changeUser",
        ACCOUNTS,
        "Change what is named of an account",
        "What is not sent stays.",
        "whose account it is, and superusers",
        {200: SHOWN_ACCOUNT},
        (*SIGNED_IN, *ANY_BODY, *TAKEN, "permission_denied", "not_found"),
        Body(accounts.UserSerializer, ACCOUNT_BODY, partial=True),
        parameters=("user_id",),
    ),
    "DELETE /api/auth/users/{id}/": Operation(
        "deleteUser",
        ACCOUNTS,
        "Delete an account",
        "With all its bookings. Needs the caller's own password; guesses are limited as sign-ins are.",
        "whose account it is, and superusers",
        {204: Answer("Deleted.")},
        (*SIGNED_IN, *ANY_BODY, "permission_denied", "not_found"),
        Body(accounts.DeleteAccountSerializer, {"sure": {"current_password": examples.PASSWORD}}),
        parameters=("user_id",),
    ),
}

FEED = {
    "id": 5,
    "resource": None,
    "resource_name": None,
    "names": False,
    "created_at": "2030-01-24T08:15:30.123456Z",
    "last_used_on": None,
}
FEED_ADDRESS = "https://booking.example.org/calendars/0f1e2d3c4b5a69788796a5b4c3d2e1f0.ics"
ICS = "text/calendar"
CALENDAR = {
    "GET /api/calendar-feeds/": Operation(
        "listCalendarFeeds",
        CALENDARS,
        "List one's calendar feeds",
        "Their addresses are not told again.",
        THOSE_SIGNED_IN,
        {200: Answer("The feeds.", CalendarFeedSerializer, FEED, headers=("Link", "X-Total-Count"), many=True)},
        (*SIGNED_IN, "invalid"),
        parameters=LIST,
    ),
    "POST /api/calendar-feeds/": Operation(
        "createCalendarFeed",
        CALENDARS,
        "Make a calendar feed",
        "Of one's own bookings, or with `resource` of a resource. `url` is the secret address to subscribe to in a "
        "calendar program; it is told in this answer and never again. `names` tells who booked, for staff only.",
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
        (*SIGNED_IN, *ANY_BODY, "resource_missing", "too_many_feeds", "names_not_allowed", "conflict"),
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
        {200: Answer("The file.", {"type": "string"}, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", media_types=(ICS,))},
        (*SIGNED_IN, "permission_denied", "not_found"),
        parameters=("booking_id",),
    ),
}

PICTURED = Answer(
    "The picture.", ProfilePictureSerializer, {**examples.PICTURE, "updated_at": "2030-01-24T08:15:30.123456Z"}
)
PROFILE_PICTURE = {
    "PUT /api/profile/picture/": Operation(
        "replacePicture",
        PICTURE,
        "Set one's picture",
        "A Cloudinary id that is not sent is forgotten.",
        THOSE_SIGNED_IN,
        {200: PICTURED},
        (*SIGNED_IN, *ANY_BODY),
        Body(ProfilePictureSerializer, {"a picture": examples.PICTURE}),
    ),
    "PATCH /api/profile/picture/": Operation(
        "changePicture",
        PICTURE,
        "Set one's picture, and keep its Cloudinary id",
        "A Cloudinary id that is not sent stays; `profile_picture` is needed.",
        THOSE_SIGNED_IN,
        {200: PICTURED},
        (*SIGNED_IN, *ANY_BODY),
        Body(ProfilePictureSerializer, {"a picture": examples.PICTURE}),
    ),
    "DELETE /api/profile/picture/delete/": Operation(
        "deletePicture",
        PICTURE,
        "Remove one's picture",
        "And its Cloudinary id.",
        THOSE_SIGNED_IN,
        {200: Answer("Removed.", shapes.MESSAGE, {"message": "The profile picture was removed."})},
        SIGNED_IN,
    ),
}

PREFERRED = Answer(
    "The preferences.",
    PreferencesSerializer,
    {
        "time_zone": "Europe/Berlin",
        "booking_created": True,
        "booking_changed": True,
        "booking_confirmed": True,
        "booking_rejected": True,
        "booking_cancelled": True,
        "reminder_minutes": 60,
    },
)
PREFERENCES = {
    "GET /api/profile/preferences/": Operation(
        "getPreferences",
        MESSAGES,
        "Show which messages one wants",
        "The defaults, until they are changed.",
        THOSE_SIGNED_IN,
        {200: PREFERRED},
        SIGNED_IN,
    ),
    "PATCH /api/profile/preferences/": Operation(
        "changePreferences",
        MESSAGES,
        "Change which messages one wants",
        "What is not sent stays.",
        THOSE_SIGNED_IN,
        {200: PREFERRED},
        (*SIGNED_IN, *ANY_BODY),
        Body(PreferencesSerializer, {"no reminder": {"reminder_minutes": None}}, partial=True),
    ),
}

OPERATIONS: dict[str, Operation] = {
    **ROOT,
    **SIGNING_IN,
    **RESOURCE,
    **AVAILABILITY,
    **BOOKING,
    **CALENDAR,
    **OWN_ACCOUNT,
    **PROFILE_PICTURE,
    **PREFERENCES,
    **ALL_ACCOUNTS,
}
ORDER = list(OPERATIONS)
