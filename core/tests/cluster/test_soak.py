"""A year in fast-forward: people book without a pause while an operator upgrades and everything fails once.

Eight clients book, move, cancel and read at two servers. Meanwhile one of these gets a HUP each minute, PostgreSQL
restarts twice, Redis once, and a worker is killed. `SOAK_MINUTES` is how long that takes. The memory of the other
server is what must not grow.
"""

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from django.utils import timezone
from rest_framework.authtoken.models import Token

from core.models import Booking, Notification, Resource
from core.notifications.channel import AT_ONCE
from core.record.models import BookingEvent
from core.tests.support.factories import at, booking_body, make_resource, make_user
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.processes import Process, wait_for
from core.tests.support.redis_server import redis_server
from core.tests.support.sendgrid_server import SendGridServer
from core.tests.support.servers import free_port

pytestmark = pytest.mark.soak

SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", "10"))
CLIENTS = 8
ROOMS = 6
# An answer may take this long: a restart of the database, and the wait for a new connection.
PATIENCE_SECONDS = 30
# What a process may grow between the first half and the end; in the first minutes it loads its code.
GROWTH = 1.15

Wanted = dict[str, Any]


class Client(threading.Thread):
    """A person who books, moves, cancels and reads, and knows what must be true of each booking.

    A call whose answer is lost, or is a 503, is made again with the same key, as `docs/api.md` tells clients to do.

    Attributes:
        known: The state that each booking of this person must have.
        told: How many answers had which method and status.
        lost: The moments at which a connection ended without an answer.
        wrong: What should not have been answered.
    """

    def __init__(self, port: int, token: str, rooms: list[Resource], seed: int, end: float) -> None:
        super().__init__(name=f"client {seed}")
        self.port, self.token, self.rooms, self.end = port, token, rooms, end
        self.choose = random.Random(seed)
        self.known: dict[int, Wanted] = {}
        self.told: Counter[tuple[str, int]] = Counter()
        self.lost: list[float] = []
        self.busy: list[float] = []
        self.wrong: list[object] = []
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def run(self) -> None:
        try:
            while time.monotonic() < self.end:
                self.choose.choices([self.book, self.move, self.cancel, self.read, self.look], [4, 2, 1, 3, 2])[0]()
        except Exception as error:  # noqa: BLE001 - it is told at the end
            self.wrong.append(error)
        finally:
            self.connection.close()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The answer, after as many tries as it takes."""
        headers = {
            "X-Forwarded-Proto": "https",
            "Content-Type": "application/json",
            "Authorization": f"Token {self.token}",
        }
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.connection.request(method, path, json.dumps(body) if body else None, headers)
                answer = self.connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.lost.append(time.monotonic())
            else:
                self.told[method, answer.status] += 1
                if answer.status != 503:
                    return answer.status, json.loads(content) if content else None
                self.busy.append(time.monotonic())
            assert time.monotonic() < deadline, f"no answer to {method} {path}"
            time.sleep(0.2)

    def expect(self, right: bool, *what: object) -> None:
        if not right:
            self.wrong.append(what)

    def times(self) -> Wanted:
        begin = at(8 + self.choose.randrange(24) / 2, day=self.choose.randrange(1, 200))
        body = booking_body(
            self.choose.choice(self.rooms), begin, begin + timedelta(minutes=30 * self.choose.randint(1, 4))
        )
        return {name: body[name] for name in ("resource", "start_time", "end_time")}

    def book(self) -> None:
        wanted = self.times()
        status, body = self.ask("POST", "/api/bookings/", wanted)
        if status == 201:
            self.known[body["id"]] = {**wanted, "status": "confirmed"}
        else:
            self.expect(status == 400 and body["code"] == "slot_taken", "POST", status, body)

    def mine(self) -> int | None:
        held = [number for number, booking in self.known.items() if booking["status"] == "confirmed"]
        return self.choose.choice(held) if held else None

    def move(self) -> None:
        if number := self.mine():
            wanted = self.times()
            status, body = self.ask("PATCH", f"/api/bookings/{number}/", wanted)
            if status == 200:
                self.known[number] |= wanted
            else:
                self.expect(status == 400 and body["code"] == "slot_taken", "PATCH", status, body)

    def cancel(self) -> None:
        if number := self.mine():
            status, body = self.ask("DELETE", f"/api/bookings/{number}/")
            # A second try after a lost answer finds the booking cancelled.
            self.expect(status == 204 or body["code"] == "already_cancelled", "DELETE", status, body)
            self.known[number]["status"] = "cancelled"

    def read(self) -> None:
        if self.known:
            number = self.choose.choice([*self.known])
            status, body = self.ask("GET", f"/api/bookings/{number}/")
            self.expect(status == 200 and self.is_right(body), "GET", status, body, self.known[number])

    def look(self) -> None:
        begin = self.choose.randrange(1, 200)
        span = f"start={at(0, day=begin):%Y-%m-%dT%H:%M:%SZ}&end={at(0, day=begin + 1):%Y-%m-%dT%H:%M:%SZ}"
        status, body = self.ask("GET", f"/api/resources/availability/?{span}")
        self.expect(status == 200 and len(body) == ROOMS, "GET", status, body)

    def is_right(self, body: Wanted) -> bool:
        return all(body[name] == value for name, value in self.known[body["id"]].items())


@dataclass
class Memory:
    """The resident memory of processes with all that they started, in KiB, over time."""

    found: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def look(self, processes: dict[str, Process]) -> None:
        for name, process in processes.items():
            with suppress(OSError):
                self.found[name].append(sum(map(resident, [process.process.pid, *children(process.process.pid)])))


def children(number: int) -> list[int]:
    return [*map(int, Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii").split())]


def resident(number: int) -> int:
    lines = Path(f"/proc/{number}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def restart_database() -> None:
    os.kill(int(os.environ["TEST_DATABASE_KEEPER"]), signal.SIGUSR1)


@pytest.mark.usefixtures("_without_proxies")
@pytest.mark.django_db(transaction=True)
def test_a_year_in_fast_forward(tmp_path: Path) -> None:
    rooms = [make_resource(f"Room {index}") for index in range(ROOMS)]
    tokens = [Token.objects.create(user=make_user(f"person{index}")).key for index in range(CLIENTS)]
    memory, happened = Memory(), []
    (tmp_path / "logs").mkdir()
    with ExitStack() as stack:
        sendgrid = stack.enter_context(SendGridServer())
        redis_port = free_port()
        redis = stack.enter_context(restartable(tmp_path, redis_port))
        environment = {
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "NOTIFICATIONS": "worker",
            "WEB_CONCURRENCY": "2",
            "GUNICORN_THREADS": "8",
            "TO_EMAIL": "staff@example.org",
        }

        def run(*arguments: str) -> Process:
            process = Process(tmp_path / "logs", sendgrid, *arguments, **environment)
            stack.callback(process.stop)
            return process

        watch = ("manage.py", "deliver_notifications", "--watch")
        serve = ("-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0")
        processes = {
            "the server that is reloaded": run(*serve),
            "the other server": run(*serve),
            "the worker that is killed": run(*watch),
            "the other worker": run(*watch),
        }
        servers = [*processes.values()][:2]
        ports = [server.port for server in servers]

        def hup() -> None:
            servers[0].process.send_signal(signal.SIGHUP)

        def kill_worker() -> None:
            processes["the worker that is killed"].kill()
            processes["the worker that is killed"] = run(*watch)

        begun = time.monotonic()
        plan: list[tuple[float, str, Callable[[], object]]] = [
            *((minute * 60, "HUP", hup) for minute in range(1, int(SECONDS // 60))),
            (SECONDS * 0.22, "database", restart_database),
            (SECONDS * 0.45, "redis", redis),
            (SECONDS * 0.62, "worker", kill_worker),
            (SECONDS * 0.77, "database", restart_database),
        ]
        clients = [Client(ports[seed % 2], token, rooms, seed, begun + SECONDS) for seed, token in enumerate(tokens)]
        for each in clients:
            each.start()
        for moment, name, act in sorted(plan, key=lambda step: step[0]):
            while time.monotonic() < begun + moment:
                time.sleep(min(5, max(0, begun + moment - time.monotonic())))
                memory.look(processes)
            happened.append((time.monotonic(), name))
            act()
        for each in clients:
            each.join()
        memory.look(processes)
        connections.close_all()  # the restarts ended this process's own
        wait_for_messages()
    report(clients, happened, begun, memory, sendgrid)

    assert [each.wrong for each in clients if each.wrong] == []
    assert not far_from(("database",), happened, [moment for each in clients for moment in (*each.lost, *each.busy)])
    assert {status for each in clients for _, status in each.told} <= {200, 201, 204, 400, 503}
    assert overlapping_pairs() == []
    call_command("check_bookings")
    known = {number: booking for each in clients for number, booking in each.known.items()}
    assert {booking.pk: booking.status for booking in Booking.objects.all()} == {
        number: booking["status"] for number, booking in known.items()
    }
    assert not BookingEvent.objects.filter(handed_at=None).exists()
    assert {*Notification.objects.values_list("state", flat=True)} <= {"sent", "waiting", "dropped"}
    # The limit that docs/notifications.md names: what a killed worker had sent and not marked.
    assert 0 <= len(sendgrid.accepted) - Notification.objects.filter(state="sent").count() <= AT_ONCE
    for name in ("the other server", "the other worker"):
        sizes = memory.found[name]
        assert max(sizes[-3:]) < GROWTH * max(sizes[: len(sizes) // 2]), (name, sizes)


@contextmanager
def restartable(folder: Path, port: int):  # noqa: ANN201 - a context manager of a function
    """Runs a Redis; yields what restarts it, empty."""
    with ExitStack() as stack:
        stack.enter_context(redis_server(folder, port))

        def restart() -> None:
            stack.close()
            time.sleep(3)
            stack.enter_context(redis_server(folder, port))

        yield restart


def due() -> int:
    """How many messages are due, and acts of which no message was written yet."""
    while True:
        try:
            acts = BookingEvent.objects.filter(handed_at=None).count()
            # What is beyond the limits of an address is dropped, and told by one message later.
            return acts + Notification.objects.filter(state="waiting", due_at__lte=timezone.now()).count()
        except OperationalError:
            connections.close_all()


def wait_for_messages() -> None:
    """Waits as long as there are fewer and fewer; a killed worker's claims end after a minute."""
    left = due()
    while left:
        before = left
        wait_for(lambda before=before: due() < before)
        left = due()


