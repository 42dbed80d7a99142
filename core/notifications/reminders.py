"""Reminders before the start: written once for each booking and start, whoever writes them and however often."""

from datetime import datetime, timedelta

from django.db.models import BigIntegerField, Case, Exists, F, Max, OuterRef, QuerySet, Value, When

from core import events
from core.choices import BookingStatus
from core.functions import Epoch
from core.models import Booking
from core.notifications.facts import facts_of
from core.notifications.kinds import Kind
from core.notifications.messages import message, write
from core.notifications.models import DEFAULT_REMINDER_MINUTES, Notification, NotificationPreferences
from core.outbox.delivery import Run, Tally

BATCH = 500


def write_due(*, now: datetime) -> int:
    """Write the reminders that are due, and say how many.

    A minute is a minute, whatever clocks on walls do: moments are compared, not local times. A booking that was made
    when its reminder would have been due needs none.
    """
    longest = NotificationPreferences.objects.aggregate(longest=Max("reminder_minutes"))["longest"]
    ahead = timedelta(minutes=max(longest or 0, DEFAULT_REMINDER_MINUTES))
    written = 0
    while True:
        rows = [reminder(booking, now=now) for booking in due(now=now, ahead=ahead).in_full()[:BATCH]]
        write(rows, once=True)
        written += len(rows)
        if len(rows) < BATCH:
            return written


def write_reminders(run: Run) -> Tally:
    """Write the reminders that are due: a job of the worker."""
    return Tally(written=write_due(now=run.now))


def due(*, now: datetime, ahead: timedelta) -> QuerySet[Booking]:
    """The bookings whose reminder is due, as long before the start as each user wants it.

    Args:
        now: The present moment.
        ahead: How long before the start anybody wants it at most.
    """
    there = Notification.objects.filter(
        kind=Kind.BOOKING_REMINDER, booking_id=OuterRef("pk"), starts_at=OuterRef("start_time")
    )
    minutes = Case(
        When(user__notification_preferences__isnull=True, then=Value(DEFAULT_REMINDER_MINUTES)),
        default=F("user__notification_preferences__reminder_minutes"),
        output_field=BigIntegerField(),
    )
    soon = Booking.objects.filter(
        status=BookingStatus.CONFIRMED, start_time__gt=now, start_time__lte=now + ahead, user__is_active=True
    )
    told_at = Epoch("start_time") - minutes * 60
    wanted = soon.alias(told_at=told_at).filter(told_at__lte=int(now.timestamp()), told_at__gt=Epoch("created_at"))
    return wanted.exclude(user__email="").exclude(Exists(there)).order_by("start_time", "id")


def reminder(booking: Booking, *, now: datetime) -> Notification:
    """The row of a reminder, which is tried until the start."""
    row = message(
        Kind.BOOKING_REMINDER,
        now=now,
        user=booking.user,
        to=booking.user.email,
        facts=facts_of(events.BookingCreated(booking=booking, by=None, at=now)),
        booking_id=booking.pk,
        starts_at=booking.start_time,
    )
    row.retry_until = min(row.retry_until, booking.start_time)
    return row
