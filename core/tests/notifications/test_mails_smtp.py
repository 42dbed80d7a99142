"""Messages by SMTP: Django's real client against a mail server on loopback."""

import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core.mail.smtp import tls_context
from core.models import Notification, Resource
from core.notifications import messages
from core.notifications.channel import EmailChannel
from core.outbox.claims import claim_seconds, margin_seconds
from core.tests.support import smtp_server as mail_server
from core.tests.support.environment import ROOT
from core.tests.support.factories import at, booking_body
from core.tests.support.mailing import deliver as deliver_due
from core.tests.support.mailing import lines_of
from core.tests.support.servers import database_url
from core.tests.support.settings import load_settings
from core.tests.support.smtp_server import PASSWORD, USER, SmtpServer, write_certificate
from core.utils import Attachment, DeliveryError, Message, deliver

NOTES = "the-secret-of-these-notes"
BOTH = ["alice@example.org", "staff@example.org"]


def message(**more: object) -> Message:
    whole = {"to": "alice@example.org", "subject": "Booked: Blue room", "text": "Text", "html": "<p>Text</p>", **more}
    return Message(**whole)


def failure(sent: Message | None = None) -> DeliveryError:
    """The error of a message that does not go out."""
    with pytest.raises(DeliveryError) as caught:
        deliver(sent or message())
    return caught.value


def printed(mailoutbox: list[EmailMultiAlternatives]) -> list[str]:
    """Who the console was told about instead."""
    return sorted(mail.to[0] for mail in mailoutbox)


