"""Which coming bookings the present rules would refuse because of their length or their time of day.

A change of the rules moves and cancels nothing; staff see here what became of the bookings that were made before.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from core import rules
from core.errors import BookingError
from core.intervals import Interval
from core.models import Booking, Resource
from core.terms import attach_terms

# The rules about the shape of a slot; the others depend on the moment, on other bookings or on the person.
SHAPE = {rules.not_too_short, rules.not_too_long, rules.on_grid, rules.in_opening_hours}
DAY = timedelta(days=1)
BATCH_SIZE = 1000


def misfit(slot: Interval, resource: Resource, *, now: datetime) -> str | None:
    """The code of the first rule about the shape that the slot breaks; None if it breaks no such rule."""
    try:
        rules.require(slot, resource, now=now, asked=SHAPE)
    except BookingError as error:
        return error.code
    return None


def resources_with_terms(ids: Iterable[int] | None, *, now: datetime) -> dict[int, Resource]:
    """Resources with their terms attached, by id; None for all. A fixed number of statements."""
    rows = Resource.objects.with_house().order_by()
    resources = {resource.pk: resource for resource in (rows if ids is None else rows.filter(pk__in=ids))}
    # A coming booking may have begun long ago.
    attach_terms(resources.values(), since=now - rules.LATEST_END)
    return resources


def no_longer_fit(*, now: datetime, resource_id: int | None = None, days: tuple[date, date] | None = None) -> int:
    """How many coming bookings break the rules about their shape; see `unfit`."""
    return sum(1 for _ in unfit(now=now, resource_id=resource_id, days=days))


def unfit(*, now: datetime, resource_id: int | None = None, days: tuple[date, date] | None = None) -> Iterator[int]:
    """Yields the ids of the coming bookings that break the rules about their shape. A fixed number of statements.

    Args:
        now: The present moment.
        resource_id: The resource; None for all resources.
        days: The first and the last day of what changed: only bookings near these days are looked at.
    """
    resources = resources_with_terms(None if resource_id is None else [resource_id], now=now)
    bookings = Booking.objects.blocking().upcoming(now)
    if resource_id is not None:
        bookings = bookings.filter(resource_id=resource_id)
    if days is not None:
        bookings = bookings.overlapping(around(*days))
    rows = bookings.order_by().values_list("pk", "resource_id", "start_time", "end_time")
    for pk, booked, start, end in rows.iterator(BATCH_SIZE):
        if booked in resources and misfit(Interval(start, end), resources[booked], now=now) is not None:
            yield pk


def around(first_day: date, last_day: date) -> Interval:
    """A span in UTC that contains the hours of the days in every time zone, late hours past midnight too."""
    start, end = (datetime.combine(day, time.min, UTC) for day in (first_day, last_day))
    return Interval(start - DAY, end + 3 * DAY)


def misfits(*, now: datetime) -> Iterator[tuple[int, list[tuple[Booking, str]]]]:
    """Yields, batch by batch, how many coming bookings were read, and those that break a rule with its code."""
    resources: Mapping[int, Resource] = resources_with_terms(None, now=now)
    last = 0
    while True:
        coming = Booking.objects.blocking().upcoming(now).filter(pk__gt=last).select_related("user")
        batch = list(coming.order_by("pk")[:BATCH_SIZE])
        if not batch:
            return
        found = []
        for booking in batch:
            resource = resources.get(booking.resource_id)
            code = misfit(booking.slot, resource, now=now) if resource else None
            if resource and code:
                booking.resource = resource
                found.append((booking, code))
        last = batch[-1].pk
        yield len(batch), found
