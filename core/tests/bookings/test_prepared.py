"""A prepared statement reads what its queryset reads, whatever the values."""

import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from rest_framework.authtoken.models import Token

from core import conflicts
from core.availability import slots, timelines
from core.choices import BookingStatus
from core.intervals import Interval
from core.lifecycle import transactions
from core.models import Booking, Notification, OpeningHours, Resource, ResourcePolicy
from core.notifications import messages
from core.notifications.kinds import Kind
from core.policies.writing import set_flags
from core.prepared import FUNCTIONS, KEY, MOMENT, Prepared, insert, update
from core.querysets import SHORTEST, outermost
from core.serializers import BookingSerializer, BookingWithStaffNoteSerializer, ResourceSerializer
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_resource, make_user
from core.urls import urlpatterns  # noqa: F401

HOUR = timedelta(hours=1)
BY_NAME = {function.__name__: function for function in FUNCTIONS}


class World:
    """Random bookings and closures, and random questions about them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.users = [make_user(name, is_staff=name == "admin") for name in ("alice", "bob", "admin")]
        self.tokens = [Token.objects.create(user=user) for user in self.users]
        self.resources = [
            make_resource(f"Room {number}", capacity=1 + number, is_available=number != 3, has_terms=number == 4)
            for number in range(6)
        ]
        for resource in self.resources:
            self.fill(resource)
        make_closure(self.users[2], *self.resources[:3], start=at(62), end=at(65))
        self.bookings = list(Booking.objects.all())
        self.messages = Notification.objects.bulk_create(self.message() for _ in range(120))

    def message(self) -> Notification:
        """A message to a user, in any state."""
        user = self.random.choice([*self.users, None])
        state = self.random.choice(["sent", "sent", "sent", "waiting"])
        kind = self.random.choice([Kind.BOOKING_CREATED, Kind.BOOKINGS_IN_ONE, Kind.PASSWORD_RESET])
        row = messages.new_message(kind, now=self.moment(), user=user, to=self.address())
        row.facts = self.random.choice([{}, {"bookings": []}])
        row.state, row.booking_id = state, self.maybe(self.booking)
        row.done_at = self.moment() if state == "sent" else None
        row.claimed_until = self.maybe(self.moment)
        return row

    def address(self) -> str:
        return self.random.choice(["a@example.org", "b@example.org"])

    def fill(self, resource: Resource) -> None:
        hour, rows = self.random.randint(-20, 4), []
        while hour < 60:
            end = hour + self.random.choice([0.5, 1, 2])
            status, user = self.random.choice(BookingStatus.values), self.random.choice(self.users)
            rows.append(Booking(user=user, resource=resource, start_time=at(hour), end_time=at(end), status=status))
            hour = end + self.random.choice([0, 0, 0.5, 3])
        Booking.objects.bulk_create(rows)

    def key(self, rows: list[Any]) -> int:
        """The key of a row, or one that no row has."""
        return self.random.choice([*(row.pk for row in rows), 987_654])

    def keys(self) -> list[int]:
        return sorted(row.pk for row in self.random.sample(self.resources, self.random.randint(0, 4)))

    def booking(self) -> int:
        return self.key(self.bookings)

    def moment(self) -> datetime:
        return at(self.random.randint(-30, 70)) + self.random.choice([0, 1, 30]) * timedelta(minutes=1)

    def interval(self) -> Interval:
        start = self.moment()
        return Interval(start, start + self.random.choice([0.25, 0.5, 1, 5, 30]) * HOUR)

    def maybe(self, make: Callable[[], Any]) -> Any:
        """The value, or None."""
        return make() if self.random.random() < 0.5 else None

    def gap(self) -> dict[str, Any]:
        """The ends of a search for a gap."""
        length = self.random.choice([0.5, 1, 3]) * HOUR
        first, last = outermost(self.interval(), length)
        return {"first": first, "last": last, "length": length}

    def ends(self) -> dict[str, Any]:
        """The ends of a search for the first free moment, which is a gap of the shortest length."""
        first, last = outermost(self.interval(), SHORTEST)
        return {"first": first, "last": last}


WITH_NEXT_FREE = ResourceSerializer.including(frozenset({"next_free"}))
WINDOWS = ("start_after", "start_before", "end_after", "end_before")

# Random arguments of each prepared function.
ARGUMENTS: dict[str, Callable[[World], dict[str, Any]]] = {
    "token_with_user": lambda w: {"key": w.random.choice([*(token.key for token in w.tokens), "none"])},
    "booking_in_full": lambda w: {"pk": w.booking()},
    "locked_booking": lambda w: {"pk": w.booking()},
    "locked_resources": lambda w: {"pk": w.key(w.resources), "other": w.maybe(lambda: w.key(w.resources))},
    "next_taken": lambda w: {
        "resource_id": w.key(w.resources),
        "moment": w.moment(),
        "except_id": w.maybe(w.booking),
    },
    "gaps_of": lambda w: {
        "pk": w.key(w.resources),
        **w.gap(),
        "before": w.interval(),
        "except_id": w.maybe(w.booking),
    },
    "free_elsewhere": lambda w: {
        "here": w.key(w.resources),
        "capacity": w.random.randint(1, 6),
        "slot": w.interval(),
        "except_id": w.maybe(w.booking),
        **w.random.choice([{"skipped": 0, "most": 1}, {"skipped": 1, "most": 50}, {"skipped": 2, "most": None}]),
    },
    "rows_taken": lambda w: {"resource_ids": w.keys(), "window": w.interval(), "except_id": w.maybe(w.booking)},
    "rows_of_one": lambda w: {
        "resource_id": w.key(w.resources),
        "window": w.interval(),
        "most": w.random.choice([None, 2]),
    },
    "rows_of_many": lambda w: {"resource_ids": w.keys(), "window": w.interval(), "most": w.random.choice([None, 3])},
    "times_taken": lambda w: {"resource_id": w.key(w.resources), "window": w.interval()},
    "facts_in_service": lambda w: {
        "min_capacity": w.maybe(lambda: w.random.randint(1, 6)),
        **w.gap(),
    },
    "sent_to": lambda w: {"to": w.address(), "since": w.moment()},
    "on_their_way": lambda w: {"to": w.address(), "now": w.moment(), "before": w.key(w.messages)},
    "told_in_one": lambda w: {"user_id": w.key(w.users), "now": w.moment(), "except_id": w.key(w.messages)},
    "soonest": lambda w: {
        "min_capacity": w.maybe(lambda: w.random.randint(1, 6)),
        **w.gap(),
        "most": w.random.choice([2, 20]),
    },
    "listed_bookings": lambda w: {
        "serializer": w.random.choice([BookingSerializer, BookingWithStaffNoteSerializer]),
        "owner": w.maybe(lambda: w.key(w.users)),
        "resource": w.maybe(lambda: w.key(w.resources)),
        "user": w.maybe(lambda: w.key(w.users)),
        "series": w.random.choice([None, None, 1]),
        "status": w.random.choice([None, ("pending",), ("cancelled", "confirmed")]),
        **{name: w.random.choice([None, None, w.moment()]) for name in WINDOWS},
        "upcoming": w.random.choice([None, True, False]),
        "now": w.moment(),
        "ordering": w.random.choice([None, "start_time", "-created_at"]),
        "most": w.random.choice([None, 3]),
    },
    "listed_resources": lambda w: {
        "serializer": w.random.choice([None, ResourceSerializer, WITH_NEXT_FREE]),
        "window": w.interval(),
        **w.ends(),
        "min_capacity": w.maybe(lambda: w.random.randint(1, 6)),
        "ordering": w.random.choice([None, "capacity", "-name"]),
        "most": w.random.choice([None, 3]),
    },
    "shown_resource": lambda w: {"pk": w.key(w.resources), "window": w.maybe(w.interval), **w.ends()},
}


def facts(rows: list[Any]) -> list[object]:
    """What is known of rows: their columns and annotations, and those of the rows that came with them."""
    return [facts_of(row) if hasattr(row, "_meta") else row for row in rows]


def facts_of(row: Any) -> tuple[object, ...]:
    values = {name: value for name, value in vars(row).items() if name != "_state"}
    related = {name: vars(other) | {"_state": None} for name, other in row._state.fields_cache.items()}
    return type(row), values, related


def test_each_prepared_function_has_random_arguments() -> None:
    assert sorted(BY_NAME) == sorted(ARGUMENTS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_a_prepared_statement_reads_what_its_queryset_reads(name: str) -> None:
    world, function = World(7), BY_NAME[name]
    found = 0
    for _ in range(40):
        values = ARGUMENTS[name](world)
        rows = function(**values)
        assert facts(rows) == facts(list(function.queryset(**values))), values
        found += bool(rows)
    assert found > 3


@pytest.mark.django_db
def test_a_lock_needs_a_transaction_each_time(transactional_db: None) -> None:
    resource = make_resource()
    with transaction.atomic():
        transactions.locked_resources(pk=resource.pk, other=None)
    with pytest.raises(TransactionManagementError):
        transactions.locked_resources(pk=resource.pk, other=None)


@pytest.mark.django_db
def test_each_shape_is_compiled_once() -> None:
    function = Prepared(conflicts.next_taken.queryset, {"resource_id": KEY, "moment": MOMENT, "except_id": KEY})
    for resource_id, except_id in ((1, None), (2, None), (3, 4), (4, 5)):
        function(resource_id=resource_id, moment=at(1), except_id=except_id)
    assert len(function.statements) == 2


@pytest.mark.django_db
def test_forgotten_shapes_are_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.prepared.MOST_SHAPES", 2)
    world, function = World(7), Prepared(timelines.rows_of_one.queryset, {"resource_id": KEY, "window": Interval})
    window = Interval(at(-20), at(80))
    for most in (1, 2, 3, 4, 1):
        assert len(function(resource_id=world.resources[0].pk, window=window, most=most)) == most
        assert len(function.statements) <= 2


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_statement_and_not_a_connection() -> None:
    world = World(7)
    values = {"resource_id": world.resources[0].pk, "window": Interval(at(-20), at(80))}
    here, found = slots.times_taken(**values), []

    def read() -> None:
        found.append(slots.times_taken(**values))
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert here
    assert found == [here] * 4


@pytest.mark.django_db
def test_an_inserted_row_is_the_row_that_save_writes() -> None:
    alice, resource = make_user("alice"), make_resource()
    made = [Booking(user=alice, resource=resource, start_time=at(hour), end_time=at(hour + 1)) for hour in (1, 2)]
    made[0].save()
    insert(made[1])
    saved, inserted = (Booking.objects.get(pk=row.pk) for row in made)
    apart = {"id", "start_time", "end_time", "created_at", "updated_at", "calendar_uid"}
    names = {field.attname for field in Booking._meta.concrete_fields} - apart
    assert {name: getattr(inserted, name) for name in names} == {name: getattr(saved, name) for name in names}
    assert (inserted.start_time, inserted.created_at, inserted.calendar_uid) == (
        made[1].start_time,
        made[1].created_at,
        made[1].calendar_uid,
    )
    assert not made[1]._state.adding


@pytest.mark.django_db
def test_a_prepared_update_writes_what_its_queryset_writes() -> None:
    world, columns = World(7), ("pk", "has_terms", "buffer_reach_minutes")
    OpeningHours.objects.bulk_create(
        [OpeningHours(resource=world.resources[0], weekday=1, opens=time(9), closes=time(17))]
    )
    ResourcePolicy.objects.bulk_create([ResourcePolicy(resource=world.resources[1], buffer_after_minutes=10)])
    Booking.objects.filter(resource=world.resources[2]).update(buffer_before_minutes=20)
    written = []
    for update_flags in (set_flags, lambda **values: queryset_update(*set_flags.make(**values))):
        Resource.objects.update(has_terms=True, buffer_reach_minutes=7)
        for pk, since in [*((each.pk, at(-100)) for each in world.resources[:4]), (world.resources[4].pk, at(100))]:
            update_flags(pk=pk, since=since)
        written.append(list(Resource.objects.order_by("pk").values_list(*columns)))
    assert written[0] == written[1]
    assert [row[1:] for row in written[0]] == [(True, 0), (True, 10), (True, 20), (False, 0), (False, 0), (True, 7)]


def queryset_update(rows: QuerySet[Resource], changes: dict[str, Any]) -> None:
    rows.update(**changes)


@pytest.mark.django_db
def test_an_update_writes_the_named_columns_alone() -> None:
    booking = make_booking(make_user("alice"), make_resource())
    before = Booking.objects.get(pk=booking.pk)
    booking.notes, booking.staff_note = "new", "not written"
    update(booking, ["notes", "updated_at"])
    after = Booking.objects.get(pk=booking.pk)
    assert (after.notes, after.staff_note, after.end_time) == ("new", "", before.end_time)
    assert after.updated_at > before.updated_at
