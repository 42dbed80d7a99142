"""Made-up worlds: a resource with several rules at once, in a night in which clocks change; and their rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from hypothesis import strategies as st

from core.choices import BookingStatus, Kind
from core.hours import Period, SpecialDays
from core.models import Booking, Closure, OpeningException, OpeningHours, Quota, Resource, ResourcePolicy
from core.tests.support.factories import make_resource
from core.tests.support.judge import Limit, Row, World
from core.tests.support.properties import MINUTE, NIGHTS

DAY = timedelta(days=1)
DAYS = range(1, 8)

TIMES = st.one_of(
    st.sampled_from([time(0), time(1), time(1, 30), time(2), time(2, 30), time(3), time(9), time(18), time(22)]),
    st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 20, 45])),
)
PERIODS = st.lists(st.one_of(st.builds(Period, TIMES, TIMES), st.just(Period(time.min, time.min))), max_size=3).map(
    tuple
)
WEEKS = st.one_of(st.just({}), st.fixed_dictionaries(dict.fromkeys(DAYS, PERIODS)))
USUAL_WEEKS = st.sampled_from(
    [
        {day: (Period(time(9), time(12)), Period(time(13), time(18))) for day in DAYS if day < 7},
        {day: (Period(time(18), time(2)),) for day in DAYS},
        {day: (Period(time(0), time(0)),) for day in DAYS},
        {day: (Period(time(8, 20), time(2, 30)), Period(time(2, 30), time(6))) for day in DAYS},
    ]
)


@st.composite
def special_days(draw: st.DrawFn, change: datetime, *, most: int = 4) -> list[SpecialDays]:
    """Exceptions of one resource and of all, around a night."""
    days = []
    for _ in range(draw(st.integers(0, most))):
        first = (change + draw(st.integers(-3, 3)) * DAY).date()
        last = first + draw(st.integers(0, 3)) * DAY
        periods = draw(st.one_of(st.just(()), PERIODS))
        days.append(SpecialDays(first, last, draw(st.sampled_from("ABC")), periods, draw(st.booleans())))
    return days


VALUES = {
    "min_minutes": [15, 30, 60, 90, 600],
    "max_minutes": [60, 90, 240, 1440, 5000],
    "grid_minutes": [5, 15, 30, 45, 60, 90, 420, 1440],
    "notice_minutes": [0, 20, 60, 600, 1800],
    "advance_days": [1, 2, 3, 30],
    "buffer_before_minutes": [0, 10, 30, 180, 1440],
    "buffer_after_minutes": [0, 10, 45, 240],
    "may_span_closed": [True],
    "no_own_overlap": [True, False],
}


@st.composite
def policies(draw: st.DrawFn) -> dict[str, object]:
    """Up to five rules, of which no two exclude each other."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=5, unique=True))
    policy = {name: draw(st.sampled_from(VALUES[name])) for name in names}
    if policy.get("min_minutes", 0) > policy.get("max_minutes", 5000):
        del policy["min_minutes"]
    return policy


GAPS = st.sampled_from([0, 0, 0, 10, 30, 180, 600])
LIMITS = st.builds(
    lambda kind, period, limit, whose, where: Limit(
        kind, None if kind == "active" else period, limit * (60 if kind == "minutes" else 1), whose, where
    ),
    st.sampled_from(["active", "count", "minutes"]),
    st.sampled_from(["day", "week", "month"]),
    st.integers(1, 5),
    st.sampled_from(["everybody", "my group", "other group"]),
    st.sampled_from(["everywhere", "everywhere", "here", "elsewhere"]),
)


@st.composite
def rows(draw: st.DrawFn, origin: datetime, *, most: int, elsewhere: bool = False) -> list[Row]:
    """What is taken of a resource around a moment; rows never overlap and often touch."""
    found: list[Row] = []
    position = origin + draw(st.integers(-2000, 600)) * MINUTE
    owners = ["me"] if elsewhere else ["another", "another", "me", None]
    for _ in range(draw(st.integers(0, most))):
        start = position + draw(st.one_of(st.just(0), st.integers(0, 40).map(lambda n: n * 15))) * MINUTE
        position = start + draw(st.one_of(st.sampled_from([5, 15, 30, 60]), st.integers(1, 500))) * MINUTE
        owner = draw(st.sampled_from(owners))
        gaps = (draw(GAPS), draw(GAPS)) if owner else (0, 0)
        found.append(Row(start, position, owner, *gaps, elsewhere=elsewhere))
    return found


@st.composite
def moments_near(draw: st.DrawFn, change: datetime, zone: str, week: Mapping[int, Sequence[Period]]) -> datetime:
    """A moment of the two days before a night, often near an opening or a close."""
    clocks = [clock for periods in week.values() for period in periods for clock in (period.opens, period.closes)]
    if not clocks or draw(st.booleans()):
        return change + draw(st.integers(-2800, 400)) * MINUTE
    day = (change + draw(st.integers(-2, 0)) * DAY).date()
    edge = datetime.combine(day, draw(st.sampled_from(clocks)), ZoneInfo(zone)).astimezone(UTC)
    return edge + draw(st.sampled_from([-90, -45, -20, -1, 0, 1, 30])) * MINUTE


