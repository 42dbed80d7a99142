"""Closures in the admin: the form, the page that asks first, changes and lifting."""

import re
from datetime import datetime
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core.intervals import Interval
from core.models import Booking, Closure, Resource
from core.tests.bookings.test_admin import errors_of
from core.tests.support.closures import closed, make_closure
from core.tests.support.factories import at, make_booking, make_ended_booking, make_resource
from core.tests.support.mailing import deliver
from core.tests.support.records import told

CLOSURES = "/admin/core/closure/"
ADD = f"{CLOSURES}add/"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
RADIO = re.compile(r'<input type="radio" name="on_conflict" id="on_conflict_(\w+)" value="\w+"( checked)?( disabled)?>')


def page_of(closure: Closure) -> str:
    return f"{CLOSURES}{closure.pk}/change/"


def typed(
    *resources: Resource, start: datetime | None = None, end: datetime | None = None, **more: object
) -> dict[str, object]:
    """What the form sends for a closure of tomorrow, 9 to 17, unless said otherwise."""
    start, end = start or at(9), end or at(17)
    return {
        "resources": [resource.pk for resource in resources],
        "start_time_0": f"{start:%Y-%m-%d}",
        "start_time_1": f"{start:%H:%M:%S}",
        "end_time_0": f"{end:%Y-%m-%d}",
        "end_time_1": f"{end:%H:%M:%S}",
        "reason": "Repair",
        "staff_note": "",
        "on_conflict": "refuse",
        **more,
    }


def answered(answer: object, **more: object) -> dict[str, object]:
    """What the page that asks sends."""
    assert answer.status_code == 200
    assert answer.templates[0].name == "admin/core/closure/preview.html"
    sent: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(answer.content.decode().split('<form method="post">')[-1]):
        sent.setdefault(name, []).append(unescape(value))
    return {**sent, **more}


