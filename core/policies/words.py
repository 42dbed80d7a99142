"""Rules in words, for the pages of staff."""

from core.choices import QuotaKind
from core.models import Closure, OpeningException, Quota
from core.policies.hours_field import text_of


def sentence_of_quota(quota: Quota) -> str:
    """What a quota does: `Nobody may have more than 2 active bookings of Blue room`."""
    whom = f"Nobody in {quota.group}" if quota.group else "Nobody"
    of = f" of {quota.resource}" if quota.resource else ""
    noun = {QuotaKind.ACTIVE: "active booking", QuotaKind.COUNT: "booking", QuotaKind.MINUTES: "minute"}[
        QuotaKind(quota.kind)
    ]
    amount = f"{quota.limit} {noun}{'' if quota.limit == 1 else 's'}"
    verb = "have" if quota.kind != QuotaKind.MINUTES else "book"
    return f"{whom} may {verb} more than {amount}{of}{f' a {quota.period}' if quota.period else ''}"


def days_of(exception: OpeningException) -> str:
    """The days of an exception."""
    first, last = exception.first_day, exception.last_day
    return f"{first:%a %Y-%m-%d}" if first == last else f"{first:%a %Y-%m-%d} to {last:%a %Y-%m-%d}"


def hours_of(exception: OpeningException) -> str:
    """The hours of the days of an exception, or `closed`."""
    return text_of(exception.hours, dash="–") or "closed"


def names_of(closure: Closure, *, most: int = 5) -> str:
    """The names of the first resources of a closure, and how many more there are."""
    names = [resource.name for resource in closure.resources.all()]
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
