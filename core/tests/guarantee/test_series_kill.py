"""The process that books or moves a series is killed in the middle: the series is whole then, or as it was."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.authtoken.models import Token

from core.api.models import IdempotencyKey
from core.models import Booking, Resource, Series
from core.record.models import BookingEvent
from core.tests.support.clients import client_of
from core.tests.support.factories import at, text
from core.tests.support.killing import Caller, single_worker, soon, stalled
from core.tests.support.overlaps import everything, overlapping_pairs
from core.tests.support.series import make_series, series_body

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

URL = "/api/series/"
DATES = 10
DAILY = f"FREQ=DAILY;COUNT={DATES}"

WHILE_BOOKING = {
    "before the last date": ("INSERT ON core_booking", "NEW.start_time > '{last}'"),
    "before the record of the dates": ("INSERT ON core_bookingevent", "NEW.kind = 'booking.created'"),
}
WHILE_MOVING = {
    "when all dates are released": ("UPDATE ON core_booking", "OLD.status = 'cancelled' AND NEW.status = 'confirmed'"),
    "before the record of the dates": ("INSERT ON core_bookingevent", "NEW.kind = 'booking.changed'"),
}


@pytest.mark.parametrize("where", WHILE_BOOKING)
def test_of_a_series_that_is_killed_on_the_way_nothing_is_left(alice: User, room: Resource, where: str) -> None:
    token, body = Token.objects.create(user=alice).key, series_body(room, DAILY)
    event, when = WHILE_BOOKING[where]
    when = when.format(last=connection.ops.adapt_datetimefield_value(at(0, day=DATES)))
    with single_worker() as one:
        with stalled(event, when) as waiting:
            caller = Caller(one.call, token, "POST", URL, body)
            soon(lambda: waiting() == 1)
            one.kill_worker()
            assert isinstance(caller.told(), OSError)
        for model in (Series, Booking, BookingEvent, IdempotencyKey):
            assert not model._default_manager.exists()

        first, again = (one.call(token, "POST", URL, body) for _ in range(2))

    assert (first.status, first.replayed, again.replayed) == (201, False, True)
    assert again.body == first.body
    assert (Series.objects.count(), Booking.objects.count()) == (1, DATES)
    assert sorted(BookingEvent.objects.values_list("kind", flat=True)) == ["booking.created"] * DATES + ["series.made"]


@pytest.mark.parametrize("where", WHILE_MOVING)
def test_a_series_that_is_killed_while_it_moves_stays_where_it_was(alice: User, room: Resource, where: str) -> None:
    token = Token.objects.create(user=alice).key
    series = make_series(client_of(alice), room, DAILY)
    first = Booking.objects.order_by("start_time")[0]
    path = f"/api/bookings/{first.pk}/?scope=all"
    body = {"start_time": text(at(10.5)), "end_time": text(at(11.5))}
    before, told = everything(), BookingEvent.objects.count()
    starts = list(Booking.objects.order_by("pk").values_list("recurrence_id", flat=True))
    with single_worker() as one:
        with stalled(*WHILE_MOVING[where]) as waiting:
            caller = Caller(one.call, token, "PATCH", path, body)
            soon(lambda: waiting() == 1)
            one.kill_worker()
            assert isinstance(caller.told(), OSError)
        assert everything() == before
        assert BookingEvent.objects.count() == told
        assert list(Booking.objects.order_by("pk").values_list("recurrence_id", flat=True)) == starts
        assert Series.objects.get().local_start == series["start_time"]

        assert one.call(token, "PATCH", path, body).status == 200

    assert {row.start_time.minute for row in Booking.objects.all()} == {30}
    assert BookingEvent.objects.filter(series_act_id__isnull=False, kind="booking.changed").count() == DATES
    assert overlapping_pairs() == []
