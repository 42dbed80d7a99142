"""What comes after one has left: late answers, the way back, sign-ins of others, and answers that were lost."""

import contextlib
import json
import math
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from core.models import Resource
from core.tests.support.booking_page import TOMORROW, answering, forgive, place_of, show_day, told
from core.tests.support.factories import PASSWORD, make_booking

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]
ACT = {
    "kind": "booking.created",
    "at": "2027-01-01T10:00:00Z",
    "actor": None,
    "part": "system",
    "reason": "",
    "changes": {},
}


def sign_in(page: "Page", name: str, *, keep: bool = False) -> None:
    page.goto("/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    if keep:
        page.get_by_label("Keep me signed in").check()
    page.locator("form.account button").click()
    page.locator(".who", has_text=name).wait_for()


@pytest.mark.parametrize("path", ["/bookings/{}", "/account", "/bookings"])
def test_a_late_answer_changes_nothing_of_the_next_view(visit: Visit, alice: User, room: Resource, path: str) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    late: list[Route] = []
    page.route(re.compile(r"/api/(bookings|auth|profile)/"), lambda route: late.append(route))
    page.evaluate(f"history.pushState(null, '', '{path.format(booking.pk)}')")
    page.evaluate("dispatchEvent(new Event('popstate'))")
    page.locator("main .loading").wait_for()
    page.get_by_role("link", name="Calendar", exact=True).click()
    page.locator("tbody [data-key]").first.wait_for()
    title = page.title()
    for each in late:
        with contextlib.suppress(Exception):
            each.continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    assert page.title() == title


@pytest.mark.parametrize("path", ["/bookings", "/bookings/7", "/account", "/series/7"])
def test_back_leads_out_of_the_sign_in(guest: "Page", room: Resource, path: str) -> None:
    show_day(guest)
    guest.goto(path)
    guest.get_by_label("User name").wait_for()
    guest.go_back()
    guest.locator("tbody [data-key]").first.wait_for()
    assert guest.evaluate("location.pathname") == f"/day/{TOMORROW}"


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/password-reset/MQ/c0ffee-0123456789abcdef", "New password"),
        ("/register", "Register"),
        ("/forgotten-password", "Forgotten password"),
    ],
)
def test_a_token_that_is_void_keeps_nobody_from_the_pages_without_a_sign_in(
    visit: Visit, alice: User, path: str, title: str, complaints: list[str]
) -> None:
    page = visit(alice)
    Token.objects.filter(user=alice).delete()
    page.goto(path)
    page.get_by_role("heading", name=title).wait_for()
    assert page.evaluate("location.pathname") == path
    forgive(complaints, "401")


def test_show_more_pressed_twice_shows_each_entry_once(visit: Visit, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)

    def parts(route: "Route") -> None:
        """Three entries in each of two parts."""
        number = 3 if "cursor" in route.request.url else 0
        rows = route.fetch(url=re.sub(r"[?&]cursor=x", "", route.request.url)).json() or [ACT]
        own = f"/api/bookings/{booking.pk}/history/" if "/history/" in route.request.url else "/api/bookings/"
        headers = {} if number else {"Link": f'<{own}?cursor=x>; rel="next"'}
        answer = [{**rows[0], "id": number + each} for each in range(3)]
        # The page may have dropped the call.
        with contextlib.suppress(Exception):
            route.fulfill(status=200, headers={"Content-Type": "application/json", **headers}, body=json.dumps(answer))

    page.route(re.compile(r"/api/bookings/\?"), parts)
    page.goto("/bookings")
    page.locator(".bookings .entry").nth(2).wait_for()
    twice = "(button) => { button.click(); button.click(); }"
    page.get_by_role("button", name="Show more").evaluate(twice)
    page.locator(".bookings .entry").nth(5).wait_for()
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    assert page.locator(".bookings .entry").count() == 6

    page.route("**/history/**", parts)
    page.goto(f"/bookings/{booking.pk}")
    page.get_by_role("button", name="History").click()
    page.locator(".history > li").nth(2).wait_for()
    page.get_by_role("button", name="Show more").evaluate(twice)
    page.locator(".history > li").nth(5).wait_for()
    page.evaluate("new Promise((done) => setTimeout(done, 500))")
    assert page.locator(".history > li").count() == 6


def test_a_sign_in_in_one_tab_leaves_alone_who_is_kept_in_the_browser(guest: "Page", alice: User, bob: User) -> None:
    sign_in(guest, "alice", keep=True)
    other = guest.context.new_page()
    sign_in(other, "bob")
    guest.reload()
    guest.locator(".who", has_text="alice").wait_for()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_text("You are signed out.").wait_for()
    # Nobody is signed in there, alice no more than bob.
    other.get_by_role("link", name="Sign in").wait_for()
    other.reload()
    other.get_by_role("link", name="Sign in").wait_for()
    guest.reload()
    guest.locator(".who", has_text="alice").wait_for()
    assert [each.user for each in Token.objects.all()] == [alice]


def test_the_zone_of_a_user_goes_with_the_sign_out(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    zone = page.locator(".zone > button")
    house = zone.inner_text()
    zone.click()
    page.get_by_label("Time zone", exact=True).fill("Asia/Tokyo")
    page.keyboard.press("Enter")
    page.locator(".zone > button", has_text="Asia/Tokyo").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out.").wait_for()
    page.locator(".zone > button", has_text=house.split()[-1]).wait_for()
    page.reload()
    page.locator("tbody [data-key]").first.wait_for()
    assert zone.inner_text() == house


def test_a_name_of_somebody_else_stays_taken_after_a_lost_answer(
    guest: "Page", alice: User, complaints: list[str]
) -> None:
    page = guest
    calls: list[Request] = []
    page.route("**/api/auth/users/", answering("cut", calls=calls))
    page.goto("/register")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("E-mail address").fill("dora@example.org")
    page.get_by_label("Password").fill("six-copper-lanterns")
    page.get_by_role("button", name="Register").click()
    page.wait_for_selector("[name=username] ~ .error")
    assert len(calls) == 2
    page.locator("[name=username]:focus").wait_for()
    forgive(complaints, "ERR_CONNECTION_RESET", "400")


@pytest.mark.parametrize("wait", [1, 20, 90])
def test_too_many_calls_never_say_a_moment_that_is_too_early(
    visit: Visit, alice: User, room: Resource, wait: int, complaints: list[str]
) -> None:
    page = visit(alice)
    show_day(page)
    page.mouse.click(*place_of(page, room, 12.2))
    told(page, "This can be booked.")
    headers = {"Retry-After": str(wait)}
    page.route("**/api/bookings/", lambda route: route.fulfill(status=429, headers=headers, body="{}"))
    page.clock.set_fixed_time(time.time())
    page.locator("form.booking button.main").click()
    told(page, "Too many calls.")
    words = page.locator("form.booking .told").inner_text()
    if wait < 60:
        assert f"The server answers again in {wait} second{'' if wait == 1 else 's'}." in words
    else:
        now = page.evaluate("Date.now()") / 1000
        full = math.ceil((now + wait) / 60) * 60
        assert f"again from {time.strftime('%H:%M', time.gmtime(full))} on." in words
    forgive(complaints, "429")
