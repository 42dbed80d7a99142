"""GET /api/resources/{id}/slots/."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.availability.test_timeline import BAD_WINDOWS
from core.tests.support import oracle
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.properties import MINUTE, STEPS, ZONES, few, spans

WINDOW = "start=2030-01-01T00:00:00Z&end=2030-01-02T00:00:00Z"


def url(resource: Resource) -> str:
    return f"/api/resources/{resource.pk}/slots/"


def slot(start: datetime, end: datetime) -> dict[str, str]:
    return {"start_time": text(start), "end_time": text(end)}


def ask(client: APIClient, resource: Resource, start: datetime, end: datetime, **more: Any) -> list[dict[str, str]]:
    answer = client.get(url(resource), {"start": text(start), "end": text(end), "duration": 60, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def starts(client: APIClient, resource: Resource, start: datetime, end: datetime, **more: Any) -> list[datetime]:
    return [datetime.fromisoformat(found["start_time"]) for found in ask(client, resource, start, end, **more)]


def test_the_slots_of_a_morning(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(10), at(11))
    assert ask(anonymous, room, at(8.5), at(12.5)) == [
        slot(at(8.5), at(9.5)),
        slot(at(9), at(10)),
        slot(at(11), at(12)),
        slot(at(11.5), at(12.5)),
    ]


@pytest.mark.parametrize(
    ("taken", "found"),
    [
        pytest.param([], [9, 10, 11], id="nothing taken"),
        pytest.param([(8, 9)], [9, 10, 11], id="a booking that ends where a slot starts"),
        pytest.param([(10, 11)], [9, 11], id="the same as a slot"),
        pytest.param([(9.5, 10.5)], [11], id="across two slots"),
        pytest.param([(10.25, 10.5)], [9, 11], id="inside a slot"),
        pytest.param([(6, 9.25)], [10, 11], id="across the start of the window"),
        pytest.param([(11.75, 14)], [9, 10], id="across the end of the window"),
        pytest.param([(9, 10), (10, 11), (11, 12)], [], id="packed back to back"),
        pytest.param([(-30, 60)], [], id="over several midnights"),
    ],
)
def test_slots_touch_bookings_but_never_overlap_them(
    anonymous: APIClient, alice: User, room: Resource, taken: list, found: list
) -> None:
    for start, end in taken:
        make_booking(alice, room, at(start), at(end), status="pending")
    assert starts(anonymous, room, at(9), at(12), step=60) == [at(hour) for hour in found]


def test_cancelled_and_rejected_bookings_take_nothing(anonymous: APIClient, alice: User, room: Resource) -> None:
    for status in ("cancelled", "rejected"):
        make_booking(alice, room, at(9), at(12), status=status)
    assert len(ask(anonymous, room, at(9), at(12), step=60)) == 3


def test_the_grid_begins_at_midnight_whatever_the_window(anonymous: APIClient, room: Resource) -> None:
    assert starts(anonymous, room, at(9.1), at(11.6), step=30) == [at(9.5), at(10), at(10.5)]


@pytest.mark.parametrize(
    ("step", "hours"),
    [
        pytest.param(420, [0, 7, 14, 21, 24, 31, 38, 45], id="seven hours"),
        pytest.param(1000, [0, 1000 / 60, 24, 24 + 1000 / 60], id="1000 minutes"),
        pytest.param(1440, [0, 24], id="a day"),
    ],
)
def test_a_step_that_does_not_divide_the_day(
    anonymous: APIClient, room: Resource, step: int, hours: list[float]
) -> None:
    found = starts(anonymous, room, at(0), at(0, day=3), step=step)
    assert found == [at(0) + timedelta(minutes=round(hour * 60)) for hour in hours]


def test_midnight_is_that_of_the_zone(anonymous: APIClient, room: Resource) -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    found = starts(anonymous, room, at(0), at(24), step=420, timezone="Asia/Kathmandu")
    clock = [moment.astimezone(zone).strftime("%H:%M") for moment in found]
    assert clock == ["07:00", "14:00", "21:00", "00:00"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_slots_of_the_next_nights_on_which_clocks_change(anonymous: APIClient, room: Resource, zone: str) -> None:
    change = at(0, day=2)
    shifts = set()
    for _ in range(2):
        before = change
        change = oracle.next_change(zone, change)
        shifts.add(change.astimezone(ZoneInfo(zone)).utcoffset() > before.astimezone(ZoneInfo(zone)).utcoffset())
        first, last = change - timedelta(hours=5), change + timedelta(hours=5)
        found = ask(anonymous, room, first, last, duration=45, step=15, timezone=zone)
        expected = oracle.slots(first, last, [], duration=45, step=15, zone=zone)
        assert found == [slot(start.astimezone(UTC), end.astimezone(UTC)) for start, end in expected]
    assert shifts == {True, False}


@few
@given(
    taken=spans(at(12, day=3)),
    start=st.integers(-900, 900),
    length=st.integers(1, 1500),
    duration=st.one_of(st.sampled_from([15, 60]), st.integers(1, 300)),
    step=st.sampled_from(STEPS),
    zone=st.sampled_from(ZONES),
)
def test_the_slots_are_all_that_are_free(
    anonymous: APIClient,
    alice: User,
    taken: list[oracle.Span],
    start: int,
    length: int,
    duration: int,
    step: int,
    zone: str,
) -> None:
    resource = make_resource()
    for span in taken:
        make_booking(alice, resource, *span)
    first = at(12, day=3) + start * MINUTE
    last = first + length * MINUTE
    expected = oracle.slots(first, last, taken, duration=duration, step=step, zone=zone)
    found = ask(anonymous, resource, first, last, duration=duration, step=step, timezone=zone)
    assert found == [slot(*span) for span in expected]


@few
@given(
    taken=spans(at(10, day=3), most=5), duration=st.sampled_from([15, 30, 45, 90]), step=st.sampled_from([30, 45, 60])
)
def test_what_is_offered_can_be_booked_and_what_is_not_cannot(
    anonymous: APIClient, as_bob: APIClient, alice: User, taken: list[oracle.Span], duration: int, step: int
) -> None:
    resource = make_resource()
    for span in taken:
        make_booking(alice, resource, *span)
    first, last = at(7, day=3), at(15, day=3)
    offered = ask(anonymous, resource, first, last, duration=duration, step=step)
    bookable = []
    for start in oracle.grid(first, last, step=step, zone="UTC"):
        wanted = slot(start, start + duration * MINUTE)
        if start + duration * MINUTE > last:
            continue
        answer = as_bob.post("/api/bookings/", {"resource": resource.pk, **wanted})
        assert answer.status_code == 201 or answer.json()["code"] == "slot_taken", answer.json()
        if answer.status_code == 201:
            bookable.append(wanted)
            Booking.objects.filter(pk=answer.json()["id"]).delete()
    assert offered == bookable


# --- Lead time, service, horizon --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [0, 30, 600])
def test_the_lead_time_counts(anonymous: APIClient, room: Resource, settings: Any, lead: int) -> None:
    settings.BOOKING_LEAD_TIME_MINUTES = lead
    before = timezone.now()
    found = starts(anonymous, room, before - timedelta(hours=1), before + timedelta(hours=13), step=5)
    assert before + lead * MINUTE <= found[0] <= timezone.now() + (lead + 5) * MINUTE


def test_nothing_is_offered_in_the_past(anonymous: APIClient, room: Resource) -> None:
    assert ask(anonymous, room, at(0, day=-10), at(0, day=-1)) == []


def test_nothing_is_offered_out_of_service(anonymous: APIClient) -> None:
    assert ask(anonymous, make_resource(is_available=False), at(9), at(12)) == []


def test_nothing_is_offered_beyond_five_years(anonymous: APIClient, room: Resource) -> None:
    found = ask(anonymous, room, at(0, day=1820), at(0, day=1840), step=1440)
    last = timezone.now() + timedelta(days=1826)
    expected = [day for day in range(1820, 1840) if at(1, day=day) <= last]
    assert [slot["start_time"] for slot in found] == [text(at(0, day=day)) for day in expected]
    assert expected


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", id="the first day"),
        pytest.param("9999-12-30T00:00:00Z", "9999-12-31T23:59:59.999999Z", id="the last days"),
    ],
)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_ends_of_time_offer_nothing(anonymous: APIClient, room: Resource, start: str, end: str, zone: str) -> None:
    answer = anonymous.get(url(room), {"start": start, "end": end, "duration": 10_080, "timezone": zone})
    assert answer.status_code == 200
    assert answer.json() == []


def test_a_duration_longer_than_the_window_fits_nowhere(anonymous: APIClient, room: Resource) -> None:
    assert ask(anonymous, room, at(9), at(10), duration=61) == []
    assert ask(anonymous, room, at(9), at(10), duration=60) == [slot(at(9), at(10))]


def test_the_longest_duration(anonymous: APIClient, room: Resource) -> None:
    found = ask(anonymous, room, at(0), at(0, day=8), duration=10_080)
    assert found == [slot(at(0), at(0, day=8))]


# --- Pages ------------------------------------------------------------------------------------------------------------


def next_page(answer: Any) -> str | None:
    """The address of the next page, or None."""
    found = re.search(r'<([^>]*)>; rel="next"', answer.headers.get("Link", ""))
    return found[1] if found else None


def walk(client: APIClient, first: str) -> list[list[dict[str, str]]]:
    """The pages, by following the `Link` header."""
    pages: list[list[dict[str, str]]] = []
    address: str | None = first
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        pages.append(answer.json())
        address = next_page(answer)
    return pages


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 1000])
def test_pages_hold_every_slot_once(anonymous: APIClient, alice: User, room: Resource, limit: int) -> None:
    make_booking(alice, room, at(10), at(11))
    zone = "timezone=Europe%2FBerlin"
    query = f"start={text(at(9))}&end={text(at(15))}&duration=60&step=30&{zone}"
    whole = anonymous.get(f"{url(room)}?{query}").json()
    pages = walk(anonymous, f"{url(room)}?{query}&limit={limit}")
    assert len(whole) == 8
    assert [found for page in pages for found in page] == whole
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


def test_1000_slots_are_the_most_of_one_answer(anonymous: APIClient, room: Resource) -> None:
    query = f"start={text(at(0))}&end={text(at(0, day=8))}&duration=5&step=5"
    pages = walk(anonymous, f"{url(room)}?{query}")
    assert [len(page) for page in pages] == [1000, 1000, 16]
    assert [found["start_time"] for page in pages for found in page] == [
        text(at(0) + 5 * index * MINUTE) for index in range(2016)
    ]


def test_every_page_names_the_first(anonymous: APIClient, room: Resource) -> None:
    address = f"{url(room)}?start={quote(text(at(9)))}&end={quote(text(at(12)))}&duration=60&step=60&limit=2"
    first = anonymous.get(address)
    last = anonymous.get(next_page(first))
    assert len(last.json()) == 1
    assert next_page(last) is None
    for answer in (first, last):
        assert anonymous.get(re.search(r'<([^>]*)>; rel="first"', answer.headers["Link"])[1]).json() == first.json()


@pytest.mark.parametrize(
    ("resource", "changed"),
    [
        pytest.param("room", {"duration": 30}, id="another duration"),
        pytest.param("room", {"step": 60}, id="another grid"),
        pytest.param("room", {"start": text(at(10))}, id="another window"),
        pytest.param("room", {"timezone": "Europe/Berlin"}, id="another zone"),
        pytest.param("lab", {}, id="another resource"),
    ],
)
def test_a_cursor_is_good_for_one_question_alone(
    request: pytest.FixtureRequest, anonymous: APIClient, room: Resource, resource: str, changed: dict
) -> None:
    asked = {"start": text(at(9)), "end": text(at(15)), "duration": 60, "limit": 2}
    (cursor,) = parse_qs(urlsplit(next_page(anonymous.get(url(room), asked))).query)["cursor"]
    assert len(anonymous.get(url(room), {**asked, "limit": 3, "cursor": cursor}).json()) == 3
    answer = anonymous.get(url(request.getfixturevalue(resource)), {**asked, **changed, "cursor": cursor})
    assert "made for other filters" in assert_flat_error(answer, 400, "invalid", "cursor")["detail"]


def test_a_cursor_without_a_place_is_that_of_the_first_page(anonymous: APIClient, room: Resource) -> None:
    asked = {"start": text(at(9)), "end": text(at(15)), "duration": 60, "limit": 2}
    first = anonymous.get(url(room), asked)
    (cursor,) = parse_qs(urlsplit(next_page(first)).query)["cursor"]
    mark, _, _ = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    bare = base64.urlsafe_b64encode(json.dumps([mark, False, []]).encode()).decode()
    assert anonymous.get(url(room), {**asked, "cursor": bare}).json() == first.json()


def test_pages_hold_the_doubled_hour_twice(anonymous: APIClient, room: Resource) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    change = oracle.next_change("Europe/Berlin", at(0, day=2))
    if change.astimezone(berlin).dst():
        change = oracle.next_change("Europe/Berlin", change)
    first, last = change - timedelta(hours=3), change + timedelta(hours=3)
    query = f"start={text(first)}&end={text(last)}&duration=60&step=60&timezone=Europe/Berlin"
    pages = walk(anonymous, f"{url(room)}?{query}&limit=2")
    starts = [datetime.fromisoformat(found["start_time"]) for page in pages for found in page]
    assert [start.astimezone(berlin).hour for start in starts] == [0, 1, 2, 2, 3, 4]
    assert len(set(starts)) == 6


# --- Refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "field", "said"), BAD_WINDOWS)
def test_bad_windows(anonymous: APIClient, room: Resource, query: str, field: str, said: str) -> None:
    body = assert_flat_error(anonymous.get(f"{url(room)}?{query}&duration=60"), 400, "invalid", field)
    assert said.replace("both, or neither", "required") in body["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("start=2030-01-01T00:00:00Z&end=2030-02-01T00:00:01Z&duration=60", "end", id="a second too long"),
        pytest.param(WINDOW, "duration", id="no duration"),
        pytest.param(f"{WINDOW}&duration=", "duration", id="duration empty"),
        pytest.param(f"{WINDOW}&duration=0", "duration", id="duration 0"),
        pytest.param(f"{WINDOW}&duration=-60", "duration", id="duration negative"),
        pytest.param(f"{WINDOW}&duration=10081", "duration", id="duration too long"),
        pytest.param(f"{WINDOW}&duration=1e3", "duration", id="duration in powers"),
        pytest.param(f"{WINDOW}&duration=1.5", "duration", id="duration with a fraction"),
        pytest.param(f"{WINDOW}&duration=hour", "duration", id="duration a word"),
        pytest.param(f"{WINDOW}&duration={'9' * 5000}", "duration", id="duration of 5000 digits"),
        pytest.param(f"{WINDOW}&duration=60%00", "duration", id="duration with NUL"),
        pytest.param(f"{WINDOW}&duration=60&step=0", "step", id="step 0"),
        pytest.param(f"{WINDOW}&duration=60&step=4", "step", id="step too small"),
        pytest.param(f"{WINDOW}&duration=60&step=-30", "step", id="step negative"),
        pytest.param(f"{WINDOW}&duration=60&step=1441", "step", id="step too large"),
        pytest.param(f"{WINDOW}&duration=60&step=half", "step", id="step a word"),
        pytest.param(f"{WINDOW}&duration=60&step=", "step", id="step empty"),
        pytest.param(f"{WINDOW}&duration=60&timezone=Europe/Atlantis", "timezone", id="zone unknown"),
        pytest.param(f"{WINDOW}&duration=60&timezone=", "timezone", id="zone empty"),
        pytest.param(f"{WINDOW}&duration=60&timezone=europe/berlin", "timezone", id="zone in lower case"),
        pytest.param(f"{WINDOW}&duration=60&timezone=utc%20", "timezone", id="zone with a space"),
        pytest.param(f"{WINDOW}&duration=60&timezone=Europe/../Europe/Berlin", "timezone", id="zone a path"),
        pytest.param(f"{WINDOW}&duration=60&timezone=Europe/../..", "timezone", id="zone a way up"),
        pytest.param(f"{WINDOW}&duration=60&timezone=/etc/passwd", "timezone", id="zone a file"),
        pytest.param(f"{WINDOW}&duration=60&timezone=Europe", "timezone", id="zone a folder"),
        pytest.param(f"{WINDOW}&duration=60&timezone=localtime", "timezone", id="zone of the server"),
        pytest.param(f"{WINDOW}&duration=60&timezone=posixrules", "timezone", id="zone of rules alone"),
        pytest.param(f"{WINDOW}&duration=60&timezone=%2B02:00", "timezone", id="zone an offset"),
        pytest.param(f"{WINDOW}&duration=60&timezone=UTC%00", "timezone", id="zone with NUL"),
        pytest.param(f"{WINDOW}&duration=60&timezone={'x' * 5000}", "timezone", id="zone of 5000 letters"),
        pytest.param(f"{WINDOW}&duration=60&limit=0", "limit", id="limit 0"),
        pytest.param(f"{WINDOW}&duration=60&limit=1001", "limit", id="limit too large"),
        pytest.param(f"{WINDOW}&duration=60&limit=all", "limit", id="limit a word"),
        pytest.param(f"{WINDOW}&duration=60&cursor=3", "cursor", id="a cursor of nobody's"),
        pytest.param(f"{WINDOW}&duration=60&cursor=2030-01-01T09:00:00Z", "cursor", id="a moment as a cursor"),
        pytest.param(f"{WINDOW}&duration=60&zone=UTC", "zone", id="an unknown parameter"),
        pytest.param(f"{WINDOW}&duration=60&ordering=-start_time", "ordering", id="a parameter of lists"),
    ],
)
def test_bad_parameters(anonymous: APIClient, room: Resource, query: str, field: str) -> None:
    assert_flat_error(anonymous.get(f"{url(room)}?{query}"), 400, "invalid", field)


def test_a_plus_in_the_name_of_a_zone_is_explained(anonymous: APIClient, room: Resource) -> None:
    answer = anonymous.get(f"{url(room)}?{WINDOW}&duration=60&timezone=Etc/GMT+1")
    assert "%2B" in assert_flat_error(answer, 400, "invalid", "timezone")["detail"]
    assert anonymous.get(f"{url(room)}?{WINDOW}&duration=60&timezone=Etc/GMT%2B1").status_code == 200


def test_unknown_parameters_are_told_what_there_is(anonymous: APIClient, room: Resource) -> None:
    body = anonymous.get(f"{url(room)}?{WINDOW}&duration=60&zone=UTC").json()
    assert body["zone"] == [
        "There is no such parameter. There are: start, end, duration, step, timezone, limit, cursor, format."
    ]


def test_31_days_are_the_longest_window(anonymous: APIClient, room: Resource) -> None:
    assert len(ask(anonymous, room, at(0), at(0, day=32), step=1440)) == 31


def test_a_resource_that_is_not_there(anonymous: APIClient, room: Resource) -> None:
    assert_flat_error(anonymous.get(f"/api/resources/999999/slots/?{WINDOW}&duration=60"), 404, "not_found")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_not_allowed(as_admin: APIClient, room: Resource, method: str) -> None:
    assert_flat_error(getattr(as_admin, method)(url(room), {}), 405, "method_not_allowed")


def test_slots_cost_at_most_three_statements(as_alice: APIClient, alice: User, room: Resource) -> None:
    as_alice.get("/api/bookings/")
    counts = []
    for day in (1, 2):
        for hour in range(24 * (day - 1)):
            make_booking(alice, room, at(hour))
        with CaptureQueriesContext(connection) as statements:
            ask(as_alice, room, at(0), at(0, day=1 + 30 * (day - 1) + 1))
        counts.append(len(statements))
    assert counts == [3, 3]
