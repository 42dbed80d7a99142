"""Slots that can be booked: those of one resource, and the first one of each."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
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
from core.terms import Facts, forget_terms, read_terms, terms_are_known, terms_of

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

    One statement where no resource has terms, and once two after all terms were deleted. Else one for all resources,
    one for the answer, and most often one or two between for the resources with the soonest openings.
    """
    coming = window.clip(Interval(now, rules.window(now=now).end))
    if coming is None:
        return []
    found = None
    if terms_are_known():
        found = soonest_by_terms(coming, duration, min_capacity, now=now, limit=limit)
    if found is None:
        # Resources with terms come first, because the query does not know how soon their slots are.
        bookable = coming.clip(rules.offered_window(now=now)) or Interval(coming.start, coming.start)
        first, last = outermost(bookable, duration)
        found = list(soonest(min_capacity=min_capacity, first=first, last=last, length=duration, most=limit))
        if found and (found[0].has_terms or found[0].house_has_terms):
            found = soonest_by_terms(coming, duration, min_capacity, now=now, limit=limit) or []
    slots_found = [(each, Interval(each.first_gap, each.first_gap + duration)) for each in found if each.first_gap]
    return sorted(slots_found, key=lambda each: (each[1].start, each[0].capacity, each[0].name, each[0].pk))[:limit]


def soonest_by_terms(
    window: Interval, length: timedelta, min_capacity: int | None, *, now: datetime, limit: int
) -> list[Resource] | None:
    """The resources whose slots are the soonest, with the start of each as `first_gap`; None where none has terms.

    Args:
        window: The window.
        length: The length of a slot.
        min_capacity: The least capacity; None for any.
        now: The present moment.
        limit: How many are wanted.
    """
    first, last = outermost(window, length)
    rows = list(facts_in_service(min_capacity=min_capacity, first=first, last=last, length=length))
    facts = [Facts(*each) for *each, _, _ in rows]
    terms = read_terms(facts, since=min(window.start, now))
    if not any(each.has_terms or each.house_has_terms for each in facts):
        forget_terms()
        return None

    gaps = {each.id: gap for each, (*_, gap) in zip(facts, rows, strict=True) if gap is not None}
    reaches = {each.id: reach for each, (*_, reach, _) in zip(facts, rows, strict=True)}

    def sketch(resource_id: int) -> Resource:
        resource = Resource(pk=resource_id, buffer_reach_minutes=reaches[resource_id])
        resource.terms = terms[resource_id]
        return resource

    starts = soonest_starts(terms, gaps, sketch, window=window, length=length, now=now, most=limit)
    found = list(Resource.objects.with_house().filter(pk__in=starts))
    for resource in found:
        resource.first_gap = starts[resource.pk]
    return found


@prepared(min_capacity=KEY, first=Interval, last=Interval, length=DURATION)
def facts_in_service(
    *, min_capacity: int | None, first: Interval | None, last: Interval | None, length: timedelta
) -> QuerySet[Resource, tuple[Any, ...]]:
    """The `Facts` of the resources that come into question, each with its reach and the start of its first gap."""
    found = in_service(min_capacity=min_capacity).with_first_gap(first, last, length=length)
    return found.values_list(*Facts._fields, "buffer_reach_minutes", "first_gap")


def in_service(*, min_capacity: int | None) -> ResourceQuerySet:
    """The resources that come into question, in the order of the answer where slots begin at the same time."""
    resources = Resource.objects.with_house().filter(is_available=True).order_by("capacity", "name", "id")
    return resources if min_capacity is None else resources.filter(capacity__gte=min_capacity)


@prepared(min_capacity=KEY, first=Interval, last=Interval, length=DURATION)
def soonest(
    *, min_capacity: int | None, first: Interval | None, last: Interval | None, length: timedelta, most: int
) -> ResourceQuerySet:
    """The resources with the soonest gaps, annotated as `first_gap`; those with terms of their own come before."""
    found = in_service(min_capacity=min_capacity).with_first_gap(first, last, length=length)
    soonest_first = F("first_gap").asc(nulls_last=True)
    return found.order_by("-has_terms", soonest_first, "capacity", "name", "id")[:most]
