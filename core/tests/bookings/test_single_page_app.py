"""The single-page app's own path, as a browser walks it: another origin, preflights, DEBUG off, real sockets."""

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.authtoken.models import Token

from core.choices import BookingStatus
from core.models import Booking, Resource, UserProfile
from core.tests.support.factories import at, make_booking, make_resource, make_user
from core.tests.support.servers import server

APP = "https://app.example.org"
FOREIGN = "https://evil.example"
SAFELISTED = {"GET", "HEAD", "POST"}
EXPOSED = {
    *("link", "x-total-count", "etag", "location", "retry-after", "idempotent-replayed", "x-request-id"),
    *("ratelimit", "ratelimit-policy", "x-no-longer-fit", "content-disposition"),
}
MAIL_SECONDS = 30

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    def json(self) -> Any:
        return json.loads(self.raw)

    def words(self, name: str) -> set[str]:
        """The members of a header that is a list, in lower case."""
        found = ",".join(self.headers.get_all(name) or [])
        return {word.strip().lower() for word in found.split(",") if word.strip()}

    def readable_by(self, origin: str) -> bool:
        """Whether a browser shows this answer to a page of that origin (the CORS check of the Fetch standard)."""
        return self.headers.get_all("Access-Control-Allow-Origin") == [origin]


@dataclass
class Browser:
    """Calls as a browser does for a page of an origin: asks first where the Fetch standard says so."""

    address: tuple[str, int]
    origin: str = APP
    token: str | None = None
    preflights: list[tuple[str, str]] = field(default_factory=list)

    def fetch(self, method: str, path: str, body: object = None, *, raw: bytes | None = None) -> Answer:
        """The answer to a call, after making sure that the page may make it and read it."""
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        if body is not None or raw is not None:
            headers["Content-Type"] = "application/json"
        if headers or method not in SAFELISTED:
            self.ask_first(method, path, sorted(name.lower() for name in headers))
        answer = self.send(method, path, as_bytes(body, raw), headers)
        assert answer.readable_by(self.origin), (method, path, answer)
        assert answer.words("Access-Control-Expose-Headers") == EXPOSED
        assert "origin" in answer.words("Vary")
        return answer

    def ask_first(self, method: str, path: str, headers: list[str]) -> None:
        """The preflight, which carries no token."""
        asked = {"Access-Control-Request-Method": method}
        if headers:
            asked["Access-Control-Request-Headers"] = ",".join(headers)
        answer = self.send("OPTIONS", path, None, asked)
        assert 200 <= answer.status < 300, (method, path, answer)
        assert answer.readable_by(self.origin), (method, path, answer)
        assert method.lower() in answer.words("Access-Control-Allow-Methods")
        assert answer.words("Access-Control-Allow-Headers") >= set(headers)
        self.preflights.append((method, path))

    def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One request, no questions asked."""
        wire = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            wire.request(method, path, body, {"X-Forwarded-Proto": "https", "Origin": self.origin, **headers})
            found = wire.getresponse()
            return Answer(found.status, found.headers, found.read())
        finally:
            wire.close()


def as_bytes(body: object, raw: bytes | None) -> bytes | None:
    """What is sent: these bytes, else the body as JSON, else nothing."""
    return json.dumps(body).encode() if raw is None and body is not None else raw


def conflict_text(problem: dict[str, Any]) -> str:
    """What the app's booking form shows of a refusal."""
    if problem.get("non_field_errors"):
        return " ".join(problem["non_field_errors"])
    if problem.get("detail"):
        return problem["detail"]
    return " ".join(f"{name}: {' '.join(said)}" for name, said in problem.items())


