"""The server of production, with its own configuration and DEBUG off, over real sockets."""

import email
import gzip
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from core.tests.support.described import document
from core.tests.support.environment import ROOT
from core.tests.support.servers import Server

pytestmark = pytest.mark.processes

TLS = {"X-Forwarded-Proto": "https"}
JSON = {**TLS, "Content-Type": "application/json"}
PROCESSES = 2
SIGN_INS = 2
LOGIN = "/api/auth/token/login/"


def run_configuration(**variables):
    """Prints the variables of gunicorn.conf.py with these in the environment."""
    ours = ("PORT", "WEB_BIND", *NUMBERS)
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    told = "[found[name] for name in ('bind', 'workers', 'threads', 'keepalive')]"
    script = f"import json, runpy; found = runpy.run_path('gunicorn.conf.py'); print(json.dumps({told}))"
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, check=False
    )


def settings_of_gunicorn(**variables):
    done = run_configuration(**variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


NUMBERS = ("WEB_CONCURRENCY", "GUNICORN_THREADS", "GUNICORN_KEEPALIVE")
DEFAULTS = [max(2, min(os.cpu_count() or 1, 8)), 4, 100]


@pytest.mark.parametrize(
    ("variables", "bind"),
    [
        ({}, "127.0.0.1:8000"),
        ({"PORT": "10000"}, "0.0.0.0:10000"),
        ({"WEB_BIND": "10.0.0.5:80", "PORT": "10000"}, "10.0.0.5:80"),
        ({"WEB_BIND": "", "PORT": ""}, "127.0.0.1:8000"),
    ],
)
def test_only_this_machine_connects_unless_somebody_says_so(variables, bind):
    assert settings_of_gunicorn(**variables)[0] == bind


@pytest.mark.parametrize(
    ("variables", "numbers"),
    [
        ({}, DEFAULTS),
        (dict.fromkeys(NUMBERS, ""), DEFAULTS),
        (dict.fromkeys(NUMBERS, " "), DEFAULTS),
        ({"WEB_CONCURRENCY": "3", "GUNICORN_THREADS": "9", "GUNICORN_KEEPALIVE": "0"}, [3, 9, 0]),
    ],
)
def test_an_empty_number_counts_as_none(variables, numbers):
    assert settings_of_gunicorn(**variables)[1:] == numbers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("WEB_CONCURRENCY", "two"),
        ("WEB_CONCURRENCY", "0"),
        ("GUNICORN_THREADS", "4 # threads"),
        ("GUNICORN_THREADS", "0"),
        ("GUNICORN_KEEPALIVE", "-1"),
        ("GUNICORN_KEEPALIVE", "100s"),
    ],
)
def test_a_wrong_number_stops_the_start_with_one_sentence(name, value):
    done = run_configuration(**{name: value})

    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is {value!r}, but it must be a whole number from ")
    assert done.stderr.count("\n") == 1


def test_a_settings_file_that_cannot_be_read_is_left_to_the_workers(tmp_path):
    file = tmp_path / "settings"
    file.write_bytes(b"LOG_FORMAT=\xff\n")

    assert settings_of_gunicorn(BOOKING_ENV_FILE=str(file))[1:] == DEFAULTS


