"""The serializers of resources and bookings, and the query parameters of their views."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from rest_framework import serializers

from core.api.fields import (
    LARGEST_KEY,
    FlagField,
    FormsMixin,
    KeyField,
    MomentField,
    SentColumnsMixin,
    TextField,
    WordField,
)
from core.api.lists import PlainRowsMixin
from core.api.query import (
    ChoiceParameter,
    FlagParameter,
    IncludeParameter,
    ListParameters,
    OrderingParameter,
    QueryParameters,
    WindowParameters,
)
from core.choices import BookingStatus, Scope, Waivable
from core.constraints import LARGEST_CAPACITY
from core.intervals import Interval
from core.models import Booking, Resource, ResourcePolicy
from core.querysets import POLICY
from core.record.models import LONGEST_REASON
from core.terms import Facts
from core.zones import require_zone

LONGEST_OPEN = timedelta(days=366)
STAFF_NOTE = "Free text that only staff write and read; what anybody else sends here is ignored."
INCLUDE = (
    "What to add: from when on it could be booked, how its bookings are decided and its time zone, its policy, or its "
    "open time in the window."
)
ZONE = "its time zone by an IANA name, that of its opening hours, grid, days and quotas; null: the house's."
REASON_RULE = "whether staff give a reason when they reject a booking."
WHOSE = "Whose booking it is, by id. Only staff who book may name another one."


def usual_window(now: datetime) -> Interval:
    """The window of `availability_status` where a caller names none."""
    return Interval(now, now + timedelta(minutes=settings.AVAILABILITY_WINDOW_MINUTES))


class AvailabilityField(serializers.ChoiceField):
    """The annotation of the resource; for a resource without one, a query about the usual window from now on."""

    def get_attribute(self, instance: Resource) -> str | None:
        if hasattr(instance, "availability_status"):
            return super().get_attribute(instance)
        this = Resource.objects.filter(pk=instance.pk).with_availability(usual_window(timezone.now()))
        return this.values_list("availability_status", flat=True).first()


class SpanSerializer(serializers.Serializer):
    """A span of time."""

    start_time = MomentField()
    end_time = MomentField()


class ShownPolicySerializer(serializers.ModelSerializer):
    """The limits of a resource; null is "no such rule"."""

    class Meta:
        model = ResourcePolicy
        fields = POLICY


class ResourceSerializer(PlainRowsMixin, FormsMixin, SentColumnsMixin, serializers.ModelSerializer):
    """A resource, and its availability in the wanted window."""

    description = TextField(max_length=10_000, help_text="What to know before booking it.")
    is_available = FlagField(required=False, initial=True, help_text="False: out of service, cannot be booked.")
    requires_approval = FlagField(required=False, help_text="Whether a booking waits until staff confirm it.")
    reason_required = FlagField(required=False, write_only=True, help_text=REASON_RULE)
    availability_status = AvailabilityField(
        ("available", "pending", "unavailable"),
        read_only=True,
        help_text="In the window asked for: `unavailable` when out of service or a confirmed booking is in it, "
        "`pending` when only pending ones are, else `available`.",
    )

    class Meta:
        model = Resource
        fields: tuple[str, ...] = (
            "id",
            "name",
            "description",
            "capacity",
            "is_available",
            "requires_approval",
            "reason_required",
            "time_zone",
            "availability_status",
        )
        extra_kwargs: ClassVar = {
            "time_zone": {"write_only": True, "help_text": ZONE},
            "name": {"help_text": "What people call it."},
            "capacity": {"help_text": "How many people or items it holds."},
        }

    # Fields that are not columns of the row, or that plain answers do not show.
    live_fields: ClassVar = {"availability_status", "next_free", "reason_required", "time_zone", "policy", "open"}
    answered = ("next_free", "policy", "open")
    # What has to be known before the terms of the resource are read; see `core.terms.Facts`.
    hidden = Facts._fields[1:]
    # The fields that an answer shows with `include`, by its word.
    included: ClassVar[Mapping[str, Mapping[str, serializers.Field]]] = {
        "next_free": {
            "next_free": MomentField(
                read_only=True,
                allow_null=True,
                help_text="With `include=next_free`: from when on it could be booked; null when there is no such "
                "moment.",
            )
        },
        "details": {
            "reason_required": FlagField(required=False, help_text=f"With `include=details`: {REASON_RULE}"),
            "time_zone": serializers.CharField(
                required=False,
                allow_null=True,
                allow_blank=True,
                validators=[require_zone],
                help_text=f"With `include=details`: {ZONE}",
            ),
        },
        "policy": {
            "policy": ShownPolicySerializer(
                source="shown_policy", read_only=True, help_text="With `include=policy`: its limits."
            )
        },
        "open": {
            "open": SpanSerializer(
                source="shown_open",
                many=True,
                read_only=True,
                help_text="With `include=open`: its open time in the window, in order.",
            )
        },
    }
    # What is no column of the row, with its attribute: the view adds it.
    added: ClassVar = {"policy": "shown_policy", "open": "shown_open"}

    def validate_time_zone(self, name: str | None) -> str | None:
        """The name of a time zone; the empty text of a form is none."""
        return name or None

    @classmethod
    @cache
    def columns(cls) -> tuple[dict[str, F], list[str]]:
        """The columns of a list, without what the view adds."""
        aliases, names = super().columns()
        aliases = {name: path for name, path in aliases.items() if name not in cls.added}
        return aliases, [name for name in names if name not in cls.added]

    @classmethod
    @cache
    def including(cls, words: frozenset[str]) -> type["ResourceSerializer"]:
        """The serializer of answers that show more."""
        more = {name: field for word in sorted(words) for name, field in cls.included[word].items()}
        names = (*(name for name in cls.Meta.fields if name not in more), *more)
        meta = type("Meta", (cls.Meta,), {"fields": names})
        return serializers.SerializerMetaclass(cls.__name__, (cls,), {**more, "Meta": meta})


class BookingSerializer(PlainRowsMixin, FormsMixin, serializers.Serializer):
    """A booking of a resource by a user."""

    id = serializers.IntegerField(read_only=True)
    user = KeyField(source="user_id", required=False, allow_null=True, help_text=WHOSE)
    username = serializers.CharField(source="user.username", read_only=True, help_text="Their user name.")
    resource = KeyField(source="resource_id", help_text="What is booked, by id.")
    resource_name = serializers.CharField(source="resource.name", read_only=True, help_text="Its name.")
    start_time = MomentField(
        help_text="The first moment of the booking, ISO 8601 with an offset; answered in UTC with `Z`."
    )
    end_time = MomentField(
        help_text="The moment from which the resource is free again; after `start_time`, at most 1826 days ahead."
    )
    status = WordField(
        choices=BookingStatus.choices,
        required=False,
        help_text="`pending` and `confirmed` bookings hold their slot, `cancelled` and `rejected` ones do not.",
    )
    notes = TextField(trim_whitespace=False, max_length=5_000, help_text="Free text for the owner and staff.")
    reason = TextField(
        write_only=True, max_length=LONGEST_REASON, help_text="Why the status changes; only with a change of it."
    )
    staff_note = TextField(write_only=True, trim_whitespace=False, max_length=5_000, help_text=STAFF_NOTE)
    override = serializers.ListField(
        child=WordField(choices=Waivable.choices),
        write_only=True,
        required=False,
        max_length=len(Waivable),
        help_text="The rules that staff waive, by name; what anybody else sends here is ignored.",
    )
    created_at = MomentField(read_only=True, help_text="When it was made.")
    updated_at = MomentField(read_only=True, help_text="When it was last changed.")

    # Fields that are not columns of the row, or that plain answers do not show.
    live_fields: ClassVar = {"username", "resource_name", "staff_note", "series", "recurrence_id"}
    answered = ("staff_note", "override", "series", "recurrence_id")
    # The fields that an answer shows with `include`, by its word.
    included: ClassVar[Mapping[str, Mapping[str, serializers.Field]]] = {
        "staff_note": {
            "staff_note": TextField(trim_whitespace=False, max_length=5_000, help_text=STAFF_NOTE),
        },
        "series": {
            "series": serializers.IntegerField(
                source="series_id",
                read_only=True,
                allow_null=True,
                help_text="With `include=series`: the series that it is a date of, by id; null for none.",
            ),
            "recurrence_id": MomentField(
                read_only=True,
                allow_null=True,
                help_text="With `include=series`: the start that the rule of the series gave it; a date that was moved "
                "alone keeps it.",
            ),
        },
    }

    def get_fields(self) -> dict[str, serializers.Field]:
        """Only staff may set `user`, and only for a new booking; only they may write their note, and waive rules."""
        found = super().get_fields()
        request = self.context.get("request")
        by_staff = self.context.get("by_staff", request and request.user.is_staff)
        if by_staff is False:
            del found["staff_note"], found["override"]
        if self.instance is not None or not by_staff:
            found["user"] = serializers.IntegerField(source="user_id", read_only=True, help_text=WHOSE)
        return found

    @classmethod
    @cache
    def including(cls, words: frozenset[str]) -> type["BookingSerializer"]:
        """The serializer of answers that show more."""
        more = {name: field for word in sorted(words) for name, field in cls.included[word].items()}
        return serializers.SerializerMetaclass(cls.__name__, (cls,), more)

    @classmethod
    @cache
    def reader(cls, *, by_staff: bool, of_change: bool, partial: bool) -> "BookingSerializer":
        """A serializer that validates any number of JSON bodies: it holds nothing of a request.

        Args:
            by_staff: Whether staff send the bodies.
            of_change: Whether the bodies change a booking.
            partial: Whether a body may leave out each field.
        """
        stored = Booking() if of_change else None
        reader = cls(stored, data={}, partial=partial, context={"by_staff": by_staff})
        len(reader.fields)  # makes them, before threads share them
        return reader


BookingWithStaffNoteSerializer = BookingSerializer.including(frozenset({"staff_note"}))


# --- Query parameters -------------------------------------------------------------------------------------------------


class IncludedParameters(WindowParameters):
    """What to add to a resource; the open time of at most 366 days."""

    include = IncludeParameter(tuple(ResourceSerializer.included), help_text=INCLUDE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks the length of the window with `include=open`."""
        attrs = super().validate(attrs)
        is_long = "start" in attrs and attrs["end"] - attrs["start"] > LONGEST_OPEN
        if is_long and "open" in (attrs.get("include") or ()):
            message = f"With include=open the window may be at most {LONGEST_OPEN.days} days long."
            raise serializers.ValidationError({"end": [message]})
        return attrs


