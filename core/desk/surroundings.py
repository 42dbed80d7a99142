"""What staff want to know about a booking that waits: what is booked around it, and what else its person has.

The number of statements does not depend on the number of bookings.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.contrib.auth.models import User
from django.utils import timezone

from core import quotas
from core.choices import BookingStatus, Kind, QuotaKind
from core.intervals import LAST_MOMENT, TICK, Interval, hull, in_short, on_which_clock
from core.models import Booking, Resource
from core.policies.allowances import allowance
from core.staff.filters import DAY, midnight
from core.terms import Limit, attach_terms, terms_of

# How many other bookings of a person are shown; the others are counted.
SHOWN = 3
NOUNS = {QuotaKind.ACTIVE: "active booking", QuotaKind.COUNT: "booking", QuotaKind.MINUTES: "minute"}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row of the same resource on the same day.

    Attributes:
        slot: Its time.
        time: Its time in words; without the date where it is the day of the booking.
        what: Whose it is and in which status, or why the resource is closed.
        is_this: True for the booking itself.
    """

    slot: Interval
    time: str
    what: str
    is_this: bool = False


@dataclass(slots=True)
class Surroundings:
    """What is known around a booking.

    Attributes:
        around: The rows of the resource on the days of the booking, with the booking itself, in order.
        when: The time of the booking, in words.
        others: The next bookings of the person: the name of the resource, and the time in words.
        more: How many further bookings of the person are to come.
        quotas: What the quotas leave to the person for this resource at that time, in words.
    """

    around: list[Neighbour] = field(default_factory=list)
    when: str = ""
    others: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0
    quotas: list[str] = field(default_factory=list)


def surroundings_of(bookings: Sequence[Booking], *, now: datetime) -> dict[int, Surroundings]:
    """What is known around each booking, by its id; at most six statements.

    Args:
        bookings: Bookings that hold their slot, with their users.
        now: The present moment.
    """
    found = {booking.pk: Surroundings() for booking in bookings}
    if not found:
        return found
    zone = timezone.get_current_timezone()
    for pk, around in around_each(bookings, zone).items():
        found[pk].around = around
    limits = limits_of_each(bookings, now=now)
    periods = [Interval(now, LAST_MOMENT), *(period for each in limits.values() for _, period in each if period)]
    owned = owned_by({booking.user.pk for booking in bookings}, hull(periods))
    for booking in bookings:
        of_person = owned[booking.user.pk]
        others = [each for each in of_person if each.slot.end > now and each.id != booking.pk]
        this = found[booking.pk]
        this.when = in_short(booking.slot, zone)
        this.others = [(each.resource_name, in_short(each.slot, zone)) for each in others[:SHOWN]]
        this.more = len(others) - len(this.others)
        this.quotas = [in_words(limit, of_person, period, now=now) for limit, period in limits[booking.pk]]
    return found


# --- The resource -----------------------------------------------------------------------------------------------------


def days_of(booking: Booking) -> Interval:
    """From the midnight before a booking to the midnight after it, in the current zone."""
    first, last = (timezone.localtime(moment).date() for moment in (booking.start_time, booking.end_time - TICK))
    return Interval(midnight(first), midnight(last) + DAY)


def around_each(bookings: Sequence[Booking], zone: tzinfo) -> dict[int, list[Neighbour]]:
    """The rows on the days of each booking, by its id. One statement.

    It has a part for each resource and days, each of which walks along one index. Rows that hold time of one resource
    never overlap, so a part has no more rows than fit into the first day and the last one.
    """
    windows = {(booking.resource_id, days_of(booking)) for booking in bookings}
    columns = ("pk", "resource_id", "start_time", "end_time", "status", "kind", "user__username", "closure__reason")
    parts = [
        Booking.taken.within(window, resource_id=resource_id).order_by().values_list(*columns)
        for resource_id, window in windows
    ]
    rows = {row[0]: row for row in (parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0])}
    by_resource = defaultdict(list)
    for row in sorted(rows.values(), key=lambda row: row[2]):
        by_resource[row[1]].append(row)
    found = {}
    for booking in bookings:
        days = days_of(booking)
        found[booking.pk] = [
            neighbour_of(booking, row, days, zone)
            for row in by_resource[booking.resource_id]
            if row[2] < days.end and row[3] > days.start
        ]
    return found


def neighbour_of(booking: Booking, row: Sequence[object], days: Interval, zone: tzinfo) -> Neighbour:
    """A row of the statement as a neighbour of the booking."""
    pk, _, start, end, status, kind, username, reason = row
    slot = Interval(start, end)  # type: ignore[arg-type]  # the columns have their types
    is_one_day = days.contains(slot) and days.end == midnight(timezone.localtime(days.start).date()) + DAY
    clock = "–".join(on_which_clock(bound.astimezone(zone)) for bound in (slot.start, slot.end))
    what = f"closed: {reason}" if kind == Kind.CLOSURE else f"{username}, {BookingStatus(str(status)).label}"
    return Neighbour(slot, clock if is_one_day else in_short(slot, zone), what, is_this=pk == booking.pk)


# --- The person -------------------------------------------------------------------------------------------------------


def owned_by(user_ids: Collection[int], window: Interval) -> Mapping[int, list[quotas.Owned]]:
    """The bookings of each person that hold their slot in the window, in order of their start. One statement."""
    rows = Booking.objects.blocking().filter(user_id__in=user_ids).overlapping(window).order_by("start_time", "id")
    found: dict[int, list[quotas.Owned]] = defaultdict(list)
    columns = ("user_id", "id", "resource_id", "start_time", "end_time", "resource__name")
    for user_id, pk, resource_id, start, end, name in rows.values_list(*columns):
        found[user_id].append(quotas.Owned(pk, resource_id, Interval(start, end), name))
    return found


def limits_of_each(bookings: Sequence[Booking], *, now: datetime) -> dict[int, list[tuple[Limit, Interval | None]]]:
    """The quotas that limit each booking, by its id, each with its period at the start. At most three statements."""
    resources = Resource.objects.with_house().in_bulk({booking.resource_id for booking in bookings})
    attach_terms(resources.values(), since=now)
    terms = {pk: terms_of(resource) for pk, resource in resources.items()}
    groups: dict[int, set[int]] = defaultdict(set)
    if any(limit.group_id for each in terms.values() for limit in each.quotas):
        pairs = User.groups.through._default_manager.filter(user_id__in={booking.user.pk for booking in bookings})
        for user_id, group_id in pairs.values_list("user_id", "group_id"):
            groups[user_id].add(group_id)
    found: dict[int, list[tuple[Limit, Interval | None]]] = {}
    for booking in bookings:
        # Somebody may have moved the booking and deleted its resource since the page was read.
        of_resource = terms.get(booking.resource_id)
        found[booking.pk] = (
            []
            if of_resource is None
            else [
                (limit, quotas.period_at(booking.start_time, limit.period, of_resource.zone) if limit.period else None)
                for limit in of_resource.quotas
                if limit.group_id is None or limit.group_id in groups[booking.user.pk]
            ]
        )
    return found


def in_words(limit: Limit, owned: Sequence[quotas.Owned], period: Interval | None, *, now: datetime) -> str:
    """What a quota leaves: `2 of 3 bookings a week used, 1 left`; the booking that waits is among those used."""
    left = allowance(limit, list(owned), period, now=now)
    noun = f"{NOUNS[limit.kind]}{'' if limit.limit == 1 else 's'}"
    of = " of this resource" if limit.resource_id else ""
    a = f" a {limit.period}" if limit.period else ""
    return f"{left['used']} of {limit.limit} {noun}{of}{a} used, {left['left']} left"
