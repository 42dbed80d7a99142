"""The commands of docs/deploying.md for PostgreSQL, a backup and its restore, run as they are written."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from core.tests.support.documents import DEPLOYING
from core.tests.support.environment import ROOT
from tools.postgres import INSTALLED, superuser_url, throwaway_postgres

pytestmark = pytest.mark.processes

MADE = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from core.models import Booking, Resource

now = timezone.now()
user, room = User.objects.create_user("alice"), Resource.objects.create(name="Room")
Booking.objects.create(user=user, resource=room, start_time=now, end_time=now + timedelta(hours=1))
"""
OWNER_AND_WEB = ("booking:choose-one", "booking_web:choose-another")
THE_SAME_AGAIN = """
INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status)
SELECT user_id, resource_id, start_time, end_time, status FROM core_booking
"""


def block(language: str, words: str) -> str:
    """The one block of the document that holds these words."""
    (found,) = [body for body in DEPLOYING.blocks(language) if words in body]
    return found


def manage(*arguments: str, address: str) -> str:
    environment = {**os.environ, "DATABASE_URL": address}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def server() -> Iterator[str]:
    """A PostgreSQL whose programs are those of the suite: its address for the superuser."""
    with throwaway_postgres() as url:
        address = superuser_url(url).replace("/booking", "/postgres")
        # The document begins where nothing of the product is there yet.
        run_sql(address, "DROP DATABASE booking", "DROP ROLE booking")
        yield address


@pytest.fixture
def programs() -> str:
    """A PATH on which `pg_dump` and `pg_restore` are as new as the server."""
    site = Path(psycopg2.__file__).parent.parent
    return f"{site / INSTALLED / 'bin'}{os.pathsep}{os.environ['PATH']}"


def run_sql(address: str, *statements: str) -> None:
    with closing(psycopg2.connect(address)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def test_a_dump_of_postgresql_is_restored_with_the_guard(server: str, programs: str, tmp_path: Path) -> None:
    run_sql(server, *block("sql", "CREATE DATABASE").splitlines(), "CREATE DATABASE restored OWNER booking")
    place = server.partition("@")[2].partition("/")[0]
    address, restored = (f"postgres://booking:choose-one@{place}/{name}" for name in ("booking", "restored"))
    manage("migrate", "-v0", address=address)
    manage("shell", "-v0", "-c", MADE, address=address)

    for words in ("pg_dump --", "pg_restore --"):
        done = subprocess.run(
            ["bash", "-eu", "-c", block("sh", words)],
            cwd=tmp_path,
            env={"PATH": programs, "DATABASE_URL": address, "RESTORED_URL": restored},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")

    assert "No migrations to apply." in manage("migrate", address=restored)
    with pytest.raises(psycopg2.errors.ExclusionViolation):
        run_sql(restored, THE_SAME_AGAIN)


SHOW = """
from django.db import connection
with connection.cursor() as cursor:
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute(f"SHOW {name}")
        print(cursor.fetchone()[0])
"""


def test_a_role_for_the_web_books_with_limits_and_the_owner_migrates_without(server: str) -> None:
    roles = block("sql", "CREATE ROLE booking_web").splitlines()
    run_sql(server, *block("sql", "CREATE DATABASE").splitlines(), *roles)
    place = server.partition("@")[2].partition("/")[0]
    owner, web = (f"postgres://{account}@{place}/booking" for account in OWNER_AND_WEB)
    manage("migrate", "-v0", address=owner)

    manage("shell", "-v0", "-c", MADE, address=web)
    assert manage("shell", "-v0", "-c", SHOW, address=web).split() == ["2s", "15s", "30s"]
    assert manage("shell", "-v0", "-c", SHOW, address=owner).split() == ["0", "0", "0"]


def test_a_backup_of_sqlite_is_restored_with_the_guard(tmp_path: Path, migrated: Path) -> None:
    database, backup = tmp_path / "db.sqlite3", tmp_path / "backup.sqlite3"
    shutil.copy(migrated, database)
    with closing(sqlite3.connect(database)) as writer:
        # While somebody reads the file, the newest writes stay in the one beside it.
        assert writer.execute("SELECT count(*) FROM core_booking").fetchone() == (0,)
        manage("shell", "-v0", "-c", MADE, address=f"sqlite:///{database}")
        assert (tmp_path / "db.sqlite3-wal").stat().st_size > 0

        # What the document's `sqlite3 db.sqlite3 ".backup 'backup.sqlite3'"` does.
        assert ".backup 'backup.sqlite3'" in block("sh", "sqlite3 db")
        with closing(sqlite3.connect(backup)) as target:
            writer.backup(target)
    for name in ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    backup.rename(database)

    assert "No migrations to apply." in manage("migrate", address=f"sqlite:///{database}")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM core_booking").fetchone() == (1,)
        with pytest.raises(sqlite3.IntegrityError, match="core_booking_no_overlap"):
            connection.execute(THE_SAME_AGAIN)
