"""The rules of a booking: the window of a new booking, and one ordered list of named, pure rules about its slot.

A new booking, a change and the dry run ask the list by `require`, and suggestions by `allow`. The free slots of one
resource use `bookable_part`. The first free slots, `next_free` and `?available=` use a window and the column
`is_available` in their queries. A test compares `bookable_part` and `offered_window` with `allow`.

The rule of the free slot comes last and needs a query, so `conflicts` has that rule. `history` and the status rules
depend on the user; the verbs call them.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.conf import settings

from core import errors
from core.choices import BookingStatus, Waivable
from core.intervals import TICK, Interval
from core.models import Booking, Resource
from core.terms import NO_POLICY, Policy, terms_of

LATEST_END = timedelta(days=1826)
# Near the ends of the calendar a moment cannot be converted to every time zone.
EARLIEST_START = datetime(1900, 1, 1, tzinfo=UTC)
# Browsers send milliseconds; a smaller difference is no change.
SAME_MOMENT = timedelta(milliseconds=1)


class Rule(Protocol):
    """Raises `BookingError` for a slot that breaks the rule."""

    __name__: str

    def __call__(self, slot: Interval, resource: Resource, *, now: datetime) -> None: ...


# --- The window -------------------------------------------------------------------------------------------------------


def shortest_notice(policy: Policy = NO_POLICY) -> timedelta:
    """The notice of the policy, else the lead time: the shortest time from now to the start of a new booking."""
    own = policy.notice_minutes
    return timedelta(minutes=settings.BOOKING_LEAD_TIME_MINUTES if own is None else own)


def window(policy: Policy = NO_POLICY, *, now: datetime) -> Interval:
    """The window of a new booking: from the end of the lead time to five years from now, or to the policy's end."""
    days = policy.advance_days
    latest = LATEST_END if days is None else min(timedelta(days=days), LATEST_END)
    return Interval(now + shortest_notice(policy), now + latest)


def offered_window(policy: Policy = NO_POLICY, *, now: datetime) -> Interval:
    """The window from its first whole minute on, so that a suggestion stays bookable for up to a minute."""
    exact = window(policy, now=now)
    whole = exact.start.replace(second=0, microsecond=0)
    return Interval(whole if whole == exact.start else whole + timedelta(minutes=1), exact.end)


def bookable_part(span: Interval, resource: Resource, *, now: datetime) -> Interval | None:
    """The part of a span in the window of the resource; None if there is no such part."""
    return span.clip(offered_window(terms_of(resource).policy, now=now)) if resource.is_available else None


# --- The rules about a slot, in their order ---------------------------------------------------------------------------


