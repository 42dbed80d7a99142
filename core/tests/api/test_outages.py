"""A database that is busy, that takes no writes or that is away: a 503 with its code, never a 500."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError, connection
from django.db.models.signals import pre_save
from django.test import Client
from rest_framework.test import APIClient

from core.api.errors import Busy, DatabaseReadOnly, DatabaseUnavailable
from core.api.models import IdempotencyKey
from core.api.outages import ERRORS
from core.models import Booking, Resource
from core.outages import OF_POSTGRESQL, Outage, outage_of
from core.record.models import BookingEvent
from core.tests.support.clients import client_of, pages_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, at, booking_body, make_booking
from core.tests.support.outages import limited, read_only, somebody_holds, somebody_rebuilds

pytestmark = pytest.mark.django_db(transaction=True)

BOOKINGS = "/api/bookings/"
LOGIN = "/api/auth/token/login/"
QUICK = 200  # milliseconds


def assert_busy(answer: object) -> None:
    assert_flat_error(answer, 503, code="busy")
    assert answer.headers["Retry-After"] == "2"


# --- A lock that somebody forgot --------------------------------------------------------------------------------------


def test_a_forgotten_lock_on_a_resource_costs_its_bookings_a_quick_503(as_alice: APIClient, room: Resource) -> None:
    with somebody_holds(room), limited(lock_timeout=QUICK):
        begun = time.monotonic()
        answer = as_alice.post(BOOKINGS, booking_body(room))
        took = time.monotonic() - begun
    assert_busy(answer)
    assert QUICK / 1000 <= took < 2
    assert not Booking.objects.exists()
    assert not BookingEvent.objects.exists()


@pytest.mark.only_on_postgresql
def test_it_costs_other_resources_nothing(as_alice: APIClient, alice: User, room: Resource, lab: Resource) -> None:
    mine = make_booking(alice, room, at(14))
    with somebody_holds(room), limited(lock_timeout=QUICK):
        assert as_alice.post(BOOKINGS, booking_body(lab)).status_code == 201
        assert as_alice.get(f"/api/resources/{room.pk}/").status_code == 200
        assert (
            as_alice.get(f"/api/resources/{room.pk}/availability/", {"start": at(0), "end": at(24)}).status_code == 200
        )
        assert as_alice.get(f"{BOOKINGS}{mine.pk}/").status_code == 200
        assert len(as_alice.get(BOOKINGS).json()) == 2


@pytest.mark.only_on_sqlite
def test_on_sqlite_it_is_the_lock_of_all_writers_and_reads_go_on(as_alice: APIClient, lab: Resource) -> None:
    with somebody_holds(lab), limited(lock_timeout=QUICK):
        assert_busy(as_alice.post(LOGIN, {"username": "alice", "password": PASSWORD}))
        assert as_alice.get(f"/api/resources/{lab.pk}/").status_code == 200
        assert as_alice.get(BOOKINGS).json() == []


def test_a_change_meets_the_same_answer(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, at(14))
    with somebody_holds(room), limited(lock_timeout=QUICK):
        assert_busy(as_alice.patch(f"{BOOKINGS}{booking.pk}/", {"notes": "tea", "end_time": at(16)}))
    after = Booking.objects.get()
    assert (after.notes, after.end_time) == ("", at(15))


def test_the_same_key_books_once_the_lock_is_gone(as_alice: APIClient, room: Resource) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "order-7"}
    with somebody_holds(room), limited(lock_timeout=QUICK):
        assert_busy(as_alice.post(BOOKINGS, booking_body(room), **key))
    assert not IdempotencyKey.objects.exists()
    answer = as_alice.post(BOOKINGS, booking_body(room), **key)
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (201, False)
    assert Booking.objects.count() == 1


def test_a_page_of_the_admin_answers_503_in_words(admin_pages: Client, room: Resource) -> None:
    with somebody_holds(room), limited(lock_timeout=QUICK):
        answer = admin_pages.post(f"/admin/core/resource/{room.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert Resource.objects.exists()


# --- Other limits -----------------------------------------------------------------------------------------------------


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_a_statement_that_takes_too_long_is_a_503(anonymous: APIClient, room: Resource, limit: str) -> None:
    with somebody_rebuilds("core_resource"), limited(**{limit: QUICK}):
        assert_busy(anonymous.get("/api/resources/"))
        assert_busy(anonymous.get(f"/api/resources/{room.pk}/"))
    assert anonymous.get("/api/resources/").status_code == 200


@pytest.mark.only_on_postgresql
def test_a_transaction_that_was_idle_for_too_long_is_a_503(as_alice: APIClient, room: Resource) -> None:
    def dawdle(**kwargs: object) -> None:
        time.sleep(3 * QUICK / 1000)

    pre_save.connect(dawdle, sender=Booking, weak=False, dispatch_uid="dawdle")
    try:
        with limited(idle_in_transaction_session_timeout=QUICK):
            answer = as_alice.post(BOOKINGS, booking_body(room))
    finally:
        pre_save.disconnect(sender=Booking, dispatch_uid="dawdle")
    # PostgreSQL gives the reason to some clients only, before it closes the connection.
    body = assert_flat_error(answer, 503)
    assert body["code"] in ("busy", "database_unavailable")
    assert not Booking.objects.exists()
    assert as_alice.post(BOOKINGS, booking_body(room)).status_code == 201


def test_a_session_that_cannot_be_stored_at_the_end_of_a_request_is_a_503(admin: User) -> None:
    """The middleware stores it, after the view."""
    failed: list[str] = []

    def fail(execute: Callable[..., object], sql: str, *args: object) -> object:
        if sql.startswith('UPDATE "django_session"'):
            failed.append(sql)
            raise OperationalError("database is locked")
        return execute(sql, *args)

    browser = Client(HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False)
    with connection.execute_wrapper(fail):
        answer = browser.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert failed
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "sessionid" not in answer.cookies


# --- A database that takes no writes ----------------------------------------------------------------------------------


WRITES = {
    "book": ("post", BOOKINGS, lambda room: booking_body(room)),
    "book with a key": ("post", BOOKINGS, lambda room: booking_body(room)),
    "change": ("patch", "a booking", lambda room: {"end_time": at(16)}),
    "cancel": ("delete", "a booking", lambda room: None),
    "register": (
        "post",
        "/api/auth/users/",
        lambda room: {"username": "eva", "email": "eva@example.org", "password": PASSWORD},
    ),
    "sign in by JSON Web Token": (
        "post",
        "/api/auth/jwt/create/",
        lambda room: {"username": "alice", "password": PASSWORD},
    ),
    "sign out": ("post", "/api/auth/token/logout/", lambda room: None),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_a_503_that_says_so(alice: User, room: Resource, name: str) -> None:
    client, (method, path, body) = client_of(alice), WRITES[name]
    booking = make_booking(alice, room, at(14))
    path = f"{BOOKINGS}{booking.pk}/" if path == "a booking" else path
    more = {"HTTP_IDEMPOTENCY_KEY": "order-7"} if "key" in name else {}
    with read_only():
        answer = getattr(client, method)(path, body(room), **more)
    assert_flat_error(answer, 503, code="database_read_only")
    assert answer.headers["Retry-After"] == "5"
    after = Booking.objects.get()
    assert (after.status, after.end_time) == ("confirmed", at(15))


def test_reads_are_answered(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room, at(14))
    paths = (BOOKINGS, f"{BOOKINGS}{booking.pk}/", "/api/resources/", "/api/auth/users/me/", "/health/ready/")
    with read_only():
        assert [as_alice.get(path).status_code for path in paths] == [200] * len(paths)


def test_a_page_says_so_too(admin: User, room: Resource) -> None:
    browser = Client(HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False)
    signed_in = pages_of(admin)
    with read_only():
        answers = [
            browser.post("/admin/login/", {"username": "admin", "password": PASSWORD}),
            signed_in.post(f"/admin/core/resource/{room.pk}/delete/", {"post": "yes"}),
        ]
        assert signed_in.get("/admin/core/booking/").status_code == 200
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert b"only read" in answer.content


# --- The kinds of errors ----------------------------------------------------------------------------------------------


def error_of(statement: str) -> DatabaseError:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute(statement)
    return caught.value


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(("state", "outage"), OF_POSTGRESQL.items())
def test_postgresql_names_an_outage_by_its_state(db: None, state: str, outage: Outage) -> None:
    error = error_of(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = 'x'; END $$")
    assert outage_of(error) is outage


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 FROM nothing", "SELECT 1 FRM x", "INSERT INTO core_resource (id) VALUES (NULL)"],
    ids=["no table", "no SQL", "a constraint"],
)
def test_a_fault_of_ours_is_no_outage(db: None, statement: str) -> None:
    error = error_of(statement)
    assert isinstance(error, ProgrammingError | IntegrityError | OperationalError)
    assert outage_of(error) is None


def test_what_is_no_error_of_the_database_is_no_outage() -> None:
    assert outage_of(TimeoutError("database is locked")) is None


def test_each_outage_has_its_answer() -> None:
    assert {Outage.AWAY: DatabaseUnavailable, Outage.BUSY: Busy, Outage.READ_ONLY: DatabaseReadOnly} == ERRORS
    assert set(ERRORS) == set(Outage)


# --- The log ----------------------------------------------------------------------------------------------------------


def outage_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "core.api.outages"]


@contextmanager
def database_away() -> Iterator[None]:
    def refuse(*args: object) -> None:
        raise OperationalError("connection to server failed: refused\n\tIs the server running?\n")

    with connection.execute_wrapper(refuse):
        yield


def test_an_outage_has_one_line_a_second_however_many_requests_meet_it(
    anonymous: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    begun = time.monotonic()
    with database_away():
        answers = [anonymous.get("/api/resources/") for _ in range(80)]
    took = time.monotonic() - begun
    assert {answer.status_code for answer in answers} == {503}
    lines = outage_lines(caplog)
    assert 1 <= len(lines) <= 1 + took
    assert lines[0] == (
        "The database is away: OperationalError: connection to server failed: refused Is the server running? "
        f"(request={answers[0].headers['X-Request-ID']})"
    )
    assert "Traceback" not in caplog.text


def test_it_has_another_line_after_a_second(anonymous: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    with database_away():
        anonymous.get("/api/resources/")
        time.sleep(1.1)
        anonymous.get("/api/resources/")
    assert len(outage_lines(caplog)) == 2


def test_another_outage_has_a_line_of_its_own(
    anonymous: APIClient, as_alice: APIClient, room: Resource, caplog: pytest.LogCaptureFixture
) -> None:
    with database_away():
        anonymous.get("/api/resources/")
    with read_only():
        as_alice.post(BOOKINGS, booking_body(room))
    first, second = outage_lines(caplog)
    assert first.startswith("The database is away: ")
    assert second.startswith("The database is read-only: ")
    assert "Traceback" not in caplog.text
