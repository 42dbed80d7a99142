"""The judge of bookings: may a person book a slot at a moment, and which rule refuses first?

Written from the text of the rules alone: minute by minute, without any care for speed. Nothing comes from the code that
is judged. All moments are in UTC.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.hours import Period, SpecialDays
from core.tests.support.open_time import OpenTime
from core.tests.support.oracle import MINUTE, Span, minutes

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
FIVE_YEARS = 1826 * DAY
# One walk over the minutes answers for so many days; the first walk begins a day before now.
WALK = 5 * DAY


@dataclass(frozen=True)
class Row:
    """A booking or a closure.

    Attributes:
        owner: "me" or "another"; None for a closure.
        before: The gap that was asked for before it, in minutes.
        after: The gap after it.
        elsewhere: True if it is on another resource.
    """

    start: datetime
    end: datetime
    owner: str | None = "another"
    before: int = 0
    after: int = 0
    elsewhere: bool = False

    def overlaps(self, start: datetime, end: datetime) -> bool:
        return self.start < end and start < self.end


@dataclass(frozen=True)
class Limit:
    """A quota.

    Attributes:
        whose: "everybody", "my group" or "other group".
        where: "everywhere", "here" or "elsewhere".
    """

    kind: str
    period: str | None
    limit: int
    whose: str = "everybody"
    where: str = "everywhere"

    @property
    def is_about_me(self) -> bool:
        return self.whose != "other group" and self.where != "elsewhere"


@dataclass(frozen=True)
class World:
    """A resource, what staff set for it, and what is booked; `now` is the moment of all questions."""

    now: datetime
    zone: str = "UTC"
    week: Mapping[int, Sequence[Period]] = field(default_factory=dict)
    special: Sequence[SpecialDays] = ()
    policy: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    limits: Sequence[Limit] = ()
    in_service: bool = True
    lead_minutes: int = 30

    def only_own(self) -> "World":
        """The world without what is not of its resource alone."""
        own = [row for row in self.rows if not row.elsewhere]
        return replace(self, special=[days for days in self.special if not days.of_all], rows=own, limits=[])

    def joined_by(self, other: "World") -> "World":
        """The world with the person's bookings of another resource."""
        mine = [replace(row, elsewhere=True, before=0, after=0) for row in other.rows if row.owner == "me"]
        return replace(self, rows=[*self.rows, *mine])

    def beside(self, other: "World") -> "World":
        """The world as it is beside another one, whose exceptions and quotas of all hold here, too."""
        of_all = [days for days in other.special if days.of_all]
        limits = [limit for limit in other.limits if limit.where == "everywhere"]
        return replace(self.joined_by(other), special=[*self.special, *of_all], limits=limits)


