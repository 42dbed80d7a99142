"""Bodies that cannot be read, on every address that takes one."""

import gzip
import json
from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.http import HttpResponseBase
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import booking_body, make_booking

LIMIT = 1_048_576
JSON = "application/json"

# What takes a body; the placeholders are filled by `send`.
TAKERS = [
    ("post", "/api/bookings/"),
    ("put", "/api/bookings/{booking}/"),
    ("patch", "/api/bookings/{booking}/"),
    ("post", "/api/resources/"),
    ("put", "/api/resources/{resource}/"),
    ("patch", "/api/resources/{resource}/"),
    ("put", "/api/resources/{resource}/policy/"),
    ("post", "/api/resources/{resource}/opening-exceptions/"),
    ("post", "/api/quotas/"),
    ("put", "/api/profile/picture/"),
    ("patch", "/api/profile/picture/"),
    ("post", "/api/auth/users/"),
    ("patch", "/api/auth/users/me/"),
    ("post", "/api/auth/users/set_password/"),
    ("post", "/api/auth/users/reset_password/"),
    ("post", "/api/auth/users/reset_password_confirm/"),
    ("post", "/api/auth/token/login/"),
    ("post", "/api/auth/jwt/create/"),
    ("post", "/api/auth/jwt/refresh/"),
    ("post", "/api/auth/jwt/verify/"),
]

every_taker = pytest.mark.parametrize(("method", "path"), TAKERS, ids=[" ".join(taker) for taker in TAKERS])


class Sender:
    """Sends raw bodies as staff, to an API with one resource and one booking."""

    def __init__(self, client: APIClient, booking: Booking) -> None:
        self.client = client
        self.booking = booking

    def __call__(
        self, method: str, path: str, body: bytes | str, content_type: str = JSON, **more: object
    ) -> HttpResponseBase:
        path = path.format(booking=self.booking.pk, resource=self.booking.resource_id)
        return self.client.generic(method.upper(), path, body, content_type=content_type, **more)


@pytest.fixture
def send(as_admin: APIClient, admin: object, room: Resource) -> Sender:
    return Sender(as_admin, make_booking(admin, room))


