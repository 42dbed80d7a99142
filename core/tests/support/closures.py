"""Closures in tests."""

from datetime import datetime

from django.contrib.auth.models import User

from core import lifecycle
from core.choices import Kind, OnConflict
from core.intervals import Interval
from core.models import Booking, Closure, Resource
from core.tests.support.acts import act
from core.tests.support.factories import at, text


def make_closure(
    by: User, *resources: Resource, start: datetime | None = None, end: datetime | None = None, **more: object
) -> Closure:
    """A closure of tomorrow, 9 to 17, unless said otherwise."""
    values = {"start_time": start or at(9), "end_time": end or at(17), "reason": "Maintenance", **more}
    return lifecycle.close(resource_ids=[resource.pk for resource in resources], act=act(by), **values)


def closure_body(
    *resources: Resource, start: datetime | None = None, end: datetime | None = None, **more: object
) -> dict:
    """What staff post to close resources tomorrow, 9 to 17, unless said otherwise."""
    return {
        "resources": [resource.pk for resource in resources],
        "start_time": text(start or at(9)),
        "end_time": text(end or at(17)),
        "reason": "Maintenance",
        **more,
    }


def closed(resource: Resource) -> list[Interval]:
    """The time of a resource that closures take, in order."""
    rows = Booking.taken.filter(resource=resource, kind=Kind.CLOSURE).order_by("start_time")
    return [row.slot for row in rows]


CANCEL, AROUND = OnConflict.CANCEL, OnConflict.AROUND
