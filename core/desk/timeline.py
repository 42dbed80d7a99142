"""The picture of a day or of a week: the rows of resources, with what is booked, closed and free.

All of it is data; `core/templates/core/desk/timeline.html` draws it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.choices import Kind
from core.desk.days import HOUR, UNIT, Days, Heading
from core.hours import Timetable
from core.intervals import Interval, on_which_clock
from core.models import Booking, Resource
from core.terms import terms_of

OUT_OF_SERVICE = "out of service"
COLUMNS = (
    *("resource_id", "pk", "start_time", "end_time", "status", "kind", "updated_at"),
    *("closure_id", "closure__reason", "user__username", "user__first_name", "user__last_name"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A booking or a closure, as the picture shows it.

    Attributes:
        id: The id of the booking or of the closure.
        kind: A status, or `closure`.
        slot: Its whole time.
        name: Who booked, or the reason of the closure.
        seen: The version of the booking.
    """

    id: int
    kind: str
    slot: Interval
    name: str
    seen: str

    @property
    def is_closure(self) -> bool:
        return self.kind == Kind.CLOSURE

    @property
    def starts(self) -> str:
        return in_utc(self.slot.start)

    @property
    def ends(self) -> str:
        return in_utc(self.slot.end)


@dataclass(slots=True)
class Cell:
    """A part of a row, as wide as some columns.

    Attributes:
        kind: A status, `closure`, `closed` or `free`.
        span: Its time; that of a booking is rounded to columns.
        width: The number of columns.
        entries: What is booked; several where many short bookings share a column.
        name: The name of a closed day.
    """

    kind: str
    span: Interval
    width: int
    entries: list[Entry] = field(default_factory=list)
    name: str = ""

    @property
    def starts(self) -> str:
        return in_utc(self.span.start)

    @property
    def ends(self) -> str:
        return in_utc(self.span.end)


def entries_in(window: Interval, resource_ids: Sequence[int]) -> dict[int, list[Entry]]:
    """What blocks the resources in the window, in order. One statement."""
    found: dict[int, list[Entry]] = {pk: [] for pk in resource_ids}
    rows = Booking.taken.taken_in(window, resource_ids=resource_ids).values_list(*COLUMNS)
    for resource_id, pk, start, end, status, kind, updated, closure_id, reason, username, first, last in rows:
        if kind == Kind.CLOSURE:
            entry = Entry(closure_id, kind, Interval(start, end), reason, "")
        else:
            name = f"{first} {last}".strip() or username
            entry = Entry(pk, status, Interval(start, end), name, updated.isoformat())
        found[resource_id].append(entry)
    return found


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """The closed time of a day.

    Attributes:
        spans: In order.
        words: Such as `closed, Christmas`, or `open 08:00–18:00`; empty for a day that is open throughout.
        throughout: True if the day is closed throughout.
    """

    spans: list[Interval]
    words: str
    throughout: bool


class Closed:
    """The closed time in the shown days; resources with the same hours share what is worked out."""

    def __init__(self, days: Days) -> None:
        self.days = days
        self._spans: dict[int, list[tuple[Interval, str]]] = {}
        self._days: dict[int, list[ClosedDay]] = {}

    def of(self, resource: Resource) -> tuple[list[tuple[Interval, str]], list[ClosedDay]]:
        """The closed spans, each with the name of what closes it, and the closed time of each shown day of a week."""
        if not resource.is_available:
            spans = [(self.days.window, OUT_OF_SERVICE)]
            return spans, [ClosedDay([day], OUT_OF_SERVICE, throughout=True) for day in self.days.days]
        timetable = terms_of(resource).timetable
        return self.spans(timetable), self.by_day(timetable) if self.days.is_week else []

    def spans(self, timetable: Timetable) -> list[tuple[Interval, str]]:
        """The closed spans in order, each with the public name of what closes it."""
        known = self._spans.get(id(timetable))
        if known is None:
            known = self._spans[id(timetable)] = list(timetable.closed_spans(self.days.window))
        return known

    def by_day(self, timetable: Timetable) -> list[ClosedDay]:
        """The closed time of each day."""
        known = self._days.get(id(timetable))
        if known is None:
            known = self._days[id(timetable)] = [self.on(day, self.spans(timetable)) for day in self.days.days]
        return known

    def on(self, day: Interval, spans: Sequence[tuple[Interval, str]]) -> ClosedDay:
        """The closed time of a day."""
        shut = [(part, name) for span, name in spans if (part := span.clip(day))]
        opens = list(day.subtract(part for part, _ in shut))
        words = ""
        if not opens:
            words = ", ".join(["closed", *dict.fromkeys(name for _, name in shut if name)])
        elif shut:
            clocks = (f"{clock(part.start, self.days.zone)}–{clock(part.end, self.days.zone)}" for part in opens)
            words = f"open {', '.join(clocks)}"
        return ClosedDay([part for part, _ in shut], words, not opens)


