"""The QuerySet methods of bookings and resources."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    Expression,
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
from core.functions import Is, JsonRows
from core.intervals import TICK, Interval
from core.prepared import constant

Row = TypeVar("Row", bound=models.Model)

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

# A search by so many resources or users looks for the bookings of each.
MOST_NAMED = 200

# The shortest possible booking.
SHORTEST = TICK


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
        """Bookings that hold their slot."""
        return self.filter(Blocks("status"))

    def overlapping(self, slot: Interval) -> "BookingQuerySet":
        return self.filter(start_time__lt=slot.end, end_time__gt=slot.start)

    def ending_after(self, moment: datetime) -> "BookingQuerySet":
        """Bookings that end after the moment, in the order of their ends."""
        return self.filter(end_time__gt=moment).order_by("end_time")

    def within(self, window: Interval, *, resource_id: int) -> "BookingQuerySet":
        """The blocking bookings of a resource that overlap the window, in order; the query reads no later booking."""
        ours = self.blocking().filter(resource_id=resource_id, start_time__lt=window.end)
        return ours.ending_after(window.start).filter(end_time__lte=last_end(window.end, resource_id=resource_id))

    def other_than(self, booking_id: int | None) -> "BookingQuerySet":
        """Bookings with another id; every booking for None."""
        return self if booking_id is None else self.exclude(pk=booking_id)

    def visible_to(self, user: User | AnonymousUser) -> "BookingQuerySet":
        """Bookings that a list may show to the user: every booking to staff, their own to others."""
        return self if user.is_staff else self.filter(user_id=user.pk)

    def upcoming(self, moment: datetime) -> "BookingQuerySet":
        """Bookings that end after the moment."""
        return self.filter(end_time__gt=moment)

    def over(self, moment: datetime) -> "BookingQuerySet":
        """Bookings that have ended by the moment."""
        return self.filter(end_time__lte=moment)

    def expiring(self) -> "BookingQuerySet":
        """Bookings that expire at their start if they are still pending then; see `rules.has_expired`."""
        return self.filter(Is("status", value=BookingStatus.PENDING.value), updated_at__lt=F("start_time"))

    def expired(self, moment: datetime) -> "BookingQuerySet":
        """Pending bookings whose start passed while they waited, earliest first."""
        return self.expiring().filter(start_time__lte=moment).order_by("start_time", "id")

    def mentioning(self, text: str, *, of_user: Collection[str] = ()) -> "BookingQuerySet":
        """Bookings with the text in the notes, the resource name or one of those columns of the user.

        Without `of_user` these are the bookings of one person: one statement reads them. A search in all bookings first
        asks for the resources and the users, in two further statements.
        """
        in_notes, resources = Q(notes__mentions=text), rows_of("Resource").filter(name__mentions=text)
        if not of_user:
            return self.filter(in_notes | Q(resource__in=resources))
        users = User.objects.filter(reduce(or_, (Q(**{f"{column}__mentions": text}) for column in of_user)))
        return self.filter(in_notes | belongs_to("resource", resources) | belongs_to("user", users))

    def for_calendar(self) -> "BookingQuerySet":
        """Bookings with their users and resources, and when each of the two last changed."""
        changes = {"resource_changed": F("resource__updated_at"), "user_changed": F("user__profile__updated_at")}
        return self.in_full().annotate(**changes)

    def in_full(self) -> "BookingQuerySet":
        """Bookings with their users and resources, in one statement."""
        return self.select_related("user", "resource")

    def neighbours(self, slot: Interval, *, resource_id: int, except_id: int | None, reach: timedelta) -> list[Any]:
        """The blocking rows of the resource that lie less than `reach` away from the slot, in order."""
        near = Interval(slot.start - reach, slot.end + reach)
        return list(self.within(near, resource_id=resource_id).other_than(except_id))

    def taken_in(self, window: Interval, *, resource_ids: Collection[int]) -> "BookingQuerySet":
        """The blocking rows of the resources that overlap the window, by resource and in order."""
        ours = self.blocking().filter(resource_id__any_of=resource_ids)
        return ours.overlapping(window).order_by("resource_id", "end_time")


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


def all_bookings() -> BookingQuerySet:
    """Every booking and closure; by the name of the model, because `core.models` imports this module."""
    bookings: BookingQuerySet = apps.get_model("core", "Booking").taken.all()
    return bookings


def rows_of(model: str) -> models.QuerySet[Any]:
    """The rows of a table of rules; by the name of the model, because `core.models` imports this module."""
    rows: models.QuerySet[Any] = apps.get_model("core", model)._default_manager.all()
    return rows


def belongs_to(name: str, rows: models.QuerySet[Any]) -> Q:
    """The condition for bookings that refer by the foreign key `name` to one of the rows; asks the database at once.

    Args:
        name: The name of the foreign key.
        rows: The rows of a small table.
    """
    ids = list(rows.order_by().values_list("pk", flat=True)[: MOST_NAMED + 1])
    # A database that sees the few ids finds their bookings by an index. Where there are many, it walks along the list
    # and soon has a page; it looks each id up in a table that it makes of the subquery.
    return Q(**{f"{name}_id__in": ids if len(ids) <= MOST_NAMED else rows.values("pk")})


def bookings_of_outer_resource() -> BookingQuerySet:
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


def locked(queryset: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """Locks the rows until the transaction ends, in key order; inserts with a foreign key to them do not wait.

    SQLite has one write lock for the whole database; each transaction takes that lock at its beginning.
    """
    return queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")
