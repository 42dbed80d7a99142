"""Writes that pass by every check in the code: the database itself refuses two overlapping bookings."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.choices import BookingStatus
from core.models import Booking, Resource
from core.tests.support.factories import at, make_booking, make_cancelled_booking, make_resource
from core.tests.support.overlaps import everything, overlapping_pairs

HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
BLOCKING = ("pending", "confirmed")
COLUMNS = "id, user_id, resource_id, start_time, end_time, status, notes, created_at, updated_at"


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def stored(moment: datetime) -> object:
    """A moment as Django hands it to this database."""
    return connection.ops.adapt_datetimefield_value(moment)


def refused(write: Callable[[], object], *, error: type[Exception] = IntegrityError, name: str | None = None) -> None:
    """The database says no, in the name of that rule, and everything is as it was."""
    before = everything()
    with pytest.raises(error, match=name), transaction.atomic():
        write()
    assert everything() == before
    assert overlapping_pairs() == []


# --- Which slots clash ------------------------------------------------------------------------------------------------

OVERLAPS = {
    "the same": (at(10), at(12)),
    "inside": (at(10.5), at(11)),
    "around": (at(9), at(13)),
    "over the start": (at(9), at(10.5)),
    "over the end": (at(11.5), at(13)),
    "the same start": (at(10), at(11)),
    "the same end": (at(11), at(12)),
    "over the start by a moment": (at(9), at(10) + MOMENT),
    "over the end by a moment": (at(12) - MOMENT, at(13)),
    "the first moment": (at(10), at(10) + MOMENT),
    "over days": (at(9, day=0), at(9, day=3)),
}
APART = {
    "touching before": (at(9), at(10)),
    "touching after": (at(12), at(13)),
    "a moment between": (at(12) + MOMENT, at(13)),
    "another day": (at(10, day=2), at(12, day=2)),
}


@pytest.mark.parametrize("slot", OVERLAPS.values(), ids=OVERLAPS.keys())
def test_an_overlapping_booking_cannot_be_stored(alice: User, bob: User, room: Resource, slot: tuple) -> None:
    make_booking(alice, room, at(10), at(12))
    refused(lambda: make_booking(bob, room, *slot), name="core_booking_no_overlap")


@pytest.mark.parametrize("slot", APART.values(), ids=APART.keys())
def test_a_booking_beside_another_is_stored(alice: User, bob: User, room: Resource, slot: tuple) -> None:
    make_booking(alice, room, at(10), at(12))
    make_booking(bob, room, *slot)
    assert Booking.objects.count() == 2


@pytest.mark.parametrize("slot", OVERLAPS.values(), ids=OVERLAPS.keys())
def test_a_booking_cannot_be_moved_over_another(alice: User, bob: User, room: Resource, slot: tuple) -> None:
    make_booking(alice, room, at(10), at(12))
    booking = make_booking(bob, room, at(10, day=5))
    change = Booking.objects.filter(pk=booking.pk).update
    refused(lambda: change(start_time=slot[0], end_time=slot[1]), name="core_booking_no_overlap")


def test_one_slot_of_two_resources_can_be_booked(alice: User, room: Resource, lab: Resource) -> None:
    make_booking(alice, room)
    make_booking(alice, lab)
    assert Booking.objects.count() == 2


@pytest.mark.parametrize("second", BookingStatus.values)
@pytest.mark.parametrize("first", BookingStatus.values)
def test_only_pending_and_confirmed_bookings_block(
    alice: User, bob: User, room: Resource, first: str, second: str
) -> None:
    make_booking(alice, room, status=first)
    if first in BLOCKING and second in BLOCKING:
        refused(lambda: make_booking(bob, room, status=second), name="core_booking_no_overlap")
    else:
        make_booking(bob, room, status=second)
        assert Booking.objects.count() == 2


def test_a_user_books_the_same_slot_again_after_cancelling_twice(alice: User, room: Resource) -> None:
    for _ in range(2):
        Booking.objects.filter(pk=make_booking(alice, room).pk).update(status=BookingStatus.CANCELLED)
    make_booking(alice, room)
    assert Booking.objects.count() == 3


def test_a_clash_is_found_behind_a_long_history(alice: User, bob: User, room: Resource) -> None:
    Booking.objects.bulk_create(
        Booking(user=alice, resource=room, start_time=at(0, day=-day), end_time=at(24, day=-day), status="confirmed")
        for day in range(1, 60)
    )
    make_cancelled_booking(alice, room, at(10))
    make_booking(alice, room, at(10), at(12))
    refused(lambda: make_booking(bob, room, at(11)), name="core_booking_no_overlap")
    refused(lambda: make_booking(bob, room, at(1, day=-40)), name="core_booking_no_overlap")


# --- By which ways ----------------------------------------------------------------------------------------------------


@pytest.fixture
def held(alice: User, room: Resource) -> Booking:
    """What is there first: tomorrow, 10 to 11."""
    return make_booking(alice, room)


def rival(user: User, held: Booking, **more: object) -> Booking:
    values = {"start_time": at(10.5), "end_time": at(11.5), "status": "confirmed", **more}
    return Booking(user=user, resource=held.resource, **values)


def by_save(user: User, held: Booking) -> None:
    rival(user, held).save()


def by_save_of_a_change(user: User, held: Booking) -> None:
    booking = make_booking(user, held.resource, at(10, day=2))
    booking.start_time, booking.end_time = at(10), at(11)
    booking.save()


def by_save_of_one_end(user: User, held: Booking) -> None:
    booking = make_booking(user, held.resource, at(9))
    booking.end_time = at(10.5)
    booking.save(update_fields=["end_time"])


def by_get_or_create(user: User, held: Booking) -> None:
    values = {"end_time": at(11.5), "status": "confirmed"}
    Booking.objects.get_or_create(user=user, resource=held.resource, start_time=at(10.5), defaults=values)


def by_bulk_create(user: User, held: Booking) -> None:
    free = rival(user, held, start_time=at(10, day=2), end_time=at(11, day=2))
    Booking.objects.bulk_create([free, rival(user, held)])


def by_bulk_create_of_a_pair(user: User, held: Booking) -> None:
    late = {"start_time": at(15), "end_time": at(16)}
    Booking.objects.bulk_create([rival(user, held, **late), rival(user, held, **late)])


def by_bulk_create_over_a_row(user: User, held: Booking) -> None:
    booking = make_booking(user, held.resource, at(10, day=2))
    Booking.objects.bulk_create(
        [rival(user, held, pk=booking.pk)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["start_time", "end_time"],
    )


def by_bulk_update(user: User, held: Booking) -> None:
    booking = make_booking(user, held.resource, at(10, day=2))
    booking.start_time, booking.end_time = at(10), at(11)
    Booking.objects.bulk_update([booking], ["start_time", "end_time"])


def by_update_of_the_times(user: User, held: Booking) -> None:
    make_booking(user, held.resource, at(10, day=2))
    Booking.objects.filter(user=user).update(start_time=at(10), end_time=at(11))


def by_update_of_the_start(user: User, held: Booking) -> None:
    make_booking(user, held.resource, at(11), at(12))
    Booking.objects.filter(user=user).update(start_time=at(10.5))


def by_update_of_the_end(user: User, held: Booking) -> None:
    make_booking(user, held.resource, at(9), at(10))
    Booking.objects.filter(user=user).update(end_time=at(10.5))


def by_update_of_the_status(user: User, held: Booking) -> None:
    make_cancelled_booking(user, held.resource)
    Booking.objects.filter(user=user).update(status="pending")


def by_update_of_the_resource(user: User, held: Booking) -> None:
    make_booking(user, make_resource("Lab"))
    Booking.objects.filter(user=user).update(resource=held.resource)


def by_update_of_two_into_one(user: User, held: Booking) -> None:
    make_booking(user, held.resource, at(10, day=2))
    make_booking(user, held.resource, at(10, day=3))
    Booking.objects.filter(user=user).update(start_time=at(10, day=4), end_time=at(11, day=4))


def by_insert(user: User, held: Booking) -> None:
    sql(
        "INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status) VALUES (%s, %s, %s, %s, %s)",
        *(user.pk, held.resource_id, stored(at(10.5)), stored(at(11.5)), "confirmed"),
    )


def by_insert_with_the_status_left_out(user: User, held: Booking) -> None:
    sql(
        "INSERT INTO core_booking (user_id, resource_id, start_time, end_time) VALUES (%s, %s, %s, %s)",
        *(user.pk, held.resource_id, stored(at(10.5)), stored(at(11.5))),
    )


def by_insert_of_a_copy(user: User, held: Booking) -> None:
    columns = COLUMNS.removeprefix("id, ")
    sql(f"INSERT INTO core_booking ({columns}) SELECT {columns} FROM core_booking")  # noqa: S608


def by_sql_update(user: User, held: Booking) -> None:
    make_booking(user, held.resource, at(10, day=2))
    values = (stored(at(10)), stored(at(11)), user.pk)
    sql("UPDATE core_booking SET start_time = %s, end_time = %s WHERE user_id = %s", *values)


WAYS = {name.removeprefix("by_").replace("_", " "): way for name, way in list(globals().items()) if name[:3] == "by_"}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_no_way_of_writing_makes_two_bookings_overlap(
    bob: User, held: Booking, way: Callable[[User, Booking], None]
) -> None:
    refused(lambda: way(bob, held), name="core_booking_no_overlap")


def test_bulk_create_that_ignores_conflicts_does_not_store_an_overlap(bob: User, held: Booking) -> None:
    before = everything()
    try:
        with transaction.atomic():
            Booking.objects.bulk_create([rival(bob, held)], ignore_conflicts=True)
    except IntegrityError:
        assert connection.vendor == "sqlite"  # PostgreSQL leaves the row out and says nothing
    assert everything() == before


@pytest.mark.only_on_sqlite
@pytest.mark.parametrize(
    "verb", ["INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL", "INSERT OR ABORT", "REPLACE"]
)
@pytest.mark.parametrize("with_id", [False, True], ids=["a new row", "in place of a row"])
def test_the_conflict_clauses_of_sqlite_do_not_help(bob: User, held: Booking, verb: str, with_id: bool) -> None:
    replaced = make_booking(bob, held.resource, at(10, day=2))
    values = (replaced.pk if with_id else None, bob.pk, held.resource_id, stored(at(10.5)), stored(at(11.5)))
    before = everything()
    try:
        with transaction.atomic():
            sql(
                f"{verb} INTO core_booking (id, user_id, resource_id, start_time, end_time, status) "  # noqa: S608
                "VALUES (%s, %s, %s, %s, %s, 'confirmed')",
                *values,
            )
    except IntegrityError:
        pass
    else:
        # The id is taken: that row is left as it is before the slot is looked at.
        assert (verb, with_id) == ("INSERT OR IGNORE", True)
    assert everything() == before


@pytest.mark.only_on_sqlite
@pytest.mark.parametrize("verb", ["UPDATE OR REPLACE", "UPDATE OR IGNORE", "UPDATE OR FAIL", "UPDATE OR ROLLBACK"])
def test_the_conflict_clauses_of_an_update_on_sqlite_do_not_help(bob: User, held: Booking, verb: str) -> None:
    booking = make_booking(bob, held.resource, at(10, day=2))
    values = (stored(at(10.5)), stored(at(11.5)), booking.pk)
    refused(
        lambda: sql(f"{verb} core_booking SET start_time = %s, end_time = %s WHERE id = %s", *values),  # noqa: S608
        name="core_booking_no_overlap",
    )


@pytest.mark.only_on_postgresql
def test_another_offset_is_the_same_moment_on_postgresql(bob: User, held: Booking) -> None:
    east = timezone(timedelta(hours=14))
    values = (bob.pk, held.resource_id, at(10.5).astimezone(east).isoformat(), at(11.5).astimezone(east).isoformat())
    insert = "INSERT INTO core_booking (user_id, resource_id, start_time, end_time) VALUES (%s, %s, %s, %s)"
    refused(lambda: sql(insert, *values), name="core_booking_no_overlap")


# --- The other rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", BookingStatus.values)
@pytest.mark.parametrize(
    "end", [at(10), at(10) - MOMENT, at(9)], ids=["as the start", "a moment before", "an hour before"]
)
def test_an_end_that_is_not_after_the_start_cannot_be_stored(
    alice: User, room: Resource, end: datetime, status: str
) -> None:
    refused(lambda: make_booking(alice, room, at(10), end, status=status), name="core_booking_end_after_start")


def test_an_end_cannot_be_moved_before_the_start(held: Booking) -> None:
    refused(lambda: Booking.objects.update(end_time=at(10)), name="core_booking_end_after_start")
    refused(lambda: Booking.objects.update(start_time=at(11)), name="core_booking_end_after_start")


@pytest.mark.parametrize("status", ["", "approved", "Confirmed", "confirmed "])
def test_an_unknown_status_cannot_be_stored(held: Booking, status: str) -> None:
    refused(lambda: Booking.objects.update(status=status), name="core_booking_status_known")
    refused(lambda: make_booking(held.user, held.resource, at(15), status=status), name="core_booking_status_known")


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_capacity_below_one_cannot_be_stored(room: Resource, capacity: int) -> None:
    for write in (
        lambda: make_resource("Lab", capacity=capacity),
        lambda: Resource.objects.update(capacity=capacity),
        lambda: sql("UPDATE core_resource SET capacity = %s", capacity),
        lambda: Resource.objects.bulk_create([Resource(name="Lab", capacity=capacity)]),
    ):
        with pytest.raises(IntegrityError, match="capacity"), transaction.atomic():
            write()
    assert list(Resource.objects.values_list("name", "capacity")) == [("Blue room", 1)]


def test_other_programs_may_leave_out_what_has_a_default(alice: User, room: Resource) -> None:
    sql("INSERT INTO core_resource (name) VALUES ('Lab')")
    lab = Resource.objects.get(name="Lab")
    assert (lab.description, lab.capacity, lab.is_available, lab.requires_approval) == ("", 1, True, True)
    sql(
        "INSERT INTO core_booking (user_id, resource_id, start_time, end_time) VALUES (%s, %s, %s, %s)",
        *(alice.pk, room.pk, stored(at(10)), stored(at(11))),
    )
    booking = Booking.objects.get()
    assert (booking.status, booking.notes, booking.start_time) == ("pending", "", at(10))
    assert abs(booking.created_at - booking.updated_at) < timedelta(seconds=1)


# --- The form of a time -----------------------------------------------------------------------------------------------

# Each would make two texts compare otherwise than the moments they stand for, or cannot be read back.
WRONG_TEXTS = {
    "T between": "2030-01-01T10:00:00",
    "an offset": "2030-01-01 10:00:00+00:00",
    "another offset": "2030-01-01 10:00:00+02:00",
    "a Z": "2030-01-01 10:00:00Z",
    "no decimals but zeros": "2030-01-01 10:00:00.000000",
    "three decimals": "2030-01-01 10:00:00.500",
    "seven decimals": "2030-01-01 10:00:00.5000000",
    "a point alone": "2030-01-01 10:00:00.",
    "letters for decimals": "2030-01-01 10:00:00.50000x",
    "no seconds": "2030-01-01 10:00",
    "no time": "2030-01-01",
    "white space before": " 2030-01-01 10:00:00",
    "white space after": "2030-01-01 10:00:00 ",
    "something behind a NUL": "2030-01-01 10:00:00\0.9",
    "one digit for the month": "2030-1-01 10:00:00",
    "year 0": "0000-01-01 10:00:00",
    "before year 0": "-001-01-01 10:00:00",
    "year 10000": "10000-01-01 10:00:00",
    "31 February": "2030-02-31 10:00:00",
    "29 February of no leap year": "2030-02-29 10:00:00",
    "31 April": "2030-04-31 10:00:00",
    "month 13": "2030-13-01 10:00:00",
    "hour 24": "2030-01-01 24:00:00",
    "minute 60": "2030-01-01 10:60:00",
    "second 60": "2030-01-01 10:00:60",
    "now": "now",
    "words": "tomorrow at ten",
    "nothing": "",
    "an integer": 1893492000,
    "a fraction": 2462502.9166667,
    "bytes": b"2030-01-01 10:00:00",
    "null": None,
}


@pytest.mark.only_on_sqlite
@pytest.mark.parametrize("column", ["start_time", "end_time"])
@pytest.mark.parametrize("wrong", WRONG_TEXTS.values(), ids=WRONG_TEXTS.keys())
def test_a_time_in_another_form_cannot_be_stored_on_sqlite(held: Booking, column: str, wrong: object) -> None:
    times = {"start_time": "0001-01-01 00:00:00", "end_time": "9999-12-31 23:59:59", column: wrong}
    values = (held.user_id, held.resource_id, times["start_time"], times["end_time"])
    insert = (
        "INSERT INTO core_booking (user_id, resource_id, start_time, end_time, status) "
        "VALUES (%s, %s, %s, %s, 'cancelled')"
    )
    refused(lambda: sql(insert, *values), error=DatabaseError)
    refused(lambda: sql(f"UPDATE core_booking SET {column} = %s", wrong), error=DatabaseError)  # noqa: S608


@pytest.mark.only_on_sqlite
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2030-01-01 10:00:00", "2030-01-01 11:00:00"),
        ("2030-01-01 10:00:00.000001", "2030-01-01 10:00:00.999999"),
        ("2028-02-29 23:59:59", "2028-03-01 00:00:00"),
        ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"),
    ],
    ids=["whole seconds", "microseconds", "leap day", "first and last year"],
)
def test_the_form_that_django_writes_is_stored_on_sqlite(held: Booking, start: str, end: str) -> None:
    sql("UPDATE core_booking SET start_time = %s, end_time = %s", start, end)
    held.refresh_from_db()
    assert [stored(held.start_time), stored(held.end_time)] == [start, end]


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2030-01-01 10:00:00+00", "infinity"),
        ("-infinity", "2030-01-01 10:00:00+00"),
        ("2030-01-01 10:00:00+00", "10000-01-01 00:00:00+00"),
        ("0001-12-31 10:00:00+00 BC", "2030-01-01 10:00:00+00"),
    ],
    ids=["no end", "no start", "year 10000", "before year 1"],
)
def test_a_time_that_cannot_be_read_back_cannot_be_stored_on_postgresql(held: Booking, start: str, end: str) -> None:
    update = "UPDATE core_booking SET start_time = %s, end_time = %s"
    refused(lambda: sql(update, start, end), name="core_booking_times_compare_as_text")


def test_fractions_of_a_second_compare_as_moments(alice: User, bob: User, room: Resource) -> None:
    half = timedelta(milliseconds=500)
    make_booking(alice, room, at(10), at(11) + half)
    refused(lambda: make_booking(bob, room, at(11), at(12)), name="core_booking_no_overlap")
    refused(lambda: make_booking(bob, room, at(11) + half - MOMENT, at(12)), name="core_booking_no_overlap")
    make_booking(bob, room, at(11) + half, at(12))
    refused(lambda: make_booking(bob, room, at(9), at(10) + MOMENT), name="core_booking_no_overlap")
