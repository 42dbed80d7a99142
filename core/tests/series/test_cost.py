"""What a series costs: it grows with the number of its dates and no faster, and no statement walks through history."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import lifecycle
from core.choices import Scope
from core.lifecycle import Changes, Repeat
from core.lifecycle.series import Outcome
from core.models import Booking, Quota, Resource, ResourcePolicy
from core.recurrence import Rule
from core.tests.support.acts import act
from core.tests.support.factories import at
from core.tests.support.plans import plan_of

pytestmark = pytest.mark.django_db

NOW = at(0)
HALF_HOUR = timedelta(minutes=30)
FEW, MANY = 80, 320


@contextmanager
def counting() -> Iterator[Callable[[], int]]:
    """Counts the calls of functions, which no other process disturbs."""
    number = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal number
        number += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield lambda: number
    finally:
        sys.setprofile(before)


def book(user: User, room: Resource, count: int, hour: float) -> Outcome:
    repeat = Repeat(Rule.parse(f"FREQ=DAILY;COUNT={count}"), at(hour), at(hour) + HALF_HOUR, time_zone="UTC")
    return lifecycle.book_series(user=user, resource_id=room.pk, repeat=repeat, act=act(user, NOW))


def move(made: Outcome, user: User, hour: float) -> None:
    changes = Changes(start_time=at(hour), end_time=at(hour) + HALF_HOUR)
    lifecycle.change_dates(made.bookings[0], scope=Scope.ALL, changes=changes, act=act(user, NOW))


def limit_everything(room: Resource) -> None:
    """A quota of each kind, buffers, and no second booking at the same time."""
    ResourcePolicy.objects.create(resource=room, no_own_overlap=True, buffer_after_minutes=10, grid_minutes=30)
    Quota.objects.create(kind="active", limit=9999)
    Quota.objects.create(kind="minutes", period="week", limit=9999)
    Quota.objects.create(kind="count", period="month", limit=9999)


def test_the_cost_of_a_date_does_not_grow_with_the_number_of_dates(alice: User, room: Resource) -> None:
    limit_everything(room)
    book(alice, room, 3, 2)
    calls = {}
    for count, hour in ((FEW, 5), (MANY, 9)):
        with counting() as number:
            made = book(alice, room, count, hour)
            booked = number()
            move(made, alice, hour + 1)
            calls[count] = (booked, number() - booked)
    for few, many in zip(calls[FEW], calls[MANY], strict=True):
        assert many < 1.4 * (MANY / FEW) * few


@pytest.mark.parametrize("verb", ["book", "move", "cancel", "notes"])
def test_every_statement_of_a_series_uses_an_index(alice: User, room: Resource, verb: str) -> None:
    limit_everything(room)
    made = book(alice, room, 5, 3)
    verbs = {
        "book": lambda: book(alice, room, 5, 8),
        "move": lambda: move(made, alice, 14),
        "cancel": lambda: lifecycle.cancel_some(made.series, act=act(alice, NOW)),
        "notes": lambda: lifecycle.change_notes(made.series, notes="New", act=act(alice, NOW)),
    }
    with CaptureQueriesContext(connection) as captured:
        verbs[verb]()
    of_bookings = [
        each["sql"]
        for each in captured
        if re.match("SELECT|UPDATE", each["sql"]) and re.search('(FROM|UPDATE|JOIN) "core_booking"', each["sql"])
    ]
    assert of_bookings
    for statement in of_bookings:
        plan = plan_of(statement)
        assert walks(plan) == [], f"{statement}\n{plan}"


def walks(plan: str) -> list[str]:
    """The steps of a plan that read the whole table of bookings."""
    if connection.vendor == "sqlite":
        return [step for step in plan.splitlines() if re.match("SCAN (core_booking|U0|V0)", step)]
    whole = "Seq Scan on core_booking"
    return [step for step in plan.splitlines() if whole in step]


def test_the_dates_of_a_series_are_found_by_its_index() -> None:
    query = Booking.objects.filter(series=1).order_by("recurrence_id").values_list("pk")
    with CaptureQueriesContext(connection) as captured:
        list(query)
    plan = plan_of(captured[0]["sql"])
    assert "core_booking_one_of_each_date" in plan, plan
