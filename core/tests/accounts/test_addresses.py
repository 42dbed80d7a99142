"""One mailbox, one account: every spelling of a domain is stored, compared and shown in one form."""

import sys
import time
import unicodedata

import idna
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from core import addresses
from core.models import Notification, NotificationPreferences
from core.notifications import preferences
from core.tests.bookings.test_admin import errors_of
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_user
from core.tests.support.mailing import deliver
from core.tests.support.settings import load_settings

REGISTER = "/api/auth/users/"
ME = "/api/auth/users/me/"
RESET = "/api/auth/users/reset_password/"
USERS = "/admin/auth/user/"
LETTERS = "user@bücher.example"
ASCII = "user@xn--bcher-kva.example"
SPELLINGS = [
    pytest.param(LETTERS, id="letters"),
    pytest.param(ASCII, id="ASCII"),
    pytest.param("USER@BÜCHER.Example", id="capitals"),
    pytest.param("user@XN--BCHER-KVA.EXAMPLE", id="ASCII in capitals"),
    pytest.param("user@bu\u0308cher.example", id="an umlaut that comes apart"),
    pytest.param("user@bücher。example", id="an ideographic full stop"),
    pytest.param("user@ｂücher.example", id="a full-width letter"),
    pytest.param("  user@bücher.example\u00a0", id="spaces around"),
]
INVISIBLE = [
    pytest.param("us\u200ber@example.org", id="zero-width space before the @"),
    pytest.param("user@exam\u00adple.org", id="soft hyphen"),
    pytest.param("user@exam\u200bple.org", id="zero-width space"),
    pytest.param("user@exam\u200dple.org", id="zero-width joiner"),
    pytest.param("user@exam\u2060ple.org", id="word joiner"),
    pytest.param("user@example\ufe0f.org", id="variation selector"),
    pytest.param("user@\u202eexample.org", id="mark of direction"),
    pytest.param("user@exam\U000e0061ple.org", id="tag"),
    pytest.param("user@exam\u034fple.org", id="grapheme joiner"),
    pytest.param("user@exam\u3164ple.org", id="Hangul filler"),
    pytest.param("\ufeffuser@example.org", id="byte order mark"),
    pytest.param("user@example.org\u200e", id="mark at the end"),
    pytest.param('"us\x7fer"@example.org', id="control in quotes"),
]


def body(email: str, name: str = "carla") -> dict[str, str]:
    return {"username": name, "email": email, "password": PASSWORD}


# --- One form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_registers_the_one_form(anonymous: APIClient, spelling: str) -> None:
    answer = anonymous.post(REGISTER, body(spelling))
    assert (answer.status_code, answer.json()["email"]) == (201, ASCII)
    assert User.objects.get().email == ASCII


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_taken_at_every_door(
    anonymous: APIClient, root_pages: Client, alice: User, spelling: str
) -> None:
    make_user("first", email=LETTERS)
    before = list(User.objects.order_by("pk").values())

    assert_flat_error(anonymous.post(REGISTER, body(spelling)), 400, field="email")
    change = {"email": spelling, "current_password": PASSWORD}
    assert_flat_error(client_of(alice).patch(ME, change), 400, field="email")
    new = {"username": "carla", "email": spelling, "usable_password": "false"}
    assert list(errors_of(root_pages.post(f"{USERS}add/", new))) == ["email"]
    changed = {"username": "alice", "email": spelling, "is_active": "on"}
    assert list(errors_of(root_pages.post(f"{USERS}{alice.pk}/change/", changed))) == ["email"]
    with pytest.raises(CommandError, match="email address"), transaction.atomic():
        call_command("createsuperuser", username="carla", email=spelling.strip(), interactive=False)

    assert list(User.objects.order_by("pk").values()) == before


