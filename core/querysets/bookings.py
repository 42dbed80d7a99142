"""The QuerySet methods of bookings."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from django.db.models import BooleanField, F, Func, Q

from core.choices import BookingStatus
from core.constraints import BLOCKING_SQL
from core.functions import Is
from core.intervals import Interval
from core.querysets.gaps import last_end
from core.querysets.rows import rows_of

# A search by so many resources or users looks for the bookings of each.
MOST_NAMED = 200


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

    def owned_by(self, user_id: int | None) -> "BookingQuerySet":
        """The bookings of a user; every booking for None."""
        return self if user_id is None else self.filter(user_id=user_id)

    def upcoming(self, moment: datetime) -> "BookingQuerySet":
        """Bookings that end after the moment."""
        return self.filter(end_time__gt=moment)

    def over(self, moment: datetime) -> "BookingQuerySet":
        """Bookings that have ended by the moment."""
        return self.filter(end_time__lte=moment)

    def waiting(self, moment: datetime) -> "BookingQuerySet":
        """Pending bookings that are not over: those that staff confirm or reject."""
        return self.filter(Is("status", value=BookingStatus.PENDING.value), end_time__gt=moment)

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
