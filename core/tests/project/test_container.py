"""The image and compose.yaml without Docker: their commands in their order, in sandboxes with a read-only root.

What is left to Docker itself: the base images, the network between the containers, the volumes, the times of the health
check, and the signals that `init` passes on.
"""

import http.client
import json
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2
import pytest

from core.tests.support.compose import compose, filled_in, variables_of_file
from core.tests.support.containers import Container, Image, build, run, running
from core.tests.support.environment import ROOT
from core.tests.support.locked import ENTRIES
from core.tests.support.servers import free_port
from tools.lock import normal
from tools.postgres import throwaway_postgres

pytestmark = pytest.mark.deploy

VOLUME = "/var/lib/booking"
PASSWORD = "eleven-quiet-harbours"
GRACE_SECONDS = 45
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that the user of the containers can read; pytest's own ones are closed to other users."""
    with TemporaryDirectory(prefix="container-", dir="/tmp", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def image(place: Path) -> Image:
    return build(place)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with throwaway_postgres() as url:
        yield url


@dataclass(slots=True)
class Installation:
    """What `docker compose` makes of compose.yaml, except for the network: the database is on the loopback."""

    image: Image
    folder: Path
    mode: str
    database: str
    port: int
    more: dict[str, str]

    def service(self, name: str) -> dict[str, Any]:
        return compose(BOOKING=self.mode)["services"][name]

    def parts(self, name: str) -> dict[str, Any]:
        """The command, the volumes and the variables of a service."""
        service = self.service(name)
        assert service["read_only"]
        assert service["tmpfs"] == ["/tmp"]
        ((source, target, *options),) = [each.split(":") for each in service["volumes"]]
        assert (source, target) == ("secrets", VOLUME)
        file = ROOT / service["env_file"]
        text = file.with_suffix(".env.example" if self.mode == "production" else ".env").read_text(encoding="utf-8")
        return {
            "command": service.get("command", self.image.command),
            "volumes": {VOLUME: (self.folder, "ro" if options == ["ro"] else "rw")},
            **filled_in(variables_of_file(text), {}),
            **service["environment"],
            "DATABASE_URL": self.database,
            "PORT": str(self.port),
            **self.more,
        }

    def finished(self, name: str) -> str:
        """The output of a service that ends by itself."""
        done = run(self.image, **self.parts(name))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def running(self, name: str) -> Any:
        return running(self.image, self.folder.with_suffix(f".{name}.log"), **self.parts(name))

    def health(self) -> int:
        parts = self.parts("web") | {"command": self.image.health}
        return run(self.image, **parts).returncode

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """The status and the body of an answer, read from JSON where it is JSON."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text


@pytest.fixture(scope="module")
def installed(image: Image, place: Path) -> Callable[..., Installation]:
    """Makes an installation; its folder has the mode that Docker gives to a new volume, that of the image's folder."""

    def make(mode: str, database: str, **more: str) -> Installation:
        folder = place / mode
        folder.mkdir()
        folder.chmod(stat.S_IMODE(image.inside(VOLUME).stat().st_mode))
        return Installation(image, folder, mode, database, free_port(), more)

    return make


@pytest.fixture(scope="module")
def production(installed: Callable[..., Installation], server: str) -> Installation:
    """One that is ready for its web server."""
    made = installed(
        "production",
        server,
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        TO_EMAIL="staff@example.org",
        WEB_CONCURRENCY="2",
        METRICS_TOKEN="a-token",
        EMAIL_USE="console",
    )
    assert made.health() == 1
    made.finished("secrets")
    made.finished("release")
    return made


@pytest.fixture
def web(production: Installation) -> Iterator[Container]:
    with production.running("web") as container:
        container.wait_for("Booting worker")
        yield container


HOST = {"Host": "booking.example.org", "X-Forwarded-Proto": "https"}


def sign_in(production: Installation) -> dict[str, str]:
    status, answer = production.ask(
        "POST", "/api/auth/token/login/", {"username": "admin", "password": PASSWORD}, **HOST
    )
    assert status == 200, answer
    return {**HOST, "Authorization": f"Token {answer['auth_token']}"}


class TestTheImage:
    def test_it_has_what_a_server_needs_and_no_more(self, image: Image) -> None:
        assert {path.name for path in image.inside("/app").iterdir()} == {
            "booking_system_api",
            "core",
            "deploy",
            "gunicorn.conf.py",
            "manage.py",
            "openapi.yaml",
            "requirements.lock",
            "staticfiles",
        }
        assert {path.name for path in image.inside("deploy/container").iterdir()} == {
            "healthcheck.py",
            "make_secrets.py",
        }
        assert not image.inside("core/tests").exists()

    def test_its_static_files_are_collected_with_hashes(self, image: Image) -> None:
        files = json.loads(image.inside("staticfiles/staticfiles.json").read_text())["paths"]

        assert image.inside(f"staticfiles/{files['admin/css/base.css']}").is_file()
        assert files["admin/css/base.css"] != "admin/css/base.css"

    def test_its_packages_are_those_of_the_lock(self, image: Image) -> None:
        done = run(image, ["pip", "list", "--format=json", "--disable-pip-version-check"])
        found = {normal(each["name"]): each["version"] for each in json.loads(done.stdout)}

        assert {name: version for name, version in found.items() if name != "pip"} == {
            each.name: str(each.requirement.specifier).removeprefix("==") for each in ENTRIES if each.applies
        }
        assert run(image, ["pip", "check"]).returncode == 0

    def test_it_keeps_no_secret_and_is_not_root(self, image: Image) -> None:
        assert set(image.variables) == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PORT"}
        done = run(image, ["sh", "-c", "id -u; touch /app/x"])

        assert done.stdout == "10001\n"
        assert "Read-only file system" in done.stderr

    def test_without_settings_it_says_what_to_set(self, image: Image) -> None:
        done = run(image, image.command)

        assert done.returncode != 0
        assert "SECRET_KEY is not set" in done.stderr


class TestTheSecrets:
    def test_they_are_made_once_for_their_owner_alone(self, installed: Callable[..., Installation]) -> None:
        made = installed("secrets", "unused://")
        made.mode = "demo"

        first = made.finished("secrets")
        files = {path.name: path.read_text() for path in made.folder.iterdir()}
        second = made.finished("secrets")

        variables = variables_of_file(files["settings.env"])
        assert set(files) == {"settings.env", "database-password"}
        assert variables["DATABASE_URL"] == f"postgres://booking:{files['database-password']}@database:5432/booking"
        assert len(variables["SECRET_KEY"]) >= 50
        assert {stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()} == {0o600}
        assert first == f"Wrote {VOLUME}/database-password.\nWrote {VOLUME}/settings.env.\n"
        assert second == "The secrets are there already.\n"
        assert {path.name: path.read_text() for path in made.folder.iterdir()} == files


class TestProduction:
    def test_a_second_release_changes_nothing(self, production: Installation) -> None:
        said = production.finished("release")

        assert "No migrations to apply." in said
        assert PASSWORD not in said

    def test_its_release_warns_of_what_does_not_suit_production_and_of_nothing_else(
        self, production: Installation
    ) -> None:
        assert "(core.W003) EMAIL_USE is console" in production.finished("release")

        as_in_the_example = replace(production, more={**production.more, "EMAIL_USE": "smtp"})
        assert "System check identified no issues (0 silenced).\n" in as_in_the_example.finished("release")

    def test_it_serves_as_process_1_with_a_read_only_root(self, production: Installation, web: Container) -> None:
        arguments = Path(f"/proc/{web.pid}/cmdline").read_bytes().split(b"\0")
        numbers = re.search(r"^NSpid:\s+(.+)$", Path(f"/proc/{web.pid}/status").read_text(), re.MULTILINE)
        status, page = production.ask("GET", "/admin/login/", **HOST)
        style = re.search(r"/static/admin/css/base\.\w+\.css", page)

        assert numbers
        assert numbers[1].split()[-1] == "1"
        assert b"booking_system_api.wsgi:application" in arguments
        assert (status, production.health()) == (200, 0)
        assert style
        assert production.ask("GET", style[0], **HOST)[0] == 200
        assert production.ask("GET", "/api/resources/", **HOST) == (200, [])

    def test_its_processes_count_together_below_a_read_only_root(
        self, production: Installation, web: Container
    ) -> None:
        for _ in range(10):
            assert production.ask("GET", "/api/house/", **HOST)[0] == 200

        status, told = production.ask("GET", "/metrics", Host="10.1.2.3", Authorization="Bearer a-token")
        assert status == 200
        assert 'booking_requests_total{method="GET",route="/api/house/",status="200"} 10.0\n' in told

    def test_an_export_finds_a_place_for_its_drafts(self, production: Installation, web: Container) -> None:
        status, book = production.ask("GET", "/api/resources/?format=xlsx", **sign_in(production))

        assert (status, book[:2]) == (200, "PK")

    def test_a_stop_loses_neither_the_request_nor_its_message(
        self, production: Installation, server: str, web: Container
    ) -> None:
        headers = sign_in(production)
        status, resource = production.ask("POST", "/api/resources/", {"name": "Attic", "capacity": 4}, **headers)
        assert status == 201, resource
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86_400))
        body = {"resource": resource["id"], "start_time": f"{day}T10:00:00Z", "end_time": f"{day}T11:00:00Z"}
        answers: list[tuple[int, Any]] = []
        call = threading.Thread(
            target=lambda: answers.append(production.ask("POST", "/api/bookings/", body, **headers))
        )

        with closing(psycopg2.connect(server)) as other, other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM core_resource WHERE id = %s FOR UPDATE", [resource["id"]])
            call.start()
            deadline = time.monotonic() + 30
            while not waiting(server):
                assert time.monotonic() < deadline, web.said
                time.sleep(0.01)
            web.terminate()
            web.wait_for("Handling signal: term")
            web.wait_for("Worker exiting")  # the one that has nothing to do
            assert web.process.poll() is None
            assert answers == []
            other.rollback()
        call.join(30)
        ended = web.process.wait(GRACE_SECONDS)

        assert ended == 0, web.said
        (status, booking), *others = answers
        assert (status, booking["status"], others) == (201, "pending", []), booking
        assert "Traceback" not in web.said
        # The message was stored with the booking; the worker sends it, once.
        assert self.mails(production) == 1
        assert self.mails(production) == 0

    def mails(self, production: Installation) -> int:
        """How many e-mails a worker prints until it has nothing more to do; it ends by a TERM, in time."""
        with production.running("worker") as worker:
            worker.wait_for("Delivering messages as they come.")
            time.sleep(5)  # it looks every two seconds
            worker.terminate()
            assert worker.process.wait(20) == 0, worker.said
            return worker.said.count("To: staff@example.org")

    def test_the_daily_clean_up_runs(self, production: Installation) -> None:
        with production.running("clean-up") as container:
            container.wait_for("Messages: 0 deleted")
            container.wait_for("Sessions: 0 deleted")
            assert container.process.poll() is None


class TestTheDemo:
    def test_it_comes_without_a_setting_and_answers_plain_http(
        self, installed: Callable[..., Installation], server: str
    ) -> None:
        with closing(psycopg2.connect(server)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE demo")
        demo = installed("demo", f"{server.rpartition('/')[0]}/demo")
        assert compose() == compose(BOOKING="demo")

        demo.finished("secrets")
        said = demo.finished("release")
        password = variables_of_file((demo.folder / "settings.env").read_text())["DEMO_PASSWORD"]
        with demo.running("web") as web:
            web.wait_for("Booting worker")
            status, answer = demo.ask("POST", "/api/auth/token/login/", {"username": "anna", "password": password})
            page = demo.ask("GET", "/admin/login/")[1]
            style = re.search(r"/static/admin/css/base[.\w]*\.css", page)
            assert style
            assert (status, demo.ask("GET", style[0])[0], demo.health()) == (200, 200, 0), answer

        assert f"the password is DEMO_PASSWORD in {VOLUME}/settings.env:\n  {password}\n" in said
        assert len(demo.finished("release").splitlines()) > 3


def waiting(server: str) -> bool:
    """Whether a session waits for a lock."""
    with closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute(WAITING)
        return bool(cursor.fetchone()[0])
