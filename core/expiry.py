"""Expires the pending bookings whose start has passed: a feeder of the worker, and `manage.py expire_pending`.

Any number of processes may do it at once: the verb looks again under the lock of the booking.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from core import errors, lifecycle
from core.models import Booking
from core.outages import Outage, outage_of
from core.outbox.delivery import Run, Tally
from core.record.acts import Act
from core.record.kinds import Channel

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60
LOCK_SECONDS = 2
BATCH = 500


def expire_due(run: Run) -> Tally:
    """Expires what is due: a feeder of the worker, which counts nothing."""
    expire_pending(now=run.now, channel=Channel.JOB, is_over=lambda: run.is_over)
    return Tally()


def expire_pending(*, now: datetime, channel: Channel, is_over: Callable[[], bool] = lambda: False) -> int:
    """Expires the pending bookings whose start has passed, each in a transaction of its own.

    Args:
        now: The present moment.
        channel: The channel of the acts.
        is_over: Called before each booking; True ends the work.

    Returns:
        The number of expired bookings.
    """
    act = Act(by=None, now=now, channel=channel)
    number, left = 0, set[int]()
    while bookings := list(Booking.objects.expired(now).exclude(pk__in=left).in_full()[:BATCH]):
        for booking in bookings:
            if is_over():
                return number
            if expire_one(booking, act):
                number += 1
            else:
                left.add(booking.pk)
    return number


def expire_one(booking: Booking, act: Act) -> bool:
    """True if the booking expired. A booking that fails or is locked is logged, and keeps no other one waiting."""
    try:
        with transaction.atomic():
            limit_wait()
            return lifecycle.expire(booking, act=act)
    except errors.BookingMissing:
        return False
    except (InterfaceError, OperationalError) as error:
        if outage_of(error) is not Outage.BUSY or connection.vendor == "sqlite":
            raise  # the next look finds the booking again; the lock of SQLite is that of all bookings
        logger.warning("Booking %s could not expire now: another connection holds a lock.", booking.pk)
        return False
    except Exception:
        logger.exception("Booking %s could not expire.", booking.pk)
        return False


def limit_wait() -> None:
    """Limits the waits for locks until the end of the transaction; SQLite's connections have a limit of their own."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
