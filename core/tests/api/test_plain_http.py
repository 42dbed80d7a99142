"""Calls by plain http, where the service is served by https."""

import re

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import booking_body, make_booking
from core.tests.support.routes import ROUTES

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True


def test_a_write_by_https_is_carried_out(as_alice: APIClient, room: Resource) -> None:
    assert as_alice.post("/api/bookings/", booking_body(room)).status_code == 201


def test_a_booking_by_plain_http_is_refused(as_alice: APIClient, room: Resource) -> None:
    answer = as_alice.post("/api/bookings/", booking_body(room), HTTP_X_FORWARDED_PROTO="http")
    body = assert_flat_error(answer, 403, "https_required")
    assert "https" in body["detail"]
    assert "Location" not in answer.headers
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    "path", sorted({re.sub(r"\(.+?\)", "1", path).replace("\\", "") for path, _ in ROUTES.values()})
)
def test_every_write_by_plain_http_is_refused(anonymous: APIClient, path: str) -> None:
    for method in WRITES:
        answer = anonymous.generic(method, f"/{path}", b"{}", "application/json", HTTP_X_FORWARDED_PROTO="http")
        assert_flat_error(answer, 403, "https_required")


def test_an_unknown_method_is_refused_as_a_write(anonymous: APIClient) -> None:
    answer = anonymous.generic("PURGE", "/api/resources/", HTTP_X_FORWARDED_PROTO="http")
    assert_flat_error(answer, 403, "https_required")


def test_a_deletion_by_plain_http_deletes_nothing(as_alice: APIClient, alice: object, room: Resource) -> None:
    booking = make_booking(alice, room)
    answer = as_alice.delete(f"/api/bookings/{booking.pk}/", HTTP_X_FORWARDED_PROTO="http")
    assert_flat_error(answer, 403, "https_required")
    booking.refresh_from_db()
    assert booking.status == "confirmed"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reads_are_redirected_to_https(anonymous: APIClient, method: str) -> None:
    answer = anonymous.generic(method, "/api/resources/?limit=1", HTTP_X_FORWARDED_PROTO="http")
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/api/resources/?limit=1")


def test_outside_the_api_a_write_is_redirected(anonymous: APIClient) -> None:
    answer = anonymous.post("/admin/login/", HTTP_X_FORWARDED_PROTO="http")
    assert answer.status_code == 301


def test_the_app_can_read_the_refusal(anonymous: APIClient) -> None:
    origin = django_settings.FRONTEND_URL
    answer = anonymous.post("/api/bookings/", {}, HTTP_X_FORWARDED_PROTO="http", HTTP_ORIGIN=origin)
    assert_flat_error(answer, 403, "https_required")
    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_a_service_without_https_takes_writes(as_alice: APIClient, room: Resource, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
    answer = as_alice.post("/api/bookings/", booking_body(room), HTTP_X_FORWARDED_PROTO="http")
    assert answer.status_code == 201