def javascript(moment: datetime) -> str:
    """`Date.prototype.toISOString`: always with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def mail_about(word: str, console: Path, to: str) -> str:
    """The plain text of a mail on the console that holds the word, as soon as it is there."""
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        for printed in re.split(r"^-{79}\n", console.read_text(encoding="utf-8"), flags=re.MULTILINE)[:-1]:
            head, _, text = printed.partition("\n\n")
            if f"To: {to}" in head.splitlines() and word in text:
                return text
        time.sleep(0.05)
    raise AssertionError(console.read_text(encoding="utf-8"))


def test_the_whole_way_of_a_person_through_the_app(tmp_path: Path) -> None:
    for number in range(2):
        make_resource(f"Room {number}")
    room = Resource.objects.get(name="Room 1")
    console = tmp_path / "console"
    with console.open("w") as out, server(console=out, FRONTEND_URL=APP, EMAIL_USE="console") as address:
        browser = Browser(address)

        # She registers, and signs in.
        account = {"username": "carol", "email": "Carol@Example.org", "password": "first-horse-9-battery"}
        answer = browser.fetch("POST", "/api/auth/users/", account)
        assert answer.status == 201, answer
        assert answer.json() == {
            "id": User.objects.get().pk,
            "username": "carol",
            "email": "carol@example.org",
            "first_name": "",
            "last_name": "",
        }
        sign_in = {"username": "carol", "password": account["password"]}
        answer = browser.fetch("POST", "/api/auth/token/login/", sign_in)
        assert (answer.status, set(answer.json())) == (200, {"auth_token"})
        browser.token = first_token = answer.json()["auth_token"]
        for _ in range(2):
            answer = browser.fetch("GET", "/api/auth/users/me/")
            assert answer.status == 200
            assert (answer.json()["username"], answer.json()["profile_picture"]) == ("carol", None)

        # She looks at what there is, and books: the form sends the id as text, and times as JavaScript writes them.
        answer = browser.fetch("GET", "/api/resources/")
        assert [found["name"] for found in answer.json()] == ["Room 0", "Room 1"]
        assert answer.json()[1]["availability_status"] == "available"
        wanted = {
            "resource": str(room.pk),
            "start_time": javascript(at(10).replace(microsecond=250_000)),
            "end_time": javascript(at(11).replace(microsecond=750_000)),
            "notes": "Plänung ☕",
        }
        answer = browser.fetch("POST", "/api/bookings/", wanted)
        assert answer.status == 201, answer
        booking = answer.json()
        assert (booking["resource"], booking["resource_name"], booking["status"]) == (room.pk, "Room 1", "confirmed")
        assert datetime.fromisoformat(booking["start_time"]) == at(10).replace(microsecond=250_000)
        assert datetime.fromisoformat(booking["end_time"]) == at(11).replace(microsecond=750_000)
        assert browser.fetch("GET", "/api/bookings/").json() == [booking]

        # She changes it; the form always sends the status along.
        here = f"/api/bookings/{booking['id']}/"
        times = {name: javascript(datetime.fromisoformat(booking[name])) for name in ("start_time", "end_time")}
        changed = {"resource": str(room.pk), **times, "status": booking["status"], "notes": "Planning"}
        answer = browser.fetch("PUT", here, changed)
        assert answer.status == 200, answer
        assert answer.json() == {**booking, "notes": "Planning", "updated_at": answer.json()["updated_at"]}

        # What is taken is taken: the form shows why.
        answer = browser.fetch("POST", "/api/bookings/", wanted)
        assert answer.status == 400
        shown = conflict_text(answer.json())
        assert "already booked" in shown
        assert "UTC" in shown
        assert shown == " ".join(answer.json()["non_field_errors"])
        assert Booking.objects.count() == 1

        # She cancels; that answer has no body, and the slot is free again.
        answer = browser.fetch("DELETE", here)
        assert (answer.status, answer.raw) == (204, b"")
        assert browser.fetch("GET", "/api/bookings/").json()[0]["status"] == "cancelled"
        assert browser.fetch("POST", "/api/bookings/", wanted).status == 201

        # A picture, set and taken away.
        picture = {"profile_picture": "https://images.example.org/carol.png", "cloudinary_public_id": "people/carol"}
        answer = browser.fetch("PUT", "/api/profile/picture/", picture)
        assert (answer.status, answer.json()) == (200, {**picture, "updated_at": answer.json()["updated_at"]})
        assert browser.fetch("GET", "/api/auth/users/me/").json()["profile_picture"] == picture["profile_picture"]
        answer = browser.fetch("DELETE", "/api/profile/picture/delete/")
        assert (answer.status, set(answer.json())) == (200, {"message"})
        assert browser.fetch("GET", "/api/auth/users/me/").json()["profile_picture"] is None

        # She forgot her password: the link in the mail leads to a page of the app, which sends its two parts.
        browser.token = None
        answer = browser.fetch("POST", "/api/auth/users/reset_password/", {"email": "CAROL@example.org"})
        assert (answer.status, answer.raw) == (204, b"")
        mail = mail_about("/password-reset/", console, to="carol@example.org")
        (link,) = re.findall(rf"^{APP}/password-reset/([^/\s]+)/([^/\s]+)$", mail, flags=re.MULTILINE)
        new = {"new_password": "second-horse-9-battery", "re_new_password": "second-horse-9-battery"}
        confirmation = {"uid": link[0], "token": link[1], **new}
        answer = browser.fetch("POST", "/api/auth/users/reset_password_confirm/", confirmation)
        assert (answer.status, answer.raw) == (204, b"")
        answer = browser.fetch("POST", "/api/auth/users/reset_password_confirm/", confirmation)
        assert (answer.status, "token" in answer.json()) == (400, True)

        # The old token is void, the old password wrong; the new one is good until she signs out.
        browser.token = first_token
        assert browser.fetch("GET", "/api/auth/users/me/").status == 401
        browser.token = None
        assert browser.fetch("POST", "/api/auth/token/login/", sign_in).status == 400
        answer = browser.fetch("POST", "/api/auth/token/login/", {**sign_in, "password": new["new_password"]})
        assert answer.status == 200
        browser.token = answer.json()["auth_token"]
        assert browser.fetch("GET", "/api/auth/users/me/").status == 200
        assert browser.fetch("POST", "/api/auth/token/logout/").status == 204
        assert browser.fetch("GET", "/api/auth/users/me/").status == 401

    assert ("DELETE", here) in browser.preflights
    assert ("GET", "/api/resources/") in browser.preflights
    assert Booking.objects.get(pk=booking["id"]).status == BookingStatus.CANCELLED
    assert UserProfile.objects.get().cloudinary_public_id is None


def taken_from(log: list[str], *, until: str) -> str:
    """What the server said, taken out of its log as soon as a line with this text is there."""
    deadline = time.monotonic() + 30
    while not any(until in line for line in log):
        assert time.monotonic() < deadline, log
        time.sleep(0.02)
    said = "".join(log)
    log.clear()
    return said


# --- Errors -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Situation:
    """A server, and who is there."""

    address: tuple[str, int]
    log: list[str]
    token: str
    bobs: int


@pytest.fixture
def situation() -> Iterator[Situation]:
    """Alice is signed in; there is a booking of bob's, and one of hers that nobody can read any more."""
    room = make_resource()
    alice = make_user("alice")
    broken = make_booking(alice, room)
    damage = "'0044-03-15 12:00:00+00 BC'" if connection.vendor == "postgresql" else "'2020-13-45 12:00:00'"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE core_booking SET created_at = {damage} WHERE id = %s", [broken.pk])  # noqa: S608
    bobs = make_booking(make_user("bob"), room, at(15))
    log: list[str] = []
    with server(log=log, FRONTEND_URL=APP, THROTTLE_PASSWORD_RESET="1/hour") as address:
        yield Situation(address, log, Token.objects.create(user=alice).key, bobs.pk)


