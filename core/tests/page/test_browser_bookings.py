"""One's bookings on the booking page: the list, and what may be done to one of them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from core.choices import BookingStatus
from core.models import Booking, Resource
from core.tests.support.booking_page import answering, forgive, picture, told, type_times
from core.tests.support.chromium import require_accessible
from core.tests.support.factories import (
    PASSWORD,
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_pending_booking,
    make_rejected_booking,
    make_resource,
)
from core.tests.support.repeating import book_series
from core.tests.support.series import statuses

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]


def open_booking(page: "Page", booking: Booking) -> None:
    page.goto(f"/bookings/{booking.pk}")
    page.wait_for_selector(".facts dd")


def show_list(page: "Page", which: str = "Coming") -> "Locator":
    """The entries of the list."""
    page.get_by_role("link", name="My bookings").click()
    page.get_by_role("button", name=which, exact=True).click()
    page.locator(".loading").wait_for(state="detached")
    return page.locator(".entry")


def words_of(entries: "Locator") -> list[str]:
    return [" ".join(each.split()) for each in entries.all_inner_texts()]


def press(page: "Page", name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


# --- The list ---------------------------------------------------------------------------------------------------------


def test_the_list_has_what_is_coming_past_and_cancelled(
    visit: Visit, alice: User, bob: User, room: Resource, lab: Resource
) -> None:
    make_booking(alice, room, at(15), notes="With <b>cake</b>")
    make_pending_booking(alice, lab, at(9))
    make_booking(bob, room, at(12))
    make_ended_booking(alice, room)
    make_cancelled_booking(alice, room, at(11))
    make_rejected_booking(alice, lab, at(13))
    page = visit(alice)
    coming = words_of(show_list(page))
    assert ["09:00–10:00 Lab Waits for staff to confirm it" in coming[0], len(coming)] == [True, 2]
    assert coming[1].endswith("15:00–16:00 Blue room With <b>cake</b>")
    (past,) = words_of(show_list(page, "Past"))
    assert past.endswith("10:00–11:00 Blue room")
    page.reload()
    page.locator(".entry").wait_for()
    cancelled = words_of(show_list(page, "Cancelled"))
    assert [each.partition(" 1")[2] for each in cancelled] == [
        "3:00–14:00 Lab Rejected by staff",
        "1:00–12:00 Blue room Cancelled",
    ]
    page.locator(".entry").last.click()
    page.get_by_role("button", name="Take the cancellation back").wait_for()


def test_an_empty_list_leads_to_the_calendar(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    assert words_of(show_list(page)) == []
    page.get_by_text("Nothing is booked.").wait_for()
    page.get_by_role("link", name="Calendar", exact=True).click()
    page.wait_for_selector(".grid")


def test_the_dates_of_a_series_stand_together(visit: Visit, alice: User, room: Resource) -> None:
    other = make_resource("Green room")
    book_series(alice, room, "FREQ=DAILY;COUNT=5")
    make_booking(alice, other, at(8, day=2))
    page = visit(alice)
    show_list(page)
    series = page.locator(".bookings .series")
    assert series.locator("p").inner_text() == "Blue room every day, 5 times"
    assert series.locator(".entry:visible").count() == 3
    series.get_by_text("2 more dates").click()
    assert series.locator(".entry:visible").count() == 5
    assert page.locator(".bookings > li").count() == 2
    picture(page, "bookings")


def test_a_long_list_comes_page_by_page(visit: Visit, alice: User, room: Resource) -> None:
    for number in range(60):
        make_booking(alice, room, at(8, day=1 + number))
    page = visit(alice)
    entries = show_list(page)
    page.get_by_text("The first 50 bookings").wait_for()
    press(page, "Show more")
    page.get_by_text("60 bookings", exact=True).wait_for()
    assert entries.count() == 60
    assert len(set(words_of(entries))) == 60
    assert page.get_by_role("button", name="Show more").count() == 0


def test_staff_find_their_own_bookings_alone(visit: Visit, admin: User, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    make_booking(admin, room, at(15))
    page = visit(admin)
    (only,) = words_of(show_list(page))
    assert "15:00–16:00" in only


def test_the_list_asks_for_the_sign_in_and_is_there_after_it(guest: "Page", alice: User, room: Resource) -> None:
    make_booking(alice, room)
    page = guest
    page.goto("/bookings?which=past")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("No booking is over yet.").wait_for()
    assert page.url.endswith("/bookings?which=past")


def test_a_booking_of_another_year_tells_the_year(visit: Visit, alice: User, room: Resource) -> None:
    start = at(10, day=400)
    make_booking(alice, room, start)
    page = visit(alice)
    (only,) = words_of(show_list(page))
    assert f" {start.year}, 10:00–11:00" in only


# --- One booking ------------------------------------------------------------------------------------------------------


def test_a_move_meets_a_change_of_staff_and_keeps_what_was_typed(
    visit: Visit, alice: User, room: Resource, as_admin: APIClient, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    press(page, "Move or change")
    type_times(page, "14:00", "14:30")
    told(page, "This change is possible.")
    page.get_by_label("Notes").fill("mine")
    answer = as_admin.patch(f"/api/bookings/{booking.pk}/", {"notes": "theirs"})
    assert answer.status_code == 200
    press(page, "Save the change")
    told(page, "Notes: none is now theirs")
    assert [page.input_value(f"[name={name}]") for name in ("start", "end", "notes")] == ["14:00", "14:30", "mine"]
    picture(page, "stale")
    require_accessible(page)
    press(page, "Save the change")
    page.get_by_text("The change is saved.").wait_for()
    booking.refresh_from_db()
    assert (booking.start_time, booking.end_time, booking.notes) == (at(14), at(14.5), "mine")
    forgive(complaints, "412")


def test_a_cancellation_with_its_reason_is_taken_back(visit: Visit, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    press(page, "Cancel the booking")
    page.get_by_label("Reason").fill("The guest is ill")
    require_accessible(page)
    picture(page, "cancel")
    press(page, "Yes, cancel it")
    page.get_by_text("The booking is cancelled.").wait_for()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CANCELLED

    press(page, "History")
    acts = page.locator(".history > li")
    acts.first.wait_for()
    assert "Cancelled" in acts.first.inner_text()
    assert "by you" in acts.first.inner_text()
    assert "Reason: The guest is ill" in acts.first.inner_text()
    assert "Status: Confirmed → Cancelled" in acts.first.inner_text()
    require_accessible(page)
    picture(page, "history")

    press(page, "Take the cancellation back")
    press(page, "Yes, book it again")
    page.get_by_text("It is booked again.").wait_for()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


def test_what_needs_approval_is_pending_again(visit: Visit, alice: User, lab: Resource) -> None:
    booking = make_cancelled_booking(alice, lab)
    page = visit(alice)
    open_booking(page, booking)
    press(page, "Take the cancellation back")
    press(page, "Yes, book it again")
    page.get_by_text("Waits for staff to confirm it").wait_for()
    booking.refresh_from_db()
    assert booking.status == BookingStatus.PENDING


def test_where_the_time_is_taken_by_now_one_click_books_another(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_cancelled_booking(alice, room)
    make_booking(bob, room)
    page = visit(alice)
    open_booking(page, booking)
    press(page, "Take the cancellation back")
    press(page, "Yes, book it again")
    page.locator("dialog .told", has_text="already booked").wait_for()
    picture(page, "revive-taken")
    page.get_by_role("button", name="Book Later:").click()
    page.get_by_text("It is booked again.").wait_for()
    booking.refresh_from_db()
    assert (booking.status, booking.start_time) == (BookingStatus.CONFIRMED, at(11))
    forgive(complaints, "400")


def test_a_cancellation_meets_a_change_of_somebody_else_and_keeps_the_reason(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    press(page, "Cancel the booking")
    page.get_by_label("Reason").fill("Too late")
    booking.start_time, booking.end_time = at(16), at(17)
    booking.save()
    press(page, "Yes, cancel it")
    page.locator("dialog .told", has_text="is now").wait_for()
    assert "16:00–17:00" in page.locator("dialog .told").inner_text()
    assert page.get_by_label("Reason").input_value() == "Too late"
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED
    press(page, "Yes, cancel it")
    page.get_by_text("The booking is cancelled.").wait_for()
    forgive(complaints, "412")


def test_a_cancellation_whose_answer_was_lost_is_known_when_it_is_sent_again(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    page.route(f"**/api/bookings/{booking.pk}/", answering("lost"))
    press(page, "Cancel the booking")
    press(page, "Yes, cancel it")
    page.locator("dialog .told", has_text="Nothing is done twice.").wait_for()
    # It is sent again by itself.
    page.get_by_text("The booking is cancelled.").wait_for()
    assert page.get_by_text("Cancelled", exact=True).count() == 1
    forgive(complaints, "ERR_CONNECTION_RESET", "412")


def test_a_question_that_is_left_sends_nothing_more(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    calls = []

    def lose(route: "Route") -> None:
        calls.append(route.request.method)
        route.abort("connectionreset")

    page.route(f"**/api/bookings/{booking.pk}/", lose)
    press(page, "Cancel the booking")
    press(page, "Yes, cancel it")
    page.locator("dialog .told", has_text="Nothing is done twice.").wait_for()
    page.go_back()
    page.wait_for_selector(".count")
    page.wait_for_timeout(6_000)
    assert calls == ["PATCH"]
    forgive(complaints, "ERR_CONNECTION_RESET")


def test_a_sign_in_on_the_way_keeps_the_reason(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    press(page, "Cancel the booking")
    page.get_by_label("Reason").fill("The guest is ill")
    Token.objects.filter(user=alice).delete()
    press(page, "Yes, cancel it")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    press(page, "Cancel the booking")
    assert page.get_by_label("Reason").input_value() == "The guest is ill"
    press(page, "Yes, cancel it")
    page.get_by_text("The booking is cancelled.").wait_for()
    forgive(complaints, "401")


def test_the_calendar_file_is_fetched_with_the_token(visit: Visit, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    open_booking(page, booking)
    with page.expect_download() as saved:
        press(page, "Calendar file")
    assert saved.value.suggested_filename == f"booking-{booking.pk}.ics"
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert text.startswith("BEGIN:VCALENDAR")
    assert f"DTSTART:{booking.start_time:%Y%m%dT%H%M%SZ}" in text


def test_what_staff_did_is_told_without_their_name(
    visit: Visit, alice: User, lab: Resource, as_admin: APIClient
) -> None:
    booking = make_pending_booking(alice, lab)
    as_admin.patch(f"/api/bookings/{booking.pk}/", {"status": "rejected", "reason": "<i>No</i>"})
    page = visit(alice)
    open_booking(page, booking)
    press(page, "History")
    first = page.locator(".history > li").first
    first.wait_for()
    assert "by staff" in first.inner_text()
    assert "Reason: <i>No</i>" in first.inner_text()
    assert "admin" not in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Take the cancellation back").count() == 0
    press(page, "History")
    assert page.locator(".history").count() == 0


def test_a_long_history_comes_page_by_page(visit: Visit, alice: User, room: Resource, as_alice: APIClient) -> None:
    booking = make_booking(alice, room)
    for number in range(55):
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"notes": f"{number}"})
    page = visit(alice)
    open_booking(page, booking)
    press(page, "History")
    page.get_by_text("Notes: 53 → 54").wait_for()
    assert page.locator(".history > li").count() == 50
    press(page, "Show more")
    page.get_by_text("Notes: none → 0").wait_for()
    assert page.locator(".history > li").count() == 55


def test_what_is_over_can_be_read_alone(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    open_booking(page, make_ended_booking(alice, room))
    assert page.get_by_role("button", name="Move or change").count() == 0
    assert page.get_by_role("button", name="Cancel the booking").count() == 0


# --- A date of a series -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "left"),
    [("Only this date", 4), ("This date and the later ones", 2), ("All dates that are not over", 0)],
)
def test_a_cancellation_keeps_to_its_scope(visit: Visit, alice: User, room: Resource, scope: str, left: int) -> None:
    series = book_series(alice, room, "FREQ=DAILY;COUNT=5").series
    assert series is not None
    third = Booking.objects.filter(series=series).order_by("start_time")[2]
    page = visit(alice)
    open_booking(page, third)
    press(page, "Cancel the booking")
    page.get_by_label("Which dates").select_option(label=scope)
    page.get_by_label("Reason").fill("Holiday")
    press(page, "Yes, cancel it")
    page.get_by_text("The booking is cancelled.").wait_for()
    assert statuses(series.pk).count("confirmed") == left


def test_a_cancellation_of_the_later_dates_is_taken_back(visit: Visit, alice: User, room: Resource) -> None:
    series = book_series(alice, room, "FREQ=DAILY;COUNT=4").series
    assert series is not None
    dates = Booking.objects.filter(series=series).order_by("start_time")
    dates.filter(start_time__gte=at(0, day=2)).update(status=BookingStatus.CANCELLED)
    page = visit(alice)
    open_booking(page, dates[1])
    press(page, "Take the cancellation back")
    page.get_by_label("Which dates").select_option(label="This date and the later ones")
    press(page, "Yes, book it again")
    page.get_by_text("It is booked again.").wait_for()
    assert statuses(series.pk) == ["confirmed"] * 4


def test_a_move_of_all_dates_tells_which_of_them_are_refused(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    series = book_series(alice, room, "FREQ=DAILY;COUNT=3").series
    assert series is not None
    make_booking(bob, room, at(15, day=2))
    first = Booking.objects.filter(series=series).earliest("start_time")
    page = visit(alice)
    open_booking(page, first)
    press(page, "Move or change")
    type_times(page, "15:00", "16:00")
    told(page, "This change is possible.")
    page.get_by_label("Which dates").select_option(label="All dates that are not over")
    told(page, "1 of 3 dates is refused.")
    refused = page.locator(".verdicts .refused")
    assert "already booked" in refused.inner_text()
    require_accessible(page)
    picture(page, "move-all")
    type_times(page, "17:00", "18:00")
    told(page, "This change is possible.")
    press(page, "Save the change")
    page.get_by_text("The change is saved.").wait_for()
    assert {each.start_time.hour for each in Booking.objects.filter(series=series)} == {17}
    assert first.start_time + timedelta(hours=7) == Booking.objects.get(pk=first.pk).start_time
    assert complaints == []


# --- For everybody ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "\u202eneves\u202c غرفة", "🚲👩‍🔬 lab", "W" * 255])
def test_hostile_names_notes_and_reasons_are_text(
    visit: Visit, alice: User, as_alice: APIClient, name: str, complaints: list[str]
) -> None:
    resource = make_resource(name)
    made = book_series(alice, resource, "FREQ=DAILY;COUNT=2", notes=name)
    assert made.series is not None
    booking = made.bookings[0]
    change = {"status": "cancelled", "reason": name}
    assert as_alice.patch(f"/api/bookings/{booking.pk}/", change).status_code == 200
    page = visit(alice, width=390)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for address in ("/bookings", f"/series/{made.series.pk}", f"/bookings/{booking.pk}"):
        page.goto(address)
        page.locator(".entry, .facts dd").first.wait_for()
        if address.endswith(f"bookings/{booking.pk}"):
            press(page, "History")
            page.locator(".history p", has_text=f"Reason: {name}").first.wait_for()
        assert name in page.locator("main").inner_text()
        assert page.locator("main img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
    assert complaints == []


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_each_view_is_accessible_and_fits(
    visit: Visit, alice: User, room: Resource, lab: Resource, colours: str, width: int, complaints: list[str]
) -> None:
    made = book_series(alice, room, "FREQ=DAILY;COUNT=5")
    assert made.series is not None
    make_pending_booking(alice, lab, at(14))
    make_booking(alice, make_resource("W" * 255), at(9), notes="W" * 300)
    make_cancelled_booking(alice, lab)
    page = visit(alice, width=width, height=800, color_scheme=colours, reduced_motion="reduce")
    for name, address in {
        "bookings": "/bookings",
        "cancelled": "/bookings?which=cancelled",
        "date": f"/bookings/{made.bookings[0].pk}",
        "series": f"/series/{made.series.pk}",
        "no-series": "/series/999999",
    }.items():
        page.goto(address)
        page.locator(".loading").wait_for(state="detached")
        page.wait_for_selector("h1")
        require_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        picture(page, f"{name}-{colours}-{width}")
    assert page.get_by_text("There is no series at this address").count() == 1
    forgive(complaints, "404")
