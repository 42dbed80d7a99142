"""Opening times as staff write them in the admin: `09:00-12:00, 13:00-17:00`."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from rest_framework import serializers

from core.policies.serializers import MOST_PERIODS, PeriodsField

CLOCK = r"([01]?[0-9]|2[0-4])(?:[:.]([0-5][0-9]))?"
PERIOD = re.compile(rf"{CLOCK} ?[-–] ?{CLOCK}")
BETWEEN = re.compile("[,;]")
EXPECTED = "Write opening times as 09:00-12:00, 13:00-17:00."

Pairs = list[list[str]]


def text_of(pairs: Sequence[Sequence[str]], *, dash: str = "-") -> str:
    """The periods of a day as text, from pairs of `HH:MM`."""
    return ", ".join(f"{opens}{dash}{closes}" for opens, closes in pairs)


def pairs_in(text: str) -> Pairs:
    """The periods in a text, as pairs of `HH:MM`; 24:00 is the midnight that ends the day.

    Raises:
        ValidationError: When the text has another form, periods overlap, or there are too many.
    """
    parts = [part.strip() for part in BETWEEN.split(text)]
    found = [PERIOD.fullmatch(part) for part in parts if part]
    pairs = [clocks_of(period) for period in found if period]
    if len(pairs) < len(found) or any(opens == "24:00" for opens, _ in pairs):
        raise ValidationError(EXPECTED, "invalid")
    sent = [{"opens": opens, "closes": "00:00" if closes == "24:00" else closes} for opens, closes in pairs]
    try:
        checked: Pairs = PeriodsField(max_length=MOST_PERIODS).run_validation(sent)
    except serializers.ValidationError as error:
        said = error.detail if isinstance(error.detail, list) else [EXPECTED]
        raise ValidationError([str(each) for each in said]) from error
    return checked


def clocks_of(period: re.Match[str]) -> tuple[str, str]:
    """The opening and the closing of a period, each as `HH:MM`."""
    hour, minute, last_hour, last_minute = period.groups()
    return f"{int(hour):02}:{minute or '00'}", f"{int(last_hour):02}:{last_minute or '00'}"


class HoursField(forms.CharField):
    """The periods of a day; the value is a list of pairs of `HH:MM`."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "vTextField hours", "placeholder": "closed"}))
        super().__init__(max_length=300, required=False, **kwargs)

    def clean(self, value: Any) -> Any:  # noqa: ANN401 - Django's own signature
        return pairs_in(super().clean(value))

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - Django's own signature
        return text_of(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:  # noqa: ANN401 - Django's own signature
        try:
            return data is not None and pairs_in(data) != (initial or [])
        except ValidationError:
            return True