MALFORMED = {
    "no JSON": b"{resource: 1}",
    "half a JSON": b'{"resource": 1',
    "two values": b'{"resource": 1} {}',
    "NUL": b"\0",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "two byte order marks": b'\xef\xbb\xbf\xef\xbb\xbf{"name": "x"}',
    "a byte order mark alone": b"\xef\xbb\xbf",
    "a byte order mark inside": b'{\xef\xbb\xbf"name": "x"}',
    "a bare NaN": b'{"name": NaN}',
    "an integer of 5000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "nested 100000 deep": b"[" * 100_000,
    "nested 100000 deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "objects 50000 deep": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
}


def refused(answer: HttpResponseBase) -> tuple[int, str]:
    """The status and the code of an answer, which must be an error in its one form."""
    return answer.status_code, assert_flat_error(answer, answer.status_code)["code"]


@every_taker
def test_malformed_json_is_refused(send: Sender, method: str, path: str) -> None:
    found = {name: refused(send(method, path, body)) for name, body in MALFORMED.items()}
    assert found == dict.fromkeys(MALFORMED, (400, "parse_error"))


@every_taker
def test_json_that_is_no_object_is_refused(send: Sender, method: str, path: str) -> None:
    for body in ("[]", "[1]", '"text"', "5", "true", "null", '[{"resource": 1}]'):
        assert_flat_error(send(method, path, body), 400, field="non_field_errors")


@every_taker
def test_other_content_types_are_refused(send: Sender, method: str, path: str) -> None:
    kinds = ("text/plain", "application/xml", "application/octet-stream", "x", "image/png")
    found = {kind: refused(send(method, path, b"{}", kind)) for kind in kinds}
    assert found == dict.fromkeys(kinds, (415, "unsupported_media_type"))


@every_taker
def test_other_charsets_are_refused(send: Sender, method: str, path: str) -> None:
    kinds = [
        f"{kind}; charset={charset}"
        for kind in (JSON, "application/x-www-form-urlencoded")
        for charset in ("utf-16", "iso-8859-1", "utf-7", "nonsense", "\xe4")
    ]
    found = {kind: refused(send(method, path, b"{}", kind)) for kind in kinds}
    assert found == dict.fromkeys(kinds, (415, "unsupported_media_type"))


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"', "us-ascii"])
def test_utf_8_by_any_of_its_names_is_read(send: Sender, charset: str) -> None:
    answer = send("post", "/api/resources/", '{"name": "Desk"}', f"{JSON}; charset={charset}")
    assert answer.status_code == 201, answer.json()


@every_taker
def test_a_byte_order_mark_before_json_is_passed_over(send: Sender, method: str, path: str) -> None:
    plain = send(method, path, "{}")
    marked = send(method, path, b"\xef\xbb\xbf{}")
    assert (marked.status_code, sorted(marked.json())) == (plain.status_code, sorted(plain.json()))
    assert_flat_error(send(method, path, b"\xef\xbb\xbf[]"), 400, field="non_field_errors")


def test_json_after_a_byte_order_mark_is_stored_without_the_mark(send: Sender) -> None:
    answer = send("post", "/api/resources/", b'\xef\xbb\xbf{"name": "Desk"}')
    assert (answer.status_code, answer.json()["name"]) == (201, "Desk")


@every_taker
def test_compressed_bodies_are_refused(send: Sender, method: str, path: str) -> None:
    for coding in ("gzip", "br", "deflate", "GZIP", "identity, gzip", "nonsense"):
        answer = send(method, path, gzip.compress(b"{}"), HTTP_CONTENT_ENCODING=coding)
        assert "Content-Encoding" in assert_flat_error(answer, 415, "unsupported_media_type")["detail"]
        assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_compressed_forms_are_refused(send: Sender, content_type: str) -> None:
    answer = send("post", "/api/resources/", gzip.compress(b"name=Desk"), content_type, HTTP_CONTENT_ENCODING="gzip")
    assert_flat_error(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["identity", "Identity", "", " "])
def test_a_body_that_is_not_compressed_may_say_so(send: Sender, coding: str) -> None:
    answer = send("post", "/api/resources/", b'{"name": "Desk"}', HTTP_CONTENT_ENCODING=coding)
    assert answer.status_code == 201, answer.json()


def test_an_empty_body_may_have_any_coding(send: Sender) -> None:
    assert send("patch", "/api/bookings/{booking}/", b"", HTTP_CONTENT_ENCODING="gzip").status_code == 200


@every_taker
def test_a_body_over_the_limit_is_refused(send: Sender, method: str, path: str) -> None:
    assert_flat_error(send(method, path, b" " * (LIMIT + 1)), 413, "body_too_large")


def test_a_body_of_exactly_the_limit_is_read(send: Sender) -> None:
    body = json.dumps({"name": "Desk"}).encode().ljust(LIMIT)
    assert len(body) == LIMIT
    answer = send("post", "/api/resources/", body)
    assert answer.status_code == 201, answer.json()
    assert_flat_error(send("post", "/api/resources/", body + b" "), 413, "body_too_large")


@pytest.mark.parametrize("content_type", [JSON, "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("patch", "/api/bookings/{booking}/", "status"),
        ("put", "/api/bookings/{booking}/", "status"),
        ("patch", "/api/resources/{resource}/", "capacity"),
        ("patch", "/api/resources/{resource}/", "is_available"),
        ("put", "/api/resources/{resource}/", "capacity"),
        ("patch", "/api/auth/users/me/", "email"),
        ("put", "/api/auth/users/me/", "username"),
        ("patch", "/api/profile/preferences/", "booking_created"),
    ],
)
def test_a_change_to_nothing_is_refused_in_a_form_as_in_json(
    send: Sender, room: Resource, method: str, path: str, field: str, content_type: str
) -> None:
    whole = {"name": "Red room", **booking_body(room)} if method == "put" else {}
    sent = {**whole, field: ""}
    body = json.dumps(sent) if content_type == JSON else urlencode(sent)
    assert_flat_error(send(method, path, body, content_type), 400, "invalid", field)
    room.refresh_from_db()
    assert room.name == "Blue room"


def test_a_form_empties_what_can_be_empty(send: Sender, as_admin: APIClient) -> None:
    form = "application/x-www-form-urlencoded"
    assert as_admin.patch("/api/profile/preferences/", {"reminder_minutes": 30}).json()["reminder_minutes"] == 30
    assert send("patch", "/api/profile/preferences/", "reminder_minutes=", form).json()["reminder_minutes"] is None
    assert as_admin.patch("/api/auth/users/me/", {"first_name": "Ada"}).json()["first_name"] == "Ada"
    assert send("patch", "/api/auth/users/me/", "first_name=", form).json()["first_name"] == ""


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_forms_have_the_same_limit(send: Sender, content_type: str) -> None:
    assert_flat_error(send("post", "/api/resources/", b"a" * (LIMIT + 1), content_type), 413, "body_too_large")


def test_a_large_form_of_the_limit_is_read(send: Sender) -> None:
    body = b"name=Desk&csrfmiddlewaretoken=".ljust(LIMIT, b"a")
    answer = send("post", "/api/resources/", body, "application/x-www-form-urlencoded")
    assert answer.status_code == 201, answer.json()


def test_whoever_sends_too_much_hears_it_with_the_headers_for_the_app(anonymous: APIClient, settings: Settings) -> None:
    answer = anonymous.generic(
        "POST", "/api/bookings/", b" " * (LIMIT + 1), content_type=JSON, headers={"origin": settings.FRONTEND_URL}
    )
    body = assert_flat_error(answer, 413, "body_too_large")
    assert "1048576" in body["detail"]
    assert answer.headers["Access-Control-Allow-Origin"] == settings.FRONTEND_URL


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "+5", "9" * 40])
def test_a_length_that_is_no_number_is_refused(send: Sender, length: str) -> None:
    assert_flat_error(send("post", "/api/resources/", b"{}", CONTENT_LENGTH=length), 400, "bad_request")


