"""The errors about many dates at once, those of a series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors.base import BookingError
from core.errors.slots import SlotTaken
from core.intervals import Interval

# Why a date was not booked, by the code of its error, for readers who cannot choose another one now.
REASONS = {
    "not_on_the_clock": "The clocks go forward over this time on that day.",
    "end_not_after_start": "The clocks go back on that day, so that the end would not be after the start.",
    "slot_taken": "The resource is taken at that time.",
    "too_close": "Another booking is too close.",
    "closed": "The resource is closed at that time.",
    "outside_opening_hours": "The resource is not open at that time.",
    "off_grid": "No booking of the resource starts at that time of day.",
    "too_short": "The booking would be too short.",
    "too_long": "The booking would be too long.",
    "resource_out_of_service": "The resource is out of service.",
    "start_in_past": "The start is in the past.",
    "end_in_past": "The end is in the past.",
    "start_too_soon": "The start is too soon.",
    "too_far_ahead": "The date is too far ahead.",
    "overlaps_own": "There is another booking of the same person at that time.",
    "quota_exceeded": "The limit of bookings is reached.",
}


class NotOnTheClock(BookingError):
    """The clock skips the start of a date (RFC 5545, section 3.3.10)."""

    code = "not_on_the_clock"
    message = "The clock skips this time on that day. Choose another time."
    field = "start_time"
    advice = "The clocks go forward over that time on that day: the date is left out."


class DateTaken(SlotTaken):
    """The slot of a date of a series is taken; the search for another one looks a week ahead."""

    advice = ""

    def _without_later_slot(self) -> list[str]:
        """Nothing, since the search did not look further."""
        return []


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one date of a series.

    Attributes:
        local_start: The start by the clock of the series, naive.
        slot: The time of the date; None where the clock skips its start.
        error: Why it is refused; None for a date that can be booked.
    """

    local_start: datetime
    slot: Interval | None
    error: BookingError | None = None

    def as_json(self) -> dict[str, object]:
        """The verdict as the API shows it; `code` and `detail` are empty for a date that can be booked."""
        span = {"start_time": None, "end_time": None} if self.slot is None else self.slot.as_json()
        taken = self.error if isinstance(self.error, SlotTaken) else None
        return {
            "local_start": self.local_start.isoformat(),
            **span,
            "code": self.error.code if self.error else "",
            "detail": self.error.message if self.error else "",
            "conflicts": [slot.as_json() for slot in taken.conflicts] if taken else [],
            "suggestion": taken.suggestion.as_json() if taken and taken.suggestion else None,
        }


class DatesRefused(BookingError):
    """Some dates of a series cannot be booked, moved or cancelled, so that nothing was done."""

    code = "dates_refused"
    message = "Some dates cannot be booked. Nothing was done."
    advice = (
        "`dates` has each refused date with its own `code`, `conflicts` and `suggestion`. Change the series, or send "
        "`on_conflict` `skip` with a new one to book the other dates."
    )

    def __init__(self, dates: Sequence[Verdict], *, of: int) -> None:
        """The error; `of` is the number of all dates of the act."""
        self.dates, self.of = list(dates), of
        number = len(self.dates)
        super().__init__(f"{number} of {of} dates {'is' if number == 1 else 'are'} refused. Nothing was done.")

    def facts(self) -> dict[str, object]:
        return {"dates": [verdict.as_json() for verdict in self.dates]}


class SeriesOverlapsItself(BookingError):
    """Two dates of a series overlap."""

    code = "series_overlaps_itself"
    message = "A date of this series begins before the one before it ends. Make the dates shorter, or repeat them less."
    field = "end_time"
    advice = "Two dates of the series overlap: send an earlier `end_time`, or a rule with longer gaps."


class NotInSeries(BookingError):
    """A booking is no date of the series, or of no series."""

    code = "not_in_series"
    message = "This booking does not repeat. Leave `scope` out."
    advice = "`scope` is for the dates of a series, and `ids` are dates of that series."


class SeriesChanged(BookingError):
    """Somebody changed the series between the look of the caller and the lock."""

    code = "state_changed"
    message = "Somebody changed this series at the same moment. Nothing was done. Look at it, and try again."
    status = 409


class SeriesMissing(BookingError):
    """Somebody deleted the series meanwhile."""

    code = "not_found"
    message = "This series is not there any more."
    status = 404


def why_skipped(code: str) -> str:
    """The sentence about a date of a series that was not booked, by the code of its error."""
    return REASONS.get(code, "The date could not be booked.")
