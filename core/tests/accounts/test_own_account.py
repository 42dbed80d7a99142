"""GET, PUT, PATCH, DELETE /api/auth/users/me/."""

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from core.models import Booking, UserProfile
from core.tests.support.bodies import NO_OBJECTS, send_json
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_booking, make_user

URL = "/api/auth/users/me/"


def test_everybody_sees_their_own_account(as_alice, alice):
    alice.first_name, alice.last_name = "Alice", "Liddell"
    alice.save()
    UserProfile.objects.filter(user=alice).update(profile_picture="https://example.org/a.png")

    answer = as_alice.get(URL)

    assert answer.status_code == 200
    assert answer.json() == {
        "id": alice.pk,
        "username": "alice",
        "email": "alice@example.org",
        "first_name": "Alice",
        "last_name": "Liddell",
        "is_staff": False,
        "is_active": True,
        "profile_picture": "https://example.org/a.png",
    }


def test_without_a_picture_there_is_null(as_alice):
    assert as_alice.get(URL).json()["profile_picture"] is None


def test_an_account_without_a_profile_has_no_picture(as_alice):
    UserProfile.objects.all().delete()

    answer = as_alice.get(URL)

    assert answer.status_code == 200
    assert answer.json()["profile_picture"] is None


def test_staff_see_that_they_are(as_admin):
    assert as_admin.get(URL).json()["is_staff"] is True


@pytest.mark.parametrize("method", ["put", "patch"])
def test_name_and_address_are_changed(as_alice, alice, method):
    wanted = {"username": "alicia", "email": " Alicia@Example.ORG ", "first_name": "A", "last_name": "L"}
    answer = getattr(as_alice, method)(URL, {**wanted, "current_password": PASSWORD})

    alice.refresh_from_db()
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {
        "id": alice.pk,
        "username": "alicia",
        "email": "alicia@example.org",
        "first_name": "A",
        "last_name": "L",
        "is_staff": False,
        "is_active": True,
        "profile_picture": None,
    }
    assert (alice.username, alice.email, alice.first_name, alice.last_name) == (
        "alicia",
        "alicia@example.org",
        "A",
        "L",
    )
    assert alice.check_password(PASSWORD)
    assert as_alice.get(URL).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    "password",
    [
        pytest.param({}, id="none"),
        pytest.param({"current_password": "wrong"}, id="wrong"),
        pytest.param({"current_password": None}, id="null"),
        pytest.param({"current_password": "a\x00b"}, id="NUL"),
    ],
)
def test_a_new_address_needs_the_password(as_alice, alice, method, password):
    answer = getattr(as_alice, method)(URL, {"email": "mallory@example.org", "first_name": "M", **password})

    alice.refresh_from_db()
    assert_flat_error(answer, 400, field="current_password")
    assert (alice.email, alice.first_name) == ("alice@example.org", "")


def test_the_first_address_needs_the_password_too(as_alice, alice):
    User.objects.filter(pk=alice.pk).update(email="")

    assert_flat_error(as_alice.patch(URL, {"email": "mallory@example.org"}), 400, field="current_password")
    assert as_alice.patch(URL, {"email": "a@example.org", "current_password": PASSWORD}).status_code == 200


def test_a_wrong_password_is_refused_without_a_new_address_too(as_alice, alice):
    assert_flat_error(as_alice.patch(URL, {"first_name": "A", "current_password": "no"}), 400, field="current_password")
    assert as_alice.patch(URL, {"first_name": "A", "current_password": PASSWORD}).json()["first_name"] == "A"