class ResourceParameters(IncludedParameters):
    """The query parameters of one resource."""


class ResourceFilters(WindowParameters, ListParameters):
    """The filters of lists of resources."""

    available = FlagParameter(help_text="Only those that could be booked for the whole window.")
    min_capacity = serializers.IntegerField(
        min_value=1, max_value=LARGEST_CAPACITY, required=False, help_text="Those that hold at least so many."
    )
    search = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="In name and description."
    )
    ordering = OrderingParameter("name", "capacity")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks that `available` comes with a window."""
        attrs = super().validate(attrs)
        if "available" in attrs and "start" not in attrs:
            raise serializers.ValidationError({"available": ["Say for when: start and end are needed with it."]})
        return attrs


class ResourceListParameters(ResourceFilters, IncludedParameters):
    """The query parameters of the list of resources."""

    start = MomentField(required=False, help_text="The beginning of a window, with an offset.")
    end = MomentField(required=False, help_text="The end of the window.")


class TimelinesParameters(ResourceFilters):
    """The query parameters of the time lines of many resources: a window of at most 31 days."""

    longest = timedelta(days=31)

    start = MomentField(help_text="The beginning of the window, with an offset.")
    end = MomentField(help_text="The end of the window, at most 31 days after its start.")
    include = IncludeParameter(
        ("details", "mine"), help_text="What to add: what the resource is, or which bookings are the caller's own."
    )


class BookingParameters(QueryParameters):
    """The query parameters of one booking."""

    include = IncludeParameter(
        tuple(BookingSerializer.included),
        help_text="What to add: the note of staff, for staff only, or the series of a booking that repeats.",
    )

    def validate_include(self, words: set[str]) -> set[str]:
        """Checks that only staff ask for the note of staff."""
        if "staff_note" in words and not self.context["request"].user.is_staff:
            raise serializers.ValidationError("Only staff may ask for the note of staff.")
        return words


class ScopeParameters(QueryParameters):
    """The query parameters of a change of a booking that repeats."""

    scope = ChoiceParameter(
        Scope.values,
        default=Scope.THIS.value,
        help_text="Which dates of its series are changed: `this`, which is usual, `following` for this one and the "
        "later ones, or `all`; only those that are not over. `not_in_series` for a booking that does not repeat.",
    )
    reset_exceptions = FlagParameter(
        help_text="With `following` and `all`: whether dates that were changed or cancelled on their own become as the "
        "others. A cancellation is about them in any case."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks that other dates are asked for where they are to become as the others."""
        if attrs.get("reset_exceptions") and attrs["scope"] == Scope.THIS:
            raise serializers.ValidationError({"reset_exceptions": ["Send scope=following or scope=all with it."]})
        return attrs


