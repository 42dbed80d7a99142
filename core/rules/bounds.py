"""The window of a new booking."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from core.intervals import Interval
from core.models import Resource
from core.terms import NO_POLICY, Policy, terms_of

LATEST_END = timedelta(days=1826)
# Near the ends of the calendar a moment cannot be converted to every time zone.
EARLIEST_START = datetime(1900, 1, 1, tzinfo=UTC)


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
