"""The guarantee, looked up by brute force: every booking against every other, without the code under test."""

from itertools import combinations

from django.db import connection

from core.models import Booking


def overlapping_pairs() -> list[tuple[int, int]]:
    """The ids of all pairs of pending or confirmed bookings, or closures, of one resource that share a moment."""
    rows = Booking.taken.order_by("id").values_list("id", "resource_id", "start_time", "end_time", "status")
    holding = [row[:4] for row in rows if row[4] in ("pending", "confirmed")]
    return [
        (one[0], other[0])
        for one, other in combinations(holding, 2)
        if one[1] == other[1] and one[2] < other[3] and other[2] < one[3]
    ]


def everything() -> list[tuple]:
    """All bookings as the database has them, to see that a refusal changed nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, user_id, resource_id, start_time, end_time, status FROM core_booking ORDER BY id")
        return cursor.fetchall()
