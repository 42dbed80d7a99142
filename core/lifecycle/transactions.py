"""What the verbs share: their transaction, their locks in a fixed order, and the write of a booking.

The order of locks is always the same: series, bookings by id, resources by id, closures or users by id.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from core import errors, quotas, rules
from core.conflicts import NotFree, refusal_of, require_free, require_gaps
from core.constraints import as_booking_error
from core.models import Booking, Resource
from core.prepared import KEY, insert, prepared, update
from core.querysets import locked
from core.rules import Waiver
from core.terms import attach_terms, terms_of

Check = Callable[[Booking], None]


@contextmanager
def writing(*, now: datetime, dry_run: bool = False) -> Iterator[None]:
    """The transaction of a verb.

    Converts a conflict into `Closed`, or `SlotTaken` with suggestions, after the end of the transaction. Converts any
    other violation of a constraint into the error that a check would have raised.

    Args:
        now: The present moment.
        dry_run: True: write, let the constraints check, roll back, send nothing.
    """
    try:
        with transaction.atomic():
            yield
            if dry_run:
                transaction.set_rollback(True)
    except NotFree as conflict:
        raise refusal_of(conflict, now=now) from conflict
    except IntegrityError as violation:
        error = as_booking_error(violation)
        if error is None:
            raise
        raise error from violation


def lock(booking: Booking, check: Check | None = None) -> Booking:
    """Locks a booking until the transaction ends, reads it again and checks it.

    The row is locked alone. After a wait PostgreSQL compares the new row with the joined rows of its first look, and
    would find nothing if the booking was moved to another resource in between.

    Raises:
        BookingMissing: When somebody deleted the row.
    """
    row = locked_booking.first(pk=booking.pk)
    if row is None:
        raise errors.BookingMissing
    row.user = booking.user  # nobody hands a booking over
    if row.resource_id == booking.resource_id:
        row.resource = booking.resource
    if check is not None:
        check(row)
    return row


def lock_resources(*ids: int, since: datetime) -> dict[int, Resource]:
    """Locks resources in key order; the resources by id, with their terms.

    The terms are read after the lock, so that a change of the policy that held the lock counts.

    Args:
        ids: The ids of the resources, at least one.
        since: The earliest moment that the rules are asked about.

    Raises:
        ResourceMissing: When one of them does not exist.
    """
    first, second = min(ids), max(ids)
    if len(set(ids)) > 2:
        rows = list(locked(Resource.objects.with_house().filter(pk__in=set(ids))))
    else:
        rows = locked_resources(pk=first, other=second if second != first else None)
    resources = {resource.pk: resource for resource in rows}
    if set(ids) - set(resources):
        raise errors.ResourceMissing
    attach_terms(resources.values(), since=since)
    return resources


@prepared(pk=KEY)
def locked_booking(*, pk: int) -> QuerySet[Booking]:
    """The booking, locked."""
    return locked(Booking.objects.filter(pk=pk))


@prepared(pk=KEY, other=KEY)
def locked_resources(*, pk: int, other: int | None) -> QuerySet[Resource]:
    """One resource or two, locked in key order."""
    return locked(Resource.objects.with_house().filter(pk__in=[pk] if other is None else [pk, other]))


def save(booking: Booking, names: Sequence[str] = ()) -> None:
    """Writes a new row, or the named columns of a stored one.

    Raises:
        NotFree: When the slot violates the constraint against overlaps.
    """
    try:
        if names:
            update(booking, names)
        else:
            insert(booking)
    except IntegrityError as violation:
        if isinstance(as_booking_error(violation), errors.SlotTaken):
            raise NotFree(booking) from violation
        raise


def take(booking: Booking, waiver: Waiver, *, now: datetime, staff: bool) -> None:
    """Gives a booking its slot and its buffers, if the slot is free, its gaps are wide enough and the person may book.

    The resource is locked. The user is locked last, and only if the answer depends on the person's other bookings.

    Raises:
        NotFree: When the slot is taken or closed.
        BookingError: Of the first other rule that refuses.
    """
    terms = terms_of(booking.resource)
    booking.buffer_before_minutes = terms.policy.buffer_before_minutes or 0
    booking.buffer_after_minutes = terms.policy.buffer_after_minutes or 0
    require_free(booking)
    if staff and rules.is_over(booking.slot, now=now):
        return
    require_gaps(booking, waiver)
    if quotas.concern(terms):
        locked(User.objects.filter(pk=booking.user.pk)).first()
        quotas.require_person(booking, waiver, now=now)


def find_user(user_id: int) -> User:
    """The user with the id.

    Raises:
        UserMissing: When no user has the id.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise errors.UserMissing
    return user
