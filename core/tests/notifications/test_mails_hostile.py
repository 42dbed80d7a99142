"""Messages with values that somebody made to break them."""

import email
import email.policy
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from core import events, lifecycle
from core.models import Booking, Resource
from core.notifications import messages
from core.notifications.words import format_moment, lines, one_line, shortened, tidy
from core.tests.support.acts import act
from core.tests.support.factories import at, booking_body, make_booking, make_resource, make_user
from core.tests.support.mailing import deliver

MARKUP = "<script>alert(1)</script>{{ 7*7 }}{% now 'Y' %}\"quoted\" 'single' & <b>bold</b>"


def html_of(mail: EmailMultiAlternatives) -> str:
    return mail.alternatives[0].content


@pytest.fixture
def every_message(
    admin: User,
    settings: Settings,
    mailoutbox: list[EmailMultiAlternatives],
) -> Callable[[str, str, str], list[EmailMultiAlternatives]]:
    """All messages of a booking's life, with that user name, resource name and notes."""
    settings.TO_EMAIL = ["staff@example.org"]

    def live(username: str, name: str, notes: str) -> list[EmailMultiAlternatives]:
        now = timezone.now()
        owner = make_user("hostile")
        User.objects.filter(pk=owner.pk).update(username=username)
        owner.refresh_from_db()
        resource = make_resource(name, requires_approval=True)
        times = {"start_time": at(10), "end_time": at(11)}
        booking = lifecycle.book(user=owner, resource_id=resource.pk, notes=notes, act=act(owner, now), **times)
        for changes in (
            lifecycle.Changes(status="confirmed"),
            lifecycle.Changes(start_time=at(9), notes=f"{notes}!"),
            lifecycle.Changes(status="rejected"),
            lifecycle.Changes(status="pending", end_time=at(12)),
        ):
            lifecycle.change(booking, changes=changes, act=act(admin, now))
        lifecycle.cancel(booking, act=act(owner, now))
        deliver()
        assert len(mailoutbox) == 12
        return mailoutbox

    return live


def test_markup_is_escaped_in_html_and_left_as_typed_in_text(every_message: Callable) -> None:
    escaped = (
        "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}{% now &#x27;Y&#x27; %}&quot;quoted&quot; &#x27;single&#x27; "
        "&amp; &lt;b&gt;bold&lt;/b&gt;"
    )
    for mail in every_message(MARKUP, MARKUP, MARKUP):
        page = html_of(mail)
        assert page.count(escaped) >= 3
        assert "<script" not in page
        assert "<b>" not in page
        assert MARKUP in mail.body
        assert "&lt;" not in mail.body
        assert mail.subject.split(": ", 1)[1].startswith("<script>alert(1)</script>{{ 7*7 }}")


BREAKS = {
    "crlf": "\r\n",
    "lf": "\n",
    "cr": "\r",
    "line_separator": "\u2028",
    "paragraph_separator": "\u2029",
    "next_line": "\x85",
    "vertical_tab": "\x0b",
    "form_feed": "\x0c",
    "escape": "\x1b",
    "delete": "\x7f",
    "group_separator": "\x1d",
}


@pytest.mark.parametrize("sign", BREAKS.values(), ids=BREAKS)
def test_no_header_and_no_line_is_injected_by_names(sign: str, every_message: Callable) -> None:
    name = f"Room{sign}Bcc: evil@example.org{sign}{sign}Start: never"
    for mail in every_message(name, name, ""):
        clean = "Room Bcc: evil@example.org Start: never"
        assert clean in mail.subject
        assert sign not in mail.subject
        parsed = email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)
        assert parsed["Bcc"] is None
        assert parsed["Subject"] == mail.subject
        assert parsed["To"] == mail.to[0]
        starts = [line for line in mail.body.splitlines() if line.startswith(("Bcc", "Start: never"))]
        assert starts == []
        assert f"Resource: {clean}\n" in mail.body


