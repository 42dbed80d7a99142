"""Entity tags: nothing twice over the wire, and no lost updates."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_cancelled_booking, text
from core.tests.support.parallel import in_parallel

OTHER = '"0123456789abcdef0123-0123456789ab"'


@pytest.fixture
def booking(alice: User, room: Resource) -> Booking:
    return make_booking(alice, room, notes="first")


def url_of(booking: Booking) -> str:
    return f"/api/bookings/{booking.pk}/"


@pytest.mark.parametrize("path", ["/api/bookings/", "/api/bookings/{}/", "/api/resources/", "/api/resources/{}/"])
def test_what_has_not_changed_is_not_sent_again(as_alice: APIClient, booking: Booking, path: str) -> None:
    url = path.format(booking.pk if "bookings" in path else booking.resource_id)
    first = as_alice.get(url)
    again = as_alice.get(url, HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Content-Length" not in again.headers
    assert as_alice.get(url, HTTP_IF_NONE_MATCH=f'W/{first.headers["ETag"]}, "x"').status_code == 304
    assert as_alice.get(url, HTTP_IF_NONE_MATCH="*").status_code == 304
    for no_match in (OTHER, "nonsense", '"', ""):
        assert as_alice.get(url, HTTP_IF_NONE_MATCH=no_match).status_code == 200


def test_what_is_shown_beside_the_row_makes_another_tag(as_alice: APIClient, booking: Booking) -> None:
    tags = {url: as_alice.get(url).headers["ETag"] for url in (url_of(booking), "/api/bookings/")}
    Resource.objects.update(name="Red room")
    for url, tag in tags.items():
        answer = as_alice.get(url, HTTP_IF_NONE_MATCH=tag)
        assert answer.status_code == 200
        assert "Red room" in answer.content.decode()


def test_a_changed_availability_makes_another_tag(anonymous: APIClient, alice: User, room: Resource) -> None:
    window = f"?start={text(at(9))}&end={text(at(12))}"
    urls = [f"/api/resources/{window}", f"/api/resources/{room.pk}/{window}"]
    tags = {url: anonymous.get(url).headers["ETag"] for url in urls}
    make_booking(alice, room)
    assert [anonymous.get(url, HTTP_IF_NONE_MATCH=tag).status_code for url, tag in tags.items()] == [200, 200]


def test_a_list_has_another_tag_where_its_links_differ(as_alice: APIClient, booking: Booking) -> None:
    whole = as_alice.get("/api/bookings/")
    page = as_alice.get("/api/bookings/?limit=5")
    assert page.json() == whole.json()
    assert page.headers["ETag"] != whole.headers["ETag"]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_write_of_the_version_that_was_read_goes_through(as_alice: APIClient, booking: Booking, method: str) -> None:
    read = as_alice.get(url_of(booking))
    answer = getattr(as_alice, method)(
        url_of(booking), {**read.json(), "notes": "mine"}, HTTP_IF_MATCH=read.headers["ETag"]
    )
    assert answer.status_code == 200, answer.json()
    assert answer.headers["ETag"] == as_alice.get(url_of(booking)).headers["ETag"] != read.headers["ETag"]


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_write_of_another_version_is_refused_and_shows_the_current_one(
    as_alice: APIClient, as_admin: APIClient, booking: Booking, method: str
) -> None:
    read = as_alice.get(url_of(booking))
    as_admin.patch(url_of(booking), {"notes": "theirs"})
    body = None if method == "delete" else {**read.json(), "notes": "mine"}
    answer = getattr(as_alice, method)(url_of(booking), body, HTTP_IF_MATCH=read.headers["ETag"])
    current = as_alice.get(url_of(booking))
    assert_flat_error(answer, 412, code="precondition_failed")
    assert answer.json()["current"] == current.json()
    assert answer.headers["ETag"] == current.headers["ETag"]
    assert (current.json()["notes"], current.json()["status"]) == ("theirs", "confirmed")
    merged = getattr(as_alice, method)(url_of(booking), body, HTTP_IF_MATCH=answer.headers["ETag"])
    assert merged.status_code in (200, 204)


def test_only_stored_fields_are_guarded(as_alice: APIClient, booking: Booking) -> None:
    read = as_alice.get(url_of(booking))
    Resource.objects.update(name="Red room")
    answer = as_alice.patch(url_of(booking), {"notes": "mine"}, HTTP_IF_MATCH=read.headers["ETag"])
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "wanted",
    ["*", "{tag}", f"{OTHER}, {{tag}}", f"{{tag}} , {OTHER}", f"{OTHER},,{{tag}}", ", {tag}", "{tag} , ,"]
    + ["W/{tag}", f"W/{OTHER}, W/{{tag}}"],
)
def test_any_of_several_versions_will_do(as_alice: APIClient, booking: Booking, wanted: str) -> None:
    tag = as_alice.get(url_of(booking)).headers["ETag"]
    assert as_alice.get(url_of(booking), HTTP_IF_NONE_MATCH=wanted.format(tag=tag)).status_code == 304
    answer = as_alice.patch(url_of(booking), {"notes": "mine"}, HTTP_IF_MATCH=wanted.format(tag=tag))
    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (OTHER, 412),
        ('W/"x"', 412),
        ('"a",,', 412),
        ("nonsense", 400),
        ('"a" "b"', 400),
        ('"', 400),
        (" , ", 400),
        ("{tag}, nonsense", 400),
    ],
)
def test_what_matches_nothing_changes_nothing(as_alice: APIClient, booking: Booking, sent: str, status: int) -> None:
    tag = as_alice.get(url_of(booking)).headers["ETag"]
    answer = as_alice.patch(url_of(booking), {"notes": "mine"}, HTTP_IF_MATCH=sent.format(tag=tag))
    assert_flat_error(answer, status)
    booking.refresh_from_db()
    assert booking.notes == "first"


def test_a_booking_cancelled_before_is_guarded_too(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_cancelled_booking(alice, room)
    assert as_alice.delete(url_of(booking), HTTP_IF_MATCH=OTHER).status_code == 412
    assert as_alice.delete(url_of(booking)).status_code == 204


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_proxy_that_made_the_tag_weak_hinders_no_change_of_a_resource(
    as_admin: APIClient, room: Resource, method: str
) -> None:
    """As nginx with `gzip` does with `application/json`."""
    url = f"/api/resources/{room.pk}/"
    weak = f"W/{as_admin.get(url).headers['ETag']}"
    assert getattr(as_admin, method)(url, {"name": "Mine"}, HTTP_IF_MATCH=weak).status_code in (200, 204)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_resources_are_guarded_alike(as_admin: APIClient, room: Resource, method: str) -> None:
    url = f"/api/resources/{room.pk}/"
    read = as_admin.get(url)
    Resource.objects.update(capacity=7)
    answer = getattr(as_admin, method)(url, {"name": "Mine"}, HTTP_IF_MATCH=read.headers["ETag"])
    assert_flat_error(answer, 412, code="precondition_failed")
    assert answer.json()["current"] == as_admin.get(url).json()
    again = getattr(as_admin, method)(url, {"name": "Mine"}, HTTP_IF_MATCH=answer.headers["ETag"])
    assert again.status_code in (200, 204)


def test_a_change_of_a_resource_writes_what_was_sent_and_nothing_else(as_admin: APIClient, room: Resource) -> None:
    made = as_admin.post("/api/resources/", {"name": "Hall"})
    assert made.headers["ETag"]
    assert as_admin.patch(f"/api/resources/{room.pk}/", {}).json()["name"] == "Blue room"


@pytest.mark.django_db(transaction=True)
def test_of_writers_at_once_one_wins_and_the_others_are_told(alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    clients = [client_of(alice) for _ in range(8)]
    tag = clients[0].get(url_of(booking)).headers["ETag"]

    def write(index: int) -> int:
        return clients[index].patch(url_of(booking), {"notes": f"of {index}"}, HTTP_IF_MATCH=tag).status_code

    answers = in_parallel([lambda index=index: write(index) for index in range(8)])
    assert sorted(answers) == [200] + [412] * 7


def test_nobody_needs_to_send_a_tag(as_alice: APIClient, booking: Booking) -> None:
    assert as_alice.patch(url_of(booking), {"notes": "mine"}).status_code == 200
    assert as_alice.delete(url_of(booking)).status_code == 204
