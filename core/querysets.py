"""Reading bookings and resources: chainable verbs in the words of the domain."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Lead
from django.db.models.lookups import GreaterThanOrEqual

from core.choices import BookingStatus
from core.constraints import BLOCKING_SQL
from core.intervals import Interval

Row = TypeVar("Row", bound=models.Model)

# The length of a booking that merely starts: the database counts in microseconds.
SHORTEST = timedelta(microseconds=1)


class Blocks(Func):
    """True for a status that holds its slot, as literal SQL.

    SQLite uses a partial index only if a query repeats the index's condition word for word; bound parameters do not.
    """

    arity = 1
    template = "%(expressions)s" + BLOCKING_SQL.removeprefix("status")
    output_field = BooleanField()


class BookingQuerySet(models.QuerySet[Any]):
    """Bookings.

    Blocking bookings of one resource never overlap. So the first booking that ends after a moment is also the first one
    that starts, and `ending_after` walks along one index, however long the history is.
    """

    def blocking(self) -> "BookingQuerySet":
        """Those that hold their slot."""
        return self.filter(Blocks("status"))

    def overlapping(self, slot: Interval) -> "BookingQuerySet":
        return self.filter(start_time__lt=slot.end, end_time__gt=slot.start)

    def ending_after(self, moment: datetime) -> "BookingQuerySet":
        """Those that end after the moment, the first to end first."""
        return self.filter(end_time__gt=moment).order_by("end_time")

    def within(self, window: Interval, *, resource_id: int) -> "BookingQuerySet":
        """The blocking bookings of a resource that overlap the window, in order; later bookings are not read."""
        ours = self.blocking().filter(resource_id=resource_id, start_time__lt=window.end)
        return ours.ending_after(window.start).filter(end_time__lte=last_end(window.end, resource_id=resource_id))

    def other_than(self, booking_id: int | None) -> "BookingQuerySet":
        """All but that booking; all if there is no id."""
        return self if booking_id is None else self.exclude(pk=booking_id)

    def visible_to(self, user: User | AnonymousUser) -> "BookingQuerySet":
        """The bookings that a list may show to the user: all for staff, their own for others."""
        return self if user.is_staff else self.filter(user_id=user.pk)

    def upcoming(self, moment: datetime) -> "BookingQuerySet":
        """Those that are not over at that moment."""
        return self.filter(end_time__gt=moment)

    def over(self, moment: datetime) -> "BookingQuerySet":
        """Those that have ended at that moment."""
        return self.filter(end_time__lte=moment)

    def mentioning(self, text: str, *, usernames: bool) -> "BookingQuerySet":
        """Those in whose notes or resource name the text occurs, or in whose user name if `usernames`."""
        words = Q(notes__icontains=text) | Q(resource__name__icontains=text)
        return self.filter(words | Q(user__username__icontains=text) if usernames else words)

    def in_full(self) -> "BookingQuerySet":
        """With their users and resources, which every answer names."""
        return self.select_related("user", "resource")

    def clashes(self, slot: Interval, *, resource_id: int, except_id: int | None, most: int) -> list[Interval]:
        """Up to `most` slots of blocking bookings of the resource that overlap `slot`, in order."""
        others = self.blocking().filter(resource_id=resource_id).other_than(except_id)
        rows = others.ending_after(slot.start).values_list("start_time", "end_time")[:most]
        return [taken for taken in (Interval(*row) for row in rows) if taken.start < slot.end]


class ResourceQuerySet(models.QuerySet[Any]):
    """Resources, with questions about their bookings answered in the same statement."""

    def with_availability(self, window: Interval) -> "ResourceQuerySet":
        """Annotates `availability_status` over the window."""
        last = last_end(window.end, resource_id=OuterRef(OuterRef("pk")))
        inside = bookings_of_outer_resource().overlapping(window).filter(end_time__lte=last)

        def taken(status: BookingStatus) -> Exists:
            return Exists(inside.filter(status=status))

        return self.annotate(
            availability_status=Case(
                When(is_available=False, then=Value("unavailable")),
                When(taken(BookingStatus.CONFIRMED), then=Value("unavailable")),
                When(taken(BookingStatus.PENDING), then=Value("pending")),
                default=Value("available"),
            )
        )

    def mentioning(self, text: str) -> "ResourceQuerySet":
        """Those in whose name or description the text occurs."""
        return self.filter(Q(name__icontains=text) | Q(description__icontains=text))

    def other_than(self, resources: "ResourceQuerySet") -> "ResourceQuerySet":
        """All but those."""
        return self.exclude(pk__in=resources.order_by().values("pk"))

    def free_during(self, slot: Interval, *, except_id: int | None = None) -> "ResourceQuerySet":
        """Those without a blocking booking in the slot; the booking to be moved does not count."""
        first_start = first_start_after(slot.start, otherwise=slot.end, except_id=except_id)
        return self.filter(GreaterThanOrEqual(first_start, Value(slot.end)))

    def bookable_during(self, slot: Interval, *, window: Interval) -> "ResourceQuerySet":
        """Those that can be booked for the whole slot now; a new booking must lie in `window`."""
        return self.filter(is_available=True).free_during(slot) if window.contains(slot) else self.none()

    def with_next_free(self, *, window: Interval) -> "ResourceQuerySet":
        """Annotates `next_free`: the first moment in the window at which a booking can start, or None."""
        return self.with_first_gap("next_free", after=window.start, length=SHORTEST, until=window.end)

    def with_first_gap(
        self,
        name: str = "first_gap",
        *,
        after: datetime,
        length: timedelta,
        until: datetime,
        except_id: int | None = None,
    ) -> "ResourceQuerySet":
        """Annotates the start of the first free slot of a length; None if there is no such slot.

        Args:
            name: The name of the annotation.
            after: The earliest start.
            length: The length of the slot.
            until: The latest end.
            except_id: The booking to be moved, which does not count.
        """
        if until - after < length:
            return self.annotate(**{name: Value(None, output_field=DateTimeField())})
        others = bookings_of_outer_resource().other_than(except_id).ending_after(after)
        # Stop at the first booking that ends after `until`; no later booking can border a gap before it.
        last = last_end(until, resource_id=OuterRef(OuterRef("pk")))
        inside = others.filter(start_time__lt=until, end_time__lte=last)
        gaps = inside.annotate(next_start=Window(Lead("start_time"), order_by="end_time"))
        # Subtract from the later moment: a sum past the year 9999 has no date.
        wide = gaps.filter(Q(next_start__isnull=True) | Q(end_time__lte=F("next_start") - length))
        # Django would move a plain condition on the end before the window function, which then missed the next booking.
        near = wide.values(near=Case(When(end_time__lte=until - length, then="end_time")))
        first_start = first_start_after(after, otherwise=after + length, except_id=except_id)
        start = Case(
            When(is_available=False, then=None),
            When(GreaterThanOrEqual(first_start, Value(after + length)), then=Value(after)),
            default=Subquery(near[:1]),
            output_field=DateTimeField(),
        )
        return self.annotate(**{name: start})

    def with_last_gap(
        self, *, before: datetime, length: timedelta, since: datetime, except_id: int | None = None
    ) -> "ResourceQuerySet":
        """Annotates `last_gap_end`: the end of the last gap of at least `length` that begins before `before`.

        A gap ends at the start of a booking. The gap before the first booking counts from `since`, however short it is.

        Args:
            before: The start of a slot of that length that is not free.
            length: The length of the gap.
            since: The earliest start of a gap.
            except_id: The booking to be moved, which does not count.
        """
        others = bookings_of_outer_resource().other_than(except_id)
        inside = others.filter(start_time__lt=before + length, end_time__gt=since)
        gaps = inside.annotate(previous_end=Window(Lead("end_time"), order_by=F("end_time").desc()))
        # Add to the earlier moment: a difference before the year 1 has no date.
        wide = gaps.filter(Q(previous_end__isnull=True) | Q(start_time__gte=F("previous_end") + length))
        return self.annotate(last_gap_end=Subquery(wide.order_by("-end_time").values("start_time")[:1]))


def bookings_of_outer_resource() -> BookingQuerySet:
    """The blocking bookings of the resource in the outer query."""
    bookings: BookingQuerySet = apps.get_model("core", "Booking").objects.all()
    return bookings.blocking().filter(resource_id=OuterRef("pk"))


def first_start_after(moment: datetime, *, otherwise: datetime, except_id: int | None = None) -> Coalesce:
    """The start of the first blocking booking that ends after the moment, or `otherwise`: one step in an index."""
    first = bookings_of_outer_resource().other_than(except_id).ending_after(moment).values("start_time")[:1]
    return Coalesce(Subquery(first), Value(otherwise), output_field=DateTimeField())


def last_end(moment: datetime, *, resource_id: object) -> Coalesce:
    """The latest possible end of a blocking booking that starts before the moment: one step in an index.

    Blocking bookings do not overlap, so this is the first end at or after the moment, or the moment if there is none.
    """
    bookings: BookingQuerySet = apps.get_model("core", "Booking").objects.all()
    later = bookings.blocking().filter(resource_id=resource_id, end_time__gte=moment)
    return Coalesce(Subquery(later.order_by("end_time").values("end_time")[:1]), Value(moment))


def locked(queryset: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """Locks the rows until the transaction ends, in key order; other rows may still refer to them.

    SQLite has one lock for everything; its transactions take that lock when they begin.
    """
    return queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")
