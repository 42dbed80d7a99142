"""Messages by SendGrid: its real client against a server on loopback."""

import logging
import re
import socket
import ssl
import time
from datetime import timedelta
from http.client import HTTPConnection

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Notification, Resource
from core.tests.support import sendgrid_server as provider
from core.tests.support.factories import at, booking_body
from core.tests.support.mailing import deliver as deliver_due
from core.tests.support.mailing import hand_on, lines_of
from core.tests.support.sendgrid_server import KEY, SendGridServer, faults_of
from core.utils import Attachment, DeliveryError, Message, deliver, print_on_console, send_by_sendgrid, sendgrid_body

NOTES = "the-secret-of-these-notes"


def printed(mailoutbox: list[EmailMultiAlternatives]) -> list[str]:
    """Who the console was told about instead."""
    return sorted(mail.to[0] for mail in mailoutbox)


def message(**more: object) -> Message:
    whole = {"to": "alice@example.org", "subject": "Booked: Blue room", "text": "Text", "html": "<p>Text</p>", **more}
    return Message(**whole)


@pytest.mark.django_db(transaction=True)
def test_a_booking_reaches_the_owner_and_staff_and_not_the_console(
    sendgrid: SendGridServer, mailoutbox: list[EmailMultiAlternatives], as_alice: APIClient, room: Resource
) -> None:
    answer = as_alice.post("/api/bookings/", booking_body(room, notes=NOTES))
    assert answer.status_code == 201
    assert sendgrid.requests == []
    deliver_due()
    assert sendgrid.receivers == ["alice@example.org", "staff@example.org"]
    assert len(sendgrid.requests) == 2
    assert printed(mailoutbox) == []
    mine = next(m for m in sendgrid.accepted if m["personalizations"][0]["to"][0]["email"] == "alice@example.org")
    assert mine["from"] == {"email": "noreply@bookingsystem.local"}
    assert mine["subject"] == f"Booked: Blue room, {at(10):%Y-%m-%d} 10:00 UTC"
    assert [part["type"] for part in mine["content"]] == ["text/plain", "text/html"]
    assert NOTES in mine["content"][0]["value"]
    assert NOTES in mine["content"][1]["value"]
    assert mine["headers"]["Auto-Submitted"] == "auto-generated"
    assert {name: each["enable"] for name, each in mine["tracking_settings"].items()} == {
        "click_tracking": False,
        "open_tracking": False,
    }


@pytest.mark.django_db(transaction=True)
def test_a_password_reset_goes_by_the_same_channel(
    sendgrid: SendGridServer, mailoutbox: list[EmailMultiAlternatives], anonymous: APIClient, alice: User
) -> None:
    assert anonymous.post("/api/auth/users/reset_password/", {"email": "Alice@example.org"}).status_code == 204
    deliver_due()
    assert sendgrid.receivers == ["alice@example.org"]
    assert "/password-reset/" in sendgrid.accepted[0]["content"][0]["value"]
    assert printed(mailoutbox) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [True, False])
def test_a_reset_link_that_sendgrid_refuses_is_printed_for_developers_alone(
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    anonymous: APIClient,
    alice: User,
    debug: bool,
) -> None:
    settings.DEBUG = debug
    sendgrid.behaviour = provider.answering(401, b"{}")
    anonymous.post("/api/auth/users/reset_password/", {"email": "alice@example.org"})
    deliver_due()
    (printed_instead,) = mailoutbox
    assert printed_instead.to == ["alice@example.org"]
    assert ("/password-reset/" in str(printed_instead.message())) == debug


