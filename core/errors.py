"""What can be wrong with a booking: a small tree of errors that knows no HTTP framework.

The docstring of each class is its message to a person, `code` its name for machines, `field` the input that it is
about (None: a rule across fields); further facts are attributes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.intervals import Interval, on_the_clock


class BookingError(Exception):
    """The booking is not possible."""

    code = "booking_error"
    field: str | None = None

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (self.__doc__ or "").strip()
        super().__init__(self.message)


class EndNotAfterStart(BookingError):
    """The end must be after the start."""

    code = "end_not_after_start"


class StartInPast(BookingError):
    """The start is in the past. Choose a later one."""

    code = "start_in_past"
    field = "start_time"


class StartTooSoon(BookingError):
    """The start is too soon. Choose a later one."""

    code = "start_too_soon"
    field = "start_time"

    def __init__(self, lead_time: timedelta) -> None:
        minutes = int(lead_time.total_seconds() // 60)
        super().__init__(f"A booking must start at least {minutes} minutes from now. Choose a later start.")


class TooFarAhead(BookingError):
    """A booking ends at most five years (1826 days) from now. Choose an earlier end."""

    code = "too_far_ahead"
    field = "end_time"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A slot that could be booked instead: `later` or `earlier` on the same resource, or `elsewhere`."""

    kind: str
    resource_id: int
    resource_name: str
    slot: Interval


class SlotTaken(BookingError):
    """This resource is already booked during the selected time."""

    code = "slot_taken"

    def __init__(self, *, conflicts: Sequence[Interval] = (), suggestions: Sequence[Suggestion] = ()) -> None:
        self.conflicts = list(conflicts)
        self.suggestions = list(suggestions)
        self.suggestion = next((found.slot for found in suggestions if found.kind == "later"), None)
        super().__init__(" ".join(self._sentences()))

    def _sentences(self) -> list[str]:
        sentences = [(type(self).__doc__ or "").strip()]
        if self.conflicts:
            sentences.append("Taken (UTC): " + "; ".join(in_words(slot) for slot in self.conflicts) + ".")
        if self.suggestion:
            sentences.append(f"The next free slot of this length (UTC): {in_words(self.suggestion)}.")
        elif self.conflicts:
            sentences.append("There is no free slot of this length within the next five years.")
        return sentences


class ResourceOutOfService(BookingError):
    """This resource is out of service and cannot be booked at the moment. Choose another one."""

    code = "resource_out_of_service"
    field = "resource"


class ResourceMissing(BookingError):
    """There is no such resource."""

    code = "resource_missing"
    field = "resource"


class UserMissing(BookingError):
    """There is no such user."""

    code = "user_missing"
    field = "user"


class StatusNotAllowed(BookingError):
    """You may not set this status."""

    code = "status_not_allowed"
    field = "status"


class BookingEnded(BookingError):
    """This booking has ended and cannot be changed any more. Ask staff if its record is wrong."""

    code = "booking_ended"


class StaleVersion(BookingError):
    """Somebody changed this meanwhile. Look at its current state, merge, and send it again with the new ETag."""

    code = "precondition_failed"

    def __init__(self, current: Mapping[str, Any], tag: str) -> None:
        self.current = current
        self.tag = tag
        super().__init__()


class BookingMissing(BookingError):
    """This booking is not there any more."""

    code = "not_found"


class TimeNotUtcText(BookingError):
    """A time is of the years 1 to 9999; SQLite stores it in UTC: YYYY-MM-DD HH:MM:SS, with six decimals or none."""

    code = "time_form"


class CapacityTooSmall(BookingError):
    """The capacity must be at least 1."""

    code = "capacity_too_small"
    field = "capacity"


class ResourceHasBookings(BookingError):
    """This resource has bookings and cannot be deleted. Set is_available to false to take it out of service."""

    code = "resource_has_bookings"


class UsernameTaken(BookingError):
    """A user with that username already exists. User names differ in more than their case."""

    code = "username_taken"
    field = "username"


class EmailTaken(BookingError):
    """A user with that email address already exists. Reset the password if the account is yours."""

    code = "email_taken"
    field = "email"


def in_words(slot: Interval) -> str:
    """An interval as people read it: the date of the end only where it differs, seconds only where there are any.

    Both bounds must be in UTC.
    """
    start, end = slot.start, slot.end
    seconds = any(bound.second or bound.microsecond for bound in (start, end))
    first, last = (on_the_clock(bound, seconds=seconds) for bound in (start, end))
    return f"{start:%Y-%m-%d} {first} to " + (last if start.date() == end.date() else f"{end:%Y-%m-%d} {last}")
