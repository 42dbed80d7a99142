"""Calls of the provider: one deadline for each, several at once, and one at a time while the provider is down."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Notification, Resource
from core.notifications import messages
from core.notifications.channel import AT_ONCE
from core.notifications.kinds import Kind
from core.outbox import claims, delivery, worker
from core.outbox.delivery import FAILURES_IN_A_ROW, Call, Failures, Tally
from core.tests.support import sendgrid_server as provider
from core.tests.support.factories import at, booking_body, text
from core.tests.support.mailing import deliver
from core.tests.support.sendgrid_server import Handler, SendGridServer

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE_SECONDS = 1  # see the fixture `impatient`


def write(*names: str) -> None:
    """Messages to these addresses of staff, in this order."""
    facts = {"username": "dora", "bookings": []}
    now = timezone.now()
    messages.write(
        [messages.new_message(Kind.SLOTS_FREED, now=now, to=f"{name}@example.org", facts=facts) for name in names]
    )


def hanging(number: int) -> list[str]:
    return [f"hangs{each}" for each in range(number)]


def untouched() -> int:
    """How many rows wait as if nobody had ever claimed them."""
    return Notification.objects.filter(state="waiting", tries=0, claim=None, claimed_until=None, last_error="").count()


class Deliverer:
    """A worker, one run at a time; what it knows of the provider goes from run to run."""

    def __init__(self) -> None:
        self.failures = Failures()

    def run(self) -> Tally:
        return worker.run_due(now=timezone.now(), failures=self.failures)


# --- One deadline -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "behaviour",
    [provider.hanging, provider.trickling, provider.trickling_from_the_first_byte],
    ids=lambda b: b.__name__,
)
def test_a_call_has_one_deadline_for_all_that_it_reads(behaviour: provider.Behaviour, sendgrid: SendGridServer) -> None:
    write("staff")
    sendgrid.behaviour = behaviour
    started = time.monotonic()
    assert deliver() == {"retried": 1}
    assert time.monotonic() - started < DEADLINE_SECONDS + 1
    row = Notification.objects.get()
    assert (row.state, row.tries, row.claim) == ("waiting", 1, None)


@pytest.fixture
def deaf() -> Iterator[str]:
    """The origin of a server that accepts no connection: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.usefixtures("impatient")
def test_connecting_counts_towards_the_deadline(sendgrid: SendGridServer, deaf: str, settings: Settings) -> None:
    settings.SENDGRID_HOST = deaf
    write("staff")
    started = time.monotonic()
    assert deliver() == {"retried": 1}
    assert time.monotonic() - started < DEADLINE_SECONDS + 1
    assert "timed out" in Notification.objects.get().last_error


@pytest.mark.usefixtures("impatient")
def test_an_answer_after_the_deadline_changes_nothing(sendgrid: SendGridServer) -> None:
    write("staff")
    sendgrid.behaviour = provider.trickling
    deliver()
    due_at = Notification.objects.get().due_at
    sendgrid.closing.set()
    for thread in threading.enumerate():
        if isinstance(thread, Call):
            thread.join(timeout=10)
    row = Notification.objects.get()
    assert (row.state, row.tries, row.due_at) == ("waiting", 1, due_at)


