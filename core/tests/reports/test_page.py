"""The page /admin/reports/, and the report as a table."""

import re
from datetime import date, timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core.models import Resource
from core.reports import utilisation
from core.reports.cells import By, Days
from core.reports.measures import MEASURES, PERIOD
from core.reports.tables import sheet_of
from core.reports.utilisation import Asked, report_of
from core.tests.exports.reading import body_of, cells_in
from core.tests.exports.reading import rows_in as csv_rows_in
from core.tests.reports.test_utilisation import URL as REPORT
from core.tests.reports.test_utilisation import open_daily
from core.tests.support.clients import pages_of
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_pending_booking, make_resource

URL = "/admin/reports/"
TOMORROW = at(0).date()


def page_of(client: Client, **query: object) -> str:
    answer = client.get(URL, {"from": str(TOMORROW), "to": str(TOMORROW), **query})
    assert answer.status_code == 200
    return answer.content.decode()


def rows_in(page: str) -> list[list[str]]:
    """The rows of the table, without the headings."""
    (table,) = re.findall(r'<table class="numbers">.*?</thead>(.*?)</table>', page, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)]


def test_five_hours_of_eight_are_told_by_the_bar_and_by_the_table(
    admin_pages: Client, admin: User, alice: User, room: Resource
) -> None:
    open_daily(room, 8, 18)
    make_closure(admin, room, start=at(16), end=at(18))
    make_booking(alice, room, at(9), at(14))
    make_pending_booking(alice, room, at(14))
    page = page_of(admin_pages)
    numbers = ["8:00", "5:00", "1:00", "0:00", "0:00", "62.5\N{NO-BREAK SPACE}%"]
    assert rows_in(page) == [["Blue room", *numbers], ["All together", *numbers]]
    assert '<rect class="booked" y="22" width="62.500%" height="14"/>' in page
    assert '<rect fill="url(#hatched)" x="62.500%" y="22" width="12.500%" height="14"/>' in page
    assert "<title>Blue room: 62.5\N{NO-BREAK SPACE}% booked</title>" in page


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        (By.WEEKDAY, ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]),
        (By.HOUR, [f"{hour:02}:00–{hour + 1:02}:00" for hour in range(24)]),
        (By.WEEK, ["2030-W01, from 2029-12-31", "2030-W02, from 2030-01-07"]),
    ],
)
def test_the_lines_are_named_for_people(admin_pages: Client, room: Resource, by: By, labels: list[str]) -> None:
    page = page_of(admin_pages, by=by, **{"from": "2030-01-05", "to": "2030-01-08"})
    assert [row[0] for row in rows_in(page)] == [*labels, "All together"]
    # Of the seven weekdays four are in the period.
    assert page.count('class="ground" y=') == (4 if by == By.WEEKDAY else len(labels))


def test_the_page_opens_with_the_last_28_days_and_the_formulas(admin_pages: Client, room: Resource) -> None:
    page = admin_pages.get(URL).content.decode()
    today = timezone.localdate()
    assert f'value="{today - timedelta(days=27)}"' in page
    assert f'value="{today}"' in page
    assert "672:00" in page
    for measure in MEASURES:
        assert f"<dt>{measure.heading}</dt><dd>{measure.formula}</dd>" in page
    assert PERIOD.replace("'", "&#x27;") in page


def test_the_filters_of_the_form_and_of_a_link_narrow_the_report(
    admin_pages: Client, room: Resource, lab: Resource
) -> None:
    def names(**query: object) -> list[str]:
        return [row[0] for row in rows_in(page_of(admin_pages, **query))][:-1]

    make_resource("Aula", capacity=80)
    assert names() == ["Aula", "Blue room", "Lab"]
    assert names(search="lab") == ["Lab"]
    assert names(min_capacity="20") == ["Aula"]
    assert names(resource=[room.pk, lab.pk]) == ["Blue room", "Lab"]
    assert page_of(admin_pages, resource=[room.pk, lab.pk]).count('type="hidden" name="resource"') == 2
    assert "There are no such resources." in page_of(admin_pages, search="nothing of that name")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param({"from": "2030-02-01", "to": "2030-01-01"}, "must not be before the first", id="turned round"),
        pytest.param({"to": "2050-01-01"}, "A report has at most 366 days.", id="too long"),
        pytest.param({"from": ""}, "From: This field is required.", id="no first day"),
        pytest.param({"from": "<script>"}, "This is no day", id="no day"),
        pytest.param({"by": "month"}, "By: Send resource, weekday, hour, week.", id="no such line"),
        pytest.param({"resource": "x"}, "Send whole numbers from 1 on", id="no id"),
        pytest.param({"search": "\0"}, "Null characters are not allowed.", id="NUL"),
        pytest.param({"min_capacity": "many"}, "A valid integer is required.", id="no number"),
    ],
)
def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(
    admin_pages: Client, room: Resource, query: dict, message: str
) -> None:
    page = page_of(admin_pages, **query)
    assert message in page
    assert 'id="errors"' in page
    assert 'class="numbers"' not in page
    assert "<script>" not in page


