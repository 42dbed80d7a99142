"""The files of a host: the units of systemd and nginx.conf, each tried with the program that reads it."""

import http.client
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.tests.support.compose import compose
from core.tests.support.documents import DEPLOYING, FENCED, UPGRADING, documents, tables
from core.tests.support.environment import ROOT
from core.tests.support.servers import Server, free_port

UNITS = ROOT / "deploy" / "systemd"
NGINX = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
HOST = "booking.example.org"
PROGRAMS = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"
# systemd calls less than 3 "OK" and 10 "unsafe"; in tenths.
EXPOSURE = "20"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def unit(name: str) -> str:
    return (UNITS / name).read_text(encoding="utf-8")


def test_the_documents_name_each_file() -> None:
    chapter = DEPLOYING.chapter("With systemd and nginx")

    assert {path.name for path in UNITS.glob("booking-*.*") if path.is_file()} == {
        "booking-web.service",
        "booking-worker.service",
        "booking-clean-up.service",
        "booking-clean-up.timer",
    }
    for name in ("booking-web", "booking-worker", "booking-clean-up.timer", "deploy/systemd", "deploy/nginx.conf"):
        assert name in chapter, name


def test_a_stop_by_systemd_leaves_gunicorn_its_grace() -> None:
    stop = re.search(r"^TimeoutStopSec=(\d+)$", unit("booking-web.service"), re.MULTILINE)
    grace = re.search(r"^graceful_timeout = (\d+)$", (ROOT / "gunicorn.conf.py").read_text(), re.MULTILINE)

    assert stop
    assert grace
    assert int(stop[1]) > int(grace[1])


def test_the_worker_is_enabled_together_with_its_setting(tmp_path: Path) -> None:
    (block,) = [each["body"] for each in FENCED.finditer(DEPLOYING.chapter("With systemd and nginx"))]
    assert "enable --now booking-web booking-worker" in block
    (line,) = [line for line in block.splitlines() if "NOTIFICATIONS" in line]
    file = tmp_path / "settings.env"
    file.write_text((ROOT / ".env.example").read_text(encoding="utf-8"))
    done = run("sh", "-c", line.replace("/etc/booking/settings.env", str(file)))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert re.findall(r"^NOTIFICATIONS=.*$", file.read_text(), re.MULTILINE) == ["NOTIFICATIONS=worker"]