@pytest.mark.usefixtures("impatient")
def test_no_call_begins_beside_many_that_were_abandoned(
    sendgrid: SendGridServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LIVING_CALLS", 2)
    write("a", "b", "c", "d")
    sendgrid.behaviour = provider.trickling
    assert deliver() == {"retried": 2}
    assert deliver() == {}
    assert untouched() == 2


def test_a_row_whose_call_cannot_start_is_left_as_it_was(
    sendgrid: SendGridServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(call: Call) -> None:
        raise RuntimeError("can't start new thread")

    write("a", "b")
    with monkeypatch.context() as patched:
        patched.setattr(Call, "start", fail)
        assert deliver() == {}
    assert untouched() == 2
    assert deliver() == {"sent": 2}


# --- Several at once --------------------------------------------------------------------------------------------------


def test_several_calls_are_on_their_way_at_once_but_not_more_than_the_channel_allows(sendgrid: SendGridServer) -> None:
    write(*(f"s{number}" for number in range(15)))
    sendgrid.behaviour = provider.together(AT_ONCE)
    assert deliver() == {"sent": 15}
    assert len(sendgrid.requests) == 15
    assert sendgrid.most_calls == AT_ONCE


def test_messages_about_one_booking_to_one_receiver_are_sent_one_after_the_other(
    sendgrid: SendGridServer, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    settings.TO_EMAIL = []
    pk = as_alice.post("/api/bookings/", booking_body(room)).json()["id"]
    as_alice.patch(f"/api/bookings/{pk}/", {"start_time": text(at(9))})
    as_alice.delete(f"/api/bookings/{pk}/")
    sendgrid.behaviour = provider.slow(0.1)
    assert deliver() == {"sent": 3}
    assert [body["subject"].split(":")[0] for body in sendgrid.accepted] == ["Booked", "Changed", "Cancelled"]
    assert sendgrid.most_calls == 1


def test_a_message_arrives_at_once_behind_a_few_that_hang(sendgrid: SendGridServer, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT_SECONDS = 2
    write(*hanging(AT_ONCE - 1), "a", "b", "c")
    sendgrid.behaviour = provider.hanging_for("hangs")
    assert deliver() == {"sent": 3, "retried": AT_ONCE - 1}
    assert sendgrid.receivers == ["a@example.org", "b@example.org", "c@example.org"]


def test_messages_behind_twenty_that_hang_wait_for_the_first_calls_alone(
    sendgrid: SendGridServer, settings: Settings
) -> None:
    """One of them is then the probe, and the others follow at once."""
    settings.EMAIL_TIMEOUT_SECONDS = 2
    write(*hanging(20), *(f"good{number}" for number in range(8)))
    sendgrid.behaviour = provider.hanging_for("hangs")
    assert deliver()["sent"] == 8
    assert len(sendgrid.accepted) == 8
    receivers = [provider.receiver_of(json.loads(raw)) for raw in sendgrid.requests]
    assert all(receiver.startswith("hangs") for receiver in receivers[:AT_ONCE])
    # The last of the good ones may be overtaken by calls that began just after its own.
    last = max(place for place, receiver in enumerate(receivers) if receiver.startswith("good"))
    assert last < AT_ONCE + 8 + AT_ONCE


def test_a_message_that_is_written_while_a_call_hangs_does_not_wait_for_its_end(
    sendgrid: SendGridServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_TIMEOUT_SECONDS = 2
    arrived_meanwhile: list[int] = []

    def write_and_hang(handler: Handler, raw: bytes) -> None:
        write("good")
        connection.close()
        provider.hanging(handler, raw)
        arrived_meanwhile.append(len(sendgrid.accepted))

    monkeypatch.setattr(delivery, "LOOK_SECONDS", 0.05)
    write("hangs")
    sendgrid.behaviour = provider.once(write_and_hang)
    assert deliver() == {"sent": 1, "retried": 1}
    assert arrived_meanwhile == [1]


def test_calls_on_their_way_are_marked_even_if_the_database_fails_meanwhile(
    sendgrid: SendGridServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim_while_none_is_on_its_way(*args: object, **options: object) -> Notification | None:
        if options["on_their_way"]:
            raise OperationalError("the server closed the connection unexpectedly")
        return claims.claim(*args, **options)

    monkeypatch.setattr(delivery, "claim", claim_while_none_is_on_its_way)
    write("a", "b")
    sendgrid.behaviour = provider.slow(0.2)
    with pytest.raises(OperationalError):
        deliver()
    assert len(sendgrid.accepted) == 1
    assert Notification.objects.filter(state="sent", claim=None).count() == 1
    assert untouched() == 1


# --- A provider that is down ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "behaviour",
    [provider.hanging, provider.answering(503, b""), provider.answering(429, b"")],
    ids=["hang", "503", "429"],
)
def test_after_three_failures_in_a_row_one_call_probes_and_the_rest_waits_without_a_try(
    behaviour: provider.Behaviour, sendgrid: SendGridServer
) -> None:
    write(*(f"s{number}" for number in range(20)))
    sendgrid.behaviour = behaviour
    deliverer = Deliverer()
    first = deliverer.run()
    # The calls that were on their way at the third failure end as well; then the first probe fails.
    assert FAILURES_IN_A_ROW < first["retried"] <= FAILURES_IN_A_ROW + AT_ONCE
    assert untouched() == 20 - first["retried"]
    sendgrid.most_calls = 0
    for _ in range(2):
        assert deliverer.run() == {"retried": 1}
    assert sendgrid.most_calls == 1
    assert untouched() == 20 - first["retried"] - 2
    assert set(Notification.objects.values_list("tries", flat=True)) == {0, 1}


def test_an_answer_to_a_probe_brings_all_that_waits(sendgrid: SendGridServer) -> None:
    write(*(f"s{number}" for number in range(20)))
    sendgrid.behaviour = provider.answering(503, b"")
    deliverer = Deliverer()
    tried = deliverer.run()["retried"]
    sendgrid.behaviour = provider.once(Handler.take, then=provider.together(len(sendgrid.requests) + 1 + AT_ONCE))
    sendgrid.most_calls = 0
    assert deliverer.run() == {"sent": 20 - tried}
    assert sendgrid.most_calls == AT_ONCE


def test_each_probe_goes_to_another_row_the_newest_first(sendgrid: SendGridServer) -> None:
    write(*(f"s{number}" for number in range(12)))
    sendgrid.behaviour = provider.answering(503, b"")
    deliverer, probed = Deliverer(), []
    for _ in range(3):
        deliverer.run()
        Notification.objects.update(due_at=timezone.now())
        probed.append(provider.receiver_of(json.loads(sendgrid.requests[-1])))
    assert probed == ["s11@example.org", "s10@example.org", "s9@example.org"]


def test_a_refusal_for_good_is_an_answer(sendgrid: SendGridServer) -> None:
    write(*(f"s{number}" for number in range(8)))
    sendgrid.behaviour = provider.answering(400, b"{}")
    assert deliver() == {"failed": 8}
