"""The rows of exports among those of bookings: what the database holds, and the way back to an older release."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core.record.acts import Act
from core.record.kinds import Channel
from core.record.models import BookingEvent
from core.record.relay import waiting
from core.record.writing import record_export
from core.tests.support.factories import make_booking, make_resource, make_user
from core.tests.support.records import TABLE

BEFORE = "0024_versions_of_terms"


def make_export(by=None):
    act = Act(by=by, now=timezone.now(), channel=Channel.COMMAND)
    return record_export(act, "csv", 7, filters={"status": "pending"}, words={"search": "bert"})


@pytest.mark.django_db
class TestDatabase:
    def test_an_export_is_of_no_booking(self):
        assert str(make_export()).endswith("(bookings.exported)")

    @pytest.mark.parametrize("columns", ["booking_id = 1", "resource_id = 1", "kind = 'booking.created'"])
    def test_no_row_is_half_of_each(self, columns):
        row = make_export()
        row.pk = None
        name, value = columns.split(" = ")
        setattr(row, name, int(value) if value.isdecimal() else value.strip("'"))

        with pytest.raises(IntegrityError, match="core_bookingevent_of_a_booking"), transaction.atomic():
            row.save(force_insert=True)

        assert BookingEvent.objects.count() == 1

    @pytest.mark.parametrize("sql", [f"UPDATE {TABLE} SET facts = '{{}}'", f"DELETE FROM {TABLE}"])
    def test_it_is_append_only_too(self, sql):
        make_export()

        with pytest.raises(IntegrityError, match="append_only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)

    def test_nobody_is_told(self):
        make_export()

        assert not waiting().exists()


@pytest.fixture
def _forward() -> Iterator[None]:
    """The present schema for the tests that follow."""
    yield
    call_command("migrate", "core", verbosity=0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_forward")
def test_the_way_back_keeps_what_belongs_to_bookings():
    make_export()
    booking = make_booking(make_user("alice"), make_resource())
    call_command("record_existing", verbosity=0)

    call_command("migrate", "core", BEFORE, verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT kind, booking_id FROM {TABLE}")
        assert cursor.fetchall() == [("booking.created", booking.pk)]
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")
    call_command("migrate", "core", verbosity=0)
    assert [row.booking_id for row in BookingEvent.objects.all()] == [booking.pk]
