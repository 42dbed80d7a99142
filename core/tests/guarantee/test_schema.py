"""Later changes of the schema keep the guard: SQLite rebuilds a table for most of them, and drops its triggers."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

from core.constraints import NO_OVERLAP, TIMES_COMPARE, NoOverlap, TimesCompareAsText
from core.models import Resource
from core.tests.support.factories import at

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = "INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status) VALUES (%s, %s, %s, %s, %s)"


@pytest.fixture(autouse=True)
def _schema_as_it_was() -> Iterator[None]:
    """Whatever becomes of a test, the next one finds the schema of the migrations."""
    yield
    call_command("migrate", verbosity=0)
    if connection.vendor == "sqlite":
        assert guards() == {"core_booking_no_overlap_insert", "core_booking_no_overlap_update"}


def guards() -> set[str]:
    """The names of what keeps bookings from overlapping, as the database knows them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'core_booking'")
        else:
            cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'x'")
        return {name for (name,) in cursor.fetchall()}


def insert(user: User, resource: Resource, start: float, end: float, status: str = "confirmed") -> None:
    """A row by SQL: the model may know other columns than the table at the moment."""
    times = [connection.ops.adapt_datetimefield_value(at(hour)) for hour in (start, end)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [user.pk, resource.pk, *times, status])


def update(start: float, end: float, where: float) -> None:
    times = [connection.ops.adapt_datetimefield_value(at(hour)) for hour in (start, end, where)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE core_booking SET start_time = %s, end_time = %s WHERE start_time = %s", times)


def assert_guarded(user: User, resource: Resource) -> None:
    """Both an INSERT and an UPDATE are refused where they overlap, and taken where they do not."""
    insert(user, resource, 10, 11)
    insert(user, resource, 11, 12)
    with pytest.raises(IntegrityError, match=NO_OVERLAP):
        insert(user, resource, 10.5, 11)
    with pytest.raises(IntegrityError, match=NO_OVERLAP):
        update(10.5, 11.5, where=11)
    with pytest.raises(IntegrityError, match="core_booking_end_after_start"):
        insert(user, resource, 15, 15)
    with pytest.raises(IntegrityError, match="core_booking_status_known"):
        insert(user, resource, 15, 16, status="maybe")
    update(12, 13, where=11)
    insert(user, resource, 10.5, 11, status="cancelled")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_booking")
        assert cursor.rowcount == 3


def change_schema(*operations: Operation, undo: bool = False) -> None:
    """Apply the operations as one later migration of the app would, or take them back."""
    before = MigrationExecutor(connection).loader.project_state()
    states = [before]
    for operation in operations:
        states.append(states[-1].clone())
        operation.state_forwards("core", states[-1])
    with connection.schema_editor() as editor:
        steps = list(zip(operations, states, states[1:], strict=False))
        for operation, older, newer in reversed(steps) if undo else steps:
            if undo:
                operation.database_backwards("core", editor, newer, older)
            else:
                operation.database_forwards("core", editor, older, newer)


LATER = {
    "a field that may be null": [migrations.AddField("booking", "colour", models.CharField(max_length=9, null=True))],
    "a field with a default": [
        migrations.AddField("booking", "seats", models.PositiveIntegerField(default=1, db_default=1))
    ],
    "a unique field": [migrations.AddField("booking", "uid", models.UUIDField(null=True, unique=True))],
    "a field altered": [migrations.AlterField("booking", "notes", models.TextField(null=True, default=""))],
    "a field longer": [
        migrations.AlterField(
            "booking", "status", models.CharField(max_length=20, default="pending", db_default="pending")
        )
    ],
    "a field renamed": [migrations.RenameField("booking", "notes", "remarks")],
    "a field removed": [migrations.RemoveField("booking", "notes")],
    "a constraint added": [
        migrations.AddConstraint(
            "booking", models.CheckConstraint(condition=~models.Q(notes="forbidden"), name="core_booking_throwaway")
        )
    ],
    "an index added": [migrations.AddIndex("booking", models.Index(fields=["created_at"], name="core_throwaway"))],
    "an index removed": [migrations.RemoveIndex("booking", "core_booking_blocking_ends")],
    "two rebuilds in one migration": [
        migrations.AddField("booking", "seats", models.PositiveIntegerField(default=1, db_default=1)),
        migrations.AlterField("booking", "notes", models.TextField(null=True, default="")),
    ],
    "the table of resources rebuilt": [
        migrations.AlterField("resource", "description", models.TextField(null=True, default=""))
    ],
    "a column of resources renamed": [migrations.RenameField("resource", "capacity", "seats")],
    "the check of the times made anew": [
        migrations.RemoveConstraint("booking", TIMES_COMPARE),
        migrations.AddConstraint("booking", TimesCompareAsText(name=TIMES_COMPARE)),
    ],
}


@pytest.mark.parametrize("operations", LATER.values(), ids=LATER.keys())
def test_a_later_migration_keeps_the_guard_both_ways(alice: User, room: Resource, operations: list[Operation]) -> None:
    at_first = guards()
    insert(alice, room, 10, 11)
    change_schema(*operations)
    try:
        assert guards() == at_first
        with pytest.raises(IntegrityError, match=NO_OVERLAP):
            insert(alice, room, 10.5, 11.5)
        update(20, 21, where=10)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_booking")
        assert_guarded(alice, room)
    finally:
        change_schema(*operations, undo=True)
    assert guards() == at_first
    assert_guarded(alice, room)


def test_the_rule_can_be_removed_and_added_again(alice: User, room: Resource) -> None:
    at_first = guards()
    removal = migrations.RemoveConstraint("booking", NO_OVERLAP)
    change_schema(removal)
    try:
        assert guards() == set()
        insert(alice, room, 10, 11)
        insert(alice, room, 10, 11)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_booking")
    finally:
        change_schema(removal, undo=True)
    assert guards() == at_first
    assert_guarded(alice, room)


def test_the_app_migrates_back_to_nothing_and_forwards_again() -> None:
    call_command("migrate", "core", "zero", verbosity=0)
    assert not [name for name in connection.introspection.table_names() if name.startswith("core_")]
    assert guards() == set()
    call_command("migrate", "core", verbosity=0)
    assert guards()
    user = User.objects.create_user("alice")
    assert_guarded(user, Resource.objects.create(name="Blue room"))


def test_the_models_have_no_change_that_no_migration_makes() -> None:
    call_command("makemigrations", "core", check=True, dry_run=True, verbosity=0)


def test_the_rule_is_written_into_a_migration_as_it_is_in_the_model() -> None:
    path, arguments, options = NoOverlap(name=NO_OVERLAP, violation_error_code="slot_taken").deconstruct()
    assert path == "core.constraints.NoOverlap"
    assert arguments == ()
    assert options == {"name": NO_OVERLAP, "violation_error_code": "slot_taken"}
