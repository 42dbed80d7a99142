"""Closures over the API: list, one, close, preview, change and lift."""

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core.models import Booking, Closure, Resource
from core.tests.support.closures import AROUND, closed, closure_body, make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.overlaps import everything

LIST = "/api/closures/"
PREVIEW = "/api/closures/preview/"


def address(closure: Closure) -> str:
    return f"{LIST}{closure.pk}/"


def test_staff_close_resources(as_admin: APIClient, admin: User, room: Resource, lab: Resource) -> None:
    answer = as_admin.post(LIST, closure_body(lab, room, staff_note="Call Eve"))
    assert answer.status_code == 201
    closure = Closure.objects.get()
    assert answer.headers["Location"].endswith(address(closure))
    assert answer.headers["ETag"] == as_admin.get(address(closure)).headers["ETag"]
    assert answer.json() == {
        "id": closure.pk,
        "resources": sorted([room.pk, lab.pk]),
        "start_time": text(at(9)),
        "end_time": text(at(17)),
        "reason": "Maintenance",
        "staff_note": "Call Eve",
        "created_by": admin.pk,
        "created_at": text(closure.created_at),
    }


@pytest.mark.parametrize("client", ["anonymous", "as_alice"])
def test_everybody_reads_the_public_part(
    request: pytest.FixtureRequest, admin: User, room: Resource, client: str
) -> None:
    closure = make_closure(admin, room, staff_note="Call Eve")
    caller = request.getfixturevalue(client)
    public = {
        "id": closure.pk,
        "resources": [room.pk],
        "start_time": text(at(9)),
        "end_time": text(at(17)),
        "reason": "Maintenance",
    }
    assert caller.get(address(closure)).json() == public
    assert caller.get(LIST).json() == [public]


def test_the_list_has_filters(anonymous: APIClient, admin: User, room: Resource, lab: Resource) -> None:
    early, late = make_closure(admin, room), make_closure(admin, room, lab, start=at(9, day=3), end=at(10, day=3))
    over = make_closure(admin, lab, start=at(1, day=-1), end=at(2))
    Closure.objects.filter(pk=over.pk).update(end_time=at(2, day=-1))

    def listed(**query: object) -> list[int]:
        return [row["id"] for row in anonymous.get(LIST, query).json()]

    assert listed() == [over.pk, early.pk, late.pk]
    assert listed(resource=lab.pk) == [over.pk, late.pk]
    assert listed(start=text(at(17)), end=text(at(12, day=3))) == [late.pk]
    assert listed(start=text(at(16)), end=text(at(9, day=3))) == [early.pk]
    assert listed(upcoming="true") == [early.pk, late.pk]
    assert listed(upcoming="false") == [over.pk]
    assert_flat_error(anonymous.get(LIST, {"start": text(at(1))}), 400, "invalid", "end")
    assert_flat_error(anonymous.get(LIST, {"room": 1}), 400, "invalid", "room")


def test_the_list_has_pages(anonymous: APIClient, admin: User, room: Resource) -> None:
    made = [make_closure(admin, room, start=at(hour), end=at(hour + 1)) for hour in (9, 10, 11)]
    first = anonymous.get(LIST, {"limit": 2, "count": "true"})
    assert ([row["id"] for row in first.json()], first.headers["X-Total-Count"]) == ([made[0].pk, made[1].pk], "3")
    following = first.headers["Link"].split('>; rel="next"')[0].rpartition("<")[2]
    assert [row["id"] for row in anonymous.get(following).json()] == [made[2].pk]


@pytest.mark.parametrize("number", [1, 10])
def test_the_list_is_two_statements(
    anonymous: APIClient, admin: User, django_assert_num_queries: DjangoAssertNumQueries, number: int
) -> None:
    for index in range(number):
        make_closure(admin, make_resource(f"Room {index}"), make_resource(f"Desk {index}"))
    with django_assert_num_queries(2):
        assert len(anonymous.get(LIST).json()) == number


def test_a_fresh_copy_is_a_304_and_what_strangers_get_may_be_kept(
    anonymous: APIClient, admin: User, room: Resource
) -> None:
    closure = make_closure(admin, room)
    for path in (LIST, address(closure)):
        first = anonymous.get(path)
        assert first.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
        assert anonymous.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"]).status_code == 304


