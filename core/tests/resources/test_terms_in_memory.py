"""Terms that a process has read before cost no statement, and nobody sees terms that no longer hold."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core import terms
from core.models import OpeningException, OpeningHours, Quota, Resource, ResourcePolicy
from core.policies import writing
from core.tests.support.errors import assert_flat_error
from core.tests.support.factories import at, booking_body, make_resource
from core.tests.support.parallel import Rival, in_parallel
from core.tests.support.rules import add_exception, day_of, set_hours, set_policy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_in_memory() -> Iterator[None]:
    terms._kept.clear()
    yield
    terms._kept.clear()


def read(*resources: Resource, since: Any = None) -> tuple[list[terms.Terms], int]:
    """The terms of resources, and how many statements read them."""
    found = list(Resource.objects.with_house().filter(pk__in=[each.pk for each in resources]))
    with CaptureQueriesContext(connection) as captured:
        terms.attach_terms(found, since=since or at(0))
    return [each.terms for each in found], len(captured)


def test_the_second_look_costs_no_statement(as_admin: APIClient, room: Resource, lab: Resource) -> None:
    set_policy(as_admin, room, max_minutes=60)
    set_hours(as_admin, lab, ("09:00", "17:00"))
    terms._kept.clear()
    first, statements = read(room, lab)
    assert statements == 1
    assert read(room, lab) == (first, 0)


def test_an_older_question_reads_again(as_admin: APIClient, room: Resource) -> None:
    add_exception(as_admin, room, day_of(-20))
    terms._kept.clear()
    assert read(room)[0][0].timetable.closed_by(at(12, day=-20)) is None
    old, statements = read(room, since=at(0, day=-21))
    assert statements == 1
    assert old[0].timetable.closed_by(at(12, day=-20)) is not None
    assert read(room)[1] == 0


def test_the_zone_of_a_resource_counts_at_once(as_admin: APIClient, room: Resource) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    read(room)
    Resource.objects.filter(pk=room.pk).update(time_zone="Asia/Tokyo")
    assert read(room)[0][0].zone.key == "Asia/Tokyo"


def values(table: Any, resource: Resource | None) -> dict[str, Any]:
    """The columns of a row of rules."""
    columns: dict[Any, dict[str, Any]] = {
        ResourcePolicy: {"max_minutes": 60},
        OpeningHours: {"weekday": 1, "opens": "09:00", "closes": "17:00"},
        OpeningException: {"first_day": day_of(1), "last_day": day_of(1)},
        Quota: {"kind": "active", "limit": 3},
    }
    return {"resource": resource, **columns[table]}


CHANGES = {
    ResourcePolicy: {"max_minutes": 90},
    OpeningHours: {"closes": "18:00"},
    OpeningException: {"name": "Strike"},
    Quota: {"limit": 4},
}


def version_of(resource: Resource) -> int:
    """The version of the rules of a resource."""
    return Resource.objects.values_list("terms_version", flat=True).get(pk=resource.pk)


@pytest.mark.parametrize(
    ("table", "of_all"), [*((table, False) for table in CHANGES), (OpeningException, True), (Quota, True)]
)
def test_each_write_also_without_signals_gives_another_version(
    room: Resource, lab: Resource, table: Any, of_all: bool
) -> None:
    if of_all and table in (ResourcePolicy, OpeningHours):
        assert not table._meta.get_field("resource").null
        return
    whose = None if of_all else room
    seen = [(version_of(room), version_of(lab))]
    table.objects.bulk_create([table(**values(table, whose))])
    seen.append((version_of(room), version_of(lab)))
    table.objects.update(**CHANGES[table])
    seen.append((version_of(room), version_of(lab)))
    rows = table.objects.all()
    rows._raw_delete(rows.db)
    seen.append((version_of(room), version_of(lab)))
    assert len({of_room for of_room, _ in seen}) == 4
    assert len({of_lab for _, of_lab in seen}) == (4 if of_all else 1)


def test_a_row_of_rules_that_goes_to_another_resource_counts_for_both(room: Resource, lab: Resource) -> None:
    quota = Quota.objects.create(**values(Quota, room))
    before = version_of(room), version_of(lab)
    Quota.objects.filter(pk=quota.pk).update(resource=lab)
    assert version_of(room) != before[0]
    assert version_of(lab) != before[1]


def test_rules_written_by_sql_hold_at_the_next_request(
    as_admin: APIClient, anonymous: APIClient, room: Resource
) -> None:
    set_hours(as_admin, room, ("09:00", "17:00"))
    address = f"/api/resources/{room.pk}/open/?start={day_of(1)}T00:00:00Z&end={day_of(2)}T00:00:00Z"
    assert [span["end_time"][11:16] for span in anonymous.get(address).json()] == ["17:00"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_openinghours SET closes = '18:00'")
    assert [span["end_time"][11:16] for span in anonymous.get(address).json()] == ["18:00"]


def test_rules_that_were_rolled_back_are_forgotten(as_admin: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, max_minutes=60)
    read(room)
    with transaction.atomic():
        ResourcePolicy.objects.update(max_minutes=5)
        assert read(room)[0][0].policy.max_minutes == 5
        transaction.set_rollback(True)
    assert read(room)[0][0].policy.max_minutes == 60


@pytest.mark.django_db(transaction=True)
def test_readers_and_writers_at_the_same_moment_end_with_the_last_rules(as_admin: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, max_minutes=1000)

    def write(minutes: int) -> Callable[[], object]:
        return lambda: ResourcePolicy.objects.filter(pk=room.pk).update(max_minutes=minutes)

    for step in range(5):
        in_parallel([write(100 + step), lambda: read(room), write(200 + step), lambda: read(room)])
        assert read(room)[0][0].policy.max_minutes == ResourcePolicy.objects.get().max_minutes


def test_a_group_that_is_deleted_with_its_quota_counts(room: Resource, alice: User) -> None:
    group = Group.objects.create(name="Students")
    Quota.objects.create(**values(Quota, room), group=group)
    assert len(read(room)[0][0].quotas) == 1
    group.delete()
    assert read(room)[0][0].quotas == ()


def test_memory_has_a_bound(as_admin: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "MOST_KEPT", 2)
    resources = [make_resource(f"Room {number}") for number in range(5)]
    for each in resources:
        set_policy(as_admin, each, max_minutes=60)
        read(each)
    assert len(terms._kept) <= 3
    assert all(found.policy.max_minutes == 60 for found in read(*resources)[0])


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("of_all", [False, True], ids=["of one", "of all"])
def test_a_booking_that_waited_for_a_rule_obeys_it(
    as_admin: APIClient, as_alice: APIClient, room: Resource, of_all: bool
) -> None:
    """The rules that the process knows are those of a moment ago; the lock of the resource brings the new version."""
    set_policy(as_admin, room, max_minutes=600)
    add_exception(as_admin, None, day_of(9))
    assert as_alice.post("/api/bookings/check/", booking_body(room)).json() == {"ok": True}
    closed = {"first_day": day_of(1), "last_day": day_of(1), "name": "Strike", "hours": []}
    with transaction.atomic():
        writing.add_exception(None if of_all else room.pk, closed)
        rival = Rival(lambda: as_alice.post("/api/bookings/", booking_body(room)))
        rival.start()
        assert rival.waits()
    rival.join()
    assert_flat_error(rival.answer, 400, "closed")


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_resource_that_comes_beside_a_rule_of_all_obeys_it(as_admin: APIClient, as_alice: APIClient) -> None:
    """The rule gives a version to the resources that it sees; the new one waits until it is there."""
    add_exception(as_admin, None, day_of(9))
    make_resource("Old room")
    closed = {"first_day": day_of(1), "last_day": day_of(1), "name": "Strike", "hours": []}
    body = {"name": "New room", "requires_approval": False}
    with transaction.atomic():
        writing.add_exception(None, closed)
        rival = Rival(lambda: as_admin.post("/api/resources/", body))
        rival.start()
        assert rival.waits()
    rival.join()
    made = Resource.objects.get(pk=rival.answer.json()["id"])
    assert_flat_error(as_alice.post("/api/bookings/", booking_body(made)), 400, "closed")


@pytest.mark.only_on_postgresql
@pytest.mark.django_db(transaction=True)
def test_truncate_gives_another_version(as_admin: APIClient, room: Resource) -> None:
    set_policy(as_admin, room, max_minutes=60)
    before = version_of(room)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE core_resourcepolicy")
    assert version_of(room) != before
    assert read(room)[0][0].policy.max_minutes is None


def test_resources_share_equal_texts_in_memory(as_admin: APIClient, room: Resource, lab: Resource) -> None:
    for each in (room, lab):
        set_policy(as_admin, each, max_minutes=60)
    add_exception(as_admin, None, day_of(3))
    terms._kept.clear()
    read(room)
    read(lab)
    first, second = (terms._kept[each.pk].texts for each in (room, lab))
    assert all(one is other for one, other in zip(first, second, strict=True))
