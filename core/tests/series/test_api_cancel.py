"""A series after it was booked: its notes, its cancellation, and its versions."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource, Series
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, text
from core.tests.support.series import (
    BOOKINGS,
    HOUR,
    SERIES,
    TEN,
    ids_of,
    make_series,
    statuses,
)


def test_a_patch_changes_the_notes_of_the_series_and_its_dates(as_alice: APIClient, ten: dict) -> None:
    as_alice.patch(f"{BOOKINGS}{ids_of(ten)[1]}/", {"notes": "Mine"})
    answer = as_alice.patch(f"{SERIES}{ten['id']}/", {"notes": "Cake"})
    assert (answer.status_code, answer.json()["notes"]) == (200, "Cake")
    notes = list(Booking.objects.order_by("pk").values_list("notes", flat=True))
    assert notes == ["Cake", "Mine", *["Cake"] * 8]


def test_a_patch_with_the_whole_series_changes_the_notes(as_alice: APIClient, ten: dict) -> None:
    answer = as_alice.patch(f"{SERIES}{ten['id']}/", {**ten, "notes": "Cake"})
    assert (answer.status_code, answer.json()["notes"]) == (200, "Cake")


@pytest.mark.parametrize(("field", "value"), [("rrule", "FREQ=DAILY;COUNT=2"), ("end_time", "2030-01-01T10:00:00")])
def test_a_patch_of_what_does_not_change_is_refused(as_alice: APIClient, ten: dict, field: str, value: str) -> None:
    answer = as_alice.patch(f"{SERIES}{ten['id']}/", {field: value, "notes": "Cake"})
    assert_flat_error(answer, 400, "invalid", field)
    assert Series.objects.get().notes == "Weekly"


def test_a_delete_cancels_all_that_is_to_come(as_alice: APIClient, ten: dict) -> None:
    assert as_alice.delete(f"{SERIES}{ten['id']}/").status_code == 204
    assert set(statuses(ten["id"])) == {"cancelled"}
    assert as_alice.get(f"{SERIES}{ten['id']}/").status_code == 200
    assert as_alice.delete(f"{SERIES}{ten['id']}/").status_code == 204


@pytest.mark.parametrize("how", ["moments", "clock"])
def test_two_days_of_holiday_are_cancelled(as_alice: APIClient, room: Resource, how: str) -> None:
    made = make_series(as_alice, room, TEN, time_zone="Asia/Tokyo")  # at 19 there
    start, end = at(10, day=3), at(10, day=5)
    sent = {
        "moments": {"start": text(start), "end": text(end)},
        "clock": {"start": (start + 9 * HOUR).isoformat()[:19], "end": (end + 9 * HOUR).isoformat()[:19]},
    }[how]
    answer = as_alice.post(f"{SERIES}{made['id']}/cancel/", {**sent, "reason": "Holiday"})
    assert answer.status_code == 200, answer.json()
    cancelled = answer.json()["cancelled"]
    assert [date["id"] for date in cancelled] == ids_of(made)[2:4]
    assert {date["status"] for date in cancelled} == {"cancelled"}
    assert statuses(made["id"]).count("confirmed") == 8
    history = as_alice.get(f"{BOOKINGS}{cancelled[0]['id']}/history/").json()
    assert history[0]["reason"] == "Holiday"


def test_dates_are_cancelled_by_their_ids(as_alice: APIClient, ten: dict) -> None:
    wanted = [ids_of(ten)[4], ids_of(ten)[1]]
    answer = as_alice.post(f"{SERIES}{ten['id']}/cancel/", {"ids": wanted})
    assert [date["id"] for date in answer.json()["cancelled"]] == sorted(wanted)
    assert statuses(ten["id"]).count("cancelled") == 2
    again = as_alice.post(f"{SERIES}{ten['id']}/cancel/", {"ids": wanted})
    assert (again.status_code, again.json()) == (200, {"cancelled": []})


START, END = text(at(0)), text(at(0, day=9))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "non_field_errors"),
        ({"reason": "x"}, "non_field_errors"),
        ({"start": START}, "non_field_errors"),
        ({"end": END}, "non_field_errors"),
        ({"start": START, "end": END, "ids": [1]}, "non_field_errors"),
        ({"start": END, "end": START}, "end"),
        ({"start": "soon", "end": END}, "start"),
        ({"start": "0001-01-01T00:00:00", "end": "9999-12-31T23:59:59"}, "start"),
        ({"ids": []}, "ids"),
        ({"ids": None}, "ids"),
        ({"ids": ["x"]}, "ids"),
        ({"ids": [0]}, "ids"),
        ({"ids": [10**30]}, "ids"),
        ({"ids": list(range(1, 368))}, "ids"),
        ({"ids": [1], "reason": "x" * 501}, "reason"),
        ({"ids": [1], "scope": "all"}, "scope"),
    ],
    ids=str,
)
def test_a_cancellation_names_its_dates_in_one_way(as_alice: APIClient, ten: dict, body: dict, field: str) -> None:
    assert_flat_error(as_alice.post(f"{SERIES}{ten['id']}/cancel/", body), 400, "invalid", field)
    assert statuses(ten["id"]) == ["confirmed"] * 10


def test_the_ends_of_the_calendar_are_a_span_too(as_alice: APIClient, ten: dict) -> None:
    sent = {"start": "0001-01-02T00:00:00", "end": "9999-12-30T00:00:00"}
    assert len(as_alice.post(f"{SERIES}{ten['id']}/cancel/", sent).json()["cancelled"]) == 10


def test_a_booking_of_another_series_refuses_all(as_alice: APIClient, alice: User, room: Resource, ten: dict) -> None:
    other = make_booking(alice, room, at(20))
    answer = as_alice.post(f"{SERIES}{ten['id']}/cancel/", {"ids": [ids_of(ten)[0], other.pk]})
    assert_flat_error(answer, 400, "not_in_series")
    assert set(Booking.objects.values_list("status", flat=True)) == {"confirmed"}


CHANGES: dict[str, Callable[[APIClient, dict, str], Any]] = {
    "PATCH": lambda client, ten, tag: client.patch(f"{SERIES}{ten['id']}/", {"notes": "x"}, headers={"If-Match": tag}),
    "DELETE": lambda client, ten, tag: client.delete(f"{SERIES}{ten['id']}/", headers={"If-Match": tag}),
    "cancel": lambda client, ten, tag: client.post(
        f"{SERIES}{ten['id']}/cancel/", {"ids": ids_of(ten)}, headers={"If-Match": tag}
    ),
    "a date": lambda client, ten, tag: client.patch(
        f"{BOOKINGS}{ids_of(ten)[0]}/?scope=all", {"notes": "x"}, headers={"If-Match": tag}
    ),
    "a cancelled date": lambda client, ten, tag: client.delete(
        f"{BOOKINGS}{ids_of(ten)[0]}/?scope=all", headers={"If-Match": tag}
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_stale_version_changes_nothing(as_alice: APIClient, ten: dict, name: str) -> None:
    read = f"{BOOKINGS}{ids_of(ten)[0]}/" if "date" in name else f"{SERIES}{ten['id']}/"
    stale = as_alice.get(read).headers["ETag"]
    as_alice.patch(f"{SERIES}{ten['id']}/", {"notes": "Faster"})
    refused = CHANGES[name](as_alice, ten, stale)
    body = assert_flat_error(refused, 412, "precondition_failed")
    current = as_alice.get(read)
    assert (body["current"], refused.headers["ETag"]) == (current.json(), current.headers["ETag"])
    assert set(Booking.objects.values_list("status", "notes")) == {("confirmed", "Faster")}
    assert CHANGES[name](as_alice, ten, current.headers["ETag"]).status_code < 300
