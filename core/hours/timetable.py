"""When a resource is open, and which moments of its open time are on its grid."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from core.hours.clock import DAY, EARLIEST, LATEST, local_time, start_of_day
from core.hours.days import WHOLE_DAY, DayHours, Period, SpecialDays, in_order, spans_of
from core.hours.grid import grid, grid_from, midnight
from core.intervals import TICK, Interval

# How far from a moment its neighbours on the grid are looked for.
NEAR = timedelta(days=7)


class Timetable:
    """The opening hours of one resource.

    A period belongs to the day on which it opens, also where it runs past midnight. A day has the hours of the special
    days of the resource that cover it, else of the special days of all, else of its weekday; shorter special days come
    before longer ones. All moments in the answers are in UTC.

    Args:
        zone: The time zone of the local clock.
        week: The periods of each weekday, from 1 (Monday) to 7 (ISO 8601); without any the resource is always open.
        special: The special days; of two equal ones the first wins.

    Attributes:
        always_open: True without weekly hours and special days: each answer is then trivial.
    """

    def __init__(self, zone: ZoneInfo, week: Mapping[int, Sequence[Period]], special: Sequence[SpecialDays]) -> None:
        self.zone = zone
        self._week = {weekday: tuple(periods) for weekday, periods in week.items() if periods}
        self._special = sorted(special, key=lambda days: (days.of_all, days.last_day - days.first_day))
        self.always_open = not self._week and not self._special
        self._whole_days = not self._week or (
            len(self._week) == 7 and all(periods == (WHOLE_DAY,) for periods in self._week.values())
        )

    def day(self, day: date) -> DayHours:
        """The hours of a day."""
        special = self._special_on(day)
        periods = in_order(self._periods_on(day, special))
        return DayHours(day, periods, special, always=special is None and not self._week)

    def open_spans(self, window: Interval) -> Iterator[Interval]:
        """Yields the open time in the window, in order; spans that touch are one."""
        start, end = window.start.astimezone(UTC), window.end.astimezone(UTC)
        if self.always_open:
            if start < end:
                yield Interval(start, end)
            return
        opens = closes = start
        for span in self._spans(start, end):
            if span.end <= closes:
                continue
            if span.start >= end or closes >= end:
                break
            if span.start > closes:
                if opens < closes:
                    yield Interval(opens, closes)
                opens = span.start
            closes = span.end
        if opens < closes:
            yield Interval(opens, min(closes, end))

    def closed_spans(self, window: Interval) -> Iterator[tuple[Interval, str]]:
        """Yields the closed time in the window, in order, each with the name of the special days that close it.

        The name is empty for the closed hours of other days; a span ends where the name changes.
        """
        in_utc = Interval(window.start.astimezone(UTC), window.end.astimezone(UTC))
        first, last = (local_time(moment, self.zone).date() for moment in (in_utc.start, in_utc.end))
        coming = self._special_between(first, last)
        for gap in in_utc.subtract(self.open_spans(in_utc)):
            if coming:
                yield from self._by_name(gap, coming)
            else:
                yield gap, ""

    def first_closed(self, slot: Interval) -> datetime | None:
        """The first moment of the slot outside open time; None if the slot is open throughout."""
        span = next(self.open_spans(slot), None)
        if span is None or span.start > slot.start:
            return slot.start.astimezone(UTC)
        return span.end if span.end < slot.end else None

    def is_open_at(self, moment: datetime) -> bool:
        """True if a slot can start at the moment: from an opening up to, but not including, its close."""
        return self.always_open or bool(self._days_open_at(moment))

    def is_open_until(self, moment: datetime) -> bool:
        """True if a slot can end at the moment: after an opening, and up to its close."""
        return self.is_open_at(moment - TICK)

    def next_open(self, moment: datetime, *, until: datetime) -> datetime | None:
        """The first open moment from the given one on and before `until`."""
        start, end = moment.astimezone(UTC), until.astimezone(UTC)
        if self.always_open:
            return start if start < end else None
        opens = (max(span.start, start) for span in self._spans(start, end) if span.end > start)
        found = next(opens, end)
        return found if found < end else None

    def closed_by(self, moment: datetime) -> SpecialDays | None:
        """The special days that close the moment; None if it is open, or outside the hours of any other day."""
        special = self._special_on(local_time(moment, self.zone).date())
        if special is None or special.periods or self.is_open_at(moment):
            return None
        return special

    def on_grid(self, moment: datetime, minutes: int, *, as_end: bool) -> bool:
        """True if the moment is on the grid.

        The grid counts whole minutes of the local clock from the first opening of the day whose hours contain the
        moment. Where two days contain it, one grid suffices. In closed time the grid counts from the first opening of
        the local day, and from local midnight on days without hours.

        Args:
            moment: Open or closed.
            minutes: The step of the grid, from 1 to 1440.
            as_end: True for the end of a slot: hours then contain their close, and do not contain their opening.
        """
        local = local_time(moment, self.zone)
        days = [] if self.always_open else self._days_open_at(moment - TICK if as_end else moment)
        origins = (self._opening_on(day) or midnight(local.date()) for day in days or [local.date()])
        return any(not (local - origin) % timedelta(minutes=minutes) for origin in origins)

    def nearest_on_grid(self, moment: datetime, minutes: int, *, as_end: bool) -> list[datetime]:
        """The last moment before and the first one after the given one that are open and on the grid.

        Args:
            moment: Open or closed; never part of the answer.
            minutes: The step of the grid, from 1 to 1440.
            as_end: True for ends of slots, False for starts.

        Returns:
            At most two moments, none of them more than a week away.
        """
        around = min(max(moment, EARLIEST), LATEST)
        before: deque[datetime] = deque(maxlen=1)
        for reach in (DAY, NEAR):
            before.extend(self._grid(Interval(around - reach, moment), minutes, as_end=as_end))
            if before:
                break
        after = next(self._grid(Interval(moment + TICK, around + NEAR), minutes, as_end=as_end), None)
        return [*before, *([after] if after else [])]

    def starts(self, window: Interval, minutes: int) -> Iterator[datetime]:
        """Yields the moments in the window that are open and on the grid, in order; `minutes` is the grid's step."""
        return self._grid(window, minutes, as_end=False)

    def ends(self, window: Interval, minutes: int) -> Iterator[datetime]:
        """Yields the moments in the window that are on the grid and open for the end of a slot, in order."""
        return self._grid(window, minutes, as_end=True)

    def _special_on(self, day: date) -> SpecialDays | None:
        return _governing(day, self._special)

    def _special_between(self, first: date, last: date) -> list[SpecialDays]:
        """The special days that cover any day from the first to the last, in the order of precedence."""
        return [days for days in self._special if first <= days.last_day and days.first_day <= last]

    def _periods_on(self, day: date, special: SpecialDays | None) -> tuple[Period, ...]:
        if special:
            return special.periods
        return self._week.get(day.isoweekday(), ()) if self._week else (WHOLE_DAY,)

    def _spans_on(self, day: date) -> tuple[Interval, ...]:
        """The open time of the periods that belong to a day; it may reach into the next day."""
        periods = self._periods_on(day, self._special_on(day))
        return spans_of(day, periods, self.zone) if periods else ()

    def _spans(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """The open time of the days whose hours can lie in a window in UTC, by its start."""
        if start >= end:
            return
        # The hours of the day before can reach into the first day.
        day, last = local_time(start, self.zone).date() - DAY, local_time(end - TICK, self.zone).date()
        coming = self._special_between(day, last)
        while day <= last:
            special = _governing(day, coming)
            if special is None and self._whole_days:
                # Up to the next special days in one step: the window can be years long.
                closes = min((days.first_day for days in coming if days.first_day > day), default=last + DAY)
                yield Interval(start_of_day(day, self.zone), start_of_day(closes, self.zone))
                day = closes
                continue
            if periods := self._periods_on(day, special):
                yield from spans_of(day, periods, self.zone)
            day += DAY

    def _by_name(self, gap: Interval, coming: Sequence[SpecialDays]) -> Iterator[tuple[Interval, str]]:
        """The parts of a closed span, each with the name of the special days that close it."""
        day, last, start = local_time(gap.start, self.zone).date(), local_time(gap.end, self.zone).date(), gap.start
        name = _closed_name(day, coming)
        while day < last:
            day += DAY
            until, next_name = start_of_day(day, self.zone), _closed_name(day, coming)
            if next_name != name and until < gap.end:
                if start < until:
                    yield Interval(start, until), name
                start, name = until, next_name
        yield Interval(start, gap.end), name

    def _days_open_at(self, moment: datetime) -> list[date]:
        """The days whose hours contain a moment: its local day, the day before, or both."""
        today = local_time(moment, self.zone).date()
        return [
            day for day in (today - DAY, today) if any(span.start <= moment < span.end for span in self._spans_on(day))
        ]

    def _opening_on(self, day: date) -> datetime | None:
        """The naive local time of the first opening of a day; None if its grid counts from midnight."""
        if not self._week and self._special_on(day) is None:
            return None
        spans = self._spans_on(day)
        return local_time(spans[0].start, self.zone) if spans else None

    def _grid(self, window: Interval, step: int, *, as_end: bool) -> Iterator[datetime]:
        """The moments in the window that are open, as starts or as ends, and on the grid; in order."""
        window = Interval(window.start.astimezone(UTC), window.end.astimezone(UTC))
        if window.start >= window.end:
            return
        if self.always_open:
            yield from grid(window, step=step, zone=self.zone)
            return
        day = local_time(window.start, self.zone).date() - DAY
        last = local_time(window.end - TICK, self.zone).date()
        found: set[datetime] = set()
        while day <= last:
            # No later day has an earlier moment.
            ready = {moment for moment in found if moment < start_of_day(day, self.zone)}
            yield from sorted(ready)
            found -= ready
            found.update(self._grid_on(day, window, step, as_end=as_end))
            day += DAY
        yield from sorted(found)

    def _grid_on(self, day: date, window: Interval, step: int, *, as_end: bool) -> Iterator[datetime]:
        """The moments that the grid of one day's hours has in the window."""
        origin = self._opening_on(day)
        for span in self._spans_on(day):
            # An end may be at the close, and not at the opening.
            inside = Interval(span.start + TICK, span.end + TICK) if as_end else span
            if part := inside.clip(window):
                if origin:
                    yield from grid_from(origin, part, step=step, zone=self.zone)
                else:
                    yield from grid(part, step=step, zone=self.zone)


def _governing(day: date, special: Sequence[SpecialDays]) -> SpecialDays | None:
    """The first of the special days that cover a day."""
    return next((days for days in special if days.first_day <= day <= days.last_day), None)


def _closed_name(day: date, special: Sequence[SpecialDays]) -> str:
    """The name of the special days that close a day; empty if none do."""
    governing = _governing(day, special)
    return governing.name if governing and not governing.periods else ""
