"""How many statements the hot paths may cost; a list costs the same however long it is."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from core.models import Booking, Resource
from core.tests.support.factories import at, booking_body, make_booking, make_resource

BOOKINGS = "/api/bookings/"
RESOURCES = "/api/resources/"


def fill(user: User, number: int) -> None:
    """Bookings of one hour each, on resources and by users of their own."""
    for index in range(number):
        owner = User.objects.create(username=f"user {index}")
        make_booking(owner if index % 2 else user, make_resource(f"Room {index}"), at(index))


@pytest.mark.parametrize("number", [1, 10, 50])
@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_the_list_of_bookings_is_two_statements(
    request: pytest.FixtureRequest,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    client: str,
    number: int,
) -> None:
    caller = request.getfixturevalue(client)
    fill(alice, number)
    with django_assert_num_queries(2):
        rows = caller.get(BOOKINGS).json()
    assert len(rows) == (number if client == "as_admin" else (number + 1) // 2)


@pytest.mark.parametrize("number", [1, 10, 50])
@pytest.mark.parametrize(("client", "statements"), [("anonymous", 1), ("as_alice", 2), ("as_admin", 2)])
def test_the_list_of_resources_is_one_statement_and_the_token(
    request: pytest.FixtureRequest,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
    client: str,
    statements: int,
    number: int,
) -> None:
    caller = request.getfixturevalue(client)
    fill(alice, number)
    with django_assert_num_queries(statements):
        assert len(caller.get(RESOURCES).json()) == number
    window = {"start": at(10).isoformat(), "end": at(12).isoformat()}
    with django_assert_num_queries(statements):
        assert len(caller.get(RESOURCES, window).json()) == number


def test_a_page_costs_what_the_list_costs_and_the_count_one_more(
    as_admin: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(alice, 10)
    with django_assert_num_queries(2):
        as_admin.get(BOOKINGS, {"limit": 3})
    with django_assert_num_queries(3):
        as_admin.get(BOOKINGS, {"limit": 3, "count": "true"})


@pytest.mark.parametrize("client", ["as_alice", "as_admin"])
def test_a_single_booking_is_two_statements(
    request: pytest.FixtureRequest,
    alice: User,
    room: Resource,
    django_assert_num_queries: DjangoAssertNumQueries,
    client: str,
) -> None:
    caller = request.getfixturevalue(client)
    booking = make_booking(alice, room)
    with django_assert_num_queries(2):
        assert caller.get(f"{BOOKINGS}{booking.pk}/").status_code == 200


def test_a_single_resource_is_one_statement(
    anonymous: APIClient, room: Resource, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert anonymous.get(f"{RESOURCES}{room.pk}/").status_code == 200


@pytest.fixture
def busy(bob: User, room: Resource) -> None:
    """A room with a history: sixty bookings before and after the slot."""
    for index in range(60):
        make_booking(bob, room, at(12) + timedelta(hours=index))


def statements(captured: CaptureQueriesContext) -> list[str]:
    """What was asked of the tables, without the bounds of transactions."""
    words = ("SELECT", "INSERT", "UPDATE", "DELETE")
    return [query["sql"] for query in captured if query["sql"].startswith(words)]


@pytest.mark.usefixtures("busy")
def test_booking_is_at_most_eight_statements(as_alice: APIClient, room: Resource) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert as_alice.post(BOOKINGS, booking_body(room)).status_code == 201
    assert len(captured) <= 8, [query["sql"] for query in captured]
    assert len(statements(captured)) == 5, statements(captured)


@pytest.mark.usefixtures("busy")
def test_booking_for_somebody_is_one_more(as_admin: APIClient, alice: User, room: Resource) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert as_admin.post(BOOKINGS, booking_body(room, user=alice.pk)).status_code == 201
    assert len(statements(captured)) == 6, statements(captured)


@pytest.mark.usefixtures("busy")
def test_a_change_is_at_most_seven_statements(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    with CaptureQueriesContext(connection) as captured:
        assert as_alice.patch(f"{BOOKINGS}{booking.pk}/", {"start_time": at(9).isoformat()}).status_code == 200
    assert len(statements(captured)) <= 7, statements(captured)


@pytest.mark.usefixtures("busy")
def test_a_cancellation_is_at_most_five_statements(as_alice: APIClient, alice: User, room: Resource) -> None:
    booking = make_booking(alice, room)
    with CaptureQueriesContext(connection) as captured:
        assert as_alice.delete(f"{BOOKINGS}{booking.pk}/").status_code == 204
    assert len(statements(captured)) <= 5, statements(captured)
    assert Booking.objects.get(pk=booking.pk).status == "cancelled"
