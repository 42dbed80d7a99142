"""The measurements: both servers answer the same requests over the same data, in alternation."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from benchmarks import data
from benchmarks.client import Answer, Connection
from benchmarks.data import SIDES, Database
from benchmarks.scenarios import (
    DATES,
    FIRST_FREE,
    HALF_HOUR,
    Group,
    Scenario,
    after_a_post,
    booking,
    first_packed,
    numbers,
    singles,
    weekly,
    with_terms,
)
from benchmarks.servers import BenchmarkError, Server, seconds_of_check, serving
from benchmarks.table import Row, times_row, times_row_of

ROUNDS = 10
SERIES = 30
SERIES_STATEMENTS = 8
STARTS = 5
COUNTED = 5
RIVALS = 40
RUSHES = 6
CLIENTS = 8
BOOKINGS_OF_A_CLIENT = 20


class Bench:
    """Measures both servers over the same data."""

    def __init__(self, database: Database, servers: dict[str, Server]) -> None:
        self.database = database
        self.servers = servers
        self.numbers = numbers()

    def turns(self, rounds: int) -> Iterator[str]:
        """The sides in alternation: A B, B A, A B ..."""
        for number in range(rounds):
            yield from SIDES if number % 2 == 0 else reversed(SIDES)

    # --- Request by request -------------------------------------------------------------------------------------------

    def ask(self, side: str, scenario: Scenario, times: int) -> list[Answer]:
        """Sends requests over one kept connection; a first request warms the server up, and its answer is dropped."""
        self.database.enter(side, scenario.world)
        return self.ask_server(self.servers[side], side, scenario, times)

    def ask_server(self, server: Server, side: str, scenario: Scenario, times: int) -> list[Answer]:
        """The same, of any server over the data of a side."""
        answers = []
        with Connection(server.port) as connection:
            for _ in range(times + 1):
                if scenario.before is not None:
                    connection.ask(scenario.before(next(self.numbers[side])))
                answers.append(connection.ask(scenario.make(next(self.numbers[side]))))
        for answer in answers:
            self.require(answer.status == scenario.status, f"{scenario.name}, {side}: {answer.status} {answer.body!r}")
        return answers[1:]

    def require_equal(self, scenario: Scenario) -> None:
        for _ in range(3):  # answers that depend on the clock may differ once
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
            first_free = first_packed() + data.PACK * HALF_HOUR
            self.require(start == f"{first_free:%Y-%m-%dT%H:%M:%SZ}", f"{start} is not the first free moment")

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
        """The SQL statements of a request on a kept connection; the minimum of several, since e-mails add some."""
        self.ask(side, scenario, 1)
        counts = []
        with self.database.logging_statements():
            for _ in range(COUNTED):
                before = self.database.log_size()
                self.ask(side, scenario, 0)
                counts.append(len(self.database.statements_since(before, side)))
        return min(counts)

    # --- Concurrent clients -------------------------------------------------------------------------------------------

    def concurrently(self, side: str, requests: list[list[bytes]]) -> tuple[list[Answer], float]:
        """Sends each list of requests from its own client, all in parallel; returns the answers and the seconds."""
        self.database.enter(side, data.POSTS)
        answers: list[Answer] = []
        barrier = threading.Barrier(len(requests) + 1)

        def client(requests: list[bytes]) -> None:
            with Connection(self.servers[side].port) as connection:
                barrier.wait()
                for request in requests:
                    answers.append(connection.ask(request))

        threads = [threading.Thread(target=client, args=[each], daemon=True) for each in requests]
        for thread in threads:
            thread.start()
        barrier.wait()
        began = time.perf_counter()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        self.require(len(answers) == sum(map(len, requests)), f"{side}: a client got no answer")
        return answers, seconds

    def measure_rate(self) -> list[Row]:
        """POSTs from several clients, each on its own resource."""
        seconds_per_answer: dict[str, list[float]] = {side: [] for side in SIDES}
        for side in self.turns(4):
            requests = [
                [
                    booking(resource, FIRST_FREE + next(self.numbers[side]) * HALF_HOUR)
                    for _ in range(BOOKINGS_OF_A_CLIENT)
                ]
                for resource in data.ELSEWHERE
            ]
            answers, seconds = self.concurrently(side, requests)
            self.require(all(answer.status == 201 for answer in answers), f"{side}: a POST of {CLIENTS} clients failed")
            seconds_per_answer[side].append(seconds / len(answers))
        return [times_row_of(f"POST, {CLIENTS} clients, each of the answers", 2.5, 3, seconds_per_answer)]

    def measure_series(self) -> list[Row]:
        """A series against POSTs of its dates one by one."""
        seconds: dict[str, list[float]] = {side: [] for side in SIDES}
        with Connection(self.servers["product"].port) as product, Connection(self.servers["floor"].port) as floor:
            for turn in range(SERIES + 1):
                for side in SIDES if turn % 2 == 0 else reversed(SIDES):
                    self.database.enter(side, data.POSTS)
                    number = next(self.numbers[side])
                    if side == "product":
                        answers = [product.ask(weekly(number))]
                    else:
                        answers = [floor.ask(each) for each in singles(number)]
                    self.require(all(answer.status == 201 for answer in answers), f"{side}: a series: {answers[0]}")
                    if turn:  # the first one warms the servers up
                        seconds[side].append(sum(answer.seconds for answer in answers))
        row = times_row_of(f"a series of {DATES}, one POST against {DATES}", 0.1, 0.35, seconds)
        row.statements, row.statements_allowed = self.statements_of_series(), SERIES_STATEMENTS
        return [row]

    def statements_of_series(self) -> int:
        """The SQL statements of a series on a kept connection; the minimum of several, since e-mails add some."""
        counts = []
        with Connection(self.servers["product"].port) as connection, self.database.logging_statements():
            for _ in range(COUNTED):
                before = self.database.log_size()
                connection.ask(weekly(next(self.numbers["product"])))
                counts.append(len(self.database.statements_since(before, "product")))
        return min(counts)

    def measure_terms(self) -> list[Row]:
        """Questions about many resources with opening hours, exceptions and policies, against those without."""
        seconds: dict[str, tuple[list[float], list[float]]] = {}
        scenarios = with_terms(100_000)
        for scenario in scenarios:
            answers = self.ask("product", scenario, scenario.requests)
            seconds[scenario.name] = ([], [answer.seconds for answer in answers])
        rows = []
        with self.database.terms():
            for scenario in scenarios:
                answers = self.ask("product", scenario, scenario.requests)
                seconds[scenario.name][0].extend(answer.seconds for answer in answers)
                named = replace(scenario, name=f"{scenario.name}: with hours")
                row = times_row(named, *seconds[scenario.name])
                row.statements = self.statements("product", scenario)
                rows.append(row)
        return rows

    def measure_delivery(self) -> list[Row]:
        """Requests while a thread of each web process sends the messages, against those while nobody sends any."""
        rows = []
        self.database.enter("product", data.POSTS)
        self.database.drop_messages()
        with serving("product", self.database.urls["product"], notifications="web") as server:
            for scenario in after_a_post():
                seconds: tuple[list[float], list[float]] = ([], [])
                for turn in range(ROUNDS):
                    for number in (0, 1) if turn % 2 == 0 else (1, 0):
                        asked = (server, self.servers["product"])[number]
                        answers = self.ask_server(asked, "product", scenario, scenario.requests // ROUNDS)
                        seconds[number].extend(answer.seconds for answer in answers)
                rows.append(times_row(replace(scenario, name=f"{scenario.name}: default delivery"), *seconds))
        self.database.drop_messages()
        return rows

    def measure_rush(self) -> list[Row]:
        """Many clients request the same slot: one gets the slot, the others an error; the slowest answer counts."""
        slowest: dict[str, list[float]] = {side: [] for side in SIDES}
        for side in self.turns(RUSHES):
            request = booking(data.WANTED, FIRST_FREE + next(self.numbers[side]) * HALF_HOUR)
            answers, _ = self.concurrently(side, [[request]] * RIVALS)
            statuses = sorted(answer.status for answer in answers)
            self.require(statuses == [201] + [400] * (RIVALS - 1), f"{side}, {RIVALS} clients, one slot: {statuses}")
            slowest[side].append(max(answer.seconds for answer in answers))
        return [times_row_of(f"{RIVALS} clients, one slot, the slowest answer", 4, 6, slowest)]

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
        shared = {side: self.servers[side].shared_memory() for side in SIDES}
        names = ("peak memory of a worker, after all this", "memory of the service, shared pages counted once")
        return [
            Row(name, sizes["product"], *limits, sizes["product"], floor=sizes["floor"], unit="MiB")
            for name, limits, sizes in zip(names, ((90, 110), (80, 90)), (peaks, shared), strict=True)
            if sizes["product"] is not None
        ]

    def require(self, condition: bool, otherwise: str) -> None:  # noqa: FBT001 - like an assertion
        """Stops at a wrong answer, whose time has no meaning."""
        if not condition:
            raise BenchmarkError(otherwise)
