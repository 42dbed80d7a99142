"""Data by situation: plain functions, no random values, no far-away dates."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from core.choices import BookingStatus
from core.models import Booking, Resource

PASSWORD = "correct-horse-9-battery"

# One day for a whole run, even over midnight; a run begun in the last hour of a day takes the next, so that all of
# tomorrow can still be booked.
TODAY = (timezone.now() + timedelta(hours=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def at(hour: float, *, day: int = 1) -> datetime:
    """That hour (UTC) of a day from today on: 1 is tomorrow, -1 yesterday."""
    return TODAY + timedelta(days=day, hours=hour)


def text(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.isoformat().replace("+00:00", "Z")


def make_user(username: str, *, email: str | None = None, **flags: bool) -> User:
    return User.objects.create_user(username, email or f"{username}@example.org", PASSWORD, **flags)


def make_resource(name: str = "Blue room", *, requires_approval: bool = False, **more: object) -> Resource:
    return Resource.objects.create(name=name, requires_approval=requires_approval, **more)


def make_booking(
    user: User,
    resource: Resource,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    status: str = BookingStatus.CONFIRMED,
    notes: str = "",
) -> Booking:
    """A booking of tomorrow, 10 to 11, unless said otherwise."""
    start = start or at(10)
    return Booking.objects.create(
        user=user,
        resource=resource,
        start_time=start,
        end_time=end or start + timedelta(hours=1),
        status=status,
        notes=notes,
    )


def make_cancelled_bookings(user: User, resource: Resource, number: int, *, notes: str = "") -> None:
    """So many bookings of tomorrow, 1 to 2; the database makes all but the first, which takes a tenth of the time."""
    first = make_booking(user, resource, at(1), status=BookingStatus.CANCELLED, notes=notes)
    # The database has defaults for the key and the identity.
    own = {"id", "calendar_uid"}
    columns = ", ".join(field.column for field in Booking._meta.concrete_fields if field.column not in own)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO core_booking ({columns}) "
            "WITH RECURSIVE copies (copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy < %s) "
            f"SELECT {columns} FROM core_booking, copies WHERE id = %s",
            [number - 1, first.pk],
        )


def make_pending_booking(user: User, resource: Resource, start: datetime | None = None) -> Booking:
    return make_booking(user, resource, start, status=BookingStatus.PENDING)


def make_cancelled_booking(user: User, resource: Resource, start: datetime | None = None) -> Booking:
    return make_booking(user, resource, start, status=BookingStatus.CANCELLED)


def make_rejected_booking(user: User, resource: Resource, start: datetime | None = None) -> Booking:
    return make_booking(user, resource, start, status=BookingStatus.REJECTED)


def make_ended_booking(user: User, resource: Resource) -> Booking:
    """One that was yesterday, 10 to 11."""
    return make_booking(user, resource, at(10, day=-1))


def booking_body(
    resource: Resource, start: datetime | None = None, end: datetime | None = None, **more: object
) -> dict:
    """What a client posts to book tomorrow, 10 to 11, unless said otherwise."""
    start = start or at(10)
    return {
        "resource": resource.pk,
        "start_time": text(start),
        "end_time": text(end or start + timedelta(hours=1)),
        **more,
    }
