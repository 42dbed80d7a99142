"""Quotas over the API: staff keep them, and everybody reads what is left of their own."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from core.models import Quota, Resource
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import (
    at,
    make_booking,
    make_cancelled_booking,
    make_ended_booking,
    make_resource,
    text,
)
from core.tests.support.rules import add_quota

QUOTAS = "/api/quotas/"
MINE = "/api/profile/quotas/"


def test_staff_keep_quotas(as_admin: APIClient, room: Resource) -> None:
    group = Group.objects.create(name="Guests")
    made = as_admin.post(
        QUOTAS, {"group": group.pk, "resource": room.pk, "kind": "count", "period": "week", "limit": 3}
    )
    shown = {
        "id": made.json()["id"],
        "group": group.pk,
        "resource": room.pk,
        "kind": "count",
        "period": "week",
        "limit": 3,
    }
    assert (made.status_code, made.json()) == (201, shown)
    found = as_admin.get(made.headers["Location"])
    assert (found.json(), found.headers["ETag"]) == (shown, made.headers["ETag"])
    assert as_admin.get(QUOTAS).json() == [shown]
    changed = as_admin.patch(made.headers["Location"], {"group": None, "kind": "active", "period": None})
    assert changed.json() == {**shown, "group": None, "kind": "active", "period": None}
    assert as_admin.delete(made.headers["Location"]).status_code == 204
    assert_flat_error(as_admin.get(made.headers["Location"]), 404)


def test_a_form_makes_a_quota(as_admin: APIClient) -> None:
    sent = {"group": "", "resource": "", "kind": "active", "period": "", "limit": "2"}
    answer = as_admin.post(QUOTAS, sent, format="multipart")
    assert (answer.status_code, answer.json()["group"], answer.json()["period"]) == (201, None, None)


def test_a_quota_that_moves_takes_the_flag_along(as_admin: APIClient, room: Resource, lab: Resource) -> None:
    address = f"{QUOTAS}{add_quota(as_admin, resource=room.pk, kind='active', limit=1)['id']}/"
    for whose, flags in ((lab.pk, (False, True)), (None, (False, False)), (room.pk, (True, False))):
        assert as_admin.patch(address, {"resource": whose}).status_code == 200
        room.refresh_from_db()
        lab.refresh_from_db()
        assert (room.has_terms, lab.has_terms) == flags


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"kind": "actives"}, "invalid", "kind"),
        ({"kind": "active", "period": "day"}, "invalid", "period"),
        ({"period": None}, "invalid", "period"),
        ({"period": "year"}, "invalid", "period"),
        ({"limit": 0}, "invalid", "limit"),
        ({"limit": 1_000_001}, "invalid", "limit"),
        ({"limit": None}, "invalid", "limit"),
        ({"resource": 999_999}, "resource_missing", "resource"),
        ({"resource": "x"}, "invalid", "resource"),
        ({"group": 999_999}, "group_missing", "group"),
        ({"user": 1}, "invalid", "user"),
    ],
    ids=str,
)
def test_a_wrong_quota_is_refused(as_admin: APIClient, values: dict[str, Any], code: str, field: str) -> None:
    body = {"kind": "count", "period": "day", "limit": 1, **values}
    assert_flat_error(as_admin.post(QUOTAS, body), 400, code, field)
    assert not Quota.objects.exists()
    address = f"{QUOTAS}{add_quota(as_admin, kind='count', period='day', limit=1)['id']}/"
    assert_flat_error(as_admin.patch(address, values), 400, code, field)
    assert Quota.objects.values_list("kind", "period", "limit", "resource", "group").get() == (
        "count",
        "day",
        1,
        None,
        None,
    )


def test_a_stale_quota_is_refused(as_admin: APIClient) -> None:
    address = f"{QUOTAS}{add_quota(as_admin, kind='active', limit=1)['id']}/"
    tag = as_admin.get(address).headers["ETag"]
    assert as_admin.patch(address, {"limit": 2}, headers={"if-match": tag}).status_code == 200
    for method in ("patch", "delete"):
        answer = getattr(as_admin, method)(address, {"limit": 3}, headers={"if-match": tag})
        assert assert_flat_error(answer, 412, "precondition_failed")["current"]["limit"] == 2


def test_nobody_but_staff_sees_them(as_alice: APIClient, anonymous: APIClient, as_admin: APIClient) -> None:
    address = f"{QUOTAS}{add_quota(as_admin, kind='active', limit=1)['id']}/"
    for client, status in ((anonymous, 401), (as_alice, 403)):
        for method, path in (
            ("get", QUOTAS),
            ("post", QUOTAS),
            ("get", address),
            ("patch", address),
            ("delete", address),
        ):
            assert_flat_error(getattr(client, method)(path, {}), status)
    assert Quota.objects.exists()


def test_quotas_come_in_pages(as_admin: APIClient) -> None:
    ids = [add_quota(as_admin, kind="active", limit=limit)["id"] for limit in (3, 4, 5)]
    answer = as_admin.get(QUOTAS, {"limit": 2})
    assert [each["id"] for each in answer.json()] == ids[:2]
    assert 'rel="next"' in answer.headers["Link"]


# --- What is left -----------------------------------------------------------------------------------------------------


def mine(client: APIClient) -> list[tuple]:
    answer = client.get(MINE)
    assert answer.status_code == 200, answer.json()
    names = ("kind", "period", "resource", "limit", "used", "left", "frees_at")
    return [tuple(each[name] for name in names) for each in answer.json()]


def test_the_caller_reads_what_is_used_and_left(
    as_admin: APIClient, as_alice: APIClient, alice: User, bob: User, room: Resource, lab: Resource
) -> None:
    add_quota(as_admin, kind="active", limit=2)
    add_quota(as_admin, kind="active", limit=2, resource=lab.pk)
    assert mine(as_alice) == [("active", None, None, 2, 0, 2, None), ("active", None, lab.pk, 2, 0, 2, None)]
    make_booking(alice, room)
    make_booking(alice, lab, at(20), status="pending")
    for not_counted in (make_booking(bob, room, at(12)), make_cancelled_booking(alice, room, at(13))):
        assert not_counted.pk
    make_ended_booking(alice, room)
    assert mine(as_alice) == [("active", None, None, 2, 2, 0, text(at(11))), ("active", None, lab.pk, 2, 1, 1, None)]


def test_only_the_quotas_of_the_callers_groups_are_shown(
    as_admin: APIClient, as_alice: APIClient, as_bob: APIClient, alice: User
) -> None:
    guests = Group.objects.create(name="Guests")
    alice.groups.add(guests)
    add_quota(as_admin, kind="active", limit=5, group=guests.pk)
    assert (len(mine(as_alice)), mine(as_bob)) == (1, [])


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_period_is_one_of_the_resources_own_clock(
    as_admin: APIClient, as_alice: APIClient, alice: User, zone: str
) -> None:
    far = make_resource("Far", time_zone=zone)
    add_quota(as_admin, kind="count", period="day", limit=1, resource=far.pk)
    now = timezone.now().astimezone(ZoneInfo(zone))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    make_booking(alice, far, midnight, midnight + timedelta(minutes=30))
    make_booking(alice, far, midnight - timedelta(hours=1), midnight)
    ((*_, used, left, frees_at),) = mine(as_alice)
    assert (used, left) == (1, 0)
    assert frees_at == text((midnight + timedelta(days=1)).astimezone(at(0).tzinfo))


def test_minutes_are_rounded_up_and_count_in_the_day_they_lie_in(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource
) -> None:
    today = at(0, day=0)
    add_quota(as_admin, kind="minutes", period="day", limit=90)
    start_of_today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    assert today - start_of_today in (timedelta(0), timedelta(days=1))
    make_booking(alice, room, start_of_today - timedelta(hours=1), start_of_today + timedelta(minutes=30, seconds=1))
    assert mine(as_alice) == [("minutes", "day", None, 90, 31, 59, None)]


def test_a_quota_of_all_has_the_clock_of_the_house(
    as_admin: APIClient, as_alice: APIClient, alice: User, room: Resource, settings: Settings
) -> None:
    settings.HOUSE_TIME_ZONE = "Pacific/Kiritimati"
    add_quota(as_admin, kind="count", period="day", limit=1)
    midnight = (timezone.now() + timedelta(hours=14)).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        hours=14
    )
    make_booking(alice, room, midnight, midnight + timedelta(minutes=1))
    ((*_, used, left, frees_at),) = mine(as_alice)
    assert (used, left, frees_at) == (1, 0, text(midnight + timedelta(days=1)))


@pytest.mark.parametrize("number", [1, 20])
def test_what_is_left_is_three_statements(
    as_admin: APIClient,
    as_alice: APIClient,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    number: int,
) -> None:
    for index in range(number):
        resource = make_resource(f"Desk {index}")
        add_quota(as_admin, kind="active", limit=1, resource=resource.pk)
        make_booking(alice, resource)
    with django_assert_num_queries(3):
        assert len(mine(as_alice)) == number


def test_whoever_is_not_signed_in_has_no_quotas(anonymous: APIClient) -> None:
    assert_flat_error(anonymous.get(MINE), 401)
