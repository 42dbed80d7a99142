"""Since when messages wait: one definition for the probe and for the metrics."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core.models import Notification, Resource
from core.notifications import channel, messages, reminders, waiting
from core.notifications.limits import tell_later
from core.outbox.channels import NotSent
from core.tests.support.factories import make_booking
from core.tests.support.mailing import deliver

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def _away(monkeypatch: pytest.MonkeyPatch) -> None:
    """No provider answers."""

    def send(*args: object) -> None:
        raise NotSent("no connection", can_retry=True)

    monkeypatch.setattr(channel, "send_mail", send)


def write(alice: User, now: datetime) -> Notification:
    """A message about a password, which has no limit."""
    messages.password_changed(alice, now=now)
    return Notification.objects.get()


def assert_waits_since(moment: datetime) -> None:
    """Both questions have the answer."""
    assert waiting.number_and_oldest() == (1, moment)
    assert waiting.waits_since(moment + MINUTE)
    assert not waiting.waits_since(moment)


def test_nothing_waits(db: None, now: datetime) -> None:
    assert waiting.number_and_oldest() == (0, None)
    assert not waiting.waits_since(now)


def test_a_new_message_waits_since_it_was_written(alice: User, now: datetime) -> None:
    write(alice, now)
    assert_waits_since(now)


@pytest.mark.usefixtures("_away")
def test_no_try_makes_a_message_younger(alice: User, now: datetime) -> None:
    row = write(alice, now)
    for minutes in range(40):
        deliver(now=now + minutes * MINUTE)
    row.refresh_from_db()
    assert row.tries == 6
    assert row.due_at > now + 60 * MINUTE
    assert_waits_since(now)


@pytest.mark.usefixtures("_away")
def test_a_message_that_is_sent_again_waits_since_then(alice: User, now: datetime) -> None:
    row = write(alice, now)
    later = now + timedelta(days=2)
    deliver(now=later)
    assert Notification.objects.get().state == "failed"
    assert not waiting.waits_since(later)
    messages.resend([row], now=later)
    assert_waits_since(later)
    deliver(now=later)
    assert_waits_since(later)


@pytest.mark.usefixtures("_away")
def test_a_message_that_is_told_later_waits_since_then(alice: User, room: Resource, now: datetime) -> None:
    messages.write([messages.new_message(messages.Kind.BOOKING_CREATED, now=now, user=alice, to=alice.email)])
    row = Notification.objects.get()
    row.facts = {"after": {"booking": {"id": 1}}}
    later = now + timedelta(hours=3)
    tell_later(row, alice, due_at=later, now=now)
    row.delete()
    assert_waits_since(later)
    Notification.objects.update(tries=3, due_at=later + 8 * MINUTE)
    assert_waits_since(later)


@pytest.mark.parametrize("minutes", [10, 60, 2 * 24 * 60])
def test_a_reminder_waits_since_it_was_written(alice: User, room: Resource, now: datetime, minutes: int) -> None:
    """Its tries end at the start of the booking."""
    start = now + minutes * MINUTE
    booking = make_booking(alice, room, start, start + 30 * MINUTE)
    row = reminders.new_reminder(booking, now=now)
    row.save()
    assert_waits_since(now)
    messages.resend([row], now=now + MINUTE)
    assert_waits_since(now + MINUTE)


def test_the_oldest_counts_and_nothing_that_was_sent_does(alice: User, now: datetime) -> None:
    write(alice, now - 30 * MINUTE)
    Notification.objects.update(state="sent")
    for minutes in (5, 20, 10):
        messages.password_changed(alice, now=now - minutes * MINUTE)
    assert waiting.number_and_oldest() == (3, now - 20 * MINUTE)
    assert waiting.waits_since(now - 19 * MINUTE)
    assert not waiting.waits_since(now - 20 * MINUTE)
