"""Setting, resetting and losing passwords; and what ends with the old one, whatever path changes it."""

import io
import re
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.core.management import call_command
from django.test import Client
from djoser.utils import encode_uid
from rest_framework.authtoken.models import Token

from core.calendars.feeds import make_feed
from core.tests.support.bodies import NO_OBJECTS, post_json
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_user
from core.tests.support.mailing import deliver
from core.tests.support.parallel import in_parallel

SET = "/api/auth/users/set_password/"
RESET = "/api/auth/users/reset_password/"
CONFIRM = "/api/auth/users/reset_password_confirm/"
LOGIN = "/api/auth/token/login/"
ME = "/api/auth/users/me/"
NEW = "another-horse-8-battery"

WEAK = [
    pytest.param("password", id="common"),
    pytest.param("12345678", id="digits"),
    pytest.param("x7-Kq2z", id="seven characters"),
    pytest.param("alice-200", id="like the user name"),
    pytest.param("alice@example.org", id="like the address"),
    pytest.param("p" * 129, id="129 characters"),
    pytest.param("", id="empty"),
]
NO_TEXT = [
    pytest.param(None, id="null"),
    pytest.param([], id="list"),
    pytest.param({}, id="object"),
    pytest.param("a\x00b", id="NUL"),
    pytest.param("\ud800", id="half a surrogate pair"),
    pytest.param("a" * 1_000_000, id="a million letters"),
]


def assert_password(user, password):
    user.refresh_from_db()
    assert user.check_password(password)


def reset_body(user, **more):
    """What the reset page of the single-page app sends."""
    made = {"uid": encode_uid(user.pk), "token": default_token_generator.make_token(user)}
    return {**made, "new_password": NEW, "re_new_password": NEW, **more}


class TestSettingAPassword:
    def test_who_knows_the_old_one_sets_a_new_one(self, as_alice, alice):
        answer = as_alice.post(SET, {"current_password": PASSWORD, "new_password": NEW})

        assert answer.status_code == 204, answer.content
        assert answer.content == b""
        assert_password(alice, NEW)

    def test_it_may_be_sent_twice(self, as_alice, alice):
        body = {"current_password": PASSWORD, "new_password": NEW, "re_new_password": NEW}

        assert as_alice.post(SET, body).status_code == 204
        assert_password(alice, NEW)

    def test_white_space_at_its_ends_is_kept(self, as_alice, alice):
        spaced = f" {NEW} "
        as_alice.post(SET, {"current_password": PASSWORD, "new_password": spaced, "re_new_password": spaced})

        assert_password(alice, spaced)
        again = {"current_password": NEW, "new_password": PASSWORD}
        assert_flat_error(client_of(alice).post(SET, again), 400, field="current_password")
        assert client_of(alice).post(SET, {**again, "current_password": spaced}).status_code == 204

    def test_another_way_to_write_it_twice_is_refused(self, as_alice, alice):
        body = {"current_password": PASSWORD, "new_password": NEW, "re_new_password": f"{NEW} "}

        assert_flat_error(as_alice.post(SET, body), 400, field="re_new_password")
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("current", ["wrong", "", f" {PASSWORD}"])
    def test_the_old_one_must_be_right(self, as_alice, alice, current):
        answer = as_alice.post(SET, {"current_password": current, "new_password": NEW})

        assert_flat_error(answer, 400, field="current_password")
        assert_password(alice, PASSWORD)
        assert as_alice.get(ME).status_code == 200

    @pytest.mark.parametrize("weak", WEAK)
    def test_a_weak_one_is_refused(self, as_alice, alice, weak):
        answer = as_alice.post(SET, {"current_password": PASSWORD, "new_password": weak})

        assert_flat_error(answer, 400, field="new_password")
        assert_password(alice, PASSWORD)
        assert as_alice.get(ME).status_code == 200

    @pytest.mark.parametrize("field", ["current_password", "new_password", "re_new_password"])
    @pytest.mark.parametrize("value", NO_TEXT)
    def test_what_is_no_good_text_is_refused(self, as_alice, alice, field, value):
        body = {"current_password": PASSWORD, "new_password": NEW, field: value}

        assert_flat_error(post_json(as_alice, SET, body), 400, field=field)
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("content", NO_OBJECTS, ids=repr)
    def test_what_is_no_object_is_refused(self, as_alice, content):
        assert_flat_error(post_json(as_alice, SET, content), 400)

    def test_nobody_sets_one_without_signing_in(self, anonymous):
        body = {"current_password": PASSWORD, "new_password": NEW}

        assert_flat_error(anonymous.post(SET, body), 401, code="not_authenticated")