class TestClosing:
    def test_free_resources_are_closed_at_once(
        self, admin_pages: Client, admin: User, room: Resource, lab: Resource
    ) -> None:
        answer = admin_pages.post(ADD, typed(room, lab, staff_note="Key at the desk"))
        assert (answer.status_code, answer["Location"]) == (302, CLOSURES)
        closure = Closure.objects.get()
        assert set(closure.resources.all()) == {room, lab}
        assert (closure.reason, closure.staff_note, closure.created_by) == ("Repair", "Key at the desk", admin)
        assert closed(room) == closed(lab) == [Interval(at(9), at(17))]
        assert LogEntry.objects.get().object_id == str(closure.pk)

    def test_the_page_takes_the_resource_from_its_address(self, admin_pages: Client, room: Resource) -> None:
        page = admin_pages.get(f"{ADD}?resources={room.pk}").content.decode()
        assert f'<option value="{room.pk}" selected>Blue room</option>' in page
        assert "All times are in UTC." in page

    def test_times_are_typed_on_the_clock_of_the_reader(
        self, admin_pages: Client, room: Resource, settings: Settings
    ) -> None:
        settings.HOUSE_TIME_ZONE = "Asia/Tokyo"
        admin_pages.post(ADD, typed(room, start=at(18), end=at(20)))
        assert closed(room) == [Interval(at(9), at(11))]

    def test_what_is_in_the_way_is_shown_before_anything_is_stored(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        booking = make_booking(alice, room)
        answer = admin_pages.post(ADD, typed(room, lab, on_conflict="cancel", reason="<b>Repair"))
        page = answer.content.decode()
        for text in (
            f'<a href="/admin/core/booking/{booking.pk}/change/">{booking}</a>',
            "<td>confirmed</td>",
            "&lt;b&gt;Repair",
            "1 booking is cancelled, and its owner is told by e-mail",
            f"<li>Lab, {at(9):%Y-%m-%d} 09:00–17:00</li>",
            f"<li>Blue room, {at(9):%Y-%m-%d} 09:00–10:00</li>",
        ):
            assert text in page, text
        assert RADIO.findall(page) == [("refuse", "", ""), ("cancel", " checked", ""), ("around", "", "")]
        assert (Closure.objects.count(), told(), LogEntry.objects.count()) == (0, [], 0)
        booking.refresh_from_db()
        assert booking.status == "confirmed"

    def test_the_bookings_are_cancelled_after_the_answer_and_their_owners_are_told(
        self,
        admin_pages: Client,
        alice: User,
        room: Resource,
        lab: Resource,
        mailoutbox: list[EmailMultiAlternatives],
    ) -> None:
        booking = make_booking(alice, room)
        asked = admin_pages.post(ADD, typed(room, lab))
        answer = admin_pages.post(ADD, answered(asked, on_conflict="cancel"))
        assert answer.status_code == 302
        booking.refresh_from_db()
        assert booking.status == "cancelled"
        assert closed(room) == closed(lab) == [Interval(at(9), at(17))]
        assert told() == [("booking.cancelled", booking.pk, "admin")]
        sentences = [each.message for each in get_messages(answer.wsgi_request)]
        assert "1 booking was cancelled; its owner is told by e-mail." in sentences
        deliver()
        assert ["Repair" in mail.body for mail in mailoutbox if "alice@example.org" in mail.to] == [True]

    def test_the_free_time_around_the_bookings_is_closed(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        asked = admin_pages.post(ADD, typed(room))
        assert admin_pages.post(ADD, answered(asked, on_conflict="around")).status_code == 302
        assert closed(room) == [Interval(at(9), at(10)), Interval(at(11), at(17))]
        assert Booking.objects.get().status == "confirmed"

    def test_to_close_nothing_closes_nothing(self, admin_pages: Client, alice: User, room: Resource) -> None:
        make_booking(alice, room)
        asked = admin_pages.post(ADD, typed(room))
        found = errors_of(admin_pages.post(ADD, answered(asked, on_conflict="refuse")))
        assert "1 booking is in the way. Nothing was closed." in found["__all__"][0]
        assert (Closure.objects.count(), Booking.objects.get().status) == (0, "confirmed")

    def test_the_way_back_to_the_form_keeps_what_was_typed(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        asked = admin_pages.post(ADD, typed(room, staff_note="Mind the step"))
        back = admin_pages.post(ADD, answered(asked, on_conflict="cancel", _edit="Back"))
        assert errors_of(back) == {"__all__": ["Nothing is closed yet. Change what you like and save again."]}
        assert "Mind the step" in back.content.decode()
        assert (Closure.objects.count(), Booking.objects.get().status) == (0, "confirmed")

    def test_a_booking_that_came_after_the_question_is_asked_about_anew(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        asked = admin_pages.post(ADD, typed(room))
        later = make_booking(alice, room, at(14))
        again = admin_pages.post(ADD, answered(asked, on_conflict="cancel"))
        assert f'/{later.pk}/change/">{later}<' in again.content.decode()
        assert set(Booking.objects.values_list("status", flat=True)) == {"confirmed"}
        assert admin_pages.post(ADD, answered(again, on_conflict="cancel")).status_code == 302
        assert set(Booking.objects.values_list("status", flat=True)) == {"cancelled"}

    def test_a_closure_in_the_way_cannot_be_cancelled(self, admin_pages: Client, admin: User, room: Resource) -> None:
        other = make_closure(admin, room, start=at(12), end=at(13))
        asked = admin_pages.post(ADD, typed(room))
        page = asked.content.decode()
        name = f"Blue room, {at(12):%Y-%m-%d} 12:00–13:00 UTC, closed"
        assert f'<a href="/admin/core/closure/{other.pk}/change/">{name}</a>' in page
        assert "<td>another closure</td>" in page
        assert "Not possible: another closure is in the way." in page
        assert RADIO.findall(page) == [("refuse", " checked", ""), ("cancel", "", " disabled"), ("around", "", "")]
        assert errors_of(admin_pages.post(ADD, answered(asked, on_conflict="cancel")))
        assert Closure.objects.count() == 1

    def test_a_booking_that_is_over_is_not_in_the_way(self, admin_pages: Client, alice: User, room: Resource) -> None:
        make_ended_booking(alice, room)
        assert admin_pages.post(ADD, typed(room, start=at(9, day=-1))).status_code == 302

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"resources": []}, "resources"),
            ({"resources": ["x"]}, "resources"),
            ({"resources": ["9" * 30]}, "resources"),
            ({"resources": ["\0"]}, "resources"),
            ({"start_time_0": "05/12/2026"}, "start_time"),
            ({"start_time_1": "25:00"}, "start_time"),
            ({"end_time_0": "\0"}, "end_time"),
            ({"end_time_0": "2001-01-01", "start_time_0": "2000-01-01"}, "end_time"),
            ({"end_time_0": "9999-12-31"}, "end_time"),
            ({"end_time_1": "08:00"}, "__all__"),
            ({"reason": ""}, "reason"),
            ({"reason": "x" * 201}, "reason"),
            ({"reason": "\0"}, "reason"),
            ({"staff_note": "x" * 5001}, "staff_note"),
            ({"on_conflict": "explode"}, "on_conflict"),
            ({"zone": "Asia/Tokyo"}, "__all__"),
        ],
        ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
    )
    def test_garbage_is_a_form_error(self, admin_pages: Client, room: Resource, sent: dict, field: str) -> None:
        assert field in errors_of(admin_pages.post(ADD, {**typed(room), **sent}))
        assert not Closure.objects.exists()

    def test_an_empty_form_is_full_of_errors(self, admin_pages: Client) -> None:
        assert set(errors_of(admin_pages.post(ADD, {}))) == {"resources", "start_time", "end_time", "reason"}

    @pytest.mark.parametrize("key", ["x", "9" * 30, "\0", "²"])
    def test_an_address_with_a_resource_that_is_none_is_no_error_page(self, admin_pages: Client, key: str) -> None:
        assert admin_pages.get(ADD, {"resources": key}).status_code == 200


