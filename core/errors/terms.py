"""The errors about the rules that staff set: policies, opening hours, quotas and exceptions."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, tzinfo

from core.errors.base import BookingError, day_and_clock, in_minutes, in_words
from core.intervals import Interval


class TooShort(BookingError):
    """The booking is shorter than the policy allows."""

    code = "too_short"
    field = "end_time"
    advice = "Send a later `end_time`: the booking is shorter than `min_minutes`."

    def __init__(self, min_minutes: int) -> None:
        self.min_minutes = min_minutes
        super().__init__(f"A booking of this resource lasts at least {in_minutes(min_minutes)}. Choose a later end.")

    def facts(self) -> dict[str, object]:
        return {"min_minutes": self.min_minutes}


class TooLong(BookingError):
    """The booking is longer than the policy allows."""

    code = "too_long"
    field = "end_time"
    advice = "Send an earlier `end_time`: the booking is longer than `max_minutes`."

    def __init__(self, max_minutes: int) -> None:
        self.max_minutes = max_minutes
        super().__init__(f"A booking of this resource lasts at most {in_minutes(max_minutes)}. Choose an earlier end.")

    def facts(self) -> dict[str, object]:
        return {"max_minutes": self.max_minutes}


class OffGrid(BookingError):
    """The start or the end of the booking is not on the grid of the resource."""

    code = "off_grid"
    advice = (
        "Start and end on the grid: `nearest_starts` and, where the end is wrong, `nearest_ends` have the neighbours."
    )

    def __init__(
        self, grid_minutes: int, *, starts: Sequence[datetime], ends: Sequence[datetime] | None, zone: str
    ) -> None:
        """The error; `ends` are None if the start is wrong."""
        self.grid_minutes, self.starts, self.ends, self.zone = grid_minutes, list(starts), ends, zone
        super().__init__()

    def sentence(self, zone: tzinfo = UTC) -> str:
        bound, nearest = ("start", self.starts) if self.ends is None else ("end", list(self.ends))
        near = " or ".join(day_and_clock(moment, zone) for moment in nearest)
        return f"Bookings of this resource start and end every {in_minutes(self.grid_minutes)}. " + (
            f"The nearest {bound} ({zone}): {near}." if near else f"Choose another {bound}."
        )

    def facts(self) -> dict[str, object]:
        ends = {} if self.ends is None else {"nearest_ends": list(self.ends)}
        return {"grid_minutes": self.grid_minutes, "time_zone": self.zone, "nearest_starts": self.starts, **ends}


class OutsideOpeningHours(BookingError):
    """Part of the booking lies outside the opening hours of the resource."""

    code = "outside_opening_hours"
    advice = "Choose a time in the opening hours: `hours` has those of `day`, by the clock of `time_zone`."

    def __init__(self, day: date, hours: Sequence[tuple[time, time]], zone: str) -> None:
        self.day, self.hours, self.zone = day, list(hours), zone
        when = " and ".join(f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in hours)
        is_open = f"This resource is open {when} on {day} ({zone})." if when else f"This resource is closed on {day}."
        super().__init__(f"{is_open} Choose another time.")

    def facts(self) -> dict[str, object]:
        hours = [{"opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"} for opens, closes in self.hours]
        return {"day": self.day.isoformat(), "time_zone": self.zone, "hours": hours}


class Closed(BookingError):
    """A closure or a closed day is in the way of the booking."""

    code = "closed"
    advice = "The resource is closed: `reason` says why, and `until` when it opens again. Choose another time."

    def __init__(self, reason: str, until: datetime | None) -> None:
        self.reason, self.until = reason, until
        super().__init__()

    def sentence(self, zone: tzinfo = UTC) -> str:
        why = f": {self.reason}" if self.reason else ""
        end = f" It opens again at {day_and_clock(self.until, zone)} {zone}." if self.until else ""
        return f"This resource is closed at that time{why}.{end} Choose another time."

    def facts(self) -> dict[str, object]:
        return {"reason": self.reason, "until": self.until}


class TooClose(BookingError):
    """The gap to a neighbouring booking is shorter than the buffers of the two."""

    code = "too_close"
    advice = "Leave a gap of `gap_minutes` to the neighbouring booking, `neighbour`."

    def __init__(self, gap_minutes: int, neighbour: Interval) -> None:
        self.gap_minutes, self.neighbour = gap_minutes, neighbour
        super().__init__()

    def sentence(self, zone: tzinfo = UTC) -> str:
        return (
            f"This is too close to another booking ({zone}): {in_words(self.neighbour, zone)}. Between the two must be "
            f"{in_minutes(self.gap_minutes)}. Choose another time."
        )

    def facts(self) -> dict[str, object]:
        return {"gap_minutes": self.gap_minutes, "neighbour": self.neighbour.as_json()}


class OverlapsOwn(BookingError):
    """The person has another booking at that time, and the policy allows one alone."""

    code = "overlaps_own"
    advice = "The person has another booking at that time, `booking`. Choose another time."

    def __init__(self, booking_id: int, resource_name: str, slot: Interval) -> None:
        self.booking_id, self.resource_name, self.slot = booking_id, resource_name, slot
        super().__init__()

    def sentence(self, zone: tzinfo = UTC) -> str:
        return (
            f"There is another booking of the same person at that time: {self.resource_name}, "
            f"{in_words(self.slot, zone)} ({zone}). This resource is booked without a second one."
        )

    def facts(self) -> dict[str, object]:
        return {"booking": {"id": self.booking_id, "resource_name": self.resource_name, **self.slot.as_json()}}


class QuotaExceeded(BookingError):
    """The booking would exceed a quota of the person."""

    code = "quota_exceeded"
    advice = "The person has booked as much as allowed: `used` of `limit`. `frees_at` says when there is more."

    def __init__(self, *, kind: str, period: str | None, limit: int, used: int, frees_at: datetime | None) -> None:
        self.kind, self.period, self.limit, self.used, self.frees_at = kind, period, limit, used, frees_at
        super().__init__()

    def sentence(self, zone: tzinfo = UTC) -> str:
        unit = "minute" if self.kind == "minutes" else "booking"
        most = f"{self.limit} {unit}{'' if self.limit == 1 else 's'}"
        span = f" in one {self.period}" if self.period else " at a time"
        frees = f" The next is possible from {day_and_clock(self.frees_at, zone)} {zone} on." if self.frees_at else ""
        return f"At most {most} per person{span}: {self.used} used already.{frees}"

    def facts(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "period": self.period,
            "limit": self.limit,
            "used": self.used,
            "frees_at": self.frees_at,
        }


class TooLateToChange(BookingError):
    """The start of the booking is too near for its owner to move it."""

    code = "too_late_to_change"
    status = 403
    advice = "Owners may move a booking until `change_notice_minutes` before its start; staff still may."

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        super().__init__(f"This booking can be moved until {in_minutes(minutes)} before its start. Ask staff.")

    def facts(self) -> dict[str, object]:
        return {"change_notice_minutes": self.minutes}


class TooLateToCancel(BookingError):
    """The start of the booking is too near for its owner to cancel or shorten it."""

    code = "too_late_to_cancel"
    status = 403
    advice = "Owners may cancel or shorten a booking until `cancel_notice_minutes` before its start; staff still may."

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        super().__init__(
            f"This booking can be cancelled or shortened until {in_minutes(minutes)} before its start. Ask staff."
        )

    def facts(self) -> dict[str, object]:
        return {"cancel_notice_minutes": self.minutes}


class ExceptionsClash(BookingError):
    """Another exception of the same level and length has one of the days."""

    code = "exceptions_clash"
    advice = "Of two exceptions the one with fewer days holds, and these have equally many. Change `exception` instead."

    def __init__(self, exception_id: int, name: str, first_day: date, last_day: date) -> None:
        self.exception_id, self.first_day, self.last_day = exception_id, first_day, last_day
        days = f"on {first_day}" if first_day == last_day else f"from {first_day} to {last_day}"
        super().__init__(
            f"There is an exception of the same length {days}{f', {name}' if name else ''}. Of two exceptions the one "
            "with fewer days holds. Change that one, or choose other days."
        )

    def facts(self) -> dict[str, object]:
        days = {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}
        return {"exception": {"id": self.exception_id, **days}}


class TooManyExceptions(BookingError):
    """The resource, or the house, has the most exceptions that it may have."""

    code = "too_many_exceptions"
    advice = "Delete exceptions that are over."

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} exceptions already. Delete those that are over.")
