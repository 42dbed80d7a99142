"""Fills both databases by SQL: the same users and resources, and several tables of bookings.

Each table of bookings is the only table of a schema, called a *world*. The servers read the schema `world`. Renaming
the schemas switches the table, while both servers keep their processes and connections.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import psycopg2

from benchmarks.servers import BenchmarkError, environment
from tools.bootstrap import ROOT
from tools.postgres import superuser_url, throwaway_postgres

SIDES = ("product", "floor")

STAFF, USER = 1, 2  # user ids; the other users follow
BOOKINGS_EACH = 50
RESOURCES = 1000
# Resources of the world POSTS.
EMPTY, LONG_HISTORY, PACKED, WANTED, ELSEWHERE, MOVED, GIVEN_UP, REPEATED = 1, 2, 3, 4, range(11, 19), 21, 23, 25
HISTORY, PACK, CANCELLATIONS = 100_000, 10_000, 20_000
# Bookings of the world POSTS by id: the first packed one, the one that moves, and the first of those to be cancelled.
READ_ID, MOVED_ID, GIVEN_UP_ID = HISTORY + 1, HISTORY + PACK + 1, HISTORY + PACK + 2
POSTS = "posts"
# In the world FREE, bookings fill every resource without gaps from tomorrow on; only GAPPED has small gaps.
FREE, GAPPED, GAPPED_BOOKINGS = "free", 1, 5000
BACK_TO_BACK = {False: 60, True: 600}  # bookings of each resource; the key: is there a table of a million

PEOPLE = """
INSERT INTO auth_user (id, username, email, password, first_name, last_name, is_staff, is_superuser, is_active,
                       date_joined)
SELECT i, 'user' || i, 'user' || i || '@example.org', '!', 'Kim', 'Example', i = {staff}, false, true, now()
FROM generate_series(1, {users} + 1) i;
INSERT INTO core_userprofile (user_id) SELECT id FROM auth_user;
INSERT INTO authtoken_token (key, created, user_id) SELECT lpad(id::text, 40, 'a'), now(), id FROM auth_user;
INSERT INTO core_resource (id, name, description, capacity, is_available, requires_approval)
SELECT i, 'Room ' || lpad(i::text, 4, '0'), 'On floor ' || i % 7 || ', with a screen and a whiteboard.', 1 + i % 20,
       i % 50 <> 49, i % 2 = 0
FROM generate_series(1, {resources}) i;
"""

# Half of the bookings lie in the past. The next booking starts within an hour on a third of the resources. On the
# others it starts one or two days later, after the window of `availability_status`.
SPREAD = """
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status, notes)
SELECT {user} + i % {users}, 1 + i % {resources}, start_time, start_time + interval '30 minutes',
       (array['confirmed', 'confirmed', 'pending', 'cancelled'])[1 + (i / {resources} + i) % 4], 'Planning round ' || i
FROM generate_series(0, {size} - 1) i, LATERAL (
    SELECT date_trunc('hour', now()) + (i / {resources} - {size} / {resources} / 2) * interval '1 hour'
        + CASE WHEN i / {resources} >= {size} / {resources} / 2 THEN i % 3 * interval '1 day' ELSE interval '0' END
        AS start_time) times;
"""

FOR_POSTS = """
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
SELECT {user}, {long_history}, date_trunc('hour', now()) - i * interval '1 hour',
       date_trunc('hour', now()) - i * interval '1 hour' + interval '30 minutes', 'confirmed'
FROM generate_series(1, {history}) i;
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
SELECT {user}, {packed}, start_time, start_time + interval '30 minutes', 'confirmed'
FROM generate_series(0, {pack} - 1) i, LATERAL (
    SELECT date_trunc('day', now()) + interval '1 day' + i * interval '30 minutes' AS start_time) times;
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
VALUES ({user}, {moved}, now() + interval '300 days', now() + interval '301 days', 'confirmed');
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
SELECT {user}, {given_up}, start_time, start_time + interval '30 minutes', 'confirmed'
FROM generate_series(0, {cancellations} - 1) i, LATERAL (
    SELECT date_trunc('day', now()) + interval '1 day' + i * interval '30 minutes' AS start_time) times;
