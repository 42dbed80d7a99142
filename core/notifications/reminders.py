"""Writes reminders before the start of bookings: one for each booking and start, even if several processes write."""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.expressions import Combinable

from core.choices import BookingStatus
from core.functions import Epoch
from core.models import Booking
from core.notifications.kinds import Kind
from core.notifications.messages import new_message, write
from core.notifications.models import (
    DEFAULT_REMINDER_MINUTES,
    LONGEST_REMINDER_MINUTES,
    Notification,
    NotificationPreferences,
)
from core.outbox.delivery import Run, Tally
from core.querysets import BookingQuerySet
from core.record.facts import booking_facts

LOOK_SECONDS = 60
BATCH = 500


def write_reminders(run: Run) -> Tally:
    """Writes the due reminders: a job of the worker."""
    return Tally(written=write_due(now=run.now))


def write_due(*, now: datetime) -> int:
    """Writes the due reminders and returns their number.

    The minutes before the start are elapsed time, so that a change of local clocks does not matter. A booking that was
    created after its reminder would have been due gets no reminder.
    """
    written = 0
    for due in (due_by_default(now), due_by_own_wish(now)):
        ids = list(due.values_list("pk", flat=True))
        for first in range(0, len(ids), BATCH):
            bookings = due.filter(pk__in=ids[first : first + BATCH]).in_full()
            rows = [new_reminder(booking, now=now) for booking in bookings]
            write(rows, once=True)
            written += len(rows)
    return written


def due_by_default(now: datetime) -> BookingQuerySet:
    """The bookings of users who did not choose another time than the default: a walk along the starts of an hour."""
    due = due_bookings(now, minutes=Value(DEFAULT_REMINDER_MINUTES), at_most=DEFAULT_REMINDER_MINUTES)
    nothing_stored = Q(user__notification_preferences=None)
    return due.filter(nothing_stored | Q(user__notification_preferences__reminder_minutes=DEFAULT_REMINDER_MINUTES))


def due_by_own_wish(now: datetime) -> BookingQuerySet:
    """The bookings of users who chose another time: a walk for each of these users, along their own next starts."""
    minutes = F("user__notification_preferences__reminder_minutes")
    due = due_bookings(now, minutes=minutes, at_most=LONGEST_REMINDER_MINUTES)
    others = NotificationPreferences.objects.exclude(reminder_minutes=None).exclude(
        reminder_minutes=DEFAULT_REMINDER_MINUTES
    )
    return due.filter(user_id__in=others.values("user_id"))


def due_bookings(now: datetime, *, minutes: Combinable, at_most: int) -> BookingQuerySet:
    """Returns the bookings whose reminder is due and not written yet.

    Args:
        now: The present moment.
        minutes: The time before the start.
        at_most: The largest value of `minutes`.
    """
    existing = Notification.objects.filter(
        kind=Kind.BOOKING_REMINDER, booking_id=OuterRef("pk"), starts_at=OuterRef("start_time")
    )
    upcoming = Booking.objects.filter(
        status=BookingStatus.CONFIRMED,
        start_time__gt=now,
        start_time__lte=now + timedelta(minutes=at_most),
        user__is_active=True,
    )
    remind_at = Epoch("start_time") - minutes * 60
    due = upcoming.alias(remind_at=remind_at).filter(
        remind_at__lte=int(now.timestamp()), remind_at__gt=Epoch("created_at")
    )
    return due.exclude(user__email="").exclude(Exists(existing)).order_by()


def new_reminder(booking: Booking, *, now: datetime) -> Notification:
    """Returns the unsaved row of a reminder, which is retried until the start at most."""
    row = new_message(
        Kind.BOOKING_REMINDER,
        now=now,
        user=booking.user,
        to=booking.user.email,
        facts={"after": booking_facts(booking)},
        booking_id=booking.pk,
        starts_at=booking.start_time,
    )
    row.retry_until = min(row.retry_until, booking.start_time)
    return row
