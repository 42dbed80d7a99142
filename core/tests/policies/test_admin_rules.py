"""The lists and forms of opening exceptions and quotas in the admin."""

import html
import re

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.models import OpeningException, Quota, Resource
from core.policies.words import sentence_of_quota
from core.tests.bookings.test_admin import errors_of
from core.tests.support.factories import at, make_booking, make_resource
from core.tests.support.rules import add_exception, add_quota, day_of

EXCEPTIONS = "/admin/core/openingexception/"
QUOTAS = "/admin/core/quota/"


def shown(pages: Client, address: str) -> list:
    return list(pages.get(address).context["cl"].result_list)


class TestExceptions:
    def test_one_for_all_resources_is_added_and_changed(self, admin_pages: Client, room: Resource) -> None:
        sent = {"first_day": str(day_of(3)), "last_day": str(day_of(4)), "name": "Holidays", "hours": ""}
        assert admin_pages.post(f"{EXCEPTIONS}add/", sent).status_code == 302
        stored = OpeningException.objects.get()
        assert (stored.resource, stored.first_day, stored.last_day) == (None, day_of(3), day_of(4))
        assert (stored.name, stored.hours) == ("Holidays", [])
        page = f"{EXCEPTIONS}{stored.pk}/change/"
        assert "all resources" in admin_pages.get(page).content.decode()
        assert admin_pages.post(page, sent | {"hours": "10-14"}).status_code == 302
        stored.refresh_from_db()
        assert stored.hours == [["10:00", "14:00"]]

    def test_one_for_a_single_resource_is_added(self, admin_pages: Client, room: Resource) -> None:
        sent = {"resource": room.pk, "first_day": str(day_of(3)), "name": "Fair"}
        assert admin_pages.post(f"{EXCEPTIONS}add/", sent).status_code == 302
        room.refresh_from_db()
        assert (OpeningException.objects.get().resource, room.has_terms) == (room, True)

    def test_the_list_tells_days_hours_and_resources_and_is_filtered(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        add_exception(as_admin, None, day_of(3), name="Holiday")
        add_exception(as_admin, room, day_of(5), day_of(6), ("10:00", "14:00"), name="Fair")
        add_exception(as_admin, room, day_of(-5), name="Long ago")
        page = admin_pages.get(EXCEPTIONS).content.decode()
        for text in (f"{day_of(5):%a %Y-%m-%d} to {day_of(6):%a %Y-%m-%d}", "10:00–14:00", "closed", "all resources"):
            assert text in page, text
        for query, names in {
            "of=all": ["Holiday"],
            "of=one": ["Long ago", "Fair"],
            "when=over": ["Long ago"],
            "when=coming&of=one": ["Fair"],
            "q=blue": ["Long ago", "Fair"],
            "of=x": ["Long ago", "Holiday", "Fair"],
            "when=x": ["Long ago", "Holiday", "Fair"],
        }.items():
            found = [row.name for row in shown(admin_pages, f"{EXCEPTIONS}?{query}&o=1")]
            assert sorted(found) == sorted(names), query

    def test_a_change_says_which_bookings_no_longer_fit(
        self, admin_pages: Client, alice: User, room: Resource, lab: Resource
    ) -> None:
        unfit = [make_booking(alice, room, at(10, day=3)), make_booking(alice, lab, at(10, day=3))]
        make_booking(alice, lab, at(10, day=9))
        sent = {"first_day": str(day_of(3)), "name": "Holiday"}
        page = admin_pages.post(f"{EXCEPTIONS}add/", sent, follow=True).content.decode()
        [link] = re.findall(r'href="([^"]*)">2 coming bookings no longer fit</a>', page)
        assert set(shown(admin_pages, html.unescape(link))) == set(unfit)

    def test_deletion_goes_by_the_verb_one_by_one_and_in_bulk(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        keys = [add_exception(as_admin, room, day_of(number))["id"] for number in (1, 2, 3)]
        assert admin_pages.post(f"{EXCEPTIONS}{keys[0]}/delete/", {"post": "yes"}).status_code == 302
        body = {"action": "delete_selected", "_selected_action": keys[1:], "post": "yes"}
        answer = admin_pages.post(EXCEPTIONS, body)
        assert [each.message for each in get_messages(answer.wsgi_request)][-1] == "2 opening exceptions deleted."
        room.refresh_from_db()
        assert (OpeningException.objects.exists(), room.has_terms) == (False, False)

    def test_two_of_one_length_on_one_day_are_a_form_error(self, admin_pages: Client, as_admin: APIClient) -> None:
        add_exception(as_admin, None, day_of(3), name="Holiday")
        found = errors_of(admin_pages.post(f"{EXCEPTIONS}add/", {"first_day": str(day_of(3)), "name": "Other"}))
        assert "There is an exception of the same length" in found["__all__"][0]
        assert OpeningException.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("first_day", "01/02/2026"),
            ("first_day", "0001-01-01"),
            ("first_day", "\0"),
            ("last_day", "1999-01-01"),
            ("last_day", "2999-01-01"),
            ("name", "x" * 201),
            ("name", "\0"),
            ("hours", "9"),
            ("resource", "x"),
            ("resource", "9" * 30),
        ],
        ids=lambda value: repr(value)[:16],
    )
    def test_garbage_is_a_form_error(self, admin_pages: Client, db: None, field: str, value: str) -> None:
        sent = {"first_day": str(day_of(3)), "name": "Holiday", field: value}
        assert list(errors_of(admin_pages.post(f"{EXCEPTIONS}add/", sent))) == [field]
        assert not OpeningException.objects.exists()


