"""What can be booked of resources with terms: the search that all askers share.

The rules alone decide: the search only proposes moments at which the answer can change, and asks the list of rules and
the gaps to the neighbours about each. Resources without terms need no search; their queries find free slots.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core import rules
from core.choices import Kind
from core.intervals import Interval
from core.models import Booking, Resource
from core.querysets import SHORTEST
from core.terms import attach_terms, terms_of

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# The search reads what is taken in parts of a growing length: most answers lie in the first days.
FIRST_PART, GROWTH = timedelta(days=2), 4

Also = Callable[[Interval], bool]


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
    longest = max(shortest_of(resource) for resource in resources)
    near = Interval(window.start - reach, window.end + longest + reach)
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


def shortest_of(resource: Resource) -> timedelta:
    """The length of the shortest booking, without a look at the grid."""
    minutes = terms_of(resource).policy.min_minutes
    return timedelta(minutes=minutes) if minutes else SHORTEST


class Offer:
    """What can be booked of one resource, as far as `taken` tells.

    Args:
        resource: The resource, with its terms attached.
        taken: What is taken of it, in order.
        now: The present moment.
        also: A further check of a slot, such as the quotas of a person.
    """

    def __init__(self, resource: Resource, taken: Sequence[Taken], *, now: datetime, also: Also | None = None) -> None:
        self.resource, self.taken, self.now, self.also = resource, taken, now, also
        self.terms = terms_of(resource)
        policy = self.terms.policy
        self.window = rules.offered_window(policy, now=now)
        self.before = timedelta(minutes=policy.buffer_before_minutes or 0)
        self.after = timedelta(minutes=policy.buffer_after_minutes or 0)
        self.reach, self.shortest = reach_of(resource), shortest_of(resource)
        self.starts_taken = [each.start for each in taken]
        self.ends_taken = [each.end for each in taken]

    def allows(self, slot: Interval) -> bool:
        """True if a booking of the slot would be accepted now, as far as the resource is concerned."""
        return (
            not self.is_taken(slot)
            and rules.allow(slot, self.resource, now=self.now)
            and (self.also is None or self.also(slot))
        )

    def is_taken(self, slot: Interval) -> bool:
        """True if the slot overlaps what is taken, or is too close to it."""
        # What is taken does not overlap, so starts and ends have the same order.
        first = bisect_right(self.ends_taken, slot.start - self.reach)
        last = bisect_left(self.starts_taken, slot.end + self.reach)
        return any(
            each.start < slot.end + self.gap_before(each) and slot.start < each.end + self.gap_after(each)
            for each in self.taken[first:last]
        )

    def gap_before(self, following: Taken) -> timedelta:
        """The gap that a new booking needs before a taken slot."""
        return timedelta(0) if following.is_closure else max(self.after, following.before)

    def gap_after(self, previous: Taken) -> timedelta:
        """The gap that a new booking needs after a taken slot."""
        return timedelta(0) if previous.is_closure else max(previous.after, self.before)

    def shortest_from(self, start: datetime) -> timedelta:
        """The length of the shortest booking that the policy allows from a start on."""
        grid = self.terms.policy.grid_minutes
        if grid is None:
            return self.shortest
        ends = self.terms.timetable.nearest_on_grid(start + self.shortest - SHORTEST, grid, as_end=True)
        return next((end - start for end in ends if end - start >= self.shortest), self.shortest)

    def candidates(self, window: Interval, length: timedelta) -> Iterator[datetime]:
        """Yields, in order, the moments of the window at which a booking may become possible.

        With a grid these are its moments. Without one they are the beginnings of free and open time.
        """
        timetable, policy = self.terms.timetable, self.terms.policy
        part = window.clip(self.window)
        if part is None:
            return
        if policy.grid_minutes is not None:
            yield from timetable.starts(part, policy.grid_minutes)
            return
        behind = [each.end + self.gap_after(each) for each in self.taken]
        moments = {part.start, *(moment for moment in behind if part.start <= moment < part.end)}
        if timetable.always_open:
            yield from sorted(moments)
            return
        # One day at a time: the first days have the answer most often.
        day = part.start
        while day < part.end:
            until = min(day + DAY, part.end)
            today = {moment for moment in moments if day <= moment < until}
            today |= {span.start for span in timetable.open_spans(Interval(day, until))}
            if policy.may_span_closed:
                # The end may be the first whole minute after an opening.
                ahead = Interval(day + length, until + length)
                today |= {span.start - length + MINUTE for span in timetable.open_spans(ahead)}
            yield from sorted(moment for moment in today if day <= moment < until)
            day = until

    def first_start(self, window: Interval, *, length: timedelta | None) -> datetime | None:
        """The first start in the window of a possible booking.

        Args:
            window: The earliest start, and the end of all starts.
            length: The length of the booking; None for the shortest that the policy allows.
        """
        for start in self.candidates(window, length or self.shortest):
            if self.allows(Interval(start, start + (length or self.shortest_from(start)))):
                return start
        return None

    def last_start(self, window: Interval, *, length: timedelta) -> datetime | None:
        """The last start in the window of a possible booking of that length."""
        starts = set(self.candidates(window, length))
        if self.terms.policy.grid_minutes is None:
            ahead = [each.start - self.gap_before(each) for each in self.taken]
            near = Interval(window.start, window.end + length)
            ahead += [span.end for span in self.terms.timetable.open_spans(near)]
            starts |= {moment - length for moment in ahead if window.start <= moment - length < window.end}
        for start in sorted(starts, reverse=True):
            if self.allows(Interval(start, start + length)):
                return start
        return None

    def free_spans(self, window: Interval) -> Iterator[Interval]:
        """Yields the spans of the window in which bookings can lie, in order.

        A span begins at a possible start. By a grid it ends on the grid.
        """
        part = window.clip(self.window) if self.resource.is_available else None
        if part is None:
            return
        kept_apart = [
            Interval(each.start - self.gap_before(each), each.end + self.gap_after(each)) for each in self.taken
        ]
        kept_apart.sort(key=lambda span: span.start)
        grid = self.terms.policy.grid_minutes
        for open_span in self.terms.timetable.open_spans(part):
            for gap in open_span.subtract(kept_apart):
                start = self.first_start(gap, length=None)
                if start is None:
                    continue
                end = gap.end
                if grid is not None and not self.terms.timetable.on_grid(end, grid, as_end=True):
                    nearest = self.terms.timetable.nearest_on_grid(end, grid, as_end=True)
                    end = next((moment for moment in nearest if start < moment < end), end)
                yield Interval(start, end)


def first_starts(
    resources: Iterable[Resource],
    *,
    window: Interval,
    length: timedelta | None,
    now: datetime,
    except_id: int | None = None,
    also: Also | None = None,
) -> dict[int, datetime | None]:
    """The first start of a possible booking of each resource; None where there is none.

    Args:
        resources: The resources, with their terms attached.
        window: The earliest start and the latest end.
        length: The length of the booking; None for the shortest that the policy of each allows.
        now: The present moment.
        except_id: The id of a booking to ignore: the moved booking.
        also: A further check of a slot, such as the quotas of a person.

    The number of statements depends on how far ahead the answers are, at most six, and not on the number of resources.
    """
    found: dict[int, datetime | None] = {}
    missing = {resource.pk: resource for resource in resources if resource.is_available}
    latest = window.end - (length or SHORTEST)
    for part in parts_of(Interval(window.start, latest + SHORTEST)):
        if not missing:
            break
        seen = Interval(part.start, part.end + (length or DAY))
        taken = read_taken(seen, list(missing.values()), except_id=except_id)
        for pk, resource in list(missing.items()):
            start = Offer(resource, taken[pk], now=now, also=also).first_start(part, length=length)
            if start is not None:
                found[pk] = start
                del missing[pk]
    return found


def last_start(
    resource: Resource,
    *,
    window: Interval,
    length: timedelta,
    now: datetime,
    except_id: int | None = None,
    also: Also | None = None,
) -> datetime | None:
    """The last start in the window of a possible booking of that length, whose terms are attached."""
    end = window.end
    for part in parts_of(Interval(window.start, end)):
        back = Interval(max(window.start, end - part.duration), end)
        taken = read_taken(Interval(back.start, back.end + length), [resource], except_id=except_id)
        start = Offer(resource, taken[resource.pk], now=now, also=also).last_start(back, length=length)
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