def floor(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def ceiling(moment: datetime) -> datetime:
    return floor(moment + MINUTE - TICK)


class Judge:
    """Answers for one world."""

    def __init__(self, world: World) -> None:
        self.world, self.policy, self.now = world, world.policy, world.now
        self.here = sorted((row for row in world.rows if not row.elsewhere), key=lambda row: row.start)
        self.mine = [row for row in world.rows if row.owner == "me"]
        self.zone = ZoneInfo(world.zone)
        # What was worked out before.
        self.walks: dict[datetime, Walk] = {}
        self.used: dict[tuple[Limit, tuple[Span, ...]], Mapping[object, timedelta]] = {}
        self.periods: dict[tuple[datetime, str | None], object] = {}

    def refusal(self, start: datetime, end: datetime, *, whoever: bool = False) -> str | None:
        """The code of the first rule that refuses the booking; None if it is accepted.

        Args:
            start: The start.
            end: The end.
            whoever: True to leave out what depends on the person.
        """
        codes = (*self.of_the_resource(start, end), *([] if whoever else self.of_the_person(start, end)))
        return next((code for code in codes if code), None)

    def accepts(self, start: datetime, end: datetime, *, whoever: bool = False) -> bool:
        return self.refusal(start, end, whoever=whoever) is None

    def of_the_resource(self, start: datetime, end: datetime) -> Iterator[str | None]:
        policy, length = self.policy, end - start
        notice = policy.get("notice_minutes")
        yield "end_not_after_start" if end <= start else None
        yield "start_in_past" if start < self.now else None
        yield "end_in_past" if end <= self.now else None
        yield "start_too_soon" if start < self.now + self.minutes_or(notice, self.world.lead_minutes) else None
        yield "too_far_ahead" if end > self.now + FIVE_YEARS else None
        days = policy.get("advance_days")
        yield "too_far_ahead" if days is not None and end > self.now + days * DAY else None
        yield None if self.world.in_service else "resource_out_of_service"
        yield "too_short" if length < self.minutes_or(policy.get("min_minutes"), 0) else None
        longest = policy.get("max_minutes")
        yield "too_long" if longest is not None and length > longest * MINUTE else None
        yield None if self.on_grid(start, as_end=False) and self.on_grid(end, as_end=True) else "off_grid"
        yield self.closed_hours(start, end)
        in_the_way = [row for row in self.here if row.overlaps(start, end)]
        yield "closed" if any(row.owner is None for row in in_the_way) else None
        yield "slot_taken" if in_the_way else None
        yield "too_close" if any(self.too_close(row, start, end) for row in self.here if row.owner) else None

    def of_the_person(self, start: datetime, end: datetime) -> Iterator[str | None]:
        overlap = any(row.overlaps(start, end) for row in self.mine)
        yield "overlaps_own" if self.policy.get("no_own_overlap") and overlap else None
        for limit in self.world.limits:
            yield "quota_exceeded" if limit.is_about_me and self.exceeds(limit, start, end) else None

    def minutes_or(self, number: int | None, otherwise: int) -> timedelta:
        return (otherwise if number is None else number) * MINUTE

    def walk(self, moment: datetime) -> "Walk":
        """The walk over the minutes around the moment."""
        began = self.now.replace(hour=0, minute=0, second=0, microsecond=0) - DAY
        start = began + (moment - began) // WALK * WALK
        if start not in self.walks:
            self.walks[start] = Walk(start, self.world)
        return self.walks[start]

    def on_grid(self, moment: datetime, *, as_end: bool) -> bool:
        step = self.policy.get("grid_minutes")
        if step is None:
            return True
        return floor(moment) == moment and self.walk(moment).open_time.on_grid(moment, step, as_end=as_end)

    def is_open(self, minute: datetime) -> bool:
        return minute in self.walk(minute).open_time.open

    def closed_hours(self, start: datetime, end: datetime) -> str | None:
        first, last = floor(start), floor(end - TICK)
        if self.policy.get("may_span_closed"):
            closed = next((minute for minute in (first, last) if not self.is_open(minute)), None)
        else:
            closed = self.first_closed(first, last)
        if closed is None:
            return None
        open_time = self.walk(closed).open_time
        special = open_time.governing(open_time.local[closed].date())
        return "closed" if special and not special.periods else "outside_opening_hours"

    def first_closed(self, first: datetime, last: datetime) -> datetime | None:
        """The first closed one of the minutes from the first to the last."""
        while first <= last:
            walk = self.walk(first)
            following = walk.closed[bisect_left(walk.closed, first) :][:1]
            if following:
                return following[0] if following[0] <= last else None
            first = walk.end
        return None

    def too_close(self, row: Row, start: datetime, end: datetime) -> bool:
        before, after = (self.policy.get(f"buffer_{side}_minutes") or 0 for side in ("before", "after"))
        if row.end <= start:
            return start - row.end < max(row.after, before) * MINUTE
        return row.start - end < max(after, row.before) * MINUTE

    def exceeds(self, limit: Limit, start: datetime, end: datetime) -> bool:
        rows = [row for row in self.mine if limit.where == "everywhere" or not row.elsewhere]
        if limit.kind == "active":
            return sum(row.end > self.now for row in rows) + 1 > limit.limit
        if limit.kind == "count":
            period = self.period(start, limit)
            return sum(self.period(row.start, limit) == period for row in rows) + 1 > limit.limit
        used = self.minutes_used(limit, tuple((row.start, row.end) for row in rows))
        wanted = self.minutes_used(limit, ((start, end),))
        return any(used.get(period, 0 * MINUTE) + more > limit.limit * MINUTE for period, more in wanted.items())

    def minutes_used(self, limit: Limit, spans: tuple[Span, ...]) -> Mapping[object, timedelta]:
        """How much of each local day, week or month the spans use."""
        if (limit, spans) in self.used:
            return self.used[limit, spans]
        used: dict[object, timedelta] = {}
        for first, last in spans:
            for minute in minutes(floor(first), last):
                inside = min(minute + MINUTE, last) - max(minute, first)
                period = self.period(minute, limit)
                used[period] = used.get(period, 0 * MINUTE) + inside
        self.used[limit, spans] = used
        return used

    def period(self, moment: datetime, limit: Limit) -> object:
        """The name of the local day, week or month of a moment."""
        if (moment, limit.period) not in self.periods:
            day = moment.astimezone(self.zone).date()
            names = {"day": day, "week": day.isocalendar()[:2], "month": (day.year, day.month)}
            self.periods[moment, limit.period] = names[str(limit.period)]
        return self.periods[moment, limit.period]

    # --- Searches -----------------------------------------------------------------------------------------------------

    def shortest_end(self, start: datetime) -> datetime | None:
        """The end of the shortest booking that somebody could make from a start; None if nobody could make any."""
        shortest = self.minutes_or(self.policy.get("min_minutes"), 0)
        first = start + max(shortest, TICK)
        if self.accepts(start, first, whoever=True):
            return first
        # Any longer booking than the first that may end there breaks the same rule.
        end = next(self.moments("ends", first, first + WALK), None)
        return end if end and self.accepts(start, end, whoever=True) else None

    def moments(self, name: str, start: datetime, end: datetime) -> Iterator[datetime]:
        """The possible `starts` or `ends` in the span, by the opening hours and the grid, in order."""
        while start < end:
            walk = self.walk(start)
            found: list[datetime] = getattr(walk, name)
            for number in range(bisect_left(found, start), bisect_left(found, end)):
                yield found[number]
            start = walk.end

    def first_possible(self, start: datetime, end: datetime) -> datetime | None:
        """The first minute of the span at which some booking could start."""
        return next((minute for minute in self.moments("starts", start, end) if self.shortest_end(minute)), None)

    def first_slot(self, start: datetime, end: datetime, length: timedelta, *, whoever: bool) -> Span | None:
        """The first slot of the length that starts in the span, on a whole minute."""
        return self._first(self.moments("starts", start, end), length, whoever=whoever)

    def last_slot(self, start: datetime, end: datetime, length: timedelta, *, whoever: bool) -> Span | None:
        """The last slot of the length that starts in the span, on a whole minute."""
        return self._first(reversed(list(self.moments("starts", start, end))), length, whoever=whoever)

    def _first(self, starts: Iterator[datetime], length: timedelta, *, whoever: bool) -> Span | None:
        found = (start for start in starts if self.accepts(start, start + length, whoever=whoever))
        return next(((start, start + length) for start in found), None)


class Walk:
    """The minutes of some days.

    Attributes:
        open_time: Which of them are open.
        closed: The closed ones, in order.
        starts: Those at which a booking can start, by the opening hours and the grid, in order.
        ends: Those at which a booking can end, likewise.
    """

    def __init__(self, start: datetime, world: World) -> None:
        self.end, self.step = start + WALK, world.policy.get("grid_minutes")
        self.open_time = OpenTime(start, self.end, world.zone, world.week, world.special)
        self.minutes = list(minutes(start, self.end))
        self.closed = [minute for minute in self.minutes if minute not in self.open_time.open]
        self.starts = self._on_grid(as_end=False)
        self.ends = self._on_grid(as_end=True)

    def _on_grid(self, *, as_end: bool) -> list[datetime]:
        inside = self.open_time.ends if as_end else self.open_time.open
        found = [minute for minute in self.minutes if minute in inside]
        if self.step is None:
            return found
        return [minute for minute in found if self.open_time.on_grid(minute, self.step, as_end=as_end)]
