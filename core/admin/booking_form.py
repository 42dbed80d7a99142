"""The form of a booking in the admin."""

from dataclasses import fields
from typing import Any
from zlib import crc32

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.choices import BookingStatus, Scope, Waivable
from core.errors import BookingError, DatesRefused
from core.lifecycle import Changes
from core.models import Booking
from core.record.forms import ReasonField, WaiverField, WaiversMixin
from core.series import repeat_form
from core.series.repeat_form import RepeatForm
from core.staff.forms import HiddenStateField, ZonedForm
from core.staff.moments import MomentField, named

CHANGED_MEANWHILE = (
    "Somebody changed this booking after you opened it; it is {status} by now. Reload the page to see it as it is."
)


def waivable_of(error: BookingError | None) -> list[Waivable | None]:
    """The rules that staff may waive to pass over a refusal, or over those of many dates."""
    if isinstance(error, DatesRefused):
        return [verdict.error.waivable for verdict in error.dates if verdict.error]
    return [error.waivable] if error else []


def version_of(booking: Booking) -> str:
    """The version of a booking for the hidden field `seen`: a new note of staff does not change the moment."""
    return f"{booking.updated_at.isoformat()} {crc32(booking.staff_note.encode())}"


class BookingForm(WaiversMixin, RepeatForm, ZonedForm):
    """A booking, which may repeat; the verbs check the rules after the form is valid."""

    start_time = MomentField(label=named("Start"))
    end_time = MomentField(label=named("End"))
    reason = ReasonField(label="Reason for a new status", required=False)
    past_confirmed = forms.BooleanField(label="Record it anyway", required=False, widget=forms.HiddenInput)
    seen = HiddenStateField(required=False)
    override = WaiverField()
    scope = forms.ChoiceField(
        label="Change",
        choices=Scope.choices,
        initial=Scope.THIS,
        required=False,
        widget=forms.RadioSelect,
        help_text="A new time is meant by the clock, on each date. What is over stays as it is.",
    )
    reset_exceptions = forms.BooleanField(
        label="Also the dates that were changed or cancelled alone",
        required=False,
        help_text="Without the tick these keep their own time, resource and notes, and stay cancelled.",
    )

    class Meta:
        model = Booking
        fields = ("user", "resource", "start_time", "end_time", "status", "notes", "staff_note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            default = ("", "as the resource gives it")
            self.fields["status"] = forms.ChoiceField(
                choices=[default, *BookingStatus.choices],
                required=False,
                help_text="A resource that requires approval gives pending, another one confirmed.",
            )
            self.initial.pop("status", None)
            self.leave_out("reason")
        else:
            self.leave_out("past_confirmed", *repeat_form.FIELDS)
            self.initial["seen"] = version_of(self.instance)
        if self.instance.series_id is None:
            self.leave_out("scope", "reset_exceptions")
        self.offer_waivers(*waivable_of(self.save_error))

    def leave_out(self, *names: str) -> None:
        """Takes fields off the form."""
        for name in names:
            del self.fields[name]

    def field_of(self, error: BookingError) -> str | None:
        """The field beside which the error of a failed save stands; an error of a made rule belongs to the choice."""
        if error.field == "rrule" and "repeat" in self.fields and self.data.get("repeat") != repeat_form.OWN_RULE:
            return "repeat"
        return super().field_of(error)

    def clean(self) -> dict[str, Any] | None:
        """Asks once more before a new booking is stored that is over already; most often the date is a mistake.

        Raises:
            ValidationError: When the booking has changed since the form was opened. The error belongs to no field: the
                page hides the errors of a hidden one.
        """
        cleaned = super().clean()
        if self.instance.pk is not None and self.cleaned_data.get("seen") != version_of(self.instance):
            raise ValidationError(CHANGED_MEANWHILE.format(status=self.instance.status), code="state_changed")
        end = None if self.cleaned_data.get("repeat") else self.cleaned_data.get("end_time")
        if end is not None and end <= timezone.now() and self.cleaned_data.get("past_confirmed") is False:
            self.fields["past_confirmed"].widget = forms.CheckboxInput()
            self.add_error("past_confirmed", "This booking is over already. Tick the box to record it all the same.")
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # Excluding the times disables the model's constraints here: the verbs check the same rules under lock, with the
        # stored fractions of a second, and name the conflicting booking.
        return super()._get_validation_exclusions() | {"start_time", "end_time"}

    @property
    def scope_wanted(self) -> Scope:
        """Which dates of the series the change is about."""
        return Scope(self.cleaned_data.get("scope") or Scope.THIS)

    @property
    def changes(self) -> Changes:
        """The edited fields; the others keep their stored values, with seconds and fractions that the form hides."""
        edited = {name: self.cleaned_data[name] for name in self.changed_data}
        if "resource" in edited:
            edited["resource_id"] = edited["resource"].pk
        return Changes(**{field.name: edited[field.name] for field in fields(Changes) if field.name in edited})
