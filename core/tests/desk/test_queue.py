"""The queue: what waits for approval, what is known around it, and decisions about one or many."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Quota, Resource
from core.tests.support.closures import make_closure
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_rejected_booking,
    make_resource,
    make_user,
)
from core.tests.support.mailing import deliver
from core.tests.support.records import recorded, told
from core.tests.support.rules import add_quota, set_policy

QUEUE = "/admin/queue/"
BOX = re.compile(r'name="ticked" value="([^"]*)" id="tick-([0-9]+)"( checked)?>')
HOSTILE = "\"><script>alert(1)</script>'\u202eabc"


def boxes(page: object) -> dict[int, tuple[str, bool]]:
    """The key of each box by the number of its booking, in order, and whether it is ticked."""
    text = page.content.decode()
    return {int(number): (unescape(key), bool(ticked)) for key, number, ticked in BOX.findall(text)}


def shown(pages: Client, query: str = "") -> list[int]:
    """The numbers of the bookings on the page, in order."""
    page = pages.get(QUEUE + query)
    assert page.status_code == 200
    return list(boxes(page))


def key_of(booking: Booking) -> str:
    booking.refresh_from_db()
    return f"{booking.pk} {booking.updated_at.isoformat()}"


def post(pages: Client, decision: str, *bookings: Booking, query: str = "", **more: object) -> list[tuple[str, str]]:
    """What the report says: level and sentence."""
    answer = pages.post(QUEUE + query, {decision: "1", "ticked": [key_of(each) for each in bookings], **more})
    assert answer.status_code == 302, answer.content
    return report_of(answer)


def report_of(answer: object) -> list[tuple[str, str]]:
    return [(message.level_tag, message.message) for message in get_messages(answer.wsgi_request)]


def status_of(booking: Booking) -> str:
    return Booking.objects.get(pk=booking.pk).status


def part_of(pages: Client, booking: Booking, part: str, query: str = "") -> list[str]:
    """The lines of a part of a booking's card, without markup."""
    page = pages.get(QUEUE + query).content.decode()
    card = page.split(f'id="booking-{booking.pk}"')[1].split('<li class="request"')[0]
    lines = re.findall(r"<li[^>]*>(.*?)</li>", card.split(f'<div class="{part}">')[1].split("</div>")[0], re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", line)).strip() for line in lines]


def named(pages: Client, booking: Booking) -> str:
    """The name of a booking at its box."""
    page = pages.get(QUEUE).content.decode()
    return re.sub(r"<[^>]*>", "", page.split(f'<label for="tick-{booking.pk}">')[1].split("</label>")[0])


class TestWhatWaits:
    def test_pending_bookings_that_are_not_over_wait(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        waiting = make_pending_booking(alice, lab)
        running = make_pending_booking(alice, make_resource("Now"), timezone.now() - timedelta(minutes=5))
        make_pending_booking(alice, lab, at(10, day=-2))
        make_booking(alice, lab, at(14))
        make_cancelled_booking(alice, lab)
        make_rejected_booking(alice, lab)
        assert shown(admin_pages) == [running.pk, waiting.pk]

    def test_the_soonest_or_the_oldest_come_first(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        old, soon = make_pending_booking(alice, lab, at(15, day=2)), make_pending_booking(alice, lab, at(9))
        assert shown(admin_pages) == shown(admin_pages, "?order=soonest") == [soon.pk, old.pk]
        assert shown(admin_pages, "?order=oldest") == [old.pk, soon.pk]

    def test_a_day_is_chosen(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        tomorrow = make_pending_booking(alice, lab)
        later = make_pending_booking(alice, lab, at(10, day=2))
        assert shown(admin_pages, f"?day={at(0).date()}") == [tomorrow.pk]
        assert shown(admin_pages, f"?day={at(0, day=2).date()}") == [later.pk]
        assert shown(admin_pages, f"?day={at(0, day=3).date()}") == []

    def test_a_day_is_that_of_the_reader(
        self, admin_pages: Client, alice: User, lab: Resource, settings: Settings
    ) -> None:
        settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
        booking = make_pending_booking(alice, lab, at(20))
        assert shown(admin_pages, f"?day={at(0, day=2).date()}") == [booking.pk]
        assert shown(admin_pages, f"?day={at(0).date()}") == []
        assert named(admin_pages, booking) == f"Lab, {at(0, day=2).date()} 05:00–06:00 Asia/Tokyo, alice"

    def test_many_are_shown_in_pages(
        self, admin_pages: Client, alice: User, lab: Resource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.desk.queue.ON_A_PAGE", 2)
        first, second, third = (make_pending_booking(alice, lab, at(hour)) for hour in (8, 10, 12))
        assert shown(admin_pages) == [first.pk, second.pk]
        page = admin_pages.get(QUEUE).content.decode()
        (link,) = re.findall(r'<a href="([^"]*)">Next page', page)
        assert shown(admin_pages, unescape(link)) == [third.pk]
        assert "<strong>3</strong> bookings wait for approval" in page

    def test_nothing_waits(self, admin_pages: Client) -> None:
        page = admin_pages.get(QUEUE).content.decode()
        assert "<strong>0</strong> bookings wait for approval" in page
        assert '<form method="post" action="/admin/queue/"' not in page

    @pytest.mark.parametrize(
        "query",
        [
            *("?order=x", "?order=", "?day=x", "?day=0001-01-01", "?day=9999-12-31", "?day=2026-02-30", "?day=%00"),
            *("?p=0", "?p=x", "?p=-1", "?p=99999999999999999999999", "?p=%00", "?all", "?nothing=1", "?q=1&q=2"),
        ],
    )
    def test_no_address_breaks_the_page(self, admin_pages: Client, alice: User, lab: Resource, query: str) -> None:
        booking = make_pending_booking(alice, lab)
        assert shown(admin_pages, query) == [booking.pk]


class TestWhatIsKnown:
    def test_who_when_and_notes(self, admin_pages: Client, lab: Resource) -> None:
        person = make_user("carla", first_name="Carla", last_name="Ruiz")
        booking = make_pending_booking(person, lab)
        Booking.objects.filter(pk=booking.pk).update(notes="Two chairs\nplease", staff_note="A regular")
        page = admin_pages.get(QUEUE).content.decode()
        assert named(admin_pages, booking) == f"Lab, {at(0).date()} 10:00–11:00 UTC, carla"
        assert "<bdi>Carla Ruiz</bdi>" in page
        assert 'href="mailto:carla@example.org"' in page
        assert "Two chairs\nplease" in page
        assert "A regular" in page

    def test_what_is_booked_around_it_on_that_resource_that_day(
        self, admin_pages: Client, admin: User, alice: User, bob: User, lab: Resource
    ) -> None:
        booking = make_pending_booking(alice, lab, at(10))
        make_booking(bob, lab, at(8))
        make_pending_booking(bob, lab, at(11))
        make_closure(admin, lab, start=at(15), end=at(16), reason="Cleaning")
        make_cancelled_booking(bob, lab, at(10))
        make_booking(bob, lab, at(10, day=2))
        make_booking(bob, lab, at(10, day=0))
        make_booking(bob, make_resource("Another"), at(8))
        make_booking(bob, lab, at(22), at(3, day=2))
        assert part_of(admin_pages, booking, "around") == [
            "08:00–09:00 bob, confirmed",
            "10:00–11:00 this request",
            "11:00–12:00 bob, pending",
            "15:00–16:00 closed: Cleaning",
            f"{at(0).date()} 22:00–{at(0, day=2).date()} 03:00 bob, confirmed",
        ]

    def test_a_loan_over_days_shows_its_first_day_and_its_last_one(
        self, admin_pages: Client, alice: User, bob: User, lab: Resource
    ) -> None:
        loan = make_booking(alice, lab, at(12), at(12, day=3), status="pending")
        make_booking(bob, lab, at(8))
        make_booking(bob, lab, at(14, day=3))
        make_booking(bob, lab, at(14, day=4))
        first, last = at(0).date(), at(0, day=3).date()
        assert part_of(admin_pages, loan, "around") == [
            f"{first} 08:00–09:00 bob, confirmed",
            f"{first} 12:00–{last} 12:00 this request",
            f"{last} 14:00–15:00 bob, confirmed",
        ]

    def test_the_other_bookings_of_the_person_that_are_to_come(
        self, admin_pages: Client, alice: User, bob: User, lab: Resource, room: Resource
    ) -> None:
        booking = make_pending_booking(alice, lab)
        make_booking(alice, room, at(8, day=-1))
        make_cancelled_booking(alice, room, at(8))
        make_booking(bob, room, at(20))
        others = [make_booking(alice, room, at(hour, day=2)) for hour in range(8, 13)]
        assert part_of(admin_pages, booking, "person") == [
            *(f"Blue room, {each.start_time:%Y-%m-%d %H:%M}–{each.end_time:%H:%M}" for each in others[:3]),
            "and 2 more",
        ]

    def test_a_person_without_other_bookings(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        assert part_of(admin_pages, make_pending_booking(alice, lab), "person") == ["No other booking ahead"]

    def test_what_the_quotas_leave_in_the_period_of_the_booking(
        self, admin_pages: Client, as_admin: APIClient, alice: User, bob: User, lab: Resource, room: Resource
    ) -> None:
        guests, others = Group.objects.create(name="Guests"), Group.objects.create(name="Others")
        alice.groups.add(guests)
        add_quota(as_admin, kind="active", limit=5)
        add_quota(as_admin, resource=lab.pk, kind="count", period="day", limit=2)
        add_quota(as_admin, resource=lab.pk, group=guests.pk, kind="minutes", period="day", limit=90)
        add_quota(as_admin, resource=lab.pk, group=others.pk, kind="count", period="day", limit=1)
        add_quota(as_admin, resource=room.pk, kind="count", period="day", limit=1)
        booking = make_pending_booking(alice, lab)
        make_booking(alice, lab, at(14))
        make_booking(alice, room, at(14, day=2))
        make_booking(bob, lab, at(16))
        lines = part_of(admin_pages, booking, "person")
        assert sorted(line for line in lines if " used, " in line) == [
            "120 of 90 minutes of this resource a day used, 0 left",
            "2 of 2 bookings of this resource a day used, 0 left",
            "3 of 5 active bookings used, 2 left",
        ]

    def test_names_and_notes_are_text_alone(self, admin_pages: Client, lab: Resource, room: Resource) -> None:
        Resource.objects.filter(pk=lab.pk).update(name=HOSTILE)
        person = make_user("mallory", first_name="<img src=x onerror=alert(1)>", last_name=HOSTILE)
        booking = make_pending_booking(person, Resource.objects.get(pk=lab.pk))
        Booking.objects.filter(pk=booking.pk).update(notes=HOSTILE, staff_note=HOSTILE)
        make_booking(person, Resource.objects.get(pk=lab.pk), at(14))
        page = admin_pages.get(QUEUE).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


class TestDecisions:
    def test_ticked_bookings_are_confirmed(
        self, admin_pages: Client, admin: User, alice: User, lab: Resource, mailoutbox: list[EmailMultiAlternatives]
    ) -> None:
        first, second, third = (make_pending_booking(alice, lab, at(hour)) for hour in (8, 10, 12))
        assert post(admin_pages, "confirm", first, third) == [("success", "2 bookings confirmed.")]
        assert [status_of(each) for each in (first, second, third)] == ["confirmed", "pending", "confirmed"]
        assert told() == [("booking.confirmed", first.pk, "admin"), ("booking.confirmed", third.pk, "admin")]
        assert {row.channel for row in recorded()} == {"admin"}
        assert LogEntry.objects.filter(user=admin).count() == 2
        deliver()
        assert len(mailoutbox) == 2

    def test_ticked_bookings_are_rejected_with_a_reason(
        self, admin_pages: Client, alice: User, lab: Resource, mailoutbox: list[EmailMultiAlternatives]
    ) -> None:
        booking = make_pending_booking(alice, lab)
        report = post(admin_pages, "reject", booking, reason="No heating\r\nthis week.")
        assert report == [("success", "1 booking rejected.")]
        assert (status_of(booking), recorded()[-1].reason) == ("rejected", "No heating\nthis week.")
        deliver()
        assert "No heating" in mailoutbox[0].body

    def test_one_booking_is_decided_by_its_own_button_whatever_is_ticked(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        ticked, other, third = (make_pending_booking(alice, lab, at(hour)) for hour in (8, 10, 12))
        admin_pages.post(QUEUE, {"confirm_one": key_of(other), "ticked": [key_of(ticked)]})
        admin_pages.post(QUEUE, {"reject_one": key_of(third), "ticked": [key_of(ticked)], "reason": ""})
        assert [status_of(each) for each in (ticked, other, third)] == ["pending", "confirmed", "rejected"]

    def test_one_decision_can_be_taken_back(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        booking = make_pending_booking(alice, lab)
        answer = admin_pages.post(f"{QUEUE}?order=oldest", {"confirm_one": key_of(booking)})
        page = admin_pages.get(answer.headers["Location"]).content.decode()
        (token,) = re.findall(r'name="token" value="([^"]*)"', page)
        (address,) = re.findall(r'name="next" value="([^"]*)"', page)
        answer = admin_pages.post("/admin/take-back/", {"token": token, "next": address})
        assert (answer.headers["Location"], status_of(booking)) == (f"{QUEUE}?order=oldest", "pending")

    def test_twelve_of_tomorrow_are_confirmed_in_three_clicks(self, admin_pages: Client, alice: User) -> None:
        zone_day = timezone.localdate() + timedelta(days=1)
        lab = make_resource("Lab", requires_approval=True)
        start = timezone.now().replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
        wanted = [make_pending_booking(alice, lab, start + timedelta(hours=hour)) for hour in range(12)]
        later = make_pending_booking(alice, lab, start + timedelta(days=2))

        page = admin_pages.get(QUEUE).content.decode()
        (tomorrow,) = re.findall(r'<a href="([^"]*)"[^>]*>tomorrow</a>', page)
        assert f"day={zone_day}" in tomorrow
        page = admin_pages.get(QUEUE + unescape(tomorrow)).content.decode()  # the first click
        (all_of_it,) = re.findall(r'<a href="([^"]*)"[^>]*>Tick all on this page</a>', page)
        page = admin_pages.get(unescape(all_of_it))  # the second
        keys = [key for key, ticked in boxes(page).values() if ticked]
        (target,) = re.findall(r'<form method="post" action="([^"]*)" id="queue"', page.content.decode())
        answer = admin_pages.post(unescape(target), {"ticked": keys, "confirm": "1", "reason": ""})  # the third

        assert report_of(answer) == [("success", "12 bookings confirmed.")]
        assert {status_of(each) for each in wanted} == {"confirmed"}
        assert status_of(later) == "pending"
        assert answer.headers["Location"] == f"{QUEUE}?order=soonest&day={zone_day}"

    def test_what_was_decided_meanwhile_is_left_and_named(
        self, admin_pages: Client, as_alice: APIClient, alice: User, lab: Resource
    ) -> None:
        bookings = [make_pending_booking(alice, lab, at(hour)) for hour in (8, 10)]
        keys = [key_of(each) for each in bookings]
        as_alice.delete(f"/api/bookings/{bookings[0].pk}/")
        answer = admin_pages.post(QUEUE, {"confirm": "1", "ticked": keys})
        done, left = report_of(answer)
        assert done == ("success", "1 booking confirmed.")
        assert left[1].startswith(f"Not done: Booking {bookings[0].pk} (Lab, ")
        assert left[1].endswith("This booking is cancelled by now and was left as it is.")
        assert [status_of(each) for each in bookings] == ["cancelled", "confirmed"]

    def test_what_was_moved_meanwhile_is_left_and_named(
        self, admin_pages: Client, as_alice: APIClient, alice: User, lab: Resource
    ) -> None:
        booking = make_pending_booking(alice, lab)
        key = key_of(booking)
        moved = {"start_time": at(15).isoformat(), "end_time": at(16).isoformat()}
        assert as_alice.patch(f"/api/bookings/{booking.pk}/", moved).status_code == 200
        ((level, sentence),) = report_of(admin_pages.post(QUEUE, {"confirm": "1", "ticked": [key]}))
        assert level == "error"
        assert "Somebody changed this booking meanwhile and it was left as it is." in sentence
        assert status_of(booking) == "pending"

    def test_what_was_removed_meanwhile_is_named(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        booking = make_pending_booking(alice, lab)
        key, number = key_of(booking), booking.pk
        booking.delete()
        answer = admin_pages.post(QUEUE, {"reject_one": key})
        assert report_of(answer) == [("error", f"Not done: Booking {number}: This booking is not there any more.")]

    def test_a_reason_that_a_resource_requires_is_asked_for_and_the_ticks_stay(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        asking = make_resource("Strict lab", requires_approval=True, reason_required=True)
        first, second = make_pending_booking(alice, lab), make_pending_booking(alice, asking)
        third = make_pending_booking(alice, lab, at(15))
        body = {"reject": "1", "ticked": [key_of(first), key_of(second)]}
        page = admin_pages.post(QUEUE, {**body, "reason": "  "})
        assert page.status_code == 200
        assert "A rejection needs a reason for Strict lab. Nothing was changed." in page.content.decode()
        assert {number for number, (_, ticked) in boxes(page).items() if ticked} == {first.pk, second.pk}
        assert {status_of(each) for each in (first, second, third)} == {"pending"}
        assert (told(), LogEntry.objects.count()) == ([], 0)
        assert report_of(admin_pages.post(QUEUE, {**body, "reason": "Full"})) == [("success", "2 bookings rejected.")]

    @pytest.mark.parametrize("reason", ["x" * 501, "\0"])
    def test_a_reason_that_cannot_be_kept_is_refused(
        self, admin_pages: Client, alice: User, lab: Resource, reason: str
    ) -> None:
        booking = make_pending_booking(alice, lab)
        page = admin_pages.post(QUEUE, {"reject": "1", "ticked": [key_of(booking)], "reason": reason})
        assert (page.status_code, status_of(booking)) == (200, "pending")
        assert "errorlist" in page.content.decode()

    @pytest.mark.parametrize("key", ["", "x", "\0", "-1 x", "9" * 30, "²", "1,2"])
    def test_a_selection_that_cannot_be_read_changes_nothing(
        self, admin_pages: Client, alice: User, lab: Resource, key: str
    ) -> None:
        booking = make_pending_booking(alice, lab)
        answer = admin_pages.post(QUEUE, {"confirm": "1", "ticked": [key_of(booking), key]})
        assert report_of(answer) == [("error", "The selection cannot be read. Nothing was changed.")]
        assert status_of(booking) == "pending"

    def test_without_a_tick_nothing_is_changed(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        make_pending_booking(alice, lab)
        answer = admin_pages.post(QUEUE, {"confirm": "1"})
        assert report_of(answer) == [("warning", "Tick at least one booking. Nothing was changed.")]
        assert admin_pages.post(QUEUE, {"explode": "1"}).status_code == 302
        assert told() == []


class TestCost:
    def test_a_page_takes_the_same_statements_however_many_bookings_it_shows(
        self, admin_pages: Client, as_admin: APIClient, alice: User, lab: Resource
    ) -> None:
        group = Group.objects.create(name="Guests")
        add_quota(as_admin, group=group.pk, kind="count", period="week", limit=3)

        def statements() -> int:
            with CaptureQueriesContext(connection) as asked:
                assert admin_pages.get(QUEUE).status_code == 200
            return len(asked)

        make_pending_booking(alice, lab)
        set_policy(as_admin, lab, max_minutes=600)
        few = statements()
        for number in range(30):
            person = make_user(f"person{number}")
            person.groups.add(group)
            resource = make_resource(f"Lab {number}", requires_approval=True)
            set_policy(as_admin, resource, max_minutes=600 + number)
            for day in range(2):
                make_pending_booking(person, resource, at(10, day=day + 1))
        assert len(shown(admin_pages)) == 50
        assert statements() == few
        assert Quota.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_and_an_ordinary_user_do_not_reach_the_queue(alice: User, lab: Resource, method: str) -> None:
    booking = make_pending_booking(alice, lab)
    client = Client(HTTP_X_FORWARDED_PROTO="https")
    for _ in range(2):
        answer = getattr(client, method)(QUEUE, {"confirm": "1", "ticked": key_of(booking)})
        assert (answer.status_code, answer.headers["Location"].startswith("/admin/login/")) == (302, True)
        assert status_of(booking) == "pending"
        client.force_login(alice)
