"""A kept connection to PostgreSQL is looked at before each request, and asked only when there is a reason."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, connection, connections

from booking_system_api.postgresql import base

pytestmark = [pytest.mark.only_on_postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def kept() -> Iterator[Any]:
    """A connection that was just used, as a request finds it."""
    copy = connections.create_connection("default")
    copy.settings_dict = {**connection.settings_dict, "CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 60}
    with copy.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert copy.is_usable()
    yield copy
    copy.close()


def next_request(kept: Any) -> list[str]:
    """What a further request on the connection sends, with a statement of its own."""
    sent = []

    def watch(execute: Any, sql: str, *args: Any) -> Any:
        sent.append(sql)
        return execute(sql, *args)

    kept.close_if_unusable_or_obsolete()
    kept.health_check_enabled, kept.health_check_done = True, False
    before = kept.connection
    with kept.execute_wrapper(watch), kept.cursor() as cursor:
        cursor.execute("SELECT 2")
    return ["another connection"] * (kept.connection is not before) + sent


def asked(kept: Any, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """The answers of each `SELECT 1` from now on."""
    answers: list[bool] = []

    def ask(wrapper: Any) -> bool:
        answers.append(ORIGINAL(wrapper))
        return answers[-1]

    monkeypatch.setattr(base.base.DatabaseWrapper, "is_usable", ask)
    return answers


ORIGINAL = base.base.DatabaseWrapper.is_usable


def test_a_connection_that_was_just_used_is_not_asked(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = asked(kept, monkeypatch)
    assert next_request(kept) == ["SELECT 2"]
    assert answers == []


def test_a_connection_that_the_server_ended_is_replaced(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = asked(kept, monkeypatch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [kept.connection.info.backend_pid])
    assert next_request(kept) == ["another connection", "SELECT 2"]
    assert answers == [False]


def test_a_connection_that_was_idle_is_asked(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = asked(kept, monkeypatch)
    kept.used_at -= base.FRESH_SECONDS
    assert next_request(kept) == ["SELECT 2"]
    assert answers == [True]
    assert next_request(kept) == ["SELECT 2"]
    assert answers == [True]


def test_a_connection_whose_transaction_failed_is_not_usable(kept: Any) -> None:
    kept.set_autocommit(False)
    with kept.cursor() as cursor, pytest.raises(DataError):
        cursor.execute("SELECT 'x'::int")
    assert not kept.is_usable()
    kept.rollback()