class TestAskingForAReset:
    @pytest.fixture
    def ask(self, anonymous):
        def ask(email):
            answer = anonymous.post(RESET, {"email": email})
            deliver()
            assert answer.status_code == 204, answer.content
            assert answer.content == b""
            return mail.outbox

        return ask

    @pytest.mark.parametrize("email", ["alice@example.org", "ALICE@Example.ORG", "  alice@example.org "])
    def test_the_mail_brings_a_link_whatever_the_case_of_the_address(self, ask, alice, anonymous, email):
        (message,) = ask(email)

        assert message.to == ["alice@example.org"]
        link = re.search(r"https://app\.example\.org/password-reset/([^/\s]+)/([^/\s]+)(?=\s)", message.body)
        assert link, message.body
        assert link[0] in message.alternatives[0][0]
        body = {"uid": link[1], "token": link[2], "new_password": NEW, "re_new_password": NEW}
        assert anonymous.post(CONFIRM, body).status_code == 204
        assert_password(alice, NEW)

    def test_an_address_stored_in_capitals_is_found(self, ask, alice):
        User.objects.filter(pk=alice.pk).update(email="ALICE@EXAMPLE.ORG")

        assert len(ask("alice@example.org")) == 1

    def test_without_a_known_page_the_mail_gives_uid_and_token_in_words(self, ask, alice, anonymous, settings):
        settings.HOME_URL = ""

        (message,) = ask("alice@example.org")

        assert "password-reset/" not in message.body
        uid, token = (re.search(rf"{word}: *(\S+)", message.body)[1] for word in ("uid", "token"))
        assert uid == encode_uid(alice.pk)
        body = {"uid": uid, "token": token, "new_password": NEW, "re_new_password": NEW}
        assert anonymous.post(CONFIRM, body).status_code == 204

    def test_a_stale_token_in_the_header_does_not_matter(self, ask, alice, anonymous):
        anonymous.credentials(HTTP_AUTHORIZATION="Token of-yesterday")

        assert len(ask("alice@example.org")) == 1

    def test_an_unknown_address_gets_the_same_answer_and_no_mail(self, ask, alice):
        assert ask("nobody@example.org") == []

    def test_a_user_without_a_password_gets_none(self, ask, alice):
        alice.set_unusable_password()
        alice.save()

        assert ask("alice@example.org") == []

    def test_a_deactivated_user_gets_none(self, ask, alice):
        alice.is_active = False
        alice.save()

        assert ask("alice@example.org") == []

    def test_asking_changes_nothing(self, ask, alice, as_alice):
        ask("alice@example.org")

        assert_password(alice, PASSWORD)
        assert as_alice.get(ME).status_code == 200

    @pytest.mark.parametrize("email", ["", "alice", "a@b@c", *NO_TEXT])
    def test_what_is_no_address_is_refused(self, anonymous, alice, email):
        assert_flat_error(post_json(anonymous, RESET, {"email": email}), 400, field="email")
        assert mail.outbox == []

    @pytest.mark.parametrize("content", [*NO_OBJECTS, {}], ids=repr)
    def test_what_names_no_address_is_refused(self, anonymous, content):
        assert_flat_error(post_json(anonymous, RESET, content), 400)


