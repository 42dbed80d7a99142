"""The search of the counter: which resources staff can book for a slot."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from core import offers, rules
from core.errors import BookingError
from core.intervals import Interval
from core.models import Resource
from core.terms import attach_terms

# So many resources are looked at first; all others, if the first have too few.
FIRST_LOOK = 100


def offered(slot: Interval, *, people: int, now: datetime, most: int) -> list[Resource]:
    """The resources that staff can book for the slot at this moment, the smallest that are large enough first.

    They are those that `?available=true` lists, and also those whose notice is over: staff need no lead time. What
    depends on the person is not looked at. At most eight statements.

    Args:
        slot: The slot.
        people: How many people or items the resource holds, at least.
        now: The present moment.
        most: How many are wanted.
    """
    return list(islice(each_offered(slot, people=people, now=now), most))


def each_offered(slot: Interval, *, people: int, now: datetime) -> Iterator[Resource]:
    """Yields the resources in order."""
    able = Resource.objects.with_house().filter(is_available=True, capacity__gte=people)
    free = able.free_during(slot).order_by("capacity", "name", "pk")
    first = list(free[:FIRST_LOOK])
    yield from allowing(slot, first, now=now)
    if len(first) == FIRST_LOOK:
        yield from allowing(slot, list(free[FIRST_LOOK:]), now=now)


def allowing(slot: Interval, resources: Sequence[Resource], *, now: datetime) -> Iterator[Resource]:
    """Those of the free resources whose rules and neighbours allow staff a booking of the slot, in order."""
    attach_terms(resources, since=min(slot.start, now))
    taken = offers.read_taken(slot, [resource for resource in resources if offers.reach_of(resource)])
    openings = offers.openings_of(resources, now=now)
    asked = rules.asked_of_new(slot, now=now, as_record=True)
    for resource in resources:
        try:
            rules.require(slot, resource, now=now, asked=asked)
        except BookingError:
            continue
        if not offers.Offer(resource, taken.get(resource.pk, []), openings[resource.pk]).is_taken(slot):
            yield resource