class TestChanging:
    def test_a_reason_is_changed_without_a_question(
        self, admin_pages: Client, admin: User, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room)
        closure = make_closure(admin, room, on_conflict="around", staff_note="a\nb")
        sent = typed(room, reason="Painting", staff_note="a\r\nb")
        assert admin_pages.post(page_of(closure), sent).status_code == 302
        closure.refresh_from_db()
        assert (closure.reason, closure.staff_note) == ("Painting", "a\nb")
        assert closed(room) == [Interval(at(9), at(10)), Interval(at(11), at(17))]

    def test_other_resources_and_times_are_taken(
        self, admin_pages: Client, admin: User, room: Resource, lab: Resource
    ) -> None:
        closure = make_closure(admin, room)
        assert admin_pages.post(page_of(closure), typed(lab, end=at(12))).status_code == 302
        assert (closed(room), closed(lab)) == ([], [Interval(at(9), at(12))])

    def test_a_change_over_bookings_is_asked_about(
        self, admin_pages: Client, admin: User, alice: User, room: Resource
    ) -> None:
        closure, booking = make_closure(admin, room), make_booking(alice, room, at(18))
        asked = admin_pages.post(page_of(closure), typed(room, end=at(20)))
        assert "Change as chosen" in asked.content.decode()
        assert closed(room) == [Interval(at(9), at(17))]
        assert admin_pages.post(page_of(closure), answered(asked, on_conflict="cancel")).status_code == 302
        booking.refresh_from_db()
        assert (closed(room), booking.status) == ([Interval(at(9), at(20))], "cancelled")

    def test_saving_the_form_as_it_is_changes_nothing(self, admin_pages: Client, admin: User, room: Resource) -> None:
        start = at(9).replace(second=7, microsecond=654_321)
        closure = make_closure(admin, room, start=start)
        assert admin_pages.post(page_of(closure), typed(room, start=start, reason="Maintenance")).status_code == 302
        assert closed(room) == [Interval(start, at(17))]

    def test_a_closure_that_has_begun_may_end_earlier(self, admin_pages: Client, admin: User, room: Resource) -> None:
        closure = make_closure(admin, room, start=at(0, day=-2), end=at(17))
        sent = typed(room, start=at(0, day=-2), end=at(0, day=-1))
        assert admin_pages.post(page_of(closure), sent).status_code == 302
        assert closed(room) == [Interval(at(0, day=-2), at(0, day=-1))]

    def test_a_closure_that_was_lifted_meanwhile_leads_back(
        self, admin_pages: Client, admin: User, room: Resource
    ) -> None:
        closure = make_closure(admin, room)
        closure.delete()
        assert admin_pages.post(f"{CLOSURES}1/change/", typed(room)).status_code == 302


