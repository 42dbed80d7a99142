"""The whole description: what stands around the operations, and what the serializers cannot say of their fields."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from drf_spectacular.drainage import warn

from core.schema import shapes
from core.schema.inspector import TRIMMED
from core.schema.operations import ORDER
from core.schema.outside import OUTSIDE
from core.schema.parameters import HEADERS

TITLE = "Booking API"
VERSION = "0.1.0"
DESCRIPTION = Path(__file__).with_name("description.md")

TAGS = {
    "Start here": "Where things are, and whether the service answers.",
    "Sign-in with a token": "One word that is good until the sign-out: for apps that keep a secret.",
    "Sign-in with JSON Web Tokens": "A short-lived token and one to renew it: for apps that would rather not.",
    "Resources": "What can be booked: rooms, desks, devices, vehicles. Anybody may look, staff keep them.",
    "Free time": "When is it free? Open to all; tells nobody who booked.",
    "Bookings": "A user's claim on a resource for a span of time. No two of them hold the same slot.",
    "Calendars": "Bookings in the calendar program that people have anyway (iCalendar, RFC 5545).",
    "Own account": "Registration, one's own data, passwords.",
    "Profile picture": "Its address; the picture itself lives elsewhere.",
    "Messages": "Which e-mails one gets, and in which time zone their times are.",
    "Accounts": "Other people's accounts, for superusers.",
}

SECURITY = {
    "Token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token <key>`: the word, a space, and the `auth_token` of POST /api/auth/token/login/.",
    },
    "JWT": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`JWT <access>`: the word, a space, and the `access` token of POST /api/auth/jwt/create/.",
    },
}

# What is shown of each is always shown, though a caller may leave it out.
WHOLE = ("Booking", "Resource", "User", "ProfilePicture", "Registration", "CalendarFeed", "NewFeed", "Preferences")

WORDS_FOR_FLAGS = ["true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "1", "0", 1, 0]

FIELDS: dict[str, dict[str, str]] = {
    "Booking": {
        "user": "Whose booking it is, by id. Only staff who book may name another one.",
        "username": "Their user name.",
        "resource": "What is booked, by id.",
        "resource_name": "Its name.",
        "start_time": "The first moment of the booking, ISO 8601 with an offset; answered in UTC with `Z`.",
        "end_time": "The moment from which the resource is free again; after `start_time`, at most 1826 days ahead.",
        "status": "`pending` and `confirmed` bookings hold their slot, `cancelled` and `rejected` ones do not.",
        "notes": "Free text for the owner and staff.",
        "created_at": "When it was made.",
        "updated_at": "When it was last changed.",
    },
    "Resource": {
        "name": "What people call it.",
        "description": "What to know before booking it.",
        "capacity": "How many people or items it holds.",
        "is_available": "False: out of service, cannot be booked.",
        "requires_approval": "Whether a booking waits until staff confirm it.",
        "availability_status": "In the window asked for: `unavailable` when out of service or a confirmed booking is "
        "in it, `pending` when only pending ones are, else `available`.",
        "next_free": "With `include=next_free`: from when on it could be booked; null when there is no such moment.",
    },
    "User": {
        "username": "Unique, whatever its case.",
        "email": "Unique, stored in lower case.",
        "first_name": "May be empty.",
        "last_name": "May be empty.",
        "password": "Hard to guess: not too common, not like the rest, not only digits, 8 to 128 characters.",
        "is_staff": "Whether this is one of those who keep the resources.",
        "is_active": "False: the account is closed.",
        "profile_picture": "Its address; null when there is none.",
    },
    "ProfilePicture": {
        "profile_picture": "An http or https address; null when there is none.",
        "cloudinary_public_id": "What Cloudinary calls it; null when there is no such thing.",
    },
    "Timeline": {
        "busy": "What is taken, in order, cut to the window.",
        "free": "The gaps between.",
        "next_free": "From when on it could be booked; null when there is no such moment.",
    },
    "CalendarFeed": {
        "resource": "The resource that it is of, by id; null: one's own bookings.",
        "resource_name": "Its name.",
        "names": "Whether it tells who booked; for staff only, who get it for a resource unless they send false.",
        "created_at": "When it was made.",
        "last_used_on": "The day on which a calendar program last asked; null: never.",
        "url": "The secret address to subscribe to. Keep it as a password is kept.",
    },
    "Preferences": {
        "time_zone": "An IANA name, such as Europe/Berlin: the clock of the times in messages.",
        "booking_created": "Whether to be told of new bookings.",
        "booking_changed": "Whether to be told of changes.",
        "booking_confirmed": "Whether to be told that staff confirmed one.",
        "booking_rejected": "Whether to be told that staff rejected one.",
        "booking_cancelled": "Whether to be told of cancellations.",
        "reminder_minutes": "How many minutes before the start to be reminded; null: never.",
    },
    "Busy": {"id": "Of the booking; only for its owner and staff."},
}
SAME_FIELDS = {
    "PatchedPreferencesRequest": "Preferences",
    "NewFeed": "CalendarFeed",
    "CalendarFeedRequest": "CalendarFeed",
    "NewBookingRequest": "Booking",
    "BookingRequest": "Booking",
    "PatchedBookingRequest": "Booking",
    "CheckRequest": "Booking",
    "ResourceRequest": "Resource",
    "PatchedResourceRequest": "Resource",
    "UserRequest": "User",
    "PatchedUserRequest": "User",
    "RegistrationRequest": "User",
    "ProfilePictureRequest": "ProfilePicture",
    "Registration": "User",
}


def finish(result: dict[str, Any], **options: object) -> dict[str, Any]:
    """Put the whole together, in an order in which it can be read.

    A hook of drf-spectacular, called with the operations and the shapes of the serializers.
    """
    schemas = result["components"]["schemas"]
    describe_fields(schemas)
    say_what_is_read(schemas)
    schemas.update(
        {
            "Problem": shapes.PROBLEM,
            "Invalid": shapes.INVALID,
            "InvalidBooking": shapes.SLOT_TAKEN,
            "Suggestion": shapes.SUGGESTION,
            "Stale": shapes.STALE,
        }
    )
    result["info"] = {"title": TITLE, "version": VERSION, "description": DESCRIPTION.read_text(encoding="utf-8")}
    result["paths"] = {**ordered(result["paths"]), **OUTSIDE}
    result["servers"] = [{"url": "/", "description": "The server that this description comes from."}]
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    result["components"] = {
        "securitySchemes": SECURITY,
        "headers": HEADERS,
        "responses": shared_responses(result["paths"]),
        "schemas": dict(sorted(schemas.items())),
    }
    first = ("openapi", "info", "servers", "tags", "paths")
    # Through JSON: no object is in it twice, which YAML would write as an anchor.
    return json.loads(json.dumps({name: result[name] for name in (*first, "components")}))


def describe_fields(schemas: dict[str, Any]) -> None:
    """Give the fields their descriptions, and say what is always there."""
    for name in WHOLE:
        schemas[name]["required"] = list(schemas[name]["properties"])
    for name in WHOLE:
        for shown in schemas[name]["properties"].values():
            # What a client may not send may still be stored: users made by staff have no address.
            for rule in ("pattern", "title", *(("format",) if shown.get("format") == "email" else ())):
                shown.pop(rule, None)
    for name in ("CalendarFeed", "NewFeed"):
        schemas[name]["properties"]["resource_name"]["type"] = ["string", "null"]
        schemas[name]["properties"]["names"]["type"] = "boolean"
    schemas["ProfilePicture"]["properties"]["profile_picture"]["type"] = ["string", "null"]
    schemas["Resource"]["properties"]["next_free"] = {"type": ["string", "null"], "format": "date-time"}
    schemas["Resource"]["properties"]["availability_status"] = {"enum": ["available", "pending", "unavailable"]}
    for name, schema in schemas.items():
        texts = FIELDS.get(SAME_FIELDS.get(name, name), {})
        for field, described in schema.get("properties", {}).items():
            described.pop("x-spec-enum-id", None)
            if field in texts:
                described["description"] = texts[field]


def say_what_is_read(schemas: dict[str, Any]) -> None:
    """Widen what is sent to what is taken: a number for a text, digits for a number, a word for a flag, white space.

    A program has no need of it. But what the description forbids should be refused, and this is not: forms send it.
    """
    for name, schema in schemas.items():
        for field in schema.get("properties", {}).values() if name.endswith("Request") else ():
            if field.pop(TRIMMED, False):
                spaced(field)
            kinds = field.get("type", [])
            kinds = [kinds] if isinstance(kinds, str) else kinds
            if "string" in kinds and not {"format", "enum"} & set(field):
                field["type"] = [*kinds, "number"]
            elif "integer" in kinds:
                field["type"] = [*kinds, "string"]
                field["pattern"] = "^[1-9][0-9]{0,17}$"
            elif "boolean" in kinds:
                del field["type"]
                field["anyOf"] = [{"type": kinds if len(kinds) > 1 else kinds[0]}, {"enum": WORDS_FOR_FLAGS}]


def spaced(field: dict[str, Any]) -> None:
    """Say of a text that white space at its ends is cut off before anything else is asked of it."""
    if "pattern" in field:
        field["pattern"] = f"^\\s*{field['pattern'].removeprefix('^').removesuffix('$')}\\s*$"
    if "maxLength" in field:
        most = f"At most {field.pop('maxLength')} characters, not counting white space at its ends."
        field["description"] = f"{field.get('description', '')} {most}".strip()


def ordered(paths: dict[str, Any]) -> dict[str, Any]:
    """Paths and their methods in the order of the entries."""
    found: dict[str, Any] = {}
    for entry in ORDER:
        method, path = entry.split(" ")
        if method.lower() not in paths.get(path, {}):
            warn(f"{entry} has an entry in core/schema/operations/, and no view.")
            continue
        found.setdefault(path, {})[method.lower()] = paths[path][method.lower()]
    return found


def phrase_of(status: int) -> str:
    """What HTTP calls a status (RFC 9110); the names of Python before 3.13 differ for two of them."""
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status) or HTTPStatus(status).phrase


def shared_responses(paths: dict[str, Any]) -> dict[str, Any]:
    """Move the errors that several operations answer to a place of their own, and refer to them there."""
    places: dict[str, list[tuple[dict[str, Any], str]]] = {}
    for path in paths.values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    places.setdefault(json.dumps([status, response]), []).append((operation["responses"], status))
    shared: dict[str, Any] = {}
    for found in places.values():
        if len(found) == 1:
            continue
        responses, status = found[0]
        title = "".join(word.capitalize() for word in phrase_of(int(status)).split())
        name, number = title, 1
        while name in shared:
            number += 1
            name = f"{title}{number}"
        shared[name] = responses[status]
        for responses, status in found:
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return shared
