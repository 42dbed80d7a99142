"""The developer's tools, tried for real: the suite's own environment, `.venv`, `.env`, the port, PostgreSQL."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import pytest
from decouple import RepositoryEnv

from core.tests.support.environment import ROOT
from tools.bootstrap import SetupError
from tools.postgres import throwaway_postgres
from tools.run import check_port, write_env_file

COPIED = ("booking_system_api", "core", "tools", "manage.py", "pytest.ini", "pyproject.toml", ".env.example")

HOSTILE_SETTINGS = {
    "SECRET_KEY": "",
    "DEBUG": "perhaps",
    "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/dead",
    "EMAIL_USE": "sendgrid",
    "SENDGRID_API_KEY": "SG.not-a-key",
    "THROTTLE_ANONYMOUS": "1/day",
    "BOOKING_LEAD_TIME_MINUTES": "-7",
}

PROBE = """
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model


@pytest.mark.django_db
def test_the_database_is_the_throwaway_one():
    assert settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert get_user_model().objects.count() == 0


def test_the_settings_are_the_suites_own():
    assert settings.EMAIL_USE == "console"
    assert settings.SENDGRID_API_KEY == ""
    assert settings.BOOKING_LEAD_TIME_MINUTES == 30
    assert not settings.DEBUG
    assert settings.SECRET_KEY
"""

SKIPPED = """
import pytest


def test_runs():
    pass


