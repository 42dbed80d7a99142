"""POST /api/bookings/bulk/."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.choices import BookingStatus
from core.models import Booking, OpeningHours, Quota, Resource, ResourcePolicy
from core.record.kinds import EventKind
from core.record.models import BookingEvent
from core.tests.support.bodies import NO_OBJECTS, post_json
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import (
    at,
    booking_body,
    make_booking,
    make_cancelled_booking,
    make_pending_booking,
    make_resource,
)
from core.tests.support.mailing import deliver, hand_on

URL = "/api/bookings/bulk/"
KEY = {"HTTP_IDEMPOTENCY_KEY": "order-7"}
MISSING = 999_999


@pytest.fixture
def waiting(alice: User, lab: Resource) -> list[Booking]:
    """Three bookings that wait for approval."""
    return [make_pending_booking(alice, lab, at(hour)) for hour in (9, 11, 13)]


def ids_of(bookings: list[Booking]) -> list[int]:
    return [booking.pk for booking in bookings]


def statuses() -> list[str]:
    """The stored statuses, in the order of the ids."""
    return list(Booking.objects.order_by("pk").values_list("status", flat=True))


def briefly(answer: Any) -> list[tuple[Any, ...]]:
    """Of each result who it is about, the HTTP status, the code and the status of the booking."""
    assert answer.status_code == 200, answer.content
    names = ("id", "http_status", "code", "status")
    return [tuple(result[name] for name in names) for result in answer.json()["results"]]


def counted(client: APIClient, body: dict[str, Any], **headers: str) -> int:
    """How many statements a call costs, without the bounds of transactions; all entries must succeed."""
    with CaptureQueriesContext(connection) as captured:
        assert {each["code"] for each in client.post(URL, body, **headers).json()["results"]} == {None}
    return sum(query["sql"].startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) for query in captured)


# --- Decisions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "status"), [("confirm", "confirmed"), ("reject", "rejected"), ("cancel", "cancelled")]
)
def test_one_decision_on_many_bookings(as_admin: APIClient, waiting: list[Booking], action: str, status: str) -> None:
    answer = as_admin.post(URL, {"action": action, "ids": ids_of(waiting)})
    assert briefly(answer) == [(booking.pk, 200, None, status) for booking in waiting]
    assert statuses() == [status] * 3


def test_a_result_is_the_booking_as_a_single_call_answers_it(as_admin: APIClient, waiting: list[Booking]) -> None:
    (result,) = as_admin.post(URL, {"action": "confirm", "ids": [waiting[0].pk]}).json()["results"]
    assert result == {**as_admin.get(f"/api/bookings/{waiting[0].pk}/").json(), "http_status": 200, "code": None}


def test_the_reason_is_on_record_and_in_the_mail_of_each(
    as_admin: APIClient, waiting: list[Booking], mailoutbox: list[EmailMessage]
) -> None:
    as_admin.post(URL, {"action": "reject", "ids": ids_of(waiting), "reason": "The lab is painted."})
    events = BookingEvent.objects.filter(kind=EventKind.REJECTED)
    assert [event.reason for event in events] == ["The lab is painted."] * 3
    assert len(set(events.values_list("request_id", flat=True))) == 1
    deliver()
    to_alice = [message for message in mailoutbox if message.to == ["alice@example.org"]]
    assert len(to_alice) == 3
    assert all("The lab is painted." in message.body for message in to_alice)


def test_what_is_refused_leaves_the_others_alone(
    as_admin: APIClient, alice: User, bob: User, waiting: list[Booking], lab: Resource
) -> None:
    gone = make_cancelled_booking(alice, lab, at(15))
    make_booking(bob, lab, at(15))
    ids = [waiting[0].pk, gone.pk, MISSING, waiting[1].pk]
    answer = as_admin.post(URL, {"action": "confirm", "ids": ids})
    assert briefly(answer) == [
        (waiting[0].pk, 200, None, "confirmed"),
        (gone.pk, 400, "slot_taken", "cancelled"),
        (MISSING, 404, "not_found", None),
        (waiting[1].pk, 200, None, "confirmed"),
    ]
    assert statuses() == ["confirmed", "confirmed", "pending", "cancelled", "confirmed"]


@pytest.mark.parametrize("action", ["confirm", "reject", "cancel"])
@pytest.mark.parametrize("reason", ["", "So."])
@pytest.mark.parametrize("status", BookingStatus.values)
def test_a_refusal_is_that_of_a_patch(
    as_admin: APIClient, alice: User, lab: Resource, action: str, reason: str, status: str
) -> None:
    Resource.objects.filter(pk=lab.pk).update(reason_required=True)
    alone, among = (make_booking(alice, lab, at(hour), status=status) for hour in (9, 11))
    wanted = {"confirm": "confirmed", "reject": "rejected", "cancel": "cancelled"}[action]
    single = as_admin.patch(f"/api/bookings/{alone.pk}/", {"status": wanted, "reason": reason})
    (result,) = as_admin.post(URL, {"action": action, "ids": [among.pk], "reason": reason}).json()["results"]
    told = single.json()
    assert (result["http_status"], result["code"]) == (single.status_code, told.get("code"))
    assert [result.get(name) for name in ("error", "detail")] == [told.get(name) for name in ("error", "detail")]
    alone.refresh_from_db()
    among.refresh_from_db()
    assert result["status"] == among.status == alone.status


def test_a_booking_that_is_named_twice_is_decided_on_once(as_admin: APIClient, waiting: list[Booking]) -> None:
    first, second = ids_of(waiting)[:2]
    body = {"action": "reject", "ids": [second, first, second], "reason": "Full."}
    answer = as_admin.post(URL, {**body, "all_or_nothing": True})
    assert briefly(answer) == [(key, 200, None, "rejected") for key in (second, first, second)]
    assert BookingEvent.objects.count() == 2


def test_a_closure_is_no_booking(as_admin: APIClient, admin: User, room: Resource) -> None:
    make_closure(admin, room)
    row = Booking.taken.get()
    assert briefly(as_admin.post(URL, {"action": "cancel", "ids": [row.pk]})) == [(row.pk, 404, "not_found", None)]
    assert Booking.taken.get().status == "confirmed"


# --- New bookings -----------------------------------------------------------------------------------------------------


def test_many_bookings_are_made(as_admin: APIClient, alice: User, admin: User, room: Resource, lab: Resource) -> None:
    bodies = [booking_body(room, user=alice.pk, notes="Ä", staff_note="Key"), booking_body(lab, status="pending")]
    results = as_admin.post(URL, {"bookings": bodies}).json()["results"]
    first, second = Booking.objects.order_by("pk")
    for index, (result, booking) in enumerate(zip(results, (first, second), strict=True)):
        shown = as_admin.get(f"/api/bookings/{booking.pk}/").json()
        assert result == {**shown, "index": index, "http_status": 201, "code": None}
    assert (first.user, first.resource, first.notes, first.staff_note) == (alice, room, "Ä", "Key")
    assert (second.user, second.resource, second.status) == (admin, lab, "pending")


def test_each_booking_is_refused_by_itself(as_admin: APIClient, room: Resource, bob: User) -> None:
    make_booking(bob, room, at(15))
    bodies: list[Any] = [
        booking_body(room),
        booking_body(room),
        booking_body(room, at(15)),
        booking_body(room, user=MISSING),
        {**booking_body(room, at(17)), "resource": MISSING},
        booking_body(room, at(17), at(16)),
        booking_body(room, at(17), reason="So."),
        booking_body(room, at(17), status="open"),
        booking_body(room, at(17), http_status=3),
        booking_body(room, at(18)),
    ]
    answer = as_admin.post(URL, {"bookings": bodies})
    assert [(each["index"], each["http_status"], each["code"]) for each in answer.json()["results"]] == [
        (0, 201, None),
        (1, 400, "slot_taken"),
        (2, 400, "slot_taken"),
        (3, 400, "user_missing"),
        (4, 400, "resource_missing"),
        (5, 400, "end_not_after_start"),
        (6, 400, "reason_without_status"),
        (7, 400, "invalid"),
        (8, 400, "invalid"),
        (9, 201, None),
    ]
    refused = [each for each in answer.json()["results"] if each["code"]]
    assert [(each["id"], each["status"]) for each in refused] == [(None, None)] * 8
    assert refused[0]["suggestion"] is not None
    assert refused[6]["detail"].startswith("status: Choose one of")
    assert refused[7]["http_status"] == 400
    assert refused[7]["detail"].startswith("http_status: There is no such field.")
    assert Booking.objects.count() == 3


@pytest.mark.parametrize("whole", [False, True], ids=["each by itself", "all or nothing"])
@pytest.mark.parametrize("body", NO_OBJECTS, ids=repr)
def test_what_is_no_object_is_no_booking(as_admin: APIClient, body: Any, whole: bool) -> None:
    single = post_json(as_admin, "/api/bookings/", body)
    answer = post_json(as_admin, URL, {"bookings": [body], "all_or_nothing": whole})
    told = answer.json() if whole else answer.json()["results"][0]
    if body is None:  # a body of null is an object without fields
        assert told["detail"] == "This field may not be null."
    else:
        assert told["detail"] == single.json()["detail"]
    assert (answer.status_code, told["code"]) == (400 if whole else 200, "invalid")


def test_staff_waive_rules_for_each_booking(as_admin: APIClient, room: Resource) -> None:
    ResourcePolicy.objects.create(resource=room, max_minutes=30)
    bodies = [booking_body(room), booking_body(room, override=["duration"])]
    results = as_admin.post(URL, {"bookings": bodies}).json()["results"]
    assert [each["code"] for each in results] == ["too_long", None]
    assert BookingEvent.objects.get().waived == "duration"


# --- All or nothing ---------------------------------------------------------------------------------------------------


def test_all_or_nothing_does_all(as_admin: APIClient, waiting: list[Booking]) -> None:
    answer = as_admin.post(URL, {"action": "confirm", "ids": ids_of(waiting), "all_or_nothing": True})
    assert briefly(answer) == [(booking.pk, 200, None, "confirmed") for booking in waiting]
    assert statuses() == ["confirmed"] * 3


def test_all_or_nothing_does_nothing_after_a_refusal(
    as_admin: APIClient, waiting: list[Booking], mailoutbox: list[EmailMessage]
) -> None:
    before = list(Booking.objects.order_by("pk").values())
    ids = [waiting[0].pk, MISSING, waiting[1].pk]
    answer = as_admin.post(URL, {"action": "confirm", "ids": ids, "all_or_nothing": True})
    assert answer.status_code == 404
    assert answer.json() == {"error": "Not Found", "code": "not_found", "detail": "Not found.", "id": MISSING}
    assert list(Booking.objects.order_by("pk").values()) == before
    assert not BookingEvent.objects.exists()
    assert hand_on() == 0
    deliver()
    assert mailoutbox == []


def test_the_refusal_of_all_is_that_of_the_first_refused_entry(as_admin: APIClient, room: Resource) -> None:
    bodies = [booking_body(room), booking_body(room), {"resource": MISSING}]
    answer = as_admin.post(URL, {"bookings": bodies, "all_or_nothing": True})
    body = answer.json()
    assert (answer.status_code, body["code"], body["index"]) == (400, "slot_taken", 1)
    assert body["conflicts"]
    assert not Booking.objects.exists()
    assert not BookingEvent.objects.exists()


def test_bookings_of_one_call_count_together_against_a_quota(
    as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    Quota.objects.create(kind="active", limit=1)
    bodies = [booking_body(room, user=alice.pk), booking_body(lab, user=alice.pk)]
    answer = as_admin.post(URL, {"bookings": bodies, "all_or_nothing": True})
    assert (answer.status_code, answer.json()["code"], answer.json()["index"]) == (400, "quota_exceeded", 1)
    assert not Booking.objects.exists()
    results = as_admin.post(URL, {"bookings": bodies}).json()["results"]
    assert [each["code"] for each in results] == [None, "quota_exceeded"]


# --- Bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "action", id="nothing"),
        pytest.param({"ids": [1]}, "action", id="no action"),
        pytest.param({"action": "confirm"}, "ids", id="no ids"),
        pytest.param({"action": "open", "ids": [1]}, "action", id="another action"),
        pytest.param({"action": ["confirm"], "ids": [1]}, "action", id="a list of actions"),
        pytest.param({"action": "confirm", "ids": []}, "ids", id="an empty list of ids"),
        pytest.param({"action": "confirm", "ids": None}, "ids", id="null for ids"),
        pytest.param({"action": "confirm", "ids": 3}, "ids", id="a single id"),
        pytest.param({"action": "confirm", "ids": {"3": 1}}, "ids", id="an object of ids"),
        pytest.param({"action": "confirm", "ids": [1, "x"]}, "ids", id="what is no id"),
        pytest.param({"action": "confirm", "ids": [[1]]}, "ids", id="a list in the list"),
        pytest.param({"action": "confirm", "ids": [0]}, "ids", id="the id 0"),
        pytest.param({"action": "confirm", "ids": [2**63]}, "ids", id="an id that no row has"),
        pytest.param({"action": "confirm", "ids": [1], "reason": "x" * 501}, "reason", id="a long reason"),
        pytest.param({"action": "confirm", "ids": [1], "reason": "\0"}, "reason", id="a NUL"),
        pytest.param({"action": "confirm", "ids": [1], "reason": "\ud800"}, "reason", id="half a character"),
        pytest.param({"action": "confirm", "ids": [1], "all_or_nothing": "x"}, "all_or_nothing", id="no flag"),
        pytest.param({"action": "confirm", "ids": [1], "note": "x"}, "note", id="an unknown field"),
        pytest.param({"bookings": []}, "bookings", id="an empty list of bookings"),
        pytest.param({"bookings": {}}, "bookings", id="an object of bookings"),
        pytest.param({"bookings": None}, "bookings", id="null for bookings"),
        pytest.param({"bookings": [{}], "reason": "x"}, "reason", id="a reason for new bookings"),
        pytest.param({"bookings": [{}], "action": "confirm", "ids": [1]}, "ids", id="both"),
    ],
)
def test_a_body_that_is_neither_is_refused(as_admin: APIClient, waiting: list[Booking], body: Any, field: str) -> None:
    assert_flat_error(post_json(as_admin, URL, body), 400, "invalid", field)
    assert statuses() == ["pending"] * 3


@pytest.mark.parametrize("body", [[], "x", 3, True, [{}]], ids=repr)
def test_a_body_that_is_no_object_is_refused(as_admin: APIClient, body: Any) -> None:
    assert_flat_error(post_json(as_admin, URL, body), 400, "invalid")


def test_a_form_is_refused(as_admin: APIClient, waiting: list[Booking]) -> None:
    answer = as_admin.post(URL, {"action": "confirm", "ids": ids_of(waiting)}, format="multipart")
    assert_flat_error(answer, 415, "unsupported_media_type")
    assert statuses() == ["pending"] * 3


def test_deep_json_is_refused(as_admin: APIClient) -> None:
    for depth in (400, 900, 5_000):
        nested = "[" * depth + "]" * depth
        body = f'{{"bookings": [{nested}]}}'
        answer = as_admin.generic("POST", URL, body, content_type="application/json", **KEY)
        assert answer.status_code in (200, 400, 422), answer.content


@pytest.mark.parametrize("name", ["ids", "bookings"])
def test_a_hundred_entries_are_taken_and_not_one_more(as_admin: APIClient, name: str) -> None:
    entry = {"ids": MISSING, "bookings": {}}[name]
    more = {"action": "confirm"} if name == "ids" else {}
    answer = as_admin.post(URL, {**more, name: [entry] * 100})
    assert (answer.status_code, len(answer.json()["results"])) == (200, 100)
    assert_flat_error(as_admin.post(URL, {**more, name: [entry] * 101}), 400, "too_many_entries")


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_only_staff_may(anonymous: APIClient, as_alice: APIClient, waiting: list[Booking]) -> None:
    body = {"action": "cancel", "ids": ids_of(waiting)}
    assert_flat_error(anonymous.post(URL, body), 401, "not_authenticated")
    assert_flat_error(as_alice.post(URL, body), 403, "permission_denied")
    assert statuses() == ["pending"] * 3


def test_a_call_counts_once_against_the_limit(as_admin: APIClient, waiting: list[Booking], limit: Any) -> None:
    limit(user="2/min")
    body = {"action": "confirm", "ids": ids_of(waiting)}
    assert as_admin.post(URL, body).headers["RateLimit"].startswith('"user";r=1;')
    assert as_admin.post(URL, body).status_code == 200
    assert_flat_error(as_admin.post(URL, body), 429, "throttled")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_there_is_no_other_method(as_admin: APIClient, method: str) -> None:
    assert_flat_error(getattr(as_admin, method)(URL), 405, "method_not_allowed")


def test_staff_with_a_browser_get_a_page(admin_pages: Client, waiting: list[Booking]) -> None:
    def page_after(body: dict[str, Any]) -> tuple[int, str]:
        sent = json.dumps(body)
        answer = admin_pages.post(URL, sent, content_type="application/json", HTTP_ACCEPT="text/html")
        return answer.status_code, answer.headers["Content-Type"]

    assert admin_pages.get(URL, HTTP_ACCEPT="text/html").status_code == 405
    assert page_after({"action": "confirm", "ids": ids_of(waiting)}) == (200, "text/html; charset=utf-8")
    assert page_after({"action": "confirm", "ids": []}) == (400, "text/html; charset=utf-8")
    assert page_after({"bookings": [3]}) == (200, "text/html; charset=utf-8")


# --- Idempotency-Key --------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_give_the_first_answer_again(as_admin: APIClient, room: Resource) -> None:
    body = {"bookings": [booking_body(room), booking_body(room)]}
    first, again = as_admin.post(URL, body, **KEY), as_admin.post(URL, body, **KEY)
    assert [each["code"] for each in first.json()["results"]] == [None, "slot_taken"]
    assert again.json() == first.json()
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert Booking.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(as_admin: APIClient, waiting: list[Booking]) -> None:
    as_admin.post(URL, {"action": "confirm", "ids": [waiting[0].pk]}, **KEY)
    answer = as_admin.post(URL, {"action": "confirm", "ids": [waiting[1].pk]}, **KEY)
    assert_flat_error(answer, 422, "idempotency_key_reused")
    assert statuses() == ["confirmed", "pending", "pending"]


def test_a_refusal_of_all_leaves_the_key_free(as_admin: APIClient, waiting: list[Booking]) -> None:
    body = {"action": "confirm", "ids": [waiting[0].pk, MISSING], "all_or_nothing": True}
    assert as_admin.post(URL, body, **KEY).status_code == 404
    answer = as_admin.post(URL, {**body, "ids": [waiting[0].pk]}, **KEY)
    assert briefly(answer) == [(waiting[0].pk, 200, None, "confirmed")]


# --- What it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, KEY], ids=["without a key", "with a key"])
@pytest.mark.parametrize("whole", [False, True], ids=["each by itself", "all or nothing"])
def test_each_entry_costs_the_same_however_much_is_stored(
    as_admin: APIClient, admin: User, room: Resource, whole: bool, headers: dict[str, str]
) -> None:
    OpeningHours.objects.bulk_create(
        OpeningHours(resource=room, weekday=day, opens="00:00", closes="00:00") for day in range(1, 8)
    )
    costs = []
    for turn, number in enumerate((1, 11, 21)):
        bodies = [booking_body(room, at(number_of, day=2 + turn)) for number_of in range(number)]
        key = {name: f"{value}{turn}" for name, value in headers.items()}
        costs.append(counted(as_admin, {"bookings": bodies, "all_or_nothing": whole}, **key))
    assert (costs[1] - costs[0], costs[2] - costs[1]) == (10 * 4, 10 * 4)
    bookings = [make_pending_booking(admin, make_resource(f"Desk {index}")) for index in range(32)]
    ids, costs = ids_of(bookings), []
    for turn, (first, last) in enumerate(((0, 1), (1, 11), (11, 31))):
        key = {name: f"{value}-{turn}" for name, value in headers.items()}
        costs.append(counted(as_admin, {"action": "confirm", "ids": ids[first:last], "all_or_nothing": whole}, **key))
    assert (costs[1] - costs[0], costs[2] - costs[1]) == (9 * 4, 10 * 4)
