"""Errors outside `/api/`: a page for browsers that leads back, JSON for programs."""

import re
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client
from pytest_django import Settings

from core.tests.support.chromium import require_accessible
from core.tests.support.errors import assert_flat_error

if TYPE_CHECKING:
    from playwright.sync_api import Page

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
RAISED = {
    400: (SuspiciousOperation("the address is /secret"), "This request cannot be read"),
    403: (PermissionDenied("the address is /secret"), "You may not open this page"),
    500: (RuntimeError("the address is /secret"), "Something went wrong on our side"),
}
LINKS = {"/", "/api/docs/", "/admin/"}


def sent(headers: dict[str, str] | None = None, **more: object) -> Client:
    return Client(headers=headers, raise_request_exception=False, **more)


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A view outside `/api/` raises an error."""

    def broken(name: str) -> str:
        raise RAISED[request.param][0]

    monkeypatch.setattr("booking_system_api.views.static", broken)


def assert_page(answer: object, status: int, heading: str) -> None:
    """A whole page under the policy, with nothing inline, that leads back and tells no secret."""
    text = answer.content.decode()
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{heading}</h1>" in text
    assert f"<title>{heading} – Booking system</title>" in text
    assert set(re.findall(r'<a href="([^"]+)"', text)) == LINKS
    assert "/static/core/page/front" in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<style| style=| on[a-z]+=|secret|Traceback", text)
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(("raised", "status"), [(each, each) for each in RAISED], indirect=["raised"])
@pytest.mark.usefixtures("raised")
def test_an_error_is_a_page_for_a_browser_and_json_for_a_program(status: int) -> None:
    assert_page(sent(HTML).get("/favicon.ico"), status, RAISED[status][1])
    answer = sent().get("/favicon.ico")
    assert_flat_error(answer, status)
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/nothing/", "/notifications/nothing", "/calendars/", "/%00", "/<script>/"])
@pytest.mark.parametrize("page", [True, False])
def test_an_address_without_a_page_leads_back(settings: Settings, path: str, page: bool) -> None:
    settings.BOOKING_PAGE = page
    assert_page(sent(HTML).get(path), 404, "There is no such page")
    assert_flat_error(sent({"accept": "application/json"}).get(path), 404, "not_found")


def test_a_page_of_the_admin_that_is_gone_leads_back(root_pages: Client) -> None:
    assert_page(root_pages.get("/admin/core/nothing/", headers=HTML), 404, "There is no such page")


@pytest.mark.parametrize("debug", [False, True])
def test_a_form_without_its_token_is_refused_in_words(settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    body = {"username": "alice", "password": "x"}
    answer = sent(HTML, enforce_csrf_checks=True).post("/admin/login/", body)
    assert_page(answer, 403, "The form was not accepted")
    assert_flat_error(sent(enforce_csrf_checks=True).post("/admin/login/", body), 403)


def test_below_the_api_errors_stay_json(db: None) -> None:
    assert_flat_error(sent(HTML).get("/api/nothing/", headers={"accept": "application/json"}), 404, "not_found")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits(page: "Page", complaints: list[str], width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/nothing/")
    assert page.inner_text("h1") == "There is no such page"
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Chromium counts the status itself.
    assert [said for said in complaints if "404" not in said] == []
    complaints.clear()
    page.click("text=The API, with its documentation")
    page.wait_for_url("**/api/docs/")
    complaints.clear()
