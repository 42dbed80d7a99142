"""Writes reminders before the start of bookings: one for each booking and start, even if several processes write."""

from datetime import datetime, timedelta

from django.db.models import BigIntegerField, Case, Exists, F, Max, OuterRef, Value, When

from core.choices import BookingStatus
from core.functions import Epoch
from core.models import Booking
from core.notifications.kinds import Kind
from core.notifications.messages import new_message, write
from core.notifications.models import DEFAULT_REMINDER_MINUTES, Notification, NotificationPreferences
from core.outbox.delivery import Run, Tally
from core.querysets import BookingQuerySet
from core.record.facts import booking_facts

BATCH = 500


def write_due(*, now: datetime) -> int:
    """Writes the due reminders and returns their number.

    The minutes before the start are elapsed time, so that a change of local clocks does not matter. A booking that was
    created after its reminder would have been due gets no reminder.
    """
    longest = NotificationPreferences.objects.aggregate(longest=Max("reminder_minutes"))["longest"]
    ahead = timedelta(minutes=max(longest or 0, DEFAULT_REMINDER_MINUTES))
    written = 0
    while True:
        bookings = due_bookings(now=now, ahead=ahead).in_full()[:BATCH]
        rows = [new_reminder(booking, now=now) for booking in bookings]
        write(rows, once=True)
        written += len(rows)
        if len(rows) < BATCH:
            return written


def write_reminders(run: Run) -> Tally:
    """Writes the due reminders: a job of the worker."""
    return Tally(written=write_due(now=run.now))


def due_bookings(*, now: datetime, ahead: timedelta) -> BookingQuerySet:
    """Returns the bookings whose reminder is due and not written yet; each user chooses the time before the start.

    Args:
        now: The present moment.
        ahead: The longest time before the start that any user has chosen.
    """
    existing = Notification.objects.filter(
        kind=Kind.BOOKING_REMINDER, booking_id=OuterRef("pk"), starts_at=OuterRef("start_time")
    )
    minutes = Case(
        When(user__notification_preferences__isnull=True, then=Value(DEFAULT_REMINDER_MINUTES)),
        default=F("user__notification_preferences__reminder_minutes"),
        output_field=BigIntegerField(),
    )
    upcoming = Booking.objects.filter(
        status=BookingStatus.CONFIRMED, start_time__gt=now, start_time__lte=now + ahead, user__is_active=True
    )
    remind_at = Epoch("start_time") - minutes * 60
    due = upcoming.alias(remind_at=remind_at).filter(
        remind_at__lte=int(now.timestamp()), remind_at__gt=Epoch("created_at")
    )
    return due.exclude(user__email="").exclude(Exists(existing)).order_by("start_time", "id")


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