class TestLifting:
    def test_the_question_says_that_nothing_comes_back(
        self, admin_pages: Client, admin: User, alice: User, room: Resource
    ) -> None:
        booking = make_booking(alice, room)
        closure = make_closure(admin, room, on_conflict="cancel")
        page = admin_pages.get(f"{CLOSURES}{closure.pk}/delete/").content.decode()
        assert "a booking that the closure cancelled stays cancelled" in page
        assert "Maintenance: Blue room" in page
        assert admin_pages.post(f"{CLOSURES}{closure.pk}/delete/", {"post": "yes"}).status_code == 302
        booking.refresh_from_db()
        assert (closed(room), Closure.objects.count(), booking.status) == ([], 0, "cancelled")

    def test_several_are_lifted_at_once(self, admin_pages: Client, admin: User, room: Resource, lab: Resource) -> None:
        closures = [make_closure(admin, each) for each in (room, lab)]
        body = {"action": "delete_selected", "_selected_action": [each.pk for each in closures]}
        assert "stays cancelled" in admin_pages.post(CLOSURES, body).content.decode()
        assert Closure.objects.count() == 2
        admin_pages.post(CLOSURES, {**body, "post": "yes"})
        assert (Closure.objects.count(), Booking.taken.count()) == (0, 0)


class TestTheList:
    def test_it_tells_when_what_and_why(self, admin_pages: Client, admin: User, room: Resource, lab: Resource) -> None:
        make_closure(admin, room, lab, reason="<i>Repair", staff_note="Key at the desk")
        page = admin_pages.get(f"{CLOSURES}").content.decode()
        for text in (f"{at(9):%Y-%m-%d} 09:00–17:00", "Blue room, Lab", "&lt;i&gt;Repair", "Key at the desk", "admin"):
            assert text in page, text

    def test_it_names_the_first_of_many_resources(self, admin_pages: Client, admin: User) -> None:
        make_closure(admin, *(make_resource(f"Room {number}") for number in range(8)))
        assert "Room 4 and 3 more" in admin_pages.get(f"{CLOSURES}").content.decode()

    def test_those_of_a_resource_are_one_click_away(
        self, admin_pages: Client, admin: User, room: Resource, lab: Resource
    ) -> None:
        wanted, _ = make_closure(admin, room), make_closure(admin, lab)
        page = admin_pages.get(f"/admin/core/resource/{room.pk}/change/").content.decode()
        [link] = re.findall(r'<a href="([^"]*)">Show closures</a>', page)
        assert list(admin_pages.get(unescape(link)).context["cl"].result_list) == [wanted]
        [link] = re.findall(r'<a href="([^"]*)">close it</a>', page)
        assert "selected>Blue room" in admin_pages.get(unescape(link)).content.decode()

    def test_they_are_filtered_by_whether_they_are_over(self, admin_pages: Client, admin: User, room: Resource) -> None:
        coming = make_closure(admin, room)
        over = make_closure(admin, room, start=at(9, day=-2), end=at(9))
        Closure.objects.filter(pk=over.pk).update(end_time=at(10, day=-2))
        for query, rows in {
            "when=coming": [coming],
            "when=over": [over],
            "": [coming, over],
            "when=x": [coming, over],
        }.items():
            assert list(admin_pages.get(f"{CLOSURES}?{query}").context["cl"].result_list) == rows, query

    def test_they_are_found_by_reason_note_and_resource(
        self, admin_pages: Client, admin: User, room: Resource, lab: Resource
    ) -> None:
        wanted = make_closure(admin, room, reason="Painting", staff_note="Ladder")
        make_closure(admin, lab)
        for words in ("painting", "ladder", "blue", "blue ladder"):
            assert list(admin_pages.get(CLOSURES, {"q": words}).context["cl"].result_list) == [wanted], words

    def test_it_costs_the_same_statements_however_many_rows(self, admin_pages: Client, admin: User) -> None:
        costs = []
        for number in (2, 30):
            for each in range(number):
                make_closure(admin, make_resource(f"Room {number} {each}"))
            admin_pages.get(f"{CLOSURES}")
            with CaptureQueriesContext(connection) as statements:
                admin_pages.get(f"{CLOSURES}")
            costs.append(len(statements))
        assert costs[0] == costs[1] <= 10

    @pytest.mark.parametrize("query", ["q=%00", "resources__id__exact=x", "when=x", "start_time__year=1", "p=-1"])
    def test_no_query_string_is_an_error_page(self, admin_pages: Client, query: str) -> None:
        assert admin_pages.get(f"{CLOSURES}?{query}").status_code in (200, 302)
