"""The opening hours of a resource over the API: the week, the exceptions, and the open spans."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from core import terms
from core.models import OpeningException, OpeningHours, Resource
from core.policies import writing
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.rules import add_exception, day_of, next_weekday, set_hours

MONDAY = {"weekday": 1, "opens": "09:00", "closes": "17:00"}


def week_of(resource: Resource) -> str:
    return f"/api/resources/{resource.pk}/opening-hours/"


def exceptions_of(resource: Resource | None) -> str:
    return "/api/opening-exceptions/" if resource is None else f"/api/resources/{resource.pk}/opening-exceptions/"


def spans(client: APIClient, resource: Resource, start: object, end: object) -> list[tuple[str, str]]:
    """The open spans in a window."""
    window = {
        "start": start if isinstance(start, str) else text(start),
        "end": end if isinstance(end, str) else text(end),
    }
    answer = client.get(f"/api/resources/{resource.pk}/open/", window)
    assert answer.status_code == 200, answer.json()
    return [(each["start_time"], each["end_time"]) for each in answer.json()]


# --- The week ---------------------------------------------------------------------------------------------------------


def test_staff_write_a_whole_week_and_everybody_reads_it(
    as_admin: APIClient, anonymous: APIClient, room: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    late = {"weekday": 5, "opens": "22:00", "closes": "02:00"}
    afternoon = {"weekday": 1, "opens": "17:00", "closes": "20:00"}
    answer = as_admin.put(week_of(room), [late, afternoon, MONDAY])
    week = [MONDAY, afternoon, late]
    assert (answer.status_code, answer.json()) == (200, {"opening_hours": week, "no_longer_fit": 0})
    with django_assert_num_queries(2):
        shown = anonymous.get(week_of(room))
    assert (shown.status_code, shown.json(), shown.headers["ETag"]) == (200, week, answer.headers["ETag"])
    assert "public" in shown.headers["Cache-Control"]
    assert as_admin.put(week_of(room), [late]).json()["opening_hours"] == [late]


def test_an_empty_list_opens_the_resource_always(as_admin: APIClient, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    room.refresh_from_db()
    assert room.has_terms
    assert as_admin.put(week_of(room), []).json() == {"opening_hours": [], "no_longer_fit": 0}
    room.refresh_from_db()
    assert not room.has_terms
    assert spans(as_admin, room, at(0), at(72)) == [(text(at(0)), text(at(72)))]


@pytest.mark.parametrize("number", [1, 40])
def test_a_week_costs_the_same_however_long_it_is(
    as_admin: APIClient, room: Resource, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    week = [
        {"weekday": 1 + index % 7, "opens": f"{index // 7:02}:00", "closes": f"{index // 7:02}:30"}
        for index in range(number)
    ]
    as_admin.put(week_of(room), week)
    with django_assert_num_queries(16):
        assert len(as_admin.put(week_of(room), week).json()["opening_hours"]) == number


def test_the_answer_counts_the_bookings_outside_of_the_new_hours(
    as_admin: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room, at(10), at(12))
    make_booking(alice, room, at(16.5), at(17.5))
    make_booking(alice, room, at(20), at(21), status="pending")
    assert set_hours(as_admin, room, ("09:00", "17:00"))["no_longer_fit"] == 2
    assert set_hours(as_admin, room, ("09:00", "17:00"), ("17:00", "18:00"))["no_longer_fit"] == 1


BAD_WEEKS: list[tuple[Any, str]] = [
    ({}, "non_field_errors"),
    ("monday", "non_field_errors"),
    ([MONDAY, "x"], "non_field_errors"),
    ([{"weekday": 0, "opens": "09:00", "closes": "10:00"}], "weekday"),
    ([{"weekday": 8, "opens": "09:00", "closes": "10:00"}], "weekday"),
    ([{"weekday": 1, "opens": "9:00", "closes": "10:00"}], "opens"),
    ([{"weekday": 1, "opens": "09:00", "closes": "24:00"}], "closes"),
    ([{"weekday": 1, "opens": "09:00:00", "closes": "10:00"}], "opens"),
    ([{"weekday": 1, "opens": "09:00", "closes": None}], "closes"),
    ([{"weekday": 1, "opens": "09:00"}], "closes"),
    ([{**MONDAY, "closing": "10:00"}], "closing"),
    ([MONDAY, MONDAY], "non_field_errors"),
    ([MONDAY, {"weekday": 1, "opens": "16:59", "closes": "18:00"}], "non_field_errors"),
    ([MONDAY, {"weekday": 1, "opens": "08:00", "closes": "00:00"}], "non_field_errors"),
    ([MONDAY, {"weekday": 1, "opens": "00:00", "closes": "00:00"}], "non_field_errors"),
    ([{"weekday": 1, "opens": "22:00", "closes": "02:00"}] * 2, "non_field_errors"),
    ([{"weekday": 2, "opens": f"0{hour}:00", "closes": f"0{hour}:01"} for hour in range(9)] * 8, "non_field_errors"),
]


@pytest.mark.parametrize(("body", "field"), BAD_WEEKS, ids=lambda value: str(value)[:60])
def test_a_wrong_week_is_refused_and_changes_nothing(
    as_admin: APIClient, room: Resource, body: object, field: str
) -> None:
    set_hours(as_admin, room, ("08:00", "12:00"), days=[3])
    assert_flat_error(as_admin.put(week_of(room), body), 400, "invalid", field)
    assert OpeningHours.objects.values_list("weekday", "opens__hour").get() == (3, 8)


def test_the_refusal_of_an_overlap_says_where(as_admin: APIClient, room: Resource) -> None:
    answer = as_admin.put(week_of(room), [MONDAY, {"weekday": 1, "opens": "16:30", "closes": "18:00"}])
    assert answer.json()["detail"] == "Two periods of one day overlap at 16:30. Make them one."


def test_a_refusal_names_the_field_and_the_period(as_admin: APIClient, room: Resource) -> None:
    week = [MONDAY, {"weekday": 2, "opens": "9", "closes": "24:00"}]
    body = assert_flat_error(as_admin.put(week_of(room), week), 400, "invalid")
    sentence = "Period 2: A time of day is HH:MM, from 00:00 to 23:59. Midnight is 00:00."
    assert (body["opens"], body["closes"]) == ([sentence], [sentence])


def test_periods_that_touch_and_late_periods_into_the_next_day_do_not_overlap(
    as_admin: APIClient, room: Resource
) -> None:
    week = [
        {"weekday": 1, "opens": "09:00", "closes": "12:00"},
        {"weekday": 1, "opens": "12:00", "closes": "15:00"},
        {"weekday": 1, "opens": "22:00", "closes": "09:00"},
        {"weekday": 2, "opens": "08:00", "closes": "20:00"},
    ]
    assert as_admin.put(week_of(room), week).json()["opening_hours"] == week


def test_only_json_can_hold_a_week(as_admin: APIClient, room: Resource) -> None:
    assert_flat_error(as_admin.put(week_of(room), {"weekday": 1}, format="multipart"), 415)


def test_a_stale_week_is_refused(as_admin: APIClient, room: Resource) -> None:
    tag = as_admin.get(week_of(room)).headers["ETag"]
    newer = as_admin.put(week_of(room), [MONDAY], headers={"if-match": tag}).headers["ETag"]
    body = assert_flat_error(as_admin.put(week_of(room), [], headers={"if-match": tag}), 412, "precondition_failed")
    assert body["current"] == {"opening_hours": [MONDAY]}
    assert as_admin.get(week_of(room), headers={"if-none-match": newer}).status_code == 304


def test_only_staff_write_a_week(as_alice: APIClient, anonymous: APIClient, room: Resource) -> None:
    assert_flat_error(anonymous.put(week_of(room), [MONDAY]), 401)
    assert_flat_error(as_alice.put(week_of(room), [MONDAY]), 403)
    assert not OpeningHours.objects.exists()


def test_the_week_of_a_resource_that_is_not_there_is_a_404(as_admin: APIClient) -> None:
    for method in ("get", "put"):
        assert_flat_error(getattr(as_admin, method)("/api/resources/999999/opening-hours/"), 404)


# --- Exceptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_all", [True, False], ids=["of all resources", "of one"])
def test_staff_keep_exceptions_and_everybody_reads_them(
    as_admin: APIClient, anonymous: APIClient, room: Resource, lab: Resource, of_all: bool
) -> None:
    whose = None if of_all else room
    made = add_exception(as_admin, whose, day_of(9), day_of(10), ("14:00", "16:00"), ("09:00", "12:00"), name="Fair")
    shown = {
        "id": made["id"],
        "first_day": str(day_of(9)),
        "last_day": str(day_of(10)),
        "name": "Fair",
        "hours": [{"opens": "09:00", "closes": "12:00"}, {"opens": "14:00", "closes": "16:00"}],
    }
    assert made == {**shown, "no_longer_fit": 0}
    closed = add_exception(as_admin, whose, day_of(3))
    address = f"{exceptions_of(whose)}{made['id']}/"
    listed = anonymous.get(exceptions_of(whose))
    assert [each["id"] for each in listed.json()] == [closed["id"], made["id"]]
    assert anonymous.get(address).json() == shown
    answer = as_admin.patch(address, {"name": "Big fair", "hours": []})
    assert answer.json() == {**shown, "name": "Big fair", "hours": [], "no_longer_fit": 0}
    assert as_admin.delete(address).status_code == 204
    assert_flat_error(anonymous.get(address), 404)
    assert anonymous.get(exceptions_of(lab)).json() == []
    room.refresh_from_db()
    assert room.has_terms is not of_all


def test_a_new_exception_is_answered_with_its_address_and_its_tag(as_admin: APIClient, room: Resource) -> None:
    for whose in (None, room):
        answer = as_admin.post(exceptions_of(whose), {"first_day": str(day_of(3)), "last_day": str(day_of(3))})
        found = as_admin.get(answer.headers["Location"])
        assert (found.status_code, found.headers["ETag"]) == (200, answer.headers["ETag"])
        assert (found.json()["name"], found.json()["hours"]) == ("", [])


def test_exceptions_come_in_pages(as_admin: APIClient, anonymous: APIClient) -> None:
    ids = [add_exception(as_admin, None, day_of(day))["id"] for day in (5, 3, 4)]
    first = anonymous.get("/api/opening-exceptions/?limit=2&count=true")
    assert ([each["id"] for each in first.json()], first.headers["X-Total-Count"]) == ([ids[1], ids[2]], "3")
    assert 'rel="next"' in first.headers["Link"]


def test_an_exception_has_one_place(as_admin: APIClient, room: Resource, lab: Resource) -> None:
    made = add_exception(as_admin, room, day_of(3))
    for other in (exceptions_of(None), exceptions_of(lab), "/api/resources/999999/opening-exceptions/"):
        for method in ("get", "patch", "delete"):
            assert_flat_error(getattr(as_admin, method)(f"{other}{made['id']}/", {}), 404)
    for method in ("get", "post"):
        assert_flat_error(getattr(as_admin, method)("/api/resources/999999/opening-exceptions/", {}), 404)


@pytest.mark.parametrize("of_all", [True, False], ids=["of all resources", "of one"])
def test_two_of_one_length_that_share_a_day_are_refused(
    as_admin: APIClient, room: Resource, lab: Resource, of_all: bool
) -> None:
    whose, other = (None, room) if of_all else (room, None)
    first = add_exception(as_admin, whose, day_of(5), day_of(7), name="Fair")
    body = {"first_day": str(day_of(7)), "last_day": str(day_of(9))}
    refusal = as_admin.post(exceptions_of(whose), body).json()
    assert (refusal["code"], refusal["error"]) == ("exceptions_clash", "Invalid input")
    assert refusal["exception"] == {
        "id": first["id"],
        "first_day": str(day_of(5)),
        "last_day": str(day_of(7)),
    }
    assert OpeningException.objects.count() == 1
    # Of another length, on other days, and on another level they may be.
    add_exception(as_admin, whose, day_of(7), day_of(8))
    add_exception(as_admin, whose, day_of(8), day_of(10))
    add_exception(as_admin, other, day_of(5), day_of(7))
    add_exception(as_admin, lab, day_of(5), day_of(7))
    moved = as_admin.patch(f"{exceptions_of(whose)}{first['id']}/", {"last_day": str(day_of(6))})
    assert moved.status_code == 200
    back = as_admin.patch(
        f"{exceptions_of(whose)}{first['id']}/", {"first_day": str(day_of(6)), "last_day": str(day_of(8))}
    )
    assert back.json()["code"] == "exceptions_clash"


def test_an_exception_counts_the_bookings_that_no_longer_fit(
    as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    for resource in (room, lab):
        make_booking(alice, resource, at(10, day=3))
        make_booking(alice, resource, at(10, day=20))
    assert add_exception(as_admin, room, day_of(3))["no_longer_fit"] == 1
    made = add_exception(as_admin, None, day_of(20))
    assert made["no_longer_fit"] == 2
    address = f"/api/opening-exceptions/{made['id']}/"
    assert as_admin.patch(address, {"hours": [{"opens": "08:00", "closes": "12:00"}]}).json()["no_longer_fit"] == 0
    moved = as_admin.patch(address, {"first_day": str(day_of(3)), "last_day": str(day_of(3)), "hours": []})
    assert moved.json()["no_longer_fit"] == 2


def test_a_deletion_counts_them_in_a_header(as_admin: APIClient, alice: User, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    made = add_exception(as_admin, room, day_of(3), day_of(3), ("18:00", "22:00"))
    make_booking(alice, room, at(19, day=3))
    answer = as_admin.delete(f"{exceptions_of(room)}{made['id']}/")
    assert (answer.status_code, answer.headers["X-No-Longer-Fit"], answer.content) == (204, "1", b"")


def test_the_deletion_of_a_policy_for_loans_counts_the_loans(as_admin: APIClient, alice: User, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    as_admin.put(f"/api/resources/{room.pk}/policy/", {"may_span_closed": True})
    make_booking(alice, room, at(16, day=3), at(10, day=4))
    answer = as_admin.delete(f"/api/resources/{room.pk}/policy/")
    assert (answer.status_code, answer.headers["X-No-Longer-Fit"]) == (204, "1")


@pytest.mark.parametrize("number", [1, 25])
def test_an_exception_of_all_costs_the_same_however_many_resources_there_are(
    as_admin: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    for index in range(number):
        resource = make_resource(f"Desk {index}")
        set_hours(as_admin, resource, ("08:00", "18:00"))
        make_booking(alice, resource, at(10, day=3))
    with django_assert_num_queries(12):
        assert add_exception(as_admin, None, day_of(3))["no_longer_fit"] == number


BAD_EXCEPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"first_day": None}, "first_day"),
    ({"last_day": "2030-02-30"}, "last_day"),
    ({"first_day": "1899-12-31"}, "first_day"),
    ({"last_day": "3000-01-01"}, "last_day"),
    ({"last_day": str(day_of(2))}, "last_day"),
    ({"last_day": str(day_of(3) + timedelta(days=366))}, "last_day"),
    ({"name": "x" * 201}, "name"),
    ({"hours": "closed"}, "hours"),
    ({"hours": [["09:00", "12:00"]]}, "hours"),
    ({"hours": [{"opens": "09:00"}]}, "hours"),
    ({"hours": [{"opens": "09:00", "closes": "12:00", "weekday": 1}]}, "hours"),
    ({"hours": [{"opens": "09:00", "closes": "12:00"}, {"opens": "11:00", "closes": "13:00"}]}, "hours"),
    ({"hours": [{"opens": f"{hour:02}:00", "closes": f"{hour:02}:30"} for hour in range(11)]}, "hours"),
    ({"day": "2030-01-01"}, "day"),
    ({"resource": 1}, "resource"),
]


@pytest.mark.parametrize(("values", "field"), BAD_EXCEPTIONS, ids=lambda value: str(value)[:60])
def test_a_wrong_exception_is_refused(as_admin: APIClient, values: dict[str, Any], field: str) -> None:
    body = {"first_day": str(day_of(3)), "last_day": str(day_of(3)), **values}
    assert_flat_error(as_admin.post("/api/opening-exceptions/", body), 400, "invalid", field)
    assert not OpeningException.objects.exists()


def test_other_changes_of_two_that_clash_already_are_possible(as_admin: APIClient) -> None:
    made = add_exception(as_admin, None, day_of(3))
    OpeningException.objects.create(first_day=day_of(3), last_day=day_of(3))
    address = f"/api/opening-exceptions/{made['id']}/"
    assert as_admin.patch(address, {"name": "Fair", "first_day": made["first_day"]}).status_code == 200
    assert as_admin.patch(address, {"last_day": str(day_of(4))}).status_code == 200


@pytest.mark.parametrize("period", [{"opens": "09:00"}, {"closes": "09:00"}, {}])
def test_half_a_period_is_refused_in_a_change_too(as_admin: APIClient, period: dict[str, str]) -> None:
    address = f"/api/opening-exceptions/{add_exception(as_admin, None, day_of(3))['id']}/"
    assert_flat_error(as_admin.patch(address, {"hours": [period]}), 400, "invalid", "hours")
    assert OpeningException.objects.get().hours == []


def test_a_day_too_many_for_one_level_is_refused(
    as_admin: APIClient, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_EXCEPTIONS", 2)
    for day in (3, 4):
        add_exception(as_admin, room, day_of(day))
    body = {"first_day": str(day_of(5)), "last_day": str(day_of(5))}
    assert_flat_error(as_admin.post(exceptions_of(room), body), 400, "too_many_exceptions")
    assert as_admin.post(exceptions_of(None), body).status_code == 201


def test_a_stale_exception_is_refused(as_admin: APIClient) -> None:
    address = f"/api/opening-exceptions/{add_exception(as_admin, None, day_of(3))['id']}/"
    tag = as_admin.get(address).headers["ETag"]
    assert as_admin.patch(address, {"name": "Fair"}, headers={"if-match": tag}).status_code == 200
    for method in ("patch", "delete"):
        answer = getattr(as_admin, method)(address, {"name": "X"}, headers={"if-match": tag})
        assert assert_flat_error(answer, 412, "precondition_failed")["current"]["name"] == "Fair"


def test_only_staff_write_exceptions(as_alice: APIClient, anonymous: APIClient, as_admin: APIClient) -> None:
    address = f"/api/opening-exceptions/{add_exception(as_admin, None, day_of(3))['id']}/"
    for client, status in ((anonymous, 401), (as_alice, 403)):
        assert_flat_error(client.post("/api/opening-exceptions/", {}), status)
        assert_flat_error(client.patch(address, {"name": "X"}), status)
        assert_flat_error(client.delete(address), status)
    assert OpeningException.objects.get().name == ""


# --- Open spans -------------------------------------------------------------------------------------------------------


def test_the_open_spans_are_those_of_the_hours_and_the_exceptions(
    as_admin: APIClient, anonymous: APIClient, room: Resource
) -> None:
    set_hours(as_admin, room, ("09:00", "12:00"), ("12:00", "17:00"))
    add_exception(as_admin, None, day_of(2), name="Holiday")
    add_exception(as_admin, None, day_of(3), name="Holiday")
    add_exception(as_admin, room, day_of(3), None, ("10:00", "11:00"))
    assert spans(anonymous, room, at(10), at(96)) == [
        (text(at(10)), text(at(17))),
        (text(at(10, day=3)), text(at(11, day=3))),
        (text(at(9, day=4)), text(at(17, day=4))),
    ]


def test_late_hours_of_the_day_before_lie_in_the_window(as_admin: APIClient, room: Resource) -> None:
    friday = next_weekday(5)
    set_hours(as_admin, room, ("22:00", "02:00"), days=[5])
    add_exception(as_admin, room, day_of(friday + 1))
    assert spans(as_admin, room, at(0, day=friday + 1), at(24, day=friday + 1)) == [
        (text(at(0, day=friday + 1)), text(at(2, day=friday + 1)))
    ]


@pytest.mark.parametrize(
    ("saturday", "monday", "hours"), [("2030-03-30", "2030-04-01", 23), ("2030-10-26", "2030-10-28", 25)]
)
def test_a_day_is_as_long_as_the_clock_of_the_resource_says(
    as_admin: APIClient, saturday: str, monday: str, hours: int
) -> None:
    resource = make_resource("Berlin", time_zone="Europe/Berlin")
    set_hours(as_admin, resource, ("00:00", "00:00"), days=[7])
    ((start, end),) = spans(as_admin, resource, f"{saturday}T12:00:00Z", f"{monday}T12:00:00Z")
    assert datetime.fromisoformat(end) - datetime.fromisoformat(start) == timedelta(hours=hours)


def test_the_house_has_a_clock_too(as_admin: APIClient, room: Resource, settings: Settings) -> None:
    settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
    set_hours(as_admin, room, ("09:00", "10:00"))
    assert spans(as_admin, room, at(0), at(24)) == [(text(at(0)), text(at(1)))]


@pytest.mark.parametrize(
    "window",
    [
        ("0001-01-01T00:00:00Z", "0001-12-31T00:00:00Z"),
        ("9999-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2030-01-01T00:00:00Z", "2031-01-02T00:00:00Z"),
    ],
)
def test_the_ends_of_the_calendar_are_no_failure(as_admin: APIClient, room: Resource, window: tuple[str, str]) -> None:
    set_hours(as_admin, room, ("22:00", "06:00"))
    assert len(spans(as_admin, room, *window)) > 300


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "start"),
        ({"start": text(at(1))}, "end"),
        ({"start": text(at(2)), "end": text(at(1))}, "end"),
        ({"start": text(at(0)), "end": text(at(0, day=368))}, "end"),
        ({"start": text(at(0)), "end": text(at(1)), "step": "5"}, "step"),
    ],
)
def test_a_wrong_window_is_refused(anonymous: APIClient, room: Resource, query: dict, field: str) -> None:
    assert_flat_error(anonymous.get(f"/api/resources/{room.pk}/open/", query), 400, "invalid", field)


def test_the_open_spans_of_a_resource_without_rules_are_one_statement(
    anonymous: APIClient, as_admin: APIClient, room: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert spans(anonymous, room, at(1), at(5)) == [(text(at(1)), text(at(5)))]
    set_hours(as_admin, room, ("09:00", "17:00"))
    add_exception(as_admin, None, day_of(9))
    terms._kept.clear()
    for expected in (2, 1):
        with django_assert_num_queries(expected):
            spans(anonymous, room, at(0), at(24 * 30))


def test_a_resource_that_is_not_there_has_no_open_spans(anonymous: APIClient) -> None:
    query = {"start": text(at(1)), "end": text(at(2))}
    assert_flat_error(anonymous.get("/api/resources/999999/open/", query), 404)
