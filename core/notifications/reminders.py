"""Reminders before the start: written once for each booking and start, whoever writes them and however often."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from core import events
from core.choices import BookingStatus
from core.models import Booking
from core.notifications.facts import facts_of
from core.notifications.kinds import Kind
from core.notifications.models import DEFAULT_REMINDER_MINUTES, Notification, NotificationPreferences
from core.notifications.outbox import message, write

BATCH = 500


def write_due(*, now: datetime) -> int:
    """Write the reminders that are due, and say how many.

    A minute is a minute, whatever clocks on walls do: moments are compared, not local times. A booking that was made
    when its reminder would have been due needs none.
    """
    written = 0
    for bookings in due(now=now):
        rows = [reminder(booking, now=now) for booking in bookings.in_full()[:BATCH]]
        write(rows, once=True)
        written += len(rows)
    return written


def due(*, now: datetime) -> Iterator[QuerySet[Booking]]:
    """For each time that users want to be reminded before the start, the bookings whose reminder is due."""
    wanted = NotificationPreferences.objects.exclude(reminder_minutes=None)
    there = Notification.objects.filter(
        kind=Kind.BOOKING_REMINDER, booking_id=OuterRef("pk"), starts_at=OuterRef("start_time")
    )
    for minutes in sorted({DEFAULT_REMINDER_MINUTES, *wanted.values_list("reminder_minutes", flat=True).distinct()}):
        ahead = timedelta(minutes=minutes)
        chosen = Q(user__notification_preferences__reminder_minutes=minutes)
        if minutes == DEFAULT_REMINDER_MINUTES:
            chosen |= Q(user__notification_preferences__isnull=True)
        soon = Booking.objects.filter(
            chosen,
            status=BookingStatus.CONFIRMED,
            start_time__gt=now,
            start_time__lte=now + ahead,
            created_at__lt=F("start_time") - ahead,
            user__is_active=True,
        )
        yield soon.exclude(user__email="").exclude(Exists(there)).order_by("start_time", "id")


def reminder(booking: Booking, *, now: datetime) -> Notification:
    """The row of a reminder, which is tried until the start."""
    row = message(
        Kind.BOOKING_REMINDER,
        now=now,
        user=booking.user,
        to=booking.user.email,
        facts=facts_of(events.BookingCreated(booking=booking, by=None)),
        booking_id=booking.pk,
        starts_at=booking.start_time,
    )
    row.retry_until = min(row.retry_until, booking.start_time)
    return row