class BookingListParameters(BookingParameters, ListParameters):
    """The query parameters of the list of bookings."""

    resource = serializers.IntegerField(
        min_value=1, max_value=LARGEST_KEY, required=False, help_text="The bookings of this resource."
    )
    status = serializers.MultipleChoiceField(
        choices=BookingStatus.values,
        required=False,
        error_messages={"invalid_choice": f"Send {', '.join(BookingStatus.values)}; it may be repeated."},
        help_text="One or more, repeated: `status=pending&status=confirmed`.",
    )
    start_after = MomentField(required=False, help_text="Those that start then or later.")
    start_before = MomentField(required=False, help_text="Those that start before then.")
    end_after = MomentField(required=False, help_text="Those that end after then.")
    end_before = MomentField(required=False, help_text="Those that end then or before.")
    upcoming = FlagParameter(help_text="Those that are not over, or with false those that are.")
    user = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY, required=False, help_text="Staff only.")
    series = serializers.IntegerField(
        min_value=1, max_value=LARGEST_KEY, required=False, help_text="The dates of this series."
    )
    search = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="In notes and resource name; for staff in the user name, too.",
    )
    ordering = OrderingParameter("start_time", "created_at")

    def validate_user(self, user_id: int) -> int:
        """Checks that only staff ask for the bookings of other users."""
        caller = self.context["request"].user
        if not caller.is_staff and user_id != caller.pk:
            raise serializers.ValidationError("Only staff may ask for the bookings of others.")
        return user_id
