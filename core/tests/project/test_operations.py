"""What operators read and run: the Render blueprint, the Procfile, and the claims of the documents about the code."""

import importlib
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from decouple import Config, RepositoryEnv
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command, get_commands
from django.urls import resolve
from rest_framework import exceptions as framework_errors
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt import exceptions as jwt_errors

from booking_system_api import environment
from booking_system_api.views import READY_PATH
from core.api.throttling import AnonymousThrottle
from core.tests.support.documents import (
    API,
    CALENDARS,
    CHANGELOG,
    CONFIGURATION,
    DEPLOYING,
    FENCED,
    POLICIES,
    README,
    REPORTS,
    SERIES,
    documents,
    tables,
    words_in_code,
)
from core.tests.support.environment import ROOT
from core.tests.support.routes import ROUTES
from core.tests.support.settings import load_settings

MANAGE_COMMAND = re.compile(r"manage\.py ([a-z_]+)")
INSTALLATION = "pip install --require-hashes -r requirements.lock"


def example_settings() -> dict[str, str]:
    """The variables of .env.example with their values, those of commented lines too."""
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))


def default_told(cell: str) -> str:
    """The default that a cell names: a value in backticks, which words may follow, or that there is none."""
    value = re.match(r"`([^`]+)`(?:$|, or |; )", cell)
    assert value or cell == "none" or cell.startswith("required"), cell
    return value[1] if value else ""


def named_twice(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def application_of(command: str) -> object:
    """The object that a gunicorn command serves; its other words are gunicorn's own options."""
    program, *_, target = shlex.split(command)
    assert program == "gunicorn"
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


@pytest.fixture(scope="module")
def blueprint() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def service(blueprint: dict[str, Any]) -> dict[str, Any]:
    (web,) = [each for each in blueprint["services"] if each["type"] == "web"]
    return web


@pytest.fixture
def cron(blueprint: dict[str, Any]) -> dict[str, Any]:
    (cron,) = [each for each in blueprint["services"] if each["type"] == "cron"]
    return cron


@pytest.fixture
def variables(service: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["key"]: {name: value for name, value in each.items() if name != "key"} for each in service["envVars"]}


@pytest.fixture
def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


class TestTheRenderBlueprint:
    def test_it_serves_this_application(self, service):
        assert (service["type"], service["runtime"]) == ("web", "python")
        assert isinstance(application_of(service["startCommand"]), WSGIHandler)

    def test_its_build_command_can_be_run(self, service):
        assert os.access(ROOT / service["buildCommand"], os.X_OK)

    def test_its_health_check_is_there(self, service):
        assert service["healthCheckPath"] == READY_PATH

    def test_its_variables_are_known_and_named_once(self, service, variables):
        assert set(variables) <= set(example_settings())
        assert not named_twice([each["key"] for each in service["envVars"]])

    def test_each_variable_has_one_source(self, variables):
        assert {tuple(source) for source in variables.values()} == {
            ("value",),
            ("generateValue",),
            ("fromDatabase",),
            ("sync",),
        }

    def test_values_are_text_as_the_environment_is(self, variables):
        values = [source["value"] for source in variables.values() if "value" in source]
        assert values
        assert all(isinstance(value, str) for value in values)

    def test_no_secret_is_written_in_it(self, variables):
        assert variables["SECRET_KEY"] == {"generateValue": True}
        assert variables["DJANGO_SUPERUSER_PASSWORD"] == {"generateValue": True}

    def test_its_database_is_the_one_that_it_makes(self, blueprint, variables):
        (database,) = blueprint["databases"]
        assert variables["DATABASE_URL"]["fromDatabase"] == {"name": database["name"], "property": "connectionString"}

    def test_it_cleans_up_once_a_day_in_the_database_of_the_web_service(self, cron, service, variables):
        assert re.fullmatch(r"\d+ \d+ \* \* \*", cron["schedule"])
        given = {each["key"]: each for each in cron["envVars"]}
        assert given["DATABASE_URL"]["fromDatabase"] == variables["DATABASE_URL"]["fromDatabase"]
        assert given["SECRET_KEY"]["fromService"] == {
            "type": "web",
            "name": service["name"],
            "envVarKey": "SECRET_KEY",
        }

    def test_its_other_services_install_from_the_lock(self):
        text = (ROOT / "render.yaml").read_text(encoding="utf-8")
        commands = re.findall(r"buildCommand: (.+)", text)
        assert commands == ["./build.sh", *[INSTALLATION] * 2]

    def test_the_settings_take_its_values(self, variables, tmp_path):
        given = {name: source.get("value", "") for name, source in variables.items()}
        given |= {"SECRET_KEY": "x" * 44, "DATABASE_URL": "postgresql://booking:secret@dpg-1-a/booking"}
        result = subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "BOOKING_ENV_FILE": os.devnull, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        # FRONTEND_URL may come later; until then the check says so.
        assert re.findall(r"\((\w+\.\w\d+)\)", result.stderr) == ["core.W001"]

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param("203.0.113.7, 172.71.95.118, 10.19.64.237", id="plain"),
            pytest.param("198.51.100.1,203.0.113.7, 172.71.95.118, 10.19.64.237", id="client-claims-another"),
        ],
    )
    def test_limits_count_the_address_of_the_client(self, header, variables, monkeypatch):
        monkeypatch.setattr(api_settings, "NUM_PROXIES", int(variables["TRUSTED_PROXIES"]["value"]))
        request = APIRequestFactory().get("/api/", HTTP_X_FORWARDED_FOR=header, REMOTE_ADDR="10.19.64.1")
        assert AnonymousThrottle().get_ident(request) == "203.0.113.7"


