"""The reports in a real Chromium, under the Content-Security-Policy of production."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from core.models import Resource
from core.tests.reports.test_utilisation import TOMORROW, open_daily
from core.tests.support.chromium import require_accessible
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def week(alice: User, admin: User, room: Resource, lab: Resource) -> str:
    """The address of the report of a week in which something happens."""
    long = make_resource("Confocal microscope with a name that is longer than a telephone is wide", capacity=3)
    for resource in (room, lab, long):
        open_daily(resource, 8, 18)
    make_closure(admin, room, start=at(16), end=at(18))
    make_booking(alice, room, at(9), at(14))
    make_pending_booking(alice, room, at(14))
    for day in range(1, 4):
        make_booking(alice, long, at(9, day=day), at(20, day=day))
        make_pending_booking(alice, lab, at(8 + day, day=day))
    last = at(0, day=7).date()
    return f"/admin/reports/?from={TOMORROW}&to={last}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_readable_in_light_and_dark_and_on_a_telephone(
    signed_in: "Callable[[User], Page]", admin: User, week: str, scheme: str, width: int
) -> None:
    page = signed_in(admin)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for by in ("resource", "weekday", "hour", "week"):
        page.goto(f"{week}&by={by}")
        require_accessible(page)
        if os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(os.environ["SCREENSHOTS"], f"{by}-{scheme}-{width}.png"), full_page=True)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        filled = page.locator("svg.bars g .booked").first.evaluate("bar => getComputedStyle(bar).fill")
        assert filled not in ("rgb(0, 0, 0)", "none")


def test_the_form_is_filled_in_by_the_keyboard_and_a_refusal_is_told(
    signed_in: "Callable[[User], Page]", admin: User, week: str
) -> None:
    page = signed_in(admin)
    page.goto("/admin/")
    page.click("nav.desk-links >> text=Reports")
    page.fill("#from", str(TOMORROW))
    page.fill("#to", str(TOMORROW))
    page.select_option("#by", "hour")
    page.fill("#search", "Blue")
    page.press("#search", "Enter")
    page.wait_for_selector("h2:has-text('by hour of the day')")
    assert page.locator(".numbers tbody tr").count() == 24
    assert page.inner_text(".numbers tfoot td >> nth=0") == "8:00"

    page.fill("#to", str(at(0, day=0).date()))
    page.press("#to", "Enter")
    page.wait_for_selector(".errorlist")
    assert "must not be before the first day" in page.inner_text(".errorlist")
    assert page.get_attribute("#to", "aria-describedby") == "errors"
    assert page.input_value("#search") == "Blue"
    require_accessible(page)


def test_a_print_has_the_numbers_and_no_form(signed_in: "Callable[[User], Page]", admin: User, week: str) -> None:
    page = signed_in(admin)
    page.goto(week)
    page.emulate_media(media="print")
    assert not page.is_visible(".desk-form")
    assert page.is_visible(".numbers")
    assert page.is_visible("svg.bars")
