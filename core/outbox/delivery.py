"""Delivery: claims the due rows, gives each row to its channel once, and marks the outcome.

Any number of processes may deliver at once. Each process claims a few rows and skips rows that other processes have
locked. It sends its rows one after the other and marks each row immediately. A claim expires, so that another process
takes over the rows of a killed process. Only a row that the killed process had sent and not yet marked is sent twice.
No lock and no transaction is held while a channel waits for the network.
"""

import logging
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from django.db import DatabaseError, InterfaceError, connection, models, transaction
from django.db.models import Exists, OuterRef, Q

from core.outbox.models import OutboxRow, State

logger = logging.getLogger(__name__)

BATCH = 10
# A batch fits into a claim even if each row takes the longest time that its channel allows.
CLAIM_SECONDS = 60
# A row begins only while this much of its claim is left.
MARGIN_SECONDS = 10
FIRST_DELAY_MINUTES = 1
LONGEST_DELAY_MINUTES = 64
# After this many retries in a row the channel counts as down, and the other rows wait for the next run.
FAILURES_IN_A_ROW = 3
# As long as a claim lasts, so that no outage of the database makes a message go out twice before that.
MARK_SECONDS = CLAIM_SECONDS

Row = TypeVar("Row", bound=OutboxRow)
Result = TypeVar("Result")
Tally = Counter[str]


class NotNeeded(Exception):  # noqa: N818 - an outcome, not an error
    """The row is no longer needed.

    Attributes:
        columns: Further columns to write when the row is dropped.
    """

    def __init__(self, reason: str, **columns: object) -> None:
        super().__init__(reason)
        self.columns = columns


class NotSent(Exception):  # noqa: N818 - an outcome, not an error of this program
    """The channel could not send the row.

    Attributes:
        can_retry: True if a later try with the same row may succeed.
    """

    def __init__(self, reason: str, *, can_retry: bool) -> None:
        super().__init__(reason)
        self.can_retry = can_retry


class Channel(Protocol[Row]):
    """Sends the rows of one table."""

    @property
    def model(self) -> type[Row]: ...

    def load(self, claimed: models.QuerySet[Row]) -> list[Row]:
        """Returns the claimed rows with all data that `send` needs, in few statements."""

    def send(self, row: Row, *, now: datetime) -> Mapping[str, object]:
        """Sends a row.

        Returns:
            Columns to write when the row is marked as sent.

        Raises:
            NotNeeded: The row is dropped.
            NotSent: The row is tried again later, or fails.
        """

    def give_up(self, row: Row, error: NotSent) -> None:
        """Handles a row that has just been marked as failed."""


class Run:
    """One run of the worker: its clock and its end.

    The clock continues steadily even if the computer's clock is set back.
    """

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


def deliver(channel: Channel[Row], run: Run) -> Tally:
    """Delivers all due rows of a channel and counts them as `sent`, `retried`, `failed` or `dropped`."""
    tally, failures = Tally(), 0
    while not run.is_over and failures < FAILURES_IN_A_ROW and (rows := claim(channel, now=run.now)):
        claimed_at = run.seconds
        for index, row in enumerate(rows):
            claim_ends_soon = run.seconds - claimed_at > CLAIM_SECONDS - MARGIN_SECONDS
            if claim_ends_soon or run.is_over or failures >= FAILURES_IN_A_ROW:
                for unsent in rows[index:]:
                    mark(unsent)  # ends the claim and changes nothing else
                break
            outcome = deliver_row(channel, row, run)
            tally[outcome] += 1
            failures = failures + 1 if outcome == "retried" else 0
    return tally


def deliver_row(channel: Channel[Row], row: Row, run: Run) -> str:
    """Gives a claimed row to its channel once, marks the outcome, and returns it: a key of the tally."""
    try:
        columns = channel.send(row, now=run.now)
    except NotNeeded as reason:
        mark(row, state=State.DROPPED, last_error=str(reason), done_at=run.now, **reason.columns)
        return "dropped"
    except NotSent as error:
        last_error, tries, due_at = str(error)[:300], row.tries + 1, run.now + delay_after(row.tries + 1)
        if error.can_retry and due_at <= row.retry_until:
            logger.warning("%s was not sent (%s); it is tried again.", row, last_error)
            mark(row, tries=tries, due_at=due_at, last_error=last_error)
            return "retried"
        # Mark the row first: if the process is killed in between, no process sends a row that was given up.
        if mark(row, state=State.FAILED, tries=tries, last_error=last_error, done_at=run.now):
            channel.give_up(row, error)
        return "failed"
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:
        # The row fails at once: left as it is, it would stop the rows that are claimed with it at every run.
        logger.exception("%s cannot be sent.", row)
        mark(row, state=State.FAILED, tries=row.tries + 1, last_error=type(error).__name__, done_at=run.now)
        return "failed"
    mark(row, state=State.SENT, tries=row.tries + 1, last_error="", done_at=run.now, **columns)
    return "sent"


def delay_after(tries: int) -> timedelta:
    """Returns the delay before the next try: 1, 2, 4 … 64 minutes, then always 64."""
    return timedelta(minutes=min(FIRST_DELAY_MINUTES * 2 ** (min(tries, 20) - 1), LONGEST_DELAY_MINUTES))


# --- Claims -----------------------------------------------------------------------------------------------------------


def due(model: type[Row], *, now: datetime) -> models.QuerySet[Row]:
    """Returns the rows that may be sent now, the longest due first; a row waits for earlier rows of its queue."""
    waiting = model._default_manager.filter(state=State.WAITING)
    unclaimed = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = waiting.filter(unclaimed, due_at__lte=now).order_by("due_at", "pk")
    if not model.queue:
        return rows
    earlier = waiting.filter(**{name: OuterRef(name) for name in model.queue}, pk__lt=OuterRef("pk"))
    return rows.exclude(Exists(earlier))


def claim(channel: Channel[Row], *, now: datetime) -> list[Row]:
    """Claims up to `BATCH` due rows for `CLAIM_SECONDS` and returns them."""
    rows = channel.model._default_manager.order_by("due_at", "pk")
    # SQLite allows one writer at a time, and bookings have priority: take its lock only if a row is due.
    if connection.vendor == "sqlite" and not due(channel.model, now=now).exists():
        return []
    claim_id, claimed_until = uuid.uuid4(), now + timedelta(seconds=CLAIM_SECONDS)
    with transaction.atomic():
        unlocked = due(channel.model, now=now).select_for_update(skip_locked=True, of=("self",))
        ids = list(unlocked.values_list("pk", flat=True)[:BATCH])
        rows.filter(pk__in=ids).update(claim=claim_id, claimed_until=claimed_until)
    return channel.load(rows.filter(pk__in=ids, claim=claim_id)) if ids else []


def mark(row: OutboxRow, **columns: object) -> bool:
    """Writes columns of a row and ends its claim; writes nothing and returns False if the claim has been lost."""
    claimed = type(row)._default_manager.filter(pk=row.pk, claim=row.claim)
    return retry_update(lambda: claimed.update(claim=None, claimed_until=None, **columns)) == 1


def retry_update(update: Callable[[], Result]) -> Result:
    """Calls `update` until it succeeds: a sent row without its mark would be sent again.

    Raises:
        DatabaseError: No try succeeded within `MARK_SECONDS`, while nobody else could claim the row.
    """
    deadline = time.monotonic() + MARK_SECONDS
    while True:
        try:
            return update()
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() >= deadline:
                raise
            connection.close()
            time.sleep(0.5)