class TestTheProcfile:
    def test_it_serves_this_application_as_render_does(self, procfile, service):
        assert isinstance(application_of(procfile["web"]), WSGIHandler)
        assert procfile["web"] == service["startCommand"]

    def test_its_release_does_what_the_build_script_does_to_the_database(self, procfile):
        script = (ROOT / "build.sh").read_text(encoding="utf-8")
        on_the_database = [name for name in MANAGE_COMMAND.findall(script) if name != "collectstatic"]
        assert MANAGE_COMMAND.findall(procfile["release"]) == on_the_database
        assert set(on_the_database) <= set(get_commands())


class TestTheCleanUp:
    def test_every_way_to_deploy_schedules_it(self, procfile, cron):
        unit = (ROOT / "deploy" / "systemd" / "booking-clean-up.service").read_text(encoding="utf-8")
        service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["clean-up"]
        commands = [procfile["clean_up"], cron["startCommand"], unit, " ".join(service["command"])]

        assert [MANAGE_COMMAND.findall(command) for command in commands] == [["clean_up"]] * 4


class TestTheSlugOfHeroku:
    def test_the_builder_installs_from_the_lock(self, tmp_path: Path) -> None:
        (tmp_path / "bin").mkdir()
        for name in ("bin/pre_compile", "requirements.lock", "requirements.txt"):
            shutil.copy2(ROOT / name, tmp_path / name)

        subprocess.run([tmp_path / "bin" / "pre_compile"], cwd="/", check=True)

        assert (tmp_path / "requirements.txt").read_text() == (ROOT / "requirements.lock").read_text()

    def test_the_builder_sees_the_requirements_and_no_pipfile_without_its_lock(self) -> None:
        left_out = (ROOT / ".slugignore").read_text(encoding="utf-8").split()

        assert left_out == ["Pipfile"]
        assert not (ROOT / "Pipfile.lock").exists()
        assert (ROOT / "requirements.txt").exists()


class TestThePlatforms:
    @pytest.mark.parametrize("platform", ["On Render", "On Heroku", "On Railway"])
    def test_the_readme_leads_to_each_one(self, platform: str) -> None:
        assert DEPLOYING.chapter(platform)
        assert f"docs/deploying.md#{platform.lower().replace(' ', '-')}" in README.text

    def test_the_database_is_migrated_before_each_deploy_where_nobody_reads_the_release_of_a_procfile(self) -> None:
        settings, variables = tables(DEPLOYING.chapter("On Railway"))
        (command,) = [words_in_code(value) for name, value in settings if name == "Pre-deploy command"]
        named = {name for cell, _ in variables for name in words_in_code(cell)}

        script = (ROOT / "build.sh").read_text(encoding="utf-8")
        on_the_database = re.findall(r"manage\.py (?!collectstatic)(.+)", script)
        assert re.fullmatch('sh -c "(.+)"', command[0])[1].split(" && ") == [
            f"python manage.py {each}" for each in on_the_database
        ]
        assert named <= set(example_settings())
        assert {"SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS"} <= named

    @pytest.mark.parametrize("platform", ["On Render", "On Heroku", "On Railway", "On any host"])
    def test_each_one_names_the_sender_of_e_mails(self, platform: str) -> None:
        assert "FROM_EMAIL" in DEPLOYING.chapter(platform)

    def test_heroku_is_given_no_app_that_is_not_there(self) -> None:
        (block,) = [each["body"] for each in FENCED.finditer(DEPLOYING.chapter("On Heroku")) if "config:set" in each[0]]
        assert "PUBLIC_URL" in block
        assert "FRONTEND_URL" not in block


@pytest.mark.django_db
class TestTheFirstSuperuser:
    def test_the_env_file_may_name_it(self, tmp_path, monkeypatch, settings, capsys):
        file = tmp_path / ".env"
        file.write_text(
            "DJANGO_SUPERUSER_USERNAME=root\n"
            "DJANGO_SUPERUSER_EMAIL=root@example.org\n"
            "DJANGO_SUPERUSER_PASSWORD=correct-horse-9-battery\n"
        )
        monkeypatch.setattr(environment, "config", Config(RepositoryEnv(str(file))))
        settings.FIRST_SUPERUSER = load_settings(monkeypatch)["FIRST_SUPERUSER"]

        call_command("ensure_superuser")

        assert User.objects.get(is_superuser=True).username == "root"
        assert capsys.readouterr().out == "Superuser root was made.\n"


