"""Series for tests that call the verbs themselves."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from core import lifecycle
from core.choices import IfRefused
from core.lifecycle import Outcome, Repeat
from core.models import Booking, Resource, Series
from core.recurrence import Rule
from core.tests.support.acts import act
from core.tests.support.factories import at


def book_series(
    user: User,
    resource: Resource,
    rule: str = "FREQ=DAILY;COUNT=10",
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    time_zone: str = "UTC",
    by: User | None = None,
    now: datetime | None = None,
    on_conflict: IfRefused = IfRefused.FAIL,
    **more: str,
) -> Outcome:
    """A series of ten days from tomorrow on, 10 to 11, unless said otherwise."""
    start = start or at(10)
    repeat = Repeat(Rule.parse(rule), start, end or start + timedelta(hours=1), time_zone=time_zone)
    return lifecycle.book_series(
        user=user,
        resource_id=resource.pk,
        repeat=repeat,
        on_conflict=on_conflict,
        act=act(by or user, now),
        **more,
    )


def dates_of(series: Series) -> list[Booking]:
    """The dates of a series, in the order of its rule."""
    return list(Booking.objects.in_full().filter(series=series).order_by("recurrence_id"))
