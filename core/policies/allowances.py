"""What the quotas leave to one person: how much is used, and when there is more."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from core import quotas
from core.choices import QuotaKind, QuotaPeriod
from core.intervals import Interval
from core.models import Booking
from core.policies.models import Quota
from core.terms import Limit
from core.zones import zone_of


def allowances_of(user: User, *, now: datetime) -> list[dict[str, Any]]:
    """Each quota that limits the user, with what is used of it now. Two statements.

    The periods are those of the resource's time zone, or of the house's for a quota of all resources.
    """
    mine = Quota.objects.filter(Q(group=None) | Q(group__in=user.groups.all())).select_related("resource")
    found: list[tuple[Limit, Interval | None]] = []
    for quota in mine:
        limit = Limit(
            quota.pk,
            quota.group_id,
            quota.resource_id,
            QuotaKind(quota.kind),
            QuotaPeriod(quota.period) if quota.period else None,
            quota.limit,
        )
        zone = zone_of(quota.resource.time_zone if quota.resource else None)
        found.append((limit, quotas.period_at(now, limit.period, zone) if limit.period else None))
    periods = [period or Interval(now, datetime.max.replace(tzinfo=UTC)) for _, period in found]
    owned = read_owned(user, periods)
    return [allowance(limit, owned, period, now=now) for limit, period in found]


def read_owned(user: User, periods: list[Interval]) -> list[quotas.Owned]:
    """The blocking bookings of the user in the periods. One statement, none without a period."""
    if not periods:
        return []
    near = Interval(min(each.start for each in periods), max(each.end for each in periods))
    rows = Booking.objects.blocking().filter(user=user).overlapping(near).order_by("end_time", "id")
    columns = rows.values_list("id", "resource_id", "start_time", "end_time")
    return [quotas.Owned(pk, resource_id, Interval(start, end)) for pk, resource_id, start, end in columns]


def allowance(limit: Limit, owned: list[quotas.Owned], period: Interval | None, *, now: datetime) -> dict[str, Any]:
    """What is used and left of one quota, as the API shows it."""
    used = quotas.in_units(quotas.used(limit, owned, period, now=now))
    left = max(limit.limit - used, 0)
    return {
        "kind": limit.kind.value,
        "period": limit.period.value if limit.period else None,
        "resource": limit.resource_id,
        "limit": limit.limit,
        "used": used,
        "left": left,
        "frees_at": None if left else quotas.frees_at(limit, owned, period, now=now),
    }
