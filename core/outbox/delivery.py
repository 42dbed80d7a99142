"""Delivery: claims rows that are due, gives each to its channel once, and marks what became of it.

Any number of processes may deliver at once. Each claims a few rows, skipping rows that others have locked, sends them
one after the other and marks each at once. A claim ends by itself, so that others take over the rows of a killed
process; only the row that it had sent and not yet marked is sent twice. No lock and no transaction is held while a
channel waits for the outside.
"""

import logging
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from django.db import DatabaseError, InterfaceError, connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from core.outbox.models import OutboxRow, State

logger = logging.getLogger(__name__)

BATCH = 10
# A batch fits into a claim even if each row takes as long as its channel may.
CLAIM_SECONDS = 60
# Begin a row only while so much of its claim is left.
MARGIN_SECONDS = 10
FIRST_DELAY_MINUTES = 1
LONGEST_DELAY_MINUTES = 64
# After so many retries in a row the channel is taken to be down, and the rest waits for the next run.
FAILURES_IN_A_ROW = 3
MARK_TRIES = 5

Answer = TypeVar("Answer")
Tally = Counter[str]


class NotNeeded(Exception):  # noqa: N818 - no error: nothing went wrong
    """Nobody needs the row any more.

    Attributes:
        columns: Further columns to write when the row is dropped.
    """

    def __init__(self, reason: str, **columns: object) -> None:
        super().__init__(reason)
        self.columns = columns


class NotSent(Exception):  # noqa: N818 - what the outside answered, not a fault of ours
    """The channel could not send the row.

    Attributes:
        again: Whether the same row may go through later.
    """

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class Channel(Protocol):
    """A way to the outside, for the rows of one table."""

    model: type[OutboxRow]

    def load(self, claimed: models.QuerySet[Any]) -> list[Any]:
        """Read the claimed rows, and whatever sending them needs, in few statements."""

    def send(self, row: Any, *, now: datetime) -> Mapping[str, object]:  # noqa: ANN401 - a row of `model`
        """Send a row.

        Returns:
            Columns to write when the row is marked as sent.

        Raises:
            NotNeeded: To drop the row.
            NotSent: To try the row again later, or to give it up.
        """

    def give_up(self, row: Any, error: NotSent) -> None:  # noqa: ANN401 - a row of `model`
        """Do what is left to do for a row that has been marked as failed."""


class Run:
    """One run: its clock, which goes on even if the computer's clock is set back, and its end."""

    def __init__(self, now: datetime, *, seconds: float = math.inf, stopping: threading.Event | None = None) -> None:
        self._began, self._ticks = now, time.monotonic()
        self._limit, self._stopping = seconds, stopping

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._ticks

    @property
    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.seconds)

    @property
    def is_over(self) -> bool:
        """True once no further row may begin."""
        return self.seconds >= self._limit or (self._stopping is not None and self._stopping.is_set())


def deliver(channel: Channel, run: Run) -> Tally:
    """Deliver all rows of a channel that are due; counts those `sent`, `retried`, `failed` and `dropped`."""
    tally, failures = Tally(), 0
    while not run.is_over and failures < FAILURES_IN_A_ROW and (rows := claim(channel, now=run.now)):
        claimed_at = run.seconds
        for index, row in enumerate(rows):
            late = run.seconds - claimed_at > CLAIM_SECONDS - MARGIN_SECONDS
            if late or run.is_over or failures >= FAILURES_IN_A_ROW:
                for left in rows[index:]:
                    mark(left)  # as it was, without the claim
                break
            outcome = deliver_row(channel, row, run)
            tally[outcome] += 1
            failures = failures + 1 if outcome == "retried" else 0
    return tally


def deliver_row(channel: Channel, row: OutboxRow, run: Run) -> str:
    """Give a claimed row to its channel once, mark what became of it, and say it in the word of the tally."""
    try:
        columns = channel.send(row, now=run.now)
    except NotNeeded as why:
        mark(row, state=State.DROPPED, last_error=str(why), done_at=run.now, **why.columns)
        return "dropped"
    except NotSent as error:
        reason, tries, later = str(error)[:300], row.tries + 1, run.now + delay_after(row.tries + 1)
        if error.again and later <= row.retry_until:
            logger.warning("%s was not sent (%s); it is tried again.", row, reason)
            mark(row, tries=tries, due_at=later, last_error=reason)
            return "retried"
        # Marked first: if the process is killed in between, nobody sends the row after the channel gave it up.
        mark(row, state=State.FAILED, tries=tries, last_error=reason, done_at=run.now)
        channel.give_up(row, error)
        return "failed"
    mark(row, state=State.SENT, tries=row.tries + 1, last_error="", done_at=run.now, **columns)
    return "sent"


def delay_after(tries: int) -> timedelta:
    """How long to wait after so many tries: 1, 2, 4 … 64 minutes, and then always 64."""
    return timedelta(minutes=min(FIRST_DELAY_MINUTES * 2 ** (min(tries, 20) - 1), LONGEST_DELAY_MINUTES))


# --- Claims -----------------------------------------------------------------------------------------------------------


def due(model: type[OutboxRow], *, now: datetime) -> models.QuerySet[Any]:
    """The rows that may be sent now, the longest due first; a row waits for earlier rows of its queue."""
    waiting = model._default_manager.filter(state=State.WAITING)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = waiting.filter(free, due_at__lte=now).order_by("due_at", "id")
    if not model.queue:
        return rows
    earlier = waiting.filter(**{name: OuterRef(name) for name in model.queue}, id__lt=OuterRef("id"))
    return rows.exclude(Exists(earlier))


def claim(channel: Channel, *, now: datetime) -> list[Any]:
    """Up to `BATCH` rows that belong to this run until the claim ends."""
    rows = channel.model._default_manager.order_by("due_at", "id")
    # SQLite has one writer at a time, and bookings come first: take its lock only if there is something to claim.
    if connection.vendor == "sqlite" and not due(channel.model, now=now).exists():
        return []
    mine, until = uuid.uuid4(), now + timedelta(seconds=CLAIM_SECONDS)
    with transaction.atomic():
        free = due(channel.model, now=now).select_for_update(skip_locked=True, of=("self",))
        ids = list(free.values_list("pk", flat=True)[:BATCH])
        rows.filter(pk__in=ids).update(claim=mine, claimed_until=until)
    return channel.load(rows.filter(pk__in=ids, claim=mine)) if ids else []


def mark(row: OutboxRow, **columns: object) -> bool:
    """Write columns of a row and end its claim; False, and nothing is written, if the claim has been lost."""
    mine = type(row)._default_manager.filter(pk=row.pk, claim=row.claim)
    return retry_update(lambda: mine.update(claim=None, claimed_until=None, **columns)) == 1


def retry_update(write: Callable[[], Answer]) -> Answer:
    """Write, trying up to `MARK_TRIES` times a second apart: a row that was sent and not marked would be sent again.

    Raises:
        DatabaseError: When the last try failed, too.
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