def test_too_much_is_told_on_the_page(
    admin_pages: Client, room: Resource, lab: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utilisation, "MOST_RESOURCE_DAYS", 1)
    assert "At most 1 resource fits in this report." in page_of(admin_pages)


def test_a_hostile_name_is_text_in_the_chart_and_in_the_table(admin_pages: Client, db: None) -> None:
    make_resource('</title><script>alert(1)</script>" onload="x')
    page = page_of(admin_pages)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


def test_a_line_without_open_time_has_no_bar_and_says_so(admin_pages: Client, room: Resource) -> None:
    open_daily(room, 8, 18)
    page = page_of(admin_pages, by="hour")
    assert page.count('class="ground" y=') == 10
    assert page.count("not open</text>") == 14
    assert "<title>07:00–08:00: not open</title>" in page


def test_only_staff_reach_the_page(alice: User, admin_pages: Client) -> None:
    for client in (Client(), pages_of(alice)):
        answer = client.get(URL)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/admin/login/")
    assert f'<a href="{URL}">Reports</a>' in admin_pages.get("/admin/").content.decode()


@pytest.mark.parametrize("number", [1, 20])
def test_the_page_costs_the_same_statements_for_one_resource_and_for_twenty(
    admin_pages: Client, alice: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        resource = make_resource(f"Room {index}")
        open_daily(resource, 8, 18)
        make_booking(alice, resource)
    page_of(admin_pages)
    # The session, the user, the preferences; resources, bookings in two statements. The terms are known by now.
    with django_assert_num_queries(6):
        page_of(admin_pages)


@pytest.mark.parametrize(
    ("by", "about", "first"),
    [
        (By.RESOURCE, ["resource", "resource_name"], lambda room: [room.pk, "Blue room"]),
        (By.WEEKDAY, ["weekday"], lambda room: [1]),
        (By.HOUR, ["hour"], lambda room: [0]),
        (By.WEEK, ["week", "first_day"], lambda room: ["2030-W02", "2030-01-07"]),
    ],
)
def test_the_table_for_files_has_the_names_of_the_api_and_plain_values(
    room: Resource, by: By, about: list[str], first: object
) -> None:
    table = sheet_of(report_of(Asked(Days(date(2030, 1, 7), date(2030, 1, 13)), by)))
    assert table.headings == [*about, *(measure.name for measure in MEASURES)]
    opened = {By.RESOURCE: 7 * 1440, By.WEEKDAY: 1440, By.HOUR: 7 * 60, By.WEEK: 7 * 1440}[by]
    assert table.rows[0] == [*first(room), opened, 0, 0, 0, 0, 0.0]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("door", ["page", "api"])
def test_the_report_comes_as_a_file(
    client: Client, admin: User, as_admin: APIClient, alice: User, form: str, door: str
) -> None:
    room = make_resource("=HYPERLINK(1)")
    make_booking(alice, room, at(10), at(12))
    client.force_login(admin)
    asked = {"from": f"{at(0):%Y-%m-%d}", "to": f"{at(0):%Y-%m-%d}", "by": "resource", "format": form}
    answer = client.get("/admin/reports/", asked) if door == "page" else as_admin.get(f"{REPORT}?{urlencode(asked)}")
    assert answer.status_code == 200
    assert re.search(rf'filename="utilisation-.*\.{form}"', answer.headers["Content-Disposition"])
    body = body_of(answer)
    if form == "csv":
        (row,) = csv_rows_in(body)
    else:
        (row,) = [{name: cell.value for name, cell in cells.items()} for cells in cells_in(body)]
    assert row["resource_name"] == ("'=HYPERLINK(1)" if form == "csv" else "=HYPERLINK(1)")
    assert int(row["booked_minutes"]) == 120


def test_what_cannot_be_reported_is_no_file(
    client: Client, admin: User, as_admin: APIClient, as_alice: APIClient
) -> None:
    client.force_login(admin)
    assert "errorlist" in client.get("/admin/reports/", {"from": "x", "to": "y", "format": "csv"}).content.decode()
    assert_flat_error(as_admin.get(f"{REPORT}?from=x&to=y&format=csv"), 400)
    assert_flat_error(as_alice.get(f"{REPORT}?from=2030-01-01&to=2030-01-01&by=week&format=csv"), 403)
