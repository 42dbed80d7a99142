"""The desk in a real Chromium, under the Content-Security-Policy of production, and checked by axe-core."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.chromium import require_accessible
from core.tests.support.closures import make_closure
from core.tests.support.factories import PASSWORD, at, make_booking, make_pending_booking, make_resource, make_user
from core.tests.support.rules import add_quota, day_of, set_hours

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = "<script>window.ran = 1</script>\"'><img src=x onerror='window.ran = 1'> \u05e9\u05dc\u05d5\u05dd \u202eabc"
SIZES = [(1280, 900), (390, 844)]
LOOKS = ["light", "dark"]


@pytest.fixture
def busy(as_admin: APIClient, admin: User, alice: User, bob: User, lab: Resource, room: Resource) -> None:
    """A house with something of everything."""
    person = make_user("c.maximiliane-von-hohenstein", first_name="Maximiliane", last_name="von Hohenstein")
    strict = make_resource("Confocal microscope", requires_approval=True, reason_required=True, capacity=8)
    hostile = make_resource(HOSTILE[:200], capacity=3)
    add_quota(as_admin, kind="count", period="week", limit=3)
    set_hours(as_admin, strict, ("08:00", "18:00"))
    make_resource("Broken projector", is_available=False)
    now = timezone.now()
    make_booking(alice, room, now - timedelta(minutes=10), now + timedelta(hours=1))
    make_closure(admin, lab, start=at(15), end=at(16), reason=HOSTILE[:100])
    make_booking(bob, lab, at(8), notes=HOSTILE)
    make_booking(alice, room, at(9, day=2))
    for user, resource, hour in ((alice, lab, 10), (person, strict, 9), (bob, strict, 14), (bob, hostile, 14)):
        booking = make_pending_booking(user, resource, at(hour))
        Booking.objects.filter(pk=booking.pk).update(notes=HOSTILE if user == alice else "Samples 14 to 22, please.")


@pytest.fixture
def without_script(browser: "Browser", address: str, admin: User) -> Iterator["Page"]:
    """A browser window without script, signed in."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    window = context.new_page()
    window.goto("/admin/")
    window.fill("#id_username", admin.username)
    window.fill("#id_password", PASSWORD)
    window.click("input[type=submit]")
    yield window
    context.close()