@pytest.mark.parametrize("sign", BREAKS.values(), ids=BREAKS)
def test_notes_forge_no_line_of_the_message(sign: str, every_message: Callable) -> None:
    for mail in every_message("mallory", "Room", f"a{sign}Status:   confirmed{sign}\x1b[31mred"):
        body = mail.body
        assert len(re.findall(r"^Status:   ", body.split("The booking:")[1], re.MULTILINE)) == 1
        assert "\x1b" not in body
        assert "\x1b" not in html_of(mail)
        assert "> a" in body


def test_long_names_are_cut_in_subjects_alone(every_message: Callable) -> None:
    username, name = "u" * 150, "N" * 255
    for mail in every_message(username, name, "x" * 5000):
        assert len(mail.subject) <= 200
        assert "N" * 79 + "…, " in mail.subject
        assert f"Resource: {name}\n" in mail.body
        assert name in html_of(mail)
        wire = mail.message().as_bytes()
        assert max(len(line) for line in wire.split(b"\n")) <= 998


def test_every_text_is_tidy(every_message: Callable) -> None:
    for mail in every_message("alice", "Room", "  first  \n\n\n\n last  \n\n\n"):
        assert "\n\n\n" not in mail.body
        assert not re.search(r"[ \t]$", mail.body, re.MULTILINE)
        assert mail.body == mail.body.strip("\n") + "\n"
        assert ">   first\n>\n>\n>\n>  last" in mail.body


def test_a_resource_without_a_name_still_makes_messages(every_message: Callable) -> None:
    for mail in every_message("alice", "", ""):
        assert mail.subject


def test_notes_and_addresses_are_not_logged(
    as_alice: APIClient,
    room: Resource,
    caplog: pytest.LogCaptureFixture,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    caplog.set_level("DEBUG")
    as_alice.post("/api/bookings/", booking_body(room, notes="the-secret-of-these-notes"))
    deliver()
    assert len(mailoutbox) == 1
    assert "the-secret-of-these-notes" not in caplog.text
    assert "alice@example.org" not in caplog.text


def test_the_console_prints_what_a_person_reads(
    as_alice: APIClient,
    room: Resource,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.EMAIL_BACKEND = "core.utils.ConsoleBackend"
    settings.FROM_NAME = "Käthes Haus"
    as_alice.post("/api/bookings/", booking_body(room, notes="Grüße"))
    deliver()
    head, _, rest = capsys.readouterr().out.partition("\n\n")
    assert head.splitlines() == [
        "From: Käthes Haus <noreply@bookingsystem.local>",
        "To: alice@example.org",
        f"Subject: Booked: Blue room, {at(10):%Y-%m-%d} 10:00 UTC",
    ]
    assert "> Grüße" in rest
    assert "<p" not in rest
    assert "VCALENDAR" not in rest
    *text, line, end = rest.split("\n")
    assert (text[-1] != "", line, end) == (True, "-" * 79, "")


def test_a_console_that_takes_nothing_does_not_break_the_booking(
    as_alice: APIClient,
    room: Resource,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    settings.EMAIL_BACKEND = "core.utils.ConsoleBackend"
    monkeypatch.setattr("sys.stdout", Full())
    answer = as_alice.post("/api/bookings/", booking_body(room))
    deliver()
    assert answer.status_code == 201
    assert Booking.objects.count() == 1
    assert "could not be printed on the console (OSError)" in caplog.text


# --- The other messages -----------------------------------------------------------------------------------------------


@pytest.fixture
def every_other_message(db: None, settings: Settings, mailoutbox: list[EmailMultiAlternatives]) -> Callable:
    """A reminder, both messages about passwords, and the list of freed slots, with that user and resource name."""
    settings.TO_EMAIL = ["staff@example.org"]
    settings.PUBLIC_URL = "https://booking.example.org"

    def live(username: str, name: str) -> list[EmailMultiAlternatives]:
        owner = make_user("hostile")
        User.objects.filter(pk=owner.pk).update(username=username)
        owner.refresh_from_db()
        booking = make_booking(owner, make_resource(name), notes="x")
        Booking.objects.update(created_at=at(0, day=-1))
        owner.set_password("nine-green-kettles-7")
        owner.save()
        messages.password_reset_requested(events.PasswordResetRequested(user=owner, at=timezone.now()))
        deliver(now=booking.start_time - timedelta(minutes=30))
        owner.delete()
        deliver()
        kinds = sorted(mail.subject.split(":")[0].split(" ")[-1] for mail in mailoutbox)
        assert kinds == ["Reminder", "again", "changed", "password"]
        return mailoutbox

    return live


def test_markup_is_escaped_in_the_other_messages_too(every_other_message: Callable) -> None:
    for mail in every_other_message(MARKUP[:150], MARKUP):
        page = html_of(mail)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page
        assert "<script" not in page
        assert "<b>" not in page
        assert "<script>alert(1)</script>{{ 7*7 }}" in mail.body
        assert "&lt;" not in mail.body


@pytest.mark.parametrize("sign", BREAKS.values(), ids=BREAKS)
def test_no_header_and_no_line_is_injected_into_the_other_messages(sign: str, every_other_message: Callable) -> None:
    name = f"Room{sign}Bcc: evil@example.org{sign}{sign}Start: never"
    for mail in every_other_message(name, name):
        parsed = email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)
        assert parsed["Bcc"] is None
        assert parsed["Subject"] == mail.subject
        assert not [line for line in mail.body.splitlines() if line.startswith(("Bcc", "Start: never"))]
        assert sign == "\n" or sign not in mail.body
        assert sign == "\n" or sign not in html_of(mail)


# --- Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (at(10), "10:00 UTC"),
        (at(10.5), "10:30 UTC"),
        (at(10).replace(second=5), "10:00:05 UTC"),
        (at(10).replace(microsecond=250_000), "10:00:00.25 UTC"),
        (at(10).replace(microsecond=1), "10:00:00.000001 UTC"),
        (at(10).astimezone(timezone.get_fixed_timezone(120)), "10:00 UTC"),
    ],
    ids=["whole_hour", "minutes", "seconds", "fraction", "microsecond", "another_zone"],
)
def test_a_moment_in_words(value: object, words: str) -> None:
    assert format_moment(value) == f"{at(10):%Y-%m-%d} {words}"


