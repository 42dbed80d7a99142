"""A long list walked page by page while others book, cancel and delete; and what its last page costs."""

import base64
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core.api.pagination import Cursor
from core.choices import BookingStatus
from core.models import Booking, Resource
from core.tests.support.clients import client_of
from core.tests.support.factories import at, booking_body, make_resource

OLD = 1_500
LIMIT = 100
HOUR = timedelta(hours=1)


@pytest.fixture
def old(alice: User, bob: User, room: Resource) -> list[int]:
    """Many bookings of alice's and bob's in turn: each three have one start, each five hundred were made at once."""
    rows = [
        Booking(
            user=(alice, bob)[number % 2],
            resource=room,
            start_time=at(0, day=2) + number // 3 * HOUR,
            end_time=at(1, day=2) + number // 3 * HOUR,
            status=BookingStatus.CANCELLED if number % 3 else BookingStatus.CONFIRMED,
        )
        for number in range(OLD)
    ]
    ids = [row.pk for row in Booking.objects.bulk_create(rows, batch_size=500)]
    for first in range(0, OLD, 500):
        made_at = timezone.now() + timedelta(seconds=first - OLD // 2)
        Booking.objects.filter(pk__in=ids[first : first + 500]).update(created_at=made_at)
    return ids


def next_page(answer: Any) -> str:  # noqa: ANN401 - any response
    """The address of the next page; none where this is the last."""
    found = re.search(r'<([^>]+)>; rel="next"', answer.headers["Link"])
    return found[1] if found else ""


# --- While others write -----------------------------------------------------------------------------------------------


class Crowd:
    """Others, each at work in a thread of their own, with a connection of their own."""

    def __init__(self, *works: Callable[[int], object]) -> None:
        self.stopping = threading.Event()
        self.done = [0 for _ in works]
        self.errors: list[Exception] = []
        self.threads = [threading.Thread(target=self.go_on, args=found) for found in enumerate(works)]

    def go_on(self, place: int, work: Callable[[int], object]) -> None:
        """Do it again and again."""
        try:
            while not self.stopping.is_set():
                work(self.done[place])
                self.done[place] += 1
        except Exception as error:  # noqa: BLE001 - the test fails with it
            self.errors.append(error)
        finally:
            connections.close_all()

    def wait(self) -> None:
        """Until each has done something more."""
        before, deadline = list(self.done), time.monotonic() + 20
        while not all(now > then for now, then in zip(self.done, before, strict=True)):
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, self.done
            time.sleep(0.005)


@contextmanager
def at_work(*works: Callable[[int], object]) -> Iterator[Crowd]:
    crowd = Crowd(*works)
    for thread in crowd.threads:
        thread.start()
    try:
        yield crowd
    finally:
        crowd.stopping.set()
        for thread in crowd.threads:
            thread.join(30)
    assert not crowd.errors, crowd.errors


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("reader", "ordering"),
    [("admin", "start_time"), ("admin", "-created_at"), ("alice", "-start_time"), ("alice", "created_at")],
)
def test_each_old_row_is_on_one_page_whatever_others_do_meanwhile(
    old: list[int], alice: User, admin: User, reader: str, ordering: str
) -> None:
    annex, shed = make_resource("Annex"), make_resource("Shed")
    doomed = Booking.objects.bulk_create(
        Booking(user=alice, resource=shed, start_time=start, end_time=start + HOUR, status=BookingStatus.CONFIRMED)
        for start in (at(0, day=2) + number * HOUR for number in range(OLD // 3))
    )
    as_alice, as_admin = client_of(alice), client_of(admin)

    def somewhere(number: int) -> int:
        """A place of the list, another one each time, never close to the one before."""
        return number * 389 % (OLD // 3)

    def book(number: int) -> None:
        answer = as_alice.post("/api/bookings/", booking_body(annex, at(0, day=2) + somewhere(number) * HOUR))
        assert answer.status_code == 201, answer.content

    def cancel(number: int) -> None:
        assert as_admin.delete(f"/api/bookings/{old[3 * somewhere(number)]}/").status_code == 204

    def delete(number: int) -> None:
        Booking.objects.filter(pk=doomed[somewhere(number)].pk).delete()

    client = client_of(User.objects.get(username=reader))
    shown: list[int] = []
    here = f"/api/bookings/?limit={LIMIT}&ordering={ordering}"
    with at_work(book, cancel, delete) as crowd:
        while here:
            answer = client.get(here)
            assert answer.status_code == 200, answer.content
            shown += [row["id"] for row in answer.json()]
            here = next_page(answer)
            crowd.wait()

    expected = old if reader == "admin" else old[::2]
    times = Counter(shown)
    assert [times[pk] for pk in expected] == [1] * len(expected)
    assert set(times.values()) == {1}
    assert Booking.objects.filter(resource=annex).count() == crowd.done[0] >= len(expected) // LIMIT
    assert Booking.objects.filter(pk__in=old, status=BookingStatus.CONFIRMED).count() < OLD // 3
    assert Booking.objects.filter(resource=shed).count() < OLD // 3


# --- The last page ----------------------------------------------------------------------------------------------------


def last_page(client: APIClient, ordering: str) -> str:
    """The address of the last full page, with a cursor made of the row before it."""
    first = client.get("/api/bookings/", {"limit": LIMIT, "ordering": ordering})
    (word,) = re.findall(r"cursor=([^&]+)", next_page(first))
    mark = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))[0]
    whole = client.get("/api/bookings/", {"ordering": ordering}).json()
    before = Booking.objects.get(pk=whole[-LIMIT - 1]["id"])
    cursor = Cursor((getattr(before, ordering.lstrip("-")), before.pk)).encode(mark)
    return f"/api/bookings/?limit={LIMIT}&ordering={ordering}&cursor={cursor}"


def statement_of(client: APIClient, url: str) -> str:
    """What the database is asked for a page of bookings."""
    with CaptureQueriesContext(connection) as statements:
        answer = client.get(url)
    assert (len(answer.json()), next_page(answer)) == (LIMIT, "")
    (found,) = [one["sql"] for one in statements if 'FROM "core_booking"' in one["sql"]]
    return found


def plan_of(statement: str) -> str:
    """How the database goes about it."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.fixture
def large_table(old: list[int]) -> None:
    """PostgreSQL goes about it as with a large table whose statistics it knows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE core_booking, core_resource, auth_user")
            # A table as small as this one it would rather sort.
            cursor.execute("SET LOCAL enable_sort = off")


INDEXES = {
    ("admin", "start_time"): "core_booking_by_start",
    ("alice", "start_time"): "core_booking_by_user",
    ("admin", "created_at"): "core_booking_by_age",
    ("alice", "created_at"): "core_booking_by_user_and_age",
}


@pytest.mark.usefixtures("large_table")
@pytest.mark.parametrize("turned", ["", "-"], ids=["forwards", "backwards"])
@pytest.mark.parametrize(("reader", "field"), list(INDEXES))
def test_the_last_page_begins_its_walk_along_an_index_where_it_begins(
    admin: User, reader: str, field: str, turned: str
) -> None:
    client = client_of(User.objects.get(username=reader))
    statement = statement_of(client, last_page(client, turned + field))
    plan, index = plan_of(statement), INDEXES[reader, field]

    assert "OFFSET" not in statement
    if connection.vendor == "sqlite":
        walk = rf"SEARCH core_booking USING INDEX (\w+) \((?:user_id=\? AND )?{field}[<>]\?\)"
        assert re.findall(walk, plan) == [index], plan
        assert "TEMP B-TREE" not in plan
    else:
        # Half of all rows are alice's, so that the index of all rows may serve her as well as that of her own.
        walk = rf"Index Scan (?:Backward )?using ({index}|{INDEXES['admin', field]}) on core_booking.*\n"
        assert re.search(rf"{walk}\s*Index Cond: .*{field} [<>]= ", plan), plan
        assert "Sort" not in plan
        if field == "start_time":
            # Those that share the start of the row before the page, and perhaps bob's, are read in vain; none before.
            in_vain = sum(map(int, re.findall(r"Rows Removed by Filter: (\d+)", plan)))
            assert in_vain <= (3 if reader == "admin" else LIMIT + 10), plan
