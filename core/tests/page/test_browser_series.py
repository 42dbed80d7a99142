"""Series on the booking page: repeat a booking, read the series, cancel some of its dates."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Resource, Series
from core.tests.support.booking_page import TOMORROW, answering, forgive, picture, place_of, show_day, told
from core.tests.support.chromium import require_accessible
from core.tests.support.factories import PASSWORD, TODAY, at, make_booking
from core.tests.support.repeating import book_series
from core.tests.support.series import starts, statuses

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]


def begin(page: "Page", room: Resource, hour: float = 9.2) -> None:
    """Opens the form for an hour of tomorrow."""
    show_day(page)
    page.mouse.click(*place_of(page, room, hour))
    told(page, "This can be booked.")


def repeat(page: "Page", often: str, dates: int | None = None) -> None:
    page.get_by_label("Repeats").select_option(label=often)
    if dates is not None:
        page.get_by_label("Dates", exact=True).fill(str(dates))
        page.get_by_label("Dates", exact=True).dispatch_event("change")


def press(page: "Page", name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def book(page: "Page") -> None:
    page.locator("form.booking button.main").click()


def day(number: int) -> str:
    """A weekday in English, so many days from today on."""
    return f"{TODAY + timedelta(days=number):%A}"


# --- A booking that repeats -------------------------------------------------------------------------------------------


def test_each_date_is_told_and_a_taken_one_is_left_out(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    make_booking(bob, room, at(9, day=2))
    page = visit(alice)
    begin(page, room)
    repeat(page, "Every day", 3)
    told(page, "every day, 3 times: 1 of 3 dates is refused.")
    dates = page.locator(".verdicts li")
    assert [each.get_attribute("class") for each in dates.all()] == ["", "refused", ""]
    assert "already booked" in dates.nth(1).inner_text()
    assert dates.nth(0).inner_text().endswith("09:00–10:00 can be booked")
    require_accessible(page)
    picture(page, "repeat-refused")
    book(page)
    told(page, "1 of 3 dates is refused. Nothing was done.")
    assert dates.count() == 1
    assert not Series.objects.exists()

    page.get_by_label("Leave out dates that cannot be booked").check()
    told(page, "every day, 3 times: 2 of 3 dates can be booked; the others are left out.")
    picture(page, "repeat-skip")
    book(page)
    page.get_by_text("2 dates are booked, 1 left out.").wait_for()
    series = Series.objects.get()
    assert page.url.endswith(f"/series/{series.pk}")
    assert starts(series.pk) == [at(9), at(9, day=3)]
    page.get_by_text("Not booked: its time was taken").wait_for()
    picture(page, "series-made")
    forgive(complaints, "400")


def test_a_free_time_is_taken_in_place_of_a_refused_date(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    make_booking(bob, room, at(9, day=2))
    page = visit(alice)
    begin(page, room)
    repeat(page, "Every day", 3)
    told(page, "1 of 3 dates is refused.")
    # After a refused call as well as after the dry run.
    book(page)
    told(page, "1 of 3 dates is refused.")
    page.locator(".verdicts").get_by_role("button", name="Take ").click()
    told(page, "all 3 dates can be booked.")
    assert page.locator(".verdicts li").nth(1).inner_text().endswith("10:00–11:00 can be booked")
    book(page)
    page.get_by_text("3 dates are booked.").wait_for()
    assert sorted(starts(Series.objects.get().pk)) == [at(9), at(10, day=2), at(9, day=3)]
    forgive(complaints, "400")


def test_a_week_has_the_day_of_the_first_date_and_further_ones(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    repeat(page, "Every week", 4)
    first = page.get_by_label(day(1), exact=True)
    assert first.is_checked()
    assert first.is_disabled()
    page.get_by_label(day(3), exact=True).check()
    page.get_by_label("Every how many weeks").fill("2")
    page.get_by_label("Every how many weeks").dispatch_event("change")
    told(page, "all 4 dates can be booked.")
    assert len(page.locator("[name=weekday]:checked").all()) == 2
    picture(page, "weekly")
    book(page)
    page.get_by_text("4 dates are booked.").wait_for()
    found = starts(Series.objects.get().pk)
    assert found[0] == at(9)
    assert {each.weekday() for each in found} == {at(9).weekday(), at(9, day=3).weekday()}
    assert "INTERVAL=2" in Series.objects.get().rrule


def test_another_day_takes_the_weekday_with_it(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    repeat(page, "Every week", 2)
    told(page, "all 2 dates can be booked.")
    page.get_by_label("Day", exact=True).last.fill(f"{at(0, day=2):%Y-%m-%d}")
    page.get_by_label("Day", exact=True).last.dispatch_event("change")
    told(page, f"every {day(2)}, twice: all 2 dates can be booked.")
    assert not page.get_by_label(day(1), exact=True).is_checked()
    assert page.get_by_label(day(2), exact=True).is_checked()


def test_a_month_repeats_by_its_day_or_its_weekday_until_a_day(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    # Each month has a day 10, and a second weekday.
    start = next(at(9, day=number) for number in range(1, 62) if at(9, day=number).day == 10)
    page.get_by_label("Day", exact=True).last.fill(f"{start:%Y-%m-%d}")
    page.get_by_label("Day", exact=True).last.dispatch_event("change")
    repeat(page, "Every month", 3)
    told(page, "all 3 dates can be booked.")
    assert page.locator("[name=on] option").all_inner_texts() == ["day 10 of the month", f"the second {start:%A}"]
    page.locator("[name=on]").select_option(label=f"the second {start:%A}")
    page.get_by_label("Ends", exact=True).select_option(label="On a day")
    told(page, "Say on which day the dates end.")
    page.get_by_label("Last day").fill(f"{start + timedelta(days=95):%Y-%m-%d}")
    page.get_by_label("Last day").dispatch_event("change")
    told(page, "dates can be booked.")
    book(page)
    page.get_by_text("dates are booked.").wait_for()
    found = starts(Series.objects.get().pk)
    assert len(found) >= 3
    assert {each.weekday() for each in found} == {start.weekday()}
    assert all(8 <= each.day <= 14 for each in found)


def test_a_series_keeps_the_clock_of_the_zone_that_is_shown(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Time zone").click()
    page.get_by_label("Time zone").last.fill("Europe/Berlin")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_text("Times are in Europe/Berlin now.").wait_for()
    page.get_by_role("button", name="New booking").click()
    page.get_by_label("Resource").select_option(label="Blue room")
    for label, value in (("Day", TOMORROW), ("Start", "12:00"), ("End", "13:00")):
        page.get_by_label(label, exact=True).last.fill(value)
        page.get_by_label(label, exact=True).last.dispatch_event("change")
    repeat(page, "Every month", 12)
    told(page, "dates can be booked.")
    book(page)
    page.get_by_text("dates are booked.").wait_for()
    series = Series.objects.get()
    assert series.time_zone == "Europe/Berlin"
    assert {booking.start_time.astimezone(series.zone).hour for booking in series.bookings.all()} == {12}
    assert len({booking.start_time.hour for booking in series.bookings.all()}) == 2
    assert "12:00–13:00, Europe/Berlin" in page.locator(".facts").inner_text()


def test_a_lost_answer_books_the_series_once(visit: Visit, alice: User, room: Resource, complaints: list[str]) -> None:
    page = visit(alice)
    begin(page, room)
    repeat(page, "Every day", 3)
    told(page, "all 3 dates can be booked.")
    calls: list[Request] = []
    page.route("**/api/series/", answering("lost", calls=calls))
    book(page)
    told(page, "Nothing is booked twice.")
    page.reload()
    told(page, "Nothing is booked twice.")
    assert page.locator("[name=repeat]").input_value() == "DAILY"
    press(page, "Ask again")
    page.get_by_text("3 dates are booked.").wait_for()
    assert Series.objects.count() == 1
    assert len({call.headers["idempotency-key"] for call in calls}) == 1 < len(calls)
    forgive(complaints, "ERR_CONNECTION_RESET")


def test_how_it_repeats_is_kept_over_a_sign_in(guest: "Page", alice: User, room: Resource) -> None:
    page = guest
    show_day(page)
    page.mouse.click(*place_of(page, room, 9.2))
    told(page, "Sign in")
    repeat(page, "Every week", 2)
    page.get_by_label(day(3), exact=True).check()
    page.get_by_label("Leave out dates that cannot be booked").check()
    press(page, "Sign in to book")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    told(page, "all 2 dates can be booked.")
    assert page.get_by_label(day(3), exact=True).is_checked()
    assert page.get_by_label("Leave out dates that cannot be booked").is_checked()
    book(page)
    page.get_by_text("2 dates are booked.").wait_for()
    assert starts(Series.objects.get().pk) == [at(9), at(9, day=3)]


def test_a_rule_that_is_refused_is_told_in_the_words_of_the_api(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    begin(page, room)
    repeat(page, "Every year", 20)
    page.locator("form.booking .told.bad").wait_for()
    assert page.locator(".verdicts").count() == 0
    page.get_by_label("Dates", exact=True).fill("")
    page.get_by_label("Dates", exact=True).dispatch_event("change")
    told(page, "Say how many dates, from 1 to 366.")
    book(page)
    told(page, "Say how many dates, from 1 to 366.")
    page.get_by_label("Repeats").select_option(label="Does not repeat")
    told(page, "This can be booked.")
    book(page)
    page.get_by_text("Booked.", exact=True).wait_for()
    assert not Series.objects.exists()


# --- A series ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def series(alice: User, room: Resource) -> Series:
    """Five days from tomorrow on, 10 to 11."""
    made = book_series(alice, room, "FREQ=DAILY;COUNT=5").series
    assert made is not None
    return made


def open_series(page: "Page", series: Series) -> None:
    page.goto(f"/series/{series.pk}")
    page.wait_for_selector(".bookings .entry")


def test_a_date_leads_to_its_booking_and_back(visit: Visit, series: Series, alice: User) -> None:
    page = visit(alice)
    open_series(page, series)
    assert page.locator("h1").inner_text() == "Series: Blue room"
    assert "every day, 5 times" in page.locator(".facts").inner_text()
    page.locator(".bookings a").first.click()
    page.wait_for_selector(".facts dd")
    page.get_by_role("link", name="A date of a series").click()
    page.wait_for_selector(".bookings .entry")
    assert page.url.endswith(f"/series/{series.pk}")


def test_chosen_dates_are_cancelled_with_a_reason(visit: Visit, series: Series, alice: User) -> None:
    page = visit(alice)
    open_series(page, series)
    for number in (1, 3):
        page.locator(".bookings [type=checkbox]").nth(number).check()
    press(page, "Cancel the chosen 2 dates")
    page.get_by_label("Reason").fill("Holiday")
    require_accessible(page)
    picture(page, "cancel-dates")
    press(page, "Yes, cancel them")
    page.get_by_text("2 dates are cancelled.").wait_for()
    assert statuses(series.pk) == ["confirmed", "cancelled", "confirmed", "cancelled", "confirmed"]
    page.get_by_role("heading", name="3 dates").wait_for()
    page.locator(".bookings a").nth(1).click()
    press(page, "History")
    page.get_by_text("Reason: Holiday").wait_for()


def test_all_that_is_to_come_is_cancelled(visit: Visit, series: Series, alice: User) -> None:
    page = visit(alice)
    open_series(page, series)
    press(page, "Cancel all to come")
    press(page, "Yes, cancel them")
    page.get_by_text("5 dates are cancelled.").wait_for()
    assert statuses(series.pk) == ["cancelled"] * 5
    assert page.get_by_role("button", name="Cancel all to come").count() == 0


def test_a_change_of_the_series_meanwhile_keeps_the_reason_and_cancels_nothing(
    visit: Visit, series: Series, alice: User, as_admin: APIClient, complaints: list[str]
) -> None:
    page = visit(alice)
    open_series(page, series)
    press(page, "Cancel all to come")
    page.get_by_label("Reason").fill("Holiday")
    as_admin.patch(f"/api/series/{series.pk}/", {"notes": "theirs"})
    press(page, "Yes, cancel them")
    page.locator("dialog .told", has_text="The series was changed meanwhile.").wait_for()
    page.locator(".facts", has_text="theirs").wait_for()
    assert page.get_by_label("Reason").input_value() == "Holiday"
    assert statuses(series.pk) == ["confirmed"] * 5
    press(page, "Yes, cancel them")
    page.get_by_text("5 dates are cancelled.").wait_for()
    forgive(complaints, "412")


def test_the_calendar_file_has_all_dates(visit: Visit, series: Series, alice: User) -> None:
    page = visit(alice)
    open_series(page, series)
    with page.expect_download() as saved:
        press(page, "Calendar file")
    assert saved.value.suggested_filename == f"series-{series.pk}.ics"
    assert Path(saved.value.path()).read_text(encoding="utf-8").count("BEGIN:VEVENT") == 5


def test_somebody_else_s_series_is_not_there(visit: Visit, series: Series, bob: User, complaints: list[str]) -> None:
    page = visit(bob)
    page.goto(f"/series/{series.pk}")
    page.get_by_text("There is no series at this address, or it is not yours.").wait_for()
    page.get_by_role("link", name="Go to today").click()
    page.wait_for_selector(".count")
    forgive(complaints, "403")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_form_of_a_series_fits_a_narrow_screen(visit: Visit, alice: User, room: Resource, colours: str) -> None:
    page = visit(alice, width=390, height=800, color_scheme=colours)
    page.get_by_role("button", name="New booking").click()
    page.get_by_label("Resource").select_option(label="Blue room")
    for label, value in (("Day", TOMORROW), ("Start", "12:00"), ("End", "13:00")):
        page.get_by_label(label, exact=True).last.fill(value)
        page.get_by_label(label, exact=True).last.dispatch_event("change")
    repeat(page, "Every week", 3)
    told(page, "all 3 dates can be booked.")
    require_accessible(page)
    for box in ("document.documentElement", "document.querySelector('dialog')"):
        assert page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")
    picture(page, f"repeat-narrow-{colours}")
