"""Moments on the pages of the admin: in the current zone, which is that of the reader (`BookingAdminSite`)."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget, AdminSplitDateTime
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy

from core.errors import BookingError
from core.zones import moment_at

DAY_FORMAT = "%Y-%m-%d"
DAY_EXPECTED = "Write the date as YYYY-MM-DD, such as 2026-11-26."
# A label with the name of the current zone, such as `when (Europe/Berlin)`; made each time when it is shown.
named = lazy(lambda label: f"{label} ({timezone.get_current_timezone()})", str)


def minutes(moment: datetime) -> SafeString:
    """A moment to the minute, for a column of a list."""
    return nowrap(f"{timezone.localtime(moment):%Y-%m-%d %H:%M}")


def to_the_second(moment: datetime) -> str:
    """A moment to the second."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}"


def nowrap(text: str) -> SafeString:
    """The text without line breaks in a narrow column."""
    return format_html('<span class="nowrap">{}</span>', text)


def sentence_of(error: BookingError) -> str:
    """The message of an error with its times in the current zone."""
    return error.sentence(timezone.get_current_timezone())


class DayField(forms.DateField):
    """A day, written in one way alone: 05/12/2026 would have two meanings."""

    widget = AdminDateWidget

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(input_formats=[DAY_FORMAT], error_messages={"invalid": DAY_EXPECTED}, **kwargs)


class MomentField(forms.SplitDateTimeField):
    """A date and a time. A date in the order of a country, such as 05/12/2026, would have two meanings."""

    widget = AdminSplitDateTime

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(
            input_date_formats=[DAY_FORMAT],
            error_messages={"invalid_date": DAY_EXPECTED},
            **kwargs,
        )
        # The label of the field belongs to neither of its two inputs.
        for part, widget in zip(("date", "time"), self.widget.widgets, strict=True):
            widget.attrs["aria-label"] = format_lazy("{}, {}", self.label, part)

    def compress(self, data_list: list[Any]) -> datetime | None:
        """The moment in UTC; Django's own refuses the hour that the clocks repeat, where the first moment is meant.

        Raises:
            ValidationError: For a local time that the clocks skip, or a moment outside of the years 1 to 9999.
        """
        with timezone.override(UTC):
            typed = super().compress(data_list)
        if typed is None:
            return None
        local, zone = typed.replace(tzinfo=None), timezone.get_current_timezone()
        try:
            moment = moment_at(local, zone)
        except OverflowError as error:
            raise ValidationError("This is before the year 1 or after the year 9999 in UTC.", "invalid") from error
        if moment is None:
            raise ValidationError(
                f"The clocks of {zone} skip {local:%H:%M} on {local:%Y-%m-%d}: they are set forward. Write another "
                "time.",
                "skipped",
            )
        return moment
