"""A row of a list is what a single object is, field for field."""

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from core.intervals import Interval
from core.models import Booking, Resource
from core.querysets import POLICY
from core.serializers import BookingSerializer, BookingWithStaffNoteSerializer, ResourceSerializer
from core.tests.support.factories import at, make_booking, make_resource


@pytest.mark.parametrize("status", ["pending", "confirmed", "cancelled", "rejected"])
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_listed_booking_is_the_single_one(
    request: pytest.FixtureRequest, alice: User, room: Resource, client: str, status: str
) -> None:
    booking = make_booking(alice, room, at(10.000123), at(11.5), status=status, notes='Zeile 1\n"<b>" é 🔬')
    caller = request.getfixturevalue(client)
    (row,) = caller.get("/api/bookings/").json()
    single = caller.get(f"/api/bookings/{booking.pk}/").json()
    assert row == single
    assert list(row) == list(single)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"is_available": False},
        {"requires_approval": True, "capacity": 2_147_483_647},
        {"description": 'Zeile 1\n"<b>" é 🔬'},
    ],
    ids=str,
)
@pytest.mark.parametrize("query", ["", "?start=2030-01-01T10:00:00Z&end=2030-01-01T11:00:00Z"], ids=["now", "window"])
def test_a_listed_resource_is_the_single_one(anonymous: APIClient, more: dict, query: str) -> None:
    resource = make_resource(**more)
    (row,) = anonymous.get(f"/api/resources/{query}").json()
    single = anonymous.get(f"/api/resources/{resource.pk}/{query}").json()
    assert row == single
    assert list(row) == list(single)


def test_what_was_just_booked_is_what_is_listed(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    changed = as_alice.patch(f"/api/bookings/{booking.pk}/", {"notes": "After"}).json()
    assert as_alice.get("/api/bookings/").json() == [changed]


@pytest.mark.parametrize(
    ("serializer", "queryset"),
    [(BookingSerializer, Booking.objects.all()), (ResourceSerializer, Resource.objects.all())],
    ids=["bookings", "resources"],
)
def test_rows_ask_for_every_field_that_is_shown(serializer: type, queryset: object) -> None:
    shown = [name for name, field in serializer().fields.items() if not field.write_only]
    aliases, names = serializer.columns()
    assert names == shown
    assert set(aliases) <= set(names)


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_the_fields_of_a_booking_are_those_of_its_serializer(alice: User, room: Resource, status: str) -> None:
    booking = make_booking(alice, room, status=status, notes="Zeile 1")
    for serializer in (BookingSerializer, BookingWithStaffNoteSerializer):
        fields = serializer.fields_of(booking)
        assert fields == serializer(booking).data
        assert list(fields) == list(serializer(booking).data)


@pytest.mark.django_db
@pytest.mark.parametrize("words", [(), ("details",), ("next_free",), tuple(ResourceSerializer.included)], ids=str)
def test_the_fields_of_a_resource_are_those_of_its_serializer(words: tuple[str, ...]) -> None:
    resource = make_resource(time_zone="Europe/Berlin")
    resource.availability_status, resource.next_free = "available", at(10)
    resource.shown_policy, resource.shown_open = dict.fromkeys(POLICY), [Interval(at(10), at(11)).as_json()]
    serializer = ResourceSerializer.including(frozenset(words))
    fields = serializer.fields_of(resource)
    assert fields == serializer(resource).data
    assert list(fields) == list(serializer(resource).data)