def test_guesses_with_a_new_address_count_as_sign_ins(as_alice, limit):
    limit(sign_in="2/min")
    guess = {"email": "mallory@example.org", "current_password": "wrong"}
    answers = [as_alice.patch(URL, guess) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert as_alice.patch(URL, {"first_name": "Alice"}).status_code == 200, "what guesses nothing is not counted"


def test_a_change_on_its_way_undoes_no_new_password(alice):
    """The caller of a call is read at its beginning; another call may give the account a new password meanwhile."""
    stale = User.objects.get(pk=alice.pk)
    alice.set_password("nine-green-kettles-7")
    alice.is_active = False
    alice.save()
    client = client_of()
    client.force_authenticate(stale)

    assert client.patch(URL, {"first_name": "A"}).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password("nine-green-kettles-7")
    assert (alice.first_name, alice.is_active) == ("A", False)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_was_read_can_be_sent_back(as_alice, method):
    shown = as_alice.get(URL).json()

    answer = getattr(as_alice, method)(URL, shown)

    assert answer.status_code == 200, answer.json()
    assert answer.json() == shown


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(("field", "value"), [("username", "ALICE"), ("email", "ALICE@example.org")])
def test_ones_own_name_or_address_in_another_case_is_fine(as_alice, alice, method, field, value):
    answer = getattr(as_alice, method)(URL, {"username": "alice", "email": "alice@example.org", field: value})

    alice.refresh_from_db()
    assert answer.status_code == 200, answer.json()
    assert getattr(alice, field) == {"username": "ALICE", "email": "alice@example.org"}[field]


@pytest.mark.parametrize("method", ["put", "patch"])
def test_flags_and_id_are_read_only(as_alice, alice, method):
    wanted = {"username": "alice", "email": "alice@example.org", "id": 77}
    flags = {"is_staff": True, "is_active": False, "profile_picture": "https://example.org/x"}
    answer = getattr(as_alice, method)(URL, {**wanted, **flags})

    pk = alice.pk
    alice.refresh_from_db()
    assert answer.status_code == 200, answer.json()
    assert (alice.pk, alice.is_staff, alice.is_active, alice.is_superuser) == (pk, False, True, False)
    assert answer.json()["profile_picture"] is None


@pytest.mark.parametrize("field", ["password", "is_superuser", "groups", "user_permissions", "last_login"])
def test_other_columns_are_no_fields(as_alice, alice, field):
    assert_flat_error(as_alice.patch(URL, {field: "another-horse-8-battery"}), 400, field=field)

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("username", "bob", id="another's name"),
        pytest.param("username", "BOB", id="another's name in capitals"),
        pytest.param("username", "Ｂob", id="another's name in full width"),
        pytest.param("email", "bob@example.org", id="another's address"),
        pytest.param("email", "BOB@Example.org", id="another's address in capitals"),
        pytest.param("username", "", id="no name"),
        pytest.param("username", None, id="null for a name"),
        pytest.param("username", "two words", id="space in a name"),
        pytest.param("username", "a" * 1_000_000, id="a million letters for a name"),
        pytest.param("username", "\ud800", id="half a surrogate pair in a name"),
        pytest.param("username", "a\x00b", id="NUL in a name"),
        pytest.param("email", "", id="no address"),
        pytest.param("email", None, id="null for an address"),
        pytest.param("email", "alice", id="no real address"),
        pytest.param("email", "a" * 250 + "@example.org", id="a long address"),
        pytest.param("first_name", None, id="null for a first name"),
        pytest.param("first_name", "a" * 151, id="a long first name"),
        pytest.param("last_name", "a\x00b", id="NUL in a last name"),
        pytest.param("last_name", "\ud800", id="half a surrogate pair in a last name"),
        pytest.param("last_name", ["L"], id="list for a last name"),
    ],
)
def test_a_wrong_change_is_refused(as_alice, alice, bob, method, field, value):
    before = User.objects.values().get(pk=alice.pk)
    wanted = {"username": "alice", "email": "alice@example.org", field: value}
    answer = send_json(as_alice, method, URL, wanted)

    assert_flat_error(answer, 400, field=field)
    assert User.objects.values().get(pk=alice.pk) == before


@pytest.mark.parametrize("content", NO_OBJECTS, ids=repr)
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_what_is_no_object_is_refused(as_alice, method, content):
    assert_flat_error(send_json(as_alice, method, URL, content), 400)
    assert User.objects.filter(username="alice").exists()


def test_somebody_without_an_address_may_change_the_rest(as_alice, alice):
    User.objects.filter(pk=alice.pk).update(email="")

    answer = as_alice.patch(URL, {"first_name": "Alice"})

    assert answer.status_code == 200, answer.json()
    assert answer.json()["email"] == ""


def test_the_account_is_deleted_with_its_bookings(as_alice, alice, bob, room):
    make_booking(alice, room)

    answer = as_alice.delete(URL, {"current_password": PASSWORD})

    assert answer.status_code == 204, answer.content
    assert answer.content == b""
    assert list(User.objects.all()) == [bob]
    assert not Booking.objects.exists()
    assert not Token.objects.exists()
    assert_flat_error(as_alice.get(URL), 401)


def test_white_space_at_the_ends_of_the_password_counts_when_deleting(as_alice, alice):
    User.objects.filter(pk=alice.pk).update(password="")
    alice.set_password(f" {PASSWORD} ")
    User.objects.filter(pk=alice.pk).update(password=alice.password)

    assert_flat_error(as_alice.delete(URL, {"current_password": PASSWORD}), 400, field="current_password")
    assert as_alice.delete(URL, {"current_password": f" {PASSWORD} "}).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="none"),
        pytest.param({"current_password": ""}, id="empty"),
        pytest.param({"current_password": "wrong"}, id="wrong"),
        pytest.param({"current_password": None}, id="null"),
        pytest.param({"current_password": [PASSWORD]}, id="list"),
        pytest.param({"current_password": "a\x00b"}, id="NUL"),
        pytest.param({"current_password": "\ud800"}, id="half a surrogate pair"),
        pytest.param({"current_password": "a" * 1_000_000}, id="a million letters"),
    ],
)
def test_deleting_needs_the_current_password(as_alice, alice, room, body):
    make_booking(alice, room)

    assert_flat_error(send_json(as_alice, "delete", URL, body), 400, field="current_password")
    assert User.objects.filter(pk=alice.pk).exists()
    assert Booking.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nobody_without_a_token_has_an_account_to_see(anonymous, method):
    assert_flat_error(getattr(anonymous, method)(URL), 401, code="not_authenticated")


def test_post_is_unknown(as_alice):
    assert_flat_error(as_alice.post(URL, {}), 405, code="method_not_allowed")


def test_a_session_of_the_admin_opens_the_account_too(anonymous):
    make_user("carla", is_staff=True)
    anonymous.login(username="carla", password=PASSWORD)

    assert anonymous.get(URL).json()["username"] == "carla"