class TestConfirmingAReset:
    def test_the_new_password_counts(self, anonymous, alice):
        answer = anonymous.post(CONFIRM, reset_body(alice))

        assert answer.status_code == 204, answer.content
        assert answer.content == b""
        assert_password(alice, NEW)
        assert anonymous.post(LOGIN, {"username": "alice", "password": NEW}).status_code == 200

    def test_white_space_at_its_ends_is_kept(self, anonymous, alice):
        anonymous.post(CONFIRM, reset_body(alice, new_password=f" {NEW} ", re_new_password=f" {NEW} "))

        assert_password(alice, f" {NEW} ")

    def test_a_link_works_once(self, anonymous, alice):
        body = reset_body(alice)
        anonymous.post(CONFIRM, body)

        again = anonymous.post(CONFIRM, {**body, "new_password": PASSWORD, "re_new_password": PASSWORD})

        assert_flat_error(again, 400, field="token")
        assert_password(alice, NEW)

    def test_a_link_for_the_address_of_before_is_void(self, anonymous, alice):
        body = reset_body(alice)
        alice.email = "new@example.org"
        alice.save()

        assert_flat_error(anonymous.post(CONFIRM, body), 400, field="token")
        assert_password(alice, PASSWORD)

    def test_a_link_of_one_user_does_not_open_another(self, anonymous, alice, bob):
        body = reset_body(alice, uid=encode_uid(bob.pk))

        assert_flat_error(anonymous.post(CONFIRM, body), 400, field="token")
        assert_password(bob, PASSWORD)

    def test_another_way_to_write_it_twice_is_refused(self, anonymous, alice):
        answer = anonymous.post(CONFIRM, reset_body(alice, re_new_password=f"{NEW}!"))

        assert_flat_error(answer, 400, field="re_new_password")
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("field", ["uid", "token", "new_password", "re_new_password"])
    def test_what_is_missing_is_named(self, anonymous, alice, field):
        body = reset_body(alice)
        del body[field]

        assert_flat_error(anonymous.post(CONFIRM, body), 400, field=field)
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("weak", WEAK)
    def test_a_weak_one_is_refused(self, anonymous, alice, weak):
        answer = anonymous.post(CONFIRM, reset_body(alice, new_password=weak, re_new_password=weak))

        assert_flat_error(answer, 400, field="new_password")
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize(
        "uid",
        ["x", "!!!", "OTk5OTk5", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "__8", "AAAA", "é", 1, 1.5, "-1"],
    )
    def test_a_wrong_uid_is_refused(self, anonymous, alice, uid):
        unknown = assert_flat_error(anonymous.post(CONFIRM, reset_body(alice, uid=uid)), 400, field="token")
        used = assert_flat_error(anonymous.post(CONFIRM, reset_body(alice, token="used")), 400, field="token")
        assert unknown == used, "nobody learns which accounts exist"
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("token", ["", "x", "a-b", "-", "é-ü", "zzzzzzzzzzzzzz-0", 1, 1.5])
    def test_a_wrong_token_is_refused(self, anonymous, alice, token):
        assert_flat_error(anonymous.post(CONFIRM, reset_body(alice, token=token)), 400, field="token")
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("field", ["uid", "token", "new_password", "re_new_password"])
    @pytest.mark.parametrize("value", NO_TEXT)
    def test_what_is_no_good_text_is_refused(self, anonymous, alice, field, value):
        assert_flat_error(post_json(anonymous, CONFIRM, reset_body(alice, **{field: value})), 400)
        assert_password(alice, PASSWORD)

    @pytest.mark.parametrize("content", [*NO_OBJECTS, {}], ids=repr)
    def test_what_is_no_object_is_refused(self, anonymous, content):
        assert_flat_error(post_json(anonymous, CONFIRM, content), 400)


def by_the_api(user):
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert client_of(user).post(SET, body).status_code == 204


def by_a_reset(user):
    assert client_of().post(CONFIRM, reset_body(user)).status_code == 204


def by_the_admins_form(user):
    fill_in_admin(user, {"usable_password": "true", "password1": NEW, "password2": NEW})


def by_disabling_it_in_the_admin(user):
    fill_in_admin(user, {"usable_password": "false", "unset-password": "1"})


def fill_in_admin(user, form):
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.force_login(make_user("chief", is_staff=True, is_superuser=True))
    answer = client.post(f"/admin/auth/user/{user.pk}/password/", form)
    assert answer.status_code == 302, answer.content


def by_ones_own_form_in_the_admin(user):
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.force_login(user)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/admin/password_change/", form).status_code == 302


def by_the_command(user):
    answers = iter([NEW, NEW])
    from django.contrib.auth.management.commands import changepassword

    command = changepassword.Command(stdout=io.StringIO(), stderr=io.StringIO())
    command._get_pass = lambda prompt="": next(answers)
    call_command(command, user.username)


