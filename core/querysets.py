"""The read vocabulary: chainable verbs in the words of the domain."""

from datetime import datetime, timedelta
from typing import Any

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

# What "could start" means: the database counts in microseconds.
SHORTEST = timedelta(microseconds=1)


class Blocks(Func):
    """Whether a status keeps its slot, as literal SQL.

    SQLite uses a partial index only for a query that repeats the index's condition word for word, which bound
    parameters never do.
    """

    arity = 1
    template = "%(expressions)s" + BLOCKING_SQL.removeprefix("status")
    output_field = BooleanField()


class BookingQuerySet(models.QuerySet):
    """Bookings.

    Blocking bookings of one resource never overlap, so the first that ends after a moment is also the first that
    starts: `ending_after` in this order is a walk along one index, however long the history.
    """

    def blocking(self) -> "BookingQuerySet":
        """Those that keep their slot from others."""
        return self.filter(Blocks("status"))

    def overlapping(self, slot: Interval) -> "BookingQuerySet":
        """Those that share a moment with the slot."""
        return self.filter(start_time__lt=slot.end, end_time__gt=slot.start)

    def ending_after(self, moment: datetime) -> "BookingQuerySet":
        """Those not over at that moment, the first to end first."""
        return self.filter(end_time__gt=moment).order_by("end_time")

    def within(self, window: Interval, *, resource_id: int) -> "BookingQuerySet":
        """The blocking bookings of a resource that share a moment with the window, in order.

        What comes behind the window is not read.
        """
        ours = self.blocking().filter(resource_id=resource_id, start_time__lt=window.end)
        return ours.ending_after(window.start).filter(end_time__lte=last_end(window.end, resource_id=resource_id))

    def other_than(self, booking_id: int | None) -> "BookingQuerySet":
        """All but that one; None for all."""
        return self if booking_id is None else self.exclude(pk=booking_id)

    def visible_to(self, user: User | AnonymousUser) -> "BookingQuerySet":
        """What the user may see in a list: staff everything, others their own."""
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
        """With the user and the resource that every answer names."""
        return self.select_related("user", "resource")

    def clashes(self, slot: Interval, *, resource_id: int, except_id: int | None, most: int) -> list[Interval]:
        """Up to `most` blocking slots of the resource that share a moment with `slot`, in order."""
        others = self.blocking().filter(resource_id=resource_id).other_than(except_id)
        rows = others.ending_after(slot.start).values_list("start_time", "end_time")[:most]
        return [taken for taken in (Interval(*row) for row in rows) if taken.start < slot.end]


class ResourceQuerySet(models.QuerySet):
    """Resources."""

    def with_availability(self, window: Interval) -> "ResourceQuerySet":
        """Annotates `availability_status` over the window, in the same statement."""
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
        """Those on which no blocking booking but the one to be moved shares a moment with the slot."""
        first_start = first_start_after(slot.start, otherwise=slot.end, except_id=except_id)
        return self.filter(GreaterThanOrEqual(first_start, Value(slot.end)))

    def bookable_during(self, slot: Interval, *, window: Interval) -> "ResourceQuerySet":
        """Those that a new booking could take for the whole slot; `window` is where a new booking must lie."""
        return self.filter(is_available=True).free_during(slot) if window.contains(slot) else self.none()

    def with_next_free(self, *, window: Interval) -> "ResourceQuerySet":
        """Annotates `next_free`: the first moment in the window at which a booking could start, or None."""
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
        """Annotates when the first free slot of `length` starts; None where there is none.

        Args:
            name: What the annotation is called.
            after: The earliest start.
            length: How long the slot is.
            until: The latest end.
            except_id: A booking that does not count, since it is the one to be moved.
        """
        if until - after < length:
            return self.annotate(**{name: Value(None, output_field=DateTimeField())})
        others = bookings_of_outer_resource().other_than(except_id).ending_after(after)
        # Stop at the first booking that ends after `until`; no later booking can border a gap before it.
        last = last_end(until, resource_id=OuterRef(OuterRef("pk")))
        inside = others.filter(start_time__lt=until, end_time__lte=last)
        gaps = inside.annotate(next_start=Window(Lead("start_time"), order_by="end_time"))
        # Taken from the later moment: what is added to one in year 9999 has no date.
        wide = gaps.filter(Q(next_start__isnull=True) | Q(end_time__lte=F("next_start") - length))
        # A condition on the end alone would go inside, before the window function, and hide the next booking from it.
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
        """Annotates `last_gap_end`: where the last gap of at least `length` ends that begins before `before`.

        A gap ends where a booking starts; the one before the first booking begins at `since`, however short it is.

        Args:
            before: The start of a slot of that length that is not free.
            length: How long the gap is.
            since: The earliest beginning.
            except_id: A booking that does not count, since it is the one to be moved.
        """
        others = bookings_of_outer_resource().other_than(except_id)
        inside = others.filter(start_time__lt=before + length, end_time__gt=since)
        gaps = inside.annotate(previous_end=Window(Lead("end_time"), order_by=F("end_time").desc()))
        # Added to the earlier moment: what is subtracted from one in year 1 has no date.
        wide = gaps.filter(Q(previous_end__isnull=True) | Q(start_time__gte=F("previous_end") + length))
        return self.annotate(last_gap_end=Subquery(wide.order_by("-end_time").values("start_time")[:1]))


def bookings_of_outer_resource() -> BookingQuerySet:
    """The blocking bookings of the resource that the outer query is at."""
    bookings: BookingQuerySet = apps.get_model("core", "Booking").objects.all()
    return bookings.blocking().filter(resource_id=OuterRef("pk"))


def first_start_after(moment: datetime, *, otherwise: datetime, except_id: int | None = None) -> Coalesce:
    """When the first blocking booking starts that is not over at that moment, or `otherwise`: one step in an index."""
    first = bookings_of_outer_resource().other_than(except_id).ending_after(moment).values("start_time")[:1]
    return Coalesce(Subquery(first), Value(otherwise), output_field=DateTimeField())


def last_end(moment: datetime, *, resource_id: object) -> Coalesce:
    """When the last blocking booking can end that starts before that moment: one step in an index.

    Since they do not overlap, that is the first end at or after the moment, or the moment where nothing ends later.
    """
    bookings: BookingQuerySet = apps.get_model("core", "Booking").objects.all()
    later = bookings.blocking().filter(resource_id=resource_id, end_time__gte=moment)
    return Coalesce(Subquery(later.order_by("end_time").values("end_time")[:1]), Value(moment))


def locked(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows locked until the transaction ends, in key order; other rows may still refer to them meanwhile.

    SQLite has one lock for all, which its transactions take at their beginning.
    """
    return queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")
