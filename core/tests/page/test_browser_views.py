"""Each view of the booking page: for everybody, on each screen, with each text, and within its budget."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.booking_page import TOMORROW, forgive, picture, place_of, row_of, show_day, told
from core.tests.support.chromium import require_accessible
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource
from core.tests.support.rules import add_exception, day_of, set_hours

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., "Page"]


@pytest.fixture
def busy_day(admin: User, alice: User, bob: User, as_admin: APIClient, room: Resource) -> Resource:
    """A day with each kind of time; alice has booked the room from eight to nine."""
    make_booking(alice, room, at(8), at(9))
    make_booking(bob, room, at(10), at(11))
    make_pending_booking(bob, room, at(12))
    make_closure(admin, room, start=at(14), end=at(16))
    lab = make_resource("Lab", capacity=4, requires_approval=True)
    set_hours(as_admin, lab, ("08:00", "18:00"))
    make_resource("Van", is_available=False)
    return room


def views_of(room: Resource, booking: int) -> dict[str, str]:
    return {
        "day": f"/day/{TOMORROW}",
        "week": f"/day/{TOMORROW}?days=7",
        "list": f"/day/{TOMORROW}?form=list",
        "resource": f"/resources/{room.pk}",
        "booking": f"/bookings/{booking}",
        "register": "/register",
        "sign-in": "/sign-in",
        "forgotten": "/forgotten-password",
        "reset": "/password-reset/MQ/c0ffee-0123456789abcdef",
        "no-day": "/day/2027-02-31",
        "no-booking": "/bookings/999999",
    }


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_each_view_is_accessible_and_fits(
    visit: Visit, alice: User, busy_day: Resource, colours: str, width: int, complaints: list[str]
) -> None:
    page = visit(alice, width=width, height=800, color_scheme=colours, reduced_motion="reduce")
    for name, address in views_of(busy_day, alice.bookings.get().pk).items():
        page.goto(address)
        page.locator(".loading").wait_for(state="detached")
        page.wait_for_selector("h1")
        require_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        picture(page, f"{name}-{colours}-{width}")
    page.goto("/")
    page.get_by_role("button", name="New booking").click()
    require_accessible(page)
    picture(page, f"form-{colours}-{width}")
    forgive(complaints, "404", "ERR_FAILED")


def test_each_kind_of_time_is_told_in_words(visit: Visit, alice: User, busy_day: Resource, as_admin: APIClient) -> None:
    add_exception(as_admin, make_resource("Office"), day_of(1), name="Stocktaking")
    page = visit(alice)
    show_day(page)
    spans = [each.get_attribute("title") for each in row_of(page, busy_day).locator(".span").all()]
    assert spans[-9:] == [
        "Free, 00:00–08:00",
        "Yours, 08:00–09:00",
        "Free, 09:00–10:00",
        "Taken, 10:00–11:00",
        "Free, 11:00–12:00",
        "Taken, not confirmed yet, 12:00–13:00",
        "Free, 13:00–14:00",
        "Maintenance, 14:00–16:00",
        "Free, 16:00–00:00",
    ]
    page.get_by_role("button", name="List").click()
    line = page.locator(".line", has_text="Blue room")
    told_in_list = [each.inner_text().replace("\n", " ") for each in line.locator(".span").all()]
    assert told_in_list[1] == "08:00–09:00 Yours"
    assert told_in_list[7] == "14:00–16:00 Closed: Maintenance"
    assert len(told_in_list) == len(spans)
    assert page.locator(".line", has_text="Office").locator(".closed").inner_text().endswith("Closed: Stocktaking")
    assert page.locator(".line", has_text="Van").locator(".none").count() == 1


def test_staff_see_their_own_bookings_as_theirs_alone(visit: Visit, admin: User, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    make_booking(admin, room, at(15))
    page = visit(admin)
    show_day(page)
    assert page.locator("tbody .span.mine").get_attribute("title") == "Yours, 15:00–16:00"
    assert "alice" not in page.content()


NAMES = ["<img src=x onerror=alert(1)>", "\u202eneves\u202c غرفة", "🚲👩‍🔬 lab", "W" * 255]


def test_hostile_names_and_notes_are_text_and_the_table_keeps_its_shape(visit: Visit, alice: User) -> None:
    rooms = [make_resource(name, description=f"{name} {name}") for name in NAMES]
    booking = make_booking(alice, rooms[0], notes="<script>alert(1)</script> \u202eabc")
    page = visit(alice)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for address in (f"/day/{TOMORROW}?form=table", f"/day/{TOMORROW}?form=list", f"/bookings/{booking.pk}"):
            page.goto(address)
            page.wait_for_selector("[data-key], .line, .facts dd")
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        for each in rooms:
            page.goto(f"/resources/{each.pk}")
            page.wait_for_selector(".facts")
            assert page.locator("h1").inner_text() == each.name
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    show_day(page)
    assert {row_of(page, each).bounding_box()["height"] for each in rooms} == {52}
    picture(page, "hostile")
    assert page.locator("main img, main script").count() == 0
    page.goto(f"/bookings/{booking.pk}")
    page.locator(".facts .text", has_text="<script>alert(1)</script>").wait_for()


def test_200_resources_by_seven_days(visit: Visit, alice: User, bob: User, complaints: list[str]) -> None:
    rooms = [make_resource(f"Room {number:03}") for number in range(200)]
    for each in rooms:
        for day in range(1, 6):
            make_booking(bob, each, at(9, day=day), at(12, day=day))
    page = visit(alice)
    calls = []
    page.on("request", lambda request: "/api/" in request.url and calls.append(request.url))
    show_day(page, query="?days=7")
    assert len(calls) <= 3, calls
    everything = "document.querySelectorAll('*').length"
    assert page.evaluate(everything) <= 10_000
    assert page.locator("tbody tr:not(.spacer)").count() < 60
    # The keyboard comes to the last row; the rows that it passes are drawn on the way.
    page.locator("[data-key][tabindex='0']").focus()
    for _ in range(199):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').dataset.row") == "199"
    assert page.evaluate(everything) <= 10_000
    page.emulate_media(media="print")
    page.wait_for_selector("tbody tr:nth-child(200)")
    assert page.locator("tbody tr").count() == 200
    page.emulate_media(media="screen")
    page.get_by_role("button", name="List").click()
    page.wait_for_selector(".line:nth-child(200)")


def test_the_keyboard_alone_books(visit: Visit, alice: User, busy_day: Resource) -> None:
    page = visit(alice)
    show_day(page)
    row_of(page, busy_day).locator("a").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.locator("[title='Free, 09:00–10:00']:focus").wait_for()
    page.keyboard.press("Enter")
    told(page, "This can be booked.")
    page.get_by_label("Repeats").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Booked.", exact=True).wait_for()
    # The heading of the view that is there already, and not the one that was there while it loaded.
    page.get_by_role("button", name="History").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert alice.bookings.filter(start_time=at(9), end_time=at(10)).exists()


def test_filters_narrow_the_day_and_stay_after_a_reload(visit: Visit, alice: User, busy_day: Resource) -> None:
    page = visit(alice)
    show_day(page)
    page.get_by_label("People").fill("3")
    page.get_by_text("1 resource", exact=True).wait_for()
    page.get_by_label("From", exact=True).fill("09:00")
    page.get_by_label("To", exact=True).fill("12:00")
    page.wait_for_selector("thead th:nth-child(4):last-child")
    page.reload()
    page.get_by_text("1 resource", exact=True).wait_for()
    assert page.locator("thead th:not(.name)").count() == 3
    page.get_by_role("button", name="Show all").click()
    page.get_by_text("3 resources").wait_for()
    page.get_by_label("From", exact=True).fill("09:30")
    page.get_by_label("To", exact=True).fill("10:30")
    page.get_by_label("Only what is free from start to end").check()
    page.get_by_text("1 resource", exact=True).wait_for()
    assert page.locator("tbody th").inner_text().startswith("Lab")


def test_the_day_is_asked_again_on_focus_by_its_tag(visit: Visit, alice: User, bob: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    answers = []
    page.on("response", lambda answer: "/availability/" in answer.url and answers.append(answer.status))
    with page.expect_response("**/api/resources/availability/**"):
        page.evaluate("dispatchEvent(new Event('focus'))")
    make_booking(bob, room)
    with page.expect_response("**/api/resources/availability/**"):
        page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("tbody .span.taken")
    assert answers == [304, 200]


def test_where_nothing_is_the_page_says_so_with_a_way_back(
    visit: Visit, alice: User, bob: User, room: Resource, complaints: list[str]
) -> None:
    of_bob = make_booking(bob, room)
    page = visit(alice)
    for address in (
        "/day/2027-02-31",
        "/day/0000-01-01",
        "/day/9999-12-31",
        "/bookings/999",
        f"/bookings/{of_bob.pk}",
        "/resources/999",
    ):
        page.goto(address)
        page.get_by_role("heading", name="Nothing here").wait_for()
        page.get_by_role("link", name="Go to today").click()
        page.wait_for_selector(".count")
    forgive(complaints, "404", "403")


def test_back_leads_through_the_days(visit: Visit, alice: User, room: Resource) -> None:
    page = visit(alice)
    show_day(page)
    page.get_by_role("button", name="Next day").click()
    page.wait_for_url(f"**/day/{at(0, day=2):%Y-%m-%d}")
    page.mouse.click(*place_of(page, room, 12))
    page.keyboard.press("Escape")
    page.go_back()
    page.wait_for_url(f"**/day/{TOMORROW}")
    assert page.locator("[name=date]").input_value() == TOMORROW


def test_a_link_of_a_mail_sets_a_password_once(
    guest: "Page", alice: User, room: Resource, complaints: list[str]
) -> None:
    uid = urlsafe_base64_encode(force_bytes(alice.pk))
    address = f"/password-reset/{uid}/{default_token_generator.make_token(alice)}"
    page = guest

    def send() -> None:
        page.goto(address)
        page.get_by_label("New password", exact=True).fill("seven-blue-teapots")
        page.get_by_label("New password again").fill("seven-blue-teapots")
        page.get_by_role("button", name="Set the password").click()

    send()
    page.get_by_text("The new password is set.").wait_for()
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill("seven-blue-teapots")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    send()
    refusal = APIClient().post(
        "/api/auth/users/reset_password_confirm/",
        {
            "uid": uid,
            "token": address.rpartition("/")[2],
            "new_password": "nine-red-pots",
            "re_new_password": "nine-red-pots",
        },
    )
    (message,) = refusal.json()["token"]
    page.locator("form .told", has_text=message).wait_for()
    forgive(complaints, "400")


class TestWhereTheTokenLies:
    def stores(self, page: "Page") -> list[bool]:
        return [
            page.evaluate(f"{name}.getItem('booking.session') !== null") for name in ("sessionStorage", "localStorage")
        ]

    def test_in_the_tab_alone(self, visit: Visit, alice: User) -> None:
        assert self.stores(visit(alice)) == [True, False]

    def test_in_the_browser_when_asked_until_the_sign_out(self, guest: "Page", alice: User) -> None:
        page = guest
        page.goto("/sign-in")
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password", exact=True).fill("correct-horse-9-battery")
        page.get_by_label("Keep me signed in").check()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector(".count")
        assert self.stores(page) == [False, True]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out.").wait_for()
        assert self.stores(page) == [False, False]
        assert not hasattr(User.objects.get(pk=alice.pk), "auth_token")

    @pytest.mark.parametrize("next_address", ["//evil.example/", "https://evil.example/day", "javascript:alert(1)"])
    def test_the_sign_in_leads_to_no_other_host(self, guest: "Page", alice: User, next_address: str) -> None:
        page = guest
        page.goto(f"/sign-in?next={next_address}")
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password", exact=True).fill("correct-horse-9-battery")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector(".count")
        assert page.evaluate("location.pathname") == "/"


def test_wrong_credentials_and_a_taken_name_are_told_at_the_form(
    guest: "Page", alice: User, complaints: list[str]
) -> None:
    page = guest
    page.goto("/sign-in")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Unable to log in with provided credentials.").wait_for()
    page.get_by_role("link", name="Register").last.click()
    page.get_by_label("User name").fill("Alice")
    page.get_by_label("E-mail address").fill("other@example.org")
    page.get_by_label("Password").fill("123")
    page.get_by_role("button", name="Register").click()
    page.wait_for_selector("[name=username] ~ .error")
    page.locator("[name=username]:focus").wait_for()
    require_accessible(page)
    forgive(complaints, "400")
