"""A release runs on the database of the next one, so an upgrade has no gap and can be taken back."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import PostgresqlAnalyser, analyse_sql_statements
from rest_framework.test import APIClient

from booking_system_api import readiness
from core.models import Booking, Resource
from core.tests.support.factories import at, booking_body, text

pytestmark = pytest.mark.django_db

# Migrations up to this one came before the rule.
BASELINE = "0027_series"
# Migrations that the linter refuses and that the release before survives, each with the reason.
EXCUSED: dict[str, str] = {}
# A migration without a way back is a fault, too.
NO_WAY_BACK = ("RUNPYTHON_REVERSIBLE", "RUNSQL_REVERSIBLE")


def names_of_migrations() -> list[str]:
    return sorted(name for app, name in MigrationLoader(None).disk_migrations if app == "core")


def refused(names: list[str]) -> list[str]:
    """Those of these migrations that the release before does not survive; the linter prints why."""
    found = []
    for name in names:
        linter = MigrationLinter(include_apps=["core"], warnings_as_errors_tests=NO_WAY_BACK, no_cache=True)
        linter.lint_all_migrations("core", name)
        assert linter.nb_total == 1
        if linter.has_errors:
            found.append(name)
    return found


@pytest.mark.only_on_postgresql
def test_the_release_before_survives_each_new_migration() -> None:
    new = [name for name in names_of_migrations() if name > BASELINE and name not in EXCUSED]
    assert refused(new) == [], "CONTRIBUTING.md tells how to part such a change: add, deploy, use, remove."


def test_the_baseline_and_the_excused_migrations_are_there() -> None:
    assert {BASELINE, *EXCUSED} <= set(names_of_migrations())
    assert all(EXCUSED.values())


@pytest.mark.only_on_postgresql
def test_the_linter_reads_our_migrations() -> None:
    assert refused(["0018_waived_rules", BASELINE, "0002_unique_users_whatever_case"])


OPERATIONS = {
    "add a column that may be null": (
        migrations.AddField("Resource", "floor", models.IntegerField(null=True)),
        set(),
    ),
    "add a column with a default of the database": (
        migrations.AddField("Resource", "floor", models.IntegerField(db_default=0)),
        set(),
    ),
    "add a column with a default of Python alone": (
        migrations.AddField("Resource", "floor", models.IntegerField(default=0)),
        {"NOT_NULL"},
    ),
    "add a table": (
        migrations.CreateModel("Floor", [("id", models.BigAutoField(primary_key=True))]),
        set(),
    ),
    "remove a column": (migrations.RemoveField("Resource", "description"), {"DROP_COLUMN"}),
    "rename a column": (migrations.RenameField("Resource", "description", "words"), {"RENAME_COLUMN"}),
    "rename a table": (migrations.RenameModel("Quota", "Allowance"), {"RENAME_TABLE"}),
    "remove a table": (migrations.DeleteModel("Quota"), {"DROP_TABLE"}),
    "another type": (
        migrations.AlterField("Resource", "description", models.IntegerField()),
        {"ALTER_COLUMN"},
    ),
}


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(("operation", "codes"), OPERATIONS.values(), ids=OPERATIONS)
def test_the_linter_knows_what_the_release_before_survives(operation: Operation, codes: set[str]) -> None:
    before = MigrationLoader(connection).project_state()
    after = before.clone()
    operation.state_forwards("core", after)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards("core", editor, before, after)
    errors, _, _ = analyse_sql_statements(PostgresqlAnalyser, editor.collected_sql)
    assert {issue.code for issue in errors} & {*codes} == codes
    assert bool(errors) == bool(codes), errors


# What a migration of the next release may do while this release still answers.
NEXT_RELEASE = (
    "ALTER TABLE core_booking ADD COLUMN of_the_next_release integer NULL",
    "ALTER TABLE core_resource ADD COLUMN of_the_next_release varchar(20) DEFAULT 'none' NOT NULL",
    "ALTER TABLE core_bookingevent ADD COLUMN of_the_next_release integer DEFAULT 0 NOT NULL",
    "CREATE TABLE core_of_the_next_release (id integer PRIMARY KEY)",
)


def test_this_release_runs_on_the_database_of_the_next_one(
    as_alice: APIClient,
    as_admin: APIClient,
    alice: User,
    room: Resource,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(readiness.readiness, "ends", 0.0)
    with connection.cursor() as cursor:
        for statement in NEXT_RELEASE:
            cursor.execute(statement)
    MigrationRecorder(connection).record_applied("core", "9999_of_the_next_release")

    made = as_alice.post("/api/bookings/", booking_body(room))
    path = f"/api/bookings/{made.json()['id']}/"
    changed = as_alice.patch(path, {"end_time": text(at(12))})
    resource = as_admin.post("/api/resources/", {"name": "Attic"})
    taken = as_admin.post("/api/bookings/", booking_body(room))
    cancelled = as_alice.delete(path)
    ready = as_alice.get("/health/ready/")

    assert [answer.status_code for answer in (made, changed, resource, taken)] == [201, 200, 201, 400]
    assert cancelled.status_code == 204
    assert Booking.objects.get().status == "cancelled"
    assert (ready.status_code, ready.json()["checks"]["migrations"]) == (200, "ok")
    # build.sh of this release finds nothing to do, and takes nothing away.
    call_command("migrate", verbosity=1)
    assert "No migrations to apply." in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("SELECT of_the_next_release FROM core_resource WHERE name = 'Attic'")
        assert cursor.fetchone() == ("none",)
