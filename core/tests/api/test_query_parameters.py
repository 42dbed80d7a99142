"""Query strings and addresses, whatever they are of: nothing is silently ignored, nothing is a server error."""

import re
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.urls import get_resolver
from rest_framework.test import APIClient

from core.api.views import ApiView
from core.models import Resource
from core.tests.support.closures import make_closure
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, make_booking, text
from core.tests.support.routes import ROUTES, leaves
from core.tests.support.series import make_series

START, END = "{start}", "{end}"
WINDOW = f"start={START}&end={END}"


def filled(address: str, **more: object) -> str:
    """The address with the moments of tomorrow in it."""
    return address.format(start=quote(text(at(10))), end=quote(text(at(12))), **more)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/api/bookings/", "search", "a"),
        ("/api/bookings/", "resource", "1"),
        ("/api/bookings/", "start_after", START),
        ("/api/bookings/", "ordering", "created_at"),
        ("/api/bookings/", "limit", "5"),
        ("/api/bookings/", "format", "json"),
        ("/api/resources/", "start", START),
        ("/api/resources/{room}/availability/", "start", START),
        ("/api/resources/{room}/slots/", "limit", "5"),
        ("/api/availability/", "duration", "30"),
        ("/api/calendar-feeds/", "limit", "5"),
        ("/api/closures/", "resource", "1"),
        ("/api/series/", "user", "1"),
    ],
)
def test_a_parameter_of_one_value_is_refused_when_it_comes_twice(
    as_alice: APIClient, room: Resource, path: str, name: str, value: str
) -> None:
    answer = as_alice.get(filled(f"{path}?{name}={value}&{name}={value}", room=room.pk))
    assert assert_flat_error(answer, 400, field=name)[name] == ["This parameter takes one value. Send it once."]


def test_a_parameter_of_several_values_may_come_twice(as_alice: APIClient) -> None:
    assert as_alice.get("/api/bookings/?status=pending&status=confirmed").status_code == 200


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (
            "/api/bookings/",
            "resource status start_after start_before end_after end_before upcoming user series ordering limit cursor "
            "count format",
        ),
        ("/api/resources/", "start end available min_capacity include ordering limit cursor count"),
        ("/api/resources/{room}/", "start end include"),
        ("/api/resources/{room}/availability/", "start end"),
        ("/api/resources/{room}/slots/", "start end duration step timezone limit cursor"),
        ("/api/availability/", "start end duration min_capacity limit"),
        ("/api/bookings/1/history/", "limit cursor count"),
        ("/api/calendar-feeds/", "limit cursor count"),
        ("/api/closures/", "start end resource upcoming limit cursor count"),
        ("/api/series/", "resource user upcoming limit cursor count"),
    ],
    ids=lambda value: value if value.startswith("/") else "",
)
def test_a_parameter_without_a_value_is_refused(as_admin: APIClient, room: Resource, path: str, names: str) -> None:
    for name in names.split():
        assert_flat_error(as_admin.get(path.format(room=room.pk), {name: ""}), 400, "invalid", name)


def test_an_empty_status_is_refused_beside_a_good_one(as_alice: APIClient) -> None:
    assert_flat_error(as_alice.get("/api/bookings/?status=&status=confirmed"), 400, "invalid", "status")


def test_a_search_for_nothing_finds_everything(as_alice: APIClient, room: Resource) -> None:
    assert [row["id"] for row in as_alice.get("/api/resources/?search=").json()] == [room.pk]


@pytest.mark.parametrize("query", ["available=true", "ordering=name", "limit=5", f"{WINDOW}&size=3", "start_after=x"])
def test_a_single_resource_knows_its_parameters(anonymous: APIClient, room: Resource, query: str) -> None:
    name = query.split("&")[-1].split("=")[0]
    body = assert_flat_error(anonymous.get(filled(f"/api/resources/{room.pk}/?{query}")), 400, "invalid", name)
    assert body[name] == ["There is no such parameter. There are: start, end, include, format."]
    whole = f"/api/resources/{room.pk}/?{WINDOW}&include=next_free&format=json"
    assert anonymous.get(filled(whole)).status_code == 200


@pytest.mark.parametrize("digits", [19, 20, 4_300, 4_301], ids=lambda digits: f"{digits} digits")
@pytest.mark.parametrize(
    "path",
    [
        "/api/bookings/{pk}/",
        "/api/bookings/{pk}/calendar.ics",
        "/api/series/{pk}/calendar.ics",
        "/api/bookings/{pk}/history/",
        "/api/resources/{pk}/",
        f"/api/resources/{{pk}}/availability/?{WINDOW}",
        f"/api/resources/{{pk}}/slots/?{WINDOW}&duration=30",
        "/api/calendar-feeds/{pk}/",
        "/api/closures/{pk}/",
        "/api/series/{pk}/",
        "/api/series/{pk}/dates/",
        "/api/auth/users/{pk}/",
    ],
)
def test_an_id_that_is_too_large_is_that_of_nothing(as_root: APIClient, path: str, digits: int) -> None:
    assert_flat_error(as_root.get(filled(path, pk="9" * digits)), 404)


@pytest.mark.parametrize("query", ["page=2", "search=alice", "limit=1&limit=2"])
def test_the_list_of_accounts_knows_its_parameters(as_root: APIClient, query: str) -> None:
    assert_flat_error(as_root.get(f"/api/auth/users/?{query}"), 400, field=query.split("=")[0])
    assert as_root.get("/api/auth/users/?limit=1&count=true").status_code == 200


READ = [name for name, (_, methods) in ROUTES.items() if "get" in methods.split()]


@pytest.mark.parametrize("name", READ)
def test_every_get_refuses_what_it_does_not_know_by_name(
    as_root: APIClient, root: User, room: Resource, name: str
) -> None:
    ids = {"resource": room.pk, "user": root.pk, "booking": make_booking(root, room).pk}
    ids["closure"] = make_closure(root, room, start=at(14)).pk
    ids["series"] = make_series(as_root, room, start=at(18))["id"]
    ids["calendar-feed"] = as_root.post("/api/calendar-feeds/", {}).json()["id"]
    known = ids.get(name.rsplit("-", 1)[0], 0)
    address = "/" + re.sub(r"\(\?P<\w+>[^)]*\)", str(known), ROUTES[name][0]).replace("\\", "")
    for query in ("surprise=1", "surprise=", "surprise=1&surprise=2"):
        body = assert_flat_error(as_root.get(f"{address}?{query}"), 400, "invalid", "surprise")
        assert body["surprise"][0].startswith("There is no such parameter. There are: ")


def test_every_view_declares_its_parameters_its_cache_rule_and_its_limits() -> None:
    views = [pattern.callback.cls for _, pattern in leaves(get_resolver().url_patterns)]
    assert len(views) == len(ROUTES)
    assert [view.__name__ for view in views if not issubclass(view, ApiView)] == []


def test_a_method_that_is_not_there_is_refused_whatever_its_parameters_are(as_alice: APIClient) -> None:
    assert_flat_error(as_alice.get("/api/bookings/check/?scope=all"), 405)