"""
# Nothing waits for delivery.
NOTHING_WAITS = """
UPDATE core_bookingevent SET handed_at = now() WHERE handed_at IS NULL; DELETE FROM core_notification;
"""

FOR_FREE = """
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
SELECT {user}, 1 + i % {resources}, start_time, start_time + interval '30 minutes',
       (array['confirmed', 'pending'])[1 + i % 3 / 2]
FROM generate_series(0, {resources} * {each} - 1) i, LATERAL (
    SELECT date_trunc('day', now()) + interval '1 day' + i / {resources} * interval '30 minutes' AS start_time) times
WHERE 1 + i % {resources} <> {gapped};
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
SELECT {user}, 1 + i % {resources}, now(), now() + interval '1 hour', 'cancelled'
FROM generate_series(1, {resources} * {each} * 2 / 3) i;
INSERT INTO {world}.core_booking (user_id, resource_id, start_time, end_time, status)
SELECT {user}, {gapped}, start_time, start_time + interval '15 minutes', 'confirmed'
FROM generate_series(0, {gapped_bookings} - 1) i, LATERAL (
    SELECT date_trunc('day', now()) + interval '1 day' + i * interval '1555 seconds' AS start_time) times;
"""

# Each resource gets hours, which differ between resources, a policy or none, and five closed days; all share ten.
TERMS = """
INSERT INTO core_openinghours (resource_id, weekday, opens, closes)
SELECT r.id, day, make_time((7 + r.id % 4)::int, 0, 0), make_time((16 + r.id % 5)::int, 0, 0)
FROM core_resource r, generate_series(1, 6) day;
INSERT INTO core_openingexception (resource_id, first_day, last_day, name, hours)
SELECT r.id, current_date + n * 9, current_date + n * 9, 'Stocktaking', '[]'
FROM core_resource r, generate_series(1, 5) n;
INSERT INTO core_openingexception (first_day, last_day, name, hours)
SELECT current_date + n * 31, current_date + n * 31, 'Holiday', '[]' FROM generate_series(1, 10) n;
INSERT INTO core_resourcepolicy (resource_id, min_minutes, max_minutes, buffer_after_minutes)
SELECT id, 30, 480, 15 FROM core_resource WHERE id % 2 = 0;
UPDATE core_resource SET has_terms = true, buffer_reach_minutes = 15 * (1 - id % 2);
ANALYZE;
"""
NO_TERMS = """
DELETE FROM core_openinghours; DELETE FROM core_openingexception; DELETE FROM core_resourcepolicy;
UPDATE core_resource SET has_terms = false, buffer_reach_minutes = 0; VACUUM ANALYZE core_resource;
"""

# Copies constraints and indexes of the migrated table after the rows are in, which is faster.
NEW_TABLE = (
    "CREATE SCHEMA {world}; CREATE TABLE {world}.core_booking (LIKE core_booking INCLUDING ALL EXCLUDING INDEXES)"
)
RULES = """
SELECT format('ALTER TABLE {world}.core_booking ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = 'public.core_booking'::regclass AND contype IN ('p', 'x', 'f')
UNION ALL SELECT replace(pg_get_indexdef(indexrelid), ' ON public.', ' ON {world}.') FROM pg_index
WHERE indrelid = 'public.core_booking'::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def world_of(size: int) -> str:
    """The name of the world with that many bookings."""
    return f"w{size}"


def token_of(user_id: int) -> str:
    """The API token of a user."""
    return f"{user_id}".rjust(40, "a")


class Database:
    """The temporary PostgreSQL server, with a database for each side."""

    def __init__(self, url: str) -> None:
        server = url.rpartition("/")[0]
        self.urls = {side: f"{server}/{side}" for side in SIDES}
        self.sessions = {side: _session(address) for side, address in self.urls.items()}
        self.superuser = _session(superuser_url(url))
        self.current = dict.fromkeys(SIDES, "")

    def enter(self, side: str, world: str) -> None:
        """Makes a world the current one of a side."""
        if self.current[side] == world:
            return
        with self.sessions[side].cursor() as cursor:
            cursor.execute("BEGIN")
            if self.current[side]:
                cursor.execute(f"ALTER SCHEMA world RENAME TO {self.current[side]}")
            cursor.execute(f"ALTER SCHEMA {world} RENAME TO world")
            cursor.execute("COMMIT")
        self.current[side] = world

    @contextlib.contextmanager
    def terms(self) -> Iterator[None]:
        """Gives the resources of the product opening hours, exceptions and policies."""
        with self.sessions["product"].cursor() as cursor:
            cursor.execute(TERMS)
            yield
            for statement in NO_TERMS.strip().split(";"):
                if statement.strip():
                    cursor.execute(statement)

    def drop_messages(self) -> None:
        """Drops all messages of the product that wait for delivery."""
        with self.sessions["product"].cursor() as cursor:
            cursor.execute(NOTHING_WAITS)

    @contextlib.contextmanager
    def logging_statements(self) -> Iterator[None]:
        self._set("log_statement = 'all'", "log_line_prefix = '%d|'")
        try:
            yield
        finally:
            self._set("log_statement = 'none'")

    def log_size(self) -> int:
        """The size of PostgreSQL's log in bytes."""
        with self.superuser.cursor() as cursor:
            cursor.execute("SELECT size FROM pg_stat_file(current_setting('data_directory') || '/../log')")
            return int(cursor.fetchone()[0])

    def statements_since(self, position: int, side: str) -> list[str]:
        """The statements of a side in the log after a position, without BEGIN, COMMIT and the like."""
        with self.superuser.cursor() as cursor:
            cursor.execute(
                "SELECT pg_read_file(current_setting('data_directory') || '/../log', %s, 10000000)", [position]
            )
            lines = cursor.fetchone()[0].splitlines()
        head = f"{side}|LOG:  statement: "
        statements = [line.removeprefix(head).strip() for line in lines if line.startswith(head)]
        return [sql for sql in statements if not sql.upper().startswith(FRAMES)]

    def _set(self, *changes: str) -> None:
        with self.superuser.cursor() as cursor:
            for change in changes:
                cursor.execute(f"ALTER SYSTEM SET {change}")
            cursor.execute("SELECT pg_reload_conf()")
        time.sleep(0.3)  # sessions load the setting before their next statement


FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")


@contextlib.contextmanager
def filled_database(sizes: list[int]) -> Iterator[Database]:
    """A new server with two equal databases: the worlds of these sizes, POSTS and FREE."""
    with throwaway_postgres() as url:
        server, _, database = url.rpartition("/")
        with contextlib.closing(_session(url)) as session, session.cursor() as cursor:
            cursor.execute("CREATE DATABASE product")
            _migrate(f"{server}/product")
            _fill(f"{server}/product", sizes)
            cursor.execute("CREATE DATABASE floor TEMPLATE product STRATEGY file_copy")
            for side in SIDES:
                cursor.execute(f"ALTER DATABASE {side} SET search_path = world, public")
        yield Database(url)


def _migrate(url: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment(url), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"The migrations failed:\n{done.stderr}")


def _fill(url: str, sizes: list[int]) -> None:
    with contextlib.closing(_session(url)) as session, session.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        users = max(sizes) // BOOKINGS_EACH
        cursor.execute(PEOPLE.format(staff=STAFF, users=users, resources=RESOURCES))
        for size in sizes:
            world, users = world_of(size), size // BOOKINGS_EACH
            _make_world(
                cursor, world, SPREAD.format(world=world, user=USER, users=users, resources=RESOURCES, size=size)
            )
        posts = FOR_POSTS.format(
            world=POSTS,
            user=USER,
            long_history=LONG_HISTORY,
            history=HISTORY,
            packed=PACKED,
            pack=PACK,
            moved=MOVED,
            given_up=GIVEN_UP,
            cancellations=CANCELLATIONS,
        )
        _make_world(cursor, POSTS, posts)
        free = FOR_FREE.format(
            world=FREE,
            user=USER,
            resources=RESOURCES,
            each=BACK_TO_BACK[max(sizes) >= 1_000_000],
            gapped=GAPPED,
            gapped_bookings=GAPPED_BOOKINGS,
        )
        _make_world(cursor, FREE, free)
        cursor.execute("VACUUM ANALYZE")


def _make_world(cursor: Any, world: str, rows: str) -> None:  # noqa: ANN401 - psycopg2 has no types
    cursor.execute(NEW_TABLE.format(world=world))
    cursor.execute(rows)
    cursor.execute(RULES.format(world=world))
    for (rule,) in cursor.fetchall():
        cursor.execute(rule)


def _session(url: str) -> Any:  # noqa: ANN401 - psycopg2 has no types
    session = psycopg2.connect(url)
    session.autocommit = True
    return session
