"""Who may keep an answer."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.factories import PASSWORD

PUBLIC = "public, max-age=0, must-revalidate"
PRIVATE = "private, no-cache"


@pytest.mark.parametrize("path", ["/api/resources/", "/api/resources/{room}/", "/api/resources/{room}/availability/"])
def test_resources_are_public_where_they_are_shown_to_everybody(
    anonymous: APIClient, as_alice: APIClient, room: Resource, path: str
) -> None:
    url = path.format(room=room.pk)
    assert anonymous.get(url).headers["Cache-Control"] == PUBLIC
    assert as_alice.get(url).headers["Cache-Control"] == PRIVATE


@pytest.mark.parametrize("path", ["/api/bookings/", "/api/auth/users/me/"])
def test_what_belongs_to_a_person_is_private(anonymous: APIClient, as_alice: APIClient, path: str) -> None:
    assert as_alice.get(path).headers["Cache-Control"] == PRIVATE
    assert anonymous.get(path).headers["Cache-Control"] == PRIVATE


def test_a_304_says_the_same_as_the_200(anonymous: APIClient, room: Resource) -> None:
    first = anonymous.get("/api/resources/")
    again = anonymous.get("/api/resources/", HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert again.status_code == 304
    assert again.headers["Cache-Control"] == PUBLIC
    assert again.headers["Vary"] == first.headers["Vary"]


def test_tokens_are_kept_by_nobody(anonymous: APIClient, alice: User) -> None:
    sign_in = {"username": "alice", "password": PASSWORD}
    for path in ("/api/auth/token/login/", "/api/auth/jwt/create/"):
        answer = anonymous.post(path, sign_in)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"


def test_answers_differ_by_who_asks(anonymous: APIClient, room: Resource) -> None:
    vary = {name.strip().lower() for name in anonymous.get("/api/resources/").headers["Vary"].split(",")}
    assert {"authorization", "cookie", "accept", "origin"} <= vary


def test_errors_are_kept_by_nobody_else(anonymous: APIClient) -> None:
    assert anonymous.get("/api/resources/999/").headers["Cache-Control"] == PRIVATE
