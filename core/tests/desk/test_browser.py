"""The timeline in a real Chromium: dragging, the refusal of a drag, the keyboard, narrow and dark screens."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from core.models import Booking, Resource
from core.tests.support.chromium import require_accessible
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource
from core.tests.support.rules import set_hours

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SignIn = Callable[[User], "Page"]
DAY = f"{at(0):%Y-%m-%d}"
TIMELINE = f"/admin/timeline/?day={DAY}"


def picture(page: "Page", name: str) -> None:
    """Keeps a screenshot where the environment asks for them."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def entry_of(page: "Page", booking: Booking) -> "Locator":
    return page.locator(f'[data-booking="{booking.pk}"]')


def drag(page: "Page", what: "Locator", x: float, y: float = 0, *, edge: bool = False) -> None:
    """Drags from the middle of an element, or from its right edge, by so many pixels."""
    what.scroll_into_view_if_needed()
    box = what.bounding_box()
    left, top = box["x"] + (box["width"] - 2 if edge else box["width"] / 2), box["y"] + box["height"] / 2
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + x / 2, top + y / 2, steps=4)
    page.mouse.move(left + x, top + y, steps=4)
    page.mouse.up()


def hour_width(page: "Page") -> float:
    return page.locator("thead th").nth(1).bounding_box()["width"]


@pytest.fixture
def day(admin: User, alice: User, as_admin: Any, room: Resource, lab: Resource) -> Booking:  # noqa: ANN401
    """A day with everything on it; the booking is alice's, at ten in the blue room."""
    set_hours(as_admin, lab, ("08:00", "18:00"))
    make_pending_booking(alice, lab, at(9))
    make_closure(admin, lab, start=at(12), end=at(14))
    make_resource("Van")
    return make_booking(alice, room)


def test_a_booking_is_moved_by_dragging_and_the_move_is_taken_back(
    signed_in: SignIn, admin: User, day: Booking
) -> None:
    page = signed_in(admin)
    page.goto(TIMELINE)
    drag(page, entry_of(page, day), 2 * hour_width(page))
    page.wait_for_selector(".messagelist .success")
    day.refresh_from_db()
    assert (day.start_time, day.end_time) == (at(12), at(13))
    picture(page, "moved")
    page.click("text=Take it back")
    page.wait_for_selector("text=Taken back")
    day.refresh_from_db()
    assert (day.start_time, day.end_time) == (at(10), at(11))


def test_a_booking_is_dragged_to_another_resource_and_stretched(signed_in: SignIn, admin: User, day: Booking) -> None:
    page = signed_in(admin)
    page.goto(TIMELINE)
    rows = page.locator("tbody tr")
    down = rows.nth(2).bounding_box()["y"] - rows.nth(0).bounding_box()["y"]
    drag(page, entry_of(page, day), 0, down)
    page.wait_for_selector(".messagelist .success")
    day.refresh_from_db()
    assert (day.resource.name, day.start_time) == ("Van", at(10))
    page.goto(TIMELINE)
    drag(page, entry_of(page, day), hour_width(page), edge=True)
    page.wait_for_selector(".messagelist .success")
    day.refresh_from_db()
    assert (day.start_time, day.end_time) == (at(10), at(12))


def test_a_drag_onto_a_taken_slot_is_refused_and_the_picture_goes_back(
    signed_in: SignIn, admin: User, bob: User, day: Booking, complaints: list[str]
) -> None:
    make_booking(bob, day.resource, at(12))
    page = signed_in(admin)
    page.goto(TIMELINE)
    before = entry_of(page, day).bounding_box()["x"]
    drag(page, entry_of(page, day), 1.5 * hour_width(page))
    error = page.wait_for_selector("#booking .errornote").inner_text()
    assert "already booked" in error
    assert "12:00 to 13:00" in error
    assert abs(entry_of(page, day).bounding_box()["x"] - before) < 2
    day.refresh_from_db()
    assert day.start_time == at(10)
    picture(page, "refused")
    complaints[:] = [each for each in complaints if "400" not in each]


def test_of_two_who_drag_the_same_booking_one_is_told(
    signed_in: SignIn, admin: User, day: Booking, complaints: list[str]
) -> None:
    page = signed_in(admin)
    page.goto(TIMELINE)
    other = page.context.new_page()
    other.goto(TIMELINE)
    drag(other, entry_of(other, day), 3 * hour_width(other))
    other.wait_for_selector(".messagelist .success")
    drag(page, entry_of(page, day), 5 * hour_width(page))
    assert "Somebody else changed" in page.wait_for_selector("#booking .errornote").inner_text()
    day.refresh_from_db()
    assert day.start_time == at(13)
    complaints[:] = [each for each in complaints if "409" not in each]


def test_a_drag_over_free_cells_opens_the_filled_in_form(signed_in: SignIn, admin: User, day: Booking) -> None:
    page = signed_in(admin)
    page.goto(TIMELINE)
    cell = page.locator("tbody tr").nth(2).locator("td.free").nth(14)
    drag(page, cell, 2 * hour_width(page))
    page.wait_for_selector("#booking_form")
    times = [page.input_value(f"#id_{name}_1") for name in ("start_time", "end_time")]
    assert times == ["14:00:00", "17:00:00"]


def test_a_click_leads_to_the_panel_and_its_buttons_decide(signed_in: SignIn, admin: User, day: Booking) -> None:
    page = signed_in(admin)
    page.goto(TIMELINE)
    page.click("a.entry.pending")
    page.wait_for_selector("#booking")
    require_accessible(page)
    picture(page, "panel")
    page.fill("#id_reason", "The lab is being cleaned.")
    page.click("button[value=reject]")
    page.wait_for_selector("text=Rejected:")
    assert Booking.objects.filter(status="rejected").count() == 1


def test_a_week_is_dragged_by_days(signed_in: SignIn, admin: User, day: Booking) -> None:
    page = signed_in(admin)
    page.goto(f"{TIMELINE}&span=week")
    to = 1 if at(0).weekday() < 6 else -1
    width = page.locator("thead th").nth(1).bounding_box()["width"]
    picture(page, "week")
    drag(page, entry_of(page, day), to * width)
    page.wait_for_selector(".messagelist .success")
    day.refresh_from_db()
    assert day.start_time == at(10, day=1 + to)


def test_it_works_without_script(
    signed_in: SignIn,
    admin: User,
    day: Booking,
    browser: Any,
    address: str,  # noqa: ANN401
) -> None:
    cookies = signed_in(admin).context.cookies()
    context = browser.new_context(base_url=address, java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(TIMELINE)
    page.click(f'[data-booking="{day.pk}"]')
    page.fill("#id_start_time", f"{at(15):%Y-%m-%dT%H:%M}")
    page.fill("#id_end_time", f"{at(16):%Y-%m-%dT%H:%M}")
    page.click("button[value=move]")
    page.wait_for_selector("text=Moved:")
    day.refresh_from_db()
    assert day.start_time == at(15)
    context.close()


def test_the_keyboard_reaches_free_time_and_bookings(signed_in: SignIn, admin: User, day: Booking) -> None:
    page = signed_in(admin)
    page.goto(TIMELINE)
    entry_of(page, day).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#booking")
    page.goto(TIMELINE)
    page.locator(".wide").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "free"


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("span", ["day", "week"])
def test_it_is_accessible_and_fits(
    signed_in: SignIn, admin: User, day: Booking, colours: str, width: int, span: str
) -> None:
    page = signed_in(admin)
    page.emulate_media(color_scheme=colours)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{TIMELINE}&span={span}")
    picture(page, f"{span}-{colours}-{width}")
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
