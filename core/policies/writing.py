"""The verbs of policies, opening hours, exceptions and quotas.

A verb locks the row of each resource that it is about. A booking locks the same row before it reads the rules, so it
sees the rules as they were before the verb or after it.

`settle` keeps the two columns of a resource that save the look at its rules. The signals of the four tables call it,
so each way of writing them keeps these columns right; `bulk_create` and SQL send no signals.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, PositiveIntegerField, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from core import errors
from core.models import Booking, Resource
from core.policies.models import LONGEST_BUFFER, OpeningException, OpeningHours, Quota, ResourcePolicy
from core.prepared import KEY, MOMENT, prepared_update
from core.querysets import BUFFERS, POLICY, locked

Check = Callable[[Any], None]
Values = Mapping[str, Any]

# How many exceptions one resource may have, and how many may hold for all resources.
MOST_EXCEPTIONS = 1000
TABLES = (ResourcePolicy, OpeningHours, OpeningException, Quota)


class RowMissing(errors.BookingError):
    """Somebody deleted the row meanwhile."""

    code = "not_found"
    message = "This is not there any more."
    status = 404


@transaction.atomic
def settle(*resource_ids: int | None) -> None:
    """Sets `has_terms` and `buffer_reach_minutes` of resources by their stored rules and the buffers of bookings.

    The rows are locked by a statement of their own: the next statement then sees what others wrote meanwhile.

    Args:
        resource_ids: The resources; None stands for "all resources", whose rules no flag announces.
    """
    ids = {each for each in resource_ids if each is not None}
    if not ids:
        return
    hold(ids)
    since = timezone.now() - timedelta(minutes=LONGEST_BUFFER)
    for pk in sorted(ids):
        set_flags(pk=pk, since=since)


@prepared_update(pk=KEY, since=MOMENT)
def set_flags(*, pk: int, since: datetime) -> tuple[QuerySet[Resource], dict[str, Any]]:
    """The two columns of a resource, by its rules and by the buffers of its bookings that end after `since`."""
    mine = {"resource_id": OuterRef("pk")}
    policies = ResourcePolicy.objects.filter(**mine)
    any_limit = Q(*((f"{name}__isnull", False) for name in POLICY), _connector=Q.OR)
    others = (Exists(table.objects.filter(**mine)) for table in (OpeningHours, OpeningException, Quota))
    has_terms = Q(Exists(policies.filter(any_limit)), *others, _connector=Q.OR)
    coming = Booking.objects.blocking().filter(resource_id=OuterRef("pk"), end_time__gt=since)
    largest = Greatest(
        *(
            Coalesce(Subquery(rows.order_by(f"-{name}").values(name)[:1]), Value(0))
            for rows in (policies, coming)
            for name in BUFFERS
        ),
        output_field=PositiveIntegerField(),
    )
    # The buffers of coming bookings refuse slots even when the policy is gone.
    has_any = has_terms | Q(GreaterThan(largest, Value(0)))
    flags = {
        "has_terms": Case(When(has_any, then=Value(True)), default=Value(False)),
        "buffer_reach_minutes": largest,
    }
    return Resource.objects.filter(pk=pk), flags


def hold(ids: Collection[int] | QuerySet[Any, Any]) -> int:
    """Locks resources in key order until the transaction ends; the number of those that exist."""
    return len(locked(Resource.objects.filter(pk__in=ids)).values_list("pk"))


def lock(*resource_ids: int | None, missing: type[errors.BookingError] = RowMissing) -> None:
    """Locks the resources that a verb is about; None stands for "all resources" and locks each of them.

    Raises:
        BookingError: Of the class `missing`, when one of them does not exist.
    """
    ids = {each for each in resource_ids if each is not None}
    if None in resource_ids:
        hold(Resource.objects.order_by().values("pk"))
    if ids and hold(ids) < len(ids):
        raise missing


# --- Policies and opening hours ---------------------------------------------------------------------------------------


@transaction.atomic
def set_policy(resource_id: int, values: Values, *, check: Check | None = None) -> ResourcePolicy:
    """Writes the whole policy of a resource.

    Args:
        resource_id: The resource.
        values: All limits; None is "no such rule".
        check: Called with the stored policy; raises an error to refuse the change.
    """
    lock(resource_id)
    if check is not None:
        check(policy_of(resource_id))
    policy = ResourcePolicy(resource_id=resource_id, **values)
    policy.save()
    return policy


@transaction.atomic
def delete_policy(resource_id: int, *, check: Check | None = None) -> None:
    """Deletes the policy of a resource, if there is one."""
    lock(resource_id)
    if check is not None:
        check(policy_of(resource_id))
    ResourcePolicy.objects.filter(pk=resource_id).delete()


def policy_of(resource_id: int) -> ResourcePolicy:
    """The stored policy of a resource, or one without any limit."""
    return ResourcePolicy.objects.filter(pk=resource_id).first() or ResourcePolicy(resource_id=resource_id)


@transaction.atomic
def set_week(resource_id: int, periods: Sequence[Values], *, check: Check | None = None) -> list[OpeningHours]:
    """Writes the opening hours of the whole week of a resource.

    Args:
        resource_id: The resource.
        periods: `weekday`, `opens` and `closes` of each period; none: always open.
        check: Called with the stored week; raises an error to refuse the change.
    """
    lock(resource_id)
    if check is not None:
        check(week_of(resource_id))
    stored = OpeningHours.objects.filter(resource_id=resource_id)
    # Without a signal for each row: one call of `settle` follows.
    stored._raw_delete(stored.db)
    OpeningHours.objects.bulk_create(OpeningHours(resource_id=resource_id, **period) for period in periods)
    settle(resource_id)
    return week_of(resource_id)


def week_of(resource_id: int) -> list[OpeningHours]:
    """The opening hours of a resource, from Monday on."""
    return list(OpeningHours.objects.filter(resource_id=resource_id))


# --- Exceptions -------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_exception(resource_id: int | None, values: Values) -> OpeningException:
    """Adds an exception of a resource; None for one of all resources.

    Raises:
        TooManyExceptions: When there are `MOST_EXCEPTIONS` already.
        ExceptionsClash: When another one of the same length has one of the days.
    """
    lock(resource_id)
    exception = OpeningException(resource_id=resource_id, **values)
    if OpeningException.objects.filter(resource=resource_id).count() >= MOST_EXCEPTIONS:
        raise errors.TooManyExceptions(MOST_EXCEPTIONS)
    require_no_clash(exception)
    exception.save()
    return exception


@transaction.atomic
def change_exception(exception: OpeningException, values: Values, *, check: Check | None = None) -> OpeningException:
    """Changes the named columns of an exception.

    Raises:
        ExceptionsClash: When another one of the same length has one of the days.
        RowMissing: When somebody deleted the exception.
    """
    row: OpeningException = lock_row(exception, check)
    days = row.first_day, row.last_day
    for name, value in values.items():
        setattr(row, name, value)
    if (row.first_day, row.last_day) != days:
        require_no_clash(row)
    row.save(update_fields=list(values))
    return row


@transaction.atomic
def remove(row: OpeningException | Quota, *, check: Check | None = None) -> None:
    """Deletes an exception or a quota.

    Raises:
        RowMissing: When somebody deleted it before.
    """
    lock_row(row, check).delete()


def lock_row(row: Any, check: Check | None) -> Any:  # noqa: ANN401 - an exception or a quota
    """Locks the resource of a row and the row, reads the row again and checks it."""
    lock(row.resource_id)
    stored = locked(type(row)._default_manager.filter(pk=row.pk)).first()
    if stored is None:
        raise RowMissing
    if check is not None:
        check(stored)
    return stored


def require_no_clash(exception: OpeningException) -> None:
    """Checks that it is clear which exception holds on each day: on each level, the one with fewer days.

    Raises:
        ExceptionsClash: When another one of the same level and length has one of the days.
    """
    days = Q(first_day__lte=exception.last_day, last_day__gte=exception.first_day)
    others = OpeningException.objects.filter(days, resource=exception.resource_id).exclude(pk=exception.pk)
    length = exception.last_day - exception.first_day
    for other in others:
        if other.last_day - other.first_day == length:
            raise errors.ExceptionsClash(other.pk, other.name, other.first_day, other.last_day)


# --- Quotas -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_quota(values: Values) -> Quota:
    """Adds a quota.

    Raises:
        ResourceMissing, GroupMissing: When there is no such resource or group.
    """
    quota = Quota(**values)
    lock(quota.resource_id, missing=errors.ResourceMissing)
    require_group(quota)
    quota.save()
    return quota


@transaction.atomic
def change_quota(quota: Quota, values: Values, *, check: Check | None = None) -> Quota:
    """Changes the named columns of a quota.

    Raises:
        ResourceMissing, GroupMissing: When there is no such resource or group.
        RowMissing: When somebody deleted the quota.
    """
    lock(quota.resource_id, values.get("resource_id", quota.resource_id), missing=errors.ResourceMissing)
    row: Quota = lock_row(quota, check)
    before = row.resource_id
    for name, value in values.items():
        setattr(row, name, value)
    require_group(row)
    row.save(update_fields=list(values))
    if before != row.resource_id:
        settle(before)
    return row


def require_group(quota: Quota) -> None:
    """Checks that the group of a quota exists."""
    if quota.group_id is not None and not Group.objects.filter(pk=quota.group_id).exists():
        raise errors.GroupMissing
