"""The verbs of series, below any door."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import errors, lifecycle
from core.choices import IfRefused, Scope
from core.lifecycle import Changes, Repeat
from core.models import Booking, Resource, Series, SkippedDate
from core.record.acts import Act
from core.record.kinds import Channel
from core.record.models import BookingEvent
from core.recurrence import Rule
from core.tests.support.factories import at, make_booking, make_resource, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def world():
    return make_user("anna"), make_resource("Blue room")


def act_of(user):
    return Act(by=user, now=at(0), channel=Channel.API)


def book(user, resource, rule="FREQ=DAILY;COUNT=10", *, start=None, hours=1, zone="UTC", **more):
    start = start or at(10, day=1)
    repeat = Repeat(Rule.parse(rule), start, start + hours * HOUR, time_zone=zone)
    return lifecycle.book_series(user=user, resource_id=resource.pk, repeat=repeat, act=act_of(user), **more)


def rows(series):
    return list(Booking.objects.filter(series=series).order_by("recurrence_id"))


def test_a_series_of_ten_is_ten_bookings(world):
    anna, room = world
    made = book(anna, room)
    assert [row.start_time for row in rows(made.series)] == [at(10, day=day) for day in range(1, 11)]
    assert len({row.calendar_uid for row in rows(made.series)}) == 10
    kinds = list(BookingEvent.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["series.made"] + ["booking.created"] * 10


def test_three_of_ten_taken(world):
    anna, room = world
    bert = make_user("bert")
    for day in (2, 4, 6):
        make_booking(bert, room, at(10.5, day=day), at(11.5, day=day))
    with pytest.raises(errors.DatesRefused) as refused:
        book(anna, room)
    assert [verdict.slot.start for verdict in refused.value.dates] == [at(10, day=day) for day in (2, 4, 6)]
    assert {verdict.error.code for verdict in refused.value.dates} == {"slot_taken"}
    assert refused.value.dates[0].error.conflicts[0].start == at(10.5, day=2)
    assert refused.value.dates[0].error.suggestion.start == at(11.5, day=2)
    assert not Series.objects.exists()
    made = book(anna, room, on_conflict=IfRefused.SKIP)
    assert len(made.bookings) == 7
    assert [each.slot.start for each in made.skipped] == [at(10, day=day) for day in (2, 4, 6)]
    assert SkippedDate.objects.filter(series=made.series, code="slot_taken").count() == 3


def test_all_taken_leaves_no_empty_series(world):
    anna, room = world
    make_booking(make_user("bert"), room, at(0, day=1), at(0, day=12))
    with pytest.raises(errors.DatesRefused):
        book(anna, room, on_conflict=IfRefused.SKIP)
    assert not Series.objects.exists()


def test_a_start_of_long_ago_is_refused_before_any_search(world, monkeypatch):
    monkeypatch.setattr("core.lifecycle.series.expand", lambda *args, **kwargs: pytest.fail("searched"))
    with pytest.raises(errors.StartInPast):
        book(*world, "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5", start=at(10, day=-1827))


def test_all_move_by_an_hour_onto_their_own_neighbours(world):
    anna, room = world
    made = book(anna, room, hours=24)
    first = rows(made.series)[0]
    changes = Changes(start_time=at(11, day=1), end_time=at(11, day=2))
    changed = lifecycle.change_dates(first, scope=Scope.ALL, changes=changes, act=act_of(anna))
    assert changed.start_time == at(11, day=1)
    assert [row.start_time for row in rows(made.series)] == [at(11, day=day) for day in range(1, 11)]
    assert {row.calendar_sequence for row in rows(made.series)} == {1}
    assert {row.status for row in rows(made.series)} == {"confirmed"}
    assert [row.recurrence_id for row in rows(made.series)] == [row.start_time for row in rows(made.series)]
    made.series.refresh_from_db()
    assert made.series.start == at(11, day=1).replace(tzinfo=None)


def test_a_taken_target_refuses_all(world):
    anna, room = world
    made = book(anna, room)
    make_booking(make_user("bert"), room, at(11, day=3), at(12, day=3))
    changes = Changes(start_time=at(11, day=1), end_time=at(12, day=1))
    with pytest.raises(errors.DatesRefused) as refused:
        lifecycle.change_dates(rows(made.series)[0], scope=Scope.ALL, changes=changes, act=act_of(anna))
    assert [each.slot.start for each in refused.value.dates] == [at(11, day=3)]
    assert [row.start_time for row in rows(made.series)] == [at(10, day=day) for day in range(1, 11)]


def test_following_on_the_third_of_ten(world):
    anna, room = world
    made = book(anna, room)
    third = rows(made.series)[2]
    uids = [row.calendar_uid for row in rows(made.series)]
    changes = Changes(start_time=at(14, day=3), end_time=at(15, day=3))
    changed = lifecycle.change_dates(third, scope=Scope.FOLLOWING, changes=changes, act=act_of(anna))
    assert changed.series_id != made.series.pk
    second = Series.objects.get(pk=changed.series_id)
    assert second.previous == made.series
    assert [row.start_time for row in rows(made.series)] == [at(10, day=day) for day in (1, 2)]
    assert [row.start_time for row in rows(second)] == [at(14, day=day) for day in range(3, 11)]
    assert [row.calendar_uid for row in (*rows(made.series), *rows(second))] == uids
    made.series.refresh_from_db()
    assert (made.series.rrule, second.rrule) == ("FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=8")


def test_a_cancelled_date_stays_cancelled_and_its_stranger_is_in_nobody_s_way(world):
    anna, room = world
    made = book(anna, room)
    fourth = rows(made.series)[3]
    lifecycle.cancel(fourth, act=act_of(anna))
    make_booking(make_user("bert"), room, at(10, day=4), at(12, day=4))
    changes = Changes(start_time=at(11, day=1), end_time=at(12, day=1))
    lifecycle.change_dates(rows(made.series)[0], scope=Scope.ALL, changes=changes, act=act_of(anna))
    after = rows(made.series)
    assert after[3].status == "cancelled"
    assert [row.start_time for row in after if row.blocks] == [at(11, day=day) for day in range(1, 11) if day != 4]


def test_own_changes_are_kept_unless_reset(world):
    anna, room = world
    made = book(anna, room, notes="weekly")
    dates = rows(made.series)
    lifecycle.change(dates[1], changes=Changes(start_time=at(16, day=2), end_time=at(17, day=2)), act=act_of(anna))
    lifecycle.change(dates[2], changes=Changes(notes="mine"), act=act_of(anna))
    lifecycle.cancel(dates[3], act=act_of(anna))
    changes = Changes(start_time=at(11, day=1), end_time=at(12, day=1), notes="all")
    lifecycle.change_dates(dates[0], scope=Scope.ALL, changes=changes, act=act_of(anna))
    after = rows(made.series)
    assert (after[1].start_time, after[1].notes) == (at(16, day=2), "all")
    assert (after[2].start_time, after[2].notes) == (at(11, day=3), "mine")
    assert after[3].status == "cancelled"
    lifecycle.change_dates(
        after[0], scope=Scope.ALL, changes=Changes(notes="every"), act=act_of(anna), reset_exceptions=True
    )
    after = rows(made.series)
    assert [row.start_time for row in after] == [at(11, day=day) for day in range(1, 11)]
    assert {(row.notes, row.status) for row in after} == {("every", "confirmed")}


def test_notes_of_all_while_the_resource_is_out_of_service(world):
    anna, room = world
    made = book(anna, room)
    Resource.objects.update(is_available=False)
    lifecycle.change_notes(made.series, notes="new", act=act_of(anna))
    assert {row.notes for row in rows(made.series)} == {"new"}


def test_cancelling_all_and_some(world):
    anna, room = world
    made = book(anna, room)
    gone = lifecycle.cancel_some(made.series, ids=[rows(made.series)[0].pk], act=act_of(anna))
    assert [row.start_time for row in gone] == [at(10, day=1)]
    lifecycle.cancel_dates(rows(made.series)[7], scope=Scope.FOLLOWING, act=act_of(anna))
    assert [row.blocks for row in rows(made.series)] == [False, *[True] * 6, *[False] * 3]
    lifecycle.cancel_some(made.series, act=act_of(anna))
    assert not any(row.blocks for row in rows(made.series))


def test_all_move_to_another_resource_but_those_that_moved_alone(world):
    anna, room = world
    green, red = make_resource("Green room"), make_resource("Red room", requires_approval=True)
    made = book(anna, room)
    lifecycle.change(rows(made.series)[2], changes=Changes(resource_id=green.pk), act=act_of(anna))
    changes = Changes(resource_id=red.pk)
    lifecycle.change_dates(rows(made.series)[0], scope=Scope.ALL, changes=changes, act=act_of(anna))
    after = rows(made.series)
    assert [row.resource_id for row in after] == [red.pk, red.pk, green.pk, *[red.pk] * 7]
    assert [row.status for row in after] == ["pending", "pending", "confirmed", *["pending"] * 7]


def test_a_date_that_is_over_cannot_be_cancelled_by_its_owner(world):
    anna, room = world
    made = book(anna, room)
    later = Act(by=anna, now=at(12, day=2), channel=Channel.API)
    with pytest.raises(errors.DatesRefused) as refused:
        lifecycle.cancel_some(made.series, ids=[row.pk for row in rows(made.series)[:3]], act=later)
    assert {verdict.error.code for verdict in refused.value.dates} == {"booking_ended"}
    gone = lifecycle.cancel_some(made.series, act=later)
    assert [row.start_time for row in gone] == [at(10, day=day) for day in range(3, 11)]


def test_the_number_of_statements_does_not_depend_on_the_number_of_dates(world):
    anna, room = world
    lifecycle.book(user=anna, resource_id=room.pk, start_time=at(1), end_time=at(2), act=act_of(anna))
    numbers = []
    for count, hour in ((3, 3), (366, 4)):
        with CaptureQueriesContext(
            connection,
        ) as made:
            series = book(anna, room, f"FREQ=DAILY;COUNT={count}", start=at(hour, day=1)).series
        first = rows(series)[0]
        changes = Changes(start_time=at(hour + 10, day=1), end_time=at(hour + 11, day=1))
        with CaptureQueriesContext(connection) as moved:
            lifecycle.change_dates(first, scope=Scope.ALL, changes=changes, act=act_of(anna))
        with CaptureQueriesContext(connection) as elsewhere:
            changes = Changes(resource_id=make_resource().pk)
            lifecycle.change_dates(first, scope=Scope.ALL, changes=changes, act=act_of(anna))
        with CaptureQueriesContext(connection) as cancelled:
            lifecycle.cancel_some(series, act=act_of(anna))
        numbers.append([len(each) for each in (made, moved, elsewhere, cancelled)])
    assert numbers[0] == numbers[1]


def test_dates_that_become_too_long_name_a_field_that_a_booking_has(world):
    anna, room = world
    made = book(anna, room)
    changes = Changes(end_time=at(12, day=2))
    with pytest.raises(errors.SeriesOverlapsItself) as refused:
        lifecycle.change_dates(rows(made.series)[0], scope=Scope.ALL, changes=changes, act=act_of(anna))
    assert refused.value.field == "end_time"
