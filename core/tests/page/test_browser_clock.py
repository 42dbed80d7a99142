"""The nights of a clock change on the booking page: what it shows and books agrees with the API."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.booking_page import choose_zone, drag, show_day, told, type_times
from core.tests.support.factories import make_booking

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]
HOUR = timedelta(hours=1)


def next_change(zone: str, *, back: bool) -> datetime:
    """The moment of the next clock change of a zone, at least two days ahead: back, or ahead."""
    place = ZoneInfo(zone)
    moment = timezone.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    for _ in range(2 * 24 * 366):
        later = moment + timedelta(minutes=30)
        before, after = moment.astimezone(place).utcoffset(), later.astimezone(place).utcoffset()
        if before != after and (after < before) == back:
            return later
        moment = later
    raise AssertionError("there is no such change")


def headings(page: "Page") -> list[str]:
    return [each.inner_text().replace("\n", " ") for each in page.locator("thead th:not(.name)").all()]


CHANGES = [
    ("Europe/Berlin", True, 25, ["01:00 UTC+2", "02:00 UTC+2", "02:00 UTC+1", "03:00 UTC+1"]),
    ("Europe/Berlin", False, 23, ["00:00 UTC+1", "01:00 UTC+1", "03:00 UTC+2", "04:00 UTC+2"]),
    ("Australia/Lord_Howe", True, 25, ["01:00 UTC+11", "01:30 UTC+10:30", "02:00 UTC+10:30"]),
    ("Australia/Lord_Howe", False, 24, ["01:00 UTC+10:30", "02:30 UTC+11", "03:00 UTC+11"]),
]


@pytest.mark.parametrize(("zone", "back", "columns", "around"), CHANGES)
def test_each_real_hour_has_a_column_and_what_is_dragged_is_booked(
    visit: Visit,
    as_alice: APIClient,
    alice: User,
    room: Resource,
    zone: str,
    back: bool,
    columns: int,
    around: list[str],
) -> None:
    change = next_change(zone, back=back)
    date = f"{change.astimezone(ZoneInfo(zone)):%Y-%m-%d}"
    # As long as it is by the clock of no wall: an hour before the change to an hour after it.
    make_booking(alice, room, change - HOUR, change + HOUR)
    page = visit(alice)
    choose_zone(page, zone)
    show_day(page, date)
    shown = headings(page)
    assert len(shown) == columns
    assert any(shown[place : place + len(around)] == around for place in range(len(shown)))
    assert page.get_by_text("The clock changes on Sunday, ").is_visible()

    start = datetime.fromisoformat(date).replace(tzinfo=ZoneInfo(zone))
    end = (datetime.fromisoformat(date) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    hours = (end.astimezone(UTC) - start.astimezone(UTC)) / HOUR
    lane = page.locator("tbody .lane").bounding_box()
    mine = page.locator("tbody .span.mine").bounding_box()
    assert mine["width"] / lane["width"] == pytest.approx(2 / hours, abs=0.002)
    begun = (change - HOUR - start.astimezone(UTC)) / HOUR
    assert (mine["x"] - lane["x"]) / lane["width"] == pytest.approx(begun / hours, abs=0.002)
    # The columns are as wide as their hours are long: the column after the change begins at the change.
    heads = page.locator("thead th:not(.name)")
    begins = [each.bounding_box()["x"] for each in heads.all()]
    assert any(x == pytest.approx(mine["x"] + mine["width"] / 2, abs=2) for x in begins)

    drag_hours(page, room, hours - 3, hours - 1, hours)
    told(page, "This can be booked.")
    page.locator("form.booking button.main").click()
    page.get_by_text("Booked.", exact=True).wait_for()
    answer = as_alice.get("/api/bookings/").json()[-1]
    assert answer["end_time"] == f"{(end.astimezone(UTC) - HOUR):%Y-%m-%dT%H:%M:%SZ}"
    assert "(2 h)" in page.locator(".facts").inner_text()


def drag_hours(page: "Page", room: Resource, start: float, end: float, hours: float) -> None:
    """Drags by real hours since the beginning of the day."""
    drag(page, room, 24 * start / hours, 24 * end / hours)


def test_a_time_that_comes_twice_is_chosen_and_one_that_is_skipped_is_told(
    visit: Visit, alice: User, room: Resource
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    back, ahead = (next_change("Europe/Berlin", back=each) for each in (True, False))
    page = visit(alice)
    choose_zone(page, "Europe/Berlin")
    page.get_by_role("button", name="New booking").click()
    page.locator("[name=resource]").select_option(label="Blue room")
    type_times(page, "02:30", "03:00", date=f"{ahead.astimezone(berlin):%Y-%m-%d}")
    told(page, "The clock skips 02:30")
    type_times(page, "02:30", "03:00", date=f"{back.astimezone(berlin):%Y-%m-%d}")
    told(page, "This can be booked.")
    choices = page.locator("[name=which_start] option").all_inner_texts()
    assert choices == ["02:30 UTC+2", "02:30 UTC+1"]
    page.locator("[name=which_start]").select_option(label="02:30 UTC+1")
    page.get_by_label("Length in minutes").fill("30")
    told(page, "This can be booked.")
    page.locator("form.booking button.main").click()
    page.get_by_text("Booked.", exact=True).wait_for()
    booking = Booking.objects.get()
    assert (booking.start_time, booking.end_time) == (back + HOUR / 2, back + HOUR)


def test_the_zone_is_ones_own_else_that_of_the_house_and_an_unknown_one_is_refused(
    guest: "Page", visit: Visit, as_alice: APIClient, alice: User, room: Resource, settings: object
) -> None:
    settings.HOUSE_TIME_ZONE = "Asia/Kathmandu"
    guest.goto("/")
    guest.get_by_role("button", name="Time zone Asia/Kathmandu").click()
    guest.get_by_label("Time zone").fill("Mars/Olympus")
    guest.get_by_role("button", name="Change", exact=True).click()
    guest.get_by_text("There is no time zone “Mars/Olympus”.").wait_for()
    as_alice.patch("/api/profile/preferences/", {"time_zone": "America/St_Johns"})
    page = visit(alice)
    page.get_by_role("button", name="Time zone America/St_Johns").wait_for()
