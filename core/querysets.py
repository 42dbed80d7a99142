"""The read vocabulary: chainable verbs in the words of the domain."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models
from django.db.models import BooleanField, Case, Exists, F, Func, OuterRef, Q, Value, When, Window
from django.db.models.functions import Lead

from core.choices import BookingStatus
from core.constraints import BLOCKING_SQL
from core.intervals import Interval


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

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> "BookingQuerySet":
        """What the user may see in a list: staff everything, others their own."""
        return self if user.is_staff else self.filter(user_id=user.pk)

    def in_full(self) -> "BookingQuerySet":
        """With the user and the resource that every answer names."""
        return self.select_related("user", "resource")

    def clashes(self, slot: Interval, *, resource_id: int, except_id: int | None, most: int) -> list[Interval]:
        """Up to `most` blocking slots of the resource that share a moment with `slot`, in order."""
        others = self.blocking().filter(resource_id=resource_id).exclude(pk=except_id)
        rows = others.ending_after(slot.start).values_list("start_time", "end_time")[:most]
        return [taken for taken in (Interval(*row) for row in rows) if taken.start < slot.end]

    def first_gap(
        self, *, resource_id: int, after: datetime, length: timedelta, until: datetime, except_id: int | None = None
    ) -> Interval | None:
        """The first free slot of the resource that is `length` long and starts at or after `after`.

        Args:
            resource_id: The resource.
            after: The earliest start.
            length: How long the slot is.
            until: The latest end.
            except_id: A booking that does not count, since it is the one to be moved.

        Returns:
            The slot, or None where there is none before `until`.
        """
        others = self.blocking().filter(resource_id=resource_id).exclude(pk=except_id).ending_after(after)
        first = others.values_list("start_time", flat=True).first()
        start: datetime | None = after
        if first is not None and first < after + length:
            gaps = others.annotate(next_start=Window(Lead("start_time"), order_by="end_time"))
            wide = gaps.filter(Q(next_start__isnull=True) | Q(next_start__gte=F("end_time") + length))
            start = wide.values_list("end_time", flat=True).first()
        if start is None or start + length > until:
            return None
        return Interval(start, start + length)


class ResourceQuerySet(models.QuerySet):
    """Resources."""

    def with_availability(self, window: Interval) -> "ResourceQuerySet":
        """Annotates `availability_status` over the window, in the same statement."""
        all_bookings: BookingQuerySet = self.model._meta.get_field("bookings").related_model.objects.all()

        def taken(status: BookingStatus) -> Exists:
            bookings = all_bookings.blocking().filter(resource_id=OuterRef("pk"), status=status)
            return Exists(bookings.overlapping(window))

        return self.annotate(
            availability_status=Case(
                When(is_available=False, then=Value("unavailable")),
                When(taken(BookingStatus.CONFIRMED), then=Value("unavailable")),
                When(taken(BookingStatus.PENDING), then=Value("pending")),
                default=Value("available"),
            )
        )


def locked(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """The rows locked until the transaction ends, in key order; other rows may still refer to them meanwhile.

    SQLite has one lock for all, which its transactions take at their beginning.
    """
    return queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")
