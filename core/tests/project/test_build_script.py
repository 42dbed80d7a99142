"""build.sh, what a deploy runs before it starts the server."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.tests.support.environment import ROOT
from core.tests.support.factories import PASSWORD

pytestmark = pytest.mark.processes


@pytest.fixture
def copy(tmp_path):
    """A copy of what git would bring, in a folder with a space in its name.

    What Python has compiled comes, too, and the large scripts of the API's pages do not: both saves seconds.
    """
    folder = tmp_path / "a copy"
    folder.mkdir()
    for name in ("booking_system_api", "core", "staticfiles"):
        kept_out = shutil.ignore_patterns("[!.]*") if name == "staticfiles" else None
        shutil.copytree(ROOT / name, folder / name, ignore=kept_out)
    for name in ("build.sh", "manage.py"):
        shutil.copy2(ROOT / name, folder / name)
    scripts = folder / "drf_spectacular_sidecar"
    (scripts / "static" / scripts.name).mkdir(parents=True)
    (scripts / "__init__.py").touch()
    (scripts / "static" / scripts.name / "bundle.js").write_text("")
    (folder / "bin").mkdir()
    pip = folder / "bin" / "pip"
    pip.write_text('#!/bin/sh\necho "$*" >>"$(dirname "$0")/calls"\n')
    pip.chmod(0o755)
    return folder


def build(folder, **variables):
    """Runs it from another folder, with this interpreter and a pip that notes its calls; `deploy` has the real pip."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        **variables,
    }
    return subprocess.run(
        ["bash", str(folder / "build.sh")],
        cwd=folder.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def rows(folder, query):
    connection = sqlite3.connect(folder / "db.sqlite3")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def write(folder, statement):
    connection = sqlite3.connect(folder / "db.sqlite3")
    try:
        connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def test_it_is_executable_in_git():
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "build.sh"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert listed.stdout.startswith("100755 ")


def test_it_prepares_everything_and_may_run_again(copy):
    chief = {
        "DJANGO_SUPERUSER_USERNAME": "chief",
        "DJANGO_SUPERUSER_EMAIL": "chief@example.org",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }

    # The first deploy: nobody has set the variables of the superuser yet.
    first = build(copy)

    assert first.returncode == 0, first.stderr
    assert (copy / "bin" / "calls").read_text() == "install --require-hashes -r requirements.lock\n"
    named = json.loads((copy / "staticfiles" / "staticfiles.json").read_text())["paths"]
    assert {"admin/css/base.css", "core/page/app.js", "drf_spectacular_sidecar/bundle.js"} <= set(named)
    assert "DJANGO_SUPERUSER_PASSWORD" in first.stdout
    assert "0 profiles were made." in first.stdout
    assert rows(copy, "SELECT count(*) FROM auth_user") == [(0,)]

    # By the second somebody has, and others have come by SQL.
    columns = "username, password, email, first_name, last_name, is_superuser, is_staff, is_active, date_joined"
    write(copy, f"INSERT INTO auth_user ({columns}) VALUES ('bulk', '', '', '', '', 0, 0, 1, '2030-01-01 00:00:00')")
    second = build(copy, **chief)

    assert second.returncode == 0, second.stderr
    assert "No migrations to apply." in second.stdout
    assert "Superuser chief was made." in second.stdout
    assert "1 profiles were made." in second.stdout
    assert PASSWORD not in second.stdout + second.stderr
    users = rows(copy, "SELECT username, is_superuser FROM auth_user ORDER BY username")
    assert users == [("bulk", 0), ("chief", 1)]


def test_it_stops_at_the_first_error(copy):
    done = build(copy, SECRET_KEY="")

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
    assert done.stderr.count("SECRET_KEY is not set") == 1
    assert not (copy / "db.sqlite3").exists()
