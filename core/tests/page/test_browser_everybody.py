"""The booking page for everybody: by keyboard, on paper, without motion, with the reader's own week and clock."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from core.models import Resource
from core.tests.support.booking_page import TOMORROW, picture, show_day
from core.tests.support.factories import at, make_booking, make_resource

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]

# What the tabulator stops at, and the names of those where it did not stop or showed nothing.
CONTROLS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((each) => each.tabIndex >= 0 && !each.disabled && each.checkVisibility({ visibilityProperty: true }))"""
MARK = f"""() => {{
  window.controls = ({CONTROLS})();
  window.reached = new Set();
  window.unseen = [];
  document.activeElement.blur();
  document.body.tabIndex = -1;
  document.body.focus();
}}"""
STEP = """() => {
  const at = document.activeElement;
  if (!window.controls.includes(at)) return;
  window.reached.add(at);
  const style = getComputedStyle(at);
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) window.unseen.push(at.outerHTML);
}"""
LEFT = "() => window.controls.filter((each) => !window.reached.has(each)).map((each) => each.outerHTML)"


def require_keyboard(page: "Page", name: str) -> None:
    """Each control of the view is reached by the tabulator alone, and shows where the focus is."""
    page.evaluate(MARK)
    presses = 0
    # A field for a day or a time takes several presses.
    while page.evaluate(LEFT) and presses < 400:
        page.keyboard.press("Tab")
        page.evaluate(STEP)
        presses += 1
    assert page.evaluate(LEFT) == [], name
    assert page.evaluate("window.unseen") == [], name
    assert page.evaluate("window.controls.length") > 0, name


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_everything_in_each_view(
    visit: Visit, alice: User, bob: User, room: Resource, width: int
) -> None:
    mine = make_booking(alice, room, at(8))
    make_booking(bob, room, at(10))
    page = visit(alice, width=width, height=800)
    for address in (
        f"/day/{TOMORROW}?form=table",
        f"/day/{TOMORROW}?days=7&form=table",
        f"/day/{TOMORROW}?form=list",
        f"/resources/{room.pk}",
        f"/bookings/{mine.pk}",
        "/bookings",
        "/account",
        "/sign-in",
        "/register",
        "/forgotten-password",
        "/password-reset/MQ/c0ffee-0123456789abcdef",
        "/day/2027-02-31",
    ):
        page.goto(address)
        page.locator(".loading").wait_for(state="detached")
        page.wait_for_selector("h1")
        require_keyboard(page, address)


