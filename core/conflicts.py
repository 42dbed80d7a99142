"""Conflicts: what stands in the way of a slot, and suggestions of other slots.

A conflict is answered in three steps:

1. `require_free`, under the lock of the resource, or the constraint in the database finds a clash. The verb raises
   `NotFree`.
2. The transaction of the verb rolls back and releases its locks.
3. `refusal_of` makes the error for the client: `Closed` for a closure, else `SlotTaken` after a search for suggestions.
   No other caller waits for the search, unless an outer transaction stays open and keeps the locks: with an
   `Idempotency-Key`, and in the admin.

A violation of the constraint outside of the verbs becomes a `SlotTaken` without suggestions (`constraints.ERRORS`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from django.db.models import QuerySet

from core import offers, quotas, rules
from core.choices import Kind, Waivable
from core.errors import BookingError, Closed, SlotTaken, Suggestion, TooClose
from core.hours import Timetable
from core.intervals import Interval
from core.models import Booking, Resource
from core.offers import Taken, taken_by
from core.prepared import DURATION, KEY, MOMENT, prepared
from core.querysets import first_gap, last_gap_end, outermost
from core.rules import Waiver
from core.terms import terms_of

# An error names at most so many clashing bookings.
CLASHES_NAMED = 3
# So many closures in a row are read, to say when the resource opens again.
CLOSURES_READ = 10
# How many free resources the search elsewhere looks at.
ELSEWHERE = 50

Clash = tuple[Interval, str]
NextTaken = tuple[datetime, datetime, str]


class NotFree(Exception):  # noqa: N818 - a signal to the verbs, which answer `Closed` or `SlotTaken`
    """The slot of a booking is in conflict with bookings or closures.

    Attributes:
        booking: The booking that cannot be written.
        clashes: The slots and kinds of the clashing rows; empty when the constraint refused the booking.
    """

    def __init__(self, booking: Booking, clashes: list[Clash] | None = None) -> None:
        super().__init__()
        self.booking = booking
        self.clashes = clashes or []


def require_free(booking: Booking) -> None:
    """Checks that the slot of a booking is free.

    Raises:
        NotFree: When there are clashes; with the slots of up to three of them.
    """
    clashes = clashes_with(booking)
    if clashes:
        raise NotFree(booking, clashes)


def require_gaps(booking: Booking, waiver: Waiver) -> None:
    """Checks that the gaps to the neighbouring bookings are as long as their buffers ask, and those of this booking.

    Between two bookings, the larger of the buffer after the first and the buffer before the second counts. Each booking
    in reach is looked at: the next but one may have the larger buffer. No statement without buffers.

    Raises:
        TooClose: When a gap is too short, and nobody waived the rule.
    """
    minutes = max(booking.resource.buffer_reach_minutes, booking.buffer_before_minutes, booking.buffer_after_minutes)
    if not minutes:
        return
    near = Booking.objects.neighbours(
        booking.slot, resource_id=booking.resource_id, except_id=booking.pk, reach=timedelta(minutes=minutes)
    )
    this = taken_by(booking)
    with waiver.of(Waivable.BUFFERS):
        for other in near:
            require_gap(this, taken_by(other))


def require_gap(this: Taken, other: Taken) -> None:
    """Checks the gap between a booking and a neighbouring one.

    Raises:
        TooClose: When it is too short.
    """
    first, second = (other, this) if other.end <= this.start else (this, other)
    gap = max(first.after, second.before)
    if second.start - first.end < gap:
        raise TooClose(gap // timedelta(minutes=1), other.slot)


def clashes_with(booking: Booking) -> list[Clash]:
    """The slots and kinds of up to three clashing rows, in order."""
    slot = booking.slot
    rows = next_taken(resource_id=booking.resource_id, moment=slot.start, except_id=booking.pk)
    return [(Interval(start, end), kind) for start, end, kind in rows if start < slot.end]


@prepared(resource_id=KEY, moment=MOMENT, except_id=KEY)
def next_taken(*, resource_id: int, moment: datetime, except_id: int | None) -> "QuerySet[Booking, NextTaken]":
    """The first rows that hold time of the resource after the moment."""
    rows = Booking.taken.blocking().filter(resource_id=resource_id).other_than(except_id).ending_after(moment)
    return rows.values_list("start_time", "end_time", "kind")[:CLASHES_NAMED]


def refusal_of(conflict: NotFree, *, now: datetime) -> BookingError:
    """The error for the client: the closure in the way, or the clashing bookings and the suggestions."""
    clashes = conflict.clashes or clashes_with(conflict.booking)
    if not clashes:  # the clashing booking was cancelled meanwhile
        return SlotTaken()
    # A closure may be behind the clashes that were read.
    if len(clashes) >= CLASHES_NAMED or any(kind == Kind.CLOSURE for _, kind in clashes):
        closed = closed_by(conflict.booking)
        if closed is not None:
            return closed
    slots = [slot for slot, _ in clashes]
    return SlotTaken(conflicts=slots, suggestions=suggestions_for(conflict.booking, now=now))


def closed_by(booking: Booking) -> Closed | None:
    """The error about the first closure in the way of a booking; None if there is no closure."""
    in_the_way = Booking.taken.within(booking.slot, resource_id=booking.resource_id).filter(kind=Kind.CLOSURE)
    first = in_the_way.values_list("closure__reason", "end_time").first()
    if first is None:
        return None
    reason, until = first
    later = Booking.taken.blocking().filter(resource_id=booking.resource_id, kind=Kind.CLOSURE).ending_after(until)
    closures = later.values_list("start_time", "end_time")[:CLOSURES_READ]
    return Closed(reason, opens_after(until, closures, timetable=terms_of(booking.resource).timetable))


def opens_after(
    until: datetime, closures: Iterable[tuple[datetime, datetime]], *, timetable: Timetable
) -> datetime | None:
    """When a resource opens again after a closure; None if that is too far ahead.

    Args:
        until: The end of the closure.
        closures: The start and the end of each that follows, in order.
        timetable: That of the resource.
    """
    horizon = until + rules.LATEST_END
    for start, end in closures:
        # The end of closed hours may lie in the next closure.
        opens = timetable.next_open(until, until=horizon)
        until = end if opens is not None and start <= opens < end else until
    return timetable.next_open(until, until=horizon)


def suggestions_for(booking: Booking, *, now: datetime) -> list[Suggestion]:
    """Bookable slots of the same length, at most one of each kind; none if the resource was deleted meanwhile.

    `later` is the first free slot at or after the wanted start, and `earlier` the last free slot before the wanted
    start. `elsewhere` is the same time on another resource of at least the same capacity, the closest in capacity
    first. A moved booking does not block its own new slot. Two statements, and a fixed number more with terms.
    """
    here = booking.resource
    has_terms = offers.has_rules(here) or quotas.concern(terms_of(here))
    nearby = _nearby_with_terms(booking, now=now) if has_terms else _nearby(booking, now=now)
    try:
        found = [*nearby, *_elsewhere(booking, now=now)]
    except Resource.DoesNotExist:  # it was deleted meanwhile
        return []
    return [
        Suggestion(kind, resource.pk, resource.name, slot)
        for kind, resource, slot in found
        if rules.allow(slot, resource, now=now)
    ]


def _nearby(booking: Booking, *, now: datetime) -> Iterator[tuple[str, Resource, Interval]]:
    """A later and an earlier slot on the same resource, which has no terms. One statement."""
    here, wanted, window = booking.resource, booking.slot, rules.offered_window(now=now)
    length = wanted.duration
    after = wanted.start if wanted.start >= rules.window(now=now).start else window.start
    first, last = outermost(Interval(after, window.end), length)
    found = gaps_of.first(
        pk=here.pk,
        first=first,
        last=last,
        before=Interval(window.start, wanted.end),
        length=length,
        except_id=booking.pk,
    )
    if found is None:
        raise Resource.DoesNotExist
    start, end = found
    if start is not None:
        yield "later", here, Interval(start, start + length)
    if end is not None and end - window.start >= length:
        yield "earlier", here, Interval(end - length, end)


@prepared(pk=KEY, first=Interval, last=Interval, before=Interval, length=DURATION, except_id=KEY)
def gaps_of(
    *,
    pk: int,
    first: Interval | None,
    last: Interval | None,
    before: Interval,
    length: timedelta,
    except_id: int | None,
) -> QuerySet[Resource, tuple[datetime | None, datetime | None]]:
    """The start of the first free slot between two slots, and the end of the last gap before a wanted one."""
    later = first_gap(first, last, length=length, except_id=except_id)
    earlier = last_gap_end(before, length=length, except_id=except_id)
    return Resource.objects.order_by().filter(pk=pk).values_list(later, earlier)


def _nearby_with_terms(booking: Booking, *, now: datetime) -> Iterator[tuple[str, Resource, Interval]]:
    """A later and an earlier slot on the same resource, by its terms."""
    here, wanted = booking.resource, booking.slot
    window, length = rules.offered_window(terms_of(here).policy, now=now), booking.slot.duration
    exact = rules.window(terms_of(here).policy, now=now)
    person = quotas.check_of(booking.user, here, window, now=now, booking_id=booking.pk)
    after = wanted.start if wanted.start >= exact.start else window.start
    if after < window.end:
        later = Interval(after, window.end)
        search = partial(offers.first_starts, [here], window=later, length=length, now=now)
        start = search(except_id=booking.pk, person=person).get(here.pk)
        if start is not None:
            yield "later", here, Interval(start, start + length)
    if window.start < wanted.start:
        earlier = Interval(window.start, wanted.start)
        start = offers.last_start(here, window=earlier, length=length, now=now, except_id=booking.pk, person=person)
        if start is not None:
            yield "earlier", here, Interval(start, start + length)


def _elsewhere(booking: Booking, *, now: datetime) -> Iterator[tuple[str, Resource, Interval]]:
    """The same time on another resource. One statement where the first one found has no terms."""
    here, wanted = booking.resource, booking.slot
    if not rules.window(now=now).contains(wanted) and not here.has_terms:
        return
    for skipped, most in ((0, 1), (1, ELSEWHERE), (ELSEWHERE, None)):
        rows = free_elsewhere(
            here=here.pk,
            capacity=here.capacity,
            slot=wanted,
            except_id=booking.pk,
            skipped=skipped,
            most=most,
        )
        if not rows:
            return
        allowing = offers.allowing(wanted, rows, now=now, except_id=booking.pk)
        checks = quotas.checks_of(booking.user, allowing, wanted, now=now, booking_id=booking.pk)
        found = next((other for other in allowing if checks[other.pk](wanted)), None)
        if found is not None:
            yield "elsewhere", found, wanted
            return


@prepared(here=KEY, capacity=KEY, slot=Interval, except_id=KEY)
def free_elsewhere(
    *, here: int, capacity: int, slot: Interval, except_id: int | None, skipped: int, most: int | None
) -> QuerySet[Resource]:
    """The other resources that are as large and free in the slot, the closest in capacity first."""
    others = Resource.objects.exclude(pk=here).filter(is_available=True, capacity__gte=capacity)
    if except_id is not None:
        # Do not suggest the resource that the booking already holds at the same time.
        same = Booking.objects.blocking().filter(pk=except_id, start_time=slot.start, end_time=slot.end)
        others = others.exclude(pk__in=same.values("resource_id"))
    free = others.with_house().free_during(slot, except_id=except_id).order_by("capacity", "name", "pk")
    return free[skipped:most]
