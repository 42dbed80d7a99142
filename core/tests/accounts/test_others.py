"""GET /api/auth/users/, and GET, PUT, PATCH, DELETE /api/auth/users/{id}/; and what is not there."""

import re

import pytest
from django.contrib.auth.models import User

from core.tests.support.bodies import send_json
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_user

LIST = "/api/auth/users/"
FIELDS = {"id", "username", "email", "first_name", "last_name", "is_staff", "is_active", "profile_picture"}


def address(user):
    return f"{LIST}{user.pk}/"


def test_superusers_see_all_accounts_as_a_plain_array(as_root, root, alice, bob):
    answer = as_root.get(LIST)

    assert answer.status_code == 200
    assert [account["username"] for account in answer.json()] == ["root", "alice", "bob"]
    assert all(set(account) == FIELDS for account in answer.json())


def test_the_number_of_queries_does_not_grow_with_the_accounts(as_root, django_assert_num_queries):
    for number in range(20):
        make_user(f"user{number}")
    # The token with its user, then the accounts with their profiles.
    with django_assert_num_queries(2):
        assert len(as_root.get(LIST).json()) == 21


def test_a_page_is_given_on_request(as_root, alice, bob):
    answer = as_root.get(LIST, {"limit": 2, "count": "true"})

    assert [account["username"] for account in answer.json()] == ["root", "alice"]
    assert answer.headers["X-Total-Count"] == "3"
    following = re.search(r'<([^>]+)>; rel="next"', answer.headers["Link"])[1]
    assert [account["username"] for account in as_root.get(following).json()] == ["bob"]


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["alice", "admin"])
def test_others_do_not_see_the_list(request, who):
    assert_flat_error(client_of(request.getfixturevalue(who)).get(LIST), 403, code="permission_denied")


def test_nobody_without_a_token_sees_the_list(anonymous):
    assert_flat_error(anonymous.get(LIST), 401, code="not_authenticated")


def test_a_superuser_sees_an_account(as_root, alice):
    answer = as_root.get(address(alice))

    assert answer.status_code == 200
    assert set(answer.json()) == FIELDS
    assert answer.json()["username"] == "alice"


def test_a_superuser_changes_an_account(as_root, alice):
    answer = as_root.patch(address(alice), {"email": "New@Example.org", "is_staff": True, "current_password": PASSWORD})

    alice.refresh_from_db()
    assert answer.status_code == 200, answer.json()
    assert alice.email == "new@example.org"
    assert not alice.is_staff


def test_a_superuser_cannot_give_away_a_taken_name(as_root, alice, bob):
    assert_flat_error(as_root.patch(address(alice), {"username": "BOB"}), 400, field="username")
    alice.refresh_from_db()
    assert alice.username == "alice"


def test_a_superuser_deletes_an_account_with_their_own_password(as_root, root, alice):
    answer = as_root.delete(address(alice), {"current_password": PASSWORD})

    assert answer.status_code == 204, answer.content
    assert list(User.objects.all()) == [root]
    assert as_root.get("/api/auth/users/me/").status_code == 200


def test_a_superuser_who_does_not_know_their_password_deletes_nobody(as_root, alice):
    assert_flat_error(as_root.delete(address(alice), {"current_password": "wrong"}), 400, field="current_password")
    assert User.objects.filter(pk=alice.pk).exists()


def test_ones_own_account_is_there_by_its_id_too(as_alice, alice):
    assert as_alice.get(address(alice)).json()["username"] == "alice"
    assert as_alice.patch(address(alice), {"first_name": "Alice"}).status_code == 200
    assert as_alice.delete(address(alice), {"current_password": PASSWORD}).status_code == 204


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
@pytest.mark.parametrize("who", ["alice", "admin"])
@pytest.mark.parametrize("whose", ["bob", "root"])
def test_the_accounts_of_others_are_closed(request, who, whose, method):
    client, account = client_of(request.getfixturevalue(who)), request.getfixturevalue(whose)
    before = User.objects.values().get(pk=account.pk)
    body = {"username": "taken-over", "email": "x@example.org", "current_password": PASSWORD}
    answer = client.get(address(account)) if method == "get" else send_json(client, method, address(account), body)

    assert_flat_error(answer, 403, code="permission_denied")
    assert User.objects.values().get(pk=account.pk) == before


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nobody_without_a_token_reaches_an_account(anonymous, alice, method):
    assert_flat_error(getattr(anonymous, method)(address(alice)), 401, code="not_authenticated")
    assert User.objects.filter(username="alice").exists()


@pytest.mark.parametrize("key", ["0", "999999", "9" * 19, "9" * 40, "x", "-1", "1.5", "٣"])
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_an_account_that_is_not_there_is_a_404(as_root, method, key):
    body = {"current_password": PASSWORD}
    answer = as_root.get(f"{LIST}{key}/") if method == "get" else send_json(as_root, method, f"{LIST}{key}/", body)

    assert_flat_error(answer, 404, code="not_found")


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize(
    "path",
    [
        "users/activation/",
        "users/resend_activation/",
        "users/set_username/",
        "users/reset_username/",
        "users/reset_username_confirm/",
    ],
)
def test_what_has_no_use_here_is_not_there(as_root, method, path):
    assert_flat_error(getattr(as_root, method)(f"/api/auth/{path}"), 404, code="not_found")
