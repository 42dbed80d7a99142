"""A report as a table of plain values: for files, for the page of staff, and as the bars of its chart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.utils.text import Truncator

from core.exports.sheets import Cell, Sheet
from core.recurrence.words import DAYS
from core.reports.cells import By
from core.reports.measures import MEASURES
from core.reports.utilisation import Line, Report

# The fields of a line that say what it is about.
ABOUT = {
    By.RESOURCE: ("resource", "resource_name"),
    By.WEEKDAY: ("weekday",),
    By.HOUR: ("hour",),
    By.WEEK: ("week", "first_day"),
}
FILE_NAME = "utilisation"
# A longer name does not fit above a bar.
LONGEST_LABEL = 32


def sheet_of(report: Report) -> Sheet:
    """The report for a file: the names of the API's fields, and a row of plain values for each line."""
    headings = [*ABOUT[report.asked.by], *(measure.name for measure in MEASURES)]
    lines = (line.as_json() for line in report.lines)
    return Sheet("Utilisation", headings, [[plain(line[name]) for name in headings] for line in lines])


def plain(value: Any) -> Cell:  # noqa: ANN401 - of a line
    """The value for a cell; a day as the API writes it."""
    return value.isoformat() if isinstance(value, date) else value


class ShownRow(NamedTuple):
    """A row of the page: its name, and its numbers in words."""

    label: str
    cells: list[str]


def shown_rows(report: Report) -> list[ShownRow]:
    """The rows of the page."""
    return [ShownRow(label_of(line), cells_of_line(line)) for line in report.lines]


def cells_of_line(line: Line) -> list[str]:
    """The numbers of a line as hours and minutes, and the share as a percentage."""
    *lengths, share = line.measures.values()
    return [*map(in_hours, lengths), in_percent(share)]


def label_of(line: Line) -> str:
    """What a line is about, for people."""
    about = line.about
    if "weekday" in about:
        return DAYS[about["weekday"] - 1]
    if "hour" in about:
        return f"{about['hour']:02}:00–{about['hour'] + 1:02}:00"
    return f"{about['week']}, from {about['first_day']}" if "week" in about else str(about["resource_name"])


def in_hours(minutes: int) -> str:
    """A length as `62:30`: hours and minutes."""
    return f"{minutes // 60}:{minutes % 60:02}"


def in_percent(share: float | None) -> str:
    """A share as `62.5 %`; a dash without one."""
    return "–" if share is None else f"{share:.1%}".replace("%", "\N{NO-BREAK SPACE}%")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the chart, which is as wide as the open time.

    Attributes:
        label: What it is about, shortened.
        words: What it says.
        value: The share, written beside it; words without open time.
        is_open: False without open time; there is no bar then.
        booked: The percentage of the width that is booked.
        pending: The percentage that waits for approval, to the right of it.
        top: Where its row begins, in pixels.
    """

    label: str
    words: str
    value: str
    is_open: bool
    booked: str
    pending: str
    top: int

    height = 44

    @property
    def text_at(self) -> int:
        return self.top + 16

    @property
    def bar_at(self) -> int:
        return self.top + 22


def bars_of(report: Report) -> Iterator[Bar]:
    """The bars, in the order of the lines."""
    for number, line in enumerate(report.lines):
        opened, booked, pending, *_ = line.sums
        label, share = label_of(line), line.measures["share"]
        value, words = (in_percent(share), f"{in_percent(share)} booked") if opened else ("not open", "not open")
        filled, hatched = (f"{100 * length / opened:.3f}%" if opened else "0%" for length in (booked, pending))
        yield Bar(
            label=Truncator(label).chars(LONGEST_LABEL),
            words=f"{label}: {words}",
            value=value,
            is_open=opened > 0,
            booked=filled,
            pending=hatched,
            top=number * Bar.height,
        )
