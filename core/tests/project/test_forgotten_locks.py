"""A lock that somebody forgot costs calls on its row a quick 503, however many they are, and others nothing."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from booking_system_api.postgresql import locks
from booking_system_api.postgresql.locks import FORGET_SECONDS, REST_SECONDS, held_rows
from core.lifecycle.transactions import lock_resources
from core.models import Booking, Resource
from core.querysets import locked
from core.tests.support.callers import Caller
from core.tests.support.factories import TODAY, at
from core.tests.support.outages import limited, somebody_holds
from core.tests.support.parallel import in_parallel
from core.tests.support.servers import server

pytestmark = [pytest.mark.processes, pytest.mark.only_on_postgresql, pytest.mark.django_db(transaction=True)]

QUICK = 200  # milliseconds
CALLS = 80


@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    held_rows.clear()
    yield
    held_rows.clear()


# --- A real server ----------------------------------------------------------------------------------------------------


def test_eighty_calls_on_one_locked_row_keep_no_others_waiting(alice: User, room: Resource, lab: Resource) -> None:
    token = Token.objects.create(user=alice).key
    with server(workers=2, GUNICORN_THREADS="4", DB_LOCK_TIMEOUT_SECONDS="2", THROTTLE_USER="") as address:
        caller = Caller(address, token)
        with ThreadPoolExecutor(CALLS) as crowd:
            # Both processes have begun.
            assert {answer[0] for answer in crowd.map(caller.book, [lab] * CALLS)} == {201, 400}
        with somebody_holds(room), ThreadPoolExecutor(CALLS) as crowd:
            begun = time.monotonic()
            answers = [crowd.submit(caller.book, room) for _ in range(CALLS)]
            time.sleep(0.3)
            assert caller.book(lab, start=at(12))[0] == 201
            assert time.monotonic() - begun < 5, "one wait, and not ten of them"
            told = [answer.result() for answer in answers]
            assert Counter((status, body["code"]) for status, body, _ in told) == {(503, "busy"): CALLS}
            assert max(took for _, _, took in told) < 6
            # From now on the row is known to be locked.
            answers = [crowd.submit(caller.book, room) for _ in range(CALLS)]
            status, _, took = caller.book(lab, start=at(14))
            assert status == 201
            assert took < 2
            told = [answer.result() for answer in answers]
            assert {status for status, _, _ in told} == {503}
            assert sorted(took for _, _, took in told)[CALLS // 2] < 1.5
        statuses = [caller.book(room)[0] for _ in range(4)]
        assert statuses == [201, 400, 400, 400], "once the lock is gone, nobody is told that it is there"
    assert Booking.objects.filter(resource=room).count() == 1


# --- What is remembered -----------------------------------------------------------------------------------------------


def wait_of(room: Resource) -> tuple[bool, float]:
    """Whether the row is got, and after how many seconds."""
    begun = time.monotonic()
    try:
        with transaction.atomic():
            lock_resources(room.pk, since=TODAY)
    except OperationalError:
        return False, time.monotonic() - begun
    return True, time.monotonic() - begun


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for what is remembered."""
    passed = [0.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return time.monotonic() + passed[0]

    monkeypatch.setattr(locks, "time", Clock)

    def pass_by(seconds: float) -> None:
        passed[0] += seconds

    return pass_by


def test_after_one_wait_in_vain_the_next_ones_fail_at_once(room: Resource) -> None:
    with limited(lock_timeout=QUICK):
        with somebody_holds(room):
            got, took = wait_of(room)
            assert not got
            assert took >= QUICK / 1000
            for _ in range(5):
                got, took = wait_of(room)
                assert not got
                assert took < QUICK / 2000
        assert wait_of(room)[0]
        with somebody_holds(room):
            assert wait_of(room)[1] >= QUICK / 1000, "who got the row has waited in vain no longer"


def test_it_is_about_that_row_alone(room: Resource, lab: Resource) -> None:
    with limited(lock_timeout=QUICK), somebody_holds(room), somebody_holds(lab):
        wait_of(room)
        assert wait_of(lab)[1] >= QUICK / 1000
        assert wait_of(lab)[1] < QUICK / 2000


def test_now_and_then_one_call_waits(room: Resource, clock: Callable[[float], None]) -> None:
    with limited(lock_timeout=QUICK), somebody_holds(room):
        wait_of(room)
        clock(REST_SECONDS)
        assert wait_of(room)[1] >= QUICK / 1000
        assert wait_of(room)[1] < QUICK / 2000
        clock(REST_SECONDS)
        key = next(iter(held_rows.waits_from))
        assert [held_rows.may_wait(key) for _ in range(3)] == [True, False, False]


def test_what_was_long_ago_is_forgotten(room: Resource, lab: Resource, clock: Callable[[float], None]) -> None:
    with limited(lock_timeout=QUICK), somebody_holds(room), somebody_holds(lab):
        wait_of(room)
        key = next(iter(held_rows.waits_from))
        clock(FORGET_SECONDS)
        assert [held_rows.may_wait(key) for _ in range(3)] == [True, True, True]
        wait_of(room)
        clock(FORGET_SECONDS)
        wait_of(lab)
        assert len(held_rows.waits_from) == 1


def test_a_lock_that_waits_for_nobody_and_another_statement_stay_as_they_are(room: Resource) -> None:
    """Those of the outbox skip locked rows; an update has no NOWAIT."""

    def rename() -> None:
        Resource.objects.filter(pk=room.pk).update(name="Green room")

    def skip() -> list[Resource]:
        with transaction.atomic():
            return list(Resource.objects.filter(pk=room.pk).select_for_update(skip_locked=True, of=("self",)))

    with limited(lock_timeout=QUICK), somebody_holds(room):
        for _ in range(2):
            with pytest.raises(OperationalError, match="lock timeout"):
                rename()
        assert skip() == []
    assert held_rows.waits_from == {}
    assert skip() == [room]


def test_the_statements_are_the_same_until_a_wait_was_in_vain(room: Resource) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as sent, pytest.raises(OperationalError), transaction.atomic():
            locked(Resource.objects.filter(pk=room.pk)).first()
        return [each["sql"] for each in sent if "SELECT" in each["sql"]]

    with limited(lock_timeout=QUICK), somebody_holds(room):
        (first,), (second,) = statements(), statements()
    assert first.endswith(' FOR NO KEY UPDATE OF "core_resource"')
    assert second == f"{first} NOWAIT"


def test_rivals_who_wait_for_each_other_all_get_their_turn(room: Resource) -> None:
    def hold() -> None:
        with limited(lock_timeout=5000), transaction.atomic():
            lock_resources(room.pk, since=TODAY)
            time.sleep(0.04)

    assert in_parallel([hold] * 20) == [None] * 20
    assert held_rows.waits_from == {}
