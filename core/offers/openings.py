"""The starts that the terms of a resource allow, whatever is booked: by the window, the opening hours and the grid."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from core import rules
from core.intervals import TICK, Interval, intersections, merged
from core.models import Resource
from core.querysets import SHORTEST
from core.terms import terms_of

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# A loan ends at most so long after its shortest length: it is not offered over longer closed time.
LONGEST_CLOSED = timedelta(days=31)


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


def openings_of(resources: Iterable[Resource], *, now: datetime) -> dict[int, "Openings"]:
    """The openings of each resource by id; resources of the same terms share what is worked out.

    A resource out of service shares with no resource in service: the rules refuse each slot of it.
    """
    shared: dict[object, Openings] = {}
    found = {}
    for resource in resources:
        terms = terms_of(resource)
        key = (terms.policy, terms.timetable, resource.is_available)
        found[resource.pk] = shared.get(key) or shared.setdefault(key, Openings(resource, now=now))
    return found


class Openings:
    """The starts that the terms of a resource allow, whatever is booked; resources of the same terms share them.

    Args:
        resource: A resource, with its terms attached.
        now: The present moment.
    """

    def __init__(self, resource: Resource, *, now: datetime) -> None:
        terms = terms_of(resource)
        self.resource, self.now = resource, now
        self.policy, self.timetable = terms.policy, terms.timetable
        self.window = rules.offered_window(terms.policy, now=now)
        self.shortest = timedelta(minutes=terms.policy.min_minutes) if terms.policy.min_minutes else SHORTEST
        self.spans_closed = bool(terms.policy.may_span_closed) and not terms.timetable.always_open
        self._verdicts: dict[Interval, bool] = {}
        self._lengths: dict[datetime, timedelta] = {}

    def allow(self, slot: Interval) -> bool:
        """True if all rules about the slot accept it; the free slot and the person are not looked at."""
        if slot not in self._verdicts:
            self._verdicts[slot] = rules.allow(slot, self.resource, now=self.now)
        return self._verdicts[slot]

    def starts(self, window: Interval, length: timedelta | None) -> Iterator[Interval]:
        """The spans of starts in the window that the opening hours and the grid allow, in order.

        With a grid each moment is a span of its own.

        Args:
            window: The earliest start, and the end of all starts.
            length: The length of the booking; None for the shortest that the policy allows.
        """
        least, longest = length or self.shortest, self.policy.max_minutes
        if not self.resource.is_available or (longest is not None and least > timedelta(minutes=longest)):
            return iter(())
        latest = self.window.end - least + TICK
        part = window.clip(Interval(self.window.start, latest))
        if part is None:
            return iter(())
        spans = self._open_starts(part, length)
        return self._on_grid(spans, length) if self.policy.grid_minutes else spans

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
        # The end of such a length is seldom on the grid.
        is_odd = length is not None and bool(length % timedelta(minutes=grid))
        for span in spans:
            for moment in self.timetable.starts(span, grid):
                if not is_odd or self.timetable.on_grid(moment + (length or TICK), grid, as_end=True):
                    yield Interval(moment, moment + TICK)

    def shortest_from(self, start: datetime) -> timedelta:
        """The length of the shortest booking that the policy allows from a start on."""
        if start not in self._lengths:
            self._lengths[start] = self._shortest_from(start)
        return self._lengths[start]

    def _shortest_from(self, start: datetime) -> timedelta:
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
