"""Errors wherever they arise: in views and around them, with their line in the log and without internals."""

import json
import logging
import os
import re
import socket
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from booking_system_api import urls as real
from core.tests.support.clients import client_of
from core.tests.support.environment import ROOT
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, booking_body

APP = "https://app.example.org"
ID = "[A-Za-z0-9._-]{8,64}"


class Breaks(APIView):
    """Fails inside the REST framework."""

    permission_classes = (AllowAny,)

    def get(self, request):
        raise RuntimeError("an inner secret")

    post = get


class LosesItsDatabase(APIView):
    """What a lost connection looks like."""

    permission_classes = (AllowAny,)

    def get(self, request):
        raise OperationalError("server at 10.1.2.3 closed the connection")


class CannotBeWritten(APIView):
    """Answers what no renderer knows."""

    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({"x": object()})


def breaks_outside(request):
    raise RuntimeError("an inner secret")


def answers_html(request):
    return HttpResponse("<h1>I am a teapot</h1>", status=418)


urlpatterns = [
    path("api/breaks/", Breaks.as_view()),
    path("api/loses-its-database/", LosesItsDatabase.as_view()),
    path("api/cannot-be-written/", CannotBeWritten.as_view()),
    path("api/breaks-outside/", breaks_outside),
    path("api/answers-html/", answers_html),
    path("breaks-outside/", breaks_outside),
    path("", include(real)),
]


@pytest.fixture
def log(caplog):
    """What is logged, by the loggers too that do not hand theirs on."""
    caplog.set_level(logging.INFO)
    loggers = [logging.getLogger(name) for name in ("django", "django.request", "booking_system_api.requests")]
    for logger in loggers:
        logger.addHandler(caplog.handler)
    yield caplog
    for logger in loggers:
        logger.removeHandler(caplog.handler)


def lines(log):
    """The lines of the requests, without their milliseconds."""
    messages = [record.getMessage() for record in log.records if record.name == "booking_system_api.requests"]
    return [re.sub(r" [0-9.]+ ms ", " ", message) for message in messages]


