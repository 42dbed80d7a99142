"""The lists of the admin as files."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.exports import admin as exports_admin
from core.exports import answers
from core.models import Resource
from core.record.models import BookingEvent
from core.tests.exports.hostile import FORMULA
from core.tests.exports.reading import body_of, cells_in, rows_of
from core.tests.support.clients import pages_of
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_resource

BOOKINGS = "/admin/core/booking/"
RESOURCES = "/admin/core/resource/"
ACTS = "/admin/core/bookingevent/"


def file_of(pages, page: str, form: str = "csv"):
    """What the link on the page leads to."""
    html = pages.get(page).content.decode()
    (address,) = re.findall(rf'href="([^"]*/export/{form}/[^"]*)"', html)
    return pages.get(unescape(address))


@pytest.fixture
def _many(alice: User, bob: User, room: Resource) -> None:
    # The days of the clock, as the filters have them: in the last hour of a day the suite's own are a day ahead.
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = today + timedelta(days=1)
    make_booking(alice, room, today, today + timedelta(hours=1), notes="today")
    make_booking(alice, room, tomorrow + timedelta(hours=10), notes="tomorrow")
    make_cancelled_booking(bob, room, tomorrow + timedelta(hours=12))


@pytest.mark.usefixtures("_many")
class TestBookings:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("when=all", ["bob", "alice", "alice"]),
            ("when=tomorrow", ["alice", "bob"]),
            ("status__exact=cancelled", ["bob"]),
            ("q=tomorrow", ["alice"]),
            ("q=bob&when=upcoming", ["bob"]),
            ("when=all&o=-3&p=1", ["bob", "alice", "alice"]),
            ("status__exact=rejected", []),
        ],
    )
    @pytest.mark.parametrize("form", answers.FORMS)
    def test_the_file_has_what_the_filters_show(self, admin_pages, query, expected, form):
        response = file_of(admin_pages, f"{BOOKINGS}?{query}", form)

        assert response.status_code == 200
        body = body_of(response)
        names = (
            [row["username"].value for row in cells_in(body)]
            if form == "xlsx"
            else re.findall(r"\b(alice|bob),", body.decode())
        )
        assert names == expected

    def test_a_list_without_parameters_shows_today_and_so_does_its_file(self, admin_pages):
        listed = admin_pages.get(BOOKINGS).context["cl"].result_count

        assert len(rows_of(file_of(admin_pages, BOOKINGS))) == listed

    def test_it_has_all_pages(self, admin_pages, alice, monkeypatch):
        monkeypatch.setattr(exports_admin, "AT_ONCE", 7)
        other = make_resource("Other")
        made = {make_booking(alice, other, at(hour / 4), at((hour + 1) / 4)).pk for hour in range(60)}

        rows = rows_of(file_of(admin_pages, f"{BOOKINGS}?resource__id__exact={other.pk}&when=all"))

        assert len(rows) == 60
        assert {int(row["id"]) for row in rows} == made

    def test_the_statements_do_not_grow_with_the_rows(self, admin_pages, alice, django_assert_max_num_queries):
        other = make_resource("Other")
        for hour in range(60):
            make_booking(alice, other, at(hour / 4), at((hour + 1) / 4))

        with django_assert_max_num_queries(10):
            rows_of(admin_pages.get(f"{BOOKINGS}export/csv/?when=all"))

    def test_too_many_rows_for_a_workbook_lead_back_with_a_sentence(self, admin_pages, monkeypatch):
        monkeypatch.setattr(answers, "MOST_IN_BROWSER", 2)

        response = admin_pages.get(f"{BOOKINGS}export/xlsx/?when=all", follow=True)

        assert response.redirect_chain == [(f"{BOOKINGS}?when=all", 302)]
        assert "export_bookings" in response.content.decode()
        assert not BookingEvent.objects.filter(kind="bookings.exported").exists()

    @pytest.mark.parametrize(
        "query",
        [
            "start_time__gte=x",
            "resource__id__exact=99999999999999999999",
            "p=x",
            "from=today",
            "when=x",
            "q=%00",
            "x=1",
        ],
    )
    def test_no_query_string_ends_in_an_error(self, admin_pages, query):
        response = admin_pages.get(f"{BOOKINGS}export/csv/?{query}")
        body_of(response)

        assert response.status_code in (200, 302, 400)

    def test_there_is_no_other_form(self, admin_pages):
        assert admin_pages.get(f"{BOOKINGS}export/pdf/").status_code == 404

    def test_it_is_on_record_and_the_list_of_acts_shows_it(self, admin_pages, admin, room):
        body_of(file_of(admin_pages, f"{BOOKINGS}?when=all&q=bob&resource__id__exact={room.pk}"))

        (row,) = BookingEvent.objects.filter(kind="bookings.exported")
        assert (row.actor, row.channel) == (admin, "admin")
        filters = {"when": "all", "resource__id__exact": str(room.pk)}
        assert row.facts == {"export": {"format": "csv", "rows": 1, "filters": filters}}
        assert row.actor_words["filters"] == {"q": "bob"}
        listed = admin_pages.get(ACTS).content.decode()
        assert "bookings.exported" in listed
        page = admin_pages.get(f"{ACTS}{row.pk}/change/").content.decode()
        for line in ("rows: 1", "format: csv", "filter when: all", "filter q: bob"):
            assert line in page

    def test_words_in_any_other_lookup_are_blanked_with_the_account(self, admin_pages, admin):
        body_of(admin_pages.get(f"{BOOKINGS}export/csv/?notes__contains=tomorrow"))
        admin.delete()

        (row,) = BookingEvent.objects.filter(kind="bookings.exported")
        assert (row.facts["export"]["filters"], row.actor_words) == ({}, {})

    @pytest.mark.parametrize("form", answers.FORMS)
    @pytest.mark.parametrize("page", [BOOKINGS, RESOURCES])
    def test_ordinary_users_do_not_reach_it(self, alice, page, form):
        response = pages_of(alice).get(f"{page}export/{form}/")

        assert response.status_code == 302
        assert "/login/" in response["Location"]
        assert not BookingEvent.objects.filter(kind="bookings.exported").exists()


@pytest.mark.parametrize("form", answers.FORMS)
def test_resources_with_their_filters(admin_pages, lab, form):
    make_resource(FORMULA, requires_approval=True)
    make_resource("Hall", requires_approval=False)

    response = file_of(admin_pages, f"{RESOURCES}?requires_approval__exact=1", form)

    if form == "csv":
        assert [row["name"] for row in rows_of(response)] == [f"'{FORMULA}", "Lab"]
    else:
        cells = [row["name"] for row in cells_in(body_of(response))]
        assert [(cell.value, cell.data_type) for cell in cells] == [(FORMULA, "s"), ("Lab", "s")]
    assert not BookingEvent.objects.exists()
