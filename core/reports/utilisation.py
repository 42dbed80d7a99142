"""The report of utilisation: how much of the open time of the resources is booked. At most four statements."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Case, DateTimeField, OuterRef, QuerySet, Subquery, Value, When

from core.choices import BookingStatus
from core.hours import Timetable
from core.intervals import TICK, Interval, hull
from core.models import Booking, Resource
from core.querysets import ResourceQuerySet
from core.record.kinds import EventKind
from core.record.models import BookingEvent
from core.reports.cells import By, Days, cells_of, number_of_lines, ticks
from core.reports.counting import Opening, Row, Sums, count
from core.reports.measures import LATE, MEASURES, REACH
from core.terms import attach_terms, terms_of

MOST_DAYS = 366
# One report reads so much at most: resources, resources times days, and bookings.
MOST_RESOURCES = 5_000
MOST_RESOURCE_DAYS = 100_000
MOST_BOOKINGS = 300_000
BATCH = 5_000

TICKS_OF_MINUTE = 60_000_000
LATE_TICKS = LATE // TICK
COLUMNS = ("resource_id", "start_time", "end_time", "status", "kind", "cancelled_at")


class TooMuch(Exception):
    """The report would read more than one request may; the text says what to ask instead."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about.

    Attributes:
        days: At most `MOST_DAYS`.
        by: What a line is about.
        resource_ids: The resources; empty for all.
        min_capacity: Those that hold at least so many; None for all.
        search: Those with the text in the name or the description; empty for all.
    """

    days: Days
    by: By
    resource_ids: Collection[int] = ()
    min_capacity: int | None = None
    search: str = ""

    @property
    def resources(self) -> ResourceQuerySet:
        """The resources by name."""
        found = Resource.objects.with_house()
        if self.resource_ids:
            found = found.filter(pk__in=self.resource_ids)
        if self.min_capacity is not None:
            found = found.filter(capacity__gte=self.min_capacity)
        return found.mentioning(self.search) if self.search else found


class Line(NamedTuple):
    """A line of a report.

    Attributes:
        about: The fields that say what the line is about.
        sums: Open, booked, pending, cancelled late and outside open time, in microseconds.
    """

    about: Mapping[str, Any]
    sums: list[int]

    @property
    def measures(self) -> dict[str, Any]:
        """The numbers by the names of `MEASURES`: whole minutes, and the share."""
        opened, booked, *_ = self.sums
        values = [*map(minutes, self.sums), round(booked / opened, 4) if opened else None]
        return {measure.name: value for measure, value in zip(MEASURES, values, strict=True)}

    def as_json(self) -> dict[str, Any]:
        return {**self.about, **self.measures}


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of a report, in order, and the line of all of them."""

    asked: Asked
    lines: list[Line]

    @property
    def total(self) -> Line:
        return Line({}, [sum(column) for column in zip(*(line.sums for line in self.lines), strict=True)] or [0] * 5)


