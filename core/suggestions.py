"""What to book instead of a taken slot."""

from collections.abc import Iterator
from datetime import datetime

from core.errors import Suggestion
from core.horizon import latest_end, lead_time, next_start
from core.intervals import Interval
from core.models import Booking, Resource


def suggestions_for(booking: Booking, *, now: datetime) -> list[Suggestion]:
    """Slots of the same length that could be booked now, one of each kind that there is.

    `later` is the first free one at or after the wanted start, `earlier` the nearest before it, `elsewhere` the same
    slot on another available resource of at least the capacity, the closest in capacity first. The booking itself,
    when it is one to be moved, does not count as taken. Two statements.
    """
    return list(_find(booking, now=now))


def _find(booking: Booking, *, now: datetime) -> Iterator[Suggestion]:
    here, wanted = booking.resource, booking.slot
    length, since = wanted.duration, next_start(now)
    after = wanted.start if wanted.start >= now + lead_time() else since
    gaps = (
        Resource.objects.filter(pk=here.pk)
        .with_first_gap(after=after, length=length, until=latest_end(now), except_id=booking.pk)
        .with_last_gap(before=wanted.start, length=length, since=since, except_id=booking.pk)
    )
    start, end = gaps.values_list("first_gap", "last_gap_end").get()
    if start is not None:
        yield Suggestion("later", here.pk, here.name, Interval(start, start + length))
    if end is not None and end - since >= length:
        yield Suggestion("earlier", here.pk, here.name, Interval(end - length, end))
    if next_start(now) <= wanted.start and wanted.end <= latest_end(now):
        others = Resource.objects.exclude(pk=here.pk).filter(is_available=True, capacity__gte=here.capacity)
        if booking.pk is not None:
            # Where it is at that very time already, staying is no way out.
            same = Booking.objects.blocking().filter(pk=booking.pk, start_time=wanted.start, end_time=wanted.end)
            others = others.exclude(pk__in=same.values("resource_id"))
        other = others.free_during(wanted, except_id=booking.pk).order_by("capacity", "name", "pk").first()
        if other is not None:
            yield Suggestion("elsewhere", other.pk, other.name, wanted)