def test_every_door_stores_the_one_form(as_alice: APIClient, root_pages: Client, alice: User) -> None:
    def by_a_change() -> None:
        as_alice.patch(ME, {"email": LETTERS, "current_password": PASSWORD})

    def by_the_admin() -> None:
        root_pages.post(f"{USERS}{alice.pk}/change/", {"username": "alice", "email": LETTERS, "is_active": "on"})

    def by_the_admin_anew() -> None:
        root_pages.post(f"{USERS}add/", {"username": "carla", "email": LETTERS, "usable_password": "false"})

    def by_a_command() -> None:
        call_command("createsuperuser", username="carla", email=LETTERS, interactive=False, verbosity=0)

    def by_a_shell() -> None:
        User.objects.create_user("carla", LETTERS)

    for door in (by_a_change, by_the_admin, by_the_admin_anew, by_a_command, by_a_shell):
        door()
        assert User.objects.filter(email=ASCII).update(email="") == 1, door.__name__
        User.objects.filter(username="carla").delete()


def test_ones_own_address_in_another_spelling_is_no_new_one(as_alice: APIClient, alice: User) -> None:
    alice.email = LETTERS
    alice.save()
    Notification.objects.all().delete()
    assert as_alice.patch(ME, {"email": "User@BÜCHER.example"}).json()["email"] == ASCII
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stored", ["by this server", "by another program"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_reset_by_every_spelling_sends_the_mail(
    anonymous: APIClient, spelling: str, stored: str, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    user = make_user("user", email=LETTERS)
    if stored == "by another program":
        User.objects.update(email=LETTERS)
    assert anonymous.post(RESET, {"email": spelling}).status_code == 204
    deliver()
    assert [mail.to for mail in mailoutbox] == [[User.objects.get(pk=user.pk).email]]


@pytest.mark.parametrize(
    ("entered", "stored"),
    [
        pytest.param("a@straße.example", "a@xn--strae-oqa.example", id="sharp s is no double s"),
        # UTS 46 does not know the sigma at the end of a word in capitals.
        pytest.param("a@ΒΌΛΟΣ.example", "a@xn--nxasmq6b.example", id="capitals of Greek"),
        pytest.param("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah", id="Japanese"),
        pytest.param("a@xn--i-7iq.ws", "a@xn--i-7iq.ws", id="ASCII whose letters IDNA 2008 refuses"),
        pytest.param("a@r3---sn.example", "a@r3---sn.example", id="hyphens"),
        pytest.param('"A!b"@[127.0.0.1]', '"a!b"@[127.0.0.1]', id="quotes and a number"),
    ],
)
def test_other_domains(anonymous: APIClient, entered: str, stored: str) -> None:
    assert anonymous.post(REGISTER, body(entered)).json()["email"] == stored


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", INVISIBLE)
def test_an_invisible_character_is_refused_at_every_door(
    anonymous: APIClient,
    root_pages: Client,
    alice: User,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: object,
) -> None:
    before = list(User.objects.order_by("pk").values())

    said = assert_flat_error(anonymous.post(REGISTER, body(address)), 400, field="email")
    assert "invisible" in said["email"][0]
    change = {"email": address, "current_password": PASSWORD}
    assert_flat_error(client_of(alice).patch(ME, change), 400, field="email")
    assert_flat_error(anonymous.post(RESET, {"email": address}), 400, field="email")
    new = {"username": "carla", "email": address, "usable_password": "false"}
    assert list(errors_of(root_pages.post(f"{USERS}add/", new))) == ["email"]
    changed = {"username": "alice", "email": address, "is_active": "on"}
    assert list(errors_of(root_pages.post(f"{USERS}{alice.pk}/change/", changed))) == ["email"]
    with pytest.raises(CommandError):
        call_command("createsuperuser", username="carla", email=address, interactive=False)
    with pytest.raises(ValidationError):
        User.objects.create_user("carla", address)
    User.objects.update(is_superuser=False)
    settings.FIRST_SUPERUSER = {"name": "carla", "email": address, "password": PASSWORD}
    with pytest.raises(CommandError, match="invisible"):
        call_command("ensure_superuser")
    with pytest.raises(ImproperlyConfigured, match="TO_EMAIL"):
        load_settings(monkeypatch, TO_EMAIL=address)

    assert [row | {"is_superuser": False} for row in before] == list(User.objects.order_by("pk").values())


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("user@ex／ample.example", id="a slash"),
        pytest.param("user@a_b.bücher.example", id="a low line"),
        pytest.param("user@-ü.example", id="a hyphen first"),
        pytest.param(f"user@{'ü' * 70}.example", id="a label that is too long in ASCII"),
        pytest.param(f"user@{'.'.join(['ü' * 20] * 12)}.example", id="254 characters in letters, more in ASCII"),
        pytest.param("user@i❤.example", id="a sign"),
        pytest.param("ſam@example.org", id="a long s before the @"),
        pytest.param("\u212aim@example.org", id="a Kelvin sign before the @"),
        pytest.param("jürgen@example.org", id="a letter before the @"),
    ],
)
def test_what_has_no_form_in_ascii_is_refused(anonymous: APIClient, root_pages: Client, address: str) -> None:
    assert_flat_error(anonymous.post(REGISTER, body(address)), 400, field="email")
    new = {"username": "carla", "email": address, "usable_password": "false"}
    assert list(errors_of(root_pages.post(f"{USERS}add/", new))) == ["email"]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"user@a{chr(0x308) * 400_000}.example", id="marks"),
        pytest.param(f"user@{'ü' * 400_000}.example", id="letters"),
        pytest.param(f"{'a' * 900_000}@example.org", id="letters before the @"),
    ],
)
def test_an_endless_address_is_refused_at_once(anonymous: APIClient, address: str) -> None:
    began = time.process_time()
    assert_flat_error(anonymous.post(REGISTER, body(address)), 400, field="email")
    assert_flat_error(anonymous.post(RESET, {"email": address}), 400, field="email")
    assert time.process_time() - began < 0.5


