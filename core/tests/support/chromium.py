"""A real Chromium, under the Content-Security-Policy of production; `tools/browser.py` brings what it needs."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from pytest_django.live_server_helper import LiveServer

from core.tests.support.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# As in production, except for what needs HTTPS and for collected static files.
PLAIN_HTTP = {
    "SECURE_SSL_REDIRECT": False,
    "SECURE_HSTS_SECONDS": 0,
    "SESSION_COOKIE_SECURE": False,
    "CSRF_COOKIE_SECURE": False,
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}
SECONDS = 1000


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    patched = pytest.MonkeyPatch()
    # The driver keeps an event loop in this thread, though nothing of the test runs in it.
    patched.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()
    patched.undo()


@pytest.fixture(scope="module")
def address(django_db_setup: None) -> Iterator[str]:
    """Where the site is served, static files included."""
    with override_settings(**PLAIN_HTTP):
        server = LiveServer("localhost")
        yield server.url
        server.stop()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains about: errors of scripts, files that are missing, violations of the policy."""
    return []


@pytest.fixture
def page(browser: "Browser", address: str, complaints: list[str]) -> Iterator["Page"]:
    """A browser window in which nothing may go wrong unseen."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60 * SECONDS)
    window = context.new_page()
    window.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
    window.on("pageerror", lambda error: complaints.append(str(error)))
    # A picker drops its question when the next one is typed.
    window.on(
        "requestfailed",
        lambda request: request.failure == "net::ERR_ABORTED" or complaints.append(f"{request.url}: {request.failure}"),
    )
    yield window
    context.close()
    assert complaints == []


@pytest.fixture
def signed_in(page: "Page") -> Callable[[User], "Page"]:
    """Signs a user in at the admin's form."""

    def sign_in(user: User) -> "Page":
        page.goto("/admin/")
        page.fill("#id_username", user.username)
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_selector("#user-tools")
        return page

    return sign_in


def require_accessible(page: "Page") -> None:
    """Checks the page by axe-core, with the rules of WCAG 2.2 A and AA and its good practices."""
    page.evaluate(Path(os.environ["AXE"]).read_text())
    # Its copies of imported style sheets would be inline, which the policy refuses.
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run({ preload: false })).violations")
    told = [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]
    if told:
        pytest.fail("\n".join(told))