def cells_of_day(
    entries: Sequence[Entry], closed: Sequence[tuple[Interval, str]], headings: Sequence[Heading], window: Interval
) -> list[Cell]:
    """The cells of one resource on one day, side by side over the whole of it."""
    cells: list[Cell] = []
    position = 0
    total = units(window.duration)
    for entry in entries:
        start = max(units(entry.slot.start - window.start), 0)
        end = min(max(-units(window.start - entry.slot.end), start + 1), total)
        if end <= position and cells:
            cells[-1].entries.append(entry)
            continue
        start = max(start, position)
        cells += gap_cells(position, start, closed, headings, window)
        cells.append(Cell(entry.kind, span_of(start, end, window), end - start, [entry]))
        position = end
    return cells + gap_cells(position, total, closed, headings, window)


def units(length: timedelta) -> int:
    """The number of whole columns in a length; a column that has only begun does not count."""
    return length // UNIT


def span_of(start: int, end: int, window: Interval) -> Interval:
    """The time from one column to another."""
    return Interval(window.start + start * UNIT, window.start + end * UNIT)


def gap_cells(
    start: int, end: int, closed: Sequence[tuple[Interval, str]], headings: Sequence[Heading], window: Interval
) -> list[Cell]:
    """The cells between two bookings: closed time in one piece, free time by the hour."""
    cells = []
    gap = span_of(start, end, window)
    shut = [(part, name) for span, name in closed if (part := span.clip(gap))]
    for part, name in shut:
        cells.append(Cell("closed", part, 0, name=name))
    for free in gap.subtract(part for part, _ in shut):
        cells += [Cell("free", part, 0) for heading in headings if (part := heading.span.clip(free))]
    cells.sort(key=lambda cell: cell.span.start)
    position = start
    for cell in cells:
        until = min(max(-units(window.start - cell.span.end), position), end)
        cell.width, position = until - position, until
    return [cell for cell in cells if cell.width]


@dataclass(frozen=True, slots=True)
class DayOfWeek:
    """One day of one resource in the picture of a week.

    Attributes:
        day: Its time.
        entries: What is booked on it, in order.
        closed: The words of its `ClosedDay`.
        is_closed: True if it is closed throughout.
        free_from: The first moment that is neither booked nor closed; None if there is none.
    """

    day: Interval
    entries: list[Entry]
    closed: str
    is_closed: bool
    free_from: datetime | None

    @property
    def starts(self) -> str:
        """The start of the free hour that the day offers."""
        return in_utc(self.free_from) if self.free_from else ""

    @property
    def ends(self) -> str:
        return in_utc(self.free_from + HOUR) if self.free_from else ""


def days_of_week(
    entries: Sequence[Entry], closed: Sequence["ClosedDay"], days: Days, *, now: datetime
) -> Iterator[DayOfWeek]:
    """The days of one resource.

    Args:
        entries: What is booked, in order.
        closed: For each of the days.
        days: The shown days.
        now: The present moment; no earlier time is free.
    """
    for day, shut in zip(days.days, closed, strict=True):
        on_day = [entry for entry in entries if entry.slot.start < day.end and day.start < entry.slot.end]
        taken = sorted((*shut.spans, *(entry.slot for entry in on_day)), key=lambda span: span.start)
        free = next(Interval(max(day.start, now), day.end).subtract(taken), None)
        yield DayOfWeek(day, on_day, shut.words, shut.throughout, free.start if free else None)


def in_utc(moment: datetime) -> str:
    """A moment for an address."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """A moment on the local clock."""
    return on_which_clock(moment.astimezone(zone))


@dataclass(frozen=True, slots=True)
class Line:
    """A resource with its cells, or with the days of its week."""

    resource: Resource
    cells: list[Cell]
    days: list[DayOfWeek]


def lines_of(resources: Sequence[Resource], days: Days, *, now: datetime) -> list[Line]:
    """The lines of the picture. One statement.

    Args:
        resources: The resources, with their terms attached.
        days: The shown days.
        now: The present moment.
    """
    window, closed = days.window, Closed(days)
    entries, headings = entries_in(window, [each.pk for each in resources]), days.headings
    lines = []
    for resource in resources:
        own, (shut, by_day) = entries[resource.pk], closed.of(resource)
        if days.is_week:
            lines.append(Line(resource, [], list(days_of_week(own, by_day, days, now=now))))
        else:
            lines.append(Line(resource, cells_of_day(own, shut, headings, window), []))
    return lines


def one_zone(resources: Sequence[Resource], otherwise: ZoneInfo) -> ZoneInfo:
    """The zone of the resources if all have the same one."""
    zones = {terms_of(each).zone for each in resources}
    return zones.pop() if len(zones) == 1 else otherwise
