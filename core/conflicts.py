"""Conflicts: who is in the way of a booking, what could be booked instead, and the one way to `SlotTaken`.

A check under the resource's lock, or the database itself, finds the conflict and raises `NotFree`. The transaction
ends and releases its locks; only then `slot_taken` looks for suggestions, so that nobody waits for that search.
"""

from collections.abc import Iterator
from datetime import datetime

from core import rules
from core.errors import SlotTaken, Suggestion
from core.intervals import Interval
from core.models import Booking, Resource

CLASHES_NAMED = 3


class NotFree(Exception):  # noqa: N818 - a signal to the verbs, which turn it into `SlotTaken`
    """The slot of a booking clashes with other bookings.

    Attributes:
        booking: The booking that cannot be written.
        clashes: The slots in its way; none where the database refused the booking and did not name them.
    """

    def __init__(self, booking: Booking, clashes: list[Interval] | None = None) -> None:
        super().__init__()
        self.booking = booking
        self.clashes = clashes or []


def require_free(booking: Booking) -> None:
    """Refuse a booking whose slot is not free.

    Raises:
        NotFree: With up to three clashing slots.
    """
    clashes = clashes_with(booking)
    if clashes:
        raise NotFree(booking, clashes)


def clashes_with(booking: Booking) -> list[Interval]:
    """Up to three blocking slots of the same resource that overlap the booking."""
    return Booking.objects.clashes(
        booking.slot, resource_id=booking.resource_id, except_id=booking.pk, most=CLASHES_NAMED
    )


def slot_taken(conflict: NotFree, *, now: datetime) -> SlotTaken:
    """The error for people: what is in the way, and what could be booked instead."""
    clashes = conflict.clashes or clashes_with(conflict.booking)
    if not clashes:  # the rival has gone meanwhile
        return SlotTaken()
    return SlotTaken(conflicts=clashes, suggestions=suggestions_for(conflict.booking, now=now))


def suggestions_for(booking: Booking, *, now: datetime) -> list[Suggestion]:
    """Slots of the same length that could be booked now, at most one of each kind.

    `later` is the first free slot at or after the wanted start, `earlier` the nearest before it, `elsewhere` the same
    time on another resource of at least the capacity, the closest in capacity first. The booking itself, if it is one
    to be moved, does not count as taken. Two statements.
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
    start, end = gaps.values_list("first_gap", "last_gap_end").get()
    if start is not None:
        yield "later", here, Interval(start, start + length)
    if end is not None and end - window.start >= length:
        yield "earlier", here, Interval(end - length, end)
    if window.contains(wanted):
        others = Resource.objects.exclude(pk=here.pk).filter(is_available=True, capacity__gte=here.capacity)
        if booking.pk is not None:
            # Do not suggest the resource on which the booking stands at that very time.
            same = Booking.objects.blocking().filter(pk=booking.pk, start_time=wanted.start, end_time=wanted.end)
            others = others.exclude(pk__in=same.values("resource_id"))
        other = others.free_during(wanted, except_id=booking.pk).order_by("capacity", "name", "pk").first()
        if other is not None:
            yield "elsewhere", other, wanted