def order(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The end is after the start."""
    if slot.start >= slot.end:
        raise errors.EndNotAfterStart


def start_ahead(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The start is not over; a start at this moment is enough."""
    if slot.start < now:
        raise errors.StartInPast


def end_ahead(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The end is still to come."""
    if slot.end <= now:
        raise errors.EndInPast


def lead_time(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The start is far enough ahead; exactly the lead time is enough."""
    policy = terms_of(resource).policy
    if slot.start < window(policy, now=now).start:
        raise errors.StartTooSoon(shortest_notice(policy), own=policy.notice_minutes is not None)


def not_too_long_ago(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The start is in the year 1900 or later; a record of staff needs this bound, too."""
    if slot.start < EARLIEST_START:
        raise errors.TooLongAgo


def horizon(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The end is near enough; exactly five years is allowed."""
    if slot.end > window(now=now).end:
        raise errors.TooFarAhead


def in_service(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The resource is in service."""
    if not resource.is_available:
        raise errors.ResourceOutOfService


def not_too_far_ahead(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The end is near enough for the policy; exactly its number of days of 24 hours is allowed."""
    days = terms_of(resource).policy.advance_days
    if days is not None and slot.end > now + timedelta(days=days):
        raise errors.TooFarAhead(days)


def not_too_short(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The slot has at least the shortest length of the policy, in elapsed time."""
    shortest = terms_of(resource).policy.min_minutes
    if shortest is not None and slot.duration < timedelta(minutes=shortest):
        raise errors.TooShort(shortest)


def not_too_long(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The slot has at most the longest length of the policy, in elapsed time."""
    longest = terms_of(resource).policy.max_minutes
    if longest is not None and slot.duration > timedelta(minutes=longest):
        raise errors.TooLong(longest)


def on_grid(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The start and the end are on the grid of the policy, by the local clock."""
    terms = terms_of(resource)
    grid, timetable = terms.policy.grid_minutes, terms.timetable
    if grid is None or keeps_grid(slot, resource):
        return
    start_is_right = timetable.on_grid(slot.start, grid, as_end=False)
    starts = timetable.nearest_on_grid(slot.start, grid, as_end=False)
    ends = timetable.nearest_on_grid(slot.end, grid, as_end=True) if start_is_right else None
    raise errors.OffGrid(grid, starts=starts, ends=ends, zone=terms.zone.key)


def keeps_grid(slot: Interval, resource: Resource) -> bool:
    """True if the start and the end are on the grid of the policy, or if there is none."""
    terms = terms_of(resource)
    grid, timetable = terms.policy.grid_minutes, terms.timetable
    return grid is None or (
        timetable.on_grid(slot.start, grid, as_end=False) and timetable.on_grid(slot.end, grid, as_end=True)
    )


def in_opening_hours(slot: Interval, resource: Resource, *, now: datetime) -> None:
    """The whole slot is in open time; by a policy for loans its start and its end alone."""
    terms = terms_of(resource)
    timetable = terms.timetable
    if timetable.always_open:
        return
    if terms.policy.may_span_closed:
        start_is_open, end_is_open = timetable.is_open_at(slot.start), timetable.is_open_until(slot.end)
        if start_is_open and end_is_open:
            return
        closed = slot.end - TICK if start_is_open else slot.start
    else:
        first = timetable.first_closed(slot)
        if first is None:
            return
        closed = first
    special = timetable.closed_by(closed)
    if special is not None:
        raise errors.Closed(special.name, timetable.next_open(closed, until=window(now=now).end))
    day = closed.astimezone(terms.zone).date()
    hours = [(period.opens, period.closes) for period in timetable.day(day).periods]
    raise errors.OutsideOpeningHours(day, hours, terms.zone.key)


RULES: tuple[Rule, ...] = (
    order,
    start_ahead,
    end_ahead,
    lead_time,
    not_too_long_ago,
    horizon,
    not_too_far_ahead,
    in_service,
    not_too_short,
    not_too_long,
    on_grid,
    in_opening_hours,
)
# The rules that hold for owners alone when a booking is changed, and for nobody when staff record what was.
ABOUT_NOW = {start_ahead, end_ahead, lead_time}
# The rules about the length and the time of day; a record of staff about what is over need not keep them.
OF_POLICY = {not_too_far_ahead, not_too_short, not_too_long, on_grid, in_opening_hours}
# The rules that staff may waive, by their public names. The rules that need a query have names of their own.
WAIVABLE: dict[Rule, Waivable] = {
    lead_time: Waivable.LEAD_TIME,
    not_too_far_ahead: Waivable.HORIZON,
    not_too_short: Waivable.DURATION,
    not_too_long: Waivable.DURATION,
    on_grid: Waivable.GRID,
    in_opening_hours: Waivable.OPENING_HOURS,
}


class Waiver:
    """The rules that staff waive in one act.

    Attributes:
        allowed: The rules that staff named.
        used: Those of them that would have refused the booking.
    """

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self.allowed = frozenset(allowed)
        self.used: set[str] = set()

    @contextmanager
    def of(self, name: Waivable | None) -> Iterator[None]:
        """Passes over the refusal of a rule if staff waive the rule; any other refusal says which rule it is of."""
        try:
            yield
        except errors.BookingError as refusal:
            refusal.waivable = name
            if name not in self.allowed:
                raise
            self.used.add(str(name))


def require(
    slot: Interval,
    resource: Resource,
    *,
    now: datetime,
    asked: Collection[Rule] = RULES,
    waiver: Waiver | None = None,
) -> None:
    """Checks the slot by the rules in `asked`, in the order of the list.

    Raises:
        BookingError: Of the first rule that the slot breaks and that nobody waived.
    """
    waiver = waiver or Waiver()
    for rule in RULES:
        if rule in asked:
            with waiver.of(WAIVABLE.get(rule)):
                rule(slot, resource, now=now)


def allow(slot: Interval, resource: Resource, *, now: datetime) -> bool:
    """True if every rule accepts the slot."""
    # The refusal of `on_grid` would look for the neighbours.
    if not keeps_grid(slot, resource):
        return False
    try:
        for rule in RULES:
            rule(slot, resource, now=now)
    except errors.BookingError:
        return False
    return True


def asked_of_new(slot: Interval, *, now: datetime, as_record: bool) -> set[Rule]:
    """The rules about a new booking; a record of staff may be about what is over."""
    if not as_record:
        return set(RULES)
    return set(RULES) - ABOUT_NOW - (OF_POLICY if is_over(slot, now=now) else set())


def asked_of_change(before: Booking, after: Booking, *, now: datetime, staff: bool) -> set[Rule]:
    """The rules about the changed fields; staff need no lead time.

    To revive a booking is to book anew. A change that only gives time back needs no lead time, and of the policy only
    the shortest length.
    """
    not_of_staff = ABOUT_NOW | (OF_POLICY if is_over(after.slot, now=now) else set())
    if after.blocks and not before.blocks:
        return set(RULES) - not_of_staff if staff else set(RULES)
    asked: set[Rule] = set()
    if after.slot != before.slot:
        asked.add(order)
    if after.start_time != before.start_time:
        asked |= {start_ahead, not_too_long_ago}
        if takes_time(before, after):
            asked.add(lead_time)
    if after.resource_id != before.resource_id and terms_of(after.resource).policy.notice_minutes is not None:
        asked.add(lead_time)
    if after.blocks and after.slot != before.slot:
        asked.add(not_too_short)
    if after.blocks and takes_time(before, after):
        asked |= OF_POLICY
    if after.end_time != before.end_time:
        asked |= {end_ahead, horizon}
    if needs_free_slot(before, after):
        asked.add(in_service)
    return asked - not_of_staff if staff else asked


def is_over(slot: Interval, *, now: datetime) -> bool:
    """True for a slot in the past: staff record what happened, whatever the policy says."""
    return slot.end <= now


def notice_of_owner(before: Booking, after: Booking, *, now: datetime, staff: bool) -> None:
    """An owner moves, shortens or cancels a booking in time before its start.

    The policy is that of the resource before the change. A change of the notes needs no notice.
    """
    if staff or not before.blocks or not before.resource.has_terms:
        return
    policy = terms_of(before.resource).policy
    ahead = before.start_time - now
    if after.blocks and takes_time(before, after):
        notice = policy.change_notice_minutes
        if notice is not None and ahead < timedelta(minutes=notice):
            raise errors.TooLateToChange(notice)
    elif not after.blocks or after.slot != before.slot:
        notice = policy.cancel_notice_minutes
        if notice is not None and ahead < timedelta(minutes=notice):
            raise errors.TooLateToCancel(notice)


def needs_free_slot(before: Booking, after: Booking) -> bool:
    """True if the change takes a slot that the booking did not hold before."""
    return after.blocks and (takes_time(before, after) or not before.blocks)


def takes_time(before: Booking, after: Booking) -> bool:
    """True if the slot after the change is not within the slot before it; otherwise the change only gives time back."""
    return after.resource_id != before.resource_id or not before.slot.contains(after.slot)


def effective_time(stored: datetime, wanted: datetime | None) -> datetime:
    """The wanted time; the stored time if no time is wanted or the difference is below a millisecond."""
    return stored if wanted is None or abs(wanted - stored) < SAME_MOMENT else wanted


# --- The rules that depend on the user --------------------------------------------------------------------------------


def history(booking: Booking, *, now: datetime, staff: bool) -> None:
    """Only staff may change or cancel a booking that has ended."""
    if not staff and booking.end_time <= now:
        raise errors.BookingEnded


def has_expired(booking: Booking, *, now: datetime) -> bool:
    """True if the booking is pending and its start passed while it waited.

    A booking that was last written at its start or later did not wait for the start. Staff or a program wrote it then,
    and they know what became of it. So that booking stays pending.
    """
    return booking.status == BookingStatus.PENDING and booking.updated_at < booking.start_time <= now


def expiry(before: Booking, after: Booking, *, now: datetime, staff: bool) -> None:
    """An owner may only cancel a booking that expires: any other change would keep it from expiring."""
    if not staff and after.blocks and has_expired(before, now=now):
        raise errors.BookingExpired


def reason(before: Booking, after: Booking, *, given: str) -> None:
    """A reason belongs to a change of the status, and some resources require one for a rejection."""
    if before.status == after.status:
        if given:
            raise errors.ReasonWithoutStatus
    elif after.status == BookingStatus.REJECTED and after.resource.reason_required and not given:
        raise errors.ReasonRequired


def first_status(asked: str | None, resource: Resource, *, any_status: bool) -> BookingStatus:
    """The status of a new booking.

    Args:
        asked: The status asked for; None for the default of the resource.
        resource: The booked resource.
        any_status: True if the caller may ask for any status.

    Raises:
        StatusNotAllowed: When the caller may not ask for this status.
    """
    given = BookingStatus.first(requires_approval=resource.requires_approval)
    wanted = BookingStatus(asked) if asked else given
    if not any_status and wanted not in {BookingStatus.PENDING, given}:
        raise errors.StatusNotAllowed(why_not_first(wanted, resource))
    return wanted


def next_status(before: Booking, after: Booking, *, asked: str | None, staff: bool) -> BookingStatus:
    """The status after a change.

    Raises:
        StatusNotAllowed: When an owner may not ask for this status.
    """
    current = BookingStatus(before.status)
    wanted = BookingStatus(asked) if asked else current
    if staff:
        return wanted
    approval = after.resource.requires_approval
    # Clients send the status with every change, so the present status asks for nothing.
    if wanted == current == BookingStatus.PENDING and before.resource_id != after.resource_id:
        return BookingStatus.first(requires_approval=approval)
    back_to_pending = takes_time(before, after) and approval and current == BookingStatus.CONFIRMED
    if back_to_pending and wanted in BookingStatus.blocking():
        return BookingStatus.PENDING
    if not current.owner_may_become(wanted, requires_approval=approval):
        raise errors.StatusNotAllowed(why_not_next(current, wanted, after.resource))
    return wanted


def why_not_first(wanted: BookingStatus, resource: Resource) -> str:
    """The reason why a new booking may not have the status asked for."""
    if wanted == BookingStatus.CONFIRMED:
        return f"{resource.name} requires approval: leave the status out or send pending, and staff will confirm it."
    return f"A new booking cannot be {wanted.value}. Leave the status out."


def why_not_next(current: BookingStatus, wanted: BookingStatus, resource: Resource) -> str:
    """The reason why an owner may not give a booking the status asked for."""
    if wanted == BookingStatus.REJECTED:
        return "Only staff may reject a booking. You can cancel it."
    if current == BookingStatus.REJECTED:
        return "Staff rejected this booking; only they can change that. Make a new booking instead."
    if wanted == BookingStatus.CONFIRMED:
        return f"{resource.name} requires approval: only staff may confirm a booking of it."
    return f"A {current.value} booking of yours cannot become {wanted.value}."
