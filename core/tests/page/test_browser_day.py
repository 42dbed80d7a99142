"""The day of the booking page while time goes on: what stays, what goes, and what is asked when."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from core.models import Booking, Resource
from core.tests.support.booking_page import forgive, place_of, row_of, show_day, told
from core.tests.support.factories import at, make_booking, make_resource
from core.views import resources

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]
DAY_AFTER = f"{at(0, day=2):%Y-%m-%d}"
ADDRESS = "**/api/resources/availability/**"


def refresh(page: "Page") -> None:
    """Asks the day again, as on focus, and waits for the answer to be shown."""
    with page.expect_response(ADDRESS):
        page.evaluate("dispatchEvent(new Event('focus'))")
    page.evaluate("new Promise((done) => setTimeout(done, 150))")


def asked(page: "Page") -> list["Request"]:
    """The calls for the day from now on."""
    calls: list[Request] = []
    page.on("request", lambda request: "/availability/" in request.url and calls.append(request))
    return calls


# --- What is shown ----------------------------------------------------------------------------------------------------


def go_to_the_next_day(page: "Page") -> None:
    page.get_by_role("button", name="Next day").click()


def search(page: "Page") -> None:
    page.get_by_label("Words").fill("blue")


def change_the_zone(page: "Page") -> None:
    page.locator(".zone > button").click()
    page.get_by_label("Time zone", exact=True).fill("Asia/Tokyo")
    page.keyboard.press("Enter")


@pytest.mark.parametrize("change", [go_to_the_next_day, search, change_the_zone])
@pytest.mark.parametrize("form", ["table", "list"])
def test_nothing_of_the_day_before_stays_below_a_new_heading(
    visit: Visit, alice: User, room: Resource, change: Callable[["Page"], None], form: str, complaints: list[str]
) -> None:
    page = visit(alice)
    show_day(page, query=f"?form={form}")
    page.route(ADDRESS, lambda route: route.abort("internetdisconnected"))
    change(page)
    page.get_by_text("No connection to the server.").wait_for()
    assert page.locator("main [data-key]").count() == 0
    page.unroute(ADDRESS)
    page.locator("main [data-key]").first.wait_for()
    forgive(complaints, "ERR_INTERNET_DISCONNECTED")


def test_another_form_of_the_same_day_needs_no_call(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    calls = asked(page)
    page.get_by_role("button", name="List").click()
    page.wait_for_selector(".line")
    page.get_by_role("button", name="Table").click()
    page.wait_for_selector("tbody [data-key]")
    assert calls == []


@pytest.mark.parametrize("form", ["table", "list"])
def test_a_refresh_leaves_what_is_alike_with_its_focus(
    visit: Visit, alice: User, bob: User, room: Resource, form: str
) -> None:
    other = make_resource("Green room")
    page = visit(alice)
    show_day(page, query=f"?form={form}")
    focused = page.locator("main button[data-key]").first.element_handle()
    focused.focus()
    page.evaluate("""
        window.told = 0;
        const count = document.querySelector(".count");
        new MutationObserver(() => { window.told += 1; }).observe(count, { childList: true });
    """)
    refresh(page)
    make_booking(bob, other)
    refresh(page)
    page.locator("[class*='span taken']:not(.swatch)").wait_for()
    assert focused.evaluate("(each) => each === document.activeElement")
    assert page.evaluate("window.told") == 0
    # The focused time becomes shorter: the focus goes on to what is left of it.
    make_booking(bob, room, at(8), at(9))
    refresh(page)
    page.locator("[class*='span taken']:not(.swatch)").nth(1).wait_for()
    assert not focused.evaluate("(each) => each.isConnected")
    key = page.evaluate("document.activeElement.dataset.key")
    assert key.split(" ")[0] == str(room.pk)


def test_a_press_outlasts_a_refresh(visit: Visit, alice: User, bob: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    page.mouse.move(*place_of(page, room, 15.2))
    page.mouse.down()
    make_booking(bob, room, at(8), at(9))
    refresh(page)
    page.mouse.up()
    told(page, "This can be booked.")
    assert page.input_value("[name=start]") == "15:00"
    page.keyboard.press("Escape")
    page.locator("tbody .span.taken").wait_for()


def test_the_hour_of_now_moves_on(visit: Visit, window: Visit, alice: User, room: Resource) -> None:
    page = window()
    page.clock.install(time=at(10, day=0).replace(minute=30))
    page.goto(f"/day/{at(0, day=0):%Y-%m-%d}")
    page.locator("th.now", has_text="10:00").wait_for()
    page.clock.fast_forward("01:00:00")
    page.locator("th.now", has_text="11:00").wait_for()
    assert page.locator("th.now").count() == 1


def test_in_the_table_the_wheel_leaves_focus_and_place_alone(visit: Visit, alice: User) -> None:
    for number in range(100):
        make_resource(f"Room {number:03}")
    page = visit(alice)
    show_day(page)
    page.locator("[data-key][tabindex='0']").focus()
    first = page.evaluate("document.activeElement.dataset.key")
    page.locator(".scroller").evaluate("(each) => { each.scrollTop = 3000; }")
    page.locator("tr[data-row='60']").wait_for()
    assert page.evaluate("document.activeElement.dataset.key ?? ''") == ""
    assert page.locator(".scroller").evaluate("(each) => each.scrollTop") == 3000
    page.locator(".scroller").evaluate("(each) => { each.scrollTop = 0; }")
    page.locator("tr[data-row='0']").wait_for()
    assert page.evaluate("document.activeElement.dataset.key") == first


def test_enter_opens_the_form_after_a_drag_that_ended_outside_the_table(
    visit: Visit, alice: User, room: Resource
) -> None:
    page = visit(alice)
    show_day(page)
    x, y = place_of(page, room, 9)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    page.mouse.move(x + 90, y + 300, steps=5)
    page.mouse.up()
    page.wait_for_selector("dialog")
    page.keyboard.press("Escape")
    row_of(page, room).locator("button.free").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")


# --- What is asked ----------------------------------------------------------------------------------------------------


def test_a_tag_is_good_for_two_minutes_since_it_knows_no_clock(visit: Visit, window: Visit, room: Resource) -> None:
    page = window()
    page.clock.install()
    show_day(page)
    calls = asked(page)
    for _ in range(3):
        with page.expect_response(ADDRESS):
            page.clock.fast_forward("01:00")
    assert ["if-none-match" in each.headers for each in calls] == [True, True, False]


def test_a_server_that_asks_to_wait_is_not_asked_on_focus(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    show_day(page)
    page.route(ADDRESS, lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}, body=""))
    calls = asked(page)
    refresh(page)
    page.get_by_text("It is asked again in 60 seconds.").wait_for()
    for _ in range(3):
        page.evaluate("dispatchEvent(new Event('focus'))")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert len(calls) == 1
    # Whoever presses a button asks.
    page.unroute(ADDRESS)
    page.get_by_role("button", name="Next day").click()
    row_of(page, room).wait_for()
    forgive(complaints, "503")


def test_a_day_that_is_typed_is_one_step_and_one_call(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    calls = asked(page)
    steps = page.evaluate("history.length")
    date = page.locator("[name=date]")
    date.focus()
    page.keyboard.type("03152027", delay=40)
    page.wait_for_url("**/day/2027-03-15")
    row_of(page, room).wait_for()
    assert page.evaluate("history.length") == steps + 1
    assert [each.url.partition("start=")[2][:10] for each in calls] == ["2027-03-15"]
    page.keyboard.type("03151850", delay=40)
    page.evaluate("new Promise((done) => setTimeout(done, 600))")
    assert page.url.endswith("/day/2027-03-15")


def test_midnight_is_the_end_of_the_day_and_no_time_between_is_told(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    page.get_by_label("From", exact=True).fill("18:00")
    page.get_by_label("To", exact=True).fill("00:00")
    page.wait_for_selector("thead th:nth-child(7):last-child")
    assert page.locator(".note:visible").count() == 0
    make_booking(alice, room, at(8), at(9))
    page.get_by_label("To", exact=True).fill("17:00")
    page.get_by_text("“To” is not after “From”: the whole day is shown.").wait_for()
    page.get_by_label("Only what is free from start to end").check()
    row_of(page, room).wait_for()
    assert page.locator("thead th:not(.name)").count() == 24


def test_too_many_spans_are_asked_in_parts(
    visit: Visit, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, complaints: list[str]
) -> None:
    for number in range(40):
        make_booking(bob, make_resource(f"Room {number:02}"))
    monkeypatch.setattr(resources, "MOST_SPANS", 100)
    page = visit(alice)
    calls = asked(page)
    for days in ("1", "7"):
        calls.clear()
        show_day(page, query=f"?days={days}&form=list")
        page.get_by_text("40 resources").wait_for()
        assert [page.locator(".line h2 a").nth(index).text_content() for index in (0, 39)] == ["Room 00", "Room 39"]
    assert [each.url.partition("limit=")[2].partition("&")[0] for each in calls] == ["100", "25", "25"]
    refresh(page)
    # The parts are known by their tags, and what was too much is not asked again.
    assert ["if-none-match" in each.headers for each in calls[3:]] == [True, True]
    assert page.locator(".line").count() == 40
    forgive(complaints, "400")


def test_a_week_of_200_resources_with_ten_bookings_a_day_is_shown_in_three_calls(visit: Visit, alice: User) -> None:
    rooms = [make_resource(f"Room {number:03}") for number in range(200)]
    Booking.objects.bulk_create(
        Booking(user=alice, resource=each, start_time=at(2 * hour, day=day), end_time=at(2 * hour + 1, day=day))
        for each in rooms
        for day in range(1, 8)
        for hour in range(10)
    )
    page = visit(alice)
    calls = []
    page.on("request", lambda request: "/api/" in request.url and calls.append(request.url))
    show_day(page, date=DAY_AFTER, query="?days=7")
    page.get_by_text("200 resources").wait_for()
    assert len(calls) <= 3


def test_the_years_that_are_shown_are_told(guest: "Page") -> None:
    guest.goto("/day/9999-12-31")
    guest.get_by_text("The calendar has the years 1900 to 2999.").wait_for()
    guest.goto("/day/2027-02-31")
    guest.get_by_text("No calendar has a day 2027-02-31.").wait_for()


def test_a_week_names_the_day_of_a_clock_change(window: Visit, room: Resource) -> None:
    page = window()
    page.goto("/day/2027-03-24?days=7")
    page.locator(".zone > button").click()
    page.get_by_label("Time zone", exact=True).fill("Europe/Berlin")
    page.keyboard.press("Enter")
    page.get_by_text("The clock changes on Sunday, 28 March 2027, from UTC+1 to UTC+2.").wait_for()