def test_the_keyboard_stays_in_the_form_and_leads_back(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    button = page.get_by_role("button", name="New booking")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.locator("button:focus").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "New booking"


def test_the_zone_is_opened_and_closed_by_keyboard(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    button = page.get_by_role("button", name="Time zone")
    button.focus()
    page.keyboard.press("Enter")
    assert page.locator("input:focus").evaluate("(each) => each.list.options.length") > 300
    page.keyboard.press("Escape")
    page.locator("button:focus").wait_for()
    assert page.evaluate("document.activeElement.textContent").startswith("Time zone")
    assert button.get_attribute("aria-expanded") == "false"


MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
  const style = getComputedStyle(each);
  return style.transitionDuration.split(", ").some((time) => time !== "0s") || style.animationName !== "none" ||
    style.scrollBehavior === "smooth";
}).length"""


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_whom_it_should_not(
    visit: Visit, alice: User, room: Resource, motion: str, moves: bool
) -> None:
    page = visit(alice, reduced_motion=motion)
    show_day(page)
    assert (page.evaluate(MOVING) > 0) == moves


@pytest.mark.parametrize(
    ("locale", "first_day", "first_hour", "span"),
    [
        ("en-US", "Sun, ", "12 AM", "1:00 PM–2:30 PM"),
        ("en-GB", "Mon ", "00:00", "13:00–14:30"),
        ("de-DE", "Mon ", "00:00", "13:00–14:30"),
        ("ar-EG", "Sat ", "12 am", "1:00 pm–2:30 pm"),
    ],
)
def test_the_week_and_the_clock_are_the_browsers(
    visit: Visit, alice: User, room: Resource, locale: str, first_day: str, first_hour: str, span: str
) -> None:
    make_booking(alice, room, at(13), at(14.5))
    page = visit(alice, locale=locale)
    show_day(page)
    assert page.locator("thead th:not(.name)").first.inner_text() == first_hour
    assert page.locator("tbody .span.mine").get_attribute("title").replace("\u202f", " ") == f"Yours, {span}"
    page.get_by_role("button", name="Week", exact=True).click()
    page.wait_for_selector(".grid.week thead th:nth-child(8)")
    assert page.locator("thead th:not(.name)").first.inner_text().startswith(first_day)


class TestOnPaper:
    @pytest.fixture
    def many(self, alice: User) -> list[Resource]:
        rooms = [make_resource(f"Room {number:03}") for number in range(120)]
        for each in rooms:
            make_booking(alice, each, at(9), at(12))
        return rooms

    def printed(self, page: "Page") -> dict[str, int]:
        """What stands on the paper; the browser writes a real PDF meanwhile."""
        page.evaluate(
            """addEventListener("beforeprint", () => {
              window.paper = {
                rows: document.querySelectorAll("tbody tr:not(.spacer)").length,
                spacers: document.querySelectorAll("tbody .spacer").length,
                bookings: document.querySelectorAll("tbody .span.mine").length,
                lists: document.querySelectorAll(".line").length,
              };
            })"""
        )
        pdf = page.pdf(prefer_css_page_size=True)
        return {**page.evaluate("window.paper"), "pages": pdf.count(b"/Type /Page\n")}

    def test_a_day_is_whole_and_then_as_before(self, visit: Visit, alice: User, many: list[Resource]) -> None:
        page = visit(alice)
        show_day(page)
        assert page.locator("tbody tr:not(.spacer)").count() < 60
        paper = self.printed(page)
        assert (paper["rows"], paper["spacers"], paper["bookings"]) == (120, 0, 120)
        assert paper["pages"] > 3
        page.wait_for_selector("tbody .spacer")
        assert page.locator("tbody tr:not(.spacer)").count() < 60

    def test_what_no_paper_needs_is_left_out_and_nothing_is_cut(
        self, visit: Visit, alice: User, many: list[Resource]
    ) -> None:
        # A4, landscape, without its margins.
        page = visit(alice, width=1047, height=718)
        show_day(page)
        page.emulate_media(media="print")
        page.wait_for_selector("tbody tr:nth-child(120)")
        for selector in ("nav", ".bar", ".filter-box", ".skip"):
            assert not page.locator(selector).first.is_visible(), selector
        assert page.locator("h1").is_visible()
        assert page.get_by_text("Time zone UTC").is_visible()
        assert page.locator(".legend").is_visible()
        box = page.locator(".scroller").bounding_box()
        last = page.locator("tbody tr").last.bounding_box()
        assert box["y"] + box["height"] >= last["y"] + last["height"]
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        picture(page, "print")

    def test_a_list_and_a_week_are_whole_too(self, visit: Visit, alice: User, many: list[Resource]) -> None:
        page = visit(alice)
        show_day(page, query="?form=list")
        assert self.printed(page)["lists"] == 120
        show_day(page, query="?days=7")
        assert self.printed(page)["rows"] == 120

    def test_the_colours_of_the_dark_are_not_printed(self, visit: Visit, alice: User, room: Resource) -> None:
        page = visit(alice, color_scheme="dark")
        show_day(page)
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
        lane = page.evaluate("getComputedStyle(document.querySelector('.lane')).backgroundColor")
        assert lane == "rgb(255, 255, 255)"
        picture(page, "print-from-dark")
