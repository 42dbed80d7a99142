"""What can be booked of resources with terms: the search that all askers share.

The search works with spans of possible starts: those that the opening hours allow, without those at which a booking
would touch what is taken. It proposes the first or the last moment of a span, or the moments of the grid in it. The
rules alone decide: the list of rules and the gaps to the neighbours are asked about each proposal. Resources without
terms need no search; their queries find free slots.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db.models import QuerySet

from core.choices import Kind
from core.intervals import TICK, Interval, intersections
from core.models import Booking, Resource
from core.openings import Openings, Replay, ahead_of, openings_of
from core.prepared import KEY, KEYS, prepared
from core.querysets import SHORTEST
from core.quotas import Allowance
from core.terms import Terms, attach_terms, terms_of

# The search reads what is taken in parts of a growing length: most answers lie in the first days.
FIRST_PART, GROWTH = timedelta(hours=6), 4


class Taken(NamedTuple):
    """A blocking row: its slot and the gaps that it needs; a closure needs none."""

    start: datetime
    end: datetime
    before: timedelta
    after: timedelta
    is_closure: bool = False

    @property
    def slot(self) -> Interval:
        return Interval(self.start, self.end)


TAKEN = ("start_time", "end_time", "buffer_before_minutes", "buffer_after_minutes", "kind")


def taken_of(row: Sequence[Any]) -> Taken:
    """A blocking row from the columns in `TAKEN`."""
    start, end, before, after, kind = row
    return Taken(start, end, minutes(before), minutes(after), kind == Kind.CLOSURE)


@cache
def minutes(number: int) -> timedelta:
    """So many minutes; most rows have the same few buffers."""
    return timedelta(minutes=number)


def read_taken(
    window: Interval, resources: Collection[Resource], *, except_id: int | None = None
) -> Mapping[int, list[Taken]]:
    """What is taken of each resource in the window and in reach of it. One statement."""
    found: dict[int, list[Taken]] = {resource.pk: [] for resource in resources}
    if not found:
        return found
    reach = max(reach_of(resource) for resource in resources)
    near = window.widened(reach, reach)
    for resource_id, *row in rows_taken(resource_ids=list(found), window=near, except_id=except_id):
        found[resource_id].append(taken_of(row))
    return found


@prepared(resource_ids=KEYS, window=Interval, except_id=KEY)
def rows_taken(
    *, resource_ids: list[int], window: Interval, except_id: int | None
) -> QuerySet[Booking, tuple[Any, ...]]:
    """The blocking rows of the resources in the window, by resource and in order."""
    rows = Booking.taken.taken_in(window, resource_ids=resource_ids).other_than(except_id)
    return rows.values_list("resource_id", *TAKEN)


def reach_of(resource: Resource) -> timedelta:
    """How far from a slot a neighbouring booking can be too close."""
    policy = terms_of(resource).policy
    own = max(policy.buffer_before_minutes or 0, policy.buffer_after_minutes or 0)
    return timedelta(minutes=max(resource.buffer_reach_minutes, own))


def has_rules(resource: Resource) -> bool:
    """True if the terms or the buffers of the resource refuse some free slots; otherwise a query finds them all."""
    return terms_of(resource).shape_slots or bool(resource.buffer_reach_minutes)


class Offer:
    """What can be booked of one resource, as far as `taken` tells.

    Args:
        resource: The resource, with its terms attached.
        taken: What is taken of it, in order.
        openings: Those of its terms.
        person: What the person may still book; None to leave that out.
    """

    def __init__(
        self,
        resource: Resource,
        taken: Sequence[Taken],
        openings: Openings,
        *,
        person: Allowance | None = None,
    ) -> None:
        self.resource, self.taken, self.openings, self.person = resource, taken, openings, person
        policy = openings.policy
        self.before = timedelta(minutes=policy.buffer_before_minutes or 0)
        self.after = timedelta(minutes=policy.buffer_after_minutes or 0)
        self.reach = reach_of(resource)
        self.starts_taken = [each.start for each in taken]
        self.ends_taken = [each.end for each in taken]

    def allows(self, slot: Interval) -> bool:
        """True if a booking of the slot would be accepted now."""
        return self.openings.allow(slot) and not self.is_taken(slot) and (self.person is None or self.person(slot))

    def is_taken(self, slot: Interval) -> bool:
        """True if the slot overlaps what is taken, or is too close to it."""
        return any(slot.clip(self.kept(each)) for each in self.near(slot))

    def near(self, slot: Interval) -> Sequence[Taken]:
        """What is taken in reach of the slot; what is taken does not overlap, so starts and ends have one order."""
        first = bisect_right(self.ends_taken, slot.start - self.reach)
        return self.taken[first : bisect_left(self.starts_taken, slot.end + self.reach)]

    def kept(self, each: Taken) -> Interval:
        """The time in which no new booking lies because of a taken slot: with the gaps before and after it."""
        if each.is_closure:
            return each.slot
        return Interval(each.start - max(self.after, each.before), each.end + max(each.after, self.before))

    def spans(self, window: Interval, starts: Iterable[Interval], least: timedelta) -> Iterator[Interval]:
        """The spans of possible starts in the window, in order.

        Args:
            window: The earliest start, and the end of all starts.
            starts: The spans of starts that the terms allow.
            least: The length of the booking.
        """
        kept = map(self.kept, self.near(Interval(window.start, window.end + least)))
        refused = [Interval(span.start - least + TICK, span.end) for span in kept]
        if self.person is not None:
            refused += self.person.refused(window, least)
        return intersections(starts, window.subtract(sorted(refused, key=lambda span: span.start)))

    def first_start(
        self, window: Interval, *, length: timedelta | None, starts: Iterable[Interval] | None = None
    ) -> datetime | None:
        """The first start in the window of a possible booking.

        Args:
            window: The earliest start, and the end of all starts.
            length: The length of the booking; None for the shortest that the policy allows.
            starts: The spans of starts that the terms allow, in the window and around it; None to work them out.
        """
        openings = self.openings
        starts = openings.starts(window, length) if starts is None else starts
        for span in self.spans(window, starts, length or openings.shortest):
            if self.allows(Interval(span.start, span.start + (length or openings.shortest_from(span.start)))):
                return span.start
        return None

    def last_start(self, window: Interval, *, length: timedelta) -> datetime | None:
        """The last start in the window of a possible booking of that length."""
        for span in reversed(list(self.spans(window, self.openings.starts(window, length), length))):
            last = span.end - TICK
            # A span that ends before a moment ends with a whole minute.
            whole = last if last.microsecond < 999_999 else last.replace(second=0, microsecond=0)
            for start in (max(whole, span.start), span.start):
                if self.allows(Interval(start, start + length)):
                    return start
        return None

    def free_spans(self, window: Interval) -> Iterator[Interval]:
        """Yields the spans of the window in which bookings can lie, in order.

        A span begins at a possible start. By a grid it ends on the grid. By a policy for loans it reaches over closed
        time.
        """
        part = window.clip(self.openings.window) if self.resource.is_available else None
        if part is None:
            return
        kept = sorted(map(self.kept, self.near(part)), key=lambda span: span.start)
        gaps = part.subtract(kept)
        if not self.openings.spans_closed:
            gaps = intersections(self.openings.timetable.open_spans(part), gaps)
        for gap in gaps:
            start = self.first_start(gap, length=None)
            if start is not None:
                yield Interval(start, self.openings.last_end(Interval(start, gap.end)))


def first_starts(
    resources: Iterable[Resource],
    *,
    window: Interval,
    length: timedelta | None,
    now: datetime,
    except_id: int | None = None,
    person: Allowance | None = None,
) -> dict[int, datetime]:
    """The first start of a possible booking of each resource that has one.

    Args:
        resources: The resources, with their terms attached.
        window: The earliest start and the latest end.
        length: The length of the booking; None for the shortest that the policy of each allows.
        now: The present moment.
        except_id: The id of a booking to ignore: the moved booking.
        person: What the person may still book; None to leave that out.

    The number of statements depends on how far ahead the answers are, at most eight, and not on the number of
    resources.
    """
    starts = Interval(window.start, window.end - (length or SHORTEST) + SHORTEST)
    found = list(candidates(resources, starts, length=length, now=now))
    if not found:
        return {}
    window = Interval(min(each.earliest for each in found), starts.end)
    return search(found, window, length=length, now=now, except_id=except_id, person=person)


def soonest_starts(
    terms: Mapping[int, Terms],
    gaps: Mapping[int, datetime],
    load: Callable[[Collection[int]], Sequence[Resource]],
    *,
    window: Interval,
    length: timedelta,
    now: datetime,
    most: int,
) -> list[tuple[Resource, datetime]]:
    """The resources with the soonest starts of a possible booking, and perhaps others; each with its start.

    Args:
        terms: The terms of all resources by id, in the order that decides between equal starts.
        gaps: By id, the start of the first free slot of the length in the window, whatever the terms.
        load: Reads resources by id, with their terms attached.
        window: The earliest start and the latest end.
        length: The length of the booking.
        now: The present moment.
        most: How many are wanted.
    """
    earliest = earliest_starts(terms, gaps, until=window.end, length=length, now=now)
    ranks = {resource_id: rank for rank, resource_id in enumerate(terms)}
    # Neither what is taken nor the terms make a start sooner: most often the first resources have the answer.
    waiting = sorted((start, ranks[resource_id], resource_id) for resource_id, start in earliest.items())
    first, others = waiting[: 2 * most], waiting[2 * most :]
    found = starts_of(first, load, window=window, length=length, now=now)
    soonest = sorted((start, ranks[each.pk]) for each, start in found)[:most]
    if len(soonest) == most:
        others = [each for each in others if each[:2] < soonest[-1]]
    return found + starts_of(others, load, window=window, length=length, now=now)


def starts_of(
    waiting: Sequence[tuple[datetime, int, int]],
    load: Callable[[Collection[int]], Sequence[Resource]],
    *,
    window: Interval,
    length: timedelta,
    now: datetime,
) -> list[tuple[Resource, datetime]]:
    """The first start of each resource that has one; the resources come as earliest start, rank and id, in order."""
    if not waiting:
        return []
    resources = load([resource_id for *_, resource_id in waiting])
    first = first_starts(resources, window=Interval(waiting[0][0], window.end), length=length, now=now)
    return [(each, first[each.pk]) for each in resources if each.pk in first]


def earliest_starts(
    terms: Mapping[int, Terms], gaps: Mapping[int, datetime], *, until: datetime, length: timedelta, now: datetime
) -> dict[int, datetime]:
    """The first start that the terms of each resource in service allow, from the start of its gap on."""
    openings: dict[int, Openings] = {}
    starts: dict[tuple[int, datetime], datetime | None] = {}
    for resource_id, gap in gaps.items():
        # Most resources share the object of their terms with others.
        same = id(terms[resource_id])
        if same not in openings:
            example = Resource(pk=resource_id)
            example.terms = terms[resource_id]
            openings[same] = Openings(example, now=now)
        if (same, gap) not in starts:
            window = Interval(gap, until - length + SHORTEST)
            first = next(iter(openings[same].starts(window, length)), None)
            starts[same, gap] = first.start if first else None
    found = {resource_id: starts[id(terms[resource_id]), gap] for resource_id, gap in gaps.items()}
    return {resource_id: start for resource_id, start in found.items() if start is not None}


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A resource that may have a free slot.

    Attributes:
        resource: The resource.
        openings: Those of its terms.
        starts: The spans of starts that the terms allow.
        earliest: The first of these starts.
    """

    resource: Resource
    openings: Openings
    starts: Replay
    earliest: datetime


