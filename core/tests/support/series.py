"""Series as clients send and read them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource, Series
from core.tests.support.factories import at, text
from core.tests.support.repeating import book_series

SERIES, BOOKINGS = "/api/series/", "/api/bookings/"
TEN = "FREQ=DAILY;COUNT=10"
HOUR = timedelta(hours=1)


def series_body(
    resource: Resource, rrule: str = "FREQ=DAILY;COUNT=3", start: datetime | None = None, **more: object
) -> dict[str, Any]:
    """What a client posts to book from tomorrow on, 10 to 11 UTC, unless said otherwise."""
    start = start or at(10)
    end = start + HOUR
    times = {"start_time": text(start), "end_time": text(end)}
    return {"resource": resource.pk, "rrule": rrule, **times, "time_zone": "UTC", **more}


def make_series(client: APIClient, resource: Resource, rrule: str = "FREQ=DAILY;COUNT=3", **more: Any) -> dict:
    """The answer to a new series."""
    answer = client.post(SERIES, series_body(resource, rrule, **more))
    assert answer.status_code == 201, answer.json()
    return answer.json()


def make_dates(user: User, resource: Resource, rrule: str = "FREQ=DAILY;COUNT=3") -> Series:
    """A series of the user from tomorrow on, 10 to 11 UTC, made without a call."""
    series = book_series(user, resource, rrule).series
    assert series is not None
    return series


def starts(series_id: int) -> list[datetime]:
    """The starts of the dates, in the order of the rule."""
    return list(Booking.objects.filter(series=series_id).order_by("recurrence_id").values_list("start_time", flat=True))


def statuses(series_id: int) -> list[str]:
    """The statuses of the dates, in the order of the rule."""
    return list(Booking.objects.filter(series=series_id).order_by("recurrence_id").values_list("status", flat=True))


def ids_of(made: dict[str, Any]) -> list[int]:
    """The bookings of a series that was just made."""
    return [date["id"] for date in made["made"]]


def on(hour: int, *, day: int) -> dict[str, str]:
    """The times of a booking of an hour."""
    return {"start_time": text(at(hour, day=day)), "end_time": text(at(hour + 1, day=day))}
