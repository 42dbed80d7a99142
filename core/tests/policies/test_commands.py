"""`check_bookings` and `import_holidays`."""

import subprocess
import sys
from datetime import date
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core import terms
from core.models import Booking, OpeningException, Resource
from core.policies import fitting
from core.tests.support.environment import ROOT
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_ended_booking, make_user
from core.tests.support.rules import add_exception, day_of, set_hours, set_policy


def run(command: str, *arguments: str) -> list[str]:
    """The lines that the command prints."""
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO(), no_color=True)
    return out.getvalue().splitlines()


# --- check_bookings ---------------------------------------------------------------------------------------------------


def test_it_lists_the_coming_bookings_that_break_a_rule_and_changes_nothing(
    as_admin: APIClient, alice: User, room: Resource, lab: Resource
) -> None:
    long = make_booking(alice, room, at(10), at(13))
    late = make_booking(alice, lab, at(22), at(23), status="pending")
    closed = make_booking(alice, lab, at(10, day=4))
    make_booking(alice, room, at(14))
    for not_listed in (make_cancelled_booking(alice, lab, at(20)), make_ended_booking(alice, lab)):
        assert not_listed.pk
    set_policy(as_admin, room, max_minutes=60)
    set_hours(as_admin, lab, ("08:00", "18:00"))
    add_exception(as_admin, None, day_of(4))
    before = list(Booking.objects.order_by("pk").values())
    day = day_of(1)
    assert run("check_bookings") == [
        f"{long.pk}\tBlue room\t{day} 10:00–13:00 UTC\talice\ttoo_long",
        f"{late.pk}\tLab\t{day} 22:00–23:00 UTC\talice\toutside_opening_hours",
        f"{closed.pk}\tLab\t{day_of(4)} 10:00–11:00 UTC\talice\tclosed",
        "3 of 4 coming bookings break the present rules.",
    ]
    assert list(Booking.objects.order_by("pk").values()) == before


def test_it_reads_the_bookings_in_batches_and_tells_how_far_it_is(
    as_admin: APIClient,
    alice: User,
    room: Resource,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(fitting, "BATCH_SIZE", 2)
    for hour in range(5):
        make_booking(alice, room, at(hour))
    set_policy(as_admin, room, max_minutes=30)
    out, progress = StringIO(), StringIO()
    terms._kept.clear()
    with django_assert_num_queries(6):
        call_command("check_bookings", stdout=out, stderr=progress, no_color=True)
    assert len(out.getvalue().splitlines()) == 6
    assert progress.getvalue().splitlines() == ["2 read", "4 read"]


@pytest.mark.django_db
def test_without_bookings_it_says_so() -> None:
    make_user("alice")
    assert run("check_bookings") == ["0 of 0 coming bookings break the present rules."]


# --- import_holidays --------------------------------------------------------------------------------------------------

BAVARIA = ("--country", "DE", "--subdivision", "BY", "--year", "2027")
HOLIDAYS = {
    date(2027, 1, 1): "New Year's Day",
    date(2027, 1, 6): "Epiphany",
    date(2027, 3, 26): "Good Friday",
    date(2027, 3, 29): "Easter Monday",
    date(2027, 5, 1): "Labor Day",
    date(2027, 5, 6): "Ascension Day",
    date(2027, 5, 17): "Pentecost Monday",
    date(2027, 5, 27): "Corpus Christi",
    date(2027, 10, 3): "German Unity Day",
    date(2027, 11, 1): "All Saints' Day",
    date(2027, 12, 25): "Christmas Day",
    date(2027, 12, 26): "Second Day of Christmas",
}


def stored() -> list[tuple]:
    return list(OpeningException.objects.values_list("first_day", "last_day", "name", "hours", "resource"))


@pytest.mark.django_db
def test_the_holidays_of_a_year_close_all_resources_once() -> None:
    lines = run("import_holidays", *BAVARIA)
    assert stored() == [(day, day, name, [], None) for day, name in HOLIDAYS.items()]
    assert lines[0] == "2027-01-01 New Year's Day: closed"
    assert lines[-1] == "12 days added."
    again = run("import_holidays", *BAVARIA)
    assert again[0] == "2027-01-01 New Year's Day: left, it has: New Year's Day, 2027-01-01"
    assert again[-1] == "0 days added."
    assert len(stored()) == 12


def test_a_day_that_has_an_exception_is_left_and_named(as_admin: APIClient, room: Resource) -> None:
    days = (date(2027, 12, 24), date(2027, 12, 31))
    add_exception(as_admin, None, *days, ("10:00", "12:00"), name="Between the years")
    add_exception(as_admin, room, date(2027, 1, 1))
    lines = run("import_holidays", *BAVARIA)
    assert "2027-12-25 Christmas Day: left, it has: Between the years, 2027-12-24 to 2027-12-31" in lines
    assert lines[-1] == "10 days added."
    assert OpeningException.objects.filter(first_day__month=12, resource=None).count() == 1


@pytest.mark.django_db
def test_a_dry_run_changes_nothing() -> None:
    lines = run("import_holidays", *BAVARIA, "--dry-run")
    assert (lines[0], lines[-1]) == ("2027-01-01 New Year's Day: would be closed", "12 days would be added.")
    assert stored() == []


@pytest.mark.django_db
def test_a_country_may_be_whole_and_in_small_letters() -> None:
    assert run("import_holidays", "--country", "de", "--year", "2027")[-1] == "9 days added."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--country", "XX", "--year", "2027"), "XX"),
        (("--country", "DE", "--subdivision", "ZZ", "--year", "2027"), "ZZ"),
        (("--country", "DE", "--year", "1901"), "No holidays are known of DE in 1901."),
        (("--country", "DE", "--year", "20270"), "20270 is not a year"),
        (("--country", "DE", "--year", "soon"), "soon is not a year"),
        (("--country", "DE"), "--year"),
        (("--year", "2027"), "--country"),
    ],
)
def test_what_there_is_not_is_an_error(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("import_holidays", *arguments)
    assert stored() == []


def test_no_server_imports_the_library() -> None:
    script = (
        "import django, sys; django.setup(); import booking_system_api.urls, core.policies.holidays; "
        "import core.management.commands.import_holidays; sys.exit('holidays' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
