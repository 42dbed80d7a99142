"""What a report of utilisation measures: the names, and the formulas in words.

The API describes its fields with these sentences, and the page of staff shows them. `docs/reports.md` repeats them, and
a test compares the two.
"""

from datetime import timedelta
from typing import NamedTuple

# A booking that was cancelled with less notice counts as cancelled late.
LATE = timedelta(hours=24)
# So far before a period the cancelled bookings that reach into it are looked for.
REACH = timedelta(days=31)

LATE_HOURS, REACH_DAYS = LATE // timedelta(hours=1), REACH.days


class Measure(NamedTuple):
    """A number of a report: the field of the API, the heading of a table, and the formula."""

    name: str
    heading: str
    formula: str


MEASURES = (
    Measure(
        "open_minutes",
        "Open",
        "The open time of the resource by its present opening hours and exceptions, less its closures.",
    ),
    Measure("booked_minutes", "Booked", "The part of the open time that confirmed bookings take."),
    Measure("pending_minutes", "Pending", "The part of the open time that bookings take which wait for approval."),
    Measure(
        "cancelled_late_minutes",
        "Cancelled late",
        "The part of the open time that cancelled bookings would have taken, each by itself, where the record has the "
        f"cancellation less than {LATE_HOURS} hours before the start or after it. Bookings that begin more than "
        f"{REACH_DAYS} days before the period are left out.",
    ),
    Measure(
        "outside_open_minutes",
        "Outside open time",
        "The time of confirmed bookings that is not open time; it is no part of the booked time.",
    ),
    Measure(
        "share", "Share", "Booked time divided by open time, from 0 to 1. There is none (null) where nothing was open."
    ),
)

PERIOD = (
    "The period is from the beginning of the first day to the end of the last one, by the clock of each resource's own "
    "time zone. Bookings are cut at its edges. A night on which the clocks change has its true length: that day has 23 "
    "or 25 hours, and a repeated hour counts twice."
)
ROUNDING = "All sums are exact to the microsecond; each is rounded once, to the nearest minute."
