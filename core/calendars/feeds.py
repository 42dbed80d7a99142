"""The verbs of calendar feeds: make, end, open. A feed shows only bookings that its owner may see now."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from core import errors
from core.calendars.models import CalendarFeed
from core.calendars.secrets import SECRET, hash_of, new_secret
from core.models import Resource
from core.querysets import locked

MAX_FEEDS = 20


class TooManyFeeds(errors.BookingError):
    """The user has the most feeds that one user may have."""

    code = "too_many_feeds"
    message = f"You have {MAX_FEEDS} calendar feeds already. Delete one that you do not use any more."
    advice = "Delete a calendar feed that is not used any more."


class NamesNotAllowed(errors.BookingError):
    """The feed would tell who booked, and may not."""

    code = "names_not_allowed"
    message = "Only staff may subscribe to a calendar that tells who booked, and only to that of a resource."
    field = "names"
    advice = "Leave `names` out; staff may send it with a `resource`."


@transaction.atomic
def make_feed(*, user: User, resource_id: int | None, names: bool | None) -> tuple[CalendarFeed, str]:
    """Creates a feed and returns it with its secret; the secret is not stored and cannot be shown again.

    Args:
        user: The owner of the feed.
        resource_id: The resource, or None for the user's own bookings.
        names: True to show who booked; None for True if the user may see it.

    Raises:
        ResourceMissing: The resource does not exist.
        NamesNotAllowed: The user may not see who booked.
        TooManyFeeds: The user already has `MAX_FEEDS` feeds.
    """
    if names and (resource_id is None or not user.is_staff):
        raise NamesNotAllowed
    if resource_id is not None and not Resource.objects.filter(pk=resource_id).exists():
        raise errors.ResourceMissing
    # The lock makes concurrent calls wait, so that no two of them create the last allowed feed.
    locked(get_user_model()._default_manager.filter(pk=user.pk)).first()
    if CalendarFeed.objects.filter(user=user).count() >= MAX_FEEDS:
        raise TooManyFeeds
    secret = new_secret()
    shows_names = bool(user.is_staff and resource_id is not None) if names is None else names
    feed = CalendarFeed.objects.create(
        user=user, resource_id=resource_id, names=shows_names, secret_hash=hash_of(secret)
    )
    return feed, secret


def end_feeds(user: User) -> None:
    """Ends all feeds of the user: from now on their addresses answer 404."""
    CalendarFeed.objects.filter(user_id=user.pk).delete()


def open_feed(secret: str, *, now: datetime) -> CalendarFeed | None:
    """Returns the feed of a secret and stores the day of use; None if the secret is unknown or the feed is void.

    A feed is void while its owner is inactive, or may no longer see the names that the feed shows.
    """
    if not SECRET.fullmatch(secret):
        return None
    feed = CalendarFeed.objects.select_related("user", "resource").filter(secret_hash=hash_of(secret)).first()
    if feed is None or not feed.user.is_active or (feed.names and not feed.user.is_staff):
        return None
    if feed.last_used_on != now.date():
        CalendarFeed.objects.filter(pk=feed.pk).update(last_used_on=now.date())
    return feed
