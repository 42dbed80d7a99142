"""The form of a booking: what was typed, and calls whose answers come late, twice or not at all."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from core.choices import IfRefused
from core.models import Booking, Resource, Series
from core.tests.support.booking_page import (
    TOMORROW,
    answering,
    choose_zone,
    forgive,
    place_of,
    show_day,
    told,
    type_times,
)
from core.tests.support.factories import PASSWORD, at, make_booking, make_resource
from core.tests.support.repeating import book_series

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]
AFTER_TOMORROW = f"{at(0, day=2):%Y-%m-%d}"


def press(page: "Page", name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def send(page: "Page") -> None:
    page.locator("form.booking button.main").click()


def begin(page: "Page", room: Resource, hour: float = 10.2) -> None:
    """Opens the form for an hour of tomorrow."""
    show_day(page)
    page.mouse.click(*place_of(page, room, hour))
    told(page, "This can be booked.")


def change(page: "Page", booking: Booking) -> None:
    """Opens the form of a change."""
    page.goto(f"/bookings/{booking.pk}")
    press(page, "Move or change")
    told(page, "This change is possible.")


def enter(page: "Page", label: str, value: str) -> None:
    page.get_by_label(label, exact=True).last.fill(value)


def values(page: "Page", *names: str) -> list[str]:
    return [page.input_value(f"form.booking [name={name}]") for name in names]


def sign_in(page: "Page", username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")


# --- What somebody else changed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["a link", "a reload"])
def test_a_change_that_was_left_does_not_overwrite_what_staff_changed_meanwhile(
    visit: Visit, alice: User, room: Resource, as_admin: APIClient, complaints: list[str], way: str
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    change(page, booking)
    page.get_by_label("Notes").fill("mine")
    if way == "a link":
        page.get_by_role("link", name="My bookings").click()
        page.locator(".entry").wait_for()
    moved = as_admin.patch(
        f"/api/bookings/{booking.pk}/", {"start_time": at(15).isoformat(), "end_time": at(16).isoformat()}
    )
    assert moved.status_code == 200
    if way == "a link":
        page.locator(".entry").click()
    else:
        page.reload()
    told(page, "This change is possible.")
    assert values(page, "notes", "start") == ["mine", "10:00"]
    press(page, "Save the change")
    told(page, "Somebody else changed this booking meanwhile.")
    words = page.locator("form.booking .told").inner_text()
    assert "10:00–11:00 is now" in words
    assert words.endswith("15:00–16:00")
    booking.refresh_from_db()
    assert (booking.start_time, booking.notes) == (at(15), "")
    press(page, "Save the change")
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert (booking.start_time, booking.notes) == (at(10), "mine")
    forgive(complaints, "412")


# --- The fields -------------------------------------------------------------------------------------------------------


def test_the_day_of_the_end_stays_where_it_was_chosen(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    enter(page, "Ends on", AFTER_TOMORROW)
    assert values(page, "length") == ["1500"]
    enter(page, "End", "12:00")
    assert values(page, "end_day", "length") == [AFTER_TOMORROW, "1560"]
    # One that the form chose goes back.
    enter(page, "Ends on", TOMORROW)
    enter(page, "End", "09:00")
    assert values(page, "end_day", "length") == [AFTER_TOMORROW, "1380"]
    page.reload()
    page.wait_for_selector("form.booking")
    enter(page, "End", "12:00")
    assert values(page, "end_day", "length") == [TOMORROW, "120"]


def test_a_long_booking_keeps_its_last_day(visit: Visit, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, at(10), at(11, day=2))
    page = visit(alice)
    change(page, booking)
    enter(page, "End", "12:00")
    assert values(page, "end_day", "length") == [AFTER_TOMORROW, "1560"]


def test_another_zone_shows_the_same_start_where_the_end_is_missing(visit: Visit, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    change(page, booking)
    enter(page, "End", "")
    choose_zone(page, "Asia/Kathmandu")
    assert values(page, "start", "end") == ["15:45", ""]
    page.reload()
    page.wait_for_selector("form.booking")
    assert values(page, "start", "end") == ["15:45", ""]
    enter(page, "End", "17:45")
    told(page, "This change is possible.")
    press(page, "Save the change")
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert (booking.start_time, booking.end_time) == (at(10), at(12))


@pytest.mark.parametrize(("field", "value"), [("Every how many weeks", "0"), ("Dates", "500")])
def test_what_is_wrong_in_a_field_that_is_hidden_again_stops_nothing(
    visit: Visit, alice: User, room: Resource, field: str, value: str
) -> None:
    page = visit(alice)
    begin(page, room)
    page.get_by_label("Repeats").select_option(label="Every week")
    enter(page, field, value)
    if field == "Dates":
        page.get_by_label("Ends", exact=True).select_option(label="On a day")
        enter(page, "Last day", AFTER_TOMORROW)
        told(page, "can be booked.")
    else:
        page.get_by_label("Repeats").select_option(label="Does not repeat")
        told(page, "This can be booked.")
    send(page)
    page.wait_for_selector(".facts dd")
    assert Booking.objects.count() == 1


def test_the_verdicts_of_the_rule_of_before_are_gone_at_once(
    visit: Visit, alice: User, bob: User, room: Resource
) -> None:
    make_booking(bob, room, at(10, day=2))
    page = visit(alice)
    begin(page, room)
    page.get_by_label("Repeats").select_option(label="Every day")
    told(page, "is refused.")
    take = page.locator(".verdicts").get_by_role("button", name="Take ")
    assert take.count() == 1
    page.route("**/api/series/check/", lambda route: None)
    enter(page, "Dates", "3")
    assert take.count() == 0


def test_a_new_booking_begins_with_the_day_that_is_shown_or_today(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page, AFTER_TOMORROW)
    press(page, "New booking")
    assert values(page, "day", "end_day", "start") == [AFTER_TOMORROW, AFTER_TOMORROW, ""]
    assert page.locator("form.booking .told").inner_text() == ""
    # The first field has the focus.
    page.locator("[name=resource]:focus").wait_for()
    page.keyboard.press("Escape")
    page.goto(f"/day/{at(0, day=-3):%Y-%m-%d}")
    page.wait_for_selector(".count:not(:empty)")
    press(page, "New booking")
    assert values(page, "day") == [f"{at(0, day=0):%Y-%m-%d}"]


def test_all_that_can_be_booked_is_offered_whatever_the_filters_show(visit: Visit, alice: User, room: Resource) -> None:
    make_resource("Attic", requires_approval=True)
    make_resource("Cellar", is_available=False)
    page = visit(alice)
    show_day(page, query="?search=Blue")
    press(page, "New booking")
    page.locator("[name=resource] option", has_text="Attic").wait_for(state="attached")
    assert page.locator("[name=resource] option").all_inner_texts() == ["Attic", "Blue room"]
    page.get_by_label("Resource").select_option(label="Attic")
    type_times(page, "10:00", "11:00")
    told(page, "staff then confirm it.")
    page.keyboard.press("Escape")
    show_day(page)
    press(page, "New booking")
    assert "Cellar" not in page.locator("[name=resource] option").all_inner_texts()


def test_a_booking_moves_to_another_resource(visit: Visit, alice: User, room: Resource) -> None:
    other = make_resource("Green room")
    booking = make_booking(alice, room)
    page = visit(alice)
    change(page, booking)
    page.get_by_label("Resource").select_option(label="Green room")
    told(page, "This change is possible.")
    press(page, "Save the change")
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert booking.resource == other


# --- Answers that come late, or not at all ----------------------------------------------------------------------------


def test_too_many_calls_after_a_lost_answer_do_not_settle_it(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    page.route("**/api/bookings/", answering("lost", 429))
    send(page)
    told(page, "Nothing is booked twice.")
    send(page)
    told(page, "Too many calls.")
    told(page, "Nothing is booked twice.")
    assert page.locator("form.booking [name=notes]").is_disabled()
    # It is asked again by itself.
    page.get_by_text("Booked.", exact=True).wait_for()
    assert Booking.objects.count() == 1
    forgive(complaints, "ERR_CONNECTION_RESET", "429")


def test_an_error_of_the_server_is_asked_again_as_a_lost_answer(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    page.route("**/api/bookings/", answering(500))
    send(page)
    told(page, "The server cannot answer now. It is asked again in 1 second. Whether it is booked is not known yet.")
    page.get_by_text("Booked.", exact=True).wait_for()
    assert Booking.objects.count() == 1
    forgive(complaints, "500")


def test_a_refusal_without_words_is_told_in_a_sentence(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    page.route("**/api/bookings/", answering(413))
    send(page)
    told(page, "The server refused this (413).")
    forgive(complaints, "413")


def held(page: "Page", address: str) -> list["Route"]:
    """Holds calls back until the test lets them go."""
    routes: list[Route] = []
    page.route(address, lambda route: routes.append(route) if route.request.method == "POST" else route.continue_())
    return routes


def wait_for(page: "Page", routes: list["Route"]) -> "Route":
    for _ in range(100):
        if routes:
            return routes[0]
        page.wait_for_timeout(50)
    raise AssertionError("nothing was sent")


def test_a_form_that_is_closed_while_it_is_sent_tells_its_answer(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    routes = held(page, "**/api/bookings/")
    send(page)
    route = wait_for(page, routes)
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    route.continue_()
    page.get_by_text("Booked.", exact=True).wait_for()
    assert page.url.endswith(f"/bookings/{Booking.objects.get().pk}")
    assert page.evaluate("sessionStorage.getItem('booking.draft')") is None


def test_a_form_that_is_closed_while_it_is_sent_tells_a_refusal(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    make_booking(bob, room)
    routes = held(page, "**/api/bookings/")
    send(page)
    route = wait_for(page, routes)
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    route.continue_()
    page.locator(".said.bad", has_text="already booked").wait_for()
    assert page.evaluate("sessionStorage.getItem('booking.draft')") is None
    forgive(complaints, "400")


def test_a_booking_of_which_nothing_is_known_is_asked_for_before_another_one(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    page.route("**/api/bookings/", answering("lost"))
    send(page)
    told(page, "Nothing is booked twice.")
    page.keyboard.press("Escape")
    page.locator(".said", has_text="Whether it is booked is not known yet.").wait_for()
    page.mouse.click(*place_of(page, room, 15.2))
    told(page, "Nothing is booked twice.")
    assert values(page, "start") == ["10:00"]
    press(page, "Ask again")
    page.get_by_text("Booked.", exact=True).wait_for()
    assert Booking.objects.get().start_time == at(10)
    forgive(complaints, "ERR_CONNECTION_RESET")


def test_a_series_of_which_nothing_is_known_is_asked_for_as_it_was_sent(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    page.get_by_label("Repeats").select_option(label="Every month")
    enter(page, "Dates", "2")
    told(page, "all 2 dates can be booked.")
    page.route("**/api/series/", answering("lost"))
    send(page)
    told(page, "Nothing is booked twice.")
    page.keyboard.press("Escape")
    # There, it is the next day already.
    choose_zone(page, "Pacific/Kiritimati")
    press(page, "New booking")
    press(page, "Ask again")
    page.get_by_text("2 dates are booked.").wait_for()
    assert Series.objects.get().time_zone == "UTC"
    forgive(complaints, "ERR_CONNECTION_RESET")


def test_a_late_answer_keeps_what_is_typed_into_another_form(visit: Visit, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, at(8))
    page = visit(alice)
    begin(page, room)
    routes = held(page, "**/api/bookings/")
    send(page)
    route = wait_for(page, routes)
    # By the history of the browser, as the page itself leads to another view.
    page.evaluate(
        f"history.pushState(null, '', '/bookings/{booking.pk}'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    press(page, "Move or change")
    page.get_by_label("Notes").fill("other")
    route.continue_()
    page.locator(".said", has_text="Booked.").wait_for()
    assert json.loads(page.evaluate("sessionStorage.getItem('booking.draft')"))["typed"]["notes"] == "other"
    assert page.url.endswith(f"/bookings/{booking.pk}")
    page.reload()
    page.wait_for_selector("form.booking")
    assert values(page, "notes") == ["other"]


def test_what_one_typed_is_not_shown_to_another_user(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    begin(page, room)
    page.get_by_label("Notes").fill("secret")
    Token.objects.filter(user=alice).delete()
    send(page)
    page.get_by_text("What you typed is kept.").wait_for()
    sign_in(page, "bob")
    page.wait_for_selector(".count:not(:empty)")
    page.wait_for_selector("[data-key]")
    assert page.locator("form.booking").count() == 0
    press(page, "New booking")
    assert values(page, "notes", "start") == ["", ""]
    forgive(complaints, "401")


@pytest.mark.parametrize("call", ["users", "token/login"])
def test_a_registration_whose_answer_is_lost_leads_on(
    guest: "Page", room: Resource, complaints: list[str], call: str
) -> None:
    page = guest
    page.goto("/register")
    page.route(f"**/api/auth/{call}/", answering("lost"))
    page.get_by_label("User name").fill("dora")
    page.get_by_label("E-mail address").fill("dora@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Register")
    page.get_by_text("It is asked again in 5 seconds.").wait_for()
    page.locator(".who", has_text="dora").wait_for()
    assert User.objects.filter(username="dora").count() == 1
    forgive(complaints, "ERR_CONNECTION_RESET")


def test_a_registration_that_never_came_is_sent_again(guest: "Page", room: Resource, complaints: list[str]) -> None:
    page = guest
    page.goto("/register")
    page.route("**/api/auth/users/", answering(503))
    page.get_by_label("User name").fill("dora")
    page.get_by_label("E-mail address").fill("dora@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Register")
    page.locator(".who", has_text="dora").wait_for()
    forgive(complaints, "503", "400")


# --- Zones and series -------------------------------------------------------------------------------------------------


def test_a_zone_that_is_typed_in_small_letters_is_spelt_as_its_name(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    choose_zone(page, "europe/berlin", shown="Europe/Berlin")
    press(page, "New booking")
    page.get_by_label("Resource").select_option(label="Blue room")
    type_times(page, "12:00", "13:00", date=TOMORROW)
    page.get_by_label("Repeats").select_option(label="Every day")
    told(page, "all 10 dates can be booked.")


def test_a_series_tells_its_clock_and_its_dates_in_words(visit: Visit, alice: User, bob: User, room: Resource) -> None:
    make_booking(bob, room, at(10, day=2))
    series = book_series(alice, room, "FREQ=DAILY;COUNT=3", on_conflict=IfRefused.SKIP).series
    page = visit(alice, locale="en-US")
    page.goto(f"/series/{series.pk}")
    page.get_by_text("Not booked: its time was taken").wait_for()
    assert "10:00 AM–11:00 AM, UTC" in page.locator(".facts").inner_text()