def look(page: "Page", path: str, size: tuple[int, int], colours: str) -> None:
    """Opens a page in a size and a colour scheme, and checks that it fits, runs nothing foreign, and is accessible."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]  # one of LOOKS
    assert page.goto(path, wait_until="networkidle").status == 200  # type: ignore[union-attr]
    check(page, size)


def check(page: "Page", size: tuple[int, int]) -> None:
    assert page.evaluate("() => window.ran === undefined")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    require_accessible(page)


@pytest.mark.parametrize("colours", LOOKS)
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
@pytest.mark.usefixtures("busy")
class TestLook:
    def test_the_first_page(
        self, signed_in: Callable[[User], "Page"], admin: User, size: tuple[int, int], colours: str
    ) -> None:
        page = signed_in(admin)
        look(page, "/admin/", size, colours)
        assert page.locator(".figure .number").all_inner_texts()[0] == "4"

    def test_the_queue(
        self, signed_in: Callable[[User], "Page"], admin: User, size: tuple[int, int], colours: str
    ) -> None:
        page = signed_in(admin)
        look(page, "/admin/queue/", size, colours)
        page.click("#tick-all")
        page.click("button[name=reject]")
        page.wait_for_selector(".errorlist")
        assert page.locator("input[name=ticked]:checked").count() == 4
        check(page, size)

    def test_booking_for_somebody(
        self, signed_in: Callable[[User], "Page"], admin: User, alice: User, size: tuple[int, int], colours: str
    ) -> None:
        page = signed_in(admin)
        look(page, "/admin/book/", size, colours)
        look(page, f"/admin/book/?day={day_of()}&start=16:30&end=19:00&people=2", size, colours)
        page.click("details summary")
        check(page, size)
        page.click("details summary")
        page.fill("#id_known", "alice")
        page.click("button[name=look]")
        page.wait_for_selector("#person")
        page.check("input[name=resource] >> nth=0")
        check(page, size)


@pytest.mark.usefixtures("busy")
class TestActs:
    def test_a_day_is_confirmed_in_three_clicks(self, signed_in: Callable[[User], "Page"], admin: User) -> None:
        page = signed_in(admin)
        page.goto("/admin/queue/")
        # The fixtures speak of tomorrow in UTC, which may be the day after tomorrow at midnight.
        page.click(f".switch a[href*='day={day_of()}'], .switch a:has-text('all days')")
        page.click("#tick-all")
        page.click("button[name=confirm]")
        page.wait_for_selector(".messagelist .success")
        assert "4 bookings confirmed." in page.inner_text(".messagelist")
        assert not Booking.objects.filter(status="pending").exists()

    def test_the_boxes_are_ticked_and_unticked_without_a_new_page(
        self, signed_in: Callable[[User], "Page"], admin: User
    ) -> None:
        page = signed_in(admin)
        page.goto("/admin/queue/")
        page.evaluate("() => { window.same = true; }")
        ticked = page.locator("input[name=ticked]:checked")
        page.click("#tick-all")
        assert (ticked.count(), page.inner_text("#tick-all")) == (4, "Untick all")
        page.uncheck("input[name=ticked] >> nth=1")
        assert page.inner_text("#tick-all") == "Tick all on this page"
        page.click("#tick-all")
        page.click("#tick-all")
        assert ticked.count() == 0
        assert page.evaluate("() => window.same")

    def test_somebody_is_booked_for_by_the_picker(
        self, signed_in: Callable[[User], "Page"], admin: User, alice: User
    ) -> None:
        page = signed_in(admin)
        page.click(".desk-links >> text=Book for somebody")
        page.fill("#id_day", str(day_of()))
        page.fill("#id_start", "12:00")
        page.fill("#id_end", "13:00")
        page.fill("#id_people", "8")
        page.click("button:has-text('Search')")
        assert page.locator(".offered label bdi").all_inner_texts() == ["Confocal microscope"]
        page.check("input[name=resource]")
        page.click(".field-user .select2-selection")
        page.fill(".select2-search__field", "maxi")
        page.click(".select2-results__option--highlighted:has-text('Maximiliane')")
        page.check("#id_at_once")
        page.click("button[name=book]")
        page.wait_for_selector(".messagelist .success")
        assert "c.maximiliane-von-hohenstein@example.org" in page.inner_text(".messagelist")
        booking = Booking.objects.get(start_time=at(12))
        assert (booking.user.username, booking.status) == ("c.maximiliane-von-hohenstein", "confirmed")

    def test_a_refusal_offers_a_box_that_waives_the_rule(
        self, signed_in: Callable[[User], "Page"], admin: User
    ) -> None:
        page = signed_in(admin)
        page.goto(f"/admin/book/?day={day_of(3)}&start=12:00&end=13:00&people=8")
        strict = Resource.objects.get(name="Confocal microscope")
        page.check("input[name=resource]")
        page.fill("#id_known", "bob")
        # The hours change after the search.
        strict.opening_hours.all().update(opens="14:00")
        Resource.objects.filter(pk=strict.pk).update(terms_version=strict.terms_version + 1)
        page.click("button[name=book]")
        page.wait_for_selector(".refused .errornote")
        check(page, (1280, 900))
        page.check("input[name=override][value=opening_hours]")
        page.click("button[name=book]")
        page.wait_for_selector(".messagelist .success")
        assert Booking.objects.filter(start_time=at(12, day=3)).count() == 1

    def test_the_queue_works_without_script(self, without_script: "Page") -> None:
        without_script.goto("/admin/queue/")
        without_script.click("#tick-all")
        assert without_script.locator("input[name=ticked]:checked").count() == 4
        without_script.fill("#id_reason", "The house is closed.")
        without_script.click("button[name=reject]")
        assert "4 bookings rejected." in without_script.inner_text(".messagelist")

    def test_booking_for_somebody_works_without_script(self, without_script: "Page") -> None:
        page = without_script
        page.goto(f"/admin/book/?day={day_of()}&start=19:00&end=20:00&people=1")
        page.check("label:has-text('Blue room') input")
        page.check("label:has-text('Lab') input")
        page.click("details summary")
        page.fill("#id_username", "dora")
        page.fill("#id_email", "dora@example.org")
        page.click("button[name=book]")
        assert "Booked for dora, dora@example.org" in page.inner_text(".messagelist")
        assert Booking.objects.filter(user__username="dora").count() == 2
