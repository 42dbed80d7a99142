"""`manage.py record_existing`: a history for bookings that were written by SQL."""

import io
import tracemalloc

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from core import lifecycle
from core.lifecycle import Changes
from core.models import Booking, Resource
from core.record.models import BookingEvent
from core.record.writing import record_existing
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking, make_resource, text
from core.tests.support.parallel import in_parallel


def run() -> list[str]:
    out = io.StringIO()
    call_command("record_existing", stdout=out, no_color=True)
    return out.getvalue().splitlines()


def make_imported_bookings(user: User, resource: Resource, number: int) -> list[Booking]:
    return Booking.objects.bulk_create(
        Booking(user=user, resource=resource, start_time=at(hour), end_time=at(hour + 1)) for hour in range(number)
    )


def test_an_imported_booking_gets_its_creation(as_admin: APIClient, alice: User, room: Resource) -> None:
    made_at = at(9, day=-400)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status, notes, created_at) "
            "VALUES (%s, %s, %s, %s, 'confirmed', 'For four', %s)",
            [alice.pk, room.pk, *(str(moment.replace(tzinfo=None)) for moment in (at(10), at(11), made_at))],
        )
    booking, before = Booking.objects.get(), timezone.now()

    assert run() == ["1 of 1", "1 bookings were recorded."]

    row = BookingEvent.objects.get()
    assert (row.booking_id, row.resource_id, row.owner, row.actor) == (booking.pk, room.pk, alice, None)
    assert before <= row.handed_at <= timezone.now()
    (created,) = as_admin.get(f"/api/bookings/{booking.pk}/history/").json()
    assert created == {
        "id": row.pk,
        "at": text(made_at),
        "kind": "booking.created",
        "actor": None,
        "part": "system",
        "channel": "command",
        "request_id": "",
        "reason": "",
        "changes": {
            "resource": [None, room.pk],
            "resource_name": [None, "Blue room"],
            "start_time": [None, text(at(10))],
            "end_time": [None, text(at(11))],
            "status": [None, "confirmed"],
            "notes": [None, "For four"],
        },
    }
    assert mail.outbox == []


def test_run_twice_it_changes_nothing(alice: User, room: Resource) -> None:
    make_booking(alice, room)
    run()
    before = list(BookingEvent.objects.values())
    assert run() == ["0 bookings were recorded."]
    assert list(BookingEvent.objects.values()) == before


def test_a_booking_with_any_record_is_left_alone(alice: User, room: Resource) -> None:
    changed, bare = make_booking(alice, room), make_booking(alice, room, at(12))
    lifecycle.change(changed, changes=Changes(notes="x"), act=act(alice))
    assert run()[-1] == "1 bookings were recorded."
    assert list(BookingEvent.objects.order_by("pk").values_list("booking_id", "kind")) == [
        (changed.pk, "booking.changed"),
        (bare.pk, "booking.created"),
    ]


def test_it_goes_on_in_batches_and_says_how_far_it_is(
    alice: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.management.commands.record_existing.BATCH_SIZE", 2)
    make_imported_bookings(alice, room, 5)
    assert run() == ["2 of 5", "4 of 5", "5 of 5", "5 bookings were recorded."]
    assert BookingEvent.objects.count() == 5


def test_the_memory_does_not_grow_with_the_bookings(
    alice: User, room: Resource, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.management.commands.record_existing.BATCH_SIZE", 250)
    settings.DEBUG = False
    peaks = []
    for number in (250, 1000):
        make_imported_bookings(alice, make_resource(f"Room {number}"), number)
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


@pytest.mark.django_db(transaction=True)
def test_two_at_once_record_each_booking_once(alice: User, room: Resource) -> None:
    ids = [booking.pk for booking in make_imported_bookings(alice, room, 50)]
    calls = [lambda: record_existing(ids, now=timezone.now())] * 2
    assert sorted(in_parallel(calls)) == [0, 50]
    assert sorted(BookingEvent.objects.values_list("booking_id", flat=True)) == ids