@st.composite
def worlds(
    draw: st.DrawFn, *, night: tuple[str, datetime] | None = None, now: datetime | None = None, loans: bool = False
) -> World:
    """A world; its `now` is up to two days before the night.

    Args:
        draw: Draws a value.
        night: A time zone and a moment at which its clock changes; None for any.
        now: The moment of the questions; None for any.
        loans: True for a policy of loans and usual hours.
    """
    zone, change = night or NIGHTS[draw(st.sampled_from(sorted(NIGHTS)))]
    policy = draw(policies())
    weeks = USUAL_WEEKS if loans else st.one_of(WEEKS, USUAL_WEEKS)
    week = {weekday: first_of_each_opening(periods) for weekday, periods in draw(weeks).items()}
    if loans:
        policy = {
            "max_minutes": 5000,
            **policy,
            "may_span_closed": True,
            "min_minutes": draw(st.sampled_from([30, 60])),
        }
    if now is None:
        notice = policy.get("notice_minutes", settings.BOOKING_LEAD_TIME_MINUTES) * MINUTE
        late = timedelta(seconds=draw(st.sampled_from([0, 0, 1, 59])))
        now = draw(moments_near(change, zone, week)) - draw(st.booleans()) * notice + late
    return World(
        now=now,
        zone=zone,
        week=week,
        special=without_ties(draw(special_days(change, most=3))),
        policy=policy,
        rows=[*draw(rows(change, most=6)), *draw(rows(change, most=3, elsewhere=True))],
        limits=draw(st.lists(LIMITS, max_size=2)),
        in_service=draw(st.sampled_from([True] * 19 + [False])),
        lead_minutes=settings.BOOKING_LEAD_TIME_MINUTES,
    )


def without_ties(days: Sequence[SpecialDays]) -> list[SpecialDays]:
    """The special days without those of equal length and level on one day: nobody can enter them."""
    found: list[SpecialDays] = []
    for each in days:
        ties = (
            other.of_all == each.of_all
            and other.last_day - other.first_day == each.last_day - each.first_day
            and other.first_day <= each.last_day
            and each.first_day <= other.last_day
            for other in found
        )
        if not any(ties):
            found.append(each)
    return found


@dataclass(frozen=True)
class Cast:
    """The people of a world: "me" is alice, "another" is bob."""

    me: User
    another: User


@contextmanager
def made(world: World, cast: Cast) -> Iterator[Resource]:
    """The resource of a world with all rows; everything is gone afterwards."""
    with transaction.atomic():
        yield make(world, cast)
        transaction.set_rollback(True)


def make(world: World, cast: Cast, *, name: str = "Here", capacity: int = 4) -> Resource:
    """The rows of a world; exceptions and quotas of all resources are made again with each world."""
    resource = make_resource(
        name,
        capacity=capacity,
        is_available=world.in_service,
        time_zone=world.zone,
    )
    elsewhere = make_resource(f"Not {name}", capacity=1)
    ResourcePolicy.objects.create(resource=resource, **world.policy)
    # At once and without signals: the flags of the resource are written below.
    OpeningHours.objects.bulk_create(
        OpeningHours(resource=resource, weekday=weekday, opens=each.opens, closes=each.closes)
        for weekday, periods in world.week.items()
        for each in periods
    )
    for days in world.special:
        make_exception(days, None if days.of_all else resource)
    for row in world.rows:
        make_row(row, elsewhere if row.elsewhere else resource, cast)
    places = {"everywhere": None, "here": resource, "elsewhere": elsewhere}
    for limit in world.limits:
        group = None
        if limit.whose != "everybody":
            group, _ = Group.objects.get_or_create(name=limit.whose)
        Quota.objects.create(
            group=group, resource=places[limit.where], kind=limit.kind, period=limit.period, limit=limit.limit
        )
    mine, _ = Group.objects.get_or_create(name="my group")
    cast.me.groups.add(mine)
    # The rows of bookings come without the verb, and may be over by the clock of the wall.
    policy = (world.policy.get(f"buffer_{side}_minutes", 0) for side in ("before", "after"))
    rows = (minutes for row in world.rows if not row.elsewhere for minutes in (row.before, row.after))
    Resource.objects.filter(pk=resource.pk).update(has_terms=True, buffer_reach_minutes=max([*policy, *rows]))
    return resource


def first_of_each_opening(periods: Sequence[Period]) -> list[Period]:
    """The periods without a second one of the same opening: nobody can enter it."""
    return list({each.opens: each for each in reversed(periods)}.values())


def make_exception(days: SpecialDays, resource: Resource | None) -> None:
    """The row of special days."""
    hours = [[f"{each.opens:%H:%M}", f"{each.closes:%H:%M}"] for each in days.periods]
    OpeningException.objects.create(
        resource=resource, first_day=days.first_day, last_day=days.last_day, name=days.name, hours=hours
    )


def make_row(row: Row, resource: Resource, cast: Cast) -> None:
    """The row of a booking or of a closure."""
    times = {"start_time": row.start, "end_time": row.end}
    if row.owner is None:
        closure = Closure.objects.create(reason="Repair", created_at=row.start, **times)
        closure.resources.add(resource)
        taken = {"user": None, "kind": Kind.CLOSURE, "closure": closure, "status": BookingStatus.CONFIRMED}
    else:
        status = BookingStatus.PENDING if row.start.minute % 2 else BookingStatus.CONFIRMED
        taken = {"user": cast.me if row.owner == "me" else cast.another, "status": status}
    Booking.taken.create(
        resource=resource, buffer_before_minutes=row.before, buffer_after_minutes=row.after, **times, **taken
    )
