"""POST /api/series/: books many dates, or tells why not."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource, Series, SkippedDate
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import TODAY, at, make_booking, make_resource, text
from core.tests.support.series import make_series, series_body

URL = "/api/series/"
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def night(month: int) -> datetime:
    """The next night in which the clocks of Berlin change: the last Sunday of a month, naive."""
    for year in (TODAY.year, TODAY.year + 1):
        last = TODAY.replace(year=year, month=month, day=31, tzinfo=None)
        day = last - timedelta(days=(last.weekday() + 1) % 7)
        if day.date() > (TODAY + timedelta(days=3)).date():
            return day
    raise AssertionError


def last_working_day() -> datetime:
    """The last day from Monday to Friday of the month after next, naive."""
    day = (TODAY.replace(day=1) + timedelta(days=95)).replace(day=1, tzinfo=None) - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - 4))


def local(moment: datetime) -> str:
    return moment.isoformat()


def clock(hour: int, day: int = 1) -> str:
    """That hour of a day, tomorrow unless said otherwise, without an offset."""
    return local(at(hour, day=day).replace(tzinfo=None))


def by_the_clock(room: Resource, rrule: str, start: datetime, *, hours: int = 1, **more: object) -> dict[str, Any]:
    """A body with times of Berlin's clock."""
    times = {"start_time": local(start), "end_time": local(start + hours * HOUR)}
    return {"resource": room.pk, "rrule": rrule, **times, "time_zone": "Europe/Berlin", **more}


def nothing_is_stored() -> bool:
    return not (Series.objects.exists() or SkippedDate.objects.exists() or Booking.objects.filter(series__isnull=False))


# --- Booked -----------------------------------------------------------------------------------------------------------


def test_a_new_series_answers_itself_and_its_dates(as_alice: APIClient, alice: User, room: Resource) -> None:
    answer = as_alice.post(URL, series_body(room, notes="Stand-up"))
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/api/series/{body['id']}/")
    assert (body["user"], body["username"], body["resource_name"]) == (alice.pk, "alice", "Blue room")
    assert (body["rrule"], body["rule_text"]) == ("FREQ=DAILY;COUNT=3", "every day, 3 times")
    assert (body["start_time"], body["end_time"]) == (
        clock(10),
        clock(11),
    )
    assert (body["time_zone"], body["notes"], body["previous"]) == ("UTC", "Stand-up", None)
    assert [date["start_time"] for date in body["made"]] == [text(at(10, day=day)) for day in (1, 2, 3)]
    assert {date["status"] for date in body["made"]} == {"confirmed"}
    assert body["skipped"] == []
    stored = Booking.objects.order_by("start_time")
    assert [date["id"] for date in body["made"]] == [booking.pk for booking in stored]
    assert {booking.notes for booking in stored} == {"Stand-up"}


def test_what_one_reads_can_be_sent_again(as_alice: APIClient, room: Resource) -> None:
    made = make_series(as_alice, room)
    read = as_alice.get(f"{URL}{made['id']}/").json()
    again = as_alice.post(URL, {**read, "resource": make_resource("Red room").pk})
    assert again.status_code == 201
    same = ("rrule", "start_time", "end_time", "time_zone", "exdates", "rdates")
    assert {name: again.json()[name] for name in same} == {name: read[name] for name in same}


