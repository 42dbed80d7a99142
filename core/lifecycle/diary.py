"""What a person has booked, in the order of time: a question about some days does not look at the rest."""

from bisect import bisect_left, insort
from collections import Counter
from datetime import datetime, timedelta

from core.intervals import Interval
from core.models import Booking
from core.quotas import Owned


class Diary:
    """Bookings of the person as quotas count them, in the order of their starts.

    Args:
        now: The present moment.
    """

    def __init__(self, now: datetime) -> None:
        self.now, self.rows, self.longest = now, list[Owned](), timedelta(0)
        self.numbers = Counter[int | None]()

    def add(self, row: Owned) -> None:
        insort(self.rows, row, key=starts)
        self.longest = max(self.longest, row.slot.duration)
        if row.slot.end > self.now:
            self.numbers[None] += 1
            self.numbers[row.resource_id] += 1

    def near(self, window: Interval) -> list[Owned]:
        """The bookings that overlap a window."""
        first = bisect_left(self.rows, window.start - self.longest, key=starts)
        until = bisect_left(self.rows, window.end, key=starts)
        return [each for each in self.rows[first:until] if each.slot.end > window.start]

    def coming(self, resource_id: int | None) -> int:
        """How many have not ended, of a resource or in all."""
        return self.numbers[resource_id]


def starts(row: Owned) -> datetime:
    """The start of a booking."""
    return row.slot.start


def owned_of(booking: Booking) -> Owned:
    """The booking as quotas count it."""
    return Owned(booking.pk, booking.resource_id, booking.slot, booking.resource.name)
