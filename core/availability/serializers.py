"""The query parameters and the answers of the availability endpoints."""

import zoneinfo
from datetime import timedelta

from rest_framework import serializers

from core.api.fields import MomentField, ZoneField
from core.api.query import WindowParameters
from core.choices import BookingStatus
from core.constraints import LARGEST_CAPACITY


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

    step = serializers.IntegerField(min_value=5, max_value=1440, default=30, help_text="Minutes between two starts.")
    timezone = ZoneField(
        default=zoneinfo.ZoneInfo("UTC"),  # type: ignore[arg-type]  # the stubs know only a CharField with a text
        help_text="Whose midnight the grid begins at: an IANA name.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=1000, help_text="How many at most.")
    cursor = serializers.CharField(required=False, help_text="Where the next page begins; follow the Link header.")


class FirstSlotParameters(SearchParameters):
    """The search for the first slot of each resource."""

    min_capacity = serializers.IntegerField(
        min_value=1, max_value=LARGEST_CAPACITY, required=False, help_text="How many at least."
    )
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=20, help_text="How many at most.")


class SlotSerializer(serializers.Serializer):
    """A span of time."""

    start_time = MomentField()
    end_time = MomentField()


class BusySerializer(SlotSerializer):
    """A span of time that is taken; `id` only for its owner and staff."""

    status = serializers.ChoiceField(choices=[status.value for status in BookingStatus.blocking()])
    id = serializers.IntegerField(required=False, help_text="Of the booking; only for its owner and staff.")


class TimelineSerializer(serializers.Serializer):
    """The busy and free intervals, and `next_free`."""

    busy = BusySerializer(many=True, help_text="What is taken, in order, cut to the window.")
    free = SlotSerializer(many=True, help_text="What could be booked of the gaps between, in order.")
    next_free = MomentField(
        allow_null=True, help_text="From when on it could be booked; null when there is no such moment."
    )


class FirstSlotSerializer(SlotSerializer):
    """The first slot of a resource."""

    resource = serializers.IntegerField()
    resource_name = serializers.CharField()
    capacity = serializers.IntegerField()
