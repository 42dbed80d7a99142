"""/api/profile/picture/ and /api/profile/picture/delete/."""

import json

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import UserProfile
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import text

URL = "/api/profile/picture/"
DELETE_URL = "/api/profile/picture/delete/"
PICTURE = "https://res.example.org/alice.png?size=200"


def picture_of(user: User) -> tuple[str | None, str | None]:
    return UserProfile.objects.values_list("profile_picture", "cloudinary_public_id").get(user=user)


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("form", ["json", "multipart"])
def test_a_picture_is_set_with_its_id(as_alice: APIClient, alice: User, method: str, form: str) -> None:
    answer = getattr(as_alice, method)(
        URL, {"profile_picture": PICTURE, "cloudinary_public_id": "people/alice"}, format=form
    )
    assert answer.status_code == 200, answer.json()
    assert answer.json() == {
        "profile_picture": PICTURE,
        "cloudinary_public_id": "people/alice",
        "updated_at": text(alice.profile.__class__.objects.get(user=alice).updated_at),
    }
    assert picture_of(alice) == (PICTURE, "people/alice")
    assert as_alice.get("/api/auth/users/me/").json()["profile_picture"] == PICTURE


@pytest.mark.parametrize("method", ["put", "patch"])
def test_the_id_is_optional(as_alice: APIClient, alice: User, method: str) -> None:
    answer = getattr(as_alice, method)(URL, {"profile_picture": PICTURE})
    assert answer.status_code == 200, answer.json()
    assert answer.json()["cloudinary_public_id"] is None
    assert picture_of(alice) == (PICTURE, None)


@pytest.mark.parametrize(("method", "kept"), [("put", None), ("patch", "people/alice")])
def test_an_id_that_is_not_sent_is_forgotten_by_put_and_kept_by_patch(
    as_alice: APIClient, alice: User, method: str, kept: str | None
) -> None:
    UserProfile.objects.filter(user=alice).update(profile_picture=PICTURE, cloudinary_public_id="people/alice")
    getattr(as_alice, method)(URL, {"profile_picture": "http://example.org/new.png"})
    assert picture_of(alice) == ("http://example.org/new.png", kept)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_missing_profile_is_created(as_alice: APIClient, alice: User, method: str) -> None:
    UserProfile.objects.all().delete()
    assert getattr(as_alice, method)(URL, {"profile_picture": PICTURE}).status_code == 200
    assert picture_of(alice) == (PICTURE, None)


def test_only_the_own_picture_is_set(as_alice: APIClient, bob: User) -> None:
    as_alice.put(URL, {"profile_picture": PICTURE, "user": bob.pk})
    assert picture_of(bob) == (None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("profile_picture", "http://example.org/" + "p" * 481, id="address of 500 characters"),
        pytest.param("profile_picture", "http://localhost:8000/a.png", id="http on a port"),
        pytest.param("cloudinary_public_id", "c" * 255, id="id of 255 characters"),
        pytest.param("cloudinary_public_id", None, id="id null"),
    ],
)
def test_what_fits_is_kept(as_alice: APIClient, alice: User, field: str, value: object) -> None:
    answer = as_alice.put(URL, {"profile_picture": PICTURE, field: value})
    assert answer.status_code == 200, answer.json()
    assert answer.json()[field] == UserProfile.objects.values_list(field, flat=True).get(user=alice) == value


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("profile_picture", "", id="address empty"),
        pytest.param("profile_picture", None, id="address null"),
        pytest.param("profile_picture", "ftp://example.org/a.png", id="address by ftp"),
        pytest.param("profile_picture", "javascript:alert(1)", id="address a script"),
        pytest.param("profile_picture", "data:image/png;base64,AAAA", id="address with data"),
        pytest.param("profile_picture", "//example.org/a.png", id="address without scheme"),
        pytest.param("profile_picture", "alice.png", id="no address"),
        pytest.param("profile_picture", "http://example.org/" + "p" * 482, id="address of 501 characters"),
        pytest.param("profile_picture", "http://" + "p" * 900_000, id="address of 900000 characters"),
        pytest.param("profile_picture", "http://example.org/\0", id="address with NUL"),
        pytest.param("profile_picture", "http://example.org/\ud800", id="address with a lone surrogate"),
        pytest.param("profile_picture", 5, id="address a number"),
        pytest.param("profile_picture", [PICTURE], id="address a list"),
        pytest.param("cloudinary_public_id", "c" * 256, id="id of 256 characters"),
        pytest.param("cloudinary_public_id", "a\0", id="id with NUL"),
        pytest.param("cloudinary_public_id", ["a"], id="id a list"),
        pytest.param("cloudinary_public_id", True, id="id true"),
    ],
)
def test_what_cannot_be_meant_is_refused_on_its_field(
    as_alice: APIClient, alice: User, method: str, field: str, value: object
) -> None:
    sent = json.dumps({"profile_picture": PICTURE, field: value})
    assert_flat_error(getattr(as_alice, method)(URL, sent, content_type="application/json"), 400, field=field)
    assert picture_of(alice) == (None, None)


@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_address_is_needed(as_alice: APIClient, alice: User, method: str) -> None:
    answer = getattr(as_alice, method)(URL, {"cloudinary_public_id": "people/alice"})
    assert_flat_error(answer, 400, field="profile_picture")
    assert picture_of(alice) == (None, None)


def test_the_picture_is_deleted(as_alice: APIClient, alice: User) -> None:
    UserProfile.objects.filter(user=alice).update(profile_picture=PICTURE, cloudinary_public_id="people/alice")
    answer = as_alice.delete(DELETE_URL)
    assert answer.status_code == 200
    assert list(answer.json()) == ["message"]
    assert picture_of(alice) == (None, None)
    assert as_alice.get("/api/auth/users/me/").json()["profile_picture"] is None


def test_deleting_no_picture_is_fine(as_alice: APIClient, alice: User) -> None:
    assert as_alice.delete(DELETE_URL).status_code == 200
    UserProfile.objects.all().delete()
    assert as_alice.delete(DELETE_URL).status_code == 200


def test_only_the_own_picture_is_deleted(as_bob: APIClient, alice: User) -> None:
    UserProfile.objects.filter(user=alice).update(profile_picture=PICTURE, cloudinary_public_id="people/alice")
    as_bob.delete(DELETE_URL)
    assert picture_of(alice) == (PICTURE, "people/alice")


def test_nobody_sets_a_picture_without_a_token(anonymous: APIClient) -> None:
    assert_flat_error(anonymous.put(URL, {"profile_picture": PICTURE}), 401, "not_authenticated")
    assert_flat_error(anonymous.patch(URL, {"profile_picture": PICTURE}), 401, "not_authenticated")
    assert_flat_error(anonymous.delete(DELETE_URL), 401, "not_authenticated")


@pytest.mark.parametrize(
    ("method", "address"),
    [("get", URL), ("post", URL), ("delete", URL), ("get", DELETE_URL), ("post", DELETE_URL), ("put", DELETE_URL)],
)
def test_other_methods_are_not_allowed(as_alice: APIClient, method: str, address: str) -> None:
    assert_flat_error(getattr(as_alice, method)(address), 405, "method_not_allowed")
