"""What the quotas leave to one person: how much is used, and when there is more."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from core import quotas
from core.intervals import LAST_MOMENT, Interval, hull
from core.policies.models import Quota
from core.querysets import QUOTA
from core.terms import Limit, limit_in
from core.zones import zone_of

ZONE = "resource__time_zone"


def allowances_of(user: User, *, now: datetime) -> list[dict[str, Any]]:
    """Each quota that limits the user, with what is used of it now. Two statements.

    The periods are those of the resource's time zone, or of the house's for a quota of all resources.
    """
    mine = Quota.objects.filter(Q(group=None) | Q(group__in=user.groups.all()))
    found: list[tuple[Limit, Interval | None]] = []
    for zone, row in ((row.pop(ZONE), row) for row in mine.values(*QUOTA, ZONE)):
        limit = limit_in(row)
        found.append((limit, quotas.period_at(now, limit.period, zone_of(zone)) if limit.period else None))
    windows = [period or Interval(now, LAST_MOMENT) for _, period in found]
    owned = quotas.read_owned(user.pk, hull(windows)) if windows else []
    return [allowance(limit, owned, period, now=now) for limit, period in found]


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
