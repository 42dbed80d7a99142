"""GET /api/resources/availability/: the time lines of many resources in one call."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.rules import add_exception, add_quota, day_of, set_hours, set_policy

URL = "/api/resources/availability/"
INCLUDED = {"include": ["details", "mine"]}


def day(client: APIClient, number: int = 1, **more: object) -> list[dict]:
    """The time lines of a day."""
    asked = {"start": text(at(0, day=number)), "end": text(at(24, day=number)), **more}
    answer = client.get(URL, asked)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def span(start: float, end: float, **more: object) -> dict:
    return {"start_time": text(at(start)), "end_time": text(at(end)), **more}


def test_a_day_of_several_resources(as_admin: APIClient, anonymous: APIClient, alice: User, room: Resource) -> None:
    desk, lab = make_resource("Desk"), make_resource("Lab")
    make_booking(alice, room, at(10), at(11))
    set_hours(as_admin, desk, ("09:00", "12:00"))
    add_exception(as_admin, lab, day_of(1), name="Stocktaking")
    blue, second, third = day(anonymous)
    assert (blue["resource"], blue["resource_name"]) == (room.pk, "Blue room")
    assert blue["busy"] == [span(10, 11, status="confirmed")]
    assert blue["closed"] == []
    assert blue["free"][-1] == span(11, 24)
    assert second["closed"] == [span(0, 9, reason=""), span(12, 24, reason="")]
    assert second["free"] == [span(9, 12)]
    assert third["closed"] == [span(0, 24, reason="Stocktaking")]
    assert third["free"] == []
    assert set(third) == {"resource", "resource_name", "busy", "closed", "free", "next_free"}


def test_each_line_is_that_of_the_resource_alone(
    as_admin: APIClient, as_alice: APIClient, admin: User, alice: User, bob: User, room: Resource
) -> None:
    desk, lab = make_resource("Desk"), make_resource("Lab", is_available=False)
    set_hours(as_admin, desk, ("09:00", "17:00"))
    set_policy(as_admin, desk, min_minutes=60, grid_minutes=30, buffer_after_minutes=15, notice_minutes=0)
    make_booking(alice, desk, at(10), at(11))
    make_booking(bob, room, at(-1), at(3))
    make_closure(admin, room, lab)
    window = {"start": text(at(0)), "end": text(at(24))}
    for line in day(as_alice):
        alone = as_alice.get(f"/api/resources/{line.pop('resource')}/availability/", window).json()
        assert line.pop("resource_name")
        assert line == {"closed": [], **alone}


def test_it_tells_no_stranger_who_booked(
    anonymous: APIClient, as_alice: APIClient, as_bob: APIClient, as_admin: APIClient, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    assert all("id" not in day(client)[0]["busy"][0] for client in (anonymous, as_bob))
    assert all(day(client)[0]["busy"][0]["id"] == booking.pk for client in (as_alice, as_admin))


def test_it_marks_the_own_bookings_when_asked(
    anonymous: APIClient,
    as_alice: APIClient,
    as_bob: APIClient,
    as_admin: APIClient,
    admin: User,
    alice: User,
    room: Resource,
) -> None:
    make_closure(admin, room, start=at(8), end=at(9))
    make_booking(alice, room)
    seen = {client: day(client, include="mine")[0]["busy"] for client in (anonymous, as_alice, as_bob, as_admin)}
    assert [["mine" in each for each in busy] for busy in seen.values()] == [
        [False, False],
        [False, True],
        [False, False],
        [False, False],
    ]
    assert seen[as_alice][1]["mine"] is True
    assert "mine" not in day(as_alice)[0]["busy"][1]


def test_it_tells_what_the_resource_is_when_asked(anonymous: APIClient) -> None:
    hall = make_resource("Hall", capacity=50, description="With a stage.", requires_approval=False)
    (line,) = day(anonymous, include=["details", "mine"])
    assert (line["resource"], line["description"], line["capacity"]) == (hall.pk, "With a stage.", 50)
    assert (line["is_available"], line["requires_approval"]) == (True, False)


def test_it_is_narrowed_and_ordered_as_the_list(anonymous: APIClient, alice: User, room: Resource) -> None:
    hall, _ = make_resource("Hall", capacity=50), make_resource("Cell", capacity=2)
    make_booking(alice, hall, at(0), at(24))

    def names(**asked: object) -> list[str]:
        return [line["resource_name"] for line in day(anonymous, **asked)]

    assert names() == ["Blue room", "Cell", "Hall"]
    assert names(min_capacity=2) == ["Cell", "Hall"]
    assert names(search="hal") == ["Hall"]
    assert names(ordering="-capacity") == ["Hall", "Cell", "Blue room"]
    assert names(available="true") == ["Blue room", "Cell"]
    page = anonymous.get(URL, {"start": text(at(0)), "end": text(at(24)), "limit": 2})
    assert [line["resource_name"] for line in page.json()] == ["Blue room", "Cell"]
    assert 'rel="next"' in page.headers["Link"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "start"),
        ({"start": text(at(0))}, "end"),
        ({"start": text(at(1)), "end": text(at(1))}, "end"),
        ({"start": text(at(0)), "end": text(at(0, day=33))}, "end"),
        ({"start": text(at(0)), "end": text(at(24)), "include": "policy"}, "include"),
        ({"start": text(at(0)), "end": text(at(24)), "limit": 0}, "limit"),
    ],
)
def test_a_window_of_at_most_31_days_is_needed(anonymous: APIClient, asked: dict, field: str) -> None:
    assert_flat_error(anonymous.get(URL, asked), 400, "invalid", field)


def test_too_many_spans_are_refused_with_advice(
    anonymous: APIClient, alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.views.resources.MOST_SPANS", 2)
    for hour in range(3):
        make_booking(alice, room, at(hour), at(hour + 1))
    body = assert_flat_error(anonymous.get(URL, {"start": text(at(0)), "end": text(at(24))}), 400, "invalid", "end")
    assert "limit" in body["detail"]


class TestTheTag:
    def asked(self, client: APIClient, tag: str = "") -> object:
        window = {"start": text(at(0)), "end": text(at(24))}
        return client.get(URL, window, headers={"If-None-Match": tag} if tag else {})

    def test_it_does_not_change_with_the_clock(
        self, anonymous: APIClient, as_admin: APIClient, room: Resource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        set_policy(as_admin, room, notice_minutes=60)
        first = self.asked(anonymous)
        later = timezone.now() + timedelta(minutes=1)
        monkeypatch.setattr("core.api.views.timezone.now", lambda: later)
        assert self.asked(anonymous, first.headers["ETag"]).status_code == 304
        assert self.asked(anonymous).headers["ETag"] == first.headers["ETag"]

    @pytest.mark.parametrize("change", ["booked", "cancelled", "closed", "hours", "policy", "named", "out of service"])
    def test_it_changes_with_what_is_booked_closed_and_configured(
        self, anonymous: APIClient, as_admin: APIClient, admin: User, alice: User, room: Resource, change: str
    ) -> None:
        booking = make_booking(alice, room, at(8), at(9))
        tag = self.asked(anonymous).headers["ETag"]
        if change == "booked":
            make_booking(alice, room)
        elif change == "cancelled":
            Booking.objects.filter(pk=booking.pk).update(status="cancelled")
        elif change == "closed":
            make_closure(admin, room, start=at(12), end=at(13))
        elif change == "hours":
            set_hours(as_admin, room, ("08:00", "20:00"))
        elif change == "policy":
            set_policy(as_admin, room, grid_minutes=15)
        elif change == "named":
            as_admin.patch(f"/api/resources/{room.pk}/", {"name": "Red room"})
        else:
            as_admin.patch(f"/api/resources/{room.pk}/", {"is_available": False})
        assert self.asked(anonymous, tag).status_code == 200

    @pytest.mark.parametrize("changed", ["description", "owner"])
    def test_it_covers_what_is_included(
        self, as_alice: APIClient, as_admin: APIClient, admin: User, alice: User, room: Resource, changed: str
    ) -> None:
        # Staff see the id of each booking; only the mark tells whose it is.
        client, owner = (as_admin, admin) if changed == "owner" else (as_alice, alice)
        booking = make_booking(alice, room)
        window = {"start": text(at(0)), "end": text(at(24))}

        def asked(tag: str, **more: object) -> int:
            return client.get(URL, {**window, **more}, headers={"If-None-Match": tag}).status_code

        plain, full = (client.get(URL, {**window, **more}).headers["ETag"] for more in ({}, INCLUDED))
        assert plain != full
        assert asked(full, **INCLUDED) == 304
        if changed == "owner":
            Booking.objects.filter(pk=booking.pk).update(user=owner)
        else:
            as_admin.patch(f"/api/resources/{room.pk}/", {"description": "Up the stairs."})
        assert asked(full, **INCLUDED) == 200
        assert asked(plain) == 304


@pytest.mark.parametrize("number", [1, 30])
@pytest.mark.parametrize(("ruled", "most"), [(False, 2), (True, 3)])
def test_it_takes_a_fixed_number_of_statements(
    as_admin: APIClient,
    anonymous: APIClient,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
    ruled: bool,
    most: int,
) -> None:
    rooms = [make_resource(f"Room {each}") for each in range(number)]
    for each in rooms:
        make_booking(alice, each)
        if ruled:
            set_hours(as_admin, each, ("09:00", "17:00"))
            set_policy(as_admin, each, min_minutes=30, buffer_after_minutes=15)
    if ruled:
        add_exception(as_admin, None, day_of(2))
        add_quota(as_admin, kind="active", limit=3)
    with django_assert_num_queries(most):
        assert len(day(anonymous)) == number
