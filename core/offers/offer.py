"""What can be booked of one resource."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from core.intervals import TICK, Interval, intersections
from core.models import Resource
from core.offers.openings import Openings
from core.offers.taken import Taken, reach_of
from core.quotas import Allowance


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
            # Most gaps begin with a possible start, which needs no search.
            first = Interval(gap.start, gap.start + self.openings.shortest_from(gap.start))
            start = gap.start if self.allows(first) else self.first_start(gap, length=None)
            if start is not None:
                yield Interval(start, self.openings.last_end(Interval(start, gap.end)))
