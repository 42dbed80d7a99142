"""The form of a booking in the admin: how a booking repeats, and which dates of a series a change is about."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from core import lifecycle
from core.models import Booking, Resource, Series, SkippedDate
from core.record.models import BookingEvent
from core.tests.bookings.test_admin import ADD, LIST, as_shown, change_page, errors_of, typed_anew
from core.tests.policies.test_admin_waivers import a_day, boxes
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_resource
from core.tests.support.records import recorded, told
from core.tests.support.repeating import book_series, dates_of

HOUR = timedelta(hours=1)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FORM = re.compile(r'<form method="post" id="others-form">(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


def repeating(user: User, resource: Resource, kind: str = "daily", **more: object) -> dict[str, object]:
    """What the form sends for five dates from tomorrow on, 10 to 11."""
    return typed_anew(user, resource, **{"repeat": kind, "every": "1", "times": "5", "on_conflict": "fail", **more})


def starts() -> list:
    return list(Booking.objects.exclude(series=None).order_by("start_time").values_list("start_time", flat=True))


def said(answer: object) -> list[str]:
    return [strip_tags(str(message)) for message in get_messages(answer.wsgi_request)]


def make_series(user: User, resource: Resource, rule: str = "FREQ=DAILY;COUNT=5", **more: object) -> Series:
    """Five dates from tomorrow on, 10 to 11."""
    return book_series(user, resource, rule, **more).series


class TestMaking:
    def test_staff_book_every_day(self, admin_pages: Client, admin: User, alice: User, room: Resource) -> None:
        answer = admin_pages.post(ADD, repeating(alice, room, notes="Stand-up"))
        series = Series.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/core/series/{series.pk}/change/")
        assert said(answer) == ["Booked 5 dates for alice: every day, 5 times."]
        assert (series.user, series.resource, series.created_by, series.notes) == (alice, room, admin, "Stand-up")
        assert starts() == [at(10, day=day) for day in range(1, 6)]
        assert set(Booking.objects.values_list("status", "notes")) == {("confirmed", "Stand-up")}
        assert [kind for kind, *_ in told()] == ["series.made", *["booking.created"] * 5]
        assert {row.channel for row in recorded()} == {"admin"}
        assert LogEntry.objects.get().get_edited_object() == series

    @pytest.mark.parametrize(
        ("kind", "more", "rule"),
        [
            ("daily", {"every": "2"}, "FREQ=DAILY;INTERVAL=2;COUNT=5"),
            ("weekly", {}, "FREQ=WEEKLY;COUNT=5;BYDAY={day}"),
            ("weekly", {"weekdays": list(WEEKDAYS)}, "FREQ=WEEKLY;COUNT=5;BYDAY=MO,TU,WE,TH,FR,SA,SU"),
            ("monthly_day", {}, "FREQ=MONTHLY;COUNT=5;BYMONTHDAY={number}"),
            ("monthly_weekday", {"times": "2"}, "FREQ=MONTHLY;COUNT=2;BYDAY={nth}{day}"),
            ("yearly", {"times": "2"}, "FREQ=YEARLY;COUNT=2;BYMONTHDAY={number};BYMONTH={month}"),
            ("daily", {"times": "", "until": "{last}"}, "FREQ=DAILY;UNTIL={last}"),
            ("rule", {"rrule": "freq=daily", "times": "3"}, "FREQ=DAILY;COUNT=3"),
            ("rule", {"rrule": "RRULE:FREQ=DAILY;COUNT=3", "times": ""}, "FREQ=DAILY;COUNT=3"),
        ],
    )
    def test_each_way_makes_its_rule(
        self, admin_pages: Client, alice: User, room: Resource, kind: str, more: dict, rule: str
    ) -> None:
        first, last = at(10), at(10, day=3)
        more = {key: f"{last:%Y-%m-%d}" if value == "{last}" else value for key, value in more.items()}
        answer = admin_pages.post(ADD, repeating(alice, room, kind, **more))
        assert answer.status_code == 302, errors_of(answer)
        assert Series.objects.get().rrule == rule.format(
            day=WEEKDAYS[first.weekday()],
            nth=(first.day - 1) // 7 + 1,
            number=first.day,
            month=first.month,
            last=f"{last:%Y%m%d}",
        )

    def test_the_last_weekday_of_the_month(self, admin_pages: Client, alice: User, room: Resource) -> None:
        day = next(day for day in range(20, 60) if (at(10, day=day + 7)).month != at(10, day=day).month)
        more = {
            "times": "3",
            "start_time_0": f"{at(10, day=day):%Y-%m-%d}",
            "end_time_0": f"{at(11, day=day):%Y-%m-%d}",
        }
        admin_pages.post(ADD, repeating(alice, room, "monthly_last", **more))
        assert Series.objects.get().rrule == f"FREQ=MONTHLY;COUNT=3;BYDAY=-1{WEEKDAYS[at(10, day=day).weekday()]}"

    def test_the_weekday_is_that_of_the_clock_of_the_resource(self, admin_pages: Client, alice: User) -> None:
        island = make_resource("Atoll", time_zone="Pacific/Kiritimati")
        admin_pages.post(ADD, repeating(alice, island, "weekly"))
        series = Series.objects.get()
        assert series.rrule == f"FREQ=WEEKLY;COUNT=5;BYDAY={WEEKDAYS[at(24).weekday()]}"
        assert (series.time_zone, series.start) == ("Pacific/Kiritimati", at(24).replace(tzinfo=None))

    def test_without_a_repeat_it_is_one_booking(self, admin_pages: Client, alice: User, room: Resource) -> None:
        admin_pages.post(ADD, repeating(alice, room, ""))
        assert (Booking.objects.get().series, Series.objects.count()) == (None, 0)

    def test_an_address_fills_in_the_repeat(self, admin_pages: Client) -> None:
        assert '<option value="weekly" selected>' in admin_pages.get(f"{ADD}?repeat=weekly").content.decode()
        for value in ("x", "%00", "9" * 500):
            assert admin_pages.get(f"{ADD}?repeat={value}").status_code == 200

    def test_add_another_stays_on_the_form(self, admin_pages: Client, alice: User, room: Resource) -> None:
        assert admin_pages.post(ADD, repeating(alice, room, _addanother="1"))["Location"] == ADD

    def test_it_takes_as_many_statements_for_many_dates(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        costs = []
        for times, resource in ((3, room), (200, lab)):
            with CaptureQueriesContext(connection) as captured:
                assert admin_pages.post(ADD, repeating(alice, resource, times=str(times))).status_code == 302
            costs.append(len(captured))
        assert costs[0] == costs[1]


class TestRefusals:
    def test_each_refused_date_is_shown_with_its_reason_and_what_is_free(
        self, admin_pages: Client, alice: User, bob: User, room: Resource
    ) -> None:
        for day in (2, 4):
            make_booking(bob, room, at(10.5, day=day), at(11.5, day=day))
        before = recorded()
        answer = admin_pages.post(ADD, repeating(alice, room, notes="Kept"))
        assert errors_of(answer) == {"__all__": ["2 of 5 dates are refused. Nothing was done."]}
        page = answer.content.decode()
        for day in (2, 4):
            assert f"{at(10, day=day):%a %Y-%m-%d} 10:00–11:00" in page
            assert f"Taken: {at(10, day=day):%Y-%m-%d} 10:30–11:30" in page
            assert f"{at(10, day=day):%a %Y-%m-%d} 11:30–12:30" in page
        assert 'value="daily" selected' in page
        assert ">\nKept</textarea>" in page
        assert (Booking.objects.count(), Series.objects.count(), recorded()) == (2, 0, before)

    def test_the_others_are_one_click_away(self, admin_pages: Client, alice: User, bob: User, room: Resource) -> None:
        make_booking(bob, room, at(10, day=2))
        page = admin_pages.post(ADD, repeating(alice, room, "weekly", weekdays=list(WEEKDAYS))).content.decode()
        (form,) = FORM.findall(page)
        assert "Book the other 4 dates" in form
        fields: dict[str, list[str]] = {}
        for name, value in HIDDEN.findall(form):
            fields.setdefault(name, []).append(unescape(value))
        answer = admin_pages.post(ADD, fields)
        assert answer.status_code == 302
        assert said(answer) == ["Booked 4 dates for alice: every day, 5 times; 1 not booked, see below."]
        assert starts() == [at(10, day=day) for day in (1, 3, 4, 5)]
        assert SkippedDate.objects.get().code == "slot_taken"

    def test_where_all_are_refused_there_are_no_others(
        self, admin_pages: Client, alice: User, bob: User, room: Resource
    ) -> None:
        make_booking(bob, room, at(9), at(12, day=6))
        answer = admin_pages.post(ADD, repeating(alice, room, on_conflict="skip"))
        assert errors_of(answer) == {"__all__": ["5 of 5 dates are refused. Nothing was done."]}
        assert "Book the other" not in answer.content.decode()
        assert not Series.objects.exists()

    def test_rules_of_all_refused_dates_can_be_waived(
        self, admin_pages: Client, as_admin: object, alice: User, room: Resource
    ) -> None:
        a_day(as_admin, room, max_minutes=30)
        sent = repeating(alice, room)
        assert boxes(admin_pages.post(ADD, sent)) == {"duration": False}
        assert admin_pages.post(ADD, {**sent, "override": "duration"}).status_code == 302
        assert [row.waived_rules for row in recorded() if row.kind == "booking.created"] == [["duration"]] * 5

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"times": ""}, "times"),
            ({"until": "2030-01-01"}, "until"),
            ({"times": "0"}, "times"),
            ({"times": "367"}, "times"),
            ({"times": "9" * 5000}, "times"),
            ({"times": "", "until": "05/12/2030"}, "until"),
            ({"times": "", "until": "0001-01-01"}, "repeat"),
            ({"times": "", "until": "9999-12-31"}, "repeat"),
            ({"every": "0"}, "every"),
            ({"every": "10000"}, "every"),
            ({"repeat": "hourly"}, "repeat"),
            ({"repeat": "weekly", "weekdays": "XX"}, "weekdays"),
            ({"repeat": "rule", "rrule": ""}, "rrule"),
            ({"repeat": "rule", "rrule": "FREQ=HOURLY"}, "rrule"),
            ({"repeat": "rule", "rrule": "every Tuesday"}, "rrule"),
            ({"repeat": "rule", "rrule": "FREQ=DAILY;COUNT=3"}, "times"),
            ({"repeat": "rule", "rrule": "FREQ=DAILY\0"}, "rrule"),
            ({"repeat": "rule", "rrule": "F" * 501}, "rrule"),
            ({"repeat": "rule", "rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "rrule"),
            ({"on_conflict": "x"}, "on_conflict"),
            ({"every": "1", "end_time_0": f"{at(11, day=3):%Y-%m-%d}"}, "end_time"),
        ],
    )
    def test_what_is_no_rule_is_an_error_beside_its_field(
        self, admin_pages: Client, alice: User, room: Resource, more: dict, field: str
    ) -> None:
        answer = admin_pages.post(ADD, {**repeating(alice, room), **more})
        assert list(errors_of(answer)) == [field]
        assert (Booking.objects.count(), Series.objects.count()) == (0, 0)

    def test_a_start_that_is_no_date_of_the_rule(self, admin_pages: Client, alice: User, room: Resource) -> None:
        another = WEEKDAYS[(at(10).weekday() + 1) % 7]
        answer = admin_pages.post(ADD, repeating(alice, room, "weekly", weekdays=another))
        assert list(errors_of(answer)) == ["start_time"]

    def test_a_series_is_no_record_of_what_is_over(self, admin_pages: Client, alice: User, room: Resource) -> None:
        sent = {**repeating(alice, room), **typed_anew(alice, room, at(10, day=-2)), "times": "2"}
        answer = admin_pages.post(ADD, {**sent, "past_confirmed": "on"})
        assert errors_of(answer) == {"__all__": ["2 of 2 dates are refused. Nothing was done."]}
        assert "The start is in the past." in answer.content.decode()
        assert not Booking.objects.exists()


class TestChanging:
    def test_the_page_of_a_date_tells_its_series(self, admin_pages: Client, alice: User, room: Resource) -> None:
        series = make_series(alice, room)
        page = admin_pages.get(change_page(dates_of(series)[0])).content.decode()
        assert f'<a href="/admin/core/series/{series.pk}/change/">series {series.pk}</a>: every day, 5 times' in page
        assert 'name="scope" value="all"' in page
        single = admin_pages.get(change_page(make_booking(alice, room, at(20)))).content.decode()
        assert 'name="scope"' not in single
        assert 'name="repeat"' not in single

    @pytest.mark.parametrize(("scope", "hours"), [("this", [10, 10, 12, 10, 10]), ("all", [12] * 5)])
    def test_a_new_time_holds_for_the_chosen_dates(
        self, admin_pages: Client, alice: User, room: Resource, scope: str, hours: list[int]
    ) -> None:
        series = make_series(alice, room)
        named = dates_of(series)[2]
        sent = {**as_shown(named), "start_time_1": "12:00:00", "end_time_1": "13:00:00", "scope": scope}
        answer = admin_pages.post(change_page(named), sent)
        assert answer.status_code == 302
        assert [row.start_time.hour for row in dates_of(series)] == hours
        assert Series.objects.count() == 1

    def test_the_following_dates_become_a_series_of_their_own(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        series = make_series(alice, room)
        named = dates_of(series)[2]
        sent = {**as_shown(named), "start_time_1": "12:00:00", "end_time_1": "13:00:00", "scope": "following"}
        answer = admin_pages.post(change_page(named), sent)
        later = Series.objects.get(previous=series)
        assert answer["Location"] == f"/admin/core/series/{later.pk}/change/"
        assert "Changed: this date and those that follow." in said(answer)
        assert (len(dates_of(series)), [row.start_time.hour for row in dates_of(later)]) == (2, [12, 12, 12])

    def test_what_was_changed_alone_is_kept_unless_the_box_is_ticked(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        series = make_series(alice, room)
        lifecycle.cancel(dates_of(series)[3], act=act(alice))
        named = dates_of(series)[0]
        admin_pages.post(change_page(named), {**as_shown(named, notes="new"), "scope": "all"})
        assert [row.status for row in dates_of(series)].count("cancelled") == 1
        named = dates_of(series)[0]
        admin_pages.post(change_page(named), {**as_shown(named), "scope": "all", "reset_exceptions": "on"})
        assert {(row.status, row.notes) for row in dates_of(series)} == {("confirmed", "new")}

    def test_refused_dates_are_listed_and_nothing_moves(
        self, admin_pages: Client, alice: User, bob: User, room: Resource
    ) -> None:
        series = make_series(alice, room)
        make_booking(bob, room, at(12, day=4))
        named = dates_of(series)[0]
        sent = {**as_shown(named), "start_time_1": "12:00:00", "end_time_1": "13:00:00", "scope": "all"}
        answer = admin_pages.post(change_page(named), sent)
        assert errors_of(answer) == {"__all__": ["1 of 5 dates is refused. Nothing was done."]}
        page = answer.content.decode()
        assert f"{at(12, day=4):%a %Y-%m-%d} 12:00–13:00" in page
        assert "Book the other" not in page
        assert {row.start_time.hour for row in dates_of(series)} == {10}

    def test_a_status_with_its_reason_for_all(self, admin_pages: Client, alice: User, lab: Resource) -> None:
        series = make_series(alice, lab)
        named = dates_of(series)[0]
        sent = {**as_shown(named, status="rejected", reason="Full"), "scope": "all"}
        assert admin_pages.post(change_page(named), sent).status_code == 302
        assert {row.status for row in dates_of(series)} == {"rejected"}
        assert {row.reason for row in BookingEvent.objects.filter(kind="booking.rejected")} == {"Full"}

    def test_a_date_that_somebody_changed_meanwhile_stays(
        self, admin_pages: Client, alice: User, lab: Resource
    ) -> None:
        series = make_series(alice, lab)
        named = dates_of(series)[0]
        sent = {**as_shown(named, status="confirmed"), "scope": "all"}
        lifecycle.cancel(named, act=act(alice))
        assert list(errors_of(admin_pages.post(change_page(named), sent))) == ["__all__"]
        assert [row.status for row in dates_of(series)] == ["cancelled", *["pending"] * 4]

    @pytest.mark.parametrize("scope", ["x", "", "\0"])
    def test_a_scope_that_is_none(self, admin_pages: Client, alice: User, room: Resource, scope: str) -> None:
        named = dates_of(make_series(alice, room))[0]
        answer = admin_pages.post(change_page(named), {**as_shown(named, notes="x"), "scope": scope})
        assert answer.status_code == (302 if scope == "" else 200)


class TestTheList:
    def test_bookings_are_filtered_by_series(self, admin_pages: Client, alice: User, room: Resource) -> None:
        series, other = make_series(alice, room), make_booking(alice, room, at(20))
        dates = dates_of(series)

        def listed(query: str) -> set:
            return set(admin_pages.get(f"{LIST}?{query}").context["cl"].result_list)

        assert listed(f"series={series.pk}") == set(dates)
        assert listed("series=any") == set(dates)
        assert listed("series=none") == {other}
        assert f'href="/admin/core/series/{series.pk}/change/"' in admin_pages.get(f"{LIST}?when=all").content.decode()

    @pytest.mark.parametrize("value", ["x", "%00", "9" * 18, "9" * 40, "-1"])
    def test_no_value_breaks_it(self, admin_pages: Client, value: str) -> None:
        assert admin_pages.get(f"{LIST}?series={value}").status_code in (200, 302)
