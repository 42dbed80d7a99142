"""`manage.py clean_up`."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from core.api.models import IdempotencyKey
from core.models import Resource
from core.tests.support.factories import booking_body


def counted(capsys) -> dict[str, int]:
    call_command("clean_up")
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
