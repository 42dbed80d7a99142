"""Each date of a series obeys every rule and quota as if it was booked alone, or moved alone.

Each example is a made-up world with several rules at once, in a night in which clocks change. The same is done twice,
date by date with the verbs of single bookings, and by the verb of the series.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from core import errors, lifecycle, rules
from core.choices import IfRefused, Scope, Waivable
from core.errors import BookingError
from core.intervals import Interval
from core.lifecycle import Changes, Repeat
from core.models import Booking, Resource, ResourcePolicy, Series, SkippedDate
from core.querysets import BUFFERS
from core.record.acts import Act
from core.record.models import BookingEvent
from core.recurrence import expand
from core.tests.support.acts import act
from core.tests.support.judge import World
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.properties import MINUTE, several
from core.tests.support.repeats import worlds_of_series
from core.tests.support.worlds import Cast, made

pytestmark = pytest.mark.django_db

# What differs between two rows of one booking, or is known of dates of a series alone.
OF_THE_ROW = {"id", "calendar_uid", "created_at", "updated_at", "series", "recurrence_id"}

NOT_ON_THE_CLOCK = errors.NotOnTheClock.code
# So many moves are tried of one series.
MOVES = 4


@pytest.fixture
def cast(alice: User, bob: User) -> Cast:
    return Cast(alice, bob)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def code_of(verb: Callable[[], Booking]) -> str | Booking:
    """The code of the refusal of a verb; its booking if it has none."""
    try:
        return verb()
    except BookingError as error:
        return error.code


def columns(booking: Booking) -> dict[str, object]:
    row = Booking.objects.get(pk=booking.pk)
    return {each.name: getattr(row, each.attname) for each in row._meta.concrete_fields if each.name not in OF_THE_ROW}


def told(booking: Booking) -> list[tuple[object, ...]]:
    """The rows of the record about a booking, without what is of this row alone."""
    found = []
    for row in BookingEvent.objects.filter(booking_id=booking.pk).order_by("pk"):
        facts = copy.deepcopy(row.facts)
        for state in ("before", "after"):
            for name in ("id", "calendar_uid", "series_id", "recurrence_id", "created_at", "updated_at"):
                facts.get(state, {}).get("booking", {}).pop(name, None)
        kept = (row.at, row.kind, row.resource_id, row.owner_id, row.actor_id, row.part, row.waived, row.reason)
        found.append((*kept, row.owner_words, facts))
    return found


def slots_of(repeat: Repeat, world: World) -> list[Interval]:
    """The slots of a series."""
    zone = ZoneInfo(repeat.time_zone or world.zone)
    return [date.slot for date in expand(repeat.pattern(zone), until=world.now + rules.LATEST_END).dates]


def books(cast: Cast, resource: Resource, acting: Act, **more: object) -> dict[str, object]:
    return {"user": cast.me, "resource_id": resource.pk, "notes": "Weekly", "act": acting, **more}


@several
@given(data=st.data())
def test_a_series_is_what_single_bookings_in_its_order_are(cast: Cast, admin: User, data: st.DataObject) -> None:
    world, wanted = data.draw(worlds_of_series())
    with made(world, cast) as resource:
        for repeat in wanted:
            Resource.objects.filter(pk=resource.pk).update(requires_approval=data.draw(st.booleans()))
            acting = act(data.draw(st.sampled_from([cast.me, cast.me, admin])), world.now)
            override = data.draw(st.lists(st.sampled_from(Waivable.values), max_size=3, unique=True))
            status = data.draw(st.sampled_from([None, "pending"]))
            with undone():
                judge_series(repeat, world, books(cast, resource, acting, override=override, status=status))


def judge_series(repeat: Repeat, world: World, common: dict[str, object]) -> None:
    """Books a series in all its ways, and compares."""
    try:
        slots = slots_of(repeat, world)
    except BookingError as error:
        with pytest.raises(type(error)):
            lifecycle.book_series(repeat=repeat, **common)
        return
    with undone():
        alone = [code_of(book_at(slot, common)) for slot in slots]
        wanted = [each if isinstance(each, str) else (columns(each), told(each)) for each in alone]
    if any(second.start < first.end for first, second in pairwise(slots)):
        with pytest.raises(errors.SeriesOverlapsItself):
            lifecycle.book_series(repeat=repeat, on_conflict=IfRefused.SKIP, **common)
        return
    looked = lifecycle.book_series(repeat=repeat, dry_run=True, **common)
    codes = [each if isinstance(each, str) else "" for each in wanted]
    assert [each.error.code if each.error else "" for each in looked.verdicts if each.slot] == codes
    assert not Series.objects.exists()
    if any(codes):
        with pytest.raises(errors.DatesRefused) as refused:
            lifecycle.book_series(repeat=repeat, on_conflict=IfRefused.SKIP if all(codes) else IfRefused.FAIL, **common)
        assert [each.error.code for each in refused.value.dates] == [code for code in codes if code]
        assert not Series.objects.exists()
    if all(codes):
        return
    done = lifecycle.book_series(repeat=repeat, on_conflict=IfRefused.SKIP, **common)
    assert [(columns(each), told(each)) for each in done.bookings] == [w for w in wanted if not isinstance(w, str)]
    assert [each.recurrence_id for each in done.bookings] == [each.start_time for each in done.bookings]
    skipped = SkippedDate.objects.filter(series=done.series).exclude(code=NOT_ON_THE_CLOCK)
    assert sorted(each.code for each in skipped) == sorted(code for code in codes if code)
    assert_suggestions_hold(done.verdicts, common)
    assert overlapping_pairs() == []


def book_at(slot: Interval, common: dict[str, object]) -> Callable[[], Booking]:
    return lambda: lifecycle.book(start_time=slot.start, end_time=slot.end, **common)


def assert_suggestions_hold(verdicts: list[errors.Verdict], common: dict[str, object]) -> None:
    """Each suggestion can be booked beside the dates that were made."""
    for verdict in verdicts:
        suggestion = getattr(verdict.error, "suggestion", None)
        if suggestion is not None:
            with undone():
                assert isinstance(code_of(book_at(suggestion, common | {"override": ()})), Booking), suggestion


# --- Moves ------------------------------------------------------------------------------------------------------------


@several
@given(data=st.data())
def test_a_series_that_moves_is_what_single_bookings_that_move_are(
    cast: Cast, admin: User, data: st.DataObject
) -> None:
    world, (repeat, *_) = data.draw(worlds_of_series())
    with made(world, cast) as resource:
        Resource.objects.filter(pk=resource.pk).update(requires_approval=data.draw(st.booleans()))
        booked = act(admin, world.now)
        try:
            done = lifecycle.book_series(
                repeat=repeat,
                on_conflict=IfRefused.SKIP,
                override=data.draw(st.sampled_from([(), Waivable.values, Waivable.values])),
                **books(cast, resource, booked),
            )
        except BookingError:
            return
        elsewhere = Resource.objects.get(name="Not Here").pk
        for _ in range(MOVES):
            later = world.now + data.draw(st.sampled_from([0, 0, 0, 1500, 4000])) * MINUTE
            coming = [each for each in done.bookings if each.end_time > later]
            if not coming:
                continue
            named = data.draw(st.sampled_from(coming))
            changes = Changes(
                start_time=named.start_time + data.draw(st.sampled_from([0, 0, 15, 60, -60, 600, 1440])) * MINUTE,
                end_time=named.end_time + data.draw(st.sampled_from([0, 15, 60, -10, 600, 1440])) * MINUTE,
                resource_id=data.draw(st.sampled_from([None, None, elsewhere])),
                notes=data.draw(st.sampled_from([None, "New"])),
            )
            if changes.end_time <= changes.start_time:
                continue
            acting = act(data.draw(st.sampled_from([cast.me, admin])), later)
            override = data.draw(st.sampled_from([(), Waivable.values]))
            wanted = moved_alone(done.series, coming, named, changes, acting, override)
            with undone():
                judge_move(named, changes, wanted, acting, override)
                assert overlapping_pairs() == []


@dataclass(frozen=True)
class Alone:
    """What became of a date that moved alone.

    Attributes:
        start: The start that a refusal of the series names.
        code: The code of the refusal; None if it moved, empty if nobody can tell.
        target: Where it went; None if the clock skips its start.
        is_whole: Whether all other dates were where they go.
        columns: Its columns afterwards.
        told: The last row of the record about it.
    """

    start: datetime
    code: str | None
    target: Changes | None
    is_whole: bool = True
    columns: dict[str, object] | None = None
    told: list[tuple[object, ...]] | None = None


# The refusals that depend on the other dates, of which some may be where they are refused.
OF_OTHERS = {"too_close", "overlaps_own", "quota_exceeded", None}
OF_ITSELF = {NOT_ON_THE_CLOCK, "too_late_to_change", "too_late_to_cancel", "booking_expired", "status_not_allowed"}


def moved_alone(
    series: Series, rows: list[Booking], named: Booking, changes: Changes, acting: Act, override: object
) -> dict[int, Alone]:
    """What becomes of each date that moves alone, in a world where all others are where they go already."""
    targets = {row.pk: target_of(series, row, named, changes, acting.now) for row in rows}
    found: dict[int, Alone] = {}
    for row in rows:
        target = targets[row.pk]
        if target is None:
            found[row.pk] = Alone(row.start_time, NOT_ON_THE_CLOCK, None)
            continue
        with undone():
            is_whole = put_others(row, rows, targets)
            if Booking.taken.within(row.slot, resource_id=row.resource_id).exists():
                found[row.pk] = Alone(target.start_time, "", target)  # nobody can tell: others go where it comes from
                continue
            Booking.objects.filter(pk=row.pk).update(status=row.status)
            answer = code_of(partial(lifecycle.change, row, changes=target, act=acting, override=override))
            if isinstance(answer, str):
                found[row.pk] = Alone(target.start_time, answer, target, is_whole)
            else:
                found[row.pk] = Alone(answer.start_time, None, target, is_whole, columns(answer), told(answer)[-1:])
    return found


def target_of(series: Series, row: Booking, named: Booking, changes: Changes, now: datetime) -> Changes | None:
    """Where a date goes, by the definition alone; None if the clock skips its start."""
    place = changes.resource_id or row.resource_id
    start, end = row.start_time, row.end_time
    zone = series.zone
    if row.pk == named.pk:
        return changes
    if (changes.start_time, changes.end_time) != (named.start_time, named.end_time):
        was, first, last = (clock(moment, zone) for moment in (named.start_time, changes.start_time, changes.end_time))
        here = clock(start, zone)
        # Dates that were added to the rule may have a time of day of their own.
        wanted = here + (first - was) if changes.start_time != named.start_time else here
        start, end = (each.replace(tzinfo=zone).astimezone(UTC) for each in (wanted, wanted + (last - first)))
        if clock(start, zone) != wanted:
            start = None
    has_begun = row.start_time <= now
    if has_begun and (start != row.start_time or place != row.resource_id):
        return Changes(start_time=row.start_time, end_time=row.end_time, notes=changes.notes)
    if start is None:
        return None
    return Changes(start_time=start, end_time=end, resource_id=place, notes=changes.notes)


def clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def put_others(row: Booking, rows: list[Booking], targets: dict[int, Changes | None]) -> bool:
    """Puts the other dates where they go, and takes this one away; False if not all of them can be there."""
    Booking.objects.filter(pk__in=[each.pk for each in rows]).update(status="cancelled")
    is_whole = True
    for other in rows:
        target = targets[other.pk]
        if other.pk == row.pk:
            continue
        if target is None:
            is_whole = False
            continue
        slot, place = Interval(target.start_time, target.end_time), target.resource_id or other.resource_id
        if Booking.taken.within(slot, resource_id=place).exists():
            is_whole = False
            continue
        gaps = {name: getattr(other, name) for name in BUFFERS}
        if place != other.resource_id or not other.slot.contains(slot):
            policy = ResourcePolicy.objects.filter(resource=place).first()
            gaps = {name: getattr(policy, name, None) or 0 for name in BUFFERS}
        Booking.objects.filter(pk=other.pk).update(
            start_time=slot.start, end_time=slot.end, resource=place, status=other.status, **gaps
        )
    return is_whole


def judge_move(named: Booking, changes: Changes, wanted: dict[int, Alone], acting: Act, override: object) -> None:
    """Moves the series, and compares."""
    before = {pk: columns(Booking.objects.get(pk=pk)) for pk in wanted}
    move = partial(lifecycle.change_dates, named, scope=Scope.ALL, changes=changes, act=acting, override=override)
    is_vague = any(not each.is_whole or each.code in OF_ITSELF for each in wanted.values())
    try:
        move()
    except errors.SeriesOverlapsItself:
        slots = [
            (each.target.resource_id or before[pk]["resource"], Interval(each.target.start_time, each.target.end_time))
            for pk, each in wanted.items()
            if each.target
        ]
        assert any(one[0] == two[0] and one[1].clip(two[1]) for one, two in combinations(slots, 2))
        assert {pk: columns(Booking.objects.get(pk=pk)) for pk in wanted} == before
        return
    except errors.DatesRefused as refusal:
        refused = {each.slot.start: each.error.code for each in refusal.dates}
        assert {pk: columns(Booking.objects.get(pk=pk)) for pk in wanted} == before
    else:
        refused = {}
    for pk, each in wanted.items():
        code = refused.get(each.start)
        if each.code == "":
            continue
        assert code == each.code or (is_vague and {code, each.code} <= OF_OTHERS), (each, refused)
        if not refused and each.code is None:
            booking = Booking.objects.get(pk=pk)
            assert (columns(booking), told(booking)[-1:]) == (each.columns, each.told)
