"""The line of each request: what it has in both forms, when there is none, and what never gets there."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from booking_system_api.logs import configuration
from core.tests.support.environment import ROOT
from core.tests.support.servers import Server
from core.tests.support.settings import load_settings

KEYS = ["time", "level", "request_id", "method", "route", "status", "ms", "user", "client"]
TLS = {"X-Forwarded-Proto": "https"}
SECRET = "6MjwrrCdVk0123456789"
UTC_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


@pytest.fixture
def told() -> Iterator[list[logging.LogRecord]]:
    """The records of requests."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("booking_system_api.requests")
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)


def routes(told: list[logging.LogRecord]) -> list[Any]:
    return [record.__dict__["route"] for record in told]


# --- The facts --------------------------------------------------------------------------------------------------------


def test_a_request_is_one_record(as_alice: APIClient, alice: User, told: list[logging.LogRecord]) -> None:
    answer = as_alice.get("/api/bookings/?status=pending")

    (record,) = told
    facts = {name: record.__dict__[name] for name in ("request_id", "method", "route", "status", "user", "client")}
    assert facts == {
        "request_id": answer.headers["X-Request-ID"],
        "method": "GET",
        "route": "/api/bookings/",
        "status": 200,
        "user": alice.pk,
        "client": "127.0.0.1",
    }
    assert 0 < record.__dict__["ms"] < 60_000
    assert record.levelname == "INFO"
    assert "path" not in record.__dict__


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/bookings/999999/?include=series", "/api/bookings/<pk>/"),
        ("/api/bookings/999999/calendar.ics", "/api/bookings/<pk>/calendar.ics"),
        ("/api/resources/7/opening-exceptions/8/", "/api/resources/<resource_id>/opening-exceptions/<pk>/"),
        ("/api/auth/users/7/", "/api/auth/users/<id>/"),
        (f"/calendars/{SECRET}.ics", "/calendars/<secret>.ics"),
        (f"/notifications/unsubscribe/{SECRET}/", "/notifications/unsubscribe/<token>/"),
        (f"/notifications/confirm/{SECRET}/", "/notifications/confirm/<token>/"),
        ("/admin/core/booking/7/change/", "/admin/core/booking/<object_id>/change/"),
        ("/static/nothing.css", "/static/<path>"),
        ("/api/nothing/", "-"),
        ("/nothing", "-"),
        ("/health/nothing", "-"),
        ("/favicon.ico", "/favicon.ico"),
        ("/api/", "/api/"),
    ],
)
@pytest.mark.django_db
def test_the_route_is_the_pattern_of_the_address(path: str, route: str, told: list[logging.LogRecord]) -> None:
    Client().get(path)

    assert routes(told) == [route]


@pytest.mark.parametrize("path", ["/", "/day/2026-11-26", f"/password-reset/Mg/{SECRET}", "/bookings/7"])
def test_the_route_of_the_booking_page_has_no_secret(db: None, path: str, told: list[logging.LogRecord]) -> None:
    Client().get(path)

    assert routes(told)[0] in ("/", "/<page>", "-")
    assert SECRET not in told[0].getMessage()


@pytest.mark.parametrize(("path", "status"), [("/health/", 200), ("/health/ready/", 200)])
def test_a_probe_that_succeeds_has_none(db: None, path: str, status: int, told: list[logging.LogRecord]) -> None:
    assert Client().get(path).status_code == status
    assert told == []


@pytest.mark.parametrize("path", ["/health/", "/health/ready/"])
def test_a_probe_that_fails_has_one(db: None, path: str, told: list[logging.LogRecord]) -> None:
    Client().post(path)

    assert [(record.levelname, record.__dict__["route"], record.__dict__["status"]) for record in told] == [
        ("WARNING", path, 405)
    ]


def test_only_a_failed_request_below_the_api_has_its_path(db: None, told: list[logging.LogRecord]) -> None:
    for path in ("/api/bookings/7/?x=1", "/api/", "/nothing?x=1", f"/calendars/{SECRET}.ics"):
        Client().get(path)

    assert [record.__dict__.get("path") for record in told] == ["/api/bookings/7/", None, None, None]


