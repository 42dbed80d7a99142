"""Whether the database still holds the guard against double bookings; a restore or a hand may have left it out."""

from django.db.backends.base.base import BaseDatabaseWrapper

from core.constraints.names import NO_OVERLAP

TABLE = "core_booking"
# The exclusion constraint, with an index that is complete; or both triggers.
FIND = {
    "postgresql": (
        "SELECT count(*) = 1 FROM pg_constraint JOIN pg_index ON indexrelid = conindid "
        "WHERE conname = %s AND conrelid = to_regclass(%s) AND contype = 'x' AND indisvalid",
        [NO_OVERLAP, TABLE],
    ),
    "sqlite": (
        "SELECT count(*) = 2 FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s) AND tbl_name = %s",
        [f"{NO_OVERLAP}_insert", f"{NO_OVERLAP}_update", TABLE],
    ),
}


def has_guard(connection: BaseDatabaseWrapper) -> bool:
    """True if the database refuses two bookings for one slot; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(*FIND[connection.vendor])
        return bool(cursor.fetchone()[0])


def guard_problem(connection: BaseDatabaseWrapper) -> str:
    """The sentence about a missing guard; empty if nothing is wrong, or before `migrate` has made the table."""
    if has_guard(connection) or TABLE not in connection.introspection.table_names():
        return ""
    return f"The database does not refuse two bookings for one slot: {NO_OVERLAP} of the table {TABLE} is missing."
