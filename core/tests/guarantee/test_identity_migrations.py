"""`manage.py migrate` over users as they were before names and addresses had one form, and over a locale of ASCII."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from core.checks import database_folds_case
from core.constraints import EMAIL_UNIQUE, USERNAME_UNIQUE
from core.models import Notification, NotificationPreferences
from core.tests.support.environment import ROOT
from core.tests.support.servers import database_url

pytestmark = pytest.mark.django_db(transaction=True)

LETTERS = "user@bücher.example"
ASCII = "user@xn--bcher-kva.example"


@contextmanager
def migrated_back(name: str) -> Iterator[None]:
    """The schema as it was after a migration; afterwards that of today, without users."""
    call_command("migrate", "core", name, verbosity=0)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table in ("core_notification", "core_notificationpreferences", "core_userprofile", "auth_user"):
                if table in connection.introspection.table_names(cursor):
                    cursor.execute(f"DELETE FROM {table}")
        call_command("migrate", verbosity=0)


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        return {USERNAME_UNIQUE, EMAIL_UNIQUE} & set(connection.introspection.get_constraints(cursor, "auth_user"))


# --- Users that differ by case ----------------------------------------------------------------------------------------


DIFFERENT_BY_CASE = {
    "username": ["alice", "ALICE", "bob", "Bob", "carol"],
    "email": ["a@example.org", "A@example.org", "b@example.org", "B@example.org", ""],
}


def test_users_that_differ_by_case_are_named_until_they_do_not() -> None:
    """The way back takes seconds, so names and addresses take it together."""
    with migrated_back("0001"):
        User.objects.bulk_create([User(username="zoe", email="")])
        for column, values in DIFFERENT_BY_CASE.items():
            users = [{"username": f"user{number}", column: value} for number, value in enumerate(values)]
            User.objects.bulk_create(User(**user) for user in users)
            count = User.objects.count()

            for left in ((0, 1, 2, 3), (2, 3)):
                with pytest.raises(CommandError, match="differ by case alone") as caught:
                    call_command("migrate", verbosity=0)
                assert all((f"{values[number]} (id" in str(caught.value)) == (number in left) for number in range(4))
                assert (indexes(), User.objects.count()) == (set(), count)
                # As the sentence says.
                (statement,) = [part for part in str(caught.value).split(";") if "UPDATE" in part]
                with connection.cursor() as cursor:
                    cursor.execute(statement[statement.index("UPDATE") :].replace("another", f"another{left[0]}"))

        call_command("migrate", verbosity=0)
        assert indexes() == {USERNAME_UNIQUE, EMAIL_UNIQUE}
        assert User.objects.count() == 11


# --- Addresses that are one -------------------------------------------------------------------------------------------


# Beside the mailbox in letters; each is one more spelling of it.
SPELLINGS = {
    "ASCII": ASCII,
    "ASCII in capitals": "USER@XN--BCHER-KVA.example",
    "an umlaut that comes apart": "user@bu\u0308cher.example",
    "a soft hyphen": "user@bü\u00adcher.example",
}


def test_addresses_that_become_one_are_named_until_they_do_not_and_all_get_the_one_form() -> None:
    """The way back takes seconds, so all pairs and all tables take it together."""
    with migrated_back("0009"):
        for name, email in (
            *(("user", LETTERS), ("b", ""), ("c", "c@bücher.example")),
            *(("Straße", "A@Straße.example"), ("odd", "a\u200b@-ü"), ("alice", "")),
        ):
            User.objects.bulk_create([User(username=name, email=email)])
        user = User.objects.get(username="user")
        NotificationPreferences.objects.create(
            user=user,
            time_zone="UTC",
            known_address=LETTERS,
            refused_address="plain@example.org",
            unconfirmed_address=LETTERS,
        )
        now = user.date_joined
        for address in (LETTERS, "Desk@example.org"):
            Notification.objects.create(
                kind="password_reset", user=user, to=address, created_at=now, due_at=now, retry_until=now
            )

        for name, other in SPELLINGS.items():
            User.objects.filter(username="b").update(email=other)
            before = set(User.objects.values_list("username", "email"))

            with pytest.raises(CommandError, match="spellings of one mailbox") as caught:
                call_command("migrate", verbosity=0)

            assert all(f"{address} (id" in str(caught.value) for address in (LETTERS, other)), name
            assert "c@" not in str(caught.value), name
            assert set(User.objects.values_list("username", "email")) == before, name

        User.objects.filter(username="b").update(email="")
        call_command("migrate", verbosity=0)

        assert dict(User.objects.values_list("username", "email")) == {
            "user": ASCII,
            "b": "",
            "c": "c@xn--bcher-kva.example",
            "Straße": "a@xn--strae-oqa.example",
            "odd": "a\u200b@-ü",
            "alice": "",
        }
        stored = NotificationPreferences.objects.get()
        assert (stored.known_address, stored.refused_address, stored.unconfirmed_address) == (
            *(ASCII, "plain@example.org"),
            ASCII,
        )
        assert set(Notification.objects.values_list("to", flat=True)) == {ASCII, "Desk@example.org"}


# --- A locale of ASCII ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["UTF8", "SQL_ASCII", "LATIN1"])
def encoding(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def database_of_locale_c(encoding: str) -> Iterator[str]:
    """The address of an empty database on the suite's server, whose lower() folds ASCII letters only."""
    address, name = database_url(), "locale_c"
    provider = " LOCALE_PROVIDER libc" if connection.cursor().connection.server_version >= 150_000 else ""
    with closing(psycopg2.connect(address)) as own:
        own.autocommit = True
        with own.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'{provider}"
            )
            try:
                yield urlsplit(address)._replace(path=f"/{name}").geturl()
            finally:
                cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("arguments", [[], ["--skip-checks"]], ids=["with the checks", "without"])
def test_a_database_that_folds_ascii_only_is_refused_with_the_cure(
    database_of_locale_c: str, encoding: str, arguments: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_of_locale_c},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"has the encoding {encoding} and the locale C" in done.stderr
    assert "the locale C.UTF-8 or that of a language" in done.stderr


def test_the_suites_own_database_folds_every_letter() -> None:
    assert database_folds_case(None, databases=["default"]) == []
    assert database_folds_case(None) == []