@pytest.mark.parametrize("method", ["TEAPOT", "GET\nforged", "x" * 200])
def test_a_method_that_nobody_knows_is_another_one(db: None, method: str, told: list[logging.LogRecord]) -> None:
    Client().generic(method, "/api/")

    assert [record.__dict__["method"] for record in told] == ["OTHER"]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "203.0.113.7", "127.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "alice\x1b[31m user=1", "-"),
        (1, "", "-"),
    ],
)
def test_the_client_is_the_one_behind_the_proxies_that_are_trusted(
    db: None, settings: Settings, proxies: int, forwarded: str, client: str, told: list[logging.LogRecord]
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    Client().get("/api/", headers={"x-forwarded-for": forwarded})

    assert [record.__dict__["client"] for record in told] == [client]


def test_it_costs_no_statement(
    db: None, as_alice: APIClient, told: list[logging.LogRecord], django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(0):
        Client().get("/api/", headers={"cookie": "sessionid=somebody"})
        Client().get("/nothing", headers={"cookie": "sessionid=somebody"})

    assert [record.__dict__["user"] for record in told] == [None, None]


# --- The forms --------------------------------------------------------------------------------------------------------


SCRIPT = """
import logging, logging.config, sys
from booking_system_api.logs import RawRequestsLeftOut, configuration
logging.config.dictConfig(configuration(sys.argv[1], "INFO"))
logger = logging.getLogger("some.where")
logger.warning("first %s", "x\\r\\n2030-01-01 00:00:00,000 INFO forged: y\\x1b[31m\\u2028z\\udce9")
try:
    raise ValueError("a\\n2030-01-01 00:00:00,000 INFO forged: b\\x0b/calendars/6MjwrrCdVk0123456789.ics")
except ValueError:
    logger.exception("second")
logging.getLogger("gunicorn.error").addFilter(RawRequestsLeftOut())
logging.getLogger("gunicorn.error").warning("Invalid request from ip=1.2.3.4: 'Authorization: 6MjwrrCdVk0123456789'")
try:
    raise ValueError("c")
except ValueError:
    logging.getLogger("gunicorn.error").exception("Error handling request %s", "/?q=6MjwrrCdVk0123456789")
"""


def written(form: str) -> list[str]:
    """The lines of the script in a form."""
    command = [sys.executable, "-c", SCRIPT, form]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert SECRET not in done.stderr
    return done.stderr.split("\n")[:-1]


def test_in_text_nobody_else_writes_a_line() -> None:
    lines = written("text")

    heads = [line for line in lines if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+: ", line)]
    assert [line.partition(": ")[2].partition(" ")[0] for line in heads] == ["first", "second", "Error"]
    assert all(line.startswith("  ") for line in lines if line not in heads)
    assert all(line.isprintable() for line in lines)
    assert "  2030-01-01 00:00:00,000 INFO forged: b" in lines


def test_in_json_each_line_is_an_object() -> None:
    first, second, third = map(json.loads, written("json"))

    assert list(first) == ["time", "level", "logger", "message"]
    assert re.fullmatch(UTC_TIME, first["time"])
    assert (first["level"], first["logger"]) == ("WARNING", "some.where")
    assert first["message"].startswith("first x\r\n2030")
    assert second["message"] == "second"
    assert second["traceback"].startswith("Traceback (most recent call last):\n")
    assert "/calendars/***" in second["traceback"]
    assert (third["message"], "ValueError: c" in third["traceback"]) == ("Error handling request", True)


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_handler_masks_secrets(form: str) -> None:
    handlers = configuration(form, "INFO")["handlers"]
    assert {name for name, handler in handlers.items() if "no_secrets" not in handler["filters"]} == set()
    assert all(("one_line" in handler["filters"]) == (form == "text") for handler in handlers.values())


@pytest.mark.parametrize("value", ["JSON", "json"])
def test_the_form_is_chosen_in_any_case(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert load_settings(monkeypatch, LOG_FORMAT=value)["LOG_FORMAT"] == "json"


# --- Served -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logged")
    Server(folder).manage("migrate", "--verbosity", "0")
    return folder


def call(server: Server) -> None:
    """Makes a good call, a failed one, and two that gunicorn refuses."""
    server.ask("GET", "/health/")
    server.ask("GET", "/api/resources/", **TLS)
    server.ask("GET", f"/api/nothing/?token={SECRET}", Authorization=f"Token {SECRET}", **TLS)
    server.raw(f"GET /calendars/{SECRET}.ics HTTP/9.9\r\n\r\n".encode())
    server.raw(f"GET /api/ HTTP/1.1\r\nHost: localhost\r\nAuthorization : Token {SECRET}\r\n\r\n".encode())


@pytest.mark.processes
def test_every_line_of_a_server_is_json_also_those_of_gunicorn(folder: Path) -> None:
    with Server(folder, WEB_CONCURRENCY="1", LOG_FORMAT="json") as server:
        call(server)

    assert SECRET not in server.said
    lines = [json.loads(line) for line in server.said.splitlines()]
    assert {"gunicorn.error"} == {line["logger"] for line in lines if "logger" in line}
    assert any(line.get("message", "").startswith("Listening at: ") for line in lines)
    good, failed, version, header = [line for line in lines if "logger" not in line]
    assert list(good) == KEYS
    assert re.fullmatch(UTC_TIME, good["time"])
    assert (good["level"], good["method"], good["route"]) == ("INFO", "GET", "/api/resources/")
    assert (good["status"], good["user"], good["client"]) == (200, None, "127.0.0.1")
    assert list(failed) == [*KEYS, "path"]
    assert (failed["level"], failed["route"], failed["status"], failed["path"]) == (
        "WARNING",
        "-",
        404,
        "/api/nothing/",
    )
    for refused, reason in ((version, "InvalidHTTPVersion"), (header, "InvalidHeaderName")):
        assert list(refused) == [*KEYS, "reason"]
        assert (refused["status"], refused["reason"], refused["client"]) == (400, reason, "127.0.0.1")
        assert (refused["method"], refused["route"]) == ("-", "-")
        assert re.fullmatch("[0-9a-f]{32}", refused["request_id"])


@pytest.mark.processes
def test_every_line_of_a_server_has_one_form_in_text(folder: Path) -> None:
    with Server(folder, WEB_CONCURRENCY="1") as server:
        call(server)

    assert SECRET not in server.said
    lines = server.said.splitlines()
    form = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ (gunicorn\.error|booking_system_api\.requests): .+"
    assert [line for line in lines if not re.fullmatch(form, line)] == []
    words = [line.partition("requests: ")[2] for line in lines if "requests: " in line]
    assert re.fullmatch(r"GET /api/resources/ 200 [0-9.]+ ms user=- client=127\.0\.0\.1 request=\w{32}", words[0])
    assert re.fullmatch(r"GET - 404 [0-9.]+ ms .+ request=\w{32} path=/api/nothing/", words[1])
    assert words[2].endswith(" reason=InvalidHTTPVersion")


@pytest.mark.processes
def test_the_form_may_stand_in_the_settings_file_and_change_with_a_reload(folder: Path) -> None:
    file = folder / "settings"
    file.write_text("LOG_FORMAT=json\n")
    variables = {"BOOKING_ENV_FILE": str(file), "WEB_CONCURRENCY": "1"}
    assert "LOG_FORMAT" not in os.environ
    with Server(folder, **variables) as server:
        assert json.loads(server.said.splitlines()[0])["message"].startswith("Booking system")
        file.write_text("LOG_FORMAT=text\n")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while "INFO gunicorn.error: Booting worker" not in server.said:
            assert time.monotonic() < deadline, server.said
            time.sleep(0.05)
