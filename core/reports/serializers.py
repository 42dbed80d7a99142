"""The query parameters of a report, and the shape of its lines."""

from datetime import date
from typing import Any

from rest_framework import serializers

from core.api.query import ChoiceParameter, KeysParameter, Parameters, QueryParameters
from core.constraints import LARGEST_CAPACITY
from core.reports.cells import By, Days
from core.reports.measures import MEASURES
from core.reports.utilisation import MOST_DAYS, Asked

EARLIEST, LATEST = date(1900, 1, 1), date(9000, 12, 31)
FORMULAS = {measure.name: measure.formula for measure in MEASURES}


class DayParameter(serializers.DateField):
    """A day of the years from 1900 to 9000, such as 2030-01-31."""

    default_error_messages = {  # noqa: RUF012 - the framework's own form
        "invalid": "This is no day, such as 2030-01-31.",
        "far": f"A day from {EARLIEST} to {LATEST} is needed.",
    }

    # The stub fixes the value of every DateField; the framework itself gives a date.
    def to_internal_value(self, value: Any) -> date:  # noqa: ANN401 - the framework's own
        day = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            self.fail("far")
        return day


class UtilisationParameters(QueryParameters):
    """The query parameters of the report of utilisation."""

    # A keyword of Python.
    locals()["from"] = DayParameter(help_text="The first day, such as 2030-01-01, by the clock of each resource.")
    to = DayParameter(help_text=f"The last day; it belongs to the report, which has at most {MOST_DAYS} days.")
    by = ChoiceParameter(By.values, default=By.RESOURCE, help_text="What a line is about; `resource` without it.")
    resource = KeysParameter(help_text="These resources alone, by id; it may be repeated.")
    min_capacity = serializers.IntegerField(
        min_value=1, max_value=LARGEST_CAPACITY, required=False, help_text="Those that hold at least so many."
    )
    search = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="In name and description."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Checks the order of the two days, and their number."""
        days = Days(attrs["from"], attrs["to"])
        if days.number < 1:
            raise serializers.ValidationError({"to": ["The last day must not be before the first day."]})
        if days.number > MOST_DAYS:
            raise serializers.ValidationError({"to": [f"A report has at most {MOST_DAYS} days."]})
        return super().validate(attrs)


def asked_of(values: Parameters) -> Asked:
    """What the report of validated parameters is about."""
    return Asked(
        days=Days(values["from"], values["to"]),
        by=By(values["by"]),
        resource_ids=values["resource"] or (),
        min_capacity=values["min_capacity"],
        search=values["search"] or "",
    )


class UtilisationSerializer(serializers.Serializer):
    """A line of the report of utilisation."""

    resource = serializers.IntegerField(help_text="With `by=resource`: the resource, by id.")
    resource_name = serializers.CharField(help_text="With `by=resource`: its name.")
    weekday = serializers.IntegerField(
        min_value=1, max_value=7, help_text="With `by=weekday`: from 1 for Monday to 7 for Sunday."
    )
    hour = serializers.IntegerField(
        min_value=0, max_value=23, help_text="With `by=hour`: the hour of the local clock in which the time lies."
    )
    week = serializers.CharField(help_text="With `by=week`: the week of ISO 8601, such as `2030-W05`.")
    first_day = serializers.DateField(help_text="With `by=week`: its Monday, which may be before the period.")
    open_minutes = serializers.IntegerField(min_value=0, help_text=FORMULAS["open_minutes"])
    booked_minutes = serializers.IntegerField(min_value=0, help_text=FORMULAS["booked_minutes"])
    pending_minutes = serializers.IntegerField(min_value=0, help_text=FORMULAS["pending_minutes"])
    cancelled_late_minutes = serializers.IntegerField(min_value=0, help_text=FORMULAS["cancelled_late_minutes"])
    outside_open_minutes = serializers.IntegerField(min_value=0, help_text=FORMULAS["outside_open_minutes"])
    share = serializers.FloatField(min_value=0, max_value=1, allow_null=True, help_text=FORMULAS["share"])
