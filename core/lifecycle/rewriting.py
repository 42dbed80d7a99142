"""Writes a series and its dates after an act, each table in one statement."""

import copy
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from core.choices import BookingStatus
from core.lifecycle.bookings import Changes
from core.lifecycle.held import Held
from core.lifecycle.repeating import Move, local_time, usual_start, write_pattern
from core.lifecycle.wishes import Wish
from core.models import Booking, Series, SkippedDate
from core.prepared import insert, update, update_all
from core.querysets import BUFFERS

CHANGED = tuple(field.name for field in fields(Changes))
WRITTEN = (*CHANGED, *BUFFERS, "calendar_sequence", "series", "recurrence_id")
# The columns of the rule of a series.
PATTERN = ("rrule", "local_start", "local_end", "time_zone", "exdates", "rdates")


def write_series(dates: Held, series: Series) -> Series:
    """Writes the series after an act, if it differs; of a series that is parted, the first part ends earlier.

    Returns:
        The series as it was before the act.
    """
    before = dates.series
    old = copy.copy(before)
    if series is before:
        return old
    if dates.head is not None:
        write_pattern(before, dates.head)
        update(before, [*PATTERN, "updated_at"])
        insert(series)
    else:
        update(series, [*PATTERN, "resource", "notes", "updated_at"])
    return old


def write_skipped(dates: Held, series: Series, move: Move, *, now: datetime) -> None:
    """Keeps the dates that were not booked with the series and at the time that they would have by now."""
    before = dates.series
    first = local_time(now, before.zone)
    if series.pk != before.pk and dates.named is not None:
        first = usual_start(before, dates.named)
    later = [
        each for each in SkippedDate.objects.filter(series=before) if datetime.fromisoformat(each.local_start) >= first
    ]
    for each in later:
        each.series = series
        each.local_start = (datetime.fromisoformat(each.local_start) + move.shift).isoformat()
    update_all(later, ["series", "local_start"])


def write_dates(wishes: Sequence[Wish], touched: Sequence[Wish], series: Series) -> None:
    """Writes changed dates. Dates may take each other's place, so all of them are released first.

    Args:
        wishes: All dates of the act: those that stay as they are may have another start by the rule.
        touched: Those that change.
        series: The series after the act.
    """
    released = []
    for wish in wishes:
        before, after = wish.before, wish.booking
        assert before is not None
        after.series = series
        is_moved = (before.slot, before.resource_id) != (after.slot, after.resource_id)
        if before.recurrence_id != after.recurrence_id or before.series_id != after.series_id or is_moved:
            released.append(before.pk)
    if released:
        Booking.objects.filter(pk__in=released).update(status=BookingStatus.CANCELLED, recurrence_id=None)
    is_seen = False
    for wish in touched:
        before, after = wish.before, wish.booking
        seen = {name for name in CHANGED if getattr(before, name) != getattr(after, name)} - {"staff_note"}
        is_seen = is_seen or bool(seen)
        if seen - {"notes"}:
            # Calendar programs must notice this revision (RFC 5545, section 3.8.7.4).
            after.calendar_sequence += 1
    # The owner, who cannot read the note of staff, sees no new version because of it.
    update_all([wish.booking for wish in touched], [*WRITTEN, *(["updated_at"] if is_seen else [])])
    kept = {wish.booking.pk for wish in touched}
    others = [wish.booking for wish in wishes if wish.booking.pk in set(released) - kept]
    update_all(others, ["status", "series", "recurrence_id"])