@pytest.mark.processes
def test_a_reload_by_hand_reaches_the_server_that_was_started_by_hand(tmp_path: Path) -> None:
    """By the file of its id; a search by name may find a shell, or another server."""
    (file,) = re.findall(r"^gunicorn --pid (\S+) ", DEPLOYING.chapter("On any host"), re.MULTILINE)
    reloads = re.findall(r"&& (kill -HUP .+)$", UPGRADING.text, re.MULTILINE)
    assert reloads == [reloads[0]] * 2
    with Server(tmp_path, "--pid", str(tmp_path / file), WEB_CONCURRENCY="1", NOTIFICATIONS="worker") as server:
        done = subprocess.run(["sh", "-c", reloads[0]], cwd=tmp_path, capture_output=True, timeout=10, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        deadline = time.monotonic() + 60
        while not re.search("Handling signal: hup.*Worker exiting", server.said, re.DOTALL):
            assert time.monotonic() < deadline, server.said
            time.sleep(0.05)


def test_no_document_ends_a_process_by_its_name() -> None:
    assert [str(document) for document in documents() if re.search(r"\bp(grep|kill)\b|killall", document.text)] == []


def test_a_new_version_is_a_gap_where_a_port_of_the_machine_is_taken() -> None:
    assert compose()["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]
    (rows,) = tables(UPGRADING.chapter("In short"))
    told = dict(rows)
    assert sorted(told) == ["Docker Compose", "Heroku", "Render, Railway"]
    assert "a gap of some seconds" in told["Docker Compose"]
    assert "no gap" in told["Render, Railway"]


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with programs that are there: systemd looks for them."""
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    programs = tmp_path / "booking" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("gunicorn", "python"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    for path in folder.rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("/opt/booking", str(tmp_path / "booking")))
    return folder


@pytest.mark.deploy
class TestTheUnits:
    def test_systemd_takes_them(self, units: Path) -> None:
        files = sorted(path for path in units.glob("booking-*.*") if path.is_file())
        done = run("systemd-analyze", "verify", *files)

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_a_wrong_line_would_be_noticed(self, units: Path) -> None:
        common = units / "booking-.service.d" / "common.conf"
        common.write_text(common.read_text() + "ProtectEverything=yes\n")

        assert "ProtectEverything" in run("systemd-analyze", "verify", units / "booking-web.service").stderr

    @pytest.mark.parametrize("name", ["booking-web", "booking-worker", "booking-clean-up"])
    def test_a_service_may_do_little(self, units: Path, name: str) -> None:
        path = units / f"{name}.service"
        done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", path)

        assert done.returncode == 0, done.stdout

    def test_the_timer_comes_once_a_day(self) -> None:
        (when,) = re.findall(r"^OnCalendar=(.+)$", unit("booking-clean-up.timer"), re.MULTILINE)
        done = run("systemd-analyze", "calendar", "--iterations=2", "--base-time=2030-01-01 00:00:00 UTC", when)

        assert re.findall(r"2030-01-\d\d", done.stdout) == ["2030-01-01", "2030-01-02"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One that nobody trusts, with its key in `key.pem`."""
    subject = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}")
    files = ("-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    done = run("openssl", "req", "-x509", *key, "-days", "2", *subject, *files)
    assert done.returncode == 0, done.stderr
    return tmp_path / "certificate.pem"


class Nginx:
    """nginx with the file of the repository, on other ports and with another certificate."""

    def __init__(self, folder: Path, certificate: Path, upstream: str) -> None:
        self.folder, self.certificate = folder, certificate
        self.plain, self.encrypted = free_port(), free_port()
        site = NGINX.replace("127.0.0.1:8000", upstream).replace("/var/log/nginx", str(folder))
        site = re.sub(r"\blisten 80;", f"listen 127.0.0.1:{self.plain};", site)
        site = re.sub(r"\blisten 443 ssl;", f"listen 127.0.0.1:{self.encrypted} ssl;", site)
        site = re.sub(r".*listen \[::\].*\n", "", site)
        site = re.sub(r"/etc/\S+/fullchain\.pem", str(certificate), site)
        site = re.sub(r"/etc/\S+/privkey\.pem", str(certificate.with_name("key.pem")), site)
        drafts = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.file = folder / "nginx.conf"
        self.file.write_text(
            f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\nmaster_process off;\n"
            f"events {{}}\nhttp {{\n{drafts}{site}\n}}\n"
        )

    @property
    def command(self) -> list[str]:
        program = shutil.which("nginx", path=PROGRAMS)
        assert program
        return [program, "-e", str(self.folder / "error.log"), "-p", str(self.folder), "-c", str(self.file)]

    def log(self, name: str) -> str:
        return (self.folder / name).read_text()

    def logged(self, words: str) -> str:
        """The log of requests, once it has these words: nginx writes a line after the answer was sent."""
        deadline = time.monotonic() + 20
        while words not in (log := self.log("booking.log")):
            assert time.monotonic() < deadline, log
            time.sleep(0.05)
        return log

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        """The answer by HTTPS; the header `Host` is as browsers send it."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", self.encrypted, timeout=30, context=context)
        with closing(connection):
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers={"Host": HOST, **given})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()


@pytest.fixture
def nginx(tmp_path: Path, certificate: Path, web: Server) -> Iterator[Nginx]:
    """nginx in front of gunicorn."""
    found = Nginx(tmp_path, certificate, web.bind)
    with subprocess.Popen(found.command) as process:
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    found.ask("GET", "/health/")
                    break
                except OSError:
                    assert process.poll() is None, found.log("error.log")
                    assert time.monotonic() < deadline, found.log("error.log")
                    time.sleep(0.05)
            yield found
        finally:
            process.terminate()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "web"
    folder.mkdir()
    server = Server(folder, ALLOWED_HOSTS=HOST, TRUSTED_PROXIES="1", THROTTLE_ANONYMOUS="3/hour", WEB_CONCURRENCY="1")
    server.manage("migrate", "--verbosity", "0")
    with server:
        yield server


@pytest.mark.deploy
class TestNginx:
    def test_it_takes_the_file(self, tmp_path: Path, certificate: Path) -> None:
        found = Nginx(tmp_path, certificate, "127.0.0.1:8000")
        done = run(*found.command, "-t")

        assert done.returncode == 0, done.stderr
        assert "warn" not in done.stderr

    def test_it_passes_on_what_the_server_needs_and_logs_no_secret(self, nginx: Nginx, web: Server) -> None:
        status, headers, body = nginx.ask("GET", "/api/resources/")
        with closing(http.client.HTTPConnection("127.0.0.1", nginx.plain, timeout=30)) as connection:
            connection.request("GET", "/admin/", headers={"Host": HOST})
            moved = connection.getresponse()
        feed = nginx.ask("GET", "/calendars/a-very-secret-word.ics")[0]
        link = nginx.ask("GET", "/notifications/unsubscribe/another-secret-word/")[0]
        query = nginx.ask("GET", "/admin/login/?next=a-third-secret")[0]
        nginx.ask("GET", "/password-reset/Mg/a-fourth-secret", Referer="/password-reset/Mg/a-fourth-secret")

        # By HTTPS, and so no redirect.
        assert (status, body) == (200, "[]")
        assert (moved.status, moved.headers["Location"]) == (301, f"https://{HOST}/admin/")
        assert (feed, link, query) == (404, 404, 200)
        log = nginx.logged('GET "/password-reset/***" ')
        assert 'GET "/api/resources/" 200 2 bytes' in log
        assert f"request={headers['X-Request-ID']}" in log
        assert 'GET "/calendars/***" 404' in log
        assert 'GET "/notifications/unsubscribe/***" 404' in log
        assert 'GET "/admin/login/" 200' in log
        assert "a-fourth-secret" not in log
        # The limit counts the client that nginx names, whatever the client claims.
        statuses = [nginx.ask("GET", "/api/resources/", X_Forwarded_For=f"192.0.2.{number}")[0] for number in range(3)]
        assert statuses == [200, 200, 429]

    def test_an_outage_puts_no_secret_into_its_log_of_errors(self, nginx: Nginx, web: Server) -> None:
        web.process.terminate()
        web.process.wait(20)

        assert nginx.ask("GET", "/calendars/a-very-secret-word.ics")[0] == 502
        assert nginx.ask("GET", "/notifications/confirm/another-secret-word/")[0] == 502
        assert nginx.ask("GET", "/password-reset/Mg/a-third-secret-word")[0] == 502
        assert nginx.ask("GET", "/api/resources/")[0] == 502
        said = "".join(path.read_text() for path in nginx.folder.glob("*.log"))
        assert "/api/resources/" in said
        assert "secret-word" not in said
