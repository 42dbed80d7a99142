"""What a person may still book: quotas, and the rule that nobody books twice for the same time.

Both depend on the other bookings of the person. So the verbs ask after the list of rules and under the lock of the
user, by a statement that begins after the lock: one begun before the wait would see the old count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from core.choices import QuotaKind, QuotaPeriod, Waivable
from core.errors import BookingError, OverlapsOwn, QuotaExceeded
from core.intervals import LAST_MOMENT, TICK, Interval, hull
from core.models import Booking, Resource
from core.rules import Waiver
from core.terms import Limit, Terms, terms_of

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Owned:
    """A blocking booking of the person."""

    id: int | None
    resource_id: int
    slot: Interval
    resource_name: str = ""


def concern(terms: Terms) -> bool:
    """True if a booking by these terms depends on the other bookings of the person."""
    return bool(terms.quotas) or bool(terms.policy.no_own_overlap)


def limits_of(user: User, quotas: Iterable[Limit], *, resource_id: int | None) -> list[Limit]:
    """Those of the quotas that limit the user in bookings of a resource; one statement if a quota is about a group."""
    about = [each for each in quotas if resource_id is None or each.resource_id in (None, resource_id)]
    if all(each.group_id is None for each in about):
        return about
    groups = set(user.groups.values_list("pk", flat=True))
    return [each for each in about if each.group_id is None or each.group_id in groups]


def periods_of(slot: Interval, period: QuotaPeriod, zone: ZoneInfo) -> list[Interval]:
    """The periods that the slot touches, in order: local days, weeks from Monday, or months."""
    found = [period_at(slot.start, period, zone)]
    while found[-1].end < slot.end:
        found.append(period_at(found[-1].end, period, zone))
    return found


def period_at(moment: datetime, period: QuotaPeriod, zone: ZoneInfo) -> Interval:
    """The period that contains the moment."""
    day = moment.astimezone(zone).date()
    if period == QuotaPeriod.DAY:
        first, after = day, day + DAY
    elif period == QuotaPeriod.WEEK:
        first = day - day.weekday() * DAY
        after = first + 7 * DAY
    else:
        first = day.replace(day=1)
        after = (first + 31 * DAY).replace(day=1)
    start, end = (datetime.combine(each, time.min, zone).astimezone(UTC) for each in (first, after))
    return Interval(start, end)


def concerned(limits: Iterable[Limit], slot: Interval, zone: ZoneInfo, *, now: datetime) -> Interval:
    """The time whose bookings the limits count for a booking in the slot."""
    windows = [slot]
    for limit in limits:
        if limit.period is None:
            windows.append(Interval(now, LAST_MOMENT))
        else:
            windows += [period_at(moment, limit.period, zone) for moment in (slot.start, slot.end - TICK)]
    return hull(windows)


def read_owned(user_id: int, window: Interval) -> list[Owned]:
    """The blocking bookings of the user in the window. One statement."""
    rows = Booking.objects.blocking().filter(user_id=user_id).overlapping(window)
    columns = rows.order_by("end_time", "id").values_list(
        "id", "resource_id", "start_time", "end_time", "resource__name"
    )
    return [Owned(pk, resource_id, Interval(start, end), name) for pk, resource_id, start, end, name in columns]


def used(limit: Limit, owned: Iterable[Owned], period: Interval | None, *, now: datetime) -> timedelta | int:
    """How much of a quota the bookings use: their number, or their time."""
    ours = [each for each in owned if limit.resource_id in (None, each.resource_id)]
    if period is None:
        return sum(each.slot.end > now for each in ours)
    if limit.kind == QuotaKind.COUNT:
        return sum(period.start <= each.slot.start < period.end for each in ours)
    parts = (each.slot.clip(period) for each in ours)
    return sum((part.duration for part in parts if part), timedelta(0))


def require_quota(limit: Limit, booking: Owned, owned: Sequence[Owned], zone: ZoneInfo, *, now: datetime) -> None:
    """Checks a quota for a booking that is about to be written; a booking that uses no more than before passes.

    Raises:
        QuotaExceeded: When the booking would use more than the limit.
    """
    if limit.resource_id not in (None, booking.resource_id):
        return
    others = [each for each in owned if each.id is None or each.id != booking.id]
    periods: Sequence[Interval | None] = [None]
    if limit.period is not None:
        touched = periods_of(booking.slot, limit.period, zone)
        # A booking counts in the period of its start, and its minutes in each period they lie in.
        periods = touched[:1] if limit.kind == QuotaKind.COUNT else touched
    most: timedelta | int = timedelta(minutes=limit.limit) if limit.kind == QuotaKind.MINUTES else limit.limit
    for period in periods:
        before, after = (used(limit, rows, period, now=now) for rows in (owned, [*others, booking]))
        if after > most and after > before:  # type: ignore[operator]  # both are numbers, or both are times
            so_far, alone = (used(limit, rows, period, now=now) for rows in (others, [booking]))
            raise QuotaExceeded(
                kind=limit.kind.value,
                period=limit.period.value if limit.period else None,
                limit=limit.limit,
                used=in_units(so_far),
                # A booking that is longer than the quota never fits.
                frees_at=None if alone > most else frees_at(limit, others, period, now=now),  # type: ignore[operator]
            )


def in_units(amount: timedelta | int) -> int:
    """A number, or whole minutes, rounded up."""
    return amount if isinstance(amount, int) else -(-amount // timedelta(minutes=1))


def frees_at(limit: Limit, owned: Iterable[Owned], period: Interval | None, *, now: datetime) -> datetime | None:
    """When the quota allows more: at the end of the period, or of the first active booking; None if never."""
    if period is not None:
        return period.end
    ends = [each.slot.end for each in owned if limit.resource_id in (None, each.resource_id) and each.slot.end > now]
    spare = len(ends) - limit.limit
    return sorted(ends)[spare] if 0 <= spare < len(ends) else None


def require_person(booking: Booking, waiver: Waiver, *, now: datetime) -> None:
    """Checks what depends on the other bookings of the person, under the lock of the user.

    Raises:
        OverlapsOwn: When the person has another booking at that time, and the policy allows none.
        QuotaExceeded: When the booking would exceed a quota.
    """
    terms = terms_of(booking.resource)
    limits = limits_of(booking.user, terms.quotas, resource_id=booking.resource_id)
    owned = read_owned(booking.user.pk, concerned(limits, booking.slot, terms.zone, now=now))
    this = Owned(booking.pk, booking.resource_id, booking.slot)
    with waiver.of(Waivable.OWN_OVERLAP):
        require_no_own_overlap(this, owned, terms)
    for limit in limits:
        with waiver.of(Waivable.QUOTA):
            require_quota(limit, this, owned, terms.zone, now=now)


class Allowance:
    """What a person may still book of a resource, beside their other bookings; called with a slot, True if it fits.

    Args:
        terms: The terms of the resource.
        resource_id: The id of the resource.
        limits: The quotas that limit the person there.
        owned: The blocking bookings of the person.
        now: The present moment.
        booking_id: The id of the moved booking.
    """

    def __init__(
        self,
        terms: Terms,
        resource_id: int,
        *,
        limits: Sequence[Limit] = (),
        owned: Sequence[Owned] = (),
        now: datetime,
        booking_id: int | None = None,
    ) -> None:
        self.terms, self.limits, self.owned, self.now = terms, limits, owned, now
        self.resource_id, self.booking_id = resource_id, booking_id
        self.others = [each for each in owned if booking_id is None or each.id != booking_id]

    def __call__(self, slot: Interval) -> bool:
        wanted = Owned(self.booking_id, self.resource_id, slot)
        try:
            require_no_own_overlap(wanted, self.owned, self.terms)
            for limit in self.limits:
                require_quota(limit, wanted, self.owned, self.terms.zone, now=self.now)
        except BookingError:
            return False
        return True

    def refused(self, window: Interval, length: timedelta) -> list[Interval]:
        """The spans of the window in which no booking of that length may start, in any order."""
        found = []
        if self.terms.policy.no_own_overlap:
            found += [Interval(each.slot.start - length + TICK, each.slot.end) for each in self.others]
        for limit in self.limits:
            if limit.period is None:
                found += [window] if self.left(limit, None) < 1 else []  # type: ignore[operator]  # a number
                continue
            for period in periods_of(Interval(window.start, window.end + length), limit.period, self.terms.zone):
                left = self.left(limit, period)
                if isinstance(left, int):
                    found += [period] if left < 1 else []
                elif left < length and left < period.duration:
                    # Elsewhere no more of the booking lies in the period than is left.
                    found.append(Interval(period.start - length + left + TICK, period.end - left))
        return found

    def left(self, limit: Limit, period: Interval | None) -> timedelta | int:
        """How much of a quota is left for the booking; a moved booking keeps what it uses."""
        most: Any = timedelta(minutes=limit.limit) if limit.kind == QuotaKind.MINUTES else limit.limit
        before, others = (used(limit, rows, period, now=self.now) for rows in (self.owned, self.others))
        left: timedelta | int = max(most, before) - others
        return left


def check_of(
    user: User, resource: Resource, window: Interval, *, now: datetime, booking_id: int | None = None
) -> Allowance:
    """What the person may still book of the resource in the window. At most two statements."""
    return checks_of(user, [resource], window, now=now, booking_id=booking_id)[resource.pk]


def checks_of(
    user: User, resources: Iterable[Resource], window: Interval, *, now: datetime, booking_id: int | None = None
) -> dict[int, Allowance]:
    """What the person may still book of each resource in the window. At most two statements.

    Args:
        user: The person.
        resources: The resources, with their terms attached.
        window: The window of all slots.
        now: The present moment.
        booking_id: The id of the moved booking.
    """
    terms = {resource.pk: terms_of(resource) for resource in resources}
    concerning = [each for each in terms.values() if concern(each)]
    limits = limits_of(user, {limit for each in concerning for limit in each.quotas}, resource_id=None)
    windows = [concerned(limits, window, each.zone, now=now) for each in concerning]
    owned = read_owned(user.pk, hull(windows)) if windows else []
    return {
        pk: Allowance(
            each,
            pk,
            limits=[limit for limit in each.quotas if limit in limits] if concern(each) else (),
            owned=owned,
            now=now,
            booking_id=booking_id,
        )
        for pk, each in terms.items()
    }


def require_no_own_overlap(booking: Owned, owned: Iterable[Owned], terms: Terms) -> None:
    """Checks that the person has no other booking at that time, if the policy asks for that.

    Raises:
        OverlapsOwn: When there is one.
    """
    if not terms.policy.no_own_overlap:
        return
    for other in owned:
        if other.id != booking.id and booking.slot.clip(other.slot):
            raise OverlapsOwn(other.id or 0, other.resource_name, other.slot)
