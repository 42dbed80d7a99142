"""The forms of a booking for somebody: the search, and what is booked for whom."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from core.accounts.admin import NewUserForm
from core.accounts.identity import LONGEST_NAME, user_named, users_with_email
from core.addresses import LONGEST_SENT
from core.constraints import LARGEST_CAPACITY
from core.desk.forms import FIRST_DAY, LAST_DAY, DayInput
from core.intervals import Interval
from core.models import Booking
from core.record.forms import WaiverField, WaiversMixin
from core.staff.filters import DAY
from core.staff.forms import ZONE_CHANGED, HiddenStateField, StoredTextField, TolerantAutocompleteSelect, is_key
from core.staff.moments import DayField, MomentField

LONGEST_NOTES = 5_000
# The fields of a new account.
OF_ACCOUNT = ("username", "email", "first_name", "last_name")
WHO = "Say for whom: pick a person, type a user name or an address, or make an account."
ONE_WAY = "Name the person in one way: pick, type, or make an account. Empty the others."
NOBODY = "Nobody has this user name or e-mail address. Make an account for the person below."
OVER = "This time is over. The form of a booking, below Bookings, records what was."


class ClockInput(forms.TimeInput):
    """A time of day, which the browser helps to pick."""

    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class ClockField(forms.TimeField):
    """A time of day."""

    widget = ClockInput

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        messages = {"invalid": "Write the time as HH:MM, such as 14:00."}
        super().__init__(input_formats=["%H:%M", "%H:%M:%S"], error_messages=messages, **kwargs)


class WishForm(forms.Form):
    """When, and for how many people. All times are in the current zone.

    Attributes:
        slot: The wanted time; None for a form that is not valid.
    """

    slot: Interval | None = None

    day = DayField(validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)])
    start = ClockField(label="From")
    end = ClockField(label="To", help_text="00:00 is the end of the day.")
    until = DayField(
        label="Until another day",
        required=False,
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
    )
    people = forms.IntegerField(label="People", min_value=1, max_value=LARGEST_CAPACITY, initial=1, required=False)
    zone = HiddenStateField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["day"].widget = DayInput()
        self.fields["until"].widget = DayInput()
        self.initial["zone"] = str(timezone.get_current_timezone())

    def clean(self) -> dict[str, Any] | None:
        """Makes the slot of the day and the times."""
        cleaned = super().clean()
        if self.cleaned_data.get("zone") not in ("", None, self.initial["zone"]):
            raise ValidationError(ZONE_CHANGED.format(zone=self.initial["zone"]), code="zone_changed")
        if self.errors:
            return cleaned
        day, last, end = (self.cleaned_data[name] for name in ("day", "until", "end"))
        if last is None:
            last = day + DAY if end == time.min else day
        start, finish = self.moment("start", day), self.moment("end", last)
        if start is None or finish is None:
            return cleaned
        if finish <= start:
            self.add_error("end", "The end must be after the start. For the night, name the day of the end.")
        elif finish <= timezone.now():
            self.add_error("end", OVER)
        else:
            self.slot = Interval(start, finish)
        return cleaned

    def moment(self, name: str, day: date) -> datetime | None:
        """The moment of that day at the time of the field; None, with an error at the field, if there is none."""
        try:
            return MomentField().compress([day, self.cleaned_data[name]])
        except ValidationError as error:
            self.add_error(name, error)
            return None

    @property
    def people_wanted(self) -> int:
        return self.cleaned_data.get("people") or 1


class CounterForm(WaiversMixin, forms.Form):
    """For whom a booking is, and what else is said about it.

    Attributes:
        account: The form of a new account, if one is to be made.
        person: The person, if there is an account.
    """

    account: NewUserForm | None = None
    person: User | None = None

    user = forms.ModelChoiceField(label="Pick a person", queryset=User.objects.all(), required=False)
    known = forms.CharField(label="or type a user name or e-mail address", required=False, max_length=LONGEST_SENT)
    username = forms.CharField(label="User name", required=False, max_length=LONGEST_NAME)
    email = forms.CharField(label="E-mail address", required=False, max_length=LONGEST_SENT)
    first_name = forms.CharField(label="First name", required=False, max_length=150)
    last_name = forms.CharField(label="Last name", required=False, max_length=150)
    at_once = forms.BooleanField(label="Confirm at once, also where a resource asks for approval", required=False)
    notes = StoredTextField(required=False, max_length=LONGEST_NOTES, widget=forms.Textarea(attrs={"rows": 2}))
    staff_note = StoredTextField(
        required=False,
        max_length=LONGEST_NOTES,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only staff read it.",
    )
    override = WaiverField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        user: Any = self.fields["user"]
        user.widget = TolerantAutocompleteSelect(Booking._meta.get_field("user"), admin.site)
        user.widget.choices = user.choices
        for name in ("known", *OF_ACCOUNT):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        self.offer_waivers(None)

    def clean(self) -> dict[str, Any] | None:
        """Finds the person, or checks the new account by the rules of accounts."""
        cleaned = super().clean()
        data = self.cleaned_data
        new = {name: data.get(name) or "" for name in OF_ACCOUNT}
        ways = [bool(self.data.get("user")), bool(data.get("known")), any(new.values())]
        if sum(ways) > 1:
            self.add_error("user", ONE_WAY)
        elif not any(ways):
            if not self.errors:
                self.add_error("user", WHO)
        elif ways[0]:
            self.person = data.get("user")
        elif ways[1]:
            self.person = user_named(data["known"]) or users_with_email(data["known"]).first()
            if self.person is None:
                self.add_error("known", NOBODY)
        else:
            self.account = NewUserForm({**new, "usable_password": "false"})
            for name, errors in self.account.errors.items():
                self.add_error(name if name in OF_ACCOUNT else None, list(errors))
        return cleaned

    @property
    def has_account(self) -> bool:
        """True if the part for a new account is in use, so that the page shows it open."""
        return self.is_bound and any(self.data.get(name) for name in OF_ACCOUNT)


def resource_keys(values: list[str], *, most: int) -> list[int]:
    """The ids of the ticked resources, ascending, each once.

    Raises:
        ValidationError: When there is none, one cannot be read, or they are too many.
    """
    if not all(map(is_key, values)):
        raise ValidationError("The selection cannot be read. Nothing was booked.", code="invalid")
    keys = sorted({int(value) for value in values})
    if not keys:
        raise ValidationError("Tick a resource.", code="required")
    if len(keys) > most:
        raise ValidationError(f"Book at most {most} resources at once.", code="too_many")
    return keys
