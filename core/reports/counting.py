"""Adds up the open time and the bookings of a resource; pure arithmetic on whole microseconds."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.choices import BookingStatus, Kind
from core.reports.cells import Cells

Span = tuple[int, int]


class Row(NamedTuple):
    """A booking or a closure.

    Attributes:
        late: True if it is a booking that was cancelled late.
    """

    start: int
    end: int
    status: str
    kind: str
    late: bool


@dataclass(slots=True)
class Sums:
    """The sums of each line of a report, in microseconds."""

    open: list[int]
    booked: list[int]
    pending: list[int]
    cancelled_late: list[int]
    outside_open: list[int]

    @classmethod
    def of(cls, lines: int) -> "Sums":
        """Sums without anything in them."""
        return cls(*([0] * lines for _ in range(5)))

    def of_line(self, line: int) -> list[int]:
        """The sums of one line, in the order of the attributes."""
        return [each[line] for each in self.columns]

    def add(self, other: "Sums") -> None:
        """Adds other sums of the same lines."""
        for column, more in zip(self.columns, other.columns, strict=True):
            for line, length in enumerate(more):
                column[line] += length

    @property
    def columns(self) -> tuple[list[int], ...]:
        return self.open, self.booked, self.pending, self.cancelled_late, self.outside_open


class Opening(NamedTuple):
    """The open time of a timetable in the period, and its sums by line; resources that share it share the work."""

    spans: list[Span]
    sums: list[int]

    @classmethod
    def of(cls, spans: Iterable[Span], cells: Cells, lines: int) -> "Opening":
        """The open time from its spans, in order."""
        found, sums = list(spans), [0] * lines
        for start, end in found:
            cells.add(start, end, sums)
        return cls(found, sums)


def count(sums: Sums, rows: Sequence[Row], opening: Opening, cells: Cells) -> None:
    """Adds what the rows of one resource take, and its open time, to the sums.

    Args:
        sums: The sums.
        rows: The closures and bookings of the resource; those that hold their slot never overlap.
        opening: The open time of its timetable in the period.
        cells: The cells of the period in its zone.
    """
    for line, length in enumerate(opening.sums):
        sums.open[line] += length
    spans = opening.spans
    closures = sorted((row.start, row.end) for row in rows if row.kind == Kind.CLOSURE)
    if closures:
        for start, end in common(closures, spans):
            cells.add(start, end, sums.open, sign=-1)
        spans = list(without(spans, closures))
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    first, last = cells.edges[0], cells.edges[-1]
    for start, end, status, kind, late in rows:
        if start >= last or end <= first or kind == Kind.CLOSURE:
            continue
        confirmed = status == BookingStatus.CONFIRMED
        if not (confirmed or late or status == BookingStatus.PENDING):
            continue
        into = sums.booked if confirmed else sums.cancelled_late if late else sums.pending
        start, end = max(start, first), min(end, last)
        number = bisect_right(ends, start)
        while start < end:
            opens = starts[number] if number < len(starts) else end
            if opens > start:
                closed_until = min(opens, end)
                if confirmed:
                    cells.add(start, closed_until, sums.outside_open)
                start = closed_until
            if start < end:
                closes = min(ends[number], end)
                cells.add(start, closes, into)
                start = closes
                number += 1


def common(first: Iterable[Span], second: Sequence[Span]) -> Iterator[Span]:
    """What lies in both; the second spans are in order and overlap nowhere."""
    ends = [end for _, end in second]
    for start, end in first:
        for number in range(bisect_right(ends, start), len(second)):
            opens, closes = second[number]
            if opens >= end:
                break
            yield max(start, opens), min(end, closes)


def without(spans: Iterable[Span], taken: Sequence[Span]) -> Iterator[Span]:
    """What is left of the spans; both are in order and overlap nowhere."""
    ends = [end for _, end in taken]
    for start, end in spans:
        for number in range(bisect_right(ends, start), len(taken)):
            closed_from, closed_until = taken[number]
            if closed_from >= end:
                break
            if start < closed_from:
                yield start, closed_from
            start = closed_until
        if start < end:
            yield start, end
