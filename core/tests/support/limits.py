"""Calling from an address, and what a limited call is answered with."""

from rest_framework.test import APIClient

from core.tests.support.errors import assert_flat_error

LOGIN = "/api/auth/token/login/"
JWT = "/api/auth/jwt/create/"
ADMIN = "/admin/login/"
REGISTER = "/api/auth/users/"
RESET = "/api/auth/users/reset_password/"
ME = "/api/auth/users/me/"
RESOURCES = "/api/resources/"


def at_address(address, *, forwarded=None):
    """A client that calls from there."""
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return APIClient(REMOTE_ADDR=address, HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False, **more)


def sign_in(client, path=LOGIN, username="alice", password="wrong"):
    return client.post(
        path, {"username": username, "password": password}, format=None if path != ADMIN else "multipart"
    )


def assert_limited(answer, seconds=60):
    """A flat 429 that says when to come back."""
    body = assert_flat_error(answer, 429, code="throttled")
    assert 1 <= int(answer.headers["Retry-After"]) <= seconds
    assert answer.headers["Retry-After"] in body["detail"]