def in_the_shell(user):
    user = User.objects.get(pk=user.pk)
    user.set_password(NEW)
    user.save()


def in_the_shell_by_its_field_alone(user):
    user = User.objects.get(pk=user.pk)
    user.set_password(NEW)
    user.save(update_fields=["password"])


def in_the_shell_without_a_usable_one(user):
    user = User.objects.get(pk=user.pk)
    user.set_unusable_password()
    user.save()


PATHS = [
    by_the_api,
    by_a_reset,
    by_the_admins_form,
    by_disabling_it_in_the_admin,
    by_ones_own_form_in_the_admin,
    by_the_command,
    in_the_shell,
    in_the_shell_by_its_field_alone,
    in_the_shell_without_a_usable_one,
]


class TestWhatEndsWithAPassword:
    @pytest.mark.parametrize("change", PATHS, ids=lambda path: path.__name__)
    def test_token_and_json_web_tokens_are_void(self, anonymous, alice, bob, change):
        with_token, of_bob = client_of(alice), client_of(bob)
        pair = anonymous.post("/api/auth/jwt/create/", {"username": "alice", "password": PASSWORD}).json()
        with_jwt = client_of()
        with_jwt.credentials(HTTP_AUTHORIZATION=f"JWT {pair['access']}")
        old_key = Token.objects.get(user=alice).key
        assert (with_token.get(ME).status_code, with_jwt.get(ME).status_code) == (200, 200)

        change(alice)

        with_token.credentials(HTTP_AUTHORIZATION=f"Token {old_key}")
        assert_flat_error(with_token.get(ME), 401)
        assert_flat_error(with_jwt.get(ME), 401)
        assert_flat_error(anonymous.post("/api/auth/jwt/refresh/", {"refresh": pair["refresh"]}), 401)
        for kind in ("access", "refresh"):
            assert_flat_error(anonymous.post("/api/auth/jwt/verify/", {"token": pair[kind]}), 401)
        assert of_bob.get(ME).status_code == 200

    @pytest.mark.parametrize("usable", [True, False], ids=["with a password", "without a usable one"])
    def test_other_changes_to_the_account_void_nothing(self, alice, usable):
        if not usable:
            alice.set_unusable_password()
            alice.save()
        client = client_of(alice)

        assert client.patch(ME, {"first_name": "Alice"}).status_code == 200

        assert client.get(ME).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_reset_link_that_is_used_several_times_at_once_sets_one_password(alice):
    passwords = [f"{NEW}-{number}" for number in range(4)]
    bodies = [reset_body(alice, new_password=password, re_new_password=password) for password in passwords]
    answers = in_parallel([partial(client_of().post, CONFIRM, body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]
    alice.refresh_from_db()
    (kept,) = (password for password in passwords if alice.check_password(password))
    assert answers[passwords.index(kept)].status_code == 204


class TestCalendarFeeds:
    """A feed that somebody made with a stolen token must not outlive the password."""

    @pytest.fixture
    def feed(self, alice: User) -> str:
        _, secret = make_feed(user=alice, resource_id=None, names=None)
        return f"/calendars/{secret}.ics"

    def test_a_reset_ends_them(self, anonymous, alice, feed):
        assert anonymous.get(feed).status_code == 200
        assert anonymous.post(CONFIRM, reset_body(alice)).status_code == 204
        assert anonymous.get(feed).status_code == 404

    def test_a_refused_reset_ends_none(self, anonymous, alice, feed):
        assert_flat_error(anonymous.post(CONFIRM, reset_body(alice, new_password="12345678")), 400)
        assert anonymous.get(feed).status_code == 200

    @pytest.mark.parametrize(
        ("flag", "status"), [({}, 200), ({"end_calendar_feeds": False}, 200), ({"end_calendar_feeds": True}, 404)]
    )
    def test_a_change_ends_them_when_asked(self, anonymous, as_alice, feed, flag, status):
        body = {"current_password": PASSWORD, "new_password": NEW, **flag}
        assert as_alice.post(SET, body).status_code == 204
        assert anonymous.get(feed).status_code == status