def test_a_missing_table_is_a_500_and_no_lost_database(anonymous):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_resource RENAME TO somewhere_else")

    answer = anonymous.get("/api/resources/")

    assert_flat_error(answer, 500, code="server_error")


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("debug", [True, False], ids=["DEBUG on", "DEBUG off"])
class TestOurOwnFailures:
    @pytest.mark.parametrize("where", ["breaks", "breaks-outside", "cannot-be-written"])
    def test_a_500_tells_only_the_id_of_the_request(self, anonymous, settings, log, debug, where):
        settings.DEBUG = debug

        answer = anonymous.get(f"/api/{where}/", HTTP_ORIGIN=APP)

        body = assert_flat_error(answer, 500, code="server_error")
        request_id = answer.headers["X-Request-ID"]
        assert set(body) == {"error", "code", "detail"}
        assert request_id in body["detail"]
        assert "secret" not in answer.content.decode()
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert lines(log) == [f"GET /api/{where}/ 500 user=- client=127.0.0.1 request={request_id} path=/api/{where}/"]

    @pytest.mark.parametrize("where", ["breaks", "breaks-outside"])
    def test_its_traceback_is_in_the_log(self, anonymous, settings, log, debug, where):
        settings.DEBUG = debug

        anonymous.get(f"/api/{where}/")

        assert log.text.count("RuntimeError: an inner secret") >= 1
        assert "Traceback (most recent call last)" in log.text

    def test_a_lost_database_is_a_503(self, anonymous, settings, log, debug):
        settings.DEBUG = debug

        answer = anonymous.get("/api/loses-its-database/", HTTP_ORIGIN=APP)

        assert_flat_error(answer, 503, code="database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "10.1.2.3" not in answer.content.decode()
        assert "10.1.2.3" in log.text

    def test_an_html_error_of_somebody_else_becomes_flat(self, anonymous, settings, debug):
        settings.DEBUG = debug

        assert_flat_error(anonymous.get("/api/answers-html/"), 418)

    def test_outside_the_api_it_is_a_page_without_internals(self, anonymous, settings, log, debug):
        settings.DEBUG = False

        answer = anonymous.get("/breaks-outside/")

        assert answer.status_code == 500
        assert "secret" not in answer.content.decode()
        assert "RuntimeError: an inner secret" in log.text


# Prints, for each call, the status, the headers and the body, from a server whose database is away.
CALLS = """
import json, django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https", "Origin": "https://app.example.org"})
token = {"HTTP_AUTHORIZATION": "Token " + "a" * 40}
answers = {
    "health": client.get("/health/"),
    "root": client.get("/api/"),
    "read": client.get("/api/resources/"),
    "token": client.get("/api/bookings/", **token),
    "browser": client.get("/api/bookings/", HTTP_ACCEPT="text/html", **token),
    "login": client.post("/api/auth/token/login/", {"username": "a", "password": "b"}),
    "jwt": client.post("/api/auth/jwt/create/", {"username": "a", "password": "b"}),
    "register": client.post(
        "/api/auth/users/", {"username": "a", "email": "a@example.org", "password": "correct-horse-9-battery"}
    ),
    "reset": client.post("/api/auth/users/reset_password/", {"email": "a@example.org"}),
    "stranger": client.get("/api/bookings/"),
    "nothing": client.get("/api/nothing/"),
}
titled = lambda headers: {name.title(): value for name, value in headers.items()}
print(json.dumps({name: [a.status_code, titled(a.headers), a.content.decode()] for name, a in answers.items()}))
"""


@pytest.fixture(scope="module", params=["PostgreSQL", "SQLite"])
def without_database(request, tmp_path_factory):
    """The answers of a server whose database is away, and its log."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if request.param == "PostgreSQL":
            url = f"postgres://booking:pass-in-url@127.0.0.1:{nobody.getsockname()[1]}/booking"
        else:
            url = f"sqlite:///{tmp_path_factory.mktemp('empty')}/missing/db.sqlite3"
        done = subprocess.run(
            [sys.executable, "-c", CALLS],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "booking_system_api.settings", "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


class TestWithoutADatabase:
    @pytest.mark.parametrize("call", ["read", "token", "browser", "login", "jwt", "register", "reset"])
    def test_what_needs_it_is_a_flat_503(self, without_database, call):
        status, headers, content = without_database[0][call]

        body = json.loads(content)
        assert status == 503
        assert set(body) == {"error", "code", "detail"}
        assert body["code"] == "database_unavailable"
        assert int(headers["Retry-After"]) >= 1
        assert headers["Access-Control-Allow-Origin"] == APP
        assert "127.0.0.1" not in content
        assert "sqlite" not in content

    @pytest.mark.parametrize(("call", "status"), [("health", 200), ("root", 200), ("stranger", 401), ("nothing", 404)])
    def test_what_needs_none_goes_on(self, without_database, call, status):
        assert without_database[0][call][0] == status

    def test_the_log_has_the_reason_and_no_secret(self, without_database):
        log = without_database[1]

        assert "OperationalError" in log
        assert re.search(r"GET /api/resources/ 503 [0-9.]+ ms user=- client=127\.0\.0\.1 request=", log)
        assert "pass-in-url" not in log
        assert "correct-horse-9-battery" not in log
        assert "a" * 40 not in log


class TestBadRequests:
    @pytest.mark.parametrize("debug", [True, False], ids=["DEBUG on", "DEBUG off"])
    @pytest.mark.parametrize("host", ["evil.example", "evil.example:99", "a_b", "[", "localhost:port", "é"])
    def test_a_bad_host_is_a_flat_400(self, anonymous, settings, debug, host):
        settings.DEBUG, settings.ALLOWED_HOSTS = debug, ["testserver"]

        answer = anonymous.get("/api/resources/", HTTP_HOST=host, HTTP_ORIGIN=APP)

        assert_flat_error(answer, 400, code="bad_request")
        assert answer.headers["Access-Control-Allow-Origin"] == APP

    @pytest.mark.parametrize("debug", [True, False], ids=["DEBUG on", "DEBUG off"])
    @pytest.mark.parametrize(
        "where", ["nothing/", "resources/nothing/", "auth/", "auth/nothing", "resources/1/x", "%00", "ü"]
    )
    @pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
    def test_an_unknown_address_is_a_flat_404(self, anonymous, settings, debug, where, method):
        settings.DEBUG = debug

        assert_flat_error(getattr(anonymous, method)(f"/api/{where}"), 404, code="not_found")

    @pytest.mark.parametrize("debug", [True, False], ids=["DEBUG on", "DEBUG off"])
    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_a_forgotten_slash_is_a_flat_404_where_a_body_would_be_lost(self, as_alice, settings, room, debug, method):
        settings.DEBUG = debug

        assert_flat_error(getattr(as_alice, method)("/api/bookings", booking_body(room)), 404, code="not_found")

    def test_a_reader_who_forgot_the_slash_is_sent_there(self, anonymous):
        answer = anonymous.get("/api/resources?limit=1")

        assert answer.status_code == 301
        assert answer.headers["Location"] == "/api/resources/?limit=1"

    @pytest.mark.parametrize(
        ("method", "where", "allowed"),
        [
            ("put", "resources/", {"GET", "POST"}),
            ("post", "auth/users/me/", {"GET", "PUT", "PATCH", "DELETE"}),
            ("get", "auth/users/set_password/", {"POST"}),
            ("get", "profile/picture/delete/", {"DELETE"}),
        ],
    )
    def test_another_method_is_a_flat_405(self, as_root, method, where, allowed):
        answer = getattr(as_root, method)(f"/api/{where}")

        assert_flat_error(answer, 405, code="method_not_allowed")
        assert {word.strip() for word in answer.headers["Allow"].split(",")} >= allowed

    @pytest.mark.parametrize(
        "accept", ["application/xml", "text/html", "image/*", "application/json;version=9", "nonsense", "*/*;q=0", ""]
    )
    def test_json_comes_whatever_is_accepted(self, anonymous, accept):
        for where, status in (("resources/", 200), ("nothing/", 404)):
            answer = anonymous.get(f"/api/{where}", HTTP_ACCEPT=accept)
            assert answer.status_code == status
            assert answer.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("wanted", ["json", "api"])
    def test_a_program_gets_json_in_either_format(self, anonymous, wanted):
        answer = anonymous.get("/api/resources/", {"format": wanted})

        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("wanted", ["xml", "html", "", "JSON"])
    def test_another_format_is_refused_and_not_ignored(self, anonymous, wanted):
        answer = anonymous.get("/api/resources/", {"format": wanted})

        body = assert_flat_error(answer, 400, code="invalid", field="format")
        assert "json, api" in body["detail"]

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "application/xml",
            "application/octet-stream",
            "nonsense",
            "application/json; charset=latin-1",
            "application/x-www-form-urlencoded; charset=utf-7",
            "application/json; charset=nonsense",
        ],
    )
    def test_another_kind_of_body_is_a_flat_415(self, anonymous, content_type):
        answer = anonymous.generic("POST", "/api/auth/token/login/", b"{}", content_type=content_type)

        assert_flat_error(answer, 415, code="unsupported_media_type")

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"],
    )
    def test_a_body_over_the_limit_is_a_flat_413(self, anonymous, content_type):
        limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        answers = [
            anonymous.generic("POST", "/api/auth/token/login/", b"{}" + b" " * (size - 2), content_type=content_type)
            for size in (limit + 1, 3 * limit)
        ]

        assert limit == 1_048_576
        for answer in answers:
            assert_flat_error(answer, 413, code="body_too_large")

    def test_a_body_of_just_the_limit_is_read(self, anonymous, alice):
        credentials = json.dumps({"username": "alice", "password": PASSWORD}).encode()
        answer = anonymous.generic(
            "POST", "/api/auth/token/login/", credentials.ljust(1_048_576), content_type="application/json"
        )

        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize("length", ["x", "-1", "1.5", "٣", "9" * 30])
    def test_a_length_that_is_none_is_refused(self, anonymous, length):
        answer = anonymous.post("/api/auth/token/login/", {}, CONTENT_LENGTH=length)

        assert_flat_error(answer, answer.status_code)
        assert answer.status_code in (400, 413)

    @pytest.mark.parametrize(
        "body",
        [b"{", b"", b"nonsense", b"\xff\xfe", b'{"username": NaN}', b"[" * 100_000, b"9" * 5_000, b'{"a":1}x'],
        ids=["cut off", "empty", "words", "no UTF-8", "NaN", "nested deeply", "a long number", "more after it"],
    )
    def test_what_is_no_json_object_is_a_flat_400(self, anonymous, body):
        answer = anonymous.generic("POST", "/api/auth/token/login/", body, content_type="application/json")

        assert_flat_error(answer, 400)

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=x", b"nonsense"),
            ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n\xff'),
            ("multipart/form-data; boundary=\xe9", b"--x--"),
            ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(1100))),
            ("application/x-www-form-urlencoded", b"username=%ff%00&password=%ed%a0%80"),
        ],
        ids=["no boundary", "no parts", "cut off", "odd boundary", "too many fields", "bad bytes"],
    )
    def test_a_broken_form_is_a_flat_400(self, anonymous, content_type, body):
        answer = anonymous.generic("POST", "/api/auth/token/login/", body, content_type=content_type)

        assert_flat_error(answer, 400)


class TestTheRequestId:
    def test_every_answer_has_one_of_its_own(self, anonymous):
        ids = [anonymous.get(where).headers["X-Request-ID"] for where in ("/api/", "/api/", "/api/nothing/", "/admin/")]

        assert all(re.fullmatch(ID, found) for found in ids)
        assert len(set(ids)) == len(ids)

    @pytest.mark.parametrize("sent", ["abcdefgh", "7b1c5d9e-0f9a-4c7e-9d3b-1f2e3d4c5b6a", "A" * 64])
    def test_a_good_one_that_was_sent_is_kept(self, anonymous, sent):
        assert anonymous.get("/api/", HTTP_X_REQUEST_ID=sent).headers["X-Request-ID"] == sent

    @pytest.mark.parametrize("sent", ["short", "A" * 65, "two words", "new\nline-here", "<script>x", "é" * 8])
    def test_any_other_is_replaced(self, anonymous, sent):
        found = anonymous.get("/api/", HTTP_X_REQUEST_ID=sent).headers["X-Request-ID"]

        assert found != sent
        assert re.fullmatch(ID, found)


class TestTheLog:
    def test_a_failed_request_is_one_line(self, as_alice, alice, log):
        answer = as_alice.get("/api/auth/users/999999/?secret=in-the-address")

        assert lines(log) == [
            f"GET /api/auth/users/<id>/ 400 user={alice.pk} client=127.0.0.1 request={answer.headers['X-Request-ID']} "
            "path=/api/auth/users/999999/"
        ]
        assert [record.levelname for record in log.records] == ["WARNING"]

    def test_a_good_one_is_one_too_without_its_path(self, as_alice, alice, log):
        answer = as_alice.get("/api/bookings/?status=pending")

        request_id = answer.headers["X-Request-ID"]
        assert lines(log) == [f"GET /api/bookings/ 200 user={alice.pk} client=127.0.0.1 request={request_id}"]
        assert [record.levelname for record in log.records] == ["INFO"]

    def test_no_secret_gets_there(self, anonymous, as_alice, alice, room, log):
        key = as_alice._credentials["HTTP_AUTHORIZATION"].split()[1]
        anonymous.post("/api/auth/token/login/", {"username": "alice", "password": "a-wrong-password"})
        anonymous.post("/api/auth/jwt/verify/", {"token": "a-wrong-token"})
        anonymous.get("/api/bookings/?token=in-the-address", HTTP_AUTHORIZATION="Token of-somebody")
        as_alice.post("/api/bookings/", booking_body(room, notes="a-private-note", status="nonsense"))
        as_alice.post("/api/auth/users/set_password/", {"current_password": PASSWORD, "new_password": "short7!"})
        client_of(alice).post("/api/auth/users/reset_password_confirm/", {"token": "a-reset-token"})

        assert len(lines(log)) == 6
        for secret in (
            key,
            "a-wrong",
            "of-somebody",
            "in-the-address",
            "a-private-note",
            PASSWORD,
            "short7",
            "a-reset",
        ):
            assert secret not in log.text

    def test_a_new_line_in_the_address_makes_no_new_line_in_the_log(self, anonymous, log):
        anonymous.get("/api/nothing%0A2030-01-01%20forged/%E2%80%A8x/")

        (line,) = lines(log)
        assert "\n" not in line
        assert "\u2028" not in line
        assert line.isascii()
