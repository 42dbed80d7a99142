"""The form of a booking in the admin."""

from dataclasses import fields
from typing import Any
from zlib import crc32

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.choices import BookingStatus
from core.lifecycle import Changes
from core.models import Booking
from core.record.forms import ReasonField, WaiverField, WaiversMixin
from core.staff.forms import HiddenStateField, ZonedForm
from core.staff.moments import MomentField, named

CHANGED_MEANWHILE = (
    "Somebody changed this booking after you opened it; it is {status} by now. Reload the page to see it as it is."
)


class ReasonForm(forms.Form):
    """The reason for a decision about several bookings."""

    reason = ReasonField(required=False)

    def __init__(self, *args: Any, is_required: bool, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = is_required


def version_of(booking: Booking) -> str:
    """The version of a booking for the hidden field `seen`: a new note of staff does not change the moment."""
    return f"{booking.updated_at.isoformat()} {crc32(booking.staff_note.encode())}"


class BookingForm(WaiversMixin, ZonedForm):
    """A booking; the verbs check the rules after the form is valid."""

    start_time = MomentField(label=named("Start"))
    end_time = MomentField(label=named("End"))
    reason = ReasonField(label="Reason for a new status", required=False)
    past_confirmed = forms.BooleanField(label="Record it anyway", required=False, widget=forms.HiddenInput)
    seen = HiddenStateField(required=False)
    override = WaiverField()

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
            del self.fields["reason"]
        else:
            del self.fields["past_confirmed"]
            self.initial["seen"] = version_of(self.instance)
        self.offer_waivers(self.save_error.waivable if self.save_error else None)

    def clean(self) -> dict[str, Any] | None:
        """Asks once more before a new booking is stored that is over already; most often the date is a mistake.

        Raises:
            ValidationError: When the booking has changed since the form was opened. The error belongs to no field: the
                page hides the errors of a hidden one.
        """
        cleaned = super().clean()
        if self.instance.pk is not None and self.cleaned_data.get("seen") != version_of(self.instance):
            raise ValidationError(CHANGED_MEANWHILE.format(status=self.instance.status), code="state_changed")
        end = self.cleaned_data.get("end_time")
        if end is not None and end <= timezone.now() and self.cleaned_data.get("past_confirmed") is False:
            self.fields["past_confirmed"].widget = forms.CheckboxInput()
            self.add_error("past_confirmed", "This booking is over already. Tick the box to record it all the same.")
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        # Excluding the times disables the model's constraints here: the verbs check the same rules under lock, with the
        # stored fractions of a second, and name the conflicting booking.
        return super()._get_validation_exclusions() | {"start_time", "end_time"}

    @property
    def changes(self) -> Changes:
        """The edited fields; the others keep their stored values, with seconds and fractions that the form hides."""
        edited = {name: self.cleaned_data[name] for name in self.changed_data}
        if "resource" in edited:
            edited["resource_id"] = edited["resource"].pk
        return Changes(**{field.name: edited[field.name] for field in fields(Changes) if field.name in edited})
