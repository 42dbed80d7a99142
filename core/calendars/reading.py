"""What a calendar feed shows: which bookings, in which version, as which file."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, F, Subquery, Value
from django.db.models.functions import Abs, Coalesce

from core.api.etags import digest
from core.calendars.copies import Copies, Copy
from core.calendars.entries import (
    BUSY_COLUMNS,
    PERSONAL_COLUMNS,
    Shown,
    entry_from,
    event_of,
    file_of,
    head_of_feed,
)
from core.calendars.models import CalendarFeed
from core.functions import Digest, Epoch
from core.models import Booking
from core.querysets import BookingQuerySet

PAST = timedelta(days=30)
AHEAD = timedelta(days=365)
# The most entries of a feed, and the most bytes of its entries together: notes may be long.
MOST_ENTRIES = 5000
MOST_BYTES = 8 * 1024 * 1024
LEFT_OUT = "This calendar has more bookings than fit into it. It shows those nearest to now and leaves out the others."

VERSION_LENGTH = 32
# The rows that are fetched at once.
BATCH = 500

copies = Copies(most_bytes=2 * MOST_BYTES)


class Version(NamedTuple):
    """A version of a feed.

    Attributes:
        tag: A text that differs when anything that the feed shows differs.
        is_full: Whether there are more bookings than `MOST_ENTRIES`.
    """

    tag: str
    is_full: bool


def bookings_of(feed: CalendarFeed, *, now: datetime) -> BookingQuerySet:
    """The blocking bookings of the feed from 30 days ago to 365 days ahead, those that end nearest to now first.

    There are at most `MOST_ENTRIES` and one more, which only tells that some are left out. A coming booking that ends
    after so many others is not among them, even where some of these start too late for the feed.
    """
    whose = {"user_id": feed.user_id} if feed.resource_id is None else {"resource_id": feed.resource_id}
    ours = Booking.objects.blocking().filter(**whose)
    past, coming = ours.over(now).filter(end_time__gt=now - PAST), ours.upcoming(now)
    # The last ends that can count on either side: steps along an index, and no booking beyond them is read.
    first_end = past.order_by("-end_time").values("end_time")[MOST_ENTRIES : MOST_ENTRIES + 1]
    last_end = coming.order_by("end_time").values("end_time")[MOST_ENTRIES : MOST_ENTRIES + 1]
    near = ours.filter(
        end_time__gt=now - PAST,
        end_time__gte=Coalesce(Subquery(first_end), Value(now - PAST)),
        end_time__lte=Coalesce(Subquery(last_end), Value(datetime.max.replace(tzinfo=UTC))),
        start_time__lt=now + AHEAD,
    )
    distance = Abs(Epoch(F("end_time")) - int(now.timestamp()))
    return near.order_by(distance, "id")[: MOST_ENTRIES + 1]


def columns_of(feed: CalendarFeed) -> tuple[str, ...]:
    """The columns of bookings that the feed shows."""
    return BUSY_COLUMNS if busy_only(feed) else BUSY_COLUMNS + PERSONAL_COLUMNS


def busy_only(feed: CalendarFeed) -> bool:
    """Whether the feed tells neither who booked nor what for."""
    return feed.resource_id is not None and not feed.names


def head_of(feed: CalendarFeed, *, is_full: bool) -> str:
    """The lines of the feed before its entries."""
    name = feed.resource.name if feed.resource else "My bookings"
    return head_of_feed(name=name, remark=LEFT_OUT if is_full else "")


def version_of(feed: CalendarFeed, *, now: datetime) -> Version:
    """The version of the feed. One statement, which returns one row."""
    columns = columns_of(feed)
    shown = bookings_of(feed, now=now).values("id", *columns)
    found = shown.aggregate(number=Count("id"), content=Digest(*columns))
    is_full = found["number"] > MOST_ENTRIES
    # An entry names the sender of e-mails as its organiser.
    content = [head_of(feed, is_full=is_full), settings.FROM_EMAIL, busy_only(feed), found["number"], found["content"]]
    return Version(digest(content, VERSION_LENGTH), is_full)


def content_of(feed: CalendarFeed, version: Version, *, now: datetime) -> Copy:
    """The file of the feed: the copy in memory of that version, or a new one with two statements.

    The copy has another version, and is not kept, if something changed while it was written.
    """

    def write() -> Copy:
        content = render(feed, is_full=version.is_full, now=now)
        return Copy(version_of(feed, now=now).tag, content)

    return copies.get(feed.pk, version.tag, write)


def render(feed: CalendarFeed, *, is_full: bool, now: datetime) -> bytes:
    """The file of the feed, with its entries in the order of their starts."""
    events: list[tuple[datetime, bytes]] = []
    bytes_left = MOST_BYTES
    rows = bookings_of(feed, now=now).values_list(*columns_of(feed))[:MOST_ENTRIES]
    for row in rows.iterator(BATCH):
        entry = entry_from(Shown(*row), busy_only=busy_only(feed))
        event = event_of(entry, invited=False).encode()
        bytes_left -= len(event)
        if bytes_left < 0:
            is_full = True
            break
        events.append((entry.start, event))
    return file_of(head_of(feed, is_full=is_full), (event for _, event in sorted(events)))
