"""The form of a resource in the admin, with its opening hours and its limits."""

from typing import Any
from zlib import crc32

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.models import fields_for_model

from core.models import Quota, Resource, ResourcePolicy
from core.policies import writing
from core.policies.hours_field import HoursField, Pairs
from core.policies.serializers import PolicySerializer
from core.querysets import POLICY
from core.staff.forms import HiddenStateField, SaveErrorForm, TolerantAutocompleteSelect

# The number of each day by the name of its field.
DAYS = {
    f"hours_{day}": number
    for number, day in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), start=1
    )
}
FLAGS = ("may_span_closed", "no_own_overlap")
COLUMNS = fields_for_model(ResourcePolicy, [name for name in POLICY if name not in FLAGS])
CHANGED_MEANWHILE = (
    "Somebody changed the opening hours or the limits of this resource after you opened it. Reload the page to see "
    "them as they are."
)


def limit(name: str, label: str, sentence: str) -> forms.Field:
    """The field of a limit, with a sentence about what it does with a number and without one."""
    field = COLUMNS[name]
    field.label, field.help_text = label, sentence
    return field


class ResourceForm(SaveErrorForm):
    """A resource with its week and its limits. A field that was not sent stays as it is stored.

    Attributes:
        week: The periods of the new week; None to leave the week as it is.
        policy: All limits of the new policy; None to leave the policy as it is.
    """

    week: list[dict[str, Any]] | None = None
    policy: dict[str, Any] | None = None

    hours_monday = HoursField(label="Monday")
    hours_tuesday = HoursField(label="Tuesday")
    hours_wednesday = HoursField(label="Wednesday")
    hours_thursday = HoursField(label="Thursday")
    hours_friday = HoursField(label="Friday")
    hours_saturday = HoursField(label="Saturday")
    hours_sunday = HoursField(label="Sunday")
    as_monday = forms.BooleanField(
        label="Tuesday to Friday as on Monday",
        required=False,
        help_text="Copies the hours of Monday to the four days after it when you save.",
    )

    min_minutes = limit(
        "min_minutes", "Shortest booking", "A booking lasts at least so many minutes. Empty: it may be shorter."
    )
    max_minutes = limit(
        "max_minutes", "Longest booking", "A booking lasts at most so many minutes. Empty: it may be longer."
    )
    grid_minutes = limit(
        "grid_minutes",
        "Grid",
        "Bookings start and end every so many minutes, counted from the opening of the day. Empty: at any minute.",
    )
    advance_days = limit(
        "advance_days", "Days ahead", "A booking ends at most so many days (24 hours) from now. Empty: five years."
    )
    notice_minutes = limit(
        "notice_minutes",
        "Notice",
        "A booking starts at least so many minutes from now. Empty: the lead time of the house.",
    )
    change_notice_minutes = limit(
        "change_notice_minutes",
        "Notice for a move",
        "Owners move a booking at least so many minutes before its start. Empty: none, and a move can "
        "evade the notice for a cancellation.",
    )
    cancel_notice_minutes = limit(
        "cancel_notice_minutes",
        "Notice for a cancellation",
        "Owners cancel or shorten a booking at least so many minutes before its start. Empty: no notice is needed.",
    )
    buffer_before_minutes = limit(
        "buffer_before_minutes",
        "Gap before",
        "At least so many minutes stay free before each new booking, up to a day. Empty: none.",
    )
    buffer_after_minutes = limit(
        "buffer_after_minutes",
        "Gap after",
        "At least so many minutes stay free after each new booking, up to a day. Empty: none.",
    )
    may_span_closed = forms.BooleanField(
        label="Bookings may pass over closed time",
        help_text="Ticked: only the start and the end must be in open time, as for a loan. Not ticked: all of it.",
        required=False,
    )
    no_own_overlap = forms.BooleanField(
        label="Nobody has another booking at that time",
        help_text="Ticked: whoever books it has no second booking at that time, of whatever resource. Not ticked: they "
        "may.",
        required=False,
    )
    copy_from = forms.ModelChoiceField(
        Resource.objects.all(),
        label="Copy from",
        required=False,
        widget=TolerantAutocompleteSelect(Quota._meta.get_field("resource"), admin.site),
        help_text="Takes the opening hours and the limits of another resource when you save, in place of those above.",
    )
    seen = HiddenStateField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.stored_week = week_of(self.instance)
        self.stored_policy = limits_of(self.instance)
        self.initial |= {**self.stored_week, **self.stored_policy, "seen": self.version}

    @property
    def version(self) -> str:
        """The version of the stored week and limits."""
        return str(crc32(repr((self.stored_week, self.stored_policy)).encode()))

    def clean(self) -> dict[str, Any] | None:
        """Works out the new week and the new limits.

        Raises:
            ValidationError: When they have changed since the form was opened. The error belongs to no field: the page
                hides the errors of a hidden one.
        """
        cleaned = super().clean()
        source = self.cleaned_data.get("copy_from")
        week = week_of(source) if source else self.typed_week()
        policy = limits_of(source) if source else self.typed_policy()
        if week != self.stored_week:
            self.week = [
                {"weekday": DAYS[name], "opens": opens, "closes": closes}
                for name, pairs in week.items()
                for opens, closes in pairs
            ]
        if policy != self.stored_policy:
            self.policy = policy
        if self.has_new_rules and self.cleaned_data.get("seen") not in ("", self.version):
            raise ValidationError(CHANGED_MEANWHILE, code="state_changed")
        return cleaned

    @property
    def has_new_rules(self) -> bool:
        return self.week is not None or self.policy is not None

    def typed_week(self) -> dict[str, Pairs]:
        """The periods of each day as typed."""
        week = {name: self.cleaned_data.get(name, []) if self.sent(name) else self.stored_week[name] for name in DAYS}
        if self.cleaned_data.get("as_monday"):
            monday, *others = DAYS
            week |= dict.fromkeys(others[:4], week[monday])
        return week

    def typed_policy(self) -> dict[str, Any]:
        """The limits as typed; a box that is not ticked is "no such rule"."""
        policy = dict(self.stored_policy)
        if any(map(self.sent, POLICY)):
            for name in POLICY:
                if name in FLAGS:
                    policy[name] = self.cleaned_data.get(name) or (False if policy[name] is False else None)
                elif self.sent(name):
                    policy[name] = self.cleaned_data.get(name)
        checked = PolicySerializer(data=policy)
        if not self.errors and not checked.is_valid():
            for name, said in checked.errors.items():
                self.add_error(name, [str(each) for each in said])
        return policy

    def sent(self, name: str) -> bool:
        """True if the browser sent the field."""
        return self.add_prefix(name) in self.data

    def save_rules(self) -> None:
        """Writes the week and the limits where they are new."""
        key = self.instance.pk
        if self.policy is not None:
            if any(value is not None for value in self.policy.values()):
                writing.set_policy(key, self.policy)
            else:
                writing.delete_policy(key)
        if self.week is not None:
            writing.set_week(key, self.week)


def week_of(resource: Resource) -> dict[str, Pairs]:
    """The stored periods of each day, by the name of its field."""
    rows = writing.week_of(resource.pk) if resource.pk else []
    return {
        name: [[f"{row.opens:%H:%M}", f"{row.closes:%H:%M}"] for row in rows if row.weekday == number]
        for name, number in DAYS.items()
    }


def limits_of(resource: Resource) -> dict[str, Any]:
    """The stored limits, by name."""
    policy = writing.policy_of(resource.pk) if resource.pk else ResourcePolicy()
    return {name: getattr(policy, name) for name in POLICY}
