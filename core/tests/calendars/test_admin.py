"""Calendar feeds in the admin."""

from django.contrib.auth.models import User
from django.test import Client

from core.calendars.models import CalendarFeed
from core.models import Resource

LIST = "/admin/core/calendarfeed/"


def make_feed(user: User, resource: Resource | None = None) -> CalendarFeed:
    return CalendarFeed.objects.create(user=user, resource=resource, secret_hash=f"{user.pk:064}")


def test_staff_see_whose_they_are_and_no_secret(admin_pages: Client, alice: User, bob: User, room: Resource) -> None:
    feed = make_feed(alice, room)
    make_feed(bob)
    page = admin_pages.get(LIST).content.decode()
    assert "alice" in page
    assert "bob" in page
    assert "Blue room" in page
    assert feed.secret_hash not in page
    assert feed.secret_hash not in admin_pages.get(f"{LIST}{feed.pk}/change/").content.decode()
    assert "bob" not in admin_pages.get(f"{LIST}?q=alice").content.decode().split("results")[-1].split("paginator")[0]


def test_staff_revoke_one(admin_pages: Client, alice: User) -> None:
    feed = make_feed(alice)
    answer = admin_pages.post(f"{LIST}{feed.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not CalendarFeed.objects.exists()


def test_staff_revoke_many(admin_pages: Client, alice: User, bob: User) -> None:
    keys = [make_feed(alice).pk, make_feed(bob).pk]
    body = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    assert admin_pages.post(LIST, body).status_code == 302
    assert not CalendarFeed.objects.exists()


def test_nobody_makes_or_changes_one_there(admin_pages: Client, root_pages: Client, alice: User) -> None:
    feed = make_feed(alice)
    for pages in (admin_pages, root_pages):
        assert pages.get(f"{LIST}add/").status_code == 403
        assert pages.post(f"{LIST}{feed.pk}/change/", {"names": "on"}).status_code == 403
    feed.refresh_from_db()
    assert feed.names is False