# --- What arrives -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_booking_reaches_the_owner_and_staff_and_not_the_console(
    smtp: SmtpServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    as_alice: APIClient,
    room: Resource,
) -> None:
    settings.PUBLIC_URL = "https://booking.example.org"
    answer = as_alice.post("/api/bookings/", booking_body(room, notes=f"Grüße {NOTES}"))
    assert answer.status_code == 201
    assert smtp.commands == []
    assert deliver_due() == {"sent": 2}
    assert smtp.receivers == BOTH
    assert printed(mailoutbox) == []
    mine = next(mail for mail in smtp.messages if mail["To"] == "alice@example.org")
    assert {envelope.mail_from for envelope in smtp.accepted} == {"noreply@bookingsystem.local"}
    assert mine["From"] == "noreply@bookingsystem.local"
    assert mine["Subject"] == f"Booked: Blue room, {at(10):%Y-%m-%d} 10:00 UTC"
    assert mine["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(
        r"<https://booking\.example\.org/notifications/unsubscribe/\S+>", mine["List-Unsubscribe"].strip()
    )
    assert mine["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert abs(mine["Date"].datetime.replace(tzinfo=UTC) - timezone.now()) < timedelta(minutes=1)
    kinds = [part.get_content_type() for part in mine.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/calendar"]
    assert f"Grüße {NOTES}" in mine.get_body(("plain",)).get_content()
    assert f"Grüße {NOTES}" in mine.get_body(("html",)).get_content()
    (file,) = mine.iter_attachments()
    assert (file.get_filename(), file["Content-Type"].params["method"]) == ("booking.ics", "REQUEST")
    assert file.get_content().startswith("BEGIN:VCALENDAR")


@pytest.mark.django_db(transaction=True)
def test_the_command_sends_to_the_server_that_the_environment_names(as_alice: APIClient, room: Resource) -> None:
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    with SmtpServer(wants_sign_in=True) as server:
        address = f"smtp://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}"
        given = {"DATABASE_URL": database_url(), "EMAIL_USE": "smtp", "EMAIL_URL": address, "FROM_NAME": "The house"}
        done = subprocess.run(
            [sys.executable, "manage.py", "deliver_notifications"],
            cwd=ROOT,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert server.receivers == ["alice@example.org"]
        assert server.messages[0]["From"] == "The house <noreply@bookingsystem.local>"
    assert PASSWORD not in done.stdout + done.stderr
    assert Notification.objects.get().state == "sent"


@pytest.mark.django_db(transaction=True)
def test_a_password_reset_goes_by_the_same_channel(smtp: SmtpServer, anonymous: APIClient, alice: User) -> None:
    assert anonymous.post("/api/auth/users/reset_password/", {"email": "Alice@example.org"}).status_code == 204
    deliver_due()
    assert smtp.receivers == ["alice@example.org"]
    assert "/password-reset/" in smtp.messages[0].get_body(("plain",)).get_content()


def test_the_sender_has_a_name_and_answers_go_elsewhere(smtp: SmtpServer, settings: Settings) -> None:
    settings.FROM_EMAIL, settings.FROM_NAME, settings.REPLY_TO = "a@example.org", 'Müller, "Haus"', "desk@example.org"
    deliver(message())
    (mail,) = smtp.messages
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ('Müller, "Haus"', "a@example.org")
    assert smtp.accepted[0].mail_from == "a@example.org"
    assert mail["Reply-To"] == "desk@example.org"


def test_long_headers_and_files_arrive_as_they_are(smtp: SmtpServer) -> None:
    link = f"<https://booking.example.org/notifications/unsubscribe/{'a' * 300}>"
    content = b"BEGIN:VCALENDAR\r\nSUMMARY:Gr\xc3\xbc\xc3\x9fe\r\n.\r\nEND:VCALENDAR\r\n"
    file = Attachment("a.ics", content, "text/calendar; method=CANCEL")
    deliver(message(headers={"List-Unsubscribe": link}, attachments=(file,), text=f".\n..\n{'x' * 5000}\n"))
    (mail,) = smtp.messages
    assert mail["List-Unsubscribe"].strip() == link
    (attached,) = mail.iter_attachments()
    assert attached["Content-Type"] == 'text/calendar; method="CANCEL"; charset="utf-8"'
    assert attached.get_content().splitlines() == content.decode().splitlines()
    assert mail.get_body(("plain",)).get_content().splitlines() == [".", "..", "x" * 5000]


# --- Refusals and troubles --------------------------------------------------------------------------------------------

REFUSALS = {
    "550_receiver": ("RCPT", "550 5.1.1 No such user", "SMTP error: 550 5.1.1 No such user"),
    "554_message": ("MESSAGE", "554 5.7.1 Spam", "SMTP error: 554 5.7.1 Spam"),
    "553_sender": ("MAIL", "553 5.7.1 Not your address", "SMTP error: 553 5.7.1 Not your address"),
    "554_greeting": ("CONNECT", "554 No service for you", "SMTP error: 554 No service for you"),
    "552_before_the_message": ("DATA", "552 Mailbox full", "SMTP error: 552 Mailbox full"),
}
# Whichever notices first: the connection, or the thread that waits for the call.
NO_ANSWER = "SMTP error: SMTPServerDisconnected: .*timed out|no answer within 2 seconds"
TROUBLES = {
    "451_greylisted": ("RCPT", mail_server.answering("451 4.7.1 Greylisted"), "SMTP error: 451 4.7.1 Greylisted"),
    "452_message": ("MESSAGE", mail_server.answering("452 4.3.1 Disk full"), "SMTP error: 452 4.3.1 Disk full"),
    "421_greeting": ("CONNECT", mail_server.answering("421 Too busy"), "SMTP error: 421 Too busy"),
    "421_sender": ("MAIL", mail_server.answering("421 Too busy"), "SMTP error: 421 Too busy"),
    "no_smtp": ("CONNECT", mail_server.answering("HTTP/1.1 200 OK"), "SMTP error: -1 "),
    "hang_greeting": ("CONNECT", mail_server.hanging, NO_ANSWER),
    "hang_receiver": ("RCPT", mail_server.hanging, NO_ANSWER),
    "hang_message": ("MESSAGE", mail_server.hanging, NO_ANSWER),
    "trickle": ("RCPT", mail_server.trickling, "no answer within 2 seconds"),
    "drop_greeting": ("CONNECT", mail_server.dropping, "SMTP error: SMTPServerDisconnected: Connection unexpectedly"),
    "drop_before_the_message": ("DATA", mail_server.dropping, "SMTP error: SMTPServerDisconnected: Connection unexp"),
    "drop_message": ("MESSAGE", mail_server.dropping, "SMTP error: SMTPServerDisconnected: Connection unexpectedly"),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("command", "reply", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_what_the_server_refuses_is_logged_and_printed_at_once_and_never_sent_again(
    command: str,
    reply: str,
    reason: str,
    smtp: SmtpServer,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    caplog.set_level(logging.DEBUG, "core")
    smtp.behaviours[command] = mail_server.answering(reply)
    assert as_alice.post("/api/bookings/", booking_body(room, notes=NOTES)).status_code == 201
    assert deliver_due() == {"failed": 2}
    assert smtp.commands.count("CONNECT") == 2
    assert printed(mailoutbox) == BOTH
    assert set(lines_of(caplog)) == {
        f"Message {row.pk} (booking_created) was not sent ({reason}); it is printed on the console instead."
        for row in Notification.objects.all()
    }
    assert set(Notification.objects.values_list("state", "tries", "last_error")) == {("failed", 1, reason)}
    assert all(NOTES not in str(mail.message()) for mail in mailoutbox)
    smtp.behaviours.clear()
    deliver_due(now=timezone.now() + timedelta(days=2))
    assert smtp.commands.count("CONNECT") == 2
    assert smtp.accepted == []


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("command", "behaviour", "reason"), TROUBLES.values(), ids=TROUBLES)
def test_what_the_server_cannot_take_now_is_logged_and_sent_later_and_not_printed(
    command: str,
    behaviour: mail_server.Behaviour,
    reason: str,
    smtp: SmtpServer,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    smtp.behaviours[command] = behaviour
    now = timezone.now()
    assert as_alice.post("/api/bookings/", booking_body(room, notes=NOTES)).status_code == 201
    started = time.monotonic()
    assert deliver_due() == {"retried": 2}
    assert time.monotonic() - started < 3
    lines = lines_of(caplog)
    assert len(lines) == 2
    for line, row in zip(lines, Notification.objects.order_by("id"), strict=True):
        assert re.search(reason, line), line
        assert re.search(reason, row.last_error)
        assert (row.state, row.tries) == ("waiting", 1)
        assert row.due_at > now + timedelta(seconds=59)
    tries = smtp.commands.count("CONNECT")
    smtp.behaviours.clear()
    deliver_due()
    assert smtp.commands.count("CONNECT") == tries
    assert deliver_due(now=now + timedelta(minutes=2)) == {"sent": 2}
    assert smtp.receivers == BOTH
    assert printed(mailoutbox) == []
    deliver_due(now=now + timedelta(days=2))
    assert smtp.receivers == BOTH


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("command", "behaviour", "may_have_arrived"),
    [
        ("RCPT", mail_server.hanging, False),
        ("DATA", mail_server.dropping, False),
        ("DATA", mail_server.hanging, False),
        ("MESSAGE", mail_server.dropping, True),
        ("MESSAGE", mail_server.hanging, True),
        ("MESSAGE", mail_server.answering("nonsense"), True),
        ("MESSAGE", mail_server.answering("451 Later"), False),
        ("MESSAGE", mail_server.answering("554 Never"), False),
    ],
)
def test_only_what_was_sent_whole_and_got_no_answer_may_have_arrived(
    command: str, behaviour: mail_server.Behaviour, may_have_arrived: bool, smtp: SmtpServer
) -> None:
    smtp.behaviours[command] = behaviour
    assert failure().may_have_arrived is may_have_arrived


@pytest.mark.django_db(transaction=True)
def test_a_refused_connection_is_tried_again_too(
    smtp: SmtpServer, settings: Settings, caplog: pytest.LogCaptureFixture, as_alice: APIClient, room: Resource
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_SERVER = {**settings.EMAIL_SERVER, "port": closed.getsockname()[1]}
        assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
        assert deliver_due() == {"retried": 2}
    assert "SMTP error: ConnectionRefusedError" in caplog.text


def test_the_steps_of_a_session_share_one_deadline(smtp: SmtpServer, settings: Settings) -> None:
    """Each step alone would be soon enough."""
    settings.EMAIL_TIMEOUT_SECONDS = 1

    async def slow(session: mail_server.Session) -> None:
        await mail_server.asyncio.sleep(0.5)

    smtp.behaviours = dict.fromkeys(("CONNECT", "MAIL", "RCPT"), slow)
    started = time.monotonic()
    assert "timed out" in str(failure())
    assert time.monotonic() - started < 3
    assert smtp.accepted == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"EMAIL_USE": "smtp", "EMAIL_URL": "smtp://127.0.0.1"}, (30, 120)),
        ({"EMAIL_USE": "smtp", "EMAIL_URL": "smtp://127.0.0.1", "EMAIL_TIMEOUT_SECONDS": "300"}, (300, 1200)),
        ({}, (5, 20)),
        ({"EMAIL_TIMEOUT_SECONDS": "9"}, (9, 36)),
    ],
    ids=["a mail server", "a slow mail server", "others", "others and set"],
)
def test_a_mail_server_has_more_time(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: tuple[int, int]
) -> None:
    found = load_settings(monkeypatch, **variables)
    assert (found["EMAIL_TIMEOUT_SECONDS"], found["EMAIL_ANSWER_SECONDS"]) == expected


@pytest.mark.parametrize("value", ["0", "301", "1.5", "5s"])
def test_a_wrong_time_limit_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_TIMEOUT_SECONDS is .* a whole number from 1 to 300"):
        load_settings(monkeypatch, EMAIL_TIMEOUT_SECONDS=value)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["CONNECT", "MESSAGE"])
def test_a_server_that_takes_its_time_gets_each_message_once(
    command: str, smtp: SmtpServer, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    """Its answer to a whole message may take longer than all that came before."""
    settings.EMAIL_TIMEOUT_SECONDS, settings.EMAIL_ANSWER_SECONDS = 1, 3
    pause = {"CONNECT": 0.6, "MESSAGE": 1.5}[command]

    async def slow(session: mail_server.Session) -> None:
        await mail_server.asyncio.sleep(pause)

    smtp.behaviours[command] = slow
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201
    assert deliver_due() == {"sent": 2}
    assert smtp.receivers == BOTH


def test_a_claim_outlives_the_slowest_call(settings: Settings) -> None:
    """Otherwise another process would send the message meanwhile."""
    settings.EMAIL_USE, settings.EMAIL_TIMEOUT_SECONDS, settings.EMAIL_ANSWER_SECONDS = "smtp", 300, 1200
    channel = EmailChannel()
    assert channel.seconds == 1500
    assert channel.seconds < margin_seconds(channel) < claim_seconds(channel)
    settings.EMAIL_USE = "sendgrid"
    assert channel.seconds == 300


# --- One message ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("behaviour", [mail_server.storing_and_dropping, mail_server.storing_and_hanging])
def test_a_message_whose_answer_is_lost_comes_again_as_the_same_message(
    behaviour: mail_server.Behaviour, smtp: SmtpServer, settings: Settings, as_alice: APIClient, room: Resource
) -> None:
    settings.TO_EMAIL = []
    smtp.behaviours["MESSAGE"] = mail_server.once(behaviour)
    as_alice.post("/api/bookings/", booking_body(room))
    assert deliver_due() == {"retried": 1}
    assert deliver_due(now=timezone.now() + timedelta(minutes=2)) == {"sent": 1}
    first, second = smtp.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert re.fullmatch(r"<[0-9]+\.[0-9]{20}@bookingsystem\.local>", first["Message-ID"])


@pytest.mark.django_db(transaction=True)
def test_each_message_has_an_id_of_its_own_and_so_has_one_that_staff_resend(
    smtp: SmtpServer, as_alice: APIClient, room: Resource
) -> None:
    as_alice.post("/api/bookings/", booking_body(room))
    deliver_due()
    messages.resend(Notification.objects.all(), now=timezone.now())
    assert deliver_due() == {"sent": 2}
    assert len({mail["Message-ID"] for mail in smtp.messages}) == len(smtp.accepted) == 4


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "behaviour", [mail_server.hanging, mail_server.dropping, mail_server.answering("554 Bad command")]
)
def test_what_comes_after_the_message_was_taken_changes_nothing(
    behaviour: mail_server.Behaviour, smtp: SmtpServer, as_alice: APIClient, room: Resource
) -> None:
    smtp.behaviours["QUIT"] = behaviour
    as_alice.post("/api/bookings/", booking_body(room))
    assert deliver_due() == {"sent": 2}
    deliver_due(now=timezone.now() + timedelta(days=2))
    assert smtp.receivers == BOTH


@pytest.mark.usefixtures("impatient")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("command", "times"), [("MESSAGE", 0), ("RCPT", 1)])
def test_what_the_server_perhaps_took_is_not_printed_too(
    command: str,
    times: int,
    smtp: SmtpServer,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    settings.TO_EMAIL = []
    as_alice.post("/api/bookings/", booking_body(room, at(10, day=3)))
    smtp.behaviours[command] = mail_server.dropping
    deliver_due(now=timezone.now() + timedelta(days=1))
    assert Notification.objects.get().state == "failed"
    assert len(mailoutbox) == times
    assert ("perhaps" in caplog.text) == (not times)


# --- What stays secret ------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_quotes_the_message_is_cleaned(
    smtp: SmtpServer, settings: Settings, caplog: pytest.LogCaptureFixture, anonymous: APIClient, alice: User
) -> None:
    smtp.behaviours["MESSAGE"] = mail_server.quoting
    anonymous.post("/api/auth/users/reset_password/", {"email": "alice@example.org"})
    deliver_due()
    (line,) = lines_of(caplog)
    assert "(SMTP error: 554 5.7.1 Refused: … [31m end)" in line


