"""Delivery: takes waiting messages, sends each once, and remembers what became of it.

Whoever delivers claims a few messages at a time, past rows that others have locked, sends them one after the other and
marks each at once. A claim ends by itself, so that those of a killed process are taken over by others; only the one
that it had sent and not yet marked goes out twice. No lock and no transaction is held while a provider is waited for.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from core.notifications import mails, reminders
from core.notifications.kinds import State
from core.notifications.models import Notification
from core.notifications.readers import ForNow, Pointless, reader_of, staff_zones, welcomed
from core.utils import DeliveryError, Message, deliver, print_on_console

logger = logging.getLogger(__name__)

BATCH = 10
# A batch of messages that all take the provider's whole time fits into a claim.
CLAIM_SECONDS = 60
# A message is begun only while so much of its claim is left.
MARGIN_SECONDS = 10
FIRST_DELAY_MINUTES = 1
LONGEST_DELAY_MINUTES = 64
# After so many in a row that the provider could not take, the rest waits for the next look.
FAILURES_IN_A_ROW = 3
MARK_TRIES = 5

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Tally:
    """What a delivery did, counted."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    dropped: int = 0
    reminders: int = 0

    def __str__(self) -> str:
        return (
            f"{self.sent} sent, {self.retried} to be tried again, {self.failed} failed, {self.dropped} dropped, "
            f"{self.reminders} reminders written"
        )


class Clock:
    """The present moment, from a known one on; not set back with the computer's clock."""

    def __init__(self, now: datetime) -> None:
        self.began = now
        self.ticks = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self.ticks

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.began + timedelta(seconds=self.seconds)


def deliver_due(*, now: datetime, stopping: threading.Event | None = None) -> Tally:
    """Write the reminders that are due, then deliver all that is due.

    Args:
        now: The present moment.
        stopping: Once set, the message on its way is the last.
    """
    clock, tally, failures = Clock(now), Tally(), 0
    greeted: set[tuple[int | None, str]] = set()
    tally.reminders = reminders.write_due(now=now)
    while rows := claim(now=clock.now):
        begun = clock.seconds
        zones = staff_zones(rows)
        for index, row in enumerate(rows):
            tired = failures >= FAILURES_IN_A_ROW or (stopping is not None and stopping.is_set())
            if tired or clock.seconds - begun > CLAIM_SECONDS - MARGIN_SECONDS:
                release(rows[index:])
                break
            outcome = deliver_one(row, clock=clock, zones=zones, greeted=greeted)
            setattr(tally, outcome, getattr(tally, outcome) + 1)
            failures = failures + 1 if outcome == "retried" else 0
        if failures >= FAILURES_IN_A_ROW or (stopping is not None and stopping.is_set()):
            break
    return tally


# --- One message ------------------------------------------------------------------------------------------------------


def deliver_one(row: Notification, *, clock: Clock, zones: dict[str, str], greeted: set[tuple[int | None, str]]) -> str:
    """Send a message that is claimed, or say why not, and mark it.

    Args:
        row: The message.
        clock: The present moment.
        zones: The time zones of addresses of staff, by address.
        greeted: Users and addresses that got their first message meanwhile; this one adds to it.

    Returns:
        The counter of the tally that it adds to.
    """
    try:
        reader = reader_of(row, zones=zones, now=clock.now)
        if (reader.user_id, reader.address) in greeted:
            reader = replace(reader, is_new=False)
    except Pointless as reason:
        # Without its start the row keeps no later one from being written.
        freed = {"starts_at": None} if isinstance(reason, ForNow) else {}
        mark(row, state=State.DROPPED, last_error=str(reason), done_at=clock.now, **freed)
        return "dropped"
    try:
        message = mails.render(row, reader)
        deliver(message)
    except DeliveryError as error:
        return not_taken(row, message, error, now=clock.now)
    except Exception as error:
        logger.exception("Message %s (%s) cannot be made.", row.pk, row.kind)
        return not_taken(row, None, DeliveryError(f"{type(error).__name__} in rendering", again=True), now=clock.now)
    marked = mark(row, state=State.SENT, tries=row.tries + 1, to=reader.address, last_error="", done_at=clock.now)
    if marked and reader.is_new:  # not where the account and its messages were deleted meanwhile
        welcomed(reader)
        greeted.add((reader.user_id, reader.address))
    return "sent"


