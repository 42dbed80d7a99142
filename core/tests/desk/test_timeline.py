"""The timeline of the desk, without script: what it shows, its links and its acts."""

import re
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from core.models import Booking, BookingEvent, Resource, ResourcePolicy
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource
from core.tests.support.oracle import next_change
from core.tests.support.rules import add_exception, set_hours

TIMELINE = "/admin/timeline/"
HOUR = timedelta(hours=1)


def day_of(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def shown(client: Client, **asked: object) -> str:
    answer = client.get(TIMELINE, {"day": day_of(at(0)), **asked})
    assert answer.status_code == 200
    return answer.content.decode()


def row_of(page: str, resource: Resource) -> str:
    return page.split(f'<tr data-resource="{resource.pk}">')[1].split("</tr>")[0]


def hours_of(page: str) -> list[str]:
    return re.findall(r'<span class="hour">([^<]*)</span>', page)


def cells_of(page: str, resource: Resource) -> list[tuple[str, int]]:
    """The class and the width of each cell."""
    cells = re.findall(r'<td class="([^"]*)" colspan="([0-9]+)"', row_of(page, resource))
    return [(name, int(width)) for name, width in cells]


def act(client: Client, booking: Booking, action: object, **values: object) -> Any:  # noqa: ANN401 - Django's own response
    seen = {"seen": booking.updated_at.isoformat(), "booking": booking.pk, "action": action}
    return client.post(f"{TIMELINE}?day={day_of(at(0))}", {**seen, **values})


def move(client: Client, booking: Booking, **values: object) -> Any:  # noqa: ANN401
    times = {"start_time": booking.start_time.isoformat(), "end_time": booking.end_time.isoformat()}
    return act(client, booking, **{"action": "move", "resource": booking.resource_id, **times, **values})


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


# --- The picture ------------------------------------------------------------------------------------------------------


def test_a_day_has_its_hours_across_and_its_resources_down(
    desk: Client, alice: User, room: Resource, lab: Resource
) -> None:
    make_booking(alice, room, at(10), at(11.5))
    make_pending_booking(alice, lab, at(14))
    page = shown(desk)
    assert hours_of(page) == [f"{hour:02}:00" for hour in range(24)]
    free = ("free", 12)
    assert cells_of(page, room) == [*[free] * 10, ("taken confirmed", 18), ("free", 6), *[free] * 12]
    assert cells_of(page, lab) == [*[free] * 14, ("taken pending", 12), *[free] * 9]
    for words in ("confirmed", "alice", "10:00–11:30"):
        assert words in row_of(page, room)
    assert "All times are in UTC." in page


def test_what_is_closed_and_why_is_told_in_words(desk: Client, admin: User, as_admin: Any, room: Resource) -> None:  # noqa: ANN401
    set_hours(as_admin, room, ("08:00", "18:00"))
    make_closure(admin, room, start=at(12), end=at(13))
    assert cells_of(shown(desk), room) == [
        ("closed", 96),
        *[("free", 12)] * 4,
        ("taken closure", 12),
        *[("free", 12)] * 5,
        ("closed", 72),
    ]
    add_exception(as_admin, room, at(0).date(), name="Company <day>")
    page = shown(desk)
    assert "closed: Company &lt;day&gt;" in row_of(page, room)
    assert "<day>" not in page


@pytest.mark.parametrize("span", ["day", "week"])
def test_a_resource_out_of_service_offers_no_free_time(desk: Client, alice: User, room: Resource, span: str) -> None:
    make_booking(alice, room)
    Resource.objects.update(is_available=False)
    row = row_of(shown(desk, span=span), room)
    assert "out of service" in row
    assert "alice" in row
    assert ">free<" not in row


def test_the_form_names_the_shown_day(desk: Client, room: Resource) -> None:
    assert f'value="{timezone.now():%Y-%m-%d}"' in desk.get(TIMELINE).content.decode()


def test_a_free_cell_leads_to_the_filled_in_form(desk: Client, room: Resource) -> None:
    (address,) = [
        unescape(found)
        for found in re.findall(r'href="(/admin/core/booking/add/[^"]*)"', shown(desk))
        if "start_time" in found and "T10:00" in found.split("&amp;")[1]
    ]
    assert parse_qs(urlsplit(address).query) == {
        "resource": [str(room.pk)],
        "start_time": [f"{at(10):%Y-%m-%dT%H:%M:%SZ}"],
        "end_time": [f"{at(11):%Y-%m-%dT%H:%M:%SZ}"],
    }
    form = desk.get(address).content.decode()
    for name, value in {
        "start_time_0": day_of(at(10)),
        "start_time_1": "10:00:00",
        "end_time_0": day_of(at(11)),
        "end_time_1": "11:00:00",
    }.items():
        assert re.search(rf'name="{name}" value="{value}"', form), name
    assert f'<option value="{room.pk}" selected>' in form


@pytest.mark.parametrize("text", ["", "never", "2026-13-01", "99999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_nobody_can_read_is_left_out_of_the_form(desk: Client, text: str) -> None:
    answer = desk.get("/admin/core/booking/add/", {"start_time": text})
    assert answer.status_code == 200
    assert 'name="start_time_0" value' not in answer.content.decode()


def test_a_week_has_its_days_across(desk: Client, as_admin: Any, alice: User, room: Resource) -> None:  # noqa: ANN401
    set_hours(as_admin, room, ("08:00", "18:00"), days=[each for each in range(1, 8) if each != at(0).isoweekday()])
    make_booking(alice, room, at(10))
    page = shown(desk, span="week")
    monday = at(0) - at(0).weekday() * timedelta(days=1)
    assert hours_of(page) == [f"{monday + timedelta(days=number):%a %d %b}" for number in range(7)]
    row = row_of(page, room)
    assert row.count("open 08:00–18:00") == 6
    assert row.count('class="closed"') == 1
    assert "10:00–11:00 confirmed" in row


@pytest.mark.parametrize("name", ["Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("which", ["forward", "back"])
def test_a_day_on_which_the_clocks_change_has_its_hours_once_each(
    desk: Client, alice: User, room: Resource, settings: Settings, name: str, which: str
) -> None:
    zone, change = ZoneInfo(name), next_change(name, at(0))
    if ((change + HOUR).astimezone(zone).utcoffset() > (change - HOUR).astimezone(zone).utcoffset()) != (
        which == "forward"
    ):
        change = next_change(name, change)
    booking = make_booking(alice, room, change - HOUR, change + HOUR)
    page = shown(desk, day=day_of(change.astimezone(zone)), zone=name)
    offsets = re.findall(r'<span class="offset">([^<]*)</span>', page)
    widths = [width for _, width in cells_of(page, room)]
    jump = (change + HOUR).astimezone(zone).utcoffset() - (change - HOUR).astimezone(zone).utcoffset()
    assert sum(widths) * 5 == 24 * 60 - jump / timedelta(minutes=1)
    assert len(set(offsets)) == 2
    if name == "Europe/Berlin":
        assert len(hours_of(page)) == (23 if which == "forward" else 25)
        assert ("02:00" in hours_of(page)) == (which == "back")
    assert ("taken confirmed", 24) in cells_of(page, room)
    assert (booking.end_time - booking.start_time) == 2 * HOUR


def test_many_short_bookings_in_one_column_share_a_cell(desk: Client, alice: User, room: Resource) -> None:
    for number in range(5):
        start = at(10) + number * timedelta(minutes=1)
        make_booking(alice, room, start, start + timedelta(minutes=1))
    page = shown(desk)
    assert ("taken confirmed", 1) in cells_of(page, room)
    assert row_of(page, room).count("data-booking=") == 5
    assert sum(width for _, width in cells_of(page, room)) == 288


def test_names_and_notes_run_nothing(desk: Client, alice: User) -> None:
    hostile = """<script>alert(1)</script>"'><svg onload=alert(1)>"""
    room = make_resource(hostile)
    alice.first_name = hostile[:150]
    alice.save()
    booking = make_booking(alice, room, notes=f"{hostile}\n\u202eabc 😀")
    for asked in ({}, {"span": "week"}, {"booking": booking.pk}):
        page = shown(desk, **asked)
        assert "<script>alert" not in page
        assert "<svg onload" not in page
        assert "😀" in page or "booking" not in asked


# --- What is chosen ---------------------------------------------------------------------------------------------------


def test_filters_leave_out_resources(desk: Client, alice: User, room: Resource, lab: Resource) -> None:
    make_pending_booking(alice, lab)
    Resource.objects.filter(pk=room.pk).update(capacity=20, description="with a piano")
    for asked, found in (
        ({}, {room, lab}),
        ({"q": "piano"}, {room}),
        ({"q": "piano lab"}, set()),
        ({"capacity": 10}, {room}),
        ({"state": "pending"}, {lab}),
        ({"state": "confirmed"}, set()),
    ):
        page = shown(desk, **asked)
        assert {each for each in (room, lab) if f'<tr data-resource="{each.pk}">' in page} == found, asked


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"day": "2027-02-31"}, "Write the date"),
        ({"day": "0001-01-01"}, "Choose a day"),
        ({"zone": "Mars/Olympus"}, "no IANA time zone"),
        ({"capacity": "-1"}, "greater than or equal"),
        ({"capacity": "9" * 30}, "less than or equal"),
        ({"span": "year"}, "Select a valid choice"),
        ({"q": "a b c d e f g"}, "at most 5 words"),
        ({"state": "gone"}, "Select a valid choice"),
        ({"page": "9999999999999"}, ""),
        ({"booking": "99999999999999999999"}, ""),
        ({"q": "\x00"}, "Null characters"),
    ],
)
def test_what_nobody_can_read_is_said_and_breaks_nothing(
    desk: Client, room: Resource, asked: dict[str, str], words: str
) -> None:
    answer = desk.get(TIMELINE, asked)
    assert answer.status_code == 200
    assert words in unescape(answer.content.decode())


def test_the_zone_is_that_of_the_resources_or_the_chosen_one(desk: Client, settings: Settings) -> None:
    settings.HOUSE_TIME_ZONE = "Europe/Berlin"
    make_resource("Pier", time_zone="America/New_York")
    assert "All times are in America/New_York." in shown(desk)
    make_resource("Hall")
    assert "All times are in Europe/Berlin." in shown(desk)
    assert "All times are in Asia/Tokyo." in shown(desk, zone="Asia/Tokyo")


def test_more_resources_are_on_further_pages(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.desk.timeline_page.MOST_RESOURCES", 2)
    for number in range(3):
        make_resource(f"Room {number}")
    assert shown(desk).count("data-resource=") == 2
    assert "Room 2" in shown(desk, page=2)


@pytest.mark.parametrize("span", ["day", "week"])
@pytest.mark.parametrize("number", [2, 60])
def test_a_picture_is_at_most_five_statements(
    desk: Client,
    as_admin: Any,  # noqa: ANN401
    alice: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    number: int,
    span: str,
) -> None:
    for index in range(number):
        resource = make_resource(f"Room {index}")
        ResourcePolicy.objects.create(resource=resource, min_minutes=30)
        booking = make_booking(alice, resource)
    with django_assert_max_num_queries(5 + 2):  # those of the sign-in: session, user
        shown(desk, span=span, booking=booking.pk, state="confirmed")


@pytest.mark.parametrize("who", ["nobody", "alice"])
def test_others_do_not_reach_it(client: Client, alice: User, room: Resource, who: str) -> None:
    booking = make_booking(alice, room)
    if who == "alice":
        client.force_login(alice)
    for path in (TIMELINE, "/admin/take-back/"):
        assert client.get(path).status_code == 302
        assert client.post(path, {"booking": booking.pk, "action": "cancel"}).status_code == 302
    booking.refresh_from_db()
    assert booking.status == "confirmed"


# --- Acts -------------------------------------------------------------------------------------------------------------


def test_the_panel_shows_a_booking_and_what_can_be_done(desk: Client, alice: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    Booking.objects.filter(pk=booking.pk).update(notes="Bring a beamer", staff_note="Knows the way")
    page = shown(desk, booking=booking.pk)
    for words in (
        "alice@example.org",
        "Bring a beamer",
        "Knows the way",
        'value="confirm"',
        'value="reject"',
        'value="move"',
    ):
        assert words in page


@pytest.mark.parametrize(
    ("action", "status"), [("confirm", "confirmed"), ("reject", "rejected"), ("cancel", "cancelled")]
)
def test_a_decision_and_its_way_back(desk: Client, alice: User, lab: Resource, action: str, status: str) -> None:
    booking = make_pending_booking(alice, lab)
    answer = act(desk, booking, action, reason="So it is." if action != "confirm" else "")
    booking.refresh_from_db()
    assert (answer.status_code, booking.status) == (302, status)
    page = desk.get(answer.headers["Location"]).content.decode()
    token = re.search(r'name="token" value="([^"]*)"', page)[1]
    back = desk.post("/admin/take-back/", {"token": token, "next": TIMELINE}, follow=True)
    assert "Taken back" in back.content.decode()
    booking.refresh_from_db()
    assert booking.status == "pending"
    assert BookingEvent.objects.count() == 2


def test_a_reason_that_is_too_long_is_said_at_its_field(desk: Client, alice: User, lab: Resource) -> None:
    booking = make_pending_booking(alice, lab)
    answer = act(desk, booking, "reject", reason="x" * 501)
    assert answer.status_code == 400
    assert "at most 500 characters" in answer.content.decode()
    booking.refresh_from_db()
    assert booking.status == "pending"


def test_a_move_and_its_way_back(desk: Client, alice: User, room: Resource, lab: Resource) -> None:
    booking = make_booking(alice, room)
    answer = move(
        desk, booking, resource=lab.pk, start_time=f"{at(14):%Y-%m-%dT%H:%M}", end_time=f"{at(15):%Y-%m-%dT%H:%M}"
    )
    assert answer.status_code == 302
    booking.refresh_from_db()
    assert (booking.resource, booking.start_time, booking.end_time) == (lab, at(14), at(15))
    page = desk.get(answer.headers["Location"]).content.decode()
    token = re.search(r'name="token" value="([^"]*)"', page)[1]
    desk.post("/admin/take-back/", {"token": token, "next": "https://evil.example/"})
    booking.refresh_from_db()
    assert (booking.resource, booking.start_time, booking.end_time) == (room, at(10), at(11))
    again = desk.post("/admin/take-back/", {"token": token, "next": TIMELINE}, follow=True)
    assert "Not taken back" in again.content.decode()


def test_a_move_by_days_keeps_the_time_on_the_local_clock(
    desk: Client, alice: User, room: Resource, settings: Settings
) -> None:
    settings.HOUSE_TIME_ZONE = "Europe/Berlin"
    change = next_change("Europe/Berlin", at(0))
    start = change.replace(hour=12) - timedelta(days=1)
    booking = make_booking(alice, room, start, start + HOUR)
    assert move(desk, booking, days=3).status_code == 302
    booking.refresh_from_db()
    zone = ZoneInfo("Europe/Berlin")
    assert booking.start_time.astimezone(zone).time() == start.astimezone(zone).time()
    assert booking.start_time - start != timedelta(days=3)


def test_a_move_onto_a_taken_slot_names_the_clash_and_loses_nothing(
    desk: Client, alice: User, bob: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    make_booking(bob, room, at(14))
    answer = move(desk, booking, start_time=at(13.5).isoformat(), end_time=at(14.5).isoformat())
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "already booked" in page
    assert "14:00 to 15:00" in page
    booking.refresh_from_db()
    assert booking.start_time == at(10)
    assert f'data-start="{at(10):%Y-%m-%dT%H:%M:%SZ}"' in row_of(page, room)


def test_a_rule_that_refuses_can_be_waived(desk: Client, as_admin: Any, alice: User, room: Resource) -> None:  # noqa: ANN401
    set_hours(as_admin, room, ("08:00", "12:00"))
    booking = make_booking(alice, room)
    later = {"start_time": at(13).isoformat(), "end_time": at(14).isoformat()}
    page = move(desk, booking, **later)
    assert page.status_code == 400
    assert 'value="opening_hours"' in page.content.decode()
    assert move(desk, booking, **later, override="opening_hours").status_code == 302
    assert BookingEvent.objects.latest("id").waived == "opening_hours"


def test_what_somebody_else_changed_is_left_and_said(desk: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    Booking.objects.filter(pk=booking.pk).update(start_time=at(9), updated_at=at(1))
    answer = move(desk, booking, start_time=at(12).isoformat(), end_time=at(13).isoformat())
    assert "Somebody else changed" in answer.content.decode()
    booking.refresh_from_db()
    assert booking.start_time == at(9)


@pytest.mark.parametrize(
    "values",
    [
        {"start_time": "then"},
        {"start_time": ""},
        {"end_time": "2026-02-31T10:00"},
        {"end_time": "9999-12-31T23:59:59-23:00"},
        {"resource": "999999999999999999999"},
        {"resource": ""},
        {"days": "99999"},
        {"action": "burn"},
        {"override": "free_slot"},
    ],
)
def test_a_move_that_nobody_can_read_is_refused(
    desk: Client, alice: User, room: Resource, values: dict[str, str]
) -> None:
    booking = make_booking(alice, room)
    assert move(desk, booking, **values).status_code == 400
    booking.refresh_from_db()
    assert (booking.start_time, booking.end_time) == (at(10), at(11))


def test_a_booking_that_is_gone_is_said(desk: Client, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    Booking.objects.all().delete()
    booking.pk = 999_999
    assert "does not exist any more" in desk.get(act(desk, booking, "cancel").headers["Location"]).content.decode()


@pytest.mark.parametrize("token", ["", "x", "eyJ9:1aaaaa:bbbb", "\x00"])
def test_a_way_back_that_nobody_made_is_refused(desk: Client, token: str) -> None:
    answer = desk.post("/admin/take-back/", {"token": token}, follow=True)
    assert "Nothing was changed" in answer.content.decode()


# --- What comes with it -----------------------------------------------------------------------------------------------


def test_the_vendored_script_is_the_published_one() -> None:
    """interact.js 1.10.28 from npm, without the line that names its source map, which is not served."""
    folder = Path("core/static/core/vendor")
    digest = sha256((folder / "interact.min.js").read_bytes()).hexdigest()
    assert digest == "89f77147b44d49cdc6f5208bf573496a2262b60cc00b4959aa165457f8e91b36"
    assert "Permission is hereby granted, free of charge" in (folder / "interact.LICENSE.txt").read_text()
