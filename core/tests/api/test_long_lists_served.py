"""A list of more than one part from a real gunicorn: in chunks, and broken where the database fails."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from rest_framework.authtoken.models import Token

from core.api.pagination import MOST_AT_ONCE
from core.models import Booking
from core.tests.support.factories import make_cancelled_bookings, make_resource, make_user
from core.tests.support.servers import Server, database_url

pytestmark = pytest.mark.processes

BOOKINGS = "/api/bookings/"
NUMBER = 2 * MOST_AT_ONCE + 1
# So long that the server has to wait for the client after the first part.
NOTES = "x" * 1_000


@pytest.fixture
def headers(transactional_db: None) -> dict[str, str]:
    """The headers of the owner of all those bookings."""
    owner, room = make_user("alice"), make_resource()
    make_cancelled_bookings(owner, room, NUMBER, notes=NOTES)
    return {"Authorization": f"Token {Token.objects.create(user=owner).key}", "X-Forwarded-Proto": "https"}


@pytest.fixture
def served(headers: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    """A server that closes its connection to the database after each request, as behind a pooler."""
    with Server(tmp_path, DATABASE_URL=database_url(), CONN_MAX_AGE="0", WEB_CONCURRENCY="1") as server:
        yield server


@pytest.fixture
def client(served: Server) -> Iterator[http.client.HTTPConnection]:
    """A client with little room for what it has not read yet."""
    client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    client.connect()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    yield client
    client.close()


def test_all_rows_come_as_one_array_in_chunks(client: http.client.HTTPConnection, headers: dict[str, str]) -> None:
    client.request("HEAD", BOOKINGS, headers=headers)
    head = client.getresponse()
    assert (head.status, head.read()) == (200, b"")

    client.request("GET", BOOKINGS, headers=headers)
    answer = client.getresponse()
    rows = json.loads(answer.read())

    assert [row["id"] for row in rows] == list(Booking.objects.values_list("pk", flat=True))
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in {*head.headers, *answer.headers}


def test_a_failure_of_the_database_breaks_the_connection(
    served: Server, client: http.client.HTTPConnection, headers: dict[str, str]
) -> None:
    client.request("GET", BOOKINGS, headers=headers)
    answer = client.getresponse()
    begun = answer.read(1_000)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_booking RENAME COLUMN notes TO words")
    try:
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE core_booking RENAME COLUMN words TO notes")

    with pytest.raises(json.JSONDecodeError):
        json.loads(begun + broken.value.partial)
    assert f"{BOOKINGS} broke off (request={answer.headers['X-Request-ID']})" in served.said
    assert served.ask("GET", f"{BOOKINGS}?limit=1", **{"X_Forwarded_Proto": "https"})[0] == 401
