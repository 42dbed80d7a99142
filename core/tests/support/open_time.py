"""The judge of opening hours: a walk over the minutes of the local clock, written from the text of the rules alone.

Nothing here is fast or clever, and nothing comes from the code that is judged, but the words `Period` and
`SpecialDays`. Minutes are aware moments in UTC.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.hours import Period, SpecialDays
from core.tests.support.oracle import MINUTE, Span, minutes

DAY = timedelta(days=1)
# A period of the day before can reach into the window, and its close can be a day later still.
MARGIN = 4 * DAY


class Clock:
    """What the local clock shows at each minute of a span.

    Attributes:
        local: The local time at each minute.
        first: The first minute at which the clock shows a local time.
        last: The last such minute.
    """

    def __init__(self, start: datetime, end: datetime, zone: str) -> None:
        clock = ZoneInfo(zone)
        self.local = {minute: minute.astimezone(clock).replace(tzinfo=None) for minute in minutes(start, end)}
        self.last = {local: minute for minute, local in self.local.items()}
        self.first = {local: minute for minute, local in reversed(self.local.items())}


shown = lru_cache(maxsize=8)(Clock)


class OpenTime:
    """The open minutes between two moments, and those on the grid.

    Attributes:
        open: The open minutes, each with the local times from which its grid counts.
        ends: The minutes at which a slot can end, likewise.
    """

    def __init__(
        self,
        start: datetime,
        end: datetime,
        zone: str,
        week: Mapping[int, Sequence[Period]],
        special: Sequence[SpecialDays],
    ) -> None:
        self.start, self.end, self.week, self.special = start, end, week, special
        self.clock = shown(start - MARGIN, end + MARGIN, zone)
        self.local = self.clock.local
        self.open: dict[datetime, set[datetime]] = {}
        self.ends: dict[datetime, set[datetime]] = {}
        self.opening_of: dict[date, datetime] = {}
        day = self.local[start].date() - 2 * DAY
        while day <= self.local[end].date() + DAY:
            self._open_on(day)
            day += DAY

    def governing(self, day: date) -> SpecialDays | None:
        """Special days of the resource, then of all; the fewer days win; then the first."""
        for of_all in (False, True):
            covering = [s for s in self.special if s.of_all == of_all and s.first_day <= day <= s.last_day]
            if covering:
                return min(covering, key=lambda s: (s.last_day - s.first_day).days)
        return None

    def always(self, day: date) -> bool:
        return self.governing(day) is None and not any(self.week.values())

    def _open_on(self, day: date) -> None:
        special = self.governing(day)
        periods = special.periods if special else self.week.get(day.isoweekday(), ())
        opening = None
        if self.always(day):
            spans = [(self._first_at(day, time.min), self._first_at(day + DAY, time.min))]
        else:
            spans = [span for span in (self._span(day, period) for period in periods) if span[0] < span[1]]
            if spans:
                opening = self.opening_of[day] = self.local[min(span[0] for span in spans)]
        for opens, closes in spans:
            for minute in minutes(opens, closes):
                self.open.setdefault(minute, set()).add(opening or self._midnight(minute))
                end = minute + MINUTE
                self.ends.setdefault(end, set()).add(opening or self._midnight(end))

    def _span(self, day: date, period: Period) -> Span:
        if period.opens == period.closes == time.min:
            return self._first_at(day, time.min), self._first_at(day + DAY, time.min)
        last = day if period.closes > period.opens else day + DAY
        return self._first_at(day, period.opens), self._last_at(last, period.closes)

    def _first_at(self, day: date, clock: time) -> datetime:
        """The first minute at which the clock shows the time, or one after it where it is skipped."""
        local = datetime.combine(day, clock)
        if local in self.clock.first:
            return self.clock.first[local]
        return next(minute for minute, now in self.local.items() if now >= local)

    def _last_at(self, day: date, clock: time) -> datetime:
        """The last minute at which the clock shows the time, or the first after it where it is skipped."""
        return self.clock.last.get(datetime.combine(day, clock)) or self._first_at(day, clock)

    def _midnight(self, minute: datetime) -> datetime:
        return datetime.combine(self.local[minute].date(), time.min)

    def open_spans(self) -> list[Span]:
        found: list[Span] = []
        for minute in minutes(self.start, self.end):
            if minute in self.open:
                if found and found[-1][1] == minute:
                    found[-1] = (found[-1][0], minute + MINUTE)
                else:
                    found.append((minute, minute + MINUTE))
        return found

    def closed_spans(self) -> list[tuple[datetime, datetime, str]]:
        found: list[tuple[datetime, datetime, str]] = []
        for minute in minutes(self.start, self.end):
            if minute in self.open:
                continue
            special = self.governing(self.local[minute].date())
            name = special.name if special and not special.periods else ""
            if found and found[-1][1:] == (minute, name):
                found[-1] = (found[-1][0], minute + MINUTE, name)
            else:
                found.append((minute, minute + MINUTE, name))
        return found

    def on_grid(self, minute: datetime, step: int, *, as_end: bool) -> bool:
        local = self.local[minute]
        midnight = datetime.combine(local.date(), time.min)
        origins = (self.ends if as_end else self.open).get(minute) or {self.opening_of.get(local.date(), midnight)}
        return any((local - origin) % (step * MINUTE) == timedelta(0) for origin in origins)

    def grid(self, step: int, *, as_end: bool) -> list[datetime]:
        """The minutes of the span that are open, as starts or as ends, and on the grid."""
        inside = self.ends if as_end else self.open
        return [
            minute
            for minute in minutes(self.start, self.end)
            if minute in inside and self.on_grid(minute, step, as_end=as_end)
        ]
