"""The floor: a minimal Django server with the same answers, as fast as this stack allows.

The floor has no REST framework, no ORM and no middleware. It looks up the token, runs raw SQL through psycopg2 on
Django's kept connection, and serializes with orjson. A POST needs the lock, the check and the insert in one
transaction, as in the product. `python -m benchmarks.floor check` is the floor of `manage.py check`.
"""

import os
import sys
from datetime import datetime, timedelta
from typing import Any

import dj_database_url
import orjson
from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

if not settings.configured:
    settings.configure(
        SECRET_KEY="the floor signs nothing",
        ROOT_URLCONF="benchmarks.floor",
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": dj_database_url.parse(os.environ["DATABASE_URL"], conn_max_age=60)},
    )

USER = """
SELECT u.id, u.username, u.is_staff FROM authtoken_token t JOIN auth_user u ON u.id = t.user_id
WHERE t.key = %s AND u.is_active
"""
BOOKINGS = """
SELECT b.id, b.user_id AS user, u.username, b.resource_id AS resource, r.name AS resource_name,
       b.start_time, b.end_time, b.status, b.notes, b.created_at, b.updated_at
FROM core_booking b JOIN auth_user u ON u.id = b.user_id JOIN core_resource r ON r.id = b.resource_id
"""
# Blocking bookings of a resource never overlap, so of those that end after the window, only the first can overlap it.
RESOURCES = """
SELECT r.id, r.name, r.description, r.capacity, r.is_available, r.requires_approval,
       CASE WHEN NOT r.is_available OR taken.status = 'confirmed' THEN 'unavailable'
            WHEN taken.status = 'pending' THEN 'pending' ELSE 'available' END AS availability_status
FROM core_resource r CROSS JOIN LATERAL (
    SELECT min(status) AS status FROM (
        SELECT status FROM core_booking WHERE resource_id = r.id AND status IN ('pending', 'confirmed')
            AND end_time > %(start)s AND end_time <= %(end)s
        UNION ALL SELECT status FROM (
            SELECT status, start_time FROM core_booking WHERE resource_id = r.id
                AND status IN ('pending', 'confirmed') AND end_time > %(end)s ORDER BY end_time LIMIT 1) next
        WHERE start_time < %(end)s) found) taken
{where} ORDER BY r.name, r.id
"""
LOCK = "SELECT id, name, is_available, requires_approval FROM core_resource WHERE id = %s FOR NO KEY UPDATE"
CLASHES = """
SELECT start_time, end_time FROM core_booking
WHERE resource_id = %s AND status IN ('pending', 'confirmed') AND end_time > %s ORDER BY end_time LIMIT 3
"""
GAP = """
SELECT end_time FROM (
    SELECT end_time, lead(start_time) OVER (ORDER BY end_time) AS next_start FROM core_booking
    WHERE resource_id = %s AND status IN ('pending', 'confirmed') AND end_time > %s) gaps
WHERE next_start IS NULL OR next_start >= end_time + %s ORDER BY end_time LIMIT 1
"""
IN_WINDOW = """
SELECT resource_id, start_time, end_time, status, id, user_id FROM core_booking
WHERE status IN ('pending', 'confirmed') AND end_time > %s AND start_time < %s
"""
UPDATE = """
UPDATE core_booking SET start_time = %s, end_time = %s, calendar_sequence = calendar_sequence + 1, updated_at = %s
WHERE id = %s
"""
CANCEL = """
UPDATE core_booking SET status = 'cancelled', calendar_sequence = calendar_sequence + 1, updated_at = %s
WHERE id = %s
"""
LOCK_BOOKING = "SELECT status, end_time FROM core_booking WHERE id = %s AND user_id = %s FOR NO KEY UPDATE"
INSERT = """
INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status, notes, created_at, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""


def rows(sql: str, values: Any = ()) -> list[dict[str, Any]]:  # noqa: ANN401 - a sequence or a mapping
    """The rows of a statement, as dicts."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def answer(data: object, status: int = 200) -> HttpResponse:
    """A JSON response."""
    body = orjson.dumps(data, option=orjson.OPT_UTC_Z)
    headers = {"Content-Length": str(len(body))}
    return HttpResponse(body, status=status, content_type="application/json", headers=headers)


def health(request: HttpRequest) -> HttpResponse:
    """Answers the health probe."""
    return answer({"status": "ok"})


def resources(request: HttpRequest) -> HttpResponse:
    """Resources, all or the first ones by name, with their availability in the next two hours."""
    now = timezone.now()
    window = {"start": now, "end": now + timedelta(minutes=120), "limit": request.GET.get("limit")}
    return answer(rows(f"{RESOURCES.format(where='')} LIMIT %(limit)s", window))


def resource(request: HttpRequest, resource_id: int) -> HttpResponse:
    """One resource, with its availability in the next two hours."""
    now = timezone.now()
    window = {"start": now, "end": now + timedelta(minutes=120), "id": resource_id}
    [found] = rows(RESOURCES.format(where="WHERE r.id = %(id)s"), window)
    return answer(found)


def free(request: HttpRequest, resource_id: int | None = None) -> HttpResponse:
    """Reads the bookings in the window, of one or all resources; every answer about free time needs these rows."""
    window = [datetime.fromisoformat(request.GET[name]) for name in ("start", "end")]
    with connection.cursor() as cursor:
        if resource_id is None:
            cursor.execute(IN_WINDOW, window)
        else:
            cursor.execute(f"{IN_WINDOW} AND resource_id = %s ORDER BY end_time", [*window, resource_id])
        return answer({"bookings": len(cursor.fetchall())})


