"""Booking for somebody: what is offered, for whom, and one resource or several at one time."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.desk import counter, offered
from core.models import Booking, Resource
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource, make_user, text
from core.tests.support.mailing import deliver
from core.tests.support.records import recorded, told
from core.tests.support.rules import add_exception, add_quota, day_of, set_hours, set_policy

BOOK = "/admin/book/"
OFFER = re.compile(r'name="resource" value="([0-9]+)"( checked)?')
WAIVER = re.compile(r'<input type="checkbox" name="override" value="(\w+)"[^>]*?( checked)?>')
HOSTILE = "<script>alert(1)</script>\"'\u202eabc"


def asked(start: str = "10:00", end: str = "11:00", **more: object) -> dict[str, Any]:
    """A search of tomorrow, 10 to 11, unless said otherwise."""
    return {"day": str(at(0).date()), "start": start, "end": end, "people": "1", **more}


def sent(*resources: Resource, start: str = "10:00", end: str = "11:00", **more: object) -> dict[str, Any]:
    """What the form sends to book the resources."""
    return {**asked(start, end), "resource": [each.pk for each in resources], "book": "1", **more}


def offers_of(answer: Any) -> dict[int, bool]:
    """The resources on the page in order, and whether each is ticked."""
    assert answer.status_code == 200, answer
    return {int(key): bool(ticked) for key, ticked in OFFER.findall(answer.content.decode())}


def names(pages: Client, **query: object) -> list[str]:
    """The names of the resources that a search finds, in order."""
    by_id = dict(Resource.objects.values_list("pk", "name"))
    return [by_id[key] for key in offers_of(pages.get(BOOK, asked(**query)))]


def refusals(answer: Any) -> dict[int, str]:
    """The refusal at each resource."""
    found = re.findall(r'id="refusal-([0-9]+)" dir="auto">(.*?)</p>', answer.content.decode(), re.DOTALL)
    return {int(key): unescape(sentence) for key, sentence in found}


def errors(answer: Any) -> list[str]:
    """The errors on the page."""
    assert answer.status_code == 200, answer
    found = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', answer.content.decode(), re.DOTALL)
    return [unescape(each) for part in found for each in re.findall(r"<li>(.*?)</li>", part)]


def said(answer: Any) -> list[str]:
    assert answer.status_code == 302, (answer.status_code, errors(answer), refusals(answer))
    return [re.sub(r"<[^>]*>", "", message.message) for message in get_messages(answer.wsgi_request)]


def nothing_happened() -> bool:
    return not Booking.objects.exists() and told() == [] and User.objects.count() <= 3


class TestSearch:
    def test_the_smallest_free_resources_that_are_large_enough(
        self, admin_pages: Client, admin: User, alice: User
    ) -> None:
        make_resource("Desk", capacity=1)
        small, large = make_resource("Small", capacity=8), make_resource("Large", capacity=20)
        make_resource("Broken", capacity=10, is_available=False)
        taken = make_resource("Taken", capacity=10)
        make_booking(alice, taken, at(10.5))
        make_closure(admin, make_resource("Closed", capacity=10))
        assert names(admin_pages, people=8) == [small.name, large.name]
        assert names(admin_pages, people=9) == [large.name]
        assert names(admin_pages, people=21) == []
        assert names(admin_pages, people=9, start="07:00", end="08:00") == ["Closed", "Taken", "Large"]

    def test_it_offers_what_the_api_offers_and_each_of_it_can_be_booked(
        self, admin_pages: Client, as_admin: APIClient, alice: User, admin: User
    ) -> None:
        resources = {name: make_resource(name) for name in ("free", "hours", "grid", "long", "gap", "holiday", "own")}
        set_hours(as_admin, resources["hours"], ("12:00", "17:00"))
        set_policy(as_admin, resources["grid"], grid_minutes=45)
        set_policy(as_admin, resources["long"], min_minutes=90)
        set_policy(as_admin, resources["gap"], buffer_after_minutes=30)
        make_booking(alice, resources["gap"], at(9))
        add_exception(as_admin, resources["holiday"], day_of())
        make_booking(alice, resources["own"], at(10.5))
        for start, end in (("10:00", "11:00"), ("12:00", "13:30"), ("09:00", "10:30")):
            window = {
                name: text(at(int(clock[:2]) + int(clock[3:]) / 60)) for name, clock in (("start", start), ("end", end))
            }
            by_api = as_admin.get("/api/resources/", {**window, "available": "true"}).json()
            found = offers_of(admin_pages.get(BOOK, asked(start, end)))
            assert sorted(found) == sorted(each["id"] for each in by_api)
            assert found
            every = Resource.objects.filter(pk__in=found)
            answer = admin_pages.post(BOOK, sent(*every, start=start, end=end, user=alice.pk))
            assert said(answer)
            Booking.objects.filter(notes="").exclude(start_time__in=(at(9), at(10.5))).delete()

    def test_staff_are_offered_what_begins_now(
        self, admin_pages: Client, alice: User, room: Resource, settings: Settings
    ) -> None:
        settings.BOOKING_LEAD_TIME_MINUTES = 600
        start = timezone.now().replace(second=0, microsecond=0)
        query = {
            "day": f"{start:%Y-%m-%d}",
            "start": f"{start:%H:%M}",
            "end": f"{start + timedelta(hours=1):%H:%M}",
            "until": f"{start + timedelta(hours=1):%Y-%m-%d}",
        }
        assert list(offers_of(admin_pages.get(BOOK, query))) == [room.pk]
        assert said(admin_pages.post(BOOK, {**query, "resource": room.pk, "user": alice.pk}))
        assert Booking.objects.get().start_time == start

    def test_the_times_are_those_of_the_reader(
        self, admin_pages: Client, alice: User, room: Resource, settings: Settings
    ) -> None:
        settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
        assert said(admin_pages.post(BOOK, sent(room, user=alice.pk, day=str(day_of(2)))))
        assert Booking.objects.get().start_time == at(1, day=2)
        page = admin_pages.get(BOOK, asked(day=str(day_of(2)))).content.decode()
        assert f"{day_of(2)} 10:00–11:00 Asia/Tokyo" in page

    def test_a_night_and_the_end_of_a_day(self, admin_pages: Client, alice: User, room: Resource) -> None:
        assert said(admin_pages.post(BOOK, sent(room, start="22:00", end="00:00", user=alice.pk)))
        night = sent(room, start="22:00", end="06:00", user=alice.pk, day=str(day_of(2)), until=str(day_of(3)))
        assert said(admin_pages.post(BOOK, night))
        slots = list(Booking.objects.order_by("start_time").values_list("start_time", "end_time"))
        assert slots == [(at(22), at(24)), (at(22, day=2), at(6, day=3))]

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ({"end": "10:00"}, "The end must be after the start."),
            ({"end": "09:00"}, "For the night, name the day of the end."),
            ({"day": str(day_of(-1))}, "This time is over."),
            ({"day": "05/12/2026"}, "Write the date as YYYY-MM-DD"),
            ({"day": "0001-01-01"}, "greater than or equal to 1900-01-01"),
            ({"day": "9999-12-31"}, "less than or equal to 9900-01-01"),
            ({"day": "\0"}, "Write the date as YYYY-MM-DD"),
            ({"start": "25:00"}, "Write the time as HH:MM"),
            ({"start": ""}, "This field is required."),
            ({"people": "0"}, "greater than or equal to 1"),
            ({"people": "9" * 30}, "less than or equal to"),
            ({"people": "x"}, "Enter a whole number."),
            ({"until": "x"}, "Write the date as YYYY-MM-DD"),
            ({"zone": "Asia/Tokyo"}, "The time zone of this page has changed to UTC"),
        ],
    )
    def test_a_search_that_cannot_be_read_says_why(
        self, admin_pages: Client, alice: User, room: Resource, query: dict[str, str], sentence: str
    ) -> None:
        answer = admin_pages.get(BOOK, {**asked(), **query})
        assert sentence in " ".join(errors(answer))
        assert offers_of(answer) == {}
        answer = admin_pages.post(BOOK, {**sent(room, user=alice.pk), **query})
        assert sentence in " ".join(errors(answer))
        assert nothing_happened()

    def test_a_time_that_the_clocks_skip_is_refused(
        self, admin_pages: Client, room: Resource, settings: Settings
    ) -> None:
        settings.HOUSE_TIME_ZONE = "Europe/Berlin"
        answer = admin_pages.get(BOOK, asked(day="2090-03-26", start="02:30", end="05:00"))
        assert "The clocks of Europe/Berlin skip 02:30 on 2090-03-26" in " ".join(errors(answer))

    def test_no_search_is_made_before_a_time_is_named(self, admin_pages: Client, room: Resource) -> None:
        for query in ("", "?user=x", f"?user={'9' * 30}", "?people=4", "?nothing=%00"):
            assert offers_of(admin_pages.get(BOOK + query)) == {}

    def test_the_statements_do_not_depend_on_the_number_of_resources(
        self, admin_pages: Client, as_admin: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(offered, "FIRST_LOOK", 3)

        def statements() -> int:
            with CaptureQueriesContext(connection) as counted:
                assert admin_pages.get(BOOK, asked()).status_code == 200
            return len(counted)

        def fill(first: int, number: int) -> None:
            for index in range(first, first + number):
                resource = make_resource(f"Room {index}", capacity=index + 1)
                set_policy(as_admin, resource, max_minutes=30 + index, buffer_after_minutes=5)

        fill(0, 8)
        few = statements()
        fill(8, 40)
        assert statements() == few
        assert len(offers_of(admin_pages.get(BOOK, asked()))) == 18

    def test_the_first_of_many_are_shown(
        self, admin_pages: Client, room: Resource, lab: Resource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(counter, "MOST_SHOWN", 1)
        answer = admin_pages.get(BOOK, asked())
        assert len(offers_of(answer)) == 1
        assert "These are the first 1;" in answer.content.decode()


class TestPerson:
    def test_a_person_is_picked(
        self, admin_pages: Client, alice: User, room: Resource, mailoutbox: list[EmailMultiAlternatives]
    ) -> None:
        answer = admin_pages.post(BOOK, sent(room, user=alice.pk, notes="By phone\r\nat 9", staff_note="Regular"))
        assert said(answer) == [
            f"Booked for alice, alice@example.org: Blue room, {day_of()} 10:00–11:00 UTC, alice (confirmed)."
        ]
        booking = Booking.objects.get()
        assert (booking.user, booking.slot.start, booking.slot.end) == (alice, at(10), at(11))
        assert (booking.notes, booking.staff_note) == ("By phone\nat 9", "Regular")
        assert [(row.kind, row.channel) for row in recorded()] == [("booking.created", "admin")]
        deliver()
        assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]
        assert answer.headers["Location"].startswith(f"{BOOK}?day={day_of()}&start=10%3A00&end=11%3A00")

    @pytest.mark.parametrize("typed", ["alice", "ALICE", "alice@example.org", " Alice@Example.ORG "])
    def test_a_person_is_typed(self, admin_pages: Client, alice: User, room: Resource, typed: str) -> None:
        assert said(admin_pages.post(BOOK, sent(room, known=typed)))
        assert Booking.objects.get().user == alice

    def test_an_account_is_made_on_the_way(self, admin_pages: Client, admin: User, room: Resource) -> None:
        account = {"username": "carla", "email": "Carla@EXAMPLE.org", "first_name": "Carla", "last_name": "Ruiz"}
        assert said(admin_pages.post(BOOK, sent(room, **account)))
        carla = User.objects.get(username="carla")
        assert (carla.email, carla.get_full_name()) == ("carla@example.org", "Carla Ruiz")
        assert (carla.is_staff, carla.is_superuser, carla.has_usable_password()) == (False, False, False)
        assert carla.profile
        assert Booking.objects.get().user == carla

    def test_an_account_is_not_made_when_the_booking_is_refused(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        answer = admin_pages.post(BOOK, sent(room, username="carla", email="carla@example.org"))
        assert "already booked" in refusals(answer)[room.pk]
        assert not User.objects.filter(username="carla").exists()
        assert 'name="username" value="carla"' in answer.content.decode()
        assert "<details open>" in answer.content.decode()

    @pytest.mark.parametrize(
        ("account", "sentence"),
        [
            ({"username": "Alice"}, "A user with that username already exists."),
            ({"username": "carla", "email": "ALICE@example.org"}, "A user with that email address already exists."),
            ({"email": "carla@example.org"}, "This field is required."),
            ({"username": "carla", "email": "x"}, "Enter a valid email address."),
            ({"username": "a b"}, "Enter a valid username."),
            ({"username": "x" * 151}, "at most 150 characters"),
            ({"username": "a\0"}, "Null characters are not allowed."),
            ({"username": "аlice"}, "Use the letters of one script"),
            ({"username": "carla", "known": "alice"}, "Name the person in one way"),
            ({"known": "nobody"}, "Nobody has this user name"),
            ({"known": "x" * 1001}, "at most 1000 characters"),
            ({"known": "\0"}, "Null characters are not allowed."),
            ({}, "Say for whom"),
            ({"user": "x"}, "Select a valid choice"),
            ({"user": "9" * 30}, "Select a valid choice"),
            ({"user": "0", "known": "alice"}, "Name the person in one way"),
            ({"known": "alice", "notes": "x" * 5001}, "at most 5000 characters"),
            ({"known": "alice", "override": "gravity"}, "Select a valid choice"),
        ],
    )
    def test_a_person_who_cannot_be_told_is_refused_by_the_rules_of_accounts(
        self, admin_pages: Client, alice: User, room: Resource, account: dict[str, str], sentence: str
    ) -> None:
        answer = admin_pages.post(BOOK, sent(room, **account))
        assert sentence in " ".join(errors(answer))
        assert nothing_happened()
        assert offers_of(answer) == {room.pk: True}

    def test_staff_see_the_address_of_a_person_and_what_is_to_come(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        make_booking(alice, lab, at(14))
        make_booking(alice, lab, at(14, day=-1))
        answer = admin_pages.post(BOOK, {**sent(room, known="alice"), "look": "1"})
        card = answer.content.decode().split('id="person"')[1].split("</div>")[0]
        assert 'href="mailto:alice@example.org"' in card
        assert card.count("<li>") == 1
        assert f"<bdi>Lab</bdi>, {day_of()} 14:00–15:00, confirmed" in card
        assert (offers_of(answer)[room.pk], Booking.objects.count(), told()) == (True, 2, [])

    def test_names_and_notes_are_text_alone(self, admin_pages: Client, alice: User) -> None:
        room = make_resource(HOSTILE)
        person = make_user("mallory", first_name=HOSTILE[:100])
        make_booking(person, room, at(14))
        closed = make_resource("Closed")
        make_closure(alice, closed, reason=HOSTILE)
        body = sent(room, closed, known="mallory", notes=HOSTILE, staff_note=HOSTILE)
        answer = admin_pages.post(BOOK, body)
        assert refusals(answer)
        assert "<script>alert" not in answer.content.decode()
        answer = admin_pages.post(BOOK, {**body, "resource": room.pk})
        assert answer.status_code == 302
        page = admin_pages.get(answer.headers["Location"]).content.decode()
        assert "Booked for <bdi>mallory</bdi>" in page
        assert "<script>alert" not in page


class TestRefusals:
    def test_a_taken_slot_is_refused_in_the_words_of_the_api_and_nothing_is_lost(
        self, admin_pages: Client, as_admin: APIClient, alice: User, bob: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        body = {"user": bob.pk, "resource": room.pk, "start_time": text(at(10)), "end_time": text(at(11))}
        by_api = as_admin.post("/api/bookings/", body).json()["non_field_errors"][0]
        answer = admin_pages.post(BOOK, sent(room, user=bob.pk, notes="Please"))
        assert refusals(answer)[room.pk].split(" UTC")[0] in by_api
        assert offers_of(answer) == {room.pk: True}
        assert ">\nPlease</textarea>" in answer.content.decode()
        assert "not free by this search" in answer.content.decode()
        assert Booking.objects.count() == 1

    def test_a_rule_is_waived_by_ticking_its_box_after_the_refusal(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        set_hours(as_admin, room, ("12:00", "17:00"))
        body = sent(room, user=alice.pk)
        assert WAIVER.findall(admin_pages.get(BOOK, asked()).content.decode()) == []
        answer = admin_pages.post(BOOK, body)
        assert f"This resource is open 12:00–17:00 on {day_of()} (UTC)" in refusals(answer)[room.pk]
        assert WAIVER.findall(answer.content.decode()) == [("opening_hours", "")]
        assert said(admin_pages.post(BOOK, {**body, "override": "opening_hours"}))
        assert [row.waived_rules for row in recorded()] == [["opening_hours"]]

    def test_a_second_refusal_adds_its_box_and_keeps_the_ticked_one(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        set_hours(as_admin, room, ("12:00", "17:00"))
        set_policy(as_admin, room, max_minutes=30)
        answer = admin_pages.post(BOOK, sent(room, user=alice.pk, override="duration"))
        assert WAIVER.findall(answer.content.decode()) == [("opening_hours", ""), ("duration", " checked")]
        assert not Booking.objects.exists()

    def test_a_quota_of_the_person_is_refused_and_can_be_waived(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        add_quota(as_admin, kind="active", limit=1)
        make_booking(alice, room, at(14))
        answer = admin_pages.post(BOOK, sent(room, user=alice.pk))
        assert WAIVER.findall(answer.content.decode()) == [("quota", "")]
        assert said(admin_pages.post(BOOK, sent(room, user=alice.pk, override="quota")))

    def test_a_resource_that_asks_for_approval_gives_pending_or_at_once_confirmed(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        assert said(admin_pages.post(BOOK, sent(lab, user=alice.pk)))
        assert said(admin_pages.post(BOOK, sent(lab, user=alice.pk, start="14:00", end="15:00", at_once="on")))
        assert list(Booking.objects.values_list("status", flat=True)) == ["pending", "confirmed"]

    @pytest.mark.parametrize(
        ("keys", "sentence"),
        [
            ([], "Tick a resource."),
            (["x"], "The selection cannot be read."),
            (["9" * 30], "The selection cannot be read."),
            (["\0"], "The selection cannot be read."),
            ([*range(1, 22)], "Book at most 20 resources at once."),
        ],
    )
    def test_a_selection_that_cannot_be_booked(
        self, admin_pages: Client, alice: User, room: Resource, keys: list[object], sentence: str
    ) -> None:
        answer = admin_pages.post(BOOK, {**sent(user=alice.pk), "resource": keys})
        assert sentence in " ".join(errors(answer))
        assert nothing_happened()

    def test_a_resource_that_is_gone_is_no_error_page(self, admin_pages: Client, alice: User, room: Resource) -> None:
        answer = admin_pages.post(BOOK, {**sent(room, user=alice.pk), "resource": [room.pk, 10**17]})
        assert errors(answer) == ["There is no such resource."]
        assert nothing_happened()


class TestSeveral:
    def test_several_resources_are_booked_at_one_time(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        (sentence,) = said(admin_pages.post(BOOK, sent(lab, room, user=alice.pk)))
        assert "Blue room" in sentence
        assert "Lab" in sentence
        assert "(pending)" in sentence
        found = set(Booking.objects.values_list("resource", "start_time", "status"))
        assert found == {(room.pk, at(10), "confirmed"), (lab.pk, at(10), "pending")}

    def test_the_first_refusal_is_shown_at_its_resource_and_nothing_is_booked(
        self, admin_pages: Client, bob: User, alice: User
    ) -> None:
        first, second, third, fourth = (make_resource(f"Room {number}") for number in range(4))
        make_pending_booking(bob, second)
        make_booking(bob, fourth)
        answer = admin_pages.post(BOOK, sent(fourth, third, second, first, user=alice.pk))
        assert list(refusals(answer)) == [second.pk]
        assert offers_of(answer) == {second.pk: True, fourth.pk: True, first.pk: True, third.pk: True}
        assert (Booking.objects.filter(user=alice).count(), told()) == (0, [])

    def test_a_resource_that_is_ticked_twice_is_booked_once(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        assert said(admin_pages.post(BOOK, {**sent(user=alice.pk), "resource": [room.pk, room.pk]}))
        assert Booking.objects.count() == 1

    def test_a_quota_counts_all_of_them(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource, lab: Resource
    ) -> None:
        add_quota(as_admin, kind="active", limit=1)
        answer = admin_pages.post(BOOK, sent(room, lab, user=alice.pk))
        assert list(refusals(answer)) == [max(room.pk, lab.pk)]
        assert not Booking.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_and_an_ordinary_user_do_not_reach_the_page(alice: User, room: Resource, method: str) -> None:
    client = Client(HTTP_X_FORWARDED_PROTO="https")
    for _ in range(2):
        answer = getattr(client, method)(BOOK, sent(room, user=alice.pk))
        assert (answer.status_code, answer.headers["Location"].startswith("/admin/login/")) == (302, True)
        assert not Booking.objects.exists()
        client.force_login(alice)
