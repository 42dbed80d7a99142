"""Readiness: whether this process can serve people, and what else an operator should look at."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from core.constraints import has_guard
from core.notifications.models import Notification
from core.outbox.models import State
from core.record.models import BookingEvent

KEPT_SECONDS = 1
# A look that takes longer waits for something that does not answer.
HANG_SECONDS = 3
REDIS_SECONDS = 1
OK, FAILED, UNKNOWN = "ok", "failed", "unknown"
# Without one of these nobody can book, or two people could book one slot.
VITAL = ("database", "migrations", "guard")

Report = dict[str, str]


def has_answer() -> bool:
    """True if the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def is_migrated() -> bool:
    """True if all migrations of this release are applied; those of a newer release do no harm."""
    return known_migrations() <= MigrationRecorder(connection).applied_migrations().keys()


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The app and the name of each migration in the code."""
    return frozenset(MigrationLoader(None).graph.nodes)


def is_guarded() -> bool:
    """True if the database refuses two bookings for one slot."""
    return has_guard(connection)


def is_delivered() -> bool:
    """True unless a message is due for `READY_MESSAGE_AGE_SECONDS`, or an act was turned into none for so long."""
    late = timezone.now() - timedelta(seconds=settings.READY_MESSAGE_AGE_SECONDS)
    # By the partial index of the acts that wait.
    acts = BookingEvent.objects.filter(handed_at=None).order_by("id")
    oldest: datetime | None = acts.values_list("at", flat=True).first()
    is_act_late = oldest is not None and oldest < late
    return not is_act_late and not Notification.objects.filter(state=State.WAITING, due_at__lt=late).exists()


def redis_answers() -> bool:
    """True if the Redis of `REDIS_URL` answers."""
    from redis import Redis, RedisError

    seconds = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
    try:
        with Redis.from_url(settings.REDIS_URL, **seconds) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False


def parts() -> list[str]:
    """The parts in the order in which they are looked at."""
    return [*VITAL, "messages", *(["redis"] if settings.REDIS_URL else [])]


def look(report: Report) -> None:
    """Puts `ok`, `failed` or `unknown` into the report, part by part; six short statements at most."""
    report["database"] = outcome(has_answer)
    is_there = report["database"] == OK
    report["migrations"] = outcome(is_migrated) if is_there else UNKNOWN
    report["guard"] = outcome(is_guarded) if is_there else UNKNOWN
    report["messages"] = outcome(is_delivered) if report["migrations"] == OK else UNKNOWN
    if settings.REDIS_URL:
        report["redis"] = outcome(redis_answers)


def of_hang(begun: Report) -> Report:
    """The report of a look that hangs: the part that it waits for has failed, and nobody knows those behind it."""
    missing = [name for name in parts() if name not in begun]
    return {**begun, **dict.fromkeys(missing, UNKNOWN), **dict.fromkeys(missing[:1], FAILED)}


def outcome(check: Callable[[], bool]) -> str:
    """The outcome of a check; an error of the database is a failure."""
    try:
        return OK if check() else FAILED
    except Error:
        return FAILED


class Readiness:
    """The last report of this process, kept for `KEPT_SECONDS`, so that many probes cost no more than a few.

    One thread looks at a time. A database that hangs keeps that thread, and the others tell of it.

    Attributes:
        report: The last report; None before the first look has ended.
        ends: Until when it is kept, on the steady clock.
        begun: What the look of another thread has found so far.
        hangs_from: When that look hangs, on the steady clock; None while nobody looks.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.report: Report | None = None
        self.ends = 0.0
        self.begun: Report = {}
        self.hangs_from: float | None = None

    def __call__(self) -> Report:
        """Returns the report; while another thread looks anew, the last one for `HANG_SECONDS`."""
        if self.report is not None and time.monotonic() < self.ends:
            return self.report
        if not self.lock.acquire(timeout=self.patience if self.report is None else 0):
            return of_hang(dict(self.begun)) if self.report is None or not self.patience else self.report
        try:
            if self.report is None or time.monotonic() >= self.ends:
                self.begun = {}
                self.hangs_from = time.monotonic() + HANG_SECONDS
                look(self.begun)
                self.report = self.begun
                self.ends = time.monotonic() + KEPT_SECONDS
            return self.report
        finally:
            self.hangs_from = None
            self.lock.release()

    @property
    def patience(self) -> float:
        """For how many seconds from now on the look of another thread does not count as hanging."""
        hangs_from = self.hangs_from
        return HANG_SECONDS if hangs_from is None else max(hangs_from - time.monotonic(), 0)


readiness = Readiness()


def status_of(report: Report) -> str:
    """`unavailable` if a vital part fails, `degraded` if another one does, otherwise `ok`."""
    if any(report[name] != OK for name in VITAL):
        return "unavailable"
    return OK if set(report.values()) == {OK} else "degraded"
