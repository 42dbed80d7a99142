"""The field of times by the clock of a series."""

import re
from datetime import UTC, datetime

from core.api.fields import MomentField
from core.intervals import FIRST_MOMENT, LAST_MOMENT

# A date alone is no time.
TIME_OF_DAY = re.compile(r"[Tt ]\d\d")


class LocalTimeField(MomentField):
    """A time by the clock of a series: without an offset it stays naive, with one it is a moment in UTC.

    A day from either end of the calendar is refused, so that each time exists in every time zone.
    """

    default_error_messages = {  # noqa: RUF012 - the framework's own form
        "invalid": "This is no time in ISO 8601, such as 2030-01-31T09:00:00.",
    }

    def to_internal_value(self, value: object) -> datetime:
        if isinstance(value, str) and not TIME_OF_DAY.search(value):
            self.fail("invalid", format="")
        time = super().to_internal_value(value)
        if not FIRST_MOMENT <= (time if time.tzinfo else time.replace(tzinfo=UTC)) <= LAST_MOMENT:
            self.fail("overflow")
        return time

    def enforce_timezone(self, value: datetime) -> datetime:
        return value if value.tzinfo is None else super().enforce_timezone(value)
