"""The cast: alice owns, bob is another user, admin is staff, root a superuser; and their clients."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connections
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from core import events
from core.models import Resource
from core.tests.factories import make_resource, make_user


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    """Counters of limits do not leak from test to test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def limit(settings: Any) -> Callable[..., None]:
    """Sets limits by their scope, and how many proxies are trusted."""

    def limit(proxies: int = 0, **rates: str | None) -> None:
        framework = settings.REST_FRAMEWORK
        rates = {**framework["DEFAULT_THROTTLE_RATES"], **rates}
        settings.REST_FRAMEWORK = {**framework, "DEFAULT_THROTTLE_RATES": rates, "NUM_PROXIES": proxies}

    return limit


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob")


@pytest.fixture
def admin(db: None) -> User:
    return make_user("admin", is_staff=True)


@pytest.fixture
def root(db: None) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def room(db: None) -> Resource:
    """Bookable without approval."""
    return make_resource()


@pytest.fixture
def lab(db: None) -> Resource:
    """Requires approval."""
    return make_resource("Lab", requires_approval=True)


def client_of(user: User | None = None) -> APIClient:
    """A client behind the proxy of production, with the user's token."""
    client = APIClient(HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False)
    if user is not None:
        token, _ = Token.objects.get_or_create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


@pytest.fixture
def anonymous(db: None) -> APIClient:
    return client_of()


@pytest.fixture
def as_alice(alice: User) -> APIClient:
    return client_of(alice)


@pytest.fixture
def as_bob(bob: User) -> APIClient:
    return client_of(bob)


@pytest.fixture
def as_admin(admin: User) -> APIClient:
    return client_of(admin)


@pytest.fixture
def as_root(root: User) -> APIClient:
    return client_of(root)


def pages_of(user: User) -> Client:
    """A browser behind the proxy of production, signed in to the admin."""
    client = Client(HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def admin_pages(admin: User) -> Client:
    return pages_of(admin)


@pytest.fixture
def root_pages(root: User) -> Client:
    return pages_of(root)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[events.Event]:
    """What was published."""
    found: list[events.Event] = []
    monkeypatch.setattr(events, "_subscribers", [*events._subscribers])
    for kind in (events.BookingCreated, events.BookingChanged, events.BookingCancelled):
        events.subscribe(kind, found.append)
    return found


def in_parallel(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call answers, all started at the same moment, each with a database connection of its own.

    The test must be marked `django_db(transaction=True)`. An exception is an answer too.
    """
    barrier = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=30)
            answers[index] = call()
        except Exception as error:  # noqa: BLE001 - it is the answer
            answers[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers
