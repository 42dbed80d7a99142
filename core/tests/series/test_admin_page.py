"""The admin of series: their list, their page, and the decisions on chosen dates."""

import re
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import lifecycle
from core.choices import IfRefused, Scope
from core.lifecycle import Changes
from core.models import Booking, Resource, Series
from core.record.models import BookingEvent
from core.tests.history.test_admin import HREF, follow_links, table
from core.tests.series.test_admin_form import dates_of, make_series, said
from core.tests.staff.test_lists import BROKEN_ANYWHERE, shown
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_resource, make_user

LIST = "/admin/core/series/"


def page_of(series: Series) -> str:
    return f"{LIST}{series.pk}/change/"


def send(pages: Client, series: Series, verb: str, *dates: Booking, **more: object) -> object:
    """Presses a button of the page."""
    return pages.post(f"{LIST}{series.pk}/dates/", {verb: "1", "ids": [date.pk for date in dates], **more})


def statuses(series: Series) -> list[str]:
    return [row.status for row in dates_of(series)]


@pytest.fixture
def series(alice: User, room: Resource) -> Series:
    return make_series(alice, room, notes="Stand-up")


@pytest.fixture
def waiting(alice: User, lab: Resource) -> Series:
    return make_series(alice, lab)


class TestTheList:
    def test_it_tells_the_rule_in_words_and_what_is_to_come(
        self, admin_pages: Client, series: Series, waiting: Series
    ) -> None:
        lifecycle.cancel_some(series, ids=[dates_of(series)[0].pk], act=act(None))
        lifecycle.cancel_some(waiting, act=act(None))
        first, second = table(admin_pages.get(LIST).content.decode(), "result_list")
        assert second == [
            "every day, 5 times",
            "10:00 to 11:00 UTC",
            "Blue room",
            "alice",
            f"{at(10, day=2):%Y-%m-%d %H:%M}",
            "4",
        ]
        assert first[2:] == ["Lab", "alice", "-", "0"]

    def test_it_is_filtered_and_searched(self, admin_pages: Client, bob: User, series: Series, waiting: Series) -> None:
        other = make_series(bob, make_resource("Café"))
        lifecycle.cancel_some(other, act=act(None))
        for query, found in {
            "": [other, waiting, series],
            f"resource__id__exact={series.resource_id}": [series],
            "person=bob": [other],
            "person=ALICE@example.org": [waiting, series],
            "when=coming": [waiting, series],
            "when=over": [other],
            "q=CAFÉ": [other],
            "q=stand-up": [series],
            f"q={series.pk}": [series],
            f"q=no.+{waiting.pk}": [waiting],
        }.items():
            assert shown(admin_pages, f"{LIST}?{query}") == found, query

    def test_the_number_to_come_leads_to_these_bookings(self, admin_pages: Client, series: Series) -> None:
        page = admin_pages.get(LIST).content.decode()
        (link,) = [unescape(href) for href in HREF.findall(page) if f"series={series.pk}" in href]
        assert shown(admin_pages, link) == dates_of(series)

    def test_it_costs_the_same_for_few_series_and_for_many(self, admin_pages: Client, room: Resource) -> None:
        costs = []
        for hours in (range(2), range(2, 14)):
            for hour in hours:
                make_series(make_user(f"user{hour}"), make_resource(f"Room {hour}"))
            with CaptureQueriesContext(connection) as captured:
                admin_pages.get(LIST)
            costs.append(len(captured))
        assert costs[0] == costs[1] <= 9

    @pytest.mark.parametrize("query", [*BROKEN_ANYWHERE, "when=%00", "person=%00", "resource__id__exact=x"])
    def test_no_query_string_breaks_it(self, admin_pages: Client, series: Series, query: str) -> None:
        assert admin_pages.get(f"{LIST}?{query}").status_code in (200, 302, 400)

    def test_a_new_one_is_made_by_the_form_of_a_booking(self, admin_pages: Client) -> None:
        page = admin_pages.get(LIST).content.decode()
        assert 'href="/admin/core/booking/add/?repeat=weekly"' in page
        assert f'href="{LIST}add/"' not in page
        assert admin_pages.post(f"{LIST}add/", {"rrule": "x"}).status_code == 403
        assert not Series.objects.exists()


