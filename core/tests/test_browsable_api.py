"""The pages of the API for a browser with a session of staff; JSON for everybody else."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.conftest import client_of
from core.tests.errors import assert_flat_error
from core.tests.factories import make_booking

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

PAGES = [
    "/api/",
    "/api/resources/",
    "/api/resources/?limit=1&count=true",
    "/api/resources/{resource}/",
    "/api/bookings/",
    "/api/bookings/?limit=1",
    "/api/bookings/{booking}/",
    "/api/auth/users/me/",
]


def browser_of(user: User) -> Client:
    client = Client(headers={"x-forwarded-proto": "https", **BROWSER}, raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def places(alice: User, room: Resource) -> dict[str, int]:
    return {"booking": make_booking(alice, room, notes="Mine").pk, "resource": room.pk}


@pytest.mark.parametrize("path", PAGES)
def test_a_session_of_staff_sees_pages(admin: User, places: dict[str, int], path: str) -> None:
    answer = browser_of(admin).get(path.format(**places))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/bookings/999999/", 404), ("/api/resources/?limit=0", 400), ("/api/profile/picture/", 405)],
)
def test_errors_are_pages_too(admin: User, path: str, status: int) -> None:
    answer = browser_of(admin).get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", PAGES)
def test_a_session_of_others_sees_json(alice: User, places: dict[str, int], path: str) -> None:
    answer = browser_of(alice).get(path.format(**places))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("client", ["anonymous", "as_alice", "as_admin", "as_root"])
def test_without_a_session_the_answer_is_json_whatever_is_accepted(
    request: pytest.FixtureRequest, room: Resource, client: str
) -> None:
    caller: APIClient = request.getfixturevalue(client)
    for path in ("/api/", "/api/resources/", f"/api/resources/{room.pk}/"):
        answer = caller.get(path, headers=BROWSER)
        assert answer.headers["Content-Type"] == "application/json"


def test_a_bad_token_is_a_flat_401_for_a_browser_too(db: None) -> None:
    answer = client_of().get("/api/bookings/", headers={**BROWSER, "authorization": "Token nonsense"})
    assert_flat_error(answer, 401, "authentication_failed")


def test_a_session_cannot_write_without_the_page_it_came_from(admin: User, room: Resource) -> None:
    strict = Client(headers={"x-forwarded-proto": "https"}, enforce_csrf_checks=True)
    strict.force_login(admin)
    answer = strict.patch(f"/api/resources/{room.pk}/", {"name": "Taken over"}, content_type="application/json")
    assert_flat_error(answer, 403, "permission_denied")
    assert Resource.objects.get().name == "Blue room"
