"""Conflicts: the clashing bookings of a slot, and suggestions of other slots.

A conflict is answered in three steps:

1. `require_free`, under the lock of the resource, or the constraint in the database finds a clashing booking. The verb
   raises `NotFree`.
2. The transaction of the verb rolls back and releases its locks.
3. `slot_taken` searches for suggestions and makes the `SlotTaken` for the client. No other caller waits for the search,
   unless an outer transaction stays open and keeps the locks: with an `Idempotency-Key`, and in the admin.

A violation of the constraint outside of the verbs becomes a `SlotTaken` without suggestions (`constraints.ERRORS`).
"""

from collections.abc import Iterator
from datetime import datetime

from core import rules
from core.errors import SlotTaken, Suggestion
from core.intervals import Interval
from core.models import Booking, Resource

# An error names at most so many clashing bookings.
CLASHES_NAMED = 3


class NotFree(Exception):  # noqa: N818 - a signal to the verbs, which answer `SlotTaken`
    """The slot of a booking is in conflict with clashing bookings.

    Attributes:
        booking: The booking that cannot be written.
        clashes: The slots of the clashing bookings; empty when the constraint refused the booking.
    """

    def __init__(self, booking: Booking, clashes: list[Interval] | None = None) -> None:
        super().__init__()
        self.booking = booking
        self.clashes = clashes or []


def require_free(booking: Booking) -> None:
    """Checks that the slot of a booking is free.

    Raises:
        NotFree: When there are clashing bookings; with the slots of up to three of them.
    """
    clashes = clashes_with(booking)
    if clashes:
        raise NotFree(booking, clashes)


def clashes_with(booking: Booking) -> list[Interval]:
    """The slots of up to three clashing bookings, in order."""
    return Booking.objects.clashes(
        booking.slot, resource_id=booking.resource_id, except_id=booking.pk, most=CLASHES_NAMED
    )


def slot_taken(conflict: NotFree, *, now: datetime) -> SlotTaken:
    """The error for the client, with the clashing bookings and the suggestions."""
    clashes = conflict.clashes or clashes_with(conflict.booking)
    if not clashes:  # the clashing booking was cancelled meanwhile
        return SlotTaken()
    return SlotTaken(conflicts=clashes, suggestions=suggestions_for(conflict.booking, now=now))


def suggestions_for(booking: Booking, *, now: datetime) -> list[Suggestion]:
    """Bookable slots of the same length, at most one of each kind; none if the resource was deleted meanwhile.

    `later` is the first free slot at or after the wanted start, and `earlier` the last free slot before the wanted
    start. `elsewhere` is the same time on another resource of at least the same capacity, the closest in capacity
    first. A moved booking does not block its own new slot. Two statements.
    """
    return [
        Suggestion(kind, resource.pk, resource.name, slot)
        for kind, resource, slot in _candidates(booking, now=now)
        if rules.allow(slot, resource, now=now)
    ]


def _candidates(booking: Booking, *, now: datetime) -> Iterator[tuple[str, Resource, Interval]]:
    here, wanted, window = booking.resource, booking.slot, rules.offered_window(now=now)
    length = wanted.duration
    after = wanted.start if wanted.start >= rules.window(now=now).start else window.start
    gaps = (
        Resource.objects.filter(pk=here.pk)
        .with_first_gap(after=after, length=length, until=window.end, except_id=booking.pk)
        .with_last_gap(before=wanted.start, length=length, since=window.start, except_id=booking.pk)
    )
    found = gaps.values_list("first_gap", "last_gap_end").first()
    if found is None:  # the resource was deleted meanwhile
        return
    start, end = found
    if start is not None:
        yield "later", here, Interval(start, start + length)
    if end is not None and end - window.start >= length:
        yield "earlier", here, Interval(end - length, end)
    if window.contains(wanted):
        others = Resource.objects.exclude(pk=here.pk).filter(is_available=True, capacity__gte=here.capacity)
        if booking.pk is not None:
            # Do not suggest the resource that the booking already holds at the same time.
            same = Booking.objects.blocking().filter(pk=booking.pk, start_time=wanted.start, end_time=wanted.end)
            others = others.exclude(pk__in=same.values("resource_id"))
        other = others.free_during(wanted, except_id=booking.pk).order_by("capacity", "name", "pk").first()
        if other is not None:
            yield "elsewhere", other, wanted
