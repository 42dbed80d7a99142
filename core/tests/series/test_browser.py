"""Series in the admin, in a real Chromium under the Content-Security-Policy of production, checked by axe-core."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from core.models import Booking, Resource, Series
from core.tests.desk.test_browser_queue import HOSTILE, LOOKS, SIZES, check, look, without_script
from core.tests.series.test_admin_form import dates_of, make_series
from core.tests.staff.test_browser import fill_in_time, pick
from core.tests.support.factories import at, make_booking, make_resource

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["without_script"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDE = (1280, 900)


def test_staff_make_a_weekly_series_around_a_taken_date_and_decide_on_its_dates(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, bob: User, lab: Resource
) -> None:
    make_booking(bob, lab, at(10.5, day=15), at(12, day=15))
    page = signed_in(admin)
    page.click(".model-series a >> nth=0")
    page.click(".object-tools .addlink")
    assert page.input_value("#id_repeat") == "weekly"
    pick(page, "user", "alice")
    pick(page, "resource", "Lab")
    fill_in_time(page, "start_time", at(10))
    fill_in_time(page, "end_time", at(11))
    page.fill("#id_times", "6")
    page.fill("#id_notes", "Weekly meeting")
    check(page, WIDE)
    page.click("input[name=_save]")
    page.wait_for_selector(".refusal")
    assert page.locator(".refused-dates tbody tr").count() == 1
    assert f"{at(10, day=15):%Y-%m-%d} 10:30–12:00" in page.inner_text(".refused-dates")
    assert page.input_value("#id_notes") == "Weekly meeting"
    assert not Series.objects.exists()
    check(page, WIDE)
    page.click("text=Book the other 5 dates")
    page.wait_for_selector("#of-series")
    assert "Booked 5 dates for alice" in page.inner_text(".messagelist")
    assert page.locator(".dates tbody tr").count() == 6
    assert "not booked: The resource is taken at that time." in page.inner_text(".dates .skipped")
    check(page, WIDE)

    page.check("input[name=ids] >> nth=1")
    page.check("input[name=ids] >> nth=2")
    page.fill("#id_reason", "Holiday")
    page.click("button[name=cancel]")
    page.wait_for_selector(".messagelist >> text=2 dates cancelled.")
    for box in page.locator("input[name=ids]").all():
        box.check()
    page.click("button[name=confirm]")
    page.wait_for_selector(".messagelist >> text=3 dates confirmed.")
    statuses = [date.status for date in dates_of(Series.objects.get())]
    assert statuses == ["confirmed", "cancelled", "cancelled", "confirmed", "confirmed"]
    page.click("button[name=cancel_all]")
    page.wait_for_selector("text=Cancel all 3 dates to come")
    check(page, WIDE)
    page.click("text=No, take me back")
    page.wait_for_selector("#of-series")
    assert Booking.objects.filter(status="confirmed", user=alice).count() == 3


def test_only_the_fields_of_the_chosen_repetition_are_shown(signed_in: Callable[[User], "Page"], admin: User) -> None:
    page = signed_in(admin)
    page.goto("/admin/core/booking/add/?repeat=daily")
    rows = ("every", "weekdays", "times", "until", "rrule", "on_conflict")

    def seen() -> list[str]:
        return [name for name in rows if page.locator(f".field-{name}").is_visible()]

    assert seen() == ["every", "times", "until", "on_conflict"]
    page.select_option("#id_repeat", "weekly")
    assert seen() == ["every", "weekdays", "times", "until", "on_conflict"]
    page.select_option("#id_repeat", "rule")
    assert seen() == ["times", "until", "rrule", "on_conflict"]
    page.select_option("#id_repeat", "")
    assert seen() == []


def test_a_series_is_made_and_moved_without_script(without_script: "Page", alice: User, room: Resource) -> None:
    page = without_script
    page.goto(f"/admin/core/booking/add/?resource={room.pk}&user={alice.pk}")
    page.click("details summary:has-text('Repeat')")
    page.select_option("#id_repeat", "daily")
    fill_in_time(page, "start_time", at(10))
    fill_in_time(page, "end_time", at(11))
    page.fill("#id_times", "3")
    page.click("input[name=_save]")
    series = Series.objects.get()
    page.click(".dates tbody tr:nth-child(2) a")
    fill_in_time(page, "start_time", at(12, day=2))
    fill_in_time(page, "end_time", at(13, day=2))
    page.check("input[name=scope][value=following]")
    page.click("input[name=_save]")
    assert "Changed: this date and those that follow." in page.inner_text(".messagelist")
    assert [date.start_time for date in dates_of(series)] == [at(10)]
    later = Series.objects.get(previous=series)
    assert [date.start_time for date in dates_of(later)] == [at(12, day=2), at(12, day=3)]


@pytest.mark.parametrize("colours", LOOKS)
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
def test_the_pages_are_accessible_and_fit(
    signed_in: Callable[[User], "Page"],
    admin: User,
    alice: User,
    bob: User,
    size: tuple[int, int],
    colours: str,
) -> None:
    hostile = make_resource(HOSTILE[:200], time_zone="America/Argentina/ComodRivadavia", requires_approval=True)
    series = make_series(alice, hostile, notes=HOSTILE)
    series.skipped.create(local_start=(series.start + timedelta(days=9)).isoformat(), code="not_on_the_clock")
    date = dates_of(series)[2]
    make_booking(bob, hostile, at(15, day=4))
    page = signed_in(admin)
    for address in (
        f"/admin/core/series/{series.pk}/change/",
        f"/admin/core/booking/{date.pk}/change/",
        "/admin/core/booking/add/?repeat=rule",
    ):
        look(page, address, size, colours)
    # The lists are Django's own pages, with words of others.
    for address in ("/admin/core/series/", f"/admin/core/booking/?series={series.pk}", "/admin/core/bookingevent/"):
        page.goto(address, wait_until="networkidle")
        assert page.evaluate("() => window.ran === undefined")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0], address
    page.goto(f"/admin/core/booking/{date.pk}/change/")
    fill_in_time(page, "start_time", at(15, day=3))
    fill_in_time(page, "end_time", at(16, day=3))
    page.check("input[name=scope][value=all]")
    page.click("input[name=_save]")
    page.wait_for_selector(".refusal")
    check(page, size)
