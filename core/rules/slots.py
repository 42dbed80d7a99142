"""The ordered list of rules about a slot, and the rules that staff waive."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from core import errors
from core.choices import Waivable
from core.intervals import TICK, Interval
from core.models import Resource
from core.rules.bounds import EARLIEST_START, shortest_notice, window
from core.terms import terms_of


class Rule(Protocol):
    """Raises `BookingError` for a slot that breaks the rule."""

    __name__: str

    def __call__(self, slot: Interval, resource: Resource, *, now: datetime) -> None: ...


# --- The rules, in their order ----------------------------------------------------------------------------------------


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
            self.pass_over(refusal, name)

    def pass_over(self, refusal: errors.BookingError, name: Waivable | None) -> None:
        """Passes over the refusal of a rule if staff waive the rule.

        Raises:
            BookingError: The refusal, which then says which rule it is of.
        """
        refusal.waivable = name
        if name not in self.allowed:
            raise refusal
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
            try:
                rule(slot, resource, now=now)
            except errors.BookingError as refusal:
                waiver.pass_over(refusal, WAIVABLE.get(rule))


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
