"""The searches for the first and the last possible start, among one resource or many."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.intervals import Interval
from core.models import Resource
from core.offers.offer import Offer
from core.offers.openings import Openings, Replay, ahead_of, openings_of
from core.offers.taken import reach_of, read_taken
from core.querysets import SHORTEST
from core.quotas import Allowance
from core.terms import Terms, attach_terms

# The search reads what is taken in parts of a growing length: most answers lie in the first days.
FIRST_PART, GROWTH = timedelta(hours=6), 4


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
    sketch: Callable[[int], Resource],
    *,
    window: Interval,
    length: timedelta,
    now: datetime,
    most: int,
) -> dict[int, datetime]:
    """The soonest starts of a possible booking, by the id of the resource, in order.

    Args:
        terms: The terms of all resources by id, in the order that decides between equal starts.
        gaps: By id, the start of the first free slot of the length in the window, whatever the terms.
        sketch: A resource by id, with its terms attached and what the rules ask of it.
        window: The earliest start and the latest end.
        length: The length of the booking.
        now: The present moment.
        most: How many are wanted.
    """
    earliest = earliest_starts(terms, gaps, until=window.end, length=length, now=now)
    ranks = {resource_id: rank for rank, resource_id in enumerate(terms)}
    # Neither what is taken nor the terms make a start sooner. So the first resources often have the answer; each part
    # of the others is twice as large as the one before, and only starts that are sooner than those found count.
    waiting = sorted((start, ranks[resource_id], resource_id) for resource_id, start in earliest.items())
    found: list[tuple[datetime, int, int]] = []
    number, latest = 2 * most, window.end
    while waiting:
        part, waiting = waiting[:number], waiting[number:]
        starts = Interval(part[0][0], min(latest + length, window.end))
        first = first_starts(map(sketch, (each[2] for each in part)), window=starts, length=length, now=now)
        found = sorted([*found, *((start, ranks[each], each) for each, start in first.items())])[:most]
        if len(found) == most:
            latest = found[-1][0]
            waiting = [each for each in waiting if each < found[-1]]
        number *= 2
    return {resource_id: start for start, _, resource_id in found}


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
