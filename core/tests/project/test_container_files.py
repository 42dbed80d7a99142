"""Dockerfile, .dockerignore and compose.yaml as they are written; the part `deploy` runs their commands."""

import re
import shlex
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import get_commands

from booking_system_api.views import READY_PATH
from core.tests.project.test_operations import INSTALLATION, MANAGE_COMMAND, application_of, example_settings
from core.tests.support.compose import compose, filled_in, variables_of_file
from core.tests.support.containers import context, instructions, is_sent
from core.tests.support.documents import DEPLOYING
from core.tests.support.environment import ROOT
from deploy.container import healthcheck

TOOLS = Path(sys.executable).parent
DOCKERFILE = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
# The services that run the image, and those of other images.
OURS = ["secrets", "release", "web", "worker", "clean-up"]
OTHERS = ["database", "redis"]


def of(name: str) -> list[str]:
    """The instructions of that name, of all stages."""
    return [rest for instruction, rest in DOCKERFILE if instruction == name]


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOOLS / program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


class TestTheDockerfile:
    def test_hadolint_has_nothing_to_say(self) -> None:
        done = run("hadolint", "--no-color", "Dockerfile")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_hadolint_would_say_something(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN cd /tmp && pip install django\n")

        assert {"DL3007", "DL3042"} <= set(re.findall(r"DL\d+", run("hadolint", tmp_path / "Dockerfile").stdout))

    def test_it_installs_from_the_lock_and_runs_as_a_user_without_a_name(self) -> None:
        assert INSTALLATION.removeprefix("pip install ") in of("RUN")[0]
        assert of("USER") == ["10001:10001"]

    def test_its_python_is_that_of_the_other_platforms(self) -> None:
        version = (ROOT / ".python-version").read_text().strip()

        assert {each.split()[0] for each in of("FROM")} == {f"python:{version}-slim"}

    def test_gunicorn_is_process_1(self) -> None:
        (command,) = of("CMD")
        words = yaml.safe_load(command)

        assert command.startswith("[")
        assert isinstance(application_of(shlex.join(words)), WSGIHandler)

    def test_no_secret_stays_in_it(self) -> None:
        kept = " ".join([*of("ENV"), *of("ARG"), *of("LABEL")])

        assert not set(example_settings()) & set(re.findall(r"[A-Z_]{4,}", kept))

    def test_its_health_check_asks_the_probe(self) -> None:
        (check,) = of("HEALTHCHECK")

        assert check.endswith('CMD ["python", "deploy/container/healthcheck.py"]')
        assert healthcheck.PATH == READY_PATH


class TestTheHealthCheck:
    @pytest.mark.parametrize(("status", "result"), [(200, 0), (503, 1), (301, 1)])
    def test_only_a_200_is_healthy(self, status: int, result: int, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers["X-Forwarded-Proto"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Says nothing."""

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            monkeypatch.setenv("PORT", str(server.server_port))
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            assert healthcheck.main() == result
            thread.join(10)

        assert asked == [(healthcheck.PATH, "https")]

    @pytest.mark.parametrize(
        ("bind", "port", "address"),
        [
            (None, None, ("127.0.0.1", 8000)),
            ("", "", ("127.0.0.1", 8000)),
            (None, "9000", ("127.0.0.1", 9000)),
            ("127.0.0.1:9001", "9000", ("127.0.0.1", 9001)),
            ("0.0.0.0:9001", None, ("127.0.0.1", 9001)),
            (":9001", None, ("127.0.0.1", 9001)),
            ("[::]:9001", None, ("::1", 9001)),
            ("[::1]:9001", None, ("::1", 9001)),
            ("10.0.0.7:9001", None, ("10.0.0.7", 9001)),
            ("10.0.0.7", None, ("10.0.0.7", 8000)),
            ("0.0.0.0:9001, 0.0.0.0:9002", None, ("127.0.0.1", 9001)),
            ("unix:/tmp/booking.sock", "9000", "/tmp/booking.sock"),
        ],
    )
    def test_it_asks_where_gunicorn_listens(
        self,
        bind: str | None,
        port: str | None,
        address: tuple[str, int] | str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name, value in {"WEB_BIND": bind, "PORT": port}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

        assert healthcheck.address() == address

    def test_it_asks_by_a_socket_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEB_BIND", f"unix:{tmp_path}/booking.sock")
        assert healthcheck.main() == 1
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"{tmp_path}/booking.sock")
            listener.listen()

            def answer() -> None:
                connected, _ = listener.accept()
                with connected:
                    assert connected.recv(1000).startswith(f"GET {healthcheck.PATH} ".encode())
                    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            assert healthcheck.main() == 0
            thread.join(10)

    def test_nobody_there_is_unhealthy(self, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        monkeypatch.setenv("PORT", "1")

        assert healthcheck.main() == 1
        assert "does not answer" in capsys.readouterr().out


class TestTheContext:
    def test_it_has_what_a_server_needs_and_nothing_of_the_developer(self) -> None:
        sent = context()

        assert {path.split("/")[0] for path in sent} == {
            "booking_system_api",
            "core",
            "deploy",
            "gunicorn.conf.py",
            "manage.py",
            "openapi.yaml",
            "requirements.lock",
        }
        assert not [path for path in sent if path.startswith("core/tests/")]
        assert any(path.startswith("core/templates/") for path in sent)

    @pytest.mark.parametrize(
        ("path", "sent"),
        [
            (".env", False),
            ("db.sqlite3", False),
            ("core/.env", False),
            ("core/tests/conftest.py", False),
            ("core/models.py", True),
            ("core/__pycache__/models.cpython-313.pyc", False),
            ("deploy/container/production.env", False),
            ("deploy/container/healthcheck.py", True),
            ("deploy/nginx.conf", False),
        ],
    )
    def test_the_last_pattern_that_fits_decides(self, path: str, sent: bool) -> None:
        lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

        assert is_sent(path, [line for line in lines if line and not line.startswith("#")]) is sent


class TestCompose:
    @pytest.mark.parametrize(
        "variables", [{}, {"BOOKING": "production", "BOOKING_PORT": "8001"}], ids=["demo", "other"]
    )
    def test_it_fits_the_schema_of_compose(self, variables: dict[str, str], tmp_path: Path) -> None:
        for name, content in {"written": None, "filled": compose(**variables)}.items():
            file = tmp_path / f"{name}.yaml"
            text = (ROOT / "compose.yaml").read_text() if content is None else yaml.safe_dump(content)
            file.write_text(text)
            done = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)
            assert done.returncode == 0, done.stdout

    def test_the_schema_would_refuse_a_wrong_key(self, tmp_path: Path) -> None:
        wrong = tmp_path / "compose.yaml"
        wrong.write_text("services: {web: {image: x, restarts: always}}\n")

        assert run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", wrong).returncode == 1

    def test_without_a_variable_it_is_the_demo_and_each_installation_keeps_to_itself(self) -> None:
        demo, production = compose(), compose(BOOKING="production")

        assert (demo["name"], production["name"]) == ("booking-demo", "booking-production")
        assert demo["services"]["web"]["env_file"] == "deploy/container/demo.env"
        assert production["services"]["web"]["env_file"] == "deploy/container/production.env"
        assert demo["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]

    def test_only_the_demo_has_debug_on(self) -> None:
        folder = ROOT / "deploy" / "container"
        demo = variables_of_file((folder / "demo.env").read_text())
        production = variables_of_file((folder / "production.env.example").read_text())

        assert demo["DEBUG"] == "True"
        assert "DEBUG" not in production
        assert {*demo, *production} <= set(example_settings())
        assert not production["DJANGO_SUPERUSER_PASSWORD"]

    def test_the_settings_of_production_send_e_mails_and_leave_the_booking_page_on(self) -> None:
        text = (ROOT / "deploy" / "container" / "production.env.example").read_text()
        production = variables_of_file(text)

        assert production["EMAIL_USE"] == "smtp"
        assert production["EMAIL_URL"].startswith("smtp+tls://")
        assert {"FROM_EMAIL", "PUBLIC_URL"} <= set(production)
        assert "FRONTEND_URL" not in production
        assert "# FRONTEND_URL=" in text

    @pytest.mark.parametrize(("port", "at"), [({}, "8000"), ({"BOOKING_PORT": "9000"}, "9000")])
    def test_the_links_of_the_demo_lead_to_its_port(self, port: dict[str, str], at: str) -> None:
        demo = filled_in(variables_of_file((ROOT / "deploy" / "container" / "demo.env").read_text()), port)

        assert demo["PUBLIC_URL"] == f"http://127.0.0.1:{at}"
        assert compose(**port)["services"]["web"]["ports"] == [f"127.0.0.1:{at}:8000"]

    def test_our_containers_may_do_little(self) -> None:
        services = compose()["services"]

        assert sorted(services) == sorted([*OURS, *OTHERS])
        for name in OURS:
            service = services[name]
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert "privileged" not in service, name
            assert "user" not in service, name
        assert [name for name in services if "ports" in services[name]] == ["web"]
        assert [name for name in OURS if services[name]["volumes"] == ["secrets:/var/lib/booking"]] == ["secrets"]

    def test_no_secret_is_written_in_it(self) -> None:
        text = (ROOT / "compose.yaml").read_text(encoding="utf-8")

        named = re.findall(r"^\s*(?:-\s*)?(\w*(?:PASSWORD|KEY|TOKEN)\w*)\s*[:=]\s*(.*)", text, re.MULTILINE)
        assert named == [("POSTGRES_PASSWORD_FILE", "/var/lib/booking/database-password")]

    def test_each_service_waits_for_what_it_needs(self) -> None:
        waits = {
            name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
            for name, service in compose()["services"].items()
        }

        done = "service_completed_successfully"
        assert waits == {
            "secrets": {},
            "database": {"secrets": done},
            "release": {"database": "service_healthy"},
            "web": {"release": done},
            "worker": {"release": done},
            "clean-up": {"release": done},
            "redis": {},
        }

    def test_its_release_does_what_the_build_script_does_to_the_database(self) -> None:
        script = (ROOT / "build.sh").read_text(encoding="utf-8")
        on_the_database = [name for name in MANAGE_COMMAND.findall(script) if name != "collectstatic"]
        release = " ".join(compose()["services"]["release"]["command"])

        assert MANAGE_COMMAND.findall(release) == [*on_the_database, "seed_demo", "check"]
        last = 'if [ "${DEBUG:-}" = True ]; then python manage.py seed_demo; else python manage.py check --deploy; fi'
        assert last in release

    def test_its_commands_are_there(self) -> None:
        commands = [" ".join(service.get("command", [])) for service in compose()["services"].values()]
        named = {name for command in commands for name in MANAGE_COMMAND.findall(command)}

        assert {"migrate", "deliver_notifications", "clean_up"} <= named <= set(get_commands())

    def test_a_stop_leaves_more_time_than_gunicorn_takes(self) -> None:
        grace = re.search(r"^graceful_timeout = (\d+)$", (ROOT / "gunicorn.conf.py").read_text(), re.MULTILINE)
        web = compose()["services"]["web"]

        assert grace
        assert int(web["stop_grace_period"].removesuffix("s")) > int(grace[1])
        # The web server alone has the health check of the image.
        assert web["healthcheck"] == {}
        assert {str(compose()["services"][name]["healthcheck"]) for name in OURS if name != "web"} == {
            "{'disable': True}"
        }

    def test_redis_comes_with_its_profile_only(self) -> None:
        services = compose()["services"]
        example = (ROOT / "deploy" / "container" / "production.env.example").read_text(encoding="utf-8")

        assert {name: service["profiles"] for name, service in services.items() if "profiles" in service} == {
            "redis": ["redis"]
        }
        assert "# REDIS_URL=redis://redis:6379/0" in example

    def test_the_documents_tell_how(self) -> None:
        chapter = DEPLOYING.chapter("In containers")

        for words in ("docker compose up", "BOOKING=production", "production.env", "COMPOSE_PROFILES=redis"):
            assert words in chapter, words


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("${A:-b}", "b"),
        ("x-${BOOKING:-demo}.env", "x-mine.env"),
        ("$${A:-b} $$", "${A:-b} $"),
        (["${EMPTY:-full}", {"k": 5}], ["full", {"k": 5}]),
    ],
)
def test_variables_are_filled_in_as_compose_does(value: object, result: object) -> None:
    assert filled_in(value, {"BOOKING": "mine", "EMPTY": ""}) == result
