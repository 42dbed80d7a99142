"""Free time of the resource in the outer query, as conditions and expressions.

Blocking bookings of one resource never overlap, so each answer is a walk along one index.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, DateTimeField, Expression, F, OuterRef, Q, Subquery, Value, When, Window
from django.db.models.functions import Coalesce, Lead
from django.db.models.lookups import GreaterThanOrEqual

from core.intervals import TICK, Interval
from core.prepared import constant
from core.querysets.rows import all_bookings

# The shortest possible booking.
SHORTEST = TICK


def outermost(window: Interval, length: timedelta) -> tuple[Interval | None, Interval | None]:
    """The first slot and the last slot of a length in the window; None if it is too short."""
    if window.duration < length:
        return None, None
    return Interval(window.start, window.start + length), Interval(window.end - length, window.end)


def first_gap(
    first: Interval | None, last: Interval | None, *, length: timedelta, except_id: int | None = None
) -> Expression:
    """The start of the first free slot of the resource in the outer query; null if there is none.

    Args:
        first: The first slot that comes into question; None if there is no room for one.
        last: The last slot that comes into question.
        length: The length of both.
        except_id: The id of a booking to ignore: the moved booking.
    """
    if first is None or last is None:
        return Value(None, output_field=DateTimeField())
    others = bookings_of_outer_resource().other_than(except_id).ending_after(first.start)
    # Stop at the first booking that ends after the last slot; no later booking can border a gap before it.
    last_read = last_end(last.end, resource_id=OuterRef(OuterRef("pk")))
    inside = others.filter(start_time__lt=last.end, end_time__lte=last_read)
    gaps = inside.annotate(next_start=Window(Lead("start_time"), order_by="end_time"))
    # Subtract from the later moment: a result after the year 9999 cannot be stored.
    wide = gaps.filter(Q(next_start__isnull=True) | Q(end_time__lte=F("next_start") - length))
    # A filter on `end_time` would run before the window function and hide the next booking.
    near = wide.values(near=Case(When(end_time__lte=last.start, then="end_time")))
    first_start = first_start_after(first.start, otherwise=first.end, except_id=except_id)
    return Case(
        When(is_available=False, then=None),
        When(GreaterThanOrEqual(first_start, constant(first.end)), then=constant(first.start)),
        default=Subquery(near[:1]),
        output_field=DateTimeField(),
    )


def last_gap_end(before: Interval, *, length: timedelta, except_id: int | None) -> Subquery:
    """The end of the last gap, of the resource in the outer query, in which an earlier slot could lie.

    A gap ends at the start of a booking. The first gap begins with `before`, and may be shorter than `length`.

    Args:
        before: From the earliest start of a gap to the end of the wanted slot.
        length: The length of the wanted slot.
        except_id: The id of a booking to ignore.
    """
    others = bookings_of_outer_resource().other_than(except_id)
    inside = others.filter(start_time__lt=before.end, end_time__gt=before.start)
    gaps = inside.annotate(previous_end=Window(Lead("end_time"), order_by=F("end_time").desc()))
    # Add to the earlier moment: a result before the year 1 cannot be stored.
    wide = gaps.filter(Q(previous_end__isnull=True) | Q(start_time__gte=F("previous_end") + length))
    return Subquery(wide.order_by("-end_time").values("start_time")[:1])


def bookings_of_outer_resource() -> Any:  # noqa: ANN401 - a BookingQuerySet, whose module imports this one
    """The blocking bookings of the resource in the outer query."""
    return all_bookings().blocking().filter(resource_id=OuterRef("pk"))


def is_free(slot: Interval, *, except_id: int | None = None) -> Q:
    """Whether a resource has no blocking booking in the slot; the booking `except_id` is ignored."""
    first_start = first_start_after(slot.start, otherwise=slot.end, except_id=except_id)
    return Q(GreaterThanOrEqual(first_start, constant(slot.end)))


def is_bookable(slot: Interval, *, window: Interval) -> Q:
    """Whether a resource without terms can be booked for the slot; never if the slot is not within `window`."""
    return Q(is_available=True) & is_free(slot) if window.contains(slot) else Q(pk__in=[])


def first_start_after(moment: datetime, *, otherwise: datetime, except_id: int | None = None) -> Coalesce:
    """The start of the first blocking booking that ends after the moment, or `otherwise`: one step in an index."""
    first = bookings_of_outer_resource().other_than(except_id).ending_after(moment).values("start_time")[:1]
    return Coalesce(Subquery(first), constant(otherwise), output_field=DateTimeField())


def last_end(moment: datetime, *, resource_id: object) -> Coalesce:
    """The latest possible end of a blocking booking that starts before the moment: one step in an index.

    Blocking bookings do not overlap, so the result is the first end at or after the moment; the moment without one.
    """
    later = all_bookings().blocking().filter(resource_id=resource_id, end_time__gte=moment)
    return Coalesce(Subquery(later.order_by("end_time").values("end_time")[:1]), constant(moment))
