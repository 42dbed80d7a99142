"""`run_due()`: each waiting message once, past those of others, and none that has lost its point."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Notification, NotificationPreferences, Resource
from core.notifications import channel, messages, preferences
from core.notifications.channel import EmailChannel
from core.notifications.kinds import Kind
from core.notifications.recipients import recipient_of
from core.outbox import claims, worker
from core.outbox.channels import NotSent
from core.outbox.delivery import Run, Tally
from core.tests.support.factories import at, booking_body, make_pending_booking, text
from core.tests.support.mailing import deliver, hand_on
from core.tests.support.parallel import in_parallel
from core.utils import Message, print_on_console

Sent = list[EmailMultiAlternatives]


def write(number: int = 1) -> list[Notification]:
    """Messages to so many addresses of staff."""
    facts = {"username": "dora", "bookings": []}
    now = timezone.now()
    rows = [
        messages.new_message(Kind.SLOTS_FREED, now=now, to=f"s{each}@example.org", facts=facts)
        for each in range(number)
    ]
    Notification.objects.bulk_create(rows)
    return list(Notification.objects.order_by("id"))


def receivers(mailoutbox: Sent) -> Counter[str]:
    return Counter(mail.to[0] for mail in mailoutbox)


@pytest.mark.django_db
def test_what_is_due_is_sent_once_and_marked(mailoutbox: Sent) -> None:
    write(25)
    assert deliver()["sent"] == 25
    assert set(receivers(mailoutbox).values()) == {1}
    assert len(mailoutbox) == 25
    for row in Notification.objects.all():
        assert (row.state, row.tries, row.claim, row.claimed_until, row.last_error) == ("sent", 1, None, None, "")
        assert row.done_at is not None
    assert not +deliver()
    assert len(mailoutbox) == 25


@pytest.mark.django_db
def test_what_is_not_due_yet_waits(mailoutbox: Sent) -> None:
    (row,) = write()
    deliver(now=row.due_at - timedelta(minutes=1))
    assert mailoutbox == []
    deliver(now=row.due_at)
    assert len(mailoutbox) == 1


@pytest.mark.django_db
def test_what_somebody_else_has_claimed_is_left_until_the_claim_ends(mailoutbox: Sent) -> None:
    (row,) = write()
    mine = claims.claim(EmailChannel(), now=row.due_at)
    assert claims.claim(EmailChannel(), now=row.due_at) is None
    deliver(now=row.due_at + timedelta(seconds=claims.claim_seconds(EmailChannel()) - 1))
    assert mailoutbox == []
    deliver(now=row.due_at + timedelta(seconds=claims.claim_seconds(EmailChannel())))
    assert len(mailoutbox) == 1
    claims.mark(mine, state="failed")
    assert Notification.objects.get().state == "sent"


@pytest.mark.django_db(transaction=True)
def test_deliverers_at_the_same_time_share_and_send_nothing_twice(mailoutbox: Sent) -> None:
    write(60)
    tallies = in_parallel([deliver] * 4)
    assert sum(tally["sent"] for tally in tallies) == 60
    assert len(receivers(mailoutbox)) == 60
    assert set(receivers(mailoutbox).values()) == {1}


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_claiming_waits_for_no_lock_of_others() -> None:
    """Rows that another transaction has locked are passed over."""
    rows = write(12)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        from django.db import transaction

        with transaction.atomic():
            list(Notification.objects.select_for_update().filter(pk__in=[row.pk for row in rows[:5]]))
            locked.set()
            done.wait(20)

    def claim() -> Notification | None:
        locked.wait(20)
        try:
            return claims.claim(EmailChannel(), now=timezone.now())
        finally:
            done.set()

    _, claimed = in_parallel([hold, claim])
    assert claimed == rows[5]


@pytest.mark.django_db
def test_messages_about_one_booking_to_one_receiver_keep_their_order(
    as_alice: APIClient, room: Resource, mailoutbox: Sent
) -> None:
    pk = as_alice.post("/api/bookings/", booking_body(room)).json()["id"]
    as_alice.patch(f"/api/bookings/{pk}/", {"start_time": text(at(9))})
    as_alice.post("/api/bookings/", booking_body(room, at(14)))
    hand_on()
    first = Notification.objects.order_by("id").first()
    Notification.objects.filter(pk=first.pk).update(due_at=first.due_at + timedelta(minutes=4))
    deliver()
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["Booked"]
    assert "14:00" in mailoutbox[0].subject
    deliver(now=timezone.now() + timedelta(minutes=4))
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["Booked", "Booked", "Changed"]


@pytest.mark.django_db
def test_no_claim_looks_at_what_waits_behind_a_message_that_is_tried_again() -> None:
    first, *behind = write(4)
    Notification.objects.filter(pk__in=[row.pk for row in (first, *behind[:2])]).update(
        booking_id=7, to="x@example.org"
    )
    now = timezone.now()
    claimed = claims.claim(EmailChannel(), now=now)
    assert claimed == first
    claims.try_again(claimed, at=now + timedelta(minutes=4), tries=1)
    due = dict(Notification.objects.values_list("pk", "due_at"))
    assert {due[row.pk] for row in (first, *behind[:2])} == {now + timedelta(minutes=4)}
    assert due[behind[2].pk] < now


@pytest.mark.django_db
def test_whoever_has_lost_the_claim_delays_nothing() -> None:
    first, second = write(2)
    Notification.objects.update(booking_id=7, to="x@example.org")
    now = timezone.now()
    claimed = claims.claim(EmailChannel(), now=now)
    assert claimed == first
    Notification.objects.update(claim=uuid.uuid4())
    claims.try_again(claimed, at=now + timedelta(minutes=4))
    second.refresh_from_db()
    assert second.due_at < now


@pytest.mark.django_db
def test_a_claim_is_a_few_statements_however_many_wait() -> None:
    write(200)
    with CaptureQueriesContext(connection) as captured:
        assert claims.claim(EmailChannel(), now=timezone.now())
    assert len([query for query in captured if '"core_notification"' in query["sql"]]) <= 3


@pytest.mark.django_db
def test_several_rows_are_claimed_in_the_statements_of_one() -> None:
    rows = write(8)
    statements = []
    for most in (1, 5):
        spare: list[Notification] = []
        with CaptureQueriesContext(connection) as captured:
            first = claims.claim(EmailChannel(), now=timezone.now(), spare=spare, most=most)
        statements.append(len(captured))
        assert [first, *spare] == rows[:most]
        rows = rows[most:]
    assert statements[0] == statements[1]
    assert Notification.objects.filter(claim=None).count() == 2


@pytest.mark.django_db
def test_a_message_to_a_new_user_is_claimed_without_the_next_one_to_that_user(alice: User, bob: User) -> None:
    """Only the first has the link of whoever knows nothing of the account."""
    NotificationPreferences.objects.create(user=bob, known_address=bob.email)
    now = timezone.now()
    rows = [
        messages.new_message(Kind.PASSWORD_CHANGED, now=now, user=user, to=user.email, facts={"at": now.isoformat()})
        for user in (alice, alice, bob, bob)
    ]
    Notification.objects.bulk_create(rows)
    spare: list[Notification] = []
    first = claims.claim(EmailChannel(), now=now, spare=spare, most=4)
    assert [row.user for row in (first, *spare)] == [alice, bob, bob]


@pytest.mark.django_db
def test_a_deliverer_that_is_told_to_stop_begins_no_message(mailoutbox: Sent) -> None:
    write(3)
    stopping = threading.Event()
    stopping.set()
    worker.run_due(now=timezone.now(), stopping=stopping)
    assert mailoutbox == []
    assert Notification.objects.filter(state="waiting", claim=None, claimed_until=None, tries=0).count() == 3


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_mark_is_insisted_upon_when_the_database_hangs_up() -> None:
    write()
    mine = claims.claim(EmailChannel(), now=timezone.now())
    cut = iter([True, True, False])

    def mark() -> int:
        if next(cut):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return Notification.objects.filter(claim=mine.claim).update(state="sent")

    assert claims.retry_update(mark) == 1
    assert Notification.objects.get().state == "sent"


@pytest.mark.django_db
def test_a_row_that_nobody_foresaw_stops_no_other(
    mailoutbox: Sent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = write(12)

    def look_up(row: Notification, **options: object) -> object:
        if row.pk == rows[2].pk:
            raise KeyError("surprise")
        return recipient_of(row, **options)

    monkeypatch.setattr(channel, "recipient_of", look_up)
    assert deliver() == {"sent": 11, "failed": 1}
    rows[2].refresh_from_db()
    assert (rows[2].state, rows[2].tries, rows[2].last_error, rows[2].claim) == ("failed", 1, "KeyError", None)
    assert "KeyError: 'surprise'" in caplog.text


@pytest.mark.django_db
def test_whoever_has_lost_the_claim_gives_nothing_up(monkeypatch: pytest.MonkeyPatch, mailoutbox: Sent) -> None:
    (row,) = write()
    given_up: list[Notification] = []

    def lose_the_claim(row: Notification, **options: object) -> object:
        Notification.objects.filter(pk=row.pk).update(claim=uuid.uuid4())
        raise NotSent("no", can_retry=False)

    monkeypatch.setattr(channel, "recipient_of", lose_the_claim)
    monkeypatch.setattr(EmailChannel, "give_up", lambda self, row, error: given_up.append(row))
    deliver()
    assert given_up == []
    assert Notification.objects.get(pk=row.pk).state == "waiting"


@pytest.mark.django_db
def test_a_job_that_fails_stops_no_other(
    mailoutbox: Sent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(run: Run) -> Tally:
        raise RuntimeError("surprise")

    monkeypatch.setattr(worker, "_jobs", {fail: 0, **worker._jobs})
    write()
    assert deliver()["sent"] == 1
    assert "fail failed; the other jobs go on." in caplog.text


# --- Messages without a point -----------------------------------------------------------------------------------------


def refuse(alice: User) -> None:
    NotificationPreferences.objects.create(user=alice, refused_address="alice@example.org")


def switch_off(alice: User) -> None:
    NotificationPreferences.objects.create(user=alice, booking_created=False)


def lose_address(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="")


def spoil_address(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@")


def leave(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


POINTLESS = {
    "refused": (refuse, "knows nothing of the account"),
    "switched off": (switch_off, "does not want such messages"),
    "no address": (lose_address, "no valid address"),
    "no valid address": (spoil_address, "no valid address"),
    "not active": (leave, "not active"),
}


@pytest.mark.parametrize(("happen", "reason"), POINTLESS.values(), ids=POINTLESS)
def test_a_message_that_has_lost_its_point_is_dropped_with_the_reason(
    happen: Callable, reason: str, as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    hand_on()
    happen(alice)
    assert deliver()["dropped"] == 1
    assert mailoutbox == []
    row = Notification.objects.get()
    assert row.state == "dropped"
    assert reason in row.last_error
    assert row.done_at is not None


@pytest.mark.parametrize(
    ("off", "sent"),
    [
        pytest.param({"booking_confirmed": False}, 1, id="of a new status"),
        pytest.param({"booking_changed": False}, 1, id="of changes"),
        pytest.param({"booking_confirmed": False, "booking_changed": False}, 0, id="of both"),
    ],
)
def test_a_move_that_comes_with_a_new_status_is_told_by_either_wish(
    off: dict, sent: int, as_admin: APIClient, alice: User, lab: Resource, mailoutbox: Sent
) -> None:
    preferences.change(alice, **off)
    booking = make_pending_booking(alice, lab)
    as_admin.patch(f"/api/bookings/{booking.pk}/", {"status": "confirmed", "end_time": text(at(12))})
    deliver()
    assert len(mailoutbox) == sent


@pytest.mark.django_db(transaction=True)
def test_a_user_who_is_deleted_meanwhile_does_not_keep_the_others_back(
    alice: User, as_alice: APIClient, as_bob: APIClient, room: Resource, mailoutbox: Sent, monkeypatch
) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    as_bob.post("/api/bookings/", booking_body(room, at(14)))

    def hand_over(message: Message) -> None:
        print_on_console(message)
        User.objects.filter(pk=alice.pk).delete()
        connection.close()

    monkeypatch.setattr(channel, "send_mail", hand_over)
    assert deliver()["sent"] == 2
    assert receivers(mailoutbox) == {"alice@example.org": 1, "bob@example.org": 1}


def test_a_message_goes_where_its_user_is_now(
    as_alice: APIClient, alice: User, room: Resource, mailoutbox: Sent
) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    User.objects.filter(pk=alice.pk).update(email="alice@elsewhere.example")
    deliver()
    assert [mail.to for mail in mailoutbox] == [["alice@elsewhere.example"]]
    assert Notification.objects.get().to == "alice@elsewhere.example"


def test_a_reset_is_dropped_where_the_address_is_another_one_now(
    anonymous: APIClient, alice: User, mailoutbox: Sent
) -> None:
    anonymous.post("/api/auth/users/reset_password/", {"email": "alice@example.org"})
    User.objects.filter(pk=alice.pk).update(email="mallory@example.org")
    assert deliver()["dropped"] == 1
    assert mailoutbox == []


def test_a_new_password_is_told_where_the_user_was(alice: User, mailoutbox: Sent) -> None:
    alice.set_password("nine-green-kettles-7")
    alice.save()
    User.objects.filter(pk=alice.pk).update(email="mallory@example.org")
    deliver()
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]


def test_a_reset_for_nobody_is_dropped(anonymous: APIClient, alice: User, mailoutbox: Sent) -> None:
    anonymous.post("/api/auth/users/reset_password/", {"email": "nobody@example.org"})
    assert deliver()["dropped"] == 1
    assert mailoutbox == []
    assert Notification.objects.get().last_error == "nobody has this address"


def test_the_necessary_messages_come_though_all_is_switched_off(
    anonymous: APIClient, alice: User, mailoutbox: Sent
) -> None:
    off = dict.fromkeys([kind for kind in Kind.optional() if kind != Kind.BOOKING_REMINDER], False)
    NotificationPreferences.objects.create(user=alice, reminder_minutes=None, **off)
    anonymous.post("/api/auth/users/reset_password/", {"email": "alice@example.org"})
    assert deliver()["sent"] == 1
    assert len(mailoutbox) == 1


# --- Again, and no more -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_staff_send_again_what_was_sent_or_failed(mailoutbox: Sent) -> None:
    rows = write(2)
    deliver()
    Notification.objects.filter(pk=rows[0].pk).update(state="failed", last_error="400")
    assert messages.resend(rows, now=timezone.now()) == 2
    assert deliver()["sent"] == 2
    assert set(receivers(mailoutbox).values()) == {2}


def test_what_is_on_its_way_is_neither_sent_again_nor_dropped(db: None) -> None:
    rows = write()
    now = timezone.now()
    claims.claim(EmailChannel(), now=now)
    assert messages.resend(rows, now=now) == 0
    assert messages.drop(rows, now=now) == 0
    assert Notification.objects.get().state == "waiting"


@pytest.mark.django_db
def test_what_staff_drop_is_not_sent(mailoutbox: Sent) -> None:
    rows = write(2)
    assert messages.drop(rows[:1], now=timezone.now()) == 1
    deliver()
    assert receivers(mailoutbox) == {"s1@example.org": 1}
    assert messages.drop(rows, now=timezone.now()) == 0


# --- The commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["deliver_notifications", "send_reminders"])
@pytest.mark.django_db
def test_a_command_delivers_and_says_what(command: str, mailoutbox: Sent, settings: Settings) -> None:
    write(2)
    said = StringIO()
    call_command(command, stdout=said)
    assert len(mailoutbox) == 2
    assert said.getvalue() == "2 sent, 0 to be tried again, 0 failed, 0 dropped, 0 reminders written.\n"
