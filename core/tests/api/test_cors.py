"""Which browsers' pages may call the API."""

import pytest
from django.conf import settings as django_settings

from core.tests.support.environment import ROOT
from core.tests.support.errors import assert_flat_error
from core.tests.support.settings import load_settings

URL = "/api/resources/"
APP = "https://app.example.org"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def debug(settings, monkeypatch):
    """What the settings make of DEBUG, taken over for this test."""

    def debug(value, frontend=APP):
        loaded = load_settings(monkeypatch, DEBUG=str(value), FRONTEND_URL=frontend)
        for name, setting in loaded.items():
            if name.startswith("CORS_"):
                setattr(settings, name, setting)

    return debug


def allows(client, origin):
    answer = client.get(URL, HTTP_ORIGIN=origin)
    assert answer.status_code == 200
    assert answer.headers.get(ALLOWED) in (None, origin)
    return ALLOWED in answer.headers


@pytest.mark.parametrize(
    ("origin", "in_debug"),
    [
        ("http://localhost", True),
        ("http://localhost:5173", True),
        ("https://localhost:3000", True),
        ("http://127.0.0.1:8080", True),
        ("https://name-5173.app.github.dev", True),
        ("https://a.b.c.github.dev", True),
        ("https://name.github.dev", True),
        ("https://evil-github.dev", False),
        ("https://github.dev", False),
        ("https://.github.dev", False),
        ("http://name.github.dev", False),
        ("https://name.github.dev.evil.example", False),
        ("https://evil.example/.github.dev", False),
        ("https://evil.example?x.github.dev", False),
        ("https://name.githubxdev", False),
        ("http://localhost.evil.example", False),
        ("http://localhost:5173.evil.example", False),
        ("http://localhost@evil.example", False),
        ("http://evil.example/localhost", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://127x0.0.1", False),
        ("http://127.0.0.2", False),
        ("http://notlocalhost", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_with_debug_on_only_a_developers_own_pages_may_call(anonymous, debug, origin, in_debug):
    debug(True)
    assert allows(anonymous, origin) is in_debug
    debug(False)
    assert not allows(anonymous, origin)


@pytest.mark.parametrize("value", [True, False], ids=["DEBUG on", "DEBUG off"])
def test_the_single_page_app_may_call(anonymous, debug, value):
    debug(value, frontend=f"{APP}, https://second.example.org:8443/")

    assert allows(anonymous, APP)
    assert allows(anonymous, "https://second.example.org:8443")


@pytest.mark.parametrize(
    "origin", [f"{APP}.evil.example", f"{APP}:444", "http://app.example.org", "https://example.org"]
)
def test_with_debug_off_nobody_else_may(anonymous, debug, origin):
    debug(False)

    assert not allows(anonymous, origin)


def test_without_an_app_nobody_may(anonymous, debug):
    debug(False, frontend="")

    assert not allows(anonymous, APP)


def test_answers_differ_by_origin_for_caches(anonymous):
    assert "origin" in anonymous.get(URL, HTTP_ORIGIN=APP).headers["Vary"].lower()


def test_no_setting_opens_the_api_to_all_origins(debug):
    for value in (True, False):
        debug(value)
        assert not getattr(django_settings, "CORS_ALLOW_ALL_ORIGINS", False)
        assert not getattr(django_settings, "CORS_ORIGIN_ALLOW_ALL", False)
    assert "CORS_ALLOW_ALL" not in (ROOT / "booking_system_api" / "settings.py").read_text(encoding="utf-8")


class TestPreflight:
    def ask(self, client, path=URL, origin=APP, method="PATCH", headers="authorization,content-type"):
        return client.options(
            path,
            HTTP_ORIGIN=origin,
            HTTP_ACCESS_CONTROL_REQUEST_METHOD=method,
            HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers,
        )

    def test_it_tells_what_may_be_sent(self, anonymous):
        answer = self.ask(anonymous)

        allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
        methods = {name.strip() for name in answer.headers["Access-Control-Allow-Methods"].split(",")}
        assert answer.status_code == 200
        assert answer.headers[ALLOWED] == APP
        assert allowed == {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match"}
        assert methods >= {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

    @pytest.mark.parametrize("path", ["/api/bookings/", "/api/auth/token/login/", "/api/none/", "/api/auth/users/me/"])
    def test_it_needs_no_token(self, anonymous, path):
        answer = self.ask(anonymous, path)

        assert answer.status_code == 200
        assert answer.headers[ALLOWED] == APP

    def test_it_is_answered_over_plain_http_too(self, client):
        assert self.ask(client).headers[ALLOWED] == APP

    def test_a_stranger_is_told_nothing(self, anonymous):
        answer = self.ask(anonymous, origin="https://evil.example")

        assert ALLOWED not in answer.headers
        assert "Access-Control-Allow-Headers" not in answer.headers


def test_the_app_may_read_these_headers(anonymous):
    exposed = anonymous.get(URL, HTTP_ORIGIN=APP).headers["Access-Control-Expose-Headers"]

    assert {name.strip() for name in exposed.split(",")} == {
        "Link",
        "X-Total-Count",
        "X-No-Longer-Fit",
        "Content-Disposition",
        "ETag",
        "Location",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "Idempotent-Replayed",
        "X-Request-ID",
    }


def test_cookies_are_not_for_pages_elsewhere(anonymous):
    assert "Access-Control-Allow-Credentials" not in anonymous.get(URL, HTTP_ORIGIN=APP).headers


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        pytest.param("post", URL, {"data": {}, "format": "json"}, 401, id="401"),
        pytest.param("get", "/api/nothing/", {}, 404, id="404"),
        pytest.param("delete", URL, {}, 401, id="401 before 405"),
        pytest.param("put", "/api/auth/token/login/", {}, 405, id="405"),
        pytest.param("get", URL, {"HTTP_HOST": "evil.example"}, 400, id="bad host"),
        pytest.param("post", "/api/auth/users/", {"data": b"x" * 1_048_577, "content_type": "text/x"}, 413, id="413"),
        pytest.param("post", "/api/auth/users/", {"data": b"x", "content_type": "text/x"}, 415, id="415"),
        pytest.param("post", "/api/auth/users/", {"data": b"{", "content_type": "application/json"}, 400, id="no JSON"),
    ],
)
def test_errors_may_be_read_too(anonymous, method, path, more, status):
    answer = getattr(anonymous, method)(path, HTTP_ORIGIN=APP, **more)

    assert_flat_error(answer, status)
    assert answer.headers[ALLOWED] == APP
