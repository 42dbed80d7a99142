"""The cookie of a session, as anybody may send it."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from core.tests.support.clients import client_of, pages_of

SIGN_IN = "/admin/login/"
COOKIES = [
    pytest.param(r'"\000abcdefg"', id="NUL in octal"),
    pytest.param('"' + r"\000" * 32 + '"', id="nothing but NUL"),
    pytest.param("%00" * 12, id="NUL in per cent"),
    pytest.param(r'"\355\240\200\355\240\200\355\240\200"', id="half surrogate pairs"),
    pytest.param("\ud800" * 32, id="half surrogate pairs as they are"),
    pytest.param(r'"' + r"\377" * 32 + '"', id="no UTF-8"),
    pytest.param("é" * 32, id="not ASCII"),
    pytest.param("a" * 33, id="a letter too many"),
    pytest.param("a" * 8000, id="very long"),
    pytest.param("A" * 32, id="capitals"),
    pytest.param("short", id="short"),
    pytest.param("", id="empty"),
]


def as_sent(header: str) -> str:
    """A header as a server passes it on: each byte as one character."""
    return header.encode("utf-8", "surrogatepass").decode("latin-1")


@pytest.fixture(params=COOKIES)
def visitor(request: pytest.FixtureRequest, db: None) -> Client:
    """A browser with such a cookie."""
    return Client(raise_request_exception=False, HTTP_COOKIE=as_sent(f"sessionid={request.param}"))


def test_such_a_cookie_is_no_session(visitor: Client) -> None:
    assert visitor.get(SIGN_IN).status_code == 200
    assert visitor.get("/admin/").status_code == 302
    assert visitor.get("/api/resources/").status_code == 200
    assert visitor.get("/api/auth/users/me/").status_code == 401
    assert not Session.objects.exists()


def test_somebody_with_such_a_cookie_signs_in(visitor: Client, admin: User) -> None:
    answer = visitor.post(SIGN_IN, {"username": "admin", "password": "correct-horse-9-battery"})
    assert answer.status_code == 302
    key = answer.cookies["sessionid"].value
    assert Session.objects.get().session_key == key
    assert Client(HTTP_COOKIE=f"sessionid={key}").get("/admin/").status_code == 200


def test_such_a_cookie_does_not_keep_a_token_from_counting(visitor: Client, alice: User) -> None:
    client = client_of(alice)
    client.defaults["HTTP_COOKIE"] = visitor.defaults["HTTP_COOKIE"]
    assert client.get("/api/auth/users/me/").json()["username"] == "alice"


@pytest.mark.parametrize("name", ["csrftoken", "messages"])
@pytest.mark.parametrize("value", COOKIES[:9])
def test_neither_other_cookie_is_an_error(admin: User, name: str, value: str) -> None:
    pages = pages_of(admin)
    session = pages.cookies["sessionid"].value
    pages.cookies.clear()
    cookies = as_sent(f"sessionid={session}; {name}={value}")
    for path in ("/admin/", "/admin/password_change/"):
        assert pages.get(path, HTTP_COOKIE=cookies).status_code == 200