def candidates(
    resources: Iterable[Resource], window: Interval, *, length: timedelta | None, now: datetime
) -> Iterator[Candidate]:
    """The resources whose terms allow a start in the window. No statement."""
    resources = list(resources)
    openings = openings_of(resources, now=now)
    starts = {each: Replay(each.starts(window, length)) for each in set(openings.values())}
    for resource in resources:
        of_terms = openings[resource.pk]
        first = next(iter(starts[of_terms]), None)
        if first is not None:
            yield Candidate(resource, of_terms, starts[of_terms], first.start)


def search(
    missing: Sequence[Candidate],
    window: Interval,
    *,
    length: timedelta | None,
    now: datetime,
    except_id: int | None,
    person: Allowance | None,
) -> dict[int, datetime]:
    """The first start of each resource in the window, by id; at most eight statements."""
    found: dict[int, datetime] = {}
    for part in parts_of(window):
        if not missing:
            break
        resources = [each.resource for each in missing]
        ahead = length or max(map(ahead_of, resources))
        taken = read_taken(Interval(part.start, part.end + ahead), resources, except_id=except_id)
        for each in missing:
            offer = Offer(each.resource, taken[each.resource.pk], each.openings, person=person)
            start = offer.first_start(part, length=length, starts=each.starts)
            if start is not None:
                found[each.resource.pk] = start
        missing = [each for each in missing if each.resource.pk not in found]
    return found


