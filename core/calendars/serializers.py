"""The serializer of calendar feeds."""

from typing import ClassVar

from rest_framework import serializers

from core.api.fields import FlagField, KeyField, KnownFieldsMixin, MomentField
from core.calendars.models import CalendarFeed


class CalendarFeedSerializer(KnownFieldsMixin, serializers.ModelSerializer):
    """A calendar feed. Only the answer to POST shows the URL."""

    resource = KeyField(
        source="resource_id",
        required=False,
        allow_null=True,
        help_text="The resource that it is of, by id; null: one's own bookings.",
    )
    resource_name = serializers.CharField(
        source="resource.name", read_only=True, allow_null=True, default=None, help_text="Its name."
    )
    names = FlagField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Whether it tells who booked; for staff only, who get it for a resource unless they send false.",
    )
    created_at = MomentField(read_only=True, help_text="When it was made.")

    answered = ("url",)

    class Meta:
        model = CalendarFeed
        fields: tuple[str, ...] = ("id", "resource", "resource_name", "names", "created_at", "last_used_on")
        read_only_fields = ("last_used_on",)
        extra_kwargs: ClassVar = {
            "last_used_on": {"help_text": "The day on which a calendar program last asked; null: never."}
        }
