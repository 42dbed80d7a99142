"""Free, busy and closed time of resources: the answers of the endpoints from rows and terms."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet

from core import rules
from core.choices import Kind
from core.hours import Timetable
from core.intervals import Interval
from core.models import Booking, Resource
from core.offers import TAKEN, Offer, Taken, ahead_of, first_starts, has_rules, openings_of, reach_of, taken_of
from core.prepared import KEY, KEYS, prepared
from core.querysets import SHORTEST, ResourceQuerySet
from core.terms import terms_of

# Opening hours are worked out in these years.
JUDGED = Interval(rules.EARLIEST_START, datetime(9900, 1, 1, tzinfo=UTC))
DETAILS = ("description", "capacity", "is_available", "requires_approval")
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
    """Who asks, and for what: only staff and the owner learn the id of a booking.

    Attributes:
        id: Of the user; None for somebody who is not signed in.
        is_staff: Whether they are staff.
        includes: What to add to the usual answer: `details`, `mine`.
    """

    id: int | None
    is_staff: bool
    includes: frozenset[str] = frozenset()

    def owns(self, row: Row) -> bool:
        return not row.taken.is_closure and row.user_id is not None and row.user_id == self.id

    def may_see(self, row: Row) -> bool:
        return not row.taken.is_closure and (self.is_staff or self.owns(row))


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


@prepared(pk=KEY, window=Interval, first=Interval, last=Interval)
def shown_resource(
    *, pk: int, window: Interval | None, first: Interval | None, last: Interval | None
) -> ResourceQuerySet:
    """The resource, with the start of its first gap between two slots as `next_free`.

    Args:
        pk: The id of the resource.
        window: That of its availability; None to leave the availability out.
        first: The first slot that answers `next_free`; None if that is not asked.
        last: The last such slot.
    """
    resources = Resource.objects.filter(pk=pk).with_house()
    resources = resources if window is None else resources.with_availability(window)
    return resources.with_first_gap(first, last, length=SHORTEST, name="next_free")


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
        if "mine" in reader.includes and reader.owns(row):
            entry["mine"] = True
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
    return [gap.as_json() for gap in bookable.subtract(row.taken for row in rows)] if bookable else []


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


def details_of(resource: Resource) -> dict[str, Any]:
    """What `include=details` tells of the resource."""
    return {name: getattr(resource, name) for name in DETAILS}


def timeline_json(
    resource: Resource, rows: Sequence[Row], window: Interval, offer: Offer | None, reader: Reader, *, now: datetime
) -> dict[str, Any]:
    """The time line of one of many resources, without `next_free`."""
    return {
        "resource": resource.pk,
        "resource_name": resource.name,
        **(details_of(resource) if "details" in reader.includes else {}),
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
    facts: list[object] = [*sorted(reader.includes)]
    soonest = rules.offered_window(now=now).start
    for each in resources:
        since = window.widened(reach_of(each), timedelta(0)).start
        taken = [fact_of(row, reader) for row in rows[each.pk] if row.taken.end > since]
        # When it is free next, unless that is as soon as the clock allows.
        ahead = each.next_free if each.next_free and each.next_free > soonest else None
        rules_known_by = terms_of(each).zone.key, each.terms_version
        details = details_of(each) if "details" in reader.includes else None
        facts.append((each.pk, each.name, each.is_available, *rules_known_by, taken, ahead, details))
    return sha256(orjson.dumps(facts)).hexdigest()[:32]


def fact_of(row: Row, reader: Reader) -> tuple[object, ...]:
    """What an answer shows of a row."""
    known = row.id if reader.may_see(row) else None
    taken = row.taken
    buffers = taken.before.total_seconds(), taken.after.total_seconds()
    is_own = "mine" in reader.includes and reader.owns(row)
    return taken.start, taken.end, *buffers, row.status, row.reason, known, is_own
