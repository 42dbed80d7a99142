"""Lists for staff the bookings that wait for approval, a day before they would expire.

A list to an address of `TO_EMAIL` is due a day before the start of a booking that no list has named. The list names
all such bookings that begin within two days. The next list names the bookings that begin later than that, or that were
written since. So an address gets at most one list a day. A booking that was written less than a day before its start is
in no list: a message of its own has just told of it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Max

from core.functions import Epoch, Is
from core.models import Booking
from core.notifications.kinds import Kind
from core.notifications.messages import MAX_SLOTS, new_message, staff_addresses, write
from core.notifications.models import Notification
from core.outbox.delivery import Run, Tally
from core.querysets import BookingQuerySet
from core.record.facts import booking_facts

LOOK_SECONDS = 60
NOTICE = timedelta(days=1)
AHEAD = timedelta(days=2)
# Where the first list to an address begins; every process must take the same moment.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def write_lists(run: Run) -> Tally:
    """Writes the due lists: a job of the worker, which counts nothing."""
    write_due(now=run.now)
    return Tally()


def write_due(*, now: datetime) -> int:
    """Writes the due lists and returns their number; a list that another process writes at the same time is skipped."""
    ends = {address: end for address, end in ends_of_lists().items() if end < now + NOTICE}
    if not ends:
        return 0
    waiting = waiting_after(now)
    if not waiting.filter(start_time__lte=now + NOTICE).exists():
        return 0
    bookings = list(waiting.filter(start_time__lte=now + AHEAD).in_full())
    rows = []
    for address, end in ends.items():
        # A booking that was written after the list before is not in it, whenever it starts.
        named = [each for each in bookings if each.start_time > end or each.updated_at > end - AHEAD]
        if named and named[0].start_time <= now + NOTICE:
            rows.append(new_list(address, named, after=end, now=now))
    write(rows, once=True)
    return len(rows)


def ends_of_lists() -> dict[str, datetime]:
    """The addresses of staff, and up to which start the lists to each have named everything."""
    addresses = list(staff_addresses())
    if not addresses:
        return {}
    lists = Notification.objects.filter(Is("kind", value=Kind.APPROVALS_WANTED.value), to__in=addresses)
    written = dict(lists.order_by().values_list("to").annotate(Max("created_at")))
    return {address: written[address] + AHEAD if address in written else BEGINNING for address in addresses}


def waiting_after(moment: datetime) -> BookingQuerySet:
    """The bookings that start after the moment and have waited since a day before their start, earliest first."""
    waited = Epoch("start_time") - Epoch("updated_at")
    later = Booking.objects.expiring().filter(start_time__gt=moment).alias(waited=waited)
    return later.filter(waited__gte=NOTICE.total_seconds()).order_by("start_time", "id")


def new_list(address: str, bookings: Sequence[Booking], *, after: datetime, now: datetime) -> Notification:
    """The unsaved row of a list.

    Args:
        address: The address of staff.
        bookings: The bookings, in the order of their starts.
        after: The end of the list before: the database refuses a second list that goes on there.
        now: The present moment.
    """
    named = [booking_facts(booking) for booking in bookings[:MAX_SLOTS]]
    facts = {"bookings": named, "more": len(bookings) - len(named)}
    return new_message(Kind.APPROVALS_WANTED, now=now, to=address, facts=facts, starts_at=after)
