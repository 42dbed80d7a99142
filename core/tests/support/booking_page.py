"""What people do on the booking page, by what they see."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.models import Resource
from core.tests.support.factories import at

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request, Route

TOMORROW = f"{at(0):%Y-%m-%d}"


def picture(page: "Page", name: str) -> None:
    """Keeps a screenshot where the environment asks for them."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def forgive(complaints: list[str], *words: str) -> None:
    """Drops what the browser says of answers that a test means to get."""
    complaints[:] = [each for each in complaints if not any(word in each for word in words)]


def show_day(page: "Page", date: str = TOMORROW, query: str = "") -> None:
    page.goto(f"/day/{date}{query}")
    page.wait_for_selector("[data-key], .line")


def row_of(page: "Page", resource: Resource) -> "Locator":
    return page.locator("tbody tr", has=page.locator(f'a[href="/resources/{resource.pk}"]'))


def place_of(page: "Page", resource: Resource, hour: float, hours: int = 24) -> tuple[float, float]:
    """Where an hour of the shown day is in the row of a resource."""
    row_of(page, resource).scroll_into_view_if_needed()
    box = row_of(page, resource).locator(".lane").bounding_box()
    return box["x"] + box["width"] * hour / hours, box["y"] + box["height"] / 2


def drag(page: "Page", resource: Resource, start: float, end: float) -> None:
    """Drags from one hour to the other over the row of a resource."""
    x, y = place_of(page, resource, start)
    to, _ = place_of(page, resource, end)
    page.mouse.move(x + 1, y)
    page.mouse.down()
    page.mouse.move((x + to) / 2, y, steps=5)
    page.mouse.move(to, y, steps=5)
    page.mouse.up()
    page.wait_for_selector("dialog")


def type_times(page: "Page", start: str, end: str, *, date: str | None = None) -> None:
    """Types into the form."""
    if date:
        page.get_by_label("Day", exact=True).last.fill(date)
    for label, value in (("Start", start), ("End", end)):
        page.get_by_label(label, exact=True).fill(value)


def choose_zone(page: "Page", zone: str, *, shown: str | None = None) -> None:
    """Types the name of a zone at the top of the page; it may be shown in another spelling."""
    page.get_by_role("button", name="Time zone").click()
    page.get_by_label("Time zone").fill(zone)
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_text(f"Times are in {shown or zone} now.").wait_for()


def answering(
    *answers: object, of_gets: bool = False, calls: "list[Request] | None" = None
) -> Callable[["Route"], None]:
    """Answers calls in this order, and then as usual.

    Args:
        answers: `lost` is carried out and then cut off, `cut` is not carried out, `offline` has no network, and a
            number is a refusal.
        of_gets: Whether GETs take part.
        calls: Gets each call that takes part, also those that are answered as usual.
    """
    rest = list(answers)

    def answer(route: "Route") -> None:
        if route.request.method == "GET" and not of_gets:
            route.continue_()
            return
        if calls is not None:
            calls.append(route.request)
        kind = rest.pop(0) if rest else None
        if kind is None:
            route.continue_()
        elif kind == "lost":
            route.fetch()
            route.abort("connectionreset")
        elif kind == "cut":
            route.abort("connectionreset")
        elif kind == "offline":
            route.abort("internetdisconnected")
        else:
            route.fulfill(status=kind, headers={"Retry-After": "1"}, body="{}")

    return answer


def told(page: "Page", words: str) -> None:
    """Waits until the form says something with these words."""
    page.locator("form.booking .told", has_text=words).wait_for()
