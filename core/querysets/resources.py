"""The QuerySet methods of resources."""

from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import BooleanField, Case, Count, Exists, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from core.choices import BookingStatus, Kind
from core.functions import JsonRows
from core.intervals import Interval
from core.querysets.gaps import SHORTEST, bookings_of_outer_resource, first_gap, is_free, last_end, outermost
from core.querysets.rows import rows_of

# The columns of the rules that `core.terms` reads.
POLICY = (
    "min_minutes",
    "max_minutes",
    "grid_minutes",
    "notice_minutes",
    "change_notice_minutes",
    "cancel_notice_minutes",
    "advance_days",
    "buffer_before_minutes",
    "buffer_after_minutes",
    "may_span_closed",
    "no_own_overlap",
)
# The columns of a policy, and of the bookings that keep them.
BUFFERS = ("buffer_before_minutes", "buffer_after_minutes")
HOURS = ("weekday", "opens", "closes")
EXCEPTION = ("first_day", "last_day", "name", "hours")
TERMS = ("policy_json", "hours_json", "exceptions_json", "quotas_json", "house_exceptions_json", "house_quotas_json")
QUOTA = ("id", "group_id", "resource_id", "kind", "period", "limit")


class HouseHasTerms(Func):
    """True if any exception or quota holds for all resources; the database evaluates it once for a whole list."""

    template = (
        "(EXISTS (SELECT 1 FROM core_openingexception WHERE resource_id IS NULL) "
        "OR EXISTS (SELECT 1 FROM core_quota WHERE resource_id IS NULL))"
    )
    arity = 0
    output_field = BooleanField()


class ResourceQuerySet(models.QuerySet[Any]):
    """Resources; the annotations from their bookings cost no further statement."""

    def with_house(self) -> "ResourceQuerySet":
        """Annotates `house_has_terms`: whether terms of all resources have to be read; see `core.terms`."""
        return self.annotate(house_has_terms=HouseHasTerms())

    def with_any_terms(self) -> "ResourceQuerySet":
        """Resources whose terms have to be read before anybody knows what can be booked of them."""
        return self.with_house().filter(Q(has_terms=True) | Q(house_has_terms=True))

    def with_terms(self, *, since: date) -> "ResourceQuerySet":
        """Annotates the policy, the hours, the exceptions from a day on, and the quotas, each as a JSON text.

        The names are those in `TERMS`. The rules for all resources come with each of them; they are read once.
        """
        exceptions = rows_of("OpeningException").filter(last_day__gte=since).values(*EXCEPTION)
        quotas = rows_of("Quota").values(*QUOTA)
        mine = {"resource_id": OuterRef("pk")}
        texts = (
            rows_of("ResourcePolicy").filter(**mine).values(*POLICY),
            rows_of("OpeningHours").filter(**mine).values(*HOURS),
            exceptions.filter(**mine),
            quotas.filter(**mine),
            exceptions.filter(resource=None),
            quotas.filter(resource=None),
        )
        return self.annotate(**{name: JsonRows(rows) for name, rows in zip(TERMS, texts, strict=True)})

    def with_availability(self, window: Interval) -> "ResourceQuerySet":
        """Annotates the `availability_status` in the window."""
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

    def with_bookings_in(self, window: Interval, *, status: BookingStatus | None = None) -> "ResourceQuerySet":
        """Annotates `number`: how many bookings hold their slot and overlap the window; walks along one index.

        Args:
            window: The window.
            status: Only those with this status; None for all that hold their slot.
        """
        last = last_end(window.end, resource_id=OuterRef(OuterRef("pk")))
        inside = bookings_of_outer_resource().filter(kind=Kind.BOOKING).overlapping(window).filter(end_time__lte=last)
        if status is not None:
            inside = inside.filter(status=status)
        counted = inside.order_by().values("resource_id").annotate(number=Count("pk")).values("number")
        return self.annotate(number=Coalesce(Subquery(counted), 0))

    def mentioning(self, text: str) -> "ResourceQuerySet":
        """Resources with the text in the name or the description."""
        return self.filter(Q(name__mentions=text) | Q(description__mentions=text))

    def free_during(self, slot: Interval, *, except_id: int | None = None) -> "ResourceQuerySet":
        """Resources without a blocking booking in the slot; the booking `except_id` is ignored."""
        return self.filter(is_free(slot, except_id=except_id))

    def with_next_free(self, *, window: Interval) -> "ResourceQuerySet":
        """Annotates `next_free`: the first possible start of a booking in the window, or None."""
        first, last = outermost(window, SHORTEST)
        return self.with_first_gap(first, last, length=SHORTEST, name="next_free")

    def with_first_gap(
        self, first: Interval | None, last: Interval | None, *, length: timedelta, name: str = "first_gap"
    ) -> "ResourceQuerySet":
        """Annotates the start of the first free slot of a length; see `first_gap`."""
        return self.annotate(**{name: first_gap(first, last, length=length)})
