"""Actions on as many rows as a form may have fields: what the question shows is what "yes" does."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import Settings

from core.models import Booking, Resource
from core.tests.support.factories import at, make_booking, make_resource

# Django's limit of fields in a form; three more fields come with the keys.
MANY = 1000
# What takes long for each row is tried with a lower limit.
FEW = 100
BOOKINGS = "/admin/core/booking/"
RESOURCES = "/admin/core/resource/"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


def make_bookings(user: User, room: Resource, number: int) -> list[Booking]:
    return Booking.objects.bulk_create(
        Booking(user=user, resource=room, start_time=at(hour), end_time=at(hour + 1), status="confirmed")
        for hour in range(number)
    )


def ask(pages: Client, address: str, action: str, ticked: int) -> str:
    """The question after "Select all" of a list; the list itself sends the keys of one page."""
    body = {"action": action, "index": "0", "select_across": "1", "_selected_action": [ticked]}
    answer = pages.post(address, body)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def say_yes(pages: Client, address: str, question: str) -> list[tuple[str, str]]:
    """Sends the form of a question as a browser does; the report, as level and sentence."""
    form = question.split('<form method="post">')[-1]
    fields: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(form):
        fields.setdefault(name, []).append(unescape(value))
    answer = pages.post(address, fields)
    assert answer.status_code == 302, (answer.status_code, answer.content[:200])
    return [(message.level_tag, message.message) for message in get_messages(answer.wsgi_request)]


def test_all_bookings_are_cancelled(admin_pages: Client, alice: User, room: Resource) -> None:
    bookings = make_bookings(alice, room, MANY)
    question = ask(admin_pages, f"{BOOKINGS}?when=all", "cancel", bookings[0].pk)
    assert question.count("(confirmed)</li>") == MANY

    report = say_yes(admin_pages, f"{BOOKINGS}?when=all", question)

    assert report == [("success", f"{MANY} bookings cancelled.")]
    assert set(Booking.objects.values_list("status", flat=True)) == {"cancelled"}


def test_all_bookings_are_deleted_and_one_made_after_the_question_stays(
    admin_pages: Client, alice: User, bob: User, room: Resource, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = FEW
    bookings = make_bookings(alice, room, FEW)
    question = ask(admin_pages, f"{BOOKINGS}?when=all", "delete_selected", bookings[0].pk)
    later = make_booking(bob, make_resource("Lab"))

    report = say_yes(admin_pages, f"{BOOKINGS}?when=all", question)

    assert report == [("success", f"{FEW} bookings deleted.")]
    assert Booking.objects.get() == later


def test_all_resources_are_deleted(admin_pages: Client, db: None, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = FEW
    resources = Resource.objects.bulk_create(Resource(name=f"Desk {number}") for number in range(FEW))
    question = ask(admin_pages, RESOURCES, "delete_selected", resources[0].pk)

    report = say_yes(admin_pages, RESOURCES, question)

    assert report == [("success", f"{FEW} resources deleted.")]
    assert not Resource.objects.exists()


@pytest.mark.parametrize("keys", ["{pk},x", "{pk},", ",", "{pk};1", "{pk},-1"])
def test_keys_that_cannot_be_read_change_nothing(admin_pages: Client, alice: User, room: Resource, keys: str) -> None:
    booking = make_booking(alice, room)
    body = {"action": "delete_selected", "_selected_action": keys.format(pk=booking.pk), "post": "yes"}

    answer = admin_pages.post(BOOKINGS, body)

    (message,) = get_messages(answer.wsgi_request)
    assert (answer.status_code, message.level_tag) == (302, "error")
    assert Booking.objects.get() == booking
