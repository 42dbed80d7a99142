"""Events, and the list of their subscribers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

if TYPE_CHECKING:
    from core.models import Booking


@dataclass(frozen=True, slots=True)
class BookingCreated:
    """Somebody made a booking."""

    booking: "Booking"
    by: User | None
    at: datetime

    @property
    def is_over(self) -> bool:
        """True if the booking had ended before somebody recorded it."""
        return self.booking.end_time <= self.at


@dataclass(frozen=True, slots=True)
class BookingChanged:
    """Somebody changed the resource, time, status or notes of a booking."""

    before: "Booking"
    after: "Booking"
    by: User | None
    at: datetime

    @property
    def is_over(self) -> bool:
        """True if the booking had ended before the change, and has ended after it."""
        return max(self.before.end_time, self.after.end_time) <= self.at


@dataclass(frozen=True, slots=True)
class BookingCancelled:
    """Somebody cancelled a booking that held its slot, or removed its row."""

    before: "Booking"
    after: "Booking"
    by: User | None
    at: datetime
    removed: bool = False

    @property
    def is_over(self) -> bool:
        """True if the booking had ended before the cancellation."""
        return self.before.end_time <= self.at


@dataclass(frozen=True, slots=True)
class PasswordResetRequested:
    """Somebody asked for a new password; `user` is None if no user has the address."""

    user: User | None
    at: datetime


@dataclass(frozen=True, slots=True)
class EmailEntered:
    """Somebody registered over the API, or entered another e-mail address there; nobody has confirmed the address."""

    user: User
    at: datetime


BookingEvent = BookingCreated | BookingChanged | BookingCancelled
Event = BookingEvent | PasswordResetRequested | EmailEntered
Subscriber = Callable[[Any], None]

_subscribers: list[tuple[type, Subscriber]] = []


def subscribe(kind: type, subscriber: Subscriber) -> None:
    """Calls the subscriber at each event of the kind; a second subscription changes nothing."""
    if (kind, subscriber) not in _subscribers:
        _subscribers.append((kind, subscriber))


def publish(event: Event) -> None:
    """Calls the subscribers of the event.

    Every event except `PasswordResetRequested` is published inside the transaction of its act, which rolls back if a
    subscriber raises.
    """
    for kind, subscriber in _subscribers:
        if isinstance(event, kind):
            subscriber(event)
