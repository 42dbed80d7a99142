"""POST /api/auth/users/."""

import pytest
from django.contrib.auth.models import User

from core.models import UserProfile
from core.tests.support.bodies import NO_OBJECTS, post_json
from core.tests.support.clients import client_of
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD, make_user

URL = "/api/auth/users/"


def body(**more):
    """What a newcomer sends, with these fields added or replaced; None takes one out."""
    fields = {"username": "carla", "email": "carla@example.org", "password": PASSWORD, **more}
    return {name: value for name, value in fields.items() if value is not None}


def test_anybody_registers(anonymous):
    answer = anonymous.post(URL, body(first_name="Carla", last_name="Columna"))

    carla = User.objects.get()
    assert answer.status_code == 201, answer.json()
    assert answer.json() == {
        "id": carla.pk,
        "username": "carla",
        "email": "carla@example.org",
        "first_name": "Carla",
        "last_name": "Columna",
    }
    assert carla.check_password(PASSWORD)
    assert carla.is_active
    assert UserProfile.objects.get().user == carla


def test_the_names_may_be_left_out(anonymous):
    answer = anonymous.post(URL, body())

    assert answer.status_code == 201, answer.json()
    assert answer.json() == {
        "id": User.objects.get().pk,
        "username": "carla",
        "email": "carla@example.org",
        "first_name": "",
        "last_name": "",
    }


def test_a_form_registers_too(anonymous):
    answer = anonymous.post(URL, body(), format="multipart")

    assert answer.status_code == 201, answer.json()


def test_nobody_registers_as_more_than_a_user(anonymous):
    flags = {"is_staff": True, "is_active": False, "id": 77, "profile_picture": None}
    answer = anonymous.post(URL, body(**flags))

    carla = User.objects.get()
    assert answer.status_code == 201, answer.json()
    assert (carla.is_staff, carla.is_superuser, carla.is_active) == (False, False, True)
    assert carla.pk != 77


def test_an_address_is_stored_trimmed_and_in_lower_case(anonymous):
    answer = anonymous.post(URL, body(email="  Carla@Example.ORG "))

    assert answer.json()["email"] == "carla@example.org"
    assert User.objects.get().email == "carla@example.org"


def test_white_space_at_the_ends_of_a_password_is_kept(anonymous):
    anonymous.post(URL, body(password=f" {PASSWORD} "))

    carla = User.objects.get()
    assert carla.check_password(f" {PASSWORD} ")
    assert not carla.check_password(PASSWORD)


def test_a_password_may_have_128_characters(anonymous):
    answer = anonymous.post(URL, body(password="long" * 32))

    assert answer.status_code == 201, answer.json()


def test_a_stale_token_does_not_keep_anybody_from_registering(anonymous):
    anonymous.credentials(HTTP_AUTHORIZATION="Token of-yesterday")

    answer = anonymous.post(URL, body())

    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_what_is_missing_is_named(anonymous, field):
    answer = anonymous.post(URL, body(**{field: None}))

    assert_flat_error(answer, 400, field=field)
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["username", "email", "password"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param([], id="list"),
        pytest.param({}, id="object"),
        pytest.param(True, id="boolean"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param("a\x00b", id="NUL"),
        pytest.param("a" * 1_000_000, id="a million letters"),
    ],
)
def test_what_is_no_good_text_is_refused(anonymous, field, value):
    answer = post_json(anonymous, URL, body(**{field: value}))

    assert_flat_error(answer, 400, field=field)
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_null_is_refused(anonymous, field):
    answer = anonymous.post(URL, {**body(), field: None})

    assert_flat_error(answer, 400, field=field)
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.parametrize("value", ["\ud800", "a\x00b", "a" * 151], ids=["surrogate", "NUL", "too long"])
def test_a_bad_name_is_refused(anonymous, field, value):
    answer = post_json(anonymous, URL, body(**{field: value}))

    assert_flat_error(answer, 400, field=field)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("password", id="common"),
        pytest.param("12345678", id="digits"),
        pytest.param("x7-Kq2z", id="seven characters"),
        pytest.param("carla-200", id="like the user name"),
        pytest.param("carla@example.org", id="like the address"),
        pytest.param("p" * 129, id="129 characters"),
    ],
)
def test_a_weak_password_is_refused(anonymous, password):
    answer = anonymous.post(URL, body(password=password))

    said = assert_flat_error(answer, 400, field="password")
    assert set(said) == {"error", "code", "detail", "password"}
    assert not User.objects.exists()


@pytest.mark.parametrize("email", ["carla", "carla@", "@example.org", "a b@example.org", "c@example.org\nx"])
def test_what_is_no_address_is_refused(anonymous, email):
    answer = anonymous.post(URL, body(email=email))

    assert_flat_error(answer, 400, field="email")
    assert not User.objects.exists()