class TestQuotas:
    def test_one_is_added_and_changed(self, admin_pages: Client, room: Resource, lab: Resource) -> None:
        sent = {"kind": "active", "limit": "2", "resource": room.pk}
        assert admin_pages.post(f"{QUOTAS}add/", sent).status_code == 302
        quota = Quota.objects.get()
        assert (quota.resource, quota.group, quota.kind, quota.period, quota.limit) == (room, None, "active", None, 2)
        room.refresh_from_db()
        assert room.has_terms
        sent |= {"kind": "minutes", "limit": "120", "period": "day", "resource": lab.pk}
        assert admin_pages.post(f"{QUOTAS}{quota.pk}/change/", sent).status_code == 302
        room.refresh_from_db()
        lab.refresh_from_db()
        assert (room.has_terms, lab.has_terms) == (False, True)

    def test_the_list_says_what_each_does(self, admin_pages: Client, as_admin: APIClient, room: Resource) -> None:
        add_quota(as_admin, resource=room.pk, kind="active", limit=2)
        page = admin_pages.get(QUOTAS).content.decode()
        assert "Nobody may have more than 2 active bookings of Blue room" in page

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"kind": "active", "limit": 1}, "Nobody may have more than 1 active booking"),
            ({"kind": "count", "limit": 3, "period": "week"}, "Nobody may have more than 3 bookings a week"),
            ({"kind": "minutes", "limit": 120, "period": "day"}, "Nobody may book more than 120 minutes a day"),
        ],
    )
    def test_the_sentence_of_each_kind(self, values: dict, sentence: str) -> None:
        assert sentence_of_quota(Quota(**values)) == sentence

    def test_the_sentence_names_the_group_and_the_resource(self) -> None:
        quota = Quota(
            group=Group(name="students"), resource=Resource(name="Lab"), kind="minutes", limit=60, period="month"
        )
        assert sentence_of_quota(quota) == "Nobody in students may book more than 60 minutes of Lab a month"

    def test_deletion_goes_by_the_verb(self, admin_pages: Client, as_admin: APIClient, room: Resource) -> None:
        first, second = (add_quota(as_admin, resource=room.pk, kind="active", limit=number) for number in (1, 2))
        admin_pages.post(f"{QUOTAS}{first['id']}/delete/", {"post": "yes"})
        admin_pages.post(QUOTAS, {"action": "delete_selected", "_selected_action": [second["id"]], "post": "yes"})
        room.refresh_from_db()
        assert (Quota.objects.exists(), room.has_terms) == (False, False)

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"limit": "0"}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"limit": "1000001"}, "limit"),
            ({"kind": "x"}, "kind"),
            ({"period": "day"}, "period"),
            ({"kind": "count"}, "period"),
            ({"kind": "count", "period": "year"}, "period"),
            ({"group": "9" * 30}, "group"),
            ({"resource": "²"}, "resource"),
        ],
        ids=str,
    )
    def test_garbage_is_a_form_error(self, admin_pages: Client, db: None, sent: dict, field: str) -> None:
        answer = admin_pages.post(f"{QUOTAS}add/", {"kind": "active", "limit": "2", **sent})
        assert list(errors_of(answer)) == [field]
        assert not Quota.objects.exists()


@pytest.mark.parametrize("address", [EXCEPTIONS, QUOTAS])
def test_a_list_costs_the_same_statements_however_many_rows(admin_pages: Client, address: str) -> None:
    costs = []
    for number in (3, 60):
        resources = [make_resource(f"Room {number} {each}") for each in range(number)]
        day = day_of(number)
        OpeningException.objects.bulk_create(
            OpeningException(resource=each, first_day=day, last_day=day) for each in resources
        )
        Quota.objects.bulk_create(Quota(resource=each, kind="active", limit=2) for each in resources)
        admin_pages.get(address)
        with CaptureQueriesContext(connection) as statements:
            admin_pages.get(address)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 9


@pytest.mark.parametrize("address", [EXCEPTIONS, QUOTAS])
@pytest.mark.parametrize("key", ["9" * 30, "x", "0"])
def test_a_row_that_is_none_leads_back(admin_pages: Client, address: str, key: str) -> None:
    for page in ("change", "delete", "history"):
        assert admin_pages.get(f"{address}{key}/{page}/").status_code == 302