class TestTheDocuments:
    def test_the_settings_are_those_of_the_example_with_their_defaults(self):
        rows = tables(CONFIGURATION.text)[0]
        told = [(words_in_code(name)[0], default_told(default)) for name, default, _ in rows]

        assert told == list(example_settings().items())

    def test_the_variables_of_gunicorn_are_those_that_its_configuration_reads(self):
        rows = tables(CONFIGURATION.chapter("gunicorn"))[0]
        read = re.findall(r"(?:environ\.get|number)\(\"(\w+)", (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8"))
        # The file of the other settings is above the tables.
        read.remove("BOOKING_ENV_FILE")
        assert [words_in_code(name)[0] for name, *_ in rows] == read

    def test_the_commands_that_they_name_are_there(self):
        named = {name for document in documents() for name in MANAGE_COMMAND.findall(document.text)}
        assert {"seed_demo", "ensure_superuser", "create_user_profiles"} <= named <= set(get_commands())

    def test_the_make_targets_that_they_name_are_there(self):
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
        named = {name for document in documents() for name in re.findall(r"`make ([a-z-]+)", document.text)}
        assert {"run", "test"} <= set(re.findall(r"`make ([a-z-]+)", README.text))
        assert {"run", "test", "test-all"} <= named <= targets

    def test_the_calls_in_their_tables_are_there(self):
        rows = address_rows()
        assert len(rows) > 30
        for methods, path, *_ in rows:
            for method in methods.split(", "):
                assert method.lower() in methods_at(real_path(path)), (method, path)

    def test_every_address_below_api_is_in_their_tables(self):
        told: dict[str, set[str]] = {}
        for methods, path, *_ in address_rows():
            told.setdefault(real_path(path).removeprefix("/"), set()).update(methods.lower().split(", "))
        there = {
            re.sub(r"\(\?P<\w+>\[0-9\]\+\)", "1", path).replace("\\", ""): set(methods.split())
            for path, methods in ROUTES.values()
        }
        assert {path: methods for path, methods in told.items() if path.startswith("api/")} == {
            path: methods for path, methods in there.items() if path.startswith("api/")
        }

    def test_the_codes_in_their_table_are_there(self):
        modules = [path for package in ("core", "booking_system_api") for path in code_in(package)]
        sources = [path.read_text(encoding="utf-8") for path in modules]
        sources += [inspect.getsource(framework_errors), inspect.getsource(jwt_errors)]
        known = set(re.findall(r"""["']([a-z][a-z_]+)["']""", "\n".join(sources)))
        named = [code for row in tables(API.chapter("Errors"))[0] for code in words_in_code(row[0])]

        assert "slot_taken" in named
        assert set(named) <= known
        assert not named_twice(named)

    def test_each_rule_names_a_code_of_the_table_of_errors(self):
        codes = {code for row in tables(API.chapter("Errors"))[0] for code in words_in_code(row[0])}
        named = [code for row in tables(API.chapter("Booking rules"))[0] for code in words_in_code(row[2])]
        assert len(named) == 12
        assert set(named) <= codes

    def test_no_rule_has_a_number(self):
        numbered = re.compile(r"\brules? \d", re.IGNORECASE)
        assert [str(document) for document in documents() if numbered.search(document.text)] == []

    def test_the_readme_is_short_and_leads_to_every_document(self):
        assert len(README.text.encode()) <= 12_000
        there = {str(document) for document in documents()} - {"README.md"}
        assert there <= set(README.links)


def test_the_changelog_begins_with_what_is_not_released_yet_or_with_a_version():
    headings = re.findall(r"^## (.+)$", CHANGELOG.text, re.MULTILINE)
    assert headings
    for heading in headings:
        assert re.fullmatch(r"\[Unreleased\]|\[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2}|Unreleased)", heading), heading


def address_rows() -> list[list[str]]:
    """The rows of the tables of addresses: methods, path, and more."""
    chapters = [document.chapter("Addresses") for document in (API, CALENDARS, POLICIES, REPORTS, SERIES)]
    return [row for chapter in chapters for table in tables(chapter) for row in table]


def real_path(cell: str) -> str:
    """An address that a table names, with an id and a secret in it."""
    return words_in_code(cell)[0].replace("{id}", "1").replace("{resource_id}", "1").replace("<secret>", "s" * 43)


def methods_at(path: str) -> set[str]:
    """The methods, in lower case, that an address answers with more than an error."""
    found = resolve(path)
    if found.url_name == "nothing-here":
        return set()
    view = getattr(found.func, "cls", None)
    if view is None:
        return {"get", "head"}
    actions = getattr(found.func, "actions", None)
    return set(actions) if actions else {name for name in view.http_method_names if hasattr(view, name)}


def code_in(package: str) -> list[Path]:
    """The modules of a package, without its tests."""
    return [path for path in (ROOT / package).rglob("*.py") if "tests" not in path.parts]
