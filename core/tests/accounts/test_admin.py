"""Accounts in the admin: for superusers; what ordinary staff reach, and what they do not."""

import html
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from core.models import Booking, CalendarFeed, Notification, NotificationPreferences, Resource, UserProfile
from core.notifications import messages
from core.tests.bookings.test_admin import errors_of
from core.tests.support.clients import pages_of
from core.tests.support.factories import PASSWORD, booking_body, make_booking, make_resource, make_user
from core.tests.support.mailing import hand_on
from core.tests.support.parallel import in_parallel

USERS = "/admin/auth/user/"
PICK = "/admin/autocomplete/?app_label=core&model_name={model}&field_name={field}&term={term}"


def typed_user(user: User, **more: object) -> dict[str, object]:
    """What the form of a user sends when nothing was typed."""
    return {
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_active": "on",
    } | more


@pytest.fixture
def messages_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database refuses what is to be sent."""

    def refuse(rows: list, **options: bool) -> None:
        raise OperationalError("no room")

    monkeypatch.setattr(messages, "write", refuse)


class TestSuperusers:
    def test_they_add_a_user_who_has_a_profile_at_once(self, root_pages: Client) -> None:
        body = {"username": "carol", "email": " Carol@Example.org", "password1": PASSWORD, "password2": PASSWORD}
        answer = root_pages.post(f"{USERS}add/", body | {"usable_password": "true"})
        carol = User.objects.get(username="carol")
        assert answer.status_code == 302
        assert (carol.email, carol.check_password(PASSWORD)) == ("carol@example.org", True)
        assert carol.profile

    def test_a_user_may_have_no_address(self, root_pages: Client) -> None:
        for name in ("carol", "dave"):
            body = {"username": name, "email": "", "password1": PASSWORD, "password2": PASSWORD}
            assert root_pages.post(f"{USERS}add/", body | {"usable_password": "true"}).status_code == 302
        assert User.objects.filter(email="").count() == 2

    def test_they_grant_flags_and_groups(self, root_pages: Client, alice: User) -> None:
        group = Group.objects.create(name="Desk")
        body = typed_user(alice, is_staff="on", is_superuser="on", groups=[group.pk])
        assert root_pages.post(f"{USERS}{alice.pk}/change/", body).status_code == 302
        alice.refresh_from_db()
        assert (alice.is_staff, alice.is_superuser, list(alice.groups.all())) == (True, True, [group])

    def test_they_remove_a_user(self, root_pages: Client, alice: User) -> None:
        root_pages.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
        assert not User.objects.filter(pk=alice.pk).exists()

    @pytest.mark.parametrize("how", ["on the page", "selected in the list"])
    def test_they_remove_a_user_with_all_that_belongs_to_them(
        self, root_pages: Client, as_alice: APIClient, alice: User, room: Resource, how: str
    ) -> None:
        as_alice.post("/api/bookings/", booking_body(room))
        as_alice.post("/api/calendar-feeds/", {})
        as_alice.patch("/api/profile/preferences/", {"time_zone": "Asia/Tokyo"})
        RefreshToken.for_user(alice)
        hand_on()
        assert Notification.objects.filter(user=alice).exists()

        if how == "on the page":
            page, sent = f"{USERS}{alice.pk}/delete/", {"post": "yes"}
        else:
            page, sent = USERS, {"action": "delete_selected", "_selected_action": alice.pk, "post": "yes"}
            asked = root_pages.post(page, {name: value for name, value in sent.items() if name != "post"})
            assert "would require deleting" not in asked.content.decode()
        assert root_pages.post(page, sent).status_code == 302

        assert not User.objects.filter(pk=alice.pk).exists()
        for model in (Booking, CalendarFeed, Notification, NotificationPreferences, UserProfile):
            assert not model.objects.filter(user_id=alice.pk).exists(), model

    def test_they_remove_a_profile(self, root_pages: Client, alice: User) -> None:
        page = f"/admin/core/userprofile/{alice.profile.pk}/delete/"
        assert root_pages.post(page, {"post": "yes"}).status_code == 302
        assert not UserProfile.objects.filter(user=alice).exists()

    @pytest.mark.parametrize(("field", "value"), [("username", "ALICE"), ("email", "Alice@Example.ORG")])
    def test_a_name_or_address_in_another_case_is_a_form_error(
        self, root_pages: Client, alice: User, bob: User, field: str, value: str
    ) -> None:
        assert list(errors_of(root_pages.post(f"{USERS}{bob.pk}/change/", typed_user(bob, **{field: value})))) == [
            field
        ]
        new = {"username": "carol", "email": "", "password1": PASSWORD, "password2": PASSWORD, field: value}
        assert list(errors_of(root_pages.post(f"{USERS}add/", new | {"usable_password": "true"}))) == [field]
        assert User.objects.count() == 3

    def test_a_user_keeps_their_name_in_another_case(self, root_pages: Client, alice: User) -> None:
        root_pages.post(f"{USERS}{alice.pk}/change/", typed_user(alice, username="Alice", email="ALICE@example.org"))
        alice.refresh_from_db()
        assert (alice.username, alice.email) == ("Alice", "alice@example.org")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "\0"),
            ("username", "u" * 151),
            ("username", "a b"),
            ("email", "nowhere"),
            ("email", "\0"),
            ("first_name", "\0"),
            ("groups", "x"),
            ("groups", "9" * 30),
            ("user_permissions", "\0"),
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_garbage_is_a_form_error(self, root_pages: Client, alice: User, field: str, value: str) -> None:
        answer = root_pages.post(f"{USERS}{alice.pk}/change/", typed_user(alice, **{field: value}))
        assert list(errors_of(answer)) == [field]

    @pytest.mark.parametrize(
        "body",
        [
            {"usable_password": "true", "password1": PASSWORD + "!", "password2": PASSWORD + "!", "set-password": "1"},
            {"usable_password": "false", "unset-password": "1"},
        ],
        ids=["a new one", "none any more"],
    )
    def test_a_password_that_changes_takes_the_token_along(
        self, root_pages: Client, alice: User, body: dict[str, str]
    ) -> None:
        Token.objects.create(user=alice)
        assert root_pages.post(f"{USERS}{alice.pk}/password/", body).status_code == 302
        alice.refresh_from_db()
        assert (alice.check_password(PASSWORD), Token.objects.exists()) == (False, False)

    def test_a_password_whose_message_cannot_be_written_stays(
        self, root_pages: Client, alice: User, messages_fail: None
    ) -> None:
        Token.objects.create(user=alice)
        new = PASSWORD + "!"
        body = {"usable_password": "true", "password1": new, "password2": new, "set-password": "1"}
        assert root_pages.post(f"{USERS}{alice.pk}/password/", body).status_code == 503
        alice.refresh_from_db()
        assert (alice.check_password(PASSWORD), Token.objects.exists()) == (True, True)

    def test_they_void_tokens_without_reading_them(self, root_pages: Client, alice: User, bob: User) -> None:
        for user in (alice, bob):
            Token.objects.create(user=user)
        root_pages.post(USERS, {"action": "void_tokens", "_selected_action": [alice.pk]})
        assert Token.objects.get().user == bob
        assert LogEntry.objects.get().get_change_message() == "API token voided."

    @pytest.mark.parametrize(
        "model", ["authtoken/tokenproxy", "token_blacklist/outstandingtoken", "token_blacklist/blacklistedtoken"]
    )
    def test_tokens_have_no_page(self, root_pages: Client, model: str) -> None:
        assert root_pages.get(f"/admin/{model}/").status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["username", "email"])
def test_a_lost_race_for_a_name_is_a_form_error(root_pages: Client, root: User, field: str) -> None:
    second = pages_of(root)
    taken = {"username": "carol", "email": "carol@example.org"}[field]
    bodies = [
        {"username": f"user{n}", "email": f"user{n}@example.org", "password1": PASSWORD, "password2": PASSWORD}
        | {"usable_password": "true", field: taken if n else taken.upper()}
        for n in (0, 1)
    ]
    calls = [
        lambda page=page, body=body: page.post(f"{USERS}add/", body)
        for page, body in zip((root_pages, second), bodies, strict=True)
    ]
    assert sorted(answer.status_code for answer in in_parallel(calls)) == [200, 302]
    assert User.objects.count() == 2


class TestOrdinaryStaff:
    @pytest.fixture(params=["plain", "with every permission"])
    def pages(self, request: pytest.FixtureRequest, admin: User) -> Client:
        """Permissions that somebody granted by hand open no way around superusers."""
        if request.param != "plain":
            admin.user_permissions.set(Permission.objects.all())
        return pages_of(admin)

    def test_they_see_what_is_theirs(self, pages: Client) -> None:
        page = pages.get("/admin/").content.decode()
        for model in ("booking", "resource", "userprofile"):
            assert f'href="/admin/core/{model}/"' in page
        assert set(re.findall(r'href="(/admin/auth/[^"]*)"', page)) == {"/admin/auth/", f"{USERS}add/"}
        assert "token" not in page.replace("csrfmiddlewaretoken", "")

    @pytest.mark.parametrize("model", ["auth/user", "auth/group"])
    def test_accounts_groups_and_tokens_are_out_of_their_reach(
        self, pages: Client, admin: User, alice: User, model: str
    ) -> None:
        Token.objects.create(user=alice)
        pages_of_all = [] if model == "auth/user" else ["add/"]
        for page in ("", *pages_of_all, f"{alice.pk}/change/", f"{alice.pk}/delete/", f"{alice.pk}/history/"):
            assert pages.get(f"/admin/{model}/{page}").status_code in (302, 403), page
            assert pages.post(f"/admin/{model}/{page}", {"post": "yes", "is_superuser": "on"}).status_code in (
                302,
                403,
                405,
            )
        assert User.objects.filter(pk=alice.pk, is_superuser=False).exists()
        assert (Token.objects.count(), User.objects.count(), Group.objects.count()) == (1, 2, 0)

    def test_they_make_an_account_for_a_caller_and_book_for_it(self, pages: Client, admin: User) -> None:
        names = {"username": "carol", "email": "Carol@example.org", "first_name": "Carol", "last_name": "Caller"}
        password = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
        rights = {"is_staff": "on", "is_superuser": "on", "groups": [Group.objects.create(name="Desk").pk]}
        answer = pages.post(f"{USERS}add/", names | password | rights)
        carol = User.objects.get(username="carol")
        assert answer.status_code == 302
        assert answer["Location"] == f"/admin/core/booking/add/?user={carol.pk}"
        assert "The account carol was made." in pages.get(answer["Location"]).content.decode()
        assert (carol.email, carol.get_full_name(), carol.check_password(PASSWORD)) == (
            *("carol@example.org", "Carol Caller"),
            True,
        )
        assert (carol.is_staff, carol.is_superuser, carol.groups.count(), carol.is_active) == (False, False, 0, True)
        assert LogEntry.objects.get(user=admin).object_id == str(carol.pk)

    def test_they_make_several_accounts_and_one_beside_a_booking(self, pages: Client) -> None:
        body = {"usable_password": "false", "email": ""}
        answer = pages.post(f"{USERS}add/", body | {"username": "carol", "_addanother": "1"})
        assert answer["Location"] == f"{USERS}add/"
        assert f"{USERS}{User.objects.get(username='carol').pk}/" not in pages.get(answer["Location"]).content.decode()
        answer = pages.post(f"{USERS}add/?_popup=1", body | {"username": "dave", "_popup": "1"})
        assert "data-popup-response" in answer.content.decode()

    def test_a_caller_with_a_name_that_is_taken_is_a_form_error(self, pages: Client, alice: User) -> None:
        answer = pages.post(f"{USERS}add/", {"username": "ALICE", "email": "", "usable_password": "false"})
        assert list(errors_of(answer)) == ["username"]

    def test_no_link_ends_in_a_refusal(self, pages: Client, alice: User, room: Resource) -> None:
        booking = make_booking(alice, room)
        pages.post(f"{USERS}add/", {"username": "carol", "email": "", "usable_password": "false"})
        pages.post("/admin/core/booking/", {"action": "confirm", "_selected_action": booking.pk})
        NotificationPreferences.objects.create(user=alice)
        messages.password_changed(alice, now=timezone.now())
        found, refused = ["/admin/", f"/admin/core/booking/{booking.pk}/change/"], []
        for page in found:
            answer = pages.get(page)
            if answer.status_code not in (200, 302, 304):
                refused.append((page, answer.status_code))
            body = answer.content.decode() if "text/html" in answer.headers.get("Content-Type", "") else ""
            links = {html.unescape(link) for link in re.findall(r'href="(/admin/[^"?]*)"', body)}
            found += sorted(links - set(found) - {"/admin/logout/"})
        assert refused == []
        assert {f"/admin/core/booking/{booking.pk}/history/", f"{USERS}add/", "/admin/auth/"} <= set(found)

    def test_nobodys_password_but_their_own_is_theirs_to_change(self, pages: Client, admin: User, alice: User) -> None:
        for user in (alice, admin):
            assert pages.get(f"{USERS}{user.pk}/password/").status_code == 403
        new = PASSWORD + "!"
        body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        Token.objects.create(user=admin)
        assert pages.post("/admin/password_change/", body).status_code == 302
        admin.refresh_from_db()
        assert (admin.check_password(new), Token.objects.exists()) == (True, False)
        assert pages.get("/admin/").status_code == 200

    def test_their_own_password_whose_message_cannot_be_written_stays(
        self, pages: Client, admin: User, messages_fail: None
    ) -> None:
        new = PASSWORD + "!"
        body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        Token.objects.create(user=admin)
        assert pages.post("/admin/password_change/", body).status_code == 503
        admin.refresh_from_db()
        assert (admin.check_password(PASSWORD), Token.objects.exists()) == (True, True)
        assert pages.get("/admin/").status_code == 200


class TestPickers:
    def test_staff_pick_a_user_by_part_of_a_name(self, admin_pages: Client, alice: User, bob: User) -> None:
        User.objects.filter(pk=alice.pk).update(first_name="Alice", last_name="Ang")
        answer = admin_pages.get(PICK.format(model="booking", field="user", term="ali"))
        assert answer.json() == {
            "results": [{"id": str(alice.pk), "text": "alice (Alice Ang)"}],
            "pagination": {"more": False},
        }

    def test_staff_pick_a_resource(self, admin_pages: Client, room: Resource) -> None:
        answer = admin_pages.get(PICK.format(model="booking", field="resource", term="blue"))
        assert answer.json()["results"] == [{"id": str(room.pk), "text": "Blue room"}]

    @pytest.mark.parametrize("term", ["%00", "a+" * 1500, "a" * 5000], ids=["NUL", "words", "long"])
    def test_a_search_without_sense_finds_nothing(self, admin_pages: Client, alice: User, term: str) -> None:
        answer = admin_pages.get(PICK.format(model="booking", field="user", term=term))
        assert (answer.status_code, answer.json()["results"]) == (200, [])

    @pytest.mark.parametrize("page", ["x", "0", "-1", "99", "9" * 5000], ids=lambda value: value[:5])
    def test_a_page_that_is_not_there_is_a_404(self, admin_pages: Client, page: str) -> None:
        address = PICK.format(model="booking", field="user", term="")
        assert admin_pages.get(f"{address}&page={page}").status_code == 404

    @pytest.mark.parametrize(
        ("model", "field"),
        [
            ("booking", "notes"),
            ("booking", "nothing"),
            ("resource", "bookings"),
            ("nothing", "user"),
            ("", ""),
            ("%00", "%00"),
        ],
    )
    def test_what_is_no_picker_is_refused(self, root_pages: Client, model: str, field: str) -> None:
        assert root_pages.get(PICK.format(model=model, field=field, term="")).status_code == 403

    @pytest.mark.parametrize(
        "source",
        ["app_label=authtoken&model_name=token&field_name=user", "app_label=admin&model_name=logentry&field_name=user"],
    )
    def test_no_other_way_leads_to_the_list_of_users(self, admin_pages: Client, source: str) -> None:
        assert admin_pages.get(f"/admin/autocomplete/?{source}&term=").status_code == 403

    def test_users_who_are_no_staff_pick_nothing(self, alice: User) -> None:
        assert pages_of(alice).get(PICK.format(model="booking", field="user", term="")).status_code == 302


def test_users_who_are_no_staff_are_asked_to_sign_in(alice: User) -> None:
    make_resource()
    answer = pages_of(alice).get("/admin/core/resource/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_staff_who_were_deactivated_are_out(db: None) -> None:
    pages = pages_of(make_user("gone", is_staff=True))
    User.objects.update(is_active=False)
    assert pages.get("/admin/core/booking/").status_code == 302