@pytest.mark.parametrize("before", ["", "<", "(url=", 'href="'])
def test_a_link_is_left_out_however_it_is_quoted(before: str, smtp: SmtpServer) -> None:
    link = "https://app.example.org/password-reset/MQ/c9k2bd-0123456789abcdef"
    smtp.behaviours["MESSAGE"] = mail_server.answering(f"554 5.7.1 Blocked {before}{link}> by list")
    reason = str(failure(message(text=f"Open this link:\n\n{link}\n")))
    assert "password-reset" not in reason
    assert reason.startswith("SMTP error: 554 5.7.1 Blocked ")
    assert reason.endswith(" by list")


# --- Sign-in and encryption -------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path / "certificate.pem")


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate that this process trusts, as `SSL_CERT_FILE` tells OpenSSL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_context.cache_clear()
    yield certificate
    tls_context.cache_clear()


def use(settings: Settings, server: SmtpServer, **more: object) -> None:
    settings.EMAIL_USE = "smtp"
    address = {"host": "127.0.0.1", "port": server.port, "username": USER, "password": PASSWORD}
    settings.EMAIL_SERVER = {**address, **more}


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["STARTTLS", "smtps"])
def test_a_certificate_that_is_trusted_is_taken(settings: Settings, trusted: Path, is_encrypted: bool) -> None:
    with SmtpServer(certificate=trusted, is_encrypted=is_encrypted, wants_sign_in=True) as server:
        use(settings, server, use_tls=not is_encrypted, use_ssl=is_encrypted)
        for _ in range(2):
            deliver(message())
        assert len(server.accepted) == len(server.sign_ins) == 2


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["STARTTLS", "smtps"])
def test_a_self_signed_certificate_is_refused_before_the_password_is_sent(
    settings: Settings, certificate: Path, is_encrypted: bool
) -> None:
    with SmtpServer(certificate=certificate, is_encrypted=is_encrypted) as server:
        use(settings, server, use_tls=not is_encrypted, use_ssl=is_encrypted)
        error = failure()
        assert "SMTP error: SSLCertVerificationError" in str(error)
        assert "self-signed certificate" in str(error)
        assert error.can_retry
        assert (server.accepted, server.sign_ins) == ([], [])


