"""What became of a new series."""

from collections.abc import Sequence
from dataclasses import dataclass

from core import errors
from core.choices import IfRefused
from core.errors import Verdict
from core.models import Booking, Series
from core.recurrence import Pattern


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a new series.

    Attributes:
        series: The series; None if nothing was booked.
        bookings: The booked dates, in order.
        verdicts: What became of each date, in order.
        pattern: The pattern that was asked for.
    """

    series: Series | None
    bookings: Sequence[Booking]
    verdicts: Sequence[Verdict]
    pattern: Pattern

    @property
    def skipped(self) -> list[Verdict]:
        """The dates that were not booked."""
        return [verdict for verdict in self.verdicts if verdict.error is not None]

    def require(self, on_conflict: IfRefused) -> None:
        """Checks that so many dates are free that the series is booked.

        Raises:
            DatesRefused: With the refused dates that the clock has.
        """
        there = [verdict for verdict in self.verdicts if verdict.slot is not None]
        refused = [verdict for verdict in there if verdict.error is not None]
        if not on_conflict.books(len(there) - len(refused), of=len(there)):
            raise errors.DatesRefused(refused, of=len(there))
