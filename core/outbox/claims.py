"""Claims: who delivers a row now, and until when.

A claim expires, so that another process takes over the row of a killed process.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from core.functions import Is
from core.outbox.channels import Channel, Parcel, Row
from core.outbox.models import OutboxRow, State

# How long a claim lasts beside the call itself: some calls wait for others, and outcomes wait for the database.
CLAIM_SECONDS = 55
# For so long the outcome of a call waits for the database; after that the claim may have ended.
MARK_SECONDS = CLAIM_SECONDS
# A call begins only while this much of the row's claim is left, beside its own time.
SPARE_SECONDS = 5

Result = TypeVar("Result")

LONGEST_DUE_FIRST = ("due_at", "pk")
# For a probe: the oldest rows are those whose calls have just failed.
UNTRIED_AND_NEWEST_FIRST = ("tries", "-pk")


def claim_seconds(channel: Channel[Row, Parcel]) -> float:
    """How long a claim lasts: no call may outlive it, for then another process would send the row again."""
    return CLAIM_SECONDS + channel.seconds


def margin_seconds(channel: Channel[Row, Parcel]) -> float:
    """How much of its claim must be left when the call for a row begins."""
    return SPARE_SECONDS + channel.seconds


def unclaimed(now: datetime) -> Q:
    """The rows that nobody delivers now."""
    return Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)


def due(model: type[Row], *, now: datetime) -> QuerySet[Row]:
    """Returns the rows that may be sent now; a row waits for earlier rows of its queue."""
    waiting = model._default_manager.filter(Is("state", value=State.WAITING.value))
    rows = waiting.filter(unclaimed(now), due_at__lte=now)
    if not model.queue:
        return rows
    earlier = waiting.filter(**{name: OuterRef(name) for name in model.queue}, pk__lt=OuterRef("pk"))
    return rows.exclude(Exists(earlier))


def claim(
    channel: Channel[Row, Parcel],
    *,
    now: datetime,
    on_their_way: Sequence[Parcel] = (),
    order: tuple[str, ...] = LONGEST_DUE_FIRST,
    spare: list[Row] | None = None,
    most: int = 1,
) -> Row | None:
    """Claims the first due rows that no other process has locked, for `claim_seconds`, and returns the first of them.

    Args:
        channel: The channel of the rows.
        now: The present moment.
        on_their_way: The parcels whose calls have not ended.
        order: Which row is the first.
        spare: Gets the rows after the first one.
        most: The largest number of rows.
    """
    due_rows = channel.ready(due(channel.model, now=now), on_their_way).order_by(*order)
    # SQLite allows one writer at a time, and bookings have priority: take its lock only if a row is due.
    if connection.vendor == "sqlite" and not due_rows.exists():
        return None
    key, until = uuid.uuid4(), now + timedelta(seconds=claim_seconds(channel))
    with transaction.atomic():
        rows = channel.together(list(due_rows.select_for_update(skip_locked=True, of=("self",))[:most]))
        if rows:
            ids = [row.pk for row in rows]
            channel.model._default_manager.filter(pk__in=ids).update(claim=key, claimed_until=until)
    for row in rows:
        row.claim, row.claimed_until = key, until
    if spare is not None:
        spare += rows[1:]
    return rows[0] if rows else None


def mark(row: OutboxRow, **columns: object) -> bool:
    """Writes columns of a row and ends its claim; writes nothing and returns False if the claim has been lost."""
    claimed = type(row)._default_manager.filter(pk=row.pk, claim=row.claim)
    return retry_update(lambda: claimed.update(claim=None, claimed_until=None, **columns)) == 1


def try_again(row: OutboxRow, *, at: datetime, **columns: object) -> None:
    """Marks a row that is due again at a moment; the rows behind it in its queue become due no sooner.

    They could not be sent before it. Left due, each of them would be looked at by every claim.
    """
    places = {name: getattr(row, name) for name in row.queue}
    if not mark(row, due_at=at, **columns) or not places or None in places.values():
        return
    rows = type(row)._default_manager.filter(Is("state", value=State.WAITING.value), **places)
    rows.filter(pk__gt=row.pk, due_at__lt=at).update(due_at=at)


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
