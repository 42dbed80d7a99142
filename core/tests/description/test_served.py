"""The description that is served is the committed one, and costs no server anything."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from core.tests.support.described import COMMITTED, document
from core.tests.support.environment import ROOT
from core.tests.support.errors import assert_flat_error


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return document()


# --- What is served ---------------------------------------------------------------------------------------------------


def test_yaml_is_served_unless_json_is_asked_for(anonymous: APIClient) -> None:
    answer = anonymous.get("/api/schema/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/yaml; charset=utf-8"
    assert answer.content == COMMITTED.read_bytes()


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        pytest.param("", "*/*", "application/yaml", id="anything"),
        pytest.param("", "text/html,application/xhtml+xml,*/*;q=0.8", "application/yaml", id="a browser"),
        pytest.param("", "application/yaml", "application/yaml", id="yaml"),
        pytest.param("", "application/json", "application/json", id="json"),
        pytest.param("", "application/vnd.oai.openapi+json", "application/json", id="OpenAPI in JSON"),
        pytest.param("?format=json", "*/*", "application/json", id="format=json"),
        pytest.param("?format=yaml", "application/json", "application/yaml", id="format=yaml decides"),
    ],
)
def test_the_caller_chooses_the_form(anonymous: APIClient, query: str, accept: str, media_type: str) -> None:
    answer = anonymous.get(f"/api/schema/{query}", HTTP_ACCEPT=accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == media_type
    assert "Accept" in answer.headers["Vary"]


def test_both_forms_say_the_same(anonymous: APIClient, schema: dict[str, Any]) -> None:
    assert json.loads(anonymous.get("/api/schema/?format=json").content) == schema


def test_a_reader_who_has_it_gets_it_once(anonymous: APIClient) -> None:
    tag = anonymous.get("/api/schema/").headers["ETag"]
    again = anonymous.get("/api/schema/", HTTP_IF_NONE_MATCH=tag)
    assert again.status_code == 304
    assert again.content == b""
    assert anonymous.get("/api/schema/?format=json", HTTP_IF_NONE_MATCH=tag).status_code == 200


@pytest.mark.parametrize("query", ["?format=xml", "?version=2"])
def test_another_form_is_refused(anonymous: APIClient, query: str) -> None:
    assert_flat_error(anonymous.get(f"/api/schema/{query}"), 400, "invalid", query[1:].split("=")[0])


@pytest.mark.parametrize("path", ["/api/schema/", "/api/docs/", "/api/redoc/"])
def test_it_can_only_be_read_and_a_stale_token_does_not_matter(anonymous: APIClient, path: str) -> None:
    anonymous.credentials(HTTP_AUTHORIZATION="Token stale")
    assert anonymous.get(path).status_code == 200
    refused = anonymous.post(path)
    assert_flat_error(refused, 405, "method_not_allowed")
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_pages_load_their_own_files_alone_under_a_policy(client: Client, path: str) -> None:
    answer = client.get(path, HTTP_X_FORWARDED_PROTO="https")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "http:" not in page
    assert "https:" not in page
    assert "<script>" not in page
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "default-src 'none'" in policy


# --- The cost ---------------------------------------------------------------------------------------------------------


ASK = """
import sys
from booking_system_api.wsgi import application
from django.test import Client
client = Client(HTTP_X_FORWARDED_PROTO="https")
assert client.get("/health/").status_code == 200
assert client.get("/api/docs/").status_code == 200
assert client.get("/api/schema/").status_code == 200
heavy = ["drf_spectacular.openapi", "drf_spectacular.generators", "core.schema.inspector", "jsonschema", "requests"]
heavy += [f"core.{feature}.schema" for feature in ("accounts", "availability", "calendars", "notifications")]
heavy += ["core.api.description", "rest_framework.test", "limits", "redis"]
sys.exit(", ".join(name for name in heavy if name in sys.modules) or 0)
"""


@pytest.mark.processes
def test_no_server_loads_what_it_does_not_serve_with() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
