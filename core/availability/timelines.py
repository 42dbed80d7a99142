"""Free, busy and closed time of resources: the answers of the endpoints from rows and terms."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from django.db.models import F, QuerySet

from core import rules
from core.choices import Kind
from core.hours import Timetable
from core.hours.grid import grid
from core.intervals import Interval
from core.models import Booking, Resource
from core.offers import TAKEN, Offer, Taken, first_starts, has_rules, reach_of, read_taken, soonest_starts, taken_of
from core.openings import Openings, ahead_of, openings_of
from core.prepared import DURATION, KEY, KEYS, prepared
from core.querysets import ResourceQuerySet, outermost
from core.terms import Facts, read_terms, terms_of

# Minutes between two slots where neither the caller nor the policy names any.
USUAL_STEP = 30
# Opening hours are worked out in these years.
JUDGED = Interval(rules.EARLIEST_START, datetime(9900, 1, 1, tzinfo=UTC))
COLUMNS = ("resource_id", "pk", "user_id", "status", "closure__reason", *TAKEN)


class Row(NamedTuple):
    """A blocking row with what an answer shows of it."""

    id: int
    user_id: int | None
    status: str
    reason: str | None
    taken: Taken


Known = tuple[Interval, Mapping[int, Offer]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: only staff and the owner learn the id of a booking."""

    id: int | None
    is_staff: bool

    def may_see(self, row: Row) -> bool:
        return not row.taken.is_closure and (self.is_staff or (row.user_id is not None and row.user_id == self.id))


def read_rows(window: Interval, resources: Collection[Resource], *, most: int | None = None) -> dict[int, list[Row]]:
    """The blocking rows of the resources in the window and in reach of it, in order. One statement.

    Args:
        window: The window.
        resources: The resources, with their terms attached.
        most: How many rows are read at most, all resources together; None for all.
    """
    found: dict[int, list[Row]] = {resource.pk: [] for resource in resources}
    if not found:
        return found
    reach = max(map(reach_of, resources), default=timedelta(0))
    longest = max((ahead_of(each) for each in resources if has_rules(each)), default=timedelta(0))
    near = window.widened(reach, longest + reach)
    if len(found) == 1:
        (only,) = found
        rows = rows_of_one(resource_id=only, window=near, most=most)
    else:
        rows = rows_of_many(resource_ids=list(found), window=near, most=most)
    for resource_id, pk, user_id, status, reason, *taken in rows:
        found[resource_id].append(Row(pk, user_id, status, reason, taken_of(taken)))
    return found


@prepared(resource_id=KEY, window=Interval)
def rows_of_one(*, resource_id: int, window: Interval, most: int | None) -> QuerySet[Booking, tuple[Any, ...]]:
    """The rows of one resource in the window."""
    return Booking.taken.within(window, resource_id=resource_id).values_list(*COLUMNS)[:most]


@prepared(resource_ids=KEYS, window=Interval)
def rows_of_many(*, resource_ids: list[int], window: Interval, most: int | None) -> QuerySet[Booking, tuple[Any, ...]]:
    """The rows of the resources in the window, by resource."""
    return Booking.taken.taken_in(window, resource_ids=resource_ids).values_list(*COLUMNS)[:most]


def busy_json(rows: Sequence[Row], window: Interval, reader: Reader) -> list[dict[str, Any]]:
    """What is taken, in order and cut to the window; it tells nobody who booked."""
    busy = []
    for row in rows:
        start, end = max(row.taken.start, window.start), min(row.taken.end, window.end)
        if start >= end:
            continue
        entry: dict[str, Any] = {"start_time": start, "end_time": end, "status": row.status}
        if row.taken.is_closure:
            entry |= {"kind": Kind.CLOSURE.value, "reason": row.reason}
        elif reader.may_see(row):
            entry["id"] = row.id
        busy.append(entry)
    return busy


def closed_json(resource: Resource, window: Interval) -> list[dict[str, Any]]:
    """The closed hours and days in the window, in order, with the public name of what closes them."""
    part = window.clip(JUDGED)
    closed = terms_of(resource).timetable.closed_spans(part) if part else ()
    return [{**span.as_json(), "reason": reason} for span, reason in closed]


