"""From which origins a browser may sign in to the admin and write in the pages of the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.models import Booking, Resource
from core.tests.support.factories import PASSWORD, booking_body
from core.tests.support.settings import load_settings

PUBLIC = {"DEBUG": "False", "PUBLIC_URL": "https://booking.example.org:8443"}
RENDER = {"DEBUG": "False", "RENDER_EXTERNAL_URL": "https://booking.onrender.com"}
DEBUG = {"DEBUG": "True"}
TUNNEL = "https://fluffy-disco-x7-8000.app.github.dev"

# The settings, the Host that the server sees, the origin of the page in the browser.
TRUSTED = {
    "the host as the browser sends it": ({}, "localhost:8443", "https://localhost:8443"),
    "a proxy that drops the port": (PUBLIC, "localhost", "https://booking.example.org:8443"),
    "a proxy that sends its own name": (PUBLIC, "127.0.0.1:8000", "https://booking.example.org:8443"),
    "the address that Render gives": (RENDER, "localhost", "https://booking.onrender.com"),
    "a port forwarded by Codespaces": (DEBUG, "localhost:8000", TUNNEL),
}
REFUSED = {
    "a proxy that drops the port, without PUBLIC_URL": ({}, "localhost", "https://localhost:8443"),
    "another port of the public host": (PUBLIC, "localhost", "https://booking.example.org:9443"),
    "plain http": (PUBLIC, "localhost", "http://booking.example.org:8443"),
    "the single-page app": (
        {"FRONTEND_URL": "https://app.example.org"} | PUBLIC,
        "localhost",
        "https://app.example.org",
    ),
    "Codespaces with DEBUG off": (PUBLIC, "localhost:8000", TUNNEL),
    "a name that only ends alike": (DEBUG, "localhost:8000", "https://evil-github.dev"),
    "a page of somebody else": (DEBUG, "localhost:8000", "https://evil.example"),
}


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, settings: Any, request: pytest.FixtureRequest) -> tuple[Client, str]:
    """A browser on the page of such an origin, with its cookie and its token."""
    variables, host, origin = request.param
    settings.CSRF_TRUSTED_ORIGINS = load_settings(monkeypatch, **variables)["CSRF_TRUSTED_ORIGINS"]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False
    client = Client(enforce_csrf_checks=True, headers={"host": host, "origin": origin, "x-forwarded-proto": "https"})
    client.get("/admin/login/")
    return client, client.cookies["csrftoken"].value


def sign_in(browser: tuple[Client, str], user: User) -> int:
    client, token = browser
    body = {"username": user.username, "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/admin/"}
    return client.post("/admin/login/", body).status_code


@pytest.mark.parametrize("browser", TRUSTED.values(), ids=TRUSTED, indirect=True)
def test_staff_sign_in_and_book_in_the_pages_of_the_api(
    browser: tuple[Client, str], admin: User, room: Resource
) -> None:
    client, _ = browser
    assert sign_in(browser, admin) == 302
    token = client.cookies["csrftoken"].value

    answer = client.post("/api/bookings/", booking_body(room), "application/json", headers={"x-csrftoken": token})

    assert answer.status_code == 201, answer.content
    assert Booking.objects.get().user == admin


@pytest.mark.parametrize("browser", REFUSED.values(), ids=REFUSED, indirect=True)
def test_from_elsewhere_neither_works(browser: tuple[Client, str], admin: User, room: Resource) -> None:
    client, token = browser
    assert sign_in(browser, admin) == 403

    client.force_login(admin)
    answer = client.post("/api/bookings/", booking_body(room), "application/json", headers={"x-csrftoken": token})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert not Booking.objects.exists()
