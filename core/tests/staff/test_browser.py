"""The admin and the browsable API in a real Chromium, under the Content-Security-Policy of production.

`make test-all PARTS=browser` brings what this needs; `make test` leaves it out.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from core.models import Booking, Closure, OpeningException, Quota, Resource
from core.record.acts import Act
from core.record.kinds import Channel, EventKind
from core.record.writing import record
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource, make_user
from core.tests.support.oracle import next_change

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ZONES = ["UTC", "America/Argentina/ComodRivadavia"]


def pick(page: "Page", field: str, text: str) -> None:
    """Choose in a picker by typing part of a name."""
    page.click(f".field-{field} .select2-selection")
    page.fill(".select2-search__field", text)
    page.click(f".select2-results__option--highlighted:has-text('{text}')")


def fill_in_time(page: "Page", field: str, moment: datetime) -> None:
    page.fill(f"#id_{field}_0", f"{moment:%Y-%m-%d}")
    page.fill(f"#id_{field}_1", f"{moment:%H:%M}")


def test_a_staff_member_books_meets_a_clash_and_books_another_time(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, room: Resource, lab: Resource
) -> None:
    page = signed_in(admin)
    page.click(".model-booking .addlink")
    pick(page, "user", "alice")
    pick(page, "resource", "Blue")
    fill_in_time(page, "start_time", at(10))
    fill_in_time(page, "end_time", at(11))
    page.fill("#id_notes", "By telephone")
    page.click("input[name=_addanother]")
    page.wait_for_selector(".messagelist .success")

    pick(page, "user", "alice")
    pick(page, "resource", "Blue")
    fill_in_time(page, "start_time", at(10.5))
    fill_in_time(page, "end_time", at(11.5))
    page.click("input[name=_save]")
    error = page.inner_text(".errorlist")
    assert "already booked" in error
    assert f"{at(10):%Y-%m-%d} 10:00 to 11:00" in error
    assert page.inner_text(".field-user .select2-selection__rendered") == "alice"
    assert Booking.objects.count() == 1

    fill_in_time(page, "start_time", at(11))
    page.click("input[name=_save]")
    page.wait_for_selector("#result_list")
    assert page.locator("#result_list tbody tr").count() == 2
    assert list(Booking.objects.values_list("user", "resource", "start_time", "end_time", "notes")) == [
        (alice.pk, room.pk, at(10), at(11), "By telephone"),
        (alice.pk, room.pk, at(11), at(11.5), ""),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_shortcuts_for_dates_and_clocks_write_local_time(
    signed_in: Callable[[User], "Page"], admin: User, settings: Settings, zone: str
) -> None:
    settings.HOUSE_TIME_ZONE = zone
    page = signed_in(admin)
    page.goto("/admin/core/booking/add/")
    before = datetime.now(ZoneInfo(zone))
    page.click(".field-start_time .datetimeshortcuts >> nth=0 >> text=Today")
    page.click(".field-start_time .datetimeshortcuts >> nth=1 >> text=Now")
    after = datetime.now(ZoneInfo(zone))
    assert page.input_value("#id_start_time_0") in (f"{before:%Y-%m-%d}", f"{after:%Y-%m-%d}")
    clock = page.input_value("#id_start_time_1")
    assert f"{before:%H:%M:%S}" <= clock <= f"{after:%H:%M:%S}" or before.day != after.day
    page.click("#clocklink0")
    page.click("#clockbox0 >> text=Noon")
    assert page.input_value("#id_start_time_1") == "12:00:00"


def test_a_staff_member_is_told_of_a_time_that_the_clocks_skip_and_of_a_zone_that_changed(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, room: Resource, settings: Settings
) -> None:
    settings.HOUSE_TIME_ZONE = "Europe/Berlin"
    page = signed_in(admin)
    page.goto("/admin/core/booking/add/")
    pick(page, "user", "alice")
    pick(page, "resource", "Blue")
    change = next_change("Europe/Berlin", next_change("Europe/Berlin", at(0)))
    spring = min(change, next_change("Europe/Berlin", change), key=lambda moment: moment.month)
    fill_in_time(page, "start_time", spring + timedelta(hours=1.5))
    fill_in_time(page, "end_time", spring + timedelta(hours=3))
    page.click("input[name=_save]")
    assert "skip 02:30" in page.inner_text(".field-start_time .errorlist")
    page.fill("#id_start_time_1", "03:30")
    settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
    page.click("input[name=_save]")
    page.wait_for_selector("text=has changed to Asia/Tokyo")
    settings.HOUSE_TIME_ZONE = "Europe/Berlin"
    page.click("input[name=_save]")
    page.wait_for_selector("#result_list")
    assert Booking.objects.get().start_time == spring + timedelta(hours=0.5)


def test_a_staff_member_is_told_that_somebody_changed_the_booking_meanwhile(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    page = signed_in(admin)
    page.goto(f"/admin/core/booking/{booking.pk}/change/")
    Booking.objects.update(staff_note="The colleague's")
    page.click("input[name=_save]")
    page.wait_for_selector("text=Somebody changed this booking after you opened it")


def test_a_staff_member_confirms_two_bookings_at_once(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, lab: Resource
) -> None:
    first, second, third = (make_pending_booking(alice, lab, at(hour)) for hour in (8, 10, 12))
    page = signed_in(admin)
    page.click("#content .model-booking th a")
    page.click("#changelist-filter >> text=pending")
    for booking in (first, second):
        page.check(f".action-select[value='{booking.pk}']")
    page.select_option("select[name=action]", "confirm")
    page.click("button[name=index]")
    assert page.inner_text(".messagelist .success") == "2 bookings confirmed."
    assert sorted(Booking.objects.filter(status="confirmed").values_list("pk", flat=True)) == [first.pk, second.pk]
    third.refresh_from_db()
    assert third.status == "pending"


def test_a_staff_member_is_asked_before_two_bookings_are_rejected(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, lab: Resource
) -> None:
    bookings = [make_pending_booking(alice, lab, at(hour)) for hour in (8, 10)]
    page = signed_in(admin)
    page.goto("/admin/core/booking/?when=all")
    page.check("#action-toggle")
    page.select_option("select[name=action]", "reject")
    page.click("button[name=index]")
    assert page.locator("#content li").all_inner_texts() == [f"{booking} (pending)" for booking in bookings]
    page.click("input[type=submit][value='Yes, reject']")
    assert page.inner_text(".messagelist .success") == "2 bookings rejected."


def test_a_staff_member_writes_the_hours_of_a_resource_and_reads_them_in_the_picture(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, room: Resource
) -> None:
    make_booking(alice, room, at(20))
    page = signed_in(admin)
    page.goto(f"/admin/core/resource/{room.pk}/change/")
    page.fill("#id_hours_monday", "9-12, 13-17")
    page.check("#id_as_monday")
    for day in ("saturday", "sunday"):
        page.fill(f"#id_hours_{day}", "10-14")
    page.fill("#id_max_minutes", "120")
    page.click("#opening_exceptions-group .add-row a")
    page.fill("#id_opening_exceptions-1-first_day", f"{at(0, day=3):%Y-%m-%d}")
    page.fill("#id_opening_exceptions-1-name", "Summer fair")
    page.select_option("#id_quotas-0-kind", "active")
    page.fill("#id_quotas-0-limit", "2")
    page.click("input[name=_continue]")
    page.wait_for_selector(".messagelist .success")

    assert "1 coming booking no longer fits" in page.inner_text(".messagelist .warning")
    assert page.input_value("#id_hours_friday") == "09:00-12:00, 13:00-17:00"
    assert page.locator(".open-time tbody tr").count() == 14
    assert "closed: Summer fair" in page.inner_text(".open-time")
    assert page.locator(".open-time .part-open").first.evaluate("part => getComputedStyle(part).fill") != "rgb(0, 0, 0)"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 1280
    page.click(".messagelist .warning a")
    page.wait_for_selector("#result_list")
    assert page.locator("#result_list tbody tr").count() == 1


def test_a_staff_member_closes_a_resource_after_a_look_at_what_is_in_the_way(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, room: Resource, lab: Resource
) -> None:
    booking = make_booking(alice, room)
    page = signed_in(admin)
    page.goto("/admin/core/closure/add/")
    for name in ("Blue", "Lab"):
        page.click(".field-resources .select2-selection")
        page.fill(".field-resources .select2-search__field", name)
        page.click(f".select2-results__option--highlighted:has-text('{name}')")
    fill_in_time(page, "start_time", at(9))
    fill_in_time(page, "end_time", at(17))
    page.fill("#id_reason", "Repair")
    page.click("input[name=_save]")

    assert f"{booking}" in page.inner_text(".clashes")
    assert Closure.objects.count() == 0
    page.check("#on_conflict_cancel")
    page.click("input[value='Back to the form']")
    page.fill("#id_reason", "Repair of the lamp")
    page.click("input[name=_save]")
    page.wait_for_selector(".messagelist .success")
    assert "1 booking was cancelled; its owner is told by e-mail." in page.inner_text(".messagelist")
    assert "Repair of the lamp" in page.inner_text("#result_list")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 1280
    booking.refresh_from_db()
    assert booking.status == "cancelled"


@pytest.mark.parametrize("zone", ZONES)
def test_the_columns_of_bookings_fit_a_page_of_1280_pixels(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, settings: Settings, zone: str
) -> None:
    settings.HOUSE_TIME_ZONE = zone
    resource = make_resource("Confocal microscope with a long name")
    make_booking(alice, resource, notes="Samples 14 to 22 and whatever else there is to be said of them")
    page = signed_in(admin)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/admin/core/booking/?when=all")
    columns = page.locator(".results")
    assert columns.evaluate("each => each.scrollWidth - each.clientWidth") == 0


@pytest.mark.parametrize("zone", ZONES)
def test_the_columns_of_acts_fit_a_page_of_1280_pixels(
    signed_in: Callable[[User], "Page"], admin: User, lab: Resource, settings: Settings, zone: str
) -> None:
    settings.HOUSE_TIME_ZONE = zone
    booking = make_booking(make_user("c.maximiliane-von-hohenstein"), lab, notes="x" * 600)
    act = Act(
        booking.user, timezone.now(), Channel.API, request_id="5f0c3a52e1f14d2f8d0b7a3f3f6f2d11", reason="y" * 500
    )
    record(act, EventKind.CREATED, after=booking)
    page = signed_in(admin)
    page.set_viewport_size({"width": 1280, "height": 900})
    for path, columns in {
        "/admin/core/bookingevent/": ".results",
        f"/admin/core/booking/{booking.pk}/history/": ".acts-frame",
    }.items():
        page.goto(path)
        assert page.locator(columns).evaluate("each => each.scrollWidth - each.clientWidth") == 0, path


def test_an_ordinary_staff_member_does_not_reach_users(
    signed_in: Callable[[User], "Page"], admin: User, alice: User
) -> None:
    page = signed_in(admin)
    assert page.locator("#content a[href^='/admin/auth/user/']").all_inner_texts() == ["Add"]
    # Not in the window, where each refusal is a complaint.
    for path in ("/admin/auth/user/", f"/admin/auth/user/{alice.pk}/change/", "/admin/auth/group/"):
        assert page.request.get(path).status == 403, path


def test_no_page_of_the_admin_draws_a_complaint(
    signed_in: Callable[[User], "Page"], root: User, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    closure = make_closure(root, room, start=at(12))
    holiday = OpeningException.objects.create(first_day=at(0).date(), last_day=at(0).date(), name="Holiday")
    quota = Quota.objects.create(kind="active", limit=2)
    act = record(Act(by=root, now=timezone.now(), channel=Channel.ADMIN), EventKind.CREATED, after=booking)
    paths = [
        "/admin/",
        "/admin/password_change/",
        "/admin/core/",
        f"/admin/core/booking/?_facets=True&q=alice&start_time__year={at(10).year}",
        *(
            f"/admin/{model}/{page}"
            for model, key in {
                "core/booking": booking.pk,
                "core/resource": room.pk,
                "core/closure": closure.pk,
                "core/openingexception": holiday.pk,
                "core/quota": quota.pk,
                "core/userprofile": alice.profile.pk,
                "auth/user": alice.pk,
            }.items()
            for page in ("", "add/", f"{key}/change/", f"{key}/history/", f"{key}/delete/")
        ),
        f"/admin/auth/user/{alice.pk}/password/",
        "/admin/core/bookingevent/",
        f"/admin/core/bookingevent/{act.pk}/change/",
        "/admin/auth/group/add/",
    ]
    page = signed_in(root)
    for path in paths:
        assert page.goto(path, wait_until="networkidle").status == 200, path
        assert complaints == [], path


def test_the_browsable_api_works_under_the_policy(
    signed_in: Callable[[User], "Page"], admin: User, alice: User, room: Resource, complaints: list[str]
) -> None:
    booking = make_booking(alice, room)
    page = signed_in(admin)
    for path in ("/api/", "/api/resources/", f"/api/resources/{room.pk}/", "/api/bookings/", "/api/auth/users/me/"):
        answer = page.goto(path, wait_until="networkidle")
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), path
        assert page.locator(".response-info .pun").count() > 0, f"{path}: nothing is highlighted"
        assert complaints == [], path

    page.goto(f"/api/bookings/{booking.pk}/")
    page.click("button:has-text('DELETE')")
    with page.expect_response(re.compile(r"/api/bookings/")) as answered:
        page.click("#deleteModal button:has-text('Delete')")
    assert answered.value.request.method == "DELETE"
    page.wait_for_load_state("networkidle")
    booking.refresh_from_db()
    assert booking.status == "cancelled"


def test_the_policy_keeps_a_script_in_the_page_from_running(
    signed_in: Callable[[User], "Page"], admin: User, complaints: list[str]
) -> None:
    page = signed_in(admin)
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ranInThePage = true";
            document.head.append(script);
        }"""
    )
    assert page.evaluate("() => window.ranInThePage === undefined")
    (complaint,) = complaints
    assert "Content Security Policy" in complaint
    complaints.clear()
