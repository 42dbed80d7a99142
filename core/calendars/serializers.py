"""The serializer of calendar feeds."""

from rest_framework import serializers

from core.api.fields import KeyField, MomentField
from core.calendars.models import CalendarFeed


class CalendarFeedSerializer(serializers.ModelSerializer):
    """A feed; its address is shown only in the answer that makes it."""

    resource = KeyField(source="resource_id", required=False, allow_null=True)
    resource_name = serializers.CharField(source="resource.name", read_only=True, default=None)
    names = serializers.BooleanField(required=False, allow_null=True, default=None)
    created_at = MomentField(read_only=True)

    class Meta:
        model = CalendarFeed
        fields = ("id", "resource", "resource_name", "names", "created_at", "last_used_on")
        read_only_fields = ("last_used_on",)
