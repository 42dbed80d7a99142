"""The forms of the timeline, and of a decision."""

import contextlib
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.choices import BookingStatus
from core.models import Resource
from core.record.forms import ReasonField, WaiverField, WaiversMixin
from core.staff.forms import SearchForm, is_key
from core.staff.moments import DAY_FORMAT, DayField
from core.zones import moment_at, require_zone

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9900, 1, 1)


class DayInput(forms.DateInput):
    """A day, which the browser helps to pick."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format=DAY_FORMAT)


class ChoiceOfDays(forms.Form):
    """What the timeline shows."""

    day = DayField(required=False)
    span = forms.ChoiceField(label="Show", choices=[("day", "a day"), ("week", "a week")], required=False)
    q = forms.CharField(label="Words", required=False, max_length=SearchForm.maximum_characters)
    state = forms.ChoiceField(
        label="With bookings",
        choices=[("", "or without"), *((each.value, each.label) for each in BookingStatus.blocking())],
        required=False,
    )
    capacity = forms.IntegerField(label="People", required=False, min_value=1, max_value=1_000_000)
    zone = forms.CharField(label="Time zone", required=False, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["day"].widget = DayInput()
        self.fields["q"].widget.attrs["size"] = 14
        self.fields["capacity"].widget.attrs["class"] = "few"
        self.fields["zone"].widget.attrs.update({"size": 16, "list": "zones", "autocomplete": "off"})

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise ValidationError(f"Choose a day from {FIRST_DAY} to {LAST_DAY}.", "day")
        return day

    def clean_q(self) -> str:
        words: str = self.cleaned_data["q"]
        if len(words.split()) > SearchForm.maximum_words:
            raise ValidationError(f"Search for at most {SearchForm.maximum_words} words.", "words")
        return words

    def clean_zone(self) -> ZoneInfo | None:
        name: str = self.cleaned_data["zone"]
        if not name:
            return None
        require_zone(name)
        return ZoneInfo(name)


class MomentInput(forms.DateTimeInput):
    """One input for a date and a time, which the browser helps to fill in."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:  # noqa: ANN401 - Django's own signature
        with contextlib.suppress(ValueError, OverflowError):
            value = datetime.fromisoformat(value) if isinstance(value, str) else value
            if isinstance(value, datetime):
                return f"{timezone.localtime(value) if value.tzinfo else value:%Y-%m-%dT%H:%M}"
        return value


class LocalMomentField(forms.CharField):
    """A moment: a local time of the page's zone, or a time with an offset (ISO 8601)."""

    widget = MomentInput

    def clean(self, value: Any) -> datetime | None:  # noqa: ANN401 - Django's own signature
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.astimezone(timezone.get_default_timezone())
            found = moment_at(moment, timezone.get_current_timezone())
        except (ValueError, OverflowError) as error:
            raise ValidationError("Write a date and a time, such as 2026-11-26T14:00.", "invalid") from error
        if found is None:
            raise ValidationError(f"The clocks of {timezone.get_current_timezone()} skip this time.", "skipped")
        return found


class ResourceField(forms.CharField):
    """A resource by its key."""

    def clean(self, value: Any) -> int:  # noqa: ANN401 - Django's own signature
        text = super().clean(value)
        if not is_key(text) or not Resource.objects.filter(pk=text).exists():
            raise ValidationError("This resource does not exist.", "resource")
        return int(text)


class MoveForm(WaiversMixin, forms.Form):
    """The new time and resource of a booking."""

    resource = ResourceField(widget=forms.Select)
    start_time = LocalMomentField(label="Start")
    end_time = LocalMomentField(label="End")
    # Further days by the local clock: a booking at nine is at nine there, also where the clocks change between.
    days = forms.IntegerField(required=False, min_value=-366, max_value=366, widget=forms.HiddenInput)
    override = WaiverField()

    def clean(self) -> dict[str, Any]:
        """Moves the times by the days."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        days: int = cleaned.get("days") or 0
        for name in ("start_time", "end_time"):
            moment = cleaned.get(name)
            if days and moment is not None:
                cleaned[name] = self.days_later(name, moment, days)
        return cleaned

    def days_later(self, name: str, moment: datetime, days: int) -> datetime | None:
        """The moment of the same local time some days later; an error of the field where the clocks skip it."""
        zone = timezone.get_current_timezone()
        local = moment.astimezone(zone).replace(tzinfo=None) + timedelta(days=days)
        found = moment_at(local, zone)
        if found is None:
            self.add_error(name, f"The clocks of {zone} skip {local:%H:%M} on that day.")
        return found


class DecisionForm(forms.Form):
    """The reason for a decision about one booking or many."""

    reason = ReasonField(required=False)
