"""Calls that are refused, for whatever reason, count like all others, once."""

import pytest

from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import PASSWORD
from core.tests.support.limits import JWT, LOGIN, ME, REGISTER, RESOURCES, assert_limited, at_address, sign_in


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Token 0123456789abcdef", id="wrong token"),
        pytest.param("JWT wrong.wrong.wrong", id="wrong JSON Web Token"),
        pytest.param("Token", id="malformed"),
        pytest.param(None, id="none"),
    ],
)
def test_wrong_tokens_are_counted_by_address(limit, db, method, header):
    limit(anonymous="2/min")
    client = at_address("192.0.2.1")
    if header:
        client.credentials(HTTP_AUTHORIZATION=header)
    call = getattr(client, method)

    assert [call("/api/bookings/1/").status_code for _ in range(2)] == [401, 401]
    assert_limited(call("/api/bookings/1/"))
    assert_limited(at_address("192.0.2.1").get(RESOURCES))
    assert at_address("192.0.2.2").get(RESOURCES).status_code == 200


def test_a_refused_call_says_what_is_left_and_how_to_sign_in(limit, db):
    limit(anonymous="2/min")

    answer = at_address("192.0.2.1").get("/api/bookings/")

    assert_flat_error(answer, 401, code="not_authenticated")
    assert answer.headers["RateLimit"].startswith('"anonymous";r=1;')
    assert answer.headers["WWW-Authenticate"]


def test_what_a_user_may_not_do_is_counted_by_user(limit, as_alice):
    limit(user="2/min", anonymous="1/min")
    calls = [as_alice.post(RESOURCES, {"name": "Mine"}) for _ in range(3)]

    assert [answer.status_code for answer in calls] == [403, 403, 429]
    assert_limited(as_alice.get(RESOURCES))


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", f"{REGISTER}set_password/"), ("delete", ME), ("delete", f"{REGISTER}1/")],
    ids=["set_password", "delete me", "delete an account"],
)
def test_a_guess_without_a_token_is_no_sign_in(limit, alice, method, path):
    limit(sign_in="1/min", anonymous="2/min")
    client = at_address("192.0.2.1")

    answers = [getattr(client, method)(path, {"current_password": "wrong"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert sign_in(client, password=PASSWORD).status_code == 200


@pytest.mark.parametrize("path", [RESOURCES, ME, "/api/bookings/"])
def test_nothing_counts_twice(limit, as_alice, path):
    limit(user="9/min", sign_in="9/min")

    answer = as_alice.delete(path, {"current_password": "wrong"})

    assert answer.headers["RateLimit"].split(";")[1] == "r=8"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", [LOGIN, JWT, REGISTER])
def test_a_wrong_method_takes_no_sign_in_and_counts_like_any_other_call(limit, alice, path, method):
    limit(sign_in="1/min", registration="1/min", anonymous="2/min")
    client = at_address("192.0.2.1")

    answers = [getattr(client, method)(path, {"username": "alice"}) for _ in range(3)]

    assert not any(answer.status_code == 429 for answer in answers[:2])
    assert_limited(answers[2])
    assert sign_in(client, password=PASSWORD).status_code == 200


def test_a_wrong_method_where_accounts_are_made_is_no_guess(limit, as_root, root):
    limit(sign_in="1/min")

    assert {as_root.delete(REGISTER).status_code for _ in range(3)} == {405}
    assert sign_in(at_address("192.0.2.1"), username="root", password=PASSWORD).status_code == 200


def test_a_wrong_json_web_token_sign_in_counts_once(limit, alice):
    limit(sign_in="9/min")

    assert sign_in(at_address("192.0.2.1"), JWT).headers["RateLimit"].split(";")[1] == "r=8"


# --- A format that does not exist -------------------------------------------------------------------------------------


def test_a_wrong_format_is_counted_by_address(limit, db):
    limit(anonymous="2/min")
    client = at_address("192.0.2.1")
    answers = [client.get(RESOURCES, {"format": "x"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0"]
    assert_limited(client.get(RESOURCES, {"format": "x"}))
    assert_limited(at_address("192.0.2.1").get(RESOURCES))
    assert at_address("192.0.2.2").get(RESOURCES).status_code == 200


def test_a_wrong_format_is_counted_by_user(limit, as_alice):
    limit(user="2/min", anonymous="1/min")

    assert [as_alice.get(f"{RESOURCES}?format=x").status_code for _ in range(3)] == [400, 400, 429]


def test_a_wrong_format_with_a_wrong_token_is_counted_by_address(limit, db):
    limit(anonymous="2/min")
    client = at_address("192.0.2.1")
    client.credentials(HTTP_AUTHORIZATION="Token 0123456789abcdef")

    assert [client.get(f"{RESOURCES}?format=x").status_code for _ in range(3)] == [400, 400, 429]


@pytest.mark.parametrize("body", ["{", '{"username": "alice"}'], ids=["malformed", "JSON"])
def test_a_wrong_format_at_the_sign_in_is_counted(limit, alice, body):
    limit(sign_in="2/min")
    client = at_address("192.0.2.1")
    answers = [client.post(f"{LOGIN}?format=x", body, content_type="application/json") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 429]
