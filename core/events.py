"""What happened, when and by whom, and an explicit list of who wants to know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User

if TYPE_CHECKING:
    from core.models import Booking


@dataclass(frozen=True, slots=True)
class BookingCreated:
    """A booking came into being."""

    booking: "Booking"
    by: User | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BookingChanged:
    """A booking's resource, time, status or notes changed."""

    before: "Booking"
    after: "Booking"
    by: User | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BookingCancelled:
    """A booking gave its slot back, or its row was removed while it still had one."""

    before: "Booking"
    after: "Booking"
    by: User | None
    at: datetime
    removed: bool = False


@dataclass(frozen=True, slots=True)
class PasswordResetRequested:
    """Somebody asked for a new password; `user` is None where nobody has the address that was typed."""

    user: User | None
    at: datetime


BookingEvent = BookingCreated | BookingChanged | BookingCancelled
Event = BookingEvent | PasswordResetRequested
Subscriber = Callable[[Any], None]

_subscribers: list[tuple[type, Subscriber]] = []


def subscribe(kind: type, subscriber: Subscriber) -> None:
    """Call the subscriber for each event of that kind, inside the transaction; subscribing twice counts once."""
    if (kind, subscriber) not in _subscribers:
        _subscribers.append((kind, subscriber))


def publish(event: Event) -> None:
    """Tell everybody who wants to know; a subscriber that raises takes the whole change back."""
    for kind, subscriber in _subscribers:
        if isinstance(event, kind):
            subscriber(event)