class TestThePage:
    def test_it_tells_all_dates(self, admin_pages: Client, alice: User, bob: User, room: Resource) -> None:
        make_booking(bob, room, at(10, day=3))
        made = make_series(alice, room, on_conflict=IfRefused.SKIP)
        one, two, four, five = dates_of(made)
        lifecycle.change(two, changes=Changes(start_time=at(15, day=2), end_time=at(16, day=2)), act=act(alice))
        attic = make_resource("Attic")
        lifecycle.change(four, changes=Changes(resource_id=attic.pk, notes="mine"), act=act(alice))
        lifecycle.cancel(five, act=act(alice))
        page = admin_pages.get(page_of(made)).content.decode()
        assert "every day, 5 times" in page
        assert "10:00 to 11:00 UTC" in page
        days = [f"{at(10, day=day):%a %Y-%m-%d}" for day in range(1, 6)]
        assert [row[1:] for row in table(page, "dates")] == [
            [f"{days[0]} 10:00–11:00", "confirmed", "-", f"no. {one.pk}"],
            [f"{days[1]} 15:00–16:00", "confirmed", "time", f"no. {two.pk}"],
            [f"{days[2]} 10:00–11:00", "not booked: The resource is taken at that time."],
            [f"{days[3]} 10:00–11:00", "confirmed", "on Attic, notes", f"no. {four.pk}"],
            [f"{days[4]} 10:00–11:00", "cancelled", "-", f"no. {five.pk}"],
        ]
        boxes = re.findall(r'<input type="checkbox" name="ids" value="(\d+)"', page)
        assert boxes == [str(date.pk) for date in (one, two, four)]

    def test_the_clock_skips_a_date(self, admin_pages: Client, alice: User, room: Resource) -> None:
        made = make_series(alice, room)
        made.skipped.create(local_start=f"{at(2, day=9):%Y-%m-%dT%H:%M:%S}", code="not_on_the_clock")
        made.skipped.create(local_start=f"{at(2, day=8):%Y-%m-%dT%H:%M:%S}", code="new_reason")
        page = admin_pages.get(page_of(made)).content.decode()
        assert [row[-1] for row in table(page, "dates")][-2:] == [
            "not booked: The date could not be booked.",
            "not booked: The clocks go forward over this time on that day.",
        ]

    def test_parts_of_a_series_lead_to_each_other(self, admin_pages: Client, alice: User, series: Series) -> None:
        third = dates_of(series)[2]
        changes = Changes(start_time=at(12, day=3), end_time=at(13, day=3))
        after = lifecycle.change_dates(third, scope=Scope.FOLLOWING, changes=changes, act=act(alice))
        later = Series.objects.get(pk=after.series_id)
        assert (
            f'later: <a href="{page_of(later)}">series {later.pk}</a>'
            in admin_pages.get(page_of(series)).content.decode()
        )
        assert (
            f'previous: <a href="{page_of(series)}">series {series.pk}</a>'
            in admin_pages.get(page_of(later)).content.decode()
        )

    def test_notes_are_edited_there(self, admin_pages: Client, series: Series) -> None:
        lifecycle.change(dates_of(series)[1], changes=Changes(notes="mine"), act=act(None))
        answer = admin_pages.post(page_of(series), {"notes": "Daily"})
        assert answer["Location"] == page_of(series)
        series.refresh_from_db()
        assert series.notes == "Daily"
        assert [row.notes for row in dates_of(series)] == ["Daily", "mine", "Daily", "Daily", "Daily"]
        before = BookingEvent.objects.count()
        admin_pages.post(page_of(series), {"notes": "Daily"})
        assert BookingEvent.objects.count() == before

    def test_nobody_writes_the_rest(self, root_pages: Client, series: Series) -> None:
        before = Series.objects.values().get(pk=series.pk)
        root_pages.post(page_of(series), {"notes": "Stand-up", "rrule": "FREQ=DAILY;COUNT=9", "user": "9"})
        assert Series.objects.values().get(pk=series.pk) == before
        assert root_pages.post(f"{LIST}{series.pk}/delete/", {"post": "yes"}).status_code == 403
        root_pages.post(LIST, {"action": "delete_selected", "_selected_action": [series.pk], "post": "yes"})
        assert Series.objects.count() == 1
        assert "A series is never deleted" in root_pages.get(page_of(series)).content.decode()

    def test_it_costs_the_same_for_few_dates_and_for_many(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        costs = []
        for resource, count in ((room, 3), (lab, 366)):
            made = make_series(alice, resource, f"FREQ=DAILY;COUNT={count}")
            with CaptureQueriesContext(connection) as captured:
                answer = admin_pages.get(page_of(made))
            assert answer.content.decode().count("no. ") == count
            costs.append(len(captured))
        assert costs[0] == costs[1] <= 12

    def test_its_history_are_the_acts_of_the_record(self, admin_pages: Client, series: Series) -> None:
        answer = admin_pages.get(f"{LIST}{series.pk}/history/")
        rows = shown(admin_pages, answer["Location"])
        assert [row.kind for row in rows] == [*["booking.created"] * 5, "series.made"]

    def test_every_link_leads_to_a_page_that_staff_may_open(
        self, admin_pages: Client, alice: User, series: Series
    ) -> None:
        make_booking(alice, series.resource, at(20))
        booking = f"/admin/core/booking/{dates_of(series)[0].pk}/change/"
        assert {booking, page_of(series)} <= follow_links(admin_pages, [LIST, page_of(series), booking])

    def test_others_do_not_see_it(self, client: Client, alice: User, series: Series) -> None:
        client.force_login(alice)
        for page in (LIST, page_of(series), f"{LIST}{series.pk}/dates/"):
            assert client.get(page).status_code == 302
        send(client, series, "cancel", *dates_of(series))
        assert statuses(series) == ["confirmed"] * 5


class TestDeciding:
    @pytest.mark.parametrize(
        ("verb", "status"), [("confirm", "confirmed"), ("reject", "rejected"), ("cancel", "cancelled")]
    )
    def test_ticked_dates_are_decided_with_a_reason(
        self, admin_pages: Client, admin: User, waiting: Series, verb: str, status: str
    ) -> None:
        dates = dates_of(waiting)
        answer = send(admin_pages, waiting, verb, dates[1], dates[3], reason="As agreed")
        assert answer["Location"] == page_of(waiting)
        assert said(answer) == [f"2 dates {status}."]
        assert statuses(waiting) == ["pending", status, "pending", status, "pending"]
        acts = BookingEvent.objects.filter(kind=f"booking.{status}")
        assert {(row.actor, row.reason, row.channel, row.series_id) for row in acts} == {
            (admin, "As agreed", "admin", waiting.pk)
        }
        assert len({row.series_act_id for row in acts}) == 1
        assert LogEntry.objects.get().get_edited_object() == waiting

    def test_a_decision_leaves_what_it_is_not_about(self, admin_pages: Client, waiting: Series) -> None:
        dates = dates_of(waiting)
        lifecycle.cancel(dates[0], act=act(None))
        answer = send(admin_pages, waiting, "confirm", *dates)
        assert said(answer) == ["4 dates confirmed. 1 left as it was."]
        answer = send(admin_pages, waiting, "confirm", *dates, reason="Again")
        assert said(answer)[-1] == "None of these dates is pending. Nothing was changed."
        assert statuses(waiting) == ["cancelled", *["confirmed"] * 4]

    def test_all_that_is_to_come_is_cancelled_after_a_question(self, admin_pages: Client, series: Series) -> None:
        Booking.objects.filter(pk=dates_of(series)[0].pk).update(
            start_time=at(10, day=-3), end_time=at(11, day=-3), recurrence_id=at(10, day=-3)
        )
        question = send(admin_pages, series, "cancel_all", reason="We move")
        page = question.content.decode()
        assert "Cancel all 4 dates to come" in page
        assert ">\nWe move</textarea>" in page
        assert statuses(series) == ["confirmed"] * 5
        answer = send(admin_pages, series, "cancel_all", reason="We move", sure="1")
        assert said(answer) == ["4 dates cancelled."]
        assert statuses(series) == ["confirmed", *["cancelled"] * 4]

    def test_a_rejection_without_its_reason_keeps_the_ticks(self, admin_pages: Client, waiting: Series) -> None:
        Resource.objects.filter(pk=waiting.resource_id).update(reason_required=True)
        dates = dates_of(waiting)
        page = send(admin_pages, waiting, "reject", dates[1], dates[2]).content.decode()
        assert "This field is required." in page
        ticked = re.findall(r'name="ids" value="(\d+)" id="date-\d+" checked', page)
        assert ticked == [str(dates[1].pk), str(dates[2].pk)]
        assert statuses(waiting) == ["pending"] * 5
        assert send(admin_pages, waiting, "reject", dates[1], dates[2], reason="Full").status_code == 302

    def test_a_refused_date_is_shown_and_none_is_decided(
        self, admin_pages: Client, waiting: Series, alice: User
    ) -> None:
        # One date was moved to a resource that wants reasons.
        attic = make_resource("Attic", requires_approval=True, reason_required=True)
        dates = dates_of(waiting)
        lifecycle.change(dates[1], changes=Changes(resource_id=attic.pk), act=act(None))
        page = send(admin_pages, waiting, "reject", dates[0], dates[1]).content.decode()
        assert "1 of 2 dates is refused. Nothing was done." in page
        assert "rejected with a reason" in page
        assert f'name="ids" value="{dates[0].pk}" id="date-{dates[0].pk}" checked' in page
        assert statuses(waiting) == ["pending"] * 5

    def test_a_date_of_another_series_is_refused(self, admin_pages: Client, series: Series, waiting: Series) -> None:
        answer = send(admin_pages, series, "cancel", dates_of(series)[0], dates_of(waiting)[0])
        assert "no date of this series" in answer.content.decode()
        assert (statuses(series), statuses(waiting)) == (["confirmed"] * 5, ["pending"] * 5)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({"cancel": "1"}, "Tick at least one date."),
            ({"cancel": "1", "ids": "x"}, "cannot be read"),
            ({"cancel": "1", "ids": "9" * 40}, "cannot be read"),
            ({"cancel": "1", "ids": "-1"}, "cannot be read"),
            ({"cancel": "1", "ids": [str(number) for number in range(1001)]}, "cannot be read"),
            ({"cancel_all": "1", "sure": "1", "ids": "x"}, "5 dates cancelled."),
        ],
    )
    def test_a_selection_that_cannot_be_read(
        self, admin_pages: Client, series: Series, body: dict, words: str, settings: object
    ) -> None:
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
        (sentence,) = said(admin_pages.post(f"{LIST}{series.pk}/dates/", body))
        assert words in sentence
        assert ("cancelled" in statuses(series)) == ("sure" in body)

    @pytest.mark.parametrize("more", [{"reason": "x" * 501}, {"reason": "\0"}])
    def test_a_reason_that_cannot_be_kept(self, admin_pages: Client, series: Series, more: dict) -> None:
        answer = send(admin_pages, series, "cancel", *dates_of(series), **more)
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()
        assert statuses(series) == ["confirmed"] * 5

    def test_what_is_no_act_leads_back(self, admin_pages: Client, series: Series) -> None:
        for answer in (
            admin_pages.get(f"{LIST}{series.pk}/dates/"),
            admin_pages.post(f"{LIST}{series.pk}/dates/", {"ids": "1", "dance": "1"}),
        ):
            assert answer["Location"] == page_of(series)
        for key in ("999", "x", "9" * 40):
            assert admin_pages.post(f"{LIST}{key}/dates/", {"cancel_all": "1"}).status_code == 302

    def test_it_takes_as_many_statements_for_many_dates(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        costs = []
        for resource, count in ((room, 3), (lab, 200)):
            made = make_series(alice, resource, f"FREQ=DAILY;COUNT={count}")
            with CaptureQueriesContext(connection) as captured:
                answer = send(admin_pages, made, "cancel", *dates_of(made))
            assert said(answer)[-1] == f"{count} dates cancelled."
            costs.append(len(captured))
        assert costs[0] == costs[1]

    def test_an_older_act_at_the_desk_is_not_taken_back_over_it(self, admin_pages: Client, series: Series) -> None:
        from core.desk.taking_back import way_back

        before = dates_of(series)[0]
        after = lifecycle.change(before, changes=Changes(status="pending"), act=act(None))
        token = way_back(before, after)
        send(admin_pages, series, "cancel_all", sure="1")
        admin_pages.post("/admin/take-back/", {"token": token})
        assert statuses(series) == ["cancelled"] * 5


def test_a_deleted_account_takes_its_series_along(root_pages: Client, alice: User, series: Series) -> None:
    assert series.created_at <= timezone.now()
    root_pages.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})
    assert not Series.objects.exists()
    assert root_pages.get(LIST).status_code == 200


def test_a_series_whose_maker_is_gone_is_still_shown(
    admin_pages: Client, root: User, alice: User, room: Resource, series: Series
) -> None:
    Series.objects.update(created_by=None)
    Booking.objects.all().delete()
    page = admin_pages.get(page_of(series)).content.decode()
    assert "by a deleted account" in page
    assert "The dates of this series are gone" in page