def answers_to(situation: Situation, browser: Browser, call: Callable[..., Answer]) -> dict[int, Answer]:
    """An answer of each status that the app can meet, by that status."""
    browser.token = None
    mail = {"email": "nobody@example.org"}
    answers = [
        call("GET", "/api/resources/"),
        call("GET", "/api/bookings/"),
        call("POST", "/api/auth/token/login/", raw=b"{"),
        call("PUT", "/api/auth/token/login/", {}),
        call("POST", "/api/auth/users/", raw=b" " * 1_048_577),
        call("POST", "/api/auth/users/reset_password/", mail),
        call("POST", "/api/auth/users/reset_password/", mail),
    ]
    browser.token = situation.token
    answers += [
        call("GET", "/api/nothing/"),
        call("PATCH", f"/api/bookings/{situation.bobs}/", {"notes": "mine"}),
        call("GET", "/api/bookings/"),
    ]
    return {answer.status: answer for answer in answers}


def test_the_app_may_read_every_error(situation: Situation) -> None:
    browser = Browser(situation.address)
    answers = answers_to(situation, browser, browser.fetch)

    assert sorted(answers) == [200, 204, 400, 401, 403, 404, 405, 413, 429, 500]
    for status, answer in answers.items():
        if status >= 400:
            assert answer.headers["Content-Type"] == "application/json"
            assert {"error", "code", "detail"} <= set(answer.json())
    assert int(answers[429].headers["Retry-After"]) > 0
    assert answers[500].headers["X-Request-ID"] in answers[500].json()["detail"]
    said = taken_from(situation.log, until="GET /api/bookings/ 500")
    assert f"Unexpected error (request={answers[500].headers['X-Request-ID']})" in said
    assert "Traceback" in said


def test_a_page_from_elsewhere_may_read_nothing_and_is_allowed_nothing(situation: Situation) -> None:
    browser = Browser(situation.address, origin=FOREIGN)

    def call(method: str, path: str, body: object = None, *, raw: bytes | None = None) -> Answer:
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
        preflight = browser.send("OPTIONS", path, None, asked)
        headers = {"Authorization": f"Token {browser.token}"} if browser.token else {}
        answer = browser.send(method, path, as_bytes(body, raw), {**headers, "Content-Type": "application/json"})
        for one in (preflight, answer):
            assert not [name for name in one.headers if name.lower().startswith("access-control-")], one
            assert "origin" in one.words("Vary")
        return answer

    answers = answers_to(situation, browser, call)

    assert sorted(answers) == [200, 204, 400, 401, 403, 404, 405, 413, 429, 500]
    taken_from(situation.log, until="GET /api/bookings/ 500")


def test_the_app_is_told_that_the_database_is_away() -> None:
    log: list[str] = []
    nowhere = "postgresql://nobody:secret@127.0.0.1:1/nothing"
    with server(log=log, FRONTEND_URL=APP, DATABASE_URL=nowhere) as address:
        answer = Browser(address).fetch("GET", "/api/resources/")
        assert (answer.status, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert b"secret" not in answer.raw
        assert "secret" not in taken_from(log, until="GET /api/resources/ 503")