def last_start(
    resource: Resource,
    *,
    window: Interval,
    length: timedelta,
    now: datetime,
    except_id: int | None = None,
    person: Allowance | None = None,
) -> datetime | None:
    """The last start in the window of a possible booking of that length, whose terms are attached."""
    end, openings = window.end, Openings(resource, now=now)
    for part in parts_of(Interval(window.start, end)):
        back = Interval(max(window.start, end - part.duration), end)
        taken = read_taken(Interval(back.start, back.end + length), [resource], except_id=except_id)
        start = Offer(resource, taken[resource.pk], openings, person=person).last_start(back, length=length)
        if start is not None or back.start == window.start:
            return start
        end = back.start
    return None


def allowing(
    slot: Interval, resources: Sequence[Resource], *, now: datetime, except_id: int | None = None
) -> list[Resource]:
    """Those of the resources whose rules and neighbours allow a booking of the slot, in order.

    Args:
        slot: The slot; each resource is free in it.
        resources: The resources, read by `with_house`.
        now: The present moment.
        except_id: The id of a booking to ignore: the moved booking.

    No statement for resources without terms.
    """
    attach_terms(resources, since=min(slot.start, now))
    close = [resource for resource in resources if reach_of(resource)]
    taken = read_taken(slot, close, except_id=except_id)
    openings = openings_of(resources, now=now)
    return [
        resource
        for resource in resources
        if Offer(resource, taken.get(resource.pk, []), openings[resource.pk]).allows(slot)
    ]


def parts_of(window: Interval) -> Iterator[Interval]:
    """The parts of a window in order, each longer than the one before."""
    start, length = window.start.astimezone(UTC), FIRST_PART
    while start < window.end:
        end = min(start + length, window.end)
        yield Interval(start, end)
        start, length = end, length * GROWTH
