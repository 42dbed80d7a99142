"""The base of all errors of bookings, and the words of their sentences."""

from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from core.choices import Waivable
from core.intervals import Interval, on_which_clock


class BookingError(Exception):
    """The base of all errors of bookings.

    Attributes:
        code: The name of the error for programs; it does not change.
        message: The sentence for people.
        status: The HTTP status of the answer.
        field: The wrong field of the input; None for a rule about several fields.
        advice: The sentence for client developers; empty for an error of the admin or with a shared code.
        waivable: The rule that staff may waive to pass over this refusal; None if no waiver helps. `rules.Waiver` sets
            it: of two refusals with one code, such as by a closed day and by a closure, only one may be waived.
    """

    code: ClassVar[str] = "booking_error"
    message: str = "The booking is not possible."
    status: ClassVar[int] = 400
    field: ClassVar[str | None] = None
    advice: ClassVar[str] = ""
    waivable: Waivable | None = None

    def __init__(self, message: str = "") -> None:
        self.message = message or self.sentence()
        super().__init__(self.message)

    def sentence(self, zone: tzinfo = UTC) -> str:
        """The message with its times in this zone, which it names; `message` has them in UTC."""
        return self.message

    def facts(self) -> dict[str, object]:
        """Further members of the response body."""
        return {}

    def headers(self) -> dict[str, str]:
        """Further headers of the response."""
        return {}


def in_minutes(number: int) -> str:
    """A number of minutes for people."""
    return "1 minute" if number == 1 else f"{number} minutes"


def day_and_clock(moment: datetime, zone: tzinfo) -> str:
    """A moment as people read it, with seconds only where there are any."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d} {on_which_clock(local)}"


def in_words(slot: Interval, zone: tzinfo) -> str:
    """An interval as people read it: the date of the end only where it differs, seconds only where there are any."""
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    seconds = any(bound.second or bound.microsecond for bound in (start, end))
    first, last = (on_which_clock(bound, seconds=seconds) for bound in (start, end))
    return f"{start:%Y-%m-%d} {first} to " + (last if start.date() == end.date() else f"{end:%Y-%m-%d} {last}")