def day(request: HttpRequest) -> HttpResponse:
    """The first resources by name with their bookings in the window, in two statements."""
    start, end = (datetime.fromisoformat(request.GET[name]) for name in ("start", "end"))
    found = rows("SELECT id, name FROM core_resource ORDER BY name, id LIMIT %s", [int(request.GET["limit"])])
    by_id: dict[int, dict[str, Any]] = {
        each["id"]: {"resource": each["id"], "resource_name": each["name"], "busy": []} for each in found
    }
    sql = f"{IN_WINDOW} AND resource_id = ANY(%s) ORDER BY resource_id, end_time"
    for row in rows(sql, [start, end, list(by_id)]):
        by_id[row.pop("resource_id")]["busy"].append(row)
    return answer(list(by_id.values()))


def caller(request: HttpRequest) -> dict[str, Any]:
    """The user of the token."""
    [user] = rows(USER, [request.headers["Authorization"].removeprefix("Token ")])
    return user


def booking(request: HttpRequest, booking_id: int) -> HttpResponse:
    """Reads, moves or cancels a booking of the caller."""
    user = caller(request)
    if request.method == "GET":
        [found] = rows(f"{BOOKINGS} WHERE b.id = %s AND b.user_id = %s", [booking_id, user["id"]])
        return answer(found)
    if request.method == "PATCH":
        return move(user, booking_id, orjson.loads(request.body))
    return cancel(user, booking_id)


@transaction.atomic
def cancel(user: dict[str, Any], booking_id: int) -> HttpResponse:
    """Locks the booking and cancels it, unless it has ended."""
    [found] = rows(LOCK_BOOKING, [booking_id, user["id"]])
    now = timezone.now()
    if found["end_time"] <= now:
        return answer({"code": "booking_ended"}, 403)
    with connection.cursor() as cursor:
        cursor.execute(CANCEL, [now, booking_id])
    return HttpResponse(status=204)


@transaction.atomic
def move(user: dict[str, Any], booking_id: int, body: dict[str, Any]) -> HttpResponse:
    """Locks the booking and its resource, checks the slot and writes the times."""
    start, end = datetime.fromisoformat(body["start_time"]), datetime.fromisoformat(body["end_time"])
    [found] = rows(f"{BOOKINGS} WHERE b.id = %s AND b.user_id = %s FOR NO KEY UPDATE OF b", [booking_id, user["id"]])
    rows(LOCK, [found["resource"]])
    taken = [slot for slot in rows(CLASHES, [found["resource"], start]) if slot["start_time"] < end]
    if taken:
        return answer({"code": "slot_taken", "conflicts": taken}, 400)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(UPDATE, [start, end, now, booking_id])
    return answer({**found, "start_time": start, "end_time": end, "updated_at": now})


def bookings(request: HttpRequest) -> HttpResponse:
    """Lists bookings, or creates one."""
    user = caller(request)
    if request.method == "POST":
        return book(user, orjson.loads(request.body))
    if user["is_staff"]:
        return answer(rows(f"{BOOKINGS} ORDER BY b.start_time, b.id"))
    return answer(rows(f"{BOOKINGS} WHERE b.user_id = %s ORDER BY b.start_time, b.id", [user["id"]]))


@transaction.atomic
def book(user: dict[str, Any], body: dict[str, Any]) -> HttpResponse:
    """Locks the resource, checks the slot and inserts the booking."""
    start, end = datetime.fromisoformat(body["start_time"]), datetime.fromisoformat(body["end_time"])
    now = timezone.now()
    if not now + timedelta(minutes=30) <= start < end <= now + timedelta(days=1826):
        return answer({"code": "invalid"}, 400)
    [resource] = rows(LOCK, [body["resource"]])
    taken = [slot for slot in rows(CLASHES, [resource["id"], start]) if slot["start_time"] < end]
    if taken or not resource["is_available"]:
        gaps = rows(GAP, [resource["id"], start, end - start])
        suggestion = [{"start_time": gap["end_time"], "end_time": gap["end_time"] + (end - start)} for gap in gaps]
        return answer({"code": "slot_taken", "conflicts": taken, "suggestion": suggestion[0]}, 400)
    status = "pending" if resource["requires_approval"] else "confirmed"
    notes = body.get("notes", "")
    [stored] = rows(INSERT, [user["id"], resource["id"], start, end, status, notes, now, now])
    names = {"user": user["id"], "username": user["username"], "resource": resource["id"]}
    values = {"resource_name": resource["name"], "start_time": start, "end_time": end, "status": status, "notes": notes}
    return answer({"id": stored["id"], **names, **values, "created_at": now, "updated_at": now}, 201)


urlpatterns = [
    path("health/", health),
    path("api/resources/", resources),
    path("api/resources/availability/", day),
    path("api/resources/<int:resource_id>/", resource),
    path("api/resources/<int:resource_id>/availability/", free),
    path("api/resources/<int:resource_id>/slots/", free),
    path("api/availability/", free),
    path("api/bookings/", bookings),
    path("api/bookings/<int:booking_id>/", booking),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
else:
    application = get_wsgi_application()
