"""The admin in the time zone of its reader: what staff type, read and filter, also when clocks change."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core import errors, lifecycle
from core.intervals import Interval
from core.lifecycle import Changes
from core.models import Booking, CalendarFeed, NotificationPreferences, Resource
from core.notifications.models import Notification
from core.record.models import BookingEvent
from core.tests.staff.test_lists import BOOKINGS, BROKEN_IN_ONE, shown
from core.tests.support import oracle
from core.tests.support.acts import act
from core.tests.support.factories import TODAY, at, booking_body, make_booking, make_pending_booking, text
from core.tests.support.mailing import deliver

ADD = f"{BOOKINGS}add/"
BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
HOUR = timedelta(hours=1)
INPUT = re.compile(r'<input [^>]*?name="(\w+)" value="([^"]*)"')
SENT = {"start_time_0", "start_time_1", "end_time_0", "end_time_1", "zone", "seen"}

first_change = oracle.next_change("Europe/Berlin", TODAY)
CHANGES = sorted(
    [first_change, oracle.next_change("Europe/Berlin", first_change)],
    key=lambda moment: moment.astimezone(BERLIN).utcoffset(),
)
# The moments at which the clocks of Berlin go from 3:00 back to 2:00, and from 2:00 to 3:00.
AUTUMN, SPRING = CHANGES


# Query strings that name moments around the first and the last year.
EDGES = [
    *(query for query in BROKEN_IN_ONE[BOOKINGS] if "_time__" in query),
    *(f"{name}={day}" for name in ("from", "to") for day in ("0001-01-01", "9999-12-31")),
    "start_time__year=1",
    "start_time__year=1&start_time__month=1",
    "start_time__year=1&start_time__month=1&start_time__day=1",
]


@pytest.fixture(autouse=True)
def _house(settings: Settings) -> None:
    settings.HOUSE_TIME_ZONE = "Europe/Berlin"


@pytest.fixture
def in_tokyo(admin: User) -> None:
    NotificationPreferences.objects.create(user=admin, time_zone="Asia/Tokyo")


def typed(start: datetime, end: datetime, **more: object) -> dict[str, object]:
    """What the form sends for these times of a local clock."""
    return {
        "start_time_0": f"{start:%Y-%m-%d}",
        "start_time_1": f"{start:%H:%M:%S}",
        "end_time_0": f"{end:%Y-%m-%d}",
        "end_time_1": f"{end:%H:%M:%S}",
        "notes": "",
        **more,
    }


def typed_anew(user: User, resource: Resource, start: datetime, end: datetime, **more: object) -> dict[str, object]:
    return typed(start, end, user=user.pk, resource=resource.pk, status="confirmed", **more)


def as_shown(pages: Client, booking: Booking) -> dict[str, object]:
    """What the form of a booking sends when nothing was typed, as the page has it."""
    page = html(pages, f"{BOOKINGS}{booking.pk}/change/")
    inputs = {name: value for name, value in INPUT.findall(page) if name in SENT}
    return {**inputs, "resource": booking.resource_id, "status": booking.status, "notes": booking.notes}


def errors_of(answer: object) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors.items())


def html(pages: Client, address: str) -> str:
    answer = pages.get(address)
    assert answer.status_code == 200, answer
    return unescape(answer.content.decode())


def tomorrow(hour: int, zone: ZoneInfo) -> datetime:
    """That hour of tomorrow on the clocks of the zone."""
    return at(0).replace(hour=hour, tzinfo=zone)


class TestTyping:
    def test_a_call_for_two_in_berlin_is_typed_as_two(self, admin_pages: Client, alice: User, room: Resource) -> None:
        start = tomorrow(14, BERLIN)
        answer = admin_pages.post(ADD, typed_anew(alice, room, start, start + HOUR))
        day = f"{start:%Y-%m-%d}"
        assert (answer.status_code, answer["Location"]) == (302, f"{BOOKINGS}?from={day}&to={day}")
        assert Booking.objects.get().start_time == start
        assert Booking.objects.get().end_time - Booking.objects.get().start_time == HOUR

    @pytest.mark.usefixtures("in_tokyo")
    def test_the_zone_of_the_person_wins_over_that_of_the_house(
        self, admin_pages: Client, root_pages: Client, alice: User, room: Resource
    ) -> None:
        # One o'clock of tomorrow in Tokyo is over there from 16:00 UTC on.
        start = tomorrow(1, TOKYO) + timedelta(days=1)
        answer = admin_pages.post(ADD, typed_anew(alice, room, start, start + HOUR))
        assert answer["Location"] == f"{BOOKINGS}?from={start:%Y-%m-%d}&to={start:%Y-%m-%d}"
        assert Booking.objects.get().start_time == start
        assert "Start (Asia/Tokyo)" in html(admin_pages, ADD)
        assert "Start (Europe/Berlin)" in html(root_pages, ADD)

    def test_a_booking_that_is_over_on_the_local_clock_is_asked_about(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        now = timezone.now().astimezone(BERLIN)
        over = typed_anew(alice, room, now - 2 * HOUR, now - timedelta(minutes=1), past_confirmed="False")
        assert list(errors_of(admin_pages.post(ADD, over))) == ["past_confirmed"]
        running = typed_anew(alice, room, now - HOUR, now + timedelta(minutes=5), past_confirmed="False")
        assert admin_pages.post(ADD, running).status_code == 302

    @pytest.mark.usefixtures("in_tokyo")
    @pytest.mark.parametrize(
        ("day", "clock"), [("0001-01-01", "00:00:00"), ("0001-01-01", "08:59:00")], ids=["midnight", "later"]
    )
    def test_a_moment_before_the_first_year_is_a_form_error(
        self, admin_pages: Client, alice: User, room: Resource, day: str, clock: str
    ) -> None:
        body = typed_anew(alice, room, at(10), at(11)) | {"start_time_0": day, "start_time_1": clock}
        assert list(errors_of(admin_pages.post(ADD, body))) == ["start_time"]
        assert not Booking.objects.exists()

    def test_times_that_were_typed_in_another_zone_than_that_of_now_are_refused(
        self, admin_pages: Client, alice: User, room: Resource, settings: Settings
    ) -> None:
        booking = make_booking(alice, room)
        opened = as_shown(admin_pages, booking)
        new = typed_anew(alice, room, at(14), at(15), zone="Europe/Berlin")
        settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
        for address, body in ((f"{BOOKINGS}{booking.pk}/change/", opened), (ADD, new)):
            (sentence,) = errors_of(admin_pages.post(address, body))["__all__"]
            assert "has changed to Asia/Tokyo" in sentence
        assert Booking.objects.get() == booking
        assert Booking.objects.get().start_time == booking.start_time


class TestWhenClocksChange:
    def test_a_time_that_the_clocks_skip_is_refused(self, admin_pages: Client, alice: User, room: Resource) -> None:
        local = SPRING.astimezone(BERLIN).replace(tzinfo=None)
        skipped = local - timedelta(minutes=30)
        body = typed_anew(alice, room, skipped, local + HOUR)
        assert errors_of(admin_pages.post(ADD, body)) == {
            "start_time": [
                f"The clocks of Europe/Berlin skip 02:30 on {local:%Y-%m-%d}: they are set forward. Write another time."
            ]
        }
        assert not Booking.objects.exists()
        assert admin_pages.post(ADD, body | {"start_time_1": "01:30:00"}).status_code == 302
        assert Booking.objects.get().start_time == SPRING - timedelta(minutes=30)
        assert Booking.objects.get().end_time == SPRING + HOUR

    def test_of_the_hour_that_comes_twice_the_first_is_meant(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        local = AUTUMN.astimezone(BERLIN).replace(tzinfo=None, fold=0)
        half_past = local + timedelta(minutes=30)
        assert admin_pages.post(ADD, typed_anew(alice, room, half_past, local + HOUR)).status_code == 302
        booking = Booking.objects.get()
        assert (booking.start_time, booking.end_time) == (AUTUMN - HOUR / 2, AUTUMN + HOUR)

    @pytest.mark.parametrize("fraction", [timedelta(0), timedelta(seconds=7, microseconds=654_321)], ids=str)
    @pytest.mark.parametrize("change", CHANGES, ids=["autumn", "spring"])
    @pytest.mark.parametrize("minutes", [-90, -30, 0, 30, 90])
    def test_a_form_that_is_saved_as_it_is_leaves_the_times_as_they_are(
        self, admin_pages: Client, alice: User, room: Resource, change: datetime, minutes: int, fraction: timedelta
    ) -> None:
        start = change + timedelta(minutes=minutes) + fraction
        booking = make_booking(alice, room, start, start + HOUR)
        page = f"{BOOKINGS}{booking.pk}/change/"
        assert admin_pages.post(page, as_shown(admin_pages, booking)).status_code == 302
        stored = Booking.objects.get()
        assert (stored.start_time, stored.end_time, stored.updated_at) == (start, start + HOUR, booking.updated_at)
        assert not BookingEvent.objects.exists()
        answer = admin_pages.post(page, as_shown(admin_pages, stored) | {"notes": "Hello"})
        stored = Booking.objects.get()
        assert (answer.status_code, stored.notes) == (302, "Hello")
        assert (stored.start_time, stored.end_time) == (start, start + HOUR)

    def test_moving_the_end_leaves_a_start_in_the_second_hour(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        start = AUTUMN + HOUR / 2
        booking = make_booking(alice, room, start, start + HOUR)
        body = as_shown(admin_pages, booking) | {"end_time_1": "05:00:00"}
        assert admin_pages.post(f"{BOOKINGS}{booking.pk}/change/", body).status_code == 302
        assert (Booking.objects.get().start_time, Booking.objects.get().end_time) == (start, AUTUMN + 3 * HOUR)

    def test_a_name_tells_the_two_hours_apart(self, admin_pages: Client, alice: User, room: Resource) -> None:
        first, second = AUTUMN - HOUR / 2, AUTUMN + HOUR / 2
        booking = make_booking(alice, room, first, second)
        day = f"{AUTUMN.astimezone(BERLIN):%Y-%m-%d}"
        page = html(admin_pages, f"{BOOKINGS}{booking.pk}/delete/")
        assert f"Blue room, {day} 02:30 CEST–02:30 CET Europe/Berlin, alice" in page

    @pytest.mark.parametrize(("change", "hours"), [(SPRING, 23), (AUTUMN, 25)], ids=["spring", "autumn"])
    def test_the_day_of_a_filter_has_as_many_hours_as_the_clocks_give_it(
        self, admin_pages: Client, alice: User, room: Resource, change: datetime, hours: int
    ) -> None:
        midnight = change.astimezone(BERLIN).replace(hour=0, fold=0).astimezone(UTC)
        before, first, last, after = (
            make_booking(alice, room, midnight + start * HOUR) for start in (-1, 0, hours - 1, hours)
        )
        day = change.astimezone(BERLIN).date()
        assert shown(admin_pages, f"{BOOKINGS}?from={day}&to={day}") == [first, last]
        parts = f"start_time__year={day.year}&start_time__month={day.month}&start_time__day={day.day}"
        assert shown(admin_pages, f"{BOOKINGS}?when=all&{parts}") == [last, first]
        next_day = f"from={day + timedelta(days=1)}&to={day + timedelta(days=1)}"
        assert shown(admin_pages, f"{BOOKINGS}?{next_day}") == [after]


class TestReading:
    @pytest.fixture
    def booking(self, alice: User, admin: User, lab: Resource) -> Booking:
        """From 23:30 to 1:00 in Berlin; alice made it and staff moved it by an hour."""
        start = tomorrow(22, BERLIN).replace(minute=30).astimezone(UTC)
        booking = lifecycle.book(
            user=alice, resource_id=lab.pk, start_time=start, end_time=start + 1.5 * HOUR, act=act(alice)
        )
        moved = Changes(start_time=start + HOUR, end_time=start + 2.5 * HOUR)
        lifecycle.change(booking, changes=moved, act=act(admin))
        return Booking.objects.get()

    NIGHT = f"{at(0):%Y-%m-%d} 23:30–{at(0, day=2):%Y-%m-%d} 01:00"

    def test_the_list_has_local_times_and_names_the_zone(self, admin_pages: Client, booking: Booking) -> None:
        page = html(admin_pages, f"{BOOKINGS}?when=all")
        for words in (
            "When (Europe/Berlin)",
            "Created (Europe/Berlin)",
            "By days (Europe/Berlin)",
            '<span class="nowrap">{}</span> <span class="nowrap">{}</span>'.format(*self.NIGHT.split(" ", 1)),
            '<span class="nowrap">{}</span> <span class="nowrap">{}</span>'.format(
                *f"{booking.created_at.astimezone(BERLIN):%Y-%m-%d %H:%M}".split()
            ),
            "Times are in Europe/Berlin.",
        ):
            assert words in page

    def test_pages_name_a_booking_in_that_zone(self, admin_pages: Client, booking: Booking) -> None:
        name = f"Lab, {self.NIGHT} Europe/Berlin, alice"
        chosen = {"_selected_action": [booking.pk]}
        pages = [
            admin_pages.get(f"{BOOKINGS}{booking.pk}/delete/"),
            admin_pages.post(BOOKINGS, {"action": "reject", **chosen}),
            admin_pages.post(BOOKINGS, {"action": "delete_selected", **chosen}),
            admin_pages.get(f"{BOOKINGS}{booking.pk}/history/"),
        ]
        assert [name in unescape(page.content.decode()) for page in pages] == [True] * 4
        admin_pages.post(BOOKINGS, {"action": "confirm", **chosen})
        assert LogEntry.objects.get().object_repr == name
        assert name in html(admin_pages, "/admin/")

    def test_the_form_has_the_moments_of_its_creation_and_last_change(
        self, admin_pages: Client, booking: Booking
    ) -> None:
        page = html(admin_pages, f"{BOOKINGS}{booking.pk}/change/")
        assert "All times are in Europe/Berlin." in page
        for label in ("Start", "End", "Created", "Last changed"):
            assert f"{label} (Europe/Berlin)" in page
        assert page.count(f"{booking.updated_at.astimezone(BERLIN):%Y-%m-%d %H:%M}") >= 1
        assert 'value="23:30:00"' in page

    def test_the_history_and_the_acts_are_in_that_zone(self, admin_pages: Client, booking: Booking) -> None:
        created, moved = BookingEvent.objects.order_by("pk")
        at_moved = moved.at.astimezone(BERLIN)
        change = f"{at(0):%Y-%m-%d} 22:30 → {at(0):%Y-%m-%d} 23:30"
        history = html(admin_pages, f"{BOOKINGS}{booking.pk}/history/")
        acts, page = (html(admin_pages, f"/admin/core/bookingevent/{end}") for end in ("", f"{moved.pk}/change/"))
        for found in (history, acts, page):
            assert "When (Europe/Berlin)" in found
            assert f"{at_moved:%H:%M:%S}" in found
        assert change in history
        assert change in page
        assert "Handed on (Europe/Berlin)" in page
        day = f"{created.at.astimezone(BERLIN):%Y-%m-%d}"
        assert len(shown(admin_pages, f"/admin/core/bookingevent/?from={day}&to={day}")) == 2

    def test_messages_are_in_that_zone(self, admin_pages: Client, booking: Booking) -> None:
        deliver()
        row = Notification.objects.filter(kind="booking_created").get()
        listed, page = (html(admin_pages, f"/admin/core/notification/{end}") for end in ("", f"{row.pk}/change/"))
        for label in ("Created", "Next try", "Done"):
            assert f"{label} (Europe/Berlin)" in listed
        assert f"{row.created_at.astimezone(BERLIN):%Y-%m-%d %H:%M}" in listed
        assert f"At {row.created_at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S} Europe/Berlin" in page
        assert f"After: Lab, {at(0):%Y-%m-%d} 22:30–{at(0, day=2):%Y-%m-%d} 00:00 Europe/Berlin, alice" in page

    def test_profiles_and_calendar_feeds_are_in_that_zone(self, admin_pages: Client, alice: User) -> None:
        feed = CalendarFeed.objects.create(user=alice, secret_hash="x")
        profiles, feeds = (html(admin_pages, f"/admin/core/{name}/") for name in ("userprofile", "calendarfeed"))
        assert "Last changed (Europe/Berlin)" in profiles
        assert "Created (Europe/Berlin)" in feeds
        assert f"{feed.created_at.astimezone(BERLIN):%Y-%m-%d %H:%M}" in feeds

    def test_every_page_names_the_zone(self, root_pages: Client, alice: User) -> None:
        for address in ("", "core/", "auth/user/", f"auth/user/{alice.pk}/change/", f"auth/user/{alice.pk}/history/"):
            assert "Times are in Europe/Berlin." in html(root_pages, f"/admin/{address}"), address


class TestRefusals:
    def test_a_refusal_speaks_in_the_zone_of_the_reader_and_in_utc_over_the_api(
        self, admin_pages: Client, as_alice: APIClient, alice: User, room: Resource
    ) -> None:
        start = tomorrow(14, BERLIN)
        make_booking(alice, room, start, start + HOUR)
        (sentence,) = errors_of(admin_pages.post(ADD, typed_anew(alice, room, start, start + HOUR)))["__all__"]
        assert f"Taken (Europe/Berlin): {start:%Y-%m-%d} 14:00 to 15:00." in sentence
        assert f"The next free slot of this length (Europe/Berlin): {start:%Y-%m-%d} 15:00 to 16:00." in sentence
        answer = as_alice.post("/api/bookings/", booking_body(room, start.astimezone(UTC), (start + HOUR)))
        assert f"Taken (UTC): {start:%Y-%m-%d} {start.astimezone(UTC):%H}:00 to" in answer.json()["detail"]

    @pytest.mark.usefixtures("in_tokyo")
    def test_a_report_on_many_speaks_in_the_zone_of_the_reader(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        booking = make_pending_booking(alice, lab, at(10))
        Booking.objects.update(status="cancelled")
        admin_pages.post(BOOKINGS, {"action": "confirm", "_selected_action": [booking.pk]})
        report = f"Not done: Booking {booking.pk} (Lab, {at(10):%Y-%m-%d} 19:00–20:00 Asia/Tokyo, alice)"
        assert report in html(admin_pages, BOOKINGS)

    NIGHT = Interval(datetime(2027, 1, 1, 23, 0, tzinfo=UTC), datetime(2027, 1, 2, 1, 30, tzinfo=UTC))
    SENTENCES = (
        (
            errors.OffGrid(30, starts=[NIGHT.start], ends=None, zone="Europe/Berlin"),
            "The nearest start (UTC): 2027-01-01 23:00.",
            "The nearest start (Asia/Tokyo): 2027-01-02 08:00.",
        ),
        (errors.Closed("Holiday", NIGHT.start), "at 2027-01-01 23:00 UTC.", "at 2027-01-02 08:00 Asia/Tokyo."),
        (
            errors.TooClose(30, NIGHT),
            "(UTC): 2027-01-01 23:00 to 2027-01-02 01:30.",
            "(Asia/Tokyo): 2027-01-02 08:00 to 10:30.",
        ),
        (
            errors.OverlapsOwn(1, "Lab", NIGHT),
            "Lab, 2027-01-01 23:00 to 2027-01-02 01:30 (UTC).",
            "Lab, 2027-01-02 08:00 to 10:30 (Asia/Tokyo).",
        ),
        (
            errors.QuotaExceeded(kind="count", period="day", limit=1, used=1, frees_at=NIGHT.start),
            "from 2027-01-01 23:00 UTC on.",
            "from 2027-01-02 08:00 Asia/Tokyo on.",
        ),
        (errors.TooShort(30), "at least 30 minutes.", "at least 30 minutes."),
    )

    @pytest.mark.parametrize(("error", "in_utc", "in_tokyo"), SENTENCES, ids=lambda value: getattr(value, "code", ""))
    def test_each_sentence_with_times_has_them_in_a_zone_and_names_it(
        self, error: errors.BookingError, in_utc: str, in_tokyo: str
    ) -> None:
        assert in_utc in error.message
        assert error.sentence() == error.message == str(error)
        assert in_tokyo in error.sentence(TOKYO)


class TestFilters:
    @pytest.mark.usefixtures("in_tokyo")
    def test_days_and_periods_are_those_of_the_local_clock(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        today = timezone.now().astimezone(TOKYO).replace(hour=0, minute=0, second=0, microsecond=0)
        monday = today - today.weekday() * timedelta(days=1)
        first, last = make_booking(alice, room, today), make_booking(alice, room, today + 23 * HOUR)
        tomorrow = make_booking(alice, room, today + 24 * HOUR)
        assert shown(admin_pages, BOOKINGS) == [first, last]
        assert shown(admin_pages, f"{BOOKINGS}?when=today") == [first, last]
        assert shown(admin_pages, f"{BOOKINGS}?when=tomorrow") == [tomorrow]
        assert shown(admin_pages, f"{BOOKINGS}?to={today:%Y-%m-%d}") == [first, last]
        edges = [make_booking(alice, lab, monday + hours * HOUR) for hours in (-1, 7 * 24)]
        assert not {*edges} & {*shown(admin_pages, f"{BOOKINGS}?when=week")}

    @pytest.mark.parametrize("query", EDGES)
    @pytest.mark.parametrize("house", ["Pacific/Kiritimati", "America/New_York"])
    def test_no_query_string_breaks_the_list(
        self, admin_pages: Client, alice: User, room: Resource, settings: Settings, house: str, query: str
    ) -> None:
        settings.HOUSE_TIME_ZONE = house
        make_booking(alice, room)
        assert admin_pages.get(f"{BOOKINGS}?{query}").status_code in (200, 302, 400)


class TestAroundTheAdmin:
    def test_a_page_asks_for_the_zone_once(self, admin_pages: Client, alice: User, room: Resource) -> None:
        booking = make_booking(alice, room)
        for address in ("/admin/", BOOKINGS, ADD, f"{BOOKINGS}{booking.pk}/change/"):
            with CaptureQueriesContext(connection) as captured:
                admin_pages.get(address)
            asked = [query for query in captured.captured_queries if "core_notificationpreferences" in query["sql"]]
            assert len(asked) == 1, address

    def test_the_zone_ends_with_the_page(self, admin_pages: Client, as_alice: APIClient, room: Resource) -> None:
        admin_pages.get(BOOKINGS)
        assert str(timezone.get_current_timezone()) == "UTC"
        admin_pages.get(f"{BOOKINGS}add/?resource=x")
        assert as_alice.post("/api/bookings/", booking_body(room)).json()["start_time"] == text(at(10))

    def test_the_api_answers_in_utc_whatever_zone_is_active(
        self, as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        feed = as_alice.post("/api/calendar-feeds/", {}).json()["url"]
        with timezone.override(TOKYO):
            booking = as_alice.post("/api/bookings/", booking_body(room, at(10).astimezone(BERLIN))).json()
            moved = as_alice.patch(f"/api/bookings/{booking['id']}/", {"end_time": text(at(12))}).json()
            listed = as_alice.get("/api/bookings/").json()
            taken = as_admin.post("/api/bookings/", booking_body(room)).json()
            history = as_alice.get(f"/api/bookings/{booking['id']}/history/").json()
            line = as_alice.get(
                f"/api/resources/{room.pk}/availability/", {"start": text(at(0)), "end": text(at(24))}
            ).json()
            entries = as_alice.get(feed).content.decode()
        assert (booking["start_time"], moved["end_time"]) == (text(at(10)), text(at(12)))
        assert listed[0]["start_time"] == text(at(10))
        assert f"Taken (UTC): {at(10):%Y-%m-%d} 10:00 to 12:00." in taken["detail"]
        assert taken["conflicts"] == [{"start_time": text(at(10)), "end_time": text(at(12))}]
        assert text(at(12)) in str(history)
        assert line["busy"][0]["start_time"] == text(at(10))
        assert f"DTSTART:{at(10):%Y%m%dT%H%M%SZ}" in entries
