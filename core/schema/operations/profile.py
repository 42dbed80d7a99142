"""One's picture and preferences."""

from core.accounts.serializers import ProfilePictureSerializer
from core.notifications.serializers import PreferencesSerializer
from core.schema import examples, shapes
from core.schema.operation import MESSAGES, PICTURE, THOSE_SIGNED_IN, Answer, Body, Operation
from core.schema.problems import SIGNED_IN

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
        SIGNED_IN,
        Body(ProfilePictureSerializer, {"a picture": examples.PICTURE}),
    ),
    "PATCH /api/profile/picture/": Operation(
        "changePicture",
        PICTURE,
        "Set one's picture, and keep its Cloudinary id",
        "A Cloudinary id that is not sent stays; `profile_picture` is needed.",
        THOSE_SIGNED_IN,
        {200: PICTURED},
        SIGNED_IN,
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
        SIGNED_IN,
        Body(PreferencesSerializer, {"no reminder": {"reminder_minutes": None}}, partial=True),
    ),
}