def test_a_certificate_of_another_host_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_certificate(tmp_path / "other.pem", host="mx.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    tls_context.cache_clear()
    with SmtpServer(certificate=other) as server:
        use(settings, server, use_tls=True)
        assert "IP address mismatch" in str(failure())
        assert (server.accepted, server.sign_ins) == ([], [])
    tls_context.cache_clear()


def test_a_server_without_encryption_gets_neither_password_nor_message(smtp: SmtpServer, settings: Settings) -> None:
    use(settings, smtp, use_tls=True)
    error = failure()
    assert str(error) == "SMTP error: SMTPNotSupportedError: STARTTLS extension not supported by server."
    assert error.can_retry
    assert (smtp.accepted, smtp.sign_ins) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_is_a_refusal_that_shows_it_nowhere(
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
    caplog: pytest.LogCaptureFixture,
    as_alice: APIClient,
    room: Resource,
) -> None:
    caplog.set_level(logging.DEBUG, "core")
    settings.TO_EMAIL = []
    with SmtpServer(wants_sign_in=True) as server:
        use(settings, server, password="seven-tin-buckets")
        as_alice.post("/api/bookings/", booking_body(room))
        assert deliver_due() == {"failed": 1}
        assert server.accepted == []
    (line,) = lines_of(caplog)
    assert "SMTP error: 535 5.7.8 Authentication credentials invalid" in line
    assert "seven-tin-buckets" not in "".join(lines_of(caplog)) + Notification.objects.get().last_error
    assert printed(mailoutbox) == ["alice@example.org"]


def test_an_answer_that_repeats_the_password_is_cleaned(smtp: SmtpServer, settings: Settings) -> None:
    use(settings, smtp)
    plain = "AG1haWxlckBleGFtcGxlLm9yZwBzaXg6Y29wcGVyL2xhbnRlcm5zQCU="
    smtp.behaviours["MAIL"] = mail_server.answering(f"535 AUTH PLAIN {plain} is {PASSWORD} of {USER}")
    assert str(failure()) == f"SMTP error: 535 AUTH PLAIN *** is *** of {USER}"


def test_the_sessions_of_a_process_share_their_context_of_tls(
    settings: Settings, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes more time than all the rest of a session."""
    made: list[ssl.SSLContext] = []
    make = ssl.SSLContext.load_default_certs
    monkeypatch.setattr(
        ssl.SSLContext, "load_default_certs", lambda context, *purpose: made.append(context) or make(context, *purpose)
    )
    with SmtpServer(certificate=certificate) as server:
        use(settings, server, use_tls=True)
        for _ in range(3):
            failure()
        assert server.commands.count("CONNECT") == 3
    assert len(made) <= 1
