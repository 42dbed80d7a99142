"""The product on more than one machine, in small: two web servers and two workers behind a PgBouncer, with a Redis.

All are real processes on one PostgreSQL. PgBouncer is in transaction mode: a transaction may get another connection
than the one before it.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework.authtoken.models import Token

from core.models import Booking, Notification, Resource
from core.record.models import BookingEvent
from core.tests.support.factories import at, booking_body, make_booking, make_resource, make_user, text
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import in_parallel
from core.tests.support.pgbouncer import pgbouncer
from core.tests.support.processes import Answer, Process, ask, wait_for
from core.tests.support.redis_server import redis_server
from core.tests.support.sendgrid_server import SendGridServer
from core.tests.support.servers import free_port

pytestmark = pytest.mark.cluster

SERVERS = WORKERS = 2
ACTS = 40  # of each person


@dataclass
class Cluster:
    """Where its web servers are, and the provider of e-mails that its workers call."""

    ports: list[int]
    workers: list[Process]
    sendgrid: SendGridServer


@pytest.fixture
def start(tmp_path: Path, transactional_db: None, _without_proxies: None) -> Iterator[Callable[..., Cluster]]:
    """Starts a cluster with these settings, and stops it in the end."""
    with ExitStack() as stack:

        def start_cluster(**settings: str) -> Cluster:
            folders = {name: tmp_path / name for name in ("pool", "redis", "logs")}
            for folder in folders.values():
                folder.mkdir()
            port = free_port()
            stack.enter_context(redis_server(folders["redis"], port))
            environment = {
                "DATABASE_URL": stack.enter_context(pgbouncer(folders["pool"])),
                "CONN_MAX_AGE": "0",
                "REDIS_URL": f"redis://127.0.0.1:{port}/0",
                "NOTIFICATIONS": "worker",
                "WEB_CONCURRENCY": "2",
                "GUNICORN_THREADS": "4",
                **settings,
            }
            sendgrid = stack.enter_context(SendGridServer())

            def run(*arguments: str) -> Process:
                process = Process(folders["logs"], sendgrid, *arguments, **environment)
                stack.callback(process.stop)
                return process

            web = ("-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0")
            servers = [run(*web) for _ in range(SERVERS)]
            workers = [run("manage.py", "deliver_notifications", "--watch") for _ in range(WORKERS)]
            stack.callback(without_tracebacks, [*servers, *workers])
            return Cluster([server.port for server in servers], workers, sendgrid)

        yield start_cluster


def without_tracebacks(processes: list[Process]) -> None:
    for process in processes:
        assert "Traceback" not in process.said, process.said


def tokens_of(number: int) -> list[str]:
    return [Token.objects.create(user=make_user(f"rival{index}")).key for index in range(number)]


def statuses(answers: list[Answer]) -> Counter[int]:
    """How many answers have which status; an exception instead of an answer fails the test."""
    assert [answer for answer in answers if not isinstance(answer, Answer)] == []
    return Counter(answer.status for answer in answers)


# --- The guarantee ----------------------------------------------------------------------------------------------------


def test_a_slot_is_granted_once(start: Callable[..., Cluster], room: Resource) -> None:
    cluster, tokens = start(), tokens_of(30)
    for day in range(1, 5):
        body = booking_body(room, at(10, day=day))
        answers = in_parallel(
            [
                partial(ask, cluster.ports[index % 2], "POST", "/api/bookings/", body, token)
                for index, token in enumerate(tokens)
            ]
        )
        assert statuses(answers) == {201: 1, 400: 29}
        assert {answer.body["code"] for answer in answers if answer.status == 400} == {"slot_taken"}
    assert Booking.objects.count() == 4
    assert overlapping_pairs() == []


def test_a_key_books_once_on_whichever_server(start: Callable[..., Cluster], alice: User, room: Resource) -> None:
    cluster, token = start(), Token.objects.create(user=alice).key
    headers = {"Idempotency-Key": "order-7"}
    answers = in_parallel(
        [
            partial(ask, cluster.ports[index % 2], "POST", "/api/bookings/", booking_body(room), token, **headers)
            for index in range(20)
        ]
    )
    assert statuses(answers) == {201: 20}
    assert {answer.body["id"] for answer in answers} == {Booking.objects.get().pk}


def test_whatever_many_people_do_at_once_no_slot_is_held_twice(start: Callable[..., Cluster]) -> None:
    """Eight people book, move, shorten and cancel on three resources, each call at one of the servers."""
    cluster, rooms = start(), [make_resource(f"Room {index}") for index in range(3)]
    said: list[Answer] = []

    def act(token: str, seed: int) -> None:
        choose, mine = random.Random(seed), []  # noqa: S311 - no secret
        for _ in range(ACTS):
            begin = at(8 + choose.randrange(16) / 2)
            body = booking_body(choose.choice(rooms), begin, begin + timedelta(minutes=30 * choose.randint(1, 4)))
            port = choose.choice(cluster.ports)
            kind = choose.random()
            if kind < 0.5 or not mine:
                answer = ask(port, "POST", "/api/bookings/", body, token)
                mine += [answer.body["id"]] if answer.status == 201 else []
            elif kind < 0.8:
                changed = {name: body[name] for name in ("resource", "start_time", "end_time")}
                answer = ask(port, "PATCH", f"/api/bookings/{choose.choice(mine)}/", changed, token)
            else:
                answer = ask(port, "DELETE", f"/api/bookings/{mine.pop(choose.randrange(len(mine)))}/", None, token)
            said.append(answer)

    people = [threading.Thread(target=act, args=(token, seed)) for seed, token in enumerate(tokens_of(8))]
    for each in people:
        each.start()
    for each in people:
        each.join(60)
    found = statuses(said)
    print(f"\nAnswers: {dict(found)}")  # noqa: T201
    assert set(found) <= {200, 201, 204, 400}
    assert found[201] > 20
    assert found[400] > 20
    assert overlapping_pairs() == []
    call_command("check_bookings")


# --- What servers and workers share -----------------------------------------------------------------------------------


def test_servers_count_limits_together(start: Callable[..., Cluster]) -> None:
    cluster = start(THROTTLE_ANONYMOUS="20/min")
    answers = in_parallel([partial(ask, cluster.ports[index % 2], "GET", "/api/") for index in range(60)])
    assert statuses(answers) == {200: 20, 429: 40}


def test_workers_send_each_message_once(start: Callable[..., Cluster], room: Resource) -> None:
    cluster = start()
    for day in range(1, 7):
        calls = [
            partial(
                ask, cluster.ports[hour % 2], "POST", "/api/bookings/", booking_body(room, at(hour, day=day)), token
            )
            for hour, token in enumerate(tokens_of_day(day), start=8)
        ]
        assert statuses(in_parallel(calls)) == {201: 8}
    wait_for(nothing_waits, cluster.workers[0])
    assert cluster.sendgrid.receivers == sorted(User.objects.values_list("email", flat=True))
    assert len(cluster.sendgrid.requests) == 48
    assert {*Notification.objects.values_list("state", "tries")} == {("sent", 1)}


def tokens_of_day(day: int) -> list[str]:
    return [Token.objects.create(user=make_user(f"guest{day}-{hour}")).key for hour in range(8)]


def nothing_waits() -> bool:
    acts = BookingEvent.objects.filter(handed_at=None)
    return not acts.exists() and not Notification.objects.filter(state="waiting").exists()


# --- The rest of the API ----------------------------------------------------------------------------------------------


def test_long_lists_and_exports_need_no_connection_of_their_own(
    start: Callable[..., Cluster], admin_user: User, room: Resource
) -> None:
    token = Token.objects.create(user=admin_user).key
    cluster = start()
    bookings = [make_booking(admin_user, room, at(10, day=day), at(11, day=day)) for day in range(1, 29)]
    paths = [
        "/api/bookings/",
        "/api/resources/availability/?" + f"start={text(at(0))}&end={text(at(0, day=8))}".replace("+", "%2B"),
        f"/api/bookings/{bookings[0].pk}/history/",
        "/health/ready/",
    ]
    calls = [partial(ask, cluster.ports[index % 2], "GET", path, None, token) for path in paths for index in range(6)]
    answers = in_parallel(calls)
    assert statuses(answers) == {200: 24}
    assert [len(answer.body) for answer in answers[:6]] == [28] * 6
    assert answers[-1].body["status"] == "ok"
