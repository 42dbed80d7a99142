"""Calendars to subscribe to by a secret address."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import vobject
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar
from rest_framework.test import APIClient

from core.calendars import reading
from core.calendars.models import CalendarFeed
from core.models import Booking, Resource, UserProfile
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import (
    PASSWORD,
    at,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_resource,
)
from core.tests.support.parallel import in_parallel

FEEDS = "/api/calendar-feeds/"
HOSTILE = 'Ä, b; c\\ "d"\nBEGIN:VEVENT\r\nX:1 🚲'


def make_feed(client: APIClient, **body: object) -> str:
    """The path of a new feed."""
    answer = client.post(FEEDS, body)
    assert answer.status_code == 201, answer.json()
    return urlsplit(answer.json()["url"]).path


def events(client: APIClient, path: str) -> list:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content).walk("VEVENT")


class TestMaking:
    def test_its_address_is_shown_once(self, as_alice: APIClient) -> None:
        made = as_alice.post(FEEDS, {})
        body = made.json()
        assert set(body) == {"id", "resource", "resource_name", "names", "created_at", "last_used_on", "url"}
        assert (body["resource"], body["names"], body["last_used_on"]) == (None, False, None)
        assert made.headers["Cache-Control"] == "no-store"
        assert as_alice.get(urlsplit(made.headers["Location"]).path).status_code == 200
        assert body["url"] not in as_alice.get(FEEDS).content.decode()
        secret = body["url"].split("/")[-1].removesuffix(".ics")
        assert len(secret) == 43
        assert not [row for row in CalendarFeed.objects.values_list() if secret in str(row)]

    def test_one_sees_and_revokes_only_ones_own(self, as_alice: APIClient, as_bob: APIClient) -> None:
        feed = as_alice.post(FEEDS, {}).json()
        assert as_bob.get(FEEDS).json() == []
        assert_flat_error(as_bob.delete(f"{FEEDS}{feed['id']}/"), 404)
        assert as_alice.delete(f"{FEEDS}{feed['id']}/").status_code == 204
        assert CalendarFeed.objects.count() == 0

    def test_at_most_twenty(self, as_alice: APIClient, as_bob: APIClient) -> None:
        assert [as_alice.post(FEEDS, {}).status_code for _ in range(20)] == [201] * 20
        assert_flat_error(as_alice.post(FEEDS, {}), 400, code="too_many_feeds")
        assert as_bob.post(FEEDS, {}).status_code == 201

    @pytest.mark.django_db(transaction=True)
    def test_at_most_twenty_at_once(self, alice: User) -> None:
        for _ in range(17):
            client_of(alice).post(FEEDS, {})
        clients = [client_of(alice) for _ in range(8)]
        answers = in_parallel([lambda client=client: client.post(FEEDS, {}).status_code for client in clients])
        assert sorted(answers) == [201] * 3 + [400] * 5

    def test_only_staff_may_ask_for_names(self, as_alice: APIClient, as_admin: APIClient, room: Resource) -> None:
        assert_flat_error(as_alice.post(FEEDS, {"resource": room.pk, "names": True}), 400, code="names_not_allowed")
        assert_flat_error(as_admin.post(FEEDS, {"names": True}), 400, code="names_not_allowed")
        assert as_admin.post(FEEDS, {"resource": room.pk}).json()["names"] is True
        assert as_admin.post(FEEDS, {"resource": room.pk, "names": False}).json()["names"] is False
        assert as_alice.post(FEEDS, {"resource": room.pk}).json()["names"] is False

    @pytest.mark.parametrize("names", ["null", "", "perhaps", []])
    def test_what_is_no_flag_is_refused(self, as_admin: APIClient, room: Resource, names: object) -> None:
        assert_flat_error(as_admin.post(FEEDS, {"resource": room.pk, "names": names}), 400, field="names")
        assert not CalendarFeed.objects.exists()

    def test_an_empty_field_of_a_form_is_null(self, as_admin: APIClient) -> None:
        answer = as_admin.post(FEEDS, {"resource": "", "names": ""}, format="multipart")
        assert (answer.status_code, answer.json()["resource"], answer.json()["names"]) == (201, None, False)

    @pytest.mark.parametrize("resource", [0, -1, 999, "x", True, [], 2**70])
    def test_what_is_no_resource_is_refused(self, as_alice: APIClient, resource: object) -> None:
        assert_flat_error(as_alice.post(FEEDS, {"resource": resource}), 400, field="resource")
        assert CalendarFeed.objects.count() == 0

    @pytest.mark.parametrize("query", ["page=2", "ordering=-id", "limit=1&limit=2", "limit=0", "count=perhaps"])
    def test_a_list_with_other_parameters_is_refused(self, as_alice: APIClient, query: str) -> None:
        assert_flat_error(as_alice.get(f"{FEEDS}?{query}"), 400, field=query.split("=")[0])

    def test_a_list_has_pages(self, as_alice: APIClient, alice: User) -> None:
        for _ in range(2):
            make_feed(as_alice)
        answer = as_alice.get(f"{FEEDS}?limit=1&count=true")
        assert (len(answer.json()), answer.headers["X-Total-Count"]) == (1, "2")
        assert 'rel="next"' in answer.headers["Link"]

    def test_strangers_have_none(self, anonymous: APIClient) -> None:
        assert_flat_error(anonymous.get(FEEDS), 401)
        assert_flat_error(anonymous.post(FEEDS, {}), 401)


class TestReading:
    def test_ones_own_bookings(self, as_alice: APIClient, anonymous: APIClient, alice: User, bob: User, lab) -> None:
        mine = make_booking(alice, lab, at(10), notes=HOSTILE)
        asked = make_pending_booking(alice, lab, at(12))
        make_cancelled_booking(alice, lab, at(14))
        make_booking(bob, lab, at(16))
        first, second = events(anonymous, make_feed(as_alice))
        assert (first["uid"], second["uid"]) == (str(mine.calendar_uid), str(asked.calendar_uid))
        assert (first["status"], second["status"]) == ("CONFIRMED", "TENTATIVE")
        assert (first["summary"], second["summary"]) == ("Lab", "Lab (requested)")
        assert first["location"] == "Lab"
        assert (first["dtstart"].dt, first["dtend"].dt) == (at(10), at(11))
        assert first["description"] == HOSTILE.replace("\r\n", "\n")

    def test_a_resource_for_anybody_tells_no_names(
        self, as_bob: APIClient, anonymous: APIClient, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room, notes="secret plan")
        path = make_feed(as_bob, resource=room.pk)
        text = anonymous.get(path).content.decode()
        assert events(anonymous, path)[0]["summary"] == "Busy: Blue room"
        assert "alice" not in text
        assert "secret plan" not in text

    def test_a_resource_for_staff_tells_names(
        self, as_admin: APIClient, anonymous: APIClient, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room, notes="secret plan")
        event = events(anonymous, make_feed(as_admin, resource=room.pk))[0]
        assert (event["contact"], event["description"]) == ("alice", "secret plan")

    def test_from_thirty_days_ago_to_a_year_ahead(
        self, as_alice: APIClient, anonymous: APIClient, alice: User, room: Resource
    ) -> None:
        now = timezone.now().replace(microsecond=0)
        edges = {"too old": -timedelta(days=30, hours=2), "old": -timedelta(days=29), "far": timedelta(days=364)}
        edges["too far"] = timedelta(days=365, hours=1)
        made = {name: make_booking(alice, room, now + ahead) for name, ahead in edges.items()}
        shown = {str(event["uid"]) for event in events(anonymous, make_feed(as_alice))}
        assert shown == {str(made[name].calendar_uid) for name in ("old", "far")}

    def test_what_has_not_changed_is_not_rendered_again(
        self, as_alice: APIClient, anonymous: APIClient, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        path = make_feed(as_alice)
        first = anonymous.get(path)
        assert first.headers["Cache-Control"] == "private, max-age=300"
        assert b"REFRESH-INTERVAL;VALUE=DURATION:PT15M" in first.content
        again = anonymous.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"])
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        Booking.objects.filter(pk=booking.pk).update(notes="new")
        assert anonymous.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"]).status_code == 200
        Resource.objects.update(name="Red room")
        assert b"Red room" in anonymous.get(path).content

    def test_whatever_its_resource_is_called(self, as_bob: APIClient, anonymous: APIClient) -> None:
        path = make_feed(as_bob, resource=make_resource(HOSTILE + "\rX-EVIL:1\x07").pk)
        content = anonymous.get(path).content
        assert Calendar.from_ical(content)["name"] == 'Ä\\, b\\; c\\\\ "d" BEGIN:VEVENT X:1 🚲 X-EVIL:1 '
        other = vobject.readOne(content.decode()).contents
        for name in ("name", "x-wr-calname"):
            assert [line.value for line in other[name]] == ['Ä, b; c\\ "d" BEGIN:VEVENT X:1 🚲 X-EVIL:1 ']
        assert not {"x-evil", "x", "vevent"} & set(other)

    @pytest.mark.parametrize("number", [1, 12, 50])
    def test_statements_for_the_feed_its_version_and_once_its_bookings_and_the_day(
        self, as_alice: APIClient, anonymous: APIClient, alice: User, room: Resource, number: int
    ) -> None:
        for hour in range(number):
            make_booking(alice, room, at(hour))
        path = make_feed(as_alice)
        for expected in (5, 2, 2):
            with CaptureQueriesContext(connection) as statements:
                assert len(events(anonymous, path)) == number
            assert len(statements) == expected
        assert CalendarFeed.objects.get().last_used_on == timezone.now().date()
        Booking.objects.filter(pk=Booking.objects.first().pk).update(notes="new")
        with CaptureQueriesContext(connection) as statements:
            assert len(events(anonymous, path)) == number
        assert len(statements) == 4

    def test_a_booking_that_comes_while_the_calendar_is_written_gives_it_no_tag(
        self, as_alice: APIClient, anonymous: APIClient, alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_booking(alice, room, at(9))
        path, render = make_feed(as_alice), reading.render
        before = anonymous.get(path).headers["ETag"]
        Booking.objects.update(notes="new")

        def slowly(*args: object, **kwargs: object) -> bytes:
            make_booking(alice, room, at(12))
            return render(*args, **kwargs)

        with monkeypatch.context() as patched:
            patched.setattr(reading, "render", slowly)
            answer = anonymous.get(path)
        assert answer.content.count(b"BEGIN:VEVENT") == 2
        assert "ETag" not in answer.headers
        Booking.objects.filter(start_time=at(12)).delete()
        again = anonymous.get(path)
        assert again.content.count(b"BEGIN:VEVENT") == 1
        assert again.headers["ETag"] != before

    def test_what_has_not_changed_is_one_statement_for_the_feed_and_one_for_its_version(
        self, as_alice: APIClient, anonymous: APIClient, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room, notes="secret plan")
        path = make_feed(as_alice)
        tag = anonymous.get(path).headers["ETag"]
        with CaptureQueriesContext(connection) as statements:
            assert anonymous.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 304
        assert len(statements) == 2
        assert statements[1]["sql"].startswith("SELECT COUNT(")


class TestWhatIsNotThere:
    def assert_gone(self, client: APIClient, path: str) -> None:
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize("secret", ["x", "a" * 43, "a" * 5000, "%00", "é" * 43, "a/b", ".."])
    def test_a_wrong_secret(self, anonymous: APIClient, secret: str) -> None:
        self.assert_gone(anonymous, f"/calendars/{secret}.ics")

    def test_a_revoked_one(self, as_alice: APIClient, anonymous: APIClient) -> None:
        path = make_feed(as_alice)
        assert anonymous.get(path).status_code == 200
        as_alice.delete(f"{FEEDS}{CalendarFeed.objects.get().pk}/")
        self.assert_gone(anonymous, path)

    def test_that_of_an_inactive_owner(self, as_alice: APIClient, anonymous: APIClient) -> None:
        path = make_feed(as_alice)
        User.objects.update(is_active=False)
        self.assert_gone(anonymous, path)

    def test_one_with_names_of_a_former_staff_member(
        self, as_admin: APIClient, anonymous: APIClient, room: Resource
    ) -> None:
        named, busy = make_feed(as_admin, resource=room.pk), make_feed(as_admin, resource=room.pk, names=False)
        User.objects.update(is_staff=False)
        self.assert_gone(anonymous, named)
        assert anonymous.get(busy).status_code == 200

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND", "OPTIONS"])
    def test_other_methods_are_not_allowed(self, as_alice: APIClient, method: str) -> None:
        stranger = Client(enforce_csrf_checks=True)
        answer = stranger.generic(method, make_feed(as_alice), HTTP_X_FORWARDED_PROTO="https")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")

    def test_the_secret_is_not_in_the_log(self, as_alice: APIClient, anonymous: APIClient, caplog) -> None:
        path = make_feed(as_alice)
        CalendarFeed.objects.all().delete()
        self.assert_gone(anonymous, path)
        assert "GET /calendars/<secret>.ics 404" in caplog.text
        assert path.split("/")[-1][:20] not in caplog.text


class TestFiles:
    def url(self, booking: Booking) -> str:
        return f"/api/bookings/{booking.pk}/calendar.ics"

    def test_owner_and_staff_get_a_booking_as_a_file(
        self, as_alice: APIClient, as_admin: APIClient, as_bob: APIClient, anonymous: APIClient, alice: User, room
    ) -> None:
        booking = make_booking(alice, room)
        for client in (as_alice, as_admin):
            answer = client.get(self.url(booking))
            assert answer.status_code == 200
            assert answer.headers["Content-Disposition"] == f'attachment; filename="booking-{booking.pk}.ics"'
            event = Calendar.from_ical(answer.content).walk("VEVENT")[0]
            assert (event["contact"], "attendee" in event) == ("alice", False)
            assert event["organizer"] == "mailto:noreply@bookingsystem.local"
        assert_flat_error(as_bob.get(self.url(booking)), 403)
        assert_flat_error(anonymous.get(self.url(booking)), 401)
        assert_flat_error(as_alice.get("/api/bookings/999/calendar.ics"), 404)

    def test_uid_stays_and_sequence_rises(self, as_alice: APIClient, alice: User, room: Resource) -> None:
        booking = make_booking(alice, room)

        def revision() -> tuple[str, int]:
            event = Calendar.from_ical(as_alice.get(self.url(booking)).content).walk("VEVENT")[0]
            return str(event["uid"]), event["sequence"]

        uid, first = revision()
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"notes": "no revision"})
        assert revision() == (uid, first)
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"end_time": "2199-01-01T00:00:00Z"})
        assert revision() == (uid, first)
        as_alice.patch(f"/api/bookings/{booking.pk}/", {"end_time": at(12).isoformat()})
        assert revision() == (uid, first + 1)
        as_alice.delete(f"/api/bookings/{booking.pk}/")
        assert revision() == (uid, first + 2)

    def test_a_booking_within_a_second_ends_after_its_start(self, as_alice: APIClient, alice: User, room) -> None:
        start = at(10) + timedelta(milliseconds=100)
        booking = make_booking(alice, room, start, start + timedelta(milliseconds=800))
        event = Calendar.from_ical(as_alice.get(self.url(booking)).content).walk("VEVENT")[0]
        assert (event["dtstart"].dt, event["dtend"].dt) == (at(10), at(10) + timedelta(seconds=1))

    @pytest.mark.parametrize(
        "text", [HOSTILE, "a" * 255, "😀" * 60, "  spaces  ", "\x07", "tab\there", "END:VCALENDAR"]
    )
    def test_two_readers_read_what_was_written(self, as_alice: APIClient, alice: User, text: str) -> None:
        start = datetime(2031, 3, 30, 0, 30, tzinfo=UTC)
        room = make_resource(text[:255])
        User.objects.filter(pk=alice.pk).update(first_name=text[:150])
        booking = make_booking(alice, room, start, start + timedelta(hours=2), notes=text)
        content = as_alice.get(self.url(booking)).content
        assert all(len(line) <= 75 for line in content.split(b"\r\n"))
        one = Calendar.from_ical(content)
        other = vobject.readOne(content.decode())
        assert len(one.walk("VEVENT")) == len(other.vevent_list) == 1
        event = one.walk("VEVENT")[0]
        assert (event["dtstart"].dt, event["dtend"].dt) == (start, start + timedelta(hours=2))
        assert (other.vevent.dtstart.value, other.vevent.dtend.value) == (start, start + timedelta(hours=2))
        one_line = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ").replace("\x07", " ")
        assert event["location"] == one_line
        assert other.vevent.location.value == one_line
        assert event["description"] == text.replace("\r\n", "\n").replace("\x07", " ")


@pytest.mark.parametrize("page", ["calendar", "admin"])
def test_while_the_database_is_away_a_page_answers_503(as_alice: APIClient, admin: User, page: str) -> None:
    client = Client(raise_request_exception=False)
    path = {"calendar": make_feed(as_alice), "admin": "/admin/core/booking/"}[page]
    client.force_login(admin)

    def refuse(*args: object) -> None:
        raise OperationalError("server at 10.1.2.3 closed the connection")

    with connection.execute_wrapper(refuse):
        answer = client.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert b"10.1.2.3" not in answer.content


# --- What changed last ------------------------------------------------------------------------------------------------


def stamps(client: APIClient, path: str) -> tuple[datetime, datetime, int]:
    [event] = events(client, path)
    return event["LAST-MODIFIED"].dt, event["DTSTAMP"].dt, event["SEQUENCE"]


def long_ago() -> None:
    """Everything was last changed a day ago."""
    yesterday = timezone.now() - timedelta(days=1)
    for model in (Booking, Resource, UserProfile):
        model.objects.update(updated_at=yesterday)


def test_a_renamed_resource_is_a_newer_entry_of_the_same_revision(
    as_alice: APIClient, as_admin: APIClient, alice: User, room: Resource
) -> None:
    """Android's usual reader keeps an entry whose LAST-MODIFIED is the same (RFC 5545, 3.8.7.3)."""
    make_booking(alice, room)
    path = make_feed(as_alice)
    long_ago()
    modified, stamp, sequence = stamps(as_alice, path)
    as_admin.patch(f"/api/resources/{room.pk}/", {"name": "Green room"})
    newer = stamps(as_alice, path)
    assert newer[0] > modified
    assert newer[1] > stamp
    assert newer[2] == sequence