def test_the_tag_of_the_answer_is_that_of_the_series(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post(URL, series_body(room))
    assert as_alice.get(f"{URL}{answer.json()['id']}/").headers["ETag"] == answer.headers["ETag"]


def test_52_mondays_at_nine_are_at_nine_by_the_clock(as_alice: APIClient, room: Resource) -> None:
    monday = TODAY.replace(tzinfo=None) + timedelta(days=7 - TODAY.weekday(), hours=9)
    answer = as_alice.post(URL, by_the_clock(room, "FREQ=WEEKLY;BYDAY=MO;COUNT=52", monday))
    assert answer.status_code == 201, answer.json()
    dates = answer.json()["made"]
    starts = [datetime.fromisoformat(date["start_time"]) for date in dates]
    assert [(start.astimezone(BERLIN).hour, start.astimezone(BERLIN).weekday()) for start in starts] == [(9, 0)] * 52
    assert {date["local_start"][11:] for date in dates} == {"09:00:00"}
    gaps = sorted((after - before) // HOUR for before, after in pairwise(starts))
    assert gaps == [167, *[168] * 49, 169]


@pytest.mark.parametrize(
    ("end", "made"), [pytest.param("UNTIL", 4, id="UNTIL has one less"), pytest.param("COUNT", 5, id="COUNT counts")]
)
def test_a_time_that_the_clock_skips_is_left_out_and_reported(
    as_alice: APIClient, room: Resource, end: str, made: int
) -> None:
    spring = night(3)
    start = spring + timedelta(days=-2, hours=2.5)
    until = {"UNTIL": f"UNTIL={spring + timedelta(days=2):%Y%m%d}", "COUNT": "COUNT=5"}[end]
    answer = as_alice.post(URL, by_the_clock(room, f"FREQ=DAILY;{until}", start))
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert len(body["made"]) == made
    assert {date["local_start"][11:] for date in body["made"]} == {"02:30:00"}
    (skipped,) = body["skipped"]
    assert (skipped["local_start"], skipped["code"]) == (
        local(spring + timedelta(hours=2.5)),
        "not_on_the_clock",
    )
    assert (skipped["start_time"], skipped["end_time"]) == (None, None)
    listed = as_alice.get(f"{URL}{body['id']}/dates/").json()
    assert [date["code"] for date in listed] == ["", "", "not_on_the_clock", *[""] * (made - 2)]


def test_in_the_hour_that_comes_twice_the_first_is_meant(as_alice: APIClient, room: Resource) -> None:
    start = night(10) + timedelta(hours=2.5)
    made = as_alice.post(URL, by_the_clock(room, "FREQ=DAILY;COUNT=1", start)).json()["made"]
    assert made[0]["start_time"] == text((start - timedelta(hours=2)).replace(tzinfo=TODAY.tzinfo))


def test_a_time_with_an_offset_goes_by_the_clock_of_the_zone(as_alice: APIClient, room: Resource) -> None:
    made = make_series(as_alice, room, time_zone="Asia/Tokyo")
    assert made["start_time"] == clock(19)
    assert made["made"][0]["start_time"] == text(at(10))


def test_without_a_zone_that_of_the_resource_counts(as_alice: APIClient) -> None:
    room = make_resource(time_zone="Asia/Tokyo")
    made = as_alice.post(URL, {**series_body(room), "time_zone": None}).json()
    assert (made["time_zone"], made["start_time"]) == ("Asia/Tokyo", clock(19))


def test_dates_can_be_left_out_and_added(as_alice: APIClient, room: Resource) -> None:
    more = {"exdates": [text(at(10, day=2))], "rdates": [clock(15, day=2)]}
    made = make_series(as_alice, room, **more)
    assert [date["start_time"] for date in made["made"]] == [text(at(10)), text(at(15, day=2)), text(at(10, day=3))]
    assert made["exdates"] == [clock(10, day=2)]


@pytest.mark.parametrize(
    ("rrule", "words"),
    [("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "the last working day of every month")],
)
def test_the_rule_is_told_in_words(as_alice: APIClient, room: Resource, rrule: str, words: str) -> None:
    answer = as_alice.post(URL, by_the_clock(room, rrule, last_working_day()))
    assert answer.status_code == 201, answer.json()
    assert words in answer.json()["rule_text"]


def test_a_resource_with_approval_makes_every_date_wait(as_alice: APIClient, lab: Resource) -> None:
    assert {date["status"] for date in make_series(as_alice, lab)["made"]} == {"pending"}


def test_staff_book_for_somebody_with_a_note_and_a_status(as_admin: APIClient, alice: User, lab: Resource) -> None:
    made = make_series(as_admin, lab, user=alice.pk, staff_note="By phone", status="confirmed")
    assert made["username"] == "alice"
    assert {(row.user_id, row.staff_note, row.status) for row in Booking.objects.all()} == {
        (alice.pk, "By phone", "confirmed")
    }


def test_what_only_staff_may_send_is_passed_over(as_alice: APIClient, alice: User, bob: User, room: Resource) -> None:
    made = make_series(as_alice, room, user=bob.pk, staff_note="x", override=["quota"])
    assert made["user"] == alice.pk
    assert set(Booking.objects.values_list("staff_note", flat=True)) == {""}


def test_the_same_key_makes_one_series(as_alice: APIClient, room: Resource) -> None:
    first, second = (as_alice.post(URL, series_body(room), headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Series.objects.count() == 1
    other = as_alice.post(URL, series_body(room, notes="x"), headers={"Idempotency-Key": "k"})
    assert_flat_error(other, 422, "idempotency_key_reused")


# --- Conflicts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def taken(bob: User, room: Resource) -> list[datetime]:
    """The starts of 3 of 10 dates that somebody else has."""
    starts = [at(10, day=day) for day in (2, 4, 6)]
    for start in starts:
        make_booking(bob, room, start)
    return starts


def test_taken_dates_refuse_all_and_each_is_named(as_alice: APIClient, room: Resource, taken: list[datetime]) -> None:
    answer = as_alice.post(URL, series_body(room, "FREQ=DAILY;COUNT=10"))
    body = assert_flat_error(answer, 400, "dates_refused")
    assert body["detail"] == "3 of 10 dates are refused. Nothing was done."
    assert [date["start_time"] for date in body["dates"]] == list(map(text, taken))
    for date, start in zip(body["dates"], taken, strict=True):
        assert (date["code"], date["end_time"]) == ("slot_taken", text(start + HOUR))
        assert date["conflicts"] == [{"start_time": text(start), "end_time": text(start + HOUR)}]
        assert date["suggestion"] == {"start_time": text(start + HOUR), "end_time": text(start + 2 * HOUR)}
    assert nothing_is_stored()


def test_skip_makes_the_others(as_alice: APIClient, room: Resource, taken: list[datetime]) -> None:
    answer = as_alice.post(URL, series_body(room, "FREQ=DAILY;COUNT=10", on_conflict="skip"))
    assert answer.status_code == 201
    body = answer.json()
    assert len(body["made"]) == 7
    assert [date["start_time"] for date in body["skipped"]] == list(map(text, taken))
    assert {date["code"] for date in body["skipped"]} == {"slot_taken"}
    listed = as_alice.get(f"{URL}{body['id']}/dates/").json()
    assert [date["code"] for date in listed] == ["slot_taken" if day in (2, 4, 6) else "" for day in range(1, 11)]
    assert [date["id"] for date in listed if date["id"]] == [date["id"] for date in body["made"]]


def test_all_taken_leaves_nothing_behind(as_alice: APIClient, bob: User, room: Resource) -> None:
    make_booking(bob, room, at(0), at(0, day=9))
    answer = as_alice.post(URL, series_body(room, on_conflict="skip"))
    body = assert_flat_error(answer, 400, "dates_refused")
    assert len(body["dates"]) == 3
    assert nothing_is_stored()


# --- Refused ----------------------------------------------------------------------------------------------------------

DAY_AFTER = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[at(10, day=2).weekday()]
LOCAL = clock(10)
WRONG: dict[str, tuple[dict[str, Any], str, str | None]] = {
    # name: what is sent instead, the code, the field
    "no rule": ({"rrule": ""}, "invalid", "rrule"),
    "null for a rule": ({"rrule": None}, "invalid", "rrule"),
    "a list for a rule": ({"rrule": ["FREQ=DAILY;COUNT=2"]}, "invalid", "rrule"),
    "a NUL in the rule": ({"rrule": "FREQ=DAILY\0"}, "invalid", "rrule"),
    "no text of RFC 5545": ({"rrule": "every day"}, "rule_not_supported", "rrule"),
    "hourly": ({"rrule": "FREQ=HOURLY;COUNT=2"}, "rule_not_supported", "rrule"),
    "without an end": ({"rrule": "FREQ=DAILY"}, "rule_not_supported", "rrule"),
    "a long rule": ({"rrule": "FREQ=DAILY;COUNT=2" + ";" * 100_000}, "rule_not_supported", "rrule"),
    "another start": (
        {"rrule": "FREQ=WEEKLY;COUNT=2;BYDAY=" + "MOTUWETHFRSASU"[2 * at(34).weekday() :][:2]},
        "not_in_rule",
        "start_time",
    ),
    "30 February": ({"rrule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=5"}, "no_occurrence", "rrule"),
    "367 dates": ({"rrule": "FREQ=DAILY;COUNT=367"}, "too_many_dates", "rrule"),
    "beyond the horizon": ({"rrule": "FREQ=YEARLY;COUNT=9"}, "too_far_ahead", "rrule"),
    "over itself": ({"end_time": text(at(11, day=2))}, "series_overlaps_itself", "end_time"),
    "end before start": ({"end_time": text(at(9))}, "end_not_after_start", None),
    "a day for a time": ({"start_time": LOCAL[:10]}, "invalid", "start_time"),
    "a number for a time": ({"start_time": 5}, "invalid", "start_time"),
    "a NUL in a time": ({"start_time": LOCAL + "\0"}, "invalid", "start_time"),
    "the first day": ({"start_time": "0001-01-01T00:00:00"}, "invalid", "start_time"),
    "the first day with an offset": ({"start_time": "0001-01-01T00:00:00+14:00"}, "invalid", "start_time"),
    "year 1": ({"start_time": "0001-01-02T00:00:00"}, "start_in_past", "start_time"),
    "year 1 in Tokyo": (
        {"start_time": "0001-01-02T00:00:00", "time_zone": "Asia/Tokyo"},
        "start_in_past",
        "start_time",
    ),
    "the last day": ({"end_time": "9999-12-31T23:59:59"}, "invalid", "end_time"),
    "year 9999": ({"start_time": "9999-12-29T10:00:00", "end_time": "9999-12-29T11:00:00"}, "too_far_ahead", None),
    "year 9999 in Hawaii": (
        {"start_time": "9999-12-29T23:00:00", "end_time": "9999-12-29T23:59:00", "time_zone": "Pacific/Honolulu"},
        "too_far_ahead",
        None,
    ),
    "an end in the year 9999": ({"end_time": "9999-12-29T10:00:00"}, "too_far_ahead", None),
    "no zone": ({"time_zone": "Mars/Base"}, "invalid", "time_zone"),
    "a path for a zone": ({"time_zone": "../../etc/passwd"}, "invalid", "time_zone"),
    "a NUL for a zone": ({"time_zone": "\0"}, "invalid", "time_zone"),
    "a dict for exdates": ({"exdates": {}}, "invalid", "exdates"),
    "null for exdates": ({"exdates": None}, "invalid", "exdates"),
    "367 exdates": ({"exdates": [LOCAL] * 367}, "invalid", "exdates"),
    "367 rdates": ({"rdates": [LOCAL] * 367}, "invalid", "rdates"),
    "a bad rdate": ({"rdates": [LOCAL, "soon"]}, "invalid", "rdates"),
    "an rdate in the year 9999": ({"rdates": ["9999-12-29T00:00:00"]}, "too_far_ahead", "rdates"),
    "an rdate in the year 1": ({"rdates": ["0001-01-02T00:00:00"]}, "too_long_ago", None),
    "all excluded": ({"exdates": [text(at(10, day=day)) for day in (1, 2, 3)]}, "no_occurrence", "rrule"),
    "no resource": ({"resource": 999_999}, "resource_missing", "resource"),
    "a large id": ({"resource": 10**30}, "invalid", "resource"),
    "a bad status": ({"status": "maybe"}, "invalid", "status"),
    "a bad on_conflict": ({"on_conflict": "ask"}, "invalid", "on_conflict"),
    "long notes": ({"notes": "x" * 5_001}, "invalid", "notes"),
    "an unknown field": ({"until": LOCAL}, "invalid", "until"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input_is_refused_by_name(as_alice: APIClient, room: Resource, name: str) -> None:
    changes, code, field = WRONG[name]
    body = {**series_body(room), **changes}
    assert_flat_error(as_alice.post(URL, body), 400, code, field)
    tried = as_alice.post(f"{URL}check/", body)
    assert tried.status_code == 200
    assert (tried.json()["ok"], tried.json()["status"], tried.json()["code"]) == (False, 400, code)
    assert nothing_is_stored()


@pytest.mark.parametrize("body", [None, [], "text", 5, [{}]], ids=str)
def test_a_body_that_is_no_object_is_refused(as_alice: APIClient, room: Resource, body: Any) -> None:
    assert as_alice.post(URL, body).status_code == 400
    assert as_alice.post(f"{URL}check/", body).json()["ok"] is False


def test_the_wrong_part_of_a_rule_is_named(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post(URL, series_body(room, "FREQ=SECONDLY;COUNT=2"))
    assert assert_flat_error(answer, 400, "rule_not_supported", "rrule")["part"] == "FREQ"


def test_a_form_books_a_series(as_alice: APIClient, room: Resource) -> None:
    body = {**series_body(room), "exdates": text(at(10, day=2))}
    answer = as_alice.post(URL, body, format="multipart")
    assert answer.status_code == 201, answer.json()
    assert len(answer.json()["made"]) == 2


# --- Tried ------------------------------------------------------------------------------------------------------------


def test_a_trial_tells_of_each_date_and_stores_nothing(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post(f"{URL}check/", series_body(room))
    body = answer.json()
    assert (answer.status_code, body["ok"], body["rule_text"]) == (200, True, "every day, 3 times")
    assert [(date["start_time"], date["code"]) for date in body["dates"]] == [
        (text(at(10, day=day)), "") for day in (1, 2, 3)
    ]
    assert nothing_is_stored()


@pytest.mark.parametrize(("on_conflict", "ok"), [("fail", False), ("skip", True)])
def test_a_trial_says_what_the_series_would_be_answered(
    as_alice: APIClient, room: Resource, taken: list[datetime], on_conflict: str, ok: bool
) -> None:
    sent = series_body(room, "FREQ=DAILY;COUNT=10", on_conflict=on_conflict)
    body = as_alice.post(f"{URL}check/", sent).json()
    assert body["ok"] is ok
    assert [date["code"] for date in body["dates"]].count("slot_taken") == 3
    assert len(body["dates"]) == 10
    assert body.get("code") == (None if ok else "dates_refused")
    assert nothing_is_stored()


def test_a_trial_tells_of_a_time_that_the_clock_skips(as_alice: APIClient, room: Resource) -> None:
    spring = night(3)
    sent = by_the_clock(room, "FREQ=DAILY;COUNT=3", spring + timedelta(days=-1, hours=2.5))
    body = as_alice.post(f"{URL}check/", sent).json()
    assert [date["code"] for date in body["dates"]] == ["", "not_on_the_clock", "", ""]
    assert body["ok"] is True
