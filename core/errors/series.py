"""The errors of series: bookings that repeat by a rule."""

from datetime import UTC, date, tzinfo

from core.errors.base import BookingError
from core.errors.slots import TooFarAhead


class RuleNotSupported(BookingError):
    """The text is no rule of RFC 5545, or has a part that series do not have."""

    code = "rule_not_supported"
    message = "The rule is not supported."
    field = "rrule"
    advice = (
        "A rule has `FREQ` (`DAILY`, `WEEKLY`, `MONTHLY`, `YEARLY`), either `COUNT` or `UNTIL`, and perhaps "
        "`INTERVAL`, `BYDAY`, `BYMONTHDAY`, `BYMONTH`, `BYSETPOS` and `WKST` (RFC 5545). `part` names the wrong or "
        "missing part, or is `RRULE` for the whole text."
    )

    def __init__(self, part: str = "RRULE", why: str = "") -> None:
        """The error of one part.

        Args:
            part: The name of the part, or `RRULE`.
            why: The rest of a sentence that begins with this name, such as ``is not supported.``
        """
        self.part = part
        super().__init__(f"{part} {why}" if why else "")

    def facts(self) -> dict[str, object]:
        return {"part": self.part}


class NoOccurrence(BookingError):
    """The rule has no date within the horizon."""

    code = "no_occurrence"
    message = "The rule has no date. Choose another one."
    field = "rrule"
    advice = "No date of the rule exists, or all are excluded. Send another rule, or fewer `exdates`."


class NotInRule(BookingError):
    """The start of the series is no date of its rule."""

    code = "not_in_rule"
    message = "The start is no date of the rule. Choose another start or another rule."
    field = "start_time"
    advice = "The first date of a series is a date of its rule. Send another `start_time` or another `rrule`."


class TooManyDates(BookingError):
    """The series has more dates than a series may have."""

    code = "too_many_dates"
    message = "The series has too many dates. End it earlier."
    field = "rrule"
    advice = "A series has at most `limit` dates. Send a smaller `COUNT` or an earlier `UNTIL`."

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"A series has at most {limit} dates. End it earlier.")

    def facts(self) -> dict[str, object]:
        return {"limit": self.limit}


class SeriesTooFarAhead(TooFarAhead):
    """The rule reaches beyond the horizon."""

    field = "rrule"
    advice = ""

    def __init__(self, last_day: date) -> None:
        """The error; no date of the series may start after `last_day`."""
        self.last_day = last_day
        super().__init__()

    def sentence(self, zone: tzinfo = UTC) -> str:
        return f"No date of the series may be after {self.last_day}. Send a smaller COUNT or an earlier UNTIL."


class DateTooFarAhead(SeriesTooFarAhead):
    """A single date that was added to the rule is beyond the horizon."""

    field = "rdates"

    def sentence(self, zone: tzinfo = UTC) -> str:
        return f"No date of the series may be after {self.last_day}. Leave the later ones out."


class RuleKeepsDays(BookingError):
    """The dates of such a rule cannot move to other days."""

    code = "rule_keeps_days"
    message = "The dates of this rule keep their days. Change the time of day, or cancel the series and make a new one."
    field = "start_time"
    advice = (
        "Only the dates of a daily rule, and of a weekly one without `BYMONTH`, can move to other days. Send a "
        "`start_time` on the same day, or make a new series."
    )
