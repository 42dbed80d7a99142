"""The dates of one series meet each other: they count in quotas, and need gaps between them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from core import errors, lifecycle
from core.choices import IfRefused, Scope
from core.lifecycle import Changes, Repeat
from core.lifecycle.series import Outcome
from core.models import Booking, Quota, Resource, ResourcePolicy
from core.recurrence import Rule
from core.tests.support.acts import act
from core.tests.support.factories import at, make_resource

pytestmark = pytest.mark.django_db

NOW = at(0)
HOUR = timedelta(hours=1)


def book(user: User, room: Resource, rule: str, *, hours: float = 1) -> Outcome:
    repeat = Repeat(Rule.parse(rule), at(10), at(10) + hours * HOUR, time_zone="UTC")
    return lifecycle.book_series(
        user=user, resource_id=room.pk, repeat=repeat, on_conflict=IfRefused.SKIP, act=act(user, NOW)
    )


def codes(made: Outcome) -> list[str]:
    return [each.error.code if each.error else "" for each in made.verdicts]


@pytest.mark.parametrize("kind", ["count", "minutes"])
def test_a_quota_of_each_month_counts_the_dates_before(alice: User, room: Resource, kind: str) -> None:
    Quota.objects.create(kind=kind, period="month", limit=3 * (60 if kind == "minutes" else 1))
    made = book(alice, room, "FREQ=DAILY;COUNT=40")
    months: dict[int, int] = {}
    for verdict in made.verdicts:
        month = verdict.local_start.month
        months[month] = months.get(month, 0) + 1
        assert (verdict.error is None) == (months[month] <= 3), verdict
    assert set(codes(made)) == {"", "quota_exceeded"}


def test_dates_need_gaps_to_the_dates_before(alice: User, room: Resource) -> None:
    ResourcePolicy.objects.create(resource=room, buffer_after_minutes=60)
    made = book(alice, room, "FREQ=DAILY;COUNT=5", hours=23.5)
    assert codes(made) == ["", "too_close", "", "too_close", ""]


def test_dates_that_move_together_meet_all_others_where_they_go(alice: User, room: Resource) -> None:
    there = make_resource("There")
    made = book(alice, room, "FREQ=DAILY;COUNT=4")
    Quota.objects.create(kind="active", resource=there, limit=3)
    with pytest.raises(errors.DatesRefused) as refused:
        lifecycle.change_dates(
            made.bookings[1], scope=Scope.ALL, changes=Changes(resource_id=there.pk), act=act(alice, NOW)
        )
    assert [each.error.code for each in refused.value.dates] == ["quota_exceeded"] * 4
    assert set(Booking.objects.values_list("resource", flat=True)) == {room.pk}
