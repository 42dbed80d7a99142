"""/health/, /api/ and whatever is below it that is not there."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from core.models import Booking
from core.tests.support.errors import assert_flat_error


def behind_proxy(**more: object) -> Client:
    return Client(headers={"x-forwarded-proto": "https"}, raise_request_exception=False, **more)


@pytest.fixture(params=[False, True], ids=["DEBUG off", "DEBUG on"])
def _debug(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.DEBUG = request.param


@pytest.fixture
def plain(settings: Settings) -> Client:
    """A client without https, where all else is sent to https."""
    settings.SECURE_SSL_REDIRECT = True
    return Client()


# --- Health -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["testserver", "10.1.2.3", "evil.example.com", "a_b", "", "[::1]:8000", "x" * 300])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("_debug")
def test_health_answers_any_host_over_any_scheme(plain: Client, host: str, scheme: str) -> None:
    answer = plain.get("/health/", secure=scheme == "https", headers={"host": host})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("host", ["testserver", "evil.example.com"])
def test_health_answers_head_without_a_body(plain: Client, host: str) -> None:
    answer = plain.head("/health/", headers={"host": host})
    assert (answer.status_code, answer.content) == (200, b"")


def test_health_asks_no_database(db: None, plain: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert plain.get("/health/", headers={"authorization": "Token nonsense"}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_health_knows_no_other_method(plain: Client, method: str) -> None:
    answer = getattr(plain, method)("/health/")
    assert_flat_error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"


# --- Root -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("client", ["anonymous", "as_alice", "as_admin"])
def test_the_root_names_the_collections_to_anybody(request: pytest.FixtureRequest, client: str) -> None:
    answer = request.getfixturevalue(client).get("/api/")
    assert answer.status_code == 200
    assert answer.json()["resources"].endswith("/api/resources/")
    assert answer.json()["bookings"].endswith("/api/bookings/")


def test_every_address_that_the_root_names_is_there(as_root: APIClient) -> None:
    for address in as_root.get("/api/").json().values():
        assert as_root.get(address).status_code in (200, 400, 405), address  # 400: availability needs a window


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_root_cannot_be_written(as_admin: APIClient, method: str) -> None:
    assert_flat_error(getattr(as_admin, method)("/api/"), 405, "method_not_allowed")


# --- What is not there ------------------------------------------------------------------------------------------------

NOWHERE = [
    "/api/nothing/",
    "/api/nothing",
    "/api/nothing/at/all/",
    "/api/bookings/abc/",
    "/api/bookings/1/nothing/",
    "/api/resources/1.json/",
    "/api//",
    "/api//bookings/",
    "/api/BOOKINGS/",
    "/api/auth/",
    "/api/auth/users/activation/",
    "/api/%00/",
    "/api/%ff/",
    "/api/\u00fc/",
    "/api/../admin/",
    "/api/" + "x" * 4_000 + "/",
    "/api/bookings/%0a/",
]


@pytest.mark.parametrize("path", NOWHERE, ids=lambda path: path[:40])
@pytest.mark.usefixtures("_debug", "db")
def test_unknown_paths_are_a_flat_404(path: str) -> None:
    for method in ("get", "post", "put", "patch", "delete", "options"):
        assert_flat_error(getattr(behind_proxy(), method)(path), 404, "not_found")


@pytest.mark.usefixtures("_debug", "db")
def test_a_head_of_an_unknown_path_is_a_404_too() -> None:
    answer = behind_proxy().head("/api/nothing/")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.usefixtures("_debug", "db")
def test_unknown_paths_carry_the_headers_for_the_app(settings: Settings) -> None:
    answer = behind_proxy().get("/api/nothing/", headers={"origin": settings.FRONTEND_URL})
    assert_flat_error(answer, 404, "not_found")
    assert answer.headers["Access-Control-Allow-Origin"] == settings.FRONTEND_URL
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*"])
@pytest.mark.usefixtures("_debug", "db")
def test_unknown_paths_are_json_whatever_is_accepted(accept: str) -> None:
    assert_flat_error(behind_proxy().get("/api/nothing/", headers={"accept": accept}), 404, "not_found")


@pytest.mark.usefixtures("_debug", "db")
def test_a_bad_host_is_a_flat_400_below_the_api() -> None:
    assert_flat_error(behind_proxy().get("/api/resources/", headers={"host": "evil.example.com"}), 400, "bad_request")


# --- Paths without their slash ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("path", ["/api/resources", "/api/bookings", "/api/bookings/7", "/api/auth/users/me", "/api"])
@pytest.mark.usefixtures("_debug", "db")
def test_reading_a_path_without_its_slash_is_redirected(method: str, path: str) -> None:
    answer = getattr(behind_proxy(), method)(f"{path}?limit=5&count=true")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{path}/?limit=5&count=true"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["/api/resources", "/api/bookings", "/api/bookings/7", "/api/auth/users", "/api"])
@pytest.mark.usefixtures("_debug", "db")
def test_writing_to_a_path_without_its_slash_is_a_flat_404(method: str, path: str) -> None:
    body = assert_flat_error(getattr(behind_proxy(), method)(path, {}), 404, "not_found")
    assert "slash" in body["detail"]
    assert not Booking.objects.exists()


@pytest.mark.parametrize("path", ["/api//evil.example.com", "/api/resources/x", "/api/%2f%2fevil.example.com"])
@pytest.mark.usefixtures("_debug", "db")
def test_nobody_is_sent_to_a_path_that_is_not_there(path: str) -> None:
    assert_flat_error(behind_proxy().get(path), 404, "not_found")


# --- Failures of ours -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_debug")
def test_a_failure_tells_nothing_but_the_request(
    as_admin: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr("core.views.ResourceViewSet.read_page", fail)
    answer = as_admin.get("/api/resources/", headers={"x-request-id": "the-request-1"})
    body = assert_flat_error(answer, 500, "server_error")
    assert "the-request-1" in body["detail"]
    assert answer.headers["X-Request-ID"] == "the-request-1"
    assert "secret" not in str(body)
    assert "RuntimeError: secret of the inside" in caplog.text


@pytest.mark.django_db
def test_a_test_of_the_rest_framework_needs_nothing_else() -> None:
    assert APIClient().get("/api/resources/").status_code == 200


def test_plain_http_is_sent_to_https_where_debug_is_off(plain: Client) -> None:
    answer = plain.get("/api/resources/")
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://testserver/api/resources/"


@pytest.mark.parametrize("method", ["FETCH", "TRACE", "M\u00dcLL"])
def test_methods_that_nobody_knows_are_not_allowed(as_admin: APIClient, method: str) -> None:
    assert_flat_error(as_admin.generic(method, "/api/resources/"), 405, "method_not_allowed")
