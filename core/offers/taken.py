"""What is taken of resources, with the gaps around it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db.models import QuerySet

from core.choices import Kind
from core.intervals import Interval
from core.models import Booking, Resource
from core.prepared import KEY, KEYS, prepared
from core.terms import terms_of


class Taken(NamedTuple):
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


def taken_of(row: Sequence[Any]) -> Taken:
    """A blocking row from the columns in `TAKEN`."""
    start, end, before, after, kind = row
    return Taken(start, end, minutes(before), minutes(after), kind == Kind.CLOSURE)


def taken_by(booking: Booking) -> Taken:
    """A booking as it takes time."""
    before, after = minutes(booking.buffer_before_minutes), minutes(booking.buffer_after_minutes)
    return Taken(booking.start_time, booking.end_time, before, after)


@cache
def minutes(number: int) -> timedelta:
    """So many minutes; most rows have the same few buffers."""
    return timedelta(minutes=number)


def read_taken(
    window: Interval, resources: Collection[Resource], *, except_id: int | None = None
) -> Mapping[int, list[Taken]]:
    """What is taken of each resource in the window and in reach of it. One statement."""
    found: dict[int, list[Taken]] = {resource.pk: [] for resource in resources}
    if not found:
        return found
    reach = max(reach_of(resource) for resource in resources)
    near = window.widened(reach, reach)
    for resource_id, *row in rows_taken(resource_ids=list(found), window=near, except_id=except_id):
        found[resource_id].append(taken_of(row))
    return found


@prepared(resource_ids=KEYS, window=Interval, except_id=KEY)
def rows_taken(
    *, resource_ids: list[int], window: Interval, except_id: int | None
) -> QuerySet[Booking, tuple[Any, ...]]:
    """The blocking rows of the resources in the window, by resource and in order."""
    rows = Booking.taken.taken_in(window, resource_ids=resource_ids).other_than(except_id)
    return rows.values_list("resource_id", *TAKEN)


def reach_of(resource: Resource) -> timedelta:
    """How far from a slot a neighbouring booking can be too close."""
    policy = terms_of(resource).policy
    own = max(policy.buffer_before_minutes or 0, policy.buffer_after_minutes or 0)
    return timedelta(minutes=max(resource.buffer_reach_minutes, own))


def has_rules(resource: Resource) -> bool:
    """True if the terms or the buffers of the resource refuse some free slots; otherwise a query finds them all."""
    return terms_of(resource).shape_slots or bool(resource.buffer_reach_minutes)
