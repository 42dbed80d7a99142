"""A picture of the coming open time of a resource: a row for each day, told in words as well."""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from core.choices import Kind
from core.hours.clock import DAY, start_of_day
from core.intervals import Interval
from core.models import Booking, Resource
from core.terms import attach_terms, terms_of

DAYS = 14
WHOLE_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a day, in minutes on the local clock.

    Attributes:
        kind: `open`, `closed` or `closure`.
        name: The name of the closed days, or the reason of the closure.
    """

    kind: str
    start: int
    end: int
    name: str

    @property
    def width(self) -> int:
        return self.end - self.start

    @property
    def clocks(self) -> str:
        return f"{clock(self.start)}–{clock(self.end)}"

    @property
    def words(self) -> str:
        """What the part is and when, such as `closure 10:00–12:00: Maintenance`."""
        words = f"{self.kind} {self.clocks}"
        return f"{words}: {self.name}" if self.name else words


@dataclass(frozen=True, slots=True)
class Row:
    """A local day with its parts; what is in a closure is not open."""

    day: date
    parts: tuple[Part, ...]

    @property
    def words(self) -> str:
        """The day for people who read, or hear, and do not look."""
        opens = ", ".join(part.clocks for part in self.parts if part.kind == "open")
        names = dict.fromkeys(part.name for part in self.parts if part.kind == "closed" and part.name)
        closures = [part.words for part in self.parts if part.kind == "closure"]
        told = [*([f"open {opens}"] if opens else []), *(f"closed: {name}" for name in names), *closures]
        return "; ".join(told) or "closed"


def open_time(resource: Resource, *, now: datetime) -> list[Row]:
    """The open time of a resource from today on, by the clock of its zone. Two statements.

    Args:
        resource: The resource, read with `with_house`.
        now: The present moment.
    """
    attach_terms([resource], since=now)
    timetable = terms_of(resource).timetable
    zone = timetable.zone
    today = now.astimezone(zone).date()
    days = [today + number * DAY for number in range(DAYS)]
    whole = Interval(start_of_day(today, zone), start_of_day(days[-1] + DAY, zone))
    rows = Booking.taken.within(whole, resource_id=resource.pk).filter(kind=Kind.CLOSURE)
    reasons = rows.values_list("start_time", "end_time", "closure__reason")
    closures = [(Interval(start, end), reason) for start, end, reason in reasons]
    taken = [span for span, _ in closures]
    spans = [
        *(("open", part, "") for span in timetable.open_spans(whole) for part in span.subtract(taken)),
        *(("closed", span, name) for span, name in timetable.closed_spans(whole)),
        *(("closure", span, reason) for span, reason in closures),
    ]
    return [
        Row(day, tuple(part for kind, span, name in spans if (part := part_of(kind, span, name, day, zone))))
        for day in days
    ]


def part_of(kind: str, span: Interval, name: str, day: date, zone: ZoneInfo) -> Part | None:
    """The part of a span on a local day; None if the span has none."""
    whole = Interval(start_of_day(day, zone), start_of_day(day + DAY, zone))
    part = span.clip(whole)
    if part is None:
        return None
    start = minute_of(part.start, zone)
    # The end of the day is 24:00, and not the midnight that begins the next one.
    end = WHOLE_DAY if part.end == whole.end else minute_of(part.end, zone)
    if end <= start:  # within the hour that the clocks repeat
        return None
    return Part(kind, start, end, name)


def minute_of(moment: datetime, zone: ZoneInfo) -> int:
    """The minute of the day on the local clock."""
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute


def clock(minute: int) -> str:
    """A minute of the day as a clock shows it; the last one is 24:00."""
    return "24:00" if minute == WHOLE_DAY else f"{time(*divmod(minute, 60)):%H:%M}"
