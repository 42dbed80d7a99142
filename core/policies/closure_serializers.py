"""The shapes of closures, and the query parameters of their list."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from core.api.fields import LARGEST_KEY, FormsMixin, KeyField, MomentField, TextField, WordField
from core.api.query import FlagParameter, ListParameters, WindowParameters
from core.choices import OnConflict
from core.lifecycle import Plan, Preview
from core.models import Closure, Resource
from core.policies.models import LONGEST_NAME

MOST_RESOURCES = 1000
ONLY_STAFF = ("staff_note", "created_by", "created_at")
ON_CONFLICT = (
    "What to do where bookings are in the way: `refuse` closes nothing (409 `closure_conflicts`), `cancel` cancels "
    "them, `around` closes the free time around them."
)


class ResourcesField(serializers.ListField):
    """The resources of a closure by id, each once, in order."""

    child = KeyField()

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(min_length=1, max_length=MOST_RESOURCES, **kwargs)

    def get_attribute(self, instance: Closure) -> list[int]:
        return sorted(resource.pk for resource in instance.resources.all())


class ClosureSerializer(FormsMixin, serializers.Serializer):
    """A time in which resources are closed."""

    id = serializers.IntegerField(read_only=True)
    resources = ResourcesField(help_text="What is closed, by id.")
    start_time = MomentField(help_text="The first moment of the closure, ISO 8601 with an offset; it may be over.")
    end_time = MomentField(
        help_text="The moment from which the resources are free again; after `start_time`, at most 1826 days ahead."
    )
    reason = serializers.CharField(max_length=LONGEST_NAME, help_text="Why; everybody reads it.")
    staff_note = TextField(trim_whitespace=False, max_length=5_000, help_text="Only staff read it.")
    created_by = serializers.IntegerField(
        source="created_by_id", read_only=True, allow_null=True, help_text="Who made it; null for a deleted account."
    )
    created_at = MomentField(read_only=True, help_text="When it was made.")
    on_conflict = WordField(
        choices=OnConflict.choices, required=False, write_only=True, help_text=f"{ON_CONFLICT} Without it `refuse`."
    )

    live_fields: ClassVar = ()

    @staticmethod
    def with_resources(closures: QuerySet[Closure]) -> QuerySet[Closure]:
        """The closures with their resources, in one more statement however many there are."""
        return closures.prefetch_related(Prefetch("resources", Resource.objects.only("pk").order_by("pk")))

    def get_fields(self) -> dict[str, serializers.Field]:
        """All fields for staff; the public part for everybody else."""
        found = super().get_fields()
        request = self.context.get("request")
        if request and not request.user.is_staff:
            for name in ONLY_STAFF:
                del found[name]
        return found


class ClosureTrialSerializer(ClosureSerializer):
    """A closure to be tried, or how the closure `id` is to be changed."""

    id = KeyField(required=False, help_text="The closure that is to be changed; without it a new one.")


class PartSerializer(serializers.Serializer):
    """A time of a resource."""

    resource = serializers.IntegerField(help_text="The resource, by id.")
    start_time = MomentField(help_text="The first moment.")
    end_time = MomentField(help_text="The moment after the last.")


class PlanSerializer(serializers.Serializer):
    """What a closure would do."""

    possible = serializers.BooleanField(help_text="False: nothing would be closed.")
    cancelled = serializers.ListField(child=serializers.IntegerField(), help_text="The bookings to cancel, by id.")
    closed = PartSerializer(many=True, help_text="The time to be closed.")


class ClashSerializer(serializers.Serializer):
    """A booking, or another closure, in the way of a closure."""

    kind = serializers.ChoiceField(("booking", "closure"), help_text="Which of the two.")
    id = serializers.IntegerField(help_text="The id of the booking or of the closure.")
    resource = serializers.IntegerField(help_text="The resource, by id.")
    resource_name = serializers.CharField(help_text="Its name.")
    start_time = MomentField(help_text="The start of the booking, or of the closed time.")
    end_time = MomentField(help_text="Its end.")
    status = serializers.CharField(help_text="The status of the booking; `confirmed` for a closure.")
    username = serializers.CharField(allow_null=True, help_text="Whose booking it is; null for a closure.")


class PreviewSerializer(serializers.Serializer):
    """What is in the way of a closure, and what each `on_conflict` would do."""

    conflicts = ClashSerializer(many=True, help_text="The bookings and closures in the way.")
    refuse = PlanSerializer(help_text="With `on_conflict` `refuse`.")
    cancel = PlanSerializer(help_text="With `on_conflict` `cancel`.")
    around = PlanSerializer(help_text="With `on_conflict` `around`.")


def preview_json(preview: Preview) -> dict[str, Any]:
    """A preview as the API answers it."""
    plans = {word.value: plan_json(plan) for word, plan in preview.plans.items()}
    return {"conflicts": [clash.as_json() for clash in preview.clashes], **plans}


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as the API answers it."""
    return {
        "possible": plan.is_possible,
        "cancelled": [booking.pk for booking in plan.cancelled],
        "closed": [{"resource": resource, **part.as_json()} for resource, part in plan.parts],
    }


class ClosureListParameters(WindowParameters, ListParameters):
    """The query parameters of the list of closures."""

    start = MomentField(required=False, help_text="The beginning of a window, with an offset: those that overlap it.")
    end = MomentField(required=False, help_text="The end of the window.")
    resource = serializers.IntegerField(
        min_value=1, max_value=LARGEST_KEY, required=False, help_text="The closures of this resource."
    )
    upcoming = FlagParameter(help_text="Those that are not over, or with false those that are.")
