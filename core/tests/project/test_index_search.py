"""`manage.py index_search`: what it makes and removes, and what it says where it cannot."""

import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from core.management.commands.index_search import FIND_INDEX, INDEX, SLOWER
from core.models import Booking, Resource
from core.tests.support.factories import at, make_booking


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("index_search", *arguments, stdout=out)
    return out.getvalue()


def ask(statement: str, *values: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def is_available() -> bool:
    return ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'") == [1]


@pytest.fixture
def bare(transactional_db: None) -> Iterator[None]:
    """A database without the extension, before and after the test."""
    yield
    ask("RESET ROLE")
    ask("DROP EXTENSION IF EXISTS pg_trgm CASCADE")


@pytest.mark.only_on_sqlite
@pytest.mark.parametrize("arguments", [(), ("--remove",)])
def test_sqlite_has_no_such_index(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="Only PostgreSQL has such an index"):
        run(*arguments)


@pytest.mark.only_on_postgresql
@pytest.mark.usefixtures("bare")
def test_the_index_is_made_once_and_can_be_removed() -> None:
    if not is_available():
        with pytest.raises(CommandError, match=f"does not have the extension pg_trgm. {SLOWER}"):
            run()
        assert ask(FIND_INDEX, INDEX) == []
        return
    made = f"The index {INDEX} was made.\n"
    assert run() == f"The extension pg_trgm was created.\n{made}"
    assert ask(FIND_INDEX, INDEX) == [True]
    assert run() == f"The index {INDEX} is there already.\n"
    assert run("--remove") == run("--remove") == f"There is no index {INDEX} any more.\n"
    assert ask(FIND_INDEX, INDEX) == []
    assert run() == made


@pytest.mark.only_on_postgresql
@pytest.mark.usefixtures("bare")
def test_an_index_that_was_left_unfinished_is_made_anew() -> None:
    if not is_available():
        with pytest.raises(CommandError):
            run()
        return
    writer = connection.copy()
    writer.set_autocommit(False)
    with writer.cursor() as cursor:
        cursor.execute("LOCK TABLE core_booking IN ROW EXCLUSIVE MODE")
    # PostgreSQL waits for the writer, and a run that is stopped meanwhile leaves an index that is not valid.
    ask("SET statement_timeout = '300ms'")
    with pytest.raises(OperationalError, match="statement timeout"):
        run()
    ask("RESET statement_timeout")
    writer.rollback()
    writer.close()
    assert ask(FIND_INDEX, INDEX) == [False]
    assert run() == f"The index {INDEX} was made.\n"
    assert ask(FIND_INDEX, INDEX) == [True]


@pytest.mark.only_on_postgresql
@pytest.mark.usefixtures("bare")
def test_a_role_that_may_not_create_the_extension_reads_whom_to_ask() -> None:
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    if ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [True]:
        ask("DROP ROLE IF EXISTS booking_search_test")
        ask("CREATE ROLE booking_search_test")
        before, after = ["SET ROLE booking_search_test"], ["RESET ROLE", "DROP ROLE booking_search_test"]
    else:
        before = [f"REVOKE CREATE ON DATABASE {database} FROM CURRENT_USER"]
        after = [f"GRANT CREATE ON DATABASE {database} TO CURRENT_USER"]
    for statement in before:
        ask(statement)
    try:
        with pytest.raises(CommandError, match=r"Let a superuser run CREATE EXTENSION|does not have the extension"):
            run()
    finally:
        for statement in after:
            ask(statement)
    assert ask(FIND_INDEX, INDEX) == []


@pytest.mark.only_on_postgresql
@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("text", ["projector", "50%", "back\\slash", "under_score", "Café", "'quoted'"])
def test_a_search_finds_the_same_with_and_without_the_index(alice: User, room: Resource, text: str) -> None:
    for hour, notes in enumerate((f"bring the {text.upper()} please", "nothing", "", "500 projekt", "underXscore")):
        make_booking(alice, room, at(hour), notes=notes)
    found = Booking.objects.filter(notes__mentions=text)
    before = list(found)
    assert [booking.start_time for booking in before] == [at(0)]
    if not is_available():
        with pytest.raises(CommandError):
            run()
        return
    run()
    ask("SET enable_seqscan = off")
    ask("SET enable_indexscan = off")
    try:
        assert INDEX in found.order_by().explain()
        assert list(found) == before
    finally:
        ask("RESET enable_seqscan")
        ask("RESET enable_indexscan")


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(("text", "least", "most"), [("planning", 80, 120), ("xyzzy", 0, 20)])
def test_postgresql_knows_how_many_notes_mention_a_text(
    alice: User, room: Resource, text: str, least: int, most: int
) -> None:
    Booking.objects.bulk_create(
        Booking(user=alice, resource=room, start_time=at(hour), end_time=at(hour + 1), notes=notes)
        for hour, notes in enumerate(f"{('Planning', 'Lunch')[number % 2]} {number}" for number in range(200))
    )
    ask("ANALYZE core_booking")
    plan = Booking.objects.filter(notes__mentions=text).order_by().explain()
    (expected,) = re.findall(r"^.*? rows=([0-9]+) ", plan.splitlines()[0])
    assert least <= int(expected) <= most
