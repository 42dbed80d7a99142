"""The thread of a web process works in quiet moments: while no request is answered, and for a short while none was."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from core.models import Notification
from core.notifications import messages
from core.notifications.channel import EmailChannel
from core.notifications.kinds import Kind
from core.outbox import delivery, quiet
from core.outbox.delivery import PATIENCE_SECONDS, Run, deliver
from core.outbox.quiet import QUIET_SECONDS, Requests
from core.outbox.worker import THREAD_POLL_SECONDS, Worker

Sent = list[EmailMultiAlternatives]

LONG = 20


def seconds_of_wait(requests: Requests, at_most: float = LONG) -> float:
    started = time.monotonic()
    requests.wait_for_quiet(at_most)
    return time.monotonic() - started


def write(number: int = 1, *, age: timedelta = timedelta(0)) -> None:
    """Messages to so many addresses of staff, which have been due for so long."""
    now = timezone.now() - age
    facts = {"username": "dora", "bookings": []}
    rows = [
        messages.new_message(Kind.SLOTS_FREED, now=now, to=f"s{each}@example.org", facts=facts)
        for each in range(number)
    ]
    Notification.objects.bulk_create(rows)


# --- Quiet moments ----------------------------------------------------------------------------------------------------


def test_a_process_that_answers_nothing_is_quiet_at_once() -> None:
    assert Requests().seconds_to_quiet == 0
    assert seconds_of_wait(Requests()) < LONG / 2


def test_it_is_quiet_a_short_while_after_its_last_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "QUIET_SECONDS", 0.5)
    requests = Requests()
    requests.begin()
    requests.end()
    assert 0 < requests.seconds_to_quiet <= 0.5
    assert 0.4 < seconds_of_wait(requests) < LONG / 2
    assert requests.seconds_to_quiet == 0


def test_a_wait_lasts_until_every_request_has_its_answer() -> None:
    requests, answer = Requests(), threading.Event()

    def other() -> None:
        requests.begin()
        answer.wait(LONG)
        requests.end()

    thread = threading.Thread(target=other)
    thread.start()
    requests.begin()
    requests.end()
    assert seconds_of_wait(requests, at_most=4 * QUIET_SECONDS) >= 4 * QUIET_SECONDS
    waiting = threading.Thread(target=requests.wait_for_quiet, args=(LONG,))
    waiting.start()
    answer.set()
    waiting.join(LONG / 2)
    assert not waiting.is_alive()
    thread.join()


def test_a_request_whose_end_nobody_told_ends_with_the_next_of_its_thread() -> None:
    requests = Requests()
    requests.begin()
    requests.begin()
    requests.end()
    assert seconds_of_wait(requests) < LONG / 2


# --- A run beside requests --------------------------------------------------------------------------------------------


class Busy(Requests):
    """Requests that never end.

    Attributes:
        waits: How long each wait may have lasted at most, in seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begin()
        self.waits: list[float] = []

    def wait_for_quiet(self, at_most: float) -> None:
        self.waits.append(at_most)


@pytest.mark.django_db
def test_each_message_waits_for_a_quiet_moment_but_not_forever(mailoutbox: Sent) -> None:
    write(3)
    busy = Busy()
    assert deliver(EmailChannel(), Run(timezone.now(), requests=busy)) == {"sent": 3}
    # And one more, to find no further message.
    assert busy.waits == [PATIENCE_SECONDS] * 4


@pytest.mark.django_db
def test_messages_that_are_late_wait_no_more(mailoutbox: Sent) -> None:
    write(3, age=timedelta(seconds=delivery.LATE_SECONDS))
    busy = Busy()
    assert deliver(EmailChannel(), Run(timezone.now(), requests=busy)) == {"sent": 3}
    assert busy.waits == [PATIENCE_SECONDS]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[Requests]:
    """Beside them a thread of a web process delivers, which waits for a quiet moment as long as there is none."""
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", LONG)
    requests = Requests()
    requests.begin()
    thread = Worker(THREAD_POLL_SECONDS, requests=requests)
    thread.start()
    yield requests
    requests.end()
    thread.stop()
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_the_thread_of_a_web_process_begins_when_the_request_has_its_answer(
    requests: Requests, mailoutbox: Sent
) -> None:
    write()
    time.sleep(6 * QUIET_SECONDS)
    assert mailoutbox == []
    requests.end()
    deadline = time.monotonic() + LONG / 2
    while Notification.objects.get().state != "sent":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert len(mailoutbox) == 1