def report_of(asked: Asked) -> Report:
    """The report.

    Raises:
        TooMuch: When it is about too many days of resources, or reads too many bookings.
    """
    most = min(MOST_RESOURCES, MOST_RESOURCE_DAYS // asked.days.number)
    resources = list(asked.resources[: most + 1])
    if len(resources) > most:
        fit = f"{most} resource fits" if most == 1 else f"{most} resources fit"
        raise TooMuch(f"At most {fit} in this report. Ask for fewer days or resources.")
    apart = counted(resources, asked)
    if asked.by == By.RESOURCE:
        named = (({"resource": each.pk, "resource_name": each.name}, sums) for each, sums in apart)
        return Report(asked, [Line(about, sums.of_line(0)) for about, sums in named])
    together = Sums.of(number_of_lines(asked.days, asked.by))
    for _, sums in apart:
        together.add(sums)
    return Report(asked, [Line(about, together.of_line(line)) for line, about in enumerate(abouts(asked))])


def abouts(asked: Asked) -> Iterator[dict[str, Any]]:
    """What each line is about, for a report that is not by resource."""
    if asked.by == By.WEEKDAY:
        yield from ({"weekday": number} for number in range(1, 8))
    elif asked.by == By.HOUR:
        yield from ({"hour": number} for number in range(24))
    else:
        yield from ({"week": f"{monday:%G-W%V}", "first_day": monday} for monday in asked.days.mondays)


def counted(resources: Collection[Resource], asked: Asked) -> Iterator[tuple[Resource, Sums]]:
    """Yields each resource with its sums, in order; the resources were read by `with_house`.

    Raises:
        TooMuch: When there are too many bookings.
    """
    if not resources:
        return
    days, lines = asked.days, number_of_lines(asked.days, asked.by)
    attach_terms(resources, since=datetime.combine(days.first, time.min, UTC))
    zones = {terms_of(each).zone for each in resources}
    cells = {zone: cells_of(days, zone, asked.by) for zone in zones}
    rows = rows_of([each.pk for each in resources], hull([days.in_zone(zone) for zone in zones]))
    openings: dict[Timetable, Opening] = {}
    for each in resources:
        timetable = terms_of(each).timetable
        mine, sums = cells[timetable.zone], Sums.of(lines)
        if timetable not in openings:
            spans = timetable.open_spans(days.in_zone(timetable.zone))
            openings[timetable] = Opening.of(((ticks(span.start), ticks(span.end)) for span in spans), mine, lines)
        count(sums, rows.pop(each.pk, []), openings[timetable], mine)
        yield each, sums


def rows_of(resource_ids: Collection[int], period: Interval) -> dict[int, list[Row]]:
    """What is taken of each resource in the period, and what was cancelled late. Two statements.

    Raises:
        TooMuch: When there are more than `MOST_BOOKINGS` rows.
    """
    found: dict[int, list[Row]] = defaultdict(list)
    read = chain.from_iterable(rows(resource_ids, period).iterator(BATCH) for rows in (long_rows, usual_rows))
    for number, (resource_id, start_time, end_time, status, kind, cancelled_at) in enumerate(read, start=1):
        if number > MOST_BOOKINGS:
            text = f"This period has more than {MOST_BOOKINGS} bookings of these resources."
            raise TooMuch(f"{text} Ask for fewer days or resources.")
        start = ticks(start_time)
        late = cancelled_at is not None and start - ticks(cancelled_at) < LATE_TICKS
        found[resource_id].append(Row(start, ticks(end_time), status, kind, late))
    return found


def usual_rows(resource_ids: Collection[int], period: Interval) -> QuerySet[Booking, Any]:
    """The rows that begin in the period, or at most `REACH` before it and end in it; from one range of an index."""
    cancelled = BookingStatus.CANCELLED
    acts = BookingEvent.objects.filter(booking_id=OuterRef("pk"), kind=EventKind.CANCELLED).order_by("-id")
    rows = Booking.taken.filter(resource_id__any_of=resource_ids, status__in=[*BookingStatus.blocking(), cancelled])
    rows = rows.filter(start_time__gte=period.start - REACH, start_time__lt=period.end, end_time__gt=period.start)
    at = Case(When(status=cancelled, then=Subquery(acts.values("at")[:1])), output_field=DateTimeField())
    return rows.order_by().annotate(cancelled_at=at).values_list(*COLUMNS)


def long_rows(resource_ids: Collection[int], period: Interval) -> QuerySet[Booking, Any]:
    """The blocking rows that begin earlier and last into the period: at most one of each resource.

    Blocking rows of a resource never overlap. So it is the first that ends after the beginning of the period, or none.
    """
    first = Booking.taken.blocking().filter(resource_id=OuterRef("pk")).ending_after(period.start).values("pk")[:1]
    firsts = Resource.objects.order_by().filter(pk__in=resource_ids).annotate(first=Subquery(first)).values("first")
    rows = Booking.taken.filter(pk__in=firsts, start_time__lt=period.start - REACH).order_by()
    none = Value(None, output_field=DateTimeField())
    return rows.annotate(cancelled_at=none).values_list(*COLUMNS)


def minutes(length: int) -> int:
    """A length in microseconds as the nearest whole minutes."""
    return (length + TICKS_OF_MINUTE // 2) // TICKS_OF_MINUTE
