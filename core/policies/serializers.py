"""The shapes of policies, opening hours, exceptions, open spans and quotas, and their query parameters."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from typing import Any, ClassVar

from rest_framework import serializers

from core.api.fields import FlagField, FormsMixin, KeyField, KnownFieldsMixin, MomentField, TextField, WordField
from core.api.lists import RowsMixin
from core.api.query import WindowParameters
from core.choices import QuotaKind, QuotaPeriod
from core.errors.base import in_minutes
from core.policies.models import LONGEST_NAME, OpeningException, Quota, ResourcePolicy
from core.querysets import POLICY
from core.serializers import LONGEST_OPEN, SpanSerializer

CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")
WHOLE_DAY = 24 * 60
MOST_PERIODS = 10
LONGEST_EXCEPTION = timedelta(days=366)
FIRST_YEAR, LAST_YEAR = 1900, 2999
LARGEST_LIMIT = 1_000_000
LOAN = "Whether only the start and the end must be in open time, as for a loan."
ONE_AT_A_TIME = "Whether a person who has another booking at that time, of whatever resource, may not book this one."
NO_LONGER_FIT = (
    "How many coming bookings break the rules about length, grid and opening hours now; they stay as they are."
)


class ClockField(serializers.CharField):
    """A time of day on the local clock, `HH:MM`."""

    default_error_messages: ClassVar = {"clock": "A time of day is HH:MM, from 00:00 to 23:59. Midnight is 00:00."}

    # The stubs fix the value of every CharField to a text; a subclass cannot name another type.
    def to_internal_value(self, data: Any) -> time:  # type: ignore[override]  # noqa: ANN401
        text = super().to_internal_value(data)
        if not CLOCK.fullmatch(text):
            self.fail("clock")
        return time.fromisoformat(text)

    def to_representation(self, value: time | str) -> str:
        return value if isinstance(value, str) else f"{value:%H:%M}"


class PeriodSerializer(KnownFieldsMixin, serializers.Serializer):
    """An opening and a closing."""

    opens = ClockField(help_text="By the clock of the resource's time zone.")
    closes = ClockField(help_text="At or before `opens`: on the next day. 00:00 to 00:00 is the whole day.")

    def validate(self, attrs: dict[str, time]) -> dict[str, time]:
        """Checks that both are there: in a PATCH the framework takes no field of a part for required."""
        missing = [name for name in ("opens", "closes") if name not in attrs]
        if missing:
            raise serializers.ValidationError(dict.fromkeys(missing, self.error_messages["required"]))
        return attrs


def require_apart(periods: Iterable[Mapping[str, time]]) -> None:
    """Checks that the periods of one day do not overlap.

    Raises:
        ValidationError: When two of them do.
    """
    ends = -1
    for opens, closes in sorted((minute_of(each["opens"]), minute_of(each["closes"])) for each in periods):
        if opens < ends:
            raise serializers.ValidationError(
                f"Two periods of one day overlap at {opens // 60:02}:{opens % 60:02}. Make them one."
            )
        ends = closes if closes > opens else closes + WHOLE_DAY


def minute_of(clock: time) -> int:
    """The minute of the day."""
    return clock.hour * 60 + clock.minute


class PeriodsField(serializers.ListField):
    """The periods of a day; stored as pairs of texts."""

    child = PeriodSerializer()

    def to_internal_value(self, data: Any) -> list[list[str]]:  # noqa: ANN401 - any JSON
        periods = super().to_internal_value(data)
        require_apart(periods)
        return sorted([f"{each['opens']:%H:%M}", f"{each['closes']:%H:%M}"] for each in periods)

    def to_representation(self, data: list[list[str]]) -> list[dict[str, str]]:
        return [{"opens": opens, "closes": closes} for opens, closes in data]


# --- Policies and opening hours ---------------------------------------------------------------------------------------


class PolicySerializer(RowsMixin, FormsMixin, serializers.ModelSerializer):
    """The limits of a resource; null is "no such rule"."""

    may_span_closed = FlagField(required=False, allow_null=True, help_text=LOAN)
    no_own_overlap = FlagField(required=False, allow_null=True, help_text=ONE_AT_A_TIME)

    answered = ("no_longer_fit",)

    class Meta:
        model = ResourcePolicy
        fields: tuple[str, ...] = POLICY

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks that a booking can have some length."""
        shortest, longest = attrs.get("min_minutes"), attrs.get("max_minutes")
        if shortest is not None and longest is not None and shortest > longest:
            raise serializers.ValidationError({"max_minutes": ["The longest booking is shorter than the shortest."]})
        grid = attrs.get("grid_minutes")
        if grid is not None and longest is not None and longest // grid * grid < (shortest or 1):
            message = f"No booking of these lengths starts and ends on the grid of {in_minutes(grid)}."
            raise serializers.ValidationError({"max_minutes": [message]})
        return attrs


