"""The record is append-only: the database itself refuses whatever would rewrite it, also by SQL."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import errors, lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.record.facts import facts_of
from core.record.models import BookingEvent
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_resource, make_user
from core.tests.support.flush import empty_tables
from core.tests.support.records import TABLE, recorded, without_triggers

MESSAGE = "core_bookingevent_append_only"


def run(sql: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def refused(sql: str, *values: object) -> None:
    before = stored()
    with pytest.raises(IntegrityError, match=MESSAGE):
        run(sql, *values)
    assert stored() == before


def stored() -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE} ORDER BY id")
        return cursor.fetchall()


@pytest.fixture
def booking(alice: User, admin: User, room: Resource) -> Booking:
    """A booking with one row on record: staff cancelled it."""
    booking = make_booking(alice, room, notes="Alice's words")
    lifecycle.change(booking, changes=Changes(status="cancelled"), act=act(admin, reason="The room is flooded."))
    return booking


UPDATES = {
    "at": "'2020-01-01 00:00:00'",
    "kind": "'booking.created'",
    "booking_id": "booking_id + 1000",
    "resource_id": "resource_id + 1000",
    "series_id": "1000",
    "series_act_id": "1000",
    "part": "'owner'",
    "channel": "'job'",
    "request_id": "'another'",
    "version": "2",
    "facts": "'{}'",
    "waived": "'grid'",
    "id": "id + 1000",
    "for_staff": "NOT for_staff",
    "owner_id": "owner_id + 1000",
    "actor_id": "actor_id + 1000",
    "reason": "'Another one'",
    "actor_words": """'{"username": "bob"}'""",
    "owner_words": """'{"user": {}}'""",
}


def test_every_column_is_tried() -> None:
    columns = {field.column for field in BookingEvent._meta.concrete_fields}
    assert set(UPDATES) == columns - {"handed_at"}


@pytest.mark.parametrize(
    ("column", "value"), [("reason", "{}"), ("actor_words", "null"), ("owner_words", '""'), ("owner_words", "[]")]
)
def test_words_are_blanked_with_their_own_blank_value_alone(booking: Booking, column: str, value: str) -> None:
    refused(f"UPDATE {TABLE} SET {column} = %s", value)


@pytest.mark.parametrize("column", UPDATES)
def test_no_column_is_rewritten(booking: Booking, column: str) -> None:
    refused(f"UPDATE {TABLE} SET {column} = {UPDATES[column]}")


def test_no_act_is_given_to_somebody_else(booking: Booking, bob: User) -> None:
    refused(f"UPDATE {TABLE} SET actor_id = %s", bob.pk)
    refused(f"UPDATE {TABLE} SET owner_id = %s", bob.pk)


def test_a_row_is_handed_on_once(booking: Booking) -> None:
    run(f"UPDATE {TABLE} SET handed_at = '2030-01-01 00:00:00'")
    refused(f"UPDATE {TABLE} SET handed_at = '2030-01-01 00:00:01'")
    refused(f"UPDATE {TABLE} SET handed_at = NULL")


def test_personal_words_are_blanked_and_never_come_back(booking: Booking, admin: User) -> None:
    (before,) = recorded()
    run(f"UPDATE {TABLE} SET owner_id = NULL, actor_id = NULL, reason = '', owner_words = '{{}}', actor_words = '{{}}'")
    (after,) = recorded()
    assert (after.owner, after.actor, after.reason, after.owner_words, after.actor_words) == (None, None, "", {}, {})
    assert (after.facts, after.kind, after.part) == (before.facts, before.kind, before.part)
    refused(f"UPDATE {TABLE} SET reason = %s", before.reason)
    refused(f"UPDATE {TABLE} SET actor_id = %s", admin.pk)


def test_a_young_row_is_not_deleted(booking: Booking) -> None:
    refused(f"DELETE FROM {TABLE}")
    with pytest.raises(IntegrityError, match=MESSAGE), transaction.atomic():
        BookingEvent.objects.all().delete()


@pytest.mark.parametrize(("age", "is_deleted"), [(29.99, False), (30.01, True)], ids=["29 days", "30 days"])
def test_an_old_row_may_be_deleted(booking: Booking, age: float, is_deleted: bool) -> None:
    (row,) = recorded()
    row.pk, row.at = None, timezone.now() - timedelta(days=age)
    row.save(force_insert=True)
    statement = f"DELETE FROM {TABLE} WHERE id = {row.pk}"
    if is_deleted:
        run(statement)
        assert len(stored()) == 1
    else:
        refused(statement)


@pytest.mark.only_on_sqlite
def test_a_row_is_not_replaced_on_sqlite(booking: Booking) -> None:
    refused(f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE}")
    refused(f"UPDATE OR REPLACE {TABLE} SET id = id + 1")


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", [f"TRUNCATE {TABLE}", f"TRUNCATE {TABLE} CASCADE", "TRUNCATE auth_user CASCADE"])
def test_the_table_is_not_emptied_on_postgresql(booking: Booking, statement: str) -> None:
    refused(statement)


@pytest.mark.only_on_postgresql
def test_a_row_is_not_replaced_on_postgresql(booking: Booking) -> None:
    refused(
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} ON CONFLICT (id) DO UPDATE SET kind = 'booking.created'",
    )


@pytest.mark.django_db(transaction=True)
def test_the_triggers_are_back_after_the_flush_of_a_test(booking: Booking) -> None:
    empty_tables()
    assert stored() == []
    bob = make_user("bob")
    lifecycle.book(user=bob, resource_id=make_resource().pk, start_time=at(10), end_time=at(11), act=act(bob))
    assert len(stored()) == 1
    refused(f"UPDATE {TABLE} SET kind = 'booking.cancelled'")
    refused(f"DELETE FROM {TABLE}")
    assert len(without_triggers([])) > 1


@pytest.mark.django_db(transaction=True)
def test_manage_py_flush_is_refused(booking: Booking) -> None:
    with pytest.raises(Exception, match="flush"):
        call_command("flush", interactive=False)
    assert len(stored()) == 1


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_constraint_goes_and_comes_back(booking: Booking) -> None:
    constraint = BookingEvent._meta.constraints[0]
    with connection.schema_editor() as editor:
        editor.remove_constraint(BookingEvent, constraint)
    try:
        run(f"UPDATE {TABLE} SET request_id = 'rewritten'")
    finally:
        with connection.schema_editor() as editor:
            editor.add_constraint(BookingEvent, constraint)
    refused(f"UPDATE {TABLE} SET request_id = 'again'")


@pytest.mark.only_on_sqlite
def test_the_trigger_knows_every_column_on_sqlite(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [f"{MESSAGE}_update"])
        ((trigger,),) = cursor.fetchall()
    columns = [field.column for field in BookingEvent._meta.concrete_fields]
    assert [column for column in columns if f"NEW.{column} IS OLD.{column}" not in trigger] == []


# --- Deleted accounts -------------------------------------------------------------------------------------------------


def test_the_account_of_the_actor_goes_and_the_row_stays_without_the_name(booking: Booking, admin: User) -> None:
    admin.delete()
    (row,) = recorded()
    assert (row.kind, row.part, row.actor, row.actor_words, row.reason) == ("booking.cancelled", "staff", None, {}, "")
    facts = facts_of(row)
    assert (facts["by"]["username"], facts["after"]["user"]["username"]) == ("", "alice")


def test_the_account_of_the_owner_goes_with_name_address_and_notes(booking: Booking, alice: User) -> None:
    alice.delete()
    assert not Booking.objects.exists()
    (row,) = recorded()
    assert (row.owner, row.owner_words, row.actor_words["username"]) == (None, {}, "admin")
    text = str(stored())
    assert not any(word in text for word in ("alice", "Alice", "flooded"))
    assert facts_of(row)["after"]["booking"]["status"] == "cancelled"


def test_an_act_of_the_owner_is_blanked_whole_and_written_once(booking: Booking, alice: User, room: Resource) -> None:
    lifecycle.book(user=alice, resource_id=room.pk, start_time=at(15), end_time=at(16), act=act(alice))
    own = recorded()[-1]
    with CaptureQueriesContext(connection) as captured:
        alice.delete()
    own.refresh_from_db()
    assert (own.owner, own.owner_words, own.actor, own.actor_words, own.reason) == (None, {}, None, {}, "")
    writes = [query["sql"] for query in captured if query["sql"].startswith('UPDATE "core_bookingevent"')]
    assert '"owner_words"' in writes[0]
    assert '"actor_words"' in writes[0]


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_act_at_the_moment_of_the_deletion_waits_and_fails(booking: Booking, alice: User, room: Resource) -> None:
    """Between the blanking and the deletion nobody puts words of the account on record."""
    outcomes: list[object] = []
    threads: list[threading.Thread] = []

    def book() -> None:
        try:
            lifecycle.book(user=alice, resource_id=room.pk, start_time=at(15), end_time=at(16), act=act(alice))
        except errors.BookingError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    def rival(sender: type, instance: User, **kwargs: object) -> None:
        threads.append(threading.Thread(target=book))
        threads[0].start()
        threads[0].join(0.5)
        assert threads[0].is_alive(), "the act waits for the deletion"

    pre_delete.connect(rival, sender=User)
    try:
        User.objects.get(pk=alice.pk).delete()
    finally:
        pre_delete.disconnect(rival, sender=User)
        threads[0].join(20)
    assert outcomes == ["user_missing"]
    assert "alice" not in str(stored())


def test_the_row_of_a_booking_goes_and_its_record_stays(booking: Booking, admin: User) -> None:
    lifecycle.remove(booking, act=act(admin))
    assert [row.kind for row in recorded()] == ["booking.cancelled", "booking.removed"]
