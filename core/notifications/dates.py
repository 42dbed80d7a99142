"""The dates of an act on a series, as messages tell them.

A message keeps the facts of the series alone. The dates are read from the record when they are needed: there are up to
366 of them for each receiver.
"""

from collections.abc import Sequence

from core.notifications.kinds import Kind
from core.notifications.models import Notification
from core.record.facts import Event, Facts, event_of, facts_of
from core.record.kinds import EventKind, SeriesKind
from core.record.models import BookingEvent
from core.record.series import is_of_series

# The kind of a message that says the same of each of its dates.
DECIDED = {
    EventKind.CONFIRMED: Kind.BOOKING_CONFIRMED,
    EventKind.REJECTED: Kind.BOOKING_REJECTED,
    EventKind.CANCELLED: Kind.BOOKING_CANCELLED,
}


def is_told(row: BookingEvent, event: Event) -> bool:
    """True if messages tell of an act on a booking.

    Nobody is told of a booking that is over: an invitation or a cancellation would come too late. Nobody is told of a
    change of a booking that holds no slot before and after it, or of a change that only staff can see.
    """
    return not (event.is_over or row.for_staff or (event.before is not None and not event.holds_slot))


def facts_of_dates(act_id: int) -> list[Facts]:
    """The facts of the dates that are told of an act on a series, in the order of the rule; one statement.

    Args:
        act_id: The row of the act in the record. None of its dates is there any more once the record is cleaned up.
    """
    rows = BookingEvent.objects.filter(series_act_id=act_id).select_related(None).order_by("pk")
    told = ((row, facts_of(row)) for row in rows)
    return [facts for row, facts in told if is_told(row, event_of(facts))]


def kind_of(kind: SeriesKind, dates: Sequence[Event]) -> Kind:
    """The kind of the message about an act on a series."""
    if kind == SeriesKind.MADE:
        return Kind.BOOKING_CREATED
    kinds = {date.kind for date in dates}
    return DECIDED.get(kinds.pop(), Kind.BOOKING_CHANGED) if len(kinds) == 1 else Kind.BOOKING_CHANGED


def booking_ids_of(row: Notification) -> set[int | None]:
    """The bookings that a message is about."""
    if not is_of_series(row.facts):
        return {row.booking_id}
    return set(BookingEvent.objects.filter(series_act_id=row.facts["act"]).values_list("booking_id", flat=True))
