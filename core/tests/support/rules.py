"""Rules of resources by situation, as staff write them over the API; and days of the coming week."""

from datetime import date, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.factories import at

EVERY_DAY = range(1, 8)


def set_policy(client: APIClient, resource: Resource, **limits: object) -> dict[str, Any]:
    """Writes the whole policy of the resource."""
    answer = client.put(f"/api/resources/{resource.pk}/policy/", limits)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def set_hours(client: APIClient, resource: Resource, *periods: tuple[str, str], days: Any = EVERY_DAY) -> dict:
    """Writes the same periods for each of the weekdays."""
    week = [{"weekday": day, "opens": opens, "closes": closes} for day in days for opens, closes in periods]
    answer = client.put(f"/api/resources/{resource.pk}/opening-hours/", week)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def add_exception(
    client: APIClient,
    resource: Resource | None,
    first: date,
    last: date | None = None,
    *periods: tuple[str, str],
    name: str = "",
) -> dict[str, Any]:
    """Adds an exception of the resource, or of all; without periods it closes the days."""
    hours = [{"opens": opens, "closes": closes} for opens, closes in periods]
    body = {"first_day": str(first), "last_day": str(last or first), "name": name, "hours": hours}
    place = "" if resource is None else f"resources/{resource.pk}/"
    answer = client.post(f"/api/{place}opening-exceptions/", body)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def add_quota(client: APIClient, **values: object) -> dict[str, Any]:
    """Adds a quota."""
    answer = client.post("/api/quotas/", values)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def day_of(number: int = 1) -> date:
    """A day in UTC: 0 is today."""
    return at(0, day=number).date()


def next_weekday(weekday: int, *, after: int = 1) -> int:
    """How many days from today the next such weekday is; Monday is 1. At least `after` days."""
    first = at(0, day=after)
    return after + (weekday - first.isoweekday()) % 7


def hours_from(start: datetime, hours: float) -> datetime:
    """So many hours of elapsed time later."""
    return start + timedelta(hours=hours)
