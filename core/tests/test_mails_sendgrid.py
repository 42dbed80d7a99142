"""Messages by SendGrid: its real client against a server on loopback."""

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from pytest_django import Settings
from rest_framework.test import APIClient

from core import lifecycle
from core.models import Booking, Resource
from core.tests import sendgrid_server as provider
from core.tests.factories import at, booking_body, make_booking
from core.tests.sendgrid_server import KEY, SendGridServer, faults_of
from core.utils import DeliveryError, Message, as_sendgrid_body, deliver, send_by_sendgrid

NOTES = "the-secret-of-these-notes"


@pytest.fixture
def sendgrid(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SendGridServer]:
    """The provider, with one address of staff and a time limit of half a second."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    settings.EMAIL_USE = "sendgrid"
    settings.SENDGRID_API_KEY = KEY
    settings.SENDGRID_TIMEOUT_SECONDS = 0.5
    settings.TO_EMAIL = ["staff@example.org"]
    with SendGridServer() as server:
        settings.SENDGRID_HOST = server.host
        yield server
    for thread in threading.enumerate():
        if thread.name == "sendgrid":
            thread.join(timeout=10)


def printed(mailoutbox: list[EmailMultiAlternatives]) -> list[str]:
    """Who the console was told about instead."""
    return sorted(mail.to[0] for mail in mailoutbox)


def message(**more: str) -> Message:
    whole = {"to": "alice@example.org", "subject": "Booked: Blue room", "text": "Text", "html": "<p>Text</p>", **more}
    return Message(**whole)


@pytest.mark.django_db(transaction=True)
def test_a_booking_reaches_the_owner_and_staff_and_not_the_console(
    sendgrid: SendGridServer, mailoutbox: list[EmailMultiAlternatives], as_alice: APIClient, room: Resource
) -> None:
    answer = as_alice.post("/api/bookings/", booking_body(room, notes=NOTES))
    assert answer.status_code == 201
    assert sendgrid.receivers == ["alice@example.org", "staff@example.org"]
    assert len(sendgrid.requests) == 2
    assert printed(mailoutbox) == []
    mine = next(m for m in sendgrid.accepted if m["personalizations"][0]["to"][0]["email"] == "alice@example.org")
    assert mine["from"] == {"email": "noreply@bookingsystem.local"}
    assert mine["subject"] == f"Booked: Blue room, {at(10):%Y-%m-%d} 10:00 UTC"
    assert [part["type"] for part in mine["content"]] == ["text/plain", "text/html"]
    assert NOTES in mine["content"][0]["value"]
    assert NOTES in mine["content"][1]["value"]


@pytest.mark.django_db(transaction=True)
def test_a_password_reset_goes_by_the_same_channel(
    sendgrid: SendGridServer, mailoutbox: list[EmailMultiAlternatives], anonymous: APIClient, alice: User
) -> None:
    assert anonymous.post("/api/auth/users/reset_password/", {"email": "Alice@example.org"}).status_code == 204
    assert sendgrid.receivers == ["alice@example.org"]
    assert "/password-reset/" in sendgrid.accepted[0]["content"][0]["value"]
    assert printed(mailoutbox) == []


REASONS = {
    "400": (provider.answering(400, b'{"errors":[{"message":"Bad Request","field":"from"}]}'), "400 Bad Request"),
    "400_without_json": (provider.answering(400, b"<html>"), "400 Bad Request"),
    "400_of_another_form": (provider.answering(400, b'["what?"]'), "400 Bad Request"),
    "401": (
        provider.answering(401, b'{"errors":[{"message":"The provided authorization grant is invalid","field":null}]}'),
        "401 Unauthorized The provided authorization grant is invalid",
    ),
    "413": (provider.answering(413, b""), "413"),
    "429": (provider.answering(429, b'{"errors":[{"message":"too many requests","field":null}]}'), "429"),
    "500": (provider.answering(500, b"oops"), "500 Internal Server Error"),
    "accepted_otherwise": (provider.answering(200, b"{}"), "answered 200 instead of 202"),
    "hang": (provider.hanging, "no answer within 0.5 seconds|timed out"),
    "trickle": (provider.trickling, "no answer within 0.5 seconds|timed out"),
    "reset": (provider.resetting, "reset"),
    "cut_short": (provider.cutting_short, "IncompleteRead"),
    "no_http": (provider.talking_nonsense, "BadStatusLine"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("behaviour", "reason"), REASONS.values(), ids=REASONS)
def test_what_sendgrid_does_not_take_is_logged_and_printed_and_the_booking_stands(
    behaviour: provider.Behaviour,
    reason: str,
    sendgrid: SendGridServer,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    caplog.set_level(logging.DEBUG)
    sendgrid.behaviour = behaviour
    started = time.monotonic()
    answer = as_alice.post("/api/bookings/", booking_body(room, notes=NOTES))
    assert time.monotonic() - started < 1.5
    assert answer.status_code == 201
    assert Booking.objects.get().status == "confirmed"
    assert len(sendgrid.requests) == 2
    assert printed(mailoutbox) == ["alice@example.org", "staff@example.org"]
    lines = [record.getMessage() for record in caplog.records if record.name == "core.utils"]
    assert len(lines) == 2
    for line in lines:
        assert re.search(reason, line), line
    assert KEY not in caplog.text
    assert NOTES not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_wrong_key_is_logged_as_a_refusal_without_the_key(
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    settings.SENDGRID_API_KEY = "SG.wrong"
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert sendgrid.accepted == []
    assert len(mailoutbox) == 2
    assert "401 Unauthorized" in caplog.text
    assert "SG.wrong" not in caplog.text


@pytest.mark.parametrize("key", ["SG.two\nlines", "SG.größe", "SG.„quoted”"], ids=ascii)
def test_a_key_that_fits_no_header_is_not_logged_either(
    key: str,
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SENDGRID_API_KEY = key
    deliver([message()])
    assert sendgrid.accepted == []
    assert len(mailoutbox) == 1
    assert "SendGrid did not take a message" in caplog.text
    assert "SG." not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_reason_that_repeats_the_key_or_forges_lines_is_cleaned(
    sendgrid: SendGridServer, caplog: pytest.LogCaptureFixture, as_alice: APIClient, room: Resource
) -> None:
    sendgrid.behaviour = provider.echoing
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    lines = [record.getMessage() for record in caplog.records if record.name == "core.utils"]
    assert (
        lines
        == [
            "SendGrid did not take a message (400 Bad Request Refused: Bearer *** [31m forged line [subject]); "
            "it is printed on the console instead."
        ]
        * 2
    )


@pytest.mark.django_db(transaction=True)
def test_a_refused_connection_falls_back_too(
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.SENDGRID_HOST = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert "Connection refused" in caplog.text
    assert printed(mailoutbox) == ["alice@example.org", "staff@example.org"]


@pytest.mark.django_db(transaction=True)
def test_a_booking_with_five_receivers_answers_within_six_seconds_while_sendgrid_hangs(
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    as_alice: APIClient,
    room: Resource,
) -> None:
    settings.SENDGRID_TIMEOUT_SECONDS = 5
    settings.TO_EMAIL = [f"staff{number}@example.org" for number in range(4)]
    sendgrid.behaviour = provider.hanging
    started = time.monotonic()
    answer = as_alice.post("/api/bookings/", booking_body(room))
    assert 4.5 < time.monotonic() - started < 6
    assert answer.status_code == 201
    assert printed(mailoutbox) == ["alice@example.org", *settings.TO_EMAIL]


@pytest.mark.django_db(transaction=True)
def test_a_message_that_hangs_does_not_keep_the_others_back(
    sendgrid: SendGridServer,
    mailoutbox: list[EmailMultiAlternatives],
    as_alice: APIClient,
    room: Resource,
) -> None:
    def hang_for_alice(handler: provider.Handler, raw: bytes) -> None:
        if b"alice@example.org" in raw.split(b"subject")[0]:
            provider.hanging(handler, raw)
        else:
            handler.take(raw)

    sendgrid.behaviour = hang_for_alice
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert sendgrid.receivers == ["staff@example.org"]
    assert printed(mailoutbox) == ["alice@example.org"]


@pytest.mark.django_db(transaction=True)
def test_a_request_that_waited_in_vain_waits_no_more_but_the_next_one_tries_again(
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    admin: User,
    alice: User,
    as_alice: APIClient,
    room: Resource,
) -> None:
    bookings = [make_booking(alice, room, at(hour)) for hour in (8, 9, 10)]
    sendgrid.behaviour = provider.hanging
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        request_started.send(sender=None)
        started = time.monotonic()
        for booking in bookings:
            lifecycle.cancel(booking, by=admin, now=at(7))
        assert time.monotonic() - started < 1.2
        request_finished.send(sender=None)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    assert len(sendgrid.requests) == 2
    assert len(mailoutbox) == 6
    assert caplog.text.count("did not answer before; 2 more printed on the console") == 2
    sendgrid.behaviour = None
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert sendgrid.receivers == ["alice@example.org", "staff@example.org"]


def test_outside_requests_every_delivery_has_the_whole_time(
    sendgrid: SendGridServer, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    sendgrid.behaviour = provider.hanging
    deliver([message()])
    sendgrid.behaviour = None
    deliver([message()])
    assert sendgrid.receivers == ["alice@example.org"]
    assert printed(mailoutbox) == ["alice@example.org"]


@pytest.mark.parametrize(
    ("behaviour", "again"),
    [
        (provider.answering(400, b"{}"), False),
        (provider.answering(401, b"{}"), False),
        (provider.answering(403, b"{}"), False),
        (provider.answering(413, b"{}"), False),
        (provider.answering(429, b"{}"), True),
        (provider.answering(500, b"{}"), True),
        (provider.answering(503, b"{}"), True),
        (provider.hanging, True),
        (provider.resetting, True),
        (provider.cutting_short, True),
    ],
    ids=["400", "401", "403", "413", "429", "500", "503", "hang", "reset", "cut_short"],
)
def test_the_error_says_whether_to_try_again(
    behaviour: provider.Behaviour, again: bool, sendgrid: SendGridServer
) -> None:
    sendgrid.behaviour = behaviour
    with pytest.raises(DeliveryError) as caught:
        send_by_sendgrid(message())
    assert caught.value.again is again


def test_an_error_of_one_console_message_does_not_keep_the_others_back(
    mailoutbox: list[EmailMultiAlternatives], caplog: pytest.LogCaptureFixture
) -> None:
    deliver([message(subject="two\nlines"), message(to="bob@example.org")])
    assert printed(mailoutbox) == ["bob@example.org"]
    assert "could not be printed on the console (BadHeaderError)" in caplog.text


FAULTY = {
    "no_receiver": {"personalizations": []},
    "receiver_is_text": {"personalizations": [{"to": "alice@example.org"}]},
    "receiver_without_address": {"personalizations": [{"to": [{"name": "alice"}]}]},
    "receiver_twice": {"personalizations": [{"to": [{"email": "a@example.org"}, {"email": "A@example.org"}]}]},
    "sender_is_text": {"from": "noreply@example.org"},
    "subject_empty": {"subject": ""},
    "subject_is_number": {"subject": 7},
    "subject_with_lf": {"subject": "a\nb"},
    "subject_with_cr": {"subject": "a\rb"},
    "content_empty": {"content": []},
    "content_value_empty": {"content": [{"type": "text/plain", "value": ""}]},
    "html_first": {"content": [{"type": "text/html", "value": "h"}, {"type": "text/plain", "value": "t"}]},
    "unknown_field": {"to": "alice@example.org"},
}


@pytest.mark.parametrize("change", FAULTY.values(), ids=FAULTY)
def test_the_server_of_these_tests_refuses_what_the_real_one_does(
    change: dict[str, object], sendgrid: SendGridServer
) -> None:
    good = as_sendgrid_body(message())
    assert faults_of(good) == []
    assert faults_of({**good, **change}) != []


def test_the_server_of_these_tests_wants_json(sendgrid: SendGridServer) -> None:
    connection = HTTPConnection("127.0.0.1", sendgrid.server_port, timeout=5)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "text/plain"}
    connection.request("POST", "/v3/mail/send", body=b"{}", headers=headers)
    assert connection.getresponse().status == 415
    connection.close()
