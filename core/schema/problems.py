"""Every error that the API answers: its code, its status, what it says, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core import errors
from core.api.exception_handler import error_body, validation_body
from core.calendars import feeds
from core.schema import examples


@dataclass(frozen=True, slots=True)
class Problem:
    """One code.

    Attributes:
        status: The status of the answers that carry it.
        meaning: What happened, and what a client does about it.
        body: An answer, as it is sent.
    """

    status: int
    meaning: str
    body: dict[str, Any]


def plain(status: int, code: str, detail: str, meaning: str, **more: object) -> tuple[str, Problem]:
    """An error that is about the whole call."""
    return code, Problem(status, meaning, error_body(status, code, detail, **more))


def of_rule(kind: type[errors.BookingError], meaning: str, message: str = "", **more: object) -> tuple[str, Problem]:
    """A broken rule: bad input, in the words of the domain."""
    said = message or (kind.__doc__ or "").strip()
    return kind.code, Problem(
        400, meaning, {**validation_body({kind.field or "non_field_errors": [said]}, kind.code), **more}
    )


SLOT_TAKEN_SAYS = (
    "This resource is already booked during the selected time. Taken (UTC): 2030-01-31 09:30 to 10:30. "
    "The next free slot of this length (UTC): 2030-01-31 10:30 to 11:30."
)

PROBLEMS: dict[str, Problem] = dict(
    [
        (
            "invalid",
            Problem(
                400,
                "A field or a parameter is missing, unknown or wrong. Each faulty one has its own key with a list of "
                "messages; `non_field_errors` are about several together.",
                validation_body(
                    {"end_time": ["This is no moment in ISO 8601 with an offset, such as 2030-01-31T09:00:00Z."]}
                ),
            ),
        ),
        plain(
            400,
            "parse_error",
            "JSON parse error - Expecting value: line 1 column 1 (char 0)",
            "The body, or a header with a grammar of its own, cannot be read. Send it as its format demands.",
        ),
        plain(
            400,
            "bad_request",
            "This request cannot be understood.",
            "The request is broken below the level of the API: an unknown host, a wrong Content-Length.",
        ),
        of_rule(errors.EndNotAfterStart, "Send an `end_time` after the `start_time`."),
        of_rule(errors.StartInPast, "Send a later `start_time`."),
        of_rule(
            errors.StartTooSoon,
            "A booking needs its lead time. Send a later `start_time`.",
            "A booking must start at least 30 minutes from now. Choose a later start.",
        ),
        of_rule(errors.TooFarAhead, "Send an earlier `end_time`."),
        of_rule(
            errors.SlotTaken,
            "Somebody else has the slot. `conflicts` says when it is taken (never by whom), `suggestion` and "
            "`suggestions` what could be booked instead.",
            SLOT_TAKEN_SAYS,
            conflicts=[examples.CONFLICT],
            suggestion=examples.LATER_SLOT,
            suggestions=[{"kind": "later", "resource": 3, "resource_name": "Blue room", **examples.LATER_SLOT}],
        ),
        of_rule(errors.ResourceOutOfService, "Staff took the resource out of service. Choose another one."),
        of_rule(errors.ResourceMissing, "There is no resource of that id. List the resources."),
        of_rule(errors.UserMissing, "There is no user of the id that staff sent in `user`."),
        of_rule(
            errors.StatusNotAllowed,
            "The caller may not set this status; the message says why.",
            "This resource requires approval: only staff may confirm a booking of it.",
        ),
        of_rule(feeds.TooManyFeeds, "Delete a calendar feed that is not used any more."),
        of_rule(feeds.NamesNotAllowed, "Leave `names` out; staff may send it with a `resource`."),
        of_rule(errors.TimeNotUtcText, "A time is outside of the years 1 to 9999. Send another one."),
        of_rule(errors.CapacityTooSmall, "Send a `capacity` of at least 1."),
        of_rule(errors.UsernameTaken, "Somebody took the user name at the same moment. Choose another one."),
        of_rule(errors.EmailTaken, "Somebody took the address at the same moment. Choose another one."),
        plain(
            401,
            "not_authenticated",
            "Authentication credentials were not provided.",
            "The call needs somebody who is signed in. Send `Authorization: Token <key>` or `JWT <access>`.",
        ),
        plain(
            401,
            "authentication_failed",
            "Invalid token.",
            "The token is unknown or void: signed out, or the password was changed. Sign in again.",
        ),
        plain(
            401,
            "sign_in_expired",
            "This sign-in is too old. Sign in again.",
            "The operator limits how long a sign-in counts. Sign in again.",
        ),
        plain(
            401,
            "token_not_valid",
            "Given token not valid for any token type",
            "The JSON Web Token has expired, is void or of the wrong type. Refresh it, or sign in again.",
        ),
        plain(
            401,
            "bad_authorization_header",
            "Authorization header must contain two space-delimited values",
            "The header is not `JWT <access>`: the word, one space, the token.",
        ),
        plain(401, "user_not_found", "User not found", "The account of the token is gone."),
        plain(401, "user_inactive", "User is inactive", "The account of the token was closed. Ask staff."),
        plain(
            401,
            "password_changed",
            "The user's password has been changed.",
            "The token was made with an older password. Sign in again.",
        ),
        plain(
            401,
            "no_active_account",
            "No active account found with the given credentials",
            "User name or password are wrong, or the account is closed.",
        ),
        plain(
            403,
            "permission_denied",
            "You do not have permission to perform this action.",
            "The caller is known, and may not do this: it is somebody else's, for staff, or of a session and lacks its "
            "CSRF token.",
        ),
        plain(
            403,
            "booking_ended",
            "This booking has ended and cannot be changed any more. Ask staff if its record is wrong.",
            "A booking that is over is history for its owner; staff may still change it.",
        ),
        plain(404, "not_found", "Not found.", "There is nothing of that address or id. Every path ends in a slash."),
        plain(
            405,
            "method_not_allowed",
            'Method "POST" not allowed.',
            "The address has other methods: see the `Allow` header.",
        ),
        plain(
            409,
            "resource_has_bookings",
            "This resource has bookings and cannot be deleted. Set is_available to false to take it out of service.",
            "Set `is_available` to false instead.",
        ),
        plain(
            409,
            "conflict",
            "This contradicts what is stored; somebody may have been faster. Read it again and retry.",
            "The database refused the write for a reason of its own. Read again, then retry.",
        ),
        plain(411, "length_required", "Send the body with a Content-Length header.", "Send a Content-Length header."),
        plain(
            412,
            "precondition_failed",
            "Somebody changed this meanwhile. Look at its current state, merge, and send it again with the new ETag.",
            "`If-Match` named another version. `current` is what is stored now, `ETag` its tag: merge, send again.",
            current=examples.BOOKING,
        ),
        plain(413, "body_too_large", "The body may have at most 1048576 bytes.", "Send less."),
        plain(
            415,
            "unsupported_media_type",
            'Unsupported media type "text/plain" in request.',
            "Send JSON, a form or multipart, in UTF-8.",
        ),
        plain(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another body within the last 24 hours. Use a new key.",
            "One key, one body. Use a new key for another booking.",
        ),
        plain(
            429,
            "throttled",
            "Request was throttled. Expected available in 42 seconds.",
            "Too many calls. Wait for the seconds of `Retry-After`.",
        ),
        plain(
            500,
            "server_error",
            "Something went wrong on our side. Please report request 0a1b2c3d4e5f60718293a4b5c6d7e8f9.",
            "Our fault. Report the request id; it is in `X-Request-ID`, too.",
        ),
        plain(
            503,
            "database_unavailable",
            "The database cannot be reached at the moment. Try again in a few seconds.",
            "Wait for the seconds of `Retry-After`, then repeat; a POST of a booking with its `Idempotency-Key`.",
        ),
    ]
)

# Which of them belong together.
ALWAYS = (
    "invalid",
    "bad_request",
    "length_required",
    "body_too_large",
    "unsupported_media_type",
    "server_error",
    "database_unavailable",
)
LIMITED = ("throttled",)
BAD_TOKEN = (
    "authentication_failed",
    "sign_in_expired",
    "token_not_valid",
    "bad_authorization_header",
    "user_not_found",
    "user_inactive",
    "password_changed",
)
SIGNED_IN = ("not_authenticated", *BAD_TOKEN)
RULES = (
    "end_not_after_start",
    "start_in_past",
    "start_too_soon",
    "too_far_ahead",
    "slot_taken",
    "resource_out_of_service",
    "resource_missing",
    "status_not_allowed",
    "time_form",
)


def by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """The codes of each status, both in order."""
    found: dict[int, list[str]] = {}
    for code in sorted(dict.fromkeys(codes), key=lambda code: PROBLEMS[code].status):
        found.setdefault(PROBLEMS[code].status, []).append(code)
    return found