@pytest.mark.skip(reason="not today")
def test_does_not():
    pass
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project in another folder, one with a space in its name, beside a hostile `.env`."""
    folder = tmp_path_factory.mktemp("tooling") / "a copy"
    folder.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)  # with what Python has compiled, which saves seconds
        else:
            shutil.copy2(ROOT / name, folder)
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in HOSTILE_SETTINGS.items()))
    return folder


def run_pytest(folder, source, **environment):
    """Plain `pytest`, as somebody types it in the project's folder."""
    file = folder / "core" / "tests" / "test_probe.py"
    file.write_text(source)
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("TEST_DATABASE_URL", *HOSTILE_SETTINGS)
    }
    return subprocess.run(
        [Path(sys.executable).with_name("pytest"), "-p", "no:cacheprovider", file],
        cwd=folder,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def listener():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.processes
class TestTheSuitesEnvironment:
    def test_plain_pytest_is_untouched_by_a_hostile_env_file(self, copy):
        before = (copy / ".env").read_bytes()
        without_ours = {"BOOKING_ENV_FILE": "", "DJANGO_SETTINGS_MODULE": "nowhere.settings"}

        result = run_pytest(copy, PROBE, **without_ours)

        assert result.returncode == 0, result.stdout + result.stderr
        assert "2 passed" in result.stdout
        assert (copy / ".env").read_bytes() == before
        assert not list(copy.glob("*.sqlite3*"))

    def test_plain_pytest_is_untouched_by_a_hostile_environment(self, copy):
        result = run_pytest(copy, PROBE, **HOSTILE_SETTINGS)

        assert result.returncode == 0, result.stdout + result.stderr
        assert "2 passed" in result.stdout

    def test_a_skipped_test_fails_the_run_and_is_named(self, copy):
        result = run_pytest(copy, SKIPPED)

        assert result.returncode == 1
        assert "1 passed, 1 skipped" in result.stdout
        assert "core/tests/test_probe.py::test_does_not" in result.stdout


class TestTheEnvironment:
    @pytest.mark.parametrize("there", [True, False], ids=["a folder", "nothing"])
    def test_a_link_to_something_that_does_not_serve_is_refused_and_what_is_there_kept(self, tmp_path, there):
        project, other = tmp_path / "project", tmp_path / "other"
        shutil.copytree(ROOT / "tools", project / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy2(ROOT / "requirements.lock", project)
        (project / ".venv").symlink_to(other)
        if there:
            other.mkdir()
            (other / "precious").write_text("mine")

        result = subprocess.run(
            [sys.executable, "-m", "tools.bootstrap"],
            cwd=project,
            env={**os.environ, "PIP_NO_INDEX": "1"},  # pip, if it gets as far, finds nothing
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert result.returncode == 1
        assert result.stderr.count("\n") == 1
        assert "remove the link and try again" in result.stderr
        assert [path.name for path in other.glob("*")] == ["precious"] * there


class TestTheEnvFile:
    def test_it_is_written_with_fresh_secrets_that_decouple_reads_as_they_are(self, tmp_path):
        first, second = tmp_path / "with a space" / ".env", tmp_path / ".env"
        first.parent.mkdir()

        assert write_env_file(first)
        assert write_env_file(second)

        lines = dict(line.split("=", 1) for line in first.read_text().splitlines() if not line.startswith("#"))
        assert set(lines) == {"SECRET_KEY", "DEBUG", "DEMO_PASSWORD"}
        assert RepositoryEnv(str(first)).data == lines
        assert lines["DEBUG"] == "True"
        assert len(lines["SECRET_KEY"]) >= 50
        assert RepositoryEnv(str(second)).data["SECRET_KEY"] != lines["SECRET_KEY"]
        assert RepositoryEnv(str(second)).data["DEMO_PASSWORD"] != lines["DEMO_PASSWORD"]

    def test_only_its_owner_may_read_it(self, tmp_path):
        write_env_file(tmp_path / ".env")

        assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600

    @pytest.mark.parametrize("content", ["", "SECRET_KEY=mine\n"], ids=["empty", "filled"])
    def test_an_existing_one_is_never_touched(self, tmp_path, content):
        path = tmp_path / ".env"
        path.write_text(content)
        path.chmod(0o640)
        before = path.stat()

        assert not write_env_file(path)

        assert path.read_text() == content
        assert (path.stat().st_mtime_ns, path.stat().st_mode) == (before.st_mtime_ns, before.st_mode)

    def test_a_link_to_nowhere_is_not_followed(self, tmp_path):
        (tmp_path / ".env").symlink_to(tmp_path / "elsewhere")

        assert not write_env_file(tmp_path / ".env")

        assert not (tmp_path / "elsewhere").exists()


class TestThePort:
    def test_a_free_one_is_fine_even_right_after_somebody_left_it(self):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            free = server.getsockname()[1]

        check_port(free)

    def test_a_taken_one_is_told_in_one_sentence(self, listener):
        result = subprocess.run(
            [sys.executable, "-m", "tools.run", "--port", str(listener)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

        assert result.returncode == 1
        assert result.stdout == ""
        assert result.stderr == (
            f"Port {listener} is already in use: choose another one, as in `make run PORT={listener + 1}`.\n"
        )

    def test_one_that_is_bound_but_not_listening_is_taken_too(self):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))

            with pytest.raises(SetupError, match="already in use"):
                check_port(server.getsockname()[1])


class TestThrowawayPostgres:
    def test_it_is_what_production_needs_and_no_more(self):
        with throwaway_postgres() as url:
            connection = psycopg2.connect(url)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'booking'")
                encoding = cursor.fetchone()
                cursor.execute("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user")
                rights = cursor.fetchone()
            connection.close()

        assert encoding == ("UTF8",)
        assert rights == (False, True)
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(url)

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
    def test_nothing_of_it_is_left_behind(self, name):
        folder = Path(tempfile.mkdtemp())
        folder.chmod(0o755)  # as root the server is another user's
        code = "import os, time; print(os.environ['TEST_DATABASE_URL'], flush=True); time.sleep(60)"
        try:
            with subprocess.Popen(
                [sys.executable, "-m", "tools.postgres", "--", sys.executable, "-c", code],
                cwd=ROOT,
                env={**os.environ, "TMPDIR": str(folder)},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            ) as process:
                url = process.stdout.readline().strip()
                psycopg2.connect(url).close()
                assert len(list(folder.iterdir())) == 1
                os.killpg(process.pid, getattr(signal, name))
                process.wait(20)

            deadline = time.monotonic() + 20
            while list(folder.iterdir()) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert not list(folder.iterdir())
            with pytest.raises(psycopg2.OperationalError):
                psycopg2.connect(url)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
