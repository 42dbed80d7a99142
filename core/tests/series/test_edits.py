"""Edits of series that meet what was changed alone, added dates, and nights of a clock change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core import errors, lifecycle
from core.choices import Scope
from core.lifecycle import Changes, Repeat
from core.lifecycle.repeating import parted, pattern_of
from core.models import Booking, Resource, Series
from core.recurrence import Pattern, Rule, expand
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.series import make_series

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def dates_of(series_id: int) -> list[Booking]:
    return list(Booking.objects.filter(series=series_id).order_by("recurrence_id"))


def sent_back(client: APIClient, booking: Booking, **more: Any) -> Any:
    """The answer to a PUT of what was read, with a change, for all dates."""
    body = client.get(f"/api/bookings/{booking.pk}/").json()
    return client.put(f"/api/bookings/{booking.pk}/?scope=all", {**body, **more})


# --- What a client sends back as it was -------------------------------------------------------------------------------


def test_a_cancelled_date_sent_back_with_new_notes_cancels_no_other(as_alice: APIClient, room: Resource) -> None:
    one, two, three = dates_of(make_series(as_alice, room)["id"])
    as_alice.delete(f"/api/bookings/{two.pk}/")
    assert sent_back(as_alice, two, notes="new").status_code == 200
    assert [(row.status, row.notes) for row in dates_of(one.series_id)] == [
        ("confirmed", "new"),
        ("cancelled", "new"),
        ("confirmed", "new"),
    ]


@pytest.mark.parametrize("who", ["as_alice", "as_admin"])
def test_a_confirmed_date_sent_back_with_new_notes_confirms_no_other(
    request: pytest.FixtureRequest, as_alice: APIClient, as_admin: APIClient, lab: Resource, who: str
) -> None:
    one, two, three = dates_of(make_series(as_alice, lab)["id"])
    as_admin.patch(f"/api/bookings/{two.pk}/", {"status": "confirmed"})
    assert sent_back(request.getfixturevalue(who), two, notes="new").status_code == 200
    assert [row.status for row in dates_of(one.series_id)] == ["pending", "confirmed", "pending"]


def test_its_own_notes_and_place_stay_its_own(as_alice: APIClient, room: Resource) -> None:
    one, two, three = dates_of(make_series(as_alice, room, notes="ours")["id"])
    green = make_resource("Green room")
    as_alice.patch(f"/api/bookings/{two.pk}/", {"resource": green.pk, "notes": "mine"})
    times = {"start_time": text(at(12, day=2)), "end_time": text(at(13, day=2))}
    assert sent_back(as_alice, two, **times).status_code == 200
    assert [(row.resource_id, row.notes, row.start_time) for row in dates_of(one.series_id)] == [
        (room.pk, "ours", at(12, day=1)),
        (green.pk, "mine", at(12, day=2)),
        (room.pk, "ours", at(12, day=3)),
    ]


# --- Moves of a date that was moved alone -----------------------------------------------------------------------------


def moved_alone(as_alice: APIClient, room: Resource) -> list[Booking]:
    """Three weekly dates, the second of which is a day later and at another time."""
    made = make_series(as_alice, room, "FREQ=WEEKLY;COUNT=3")
    one, two, three = dates_of(made["id"])
    times = {"start_time": text(at(14, day=9)), "end_time": text(at(15, day=9))}
    assert as_alice.patch(f"/api/bookings/{two.pk}/", times).status_code == 200
    return dates_of(made["id"])


def test_back_to_its_place_it_moves_no_other(as_alice: APIClient, room: Resource) -> None:
    one, two, three = moved_alone(as_alice, room)
    times = {"start_time": text(at(10, day=8)), "end_time": text(at(11, day=8))}
    assert as_alice.patch(f"/api/bookings/{two.pk}/?scope=all", times).status_code == 200
    assert [row.start_time for row in dates_of(one.series_id)] == [at(10, day=day) for day in (1, 8, 15)]


def test_within_its_day_it_gives_the_others_its_time_and_not_its_day(as_alice: APIClient, room: Resource) -> None:
    one, two, three = moved_alone(as_alice, room)
    times = {"start_time": text(at(16, day=9)), "end_time": text(at(17, day=9))}
    assert as_alice.patch(f"/api/bookings/{two.pk}/?scope=all", times).status_code == 200
    assert [row.start_time for row in dates_of(one.series_id)] == [at(16, day=day) for day in (1, 9, 15)]


def test_to_another_day_it_takes_the_others_along(as_alice: APIClient, room: Resource) -> None:
    one, two, three = moved_alone(as_alice, room)
    times = {"start_time": text(at(10, day=10)), "end_time": text(at(11, day=10))}
    assert as_alice.patch(f"/api/bookings/{two.pk}/?scope=all", times).status_code == 200
    assert [row.start_time for row in dates_of(one.series_id)] == [at(10, day=day) for day in (3, 10, 17)]


def test_a_clash_with_a_date_that_was_moved_alone_is_named(as_alice: APIClient, room: Resource) -> None:
    one, two, three = dates_of(make_series(as_alice, room)["id"])
    as_alice.patch(f"/api/bookings/{two.pk}/", {"start_time": text(at(14, day=3)), "end_time": text(at(15, day=3))})
    times = {"start_time": text(at(14, day=1)), "end_time": text(at(15, day=1)), "notes": "new"}
    answer = as_alice.patch(f"/api/bookings/{one.pk}/?scope=all", times)
    assert answer.json()["code"] == "dates_refused"
    assert [(each["start_time"], each["code"]) for each in answer.json()["dates"]] == [
        (text(at(14, day=3)), "slot_taken")
    ]


def test_the_named_date_comes_back_with_the_others(as_alice: APIClient, room: Resource) -> None:
    one, two, three = dates_of(make_series(as_alice, room)["id"])
    for each in (two, three):
        as_alice.delete(f"/api/bookings/{each.pk}/")
    address = f"/api/bookings/{two.pk}/?scope=all&reset_exceptions=true"
    assert as_alice.patch(address, {"notes": "again"}).status_code == 200
    assert {row.status for row in dates_of(one.series_id)} == {"confirmed"}


# --- Added dates ------------------------------------------------------------------------------------------------------

START = datetime(2027, 5, 3, 9)  # noqa: DTZ001 - by the local clock
HORIZON = datetime(2031, 1, 1, tzinfo=UTC)


@given(
    rule=st.sampled_from(
        [
            "FREQ=DAILY;COUNT=5",
            "FREQ=DAILY;UNTIL=20270507",
            "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=6",
            "FREQ=MONTHLY;UNTIL=20271001",
            "FREQ=DAILY;COUNT=1",
        ]
    ),
    extra=st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 23)), max_size=4, unique=True),
    excluded=st.sets(st.integers(0, 4), max_size=3),
    at_index=st.integers(1, 12),
)
def test_the_two_parts_of_a_series_have_its_dates(rule, extra, excluded, at_index):
    whole = Pattern(
        rule=Rule.parse(rule),
        start=START,
        end=START + HOUR,
        zone=BERLIN,
        exdates=tuple(START + timedelta(days=day) for day in sorted(excluded)),
        rdates=tuple(datetime(2027, 5, 3, hour) + timedelta(days=day) for day, hour in extra),  # noqa: DTZ001
    )
    try:
        dates = expand(whole, until=HORIZON).dates
    except errors.NoOccurrence:
        return
    if len(dates) < 2:
        return
    split = dates[min(at_index, len(dates) - 1)].start
    head, tail = parted(whole, split)
    assert expand(head, until=HORIZON).dates == tuple(date for date in dates if date.start < split)
    assert expand(tail, until=HORIZON).dates == tuple(date for date in dates if date.start >= split)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=3", f"FREQ=DAILY;UNTIL={at(0, day=3):%Y%m%d}"])
@pytest.mark.parametrize("added", [at(10, day=5), at(14, day=2)])
def test_following_begins_with_an_added_date(as_alice: APIClient, room: Resource, rule: str, added: datetime) -> None:
    made = make_series(as_alice, room, rule, rdates=[text(added)])
    named = Booking.objects.get(start_time=added)
    times = {"start_time": text(added + HOUR), "end_time": text(added + 2 * HOUR)}
    assert as_alice.patch(f"/api/bookings/{named.pk}/?scope=following", times).status_code == 200
    named.refresh_from_db()
    for series in Series.objects.filter(pk__in=[made["id"], named.series_id]):
        planned = [date.slot.start for date in expand(pattern_of(series), until=at(0, day=900)).dates]
        assert planned == [row.start_time for row in dates_of(series.pk)]


def test_an_added_date_moves_as_far_as_the_others(as_alice: APIClient, room: Resource) -> None:
    made = make_series(as_alice, room, rdates=[text(at(14, day=2))])
    first = dates_of(made["id"])[0]
    times = {"start_time": text(at(11)), "end_time": text(at(12))}
    assert as_alice.patch(f"/api/bookings/{first.pk}/?scope=all", times).status_code == 200
    starts = [row.start_time for row in dates_of(made["id"])]
    assert starts == [at(11, day=1), at(11, day=2), at(15, day=2), at(11, day=3)]


# --- Skipped dates ----------------------------------------------------------------------------------------------------


def test_skipped_dates_go_with_the_part_that_would_have_them(as_alice: APIClient, bob: User, room: Resource) -> None:
    make_booking(bob, room, at(10, day=4))
    made = make_series(as_alice, room, "FREQ=DAILY;COUNT=5", on_conflict="skip")
    third = dates_of(made["id"])[2]
    times = {"start_time": text(at(12, day=3)), "end_time": text(at(13, day=3))}
    assert as_alice.patch(f"/api/bookings/{third.pk}/?scope=following", times).status_code == 200
    third.refresh_from_db()
    first, second = (as_alice.get(f"/api/series/{pk}/dates/").json() for pk in (made["id"], third.series_id))
    assert [each["code"] for each in first] == ["", ""]
    assert [(each["local_start"][8:16], each["code"]) for each in second] == [
        (f"{at(12, day=day):%dT%H:%M}", code) for day, code in ((3, ""), (4, "slot_taken"), (5, ""))
    ]


# --- Clocks -----------------------------------------------------------------------------------------------------------


def test_a_date_that_comes_back_into_the_missing_hour_is_refused(alice: User, room: Resource) -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    start = datetime(2027, 3, 26, 10)  # noqa: DTZ001 - by the local clock
    repeat = Repeat(Rule.parse("FREQ=DAILY;COUNT=4"), start, start + HOUR, time_zone="Europe/Berlin")
    made = lifecycle.book_series(user=alice, resource_id=room.pk, repeat=repeat, act=act(alice, now))
    rows = dates_of(made.series.pk)
    lifecycle.cancel(rows[2], act=act(alice, now))  # 28 March, the night of the change
    changes = Changes(
        start_time=datetime(2027, 3, 26, 2, 30, tzinfo=BERLIN), end_time=datetime(2027, 3, 26, 3, 30, tzinfo=BERLIN)
    )
    lifecycle.change_dates(rows[0], scope=Scope.ALL, changes=changes, act=act(alice, now))
    with pytest.raises(errors.DatesRefused) as refused:
        lifecycle.change_dates(
            dates_of(made.series.pk)[0],
            scope=Scope.ALL,
            changes=Changes(notes="all"),
            reset_exceptions=True,
            act=act(alice, now),
        )
    assert {verdict.error.code for verdict in refused.value.dates} == {"not_on_the_clock"}


def test_an_end_before_the_start_by_the_clock_is_refused(alice: User, room: Resource) -> None:
    now = datetime(2027, 10, 1, tzinfo=UTC)
    start = datetime(2027, 10, 31, 1)  # noqa: DTZ001 - the night of the change
    repeat = Repeat(Rule.parse("FREQ=DAILY;COUNT=2"), start, start + HOUR, time_zone="Europe/Berlin")
    made = lifecycle.book_series(user=alice, resource_id=room.pk, repeat=repeat, act=act(alice, now))
    changes = Changes(
        start_time=datetime(2027, 10, 31, 0, 50, tzinfo=UTC), end_time=datetime(2027, 10, 31, 1, 10, tzinfo=UTC)
    )
    with pytest.raises(errors.EndNotAfterStart):
        lifecycle.change_dates(dates_of(made.series.pk)[0], scope=Scope.ALL, changes=changes, act=act(alice, now))


# --- Other doors ------------------------------------------------------------------------------------------------------


def test_a_resource_whose_series_has_dates_elsewhere_is_not_deleted(
    as_alice: APIClient, as_admin: APIClient, room: Resource
) -> None:
    green = make_resource("Green room")
    made = make_series(as_alice, room)
    for row in dates_of(made["id"]):
        as_alice.patch(f"/api/bookings/{row.pk}/", {"resource": green.pk})
    refused = as_admin.delete(f"/api/resources/{room.pk}/")
    assert (refused.status_code, refused.json()["code"]) == (409, "resource_has_bookings")
    Booking.objects.filter(series=made["id"]).delete()
    assert as_admin.delete(f"/api/resources/{room.pk}/").status_code == 204
    assert not Series.objects.exists()


def test_a_reason_hides_no_refusal(as_alice: APIClient, lab: Resource) -> None:
    first = dates_of(make_series(as_alice, lab)["id"])[0]
    sent = {"status": "confirmed", "reason": "x"}
    assert as_alice.patch(f"/api/bookings/{first.pk}/?scope=all", sent).json()["code"] == "dates_refused"


def test_a_series_sent_back_by_a_form_is_not_changed(as_alice: APIClient, room: Resource) -> None:
    made = make_series(as_alice, room)
    sent = {"resource": str(room.pk), "rrule": made["rrule"], "notes": "new"}
    answer = as_alice.patch(f"/api/series/{made['id']}/", sent, format="multipart")
    assert (answer.status_code, answer.json()["notes"]) == (200, "new")


def test_dates_of_long_ago_are_refused_without_a_look_at_what_was_booked(alice: User, room: Resource) -> None:
    start = at(10, day=-1000)
    repeat = Repeat(Rule.parse("FREQ=YEARLY;COUNT=4"), start, start + HOUR, time_zone="UTC")
    with CaptureQueriesContext(connection) as made:
        outcome = lifecycle.book_series(
            user=alice, resource_id=room.pk, repeat=repeat, act=act(alice, at(0)), dry_run=True
        )
    assert [verdict.error is None for verdict in outcome.verdicts] == [False, False, False, True]
    look = next(each["sql"] for each in made if "closure" in each["sql"].lower() and "end_time" in each["sql"])
    assert f"{at(10, day=-1000):%Y-%m-%d}" not in look
