"""The errors about the status and the version of a booking."""

from collections.abc import Mapping
from typing import Any

from core.errors.base import BookingError


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
