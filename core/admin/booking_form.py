"""The form of a booking in the admin."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.choices import BookingStatus
from core.lifecycle import Changes
from core.models import Booking
from core.staff.forms import HiddenStateField, SaveErrorForm

CHANGED_MEANWHILE = "Somebody changed this booking after you opened it. Reload the page to see it as it is now."


class MomentField(forms.SplitDateTimeField):
    """A date and a time. A date in the order of a country, such as 05/12/2026, would have two meanings."""

    widget = AdminSplitDateTime

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(
            input_date_formats=["%Y-%m-%d"],
            error_messages={"invalid_date": "Write the date as YYYY-MM-DD, such as 2026-11-26."},
            **kwargs,
        )


class BookingForm(SaveErrorForm):
    """A booking; the verbs check the rules after the form is valid."""

    start_time = MomentField(label="Start (UTC)")
    end_time = MomentField(label="End (UTC)")
    past_confirmed = forms.BooleanField(label="Record it anyway", required=False, widget=forms.HiddenInput)
    seen = HiddenStateField(required=False)

    class Meta:
        model = Booking
        fields = ("user", "resource", "start_time", "end_time", "status", "notes")

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
        else:
            del self.fields["past_confirmed"]
            self.initial["seen"] = self.version_of(self.instance.updated_at)

    def version_of(self, moment: datetime) -> str:
        """The moment of the last change, as text for the hidden field `seen`."""
        return moment.isoformat()

    def clean_seen(self) -> str:
        """The version of the booking when the form was opened.

        Raises:
            ValidationError: When the booking has changed since.
        """
        seen = self.cleaned_data["seen"]
        if seen and self.instance.pk is not None and seen != self.version_of(self.instance.updated_at):
            raise ValidationError(CHANGED_MEANWHILE, code="changed_meanwhile")
        return seen

    def clean(self) -> dict[str, Any] | None:
        """Asks once more before a new booking is stored that is over already; most often the date is a mistake."""
        cleaned = super().clean()
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
        columns = {"resource": "resource_id"}
        edited = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        if "resource" in edited:
            edited["resource"] = edited["resource"].pk
        return Changes(**{columns.get(name, name): value for name, value in edited.items()})
