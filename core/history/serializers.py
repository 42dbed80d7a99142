"""The shape of an act in the history of a booking, and the query parameters of a history."""

from typing import Any

from rest_framework import serializers

from core.api.fields import MomentField
from core.api.query import LARGEST_PAGE, LimitField, ListParameters
from core.choices import Waivable
from core.history.changes import STAFF_NOTE, changes_of
from core.record.kinds import Channel, EventKind, Part
from core.record.models import BookingEvent

USUAL_PAGE = 50
KINDS = ", ".join(f"`{kind}`" for kind in EventKind.values)


class ActorField(serializers.CharField):
    """The user name of the caller; owners read `staff` in place of the name of anybody else."""

    def get_attribute(self, instance: BookingEvent) -> str | None:
        if instance.part == Part.STAFF and not self.context["request"].user.is_staff:
            return "staff"
        return instance.actor_words.get("username")


class ChangesField(serializers.Field):
    """The fields that the act changed, each with its value before and after; owners read no note of staff."""

    def get_attribute(self, instance: BookingEvent) -> BookingEvent:
        return instance

    def to_representation(self, value: BookingEvent) -> dict[str, list[Any]]:
        changes = changes_of(value)
        if not self.context["request"].user.is_staff:
            changes.pop(STAFF_NOTE, None)
        return changes


class WaivedField(serializers.ListField):
    """The names of the rules that staff waived."""

    def get_attribute(self, instance: BookingEvent) -> list[str]:
        return instance.waived_rules


class ActSerializer(serializers.Serializer):
    """An act on a booking."""

    id = serializers.IntegerField(help_text="The number of the act; a later act has a higher one.")
    at = MomentField(help_text="When it was done.")
    kind = serializers.CharField(help_text=f"What was done: {KINDS}. More kinds may come.")
    actor = ActorField(
        allow_null=True,
        help_text="Who did it, by user name. For an owner `staff` stands for everybody else. Null for the system, and "
        "for an account that was deleted.",
    )
    part = serializers.ChoiceField(
        Part.choices, help_text="As what: `owner` of the booking, `staff`, or the `system` itself."
    )
    channel = serializers.ChoiceField(
        Channel.choices,
        help_text="By which way: the `api`, the `admin`, a `command`, a `job` of the server, or a `link` in a mail.",
    )
    request_id = serializers.CharField(help_text="The `X-Request-ID` of the answer to the call; empty without a call.")
    reason = serializers.CharField(help_text="Why, in the words of the caller; empty without a reason.")
    changes = ChangesField(
        source="*",
        help_text="By field: its value before and after. A new booking has null before. Words of a deleted account are "
        "left out.",
    )
    waived = WaivedField(
        child=serializers.ChoiceField(Waivable.choices),
        help_text="The rules that staff waived in this act; only where there are any.",
    )

    def to_representation(self, instance: BookingEvent) -> dict[str, Any]:
        """The act; most acts waive nothing, and do not say so."""
        shown: dict[str, Any] = super().to_representation(instance)
        return shown if shown["waived"] else {name: value for name, value in shown.items() if name != "waived"}


class HistoryParameters(ListParameters):
    """The query parameters of a history: always a page."""

    limit = LimitField(
        default=USUAL_PAGE, help_text=f"How many at most, from 1 to {LARGEST_PAGE}. `Link` then leads on."
    )
    cursor = serializers.CharField(required=False, help_text="A place in the history, from a `Link` header.")
