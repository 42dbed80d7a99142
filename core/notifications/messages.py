"""Writes message rows: about bookings from the rows of the record, about accounts in the transaction of their event.

Preferences and time zones are read only when a message is sent.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from core import events
from core.models import Booking
from core.notifications import preferences
from core.notifications.dates import facts_of_dates, is_told, kind_of
from core.notifications.kinds import Kind
from core.notifications.models import Notification, NotificationPreferences
from core.notifications.preferences import preferences_of
from core.notifications.recipients import is_address, is_moved
from core.outbox import worker
from core.outbox.models import State
from core.record.facts import Facts, booking_facts, event_of, facts_of
from core.record.kinds import EventKind, SeriesKind
from core.record.models import BookingEvent
from core.record.series import series_facts_of

logger = logging.getLogger(__name__)

RETRY_FOR = timedelta(days=1)
# A list in a message names this many slots, and counts the others.
MAX_SLOTS = 200

# The kind of message that tells each kind of act.
KINDS = {
    EventKind.CREATED: Kind.BOOKING_CREATED,
    EventKind.CHANGED: Kind.BOOKING_CHANGED,
    EventKind.CONFIRMED: Kind.BOOKING_CONFIRMED,
    EventKind.REJECTED: Kind.BOOKING_REJECTED,
    EventKind.CANCELLED: Kind.BOOKING_CANCELLED,
    EventKind.EXPIRED: Kind.BOOKING_CANCELLED,
    EventKind.REMOVED: Kind.BOOKING_CANCELLED,
}


# --- Events -----------------------------------------------------------------------------------------------------------


def tell(row: BookingEvent) -> None:
    """Writes the messages about an act: a reader of the record. An act on a series tells of all its dates at once."""
    if row.kind in SeriesKind.values:
        tell_of_series(row)
    elif row.series_act_id is None:
        tell_of_booking(row)


def tell_of_booking(row: BookingEvent) -> None:
    """Writes the messages about an act on a booking."""
    facts = facts_of(row)
    event = event_of(facts)
    if is_told(row, event):
        write_about(row, KINDS[event.kind], facts)


def tell_of_series(row: BookingEvent) -> None:
    """Writes the messages about an act on a series, unless nobody is told of any of its dates."""
    told = facts_of_dates(row.pk)
    if not told:
        return
    moves = any(is_moved(each) for each in told)
    facts = series_facts_of(row) | {"number": len(told), "moves": moves}
    write_about(row, kind_of(SeriesKind(row.kind), [event_of(each) for each in told]), facts)


def write_about(row: BookingEvent, kind: Kind, facts: Facts) -> None:
    """Writes a message to the owner, if the owner has a valid address, and a copy to each staff address."""
    owner, rows = row.owner, []
    if owner is not None and owner.email and is_address(owner.email):
        rows.append(new_message(kind, now=row.at, user=owner, to=owner.email, facts=facts, booking_id=row.booking_id))
    elif owner is not None and owner.email:
        logger.warning("User %s has no valid e-mail address; nothing is sent to them.", owner.pk)
    # The owner's message replaces the staff copy to the same address, but only if the owner is staff: other users may
    # enter a staff address that is not theirs.
    owner_address = owner.email if owner is not None and owner.is_staff and owner.is_active else ""
    rows += [
        new_message(kind, now=row.at, to=address, facts=facts, booking_id=row.booking_id)
        for address in staff_addresses(except_for=owner_address)
    ]
    write(rows)


def slots_freed(user: User, *, now: datetime) -> None:
    """Tells staff which slots the deletion of an account frees; to be called before the deletion.

    The message names the first `MAX_SLOTS` of them, and counts the others.
    """
    upcoming = Booking.objects.filter(user=user).blocking().ending_after(now).order_by("start_time", "id")
    named = [booking_facts(booking) for booking in upcoming.in_full()[:MAX_SLOTS]] if settings.TO_EMAIL else []
    if named:
        more = upcoming.count() - MAX_SLOTS if len(named) == MAX_SLOTS else 0
        facts = {"username": user.get_username(), "bookings": named, "more": more}
        write([new_message(Kind.SLOTS_FREED, now=now, to=address, facts=facts) for address in staff_addresses()])


def password_reset_requested(event: events.PasswordResetRequested) -> None:
    """Sends the link to choose a new password.

    A row is written even for an unknown address, and dropped when it is due. So the API takes the same time for known
    and unknown addresses, and strangers cannot find out who has an account.
    """
    address = event.user.email if event.user else ""
    write([new_message(Kind.PASSWORD_RESET, now=event.at, user=event.user, to=address)])


def password_changed(user: User, *, now: datetime) -> None:
    """Tells a user that their account has a new password."""
    if is_address(user.email):
        facts = {"at": now.isoformat()}
        write([new_message(Kind.PASSWORD_CHANGED, now=now, user=user, to=user.email, facts=facts)])


def email_entered(event: events.EmailEntered) -> None:
    """Asks the reader of an address to confirm it; without `PUBLIC_URL` no link could, and nothing is asked."""
    user = event.user
    if settings.PUBLIC_URL and user.email:
        preferences.change(user, unconfirmed_address=user.email)
        write([new_message(Kind.EMAIL_ENTERED, now=event.at, user=user, to=user.email)])


def confirmation_wanted(user: User, *, now: datetime) -> None:
    """Sends the link to confirm the address again, unless the address is confirmed."""
    if not preferences_of(user).email_confirmed:
        write([new_message(Kind.EMAIL_ENTERED, now=now, user=user, to=user.email)])


def email_changed(user: User, *, before: str, now: datetime) -> None:
    """Tells the former address that the account has another one."""
    if is_address(before):
        stored = NotificationPreferences.objects.filter(user=user, unconfirmed_address=before)
        facts = {"at": now.isoformat(), "was_confirmed": not stored.exists()}
        write([new_message(Kind.EMAIL_CHANGED, now=now, user=user, to=before, facts=facts)])


# --- Recipients -------------------------------------------------------------------------------------------------------


def staff_addresses(*, except_for: str = "") -> Iterator[str]:
    """Yields each address of `TO_EMAIL` once, except the given one; upper and lower case do not matter."""
    seen = {except_for.lower()}
    for address in settings.TO_EMAIL:
        if address.lower() not in seen:
            seen.add(address.lower())
            yield address


# --- The rows ---------------------------------------------------------------------------------------------------------


def new_message(
    kind: Kind,
    *,
    now: datetime,
    to: str,
    user: User | None = None,
    facts: Facts | None = None,
    booking_id: int | None = None,
    starts_at: datetime | None = None,
) -> Notification:
    """Returns an unsaved row that is due at once."""
    return Notification(
        kind=kind,
        user=user,
        to=to,
        facts=facts or {},
        created_at=now,
        due_at=now,
        retry_until=now + RETRY_FOR,
        booking_id=booking_id,
        starts_at=starts_at,
    )


def write(rows: list[Notification], *, once: bool = False) -> None:
    """Saves rows in one statement, and wakes the worker after the commit.

    Args:
        rows: Unsaved rows.
        once: True to skip reminders and lists for staff that exist already.
    """
    if rows:
        Notification.objects.bulk_create(rows, ignore_conflicts=once)
        transaction.on_commit(worker.wake, robust=True)


def resend(rows: Iterable[Notification], *, now: datetime) -> int:
    """Makes messages due again, in any state but not while a worker has claimed them; returns their number."""
    ids = [row.pk for row in rows]
    unclaimed = Notification.objects.filter(pk__in=ids).exclude(state=State.WAITING, claimed_until__gt=now)
    number = unclaimed.update(
        state=State.WAITING,
        tries=0,
        last_error="",
        due_at=now,
        retry_until=now + RETRY_FOR,
        done_at=None,
        claim=None,
        claimed_until=None,
    )
    transaction.on_commit(worker.wake, robust=True)
    return number


def drop(rows: Iterable[Notification], *, now: datetime) -> int:
    """Drops waiting messages that no worker has claimed; returns their number."""
    ids = [row.pk for row in rows]
    waiting = Notification.objects.filter(pk__in=ids, state=State.WAITING).exclude(claimed_until__gt=now)
    return waiting.update(state=State.DROPPED, done_at=now, last_error="dropped by staff")
