"""The numbers on the first page of the admin: each is the length of the list that it links to."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from core.desk import front
from core.models import Booking, Notification, Resource
from core.outbox.models import State
from core.tests.support.closures import make_closure
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
    make_rejected_booking,
    make_resource,
)
from core.tests.support.plans import plan_of

FRONT = "/admin/"
FIGURE = re.compile(
    r'id="figure-(?P<name>[a-z-]+)">\s*<a href="(?P<address>[^"]*)"><span class="number">(?P<number>[0-9]+)'
)
NAMES = ["waiting", "today", "running", "closures", "failed", "out-of-service"]


def numbers(pages: Client) -> dict[str, tuple[int, str]]:
    """The numbers of the page, and where each leads."""
    page = pages.get(FRONT)
    assert page.status_code == 200
    found = FIGURE.finditer(page.content.decode())
    return {each["name"]: (int(each["number"]), unescape(each["address"])) for each in found}


def length_of(pages: Client, address: str) -> int:
    """How many rows the list behind a number has."""
    page = pages.get(address)
    assert page.status_code == 200, address
    if "cl" in page.context:
        return page.context["cl"].result_count
    return page.content.decode().count('<li class="request"')


def make_message(**more: object) -> Notification:
    now = timezone.now()
    values = {"created_at": now, "due_at": now, "retry_until": now, "kind": "booking_created", "to": "a@example.org"}
    return Notification.objects.create(**{**values, **more})


def fill(alice: User, admin: User) -> None:
    """Rows that count, and as many beside them that do not."""
    now, hour = timezone.now(), timedelta(hours=1)
    today, soon = make_resource("Today"), make_resource("Soon")
    make_booking(alice, today, now - hour, now + hour)
    make_booking(alice, soon, now - hour, now - timedelta(minutes=1))
    make_cancelled_booking(alice, today, now)
    make_rejected_booking(alice, today, now)
    make_ended_booking(alice, today)
    make_pending_booking(alice, today, at(10))
    make_pending_booking(alice, soon, at(10))
    make_pending_booking(alice, soon, at(10, day=-3))
    make_pending_booking(alice, make_resource("Running, but not confirmed"), now)
    make_closure(admin, make_resource("Closed"), start=now, end=now + hour)
    make_closure(admin, make_resource("Closed later"))
    make_message(state=State.FAILED)
    make_message(state=State.WAITING)
    make_message(state=State.SENT)
    make_resource("Broken", is_available=False)
    # One that began days ago and one that is far ahead: of both only the first runs.
    make_booking(alice, make_resource("Van"), at(0, day=-4), at(0, day=4))
    make_booking(alice, make_resource("Other van"), at(0, day=300))


class TestNumbers:
    def test_each_number_is_the_length_of_the_list_that_it_links_to(
        self, admin_pages: Client, alice: User, admin: User
    ) -> None:
        fill(alice, admin)
        found = numbers(admin_pages)
        assert list(found) == NAMES
        assert {name: number for name, (number, _) in found.items()} == {
            name: length_of(admin_pages, address) for name, (_, address) in found.items()
        }

    def test_what_is_counted(self, admin_pages: Client, alice: User, admin: User) -> None:
        fill(alice, admin)
        found = {name: number for name, (number, _) in numbers(admin_pages).items()}
        del found["today"]  # depends on the hour of the test
        assert found == {"waiting": 3, "running": 2, "closures": 2, "failed": 1, "out-of-service": 1}

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
    def test_today_is_the_day_of_the_reader(
        self, admin_pages: Client, alice: User, room: Resource, settings: Settings, zone: str
    ) -> None:
        settings.HOUSE_TIME_ZONE = zone
        for hours in range(-30, 30):
            make_booking(alice, room, timezone.now() + timedelta(hours=hours))
        number, address = numbers(admin_pages)["today"]
        assert number == length_of(admin_pages, address)
        assert 24 <= number <= 26

    def test_nothing_is_zero(self, admin_pages: Client) -> None:
        assert {number for number, _ in numbers(admin_pages).values()} == {0}

    def test_the_oldest_that_waits_is_named_by_the_moment_it_was_asked_for(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        late, early = make_pending_booking(alice, lab, at(12)), make_pending_booking(alice, lab, at(15))
        Booking.objects.filter(pk=early.pk).update(created_at=at(9.5, day=-2))
        Booking.objects.filter(pk=late.pk).update(created_at=at(8, day=-1))
        page = admin_pages.get(FRONT).content.decode()
        assert f'the oldest since <span class="nowrap">{at(9.5, day=-2):%Y-%m-%d %H:%M}</span>' in page

    def test_many_are_counted_as_far_as_a_list_counts_them(
        self, admin_pages: Client, alice: User, lab: Resource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(front, "MOST_COUNTED", 2)
        for hour in range(3):
            make_pending_booking(alice, lab, timezone.now() + timedelta(minutes=1, hours=hour))
        make_pending_booking(alice, lab, timezone.now() - timedelta(hours=1, minutes=1))
        page = admin_pages.get(FRONT).content.decode()
        assert re.findall(r'id="figure-waiting">\s*<a href="/admin/queue/"><span class="number">([^<]*)<', page) == [
            "2+"
        ]


class TestCost:
    def statements(self, pages: Client) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert pages.get(FRONT).status_code == 200
        return len(asked)

    def test_10_and_10_000_bookings_take_the_same_statements(
        self, admin_pages: Client, alice: User, admin: User, room: Resource
    ) -> None:
        def fill(first: int, number: int) -> None:
            Booking.objects.bulk_create(
                Booking(
                    user=alice,
                    resource=room,
                    start_time=at(hour),
                    end_time=at(hour + 1),
                    status="pending" if hour % 2 else "confirmed",
                )
                for hour in range(first, first + number)
            )

        fill(0, 10)
        few = self.statements(admin_pages)
        fill(10, 10_000)
        assert self.statements(admin_pages) == few
        assert numbers(admin_pages)["waiting"][0] == 5005

    def test_each_number_is_read_from_an_index(self, alice: User, admin: User) -> None:
        fill(alice, admin)
        with CaptureQueriesContext(connection) as asked:
            front.figures(now=timezone.now())
        assert len(asked) == 7
        indexes = {
            "core_booking_waiting": 2,
            "core_booking_blocking_ends": 2,
            "core_closure_by_end": 1,
            "core_notification_due": 1,
            "core_resource_out_of_service": 1,
        }
        plans = [plan_of(each["sql"]) for each in asked]
        assert {name: sum(name in plan for plan in plans) for name in indexes} == indexes


@pytest.mark.parametrize("who", ["nobody", "user"])
def test_nobody_else_sees_the_numbers(alice: User, who: str) -> None:
    client = Client(HTTP_X_FORWARDED_PROTO="https")
    if who == "user":
        client.force_login(alice)
    answer = client.get(FRONT)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/login/?next=/admin/")


def test_the_list_of_bookings_tells_those_that_hold_their_slot_from_the_others(
    admin_pages: Client, alice: User, room: Resource
) -> None:
    held = {make_booking(alice, room, at(8)), make_pending_booking(alice, room, at(9))}
    given_up = {make_cancelled_booking(alice, room), make_rejected_booking(alice, room)}
    for query, rows in {"held": held, "given_up": given_up, "nonsense": held | given_up}.items():
        page = admin_pages.get(f"/admin/core/booking/?when=all&slot={query}")
        assert set(page.context["cl"].result_list) == rows
