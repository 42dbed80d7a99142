"""Two servers at once, each a process of its own, on one database."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token

from core.models import Booking, Resource
from core.tests.conftest import in_parallel
from core.tests.factories import at, booking_body, make_user
from core.tests.overlaps import overlapping_pairs

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def database_url() -> str:
    """The address of this test's own database."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(settings['NAME']))}"
    account = f"{quote(settings['USER'], safe='')}:{quote(settings['PASSWORD'], safe='')}"
    return f"postgresql://{account}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


@contextlib.contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A gunicorn of one process, as in production, on a free port of the loopback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "booking_system_api.wsgi:application", "--bind", "127.0.0.1:0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "WEB_CONCURRENCY": "1", "GUNICORN_THREADS": "8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (address := re.search(r"Listening at: (http://\S+)", "".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < deadline, "".join(said)
            time.sleep(0.05)
        found = urlsplit(address[1])
        yield str(found.hostname), int(found.port or 0)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            reader.join(10)
            assert process.stderr is not None
            process.stderr.close()
    assert "Traceback" not in "".join(said)


def book(address: tuple[str, int], token: str, body: dict) -> tuple[int, dict]:
    """What that server answers."""
    client = http.client.HTTPConnection(*address, timeout=60)
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json", "X-Forwarded-Proto": "https"}
    try:
        client.request("POST", "/api/bookings/", json.dumps(body), headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


@pytest.mark.django_db(transaction=True)
def test_two_servers_grant_a_slot_once(room: Resource) -> None:
    tokens = [Token.objects.create(user=make_user(f"rival{index}")).key for index in range(20)]
    rounds = range(1, 4)
    with server() as one, server() as other:
        for day in rounds:
            body = booking_body(room, at(10, day=day))
            calls = [partial(book, (one, other)[index % 2], token, body) for index, token in enumerate(tokens)]
            answers = in_parallel(calls)
            assert [answer for answer in answers if not isinstance(answer, tuple)] == []
            assert Counter(status for status, _ in answers) == {201: 1, 400: 19}
            assert {found["code"] for status, found in answers if status == 400} == {"slot_taken"}
            assert all(found["conflicts"] for status, found in answers if status == 400)
    assert Booking.objects.count() == len(rounds)
    assert overlapping_pairs() == []
