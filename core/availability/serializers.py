"""The query parameters and the answers of the availability endpoints."""

from datetime import timedelta

from rest_framework import serializers

from core.api.fields import MomentField, ZoneField
from core.api.query import WindowParameters
from core.choices import BookingStatus, Kind
from core.constraints import LARGEST_CAPACITY
from core.serializers import SpanSerializer


class TimelineParameters(WindowParameters):
    """A window of at most 366 days."""

    longest = timedelta(days=366)


class SearchParameters(WindowParameters):
    """A window of at most 31 days and the duration of the slot."""

    longest = timedelta(days=31)

    start = MomentField(help_text="The beginning of the window, with an offset.")
    end = MomentField(help_text="The end of the window, at most 31 days after its start.")
    duration = serializers.IntegerField(min_value=1, max_value=10_080, help_text="Minutes.")


class SlotParameters(SearchParameters):
    """The search for slots on a grid."""

    step = serializers.IntegerField(
        min_value=5,
        max_value=1440,
        required=False,
        help_text="Minutes between two starts; without it those of the resource's grid, or else 30.",
    )
    timezone = ZoneField(
        required=False,
        help_text="Whose midnight the grid begins at: an IANA name; without it the grid is that of the resource.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=1000, help_text="How many at most.")
    cursor = serializers.CharField(required=False, help_text="Where the next page begins; follow the Link header.")


class FirstSlotParameters(SearchParameters):
    """The search for the first slot of each resource."""

    min_capacity = serializers.IntegerField(
        min_value=1, max_value=LARGEST_CAPACITY, required=False, help_text="How many at least."
    )
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=20, help_text="How many at most.")


class SlotSerializer(SpanSerializer):
    """A span of time that can be booked."""


class BusySerializer(SlotSerializer):
    """A span of time that is taken by a booking or a closure; `id` only for the owner and staff."""

    status = serializers.ChoiceField(choices=[status.value for status in BookingStatus.blocking()])
    id = serializers.IntegerField(required=False, help_text="Of the booking; only for its owner and staff.")
    kind = serializers.ChoiceField(
        choices=[Kind.CLOSURE.value], required=False, help_text="`closure` for a closure; a booking has none."
    )
    reason = serializers.CharField(required=False, help_text="Why the closure is; for everybody.")


class ClosedSerializer(SlotSerializer):
    """A span of time outside the opening hours."""

    reason = serializers.CharField(help_text="The name of the closed days; empty for ordinary closed hours.")


class TimelineSerializer(serializers.Serializer):
    """The busy, closed and free intervals, and `next_free`."""

    busy = BusySerializer(many=True, help_text="What is taken, in order, cut to the window.")
    closed = ClosedSerializer(
        many=True,
        required=False,
        help_text="The time outside the opening hours, in order; where the resource has opening hours or exceptions.",
    )
    free = SlotSerializer(many=True, help_text="What could be booked of the gaps between, in order.")
    next_free = MomentField(
        allow_null=True, help_text="From when on it could be booked; null when there is no such moment."
    )


class OwnBusySerializer(BusySerializer):
    """A span of time that is taken, and whether by a booking of the caller."""

    mine = serializers.BooleanField(required=False, help_text="With `include=mine`: true for the caller's own booking.")


class ResourceTimelineSerializer(serializers.Serializer):
    """The time line of one of many resources."""

    resource = serializers.IntegerField(help_text="Its id.")
    resource_name = serializers.CharField()
    description = serializers.CharField(required=False, help_text="With `include=details`: what to know before.")
    capacity = serializers.IntegerField(
        required=False, help_text="With `include=details`: how many people or items it holds."
    )
    is_available = serializers.BooleanField(
        required=False, help_text="With `include=details`: false while it is out of service."
    )
    requires_approval = serializers.BooleanField(
        required=False, help_text="With `include=details`: whether a booking waits until staff confirm it."
    )
    busy = OwnBusySerializer(many=True, help_text="What is taken, in order, cut to the window.")
    closed = ClosedSerializer(many=True, help_text="The time outside the opening hours, in order.")
    free = SlotSerializer(many=True, help_text="What could be booked of the gaps between, in order.")
    next_free = MomentField(
        allow_null=True, help_text="From when on it could be booked; null when there is no such moment."
    )


class FirstSlotSerializer(SlotSerializer):
    """The first slot of a resource."""

    resource = serializers.IntegerField()
    resource_name = serializers.CharField()
    capacity = serializers.IntegerField()
