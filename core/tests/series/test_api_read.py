"""GET /api/series/ and the bookings of a series."""

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_resource, text
from core.tests.support.series import BOOKINGS, SERIES, ids_of, make_series, on

# --- Reading ----------------------------------------------------------------------------------------------------------


def test_the_list_is_one_s_own_and_for_staff_everybody_s(
    as_alice: APIClient, as_bob: APIClient, as_admin: APIClient, alice: User, room: Resource
) -> None:
    own = make_series(as_alice, room)["id"]
    other = make_series(as_bob, room, start=at(15))["id"]
    assert [row["id"] for row in as_alice.get(SERIES).json()] == [own]
    assert [row["id"] for row in as_admin.get(SERIES).json()] == [own, other]
    assert [row["id"] for row in as_admin.get(f"{SERIES}?user={alice.pk}").json()] == [own]
    assert_flat_error(as_bob.get(f"{SERIES}?user={alice.pk}"), 400, "invalid", "user")


def test_a_listed_series_is_the_single_one(as_alice: APIClient, ten: dict) -> None:
    (row,) = as_alice.get(SERIES).json()
    single = as_alice.get(f"{SERIES}{ten['id']}/").json()
    assert row == single
    assert list(row) == list(single)
    assert single == {name: ten[name] for name in single}


def test_the_list_is_narrowed_and_comes_in_pages(as_alice: APIClient, room: Resource, ten: dict) -> None:
    desk = make_resource("Desk")
    other = make_series(as_alice, desk)["id"]
    assert [row["id"] for row in as_alice.get(f"{SERIES}?resource={desk.pk}").json()] == [other]
    page = as_alice.get(f"{SERIES}?limit=1&count=true")
    assert ([row["id"] for row in page.json()], page.headers["X-Total-Count"]) == ([ten["id"]], "2")
    assert 'rel="next"' in page.headers["Link"]


def test_upcoming_is_what_has_a_date_to_come(as_alice: APIClient, room: Resource, ten: dict) -> None:
    over = make_series(as_alice, room, start=at(15))["id"]
    as_alice.delete(f"{SERIES}{over}/")
    assert [row["id"] for row in as_alice.get(f"{SERIES}?upcoming=true").json()] == [ten["id"]]
    assert [row["id"] for row in as_alice.get(f"{SERIES}?upcoming=false").json()] == [over]


def test_the_dates_come_in_order_with_their_bookings(as_alice: APIClient, ten: dict) -> None:
    first, second = ids_of(ten)[:2]
    as_alice.patch(f"{BOOKINGS}{first}/", on(18, day=1))
    as_alice.delete(f"{BOOKINGS}{second}/")
    answer = as_alice.get(f"{SERIES}{ten['id']}/dates/")
    dates = answer.json()
    assert [date["id"] for date in dates] == ids_of(ten)
    assert (dates[0]["start_time"], dates[0]["recurrence_id"]) == (text(at(18)), text(at(10)))
    assert dates[0]["local_start"] == at(18).replace(tzinfo=None).isoformat()
    assert (dates[1]["status"], dates[1]["code"]) == ("cancelled", "")
    assert (
        as_alice.get(f"{SERIES}{ten['id']}/dates/", headers={"If-None-Match": answer.headers["ETag"]}).status_code
        == 304
    )


# --- Bookings of a series ---------------------------------------------------------------------------------------------


def test_a_booking_tells_of_its_series_to_whoever_asks(as_alice: APIClient, room: Resource, ten: dict) -> None:
    plain = as_alice.get(f"{BOOKINGS}{ids_of(ten)[0]}/").json()
    assert not {"series", "recurrence_id"} & set(plain)
    told = as_alice.get(f"{BOOKINGS}{ids_of(ten)[0]}/?include=series")
    assert told.json() == {**plain, "series": ten["id"], "recurrence_id": text(at(10))}
    alone = as_alice.post(BOOKINGS, {"resource": room.pk, **on(20, day=1)}).json()["id"]
    assert as_alice.get(f"{BOOKINGS}{alone}/?include=series").json()["series"] is None


def test_the_tag_with_the_series_is_good_for_a_change(as_alice: APIClient, ten: dict) -> None:
    address = f"{BOOKINGS}{ids_of(ten)[0]}/"
    tag = as_alice.get(f"{address}?include=series").headers["ETag"]
    assert as_alice.patch(address, {"notes": "x"}, headers={"If-Match": tag}).status_code == 200


def test_the_list_of_bookings_is_narrowed_to_a_series(
    as_alice: APIClient, as_bob: APIClient, as_admin: APIClient, room: Resource, ten: dict
) -> None:
    make_series(as_alice, room, start=at(15))
    address = f"{BOOKINGS}?series={ten['id']}&include=series"
    for client in (as_alice, as_admin):
        rows = client.get(address).json()
        assert [row["id"] for row in rows] == ids_of(ten)
        assert {row["series"] for row in rows} == {ten["id"]}
    assert as_bob.get(address).json() == []


def test_staff_see_both_the_note_and_the_series(as_admin: APIClient, ten: dict) -> None:
    row = as_admin.get(f"{BOOKINGS}{ids_of(ten)[0]}/?include=series&include=staff_note").json()
    assert (row["series"], row["staff_note"]) == (ten["id"], "")


# --- In a browser -----------------------------------------------------------------------------------------------------


def test_the_pages_of_a_series_open_in_a_browser(admin_pages: Client, ten: dict) -> None:
    for path in (SERIES, f"{SERIES}{ten['id']}/", f"{SERIES}{ten['id']}/dates/"):
        answer = admin_pages.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for path in (f"{SERIES}check/", f"{SERIES}{ten['id']}/cancel/"):
        assert admin_pages.get(path, headers={"Accept": "text/html"}).status_code == 405
