"""The pages that explain the API in a real Chromium, under the Content-Security-Policy of production."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User

from core.models import Booking, Resource
from core.tests.support.clients import client_of
from core.tests.support.factories import PASSWORD, at, make_booking, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def hosts(page: "Page", address: str) -> list[str]:
    """The hosts that the page asks for something, whether or not it gets it."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).netloc))
    return asked


def own(address: str) -> set[str]:
    # Pictures in a style sheet and a worker made from a text are addresses without a host.
    return {urlsplit(address).netloc, ""}


def authorize(page: "Page", token: str) -> None:
    """Sign in on the Swagger page, as a person does."""
    page.click("button.authorize")
    page.locator(".auth-container", has_text="Token (apiKey)").locator("input").fill(f"Token {token}")
    page.locator(".auth-container", has_text="Token (apiKey)").locator("button[type=submit]").click()
    page.click("button.btn-done")


def test_the_swagger_page_signs_in_and_makes_a_booking(
    page: "Page",
    address: str,
    hosts: list[str],
    alice: User,
    room: Resource,
) -> None:
    signed_in_by = client_of().post("/api/auth/token/login/", {"username": "alice", "password": PASSWORD})
    token = signed_in_by.json()["auth_token"]
    page.goto("/api/docs/")
    page.wait_for_selector(".opblock")
    authorize(page, token)

    page.click("#operations-Bookings-createBooking button.opblock-summary-control")
    block = page.locator("#operations-Bookings-createBooking")
    block.locator("button.try-out__btn").click()
    body = f'{{"resource": {room.pk}, "start_time": "{text(at(10))}", "end_time": "{text(at(11))}"}}'
    block.locator("textarea.body-param__text").fill(body)
    with page.expect_response("**/api/bookings/") as answered:
        block.locator("button.execute").click()
    assert answered.value.status == 201
    assert Booking.objects.get().user == alice
    assert set(hosts) <= own(address)


def test_the_swagger_page_works_in_a_session_of_staff(
    signed_in: "Callable[[User], Page]",
    hosts: list[str],
    address: str,
    admin: User,
    alice: User,
    room: Resource,
) -> None:
    booking = make_booking(alice, room)
    page = signed_in(admin)
    page.goto("/api/docs/")
    page.click("#operations-Bookings-cancelBooking button.opblock-summary-control")
    block = page.locator("#operations-Bookings-cancelBooking")
    block.locator("button.try-out__btn").click()
    block.locator("tr[data-param-name=id] input").fill(str(booking.pk))
    with page.expect_response(lambda answer: f"/api/bookings/{booking.pk}/" in answer.url) as answered:
        block.locator("button.execute").click()
    assert answered.value.status == 204
    assert answered.value.url.endswith("/?scope=this")
    booking.refresh_from_db()
    assert booking.status == "cancelled"
    assert set(hosts) <= own(address)


def test_redoc_renders_every_operation(page: "Page", address: str, hosts: list[str]) -> None:
    page.goto("/api/redoc/", wait_until="networkidle")
    page.wait_for_selector("h1:has-text('Booking API')")
    page.wait_for_selector("h2:has-text('Book a resource')")
    assert page.locator("h2").count() > 40
    assert set(hosts) <= own(address)
