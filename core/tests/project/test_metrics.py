"""/metrics: who may ask, what is counted, and that there is a bounded number of series without anything of a person."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from booking_system_api import metrics, requests
from booking_system_api.version import VERSION
from core.models import Booking, Notification, Resource
from core.notifications import messages
from core.outbox import delivery
from core.record import relay
from core.record.models import BookingEvent
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body
from core.tests.support.mailing import deliver, hand_on
from core.tests.support.plans import plan_of
from core.tests.support.settings import load_settings

TOKEN = "a-long-random-word"
Labels = frozenset[tuple[str, str]]
Series = dict[tuple[str, Labels], float]


@pytest.fixture
def _counting(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As with METRICS_TOKEN from the start, for the length of a test."""
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(requests, "_observers", [])
    monkeypatch.setattr(relay, "_readers", list(relay._readers))
    metrics.connect()
    metrics.connect()
    yield
    delivery.counted.disconnect(dispatch_uid="booking_system_api.metrics")


def ask(**headers: str) -> Any:
    return Client(headers={"authorization": f"Bearer {TOKEN}", **headers}).get("/metrics")


def series() -> Series:
    """The value of each series."""
    answer = ask()
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(found: Series, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


def grown(before: Series, name: str, **labels: str) -> float:
    """By how much a series grew."""
    return value(series(), name, **labels) - value(before, name, **labels)


# --- Who may ask ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head", "post", "options"])
@pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer x"])
def test_without_a_token_there_is_nothing(db: None, settings: Settings, method: str, sent: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert settings.METRICS_TOKEN == ""
    assert getattr(Client(), method)("/metrics", headers={"authorization": sent}).status_code == 404


@pytest.mark.usefixtures("_counting")
@pytest.mark.parametrize(
    "sent",
    ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Token {TOKEN}", TOKEN, "Bearer é"],
)
def test_another_token_is_refused(db: None, sent: str) -> None:
    answer = Client().get("/metrics", headers={"authorization": sent} if sent else {})
    assert_flat_error(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "booking_" not in answer.content.decode()


@pytest.mark.usefixtures("_counting")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_the_token_opens_it_over_plain_http_and_whatever_the_host(db: None, settings: Settings, scheme: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = ask(authorization=f"{scheme} {TOKEN}", host="10.1.2.3:8000")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("_counting")
def test_open_metrics_is_spoken_too(db: None) -> None:
    answer = ask(accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


@pytest.mark.usefixtures("_counting")
def test_only_get_and_head_are_allowed(db: None) -> None:
    client = Client(headers={"authorization": f"Bearer {TOKEN}"})
    assert client.head("/metrics").content == b""
    assert_flat_error(client.post("/metrics"), 405, "method_not_allowed")


@pytest.mark.parametrize("word", ["two words", "é", "a\tb"])
def test_a_token_that_no_header_carries_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match="^METRICS_TOKEN must be one word") as caught:
        load_settings(monkeypatch, METRICS_TOKEN=word)
    assert word not in str(caught.value)


@pytest.mark.parametrize("address", ["9101", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "a b:1", "http://x:1"])
def test_a_wrong_address_of_the_worker_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="^WORKER_METRICS_BIND is "):
        load_settings(monkeypatch, WORKER_METRICS_BIND=address)


def test_an_address_of_the_worker_is_a_host_and_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(monkeypatch, WORKER_METRICS_BIND="0.0.0.0:9101")["WORKER_METRICS_BIND"] == ("0.0.0.0", 9101)


# --- Requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_counting")
def test_requests_are_counted_by_route_method_and_status(as_alice: APIClient, room: Resource) -> None:
    before = series()
    as_alice.get("/api/bookings/")
    as_alice.get("/api/bookings/?status=pending")
    as_alice.get("/api/bookings/999999/")
    as_alice.post("/api/bookings/", booking_body(room))

    assert grown(before, "booking_requests_total", route="/api/bookings/", method="GET", status="200") == 2
    assert grown(before, "booking_requests_total", route="/api/bookings/", method="POST", status="201") == 1
    assert grown(before, "booking_requests_total", route="/api/bookings/<pk>/", method="GET", status="404") == 1
    assert grown(before, "booking_request_seconds_count", route="/api/bookings/", method="GET") == 2
    assert 0 < grown(before, "booking_request_seconds_sum", route="/api/bookings/", method="GET") < 60
    assert grown(before, "booking_request_seconds_bucket", route="/api/bookings/", method="GET", le="+Inf") == 2


@pytest.mark.usefixtures("_counting")
def test_refusals_are_counted_by_code(as_alice: APIClient, as_bob: APIClient, room: Resource) -> None:
    before = series()
    as_alice.post("/api/bookings/", booking_body(room))
    assert as_bob.post("/api/bookings/", booking_body(room)).json()["code"] == "slot_taken"
    # Refused by a middleware, where no view has run.
    as_alice.generic("POST", "/api/bookings/", b"{}", content_type="application/json; charset=utf-16")
    Client().get("/nothing")

    assert grown(before, "booking_refusals_total", code="slot_taken") == 1
    assert grown(before, "booking_refusals_total", code="unsupported_media_type") == 1
    assert grown(before, "booking_refusals_total", code="") == 0


@pytest.mark.usefixtures("_counting")
def test_strangers_make_no_new_series(db: None, alice: User) -> None:
    def visit(number: int) -> None:
        for path in (
            f"/api/x{number}/",
            f"/y{number}",
            f"/api/bookings/{number}/?token=z{number}",
            f"/static/{number}",
        ):
            Client().get(path, headers={"user-agent": f"agent-{number}", "x-request-id": f"request-{number}"})
        Client().generic(f"METHOD{number}", f"/api/bookings/{number}/")
        Client().get(f"/calendars/secret-{number}.ics")

    visit(1000)
    series()
    before = set(series())
    for number in range(1001, 1020):
        visit(number)
    after = series()

    assert set(after) - before == set()
    assert not re.search(r"10[01]\d|secret-|token=|alice|METHOD", str(after.keys()))


def test_codes_that_come_from_elsewhere_are_one_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_codes", set())
    known = {metrics.bounded(f"code_{number}") for number in range(1000)}
    assert len(known) == metrics.MOST_CODES + 1
    assert {metrics.bounded(code) for code in ("A B", "x" * 61, "", 'a"b\n')} == {"other"}
    assert metrics.bounded("code_1") == "code_1"


# --- Acts and messages ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_counting")
def test_acts_are_counted_once_when_they_are_told(as_alice: APIClient, room: Resource) -> None:
    before = series()
    booking = as_alice.post("/api/bookings/", booking_body(room)).json()
    as_alice.delete(f"/api/bookings/{booking['id']}/")
    assert grown(before, "booking_acts_total", act="booking.created") == 0
    assert value(series(), "booking_outbox_waiting", rows="acts") == 2

    assert hand_on() == 2
    assert hand_on() == 0

    assert grown(before, "booking_acts_total", act="booking.created") == 1
    assert grown(before, "booking_acts_total", act="booking.cancelled") == 1
    assert value(series(), "booking_outbox_waiting", rows="acts") == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_counting")
def test_an_act_whose_marking_fails_is_not_counted(
    as_alice: APIClient, room: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = series()
    as_alice.post("/api/bookings/", booking_body(room))

    def fails(row: BookingEvent) -> None:
        raise OperationalError("away")

    relay.add_reader(fails)
    with pytest.raises(OperationalError):
        hand_on()
    assert grown(before, "booking_acts_total", act="booking.created") == 0


@pytest.mark.usefixtures("_counting")
def test_messages_are_counted_by_outcome(as_alice: APIClient, room: Resource, settings: Settings) -> None:
    before = series()
    as_alice.post("/api/bookings/", booking_body(room))
    tally = deliver()
    assert tally["sent"] >= 1
    assert grown(before, "booking_messages_total", outcome="sent") == tally["sent"]
    assert grown(before, "booking_messages_total", outcome="failed") == 0

    as_alice.post("/api/bookings/", booking_body(room, at(15)))
    hand_on()
    Notification.objects.filter(state="waiting").update(kind="nonsense")
    tally = deliver()
    assert tally["failed"] >= 1
    assert grown(before, "booking_messages_total", outcome="failed") == tally["failed"]


@pytest.mark.usefixtures("_counting")
def test_what_waits_has_a_number_and_an_age(as_alice: APIClient, room: Resource) -> None:
    assert value(series(), "booking_outbox_oldest_seconds", rows="messages") == 0
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    waiting = Notification.objects.filter(state="waiting")
    assert value(series(), "booking_outbox_waiting", rows="messages") == waiting.count() > 0

    # Written an hour ago, and sent again ten minutes ago.
    waiting.update(created_at=timezone.now() - timedelta(hours=1))
    messages.resend(waiting, now=timezone.now() - timedelta(minutes=10))
    assert 600 <= value(series(), "booking_outbox_oldest_seconds", rows="messages") < 660
    # Tried in vain, and tried again later.
    waiting.update(due_at=timezone.now() + timedelta(hours=1), tries=3)
    assert 600 <= value(series(), "booking_outbox_oldest_seconds", rows="messages") < 660
    # Sent again by staff.
    messages.resend(waiting, now=timezone.now())
    assert value(series(), "booking_outbox_oldest_seconds", rows="messages") < 60
    # To be sent later: no age.
    messages.resend(waiting, now=timezone.now() + timedelta(hours=1))
    assert value(series(), "booking_outbox_oldest_seconds", rows="messages") == 0


def test_the_last_booking_has_its_moment_whoever_tells_of_it(
    as_alice: APIClient, admin: User, room: Resource, settings: Settings
) -> None:
    """No process counts here: neither the acts nor the messages."""
    settings.METRICS_TOKEN = TOKEN
    assert "booking_last_booked_timestamp_seconds" not in {name for name, _ in series()}
    as_alice.post("/api/bookings/", booking_body(room))
    booking = Booking.objects.get()
    assert value(series(), "booking_last_booked_timestamp_seconds") == pytest.approx(booking.created_at.timestamp())

    # Neither a change, nor a closure, which is a row of the same table.
    before = timezone.now() - timedelta(hours=30)
    Booking.objects.update(created_at=before)
    as_alice.patch(f"/api/bookings/{booking.pk}/", {"notes": "New"})
    make_closure(admin, room, start=at(20), end=at(21))
    assert value(series(), "booking_last_booked_timestamp_seconds") == pytest.approx(before.timestamp())


def test_messages_that_were_given_up_are_seen_whoever_gave_them_up(
    as_alice: APIClient, room: Resource, settings: Settings
) -> None:
    settings.METRICS_TOKEN = TOKEN
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    assert value(series(), "booking_messages_given_up") == 0
    Notification.objects.update(kind="nonsense")
    number = deliver()["failed"]
    assert value(series(), "booking_messages_given_up") == number > 0
    Notification.objects.update(done_at=timezone.now() - timedelta(minutes=61))
    assert value(series(), "booking_messages_given_up") == 0


# --- The database -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_counting")
def test_it_asks_the_database_as_often_whatever_there_is(
    as_alice: APIClient, room: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    number = 5 if connection.vendor == "postgresql" else 4
    with django_assert_num_queries(number):
        ask()
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    with django_assert_num_queries(number):
        ask()


@pytest.mark.usefixtures("_counting")
def test_it_reads_no_history(as_alice: APIClient, room: Resource) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    with CaptureQueriesContext(connection) as captured:
        ask()
    (booked,) = [each["sql"] for each in captured if 'FROM "core_booking"' in each["sql"]]
    messages_read = [each["sql"] for each in captured if 'FROM "core_notification"' in each["sql"]]
    assert "core_booking_by_age" in (plan := plan_of(booked)), plan
    assert len(messages_read) == 2
    for statement in messages_read:
        assert re.search("core_notification_(due|done|queue)", plan := plan_of(statement)), plan


@pytest.mark.usefixtures("_counting")
def test_it_answers_while_the_database_is_away(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert value(series(), "booking_database_up") == 1

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", away)
        found = series()
    assert found["booking_database_up", frozenset()] == 0
    assert value(found, "booking_info", version=VERSION) == 1
    assert not any(name.startswith("booking_outbox") for name, _ in found)


@pytest.mark.only_on_sqlite
@pytest.mark.usefixtures("_counting")
def test_sqlite_knows_no_locks(db: None) -> None:
    assert not any(name in ("booking_lock_waits", "booking_deadlocks_total") for name, _ in series())


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_counting")
def test_a_session_that_waits_for_a_lock_is_seen(room: Resource) -> None:
    assert value(series(), "booking_lock_waits") == 0
    assert value(series(), "booking_deadlocks_total") >= 0

    def wait() -> None:
        with transaction.atomic():
            Resource.objects.select_for_update().get(pk=room.pk)
        connection.close()

    with transaction.atomic():
        Resource.objects.select_for_update().get(pk=room.pk)
        rival = threading.Thread(target=wait)
        rival.start()
        deadline = timezone.now() + timedelta(seconds=10)
        while not (waits := value(series(), "booking_lock_waits")):
            assert timezone.now() < deadline
    rival.join(10)
    assert waits == 1
    assert value(series(), "booking_lock_waits") == 0
