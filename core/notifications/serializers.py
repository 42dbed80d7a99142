"""The serializer of preferences."""

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
        )
