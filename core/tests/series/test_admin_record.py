"""Acts on series in the admin of the record, and in the histories of their dates."""

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from core import lifecycle
from core.choices import IfRefused, Scope
from core.lifecycle import Changes
from core.models import Resource, Series
from core.record.models import BookingEvent
from core.tests.history.test_admin import BOOKINGS, LIST, follow_links, table
from core.tests.series.test_admin_form import dates_of, make_series
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking


@pytest.fixture
def series(alice: User, bob: User, room: Resource) -> Series:
    """Four dates and one that was taken; moved by two hours, and two of them cancelled."""
    make_booking(bob, room, at(10, day=3))
    made = make_series(alice, room, on_conflict=IfRefused.SKIP, notes="<b>Daily</b>")
    changes = Changes(start_time=at(12), end_time=at(13), notes="Later & longer")
    lifecycle.change_dates(dates_of(made)[0], scope=Scope.ALL, changes=changes, act=act(alice))
    lifecycle.cancel_some(made, ids=[each.pk for each in dates_of(made)[:2]], act=act(None, reason="Holiday"))
    return made


def page_of_act(pages: Client, kind: str) -> str:
    row = BookingEvent.objects.get(kind=kind)
    return pages.get(f"{LIST}{row.pk}/change/").content.decode()


def words(page: str) -> str:
    return " ".join(unescape(strip_tags(page.replace("<br>", "\n"))).split())


def test_the_list_tells_acts_on_series(admin_pages: Client, series: Series) -> None:
    rows = [row[1:4] for row in table(admin_pages.get(LIST).content.decode(), "result_list")]
    name = f"Blue room, series {series.pk}; alice"
    assert [row for row in rows if row[0].startswith("series.")] == [
        ["series.cancelled", name, "the system"],
        ["series.changed", name, "alice (owner)"],
        ["series.made", name, "alice (owner)"],
    ]


def test_the_page_of_an_act_tells_what_changed_with_the_dates(admin_pages: Client, series: Series) -> None:
    made = words(page_of_act(admin_pages, "series.made"))
    for text in (
        "rule: every day, 5 times",
        f"first date: {at(10):%Y-%m-%d %H:%M} to {at(11):%Y-%m-%d %H:%M} UTC",
        "notes: <b>Daily</b>",
        f"not booked: {at(10, day=3):%Y-%m-%d %H:%M} (slot taken)",
        f"Blue room, {at(10):%Y-%m-%d} 10:00–11:00 UTC, alice: confirmed",
    ):
        assert text in made, text
    changed = words(page_of_act(admin_pages, "series.changed"))
    for text in (
        "notes: <b>Daily</b> → Later & longer",
        f"first date: {at(10):%Y-%m-%d %H:%M} to {at(11):%Y-%m-%d %H:%M} UTC → {at(12):%Y-%m-%d %H:%M}",
        f"start time: {at(10, day=5):%Y-%m-%d %H:%M} → {at(12, day=5):%Y-%m-%d %H:%M}",
    ):
        assert text in changed, text
    assert "rule: " not in changed
    cancelled = words(page_of_act(admin_pages, "series.cancelled"))
    assert cancelled.count("status: confirmed → cancelled") == 2
    assert "Holiday" in cancelled


def test_a_date_leads_to_the_act_on_its_series(admin_pages: Client, series: Series) -> None:
    date, whole = dates_of(series)[0], BookingEvent.objects.get(kind="series.cancelled")
    history = admin_pages.get(f"{BOOKINGS}{date.pk}/history/").content.decode()
    assert f'<a href="{LIST}{whole.pk}/change/">with series {series.pk}</a>' in history
    assert [row[1] for row in table(history, "acts")] == [
        f"booking.cancelled; with series {series.pk}",
        f"booking.changed; with series {series.pk}",
        f"booking.created; with series {series.pk}",
    ]
    row = BookingEvent.objects.get(series_act_id=whole.pk, booking_id=date.pk)
    page = admin_pages.get(f"{LIST}{row.pk}/change/").content.decode()
    assert f'<a href="/admin/core/series/{series.pk}/change/">series {series.pk}</a>' in page
    assert f'<a href="{LIST}{whole.pk}/change/">act {whole.pk}</a>' in page


def test_a_single_act_is_told_as_such(admin_pages: Client, series: Series) -> None:
    date = dates_of(series)[3]
    lifecycle.change(date, changes=Changes(notes="mine"), act=act(None))
    history = admin_pages.get(f"{BOOKINGS}{date.pk}/history/").content.decode()
    assert table(history, "acts")[0][1] == "booking.changed"


@pytest.mark.parametrize("deleted", ["nothing", "series", "owner"])
def test_no_row_breaks_a_page_and_each_link_leads_somewhere(
    admin_pages: Client, alice: User, series: Series, deleted: str
) -> None:
    pages = [LIST, f"{LIST}?series_id__exact={series.pk}", f"{LIST}?kind__exact=series.made", f"{LIST}?q={series.pk}"]
    pages += [f"{LIST}{row.pk}/change/" for row in BookingEvent.objects.all()]
    pages += [f"{BOOKINGS}{date.pk}/history/" for date in dates_of(series)] if deleted == "nothing" else []
    if deleted == "series":
        Series.objects.all().delete()
    if deleted == "owner":
        alice.delete()
    followed = follow_links(admin_pages, pages)
    assert (f"/admin/core/series/{series.pk}/change/" in followed) == (deleted == "nothing")


def test_the_page_of_an_act_costs_the_same_for_few_dates_and_for_many(
    admin_pages: Client, alice: User, room: Resource, lab: Resource
) -> None:
    costs = []
    for resource, count in ((room, 3), (lab, 366)):
        made = make_series(alice, resource, f"FREQ=DAILY;COUNT={count}")
        row = BookingEvent.objects.get(kind="series.made", series_id=made.pk)
        with CaptureQueriesContext(connection) as captured:
            page = admin_pages.get(f"{LIST}{row.pk}/change/").content.decode()
        assert page.count("UTC, alice</a>") == count
        costs.append(len(captured))
    assert costs[0] == costs[1]
