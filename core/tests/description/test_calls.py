"""What any call may be answered is in the description of every operation."""

from typing import Any

import jsonschema_rs
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.tests.support.clients import client_of
from core.tests.support.described import BELOW_API, document, operations, resolved, with_ids
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, make_resource
from core.tests.support.rules import add_exception, add_quota, day_of
from core.tests.support.series import make_series


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return document()


def assert_described(schema: dict[str, Any], method: str, path: str, answer: Any, code: str) -> None:
    """The answer has this code, and the description of the operation knows it."""
    refused = assert_flat_error(answer, answer.status_code, code)
    described = resolved(schema, schema["paths"][path][method]["responses"].get(str(answer.status_code), {}))
    content = described.get("content", {}).get("application/json", {"examples": {}})
    assert refused["code"] in content["examples"], f"{method} {path} {answer.status_code}"


@pytest.mark.parametrize(
    ("query", "sent", "code"),
    [
        pytest.param("?format=xml", {}, "invalid", id="a form that there is not"),
        pytest.param("", {"HTTP_HOST": "elsewhere.example.org"}, "bad_request", id="another host"),
        pytest.param("", {"HTTP_TRANSFER_ENCODING": "chunked"}, "length_required", id="a body of unknown length"),
        pytest.param("", {"CONTENT_LENGTH": "2000000"}, "body_too_large", id="a body of two megabytes"),
        pytest.param(
            "",
            {"data": "{}", "content_type": "application/json; charset=utf-16"},
            "unsupported_media_type",
            id="another charset",
        ),
        pytest.param(
            "", {"data": "{}", "HTTP_CONTENT_ENCODING": "gzip"}, "unsupported_media_type", id="a compressed body"
        ),
    ],
)
def test_what_any_call_may_answer_is_described_everywhere(
    anonymous: APIClient, schema: dict[str, Any], query: str, sent: dict[str, str], code: str
) -> None:
    for method, path, _ in operations(schema):
        if path in BELOW_API:
            answer = anonymous.generic(method, with_ids(path) + query, **sent)
            assert_described(schema, method, path, answer, code)


def test_a_write_by_plain_http_is_described(anonymous: APIClient, schema: dict[str, Any], settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for method, path, _ in operations(schema):
        if method != "get" and path in BELOW_API:
            answer = anonymous.generic(method, with_ids(path), HTTP_X_FORWARDED_PROTO="http")
            assert_described(schema, method, path, answer, "https_required")


@pytest.mark.django_db
def test_a_write_in_a_session_without_its_csrf_token_is_described(schema: dict[str, Any], admin: User) -> None:
    browser = Client(enforce_csrf_checks=True, HTTP_X_FORWARDED_PROTO="https")
    browser.force_login(admin)
    for method, path, operation in operations(schema):
        if method != "get" and {} not in operation["security"]:
            answer = browser.generic(method, with_ids(path))
            assert_described(schema, method, path, answer, "permission_denied")


@pytest.mark.django_db
def test_a_body_is_required_where_none_is_refused(schema: dict[str, Any], root: User) -> None:
    booking, client = make_booking(root, make_resource()), client_of(root)
    exceptions = [add_exception(client, whose, day_of(5))["id"] for whose in (None, booking.resource)]
    ids = {"bookings": booking.pk, "resources": booking.resource_id, "users": root.pk}
    ids["series"] = make_series(client, booking.resource, start=at(18))["id"]
    ids["quotas"] = add_quota(client, kind="active", limit=1)["id"]
    for method, path, operation in operations(schema):
        if "requestBody" in operation:
            noun = path.partition("/{id}")[0].rpartition("/")[2]
            ids["opening-exceptions"] = exceptions["{resource_id}" in path]
            answer = client.generic(method, with_ids(path, id=ids.get(noun, 0), resource_id=booking.resource_id))
            refused = answer.status_code == 400 and answer.json()["code"] == "invalid"
            assert refused == operation["requestBody"]["required"], f"{method} {path} {answer.status_code}"


@pytest.mark.django_db
def test_white_space_around_a_text_does_not_count(schema: dict[str, Any], as_alice: APIClient) -> None:
    names = schema["components"]["schemas"]["PatchedUserRequest"]["properties"]
    shape = jsonschema_rs.validator_for({"type": "object", "properties": names})
    for name, length, status in (("last_name", 150, 200), ("username", 150, 200), ("last_name", 151, 400)):
        sent = {name: f" {'x' * length} "}
        assert as_alice.patch("/api/auth/users/me/", sent).status_code == status
        assert shape.is_valid(sent)
    assert "At most 150 characters" in names["last_name"]["description"]
