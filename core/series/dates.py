"""The dates of a series on a page: those that are booked, those that are not, and those that were refused."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from core.errors import DatesRefused, SlotTaken, Verdict, why_skipped
from core.intervals import Interval, in_short, on_the_clock
from core.lifecycle.repeating import usual_slot
from core.models import Booking, Series
from core.recurrence import slot_at
from core.staff.moments import sentence_of
from core.zones import moment_by_first_offset


@dataclass(frozen=True, slots=True)
class Row:
    """A date of a series.

    Attributes:
        when: Its time.
        booking: The booking; None for a date that was not booked.
        own: What was changed on this date alone.
        why: Why it was not booked.
        is_open: Whether staff can decide on it: it is to come and holds its slot.
        is_ticked: Whether its box is ticked.
    """

    when: str
    booking: Booking | None = None
    own: tuple[str, ...] = ()
    why: str = ""
    is_open: bool = False
    is_ticked: bool = False


class Refused(NamedTuple):
    """A refused date: its time, why, and what is free instead; empty if nothing is."""

    when: str
    why: str
    instead: str


def rows_of(series: Series, *, now: datetime, ticked: Collection[int] = ()) -> list[Row]:
    """All dates of a series in the order of its rule; two statements.

    Args:
        series: The series, with its user.
        now: The present moment.
        ticked: The ids of the bookings whose boxes are ticked.
    """
    rows = []
    for booking in Booking.objects.filter(series=series).select_related("resource"):
        booking.user = series.user
        is_open = booking.blocks and booking.end_time > now
        row = Row(
            when=when_of(booking.slot),
            booking=booking,
            own=own_of(booking, series),
            is_open=is_open,
            is_ticked=is_open and booking.pk in ticked,
        )
        rows.append((booking.recurrence_id or booking.start_time, row))
    for skipped in series.skipped.all():
        local = datetime.fromisoformat(skipped.local_start)
        slot = slot_at(local, series.length, series.zone)
        when = when_of(slot) if slot else f"{local:%a %Y-%m-%d} {on_the_clock(local)}"
        rows.append((moment_by_first_offset(local, series.zone), Row(when=when, why=why_skipped(skipped.code))))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def own_of(booking: Booking, series: Series) -> tuple[str, ...]:
    """What of a date differs from its series: its time, its place, its notes."""
    is_usual = booking.recurrence_id is None or booking.slot == usual_slot(series, booking)
    differs = {
        "time": not is_usual,
        f"on {booking.resource.name}": booking.resource_id != series.resource_id,
        "notes": booking.notes != series.notes,
    }
    return tuple(name for name, is_own in differs.items() if is_own)


def refused_dates(error: object) -> list[Refused]:
    """The refused dates of an error in the current zone; none of another error."""
    return [refused_of(verdict) for verdict in error.dates] if isinstance(error, DatesRefused) else []


def refused_of(verdict: Verdict) -> Refused:
    """A refused date in words."""
    zone, error = timezone.get_current_timezone(), verdict.error
    local = verdict.local_start
    when = when_of(verdict.slot) if verdict.slot else f"{local:%a %Y-%m-%d} {on_the_clock(local)}"
    if isinstance(error, SlotTaken) and error.conflicts:
        why = "Taken: " + "; ".join(in_short(each, zone) for each in error.conflicts)
        return Refused(when, why, when_of(error.suggestion) if error.suggestion else "")
    return Refused(when, sentence_of(error) if error else "", "")


def when_of(slot: Interval) -> str:
    """A slot with its weekday in the current zone."""
    zone = timezone.get_current_timezone()
    return f"{slot.start.astimezone(zone):%a} {in_short(slot, zone)}"


def times_of(texts: list[str]) -> str:
    """Local starts of a series as it stores them, with commas between."""
    return ", ".join(f"{each:%Y-%m-%d} {on_the_clock(each)}" for each in map(datetime.fromisoformat, texts))