def test_conflicts_are_named_to_staff(as_admin: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    before = everything()
    answer = as_admin.post(LIST, closure_body(room))
    assert_flat_error(answer, 409, "closure_conflicts")
    assert answer.json()["conflicts"] == [
        {
            "kind": "booking",
            "id": booking.pk,
            "resource": room.pk,
            "resource_name": "Blue room",
            "start_time": text(at(10)),
            "end_time": text(at(11)),
            "status": "confirmed",
            "username": "alice",
        }
    ]
    assert everything() == before
    assert Closure.objects.count() == 0


@pytest.mark.parametrize("form", ["json", "multipart"])
def test_on_conflict_is_obeyed(as_admin: APIClient, alice: User, room: Resource, form: str) -> None:
    make_booking(alice, room)
    answer = as_admin.post(LIST, closure_body(room, on_conflict="around"), format=form)
    assert answer.status_code == 201
    assert "on_conflict" not in answer.json()
    assert len(closed(room)) == 2


def test_the_preview_tells_what_each_way_would_do_and_stores_nothing(
    as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    booking = make_booking(alice, room)
    before = everything()
    answer = as_admin.post(PREVIEW, closure_body(room, lab))
    assert answer.status_code == 200
    body = answer.json()
    assert [clash["id"] for clash in body["conflicts"]] == [booking.pk]

    def part(resource: Resource, start: float, end: float) -> dict:
        return {"resource": resource.pk, "start_time": text(at(start)), "end_time": text(at(end))}

    assert body["refuse"] == {"possible": False, "cancelled": [], "closed": []}
    whole = [part(room, 9, 17), part(lab, 9, 17)]
    assert body["cancel"] == {"possible": True, "cancelled": [booking.pk], "closed": whole}
    around = [part(room, 9, 10), part(room, 11, 17), part(lab, 9, 17)]
    assert body["around"] == {"possible": True, "cancelled": [], "closed": around}
    assert everything() == before
    assert Closure.objects.count() == 0


def test_the_preview_of_a_change_passes_over_the_closure_itself(
    as_admin: APIClient, admin: User, room: Resource
) -> None:
    closure = make_closure(admin, room)
    assert as_admin.post(PREVIEW, closure_body(room)).json()["conflicts"][0]["kind"] == "closure"
    body = as_admin.post(PREVIEW, closure_body(room, end=at(20), id=closure.pk)).json()
    assert body["conflicts"] == []
    assert body["refuse"]["possible"]
    assert_flat_error(as_admin.post(PREVIEW, closure_body(room, id=999_999)), 404, "not_found")


def test_a_change_of_times_answers_the_closure(as_admin: APIClient, admin: User, room: Resource) -> None:
    closure = make_closure(admin, room)
    answer = as_admin.patch(address(closure), {"end_time": text(at(20))})
    assert (answer.status_code, answer.json()["end_time"]) == (200, text(at(20)))
    assert closed(room)[0].end == at(20)


def test_what_the_answer_shows_may_be_sent_back(as_admin: APIClient, admin: User, room: Resource) -> None:
    closure = make_closure(admin, room)
    shown = as_admin.get(address(closure)).json()
    answer = as_admin.patch(address(closure), {**shown, "reason": "Paint"})
    assert answer.json() == {**shown, "reason": "Paint"}


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_a_stale_version_changes_nothing(as_admin: APIClient, admin: User, room: Resource, method: str) -> None:
    closure = make_closure(admin, room)
    tag = as_admin.get(address(closure)).headers["ETag"]
    assert as_admin.patch(address(closure), {"reason": "Paint"}, HTTP_IF_MATCH=tag).status_code == 200
    before = everything()
    body = {"end_time": text(at(20))} if method == "patch" else None
    answer = getattr(as_admin, method)(address(closure), body, HTTP_IF_MATCH=tag)
    assert_flat_error(answer, 412, "precondition_failed")
    assert answer.json()["current"]["reason"] == "Paint"
    assert everything() == before


def test_lifting_is_a_204_and_then_a_404(as_admin: APIClient, admin: User, room: Resource) -> None:
    closure = make_closure(admin, room)
    assert as_admin.delete(address(closure)).status_code == 204
    assert Booking.taken.count() == 0
    assert_flat_error(as_admin.delete(address(closure)), 404, "not_found")
    assert_flat_error(as_admin.get(address(closure)), 404, "not_found")


def test_a_repeated_key_closes_once(as_admin: APIClient, room: Resource) -> None:
    answers = [as_admin.post(LIST, closure_body(room), HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert Closure.objects.count() == 1


# name: what is wrong, and the field that the answer names
WRONG = {
    "no resources": ({"resources": []}, "resources"),
    "resources that are no list": ({"resources": 3}, "resources"),
    "too many resources": ({"resources": list(range(1, 1002))}, "resources"),
    "a resource that there is not": ({"resources": [999_999]}, "resources"),
    "a resource that is no id": ({"resources": ["x"]}, "resources"),
    "no reason": ({"reason": ""}, "reason"),
    "a long reason": ({"reason": "x" * 201}, "reason"),
    "a time without an offset": ({"start_time": "2030-01-31T09:00:00"}, "start_time"),
    "the end first": ({"end_time": text(at(8))}, "non_field_errors"),
    "all over": ({"start_time": text(at(1, day=-2)), "end_time": text(at(2, day=-2))}, "end_time"),
    "an unknown field": ({"rooms": []}, "rooms"),
    "an unknown way": ({"on_conflict": "maybe"}, "on_conflict"),
}


@pytest.mark.parametrize("path", [LIST, PREVIEW])
@pytest.mark.parametrize(("wrong", "field"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_body_is_a_400_on_its_field(
    as_admin: APIClient, room: Resource, path: str, wrong: dict, field: str
) -> None:
    answer = as_admin.post(path, {**closure_body(room), **wrong})
    assert_flat_error(answer, 400, None, field)
    assert Closure.objects.count() == Booking.taken.count() == 0


@pytest.mark.parametrize("name", ["resources", "start_time", "end_time", "reason"])
def test_a_needed_field_is_asked_for(as_admin: APIClient, room: Resource, name: str) -> None:
    body = closure_body(room)
    del body[name]
    assert_flat_error(as_admin.post(LIST, body), 400, "invalid", name)


# --- Nothing of a closure is among bookings ---------------------------------------------------------------------------


def test_closures_are_among_no_bookings(
    as_admin: APIClient, as_alice: APIClient, admin: User, alice: User, room: Resource
) -> None:
    booking = make_booking(alice, room)
    make_closure(admin, room, on_conflict=AROUND)
    row = Booking.taken.exclude(closure=None).first()
    answer = as_admin.get("/api/bookings/", {"count": "true", "limit": 10})
    assert [found["id"] for found in answer.json()] == [booking.pk]
    assert answer.headers["X-Total-Count"] == "1"
    before = everything()
    body = {"resource": room.pk, "start_time": text(at(20)), "end_time": text(at(21))}
    for client in (as_admin, as_alice):
        path = f"/api/bookings/{row.pk}/"
        assert client.get(path).status_code == 404
        assert client.put(path, body).status_code == 404
        assert client.patch(path, {"notes": "x"}).status_code == 404
        assert client.delete(path).status_code == 404
        assert client.get(f"{path}history/").status_code == 404
        assert client.get(f"{path}calendar.ics").status_code == 404
        assert client.post("/api/bookings/check/", {"id": row.pk}).status_code == 404
    assert everything() == before


def test_a_booking_over_a_closure_is_told_why_and_until_when(as_alice: APIClient, admin: User, room: Resource) -> None:
    make_closure(admin, room)
    body = {"resource": room.pk, "start_time": text(at(16)), "end_time": text(at(18))}
    refused = assert_flat_error(as_alice.post("/api/bookings/", body), 400, "closed")
    assert (refused["reason"], refused["until"]) == ("Maintenance", text(at(17)))


def test_no_suggestion_lies_in_a_closure(as_alice: APIClient, admin: User, bob: User, room: Resource) -> None:
    make_booking(bob, room, at(8), at(9))
    make_closure(admin, room)
    body = {"resource": room.pk, "start_time": text(at(8)), "end_time": text(at(9))}
    assert as_alice.post("/api/bookings/", body).json()["suggestion"]["start_time"] == text(at(17))