def offers_of(resources: Iterable[Resource], rows: Mapping[int, Sequence[Row]], *, now: datetime) -> dict[int, Offer]:
    """What can be booked of each resource with rules of its own, by id, as far as the rows tell."""
    ruled = [each for each in resources if has_rules(each)]
    openings = openings_of(ruled, now=now)
    return {each.pk: Offer(each, [row.taken for row in rows[each.pk]], openings[each.pk]) for each in ruled}


def free_json(
    resource: Resource, rows: Sequence[Row], window: Interval, offer: Offer | None, *, now: datetime
) -> list[dict[str, Any]]:
    """What could be booked of the gaps between, in order; `offer` is None for a resource without rules of its own."""
    if offer is not None:
        return [span.as_json() for span in offer.free_spans(window)]
    bookable = rules.bookable_part(window, resource, now=now)
    return [gap.as_json() for gap in bookable.subtract(row.taken.slot for row in rows)] if bookable else []


def next_free(
    resources: Iterable[Resource], *, now: datetime, known: Known | None = None
) -> Mapping[int, datetime | None]:
    """From when on each resource with rules of its own could be booked; None where there is no such moment.

    The annotation of `with_next_free` has the answer for the other resources, which are left out. No statement then.

    Args:
        resources: The resources, with their terms attached.
        now: The present moment.
        known: A window from now on, and the offers of the resources in it.
    """
    found: dict[int, datetime | None] = {each.pk: None for each in resources if has_rules(each)}
    since = now
    if known is not None:
        window, offers = known
        since = window.end
        found = {pk: offer.first_start(window, length=None) for pk, offer in offers.items()}
    missing = [each for each in resources if each.pk in found and found[each.pk] is None]
    return found | first_starts(missing, window=Interval(since, rules.window(now=now).end), length=None, now=now)


def is_closed_throughout(timetable: Timetable, window: Interval) -> bool:
    """True if a resource with the timetable is not open for a moment of the window."""
    part = window.clip(JUDGED)
    return not timetable.always_open and part is not None and next(timetable.open_spans(part), None) is None


def open_json(timetable: Timetable, window: Interval) -> list[dict[str, Any]]:
    """The open time in the window, in order."""
    part = window.clip(JUDGED)
    return [span.as_json() for span in timetable.open_spans(part)] if part else []


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


def timeline_json(
    resource: Resource, rows: Sequence[Row], window: Interval, offer: Offer | None, reader: Reader, *, now: datetime
) -> dict[str, Any]:
    """The time line of one of many resources, without `next_free`."""
    return {
        "resource": resource.pk,
        "resource_name": resource.name,
        "busy": busy_json(rows, window, reader),
        "closed": closed_json(resource, window),
        "free": free_json(resource, rows, window, offer, now=now),
    }


def version_of(
    resources: Iterable[Resource],
    rows: Mapping[int, Sequence[Row]],
    window: Interval,
    reader: Reader,
    *,
    now: datetime,
) -> str:
    """A digest of what is booked, closed and configured in the window, and of nothing that the clock changes."""
    facts, soonest = [], rules.offered_window(now=now).start
    for each in resources:
        since = window.widened(reach_of(each), timedelta(0)).start
        taken = [fact_of(row, reader) for row in rows[each.pk] if row.taken.end > since]
        # When it is free next, unless that is as soon as the clock allows.
        ahead = each.next_free if each.next_free and each.next_free > soonest else None
        rules_known_by = terms_of(each).zone.key, each.terms_version
        facts.append((each.pk, each.name, each.is_available, *rules_known_by, taken, ahead))
    return sha256(orjson.dumps(facts)).hexdigest()[:32]


def fact_of(row: Row, reader: Reader) -> tuple[object, ...]:
    """What an answer shows of a row."""
    known = row.id if reader.may_see(row) else None
    taken = row.taken
    buffers = taken.before.total_seconds(), taken.after.total_seconds()
    return taken.start, taken.end, *buffers, row.status, row.reason, known


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
