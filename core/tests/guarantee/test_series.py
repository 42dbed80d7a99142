"""Series at the same moment, each with a database connection of its own: whole or not at all, and over nobody else."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from core import errors, lifecycle, rules
from core.choices import BookingStatus, IfRefused, Scope
from core.lifecycle import Changes, Repeat
from core.lifecycle.repeating import local_time, pattern_of
from core.models import Booking, Quota, Resource, Series, SkippedDate
from core.record.kinds import SeriesKind
from core.record.models import BookingEvent
from core.recurrence import Rule, expand
from core.tests.support.acts import act
from core.tests.support.clients import client_of
from core.tests.support.closures import CANCEL, closure_body
from core.tests.support.factories import at, booking_body, make_booking, make_resource, make_user, text
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import Rival, hold, in_parallel
from core.tests.support.series import make_series, series_body

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/series/"
TURNS = 5
NOW = at(0)
DAYS = 6
DAILY = f"FREQ=DAILY;COUNT={DAYS}"


@pytest.fixture(autouse=True)
def _no_two_overlap() -> Iterator[None]:
    """Whatever a test is about: afterwards no two overlap, and each series is whole, with its record."""
    yield
    assert overlapping_pairs() == []
    connection.check_constraints()
    for series in Series.objects.all():
        assert_whole(series)


def assert_whole(series: Series) -> None:
    """The dates of a stored series, with the skipped ones, are those of its rule; and the record has them."""
    rows = list(Booking.objects.filter(series=series).order_by("recurrence_id"))
    skipped = {each.local_start for each in SkippedDate.objects.filter(series=series)}
    found = expand(pattern_of(series), until=NOW + rules.LATEST_END)
    starts = {date.start.isoformat() for date in found.dates}
    ours = [local_time(row.recurrence_id, series.zone).isoformat() for row in rows]
    assert rows
    assert sorted(starts - skipped) == sorted(ours) if series.previous_id is None else set(ours) <= starts
    acts = BookingEvent.objects.filter(kind__in=SeriesKind.values).values_list("pk", flat=True)
    told = BookingEvent.objects.filter(booking_id__in=[row.pk for row in rows])
    assert {each.booking_id for each in told.filter(series_act_id__in=acts)} == {row.pk for row in rows}


def answered(answers: list[Any], *expected: int) -> list[int]:
    """The statuses, each an expected one; no exception, and no answer of a failure."""
    assert [answer for answer in answers if not hasattr(answer, "status_code")] == []
    found = [answer.status_code for answer in answers]
    assert set(found) <= set(expected), [answer.content for answer in answers if answer.status_code not in expected]
    return found


def post(user: User, body: dict[str, Any], *, key: str = "") -> Callable[[], Any]:
    return partial(client_of(user).post, URL, body, **({"HTTP_IDEMPOTENCY_KEY": key} if key else {}))


def patch(user: User, booking: int, body: dict[str, Any], scope: str) -> Callable[[], Any]:
    return partial(client_of(user).patch, f"/api/bookings/{booking}/?scope={scope}", body)


def hours(start: float, end: float, day: int = 1) -> dict[str, str]:
    return {"start_time": text(at(start, day=day)), "end_time": text(at(end, day=day))}


def dates_of(series: dict[str, Any]) -> list[int]:
    """The ids of the bookings of a series, in order."""
    return list(Booking.objects.filter(series=series["id"]).order_by("recurrence_id").values_list("pk", flat=True))


# --- New series -------------------------------------------------------------------------------------------------------


def test_of_two_series_that_alternate_one_is_whole_and_the_other_gets_a_whole_report(
    alice: User, bob: User, room: Resource
) -> None:
    """Each date of one lies between two of the other, and reaches into both."""
    for turn in range(TURNS):
        start = 1 + turn * (DAYS + 2)
        first = series_body(room, DAILY, at(0, day=start)) | {"end_time": text(at(13, day=start))}
        second = series_body(room, DAILY, at(12, day=start)) | {"end_time": text(at(25, day=start))}
        answers = in_parallel([post(alice, first), post(bob, second)])
        assert sorted(answered(answers, 201, 400)) == [201, 400]
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        made = Booking.objects.filter(series=won.json()["id"])
        assert made.count() == DAYS
        body = lost.json()
        assert (body["code"], len(body["dates"])) == ("dates_refused", DAYS)
        assert all(date["conflicts"] for date in body["dates"])
    assert Series.objects.count() == TURNS
    assert Booking.objects.count() == TURNS * DAYS


def test_many_series_that_skip_share_the_dates(room: Resource) -> None:
    people = [make_user(f"person{index}") for index in range(6)]
    bodies = [
        series_body(room, f"FREQ=DAILY;INTERVAL={1 + index % 3};COUNT={12 // (1 + index % 3)}", on_conflict="skip")
        for index in range(len(people))
    ]
    answers = in_parallel([post(user, body) for user, body in zip(people, bodies, strict=True)])
    answered(answers, 201, 400)
    made = sum(len(answer.json()["made"]) for answer in answers if answer.status_code == 201)
    assert made == Booking.objects.count() == 12
    for answer in answers:
        body = answer.json()
        refused = body["skipped"] if answer.status_code == 201 else body["dates"]
        assert {date["code"] for date in refused} <= {"slot_taken"}
    assert Series.objects.count() == sum(answer.status_code == 201 for answer in answers)


def test_a_series_against_single_bookings_of_its_dates(alice: User, bob: User, room: Resource) -> None:
    for turn in range(TURNS):
        body = series_body(room, DAILY, at(8 + 2 * turn))
        singles = [booking_body(room, at(8 + 2 * turn, day=day)) for day in range(1, DAYS + 1, 2)]
        calls = [post(alice, body), *(partial(client_of(bob).post, "/api/bookings/", each) for each in singles)]
        series, *others = in_parallel(calls)
        answered([series, *others], 201, 400)
        if series.status_code == 201:
            assert {answer.status_code for answer in others} == {400}
        else:
            booked = {answer.json()["start_time"] for answer in others if answer.status_code == 201}
            assert {date["start_time"] for date in series.json()["dates"]} <= booked
            assert not Series.objects.filter(local_start__contains=f"T{8 + 2 * turn:02}").exists()


@pytest.mark.parametrize("what", ["quota", "own overlap"])
def test_two_series_of_one_person_do_not_pass_a_limit_together(alice: User, admin: User, what: str) -> None:
    resources = [make_resource(f"Desk {index}") for index in range(3)]
    if what == "quota":
        Quota.objects.create(kind="active", limit=DAYS + 2)
    else:
        for resource in resources:
            client_of(admin).put(f"/api/resources/{resource.pk}/policy/", {"no_own_overlap": True})
    answers = in_parallel([post(alice, series_body(resource, DAILY)) for resource in resources])
    assert sorted(answered(answers, 201, 400)) == [201, 400, 400]
    code = "quota_exceeded" if what == "quota" else "overlaps_own"
    for answer in answers:
        if answer.status_code == 400:
            assert {date["code"] for date in answer.json()["dates"]} == {code}
    assert alice.bookings.count() == DAYS


def test_the_same_key_at_once_makes_one_series(alice: User, room: Resource) -> None:
    answers = in_parallel([post(alice, series_body(room, DAILY), key="series-7") for _ in range(6)])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (Series.objects.count(), Booking.objects.count()) == (1, DAYS)
    assert BookingEvent.objects.count() == DAYS + 1


def test_a_series_and_a_closure_that_cancels_what_is_in_its_way(alice: User, admin: User, room: Resource) -> None:
    for turn in range(TURNS):
        start = 1 + turn * (DAYS + 2)
        closure = closure_body(room, start=at(0, day=start), end=at(0, day=start + DAYS), on_conflict=CANCEL)
        answers = in_parallel(
            [
                post(alice, series_body(room, DAILY, at(10, day=start))),
                partial(client_of(admin).post, "/api/closures/", closure),
            ]
        )
        answered(answers, 201, 400)
        assert answers[1].status_code == 201, answers[1].content
        if answers[0].status_code == 400:
            assert {date["code"] for date in answers[0].json()["dates"]} == {"closed"}
        assert not Booking.objects.blocking().exists()


# --- Changes ----------------------------------------------------------------------------------------------------------


def test_a_series_that_moves_against_bookings_and_closures_of_its_targets(
    alice: User, bob: User, admin: User, room: Resource
) -> None:
    for turn in range(TURNS):
        start = 1 + turn * (DAYS + 2)
        series = make_series(client_of(alice), room, DAILY, start=at(10, day=start))
        first, *_ = dates_of(series)
        closed = closure_body(room, start=at(13, day=start + 4), end=at(14, day=start + 4))
        series_moved, *others = in_parallel(
            [
                patch(alice, first, hours(13, 14, day=start), "all"),
                partial(client_of(bob).post, "/api/bookings/", booking_body(room, at(13.5, day=start + 1))),
                partial(client_of(bob).post, "/api/bookings/", booking_body(room, at(10.5, day=start + 2))),
                partial(client_of(admin).post, "/api/closures/", closed),
            ]
        )
        answered([series_moved], 200, 400)
        answered(others, 201, 400, 409)
        at_hours = set(Booking.objects.filter(series=series["id"]).values_list("start_time__hour", flat=True))
        assert at_hours == ({13} if series_moved.status_code == 200 else {10})
        if series_moved.status_code == 400:
            assert {date["code"] for date in series_moved.json()["dates"]} <= {"slot_taken", "closed"}


def test_two_edits_of_one_series_come_one_after_the_other(alice: User, admin: User, room: Resource) -> None:
    """Each moves every date onto the place of its neighbour."""
    body = series_body(room, DAILY, at(0)) | {"end_time": text(at(24))}
    series = client_of(alice).post(URL, body).json()
    first, *_, last = dates_of(series)
    for turn in range(TURNS):
        hour = 1 + turn
        answers = in_parallel(
            [
                patch(alice, first, hours(hour, hour + 24), "all"),
                patch(admin, last, {"notes": f"Turn {turn}"}, "all"),
                patch(admin, last, hours(hour + 8, hour + 32, day=DAYS), "all"),
            ]
        )
        answered(answers, 200)
        rows = list(Booking.objects.filter(series=series["id"]).order_by("start_time"))
        assert [row.pk for row in rows] == dates_of(series)
        assert {row.start_time.hour for row in rows} in ({hour}, {hour + 8})
        assert {row.notes for row in rows} == {f"Turn {turn}"}
        assert all(row.recurrence_id == row.start_time for row in rows)


def test_a_date_that_is_cancelled_while_all_move_is_cancelled(alice: User, room: Resource) -> None:
    for turn in range(TURNS):
        series = make_series(client_of(alice), room, DAILY, start=at(6, day=1 + turn * DAYS))
        ids = dates_of(series)
        cancelled = [ids[-1], ids[2]]
        move = patch(alice, ids[0], hours(8, 9, day=1 + turn * DAYS), "all")
        singles = [partial(client_of(alice).delete, f"/api/bookings/{pk}/") for pk in cancelled]
        some = partial(client_of(alice).post, f"{URL}{series['id']}/cancel/", {"ids": ids[3:5]})
        moved, *others, many = in_parallel([move, *singles, some])
        answered([moved, many], 200)
        answered(others, 204)
        rows = Booking.objects.in_bulk(ids)
        assert {pk for pk in ids if not rows[pk].blocks} == {*cancelled, *ids[3:5]}
        assert {rows[pk].start_time.hour for pk in ids if rows[pk].blocks} == {8}


def test_a_split_against_edits_and_another_split(alice: User, admin: User, room: Resource) -> None:
    for turn in range(TURNS):
        start = 1 + turn * DAYS
        series = make_series(client_of(alice), room, DAILY, start=at(6, day=start))
        ids = dates_of(series)
        answers = in_parallel(
            [
                patch(alice, ids[2], hours(8, 9, day=start + 2), "following"),
                patch(admin, ids[4], hours(12, 13, day=start + 4), "following"),
                patch(alice, ids[0], hours(15, 16, day=start), "all"),
                patch(admin, ids[5], {"notes": "Together"}, "all"),
            ]
        )
        answered(answers, 200, 409)
        assert 200 in [answer.status_code for answer in answers]
        rows = Booking.objects.filter(pk__in=ids)
        assert all(row.series_id for row in rows)
        assert all(row.recurrence_id == row.start_time for row in rows)
        assert {row.status for row in rows} == {BookingStatus.CONFIRMED}


def test_all_are_cancelled_while_dates_change_alone(alice: User, admin: User, room: Resource, lab: Resource) -> None:
    for turn in range(TURNS):
        start = 1 + turn * DAYS
        series = make_series(client_of(alice), room, DAILY, start=at(6, day=start))
        ids = dates_of(series)
        calls = [partial(client_of(alice).delete, f"{URL}{series['id']}/")]
        calls += [partial(client_of(admin).patch, f"/api/bookings/{pk}/", {"resource": lab.pk}) for pk in ids[::2]]
        deleted, *others = in_parallel(calls)
        answered([deleted], 204)
        answered(others, 200)
        assert not Booking.objects.blocking().filter(pk__in=ids).exists()


def test_series_that_change_their_resources_in_opposite_ways_do_not_lock_each_other_out(alice: User, bob: User) -> None:
    here, there = make_resource("Here"), make_resource("There")
    series = [make_series(client_of(alice), here, DAILY), make_series(client_of(bob), there, DAILY, start=at(14))]

    def to_and_fro(user: User, booking: int, ways: list[Resource]) -> list[int]:
        return [patch(user, booking, {"resource": ways[turn % 2].pk}, "all")().status_code for turn in range(6)]

    answers = in_parallel(
        [
            partial(to_and_fro, alice, dates_of(series[0])[0], [there, here]),
            partial(to_and_fro, bob, dates_of(series[1])[-1], [here, there]),
            *(
                partial(to_and_fro_alone, user, dates_of(one)[3], [here, there])
                for user, one in zip((alice, bob), series, strict=True)
            ),
        ]
    )
    assert all(isinstance(answer, list) for answer in answers), answers
    assert {status for answer in answers for status in answer} == {200}


def to_and_fro_alone(user: User, booking: int, ways: list[Resource]) -> list[int]:
    return [patch(user, booking, {"resource": ways[turn % 2].pk}, "this")().status_code for turn in range(6)]


# --- The order of locks -----------------------------------------------------------------------------------------------


def book(user: User, resource: Resource, start: float = 10, **more: Any) -> lifecycle.Outcome:
    repeat = Repeat(Rule.parse(DAILY), at(start), at(start + 1), time_zone="UTC")
    return lifecycle.book_series(user=user, resource_id=resource.pk, repeat=repeat, act=act(user, NOW), **more)


@pytest.mark.only_on_postgresql
def test_a_new_series_waits_for_whoever_holds_the_resource_and_sees_what_they_booked(
    alice: User, bob: User, room: Resource
) -> None:
    with transaction.atomic():
        hold(Resource, room.pk)
        thread = Rival(lambda: book(alice, room))
        thread.start()
        waited = thread.waits()
        make_booking(bob, room, at(10.5, day=3))
    thread.join(30)
    assert waited
    assert isinstance(thread.refusal, errors.DatesRefused)
    assert [each.error.code for each in thread.refusal.dates] == ["slot_taken"]
    assert not isinstance(thread.refusal.__context__, IntegrityError), "the look found it, before the database had to"


@pytest.mark.only_on_postgresql
def test_what_else_could_be_booked_is_looked_for_without_a_lock(
    alice: User, bob: User, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_booking(bob, room, at(10.5, day=3))
    seen: list[bool] = []
    suggest = lifecycle.ground.Ground.suggest
    monkeypatch.setattr(
        lifecycle.ground.Ground,
        "suggest",
        lambda self, wishes: (seen.append(connection.in_atomic_block), suggest(self, wishes))[1],
    )
    with pytest.raises(errors.DatesRefused):
        book(alice, room)
    assert seen == [False]


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("held", range(6))
def test_the_locks_of_a_move_are_taken_in_the_fixed_order(alice: User, held: int) -> None:
    """Series, bookings by id, resources by id, the user: whoever waits for one of them holds those before it alone."""
    there, here = (make_resource(name) for name in ("There", "Here"))
    Quota.objects.create(kind="active", limit=100)
    made = book(alice, here)
    assert made.series is not None
    first, *_, last = made.bookings
    rows: list[Model] = [made.series, first, last, there, here, alice]
    changes = Changes(start_time=at(12), end_time=at(13), resource_id=there.pk)
    with transaction.atomic():
        hold(type(rows[held]), rows[held].pk)
        thread = Rival(lambda: lifecycle.change_dates(first, scope=Scope.ALL, changes=changes, act=act(alice, NOW)))
        thread.start()
        waited = thread.waits()
        free = [is_free(row) for row in rows[:held] + rows[held + 1 :]]
    thread.join(30)
    assert (waited, thread.refusal) == (True, None)
    assert free == [False] * held + [True] * (len(rows) - held - 1)


@pytest.mark.only_on_postgresql
@pytest.mark.parametrize("verb", ["cancel_some", "change_notes", "cancel_dates"])
def test_verbs_of_a_series_wait_for_whoever_changes_it(alice: User, room: Resource, verb: str) -> None:
    made = book(alice, room)
    assert made.series is not None
    series, first, acting = made.series, made.bookings[0], act(alice, NOW)
    verbs = {
        "cancel_some": lambda: lifecycle.cancel_some(series, act=acting),
        "change_notes": lambda: lifecycle.change_notes(series, notes="New", act=acting),
        "cancel_dates": lambda: lifecycle.cancel_dates(first, scope=Scope.ALL, act=acting),
    }
    with transaction.atomic():
        hold(Series, series.pk)
        thread = Rival(verbs[verb])
        thread.start()
        waited = thread.waits()
        assert is_free(first), "the series comes before its bookings"
    thread.join(30)
    assert (waited, thread.refusal) == (True, None)


@pytest.mark.only_on_postgresql
def test_the_limits_of_the_person_are_looked_at_under_the_lock_of_the_user(alice: User, room: Resource) -> None:
    Quota.objects.create(kind="active", limit=DAYS)
    lab = make_resource("Other")
    with transaction.atomic():
        hold(User, alice.pk)
        thread = Rival(lambda: book(alice, room, on_conflict=IfRefused.SKIP))
        thread.start()
        waited = thread.waits()
        make_booking(alice, lab, at(15))
    thread.join(30)
    assert (waited, thread.refusal) == (True, None)
    assert [each.error and each.error.code for each in thread.answer.verdicts] == [None] * 5 + ["quota_exceeded"]


def is_free(row: Model) -> bool:
    """Whether nobody else has locked the row."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    return rows.select_for_update(skip_locked=True, no_key=True).exists()


# --- The database -----------------------------------------------------------------------------------------------------


def test_a_date_of_a_series_is_there_once(alice: User, room: Resource) -> None:
    made = book(alice, room)
    twin = made.bookings[0]
    twin.pk, twin.calendar_uid, twin.status = None, uuid4(), BookingStatus.CANCELLED
    with pytest.raises(IntegrityError, match="series"), transaction.atomic():
        twin.save(force_insert=True)
