"""The locked dates of a series."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from core import errors, rules
from core.choices import Scope
from core.lifecycle.transactions import Check
from core.models import Booking, Series
from core.querysets import locked
from core.record.acts import Act
from core.recurrence import Pattern

SeriesCheck = Callable[[Series], None]


@dataclass(slots=True)
class Held:
    """The locked dates of a series that an act is about, in the order of the starts by the rule.

    Attributes:
        series: The locked series.
        rows: Its dates that are not over, and the named one.
        named: The date that the caller named; None for an act on the series itself.
        head: The pattern of the dates before the named one, if the act parts the series there; None otherwise.
    """

    series: Series
    rows: list[Booking]
    named: Booking | None = None
    head: Pattern | None = None


def lock_dates(booking: Booking, *, scope: Scope, act: Act, check: Check | None) -> tuple[Held, Booking]:
    """Locks the series of a booking, and its dates that are not over with the booking itself, and checks this one.

    Args:
        booking: The date that the caller names.
        scope: `FOLLOWING` leaves out the dates before it.
        act: The act.
        check: Called with the locked row of the named date; raises an error to refuse.

    Returns:
        The dates, and the named one.

    Raises:
        NotInSeries: When the booking does not repeat.
        BookingMissing: When somebody deleted it.
        SeriesChanged: When somebody put it into another series meanwhile.
        BookingEnded: When it has ended and the caller is not staff.
    """
    if booking.series_id is None:
        raise errors.NotInSeries
    series = locked(Series.objects.select_related("resource").filter(bookings=booking.pk)).first()
    if series is None:
        raise errors.BookingMissing
    series.user = booking.user
    rows = rows_of(series, Q(end_time__gt=act.now) | Q(pk=booking.pk))
    named = next((row for row in rows if row.pk == booking.pk), None)
    if named is None:
        raise errors.SeriesChanged
    if check is not None:
        check(named)
    rules.history(named, now=act.now, staff=act.is_staff)
    if scope == Scope.FOLLOWING:
        rows = [row for row in rows if recurrence_of(row) >= recurrence_of(named)]
    return Held(series, rows, named), named


def lock_series(
    series: Series, *, ids: Collection[int] | None = None, now: datetime, check: SeriesCheck | None
) -> Held:
    """Locks a series, and the dates with these ids; without ids those that are not over.

    Raises:
        SeriesMissing: When somebody deleted it.
        NotInSeries: When an id is not that of a date of the series.
    """
    row = locked(Series.objects.select_related("resource").filter(pk=series.pk)).first()
    if row is None:
        raise errors.SeriesMissing
    row.user = series.user
    if check is not None:
        check(row)
    rows = rows_of(row, Q(end_time__gt=now) if ids is None else Q(pk__in=ids))
    if ids is not None and len(rows) < len(set(ids)):
        raise errors.NotInSeries("One of the bookings is no date of this series. Nothing was done.")
    return Held(row, rows)


def rows_of(series: Series, which: Q) -> list[Booking]:
    """Locks dates of a series; in the order of the starts by the rule."""
    rows = list(locked(Booking.objects.filter(which, series=series)))
    for row in rows:
        row.user, row.series = series.user, series
    return sorted(rows, key=lambda row: (row.recurrence_id, row.pk))


def recurrence_of(row: Booking) -> datetime:
    """The start that the rule gave a date of a series."""
    assert row.recurrence_id is not None
    return row.recurrence_id
