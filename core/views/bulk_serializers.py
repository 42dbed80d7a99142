"""The bodies of the call that decides on many bookings, or makes them."""

from typing import Any

from rest_framework import serializers

from core.api.fields import FlagField, KeyField, KnownFieldsMixin, TextField, WordField
from core.choices import Decision
from core.record.models import LONGEST_REASON

# How many ids or bookings one call takes.
MOST_ENTRIES = 100


class AnyField(serializers.Field):
    """Any JSON value, as it is."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - any JSON value
        return data


class BulkSerializer(KnownFieldsMixin, serializers.Serializer):
    """What both bodies have."""

    all_or_nothing = FlagField(
        required=False, help_text="True: the first refusal is the answer, and nothing is done. Without it false."
    )


class BulkDecisionSerializer(BulkSerializer):
    """One decision on many bookings."""

    action = WordField(
        choices=Decision.choices,
        help_text="What to do, as a PATCH of the `status` would: `confirm`, `reject` or `cancel`.",
    )
    ids = serializers.ListField(
        child=KeyField(),
        min_length=1,
        max_length=MOST_ENTRIES,
        help_text="The bookings, by id. A booking that is named twice is decided on once.",
    )
    reason = TextField(max_length=LONGEST_REASON, help_text="Why, for each of them; their owners read it.")


class BulkBookingsSerializer(BulkSerializer):
    """Many bookings to be made; each one is validated by itself, and may be refused by itself."""

    bookings = serializers.ListField(
        child=AnyField(allow_null=True),
        min_length=1,
        max_length=MOST_ENTRIES,
        help_text="The bookings, each as the body of POST `/api/bookings/`.",
    )
