"""Measures the product against the floor: `make bench`, or `make bench ARGS="--full --json result.json"`."""

import argparse
import contextlib
import json
import math
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import data, plot
from benchmarks.client import Answer, Connection
from benchmarks.data import SIDES, Database, filled_database
from benchmarks.scenarios import FIRST_FREE, HALF_HOUR, Group, Scenario, booking, first_packed, groups, numbers
from benchmarks.servers import BenchmarkError, Server, seconds_of_check, serving
from tools.bootstrap import say
from tools.postgres import PostgresError
from tools.signals import leave_on_signals

ROUNDS = 10
STARTS = 5
COUNTED = 5
RIVALS = 40
RUSHES = 6
CLIENTS = 8
BOOKINGS_OF_A_CLIENT = 20

HEAD = ("scenario", "product", "p99", "floor", "p99", "ratio", "goal", "limit", "SQL", "floor", "")


@dataclass
class Row:
    """A line of the table.

    Attributes:
        ratio: What is held against goal and limit; the memory of a worker in MiB where there is no floor.
        statements: SQL statements of a request of the product.
        statements_allowed: How many there may be.
        line: Of which line in the picture it is a point, if of any.
        size: How many bookings the table has.
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


class Bench:
    """Both servers over the same data."""

    def __init__(self, database: Database, servers: dict[str, Server]) -> None:
        self.database = database
        self.servers = servers
        self.numbers = numbers()

    def turns(self, rounds: int) -> Iterator[str]:
        """The sides in turn: A B, B A, A B ..."""
        for number in range(rounds):
            yield from SIDES if number % 2 == 0 else reversed(SIDES)

    # --- Request by request -------------------------------------------------------------------------------------------

    def ask(self, side: str, scenario: Scenario, times: int) -> list[Answer]:
        """Ask a side over one kept connection; a first answer, which is not among those returned, warms it up."""
        self.database.enter(side, scenario.world)
        with Connection(self.servers[side].port) as connection:
            answers = [connection.ask(scenario.make(next(self.numbers[side]))) for _ in range(times + 1)]
        for answer in answers:
            self.require(answer.status == scenario.status, f"{scenario.name}, {side}: {answer.status} {answer.body!r}")
        return answers[1:]

    def require_equal(self, scenario: Scenario) -> None:
        for _ in range(3):  # what depends on the clock may change between two answers
            bodies = {side: self.ask(side, scenario, 1)[0].body for side in SIDES}
            if scenario.same is not None:
                for side, body in bodies.items():
                    content = json.loads(body)
                    bodies[side] = json.dumps({name: content[name] for name in scenario.same}).encode()
            if bodies["product"] == bodies["floor"]:
                break
        else:
            raise BenchmarkError(f"{scenario.name}: the answers differ.\n{bodies['product']!r}\n{bodies['floor']!r}")
        if "suggestion" in (scenario.same or ()):
            start = json.loads(bodies["product"])["suggestion"]["start_time"]
            behind = first_packed() + data.PACK * HALF_HOUR
            self.require(start == f"{behind:%Y-%m-%dT%H:%M:%SZ}", f"{start} is not the first free moment")

    def measure(self, group: Group) -> list[Row]:
        seconds: dict[tuple[str, str], list[float]] = {}
        for side in self.turns(ROUNDS):
            for scenario in group.scenarios:
                answers = self.ask(side, scenario, scenario.requests // ROUNDS)
                seconds.setdefault((side, scenario.name), []).extend(answer.seconds for answer in answers)
        rows = []
        for scenario in group.scenarios:
            row = times_row(scenario, *(seconds[side, scenario.name] for side in SIDES))
            row.statements, row.floor_statements = (self.statements(side, scenario) for side in SIDES)
            rows.append(row)
        if group.flat and len(rows) > 1:
            first, last = rows[0].product or 0, rows[-1].product or 0
            name = f"the last of these {len(rows)} against the first"
            rows.append(Row(name, last / first, group.goal, group.limit, product=last, floor=first))
        return rows

    def statements(self, side: str, scenario: Scenario) -> int:
        """How many statements a request takes on a kept connection; the fewest, since e-mails are sent in between."""
        self.ask(side, scenario, 1)
        counts = []
        with self.database.logging_statements():
            for _ in range(COUNTED):
                before = self.database.log_size()
                self.ask(side, scenario, 0)
                counts.append(len(self.database.statements_since(before, side)))
        return min(counts)

    # --- Many at once -------------------------------------------------------------------------------------------------

    def at_once(self, side: str, requests: list[list[bytes]]) -> tuple[list[Answer], float]:
        """Let as many clients as there are lists send theirs at the same time; returns the answers and the seconds."""
        self.database.enter(side, data.POSTS)
        answers: list[Answer] = []
        together = threading.Barrier(len(requests) + 1)

        def client(wanted: list[bytes]) -> None:
            with Connection(self.servers[side].port) as connection:
                together.wait()
                for each in wanted:
                    answers.append(connection.ask(each))

        threads = [threading.Thread(target=client, args=[wanted], daemon=True) for wanted in requests]
        for thread in threads:
            thread.start()
        together.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        self.require(len(answers) == sum(map(len, requests)), f"{side}: a client got no answer")
        return answers, seconds

    def measure_rate(self) -> list[Row]:
        """POSTs from several clients, each on a resource of its own."""
        spent: dict[str, list[float]] = {side: [] for side in SIDES}
        for side in self.turns(4):
            requests = [
                [
                    booking(resource, FIRST_FREE + next(self.numbers[side]) * HALF_HOUR)
                    for _ in range(BOOKINGS_OF_A_CLIENT)
                ]
                for resource in data.ELSEWHERE
            ]
            answers, seconds = self.at_once(side, requests)
            self.require(all(answer.status == 201 for answer in answers), f"{side}: a POST of {CLIENTS} clients failed")
            spent[side].append(seconds / len(answers))
        return [times_row_of(f"POST, {CLIENTS} clients, each of the answers", 4, 5, spent)]

    def measure_rush(self) -> list[Row]:
        """Many clients want the same slot: one gets it, and nobody waits long."""
        slowest: dict[str, list[float]] = {side: [] for side in SIDES}
        for side in self.turns(RUSHES):
            wanted = booking(data.WANTED, FIRST_FREE + next(self.numbers[side]) * HALF_HOUR)
            answers, _ = self.at_once(side, [[wanted]] * RIVALS)
            statuses = sorted(answer.status for answer in answers)
            self.require(statuses == [201] + [400] * (RIVALS - 1), f"{side}, {RIVALS} clients, one slot: {statuses}")
            slowest[side].append(max(answer.seconds for answer in answers))
        return [times_row_of(f"{RIVALS} clients, one slot, the slowest answer", 6, 10, slowest)]

    # --- Processes ----------------------------------------------------------------------------------------------------

    def measure_start(self) -> list[Row]:
        """From the start of gunicorn to its first answer."""
        seconds: dict[str, list[float]] = {side: [] for side in SIDES}
        for side in self.turns(STARTS):
            with serving(side, self.database.urls[side]) as server:
                seconds[side].append(server.start_seconds)
        return [times_row_of("gunicorn's start to the first /health/", 2, 2.5, seconds)]

    def measure_check(self) -> list[Row]:
        seconds: dict[str, list[float]] = {side: [] for side in SIDES}
        for side in self.turns(STARTS):
            seconds[side].append(seconds_of_check(side, self.database.urls[side]))
        return [times_row_of("manage.py check", 2, 2.5, seconds)]

    def memory(self) -> list[Row]:
        peaks = {side: self.servers[side].peak_memory() for side in SIDES}
        if peaks["product"] is None:
            return []
        name = "peak memory of a worker, after all this"
        return [Row(name, peaks["product"], 90, 110, peaks["product"], floor=peaks["floor"], unit="MiB")]

    def require(self, condition: bool, otherwise: str) -> None:  # noqa: FBT001 - like an assertion
        """Stop when an answer is wrong: its time would say nothing."""
        if not condition:
            raise BenchmarkError(otherwise)


def times_row(scenario: Scenario, product: list[float], floor: list[float]) -> Row:
    """The row of a scenario."""
    row = times_row_of(scenario.name, scenario.goal, scenario.limit, {"product": product, "floor": floor})
    row.statements_allowed = scenario.statements
    row.line, row.size = scenario.line, scenario.size
    return row


def times_row_of(name: str, goal: float, limit: float, seconds: dict[str, list[float]]) -> Row:
    """Medians and p99 of both sides, and the ratio of the medians."""
    product, floor = (statistics.median(seconds[side]) for side in SIDES)
    p99s = (sorted(seconds[side])[math.ceil(0.99 * len(seconds[side])) - 1] for side in SIDES)
    product_p99, floor_p99 = (1000 * value for value in p99s)
    return Row(name, product / floor, goal, limit, 1000 * product, product_p99, 1000 * floor, floor_p99)


def twice_if_needed(measure: Callable[[], list[Row]]) -> list[Row]:
    """The rows, measured again when one is over its limit; each row then shows its better measurement."""
    rows = measure()
    if any(row.failed for row in rows):
        rows = [min(pair, key=lambda row: row.ratio) for pair in zip(rows, measure(), strict=True)]
    show(rows)
    return rows


def run(sizes: list[int], only: str) -> list[Row]:
    """All rows, in the order of the table."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(filled_database(sorted({1000, 5000, *sizes})))
        for side in SIDES:
            database.enter(side, data.POSTS)
        servers = {side: stack.enter_context(serving(side, database.urls[side])) for side in SIDES}
        say(f"Both databases are filled and both servers are up after {time.monotonic() - began:.0f} s.\n")
        bench = Bench(database, servers)
        wanted = [group for group in groups(sizes) if any(only in scenario.name for scenario in group.scenarios)]
        for scenario in (scenario for group in wanted for scenario in group.scenarios):
            bench.require_equal(scenario)
        show([])
        rows = [row for group in wanted for row in twice_if_needed(lambda group=group: bench.measure(group))]
        others = [bench.measure_rate, bench.measure_rush, bench.memory, bench.measure_start, bench.measure_check]
        if not only:
            rows += [row for measure in others for row in twice_if_needed(measure)]
    return rows


