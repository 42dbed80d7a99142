"""The record hands each act on to its readers: once, in the order of each booking, and whatever fails."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import lifecycle
from core.lifecycle import Changes, Repeat
from core.models import Booking, Resource
from core.outbox.delivery import Run
from core.record import relay
from core.record.models import BookingEvent
from core.recurrence import Rule
from core.tests.support.acts import act
from core.tests.support.factories import at, make_booking
from core.tests.support.parallel import in_parallel
from core.tests.support.records import recorded

Read = list[int]


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[relay.Reader]:
    """The readers, none of them at first."""
    readers: list[relay.Reader] = []
    monkeypatch.setattr(relay, "_readers", readers)
    return readers


@pytest.fixture
def read(readers: list[relay.Reader]) -> Read:
    """The ids of the rows that a reader got."""
    rows: Read = []
    readers.append(lambda row: rows.append(row.pk))
    return rows


def hand_on() -> None:
    relay.hand_on(Run(timezone.now()))


def acts(booking: Booking, number: int) -> list[BookingEvent]:
    """As many acts on a booking."""
    for count in range(number):
        lifecycle.change(booking, changes=Changes(notes=f"Version {count}"), act=act(booking.user))
    return recorded()[-number:]


def waiting() -> list[int]:
    return list(BookingEvent.objects.filter(handed_at=None).order_by("pk").values_list("pk", flat=True))


def test_each_row_is_handed_on_once_in_order(read: Read, alice: User, room: Resource) -> None:
    rows = [*acts(make_booking(alice, room), 3), *acts(make_booking(alice, room, at(14)), 3)]
    hand_on()
    hand_on()
    assert Counter(read) == Counter(row.pk for row in rows)
    for booking_id in {row.booking_id for row in rows}:
        mine = [row.pk for row in rows if row.booking_id == booking_id]
        assert [pk for pk in read if pk in mine] == mine
    assert waiting() == []


def test_every_reader_gets_every_row(read: Read, readers: list[relay.Reader], alice: User, room: Resource) -> None:
    others: Read = []
    readers.append(lambda row: others.append(row.pk))
    acts(make_booking(alice, room), 2)
    hand_on()
    assert read == others
    assert len(read) == 2


def test_a_row_that_a_reader_fails_on_stops_no_other_and_no_other_reader(
    read: Read, readers: list[relay.Reader], alice: User, room: Resource, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = acts(make_booking(alice, room), 3)

    def fail(row: BookingEvent) -> None:
        Resource.objects.create(name=f"Made by the reader of {row.pk}")
        if row.pk == first.pk:
            raise KeyError("poisoned")

    readers.insert(0, fail)
    hand_on()
    assert read == [first.pk, *(row.pk for row in others)]
    assert waiting() == []
    assert f"Act {first.pk} (booking.changed of booking {first.booking_id}) could not be read by fail" in caplog.text
    made = Resource.objects.filter(name__startswith="Made by").order_by("pk").values_list("name", flat=True)
    assert list(made) == [f"Made by the reader of {row.pk}" for row in others]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_in_the_middle_loses_nothing_and_repeats_nothing(
    read: Read, readers: list[relay.Reader], alice: User, room: Resource
) -> None:
    rows = acts(make_booking(alice, room), 2)

    def end(row: BookingEvent) -> None:
        Resource.objects.create(name="Written before the end")
        raise SystemExit

    readers.append(end)
    with pytest.raises(SystemExit):
        hand_on()
    assert waiting() == [row.pk for row in rows]
    assert not Resource.objects.filter(name="Written before the end").exists()
    readers.remove(end)
    read.clear()
    hand_on()
    assert read == [row.pk for row in rows]


def test_the_rows_wait_while_the_database_is_away(readers: list[relay.Reader], alice: User, room: Resource) -> None:
    from django.db import OperationalError

    def away(row: BookingEvent) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    readers.append(away)
    rows = acts(make_booking(alice, room), 1)
    with pytest.raises(OperationalError):
        hand_on()
    assert waiting() == [row.pk for row in rows]


# --- Several processes ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_processes_that_hand_on_at_once_share_the_rows_and_keep_their_order(
    readers: list[relay.Reader], alice: User, room: Resource
) -> None:
    bookings = [make_booking(alice, room, at(hour)) for hour in range(6)]
    for booking in bookings:
        acts(booking, 8)
    lock, read = threading.Lock(), []

    def reader(row: BookingEvent) -> None:
        with lock:
            read.append((row.booking_id, row.pk))

    readers.append(reader)
    in_parallel([hand_on] * 4)
    hand_on()
    assert Counter(pk for _, pk in read) == Counter(row.pk for row in recorded())
    for booking in bookings:
        mine = [pk for booking_id, pk in read if booking_id == booking.pk]
        assert mine == sorted(mine)


@pytest.fixture
def held(alice: User, room: Resource) -> Iterator[Callable[[BookingEvent], None]]:
    """Locks a row in another connection until the end of the test."""
    locked, done = threading.Event(), threading.Event()
    threads = []

    def hold(row: BookingEvent) -> None:
        def lock() -> None:
            with transaction.atomic():
                list(BookingEvent.objects.select_for_update().filter(pk=row.pk))
                locked.set()
                done.wait(20)
            connection.close()

        threads.append(threading.Thread(target=lock))
        threads[0].start()
        assert locked.wait(20)

    yield hold
    done.set()
    threads[0].join()


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_act_waits_for_an_earlier_act_that_another_process_has(
    read: Read, alice: User, room: Resource, held: Callable[[BookingEvent], None]
) -> None:
    first, second = acts(make_booking(alice, room), 2)
    (other,) = acts(make_booking(alice, room, at(14)), 1)
    held(first)
    hand_on()
    assert read == [other.pk]
    assert waiting() == [first.pk, second.pk]


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("date", [0, -1], ids=["the first date", "the last date"])
def test_an_act_on_a_date_waits_for_the_act_on_its_series_that_another_process_has(
    read: Read, alice: User, room: Resource, held: Callable[[BookingEvent], None], date: int
) -> None:
    repeat = Repeat(Rule.parse("FREQ=DAILY;COUNT=8"), at(10), at(11), time_zone="UTC")
    made = lifecycle.book_series(user=alice, resource_id=room.pk, repeat=repeat, act=act(alice))
    (lone,) = acts(made.bookings[date], 1)
    (other,) = acts(make_booking(alice, room, at(14)), 1)
    first = recorded()[0]
    assert (first.kind, lone.series_act_id) == ("series.made", None)
    held(first)
    hand_on()
    assert read == [other.pk]
    assert lone.pk in waiting()


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_an_act_on_a_series_waits_for_an_act_on_its_date_that_another_process_has(
    read: Read, alice: User, room: Resource, held: Callable[[BookingEvent], None]
) -> None:
    repeat = Repeat(Rule.parse("FREQ=DAILY;COUNT=3"), at(10), at(11), time_zone="UTC")
    made = lifecycle.book_series(user=alice, resource_id=room.pk, repeat=repeat, act=act(alice))
    assert made.series is not None
    hand_on()
    read.clear()
    (lone,) = acts(made.bookings[1], 1)
    lifecycle.cancel_some(made.series, act=act(alice))
    (other,) = acts(make_booking(alice, room, at(14)), 1)
    held(lone)
    hand_on()
    assert read == [other.pk]
    assert waiting()[0] == lone.pk


def test_a_look_at_nothing_costs_two_statements_at_most(read: Read, db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        hand_on()
    asked = [query["sql"] for query in captured if "core_bookingevent" in query["sql"]]
    assert len(asked) <= 2
