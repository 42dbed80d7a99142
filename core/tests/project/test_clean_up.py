"""`manage.py clean_up`."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from core.api.models import IdempotencyKey
from core.models import Notification, Resource
from core.notifications import messages
from core.notifications.kinds import Kind
from core.record.models import BookingEvent
from core.tests.support.factories import booking_body
from core.tests.support.plans import plan_of


def counted(capsys, *arguments: str) -> dict[str, int]:
    call_command("clean_up", *arguments)
    lines = [line.removesuffix(" deleted").split(": ") for line in capsys.readouterr().out.splitlines()]
    return {name: int(number) for name, number in lines}


def test_what_has_expired_goes_and_the_rest_stays(
    settings, capsys, as_alice: APIClient, alice: User, bob: User, room: Resource
) -> None:
    settings.TOKEN_MAX_AGE_DAYS = 30
    now = timezone.now()
    for _ in range(2):
        session = SessionStore()
        session.create()
    Session.objects.filter(pk=session.session_key).update(expire_date=now)
    Token.objects.create(user=bob)
    Token.objects.filter(user=bob).update(created=now - timedelta(days=30))
    for _ in range(3):
        RefreshToken.for_user(alice).blacklist()
    OutstandingToken.objects.filter(pk__in=OutstandingToken.objects.values("pk")[:2]).update(
        expires_at=now - timedelta(seconds=30)
    )
    for key in ("a", "b"):
        body = booking_body(room, status="pending") if key == "a" else booking_body(room, now + timedelta(days=9))
        assert as_alice.post("/api/bookings/", body, HTTP_IDEMPOTENCY_KEY=key).status_code == 201
    IdempotencyKey.objects.filter(key="a").update(created_at=now - timedelta(hours=24))
    expected = {"Sessions": 1, "Tokens": 1, "JSON Web Tokens": 2, "Idempotency keys": 1}
    assert {name: number for name, number in counted(capsys).items() if name in expected} == expected
    assert (Session.objects.count(), Token.objects.get().user) == (1, alice)
    assert (OutstandingToken.objects.count(), BlacklistedToken.objects.count()) == (1, 1)
    assert IdempotencyKey.objects.get().key == "b"
    assert set(counted(capsys).values()) == {0}


def test_without_an_age_no_token_is_too_old(capsys, as_alice: APIClient) -> None:
    Token.objects.update(created=timezone.now() - timedelta(days=3000))
    assert counted(capsys)["Tokens"] == 0
    assert Token.objects.count() == 1


def test_a_used_token_stays_used_as_long_as_it_counts(capsys, anonymous: APIClient, alice: User) -> None:
    refresh = RefreshToken.for_user(alice)
    refresh.set_exp(lifetime=timedelta(seconds=-10))
    OutstandingToken.objects.update(token=str(refresh), expires_at=timezone.now() - timedelta(seconds=10))
    assert anonymous.post("/api/auth/jwt/refresh/", {"refresh": str(refresh)}).status_code == 200
    assert counted(capsys)["JSON Web Tokens"] == 0
    assert anonymous.post("/api/auth/jwt/refresh/", {"refresh": str(refresh)}).status_code == 401


def test_many_messages_go_in_batches_along_the_index_of_their_age(
    capsys, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.management.commands.clean_up.BATCH_SIZE", 2)
    now = timezone.now()
    rows = [messages.new_message(Kind.PASSWORD_CHANGED, now=now, to="a@example.org") for _ in range(505)]
    for age, row in enumerate(rows):
        row.state, row.done_at = "sent", now - timedelta(days=30, hours=age) if age < 5 else now
    Notification.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as captured:
        call_command("clean_up")
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("Messages")] == [
        "Messages: 2 deleted",
        "Messages: 4 deleted",
        "Messages: 5 deleted",
    ]
    assert Notification.objects.count() == 500
    look = next(query["sql"] for query in captured if query["sql"].startswith('SELECT "core_notification"."id"'))
    assert "core_notification_done" in (plan := plan_of(look)), plan


class TestTheRecord:
    def add(self, alice: User, booking_id: int, *, days: float, handed: bool = True) -> None:
        """An act of that many days ago."""
        at = timezone.now() - timedelta(days=days)
        BookingEvent.objects.create(
            at=at,
            kind="booking.created",
            booking_id=booking_id,
            resource_id=1,
            owner=alice,
            part="owner",
            channel="api",
            version=1,
            handed_at=at if handed else None,
        )

    def kept(self) -> list[int]:
        return sorted(BookingEvent.objects.values_list("booking_id", flat=True))

    def test_old_acts_go_when_asked_for(self, capsys, alice: User) -> None:
        for booking_id, days in enumerate((1, 29, 39.9, 40.1, 400)):
            self.add(alice, booking_id, days=days)
        assert counted(capsys, "--record-days", "40")["Acts"] == 2
        assert self.kept() == [0, 1, 2]
        assert counted(capsys, "--record-days=30")["Acts"] == 1
        assert self.kept() == [0, 1]

    def test_an_act_at_the_edge_of_the_shortest_time_ends_in_no_error(self, capsys, alice: User) -> None:
        for second in range(-3, 4):
            self.add(alice, 1, days=30 + second / 86_400)
        counted(capsys, "--record-days", "30")
        assert self.kept() == [1] * 7

    def test_they_stay_when_nobody_asks(self, capsys, alice: User) -> None:
        self.add(alice, 1, days=4000)
        assert "Acts" not in counted(capsys)
        assert self.kept() == [1]

    def test_an_act_that_was_not_handed_on_stays(self, capsys, alice: User) -> None:
        self.add(alice, 1, days=4000, handed=False)
        self.add(alice, 1, days=4000)
        assert counted(capsys, "--record-days", "30")["Acts"] == 1
        assert self.kept() == [1]

    def test_many_go_in_batches(self, capsys, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.management.commands.clean_up.BATCH_SIZE", 2)
        for booking_id in range(5):
            self.add(alice, booking_id, days=50)
        assert counted(capsys, "--record-days", "30")["Acts"] == 5
        assert self.kept() == []

    @pytest.mark.parametrize("days", ["29", "0", "-30", "x", "", "30.5", "1e3", "٣٠", "36501", "9" * 5000])
    def test_a_number_that_cannot_be_is_a_clear_error(self, alice: User, days: str) -> None:
        self.add(alice, 1, days=4000)
        with pytest.raises(CommandError, match="is not a whole number of days from 30 to 36500"):
            call_command("clean_up", f"--record-days={days}")
        assert self.kept() == [1]