def test_a_body_of_unknown_length_is_refused(send: Sender) -> None:
    answer = send("post", "/api/resources/", b"{}", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert_flat_error(answer, 411, "length_required")


@pytest.mark.parametrize(
    ("status", "content_type", "body"),
    [
        pytest.param(400, "multipart/form-data", b"--x--", id="multipart without boundary"),
        pytest.param(415, "multipart/form-data; boundary=" + "x" * 300, b"--x--", id="boundary too long"),
        pytest.param(400, "multipart/form-data; boundary=\xe4", b"--x--", id="boundary beyond ASCII"),
        pytest.param(
            400, "application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(1_001)), id="1001 fields"
        ),
    ],
)
def test_forms_that_cannot_be_read_are_refused(send: Sender, status: int, content_type: str, body: bytes) -> None:
    assert_flat_error(send("post", "/api/resources/", body, content_type), status)


def test_a_file_where_text_belongs_is_refused(send: Sender) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nDesk\r\n--x--\r\n"
    )
    assert_flat_error(send("post", "/api/resources/", body, "multipart/form-data; boundary=x"), 400, field="name")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/resources/", {"name": "Desk", "capacity": None}),
        ("/api/resources/", {"name": None}),
        ("/api/resources/", {"name": "Desk", "is_available": None}),
        ("/api/bookings/", {"resource": None}),
        ("/api/bookings/", {"start_time": None}),
        ("/api/bookings/", {"status": None}),
        ("/api/bookings/", {"notes": None}),
    ],
    ids=str,
)
def test_nesting_of_any_depth_in_a_field_is_refused(send: Sender, path: str, body: dict) -> None:
    (field,) = [name for name, value in body.items() if value is None]
    for depth in range(400, 1_000, 13):
        sent = json.dumps({**body, field: "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
        assert_flat_error(send("post", path, sent), 400)


@pytest.mark.parametrize(
    "query", ["&".join(f"a{number}=1" for number in range(1_001)), "limit=%ff", "start=%ff&end=%00"]
)
def test_a_query_that_cannot_be_read_is_refused(anonymous: APIClient, query: str) -> None:
    assert_flat_error(anonymous.get(f"/api/resources/?{query}"), 400)


def test_an_empty_body_is_an_empty_object(send: Sender, room: Resource) -> None:
    assert send("patch", "/api/bookings/{booking}/", b"").status_code == 200
    assert_flat_error(send("post", "/api/bookings/", b""), 400, field="resource")


URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param(URLENCODED, b"", id="no bytes"),
        pytest.param(URLENCODED, b"&", id="no pair"),
        pytest.param(MULTIPART, b"--x--\r\n", id="no part"),
        pytest.param(MULTIPART, b"\r\n--x--\r\n", id="no part, after an empty line"),
    ],
)
def test_a_form_without_a_field_is_an_empty_object(send: Sender, content_type: str, body: bytes) -> None:
    assert send("patch", "/api/bookings/{booking}/", body, content_type).status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param(URLENCODED, b'{"status": "cancelled"}', id="JSON"),
        pytest.param(URLENCODED, b' {"status": "cancelled", "notes": "a=b"}', id="JSON with an equals sign"),
        pytest.param(URLENCODED, b'[{"status": "="}]', id="a list with an equals sign"),
        pytest.param(URLENCODED, b'"="', id="a JSON text"),
        pytest.param(URLENCODED, b"0", id="a number"),
        pytest.param(URLENCODED, b"status", id="a name without a value"),
        pytest.param(URLENCODED, b"status=cancelled&x", id="a pair and a name"),
        pytest.param(MULTIPART, b'{"status": "cancelled"}', id="JSON as multipart"),
        pytest.param(MULTIPART, b"--x\r\n0--x--\r\n", id="a part without a name"),
        pytest.param(
            MULTIPART, b"--x\r\nContent-Type: text/plain\r\n\r\n0\r\n--x--\r\n", id="a part with a type alone"
        ),
    ],
)
def test_what_is_no_form_is_refused(send: Sender, content_type: str, body: bytes) -> None:
    answer = send("patch", "/api/bookings/{booking}/", body, content_type)
    assert "application/json" in assert_flat_error(answer, 400, "parse_error")["detail"]
    assert Booking.objects.get().status == "confirmed"


def send_chunks(send: Sender, stream: object) -> HttpResponseBase:
    """Sends a body of unknown length; what is read from the stream is the content of its chunks."""
    chunks = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    return send("patch", "/api/bookings/{booking}/", b"", **chunks, **{"wsgi.input": stream})


def test_chunks_without_a_byte_are_an_empty_body(send: Sender) -> None:
    assert send_chunks(send, BytesIO()).status_code == 200


def test_chunks_with_a_byte_are_refused(send: Sender) -> None:
    assert_flat_error(send_chunks(send, BytesIO(b"{}")), 411, "length_required")


class BrokenStream:
    """A body that ends early: the client is gone, or a chunk has no size."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, *args: object) -> bytes:
        raise self.error

    readline = read


def test_broken_chunks_are_refused(send: Sender) -> None:
    assert_flat_error(send_chunks(send, BrokenStream(ValueError("no size"))), 411, "length_required")


def test_a_body_that_never_comes_whole_is_refused(send: Sender) -> None:
    broken = BrokenStream(ConnectionResetError("gone"))
    answer = send("patch", "/api/bookings/{booking}/", b"{}", **{"wsgi.input": broken})
    assert_flat_error(answer, 400, "bad_request")
