"""The serializer of preferences."""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework import serializers

from core.api.fields import FormsMixin
from core.notifications.models import NotificationPreferences


class PreferencesSerializer(FormsMixin, serializers.ModelSerializer):
    """Which messages a user wants, when to be reminded, and the time zone of their times."""

    class Meta:
        model = NotificationPreferences
        fields = (
            "time_zone",
            "booking_created",
            "booking_changed",
            "booking_confirmed",
            "booking_rejected",
            "booking_cancelled",
            "reminder_minutes",
            "email_confirmed",
        )
        read_only_fields = ("email_confirmed",)
        extra_kwargs: ClassVar = {
            "time_zone": {
                "help_text": "An IANA name, such as Europe/Berlin: the clock of the times in messages. Until one is "
                "set, the time zone of the house.",
                "allow_null": False,
                "allow_blank": False,
            },
            "booking_created": {"help_text": "Whether to be told of new bookings."},
            "booking_changed": {"help_text": "Whether to be told of changes."},
            "booking_confirmed": {"help_text": "Whether to be told that staff confirmed one."},
            "booking_rejected": {"help_text": "Whether to be told that staff rejected one."},
            "booking_cancelled": {"help_text": "Whether to be told of cancellations."},
            "reminder_minutes": {"help_text": "How many minutes before the start to be reminded; null: never."},
            "email_confirmed": {
                "help_text": "False: the link in the mails was not used yet, so they leave out notes and names."
            },
        }

    def to_representation(self, instance: NotificationPreferences) -> dict[str, Any]:
        """The preferences; a time zone that was never set is the one of the house."""
        shown: dict[str, Any] = super().to_representation(instance)
        return shown | {"time_zone": shown["time_zone"] or settings.HOUSE_TIME_ZONE}