def test_a_resource_that_staff_rename_in_the_admin_is_a_newer_entry(
    as_alice: APIClient, admin_pages: Client, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    long_ago()
    file = f"/api/bookings/{booking.pk}/calendar.ics"
    before = stamps(as_alice, file)
    admin_pages.post(f"/admin/core/resource/{room.pk}/change/", {"name": "Green room", "capacity": "1"})
    assert stamps(as_alice, file) > before


@pytest.mark.parametrize("field", ["username", "last_name"])
def test_a_user_with_another_name_is_a_newer_entry_where_names_are_shown(
    as_admin: APIClient, as_bob: APIClient, alice: User, room: Resource, field: str
) -> None:
    make_booking(alice, room)
    named, nameless = make_feed(as_admin, resource=room.pk, names=True), make_feed(as_bob, resource=room.pk)
    long_ago()
    before, busy = stamps(as_admin, named), stamps(as_bob, nameless)
    client_of(alice).patch("/api/auth/users/me/", {field: "alicia"})
    assert stamps(as_admin, named) > before
    assert stamps(as_bob, nameless) == busy


def test_a_sign_in_changes_no_entry(as_alice: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    path = make_feed(as_alice)
    long_ago()
    before = stamps(as_alice, path)
    Client().login(username="alice", password=PASSWORD)
    assert stamps(as_alice, path) == before


def test_an_account_without_a_profile_has_entries(as_alice: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    UserProfile.objects.all().delete()
    assert len(events(as_alice, make_feed(as_alice))) == 1
