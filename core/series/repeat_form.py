"""The part of a form by which staff let a booking repeat."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from core.choices import IfRefused
from core.errors import RuleNotSupported
from core.lifecycle import Repeat
from core.lifecycle.repeating import local_time
from core.models import Resource
from core.recurrence import MOST_DATES, Rule
from core.recurrence.rule import MOST_CHARACTERS, MOST_INTERVAL, WEEKDAYS
from core.recurrence.words import DAYS
from core.staff.moments import DayField
from core.zones import zone_of

OWN_RULE = "rule"
REPEATS = [
    ("", "it does not repeat"),
    ("daily", "daily"),
    ("weekly", "weekly, on the ticked weekdays"),
    ("monthly_day", "monthly, on this day of the month"),
    ("monthly_weekday", "monthly, on this weekday of the month, such as the second Tuesday"),
    ("monthly_last", "monthly, on this weekday, the last one of the month"),
    ("yearly", "yearly, on this day"),
    (OWN_RULE, "by a rule of your own"),
]
FIELDS = ("repeat", "every", "weekdays", "times", "until", "rrule", "on_conflict")


class RepeatForm(forms.Form):
    """How a booking repeats; for a form with the fields `resource` and `start_time`, `end_time`."""

    repeat = forms.ChoiceField(
        label="How",
        choices=REPEATS,
        required=False,
        help_text="The first date is the time above. All dates have its time of day on the clock of the resource.",
    )
    every = forms.IntegerField(
        label="Every",
        required=False,
        initial=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_INTERVAL)],
        help_text="1: each day, week and so on; 2: each second one.",
    )
    weekdays = forms.MultipleChoiceField(
        label="Weekdays",
        choices=list(zip(WEEKDAYS, DAYS, strict=True)),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="For a weekly one. Without a tick it is the weekday of the first date.",
    )
    times = forms.IntegerField(
        label="Number of dates",
        required=False,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DATES)],
        help_text=f"The first one counts; at most {MOST_DATES}.",
    )
    until = DayField(label="Or until", required=False, help_text="The last day on which a date may begin.")
    rrule = forms.CharField(
        label="Rule",
        max_length=MOST_CHARACTERS,
        required=False,
        help_text="As RFC 5545 writes it, such as FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=12 for the last "
        "working day of each month. Its end may stand in the fields above.",
    )
    on_conflict = forms.ChoiceField(
        label="Where dates are refused",
        choices=IfRefused.choices,
        initial=IfRefused.FAIL,
        required=False,
        widget=forms.RadioSelect,
        help_text="Either way you are told which dates are refused, and why.",
    )

    @property
    def if_refused(self) -> IfRefused:
        """What becomes of the other dates where some are refused."""
        return IfRefused(self.cleaned_data.get("on_conflict") or IfRefused.FAIL)

    @property
    def repeat_wanted(self) -> Repeat | None:
        """How the booking repeats; None if it does not, or if the form is not valid."""
        data = self.cleaned_data
        names = ("repeat", "rule", "resource", "start_time", "end_time")
        return Repeat(data["rule"], data["start_time"], data["end_time"]) if all(map(data.get, names)) else None

    def clean(self) -> dict[str, Any]:
        """Makes the rule of what was chosen, as `rule` of the cleaned data."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind, start, resource = (cleaned.get(name) for name in ("repeat", "start_time", "resource"))
        if not kind:
            return cleaned
        text = cleaned.get("rrule", "")
        ends_itself = kind == OWN_RULE and any(f"{name}=" in text.upper() for name in ("COUNT", "UNTIL"))
        end = self.end_of_rule(ends_itself=ends_itself)
        if kind == OWN_RULE and not text:
            if "rrule" not in self.errors:
                self.add_error("rrule", "Write the rule.")
        elif start and isinstance(resource, Resource) and end is not None:
            local = local_time(start, zone_of(resource.time_zone))
            every, weekdays = cleaned.get("every") or 1, cleaned.get("weekdays") or []
            body = text.strip().rstrip(";") if kind == OWN_RULE else body_of(kind, local, weekdays, every)
            try:
                cleaned["rule"] = Rule.parse(f"{body}{end}")
            except RuleNotSupported as error:
                self.add_error("rrule" if kind == OWN_RULE else "repeat", error.message)
        return cleaned

    def end_of_rule(self, *, ends_itself: bool) -> str | None:
        """The part of the rule that ends it; empty for a rule that has one, and None after an error.

        Args:
            ends_itself: True for a rule that has an end.
        """
        if {"times", "until"} & set(self.errors):
            return None
        times, until = self.cleaned_data.get("times"), self.cleaned_data.get("until")
        if ends_itself and not times and not until:
            return ""
        if ends_itself:
            self.add_error("times" if times else "until", "The rule below has an end of its own. Leave this empty.")
        elif times and until:
            self.add_error("until", "A series has one end: the number of its dates, or its last day.")
        elif times:
            return f";COUNT={times}"
        elif until:
            return f";UNTIL={until.isoformat().replace('-', '')}"
        else:
            self.add_error("times", "Say how many dates there are, or which day is the last.")
        return None


def body_of(kind: str, start: datetime, weekdays: list[str], every: int) -> str:
    """A rule without its end.

    Args:
        kind: One of `REPEATS`, but `OWN_RULE`.
        start: The local start of the first date.
        weekdays: The weekdays of a weekly rule; empty for that of the start.
        every: Each period, or each second one, and so on.
    """
    day = WEEKDAYS[start.weekday()]
    bodies = {
        "daily": "FREQ=DAILY",
        "weekly": f"FREQ=WEEKLY;BYDAY={','.join(weekdays) or day}",
        "monthly_day": f"FREQ=MONTHLY;BYMONTHDAY={start.day}",
        "monthly_weekday": f"FREQ=MONTHLY;BYDAY={(start.day - 1) // 7 + 1}{day}",
        "monthly_last": f"FREQ=MONTHLY;BYDAY=-1{day}",
        "yearly": f"FREQ=YEARLY;BYMONTH={start.month};BYMONTHDAY={start.day}",
    }
    return f"{bodies[kind]};INTERVAL={every}"
