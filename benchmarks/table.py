"""The table of results: its rows, their calculation from seconds, and their printed form."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.data import SIDES
from benchmarks.scenarios import Scenario
from tools.bootstrap import say

HEAD = ("scenario", "product", "p99", "floor", "p99", "ratio", "goal", "limit", "SQL", "floor", "")
WIDTHS = (50, 8, 8, 8, 8, 7, 5, 5, 4, 6, 0)


@dataclass
class Row:
    """A row of the table.

    Attributes:
        ratio: The value to compare with goal and limit: product by floor, or the memory of a worker in MiB.
        statements: The number of SQL statements of a request to the product.
        statements_allowed: The maximum of `statements`.
        line: The name of its line in the chart; empty for a row outside the chart.
        size: The number of bookings in the table.
    """

    name: str
    ratio: float
    goal: float
    limit: float
    product: float | None = None
    product_p99: float | None = None
    floor: float | None = None
    floor_p99: float | None = None
    unit: str = "ms"
    statements: int | None = None
    floor_statements: int | None = None
    statements_allowed: int | None = None
    line: str = ""
    size: int = 0

    @property
    def failed(self) -> bool:
        return self.ratio > self.limit or (self.statements or 0) > (self.statements_allowed or math.inf)

    @property
    def mark(self) -> str:
        if self.failed:
            return "OVER THE LIMIT"
        return "over the goal" if self.ratio > self.goal else ""

    def cells(self) -> list[str]:
        def number(value: float | None) -> str:
            return "" if value is None else f"{value:.{2 if value < 100 else 0}f}"

        times = [number(value) for value in (self.product, self.product_p99, self.floor, self.floor_p99)]
        counts = ["" if count is None else str(count) for count in (self.statements, self.floor_statements)]
        limits = [f"{value:g}" for value in (self.goal, self.limit)]
        return [f"{self.name} ({self.unit})", *times, f"{self.ratio:.2f}", *limits, *counts, self.mark]


def times_row(scenario: Scenario, product: list[float], floor: list[float]) -> Row:
    """The row of a scenario."""
    row = times_row_of(scenario.name, scenario.goal, scenario.limit, {"product": product, "floor": floor})
    row.statements_allowed = scenario.statements
    row.line, row.size = scenario.line, scenario.size
    return row


def times_row_of(name: str, goal: float, limit: float, seconds: dict[str, list[float]]) -> Row:
    """A row with the medians and 99th percentiles of both sides, and the ratio of the medians."""
    product, floor = (statistics.median(seconds[side]) for side in SIDES)
    p99s = (sorted(seconds[side])[math.ceil(0.99 * len(seconds[side])) - 1] for side in SIDES)
    product_p99, floor_p99 = (1000 * value for value in p99s)
    return Row(name, product / floor, goal, limit, 1000 * product, product_p99, 1000 * floor, floor_p99)


def growth(rows: list[Row]) -> dict[str, tuple[list[tuple[int, float]], list[tuple[int, float]]]]:
    """The data of the chart: for each line, the sizes and times of the product and of the floor."""
    lines: dict[str, tuple[list[tuple[int, float]], list[tuple[int, float]]]] = {}
    for row in rows:
        if row.line:
            product, floor = lines.setdefault(row.line, ([], []))
            product.append((row.size, row.product or 0))
            floor.append((row.size, row.floor or 0))
    return lines


def show(rows: Iterable[Row]) -> None:
    """Prints the rows; prints the head of the table when there are no rows."""
    lines: list[Any] = [row.cells() for row in rows] or [HEAD]
    for first, *others, last in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, WIDTHS[1:], strict=False)]
        say(f"{first.ljust(WIDTHS[0])}{' '.join(cells)} {last}".rstrip())
