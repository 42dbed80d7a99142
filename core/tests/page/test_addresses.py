"""The addresses of the booking page: where it is served, and where it is not."""

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

HTML = {"accept": "text/html,application/xhtml+xml"}
PAGES = [
    "/day",
    "/day/2027-03-15",
    "/day/2027-02-31",
    "/resources/3",
    "/bookings",
    "/bookings/999",
    "/series/7",
    "/account",
    "/sign-in",
    "/register",
    "/forgotten-password",
    "/password-reset/MQ/c0ffee-0123456789abcdef",
]
ELSEWHERE = [
    "/days",
    "/day/tomorrow",
    "/bookings/x",
    "/index.html",
    "/resources",
    "/app.js",
    "/password-reset/MQ",
    "/a/b",
]


@pytest.fixture(autouse=True)
def _on(settings: Settings) -> None:
    settings.BOOKING_PAGE = True


@pytest.fixture
def browser() -> Client:
    return Client(headers=HTML)


@pytest.mark.parametrize("path", ["/", *PAGES, *(f"{path}/" for path in PAGES)])
def test_the_page_is_served_at_each_of_its_addresses(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert 'type="module"' in answer.content.decode()


@pytest.mark.parametrize("path", ELSEWHERE)
def test_elsewhere_is_a_404_and_never_the_page(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert 'type="module"' not in answer.content.decode()


def test_its_policy_allows_nothing_inline_and_no_other_host(browser: Client) -> None:
    policy = browser.get("/day").headers["Content-Security-Policy"]
    directives = {name: values for name, *values in (part.split() for part in policy.split(";") if part.strip())}
    assert "unsafe" not in policy
    assert {value for values in directives.values() for value in values} == {"'self'", "'none'"}
    assert directives["default-src"] == directives["object-src"] == directives["base-uri"] == ["'none'"]
    assert directives["frame-ancestors"] == directives["form-action"] == ["'none'"]


def test_the_policy_of_other_pages_is_as_before(browser: Client) -> None:
    assert "style-src-attr 'unsafe-inline'" in browser.get("/admin/login/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("is_on", [True, False])
def test_the_front_is_json_for_programs(settings: Settings, is_on: bool) -> None:
    settings.BOOKING_PAGE = is_on
    answer = Client().get("/")
    assert answer.json() == {
        "name": "Booking system",
        "api": "http://testserver/api/",
        "docs": "http://testserver/api/docs/",
        "admin": "http://testserver/admin/",
        "health": "http://testserver/health/",
    }
    assert "Accept" in answer.headers["Vary"]


class TestWithoutTheBookingPage:
    @pytest.fixture(autouse=True)
    def _off(self, settings: Settings) -> None:
        settings.BOOKING_PAGE = False

    def test_the_front_leads_on(self, browser: Client) -> None:
        words = browser.get("/").content.decode()
        for address in ("/api/docs/", "/admin/", "/health/"):
            assert f'href="{address}"' in words

    @pytest.mark.parametrize("path", PAGES)
    def test_none_of_its_addresses_is_served(self, browser: Client, path: str) -> None:
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/day"])
def test_it_is_only_read(browser: Client, path: str) -> None:
    assert browser.head(path).status_code == 200
    assert browser.post(path).status_code == 405


def test_the_house(anonymous: APIClient) -> None:
    answer = anonymous.get("/api/house/")
    assert answer.json() == {"time_zone": "UTC", "lead_time_minutes": 30, "advance_days": 1826}
