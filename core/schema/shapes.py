"""Shapes that no serializer has by itself: what a caller may send where the serializer decides by who calls."""

from typing import Any

from rest_framework import serializers
from rest_framework_simplejwt import serializers as jwt

from core.api.fields import KeyField
from core.calendars.serializers import CalendarFeedSerializer
from core.serializers import BookingSerializer


class NewBookingSerializer(BookingSerializer):
    """A booking to be made, as staff may send it."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields, `user` too."""
        return serializers.Serializer.get_fields(self)


class CheckSerializer(NewBookingSerializer):
    """A booking to be tried, or how one is to be moved."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """None is needed where an `id` says which booking it is about."""
        found = super().get_fields()
        for field in found.values():
            field.required = False
        return {**found, "id": KeyField(required=False)}


class ResetPasswordSerializer(serializers.Serializer):
    """An address to send a reset link to."""

    email = serializers.EmailField()


class NewFeedSerializer(CalendarFeedSerializer):
    """A feed, and once its address."""

    url = serializers.URLField(read_only=True)

    class Meta(CalendarFeedSerializer.Meta):
        fields = (*CalendarFeedSerializer.Meta.fields, "url")


class RefreshSerializer(jwt.TokenRefreshSerializer):
    """A refresh token."""


def links(*names: str) -> dict[str, Any]:
    """An object of addresses."""
    return object_of({name: {"type": "string", "format": "uri"} for name in names})


def object_of(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with all these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}


ROOT = links("resources", "bookings", "users", "me", "token_login", "profile_picture")
TOKEN = object_of({"auth_token": {"type": "string", "pattern": "^[0-9a-f]{40}$"}})
PAIR = object_of({"refresh": {"type": "string"}, "access": {"type": "string"}})
MESSAGE = object_of({"message": {"type": "string"}})

CHECKED_BESIDES = {
    "description": "Whatever else is sent is tried, too: the answer is what booking would say of it. Only an `id` that "
    "is none is refused.",
    "properties": {
        "id": {
            "type": ["integer", "string", "null"],
            "minimum": 1,
            "maximum": 2**63 - 1,
            "pattern": "^[1-9][0-9]{0,17}$",
        }
    },
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

SLOT = {"$ref": "#/components/schemas/Slot"}
MESSAGES = {"type": "array", "items": {"type": "string"}, "minItems": 1}
WORDS = {
    "error": {"type": "string", "minLength": 1, "description": "A short title."},
    "code": {
        "type": "string",
        "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
        "description": "What happened, for machines: it does not change.",
    },
    "detail": {"type": "string", "minLength": 1, "description": "What a person should read, and what to do."},
}

PROBLEM = {
    "type": "object",
    "description": "What every error is: three strings.",
    "properties": WORDS,
    "required": list(WORDS),
}
INVALID = {
    "type": "object",
    "description": "Bad input: each faulty field's own key has its messages, `non_field_errors` those about several.",
    "properties": {**WORDS, "non_field_errors": MESSAGES},
    "required": list(WORDS),
    "additionalProperties": MESSAGES,
}
SLOT_TAKEN = {
    "type": "object",
    "description": "Bad input to a booking; where the slot is taken, with what is in the way and what is free.",
    "properties": {
        **WORDS,
        "non_field_errors": MESSAGES,
        "conflicts": {"type": "array", "items": SLOT, "description": "Up to three slots that are in the way."},
        "suggestion": {
            "anyOf": [SLOT, {"type": "null"}],
            "description": "The first free slot of the same length at or after the wanted start.",
        },
        "suggestions": {"type": "array", "items": {"$ref": "#/components/schemas/Suggestion"}},
    },
    "required": list(WORDS),
    "additionalProperties": MESSAGES,
}
SUGGESTION = object_of(
    {
        "kind": {"enum": ["later", "earlier", "elsewhere"]},
        "resource": {"type": "integer"},
        "resource_name": {"type": "string"},
        "start_time": {"type": "string", "format": "date-time"},
        "end_time": {"type": "string", "format": "date-time"},
    }
)
STALE = {
    "type": "object",
    "description": "Somebody was faster.",
    "properties": {**WORDS, "current": {"type": "object", "description": "What is stored now."}},
    "required": [*WORDS, "current"],
}
