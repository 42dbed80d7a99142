"""The account on the booking page: each part is saved by the API, and told in words."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from core.models import CalendarFeed, Resource
from core.tests.support.booking_page import answering, forgive, picture
from core.tests.support.chromium import require_accessible
from core.tests.support.factories import PASSWORD, make_booking, make_resource, make_user
from core.tests.support.mailing import deliver
from core.tests.support.rules import add_quota

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]
NEW_PASSWORD = "seven-blue-teapots"


def account(page: "Page") -> "Page":
    page.get_by_role("link", name="Account").click()
    page.get_by_role("heading", name="Account", exact=True).wait_for()
    page.locator("h2", has_text="Delete the account").wait_for()
    return page


def card(page: "Page", title: str) -> "Locator":
    return page.locator(".card", has=page.get_by_role("heading", name=title, exact=True))


def said(page: "Page", words: str) -> None:
    """Waits until the line of the page, which screen readers read aloud, says so."""
    page.locator('.said[role="status"]', has_text=words).wait_for()


def sign_in(page: "Page", username: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def save(part: "Locator") -> None:
    part.get_by_role("button", name="Save").first.click()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible_and_fits(
    visit: Visit, admin: User, as_admin: APIClient, room: Resource, colours: str, width: int
) -> None:
    add_quota(as_admin, resource=room.pk, kind="count", period="week", limit=3)
    add_quota(as_admin, kind="active", limit=1)
    long = make_resource("W" * 200)
    as_admin.post("/api/calendar-feeds/", {"resource": long.pk})
    page = account(visit(admin, width=width, height=800, color_scheme=colours, reduced_motion="reduce"))
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Make a feed").click()
    said(page, "The feed is made.")
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    picture(page, f"account-{colours}-{width}")
    page.get_by_role("button", name="End it: Your bookings").click()
    require_accessible(page)


def test_who_one_is_and_another_address(visit: Visit, alice: User, bob: User, complaints: list[str]) -> None:
    page = account(visit(alice))
    about = card(page, "About you")
    about.get_by_label("First name").fill("<b>Alice</b>")
    about.get_by_label("User name").fill("alice2")
    assert not about.get_by_label("Current password").is_visible()
    save(about)
    said(page, "Your account is saved.")
    alice.refresh_from_db()
    assert (alice.username, alice.first_name) == ("alice2", "<b>Alice</b>")
    assert page.locator(".who").inner_text() == "alice2"

    about.get_by_label("E-mail address").fill("new@example.org")
    about.get_by_label("Current password").fill("wrong")
    save(about)
    about.locator("[name=current_password] ~ .error").wait_for()
    page.locator("[name=current_password]:focus").wait_for()
    about.get_by_label("Current password").fill(PASSWORD)
    save(about)
    said(page, "Your account is saved.")
    alice.refresh_from_db()
    assert alice.email == "new@example.org"
    assert about.locator(".error").count() == 0

    about.get_by_label("User name").fill("BOB")
    save(about)
    words = about.locator("[name=username] ~ .error").inner_text()
    answer = APIClient(headers={"authorization": f"Token {Token.objects.get(user=alice)}"}).patch(
        "/api/auth/users/me/", {"username": "BOB"}
    )
    assert words == " ".join(answer.json()["username"])
    require_accessible(page)
    forgive(complaints, "400")


def test_the_picture_is_an_address_that_is_not_shown(visit: Visit, alice: User, complaints: list[str]) -> None:
    page = account(visit(alice))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    address = page.get_by_label("Address of your picture")
    press = page.locator("form", has=address).get_by_role("button")
    address.fill("javascript:alert(1)")
    press.click()
    page.locator("[name=profile_picture] ~ .error").wait_for()
    address.fill("https://images.example.org/alice.png")
    press.click()
    said(page, "The address of your picture is saved.")
    page.reload()
    assert page.get_by_label("Address of your picture").input_value() == "https://images.example.org/alice.png"
    page.get_by_label("Address of your picture").fill("")
    page.locator("form", has=page.get_by_label("Address of your picture")).get_by_role("button").click()
    said(page, "You have no picture now.")
    assert not any("images.example.org" in url for url in asked)
    assert page.locator("main img").count() == 0
    forgive(complaints, "400")


def test_times_and_mails(visit: Visit, alice: User, as_alice: APIClient, complaints: list[str]) -> None:
    page = account(visit(alice))
    mails = card(page, "Times and mails")
    mails.get_by_label("Time zone").fill("Asia/Kathmandu")
    mails.get_by_label("staff reject a booking").uncheck()
    mails.get_by_label("Remind me").fill("1440")
    save(mails)
    said(page, "Times and mails are saved.")
    page.get_by_role("button", name="Time zone Asia/Kathmandu").wait_for()
    saved = as_alice.get("/api/profile/preferences/").json()
    assert (saved["time_zone"], saved["reminder_minutes"]) == ("Asia/Kathmandu", 1440)
    assert [name for name, value in saved.items() if value is False and name.startswith("booking_")] == [
        "booking_rejected"
    ]

    mails.get_by_label("Time zone").fill("Mars/Olympus")
    mails.get_by_label("Remind me").fill("soon")
    save(mails)
    mails.locator("[name=time_zone] ~ .error").wait_for()
    mails.locator("[name=reminder_minutes] ~ .error").wait_for()
    mails.get_by_label("Time zone").fill("Europe/Berlin")
    mails.get_by_label("Remind me").fill("")
    save(mails)
    said(page, "Times and mails are saved.")
    assert as_alice.get("/api/profile/preferences/").json()["reminder_minutes"] is None
    forgive(complaints, "400")


def test_the_address_is_confirmed_by_a_link(
    visit: Visit, alice: User, settings: object, mailoutbox: list[object]
) -> None:
    settings.PUBLIC_URL = "https://booking.example.org"
    page = account(visit(alice))
    about = card(page, "About you")
    about.get_by_text("Your address is confirmed.").wait_for()
    about.get_by_label("E-mail address").fill("new@example.org")
    about.get_by_label("Current password").fill(PASSWORD)
    save(about)
    about.get_by_text("Your address is not confirmed yet").wait_for()
    picture(page, "unconfirmed")
    with page.expect_response("**/api/profile/confirm-email/") as answer:
        about.get_by_role("button", name="Send the link").click()
    assert answer.value.status == 204
    said(page, "A mail with a link is on its way.")


class TestFeeds:
    def test_a_feed_is_made_shown_once_copied_and_ended(
        self, visit: Visit, alice: User, room: Resource, complaints: list[str]
    ) -> None:
        make_booking(alice, room)
        page = visit(alice)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/account#feeds")
        feeds = card(page, "Calendar feeds")
        feeds.get_by_text("You have no feeds.").wait_for()
        page.locator("#feeds:focus").wait_for()
        feeds.get_by_role("button", name="Make a feed").click()
        said(page, "Its address is shown this once.")
        url = feeds.get_by_label("Address of the feed").input_value()
        assert "Blue room" in page.context.request.get(url).text()
        feeds.get_by_role("button", name="Copy").click()
        said(page, "The address is copied.")
        assert page.evaluate("navigator.clipboard.readText()") == url
        subscribe = feeds.get_by_role("link", name="Subscribe").get_attribute("href")
        assert subscribe == f"webcal:{url.partition(':')[2]}"

        page.reload()
        feeds.get_by_text("Your bookings", exact=True).first.wait_for()
        assert url not in page.content()
        feeds.get_by_role("button", name="End it: Your bookings").click()
        page.get_by_role("button", name="Keep it").click()
        assert CalendarFeed.objects.count() == 1
        feeds.get_by_role("button", name="End it: Your bookings").click()
        page.get_by_role("button", name="Yes, end it").click()
        said(page, "The feed is ended.")
        feeds.get_by_text("You have no feeds.").wait_for()
        assert page.context.request.get(url).status == 404

    @pytest.mark.parametrize("tells", [True, False])
    def test_staff_choose_whether_that_of_a_resource_tells_who_booked(
        self, visit: Visit, admin: User, room: Resource, tells: bool
    ) -> None:
        page = account(visit(admin))
        feeds = card(page, "Calendar feeds")
        feeds.get_by_role("button", name="Of a resource").click()
        assert not feeds.get_by_label("Tell who booked").is_visible()
        feeds.get_by_label("Feed of").select_option(label="Blue room")
        feeds.get_by_label("Tell who booked").set_checked(tells)
        feeds.get_by_role("button", name="Make a feed").click()
        said(page, "The feed is made.")
        feed = CalendarFeed.objects.get()
        assert (feed.resource_id, feed.names) == (room.pk, tells)

    def test_others_are_not_asked_about_names(self, visit: Visit, alice: User, room: Resource) -> None:
        page = account(visit(alice))
        feeds = card(page, "Calendar feeds")
        feeds.get_by_role("button", name="Of a resource").click()
        feeds.get_by_label("Feed of").select_option(label="Blue room")
        assert not feeds.get_by_label("Tell who booked").is_visible()
        feeds.get_by_role("button", name="Make a feed").click()
        said(page, "The feed is made.")
        assert CalendarFeed.objects.get().resource_id == room.pk


def test_what_is_left_of_each_quota(
    visit: Visit, alice: User, as_alice: APIClient, as_admin: APIClient, room: Resource
) -> None:
    add_quota(as_admin, resource=room.pk, kind="minutes", period="month", limit=600)
    add_quota(as_admin, kind="active", limit=1)
    make_booking(alice, room)
    page = account(visit(alice))
    entries = [
        each.inner_text().replace("\n", " ") for each in card(page, "What you may still book").locator("li").all()
    ]
    # Tomorrow may be in another month.
    used = next(each["used"] for each in as_alice.get("/api/profile/quotas/").json() if each["kind"] == "minutes")
    active, minutes = sorted(entries)
    assert active.startswith("All resources 1 of 1 booking that are not over. None left; more from ")
    assert minutes == f"Blue room {used} of 600 minutes this month. {600 - used} left."


def test_a_new_password_keeps_this_window_signed_in_and_no_other(
    visit: Visit, alice: User, complaints: list[str]
) -> None:
    page, other = account(visit(alice)), visit(alice)
    part = card(page, "Change the password")

    def change(current: str) -> None:
        part.get_by_label("Current password").fill(current)
        part.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        part.get_by_label("New password again").fill(NEW_PASSWORD)
        part.get_by_role("button", name="Set the password").click()

    change("wrong")
    part.locator("[name=current_password] ~ .error").wait_for()
    change(PASSWORD)
    said(page, "The new password is set.")
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert part.get_by_label("Current password").input_value() == ""
    save(card(page, "About you"))
    said(page, "Your account is saved.")
    other.get_by_role("link", name="Account").click()
    other.get_by_role("heading", name="Sign in").wait_for()
    # Some of its calls may still be on their way.
    other.close()
    forgive(complaints, "400", "401")


def test_a_new_password_signs_no_other_tab_of_a_kept_session_out(guest: "Page", alice: User, room: Resource) -> None:
    page = guest
    page.goto("/sign-in")
    page.get_by_label("Keep me signed in").check()
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    other = page.context.new_page()
    other.goto("/bookings")
    other.get_by_role("heading", name="My bookings").wait_for()
    part = card(account(page), "Change the password")
    part.get_by_label("Current password").fill(PASSWORD)
    part.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    part.get_by_label("New password again").fill(NEW_PASSWORD)
    part.get_by_role("button", name="Set the password").click()
    said(page, "The new password is set.")
    assert page.evaluate("sessionStorage.getItem('booking.session')") is None
    account(other)
    assert other.url.endswith("/account")


def test_a_new_password_ends_the_feeds_when_asked(visit: Visit, alice: User, as_alice: APIClient) -> None:
    as_alice.post("/api/calendar-feeds/")
    page = account(visit(alice))
    part = card(page, "Change the password")
    part.get_by_label("Current password").fill(PASSWORD)
    part.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    part.get_by_label("New password again").fill(NEW_PASSWORD)
    part.get_by_label("End all calendar feeds, too").check()
    part.get_by_role("button", name="Set the password").click()
    said(page, "The new password is set.")
    page.get_by_text("You have no feeds.").wait_for()
    assert not CalendarFeed.objects.exists()


def test_signing_out_on_every_device(visit: Visit, alice: User, complaints: list[str]) -> None:
    page, other = account(visit(alice)), visit(alice)
    page.get_by_role("button", name="Sign out on every device").click()
    said(page, "You are signed out.")
    assert not Token.objects.exists()
    other.reload()
    other.get_by_role("heading", name="Sign in").wait_for()
    forgive(complaints, "401")


def test_deleting_the_account_takes_the_password(
    visit: Visit, alice: User, room: Resource, complaints: list[str]
) -> None:
    make_booking(alice, room)
    page = account(visit(alice))
    part = card(page, "Delete the account")
    part.get_by_label("Current password").fill("wrong")
    part.get_by_role("button", name="Delete my account for good").click()
    part.locator(".error").wait_for()
    assert User.objects.filter(username="alice").exists()
    part.get_by_label("Current password").fill(PASSWORD)
    part.get_by_role("button", name="Delete my account for good").click()
    said(page, "Your account is deleted.")
    assert not User.objects.filter(username="alice").exists()
    assert page.get_by_role("link", name="Sign in").is_visible()
    assert page.evaluate("sessionStorage.getItem('booking.session')") is None
    forgive(complaints, "400")


def test_staff_see_a_link_to_the_desk_and_others_none(visit: Visit, alice: User, admin: User) -> None:
    page = account(visit(admin))
    assert [each.get_attribute("href") for each in page.get_by_role("link", name="Desk").all()] == ["/admin/"] * 2
    # Whoever becomes staff while signed in sees it, too.
    other = account(visit(alice))
    assert other.get_by_role("link", name="Desk").count() == 0
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    other.reload()
    other.locator("main").get_by_role("link", name="Desk").wait_for()
    other.locator("nav").get_by_role("link", name="Desk").wait_for()


class TestWhatGoesWrong:
    def test_nobody_is_signed_in(self, guest: "Page", alice: User) -> None:
        page = guest
        page.goto("/account#feeds")
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator("#feeds:focus").wait_for()
        assert page.url.endswith("/account#feeds")

    @pytest.mark.parametrize("how", ["the token is void", "signed out elsewhere", "the account is deleted"])
    def test_what_was_typed_is_there_after_the_sign_in(
        self, visit: Visit, alice: User, how: str, complaints: list[str]
    ) -> None:
        page = account(visit(alice))
        about, mails = card(page, "About you"), card(page, "Times and mails")
        about.get_by_label("First name").fill("Alice the first")
        mails.get_by_label("staff reject a booking").uncheck()
        if how == "signed out elsewhere":
            other = page.context.new_page()
            sign_in(other, "alice", PASSWORD)
            other.get_by_role("button", name="Sign out", exact=True).click()
        elif how == "the token is void":
            Token.objects.all().delete()
            save(about)
        else:
            alice.delete()
            save(about)
        page.get_by_text("What you typed is kept.").wait_for()
        if how == "the account is deleted":
            make_user("alice")
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator("h2", has_text="Delete the account").wait_for()
        assert page.url.endswith("/account")
        assert about.get_by_label("First name").input_value() == "Alice the first"
        assert not mails.get_by_label("staff reject a booking").is_checked()
        save(about)
        said(page, "Your account is saved.")
        assert User.objects.get(username="alice").first_name == "Alice the first"
        forgive(complaints, "401")

    def test_passwords_are_never_kept_and_others_see_nothing_of_it(
        self, visit: Visit, alice: User, bob: User, complaints: list[str]
    ) -> None:
        page = account(visit(alice))
        card(page, "About you").get_by_label("First name").fill("Alice the first")
        card(page, "Change the password").get_by_label("Current password").fill(PASSWORD)
        Token.objects.all().delete()
        save(card(page, "About you"))
        page.get_by_text("What you typed is kept.").wait_for()
        assert PASSWORD not in page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })")
        page.get_by_label("User name").fill("bob")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator("h2", has_text="Delete the account").wait_for()
        assert card(page, "About you").get_by_label("First name").input_value() == ""
        assert page.evaluate("sessionStorage.getItem('booking.forms')") is None
        forgive(complaints, "401")

    def test_signing_out_forgets_what_was_typed(self, visit: Visit, alice: User) -> None:
        page = account(visit(alice))
        card(page, "About you").get_by_label("First name").fill("Alice the first")
        page.get_by_role("button", name="Sign out", exact=True).click()
        said(page, "You are signed out.")
        assert page.evaluate("sessionStorage.length") == 0

    def test_a_busy_server_is_asked_again_and_a_lost_network_too(
        self, visit: Visit, alice: User, complaints: list[str]
    ) -> None:
        page = account(visit(alice))
        page.route("**/api/auth/users/me/", answering(503, "offline", of_gets=True))
        about = card(page, "About you")
        about.get_by_label("First name").fill("Alice")
        save(about)
        about.get_by_text("The server cannot answer now. It is asked again in 1 second.").wait_for()
        about.get_by_text("No connection to the server.").wait_for()
        said(page, "Your account is saved.")
        alice.refresh_from_db()
        assert alice.first_name == "Alice"
        forgive(complaints, "503", "ERR_INTERNET_DISCONNECTED")

    def test_what_must_not_be_done_twice_is_not_repeated_by_itself(
        self, visit: Visit, alice: User, complaints: list[str]
    ) -> None:
        page = account(visit(alice))
        page.route("**/api/calendar-feeds/", lambda route: route.abort("internetdisconnected"))
        feeds = card(page, "Calendar feeds")
        feeds.get_by_role("button", name="Make a feed").click()
        feeds.get_by_text("No answer from the server, so whether it was done is not known.").wait_for()
        assert feeds.get_by_role("button", name="Make a feed").is_enabled()
        forgive(complaints, "ERR_INTERNET_DISCONNECTED")

    def test_too_many_calls_say_from_when_on(self, visit: Visit, alice: User, complaints: list[str]) -> None:
        page = account(visit(alice))
        page.route(
            "**/api/profile/preferences/",
            lambda route: route.fulfill(status=429, headers={"Retry-After": "90"}, body="{}"),
        )
        mails = card(page, "Times and mails")
        save(mails)
        mails.get_by_text("Too many calls. The server answers again from ").wait_for()
        forgive(complaints, "429")


@pytest.mark.parametrize("how", ["the token is void", "signed out elsewhere"])
def test_a_change_of_a_booking_is_there_after_the_sign_in(
    visit: Visit, alice: User, room: Resource, how: str, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = visit(alice)
    page.goto(f"/bookings/{booking.pk}")
    page.get_by_role("button", name="Move or change").click()
    page.get_by_label("Notes").fill("Bring <b>cake</b>")
    if how == "the token is void":
        Token.objects.all().delete()
        page.get_by_role("button", name="Save the change").click()
    else:
        other = page.context.new_page()
        sign_in(other, "alice", PASSWORD)
        other.get_by_role("button", name="Sign out").click()
    page.get_by_text("What you typed is kept.").wait_for()
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Save the change").click()
    said(page, "The change is saved.")
    booking.refresh_from_db()
    assert booking.notes == "Bring <b>cake</b>"
    forgive(complaints, "401")


def test_the_link_of_a_mail_sets_a_password_and_used_again_it_says_so(
    guest: "Page", alice: User, address: str, settings: object, mailoutbox: list[object], complaints: list[str]
) -> None:
    settings.HOME_URL = address
    page = guest
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("E-mail address").fill("ALICE@example.org")
    page.get_by_role("button", name="Send the link").click()
    said(page, "If the address has an account here, a mail with a link is on its way.")
    deliver()
    (mail,) = mailoutbox
    link = re.search(rf"^{address}/password-reset/\S+$", mail.body, re.MULTILINE)[0]

    def use() -> None:
        page.goto(link)
        page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        page.get_by_label("New password again").fill(NEW_PASSWORD)
        page.get_by_role("button", name="Set the password").click()

    use()
    said(page, "The new password is set. Sign in with it.")
    assert page.url == f"{address}/sign-in"
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    use()
    uid, token = link.split("/")[-2:]
    body = {"uid": uid, "token": token, "new_password": NEW_PASSWORD, "re_new_password": NEW_PASSWORD}
    refusal = APIClient().post("/api/auth/users/reset_password_confirm/", body).json()
    page.locator("form .told", has_text=" ".join(refusal["token"])).wait_for()
    assert page.get_by_role("link", name="Forgotten your password?").is_visible()
    sign_in(page, "alice", NEW_PASSWORD)
    forgive(complaints, "400")


def test_the_link_to_the_content_keeps_what_was_typed(visit: Visit, alice: User) -> None:
    page = account(visit(alice))
    card(page, "About you").get_by_label("First name").fill("Alice")
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    page.locator("#main:focus").wait_for()
    assert card(page, "About you").get_by_label("First name").input_value() == "Alice"


def test_the_keyboard_reaches_each_control_and_shows_where_it_is(
    visit: Visit, alice: User, as_alice: APIClient
) -> None:
    as_alice.post("/api/calendar-feeds/")
    page = account(visit(alice))
    every = "[...document.querySelectorAll('a, button, input, select')]"
    controls = page.evaluate(f"{every}.filter((each) => each.getClientRects().length > 0).length")
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(controls + 2):
        page.keyboard.press("Tab")
        place = page.evaluate(f"{every}.indexOf(document.activeElement)")
        reached.add(place)
        if place >= 0:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert len(reached - {-1}) == controls
