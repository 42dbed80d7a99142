"""The admin of the record: the history of a booking, the list of all acts, and the page of one."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from core import lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.record.acts import Act
from core.record.kinds import Channel, EventKind
from core.record.models import BookingEvent
from core.record.writing import record
from core.tests.support.acts import act
from core.tests.support.factories import at, make_resource

LIST = "/admin/core/bookingevent/"
BOOKINGS = "/admin/core/booking/"
HREF = re.compile(r'href="([^"#][^"]*)"')
TIMES = f"{at(10):%Y-%m-%d} 10:00", f"{at(11):%Y-%m-%d} 11:00"


@pytest.fixture
def booking(alice: User, admin: User, lab: Resource) -> Booking:
    """Made by alice, confirmed by staff in the admin, cancelled by a job."""
    booking = lifecycle.book(
        user=alice, resource_id=lab.pk, start_time=at(10), end_time=at(11), notes="<b>Four</b>", act=act(alice)
    )
    by_admin = Act(by=admin, now=timezone.now(), channel=Channel.ADMIN, request_id="5f0c-3a52", reason="Yours & mine")
    lifecycle.change(booking, changes=Changes(status="confirmed"), act=by_admin)
    lifecycle.cancel(booking, act=Act(by=None, now=timezone.now(), channel=Channel.JOB))
    return booking


@pytest.fixture
def other(bob: User, room: Resource) -> Booking:
    """Made by bob."""
    return lifecycle.book(user=bob, resource_id=room.pk, start_time=at(14), end_time=at(15), act=act(bob))


def follow_links(browser: Client, pages: list[str]) -> set[str]:
    """Opens pages, and each page of the admin to which they link, once; the addresses of all links."""
    opened, followed = set(pages), set[str]()
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        found = {unescape(href) for href in HREF.findall(answer.content.decode())}
        links = {f"{page.split('?')[0]}{href}" if href.startswith("?") else href for href in found}
        for link in links - opened:
            if link.startswith("/admin/"):
                assert browser.get(link, follow=True).status_code == 200, (page, link)
        opened |= links
        followed |= links
    return followed


def table(page: str, name: str) -> list[list[str]]:
    """The rows of the table of that class or id, each with the text of its cells."""
    body = page.split(f'"{name}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    rows = [re.split(r"</t[hd]>", row)[:-1] for row in body.split("</tr>")[:-1]]
    return [[" ".join(unescape(strip_tags(cell.replace("<br>", "; "))).split()) for cell in row] for row in rows]


def listed(pages: Client, query: str = "") -> list[tuple[str, int]]:
    """The kind and the booking of each act in the list."""
    answer = pages.get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer
    return [(row.kind.split(".")[1], row.booking_id) for row in answer.context["cl"].result_list]


class TestTheHistoryOfABooking:
    def test_it_says_who_did_what_when_why_and_how(self, admin_pages: Client, booking: Booking) -> None:
        page = admin_pages.get(f"{BOOKINGS}{booking.pk}/history/").content.decode()
        cancelled, confirmed, created = table(page, "acts")
        made_at = BookingEvent.objects.order_by("pk")[0].at
        assert created[:4] == [
            f"{made_at:%Y-%m-%d %H:%M:%S}",
            "booking.created",
            "alice (owner)",
            f"resource: Lab; start time: {TIMES[0]}; end time: {TIMES[1]}; status: pending; notes: <b>Four</b>",
        ]
        assert created[4:] == ["-", "api"]
        assert confirmed[1:] == [
            "booking.confirmed",
            "admin (staff)",
            "status: pending → confirmed",
            "Yours & mine",
            "admin; 5f0c-3a52",
        ]
        assert cancelled[1:] == ["booking.cancelled", "the system", "status: confirmed → cancelled", "-", "job"]

    def test_it_has_a_button_on_the_page_of_the_booking(self, admin_pages: Client, booking: Booking) -> None:
        page = admin_pages.get(f"{BOOKINGS}{booking.pk}/change/").content.decode()
        assert f'href="{BOOKINGS}{booking.pk}/history/"' in page

    def test_it_shows_fifty_acts_and_leads_to_all(self, admin_pages: Client, alice: User, booking: Booking) -> None:
        assert "All acts" not in admin_pages.get(f"{BOOKINGS}{booking.pk}/history/").content.decode()
        for number in range(48):
            lifecycle.change(booking, changes=Changes(notes=str(number)), act=act(None))
        page = admin_pages.get(f"{BOOKINGS}{booking.pk}/history/").content.decode()
        assert len(table(page, "acts")) == 50
        assert table(page, "acts")[0][3] == "notes: 46 → 47"
        (link,) = [href for href in HREF.findall(page) if href.startswith(LIST) and "?" in href]
        assert len(listed(admin_pages, link.split("?")[1])) == 50
        assert admin_pages.get(link).context["cl"].result_count == 51

    def test_it_costs_the_same_for_many_acts(self, admin_pages: Client, booking: Booking) -> None:
        costs = []
        for number in range(20):
            lifecycle.change(booking, changes=Changes(notes=str(number)), act=act(None))
            with CaptureQueriesContext(connection) as captured:
                admin_pages.get(f"{BOOKINGS}{booking.pk}/history/")
            costs.append(len(captured))
        assert len(set(costs)) == 1

    def test_a_booking_without_a_record_says_so(self, admin_pages: Client, booking: Booking, alice: User) -> None:
        bare = Booking.objects.create(user=alice, resource=booking.resource, start_time=at(18), end_time=at(19))
        assert "There is no act on record." in admin_pages.get(f"{BOOKINGS}{bare.pk}/history/").content.decode()

    def test_a_long_note_is_shortened(self, admin_pages: Client, booking: Booking) -> None:
        lifecycle.change(booking, changes=Changes(notes="x" * 5000), act=act(None))
        assert "x" * 300 not in admin_pages.get(f"{BOOKINGS}{booking.pk}/history/").content.decode()
        row = BookingEvent.objects.first()
        assert "x" * 5000 in admin_pages.get(f"{LIST}{row.pk}/change/").content.decode()


class TestTheList:
    def test_it_shows_all_acts_newest_first(self, admin_pages: Client, booking: Booking, other: Booking) -> None:
        page = admin_pages.get(LIST).content.decode()
        rows = table(page, "result_list")
        name = f"{booking}; no. {booking.pk}, alice"
        assert [row[1:] for row in rows] == [
            ["booking.created", f"{other}; no. {other.pk}, bob", "bob (owner)", "api", "-"],
            ["booking.cancelled", name, "the system", "job", "-"],
            ["booking.confirmed", name, "admin (staff)", "admin; 5f0c-3a52", "Yours & mine"],
            ["booking.created", name, "alice (owner)", "api", "-"],
        ]

    def test_the_first_page_leads_to_it(self, admin_pages: Client) -> None:
        page = admin_pages.get("/admin/").content.decode()
        assert re.search(rf'href="{LIST}"[^>]*>Acts<', page)

    @pytest.mark.parametrize(
        ("query", "kinds"),
        [
            ("kind__exact=booking.confirmed", ["confirmed"]),
            ("person=bob", ["created of bob"]),
            ("person=ALICE", ["cancelled", "confirmed", "created"]),
            ("person=admin", ["confirmed"]),
            ("person=admin@example.org", ["confirmed"]),
            ("person=nobody", []),
            ("person=alice&kind__exact=booking.created", ["created"]),
            ("q={booking}", ["cancelled", "confirmed", "created"]),
            ("q=no.+{booking}", ["cancelled", "confirmed", "created"]),
            ("q=5f0c-3a52", ["confirmed"]),
            ("q=5f0c", []),
            ("booking_id__exact={booking}", ["cancelled", "confirmed", "created"]),
        ],
    )
    def test_it_is_searched_and_filtered(
        self, admin_pages: Client, booking: Booking, other: Booking, query: str, kinds: list[str]
    ) -> None:
        names = {booking.pk: "", other.pk: " of bob"}
        found = listed(admin_pages, query.format(booking=booking.pk))
        assert [kind + names[key] for kind, key in found] == kinds

    def test_days_are_chosen(self, admin_pages: Client, alice: User, room: Resource) -> None:
        midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        moments = [midnight - timedelta(microseconds=1), midnight, midnight + timedelta(days=1)]
        for index, moment in enumerate(moments):
            times = {"start_time": at(10), "end_time": at(11), "created_at": moment, "updated_at": moment}
            record_at(moment, Booking(pk=index + 1, user=alice, resource=room, **times))
        today = f"{midnight:%Y-%m-%d}"
        assert [key for _, key in listed(admin_pages, f"from={today}&to={today}")] == [2]
        assert [key for _, key in listed(admin_pages, f"from={today}")] == [3, 2]
        assert [key for _, key in listed(admin_pages, f"to={today}")] == [2, 1]
        assert admin_pages.get(f"{LIST}?from=26.11.2026").status_code == 302

    def test_a_filter_keeps_the_others(self, admin_pages: Client, booking: Booking) -> None:
        page = admin_pages.get(f"{LIST}?kind__exact=booking.created&person=alice&from=2026-01-01&q=1").content.decode()
        kept = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
        assert kept.count(("kind__exact", "booking.created")) >= 2
        assert ("person", "alice") in kept
        assert ("from", "2026-01-01") in kept

    @pytest.mark.parametrize(
        "query", ["person=%00", "person=" + "x" * 3000, "q=%00", "q=" + "9" * 40, "from=x", "kind=x"]
    )
    def test_no_query_string_breaks_it(self, admin_pages: Client, booking: Booking, query: str) -> None:
        assert admin_pages.get(f"{LIST}?{query}").status_code in (200, 302)

    def test_it_costs_the_same_statements_for_few_rows_and_for_many(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        costs = []
        for hours in (range(2), range(2, 40)):
            for hour in hours:
                owner = User.objects.create(username=f"user{hour}")
                made = lifecycle.book(
                    user=owner,
                    resource_id=room.pk,
                    start_time=at(hour, day=2),
                    end_time=at(hour + 1, day=2),
                    act=act(alice),
                )
                if hour % 2:
                    lifecycle.remove(made, act=act(None))
            with CaptureQueriesContext(connection) as captured:
                admin_pages.get(LIST)
            costs.append(len(captured))
        assert costs[0] == costs[1]


class TestLinks:
    def test_every_link_leads_to_a_page_that_staff_may_open(
        self, admin_pages: Client, alice: User, booking: Booking, other: Booking
    ) -> None:
        gone = lifecycle.book(
            user=alice, resource_id=make_resource().pk, start_time=at(10), end_time=at(11), act=act(alice)
        )
        lifecycle.remove(gone, act=act(None))
        User.objects.get(username="bob").delete()
        pages = [LIST, f"{LIST}?person=alice", f"{BOOKINGS}{booking.pk}/history/"]
        pages += [f"{LIST}{row.pk}/change/" for row in BookingEvent.objects.all()]
        followed = follow_links(admin_pages, pages)
        assert f"{BOOKINGS}{booking.pk}/change/" in followed
        assert not {link for link in followed if link.startswith((f"{BOOKINGS}{gone.pk}/", f"{BOOKINGS}{other.pk}/"))}

    def test_an_act_whose_people_are_gone_is_still_shown(
        self, admin_pages: Client, root: User, alice: User, booking: Booking
    ) -> None:
        lifecycle.change(booking, changes=Changes(notes="x"), act=act(root))
        root.delete()
        alice.delete()
        page = admin_pages.get(LIST).content.decode()
        name = f"Lab, {at(10):%Y-%m-%d} 10:00–11:00 UTC, a deleted account; no. {booking.pk}"
        assert [row[2:4] for row in table(page, "result_list")] == [
            [name, "a deleted account (staff)"],
            [name, "the system"],
            [name, "admin (staff)"],
            [name, "a deleted account (owner)"],
        ]
        for row in BookingEvent.objects.all():
            assert admin_pages.get(f"{LIST}{row.pk}/change/").status_code == 200


class TestThePageOfAnAct:
    def test_it_tells_the_act_in_words(self, admin_pages: Client, booking: Booking) -> None:
        row = BookingEvent.objects.get(kind="booking.confirmed")
        page = admin_pages.get(f"{LIST}{row.pk}/change/").content.decode()
        for text in (
            "status: pending → confirmed",
            "Yours &amp; mine",
            "5f0c-3a52",
            "not yet",
            f">{booking}<",
            f"no. {booking.pk}",
        ):
            assert text in page, text

    def test_nobody_adds_changes_or_deletes_an_act(self, root_pages: Client, booking: Booking) -> None:
        before = list(BookingEvent.objects.values())
        row = BookingEvent.objects.first()
        for page in (f"{LIST}add/", f"{LIST}{row.pk}/delete/"):
            assert [root_pages.get(page).status_code, root_pages.post(page, {"post": "yes"}).status_code] == [403, 403]
        assert root_pages.post(f"{LIST}{row.pk}/change/", {"kind": "booking.created"}).status_code == 403
        root_pages.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        assert list(BookingEvent.objects.values()) == before

    def test_others_do_not_see_it(self, client: Client, alice: User, booking: Booking) -> None:
        client.force_login(alice)
        row = BookingEvent.objects.first()
        for page in (LIST, f"{LIST}{row.pk}/change/", f"{BOOKINGS}{booking.pk}/history/"):
            assert client.get(page).status_code == 302


def record_at(moment: datetime, booking: Booking) -> None:
    """Writes the record of a booking that was made at that moment."""
    record(Act(by=booking.user, now=moment, channel=Channel.API), EventKind.CREATED, after=booking)
