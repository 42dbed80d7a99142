"""The errors of closures."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors.base import BookingError
from core.errors.things import ResourceMissing
from core.intervals import Interval


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
