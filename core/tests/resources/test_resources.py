"""/api/resources/ and /api/resources/{id}/."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.serializers import ResourceSerializer
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource, text

URL = "/api/resources/"

WHOLE = {
    "name": "Microscope",
    "description": "With a camera.",
    "capacity": 2,
    "is_available": False,
    "requires_approval": False,
}


def url(resource: Resource) -> str:
    return f"{URL}{resource.pk}/"


def rows() -> list[dict]:
    hidden = {"updated_at", "reason_required", "time_zone", "has_terms", "terms_version", "buffer_reach_minutes"}
    names = [field.name for field in Resource._meta.fields if field.name not in hidden]
    return list(Resource.objects.order_by("pk").values(*names))


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["anonymous", "as_alice", "as_admin"])
def test_anybody_sees_all_resources_by_name(request: pytest.FixtureRequest, db: None, client: str) -> None:
    red = make_resource("Red room", capacity=8, description="Quiet", requires_approval=True)
    blue = make_resource("Blue room", is_available=False)
    answer = request.getfixturevalue(client).get(URL)
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "id": blue.pk,
            "name": "Blue room",
            "description": "",
            "capacity": 1,
            "is_available": False,
            "requires_approval": False,
            "availability_status": "unavailable",
        },
        {
            "id": red.pk,
            "name": "Red room",
            "description": "Quiet",
            "capacity": 8,
            "is_available": True,
            "requires_approval": True,
            "availability_status": "available",
        },
    ]


@pytest.mark.parametrize("client", ["anonymous", "as_alice", "as_admin"])
def test_anybody_sees_a_resource(request: pytest.FixtureRequest, room: Resource, client: str) -> None:
    answer = request.getfixturevalue(client).get(url(room))
    assert answer.status_code == 200
    assert answer.json() == {
        "id": room.pk,
        "name": "Blue room",
        "description": "",
        "capacity": 1,
        "is_available": True,
        "requires_approval": False,
        "availability_status": "available",
    }


def test_the_list_is_whole_unless_a_part_is_asked_for(anonymous: APIClient) -> None:
    Resource.objects.bulk_create(Resource(name=f"Desk {number}") for number in range(130))
    answer = anonymous.get(URL)
    assert len(answer.json()) == 130
    assert "Link" not in answer.headers


def test_a_bad_token_is_refused_where_none_is_needed(anonymous: APIClient) -> None:
    assert_flat_error(anonymous.get(URL, headers={"authorization": "Token nonsense"}), 401, "authentication_failed")


@pytest.mark.parametrize("key", ["999999", "0", "abc", "9223372036854775808", "9" * 5000, "%00"], ids=lambda k: k[:20])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_an_unknown_resource_is_not_found(as_admin: APIClient, method: str, key: str) -> None:
    assert_flat_error(getattr(as_admin, method)(f"{URL}{key}/", {}), 404, "not_found")


# --- availability_status ----------------------------------------------------------------------------------------------

# name: (start, end, status of a booking), what the resource is then in the window of 10 to 12
WINDOWS = {
    "nothing": (None, "available"),
    "confirmed touching before": ((8, 10, "confirmed"), "available"),
    "confirmed touching after": ((12, 14, "confirmed"), "available"),
    "confirmed a second into it": ((8, 10 + 1 / 3600, "confirmed"), "unavailable"),
    "confirmed from its last second": ((12 - 1 / 3600, 14, "confirmed"), "unavailable"),
    "confirmed the same": ((10, 12, "confirmed"), "unavailable"),
    "confirmed inside": ((10.5, 11, "confirmed"), "unavailable"),
    "confirmed around": ((8, 14, "confirmed"), "unavailable"),
    "confirmed days around": ((-48, 72, "confirmed"), "unavailable"),
    "pending touching before": ((8, 10, "pending"), "available"),
    "pending touching after": ((12, 14, "pending"), "available"),
    "pending the same": ((10, 12, "pending"), "pending"),
    "pending inside": ((10.5, 11, "pending"), "pending"),
    "pending around": ((8, 14, "pending"), "pending"),
    "cancelled the same": ((10, 12, "cancelled"), "available"),
    "rejected the same": ((10, 12, "rejected"), "available"),
}
WINDOW = {"start": text(at(10)), "end": text(at(12))}


@pytest.mark.parametrize("place", ["list", "detail"])
@pytest.mark.parametrize("name", WINDOWS)
def test_the_availability_in_a_window(anonymous: APIClient, alice: User, room: Resource, name: str, place: str) -> None:
    taken, expected = WINDOWS[name]
    if taken:
        make_booking(alice, room, at(taken[0]), at(taken[1]), status=taken[2])
    answer = anonymous.get(URL if place == "list" else url(room), WINDOW)
    shown = answer.json()[0] if place == "list" else answer.json()
    assert shown["availability_status"] == expected


def test_a_confirmed_booking_outweighs_a_pending_one(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(10), at(11), status="pending")
    make_booking(alice, room, at(11), at(12), status="confirmed")
    assert anonymous.get(url(room), WINDOW).json()["availability_status"] == "unavailable"


def test_out_of_service_is_unavailable_whatever_is_booked(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, status="pending")
    Resource.objects.update(is_available=False)
    assert anonymous.get(url(room), WINDOW).json()["availability_status"] == "unavailable"


def test_bookings_of_other_resources_do_not_count(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, make_resource("Red room"))
    shown = {row["name"]: row["availability_status"] for row in anonymous.get(URL, WINDOW).json()}
    assert shown == {"Blue room": "available", "Red room": "unavailable"}


@pytest.mark.parametrize(
    ("starts_in", "lasts", "expected"),
    [
        pytest.param(-60, 55, "available", id="ended five minutes ago"),
        pytest.param(-60, 70, "unavailable", id="running"),
        pytest.param(60, 60, "unavailable", id="in an hour"),
        pytest.param(119, 60, "unavailable", id="in 119 minutes"),
        pytest.param(121, 60, "available", id="in 121 minutes"),
        pytest.param(30 * 24 * 60, 60, "available", id="next month"),
    ],
)
def test_without_a_window_the_next_two_hours_count(
    anonymous: APIClient, alice: User, room: Resource, starts_in: int, lasts: int, expected: str
) -> None:
    start = timezone.now() + timedelta(minutes=starts_in)
    make_booking(alice, room, start, start + timedelta(minutes=lasts))
    assert anonymous.get(URL).json()[0]["availability_status"] == expected
    assert anonymous.get(url(room)).json()["availability_status"] == expected


def test_how_far_ahead_it_looks_is_a_setting(
    anonymous: APIClient, alice: User, room: Resource, settings: object
) -> None:
    make_booking(alice, room, timezone.now() + timedelta(minutes=60))
    settings.AVAILABILITY_WINDOW_MINUTES = 59
    assert anonymous.get(url(room)).json()["availability_status"] == "available"
    settings.AVAILABILITY_WINDOW_MINUTES = 61
    assert anonymous.get(url(room)).json()["availability_status"] == "unavailable"


def test_a_resource_that_no_view_has_read_knows_its_availability(alice: User, room: Resource) -> None:
    assert ResourceSerializer(room).data["availability_status"] == "available"
    make_booking(alice, room, timezone.now() + timedelta(minutes=60))
    assert ResourceSerializer(room).data["availability_status"] == "unavailable"
    assert ResourceSerializer(Resource()).data["availability_status"] is None


@pytest.mark.parametrize(
    "query",
    [
        "start=2030-01-01T10:00:00%2B02:00&end=2030-01-01T10:00:00%2B01:00",
        "start=2030-01-01T10:00:00Z&end=2030-01-01T10:00:00.5Z",
    ],
)
def test_a_window_may_have_offsets_and_fractions(anonymous: APIClient, room: Resource, query: str) -> None:
    assert anonymous.get(f"{URL}?{query}").status_code == 200


BAD_WINDOWS = [
    pytest.param({"start": text(at(10))}, "end", id="no end"),
    pytest.param({"end": text(at(10))}, "start", id="no start"),
    pytest.param({"start": text(at(10)), "end": text(at(10))}, "end", id="empty window"),
    pytest.param({"start": text(at(10)), "end": text(at(9))}, "end", id="end before start"),
    pytest.param({"start": "", "end": text(at(10))}, "start", id="start empty"),
    pytest.param({"start": text(at(10)), "end": ""}, "end", id="end empty"),
    pytest.param({"start": "", "end": ""}, "start", id="both empty"),
    pytest.param({"start": "tomorrow", "end": text(at(10))}, "start", id="start a word"),
    pytest.param({"start": "1900000000", "end": text(at(10))}, "start", id="start a number"),
    pytest.param({"start": text(at(10))[:-1], "end": text(at(12))}, "start", id="start without offset"),
    pytest.param({"start": text(at(10)), "end": "2030-01-01"}, "end", id="end a date"),
    pytest.param({"start": "0000-01-01T00:00:00Z", "end": text(at(12))}, "start", id="start in year 0"),
    pytest.param({"start": text(at(10)), "end": "9999-12-31T23:59:59-14:00"}, "end", id="end after year 9999 in UTC"),
    pytest.param({"start": text(at(10)) + "\0", "end": text(at(12))}, "start", id="start with NUL"),
    pytest.param({"start": "1" * 5_000, "end": text(at(12))}, "start", id="start absurdly long"),
]


@pytest.mark.parametrize("place", ["list", "detail"])
@pytest.mark.parametrize(("window", "field"), BAD_WINDOWS)
def test_a_window_that_cannot_be_meant_is_refused(
    anonymous: APIClient, room: Resource, window: dict, field: str, place: str
) -> None:
    assert_flat_error(anonymous.get(URL if place == "list" else url(room), window), 400, field=field)


def test_a_window_as_wide_as_all_time_is_fine(anonymous: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room)
    window = {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"}
    assert anonymous.get(url(room), window).json()["availability_status"] == "unavailable"


def test_an_unescaped_plus_is_explained(anonymous: APIClient, room: Resource) -> None:
    query = "?start=2030-01-01T10:00:00+02:00&end=2030-01-01T12:00:00%2B02:00"
    body = assert_flat_error(anonymous.get(URL + query), 400, field="start")
    assert "%2B" in body["detail"]


def test_both_faults_of_a_window_are_named(anonymous: APIClient, room: Resource) -> None:
    body = assert_flat_error(anonymous.get(URL, {"start": "x", "end": "y"}), 400, field="start")
    assert "end" in body


# --- Creating ---------------------------------------------------------------------------------------------------------


def test_staff_create_a_resource(as_admin: APIClient) -> None:
    answer = as_admin.post(URL, WHOLE)
    made = Resource.objects.get()
    assert answer.status_code == 201, answer.json()
    assert answer.json() == {"id": made.pk, **WHOLE, "availability_status": "unavailable"}
    assert answer.headers["Location"].endswith(url(made))
    assert rows() == [{"id": made.pk, **WHOLE}]


@pytest.mark.parametrize("form", ["json", "multipart", "urlencoded"])
def test_what_is_left_out_gets_its_default(as_admin: APIClient, form: str) -> None:
    if form == "urlencoded":
        answer = as_admin.post(URL, urlencode({"name": "Desk"}), content_type="application/x-www-form-urlencoded")
    else:
        answer = as_admin.post(URL, {"name": "Desk"}, format=form)
    assert answer.status_code == 201, answer.json()
    assert answer.json() == {
        "id": Resource.objects.get().pk,
        "name": "Desk",
        "description": "",
        "capacity": 1,
        "is_available": True,
        "requires_approval": True,
        "availability_status": "available",
    }


@pytest.mark.parametrize("method", ["post", "patch"])
def test_null_for_the_description_is_none(as_admin: APIClient, room: Resource, method: str) -> None:
    Resource.objects.update(description="Quiet")
    address = URL if method == "post" else url(room)
    answer = getattr(as_admin, method)(address, {"name": "Desk", "description": None})
    assert answer.json()["description"] == Resource.objects.get(name="Desk").description == ""


@pytest.mark.parametrize("form", ["json", "multipart"])
def test_text_is_taken_where_it_is_unambiguous(as_admin: APIClient, form: str) -> None:
    sent = {"name": "Desk", "capacity": "4", "is_available": "false", "requires_approval": "true"}
    answer = as_admin.post(URL, sent, format=form)
    assert answer.status_code == 201, answer.json()
    made = Resource.objects.get()
    assert (made.capacity, made.is_available, made.requires_approval) == (4, False, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("name", "n" * 255, id="name of 255 characters"),
        pytest.param("name", "Raum Größe 7 🔬", id="name beyond ASCII"),
        pytest.param("name", "<script>alert(1)</script>", id="name with markup"),
        pytest.param("description", "d" * 10_000, id="description of 10000 characters"),
        pytest.param("description", "", id="no description"),
        pytest.param("capacity", 1, id="capacity 1"),
        pytest.param("capacity", 2_147_483_647, id="the largest capacity"),
    ],
)
def test_what_fits_is_kept(as_admin: APIClient, field: str, value: object) -> None:
    answer = as_admin.post(URL, {**WHOLE, field: value})
    assert answer.status_code == 201, answer.json()
    assert answer.json()[field] == Resource.objects.values_list(field, flat=True).get() == value


BAD_FIELDS = [
    pytest.param("name", "", id="name empty"),
    pytest.param("name", "   ", id="name of spaces"),
    pytest.param("name", None, id="name null"),
    pytest.param("name", "n" * 256, id="name of 256 characters"),
    pytest.param("name", "n" * 900_000, id="name of 900000 characters"),
    pytest.param("name", "a\0b", id="name with NUL"),
    pytest.param("name", "a\ud800b", id="name with a lone surrogate"),
    pytest.param("name", True, id="name true"),
    pytest.param("name", ["a"], id="name a list"),
    pytest.param("name", {"a": 1}, id="name an object"),
    pytest.param("description", "d" * 10_001, id="description of 10001 characters"),
    pytest.param("description", "\0", id="description with NUL"),
    pytest.param("description", ["a"], id="description a list"),
    pytest.param("capacity", 0, id="capacity 0"),
    pytest.param("capacity", -1, id="capacity negative"),
    pytest.param("capacity", None, id="capacity null"),
    pytest.param("capacity", "", id="capacity empty"),
    pytest.param("capacity", "many", id="capacity a word"),
    pytest.param("capacity", 1.5, id="capacity a fraction"),
    pytest.param("capacity", True, id="capacity true"),
    pytest.param("capacity", [4], id="capacity a list"),
    pytest.param("capacity", {"a": 4}, id="capacity an object"),
    pytest.param("capacity", 2_147_483_648, id="capacity beyond 32 bits"),
    pytest.param("capacity", 10**400, id="capacity of 400 digits"),
    pytest.param("capacity", "9" * 100_000, id="capacity of 100000 digits as text"),
    pytest.param("capacity", "4\0", id="capacity with NUL"),
    *(
        pytest.param(flag, value, id=f"{flag} {value!r}")
        for flag in ("is_available", "requires_approval")
        for value in (None, "", "maybe", 2, 1.5, [True], {"a": True}, "\0")
    ),
]


@pytest.mark.parametrize("method", ["post", "put", "patch"])
@pytest.mark.parametrize(("field", "value"), BAD_FIELDS)
def test_what_cannot_be_meant_is_refused_on_its_field(
    as_admin: APIClient, room: Resource, method: str, field: str, value: object
) -> None:
    before = rows()
    sent = json.dumps({**WHOLE, field: value})
    address = URL if method == "post" else url(room)
    body = assert_flat_error(
        getattr(as_admin, method)(address, sent, content_type="application/json"), 400, field=field
    )
    assert set(body) == {"error", "code", "detail", field}
    assert rows() == before


@pytest.mark.parametrize("sent", ["1e400", "-1e400", "NaN", "Infinity", "1e5000"])
def test_a_capacity_beyond_all_bounds_is_refused(as_admin: APIClient, sent: str) -> None:
    answer = as_admin.post(URL, f'{{"name": "Desk", "capacity": {sent}}}', content_type="application/json")
    assert_flat_error(answer, 400)
    assert not Resource.objects.exists()


def test_a_name_is_needed(as_admin: APIClient) -> None:
    body = assert_flat_error(as_admin.post(URL, {}), 400, field="name")
    assert body["detail"].startswith("name: ")
    assert not Resource.objects.exists()


def test_the_id_and_the_availability_are_read_only(as_admin: APIClient) -> None:
    answer = as_admin.post(URL, {**WHOLE, "is_available": True, "id": 77_777, "availability_status": "pending"})
    assert answer.status_code == 201, answer.json()
    assert answer.json()["id"] != 77_777
    assert answer.json()["availability_status"] == "available"


# --- Changing ---------------------------------------------------------------------------------------------------------


def test_staff_put_a_resource(as_admin: APIClient, room: Resource) -> None:
    answer = as_admin.put(url(room), WHOLE)
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {"id": room.pk, **WHOLE, "availability_status": "unavailable"}
    assert rows() == [{"id": room.pk, **WHOLE}]


@pytest.mark.parametrize(("field", "value"), list(WHOLE.items()))
def test_staff_patch_one_field(as_admin: APIClient, field: str, value: object) -> None:
    resource = make_resource(requires_approval=True)
    (before,) = rows()
    answer = as_admin.patch(url(resource), {field: value})
    assert answer.status_code == 200, answer.json()
    assert rows() == [{**before, field: value}]


def test_a_form_that_leaves_out_booleans_leaves_them(as_admin: APIClient) -> None:
    resource = make_resource(is_available=False, requires_approval=False)
    answer = as_admin.patch(url(resource), {"name": "Renamed"}, format="multipart")
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["is_available"], answer.json()["requires_approval"]) == (False, False)


def test_the_answer_to_a_change_has_the_live_availability(as_admin: APIClient, alice: User, room: Resource) -> None:
    make_booking(alice, room, timezone.now() - timedelta(minutes=10), status="pending")
    assert as_admin.patch(url(room), {"name": "Renamed"}).json()["availability_status"] == "pending"


def test_put_needs_a_name(as_admin: APIClient, room: Resource) -> None:
    assert_flat_error(as_admin.put(url(room), {"capacity": 4}), 400, field="name")
    assert rows()[0]["capacity"] == 1


# --- Deleting ---------------------------------------------------------------------------------------------------------


def test_staff_delete_a_resource_that_was_never_booked(as_admin: APIClient, room: Resource) -> None:
    answer = as_admin.delete(url(room))
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Resource.objects.exists()


@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled", "rejected"])
@pytest.mark.parametrize("day", [1, -1], ids=["to come", "over"])
def test_a_resource_with_bookings_cannot_be_deleted(
    as_admin: APIClient, alice: User, room: Resource, status: str, day: int
) -> None:
    make_booking(alice, room, at(10, day=day), status=status)
    body = assert_flat_error(as_admin.delete(url(room)), 409, "resource_has_bookings")
    assert "is_available" in body["detail"]
    assert Resource.objects.count() == Booking.objects.count() == 1


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("client", "status"), [("anonymous", 401), ("as_alice", 403)])
def test_only_staff_write(request: pytest.FixtureRequest, room: Resource, client: str, status: int) -> None:
    caller = request.getfixturevalue(client)
    before = rows()
    assert_flat_error(caller.post(URL, WHOLE), status)
    assert_flat_error(caller.put(url(room), WHOLE), status)
    assert_flat_error(caller.patch(url(room), WHOLE), status)
    assert_flat_error(caller.delete(url(room)), status)
    assert rows() == before
