"""What can be booked of resources with terms: the search that all askers share.

The search works with spans of possible starts: those that the opening hours allow, without those at which a booking
would touch what is taken. It proposes the first or the last moment of a span, or the moments of the grid in it. The
rules alone decide: the list of rules and the gaps to the neighbours are asked about each proposal. Resources without
terms need no search; their queries find free slots.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from core import rules
from core.choices import Kind
from core.intervals import Interval, intersections, merged
from core.models import Booking, Resource
from core.querysets import SHORTEST
from core.quotas import Allowance
from core.terms import attach_terms, terms_of

# Half-open spans end a tick after the last possible start.
TICK = SHORTEST
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# The search reads what is taken in parts of a growing length: most answers lie in the first days.
FIRST_PART, GROWTH = timedelta(days=2), 4
# A loan ends at most so long after its shortest length: it is not offered over longer closed time.
LONGEST_CLOSED = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Taken:
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


def taken_of(row: Sequence[object]) -> Taken:
    """A blocking row from the columns in `TAKEN`."""
    start, end, before, after, kind = row
    return Taken(start, end, timedelta(minutes=before), timedelta(minutes=after), kind == Kind.CLOSURE)  # type: ignore[arg-type]


def read_taken(
    window: Interval, resources: Collection[Resource], *, except_id: int | None = None
) -> Mapping[int, list[Taken]]:
    """What is taken of each resource in the window and in reach of it. One statement."""
    found: dict[int, list[Taken]] = {resource.pk: [] for resource in resources}
    if not found:
        return found
    reach = max(reach_of(resource) for resource in resources)
    near = Interval(window.start - reach, window.end + reach)
    rows = Booking.taken.taken_in(near, resource_ids=list(found)).other_than(except_id)
    for resource_id, *row in rows.values_list("resource_id", *TAKEN):
        found[resource_id].append(taken_of(row))
    return found


def reach_of(resource: Resource) -> timedelta:
    """How far from a slot a neighbouring booking can be too close."""
    policy = terms_of(resource).policy
    own = max(policy.buffer_before_minutes or 0, policy.buffer_after_minutes or 0)
    return timedelta(minutes=max(resource.buffer_reach_minutes, own))


def has_rules(resource: Resource) -> bool:
    """True if the terms or the buffers of the resource refuse some free slots; otherwise a query finds them all."""
    return terms_of(resource).shape_slots or bool(resource.buffer_reach_minutes)


def ahead_of(resource: Resource) -> timedelta:
    """How far from its start the shortest booking can end: on the next moment of the grid, or after closed time."""
    terms = terms_of(resource)
    shortest = timedelta(minutes=terms.policy.min_minutes or 0)
    if terms.policy.may_span_closed and not terms.timetable.always_open:
        return shortest + LONGEST_CLOSED
    return shortest + (2 * DAY if terms.policy.grid_minutes else SHORTEST)


class Replay:
    """The items of an iterator for several readers; each item is made once, when the first reader needs it."""

    def __init__(self, items: Iterator[Interval]) -> None:
        self._items, self._seen = items, list[Interval]()

    def __iter__(self) -> Iterator[Interval]:
        yield from self._seen
        for item in self._items:
            self._seen.append(item)
            yield item


class Openings:
    """The starts that the terms of a resource allow, whatever is booked; resources of the same terms share them.

    Args:
        resource: A resource in service, with its terms attached.
        now: The present moment.
    """

    def __init__(self, resource: Resource, *, now: datetime) -> None:
        terms = terms_of(resource)
        self.resource, self.now = resource, now
        self.policy, self.timetable = terms.policy, terms.timetable
        self.window = rules.offered_window(terms.policy, now=now)
        self.shortest = timedelta(minutes=terms.policy.min_minutes) if terms.policy.min_minutes else SHORTEST
        self.spans_closed = bool(terms.policy.may_span_closed) and not terms.timetable.always_open
        self._starts: dict[tuple[Interval, timedelta | None], Replay] = {}
        self._verdicts: dict[Interval, bool] = {}

    def allow(self, slot: Interval) -> bool:
        """True if all rules about the slot accept it; the free slot and the person are not looked at."""
        if slot not in self._verdicts:
            self._verdicts[slot] = rules.allow(slot, self.resource, now=self.now)
        return self._verdicts[slot]

    def starts(self, window: Interval, length: timedelta | None) -> Iterable[Interval]:
        """The spans of starts in the window that the opening hours and the grid allow, in order.

        With a grid each moment is a span of its own.

        Args:
            window: The earliest start, and the end of all starts.
            length: The length of the booking; None for the shortest that the policy allows.
        """
        if (window, length) not in self._starts:
            latest = self.window.end - (length or self.shortest) + TICK
            part = window.clip(Interval(self.window.start, latest))
            spans = self._open_starts(part, length) if part else iter(())
            self._starts[window, length] = Replay(self._on_grid(spans, length) if self.policy.grid_minutes else spans)
        return self._starts[window, length]

    def _open_starts(self, part: Interval, length: timedelta | None) -> Iterator[Interval]:
        if self.timetable.always_open:
            yield part
            return
        least = most = length or self.shortest
        if not self.spans_closed:
            for span in self.timetable.open_spans(Interval(part.start, part.end + least)):
                starts = Interval(span.start, span.end - least + TICK).clip(part)
                if starts:
                    yield starts
            return
        if length is None:
            most = timedelta(minutes=self.policy.max_minutes) if self.policy.max_minutes else least + LONGEST_CLOSED
        # The first end is a whole minute after an opening.
        ends = self.timetable.open_spans(Interval(part.start + least - MINUTE, part.end + most))
        by_end = (Interval(span.start - most + MINUTE, span.end - least + TICK) for span in ends)
        yield from intersections(self.timetable.open_spans(part), merged(by_end))

    def _on_grid(self, spans: Iterable[Interval], length: timedelta | None) -> Iterator[Interval]:
        grid = self.policy.grid_minutes or 1
        # Most often the end of such a length is off the grid: no resource of the same terms asks again.
        is_odd = length is not None and bool(length % timedelta(minutes=grid))
        for span in spans:
            for moment in self.timetable.starts(span, grid):
                if not is_odd or self.allow(Interval(moment, moment + (length or TICK))):
                    yield Interval(moment, moment + TICK)

    def shortest_from(self, start: datetime) -> timedelta:
        """The length of the shortest booking that the policy allows from a start on."""
        first, grid = start + self.shortest, self.policy.grid_minutes
        end: datetime | None = first
        if grid is not None:
            end = next(self.timetable.ends(Interval(first, first + LONGEST_CLOSED), grid), None)
        elif self.spans_closed and not self.timetable.is_open_until(first):
            opening = self.timetable.next_open(first, until=first + LONGEST_CLOSED)
            end = opening and opening + MINUTE
        return end - start if end else self.shortest

    def last_end(self, window: Interval) -> datetime:
        """The last end in the window, where at least one booking is possible."""
        end, grid = window.end, self.policy.grid_minutes
        if self.spans_closed and not self.timetable.is_open_until(end):
            *_, last = chain([window], self.timetable.open_spans(window))
            end = last.end
        if grid is not None and not self.timetable.on_grid(end, grid, as_end=True):
            nearest = self.timetable.nearest_on_grid(end, grid, as_end=True)
            end = next((moment for moment in nearest if window.start < moment < end), end)
        return end


class Offer:
    """What can be booked of one resource, as far as `taken` tells.

    Args:
        resource: The resource, with its terms attached.
        taken: What is taken of it, in order.
        now: The present moment.
        person: What the person may still book; None to leave that out.
        openings: Those of a resource with the same terms; None for those of this resource.
    """

    def __init__(
        self,
        resource: Resource,
        taken: Sequence[Taken],
        *,
        now: datetime,
        person: Allowance | None = None,
        openings: Openings | None = None,
    ) -> None:
        self.resource, self.taken, self.person = resource, taken, person
        self.openings = openings or Openings(resource, now=now)
        policy = self.openings.policy
        self.before = timedelta(minutes=policy.buffer_before_minutes or 0)
        self.after = timedelta(minutes=policy.buffer_after_minutes or 0)
        self.reach = reach_of(resource)
        self.starts_taken = [each.start for each in taken]
        self.ends_taken = [each.end for each in taken]

    def allows(self, slot: Interval) -> bool:
        """True if a booking of the slot would be accepted now."""
        return not self.is_taken(slot) and self.openings.allow(slot) and (self.person is None or self.person(slot))

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

    def spans(self, window: Interval, length: timedelta | None) -> Iterator[Interval]:
        """The spans of possible starts in the window, in order."""
        least = length or self.openings.shortest
        kept = map(self.kept, self.near(Interval(window.start, window.end + least)))
        refused = [Interval(span.start - least + TICK, span.end) for span in kept]
        if self.person is not None:
            refused += self.person.refused(window, least)
        starts = self.openings.starts(window, length)
        return intersections(starts, window.subtract(sorted(refused, key=lambda span: span.start)))

    def first_start(self, window: Interval, *, length: timedelta | None) -> datetime | None:
        """The first start in the window of a possible booking.

        Args:
            window: The earliest start, and the end of all starts.
            length: The length of the booking; None for the shortest that the policy allows.
        """
        for span in self.spans(window, length):
            if self.allows(Interval(span.start, span.start + (length or self.openings.shortest_from(span.start)))):
                return span.start
        return None

    def last_start(self, window: Interval, *, length: timedelta) -> datetime | None:
        """The last start in the window of a possible booking of that length."""
        for span in reversed(list(self.spans(window, length))):
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

    The number of statements depends on how far ahead the answers are, at most six, and not on the number of resources.
    """
    found: dict[int, datetime] = {}
    missing = [resource for resource in resources if resource.is_available]
    shared: dict[object, Openings] = {}
    for part in parts_of(Interval(window.start, window.end - (length or SHORTEST) + SHORTEST)):
        if not missing:
            break
        ahead = length or max(map(ahead_of, missing))
        taken = read_taken(Interval(part.start, part.end + ahead), missing, except_id=except_id)
        for resource in missing:
            terms = terms_of(resource)
            openings = shared.setdefault((terms.policy, terms.timetable), Openings(resource, now=now))
            offer = Offer(resource, taken[resource.pk], now=now, person=person, openings=openings)
            start = offer.first_start(part, length=length)
            if start is not None:
                found[resource.pk] = start
        missing = [resource for resource in missing if resource.pk not in found]
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
    end = window.end
    for part in parts_of(Interval(window.start, end)):
        back = Interval(max(window.start, end - part.duration), end)
        taken = read_taken(Interval(back.start, back.end + length), [resource], except_id=except_id)
        start = Offer(resource, taken[resource.pk], now=now, person=person).last_start(back, length=length)
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
    attach_terms(resources, since=slot.start)
    close = [resource for resource in resources if reach_of(resource)]
    taken = read_taken(slot, close, except_id=except_id)
    return [resource for resource in resources if Offer(resource, taken.get(resource.pk, []), now=now).allows(slot)]


def parts_of(window: Interval) -> Iterator[Interval]:
    """The parts of a window in order, each longer than the one before."""
    start, length = window.start.astimezone(UTC), FIRST_PART
    while start < window.end:
        end = min(start + length, window.end)
        yield Interval(start, end)
        start, length = end, length * GROWTH
