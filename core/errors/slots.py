"""The errors about the time of a booking, whatever the terms of its resource."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

from core.errors.base import BookingError, in_minutes, in_words
from core.intervals import Interval


class EndNotAfterStart(BookingError):
    """The end of the slot is not after its start."""

    code = "end_not_after_start"
    message = "The end must be after the start."
    advice = "Send an `end_time` after the `start_time`."


class StartInPast(BookingError):
    """The slot starts before now."""

    code = "start_in_past"
    message = "The start is in the past. Choose a later one."
    field = "start_time"
    advice = "Send a later `start_time`."


class EndInPast(BookingError):
    """An owner sets an end before now."""

    code = "end_in_past"
    message = "The end is in the past. Choose a later one, or ask staff to correct the record."
    field = "end_time"
    advice = "Send an `end_time` that is still to come."


class StartTooSoon(BookingError):
    """The slot starts within the lead time."""

    code = "start_too_soon"
    message = "The start is too soon. Choose a later one."
    field = "start_time"
    advice = "A booking needs its lead time. Send a later `start_time`."

    def __init__(self, lead_time: timedelta, *, own: bool = False) -> None:
        """The error; `own` if the resource has a notice of its own."""
        self.minutes, self.own = int(lead_time.total_seconds() // 60), own
        what = "A booking of this resource" if own else "A booking"
        super().__init__(f"{what} must start at least {in_minutes(self.minutes)} from now. Choose a later start.")

    def facts(self) -> dict[str, object]:
        return {"notice_minutes": self.minutes} if self.own else {}


class TooLongAgo(BookingError):
    """The slot starts before the year 1900."""

    code = "too_long_ago"
    message = "A booking starts in the year 1900 or later. Choose a later start."
    field = "start_time"
    advice = "Send a `start_time` in the year 1900 or later."


class TooFarAhead(BookingError):
    """The slot ends after the bookable window."""

    code = "too_far_ahead"
    message = "A booking ends at most five years (1826 days) from now. Choose an earlier end."
    field = "end_time"
    advice = "Send an earlier `end_time`. `advance_days` is there where the resource has a limit of its own."

    def __init__(self, advance_days: int | None = None) -> None:
        self.advance_days = advance_days
        days = "1 day" if advance_days == 1 else f"{advance_days} days"
        own = f"A booking of this resource ends at most {days} from now. Choose an earlier end."
        super().__init__("" if advance_days is None else own)

    def facts(self) -> dict[str, object]:
        return {} if self.advance_days is None else {"advance_days": self.advance_days}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another bookable slot: `later` or `earlier` on the same resource, or `elsewhere`."""

    kind: str
    resource_id: int
    resource_name: str
    slot: Interval

    def as_json(self) -> dict[str, object]:
        """The suggestion as the API shows it."""
        return {
            "kind": self.kind,
            "resource": self.resource_id,
            "resource_name": self.resource_name,
            **self.slot.as_json(),
        }


class SlotTaken(BookingError):
    """The slot is in conflict with clashing bookings of the resource."""

    code = "slot_taken"
    message = "This resource is already booked during the selected time."
    advice = (
        "Somebody else has the slot. `conflicts` says when it is taken (never by whom), `suggestion` and `suggestions` "
        "what could be booked instead."
    )

    def __init__(self, *, conflicts: Sequence[Interval] = (), suggestions: Sequence[Suggestion] = ()) -> None:
        self.conflicts = list(conflicts)
        self.suggestions = list(suggestions)
        self.suggestion = next((found.slot for found in suggestions if found.kind == "later"), None)
        super().__init__()

    def facts(self) -> dict[str, object]:
        return {
            "conflicts": [slot.as_json() for slot in self.conflicts],
            "suggestion": self.suggestion.as_json() if self.suggestion else None,
            "suggestions": [found.as_json() for found in self.suggestions],
        }

    def sentence(self, zone: tzinfo = UTC) -> str:
        sentences = [SlotTaken.message]
        if self.conflicts:
            sentences.append(f"Taken ({zone}): " + "; ".join(in_words(slot, zone) for slot in self.conflicts) + ".")
        if self.suggestion:
            sentences.append(f"The next free slot of this length ({zone}): {in_words(self.suggestion, zone)}.")
        else:
            sentences += self._without_later_slot()
        return " ".join(sentences)

    def _without_later_slot(self) -> list[str]:
        """The end of the sentence where no later slot was found."""
        if not self.conflicts and not self.suggestions:
            return []
        later = "later " if self.suggestions else ""
        return [f"There is no {later}free slot of this length within the next five years."]


class ResourceOutOfService(BookingError):
    """The resource is out of service."""

    code = "resource_out_of_service"
    message = "This resource is out of service and cannot be booked at the moment. Choose another one."
    field = "resource"
    advice = "Staff took the resource out of service. Choose another one."


class TimeNotUtcText(BookingError):
    """The text of a stored time would not compare correctly on SQLite."""

    code = "time_form"
    message = (
        "A time is of the years 1 to 9999; SQLite stores it in UTC: YYYY-MM-DD HH:MM:SS, with six decimals or none."
    )
    advice = "A time is outside of the years 1 to 9999. Send another one."
