"""HEAD, OPTIONS, `Allow`, `Vary` and `Location`, as HTTP (RFC 9110) has them."""

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.closures import closure_body, make_closure
from core.tests.support.factories import PASSWORD, at, booking_body, make_booking
from core.tests.support.routes import ROUTES
from core.tests.support.rules import add_exception, add_quota, day_of
from core.tests.support.series import make_series, series_body

QUERIES = {
    "resource-timelines": "?start=2030-01-31T00:00:00Z&end=2030-02-01T00:00:00Z",
    "resource-open": "?start=2030-01-31T00:00:00Z&end=2030-02-01T00:00:00Z",
    "availability": "?start=2030-01-31T00:00:00Z&end=2030-02-01T00:00:00Z&duration=60",
    "utilisation": "?from=2030-01-01&to=2030-01-31&by=resource",
    "resource-slots": "?start=2030-01-31T00:00:00Z&end=2030-02-01T00:00:00Z&duration=60",
}
READ = [name for name, (_, methods) in ROUTES.items() if "get" in methods.split()]


def path_of(name: str, key: int, resource: int = 1) -> str:
    address = ROUTES[name][0].replace("(?P<resource_id>[0-9]+)", str(resource))
    return "/" + re.sub(r"\(\?P<\w+>\[0-9\]\+\)", str(key), address).replace("\\", "")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROUTES)
def test_allow_names_the_methods(as_root: APIClient, name: str) -> None:
    path, (_, methods) = path_of(name, 1), ROUTES[name]
    expected = {method.upper() for method in methods.split()} | {"OPTIONS"}
    expected |= {"HEAD"} if "get" in methods.split() else set()
    answer = as_root.options(path)
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == expected
    refused = as_root.generic("PROPFIND", path)
    assert refused.status_code == 405
    assert set(refused.headers["Allow"].split(", ")) == expected


@pytest.mark.parametrize("name", READ)
def test_head_is_get_without_its_body(as_root: APIClient, name: str, root: User, room: Resource) -> None:
    things = {
        "booking": make_booking(root, room).pk,
        "resource-opening-exception-detail": add_exception(as_root, room, day_of(3))["id"],
        "opening-exception-detail": add_exception(as_root, None, day_of(3))["id"],
        "quota-detail": add_quota(as_root, kind="active", limit=9)["id"],
        "resource": room.pk,
        "user-detail": root.pk,
        "closure": make_closure(root, room, start=at(14)).pk,
        "series": make_series(as_root, room, start=at(18, day=9))["id"],
        "calendar": as_root.post("/api/calendar-feeds/", {}).json()["id"],
    }
    key = next((pk for kind, pk in things.items() if name.startswith(kind)), 1)
    path = path_of(name, key, room.pk) + QUERIES.get(name, "")
    read, asked = as_root.get(path), as_root.head(path)
    assert read.status_code == asked.status_code == 200
    assert asked.content == b""
    for header in ("Content-Type", "Content-Length", "ETag", "Vary", "Cache-Control", "Link"):
        assert asked.headers.get(header) == read.headers.get(header), header
    varies = {word.strip().lower() for word in read.headers["Vary"].split(",")}
    assert {"accept", "authorization", "cookie"} <= varies


def test_a_301_leads_a_reader_to_the_address_with_its_slash(anonymous: APIClient) -> None:
    answer = anonymous.get("/api/resources?search=x")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/resources/?search=x")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("/api/bookings/", "booking", id="a booking"),
        pytest.param("/api/resources/", "resource", id="a resource"),
        pytest.param("/api/calendar-feeds/", "feed", id="a calendar feed"),
        pytest.param("/api/closures/", "closure", id="a closure"),
        pytest.param("/api/series/", "series", id="a series"),
        pytest.param("/api/auth/users/", "user", id="an account"),
        pytest.param("/api/quotas/", "quota", id="a quota"),
        pytest.param("/api/opening-exceptions/", "exception", id="an exception"),
    ],
)
def test_a_201_says_where_it_can_be_read(as_root: APIClient, room: Resource, path: str, kind: str) -> None:
    bodies = {
        "booking": booking_body(room),
        "resource": {"name": "Desk"},
        "feed": {},
        "closure": closure_body(room),
        "series": series_body(room),
        "quota": {"kind": "active", "limit": 2},
        "exception": {"first_day": str(day_of(3)), "last_day": str(day_of(3))},
        "user": {"username": "carol", "email": "carol@example.org", "password": PASSWORD},
    }
    answer = as_root.post(path, bodies[kind])
    assert answer.status_code == 201
    assert urlsplit(answer.headers["Location"]).path == f"{path}{answer.json()['id']}/"
    assert as_root.get(answer.headers["Location"]).json()["id"] == answer.json()["id"]