@pytest.mark.parametrize("username", ["two words", "a/b", "<b>", "a" * 151])
def test_what_is_no_user_name_is_refused(anonymous, username):
    answer = anonymous.post(URL, body(username=username))

    assert_flat_error(answer, 400, field="username")
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [
        pytest.param("carla", "carla", id="the same"),
        pytest.param("carla", "CARLA", id="capitals"),
        pytest.param("CaRLa", "cArlA", id="mixed"),
        pytest.param("carla", " carla ", id="spaces around"),
        pytest.param("carla", "ｃａｒｌａ", id="full width"),
        pytest.param("Änne", "äNNE", id="umlaut"),
        pytest.param("änne", "ÄNNE", id="umlaut the other way"),
        pytest.param("Жанна", "жАННА", id="Cyrillic"),
        pytest.param("ΟΔΟΣ", "ΟΔΟΣ", id="Greek, the same"),
        pytest.param("Οδός", "ΟΔΌΣ", id="Greek with a sigma at the end"),
        pytest.param("ΟΔΌΣ", "Οδός", id="Greek with a sigma at the end, the other way"),
    ],
)
def test_a_user_name_is_taken_whatever_its_case(anonymous, taken, wanted):
    make_user(taken, email="first@example.org")

    answer = anonymous.post(URL, body(username=wanted))

    said = assert_flat_error(answer, 400, field="username")
    assert said["username"] == ["A user with that username already exists."]
    assert User.objects.count() == 1


@pytest.mark.parametrize("name", ["a+b", "a.b", "a-b"])
def test_signs_in_a_name_stand_for_themselves(anonymous, name):
    make_user(name.replace("+", "a").replace(".", "x").replace("-", "y"), email="first@example.org")

    answer = anonymous.post(URL, body(username=name))

    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize("wanted", ["carla@example.org", "CARLA@Example.org", " carla@example.org "])
def test_an_address_is_taken_whatever_its_case(anonymous, wanted):
    make_user("first", email="Carla@example.org")

    answer = anonymous.post(URL, body(email=wanted))

    assert_flat_error(answer, 400, field="email")
    assert User.objects.count() == 1


def test_an_address_that_other_programs_stored_in_capitals_is_taken(anonymous):
    User.objects.bulk_create([User(username="first", email="CARLA@EXAMPLE.ORG")])

    answer = anonymous.post(URL, body())

    assert_flat_error(answer, 400, field="email")
    assert User.objects.count() == 1


def test_several_may_have_no_address(anonymous):
    make_user("first", email=" ")
    make_user("second", email=" ")

    assert set(User.objects.values_list("email", flat=True)) == {""}


def test_all_that_is_wrong_is_said_at_once(anonymous):
    answer = anonymous.post(URL, {})

    said = assert_flat_error(answer, 400)
    assert set(said) == {"error", "code", "detail", "username", "email", "password"}


@pytest.mark.parametrize("content", NO_OBJECTS, ids=repr)
def test_what_is_no_object_is_refused(anonymous, content):
    answer = post_json(anonymous, URL, content)

    assert_flat_error(answer, 400)
    assert not User.objects.exists()


def test_no_password_comes_back(anonymous):
    weak = anonymous.post(URL, body(password="carla-200"))
    good = anonymous.post(URL, body())

    assert "carla-200" not in weak.content.decode()
    assert PASSWORD not in good.content.decode()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_collection_knows_no_other_methods(as_root, method):
    assert_flat_error(getattr(as_root, method)(URL), 405, code="method_not_allowed")


def test_somebody_signed_in_may_register_another(alice):
    answer = client_of(alice).post(URL, body())

    assert answer.status_code == 201, answer.json()


@pytest.mark.parametrize(
    ("name", "status"),
    [
        pytest.param("\u0430lice", 400, id="a Cyrillic a"),
        pytest.param("p\u0430yp\u0430l", 400, id="two of them"),
        pytest.param("\u03a9mega", 400, id="a Greek letter"),
        pytest.param("\u0438\u0432\u0430\u043d", 201, id="Cyrillic alone"),
        pytest.param("\u03c0\u03b1\u03cd\u03bb\u03bf\u03c2", 201, id="Greek alone"),
        pytest.param("m\u00fcller.1", 201, id="Latin with a dot and a digit"),
        pytest.param("tanaka\u7530\u4e2d", 201, id="Latin beside Han"),
        pytest.param("\u7530\u4e2d\u305f\u306a\u304b", 201, id="Han beside Kana"),
        pytest.param("\uae40kim", 201, id="Hangul beside Latin"),
    ],
)
def test_a_name_imitates_no_other(anonymous, name, status):
    body = {"username": name, "email": "new@example.org", "password": PASSWORD}
    answer = anonymous.post("/api/auth/users/", body)
    assert answer.status_code == status
    if status == 400:
        assert_flat_error(answer, 400, field="username")
    assert User.objects.count() == (status == 201)
