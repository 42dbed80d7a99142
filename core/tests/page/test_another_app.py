"""With a single-page app elsewhere: what a real server serves then, with and without the booking page."""

import json
import re
import time
from collections.abc import Iterator

import pytest

from core.page.urls import ADDRESSES
from core.tests.page.test_addresses import PAGES
from core.tests.support.servers import Server

pytestmark = pytest.mark.processes

APP = "https://app.example.org"
HERE = "https://booking.example.org"
HTML = {"Accept": "text/html", "X_Forwarded_Proto": "https"}
NEWCOMER = {"username": "nora", "email": "nora@example.org", "password": "six-copper-lanterns"}


@pytest.fixture(scope="module", params=[{}, {"BOOKING_PAGE": "on"}], ids=["unset", "on"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, bool]]:
    """A server of an operator with an app of their own, and whether it has the booking page, too."""
    server = Server(tmp_path_factory.mktemp("app"), FRONTEND_URL=APP, PUBLIC_URL=HERE, **request.param)
    server.manage("migrate", "--verbosity", "0")
    with server:
        yield server, bool(request.param)


def test_the_page_is_served_only_where_it_is_asked_for(served: tuple[Server, bool]) -> None:
    server, is_on = served
    assert len({path.split("/")[1] for path in PAGES}) == len(ADDRESSES)
    for path in PAGES:
        status, headers, body = server.ask("GET", path, **HTML)
        assert (status, b'type="module"' in body) == ((200, True) if is_on else (404, False)), path
    status, headers, body = server.ask("GET", "/", **HTML)
    assert (status, b'type="module"' in body) == (200, is_on)
    assert "unsafe-inline" not in headers["Content-Security-Policy"] or not is_on


def test_nothing_else_changes(served: tuple[Server, bool]) -> None:
    server, _ = served
    status, _, body = server.ask("GET", "/", Accept="application/json", X_Forwarded_Proto="https")
    assert (status, set(json.loads(body))) == (200, {"name", "api", "docs", "admin", "health"})
    for path, expected in (("/health/", 200), ("/admin/login/", 200), ("/api/docs/", 200), ("/nowhere", 404)):
        status, _, body = server.ask("GET", path, **HTML)
        assert (status, b'type="module"' in body) == (expected, False), path
    assert server.ask("GET", "/api/bookings/", X_Forwarded_Proto="https")[0] == 401


def test_the_app_on_its_own_host_works_as_before(served: tuple[Server, bool]) -> None:
    server, _ = served
    common = {"Origin": APP, "Content_Type": "application/json", "X_Forwarded_Proto": "https"}
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,idempotency-key"}
    status, headers, _ = server.ask("OPTIONS", "/api/bookings/", **common, **asked)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, APP)
    _, headers, _ = server.ask("OPTIONS", "/api/bookings/", **{**common, "Origin": "https://evil.example"}, **asked)
    assert headers["Access-Control-Allow-Origin"] is None
    body = json.dumps(NEWCOMER).encode()
    assert server.ask("POST", "/api/auth/users/", body, **common)[0] == 201
    status, headers, answer = server.ask("POST", "/api/auth/token/login/", body_of("username", "password"), **common)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, APP)
    token = json.loads(answer)["auth_token"]
    assert server.ask("GET", "/api/auth/users/me/", **common, Authorization=f"Token {token}")[0] == 200
    # The log of this server has its mails.
    assert server.ask("POST", "/api/auth/users/reset_password/", body_of("email"), **common)[0] == 204
    server.manage("deliver_notifications")
    wait_for_link(server, f"{APP}/password-reset/")
    assert f"{HERE}/password-reset/" not in server.said


def body_of(*names: str) -> bytes:
    return json.dumps({name: NEWCOMER[name] for name in names}).encode()


def wait_for_link(server: Server, address: str) -> None:
    until = time.monotonic() + 30
    while not re.search(rf"^{re.escape(address)}", server.said, re.MULTILINE):
        assert time.monotonic() < until, server.said
        time.sleep(0.1)
