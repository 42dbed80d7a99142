"""Hands the rows of the record on to its readers, such as the messages: each row once, in the order of each booking.

Any number of processes may hand on at once. A row is handed on in the transaction that marks it, so a killed process
loses nothing and repeats nothing.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import QuerySet

from core.outbox.delivery import Run, Tally
from core.record.models import BookingEvent

logger = logging.getLogger(__name__)

# As many rows share a transaction. On SQLite bookings wait for its end.
AT_ONCE = 20

Reader = Callable[[BookingEvent], None]

_readers: list[Reader] = []


def add_reader(reader: Reader) -> None:
    """Adds a reader of the rows, which is called in the transaction that marks them; adding twice counts once."""
    if reader not in _readers:
        _readers.append(reader)


def hand_on(run: Run) -> Tally:
    """Hands on all rows that wait: a feeder of the worker, which counts nothing."""
    while not run.is_over and hand_on_some(now=run.now):
        pass
    return Tally()


def waiting() -> QuerySet[BookingEvent]:
    """The rows that were not handed on, oldest first."""
    return BookingEvent.objects.filter(handed_at=None).order_by("pk")


def hand_on_some(*, now: datetime) -> int:
    """Hands on up to `AT_ONCE` rows, and returns their number."""
    # SQLite allows one writer at a time, and bookings have priority: take its lock only if a row waits.
    if connection.vendor == "sqlite" and not waiting().exists():
        return 0
    with transaction.atomic():
        rows = claim()
        for row in rows:
            tell(row)
        BookingEvent.objects.filter(pk__in=[row.pk for row in rows]).update(handed_at=now)
    return len(rows)


def claim() -> list[BookingEvent]:
    """Locks the oldest rows that no other process has locked, oldest first.

    Leaves out an act while another process has an earlier act on the same booking, or the act on the series that it is
    a part of: nobody may be told of the second before the first. An act on a series waits for those on its dates. What
    is left out keeps back what comes after it in the same way, and acts on series keep their order among themselves.
    The second look is a statement of its own, so it sees what was handed on before the lock.
    """
    locked = waiting().select_related("owner").select_for_update(skip_locked=True, of=("self",), no_key=True)
    rows = list(locked[:AT_ONCE])
    if not rows:
        return []
    elsewhere = waiting().filter(pk__lt=rows[-1].pk).exclude(pk__in=[row.pk for row in rows])
    earlier = list(elsewhere.values_list("booking_id", "pk"))
    acts = [row.pk for row in rows if row.series_id is not None and row.booking_id is None] if earlier else []
    dates = BookingEvent.objects.filter(series_act_id__in=acts).values_list("series_act_id", "booking_id")
    told_by = set(dates) if acts else set()
    free = []
    for row in rows:
        if any(
            pk < row.pk and (row.booking_id == booking or row.series_act_id == pk or (row.pk, booking) in told_by)
            for booking, pk in earlier
        ):
            earlier.append((row.booking_id, row.pk))
        else:
            free.append(row)
    return free


def tell(row: BookingEvent) -> None:
    """Calls the readers with a row. An error of a reader is logged; the other readers and rows go on."""
    for reader in _readers:
        try:
            with transaction.atomic():
                reader(row)
        except (InterfaceError, OperationalError):
            raise  # the database is away: the row waits
        except Exception:
            logger.exception("%s could not be read by %s.", row, reader.__name__)
