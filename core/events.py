"""Events of accounts, and the list of their subscribers. The record has the acts on bookings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User


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


Event = PasswordResetRequested | EmailEntered
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
