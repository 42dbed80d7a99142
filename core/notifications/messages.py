"""Writing messages: rows in the transaction of what they tell, in one statement for each event.

Nothing is looked up here: what a receiver wants, and in which time zone, is asked when the message is sent.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from core import events
from core.choices import BookingStatus
from core.models import Booking
from core.notifications.facts import Facts, booking_facts, facts_of
from core.notifications.kinds import Kind
from core.notifications.models import Notification
from core.notifications.recipients import is_address
from core.outbox import worker
from core.outbox.models import State

logger = logging.getLogger(__name__)

TRIED_FOR = timedelta(days=1)

OF_STATUS = {
    BookingStatus.CONFIRMED: Kind.BOOKING_CONFIRMED,
    BookingStatus.REJECTED: Kind.BOOKING_REJECTED,
    BookingStatus.CANCELLED: Kind.BOOKING_CANCELLED,
}


# --- What is told -----------------------------------------------------------------------------------------------------


def booking_created(event: events.BookingCreated) -> None:
    """Tell the owner and staff of a new booking."""
    announce(Kind.BOOKING_CREATED, event, event.booking)


def booking_changed(event: events.BookingChanged) -> None:
    """Tell the owner and staff what changed, the status with the rest."""
    kind = Kind.BOOKING_CHANGED
    if event.before.status != event.after.status:
        kind = OF_STATUS.get(BookingStatus(event.after.status), kind)
    announce(kind, event, event.after)


def booking_cancelled(event: events.BookingCancelled) -> None:
    """Tell the owner and staff that the slot is free again."""
    announce(Kind.BOOKING_CANCELLED, event, event.before)


def slots_freed(user: User, *, now: datetime) -> None:
    """Tell staff, in one list, what becomes free with a user's account; to be called before it is deleted."""
    alive = Booking.objects.in_full().filter(user=user).blocking().ending_after(now).order_by("start_time", "id")
    bookings = [booking_facts(booking) for booking in alive] if settings.TO_EMAIL else []
    if bookings:
        facts = {"username": user.get_username(), "bookings": bookings}
        write([message(Kind.SLOTS_FREED, now=now, to=address, facts=facts) for address in staff_but()])


def password_reset_requested(event: events.PasswordResetRequested) -> None:
    """Send the way to a new password.

    Without a user a row is written all the same, and dropped later: the answer takes the same time, so that nobody
    learns who has an account.
    """
    write([message(Kind.PASSWORD_RESET, now=event.at, user=event.user, to=event.user.email if event.user else "")])


def password_changed(user: User, *, now: datetime) -> None:
    """Tell a user that their account has a new password."""
    if is_address(user.email):
        write([message(Kind.PASSWORD_CHANGED, now=now, user=user, to=user.email, facts={"at": now.isoformat()})])


# --- To whom ----------------------------------------------------------------------------------------------------------


def announce(kind: Kind, event: events.BookingEvent, booking: Booking) -> None:
    """One message to the owner, where they have an address, and one to each address of staff but theirs."""
    now, facts, owner = event.at, facts_of(event), booking.user
    rows = []
    if owner.email and is_address(owner.email):
        rows.append(message(kind, now=now, user=owner, to=owner.email, facts=facts, booking_id=booking.pk))
    elif owner.email:
        logger.warning("User %s has no valid e-mail address; nothing is sent to them.", owner.pk)
    # Whoever is staff and among these hears of it as owner; anybody else may merely claim such an address.
    hears_as_owner = owner.email if owner.is_staff and owner.is_active else ""
    rows += [
        message(kind, now=now, to=address, facts=facts, booking_id=booking.pk) for address in staff_but(hears_as_owner)
    ]
    write(rows)


def staff_but(owner: str = "") -> Iterator[str]:
    """The addresses of staff, each once, without that of an owner who hears as owner."""
    seen = {owner.lower()}
    for address in settings.TO_EMAIL:
        if address.lower() not in seen:
            seen.add(address.lower())
            yield address


# --- The rows ---------------------------------------------------------------------------------------------------------


def message(
    kind: Kind,
    *,
    now: datetime,
    to: str,
    user: User | None = None,
    facts: Facts | None = None,
    **more: Any,  # noqa: ANN401 - further columns
) -> Notification:
    """A row that is due at once."""
    return Notification(
        kind=kind,
        user=user,
        to=to,
        facts=facts or {},
        created_at=now,
        due_at=now,
        retry_until=now + TRIED_FOR,
        **more,
    )


def write(rows: list[Notification], *, once: bool = False) -> None:
    """Write rows in one statement, and have them sent after the commit.

    Args:
        rows: New rows.
        once: Leave out those that are there already.
    """
    if rows:
        Notification.objects.bulk_create(rows, ignore_conflicts=once)
        transaction.on_commit(worker.wake, robust=True)


def resend(rows: Iterable[Notification], *, now: datetime) -> int:
    """Send messages again, whatever became of them, except those that are on their way; says how many."""
    ids = [row.pk for row in rows]
    again = Notification.objects.filter(pk__in=ids).exclude(state=State.WAITING, claimed_until__gt=now)
    done = again.update(
        state=State.WAITING,
        tries=0,
        last_error="",
        due_at=now,
        retry_until=now + TRIED_FOR,
        done_at=None,
        claim=None,
        claimed_until=None,
    )
    transaction.on_commit(worker.wake, robust=True)
    return done


def drop(rows: Iterable[Notification], *, now: datetime) -> int:
    """Send messages that wait no more, except those that are on their way; says how many."""
    ids = [row.pk for row in rows]
    waiting = Notification.objects.filter(pk__in=ids, state=State.WAITING).exclude(claimed_until__gt=now)
    return waiting.update(state=State.DROPPED, done_at=now, last_error="dropped by staff")
