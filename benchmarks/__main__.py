"""Measures the product against the floor: `make bench`, or `make bench ARGS="--full --json result.json"`."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import data, plot
from benchmarks.bench import Bench
from benchmarks.data import SIDES, filled_database
from benchmarks.scenarios import groups
from benchmarks.servers import BenchmarkError, serving
from benchmarks.table import Row, growth, show
from tools.bootstrap import say
from tools.postgres import PostgresError
from tools.signals import leave_on_signals


def measure_and_retry(measure: Callable[[], list[Row]]) -> list[Row]:
    """The rows; when one exceeds its limit, all are measured again, and each row keeps its better measurement."""
    rows = measure()
    if any(row.failed for row in rows):
        rows = [min(pair, key=lambda row: row.ratio) for pair in zip(rows, measure(), strict=True)]
    show(rows)
    return rows


def run(sizes: list[int], only: str) -> list[Row]:
    """Starts both servers and measures every row, in the order of the table."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(filled_database(sorted({1000, 5000, *sizes})))
        for side in SIDES:
            database.enter(side, data.POSTS)
        servers = {side: stack.enter_context(serving(side, database.urls[side])) for side in SIDES}
        say(f"Both databases are filled and both servers are up after {time.monotonic() - began:.0f} s.\n")
        bench = Bench(database, servers)
        selected = [group for group in groups(sizes) if any(only in scenario.name for scenario in group.scenarios)]
        for scenario in (scenario for group in selected for scenario in group.scenarios):
            bench.require_equal(scenario)
        show([])
        rows = [row for group in selected for row in measure_and_retry(lambda group=group: bench.measure(group))]
        measurements = [
            bench.measure_series,
            bench.measure_terms,
            bench.measure_delivery,
            bench.measure_rate,
            bench.measure_rush,
            bench.memory,
            bench.measure_start,
            bench.measure_check,
        ]
        if not only:
            rows += [row for measure in measurements for row in measure_and_retry(measure)]
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measures from the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the product against the floor.")
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
