"""Closures and bookings are kept apart by the database itself, and by the verbs at the same moment."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from core import errors, lifecycle
from core.choices import Kind
from core.intervals import Interval
from core.models import Booking, Closure, Resource
from core.tests.support.acts import act
from core.tests.support.clients import client_of
from core.tests.support.closures import AROUND, CANCEL, closed, closure_body, make_closure
from core.tests.support.factories import at, booking_body, make_booking, make_resource, make_user, text
from core.tests.support.overlaps import everything, overlapping_pairs
from core.tests.support.parallel import Rival, hold, in_parallel
from core.tests.support.plans import plan_of
from core.tests.support.records import told

INSERT = (
    "INSERT INTO core_booking (user_id, closure_id, kind, resource_id, start_time, end_time, status) "
    "VALUES (%s, %s, %s, %s, %s, %s, 'confirmed')"
)
LIST = "/api/closures/"


def insert(user: User | None, closure: Closure | None, kind: str, resource: Resource, start: float, end: float) -> None:
    times = [connection.ops.adapt_datetimefield_value(at(hour)) for hour in (start, end)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [user and user.pk, closure and closure.pk, kind, resource.pk, *times])


def refused(write: Callable[[], object], name: str) -> None:
    """The database says no in the name of that rule, and everything is as it was."""
    before = everything()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        write()
    assert everything() == before


# --- By SQL -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_sql_cannot_put_a_booking_over_a_closure(admin: User, alice: User, room: Resource) -> None:
    make_closure(admin, room)
    booking = make_booking(alice, room, at(17), at(18))
    refused(lambda: insert(alice, None, "booking", room, 16, 17), "core_booking_no_overlap")
    move = Booking.objects.filter(pk=booking.pk).update
    refused(lambda: move(start_time=at(16)), "core_booking_no_overlap")
    insert(alice, None, "booking", room, 8, 9)


@pytest.mark.django_db
def test_sql_cannot_put_a_closure_over_a_booking_or_another_closure(admin: User, alice: User, room: Resource) -> None:
    make_booking(alice, room, at(6), at(7))
    closure = make_closure(admin, room)
    refused(lambda: insert(None, closure, "closure", room, 6, 8), "core_booking_no_overlap")
    refused(lambda: insert(None, closure, "closure", room, 16, 18), "core_booking_no_overlap")
    move = Booking.taken.filter(closure=closure).update
    refused(lambda: move(start_time=at(6.5)), "core_booking_no_overlap")
    insert(None, closure, "closure", room, 7, 8)


@pytest.mark.django_db
def test_sql_makes_no_closure_with_a_user_and_no_booking_without_one(admin: User, room: Resource) -> None:
    closure, name = make_closure(admin, room), "core_booking_closure_has_no_user"
    refused(lambda: insert(admin, closure, "closure", room, 18, 19), name)
    refused(lambda: insert(None, None, "closure", room, 18, 19), name)
    refused(lambda: insert(None, None, "booking", room, 18, 19), name)
    refused(lambda: insert(admin, closure, "booking", room, 18, 19), name)
    refused(lambda: insert(admin, None, "maybe", room, 18, 19), name)


@pytest.mark.django_db
def test_a_form_refuses_a_booking_over_a_closure(admin: User, alice: User, room: Resource) -> None:
    make_closure(admin, room)
    with pytest.raises(ValidationError, match="already booked"):
        Booking(user=alice, resource=room, start_time=at(10), end_time=at(11)).full_clean()


@pytest.mark.django_db
@pytest.mark.only_on_postgresql
def test_the_rows_of_a_closure_are_found_by_an_index() -> None:
    plan = plan_of("SELECT 1 FROM core_booking WHERE closure_id = 1")
    assert "core_booking_of_closure" in plan, plan


# --- At the same moment -----------------------------------------------------------------------------------------------

together = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _no_two_overlap() -> Iterator[None]:
    yield
    assert overlapping_pairs() == []
    connection.check_constraints()


def statuses(answers: list[Any]) -> Counter[int]:
    """How often each status was answered; an exception or a failure of the server fails here."""
    assert [answer for answer in answers if not hasattr(answer, "status_code")] == []
    assert [answer.content for answer in answers if answer.status_code >= 500] == []
    return Counter(answer.status_code for answer in answers)


def post(by: User, path: str, body: dict) -> Callable[[], Any]:
    return partial(client_of(by).post, path, body)


@together
@pytest.mark.usefixtures("_no_two_overlap")
def test_of_a_closure_and_a_booking_at_the_same_moment_one_wins(admin: User, alice: User, room: Resource) -> None:
    days = range(1, 9)
    calls = []
    for day in days:
        calls.append(post(admin, LIST, closure_body(room, start=at(9, day=day), end=at(17, day=day))))
        calls.append(post(alice, "/api/bookings/", booking_body(room, at(10, day=day), at(11, day=day))))
    answers = in_parallel(calls)
    for closing, booking in zip(answers[::2], answers[1::2], strict=True):
        assert (closing.status_code, booking.status_code) in {(201, 400), (409, 201)}
    assert statuses(answers)[201] == len(days)
    assert Booking.taken.count() == len(days)


@together
@pytest.mark.usefixtures("_no_two_overlap")
def test_two_closures_that_cancel_at_once_cancel_each_booking_once(
    admin: User, root: User, alice: User, room: Resource, lab: Resource
) -> None:
    bookings = [make_booking(alice, resource, at(hour)) for hour in (10, 12, 14) for resource in (room, lab)]
    body = closure_body(room, lab, on_conflict="cancel")
    answers = in_parallel([post(by, LIST, body) for by in (admin, root, admin, root)])
    assert statuses(answers) == {201: 1, 409: 3}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"closure_conflicts"}
    assert sorted(booking for _, booking, _ in told()) == sorted(booking.pk for booking in bookings)
    assert closed(room) == closed(lab) == [Interval(at(9), at(17))]


@together
@pytest.mark.usefixtures("_no_two_overlap")
def test_closures_that_name_the_same_resources_in_another_order_do_not_block_each_other(
    admin: User, alice: User
) -> None:
    rooms = [make_resource(f"Room {number}") for number in range(6)]
    for room in rooms:
        for day in range(1, 9):
            make_booking(alice, room, at(10, day=day))
    calls = []
    for day in range(1, 9):
        ordered = rooms if day % 2 else rooms[::-1]
        body = closure_body(*ordered, start=at(9, day=day), end=at(17, day=day), on_conflict="cancel")
        calls.append(post(admin, LIST, body))
    assert statuses(in_parallel(calls)) == {201: 8}
    assert not Booking.objects.blocking().exists()


@together
@pytest.mark.usefixtures("_no_two_overlap")
def test_a_closure_cancels_what_is_there_while_new_bookings_keep_coming(
    admin: User, alice: User, room: Resource
) -> None:
    make_booking(alice, room, at(9), at(9.25))

    def keep_booking(user: User, first: int) -> list[Any]:
        starts = [at(9.25 + (first + step * 4) / 4) for step in range(7)]
        client = client_of(user)
        return [
            client.post("/api/bookings/", booking_body(room, start, start + (at(1) - at(0.75)))) for start in starts
        ]

    users = [make_user(f"rival{index}") for index in range(4)]
    calls: list[Callable[[], Any]] = [partial(keep_booking, user, index) for index, user in enumerate(users)]
    closing, *booked = in_parallel([post(admin, LIST, closure_body(room, on_conflict="cancel")), *calls])
    assert set(statuses([answer for answers in booked for answer in answers])) <= {201, 400}
    assert closing.status_code in {201, 409}
    standing = Booking.objects.blocking().filter(resource=room)
    if closing.status_code == 201:
        assert not standing.exists()
        assert closed(room) == [Interval(at(9), at(17))]
    else:
        assert closing.json()["code"] == "closure_conflicts"
        assert not Booking.objects.filter(status="cancelled").exists()


@together
@pytest.mark.usefixtures("_no_two_overlap")
def test_the_same_closure_changed_lifted_and_robbed_of_its_resource_at_once_fails_nowhere(admin: User) -> None:
    for round_number in range(4):
        room, lab = make_resource(f"Room {round_number}"), make_resource(f"Lab {round_number}")
        closure = make_closure(admin, room, lab)
        address = f"{LIST}{closure.pk}/"
        answers = in_parallel(
            [
                partial(client_of(admin).patch, address, {"end_time": text(at(20))}),
                partial(client_of(admin).patch, address, {"resources": [lab.pk], "on_conflict": "cancel"}),
                partial(client_of(admin).delete, address),
                partial(client_of(admin).delete, f"/api/resources/{room.pk}/"),
            ]
        )
        assert set(statuses(answers)) <= {200, 204, 404}
        assert answers[2].status_code == answers[3].status_code == 204
        assert client_of(admin).get(address).status_code == 404
    assert Booking.taken.count() == Closure.objects.count() == 0


@pytest.mark.only_on_postgresql
@together
@pytest.mark.parametrize("tries", [5, 1])
def test_a_booking_that_comes_between_the_look_and_the_lock_is_cancelled_too(
    admin: User, alice: User, bob: User, room: Resource, monkeypatch: pytest.MonkeyPatch, tries: int
) -> None:
    monkeypatch.setattr("core.lifecycle.closures.TRIES", tries)
    first = make_booking(alice, room)
    with transaction.atomic():
        hold(Resource, room.pk)
        thread = Rival(lambda: make_closure(admin, room, on_conflict=CANCEL))
        thread.start()
        waited = thread.waits()
        second = make_booking(bob, room, at(12))
    thread.join(30)
    assert waited
    cancelled = set(Booking.objects.filter(status="cancelled"))
    if tries == 1:
        assert isinstance(thread.refusal, errors.ClosureConflicts)
        assert [clash.id for clash in thread.refusal.conflicts] == [first.pk, second.pk]
        assert (cancelled, closed(room), Closure.objects.count()) == (set(), [], 0)
    else:
        assert thread.refusal is None
        assert cancelled == {first, second}
        assert closed(room) == [Interval(at(9), at(17))]


@pytest.mark.only_on_postgresql
@together
def test_a_booking_waits_for_a_closure_and_is_refused(admin: User, alice: User, room: Resource) -> None:
    with transaction.atomic():
        make_closure(admin, room)
        thread = Rival(
            lambda: lifecycle.book(
                user=alice, resource_id=room.pk, start_time=at(10), end_time=at(11), act=act(alice, at(8))
            )
        )
        thread.start()
        waited = thread.waits()
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.BookingError)
    assert list(Booking.taken.values_list("kind", flat=True)) == [Kind.CLOSURE]


@pytest.mark.only_on_postgresql
@together
def test_a_closure_begins_anew_when_sql_took_the_time_without_a_lock(admin: User, alice: User, room: Resource) -> None:
    with transaction.atomic():
        insert(alice, None, "booking", room, 10, 11)
        thread = Rival(lambda: make_closure(admin, room, on_conflict=AROUND))
        thread.start()
        waited = thread.waits()
    thread.join(30)
    assert waited
    assert thread.refusal is None
    assert closed(room) == [Interval(at(9), at(10)), Interval(at(11), at(17))]
