"""`has_terms` and `buffer_reach_minutes` of a resource are right whichever way writes its rules."""

from collections.abc import Callable
from datetime import date, time

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from rest_framework.test import APIClient

from core.models import OpeningException, OpeningHours, Quota, Resource, ResourcePolicy
from core.policies.writing import TABLES
from core.tests.support.factories import make_resource
from core.tests.support.rules import add_exception, add_quota, day_of, set_hours, set_policy

DAY = date(2031, 1, 1)
MAKERS: dict[str, Callable[[Resource], Model]] = {
    "policy": lambda resource: ResourcePolicy.objects.create(resource=resource, max_minutes=60),
    "hours": lambda resource: OpeningHours.objects.create(resource=resource, weekday=1, opens=time(9), closes=time(17)),
    "exception": lambda resource: OpeningException.objects.create(resource=resource, first_day=DAY, last_day=DAY),
    "quota": lambda resource: Quota.objects.create(resource=resource, kind="active", limit=1),
}
every_table = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def has_terms(resource: Resource) -> bool:
    return Resource.objects.values_list("has_terms", flat=True).get(pk=resource.pk)


@every_table
def test_a_row_by_the_orm_sets_the_flag_and_its_deletion_takes_it_away(
    room: Resource, lab: Resource, make: Callable[[Resource], Model]
) -> None:
    row = make(room)
    assert (has_terms(room), has_terms(lab)) == (True, False)
    row.delete()
    assert not has_terms(room)


@every_table
def test_the_flag_stays_while_another_rule_is_there(room: Resource, make: Callable[[Resource], Model]) -> None:
    row = make(room)
    others = [other(room) for other in MAKERS.values() if other is not make]
    row.delete()
    assert has_terms(room)
    for other in others:
        assert has_terms(room)
        type(other)._default_manager.filter(pk=other.pk).delete()
    assert not has_terms(room)


def test_a_policy_by_the_orm_sets_the_reach_of_buffers(room: Resource) -> None:
    for before, after, reach in ((10, None, 10), (None, 45, 45), (5, 5, 5)):
        policy = ResourcePolicy(resource=room, buffer_before_minutes=before, buffer_after_minutes=after)
        policy.save()
        room.refresh_from_db()
        assert room.buffer_reach_minutes == reach


def test_the_flag_is_right_after_a_group_with_quotas_is_deleted(room: Resource, lab: Resource) -> None:
    group = Group.objects.create(name="Guests")
    for resource in (lab, room):
        Quota.objects.create(resource=resource, kind="active", limit=1, group=group)
    Quota.objects.create(kind="active", limit=1, group=group)
    MAKERS["hours"](lab)
    Group.objects.all().delete()
    assert not Quota.objects.exists()
    assert (has_terms(room), has_terms(lab)) == (False, True)


def test_a_resource_goes_with_all_its_rules(as_admin: APIClient) -> None:
    resource = make_resource("Desk")
    set_policy(as_admin, resource, max_minutes=60)
    set_hours(as_admin, resource, ("09:00", "17:00"))
    add_exception(as_admin, resource, day_of(3))
    add_quota(as_admin, resource=resource.pk, kind="active", limit=1)
    assert as_admin.delete(f"/api/resources/{resource.pk}/").status_code == 204
    assert [table.__name__ for table in TABLES if table.objects.exists()] == []
