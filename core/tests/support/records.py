"""The record in tests."""

from django.db import connection

from core.record.models import BookingEvent

TABLE = BookingEvent._meta.db_table


def recorded() -> list[BookingEvent]:
    """All rows of the record, oldest first."""
    return list(BookingEvent.objects.select_related("owner", "actor").order_by("pk"))


def told() -> list[tuple[str, int, str]]:
    """The kind, the booking and the name of the actor of each row."""
    return [(row.kind, row.booking_id, row.actor.username if row.actor else "") for row in recorded()]


def without_triggers(statements: list[str]) -> list[str]:
    """The statements of a flush, between others that take the triggers of the record off and put them back."""
    if connection.vendor == "postgresql":
        switch = f"ALTER TABLE {TABLE} {{}} TRIGGER USER"
        return [switch.format("DISABLE"), *statements, switch.format("ENABLE")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
        triggers = cursor.fetchall()
    return [*(f"DROP TRIGGER {name}" for name, _ in triggers), *statements, *(sql for _, sql in triggers)]
