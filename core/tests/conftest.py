"""The cast: alice owns, bob is another user, admin is staff, root a superuser; and their clients."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.api import counters, outages
from core.models import Resource
from core.tests.support.chromium import address, browser, complaints, page, signed_in  # noqa: F401 - fixtures
from core.tests.support.clients import client_of, pages_of
from core.tests.support.factories import make_resource, make_user
from core.tests.support.flush import replace_flush
from core.tests.support.made_once import collected, migrated  # noqa: F401 - fixtures
from core.tests.support.sendgrid_server import KEY, SendGridServer
from core.tests.support.smtp_server import SmtpServer


@pytest.fixture(scope="session", autouse=True)
def _flush() -> None:
    replace_flush()


@pytest.fixture(autouse=True)
def _fresh_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters of limits do not leak from test to test."""
    monkeypatch.setattr(counters, "store", counters.MemoryStore())


@pytest.fixture(autouse=True)
def _fresh_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of another test keeps no line out of the log."""
    monkeypatch.setattr(outages, "log", outages.OutageLog())


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


@pytest.fixture
def admin_pages(admin: User) -> Client:
    return pages_of(admin)


@pytest.fixture
def root_pages(root: User) -> Client:
    return pages_of(root)


@pytest.fixture
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine stands between a test, or what it starts, and a server on loopback."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sendgrid(settings: Settings, _without_proxies: None) -> Iterator[SendGridServer]:
    """The provider of e-mails, with one address of staff."""
    settings.EMAIL_USE = "sendgrid"
    settings.SENDGRID_API_KEY = KEY
    settings.TO_EMAIL = ["staff@example.org"]
    with SendGridServer() as server:
        settings.SENDGRID_HOST = server.host
        yield server
    for thread in threading.enumerate():
        if thread.name == "outbox call":
            thread.join(timeout=10)


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SmtpServer]:
    """The mail server, without encryption and sign-in, with one address of staff."""
    settings.EMAIL_USE = "smtp"
    settings.TO_EMAIL = ["staff@example.org"]
    with SmtpServer() as server:
        settings.EMAIL_SERVER = {"host": "127.0.0.1", "port": server.port, "username": "", "password": ""}
        yield server
    for thread in threading.enumerate():
        if thread.name == "outbox call":
            thread.join(timeout=10)


@pytest.fixture
def impatient(settings: Settings) -> None:
    """For calls that hang: one second instead of five, and by SMTP one more for the answer to the message."""
    settings.EMAIL_TIMEOUT_SECONDS = settings.EMAIL_ANSWER_SECONDS = 1