class WeekListSerializer(serializers.ListSerializer):
    """The opening hours of a whole week; an error has the field of the period, and says which period is wrong."""

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a body of any shape
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            faulty = error.detail.items() if isinstance(error.detail, dict) else ()
            numbered = [(place, errors) for place, errors in faulty if isinstance(errors, dict)]
            if not numbered:
                raise
            messages: dict[str, list[str]] = {}
            for place, errors in numbered:
                for name, said in errors.items():
                    messages.setdefault(name, []).extend(f"Period {int(place) + 1}: {each}" for each in said)
            raise serializers.ValidationError(messages) from error

    def validate(self, attrs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Checks that the periods of each day are few and do not overlap."""
        for weekday in range(1, 8):
            periods = [each for each in attrs if each["weekday"] == weekday]
            if len(periods) > MOST_PERIODS:
                raise serializers.ValidationError(f"A day has at most {MOST_PERIODS} periods.")
            require_apart(periods)
        return attrs


class OpeningHoursSerializer(KnownFieldsMixin, serializers.Serializer):
    """A period of a weekday in which the resource is open."""

    weekday = serializers.IntegerField(min_value=1, max_value=7, help_text="1 is Monday, 7 is Sunday (ISO 8601).")
    opens = ClockField(help_text="By the clock of the resource's time zone.")
    closes = ClockField(help_text="At or before `opens`: on the next day. 00:00 to 00:00 is the whole day.")

    class Meta:
        list_serializer_class = WeekListSerializer


class WeekSerializer(RowsMixin, serializers.Serializer):
    """The opening hours of a resource."""

    opening_hours = OpeningHoursSerializer(
        many=True, source="*", help_text="The whole week, from Monday on; empty: always open."
    )


# --- Exceptions and open spans ----------------------------------------------------------------------------------------


class OpeningExceptionSerializer(RowsMixin, KnownFieldsMixin, serializers.ModelSerializer):
    """Days on which a resource, or every resource, is closed or has other hours."""

    name = TextField(max_length=LONGEST_NAME, help_text="What the days are, such as a holiday; everybody reads it.")
    hours = PeriodsField(
        max_length=MOST_PERIODS, required=False, help_text="The hours of each of the days; empty: closed."
    )

    answered = ("no_longer_fit",)

    class Meta:
        model = OpeningException
        fields: tuple[str, ...] = ("id", "first_day", "last_day", "name", "hours")
        extra_kwargs: ClassVar = {
            "first_day": {"help_text": "The first day, `YYYY-MM-DD`, by the resource's clock."},
            "last_day": {"help_text": f"The last day, at most {LONGEST_EXCEPTION.days} days with the first."},
        }

    def validate_first_day(self, day: date) -> date:
        """Checks that the year is plausible."""
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise serializers.ValidationError(f"Choose a day from {FIRST_YEAR} to {LAST_YEAR}.")
        return day

    validate_last_day = validate_first_day

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks the order and the number of the days."""
        first, last = (attrs.get(name) or getattr(self.instance, name) for name in ("first_day", "last_day"))
        if last < first:
            raise serializers.ValidationError({"last_day": ["The last day must not be before the first."]})
        if last - first >= LONGEST_EXCEPTION:
            raise serializers.ValidationError({"last_day": [f"At most {LONGEST_EXCEPTION.days} days are possible."]})
        return attrs


class OpenParameters(WindowParameters):
    """A window of at most 366 days."""

    longest = LONGEST_OPEN

    start = MomentField(help_text="The beginning of the window, with an offset.")
    end = MomentField(help_text="The end of the window, at most 366 days after its start.")


class OpenSpanSerializer(SpanSerializer):
    """A span of time in which the resource is open."""


# --- Quotas -----------------------------------------------------------------------------------------------------------


class QuotaSerializer(RowsMixin, FormsMixin, serializers.ModelSerializer):
    """How much one person may book."""

    group = KeyField(
        source="group_id", required=False, allow_null=True, help_text="The group whom it limits; null: everybody."
    )
    resource = KeyField(
        source="resource_id", required=False, allow_null=True, help_text="Whose bookings count; null: of all resources."
    )
    kind = WordField(
        choices=QuotaKind.choices,
        help_text="`active` counts bookings that have not ended, `count` bookings by their start, `minutes` time.",
    )
    period = WordField(
        choices=QuotaPeriod.choices,
        required=False,
        allow_null=True,
        help_text="Of `count` and `minutes`, in the resource's time zone; a week begins on Monday. Null for `active`.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_LIMIT, help_text="How many bookings, or minutes.")

    class Meta:
        model = Quota
        fields = ("id", "group", "resource", "kind", "period", "limit")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks that a period comes with the kinds that have one."""
        kind, period = (attrs.get(name, getattr(self.instance, name, None)) for name in ("kind", "period"))
        if (kind == QuotaKind.ACTIVE) == (period is not None):
            sentence = "A quota of active bookings has no period; send null." if period else "Choose a period."
            raise serializers.ValidationError({"period": [sentence]})
        return attrs


class AllowanceSerializer(serializers.Serializer):
    """What a quota leaves to the caller."""

    kind = serializers.ChoiceField(QuotaKind.choices, help_text="What counts: `active`, `count` or `minutes`.")
    period = serializers.ChoiceField(
        QuotaPeriod.choices,
        allow_null=True,
        help_text="The present day, week or month on the clock of the resource, or of the house; null for `active`.",
    )
    resource = serializers.IntegerField(allow_null=True, help_text="Whose bookings count; null: of all resources.")
    limit = serializers.IntegerField(help_text="How many bookings, or minutes.")
    used = serializers.IntegerField(help_text="How much is used; minutes are rounded up.")
    left = serializers.IntegerField(help_text="How much is left, never below 0.")
    frees_at = MomentField(
        allow_null=True,
        help_text="Where nothing is left: the end of the period, or of the active booking whose end makes room. Null "
        "while something is left.",
    )