def test_its_process_loads_no_django_and_nothing_of_the_project(tmp_path):
    file = tmp_path / "settings"
    file.write_text("LOG_FORMAT=json\n")
    script = """
import runpy, sys
found = runpy.run_path("gunicorn.conf.py")
found["formatter"]()
print([name for name in sys.modules if name.split(".")[0] in ("django", "core", "booking_system_api")])
"""
    environment = {**os.environ, "BOOKING_ENV_FILE": str(file)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory, migrated):
    """Several processes, an empty database with its tables."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(migrated, folder / "db.sqlite3")
    with Server(folder, WEB_CONCURRENCY=str(PROCESSES), THROTTLE_SIGN_IN=f"{SIGN_INS}/min") as server:
        yield server


def flat(answer, status, code=None):
    assert answer[0] == status, answer
    assert answer[1]["Content-Type"] == "application/json"
    body = json.loads(answer[2])
    assert all(isinstance(body[word], str) for word in ("error", "code", "detail"))
    assert code is None or body["code"] == code
    return body


class TestTheProbe:
    @pytest.mark.parametrize("host", ["localhost", "10.2.3.4:8000", "probe.internal", "a_b", "evil.example", ""])
    def test_it_is_answered_over_plain_http_whatever_the_host(self, server, host):
        status, headers, body = server.ask("GET", "/health/", Host=host)

        assert (status, json.loads(body)) == (200, {"status": "ok"})

    def test_head_has_no_body(self, server):
        received = server.raw(b"HEAD /health/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == b""

    def test_it_is_answered_to_old_http_without_a_host(self, server):
        assert server.raw(b"GET /health/ HTTP/1.0\r\n\r\n").split(b" ", 2)[1] == b"200"

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"])
    def test_another_method_is_a_405(self, server, method):
        answer = server.ask(method, "/health/")

        flat(answer, 405, "method_not_allowed")
        assert answer[1]["Allow"] == "GET, HEAD"


class TestKeptConnections:
    def test_an_idle_connection_outlasts_the_five_seconds_after_which_proxies_met_a_closed_one(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            connection.request("GET", "/health/")
            connection.getresponse().read()
            kept = connection.sock
            time.sleep(7)
            connection.request("POST", LOGIN, b"{}", JSON)

            assert connection.getresponse().status == 400
            assert connection.sock is kept
        finally:
            connection.close()


class TestHeadersOfTheForwarder:
    def test_what_a_client_says_of_the_place_of_the_application_is_not_believed(self, server):
        request = b"GET /api/ HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n"
        received = server.raw(request + b"SCRIPT_NAME: /evil\r\nSCRIPT-NAME: /evil\r\nPATH_INFO: /admin/\r\n\r\n")

        assert b"HTTP/1.1 200 " in received
        assert b"/evil" not in received
        assert b"/api/resources/" in received


class TestAnswersWithoutABody:
    @pytest.mark.parametrize("path", ["/health/", "/api/resources/", "/api/nothing/", "/admin/login/", "/favicon.ico"])
    def test_head_is_get_without_its_body(self, server, path):
        read, asked = server.ask("GET", path, **TLS), server.ask("HEAD", path, **TLS)

        assert asked[0] == read[0]
        assert asked[2] == b""
        if path != "/admin/login/":  # its token differs each time
            assert asked[1]["Content-Length"] == str(len(read[2]))
        assert "no-body response" not in server.said

    def test_a_304_says_nothing_of_its_length(self, server):
        tag = server.ask("GET", "/api/resources/", **TLS)[1]["ETag"]
        status, headers, body = server.ask("GET", "/api/resources/", **TLS, If_None_Match=tag)

        assert (status, headers["ETag"], body) == (304, tag, b"")
        assert "Content-Length" not in headers
        assert "Transfer-Encoding" not in headers


class TestHttps:
    @pytest.mark.parametrize("path", ["/api/resources/", "/admin/", "/api/nothing/"])
    def test_plain_http_is_sent_to_https(self, server, path):
        status, headers, _ = server.ask("GET", path, Host="localhost")

        assert (status, headers["Location"]) == (301, f"https://localhost{path}")

    def test_https_is_answered_and_meant_to_last(self, server):
        status, headers, body = server.ask("GET", "/api/resources/", **TLS)

        assert (status, json.loads(body)) == (200, [])
        assert "max-age=31536000" in headers["Strict-Transport-Security"]
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_cookies_are_secure(self, server):
        _, headers, _ = server.ask("GET", "/admin/login/", **TLS)

        assert "Secure" in headers["Set-Cookie"]


class TestBodies:
    def test_a_body_of_unknown_length_is_no_server_error(self, server):
        head = f"POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n"
        more = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        received = server.raw((head + more).encode() + b"2\r\n{}\r\n0\r\n\r\n")

        assert received.startswith(b"HTTP/1.1 411 ")
        assert b'"code": "length_required"' in received

    @pytest.mark.parametrize("size", [1_048_577, 3_000_000, 20_000_000])
    @pytest.mark.parametrize("more", [{}, {"Connection": "close"}], ids=["kept open", "closed"])
    def test_a_body_over_the_limit_is_a_413_that_arrives(self, server, size, more):
        flat(server.ask("POST", LOGIN, b" " * size, **JSON, **more), 413, "body_too_large")

    def test_after_a_413_the_connection_is_still_good(self, server):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        try:
            for _ in range(2):
                connection.request("POST", LOGIN, b" " * 2_000_000, JSON)
                answer = connection.getresponse()
                assert answer.status == 413
                answer.read()
                connection.request("GET", "/api/resources/", headers=TLS)
                answer = connection.getresponse()
                assert (answer.status, answer.read()) == (200, b"[]")
        finally:
            connection.close()

    def test_a_body_that_never_comes_whole_is_no_server_error(self, server):
        head = f"POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nContent-Length: 50\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
            connection.shutdown(socket.SHUT_WR)
            received = connection.recv(65536)

        assert received == b"" or received.startswith(b"HTTP/1.1 4"), received

    @pytest.mark.parametrize(
        "data",
        [
            b"\x00\x01\x02\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /api/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n",
            b"GET /api/\xff\xfe HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n",
            b"GET /api/?x=\xff HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n",
            b"GET /api/%ff/%00 HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n",
            b"POST /api/auth/token/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
            b"POST /api/auth/token/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"GET /api/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token " + b"a" * 20_000 + b"\r\n\r\n",
        ],
        ids=[
            "bytes",
            "half a line",
            "version",
            "two hosts",
            "bytes in the path",
            "bytes in the query",
            "NUL in the path",
            "length in words",
            "negative length",
            "long header",
        ],
    )
    def test_garbage_is_no_server_error(self, server, data):
        received = server.raw(data)

        status = int(received.split(b" ", 2)[1])
        assert status < 500, received
        assert b"Traceback" not in received
        assert server.ask("GET", "/health/")[0] == 200

    @pytest.mark.parametrize(
        ("first", "headers", "status", "code"),
        [
            pytest.param(b"GET /api/?search=" + b"x" * 5_000, b"", 414, "address_too_long", id="long address"),
            pytest.param(b"GET /api/", b"X: " + b"x" * 9_000 + b"\r\n", 431, "headers_too_large", id="long header"),
            pytest.param(b"GET /api/", b"X: x\r\n" * 101, 431, "headers_too_large", id="many headers"),
            pytest.param(b"GET /api/", b"X: x\r\n" * 30_000, 431, "headers_too_large", id="headers without end"),
            pytest.param(b"GET /api/", b"Expect: tea\r\n", 417, "bad_request", id="expectation"),
            pytest.param(b"GET /api/", b"Transfer-Encoding: tea\r\n", 501, "bad_request", id="transfer coding"),
            pytest.param(b"GET /api/", b"Transfer-Encoding: gzip\r\n", 400, "bad_request", id="length unknown"),
            pytest.param(b"GET /api/", b"Content-Length: x\r\n", 400, "bad_request", id="length in words"),
            pytest.param(
                b"GET /api/",
                b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                400,
                "bad_request",
                id="two lengths",
            ),
            pytest.param(b"GET /api/", b"A B: x\r\n", 400, "bad_request", id="header name"),
            pytest.param(b"get /api/", b"", 400, "bad_request", id="method"),
        ],
    )
    def test_what_gunicorn_refuses_is_in_the_description(self, server, first, headers, status, code):
        received = server.raw(first + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")

        head, _, body = received.partition(b"\r\n\r\n")
        said, error = email.message_from_bytes(head.partition(b"\r\n")[2]), json.loads(body)
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert said["Content-Type"] == "application/json"
        assert int(said["Content-Length"]) == len(body)
        assert said["X-Request-ID"] in server.said
        assert (set(error), error["code"]) == ({"error", "code", "detail"}, code)
        described = document()["components"]["responses"]["Refused"]
        assert str(status) in described["description"]
        assert code in described["content"]["application/json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]

    def test_a_compressed_body_is_a_flat_415(self, server):
        answer = server.ask("POST", LOGIN, gzip.compress(b"{}"), Content_Encoding="gzip", **JSON)

        assert flat(answer, 415)["code"] == "unsupported_media_type"
        assert answer[1]["Accept-Encoding"] == "identity"

    def test_a_write_by_plain_http_is_a_flat_403(self, server):
        assert flat(server.ask("POST", LOGIN, b"{}", Content_Type="application/json"), 403)["code"] == "https_required"

    def test_a_bad_host_is_a_flat_400(self, server):
        flat(server.ask("GET", "/api/resources/", Host="evil.example", **TLS), 400)


class TestLimits:
    def test_each_process_holds_them(self, server):
        wrong = json.dumps({"username": "somebody", "password": "wrong"}).encode()

        answers = [server.ask("POST", LOGIN, wrong, **JSON)[0] for _ in range(PROCESSES * SIGN_INS + 1)]

        assert set(answers) == {400, 429}
        assert answers.count(400) <= PROCESSES * SIGN_INS


class TestTheLog:
    def test_failed_requests_are_lines_on_stderr(self, server):
        _, headers, _ = server.ask(
            "GET", "/api/nothing/?token=in-the-address", Authorization="Token of-somebody", **TLS
        )

        (line,) = [line for line in server.said.splitlines() if headers["X-Request-ID"] in line]
        assert " WARNING booking_system_api.requests: GET - 404 " in line
        assert line.endswith(f" user=- client=127.0.0.1 request={headers['X-Request-ID']} path=/api/nothing/")
        assert "in-the-address" not in server.said
        assert "of-somebody" not in server.said

    def test_nothing_failed_on_our_side(self, server):
        assert "Traceback" not in server.said
        assert " 500 " not in server.said


# Serves the files that collectstatic put into another folder than ours.
ELSEWHERE = "from booking_system_api.settings import *\nimport os\nSTATIC_ROOT = os.environ['COLLECTED']\n"


@pytest.fixture(scope="module")
def server_with_files(tmp_path_factory, collected):
    """One that serves the collected files of the admin."""
    folder = tmp_path_factory.mktemp("with-files")
    (folder / "elsewhere.py").write_text(ELSEWHERE)
    server = Server(
        folder,
        WEB_CONCURRENCY="1",
        COLLECTED=str(collected),
        DJANGO_SETTINGS_MODULE="elsewhere",
        PYTHONPATH=f"{folder}{os.pathsep}{ROOT}",
    )
    with server:
        yield server


class TestStaticFiles:
    def test_they_are_compressed_and_may_be_kept_for_ever(self, server_with_files):
        _, _, page = server_with_files.ask("GET", "/admin/login/", **TLS)
        path = next(part for part in page.decode().split('"') if part.startswith("/static/admin/css/base."))

        status, headers, packed = server_with_files.ask("GET", path, Accept_Encoding="gzip", **TLS)
        _, _, plain = server_with_files.ask("GET", path, **TLS)

        assert path != "/static/admin/css/base.css"
        assert (status, headers["Content-Encoding"]) == (200, "gzip")
        assert gzip.decompress(packed) == plain
        assert len(packed) < len(plain) / 2
        assert "max-age=315360000" in headers["Cache-Control"]
        assert "immutable" in headers["Cache-Control"]

    def test_without_collected_files_the_admin_still_opens(self, server):
        status, _, page = server.ask("GET", "/admin/login/", **TLS)

        assert status == 200
        assert b'name="username"' in page
