"""The tag of a feed changes with whatever the feed shows, and with nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from core.calendars import reading
from core.calendars.models import CalendarFeed
from core.models import Booking, Resource, UserProfile
from core.tests.calendars.test_feeds import make_feed
from core.tests.support.clients import client_of
from core.tests.support.factories import at, make_booking
from core.tests.support.parallel import in_parallel


@pytest.fixture
def feeds(as_alice: APIClient, as_bob: APIClient, as_admin: APIClient, alice: User, room: Resource) -> dict[str, str]:
    """The paths of a feed of each kind, all with the same two bookings."""
    make_booking(alice, room, at(10), notes="one")
    make_booking(alice, room, at(12), notes="two")
    return {
        "own": make_feed(as_alice),
        "busy": make_feed(as_bob, resource=room.pk),
        "named": make_feed(as_admin, resource=room.pk),
    }


def swap_notes() -> None:
    one, two = Booking.objects.order_by("id")
    Booking.objects.filter(pk=one.pk).update(notes=two.notes)
    Booking.objects.filter(pk=two.pk).update(notes=one.notes)


# Statements past the models: each value counts by itself, not only the moment of the last change.
CHANGES = {
    "the notes of a booking": lambda: Booking.objects.filter(notes="one").update(notes="three"),
    "the notes of two bookings, swapped": swap_notes,
    "the end of a booking": lambda: Booking.objects.filter(notes="one").update(end_time=at(11.5)),
    "the status of a booking": lambda: Booking.objects.filter(notes="one").update(status="pending"),
    "a cancelled booking": lambda: Booking.objects.filter(notes="one").update(status="cancelled"),
    "a deleted booking": lambda: Booking.objects.filter(notes="one").delete(),
    "the revision of a booking": lambda: Booking.objects.filter(notes="one").update(calendar_sequence=7),
    "the last change of a booking": lambda: Booking.objects.filter(notes="one").update(updated_at=at(0)),
    "a new booking": lambda: make_booking(User.objects.get(username="alice"), Resource.objects.get(), at(14)),
    "the name of the resource": lambda: Resource.objects.update(name="Red room"),
    "the last change of the resource": lambda: Resource.objects.update(updated_at=at(0)),
    "the user name": lambda: User.objects.filter(username="alice").update(username="alicia"),
    "the first name": lambda: User.objects.filter(username="alice").update(first_name="Alicia"),
    "the last name": lambda: User.objects.filter(username="alice").update(last_name="Liddell"),
    "the last change of the names": lambda: UserProfile.objects.update(updated_at=at(0)),
    "an address, which no feed shows": lambda: User.objects.filter(username="alice").update(email="a@example.org"),
    "the note of staff, which no feed shows": lambda: Booking.objects.update(staff_note="late"),
}
PERSONAL = {name for name in CHANGES if "notes" in name or name.endswith(("name", "names"))} - {
    "the name of the resource"
}
UNSEEN = {name for name in CHANGES if name.endswith("no feed shows")}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_a_feed_shows_is_a_new_version_with_new_content(
    anonymous: APIClient, feeds: dict[str, str], change: str
) -> None:
    before = {kind: anonymous.get(path) for kind, path in feeds.items()}
    CHANGES[change]()
    for kind, path in feeds.items():
        answer = anonymous.get(path, HTTP_IF_NONE_MATCH=before[kind].headers["ETag"])
        if change in UNSEEN or (kind == "busy" and change in PERSONAL):
            assert answer.status_code == 304
        else:
            assert answer.status_code == 200
            assert answer.content != before[kind].content
            assert answer.headers["ETag"] != before[kind].headers["ETag"]


def test_another_sender_of_mails_is_a_new_version(anonymous: APIClient, feeds: dict[str, str], settings) -> None:
    before = anonymous.get(feeds["own"])
    settings.FROM_EMAIL = "desk@example.org"
    answer = anonymous.get(feeds["own"], HTTP_IF_NONE_MATCH=before.headers["ETag"])
    assert answer.status_code == 200
    assert b'ORGANIZER;CN="Booking system":mailto:desk@example.org' in answer.content


def test_a_feed_that_tells_names_no_more_is_a_new_version(anonymous: APIClient, feeds: dict[str, str]) -> None:
    assert b"alice" in anonymous.get(feeds["named"]).content
    CalendarFeed.objects.update(names=False)
    answer = anonymous.get(feeds["named"])
    assert (answer.status_code, b"alice" in answer.content) == (200, False)


def test_a_booking_that_leaves_the_window_is_a_new_version(feeds: dict[str, str], alice: User) -> None:
    feed = CalendarFeed.objects.get(user=alice)
    end = Booking.objects.earliest("end_time").end_time
    shown, gone = (reading.version_of(feed, now=end + timedelta(days=30, seconds=more)) for more in (-1, 0))
    assert shown != gone
    assert shown == reading.version_of(feed, now=timezone.now())


@pytest.mark.parametrize("method", ["get", "head"])
def test_an_unchanged_feed_is_the_same_file_again(anonymous: APIClient, feeds: dict[str, str], method: str) -> None:
    first = anonymous.get(feeds["named"])
    again = getattr(anonymous, method)(feeds["named"])
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Content-Length"] == str(len(first.content))
    assert again.content == (first.content if method == "get" else b"")


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_for_a_new_version_write_the_calendar_once(
    monkeypatch: pytest.MonkeyPatch, as_alice: APIClient, alice: User, room: Resource
) -> None:
    make_booking(alice, room)
    path = make_feed(as_alice)
    render, rendered = reading.render, []

    def counted(feed: CalendarFeed, **more: Any) -> bytes:
        rendered.append(feed.pk)
        return render(feed, **more)

    monkeypatch.setattr(reading, "render", counted)
    clients = [client_of() for _ in range(8)]
    contents = in_parallel([lambda client=client: client.get(path).content for client in clients])
    assert set(contents) == {as_alice.get(path).content}
    assert len(rendered) == 1


def test_an_empty_feed_has_a_version(as_alice: APIClient) -> None:
    path = make_feed(as_alice)
    first = as_alice.get(path)
    assert first.status_code == 200
    assert as_alice.get(path, HTTP_IF_NONE_MATCH=first.headers["ETag"]).status_code == 304
