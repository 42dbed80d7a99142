"""The errors of bookings; this module imports no HTTP framework.

A new error is one new class here, or in the feature that raises it. The exception handler, the description of the API
and the table of errors in docs/api.md are made from the classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, ClassVar

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
        return f"At most {most}{span}: {self.used} used already.{frees}"

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
        elif self.suggestions:
            sentences.append("There is no later free slot of this length within the next five years.")
        elif self.conflicts:
            sentences.append("There is no free slot of this length within the next five years.")
        return " ".join(sentences)


class ResourceOutOfService(BookingError):
    """The resource is out of service."""

    code = "resource_out_of_service"
    message = "This resource is out of service and cannot be booked at the moment. Choose another one."
    field = "resource"
    advice = "Staff took the resource out of service. Choose another one."


class ResourceMissing(BookingError):
    """No resource has the id."""

    code = "resource_missing"
    message = "There is no such resource."
    field = "resource"
    advice = "There is no resource of that id. List the resources."


class UserMissing(BookingError):
    """No user has the id."""

    code = "user_missing"
    message = "There is no such user."
    field = "user"
    advice = "There is no user of the id that staff sent in `user`."


class StatusNotAllowed(BookingError):
    """The caller may not set the status."""

    code = "status_not_allowed"
    message = "You may not set this status."
    field = "status"
    advice = "The caller may not set this status; the message says why."


class ReasonWithoutStatus(BookingError):
    """A reason comes with an act that does not change the status."""

    code = "reason_without_status"
    message = "A reason is kept with a change of the status. Send it with a new status, or leave it out."
    field = "reason"
    advice = "Send `reason` only with a change of the `status`."


class ReasonRequired(BookingError):
    """Staff reject a booking of a resource whose owners get a reason."""

    code = "reason_required"
    message = "A booking of this resource is rejected with a reason. Write one: its owner reads it."
    field = "reason"
    advice = "The resource has `reason_required`: send a `reason` with the rejection."


class StateChanged(BookingError):
    """The booking has another status by now than the decision is about; so far only the admin expects a status."""

    code = "state_changed"
    status = 409
    advice = "The booking is in another state by now, `status`; nothing was changed. Look at it and decide again."

    def __init__(self, current: str) -> None:
        self.current = current
        super().__init__(f"This booking is {current} by now and was left as it is.")

    def facts(self) -> dict[str, object]:
        return {"status": self.current}


class BookingEnded(BookingError):
    """The booking has ended, and the caller is not staff."""

    code = "booking_ended"
    message = "This booking has ended and cannot be changed any more. Ask staff if its record is wrong."
    status = 403
    advice = "A booking that is over is history for its owner; staff may still change it."


class BookingExpired(BookingError):
    """The start of a pending booking has passed, and an owner wants more than to cancel it."""

    code = "booking_expired"
    message = "Nobody confirmed this booking before its start, so it expires. You can only cancel it."
    status = 403
    advice = "The start of a pending booking has passed: it expires within a minute, and its owner may only cancel it."


class StaleVersion(BookingError):
    """`If-Match` names another version than the stored one."""

    code = "precondition_failed"
    message = "Somebody changed this meanwhile. Look at its current state, merge, and send it again with the new ETag."
    status = 412
    advice = "`If-Match` named another version. `current` is what is stored now, `ETag` its tag: merge, send again."

    def __init__(self, current: Mapping[str, Any], tag: str) -> None:
        self.current = current
        self.tag = tag
        super().__init__()

    def facts(self) -> dict[str, object]:
        return {"current": self.current}

    def headers(self) -> dict[str, str]:
        return {"ETag": self.tag}


class BookingMissing(BookingError):
    """Somebody deleted the booking meanwhile."""

    code = "not_found"
    message = "This booking is not there any more."
    status = 404


class TimeNotUtcText(BookingError):
    """The text of a stored time would not compare correctly on SQLite."""

    code = "time_form"
    message = (
        "A time is of the years 1 to 9999; SQLite stores it in UTC: YYYY-MM-DD HH:MM:SS, with six decimals or none."
    )
    advice = "A time is outside of the years 1 to 9999. Send another one."


class CapacityTooSmall(BookingError):
    """The capacity is below 1."""

    code = "capacity_too_small"
    message = "The capacity must be at least 1."
    field = "capacity"
    advice = "Send a `capacity` of at least 1."


class ResourceHasBookings(BookingError):
    """Bookings refer to the resource."""

    code = "resource_has_bookings"
    message = "This resource has bookings and cannot be deleted. Set is_available to false to take it out of service."
    status = 409
    advice = "Set `is_available` to false instead."


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


class GroupMissing(BookingError):
    """No group has the id."""

    code = "group_missing"
    message = "There is no such group."
    field = "group"
    advice = "There is no group of the id that staff sent in `group`."


class ClosedResourceMissing(ResourceMissing):
    """No resource has one of the ids of a closure."""

    message = "One of the resources does not exist."
    field = "resources"
    advice = ""


class ClosureOutOfBounds(BookingError):
    """A closure is over already, ends too far ahead, or is too long."""

    code = "closure_out_of_bounds"
    message = "The end of the closure is in the past. Choose a later one."
    field = "end_time"
    advice = "A closure ends in the future and at most 1826 days from now, and lasts at most 1826 days."


@dataclass(frozen=True, slots=True)
class Clash:
    """A booking, or the part of another closure, in the way of a closure.

    Attributes:
        kind: `booking` or `closure`.
        id: The id of the booking or of the closure.
        username: The owner of the booking; None for a closure.
    """

    kind: str
    id: int
    resource_id: int
    resource_name: str
    slot: Interval
    status: str
    username: str | None

    def as_json(self) -> dict[str, object]:
        """The clash as the API shows it to staff."""
        return {
            "kind": self.kind,
            "id": self.id,
            "resource": self.resource_id,
            "resource_name": self.resource_name,
            **self.slot.as_json(),
            "status": self.status,
            "username": self.username,
        }


class ClosureConflicts(BookingError):
    """Bookings or other closures are in the way of a closure."""

    code = "closure_conflicts"
    message = "Somebody booked or closed one of the resources at the same moment. Nothing was closed. Try again."
    status = 409
    advice = (
        "`conflicts` names the bookings and closures in the way. Send `on_conflict`: `cancel` cancels the bookings, "
        "`around` closes the free time between them."
    )

    def __init__(self, conflicts: Sequence[Clash] = (), *, nothing_free: bool = False) -> None:
        """The error; `nothing_free` if no time is left to close."""
        self.conflicts = list(conflicts)
        self.nothing_free = nothing_free
        super().__init__(" ".join(self._sentences()))

    def facts(self) -> dict[str, object]:
        return {"conflicts": [clash.as_json() for clash in self.conflicts]}

    def _sentences(self) -> list[str]:
        if not self.conflicts:
            return []
        closures = len({clash.id for clash in self.conflicts if clash.kind == "closure"})
        bookings = sum(clash.kind == "booking" for clash in self.conflicts)
        counts = [(bookings, "booking"), (closures, "closure")]
        named = [f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts if number]
        verb = "is" if bookings + closures == 1 else "are"
        sentences = [f"{' and '.join(named)} {verb} in the way. Nothing was closed."]
        if self.nothing_free:
            sentences.append("No time is free between them.")
        elif closures:
            sentences.append("A closure cancels no other closure: lift that one first, or close the free time around.")
        else:
            sentences.append("Cancel the bookings with the closure, or close the free time around them.")
        return sentences


class TooManyConflicts(BookingError):
    """More bookings are in the way of a closure than one call may handle."""

    code = "too_many_conflicts"
    message = "Too many bookings are in the way. Close fewer resources, or a shorter time."
    status = 409
    advice = "More than 1000 bookings are in the way. Close fewer resources or a shorter time in each call."


class ClosureMissing(BookingError):
    """Somebody lifted the closure meanwhile."""

    code = "not_found"
    message = "This closure is not there any more."
    status = 404


class UsernameTaken(BookingError):
    """Another user has the name, in any case."""

    code = "username_taken"
    message = "A user with that username already exists. User names differ in more than their case."
    field = "username"
    advice = "Somebody took the user name at the same moment. Choose another one."


class EmailTaken(BookingError):
    """Another user has the e-mail address, in any case."""

    code = "email_taken"
    message = "A user with that email address already exists. Reset the password if the account is yours."
    field = "email"
    advice = "Somebody took the address at the same moment. Choose another one."


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
