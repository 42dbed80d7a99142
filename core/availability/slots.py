"""Slots that can be booked: those of one resource, and the first one of each."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, QuerySet

from core import rules
from core.hours.grid import grid
from core.intervals import Interval
from core.models import Booking, Resource
from core.offers import Offer, Openings, has_rules, read_taken, soonest_starts
from core.prepared import DURATION, KEY, prepared
from core.querysets import ResourceQuerySet, outermost
from core.terms import Facts, read_terms, terms_of

# Minutes between two slots where neither the caller nor the policy names any.
USUAL_STEP = 30


def slots(
    window: Interval, busy: Sequence[Interval], *, duration: timedelta, step: int, zone: ZoneInfo
) -> Iterator[Interval]:
    """Yields the slots that start on the grid, lie in the window and overlap no busy interval, in order.

    Args:
        window: The window that contains the slots.
        busy: Intervals in order, without overlaps.
        duration: The length of each slot.
        step: Minutes between two moments of the grid.
        zone: The time zone of the grid.
    """
    gaps = (gap for gap in window.subtract(busy) if gap.duration >= duration)
    gap = next(gaps, None)
    if gap is None:
        return
    for start in grid(Interval(gap.start, window.end), step=step, zone=zone):
        while start > gap.end - duration:
            gap = next(gaps, None)
            if gap is None:
                return
        if start >= gap.start:
            yield Interval(start, start + duration)


def bookable_slots(
    resource: Resource, window: Interval, *, duration: timedelta, step: int | None, zone: ZoneInfo | None, now: datetime
) -> Iterator[Interval]:
    """Yields the slots of the resource that can be booked, in order. At most one statement.

    Args:
        resource: The resource, with its terms attached.
        window: The window that contains the slots.
        duration: The length of each slot.
        step: Minutes between two starts; None for the grid of the policy, or else 30.
        zone: The time zone whose midnight the grid begins at; None for the grid and the zone of the resource.
        now: The present moment.
    """
    bookable = rules.bookable_part(window, resource, now=now)
    if bookable is None:
        return
    terms = terms_of(resource)
    if not has_rules(resource):
        busy = [Interval(*row) for row in times_taken(resource_id=resource.pk, window=bookable)]
        yield from slots(bookable, busy, duration=duration, step=step or USUAL_STEP, zone=zone or terms.zone)
        return
    offer = Offer(resource, read_taken(bookable, [resource])[resource.pk], Openings(resource, now=now))
    if zone is None and terms.policy.grid_minutes:
        starts = terms.timetable.starts(bookable, step or terms.policy.grid_minutes)
    else:
        starts = grid(bookable, step=step or terms.policy.grid_minutes or USUAL_STEP, zone=zone or terms.zone)
    for start in starts:
        slot = Interval(start, start + duration)
        if bookable.contains(slot) and offer.allows(slot):
            yield slot


@prepared(resource_id=KEY, window=Interval)
def times_taken(*, resource_id: int, window: Interval) -> QuerySet[Booking, tuple[datetime, datetime]]:
    """The start and the end of each row of a resource in the window, in order."""
    return Booking.taken.within(window, resource_id=resource_id).values_list("start_time", "end_time")


def first_slots(
    window: Interval, *, duration: timedelta, min_capacity: int | None, now: datetime, limit: int
) -> list[tuple[Resource, Interval]]:
    """Returns up to `limit` resources, each with its first bookable slot in the window; soonest first.

    One statement where no resource has terms, else a fixed number.
    """
    coming = window.clip(Interval(now, rules.window(now=now).end))
    if coming is None:
        return []
    # Without terms. Resources with terms come first, because the query does not know how soon their slots are.
    bookable = coming.clip(rules.offered_window(now=now)) or Interval(coming.start, coming.start)
    first, last = outermost(bookable, duration)
    read = partial(soonest, min_capacity=min_capacity, first=first, last=last, length=duration, most=limit)
    found = read(with_terms=None)
    if found and (found[0].has_terms or found[0].house_has_terms):
        everywhere = found[0].house_has_terms
        found = [] if everywhere else read(with_terms=False)
        found += soonest_by_terms(coming, duration, min_capacity, everywhere=everywhere, now=now, limit=limit)
    slots_found = [(each, Interval(each.first_gap, each.first_gap + duration)) for each in found if each.first_gap]
    return sorted(slots_found, key=lambda each: (each[1].start, each[0].capacity, each[0].name, each[0].pk))[:limit]


def soonest_by_terms(
    window: Interval, length: timedelta, min_capacity: int | None, *, everywhere: bool, now: datetime, limit: int
) -> list[Resource]:
    """The resources with terms whose slots are the soonest, with the start of each as `first_gap`.

    Args:
        window: The window.
        length: The length of a slot.
        min_capacity: The least capacity; None for any.
        everywhere: Whether there are terms of all resources.
        now: The present moment.
        limit: How many are wanted.
    """
    first, last = outermost(window, length)
    with_terms = None if everywhere else True
    rows = facts_in_service(min_capacity=min_capacity, with_terms=with_terms, first=first, last=last, length=length)
    terms = read_terms([Facts(*facts) for *facts, _ in rows], since=min(window.start, now))
    gaps = {resource_id: gap for resource_id, *_, gap in rows if gap is not None}

    def load(ids: Collection[int]) -> list[Resource]:
        resources = list(Resource.objects.with_house().filter(pk__in=ids))
        for each in resources:
            each.terms = terms[each.pk]
        return resources

    starts = soonest_starts(terms, gaps, load, window=window, length=length, now=now, most=limit)
    for resource, start in starts:
        resource.first_gap = start
    return [resource for resource, _ in starts]


@prepared(min_capacity=KEY, first=Interval, last=Interval, length=DURATION)
def facts_in_service(
    *,
    min_capacity: int | None,
    with_terms: bool | None,
    first: Interval | None,
    last: Interval | None,
    length: timedelta,
) -> QuerySet[Resource, tuple[Any, ...]]:
    """The `Facts` of the resources that come into question, each with the start of its first gap."""
    found = in_service(min_capacity=min_capacity, with_terms=with_terms).with_first_gap(first, last, length=length)
    return found.values_list(*Facts._fields, "first_gap")


def in_service(*, min_capacity: int | None, with_terms: bool | None) -> ResourceQuerySet:
    """The resources that come into question, in the order of the answer where slots begin at the same time."""
    resources = Resource.objects.with_house().filter(is_available=True).order_by("capacity", "name", "id")
    if min_capacity is not None:
        resources = resources.filter(capacity__gte=min_capacity)
    return resources if with_terms is None else resources.filter(has_terms=with_terms)


@prepared(min_capacity=KEY, first=Interval, last=Interval, length=DURATION)
def soonest(
    *,
    min_capacity: int | None,
    with_terms: bool | None,
    first: Interval | None,
    last: Interval | None,
    length: timedelta,
    most: int,
) -> ResourceQuerySet:
    """The resources with the soonest gaps, annotated as `first_gap`; those with terms of their own come before."""
    resources = in_service(min_capacity=min_capacity, with_terms=with_terms)
    found = resources.with_first_gap(first, last, length=length)
    soonest_first = F("first_gap").asc(nulls_last=True)
    return found.order_by("-has_terms", soonest_first, "capacity", "name", "id")[:most]
