"""GET /api/bookings/ and /api/resources/ as files."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.api.pagination import MOST_AT_ONCE
from core.exports import answers, views
from core.models import Booking, Resource
from core.record.models import BookingEvent
from core.tests.exports.hostile import FORMULA, NOTE, WORDS
from core.tests.exports.reading import XLSX, body_of, cells_in, close, rows_in, rows_of
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_cancelled_bookings,
    make_resource,
    make_user,
    text,
)

BOOKINGS = "/api/bookings/"
RESOURCES = "/api/resources/"
FOR_OWNERS = [
    *("id", "resource", "resource_name", "username", "full_name", "status", "start_local", "end_local", "time_zone"),
    *("start_time", "end_time", "minutes", "notes", "created_at"),
]
FOR_STAFF = [*FOR_OWNERS[:5], "email", *FOR_OWNERS[5:13], "staff_note", "created_at"]


def exports():
    return list(BookingEvent.objects.filter(kind="bookings.exported").order_by("pk"))


class TestBookings:
    def test_staff_get_all_of_them(self, as_admin, alice, bob, room):
        room.time_zone = "Europe/Berlin"
        room.save()
        alice.first_name, alice.last_name = "Alice", "Liddell"
        alice.save()
        first = make_booking(alice, room, notes="Tea")
        Booking.objects.update(staff_note="VIP")
        make_booking(bob, room, at(12))

        response = as_admin.get(BOOKINGS, {"format": "csv"})

        assert response.status_code == 200
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"].startswith('attachment; filename="bookings-20')
        assert response["Cache-Control"] == "private, no-cache"
        assert "Accept" in response["Vary"]
        rows = rows_of(response)
        assert [row["username"] for row in rows] == ["alice", "bob"]
        berlin = ZoneInfo("Europe/Berlin")
        assert rows[0] == {
            "id": str(first.pk),
            "resource": str(room.pk),
            "resource_name": "Blue room",
            "username": "alice",
            "full_name": "Alice Liddell",
            "email": "alice@example.org",
            "status": "confirmed",
            "start_local": f"{at(10).astimezone(berlin):%Y-%m-%d %H:%M}",
            "end_local": f"{at(11).astimezone(berlin):%Y-%m-%d %H:%M}",
            "time_zone": "Europe/Berlin",
            "start_time": text(at(10)),
            "end_time": text(at(11)),
            "minutes": "60",
            "notes": "Tea",
            "staff_note": "VIP",
            "created_at": text(first.created_at),
        }
        assert list(rows[0]) == FOR_STAFF

    def test_owners_get_their_own_without_the_note_of_staff(self, as_alice, alice, bob, room):
        make_booking(alice, room)
        make_booking(bob, room, at(12))
        Booking.objects.update(staff_note="secret")

        body = body_of(as_alice.get(BOOKINGS, {"format": "csv"}))
        book = body_of(as_alice.get(BOOKINGS, {"format": "xlsx"}))

        assert b"secret" not in body
        (row,), (cells,) = rows_in(body), cells_in(book)
        assert list(row) == list(cells) == FOR_OWNERS
        assert row["username"] == cells["username"].value == "alice"

    def test_a_workbook_has_the_same_values(self, as_admin, alice, room):
        booking = make_booking(alice, room, notes=NOTE)

        response = as_admin.get(BOOKINGS, {"format": "xlsx"})

        assert response["Content-Type"] == XLSX
        body = body_of(response)
        assert response["Content-Length"] == str(len(body))
        (row,) = cells_in(body)
        assert list(row) == FOR_STAFF
        assert row["id"].value == booking.pk
        assert row["start_local"].value == at(10).replace(tzinfo=None)
        assert row["start_time"].value == text(at(10))
        assert row["minutes"].value == 60

    @pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
    def test_hostile_words_survive_and_run_nothing(self, as_admin, word):
        someone = make_user("someone")
        someone.first_name = word[:150]
        someone.save()
        make_booking(someone, make_resource(word), notes=word)

        (row,) = rows_of(as_admin.get(BOOKINGS, {"format": "csv"}))
        (cells,) = cells_in(body_of(as_admin.get(BOOKINGS, {"format": "xlsx"})))

        for name in ("notes", "resource_name", "full_name"):
            assert row[name][0] not in "=+-@\t\r"
            assert cells[name].data_type == "s"
            assert cells[name].hyperlink is None
        assert row["notes"].removeprefix("'").lstrip("'") == word.lstrip("'")

    def test_a_night_of_a_clock_change_has_its_true_length(self, as_admin, alice, room):
        Resource.objects.update(time_zone="Europe/Berlin")
        autumn = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight; the clocks go back at 3
        make_booking(alice, room, autumn, autumn + timedelta(hours=5))

        (row,) = rows_of(as_admin.get(BOOKINGS, {"format": "csv"}))

        assert (row["start_local"], row["end_local"]) == ("2026-10-25 00:00", "2026-10-25 04:00")
        assert row["minutes"] == "300"

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"status": "cancelled"}, ["bob"]),
            ({"status": ["cancelled", "confirmed"], "ordering": "-start_time"}, ["bob", "alice"]),
            ({"search": "tea"}, ["alice"]),
            ({"start_after": text(at(11))}, ["bob"]),
            ({"limit": 1}, ["alice"]),
            ({"upcoming": "false"}, []),
        ],
        ids=str,
    )
    def test_the_filters_of_the_list_hold(self, as_admin, alice, bob, room, asked, expected):
        make_booking(alice, room, notes="Tea")
        make_cancelled_booking(bob, room, at(12))

        assert [row["username"] for row in rows_of(as_admin.get(BOOKINGS, {"format": "csv", **asked}))] == expected

    def test_a_page_leads_on(self, as_admin, alice, room):
        make_booking(alice, room)
        make_booking(alice, room, at(12))

        response = as_admin.get(BOOKINGS, {"format": "csv", "limit": 1, "count": "true"})

        assert len(rows_of(response)) == 1
        assert response["X-Total-Count"] == "2"
        following = response["Link"].split("<")[2].split(">")[0]
        assert "format=csv" in following
        assert [row["start_time"] for row in rows_of(as_admin.get(following))] == [text(at(12))]

    @pytest.mark.parametrize("form", answers.FORMS)
    def test_all_parts_of_a_long_list_come_once(
        self, as_admin, alice, room, form, monkeypatch, django_assert_num_queries
    ):
        monkeypatch.setattr(views, "AT_ONCE", 3)
        booked = [make_booking(alice, room, at(hour), at(hour + 1)).pk for hour in range(10)]
        body_of(as_admin.get(BOOKINGS, {"format": form}))

        # The sign-in, four parts and the row of the record; a workbook is counted before.
        with django_assert_num_queries(6 + (form == "xlsx")):
            body = body_of(as_admin.get(BOOKINGS, {"format": form}))

        rows = rows_in(body) if form == "csv" else cells_in(body)
        assert [int(getattr(row["id"], "value", row["id"])) for row in rows] == booked

    def test_too_many_rows_for_a_workbook_are_refused_in_json_with_the_way_on(self, as_admin, alice, room, monkeypatch):
        monkeypatch.setattr(answers, "MOST_IN_BROWSER", 1)
        make_booking(alice, room)
        assert len(cells_in(body_of(as_admin.get(BOOKINGS, {"format": "xlsx"})))) == 1
        make_booking(alice, room, at(12))

        refused = as_admin.get(BOOKINGS, {"format": "xlsx"})

        assert (refused.status_code, refused.json()["code"]) == (400, "too_many_rows")
        assert refused["Content-Type"] == "application/json"
        assert "CSV" in refused.json()["detail"]
        assert "export_bookings" in refused.json()["detail"]
        assert len(exports()) == 1
        assert len(cells_in(body_of(as_admin.get(BOOKINGS, {"format": "xlsx", "limit": 1})))) == 1
        assert len(rows_of(as_admin.get(BOOKINGS, {"format": "csv"}))) == 2

    def test_a_text_that_fits_no_cell_is_refused(self, as_admin, alice, room):
        make_booking(alice, room, notes="x" * 40_000)

        refused = as_admin.get(BOOKINGS, {"format": "xlsx"})

        assert (refused.status_code, refused.json()["code"]) == (400, "no_workbook")
        assert exports() == []


class TestRecord:
    def test_who_when_which_filters_and_how_many(self, as_admin, admin, alice, room):
        make_booking(alice, room, notes="Tea")
        asked = {"format": "csv", "status": ["confirmed", "pending"], "search": "tea", "resource": room.pk}

        response = as_admin.get(BOOKINGS, asked, headers={"X-Request-ID": "the-request-1"})
        assert exports() == []
        body_of(response)

        (row,) = exports()
        assert (row.actor, row.owner, row.part, row.channel) == (admin, None, "staff", "api")
        assert (row.booking_id, row.resource_id, row.request_id) == (None, None, "the-request-1")
        filters = {"status": ["confirmed", "pending"], "resource": str(room.pk)}
        assert row.facts == {"export": {"format": "csv", "rows": 1, "filters": filters}}
        assert row.actor_words["username"] == "admin"
        assert row.actor_words["filters"] == {"search": "tea"}
        assert row.handed_at is not None

    def test_an_owner_is_on_record_too(self, as_alice, alice):
        body_of(as_alice.get(BOOKINGS, {"format": "xlsx"}))

        (row,) = exports()
        assert (row.actor, row.owner, row.part) == (alice, alice, "owner")
        assert row.facts["export"] == {"format": "xlsx", "rows": 0, "filters": {}}

    def test_it_is_written_before_the_last_bytes_are_sent(self, as_admin, alice, room):
        make_booking(alice, room)

        parts = iter(as_admin.get(BOOKINGS, {"format": "csv"}).streaming_content)
        assert exports() == []
        assert next(parts)

        assert len(exports()) == 1

    def test_an_answer_that_breaks_off_leaves_none(self, as_admin, alice, room, monkeypatch):
        for hour in range(6):
            make_booking(alice, room, at(hour), at(hour + 1))
        monkeypatch.setattr(views, "AT_ONCE", 2)
        response = as_admin.get(BOOKINGS, {"format": "csv"})
        monkeypatch.setattr("core.api.pagination.fetch_page", broken)

        with pytest.raises(RuntimeError):
            body_of(response)

        assert exports() == []

    def test_words_go_with_the_account(self, as_admin, admin):
        body_of(as_admin.get(BOOKINGS, {"format": "csv", "search": "bert", "status": "pending"}))

        admin.delete()

        (row,) = exports()
        assert (row.actor_id, row.actor_words) == (None, {})
        assert row.facts["export"]["filters"] == {"status": "pending"}

    def test_json_and_head_leave_none(self, as_admin, alice, room):
        make_booking(alice, room)
        as_admin.get(BOOKINGS)
        for form in answers.FORMS:
            head = as_admin.head(BOOKINGS, {"format": form})
            assert (head.status_code, body_of(head)) == (200, b"")
            assert "attachment" in head["Content-Disposition"]

        assert exports() == []


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            (None, "application/json"),
            ("*/*", "application/json"),
            ("application/json", "application/json"),
            ("text/csv", "text/csv; charset=utf-8"),
            (XLSX, XLSX),
            ("text/csv, */*", "text/csv; charset=utf-8"),
            ("application/json, text/csv", "application/json"),
            ("text/csv;q=0.5, application/json", "application/json"),
            ("text/csv;q=0.5, application/json;q=0.1", "text/csv; charset=utf-8"),
            (f"text/csv;q=0.3, {XLSX};q=0.8", XLSX),
            ("text/csv;q=0", "application/json"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
            ("text/plain", "application/json"),
            ("text/*", "text/csv; charset=utf-8"),
            ("text/csv;q=nan, ;;;, /, \x80", None),
        ],
    )
    def test_accept_chooses(self, as_admin, accept, kind):
        response = as_admin.get(BOOKINGS, **({} if accept is None else {"HTTP_ACCEPT": accept}))

        close(response)
        assert response.status_code == 200
        assert kind in (None, response["Content-Type"])

    def test_format_goes_before_accept(self, as_admin):
        response = as_admin.get(BOOKINGS, {"format": "json"}, HTTP_ACCEPT="text/csv")

        assert response["Content-Type"] == "application/json"

    def test_json_is_byte_for_byte_what_it_was(self, as_admin, alice, room):
        make_booking(alice, room, notes=FORMULA)

        plain = as_admin.get(BOOKINGS)

        assert plain.content == as_admin.get(BOOKINGS, {"format": "json"}).content
        assert json.loads(plain.content)[0]["notes"] == FORMULA
        assert "email" not in plain.json()[0]
        assert plain["ETag"]

    @pytest.mark.parametrize(
        ("method", "path", "asked", "status"),
        [
            ("get", BOOKINGS, {"format": "csv", "wrong": "1"}, 400),
            ("get", BOOKINGS, {"format": "xls"}, 400),
            ("get", BOOKINGS, {"format": "csv", "cursor": "x"}, 400),
            ("get", BOOKINGS, {"format": "xlsx", "limit": "1", "cursor": "x"}, 400),
            ("get", f"{BOOKINGS}1/", {"format": "csv"}, 400),
            ("post", BOOKINGS, {"format": "csv"}, 400),
            ("get", "/api/resources/availability/", {"format": "csv"}, 400),
            ("delete", BOOKINGS, {}, 405),
        ],
        ids=str,
    )
    def test_errors_stay_json(self, as_admin, method, path, asked, status):
        refused = getattr(as_admin, method)(
            path,
            asked if method == "get" else {},
            HTTP_ACCEPT="text/csv",
            **(
                {}
                if method == "get"
                else {"QUERY_STRING": "&".join(f"{name}={value}" for name, value in asked.items())}
            ),
        )

        assert (refused.status_code, refused["Content-Type"]) == (status, "application/json")
        assert {"error", "code", "detail"} <= set(refused.json())
        assert exports() == []

    def test_an_unknown_format_is_told_the_known_ones(self, as_admin):
        assert as_admin.get(BOOKINGS, {"format": "xls"}).json()["format"] == ["Send json, api, csv, xlsx."]
        assert as_admin.get(f"{BOOKINGS}check/", {"format": "csv"}).json()["format"] == ["Send json, api."]

    @pytest.mark.parametrize("form", answers.FORMS)
    def test_a_stranger_gets_no_bookings(self, anonymous, alice, room, form):
        make_booking(alice, room)

        refused = anonymous.get(BOOKINGS, {"format": form})

        assert (refused.status_code, refused["Content-Type"]) == (401, "application/json")

    def test_an_owner_may_not_ask_for_those_of_others(self, as_alice, bob):
        assert as_alice.get(BOOKINGS, {"format": "csv", "user": bob.pk}).status_code == 400


class TestResources:
    def test_everybody_gets_them(self, anonymous, lab):
        room = make_resource(FORMULA, capacity=8, time_zone="Europe/Berlin", description=NOTE)

        rows = rows_of(anonymous.get(RESOURCES, {"format": "csv", "ordering": "-capacity"}))

        assert rows[0] == {
            "id": str(room.pk),
            "name": f"'{FORMULA}",
            "description": NOTE,
            "capacity": "8",
            "is_available": "true",
            "requires_approval": "false",
            "reason_required": "false",
            "time_zone": "Europe/Berlin",
        }
        assert (rows[1]["name"], rows[1]["requires_approval"], rows[1]["time_zone"]) == ("Lab", "true", "")
        assert exports() == []

    def test_a_workbook(self, as_alice, lab):
        (row,) = cells_in(body_of(as_alice.get(RESOURCES, HTTP_ACCEPT=XLSX)))

        assert (row["name"].value, row["requires_approval"].value) == ("Lab", True)

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"min_capacity": 5}, ["Hall"]),
            ({"search": "blue"}, ["Blue room"]),
            ({"include": ["policy", "next_free"]}, ["Blue room", "Hall"]),
        ],
        ids=str,
    )
    def test_the_filters_of_the_list_hold(self, anonymous, room, asked, expected):
        make_resource("Hall", capacity=10)

        assert [row["name"] for row in rows_of(anonymous.get(RESOURCES, {"format": "csv", **asked}))] == expected

    @pytest.mark.parametrize(("available", "expected"), [("true", ["Hall"]), ("false", ["Blue room"])])
    def test_a_window_narrows(self, anonymous, alice, room, available, expected):
        make_resource("Hall")
        make_booking(alice, room)
        asked = {"available": available, "start": text(at(10)), "end": text(at(11)), "format": "csv"}

        assert [row["name"] for row in rows_of(anonymous.get(RESOURCES, asked))] == expected


def test_a_long_list_in_json_is_streamed_as_before(as_admin, alice, room):
    make_cancelled_bookings(alice, room, MOST_AT_ONCE + 1)

    assert len(json.loads(body_of(as_admin.get(BOOKINGS)))) == MOST_AT_ONCE + 1
    assert len(rows_of(as_admin.get(BOOKINGS, {"format": "csv"}))) == MOST_AT_ONCE + 1


def broken(*args: object, **kwargs: object) -> None:
    raise RuntimeError("the database is away")