REFUSALS = {
    "400": (
        provider.answering(400, b'{"errors":[{"message":"Bad Request","field":"from"}]}'),
        r"SendGrid error: 400 Bad Request: Bad Request \[from\]",
    ),
    "400_without_json": (provider.answering(400, b"<html>"), "400 Bad Request"),
    "400_of_another_form": (provider.answering(400, b'["what?"]'), "400 Bad Request"),
    "401": (
        provider.answering(401, b'{"errors":[{"message":"The provided authorization grant is invalid","field":null}]}'),
        r"SendGrid error: 401 Unauthorized: The provided authorization grant is invalid(\)|$)",
    ),
    "413": (provider.answering(413, b""), "413"),
    "accepted_otherwise": (provider.answering(200, b"{}"), "answered 200 instead of 202"),
}
TROUBLES = {
    "429": (provider.answering(429, b'{"errors":[{"message":"too many requests","field":null}]}'), "429"),
    "500": (provider.answering(500, b"oops"), "500 Internal Server Error"),
    "hang": (provider.hanging, "no answer within 1 seconds|timed out"),
    "trickle": (provider.trickling, "no answer within 1 seconds|timed out"),
    "reset": (provider.resetting, "reset"),
    "cut_short": (provider.cutting_short, "IncompleteRead"),
    "no_http": (provider.talking_nonsense, "BadStatusLine"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("behaviour", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_what_sendgrid_refuses_is_logged_and_printed_at_once_and_never_sent_again(
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
    assert as_alice.post("/api/bookings/", booking_body(room, notes=NOTES)).status_code == 201
    assert deliver_due()["failed"] == 2
    assert len(sendgrid.requests) == 2
    assert printed(mailoutbox) == ["alice@example.org", "staff@example.org"]
    lines = lines_of(caplog)
    assert len(lines) == 2
    for line, row in zip(lines, Notification.objects.order_by("id"), strict=True):
        assert re.search(reason, line), line
        assert re.search(reason, row.last_error)
        assert (row.state, row.tries) == ("failed", 1)
    assert KEY not in caplog.text
    for mail in mailoutbox:
        assert mail.subject.startswith("Booked: Blue room")
        assert NOTES not in str(mail.message())
    sendgrid.behaviour = None
    deliver_due(now=timezone.now() + timedelta(days=2))
    assert len(sendgrid.requests) == 2
    assert len(mailoutbox) == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("behaviour", "reason"), TROUBLES.values(), ids=TROUBLES)
def test_what_sendgrid_cannot_take_now_is_logged_and_sent_later_and_not_printed(
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
    now = timezone.now()
    assert as_alice.post("/api/bookings/", booking_body(room, notes=NOTES)).status_code == 201
    started = time.monotonic()
    assert deliver_due()["retried"] == 2
    assert time.monotonic() - started < 3
    assert len(sendgrid.requests) == 2
    lines = lines_of(caplog)
    assert len(lines) == 2
    for line, row in zip(lines, Notification.objects.order_by("id"), strict=True):
        assert re.search(reason, line), line
        assert (row.state, row.tries) == ("waiting", 1)
        assert row.due_at > now + timedelta(seconds=59)
    assert KEY not in caplog.text
    for mail in mailoutbox:
        assert mail.subject.startswith("Booked: Blue room")
        assert NOTES not in str(mail.message())
    sendgrid.behaviour = None
    deliver_due()
    assert len(sendgrid.requests) == 2
    deliver_due(now=now + timedelta(minutes=2))
    assert sendgrid.receivers == ["alice@example.org", "staff@example.org"]
    assert printed(mailoutbox) == []
    deliver_due(now=now + timedelta(days=2))
    assert len(sendgrid.accepted) == 2


@pytest.mark.django_db(transaction=True)
def test_a_day_of_failures_is_tried_with_growing_delays_and_printed_once_in_the_end(
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    settings.TO_EMAIL = []
    sendgrid.behaviour = provider.answering(503, b"{}")
    as_alice.post("/api/bookings/", booking_body(room, at(10, day=5)))
    hand_on()
    row = Notification.objects.get()
    began, tried = row.created_at, []
    while row.state == "waiting":
        assert mailoutbox == []
        tried.append((row.due_at - began) / timedelta(minutes=1))
        deliver_due(now=row.due_at)
        row.refresh_from_db()
    assert [round(minutes) for minutes in tried[:9]] == [0, 1, 3, 7, 15, 31, 63, 127, 191]
    assert 22 * 60 < tried[-1] <= 24 * 60
    assert (row.state, row.tries) == ("failed", len(tried))
    assert len(sendgrid.requests) == len(tried) == len(lines_of(caplog))
    assert all("503" in line for line in lines_of(caplog))
    assert printed(mailoutbox) == ["alice@example.org"]
    deliver_due(now=began + timedelta(days=3))
    assert len(mailoutbox) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("behaviour", "times"), [(provider.hanging, 0), (provider.answering(503, b"{}"), 1)])
def test_what_the_provider_perhaps_took_is_not_printed_too(
    behaviour: provider.Behaviour,
    times: int,
    sendgrid: SendGridServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    settings.TO_EMAIL = []
    as_alice.post("/api/bookings/", booking_body(room, at(10, day=3)))
    sendgrid.behaviour = behaviour
    deliver_due(now=timezone.now() + timedelta(days=1))
    assert Notification.objects.get().state == "failed"
    assert len(mailoutbox) == times
    assert ("perhaps" in caplog.text) == (not times)


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
    deliver_due()
    assert sendgrid.accepted == []
    assert len(mailoutbox) == 2
    assert "401 Unauthorized" in caplog.text
    assert "SG.wrong" not in caplog.text


@pytest.mark.parametrize("key", ["SG.two\nlines", "SG.größe", "SG.„quoted”"], ids=ascii)
def test_a_key_that_fits_no_header_is_not_told_either(key: str, sendgrid: SendGridServer, settings: Settings) -> None:
    settings.SENDGRID_API_KEY = key
    with pytest.raises(DeliveryError) as caught:
        deliver(message())
    assert sendgrid.accepted == []
    assert not caught.value.can_retry
    assert "SG." not in str(caught.value)


@pytest.mark.django_db(transaction=True)
def test_a_reason_that_repeats_the_key_or_forges_lines_is_cleaned(
    sendgrid: SendGridServer, caplog: pytest.LogCaptureFixture, as_alice: APIClient, room: Resource
) -> None:
    sendgrid.behaviour = provider.echoing
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    deliver_due()
    reason = "SendGrid error: 400 Bad Request: Refused: Bearer *** [31m forged line [subject]"
    assert set(lines_of(caplog)) == {
        f"Message {row.pk} (booking_created) was not sent ({reason}); it is printed on the console instead."
        for row in Notification.objects.all()
    }
    assert set(Notification.objects.values_list("last_error", flat=True)) == {reason}


@pytest.mark.django_db(transaction=True)
def test_a_refused_connection_is_tried_again_too(
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
        assert deliver_due()["retried"] == 2
    assert "Connection refused" in caplog.text
    assert printed(mailoutbox) == []


@pytest.mark.django_db(transaction=True)
def test_a_booking_waits_for_no_provider(
    sendgrid: SendGridServer, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    sendgrid.behaviour = provider.hanging
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert sendgrid.requests == []
    assert (hand_on(), Notification.objects.filter(state="waiting").count()) == (1, 2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
def test_a_message_that_hangs_does_not_keep_the_others_back(
    sendgrid: SendGridServer, mailoutbox: list[EmailMultiAlternatives], as_alice: APIClient, room: Resource
) -> None:
    def hang_for_alice(handler: provider.Handler, raw: bytes) -> None:
        if b"alice@example.org" in raw.split(b"subject")[0]:
            provider.hanging(handler, raw)
        else:
            handler.take(raw)

    sendgrid.behaviour = hang_for_alice
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    tally = deliver_due()
    assert (tally["sent"], tally["retried"]) == (1, 1)
    assert sendgrid.receivers == ["staff@example.org"]
    assert printed(mailoutbox) == []


@pytest.mark.django_db(transaction=True)
def test_a_new_user_is_introduced_once_however_many_messages_are_sent_at_once(
    sendgrid: SendGridServer, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    settings.PUBLIC_URL, settings.TO_EMAIL = "https://booking.example.org", []
    for hour in (8, 10, 12, 14):
        as_alice.post("/api/bookings/", booking_body(room, at(hour)))
    sendgrid.behaviour = provider.once(provider.answering(503, b""))
    assert deliver_due() == {"retried": 1, "sent": 3}
    introductions = ["This was not me" in body["content"][1]["value"] for body in sendgrid.accepted]
    assert introductions == [True, False, False]


def test_headers_and_attachments_arrive(sendgrid: SendGridServer) -> None:
    file = Attachment("a.ics", b"BEGIN\r\n", "text/calendar; method=REQUEST")
    whole = message(headers={"X-Mark": "7"}, attachments=(file,))
    deliver(whole)
    (taken,) = sendgrid.accepted
    assert taken["headers"] == {"X-Mark": "7"}
    assert taken["tracking_settings"]["click_tracking"] == {"enable": False, "enable_text": False}
    assert taken["attachments"] == [
        {"content": "QkVHSU4NCg==", "type": "text/calendar; method=REQUEST", "filename": "a.ics"}
    ]


def test_headers_and_attachments_are_printed_too(mailoutbox: list[EmailMultiAlternatives]) -> None:
    print_on_console(message(headers={"X-Mark": "7"}, attachments=(Attachment("a.ics", b"BEGIN", "text/calendar"),)))
    (mail,) = mailoutbox
    assert mail.extra_headers == {"X-Mark": "7"}
    assert [(part[0], part[2]) for part in mail.attachments] == [("a.ics", "text/calendar")]


@pytest.mark.usefixtures("impatient")
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
    assert caught.value.can_retry is again


@pytest.mark.django_db(transaction=True)
def test_a_message_that_cannot_even_be_printed_does_not_keep_the_others_back(
    sendgrid: SendGridServer,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
    settings: Settings,
) -> None:
    sendgrid.behaviour = provider.answering(400, b"")
    settings.TO_EMAIL = ["two\nlines@example.org", "staff@example.org"]
    as_alice.post("/api/bookings/", booking_body(room))
    deliver_due()
    assert printed(mailoutbox) == ["alice@example.org", "staff@example.org"]
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
    "headers_are_a_list": {"headers": ["List-Unsubscribe"]},
    "header_is_number": {"headers": {"X-Mark": 7}},
    "header_is_reserved": {"headers": {"Subject": "Another"}},
    "header_with_lf": {"headers": {"X-Mark": "a\nBcc: b"}},
    "attachment_without_name": {"attachments": [{"content": "QQ=="}]},
    "attachment_is_not_base64": {"attachments": [{"content": "?", "filename": "a"}]},
    "attachment_type_with_semicolon": {"attachments": [{"content": "QQ==", "filename": "a", "type": "a/b; c=d"}]},
}


@pytest.mark.parametrize("change", FAULTY.values(), ids=FAULTY)
def test_the_server_of_these_tests_refuses_what_the_real_one_does(
    change: dict[str, object], sendgrid: SendGridServer
) -> None:
    good = sendgrid_body(message())
    assert faults_of(good) == []
    assert faults_of({**good, **change}) != []


def test_the_server_of_these_tests_wants_json(sendgrid: SendGridServer) -> None:
    connection = HTTPConnection("127.0.0.1", sendgrid.server_port, timeout=5)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "text/plain"}
    connection.request("POST", "/v3/mail/send", body=b"{}", headers=headers)
    assert connection.getresponse().status == 415
    connection.close()


def test_the_calls_of_a_process_share_their_context_of_tls(
    sendgrid: SendGridServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes more time than all the rest of a call."""
    made: list[ssl.SSLContext] = []
    make = ssl.SSLContext.load_default_certs
    monkeypatch.setattr(
        ssl.SSLContext, "load_default_certs", lambda context, *purpose: made.append(context) or make(context, *purpose)
    )
    for _ in range(3):
        send_by_sendgrid(Message(to="a@example.org", subject="a", text="a", html="a"))
    assert len(sendgrid.accepted) == 3
    assert len(made) <= 1