def far_from(names: tuple[str, ...], happened: list[tuple[float, str]], moments: list[float]) -> list[float]:
    """Those of these moments that no such event explains: it came at most `PATIENCE_SECONDS` before."""
    causes = [moment for moment, name in happened if name in names]
    return [each for each in moments if not any(0 <= each - cause <= PATIENCE_SECONDS for cause in causes)]


def report(
    clients: list[Client],
    happened: list[tuple[float, str]],
    begun: float,
    memory: Memory,
    sendgrid: SendGridServer,
) -> None:
    told: Counter[tuple[str, int]] = sum((each.told for each in clients), Counter())
    answers = ", ".join(f"{method} {status}: {times}" for (method, status), times in sorted(told.items()))
    lost = sum(len(each.lost) for each in clients)
    sent = Notification.objects.filter(state="sent").count()
    number = sum(told.values())
    sizes = {name: [size // 1024 for size in found] for name, found in memory.found.items()}
    lines = [
        "",
        f"{SECONDS / 60:.0f} minutes, {number} answers ({number / SECONDS:.0f} a second): {answers}",
        f"connections that ended without an answer: {lost}",
        f"messages: {sent} sent, {len(sendgrid.accepted)} arrived",
        "events: " + ", ".join(f"{name} at {moment - begun:.0f} s" for moment, name in happened),
        *(f"memory of {name}, MiB: {min(found)} to {max(found)}" for name, found in sizes.items()),
    ]
    print("\n".join(lines))  # noqa: T201
