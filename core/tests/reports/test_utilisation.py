"""GET /api/reports/utilisation/."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core import lifecycle
from core.models import Booking, OpeningException, OpeningHours, Resource
from core.record.acts import Act
from core.record.kinds import Channel
from core.reports import utilisation
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_pending_booking, make_rejected_booking, make_resource

URL = "/api/reports/utilisation/"
TOMORROW = at(0).date()
HOUR = timedelta(hours=1)
BERLIN = "Europe/Berlin"
# The clocks of Berlin: an hour forward, and an hour back.
FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)
NOTHING = {
    "booked_minutes": 0,
    "pending_minutes": 0,
    "cancelled_late_minutes": 0,
    "outside_open_minutes": 0,
}


def open_daily(resource: Resource, opens: int, closes: int) -> None:
    """Weekly hours, the same on all days."""
    OpeningHours.objects.bulk_create(
        OpeningHours(resource=resource, weekday=weekday, opens=time(opens), closes=time(closes))
        for weekday in range(1, 8)
    )
    Resource.objects.filter(pk=resource.pk).update(has_terms=True)


def utilisation_of(client: APIClient, first: date = TOMORROW, last: date | None = None, **more: Any) -> list[dict]:
    answer = client.get(URL, {"from": str(first), "to": str(last or first), **more})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def moment(day: date, hour: float, zone: str = "UTC") -> datetime:
    """That hour of a local day; the first one, where the clock shows it twice."""
    return (datetime.combine(day, time.min) + hour * HOUR).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def cancel(booking: Booking, by: User, *, ahead: timedelta) -> None:
    """Cancels a booking so long before its start."""
    lifecycle.cancel(booking, act=Act(by, booking.start_time - ahead, Channel.API))


# --- The numbers ------------------------------------------------------------------------------------------------------


def test_five_hours_of_ten_with_a_closure_of_two_are_five_of_eight(
    as_admin: APIClient, admin: User, alice: User, room: Resource
) -> None:
    open_daily(room, 8, 18)
    make_closure(admin, room, start=at(16), end=at(18))
    make_booking(alice, room, at(9), at(14))
    assert utilisation_of(as_admin) == [
        {
            "resource": room.pk,
            "resource_name": "Blue room",
            **NOTHING,
            "open_minutes": 480,
            "booked_minutes": 300,
            "share": 0.625,
        }
    ]


def test_each_state_is_told_apart_and_a_booking_outside_open_time_is_no_part_of_it(
    as_admin: APIClient, admin: User, alice: User, room: Resource
) -> None:
    open_daily(room, 8, 18)
    make_booking(alice, room, at(7), at(9))
    make_pending_booking(alice, room, at(10))
    make_rejected_booking(alice, room, at(12))
    cancel(make_booking(alice, room, at(17), at(20)), admin, ahead=HOUR)
    cancel(make_booking(alice, room, at(14)), admin, ahead=24 * HOUR)
    (line,) = utilisation_of(as_admin)
    assert {name: line[name] for name in (*NOTHING, "open_minutes", "share")} == {
        "open_minutes": 600,
        "booked_minutes": 60,
        "outside_open_minutes": 60,
        "pending_minutes": 60,
        "cancelled_late_minutes": 60,
        "share": 0.1,
    }


@pytest.mark.parametrize(
    ("ahead", "counts"),
    [
        pytest.param(25 * HOUR, 0, id="in time"),
        pytest.param(24 * HOUR, 0, id="just in time"),
        pytest.param(24 * HOUR - timedelta(seconds=1), 60, id="a second too late"),
        pytest.param(-30 * HOUR, 60, id="when it was over"),
    ],
)
def test_cancelled_late_is_less_than_a_day_before_the_start(
    as_admin: APIClient, admin: User, alice: User, room: Resource, ahead: timedelta, counts: int
) -> None:
    cancel(make_booking(alice, room), admin, ahead=ahead)
    (line,) = utilisation_of(as_admin)
    assert line["cancelled_late_minutes"] == counts


def test_the_last_cancellation_counts_and_a_booking_that_came_back_is_booked(
    as_admin: APIClient, admin: User, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    cancel(booking, admin, ahead=HOUR)
    act = Act(admin, booking.start_time - HOUR, Channel.API)
    lifecycle.change(booking, changes=lifecycle.Changes(status="confirmed"), act=act)
    (line,) = utilisation_of(as_admin)
    assert (line["booked_minutes"], line["cancelled_late_minutes"]) == (60, 0)
    later = lifecycle.Changes(start_time=at(10, day=5), end_time=at(11, day=5))
    moved = lifecycle.change(booking, changes=later, act=act)
    cancel(moved, admin, ahead=48 * HOUR)
    (line,) = utilisation_of(as_admin, TOMORROW, TOMORROW + timedelta(days=5))
    assert (line["booked_minutes"], line["cancelled_late_minutes"]) == (0, 0)


def test_a_booking_that_was_cancelled_in_time_comes_back_and_is_cancelled_late(
    as_admin: APIClient, admin: User, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    cancel(booking, admin, ahead=48 * HOUR)
    act = Act(admin, booking.start_time - 30 * HOUR, Channel.API)
    lifecycle.change(booking, changes=lifecycle.Changes(status="confirmed"), act=act)
    cancel(booking, admin, ahead=HOUR)
    (line,) = utilisation_of(as_admin)
    assert line["cancelled_late_minutes"] == 60


def test_what_the_record_does_not_know_is_not_cancelled_late(as_admin: APIClient, alice: User, room: Resource) -> None:
    Booking.objects.filter(pk=make_booking(alice, room).pk).update(status="cancelled")
    (line,) = utilisation_of(as_admin)
    assert line["cancelled_late_minutes"] == 0


def test_a_cancellation_by_a_closure_takes_no_open_time(
    as_admin: APIClient, admin: User, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    cancel(booking, admin, ahead=HOUR)
    make_closure(admin, room, start=at(10.5), end=at(11))
    (line,) = utilisation_of(as_admin)
    assert (line["open_minutes"], line["cancelled_late_minutes"]) == (23 * 60 + 30, 30)


def test_a_booking_is_cut_at_the_edges_of_the_period(as_admin: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(20, day=0), at(3, day=3))
    (line,) = utilisation_of(as_admin)
    assert (line["booked_minutes"], line["open_minutes"], line["share"]) == (1440, 1440, 1)
    (line,) = utilisation_of(as_admin, TOMORROW - timedelta(days=1))
    assert line["booked_minutes"] == 240


def test_a_loan_and_a_closure_of_many_months_count_in_each_of_them(
    as_admin: APIClient, admin: User, alice: User, room: Resource, lab: Resource
) -> None:
    make_booking(alice, room, at(0), at(12, day=200))
    make_closure(admin, lab, start=at(0), end=at(12, day=200))
    make_booking(alice, lab, at(12, day=200))
    day = TOMORROW + timedelta(days=199)
    blue, other = utilisation_of(as_admin, day)
    assert (blue["open_minutes"], blue["booked_minutes"]) == (1440, 720)
    assert (other["open_minutes"], other["booked_minutes"]) == (720, 60)


def test_seconds_are_added_up_before_they_are_rounded(as_admin: APIClient, alice: User, room: Resource) -> None:
    for number in range(4):
        make_booking(alice, room, at(10 + number), at(10 + number) + timedelta(seconds=20, microseconds=1))
    (line,) = utilisation_of(as_admin)
    assert (line["booked_minutes"], line["share"]) == (1, round(80 / 86400, 4))


def test_a_resource_that_is_closed_all_the_time_has_no_share(as_admin: APIClient, alice: User, room: Resource) -> None:
    OpeningException.objects.create(resource=None, first_day=TOMORROW, last_day=TOMORROW, name="Holiday")
    make_booking(alice, room)
    (line,) = utilisation_of(as_admin)
    assert (line["open_minutes"], line["outside_open_minutes"], line["share"]) == (0, 60, None)


# --- Lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hours"), [(FORWARD, 23), (BACK, 25)])
def test_the_night_of_a_clock_change_has_its_true_length(
    as_admin: APIClient, alice: User, day: date, hours: int
) -> None:
    resource = make_resource(time_zone=BERLIN)
    make_booking(alice, resource, moment(day, 0, BERLIN), moment(day + timedelta(days=1), 0, BERLIN))
    for by in ("resource", "weekday", "week"):
        (line,) = (line for line in utilisation_of(as_admin, day, by=by) if line["open_minutes"])
        assert (line["open_minutes"], line["booked_minutes"]) == (60 * hours, 60 * hours)


def test_an_hour_that_the_clocks_repeat_counts_twice_and_a_skipped_one_not_at_all(
    as_admin: APIClient, alice: User
) -> None:
    resource = make_resource(time_zone=BERLIN)
    for day in (FORWARD, BACK):
        make_booking(alice, resource, moment(day, 1.5, BERLIN), moment(day, 3.25, BERLIN))
    found = {
        day: {line["hour"]: (line["open_minutes"], line["booked_minutes"]) for line in lines if line["hour"] < 4}
        for day in (FORWARD, BACK)
        for lines in [utilisation_of(as_admin, day, by="hour")]
    }
    assert found == {
        FORWARD: {0: (60, 0), 1: (60, 30), 2: (0, 0), 3: (60, 15)},
        BACK: {0: (60, 0), 1: (60, 30), 2: (120, 120), 3: (60, 15)},
    }


def test_days_and_hours_are_those_of_the_zone_of_each_resource(as_admin: APIClient, alice: User) -> None:
    east, west = (make_resource(zone, time_zone=zone) for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"))
    day = date(2030, 1, 30)  # a Wednesday
    make_booking(alice, east, moment(day, 9, "Pacific/Kiritimati"), moment(day, 11, "Pacific/Kiritimati"))
    make_booking(alice, west, moment(day, 10, "Pacific/Pago_Pago"), moment(day, 12, "Pacific/Pago_Pago"))
    hours = {line["hour"]: line for line in utilisation_of(as_admin, day, by="hour")}
    assert {hour: line["booked_minutes"] for hour, line in hours.items() if line["booked_minutes"]} == {
        9: 60,
        10: 120,
        11: 60,
    }
    assert {line["open_minutes"] for line in hours.values()} == {120}
    weekdays = utilisation_of(as_admin, day, day + timedelta(days=6), by="weekday")
    assert [(line["weekday"], line["booked_minutes"]) for line in weekdays] == [
        (number, 240 if number == 3 else 0) for number in range(1, 8)
    ]


def test_weeks_are_those_of_iso_8601_and_add_up_to_the_whole(as_admin: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, moment(date(2030, 12, 29), 20), moment(date(2030, 12, 30), 4))
    lines = utilisation_of(as_admin, date(2030, 12, 28), date(2031, 1, 6), by="week")
    assert [(line["week"], line["first_day"], line["open_minutes"], line["booked_minutes"]) for line in lines] == [
        ("2030-W52", "2030-12-23", 2 * 1440, 240),
        ("2031-W01", "2030-12-30", 7 * 1440, 240),
        ("2031-W02", "2031-01-06", 1440, 0),
    ]


def test_lines_of_resources_are_by_name_and_the_filters_are_those_of_the_list(
    as_admin: APIClient, room: Resource, lab: Resource
) -> None:
    hall = make_resource("Aula", capacity=80)

    def names(**filters: Any) -> list[str]:
        return [line["resource_name"] for line in utilisation_of(as_admin, **filters)]

    assert names() == ["Aula", "Blue room", "Lab"]
    assert names(min_capacity=2) == ["Aula"]
    assert names(search="blue") == ["Blue room"]
    assert names(resource=[lab.pk, hall.pk, lab.pk]) == ["Aula", "Lab"]
    assert names(resource=lab.pk + 999) == []
    (week,) = utilisation_of(as_admin, by="week", resource=lab.pk + 999)
    assert (week["open_minutes"], week["share"]) == (0, None)


# --- Manners ----------------------------------------------------------------------------------------------------------


def test_an_answer_has_a_tag_that_holds_until_something_changes(
    as_admin: APIClient, alice: User, room: Resource
) -> None:
    days = {"from": str(TOMORROW), "to": str(TOMORROW)}
    tag = as_admin.get(URL, days).headers["ETag"]
    again = as_admin.get(URL, days, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    make_booking(alice, room)
    assert as_admin.get(URL, days, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param({}, "from", id="no days"),
        pytest.param({"from": "2030-01-01"}, "to", id="one day alone"),
        pytest.param({"from": "2030-01-02", "to": "2030-01-01"}, "to", id="the wrong way round"),
        pytest.param({"from": "2030-01-01", "to": "2031-01-02"}, "to", id="367 days"),
        pytest.param({"from": "0001-01-01", "to": "0001-01-02"}, "from", id="the year 1"),
        pytest.param({"from": "9999-12-31", "to": "9999-12-31"}, "from", id="the year 9999"),
        pytest.param({"from": "yesterday", "to": "2030-01-01"}, "from", id="a word"),
        pytest.param({"from": "2030-01-01T00:00:00Z", "to": "2030-01-01"}, "from", id="a moment"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "by": "month"}, "by", id="no such line"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "resource": ["1", "x"]}, "resource", id="no id"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "resource": "0"}, "resource", id="zero"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "resource": "9" * 30}, "resource", id="no bigint"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "resource": "²"}, "resource", id="another digit"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "min_capacity": "0"}, "min_capacity", id="nobody"),
        pytest.param({"from": "2030-01-01", "to": "2030-01-01", "limit": "5"}, "limit", id="unknown"),
    ],
)
def test_a_wrong_query_is_a_400_that_names_the_parameter(as_admin: APIClient, query: dict, field: str) -> None:
    answer = as_admin.get(URL, query)
    assert_flat_error(answer, 400)
    assert field in answer.json()


def test_366_days_are_allowed(as_admin: APIClient, room: Resource) -> None:
    (line,) = utilisation_of(as_admin, date(2030, 1, 1), date(2031, 1, 1))
    assert line["open_minutes"] == 366 * 1440


@pytest.mark.parametrize(("bound", "most"), [("MOST_RESOURCE_DAYS", 3), ("MOST_RESOURCES", 1)])
def test_too_many_resources_for_so_many_days_are_refused(
    as_admin: APIClient, room: Resource, lab: Resource, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(utilisation, bound, most)
    assert len(utilisation_of(as_admin, resource=lab.pk)) == 1
    answer = as_admin.get(URL, {"from": str(TOMORROW), "to": str(TOMORROW + timedelta(days=1))})
    assert_flat_error(answer, 400)
    assert answer.json()["to"] == ["At most 1 resource fits in this report. Ask for fewer days or resources."]


def test_too_many_bookings_are_refused(
    as_admin: APIClient, alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "MOST_BOOKINGS", 2)
    for hour in (8, 9):
        make_booking(alice, room, at(hour))
    assert len(utilisation_of(as_admin)) == 1
    make_booking(alice, room, at(10))
    answer = as_admin.get(URL, {"from": str(TOMORROW), "to": str(TOMORROW)})
    assert_flat_error(answer, 400)
    assert answer.json()["to"] == [
        "This period has more than 2 bookings of these resources. Ask for fewer days or resources."
    ]


@pytest.mark.parametrize("by", ["resource", "weekday", "hour", "week"])
@pytest.mark.parametrize("number", [1, 30])
def test_a_report_is_four_statements_and_the_token(
    as_admin: APIClient, alice: User, by: str, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        resource = make_resource(f"Room {index}")
        open_daily(resource, 8, 8 + index % 10 + 1)
        make_booking(alice, resource, at(8))
    with django_assert_num_queries(5):
        assert sum(line["booked_minutes"] for line in utilisation_of(as_admin, by=by)) > 0


def test_a_report_reads_no_booking_outside_its_period(as_admin: APIClient, alice: User, room: Resource) -> None:
    for day in (-400, -60, 60, 400):
        make_booking(alice, room, at(10, day=day))
    make_booking(alice, room, at(23, day=0), at(1))
    (line,) = utilisation_of(as_admin)
    assert line["booked_minutes"] == 60
    read = utilisation.rows_of([room.pk], utilisation.Days(TOMORROW, TOMORROW).in_zone(ZoneInfo("UTC")))
    assert len(read[room.pk]) == 1
