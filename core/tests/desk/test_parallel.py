"""Rivals at the counter and at the queue at the same moment: nobody gets what somebody else has."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from core.models import Booking, Quota, Resource
from core.tests.desk.test_counter import BOOK, sent
from core.tests.desk.test_queue import QUEUE, key_of, report_of
from core.tests.support.clients import client_of, pages_of
from core.tests.support.factories import booking_body, make_pending_booking, make_resource, make_user
from core.tests.support.overlaps import overlapping_pairs
from core.tests.support.parallel import Rival, hold, in_parallel

pytestmark = pytest.mark.django_db(transaction=True)

RIVALS = 8


@pytest.fixture(autouse=True)
def _no_two_overlap() -> Iterator[None]:
    yield
    assert overlapping_pairs() == []
    connection.check_constraints()


def statuses(answers: list[Any]) -> list[int]:
    """The status of each answer, ascending; an exception fails here."""
    assert [each for each in answers if not hasattr(each, "status_code")] == []
    return sorted(each.status_code for each in answers)


def test_of_several_counters_that_book_one_slot_exactly_one_does(admin: User, room: Resource) -> None:
    users = [make_user(f"rival{number}") for number in range(RIVALS)]
    calls = [partial(pages_of(admin).post, BOOK, sent(room, user=user.pk)) for user in users]
    answers = in_parallel(calls)
    assert statuses(answers) == [200] * (RIVALS - 1) + [302]
    assert all("already booked" in each.content.decode() for each in answers if each.status_code == 200)
    assert Booking.objects.count() == 1


def test_a_counter_and_clients_of_the_api_never_both_get_a_slot(admin: User, alice: User, room: Resource) -> None:
    by_api = [partial(client_of(alice).post, "/api/bookings/", booking_body(room)) for _ in range(RIVALS // 2)]
    by_page = [partial(pages_of(admin).post, BOOK, sent(room, user=alice.pk)) for _ in range(RIVALS // 2)]
    found = statuses(in_parallel([*by_api, *by_page]))
    assert [status for status in found if status in (201, 302)] in ([201], [302])
    assert set(found) <= {200, 201, 302, 400}
    assert Booking.objects.count() == 1


def test_of_counters_that_book_the_same_resources_in_any_order_one_books_all_and_the_others_none(
    admin: User, alice: User
) -> None:
    resources = [make_resource(f"Room {number}") for number in range(4)]
    # With a quota each booking locks the person after its resource.
    Quota.objects.create(kind="active", limit=100)
    bodies = [sent(*(resources if number % 2 else resources[::-1]), user=alice.pk) for number in range(RIVALS)]
    answers = in_parallel([partial(pages_of(admin).post, BOOK, body) for body in bodies])
    assert statuses(answers) == [200] * (RIVALS - 1) + [302]
    assert sorted(Booking.objects.values_list("resource", flat=True)) == sorted(each.pk for each in resources)


def test_a_counter_that_books_several_and_single_bookings_of_the_same_person_do_not_wait_for_each_other(
    admin: User, alice: User
) -> None:
    resources = [make_resource(f"Room {number}") for number in range(4)]
    Quota.objects.create(kind="active", limit=100)
    together = partial(pages_of(admin).post, BOOK, sent(*resources, user=alice.pk))
    single = [partial(client_of(alice).post, "/api/bookings/", booking_body(each)) for each in resources[::-1]]
    answers = in_parallel([together, *single])
    first, *others = answers
    booked = Booking.objects.count()
    if first.status_code == 302:
        assert (statuses(others), booked) == ([400] * 4, 4)
    else:
        assert (first.status_code, statuses(others), booked) == (200, [201] * 4, 4)


@pytest.mark.only_on_postgresql
def test_a_counter_locks_all_resources_before_the_person(admin: User, alice: User) -> None:
    first, second = make_resource("First"), make_resource("Second")
    Quota.objects.create(kind="active", limit=100)
    pages = pages_of(admin)
    with transaction.atomic():
        hold(Resource, second.pk)  # as a single booking of the second resource does
        rival = Rival(lambda: pages.post(BOOK, sent(first, second, user=alice.pk)))
        rival.start()
        assert rival.waits()
        # What that booking asks for next. The rival does not hold it, so nobody waits in a circle.
        assert User.objects.select_for_update(no_key=True, nowait=True).get(pk=alice.pk) == alice
    rival.join(30)
    assert rival.answer.status_code == 302
    assert Booking.objects.count() == 2


def test_an_account_that_two_make_at_once_is_made_once(admin: User) -> None:
    resources = [make_resource(f"Room {number}") for number in range(RIVALS)]
    calls = [
        partial(pages_of(admin).post, BOOK, sent(each, username="carla", email="carla@example.org"))
        for each in resources
    ]
    assert statuses(in_parallel(calls)) == [200] * (RIVALS - 1) + [302]
    assert User.objects.filter(username="carla").count() == 1
    assert Booking.objects.count() == 1


def test_of_two_who_decide_at_once_one_does_and_the_other_is_told(admin: User, alice: User, lab: Resource) -> None:
    bookings = [make_pending_booking(alice, lab)]
    keys = [key_of(each) for each in bookings]
    decisions = ("confirm", "reject")
    calls = [partial(pages_of(admin).post, QUEUE, {decision: "1", "ticked": keys}) for decision in decisions]
    answers = in_parallel(calls)
    assert statuses(answers) == [302, 302]
    reports = sorted(level for answer in answers for level, _ in report_of(answer))
    assert reports == ["error", "success"]
    assert Booking.objects.get().status in ("confirmed", "rejected")