def test_names_keep_what_is_no_control_character() -> None:
    assert one_line("  Größe 日本 👩‍🔬 a\u00a0b ") == "Größe 日本 👩‍🔬 a b"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", []),
        (" \n\t\n ", []),
        ("a", ["a"]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("\n a\n\nb \n\n", ["", " a", "", "b"]),
        ("a\x00b\tc", ["a b\tc"]),
    ],
    ids=["empty", "blank", "one", "every_line_break", "inner_blank_lines", "controls"],
)
def test_lines_as_typed(typed: str, read: list[str]) -> None:
    assert lines(typed) == read


def test_a_shortened_name_says_so() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"


def test_tidy_leaves_quoted_empty_lines() -> None:
    assert tidy("\na  \n\n\n\n> b\n>\n>\n> c\n\n") == "a\n\n> b\n>\n>\n> c\n"


def test_the_layout_has_nothing_from_elsewhere() -> None:
    page = render_to_string("core/email/base.body.html", {"subject": "S", "heading": "H", "home": ""})
    assert "http" not in page
    assert "url(" not in page


def test_a_booking_by_the_api_with_markup_in_its_notes_is_escaped(
    as_alice: APIClient,
    room: Resource,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    assert as_alice.post("/api/bookings/", booking_body(room, notes="<img src=x>")).status_code == 201
    deliver()
    assert "&lt;img src=x&gt;" in html_of(mailoutbox[0])


def test_markup_is_escaped_in_what_changed(
    as_alice: APIClient,
    alice: User,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    booking = make_booking(alice, make_resource("<i>old</i>"))
    hostile = make_resource("<script>new</script>")
    as_alice.patch(f"/api/bookings/{booking.pk}/", {"resource": hostile.pk})
    deliver()
    page = html_of(mailoutbox[0])
    assert "from &lt;i&gt;old&lt;/i&gt;<br>to <strong>&lt;script&gt;new&lt;/script&gt;</strong>" in page
    assert "<i>" not in page
    assert "<script" not in page
