"""The shape of preferences."""

from rest_framework import serializers

from core.notifications.models import NotificationPreferences
from core.notifications.readers import zone_names


class PreferencesSerializer(serializers.ModelSerializer):
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
        )

    def validate_time_zone(self, value: str) -> str:
        """An IANA name that this server knows."""
        if value not in zone_names():
            raise serializers.ValidationError("This is no IANA time zone, such as Europe/Berlin or UTC.")
        return value
