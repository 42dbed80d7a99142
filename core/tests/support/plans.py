"""How the database goes about a statement."""

from django.db import connection


def plan_of(statement: str) -> str:
    """The plan, a step a line, as for tables of which the database knows what they hold.

    Without ANALYZE a plan on PostgreSQL depends on whether its autovacuum has come by.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        else:
            cursor.execute("ANALYZE auth_user, core_resource, core_booking, core_bookingevent, core_notification")
            cursor.execute("SET LOCAL enable_seqscan = off")  # the tables of a test fit on a page
            cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
