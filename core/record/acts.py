"""An act: who does something, when, why, and by which channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.contrib.auth.models import User

from core.record.kinds import Channel, Part


class Request(Protocol):
    """A request, whichever framework made it."""

    @property
    def user(self) -> Any: ...  # noqa: ANN401 - anonymous ones, too


@dataclass(frozen=True, slots=True)
class Act:
    """What every verb must know about its call.

    Attributes:
        by: The caller; None for the system itself.
        now: The present moment.
        channel: How the call reached the system.
        request_id: The id of the HTTP request, which the log has, too; empty without a request.
        reason: Why, in the words of the caller, at most 500 characters.
    """

    by: User | None
    now: datetime
    channel: Channel
    request_id: str = ""
    reason: str = ""

    @classmethod
    def of(cls, request: "Request", *, now: datetime, channel: Channel, reason: str = "") -> "Act":
        """The act of a request, whose user is signed in."""
        request_id = getattr(request, "request_id", "")
        return cls(by=request.user, now=now, channel=channel, request_id=request_id, reason=reason)

    @property
    def is_staff(self) -> bool:
        """True if the caller may do what staff may; the system may, too."""
        return self.by is None or self.by.is_staff

    def part_in(self, owner_id: int) -> Part:
        """The part of the caller in an act on a booking of this owner."""
        if self.by is None:
            return Part.SYSTEM
        return Part.OWNER if self.by.pk == owner_id else Part.STAFF
