"""Writes the record, and blanks it: a row for each act, in the transaction of the act."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from core.choices import BookingStatus
from core.models import Booking, Series, SkippedDate
from core.outbox import worker
from core.prepared import insert, insert_all
from core.querysets import locked
from core.record.acts import Act
from core.record.facts import ACTOR_FIELDS, VERSION, fields_of, row_of
from core.record.kinds import Channel, EventKind, ListKind, Part, SeriesKind
from core.record.models import BookingEvent
from core.record.series import row_of_series

KIND_OF_STATUS = {
    BookingStatus.CONFIRMED: EventKind.CONFIRMED,
    BookingStatus.REJECTED: EventKind.REJECTED,
    BookingStatus.CANCELLED: EventKind.CANCELLED,
}


def record(
    act: Act, kind: EventKind, *, before: Booking | None = None, after: Booking, waived: Collection[str] = ()
) -> BookingEvent:
    """Writes the row of an act in one statement, and wakes the worker after the commit."""
    row = row_of(act, kind, before=before, after=after)
    row.waived = ",".join(sorted(waived))
    insert(row)
    transaction.on_commit(worker.wake, robust=True)
    return row


def record_all(act: Act, kind: EventKind, changes: Iterable[tuple[Booking, Booking]]) -> None:
    """Writes a row for each booking of one act, all in one statement; each change is the booking before and after."""
    BookingEvent.objects.bulk_create([row_of(act, kind, before=before, after=after) for before, after in changes])
    transaction.on_commit(worker.wake, robust=True)


def record_series(
    act: Act,
    kind: SeriesKind,
    series: Series,
    dates: Iterable[tuple[Booking | None, Booking, Collection[str]]],
    *,
    before: Series | None = None,
    skipped: Iterable[SkippedDate] = (),
) -> BookingEvent:
    """Writes the row of an act on a series, and one for each date that it changed, in two statements.

    Args:
        act: The act.
        kind: The kind of the act.
        series: The series after the act, with its user and its resource.
        dates: Each changed date before and after the act, with the rules that staff waived for it.
        before: The series before the act; None for a new one.
        skipped: The dates that the series would have, and has not.
    """
    row = row_of_series(act, kind, series, before=before, skipped=skipped)
    insert(row)
    rows = []
    for old, new, waived in dates:
        one = row_of(act, EventKind.CREATED if old is None else kind_of_change(old, new), before=old, after=new)
        one.waived, one.series_id, one.series_act_id = ",".join(sorted(waived)), series.pk, row.pk
        rows.append(one)
    insert_all(rows)
    transaction.on_commit(worker.wake, robust=True)
    return row


def record_export(
    act: Act, form: str, number: int, *, filters: Mapping[str, Any], words: Mapping[str, Any]
) -> BookingEvent:
    """Writes the row of an export; nobody is told, so it is handed on already.

    Args:
        act: The act.
        form: The form of the file, `csv` or `xlsx`.
        number: How many bookings are in the file.
        filters: The filters of the list, by name; no words of people.
        words: The filters that may have words of people, by name; they are blanked with the account of the caller.
    """
    row = BookingEvent(
        at=act.now,
        kind=ListKind.EXPORTED,
        owner=None if act.is_staff else act.by,
        actor=act.by,
        part=Part.SYSTEM if act.by is None else Part.STAFF if act.is_staff else Part.OWNER,
        channel=act.channel,
        request_id=act.request_id,
        facts={"export": {"format": form, "rows": number, "filters": dict(filters)}},
        actor_words={**({} if act.by is None else fields_of(act.by, ACTOR_FIELDS)), "filters": dict(words)},
        version=VERSION,
        handed_at=act.now,
    )
    insert(row)
    return row


def kind_of_change(before: Booking, after: Booking) -> EventKind:
    """The kind of a change; a new status says more than new times."""
    if before.status == after.status:
        return EventKind.CHANGED
    return KIND_OF_STATUS.get(BookingStatus(after.status), EventKind.CHANGED)


def unrecorded() -> QuerySet[Booking]:
    """The bookings without any row, such as those that were imported by SQL, in the order of their ids."""
    return Booking.objects.exclude(Exists(BookingEvent.objects.filter(booking_id=OuterRef("pk")))).order_by("pk")


@transaction.atomic
def record_existing(ids: Collection[int], *, now: datetime) -> int:
    """Writes the creation of those of the bookings that have no row yet, as they are now; nobody is told.

    The lock makes acts on these bookings wait, so that no other act can come before the creation.

    Returns:
        The number of rows.
    """
    len(locked(Booking.objects.filter(pk__in=ids)))
    rows = []
    for booking in unrecorded().filter(pk__in=ids).select_related("user", "resource"):
        act = Act(by=None, now=booking.created_at, channel=Channel.COMMAND)
        row = row_of(act, EventKind.CREATED, before=None, after=booking)
        row.handed_at = now
        rows.append(row)
    return len(BookingEvent.objects.bulk_create(rows))


def blank(user: User) -> None:
    """Blanks the words of a user before the user is deleted: as the owner of bookings, and as the one who acted.

    The lock makes the foreign keys of other acts of the user wait, so that no act comes between this and the deletion.
    """
    User._default_manager.select_for_update().filter(pk=user.pk).first()
    owner: dict[str, Any] = {"owner": None, "owner_words": {}}
    actor: dict[str, Any] = {"actor": None, "actor_words": {}}
    # People act mostly on their own bookings; each of these many rows is written once.
    BookingEvent.objects.filter(owner=user, actor=user).update(**owner, **actor, reason="")
    BookingEvent.objects.filter(owner=user).update(**owner, reason="")
    BookingEvent.objects.filter(actor=user).update(**actor, reason="")
