"""Which rules a change asks: those about the fields that change."""

from datetime import datetime, timedelta

from core import errors
from core.intervals import Interval
from core.models import Booking
from core.rules import slots
from core.rules.slots import (
    ABOUT_NOW,
    OF_POLICY,
    Rule,
    end_ahead,
    horizon,
    in_service,
    lead_time,
    not_too_long_ago,
    not_too_short,
    order,
    start_ahead,
)
from core.terms import terms_of

# Browsers send milliseconds; a smaller difference is no change.
SAME_MOMENT = timedelta(milliseconds=1)


def asked_of_new(slot: Interval, *, now: datetime, as_record: bool) -> set[Rule]:
    """The rules about a new booking; a record of staff may be about what is over."""
    if not as_record:
        return set(slots.RULES)
    return set(slots.RULES) - ABOUT_NOW - (OF_POLICY if is_over(slot, now=now) else set())


def asked_of_change(before: Booking, after: Booking, *, now: datetime, staff: bool) -> set[Rule]:
    """The rules about the changed fields; staff need no lead time.

    To revive a booking is to book anew. A change that only gives time back needs no lead time, and of the policy only
    the shortest length.
    """
    not_of_staff = ABOUT_NOW | (OF_POLICY if is_over(after.slot, now=now) else set())
    if after.blocks and not before.blocks:
        return set(slots.RULES) - not_of_staff if staff else set(slots.RULES)
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
