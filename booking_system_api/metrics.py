"""Metrics in the form of Prometheus: what this process counts, and what is read when somebody asks.

Nothing imports this module without `METRICS_TOKEN`. The processes of one gunicorn count in a folder together, see
`metrics_folder`; any other process counts in its memory.

There is a bounded number of series: a label is the pattern of an address, a method that an address has, a status or a
code, and never an address, an id or a person.
"""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from booking_system_api import requests
from booking_system_api.metrics_folder import VARIABLE, locked
from core.models import Booking
from core.notifications.waiting import given_up, number_and_oldest
from core.outbox import delivery
from core.record import relay
from core.record.kinds import EventKind, SeriesKind
from core.record.models import BookingEvent

logger = logging.getLogger(__name__)

# Seconds. Reads take some milliseconds, a sign-in 0.3 s, and a lock is waited for during two seconds.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
OUTCOMES = ("sent", "retried", "failed", "dropped")
CODE = re.compile(r"[a-z0-9_]{1,60}")
# More codes than there are; one that came from elsewhere counts as `other`.
MOST_CODES = 200
GIVEN_UP_WITHIN = timedelta(hours=1)

STATISTICS = """
SELECT
    (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()),
    (
        SELECT count(DISTINCT waiting.pid)
        FROM pg_locks waiting JOIN pg_stat_activity session ON session.pid = waiting.pid
        WHERE NOT waiting.granted AND session.datname = current_database()
    )
"""

# The moments at which series began would be half of all lines.
disable_created_metrics()
counted = CollectorRegistry()
requests_total = Counter(
    "booking_requests", "Requests that were answered.", ("route", "method", "status"), registry=counted
)
request_seconds = Histogram(
    "booking_request_seconds",
    "Seconds until the head of an answer was ready.",
    ("route", "method"),
    buckets=BUCKETS,
    registry=counted,
)
refusals_total = Counter("booking_refusals", "Answers with an error of the API.", ("code",), registry=counted)
acts_total = Counter("booking_acts", "Acts on bookings and series, once told on.", ("act",), registry=counted)
messages_total = Counter("booking_messages", "Tries to send a message, by outcome.", ("outcome",), registry=counted)

_codes: set[str] = set()


def connect() -> None:
    """Begins to count; connecting twice counts once. Each known act and outcome begins with 0."""
    for kind in (*EventKind.values, *SeriesKind.values):
        acts_total.labels(kind)
    for outcome in OUTCOMES:
        messages_total.labels(outcome)
    requests.observe(count_request)
    relay.add_reader(count_act)
    delivery.counted.connect(count_message, dispatch_uid="booking_system_api.metrics")


def count_request(ended: requests.Ended) -> None:
    """Counts a request, and the code of its refusal; the request is answered also where the folder is gone."""
    try:
        requests_total.labels(ended.route, ended.method, str(ended.status)).inc()
        request_seconds.labels(ended.route, ended.method).observe(ended.seconds)
        if ended.code:
            refusals_total.labels(bounded(ended.code)).inc()
    except OSError as error:
        logger.error("A request was not counted: %s", error)


def bounded(code: str) -> str:
    """The code, or `other` for what cannot be one of ours."""
    if code not in _codes:
        if len(_codes) >= MOST_CODES or not CODE.fullmatch(code):
            return "other"
        _codes.add(code)
    return code


def count_act(row: BookingEvent) -> None:
    """Counts an act once it is marked as told: a reader of the record, so that no request waits for this."""
    transaction.on_commit(acts_total.labels(row.kind).inc)


def count_message(outcome: str, **kwargs: Any) -> None:  # noqa: ANN401 - of a signal
    """Counts a message; receives `counted`."""
    messages_total.labels(outcome).inc()


class Database(Collector):
    """What the database knows, in five short statements; nothing but `booking_database_up 0` while it is away."""

    def collect(self) -> Iterator[Metric]:
        """Reads the database now."""
        try:
            found = [*outbox(), *events(), *locks()]
        except Error:
            found = []
        yield GaugeMetricFamily("booking_database_up", "1 while the database answers, otherwise 0.", bool(found))
        yield from found


def outbox() -> Iterable[Metric]:
    """What waits: messages to be sent, and acts of which no message was made yet.

    A message is as old as its first try was due; one that is to be sent later has no age.
    """
    now = timezone.now()
    acts = BookingEvent.objects.filter(handed_at=None).aggregate(Count("pk"), Min("at"))
    waiting = GaugeMetricFamily("booking_outbox_waiting", "Rows that wait for the sender.", labels=["rows"])
    oldest = GaugeMetricFamily("booking_outbox_oldest_seconds", "The age of the oldest of them.", labels=["rows"])
    for name, (number, since) in (("messages", number_and_oldest()), ("acts", acts.values())):
        age = (now - since).total_seconds() if since else 0
        waiting.add_metric([name], number)
        oldest.add_metric([name], max(age, 0))
    return waiting, oldest


def events() -> Iterable[Metric]:
    """What alerts ask for, whichever process booked, told of the act or sent the message, and whoever asks that one."""
    booked = GaugeMetricFamily("booking_last_booked_timestamp_seconds", "When a booking was made last.", labels=[])
    failed = GaugeMetricFamily("booking_messages_given_up", "Messages given up within the last hour.", labels=[])
    newest = Booking.objects.order_by("-created_at", "-id").values_list("created_at", flat=True).first()
    if newest is not None:
        booked.add_metric([], newest.timestamp())
    failed.add_metric([], given_up(since=timezone.now() - GIVEN_UP_WITHIN))
    return booked, failed


def locks() -> Iterable[Metric]:
    """The sessions of this database that wait for a lock, and its deadlocks; no numbers on SQLite."""
    waits = GaugeMetricFamily("booking_lock_waits", "Sessions that wait for a lock now; PostgreSQL only.", labels=[])
    deadlocks = CounterMetricFamily("booking_deadlocks", "Deadlocks of this database; PostgreSQL only.", labels=[])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(STATISTICS)
            dead, waiting = cursor.fetchone()
        waits.add_metric([], waiting)
        deadlocks.add_metric([], dead or 0)
    return waits, deadlocks


class Counted(Collector):
    """What all processes of this server counted, or this process alone."""

    def collect(self) -> Iterator[Metric]:
        """Reads the folder, while no process that ended is added up there."""
        folder = os.environ.get(VARIABLE)
        if not folder:
            yield from counted.collect()
            return
        if not Path(folder).is_dir():
            logger.error("The folder in which this server counts is gone; the next worker makes another one.")
            return
        with locked(Path(folder)):
            yield from list(MultiProcessCollector(None, folder).collect())


class Info(Collector):
    """The version."""

    def collect(self) -> Iterator[Metric]:
        """Returns 1, with the version as a label."""
        info = GaugeMetricFamily("booking_info", "The version of the release that answers.", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info


asked = CollectorRegistry(auto_describe=False)
for _collector in (Info(), Counted(), Database()):
    asked.register(_collector)


def exposition(accept: str) -> tuple[bytes, str]:
    """All metrics as text, and its content type, in the form that `Accept` prefers."""
    encode, content_type = choose_encoder(accept)
    return encode(asked), content_type
