"""The way of a newcomer on the booking page, of two rivals, and of what may go wrong between a press and its answer."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from core.models import Booking, Resource
from core.tests.support.booking_page import (
    TOMORROW,
    answering,
    drag,
    forgive,
    picture,
    place_of,
    row_of,
    show_day,
    told,
    type_times,
)
from core.tests.support.factories import PASSWORD, at, make_booking, make_resource

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]
# Of the newcomer, in seconds.
LONGEST_WAY = 120


def test_a_newcomer_registers_books_meets_a_conflict_takes_the_suggestion_moves_and_cancels(
    guest: "Page", bob: User, room: Resource, complaints: list[str]
) -> None:
    make_booking(bob, room, at(10), at(11))
    page = guest
    begun = monotonic()
    page.goto("/")
    page.get_by_role("link", name="Register").click()
    page.get_by_label("User name").fill("dora")
    page.get_by_label("E-mail address").fill("dora@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="New booking").click()
    page.get_by_label("Resource").select_option(label="Blue room")
    type_times(page, "10:30", "11:30", date=TOMORROW)
    told(page, "already booked")
    picture(page, "conflict")
    page.get_by_role("button", name="Book", exact=True).click()
    page.get_by_role("button", name="Book Later:").click()
    page.get_by_text("Booked.", exact=True).wait_for()
    booking = Booking.objects.get(user__username="dora")
    assert (booking.start_time, booking.end_time) == (at(11), at(12))
    assert page.url.endswith(f"/bookings/{booking.pk}")
    assert "11:00–12:00 (1 h)" in page.locator(".facts").inner_text()

    page.get_by_role("button", name="Move or change").click()
    # Typed key by key, as it is read; the end goes along.
    page.get_by_label("Start").press_sequentially("1400")
    told(page, "This change is possible.")
    picture(page, "move")
    page.get_by_role("button", name="Save the change").click()
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert (booking.start_time, booking.end_time) == (at(14), at(15))

    page.get_by_role("button", name="Cancel the booking").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    page.get_by_text("The booking is cancelled.").wait_for()
    assert monotonic() - begun < LONGEST_WAY
    booking.refresh_from_db()
    assert booking.status == "cancelled"
    forgive(complaints, "400")


def test_of_two_who_drag_over_the_same_span_one_has_it_and_the_other_takes_a_suggestion(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    pages = [visit(alice), visit(bob)]
    for page in pages:
        show_day(page)
        drag(page, room, 13, 15)
        told(page, "This can be booked.")
    first, second = pages
    picture(first, "dragged")
    assert [first.input_value(f"[name={name}]") for name in ("start", "end")] == ["13:00", "15:00"]
    first.locator("form.booking button.main").click()
    first.get_by_text("Booked.", exact=True).wait_for()
    second.locator("form.booking button.main").click()
    told(second, "already booked")
    second.get_by_role("button", name="Book Later:").click()
    second.get_by_text("Booked.", exact=True).wait_for()
    spans = {each.user.username: (each.start_time, each.end_time) for each in Booking.objects.select_related("user")}
    assert spans == {"alice": (at(13), at(15)), "bob": (at(15), at(17))}
    forgive(complaints, "400")


def test_a_lost_answer_books_once(visit: Visit, alice: User, room: Resource, complaints: list[str]) -> None:
    page = visit(alice)
    show_day(page)
    drag(page, room, 9, 10)
    told(page, "This can be booked.")
    calls: list[Request] = []
    page.route("**/api/bookings/", answering("lost", calls=calls))
    page.locator("form.booking button.main").click()
    told(page, "Nothing is booked twice.")
    assert Booking.objects.count() == 1
    assert page.locator("[name=start]").is_disabled()
    # Not even a reload loses the key.
    page.reload()
    told(page, "Nothing is booked twice.")
    page.get_by_role("button", name="Ask again").click()
    page.wait_for_selector(".facts dd")
    assert page.url.endswith(f"/bookings/{Booking.objects.get().pk}")
    assert len(calls) == 2
    assert len({call.headers["idempotency-key"] for call in calls}) == 1
    forgive(complaints, "ERR_CONNECTION_RESET")


def test_a_click_on_free_time_fills_in_an_hour(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    page.mouse.click(*place_of(page, room, 15.2))
    told(page, "This can be booked.")
    assert [page.input_value(f"[name={name}]") for name in ("day", "start", "end", "length")] == [
        TOMORROW,
        "15:00",
        "16:00",
        "60",
    ]
    page.get_by_label("Length in minutes").fill("150")
    assert page.input_value("[name=end]") == "17:30"


def test_a_suggestion_of_the_dry_run_fills_in_the_form(visit: Visit, alice: User, bob: User, room: Resource) -> None:
    make_booking(bob, room)
    other = make_resource("Green room")
    page = visit(alice)
    show_day(page)
    page.mouse.click(*place_of(page, room, 12.2))
    told(page, "This can be booked.")
    type_times(page, "10:00", "11:00")
    told(page, "already booked")
    page.locator(".instead").get_by_role("button", name="Green room").click()
    told(page, "This can be booked.")
    assert page.locator("[name=resource]").input_value() == str(other.pk)
    assert not Booking.objects.filter(user=alice).exists()


class TestNothingTypedIsLost:
    def typed(self, page: "Page", room: Resource) -> None:
        show_day(page)
        page.mouse.click(*place_of(page, room, 12.2))
        told(page, "This can be booked.")
        page.get_by_label("Notes").fill("Bring <b>cake</b>")

    def signed_in_again(self, page: "Page") -> None:
        page.get_by_text("What you typed is kept.").wait_for()
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        told(page, "This can be booked.")
        assert page.url.endswith(f"/day/{TOMORROW}")
        assert page.get_by_label("Notes").input_value() == "Bring <b>cake</b>"
        assert page.input_value("[name=start]") == "12:00"
        page.locator("form.booking button.main").click()
        page.get_by_text("Booked.", exact=True).wait_for()
        assert Booking.objects.get().notes == "Bring <b>cake</b>"

    def test_when_the_token_is_void(self, visit: Visit, alice: User, room: Resource, complaints: list[str]) -> None:
        page = visit(alice)
        self.typed(page, room)
        Token.objects.filter(user=alice).delete()
        page.locator("form.booking button.main").click()
        self.signed_in_again(page)
        forgive(complaints, "401")

    def test_when_one_signs_out_in_another_tab(
        self, visit: Visit, alice: User, room: Resource, complaints: list[str]
    ) -> None:
        page = visit(alice)
        self.typed(page, room)
        other = page.context.new_page()
        other.goto("/sign-in")
        other.get_by_label("User name").fill("alice")
        other.get_by_label("Password", exact=True).fill(PASSWORD)
        other.get_by_role("button", name="Sign in").click()
        other.get_by_role("button", name="Sign out").click()
        other.get_by_text("You are signed out.").wait_for()
        assert not Token.objects.exists()
        self.signed_in_again(page)
        assert complaints == []

    def test_when_the_account_is_deleted(
        self, visit: Visit, alice: User, room: Resource, complaints: list[str]
    ) -> None:
        page = visit(alice)
        self.typed(page, room)
        alice.delete()
        page.locator("form.booking button.main").click()
        page.get_by_text("What you typed is kept.").wait_for()
        page.get_by_role("link", name="Register").last.click()
        page.get_by_label("User name").fill("alice")
        page.get_by_label("E-mail address").fill("alice@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Register").click()
        told(page, "This can be booked.")
        assert page.get_by_label("Notes").input_value() == "Bring <b>cake</b>"
        forgive(complaints, "401")

    def test_when_one_signs_in_only_to_book(self, guest: "Page", alice: User, room: Resource) -> None:
        page = guest
        show_day(page)
        page.mouse.click(*place_of(page, room, 12.2))
        told(page, "Sign in")
        page.get_by_label("Notes").fill("Bring <b>cake</b>")
        page.get_by_role("button", name="Sign in to book").click()
        self.signed_in_again(page)


def test_a_change_of_somebody_else_is_shown_and_what_was_typed_is_kept(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    page.goto(f"/bookings/{booking.pk}")
    page.get_by_role("button", name="Move or change").click()
    page.get_by_label("Notes").fill("mine")
    booking.start_time, booking.end_time = at(16), at(16) + timedelta(hours=1)
    booking.save()
    page.get_by_role("button", name="Save the change").click()
    told(page, "When: ")
    assert "16:00–17:00" in page.locator("form.booking .told").inner_text()
    assert page.get_by_label("Notes").input_value() == "mine"
    booking.refresh_from_db()
    assert booking.notes == ""
    page.get_by_role("button", name="Save the change").click()
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert (booking.notes, booking.start_time) == ("mine", at(10))
    forgive(complaints, "412")


def test_a_busy_server_and_a_lost_network_are_told_in_a_line_and_tried_again(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    page = visit(alice)
    page.route("**/api/resources/availability/**", answering(503, "offline", of_gets=True))
    page.get_by_role("button", name="Next day").click()
    page.get_by_text("The server cannot answer now. It is asked again in 1 second.").wait_for()
    page.get_by_text("No connection to the server.").wait_for()
    page.locator(".said:empty").wait_for(state="attached")
    assert row_of(page, room).count() == 1
    forgive(complaints, "503", "ERR_INTERNET_DISCONNECTED")


def test_too_many_calls_say_from_when_on(visit: Visit, alice: User, room: Resource, complaints: list[str]) -> None:
    page = visit(alice)
    show_day(page)
    page.mouse.click(*place_of(page, room, 12.2))
    told(page, "This can be booked.")
    page.route("**/api/bookings/", lambda route: route.fulfill(status=429, headers={"Retry-After": "90"}, body="{}"))
    page.locator("form.booking button.main").click()
    told(page, "Too many calls. The server answers again from ")
    forgive(complaints, "429")


def test_a_change_whose_answer_was_lost_is_known_when_asked_again(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    page.goto(f"/bookings/{booking.pk}")
    page.get_by_role("button", name="Move or change").click()
    page.get_by_label("Notes").fill("mine")
    page.route(f"**/api/bookings/{booking.pk}/", answering("lost"))
    page.get_by_role("button", name="Save the change").click()
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert booking.notes == "mine"
    forgive(complaints, "ERR_CONNECTION_RESET", "412")


def test_the_name_is_known_in_its_stored_form(guest: "Page", alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    page = guest
    page.goto(f"/bookings/{booking.pk}")
    page.get_by_label("User name").fill("ALICE")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".facts dd")
    assert page.locator(".who").inner_text() == "alice"
    assert "Booked by" not in page.locator(".facts").inner_text()