def not_taken(row: Notification, message: Message | None, error: DeliveryError, *, now: datetime) -> str:
    """Try again later, or print the message on the console where that was the last try; log the reason either way.

    One that the provider may have taken all the same is not printed: it would be there twice.
    """
    reason, tries = str(error)[:300], row.tries + 1
    later = now + delay_after(tries)
    if error.again and later <= row.retry_until:
        logger.warning("Message %s (%s) was not sent (%s); it is tried again.", row.pk, row.kind, reason)
        mark(row, tries=tries, due_at=later, last_error=reason)
        return "retried"
    # Marked first: a process that is killed between the two must not print what another one then delivers.
    mark(row, state=State.FAILED, tries=tries, last_error=reason, done_at=now)
    if message is None or settings.EMAIL_USE == "console":
        logger.error("Message %s (%s) was not sent (%s); it is given up.", row.pk, row.kind, reason)
        return "failed"
    if error.perhaps:
        logger.error("Message %s (%s) was perhaps not sent (%s); it is given up.", row.pk, row.kind, reason)
        return "failed"
    logger.error("Message %s (%s) was not sent (%s); it is printed on the console instead.", row.pk, row.kind, reason)
    try:
        print_on_console(message)
    except DeliveryError as worse:
        logger.error("Message %s (%s) %s.", row.pk, row.kind, worse)
    return "failed"


def delay_after(tries: int) -> timedelta:
    """How long to wait after so many tries: 1, 2, 4 … 64 minutes, and then always 64."""
    return timedelta(minutes=min(FIRST_DELAY_MINUTES * 2 ** (min(tries, 20) - 1), LONGEST_DELAY_MINUTES))


# --- Claims -----------------------------------------------------------------------------------------------------------


def due(*, now: datetime) -> models.QuerySet[Notification]:
    """What may be sent now, the longest due first; a message waits for earlier ones on its booking to its receiver."""
    waiting = Notification.objects.filter(state=State.WAITING)
    earlier = waiting.filter(booking_id=OuterRef("booking_id"), to=OuterRef("to"), id__lt=OuterRef("id"))
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    return waiting.filter(free, due_at__lte=now).exclude(Exists(earlier)).order_by("due_at", "id")


def claim(*, now: datetime) -> list[Notification]:
    """Up to `BATCH` messages that are this process's until the claim ends."""
    # SQLite has one writer at a time, and bookings come first: do not ask for the lock in vain.
    if connection.vendor == "sqlite" and not due(now=now).exists():
        return []
    mine, until = uuid.uuid4(), now + timedelta(seconds=CLAIM_SECONDS)
    with transaction.atomic():
        ids = list(due(now=now).select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:BATCH])
        Notification.objects.filter(pk__in=ids).update(claim=mine, claimed_until=until)
    rows = Notification.objects.filter(pk__in=ids, claim=mine).order_by("due_at", "id")
    return list(rows.select_related("user__notification_preferences"))


def release(rows: list[Notification]) -> None:
    """Give up claims on messages that were not begun."""
    for row in rows:
        mark(row)


def mark(row: Notification, **columns: object) -> bool:
    """Write what became of a message, and end its claim; a database that is away for a moment is asked again.

    Whoever has lost the claim meanwhile writes nothing, and is told so.
    """
    mine = Notification.objects.filter(pk=row.pk, claim=row.claim)
    return insist(lambda: mine.update(claim=None, claimed_until=None, **columns)) == 1


def insist(write: Callable[[], Answer]) -> Answer:
    """Do it, up to `MARK_TRIES` times, a second apart: what was sent and is not marked would be sent again.

    Raises:
        DatabaseError: When it did not go through in the end.
    """
    for _ in range(MARK_TRIES - 1):
        try:
            return write()
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(1)
    return write()
