"""The shapes of resources, bookings and profiles. They neither decide nor send."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.api.fields import FlagField, FormsMixin, KeyField, MomentField, WordField
from core.api.lists import RowsMixin
from core.choices import BookingStatus
from core.lifecycle import Changes
from core.models import Resource


class ResourceSerializer(RowsMixin, FormsMixin, serializers.ModelSerializer):
    """A resource and how it stands in the window asked for."""

    is_available = FlagField(required=False)
    requires_approval = FlagField(required=False)
    availability_status = serializers.CharField(read_only=True)

    class Meta:
        model = Resource
        fields = (
            "id",
            "name",
            "description",
            "capacity",
            "is_available",
            "requires_approval",
            "availability_status",
        )

    # What is shown but not stored in the row.
    live_fields: ClassVar = {"availability_status", "next_free"}

    def update(self, instance: Resource, validated_data: dict[str, Any]) -> Resource:
        """Write the fields that were sent, and no others: somebody else may be changing those."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        if validated_data:
            instance.save(update_fields=list(validated_data))
        return instance


class ResourceWithNextFreeSerializer(ResourceSerializer):
    """A resource, and from when on it could be booked."""

    next_free = MomentField(read_only=True)

    class Meta(ResourceSerializer.Meta):
        fields = (*ResourceSerializer.Meta.fields, "next_free")


class BookingSerializer(RowsMixin, FormsMixin, serializers.Serializer):
    """A booking; what a client sends becomes the arguments of a verb."""

    id = serializers.IntegerField(read_only=True)
    user = KeyField(source="user_id", required=False, allow_null=True)
    username = serializers.CharField(source="user.username", read_only=True)
    resource = KeyField(source="resource_id")
    resource_name = serializers.CharField(source="resource.name", read_only=True)
    start_time = MomentField()
    end_time = MomentField()
    status = WordField(choices=BookingStatus.choices, required=False)
    notes = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=5_000)
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)

    # What is shown but not stored in the row.
    live_fields: ClassVar = {"username", "resource_name"}

    def get_fields(self) -> dict[str, serializers.Field]:
        """The fields; who a booking is for is read only from staff who make one, and ignored otherwise."""
        found = super().get_fields()
        request = self.context.get("request")
        if self.instance is not None or not (request and request.user.is_staff):
            found["user"] = serializers.IntegerField(source="user_id", read_only=True)
        return found

    @property
    def changes(self) -> Changes:
        """What the client wants changed."""
        return Changes(**{name: value for name, value in self.validated_data.items() if name != "user_id"})
