"""The pages of the API for a session of staff: forms that work, and nothing that the caller may not see."""

import html
import re
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from core.calendars.models import CalendarFeed
from core.models import Booking, Resource
from core.tests.support.factories import at, booking_body, make_booking, text
from core.tests.support.routes import ROUTES

HTML = "text/html"


def page(client: Client, path: str) -> str:
    answer = client.get(path, HTTP_ACCEPT=HTML)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return answer.content.decode()


def value_of(shown: str, name: str) -> str:
    """What the form has in a field of text."""
    (found,) = re.findall(rf'<input name="{name}"[^>]*value="([^"]*)"', shown)
    return html.unescape(found)


def chosen(shown: str, name: str) -> str | None:
    """What the form has chosen in a list."""
    options = shown.split(f'<select class="form-control" name="{name}">')[1].split("</select>")[0]
    return next(iter(re.findall(r'<option value="([^"]*)" selected', options)), None)


def send(client: Client, method: str, path: str, fields: dict) -> HttpResponse:
    """What a browser sends from a form; the page's script sends PUT as it is."""
    body = "&".join(f"{name}={str(value).replace('+', '%2B')}" for name, value in fields.items())
    return client.generic(method, path, body, "application/x-www-form-urlencoded", HTTP_ACCEPT=HTML)


def test_a_form_asks_for_times_as_text_with_an_example(admin_pages: Client) -> None:
    shown = page(admin_pages, "/api/bookings/")
    for name in ("start_time", "end_time"):
        (field,) = re.findall(rf'<input name="{name}"[^>]*>', shown)
        assert 'type="text"' in field
        example = re.search(r'placeholder="([^"]*)"', field)
        assert datetime.fromisoformat(example[1]).tzinfo is not None


@pytest.mark.parametrize("path", ["/api/bookings/", "/api/resources/"])
def test_a_field_of_the_filters_that_is_left_empty_filters_nothing(
    admin_pages: Client, alice: User, room: Resource, path: str
) -> None:
    make_booking(alice, room, notes="Budget")
    form = page(admin_pages, path).split('<form class="form" action="" method="get">')[1].split("</form>")[0]
    assert "[invalid name]" not in form
    names = set(re.findall(r' name="([^"]*)"', form))
    assert {"ordering", "search"} < names
    shown = page(admin_pages, f"{path}?{'&'.join(f'{name}=' for name in names)}&limit=&cursor=&count=")
    assert room.name in shown
    found = page(admin_pages, f"{path}?{'&'.join(f'{name}=' for name in names - {'search'})}&search=nothing-like-it")
    assert room.name not in found.split('<div class="response-info"')[1].split("</pre>")[0]


def test_staff_book_with_the_form(admin_pages: Client, admin: User, room: Resource) -> None:
    answer = send(admin_pages, "POST", "/api/bookings/", {**booking_body(room), "user": "", "status": "", "notes": ""})
    assert answer.status_code == 201
    booking = Booking.objects.get()
    assert (booking.user, booking.start_time, booking.status) == (admin, at(10), "confirmed")


def test_staff_make_a_calendar_feed_with_the_form(admin_pages: Client, admin: User, room: Resource) -> None:
    answer = send(admin_pages, "POST", "/api/calendar-feeds/", {"resource": room.pk})
    assert answer.status_code == 201
    feed = CalendarFeed.objects.get()
    assert (feed.user, feed.resource, feed.names) == (admin, room, True)


def test_the_form_of_a_booking_sends_back_what_it_shows(admin_pages: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, at(10).replace(microsecond=250_000))
    before = Booking.objects.filter(pk=booking.pk).values().get()
    shown = page(admin_pages, f"/api/bookings/{booking.pk}/")
    assert value_of(shown, "start_time") == text(booking.start_time)
    assert chosen(shown, "status") == "confirmed"
    fields = {name: value_of(shown, name) for name in ("resource", "start_time", "end_time", "notes")}
    answer = send(admin_pages, "PUT", f"/api/bookings/{booking.pk}/", {**fields, "status": chosen(shown, "status")})
    assert answer.status_code == 200
    assert Booking.objects.filter(pk=booking.pk).values().get() == before


@pytest.mark.parametrize("wanted", [True, False], ids=["put back into service", "taken out of service"])
def test_a_flag_is_turned_both_ways_with_the_form(admin_pages: Client, room: Resource, *, wanted: bool) -> None:
    Resource.objects.filter(pk=room.pk).update(is_available=not wanted)
    shown = page(admin_pages, f"/api/resources/{room.pk}/")
    assert chosen(shown, "is_available") == str(not wanted).lower()
    fields = {"name": room.name, "description": "", "capacity": 1, "requires_approval": ""}
    path = f"/api/resources/{room.pk}/"
    assert send(admin_pages, "PUT", path, {**fields, "is_available": str(wanted).lower()}).status_code == 200
    room.refresh_from_db()
    assert (room.is_available, room.requires_approval) == (wanted, False)


def test_a_refused_form_says_why_beside_the_field(admin_pages: Client, room: Resource) -> None:
    fields = {"resource": room.pk, "start_time": "tomorrow", "end_time": text(at(11)), "notes": ""}
    answer = send(admin_pages, "POST", "/api/bookings/", fields)
    assert answer.status_code == 400
    assert "This is no moment in ISO 8601 with an offset" in answer.content.decode()
    assert not Booking.objects.exists()


@pytest.mark.parametrize("path", ["/api/auth/users/", "/api/auth/users/{alice}/"])
def test_staff_do_not_see_the_accounts_of_others(admin_pages: Client, alice: User, path: str) -> None:
    answer = admin_pages.get(path.format(alice=alice.pk), HTTP_ACCEPT=HTML)
    assert answer.status_code == 403
    assert "alice" not in answer.content.decode()


def test_no_form_lists_what_is_there(admin_pages: Client, alice: User, room: Resource, lab: Resource) -> None:
    # An id is typed: a list of all users and resources would be shown to whoever may open a form, and grow with them.
    shown = page(admin_pages, "/api/bookings/")
    assert "alice" not in shown
    assert lab.name not in shown


def test_it_is_for_sessions_of_staff_alone(client: Client, alice: User, room: Resource) -> None:
    client.force_login(alice)
    answer = client.get("/api/bookings/", HTTP_ACCEPT=HTML, HTTP_X_FORWARDED_PROTO="https")
    assert answer.headers["Content-Type"] == "application/json"


def test_the_form_of_a_new_resource_proposes_one_in_service(admin_pages: Client) -> None:
    shown = page(admin_pages, "/api/resources/")
    assert chosen(shown, "is_available") == "true"
    assert "&quot;is_available&quot;: true" in shown


def test_the_breadcrumbs_name_only_pages(admin_pages: Client) -> None:
    shown = page(admin_pages, "/api/auth/users/me/").split('<ul class="breadcrumb">')[1].split("</ul>")[0]
    assert re.findall(r'<a href="([^"]*)"', shown) == ["/api/", "/api/auth/users/", "/api/auth/users/me/"]
    assert "Nothing" not in shown


def test_the_root_names_every_address_that_can_be_read_without_an_id(admin_pages: Client) -> None:
    named = {urlsplit(address).path.lstrip("/") for address in admin_pages.get("/api/").json().values()}
    readable = {path for path, methods in ROUTES.values() if "get" in methods.split() and "(" not in path}
    assert readable - {"api/", "api/redoc/"} <= named
    assert named <= {path for path, _ in ROUTES.values()}