def growth(rows: list[Row]) -> dict[str, tuple[list[tuple[int, float]], list[tuple[int, float]]]]:
    """What the picture shows: for each scenario the times of both sides by the size of the table."""
    lines: dict[str, tuple[list[tuple[int, float]], list[tuple[int, float]]]] = {}
    for row in rows:
        if row.line:
            product, floor = lines.setdefault(row.line, ([], []))
            product.append((row.size, row.product or 0))
            floor.append((row.size, row.floor or 0))
    return lines


WIDTHS = (50, 8, 8, 8, 8, 7, 5, 5, 4, 6, 0)


def show(rows: Iterable[Row]) -> None:
    """Print the rows, or the head of the table."""
    lines: list[Any] = [row.cells() for row in rows] or [HEAD]
    for first, *others, last in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, WIDTHS[1:], strict=False)]
        say(f"{first.ljust(WIDTHS[0])}{' '.join(cells)} {last}".rstrip())


def main(arguments: list[str] | None = None) -> int:
    """Measures from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table to a file, too")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw how times grow with the table, as SVG")
    parser.add_argument("--full", action="store_true", help="with a table of a million bookings")
    parser.add_argument("--only", default="", metavar="WORDS", help="only the scenarios with these words in their name")
    options = parser.parse_args(arguments)
    sizes = [1000, 100_000, 1_000_000] if options.full else [1000, 100_000]
    leave_on_signals()
    began = time.monotonic()
    try:
        rows = run(sizes, options.only)
    except (BenchmarkError, PostgresError, ConnectionError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    say(f"\n{time.monotonic() - began:.0f} s in all.")
    if options.json:
        table = [{**asdict(row), "mark": row.mark} for row in rows]
        options.json.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    if options.plot:
        options.plot.write_text(plot.chart(growth(rows)), encoding="utf-8")
    return int(any(row.failed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
