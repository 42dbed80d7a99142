"""The booking page is on, and people in a browser sign in on it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from core.tests.support.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SECONDS = 1000


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.BOOKING_PAGE = True


@pytest.fixture
def window(browser: "Browser", address: str, complaints: list[str]) -> Iterator[Callable[..., "Page"]]:
    """Opens a window of another person, who reads times in the form of Britain, unless said otherwise."""
    contexts = []

    def open_window(locale: str = "en-GB", width: int = 1280, height: int = 900, **more: object) -> "Page":
        context = browser.new_context(
            base_url=address, locale=locale, viewport={"width": width, "height": height}, **more
        )
        contexts.append(context)
        context.set_default_timeout(60 * SECONDS)
        page = context.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_window
    for each in contexts:
        each.close()
    assert complaints == []


@pytest.fixture
def guest(window: Callable[..., "Page"]) -> "Page":
    """A window in which nobody is signed in."""
    return window()


@pytest.fixture
def visit(window: Callable[..., "Page"]) -> Callable[..., "Page"]:
    """Opens a window, and signs a user in at the form of the page."""

    def visit(user: User, **more: object) -> "Page":
        page = window(**more)
        page.goto("/sign-in")
        page.get_by_label("User name").fill(user.username)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector(".count")
        return page

    return visit
