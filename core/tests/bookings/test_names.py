"""One form of a booking's name, wherever staff read one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from core import lifecycle
from core.models import Booking, Resource
from core.record.models import BookingEvent
from core.tests.support.acts import act
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_resource, make_user, text
from core.tests.support.mailing import hand_on

BOOKINGS = "/admin/core/booking/"


def moment(words: str) -> datetime:
    return datetime.fromisoformat(f"2026-{words}Z")


# The zone, the start and the end in UTC, and what stands between the resource and the user.
NAMES = {
    "one day": ("UTC", "11-26T14:00", "11-26T16:00", "2026-11-26 14:00–16:00 UTC"),
    "another zone": ("Europe/Berlin", "11-26T14:00", "11-26T16:00", "2026-11-26 15:00–17:00 Europe/Berlin"),
    "over midnight": ("UTC", "11-26T22:00", "11-27T01:00", "2026-11-26 22:00–2026-11-27 01:00 UTC"),
    "until midnight": ("UTC", "11-26T22:00", "11-27T00:00", "2026-11-26 22:00–2026-11-27 00:00 UTC"),
    "over midnight there": ("Asia/Tokyo", "11-26T14:00", "11-26T16:00", "2026-11-26 23:00–2026-11-27 01:00 Asia/Tokyo"),
    "one day there": ("Asia/Tokyo", "11-26T22:00", "11-27T01:00", "2026-11-27 07:00–10:00 Asia/Tokyo"),
    "with seconds": ("UTC", "11-26T14:00:05", "11-26T16:00", "2026-11-26 14:00:05–16:00 UTC"),
    "the hour twice": (
        "Europe/Berlin",
        "10-25T00:30",
        "10-25T01:30",
        "2026-10-25 02:30 CEST–02:30 CET Europe/Berlin",
    ),
    "the hour that is left out": (
        "Europe/Berlin",
        "03-29T00:30",
        "03-29T01:30",
        "2026-03-29 01:30–03:30 Europe/Berlin",
    ),
}


@pytest.mark.parametrize("where", NAMES)
def test_the_name_of_a_booking(where: str) -> None:
    zone, start, end, told = NAMES[where]
    booking = Booking(
        user=User(username="bert"),
        resource=Resource(name="Aurora meeting room"),
        start_time=moment(start),
        end_time=moment(end),
    )
    with timezone.override(ZoneInfo(zone)):
        assert str(booking) == f"Aurora meeting room, {told}, bert"


def test_the_name_of_the_part_of_a_closure(admin: User, room: Resource) -> None:
    make_closure(admin, room, start=at(9), end=at(17))
    assert str(Booking.taken.get()) == f"Blue room, {at(9):%Y-%m-%d} 09:00–17:00 UTC, closed"


def test_the_name_of_a_booking_whose_owner_is_forgotten(room: Resource) -> None:
    booking = Booking(user=User(username=""), resource=room, start_time=at(9), end_time=at(10))
    assert str(booking) == f"Blue room, {at(9):%Y-%m-%d} 09:00–10:00 UTC, a deleted account"


PAGES: dict[str, Callable[[Booking], tuple[str, dict[str, object] | None]]] = {
    "the list of bookings": lambda booking: (f"{BOOKINGS}?when=all", None),
    "the page of the booking": lambda booking: (f"{BOOKINGS}{booking.pk}/change/", None),
    "before deleting": lambda booking: (f"{BOOKINGS}{booking.pk}/delete/", None),
    "before deleting several": lambda booking: (
        BOOKINGS,
        {"action": "delete_selected", "_selected_action": [booking.pk]},
    ),
    "before rejecting": lambda booking: (BOOKINGS, {"action": "reject", "_selected_action": [booking.pk]}),
    "the history of the booking": lambda booking: (f"{BOOKINGS}{booking.pk}/history/", None),
    "the acts": lambda booking: ("/admin/core/bookingevent/", None),
    "an act": lambda booking: (f"/admin/core/bookingevent/{BookingEvent.objects.get().pk}/change/", None),
    "the messages": lambda booking: ("/admin/core/notification/", None),
    "before a closure": lambda booking: (
        "/admin/core/closure/add/",
        {
            "resources": [booking.resource_id],
            "start_time_0": f"{at(0):%Y-%m-%d}",
            "start_time_1": "00:00",
            "end_time_0": f"{at(0, day=3):%Y-%m-%d}",
            "end_time_1": "00:00",
            "zone": "Asia/Tokyo",
            "reason": "Repair",
        },
    ),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_the_booking_in_the_zone_of_its_reader(admin_pages: Client, settings: Settings, page: str) -> None:
    settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
    bert = make_user("bert")
    room = make_resource("Aurora <meeting> room")
    booking = lifecycle.book(user=bert, resource_id=room.pk, start_time=at(14), end_time=at(16), act=act(bert))
    hand_on()
    address, body = PAGES[page](booking)
    answer = admin_pages.get(address) if body is None else admin_pages.post(address, body)
    days = f"{at(14):%Y-%m-%d} 23:00–{at(14) + timedelta(days=1):%Y-%m-%d} 01:00"
    assert answer.status_code == 200
    assert f"Aurora <meeting> room, {days} Asia/Tokyo, bert" in unescape(answer.content.decode())
    assert "<meeting>" not in answer.content.decode()


def test_what_is_noted_about_a_change_names_the_booking(admin_pages: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, status="pending")
    admin_pages.post(BOOKINGS, {"action": "confirm", "_selected_action": [booking.pk]})
    assert LogEntry.objects.get().object_repr == str(booking)
    report = admin_pages.post(BOOKINGS, {"action": "confirm", "_selected_action": [booking.pk]}, follow=True)
    assert f"Not done: Booking {booking.pk} ({booking}): " in report.content.decode()
    assert text(booking.start_time)[:10] in str(booking)