def test_all_that_uts_46_drops_counts_as_invisible() -> None:
    letters = (chr(code) for code in range(0x80, sys.maxunicode + 1) if unicodedata.category(chr(code))[0] in "LMNPSZ")
    assert [hex(ord(letter)) for letter in letters if drops(letter) and not addresses.is_invisible(letter)] == []


def drops(letter: str) -> bool:
    """Whether UTS 46 drops a letter without a word."""
    try:
        return idna.uts46_remap(letter, std3_rules=True) == ""
    except idna.IDNAError:
        return False


def test_an_account_with_an_invisible_character_from_before_can_still_be_saved(alice: User) -> None:
    User.objects.update(email="ali\u200bce@example.org")
    alice.refresh_from_db()
    alice.set_password("another-horse-8-battery")
    alice.save()
    assert User.objects.get().check_password("another-horse-8-battery")


# --- Where else addresses are stored ----------------------------------------------------------------------------------


def test_the_settings_name_domains_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(monkeypatch, TO_EMAIL=f"Desk@Bücher.example, {ASCII}", FROM_EMAIL=LETTERS)
    assert settings["TO_EMAIL"] == ["Desk@xn--bcher-kva.example", ASCII]
    assert settings["FROM_EMAIL"] == ASCII


def test_an_old_link_with_another_spelling_acts(alice: User) -> None:
    alice.email = LETTERS
    alice.save()
    preferences.change(alice, unconfirmed_address=ASCII)
    assert preferences.refuse_address(alice, LETTERS)
    assert NotificationPreferences.objects.get().refused_address == ASCII
    assert preferences.confirm_address(alice, LETTERS)
    assert NotificationPreferences.objects.values_list("refused_address", "unconfirmed_address").get() == ("", "")


def test_staff_refuse_an_address_in_any_spelling(admin_pages: Client, alice: User) -> None:
    stored = {"time_zone": "UTC", "reminder_minutes": "60", "unconfirmed_address": "User@BÜCHER.example"}
    NotificationPreferences.objects.create(user=alice)
    page = f"/admin/core/notificationpreferences/{alice.pk}/change/"
    assert admin_pages.post(page, stored | {"refused_address": LETTERS}).status_code == 302
    assert NotificationPreferences.objects.values_list("refused_address", "unconfirmed_address").get() == (ASCII, ASCII)
